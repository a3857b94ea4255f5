// Where this API is, and for whom: paths, slashes, kinds of keys, what is answered to everything it does not have, and what the
// command line asks.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Ask, World } from '../../../test/support/scormcloud.ts'
import { DomainError, errorCodes } from '../../core/errors.ts'
import { findPreset } from '../../core/presets.ts'
import type { Access } from '../face.ts'
import { presentError } from './errors.ts'
import { endpoints, otherServices, scormcloudV2 } from './index.ts'
import { settings } from './settings-catalogue.ts'

const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')

let world: World

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

const at = (path: string): string => path.replaceAll(/:\w+/g, 'ZZZZZZZZZZ')

describe('the README', () => {
  it('S4.11 has the route list for an endpoint table, with keys and scopes', () => {
    const rows = [...readme.matchAll(/^\| \w+ \| (GET|POST|PUT|DELETE) \| (\S+) \| ([\w, ]+) \| ([^|]*) \|/gm)]
    const documented = rows.map(([, method, path, keys, scopes]) => [
      method,
      path,
      keys,
      scopes?.replaceAll('`', '').trim(),
    ])
    const routed = endpoints.map(({ method, path, keys, scopes }) => {
      return [method, path.replaceAll(/:(\w+)/g, '{$1}'), keys.join(', '), scopes.join(' ') || 'none']
    })
    expect(documented.toSorted()).toEqual(routed.toSorted())
  })

  it('names every setting and every service that is not offered', () => {
    for (const id of settings.keys()) expect(readme).toContain(`\`${id}\``)
    for (const service of otherServices) expect(readme).toContain(`\`${service}\``)
  })
})

describe('paths', () => {
  it.each(['/api/v2/ping', '/api/v2//ping', '/api/v2/ping/', '//api//v2//ping', '/api/v2/ping?_=17'])(
    '%s is answered',
    async (path) => {
      const { status, json } = await world.ask('GET', path, { as: world.application.login })
      expect([status, json]).toEqual([200, { apiMessage: 'API Working', currentTime: '2026-01-02T03:04:05.000Z' }])
    },
  )

  it('about says what it is', async () => {
    const { status, json } = await world.v2('GET', '/about', { as: world.application.login })
    expect([status, json]).toEqual([200, { version: '2.0', distribution: 'Claviger' }])
  })

  it('a type of JSON on a GET or DELETE without a body disturbs nobody', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const as = world.application.login
    expect((await world.v2('GET', '/ping', { as, headers })).status).toBe(200)
    expect((await world.v2('DELETE', '/appManagement/configuration/PlayerShowHelp', { as, headers })).status).toBe(204)
    await world.events()
  })

  it.each([
    '/api/v2',
    '/api/v2/',
    '/api/v2/nothing',
    '/api/v2/xapiAccounts',
    '/api/v2/appManagement',
    '/api/v2/appManagement/applications/a/b',
    '/api/v2/appManagement/applicationlist',
    '/api/v2/xapi/accounts',
    '/api/v2/oauth/authenticate/user/token',
    '/api/v2/coursesx',
    '/api/v2/ping/pong',
  ])('S4.12 %s is 404 in the vendor’s shape', async (path) => {
    for (const method of ['GET', 'POST']) {
      const { status, json, headers } = await world.ask(method, path, { as: world.application.login })
      expect([status, Object.keys(json), headers.get('Content-Type')]).toEqual([404, ['message'], 'application/json'])
    }
  })

  it.each(otherServices)('S4.12 %s is 501, whatever is asked of it', async (service) => {
    for (const path of [`/${service}`, `/${service}/`, `//${service}/x/y?z=1`]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const { status, json } = await world.v2(method, `/api/v2${path}`)
        expect([path, status, json]).toEqual([path, 501, { message: `The service ${service} is not offered here` }])
      }
    }
  })

  it('another method on a known path is 405, with those there are', async () => {
    for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
      const offered = endpoints.filter((endpoint) => endpoint.path === path).map(({ method }) => method as string)
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((one) => !offered.includes(one))) {
        const { status, json, headers } = await world.v2(method, at(path), { as: world.management })
        expect([method, path, status, Object.keys(json)]).toEqual([method, path, 405, ['message']])
        for (const one of offered) expect(headers.get('Allow')).toContain(one)
      }
    }
  })

  it('a browser may ask beforehand, and read what is counted', async () => {
    const { status, headers } = await world.v2('OPTIONS', '/appManagement/applicationList', {
      headers: { Origin: 'https://lms.example.org', 'Access-Control-Request-Method': 'GET' },
    })
    expect([status, headers.get('Access-Control-Allow-Origin')]).toEqual([204, '*'])
  })
})

