// Whatever is sent, the answer is the vendor's shape and no defect of ours, and what was refused has changed nothing.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Ask, World } from '../../../test/support/scormcloud.ts'
import { endpoints } from './index.ts'
import type { Endpoint } from './index.ts'

let world: World
let known: Readonly<Record<string, string>>

beforeAll(async () => {
  world = await openWorld()
  const { record } = world.application
  const { credential } = await world.core.applications.reveal(world.operator(), record.id)
  const json = {
    name: 'k',
    secret: 'a-secret-long-enough',
    isEnabled: true,
    auth: 'BASICAUTH',
    permissionsLevel: 'USER',
  }
  await world.v2('PUT', '/xapi/credentials/known', { as: world.application.login, json })
  const target = { url: 'https://lrs.example.com/xapi' }
  const pipe = await world.v2('POST', '/xapi/statementPipes', { as: world.application.login, json: { target } })
  known = {
    ...{ childAppId: record.id, credentialId: credential.secrets[0]!.id, settingId: 'PlayerShowHelp' },
    ...{ xapiCredentialId: 'known', id: pipe.json.result },
  }
  await world.events()
})
afterAll(() => world.close())

const loginFor = ({ keys }: Endpoint) => (keys.includes('application') ? world.application.login : world.management)
const pathOf = ({ path }: Endpoint): string => path.replaceAll(/:(\w+)/g, (_, name: string) => known[name] ?? '')
const writing = endpoints.filter(({ method }) => method === 'POST' || method === 'PUT')

async function refused(endpoint: Endpoint, path: string, ask: Ask): Promise<[number, string]> {
  const { status, json, headers, text } = await world.v2(endpoint.method, path, { as: loginFor(endpoint), ...ask })
  const place = `${endpoint.method} ${path.slice(0, 80)}`
  expect([place, status >= 400 && status < 500, text.slice(0, 200)]).toEqual([place, true, expect.any(String)])
  expect(Object.keys(json).filter((name) => name !== 'error')).toEqual(['message'])
  expect(headers.get('Content-Type')).toBe('application/json')
  expect(json.message.length).toBeLessThan(10_000)
  expect([place, await world.events()]).toEqual([place, []])
  return [status, json.message]
}

