// Requests nobody sends in good faith: each is refused in plain words, none is a 500, none writes anything.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/watershed.ts'
import type { Ask, Login, World } from '../../../test/support/watershed.ts'

let world: World
let admin: Login
let id: number

beforeAll(async () => {
  world = await openWorld()
  admin = await world.credential({ watershedApiAccess: 'enabled', lrsAccess: 'isolated' })
  id = (await world.credential({ lrsAccess: 'isolated' })).credential.id
  await world.events()
})
afterAll(() => world.close())

const jsonType = { 'Content-Type': 'application/json' }

async function refusal(method: string, path: string, ask: Ask = {}): Promise<[number, string]> {
  const { status, json, headers } = await world.ask(method, path, { as: admin, ...ask })
  expect(Object.keys(json)).toEqual(['message', 'status'])
  expect(json.status).toBe(status)
  expect(headers.get('Content-Type')).toBe('application/json')
  expect(json.message.length).toBeLessThan(10_000)
  expect(await world.events()).toEqual([])
  return [status, json.message]
}

describe('bodies', () => {
  const bodies: [string, Ask, number, RegExp][] = [
    ['nothing', {}, 400, /must be a JSON object/],
    ['spaces', { body: '  ', headers: jsonType }, 400, /must be a JSON object/],
    ['no JSON', { body: '{"name":', headers: jsonType }, 400, /JSON/],
    ['null', { json: null }, 400, /must be a JSON object/],
    ['a list', { json: [{ name: 'x' }] }, 400, /must be a JSON object/],
    ['text', { json: 'name' }, 400, /must be a JSON object/],
    ['a number beyond counting', { body: '{"name": 1e999}', headers: jsonType }, 400, /\/name/],
    ['a property twice', { body: '{"key": "a", "key": "b"}', headers: jsonType }, 400, /\/key/],
    ['deep nesting', { body: `{"name": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, headers: jsonType }, 400, /./],
    ['a property in two spellings', { json: { key: 'a', Key: 'b' } }, 400, /\/key: is given twice/],
    ['no Content-Type', { body: '{}' }, 400, /Content-Type of the request must be application\/json/],
    ['a form', { body: 'name=x', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }, 400, /JSON/],
    ['JSON as text', { body: '{}', headers: { 'Content-Type': 'text/plain' } }, 400, /application\/json/],
    ['bytes that are no text', { body: '\u00ff', headers: { ...jsonType, 'Content-Encoding': 'gzip' } }, 415, /gzip/],
    ['a name of 1 MB', { json: { name: 'x'.repeat(1024 * 1024) } }, 413, /larger than/],
    ['a name of 100 kB', { json: { name: 'x'.repeat(100_000) } }, 400, /\/name: .*255/],
    ['enabled for lrsAccess', { json: { lrsAccess: 'enabled' } }, 400, /disabled, isolated, global/],
    ['an object for a word', { json: { lrsAccess: { toString: 'global' } } }, 400, /\/lrsAccess: must be one of/],
    ['a number for a boolean', { json: { active: 1 } }, 400, /\/active: must be true or false/],
    ['a line break in a key', { json: { key: 'a\nb' } }, 400, /\/key/],
    ['a colon in a key', { json: { key: 'a:b' } }, 400, /\/key: .*colon/],
  ]

  it.each(bodies)('%s', async (_what, ask, status, message) => {
    for (const [method, path] of [
      ['POST', '/activity-providers'],
      ['PUT', `/activity-providers/${id}`],
    ] as const) {
      const refused = await refusal(method, path, ask)
      expect(refused).toEqual([status, expect.stringMatching(message)])
    }
  })

  it.each([
    ['a list', { json: [] }],
    ['a text for a number', { json: { expireSeconds: '60' } }],
    ['a second beyond the end of time', { json: { expireSeconds: 1e300 } }],
    ['less than a second', { json: { expireSeconds: 0.5 } }],
    ['an object for a scope', { json: { scope: {} } }],
    ['no JSON', { body: '{', headers: jsonType }],
  ])('%s for a session', async (_what, ask) => {
    expect((await refusal('POST', '/activity-providers/self/sessions', ask))[0]).toBe(400)
  })

  it('__proto__ and its like are properties nobody knows', async () => {
    const body =
      '{"__proto__": {"active": false, "lrsAccess": "global"}, "constructor": {"prototype": {}}, "name": "P"}'
    const { status, json } = await world.ask('POST', '/activity-providers', { as: admin, body, headers: jsonType })
    expect(status).toBe(200)
    expect(json).toMatchObject({ name: 'P', active: true, lrsAccess: 'isolated' })
    await world.events()
  })
})

describe('paths and queries', () => {
  it.each([
    ['GET', '/activity-providers/99999999999999999999', 404],
    ['PUT', '/activity-providers/99999999999999999999', 404],
    ['DELETE', '/activity-providers/2147483648', 404],
    ['GET', '/activity-providers/-1', 404],
    ['GET', '/activity-providers/1e3', 404],
    ['GET', '/activity-providers/null', 404],
    ['GET', '/activity-providers/__proto__', 404],
    ['GET', '/activity-providers/%00', 404],
    ['GET', '/activity-providers/%', 404],
    ['GET', '/activity-providers/1%2F2', 404],
    ['GET', '/activity-providers/self/sessions/1/2', 404],
    ['GET', '/activity-providers/self/people', 404],
    ['GET', '/oauth2/nothing', 404],
    ['GET', '/api/organizations/first/activity-providers', 404],
    ['GET', '/api/organizations/1.0/activity-providers', 404],
    ['GET', '/api/organizations/-1/activity-providers', 404],
    ['GET', '/api/organizations/99999999999999999999/activity-providers', 401],
    ['GET', '/activity-providers?_limit=99999999999999999999', 400],
    ['GET', '/activity-providers?_limit=1001', 400],
    ['GET', '/activity-providers?_limit=-1', 400],
    ['GET', '/activity-providers?_offset=NaN', 400],
    ['GET', '/activity-providers?_offset=99999999999', 400],
    ['GET', '/activity-providers?key=a&key=b', 400],
    ['DELETE', '/activity-providers', 405],
    ['PUT', '/activity-providers', 405],
    ['PATCH', '/activity-providers/1', 405],
    ['PUT', '/activity-providers/1/sessions', 405],
    ['GET', '/oauth2/token', 405],
  ])('%s %s is %i', async (method, path, expected) => {
    const body = method === 'PUT' || method === 'PATCH' ? { json: { name: 'x' } } : {}
    expect((await refusal(method, path, body))[0]).toBe(expected)
  })

  it('another method is told what is offered', async () => {
    const { headers } = await world.ask('PATCH', '/activity-providers', { as: admin, json: {} })
    expect(headers.get('Allow')).toMatch(/GET.*POST/)
  })
})

describe('authorization', () => {
  it.each([
    'Basic',
    'Basic !!!',
    'Basic bm9jb2xvbg==',
    'Bearer',
    'Bearer a.b.c',
    'Digest username="x"',
    `Basic ${'A'.repeat(8000)}`,
    'Basic Og==',
  ])('%s is 401', async (header) => {
    const answer = await refusal('GET', '/activity-providers', { headers: { Authorization: header } })
    expect(answer).toEqual([401, 'HTTP 401 Unauthorized'])
  })
})