describe('whose keys do', () => {
  // Guesses at one key are counted, so each is of another.
  const nobody: [string, (turn: number) => Ask][] = [
    ['no key', () => ({})],
    ['an unknown id', (turn) => ({ as: { key: `ZZZZZZZZ${turn + 10}`, secret: 'wrong' } })],
    ['garbage for a token', () => ({ as: 'garbage' })],
    ['another scheme', () => ({ headers: { Authorization: 'Digest username="x"' } })],
    ['Basic without a colon', () => ({ headers: { Authorization: `Basic ${Buffer.from('abc').toString('base64')}` } })],
  ]
  const message = 'Authorization Required.'

  it.each(nobody)('%s is 401 everywhere', async (_what, ask) => {
    for (const [turn, { method, path }] of endpoints.entries()) {
      const { status, json, headers } = await world.v2(method, at(path), ask(turn))
      expect([method, path, status, json]).toEqual([method, path, 401, { error: message, message }])
      expect(headers.get('WWW-Authenticate')).toBe('Bearer realm="Claviger"')
    }
    expect(await world.events()).toEqual([])
  })

  it('a wrong secret is as good as an unknown id', async () => {
    const { record } = await world.addApplication('Guessed')
    await world.events()
    for (const { method, path } of endpoints.slice(0, 8)) {
      const { status, json } = await world.v2(method, at(path), { as: { key: record.id, secret: 'wrong' } })
      expect([status, json]).toEqual([401, { error: message, message }])
    }
    expect(await world.events()).toEqual([])
  })

  it('a key of xAPI is unknown here, and so is the key of a session of one', async () => {
    const { core } = world
    const xapi = await core.credentials.create(world.operator(), {
      name: 'x',
      rights: findPreset('everything')!.rights,
    })
    const principal = await core.signIn.basic(xapi)
    const session = await core.sessions.create(principal, xapi.credential.id, { expireSeconds: 60 })
    await world.events()
    for (const as of [xapi, { key: session.session.key, secret: session.secret }]) {
      for (const { method, path } of endpoints) {
        const { status, json } = await world.v2(method, at(path), { as })
        expect([status, json.message]).toEqual([401, 'Authorization Required.'])
      }
    }
    expect(await world.events()).toEqual([])
  })

  it('S4.1 S4.11 each operation is for its own kind of key, and says which', async () => {
    const logins = { application: world.application.login, management: world.management }
    for (const { method, path, keys } of endpoints) {
      for (const kind of ['application', 'management'] as const) {
        const { status, json } = await world.v2(method, at(path), {
          ...{ as: logins[kind] },
          ...(/P/.test(method) && { json: 7 }),
        })
        if (keys.includes(kind)) expect([path, [200, 204, 400, 404].includes(status)]).toEqual([path, true])
        else {
          expect([path, status, json.error]).toEqual([path, 401, 'Authorization Required.'])
          expect(json.message).toMatch(/^This needs the id and a secret key of/)
        }
      }
    }
  })

  it('a key may be bound to addresses', async () => {
    const { record, login } = await world.addApplication('Bound')
    const limits = { addresses: ['192.0.2.0/24'] }
    await world.core.credentials.update(world.operator(), record.credentialId, { limits })
    const { status, json } = await world.v2('GET', '/ping', { as: login })
    expect([status, json.error]).toEqual([401, 'Authorization Required.'])
  })

  it('no secret is ever logged', () => {
    expect(world.log()).not.toContain(world.application.login.secret)
    expect(world.log()).not.toContain(world.management.secret)
  })
})

it('can be switched off', async () => {
  const off = await openWorld({ CLAVIGER_FACE_SCORMCLOUD_V2: 'off' })
  const { status, text } = await off.v2('GET', '/ping', { as: off.application.login })
  expect([status, text]).not.toEqual([200, expect.stringContaining('API Working')])
  await off.close()
})

