// Tokens: how they are made, what each word of their scopes opens, and what ends them.

import { beforeEach, afterEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, Login, World } from '../../../test/support/scormcloud.ts'
import { endpoints } from './index.ts'
import { scopes } from './scopes.ts'

let world: World

beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const path = '/appManagement/token'
const appPath = '/oauth/authenticate/application/token'
const soon = '2026-01-02T03:06:05.000Z'
const create = (as: Login | string, permissions: unknown, expiry: unknown = soon): Promise<Answer> =>
  world.v2('POST', path, { as, json: { permissions, expiry } })
const token = async (as: Login, ...words: readonly string[]): Promise<string> => {
  const { status, json } = await create(as, { scopes: words })
  expect([words, status]).toEqual([words, 200])
  return json.result
}
const form = (as: Login | string, body: string): Promise<Answer> =>
  world.v2('POST', appPath, { as, body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
const ping = async (as: string): Promise<number> => (await world.v2('GET', '/ping', { as })).status

describe('createToken', () => {
  it('S4.6 answers a token that works until the end it was given', async () => {
    const { json } = await create(world.application.login, { scopes: ['read:ping'] })
    expect(json).toEqual({ result: expect.stringMatching(/^eyJ/) })
    expect(await ping(json.result)).toBe(200)
    world.clock.pass(119_000)
    expect(await ping(json.result)).toBe(200)
    world.clock.pass(2000)
    expect(await ping(json.result)).toBe(401)
    expect(await world.events()).toEqual([])
  })

  it.each([
    '2026-01-02T03:06:05Z',
    '2026-01-02T04:06:05+01:00',
    '2026-01-02T03:06:05.123456',
    '2031-01-01T00:00:00+0000',
    '2026-01-02 03:06:05 UTC',
  ])('takes %s for an end', async (expiry) => {
    const { status, json } = await create(world.application.login, { scopes: ['read:ping'] }, expiry)
    expect([status, await ping(json.result)]).toEqual([200, 200])
  })

  it('takes every word of the vendor for an application', async () => {
    for (const scope of scopes) expect((await create(world.application.login, { scopes: [scope] })).status).toBe(200)
    expect((await create(world.application.login, { scopes })).status).toBe(200)
  })

  it('is for the application that asks', async () => {
    const { record, login } = world.application
    const { record: other } = await world.addApplication('Other')
    for (const applicationName of [record.id, record.name, '', undefined]) {
      const { status } = await create(login, { scopes: ['read:ping'], applicationName })
      expect([applicationName, status]).toEqual([applicationName, applicationName === '' ? 400 : 200])
    }
    for (const applicationName of [other.id, other.name, 'nobody']) {
      const { status, json } = await create(login, { scopes: ['read:ping'], applicationName })
      expect([status, json.message]).toEqual([
        400,
        '/permissions/applicationName: must be the application whose key asks',
      ])
    }
  })

  it.each([
    ['no permissions', undefined, soon, /\/permissions: must be an object/],
    ['permissions of text', 'read', soon, /\/permissions: must be an object/],
    ['no scopes', {}, soon, /\/permissions\/scopes: must be a list/],
    ['scopes of text', { scopes: 'read' }, soon, /\/permissions\/scopes: must be a list/],
    ['an empty list', { scopes: [] }, soon, /\/permissions\/scopes: must name at least one/],
    ['a number among them', { scopes: ['read', 1] }, soon, /\/permissions\/scopes\/1: must be a string/],
    [
      'an unknown word',
      { scopes: ['read:ping', 'read:everything'] },
      soon,
      /scopes: must be of .*, not "read:everything"/,
    ],
    ['ten thousand', { scopes: Array.from({ length: 10_000 }, () => 'read') }, soon, /\/permissions\/scopes: /],
    ['no end', { scopes: ['read'] }, null, /\/expiry: must be a string/],
    ['an end of a number', { scopes: ['read'] }, 1767323165000, /\/expiry: must be a string/],
    ['an end that is no time', { scopes: ['read'] }, 'tomorrow', /\/expiry: must be an ISO 8601 time/],
    ['an end that has passed', { scopes: ['read'] }, '2026-01-02T03:04:05.000Z', /\/expiry: must lie in the future/],
    ['an end too far off', { scopes: ['read'] }, '2099-01-01T00:00:00Z', /\/expiry: must lie before 2036/],
  ])('refuses %s', async (_what, permissions, expiry, message) => {
    const { status, json } = await create(world.application.login, permissions, expiry)
    expect([status, json]).toEqual([400, { message: expect.stringMatching(message) }])
  })

  it('needs a key: no token makes another', async () => {
    const as = await token(world.application.login, 'admin')
    for (const answer of [await create(as, { scopes: ['read'] }), await form(as, 'scope=read')]) {
      expect([answer.status, answer.json.error]).toEqual([401, 'Authorization Required.'])
    }
  })
})

describe('getAppToken', () => {
  it('answers what OAuth 2 calls it, for five minutes unless asked', async () => {
    world.clock.pass(321)
    const { status, json } = await form(world.application.login, 'scope=read:ping+write:course')
    expect([status, json]).toEqual([
      200,
      { access_token: expect.stringMatching(/^eyJ/), expires_in: 300, token_type: 'bearer' },
    ])
    expect(await ping(json.access_token)).toBe(200)
    world.clock.pass(300_000)
    expect(await ping(json.access_token)).toBe(401)
  })

  it('lasts the seconds that are asked', async () => {
    const { json } = await form(
      world.application.login,
      'scope=read%3Aping&expiration=86401&grant_type=client_credentials',
    )
    expect(json.expires_in).toBe(86_401)
    world.clock.pass(86_400_000)
    expect(await ping(json.access_token)).toBe(200)
  })

  it.each([
    ['', /scope: must name at least one/],
    ['scope=', /scope: must name at least one/],
    ['scope=read:all', /scope: must be of /],
    ['scope=read&scope=write', /scope: must be given once/],
    ['scope=read&expiration=0', /expiration: must be a whole number/],
    ['scope=read&expiration=-5', /expiration: must be a whole number/],
    ['scope=read&expiration=1e3', /expiration: must be a whole number/],
    ['scope=read&expiration=999999999', /expiration: must lie before/],
    [`scope=${'read '.repeat(5000)}`, /larger than/],
  ])('refuses %.40s', async (body, message) => {
    const { status, json } = await form(world.application.login, body)
    expect([status, json]).toEqual([body.length > 16_384 ? 413 : 400, { message: expect.stringMatching(message) }])
  })

  it('refuses JSON', async () => {
    const { status, json } = await world.v2('POST', appPath, { as: world.application.login, json: { scope: 'read' } })
    expect([status, json.message]).toEqual([400, 'Content-Type: must be application/x-www-form-urlencoded'])
  })
})

describe('what a token opens', () => {
  /** Harmless ones: what is asked for is not there, or refused for its body, once the token is good enough. */
  const open = async (as: string): Promise<string[]> => {
    const opened: string[] = []
    for (const { method, path: pattern } of endpoints) {
      if (pattern.includes('statementPipes')) continue
      const at = pattern.replaceAll(/:\w+/g, 'ZZZZZZZZZZ')
      const { status } = await world.v2(method, at, { as, ...(/P/.test(method) && { json: 7 }) })
      if (status !== 401) opened.push(`${method} ${pattern}`)
    }
    return opened
  }
  const of = (area: string, methods: RegExp): string[] =>
    endpoints
      .filter(({ method, path: at }) => at.includes(area) && methods.test(method))
      .map(({ method, path: at }) => `${method} ${at}`)

  it.each([
    ['read', ['GET /ping', 'GET /about'], [['/xapi/credentials', /GET/]]],
    ['read:ping', ['GET /ping'], []],
    ['read:about', ['GET /about'], []],
    ['write', [], [['/xapi/credentials', /POST|PUT/]]],
    ['delete', [], [['/xapi/credentials', /DELETE/]]],
    ['read:xapicredential', [], [['/xapi/credentials', /GET/]]],
    ['write:xapicredential', [], [['/xapi/credentials', /POST|PUT/]]],
    ['delete:xapicredential', [], [['/xapi/credentials', /DELETE/]]],
    ['read:appmgmt', [], [['/appManagement/configuration', /GET/]]],
    ['write:appmgmt', [], [['/appManagement/configuration', /POST|DELETE/]]],
    ['delete:appmgmt', [], []],
    ['read:course', [], []],
    ['write:xapipipe', [], []],
    [
      'admin',
      ['GET /ping', 'GET /about'],
      [
        ['/appManagement/configuration', /./],
        ['/xapi/credentials', /./],
      ],
    ],
  ] as [string, string[], [string, RegExp][]][])('S4.7 %s of an application', async (scope, plain, areas) => {
    const expected = [...plain, ...areas.flatMap(([area, methods]) => of(area, methods))]
    expect((await open(await token(world.application.login, scope))).toSorted()).toEqual(expected.toSorted())
  })

  it.each([
    ['read:appmgmt', /GET/],
    ['write:appmgmt', /POST|PUT/],
    ['delete:appmgmt', /DELETE/],
    ['admin', /./],
  ])('S4.7 %s of application management', async (scope, methods) => {
    const realm = endpoints.filter(({ keys }) => keys.length === 1 && keys[0] === 'management')
    const expected = realm.filter(({ method }) => methods.test(method)).map(({ method, path: at }) => `${method} ${at}`)
    expect((await open(await token(world.management, scope))).toSorted()).toEqual(expected.toSorted())
  })

  it('S4.7 a pipe is changed with the word for writing alone', async () => {
    const { login } = world.application
    const json = { target: { url: 'https://lrs.example.net/xapi' } }
    const { json: made } = await world.v2('POST', '/xapi/statementPipes', { as: login, json })
    const as = await token(login, 'write:xapipipe')
    const at = `/xapi/statementPipes/${made.result}`
    expect((await world.v2('PUT', at, { as, json })).status).toBe(200)
    expect((await world.v2('GET', at, { as })).status).toBe(401)
  })

  it('S4.7 a secret key is switched on with the word for writing alone', async () => {
    const { key } = world.application.login
    const made = await world.v2('POST', `/appManagement/${key}/credentials`, { as: world.management, json: {} })
    const as = await token(world.management, 'write:appmgmt')
    const at = `/appManagement/${key}/credentials`
    expect((await world.v2('PUT', `${at}/${made.json.id}`, { as, json: { active: true } })).status).toBe(204)
    expect((await world.v2('GET', at, { as })).status).toBe(401)
  })

  it('S4.6 application management gets no word beyond its own', async () => {
    for (const scope of scopes.filter((word) => word !== 'admin' && !word.endsWith(':appmgmt'))) {
      const { status, json } = await create(world.management, { scopes: ['read:appmgmt', scope] })
      expect([status, json.message]).toEqual([
        400,
        `scope: ${scope} is more than the key of application management may do itself`,
      ])
    }
  })

  it('S4.7 nothing on xAPI, nor elsewhere in the realm', async () => {
    const as = await token(world.application.login, 'admin', 'read', 'write', 'delete')
    const { id } = world.application.record
    const headers = { 'X-Experience-API-Version': '1.0.3' }
    const statements = await world.ask('GET', `/lrs/${id}/statements`, { as, headers })
    expect([401, 403]).toContain(statements.status)
    expect((await world.ask('GET', '/api/organizations/1/activity-providers', { as })).status).toBe(401)
  })

  it('a token of another face opens nothing here', async () => {
    const principal = await world.core.signIn.basic(world.application.login)
    const { token: foreign } = await world.core.tokens.issue(principal)
    expect(await open(foreign)).toEqual([])
  })
})

describe('what ends a token', () => {
  const keys = (): string => `/appManagement/${world.application.record.id}/credentials`
  const firstKey = async (): Promise<string> => {
    const { json } = await world.v2('GET', keys(), { as: world.management })
    return `${keys()}/${json.credentials[0].id}`
  }

  it('S4.6 its secret key disabled, until it is enabled again', async () => {
    const as = await token(world.application.login, 'read:ping')
    const one = await firstKey()
    await world.v2('PUT', one, { as: world.management, json: { active: false } })
    expect(await ping(as)).toBe(401)
    await world.v2('PUT', one, { as: world.management, json: { active: true } })
    expect(await ping(as)).toBe(200)
  })

  it('S4.6 its secret key deleted; one of another key goes on', async () => {
    const { json } = await world.v2('POST', keys(), { as: world.management, json: { name: 'Second' } })
    const one = await token(world.application.login, 'read:ping')
    const other = await token({ key: world.application.record.id, secret: json.credential }, 'read:ping')
    await world.v2('DELETE', await firstKey(), { as: world.management })
    expect([await ping(one), await ping(other)]).toEqual([401, 200])
  })

  it('its application deleted', async () => {
    const { record, login } = await world.addApplication('Short')
    const as = await token(login, 'read:ping')
    await world.v2('DELETE', `/appManagement/applications/${record.id}`, { as: world.management })
    expect(await ping(as)).toBe(401)
  })

  it('a single changed character', async () => {
    const as = await token(world.application.login, 'read:ping')
    const [header = '', payload = '', signature = ''] = as.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const wider = Buffer.from(JSON.stringify({ ...claims, scopes: ['admin'] })).toString('base64url')
    expect(await ping(`${header}.${wider}.${signature}`)).toBe(401)
    expect(await ping(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`)).toBe(401)
  })
})