describe('bodies', () => {
  const json = { 'Content-Type': 'application/json' }
  const bodies: [string, Ask, number][] = [
    ['nothing', {}, 400],
    ['spaces', { body: '  ', headers: json }, 400],
    ['half of JSON', { body: '{"name":', headers: json }, 400],
    ['null', { json: null }, 400],
    ['a list', { json: [{}] }, 400],
    ['text', { json: 'name' }, 400],
    ['a number beyond counting', { body: '1e999', headers: json }, 400],
    ['a member twice', { body: '{"name": "a", "name": "b"}', headers: json }, 400],
    ['deep nesting', { body: `${'['.repeat(50_000)}${']'.repeat(50_000)}`, headers: json }, 400],
    ['deep nesting of objects', { body: `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, headers: json }, 400],
    ['XML', { body: '<a/>', headers: { 'Content-Type': 'text/xml' } }, 400],
    ['compressed bytes', { body: '\u001f\u008b', headers: { ...json, 'Content-Encoding': 'gzip' } }, 415],
    ['bytes that are no text', { body: '{"name":"\ud800"}', headers: json }, 400],
    ['half a megabyte', { json: { name: 'x'.repeat(512 * 1024) } }, 413],
  ]

  // A form is read as one, whatever it holds; its own tests are in tokens.test.ts.
  it.each(bodies)('%s', async (what, ask, status) => {
    for (const endpoint of writing.filter(({ path }) => !path.startsWith('/oauth'))) {
      // What holds nothing an operation knows asks for nothing: a change of nothing is no error.
      const isNothing = what === 'deep nesting of objects' || what === 'bytes that are no text'
      const path = pathOf(endpoint)
      const { as } = { as: loginFor(endpoint) }
      const answer = await world.v2(endpoint.method, path, { as, ...ask })
      if (isNothing && answer.status < 300) await world.events()
      else expect([endpoint.path, (await refused(endpoint, path, ask))[0]]).toEqual([endpoint.path, status])
    }
  })

  it('members of every type are refused by name, or taken', async () => {
    const values = [7, -1.5, true, [], ['x'], {}, { a: 1 }, 'x'.repeat(5000), '\u0000', '\ud800', '__proto__']
    const members = [
      ...['name', 'allowDelete', 'active', 'settings', 'permissions', 'expiry', 'secret', 'isEnabled', 'auth'],
      ...['permissionsLevel', 'info', 'source', 'target'],
    ]
    const isDefect = (status: number): boolean => status >= 500 || status === 0
    for (const endpoint of writing.filter(({ path }) => !path.startsWith('/oauth'))) {
      for (const member of members) {
        for (const value of values) {
          const { status } = await world.v2(endpoint.method, pathOf(endpoint), {
            as: loginFor(endpoint),
            json: { [member]: value },
          })
          expect([endpoint.path, member, value, isDefect(status)]).toEqual([endpoint.path, member, value, false])
        }
      }
    }
    await world.events()
  })

  it('__proto__ and its like are members nobody knows', async () => {
    const body = '{"__proto__": {"name": "x", "allowDelete": false}, "constructor": {"prototype": {"active": false}}}'
    for (const endpoint of writing.filter(({ path }) => !path.startsWith('/oauth'))) {
      const { status } = await world.v2(endpoint.method, pathOf(endpoint), { as: loginFor(endpoint), body })
      expect([endpoint.path, status]).toEqual([endpoint.path, expect.any(Number)])
      expect(status).toBeLessThan(500)
    }
    const info = await world.v2('GET', `/appManagement/applications/${known['childAppId']}`, { as: world.management })
    expect(info.json.allowDelete).toBe(true)
    await world.events()
  })
})

describe('paths', () => {
  it.each([
    '%',
    '%00',
    '%ED%A0%80',
    '%FF',
    '%0d%0aX: y',
    '__proto__',
    'constructor',
    "' or 1=1 --",
    'x'.repeat(4000),
    '%2F',
    '🦊',
  ])('the id %.30s', async (id) => {
    for (const endpoint of endpoints.filter(({ path }) => path.includes(':'))) {
      const path = endpoint.path.replaceAll(/:\w+/g, () => encodeURI(id).replaceAll('%25', '%'))
      const hasBody = /P/.test(endpoint.method)
      const json = hasBody ? { json: { name: 'x', secret: 'y', target: { url: 'https://a.example' } } } : {}
      const [status] = await refused(endpoint, path, json)
      expect([400, 404]).toContain(status)
    }
  })
})

describe('queries', () => {
  const names = [
    ...['since', 'until', 'datetimeFilter', 'filter', 'filterBy', 'orderBy', 'more', 'includeTotalCount'],
    ...['includeCourseCount', 'learningStandard', 'singleSco', 'includeMetadata'],
  ]
  it.each(names)('%s of any kind', async (name) => {
    for (const endpoint of endpoints.filter(({ method }) => method === 'GET')) {
      for (const value of ['', '%', '%00', '\u0000', '-1', 'x'.repeat(2000), '[]', 'null', '9'.repeat(400)]) {
        const query = `?${name}=${encodeURIComponent(value)}`
        const { status, json } = await world.v2('GET', pathOf(endpoint) + query, { as: loginFor(endpoint) })
        expect([endpoint.path, name, value, status < 500]).toEqual([endpoint.path, name, value, true])
        if (status >= 400) expect(Object.keys(json)).toEqual(['message'])
      }
      const twice = await world.v2('GET', `${pathOf(endpoint)}?${name}=a&${name}[]=b&${name}=c`, {
        as: loginFor(endpoint),
      })
      expect(twice.status).toBeLessThan(500)
    }
  })

  it('too many parameters', async () => {
    const query = Array.from({ length: 500 }, (_, n) => `p${n}=1`).join('&')
    const { status } = await world.v2('GET', `/ping?${query}`, { as: world.application.login })
    expect(status).toBe(400)
  })
})

it('two that are faster than each other leave one key', async () => {
  const json = {
    name: 'k',
    secret: 'b-secret-long-enough',
    isEnabled: true,
    auth: 'BASICAUTH',
    permissionsLevel: 'USER',
  }
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => world.v2('PUT', '/xapi/credentials/raced', { as: world.application.login, json })),
  )
  expect(answers.map(({ status }) => status).filter((status) => status !== 204 && status !== 409)).toEqual([])
  const { json: listed } = await world.v2('GET', '/xapi/credentials?filter=raced', { as: world.application.login })
  expect(listed.xapiCredentials).toHaveLength(1)
  await world.events()
})

it('nothing of all this was a defect of ours', () => {
  expect(world.log()).not.toContain('request failed')
})