describe('errors', () => {
  it.each(errorCodes)('%s has a status and MessageSchema', (code) => {
    const { status, body } = presentError(new DomainError(code, 'Why.'), { requestId: 'r1' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).toEqual({ message: expect.any(String), ...(status === 401 && { error: 'Authorization Required.' }) })
  })

  it('a defect of ours says nothing of itself but where to look', () => {
    const error = new DomainError('internal', 'SQLITE_CORRUPT', { cause: new Error('secret') })
    expect(presentError(error, { requestId: 'r1' }).body).toEqual({
      message: 'Something went wrong on our side (request r1)',
    })
  })

  it('many failures, or long ones, are cut', () => {
    const failures = Array.from({ length: 25 }, (_, index) => ({ pointer: `/${index}`, rule: 'r', message: 'no' }))
    const { body } = presentError(new DomainError('invalid', 'Bad', { detail: { failures } }), { requestId: 'r1' })
    expect((body as { message: string }).message).toMatch(/^\/0: no; .*; \/19: no; and 5 more$/)
    const long = presentError(new DomainError('invalid', 'x'.repeat(100_000)), { requestId: 'r1' })
    expect((long.body as { message: string }).message.length).toBeLessThan(9000)
  })
})

describe('what the command line asks', () => {
  const access = async (method: string, path: string): Promise<Access> => {
    const asked = { method, path: `/api/v2${path}`, query: new URLSearchParams(), version: '' }
    return (await scormcloudV2.accessFor?.(asked, world.core))!
  }
  const judge = async (method: string, path: string, as: 'application' | 'management') => {
    const found = await access(method, path)
    if (found.kind !== 'key') throw new Error(found.kind)
    const login = as === 'application' ? world.application.login : world.management
    return found.judge(world.core, await world.core.signIn.basic(login))
  }

  it('each operation is allowed to its own kind of key, and refused to the other', async () => {
    const id = world.application.record.id
    await world.v2('PUT', '/xapi/credentials/known', {
      as: world.application.login,
      json: { name: 'k', secret: 'a-secret-long-enough', isEnabled: true, auth: 'BASICAUTH', permissionsLevel: 'USER' },
    })
    const named = { childAppId: id, settingId: 'PlayerShowHelp', xapiCredentialId: 'known' }
    for (const { method, path, keys } of endpoints.filter((endpoint) => !endpoint.path.includes('Pipe'))) {
      const real = path.replaceAll(/:(\w+)/g, (_, name: string) => named[name as keyof typeof named] ?? 'x')
      for (const kind of ['application', 'management'] as const) {
        const { allowed, reason } = await judge(method, real, kind)
        expect([method, path, kind, allowed, reason]).toEqual([
          method,
          path,
          kind,
          keys.includes(kind),
          expect.any(String),
        ])
      }
    }
  })

  it.each([
    ['GET', '/appManagement/applications/ZZZZZZZZZZ', 'management', 'not_found'],
    ['DELETE', '/xapi/credentials/unknown', 'application', 'not_found'],
    ['DELETE', '/appManagement/configuration/PlayerColour', 'application', 'invalid'],
  ] as const)('%s %s of nothing is what the operation answers', async (method, path, kind, code) => {
    await expect(judge(method, path, kind)).rejects.toMatchObject({ code })
  })

  it('the rest is nobody’s', async () => {
    expect(await access('GET', '/courses/x')).toMatchObject({ kind: 'refused', reason: expect.stringContaining('501') })
    expect(await access('PATCH', '/ping')).toMatchObject({ kind: 'refused', decidedBy: 'method' })
    expect(await access('GET', '/nothing')).toMatchObject({ kind: 'refused', decidedBy: 'path' })
    expect(await access('OPTIONS', '/ping')).toMatchObject({ kind: 'public' })
  })

  it('a credential looks as the API would show it', async () => {
    const { core } = world
    const organisation = await core.organisations.get(world.operator())
    const shown = async (id: number) => {
      const { credential, secrets } = await core.credentials.reveal(world.operator(), id as never)
      const clear = credential.secrets.map((record, index) => ({ record, clear: secrets[index]!.value }))
      return scormcloudV2.showCredential?.({
        organisation,
        applications: [],
        lrs: [],
        baseUrl: world.core.baseUrl,
        credential,
        secrets: clear,
      })
    }
    expect(await shown(world.application.record.credentialId)).toMatchObject({
      credentials: [{ name: 'First', credential: world.application.login.secret, status: 'enabled' }],
    })
    const { items } = await core.credentials.list(world.operator(), { key: 'known' }, { offset: 0, limit: 1 })
    expect(await shown(items[0]!.id)).toEqual({
      ...{ id: 'known', name: 'k', secret: 'a-secret-long-enough', isEnabled: true },
      auth: { xapiCredentialAuthType: 'BASICAUTH' },
      permissionsLevel: { xapiCredentialPermissionsLevel: 'USER' },
    })
  })

  it('a preset is shown with its own word', () => {
    expect(scormcloudV2.presets?.map(({ name }) => name)).toEqual(['DEFAULT', 'USER', 'ROOT', 'READONLY', 'WRITEONLY'])
  })
})
