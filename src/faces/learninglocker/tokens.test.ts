// Facts 2.1: `POST /api/oauth2/token` and `GET /api/auth/client/info`.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authorization, openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, Login, World } from '../../../test/support/learninglocker.ts'
import { statement } from '../../../test/support/xapi.ts'
import { endpoints } from './index.ts'
import type { Scope } from './words.ts'

let world: World
beforeAll(async () => void (world = await openWorld()))
afterAll(() => world.close())

const url = '/api/oauth2/token'
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const version = { 'X-Experience-API-Version': '1.0.3' }

function request({ key, secret }: Login): Record<string, string> {
  return { grant_type: 'client_credentials', client_id: key, client_secret: secret }
}
const post = (json: unknown): Promise<Answer> => world.ask('POST', url, { as: null, json })
const tokenOf = async (login: Login): Promise<string> => (await post(request(login))).json.access_token
const read = (as: Login | string) => world.ask('GET', '/data/xAPI/statements', { as, headers: version })

describe('a token', () => {
  it.each(['JSON', 'a form'])('is answered to %s', async (how) => {
    const { login } = await world.client(['xapi/all'])
    const body = new URLSearchParams(request(login)).toString()
    const answer =
      how === 'JSON' ? await post(request(login)) : await world.ask('POST', url, { as: null, body, headers: form })
    expect([answer.status, answer.json]).toEqual([
      200,
      { access_token: expect.any(String), token_type: 'bearer', expires_in: 3600 },
    ])
    expect(answer.headers.get('Cache-Control')).toContain('no-store')
    expect((await read(answer.json.access_token)).status).toBe(200)
  })

  it('stores as its client, whose own it is', async () => {
    const { login } = await world.client(['statements/write', 'statements/read/mine'])
    const sent = statement()
    const token = await tokenOf(login)
    const stored = await world.ask('POST', '/data/xAPI/statements', { as: token, json: sent, headers: version })
    expect(stored.json).toEqual([sent.id])
    expect((await read(login)).json.statements).toMatchObject([{ id: sent.id }])
    expect((await read(token)).json.statements).toMatchObject([{ id: sent.id }])
  })

  it('lasts an hour', async () => {
    const token = await tokenOf((await world.client(['xapi/read'])).login)
    world.clock.pass(3_599_000)
    expect((await read(token)).status).toBe(200)
    world.clock.pass(2_000)
    expect([(await read(token)).status, (await read(token)).json.message]).toEqual([401, 'Unauthorised'])
  })

  it('is never more than the client is at the moment', async () => {
    const { login, record } = await world.client(['xapi/all'])
    const token = await tokenOf(login)
    const { rights } = (await world.client(['statements/write'])).record
    await world.core.credentials.update(world.operator(), record.id, { rights })
    expect((await read(token)).status).toBe(403)
    await world.core.credentials.update(world.operator(), record.id, { secret: 'another-secret-altogether' })
    expect((await read(token)).status).toBe(401)
  })

  it('opens the xAPI and nothing else, whatever the client manages here or elsewhere', async () => {
    const { login } = await world.client(['all', 'statements/delete'])
    const token = await tokenOf(login)
    const { id } = world.organisation
    const elsewhere = `/api/organizations/${id}/activity-providers`
    await world.events()
    const own = endpoints.filter(({ needs }) => needs !== undefined).map(({ method, path }) => [method, path] as const)
    const all = [...own, ['GET', '/api/auth/client/info'], ['GET', elsewhere], ['POST', elsewhere]] as const
    expect(own.length).toBeGreaterThan(5)
    for (const [method, path] of all) {
      const json = method === 'GET' || method === 'DELETE' ? {} : { json: { name: 'x' } }
      const answer = await world.ask(method, path.replace(':id', world.lrs.oid), { as: token, ...json })
      expect(answer.status, `${method} ${path}`).toBe(401)
    }
    expect((await world.ask('GET', elsewhere, { as: login })).status).toBe(200)
    expect(await world.events()).toEqual([])
  })
})

describe('no token', () => {
  let login: Login
  beforeAll(async () => void ({ login } = await world.client(['xapi/all'])))

  it.each<[what: string, change: object, error: string]>([
    ['without grant_type', { grant_type: undefined }, 'invalid_request'],
    ['without client_id', { client_id: undefined }, 'invalid_request'],
    ['without client_secret', { client_secret: undefined }, 'invalid_request'],
    ['for a secret that is no text', { client_secret: { $ne: '' } }, 'invalid_request'],
    ['for a key that is no text', { client_id: ['a'] }, 'invalid_request'],
    ['for another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['for a wrong secret', { client_secret: 'wrong' }, 'invalid_client'],
    ['for an unknown key', { client_id: 'nobody' }, 'invalid_client'],
  ])('%s: 400', async (_what, change, error) => {
    const answer = await post({ ...request(login), ...change })
    expect([answer.status, answer.json]).toEqual([400, { error }])
    expect(answer.headers.has('WWW-Authenticate')).toBe(false)
  })

  it.each<[what: string, body: string, headers: Record<string, string>]>([
    [
      'in a form that says something twice',
      'grant_type=client_credentials&client_id=a&client_id=b&client_secret=c',
      form,
    ],
    ['without a Content-Type', '{}', {}],
    ['in JSON that is none', '{"grant_type":', { 'Content-Type': 'application/json' }],
    ['in JSON that is no object', '[]', { 'Content-Type': 'application/json' }],
    ['with nothing sent', '', form],
  ])('%s: 400', async (_what, body, headers) => {
    const answer = await world.ask('POST', url, { as: null, body, headers })
    expect([answer.status, answer.json]).toEqual([400, { error: 'invalid_request' }])
  })

  it('for a client that is not trusted, nor for a session', async () => {
    const { login: off } = await world.client(['xapi/all'], { isEnabled: false })
    const { record } = await world.client(['xapi/all'])
    const session = await world.core.sessions.create(world.operator(), record.id)
    for (const presented of [off, session]) {
      expect((await post(request(presented))).json).toEqual({ error: 'invalid_client' })
    }
  })

  it('by another method: 404', async () => {
    expect((await world.ask('GET', url, { as: null })).status).toBe(404)
  })

  it('for a body without end: 413', async () => {
    expect((await post({ ...request(login), padding: 'x'.repeat(20_000) })).status).toBe(413)
  })
})

describe('what a client is told of itself', () => {
  const info = (as: Login | string | null) => world.ask('GET', '/api/auth/client/info', { as })

  it.each<readonly Scope[]>([['all'], ['statements/write', 'state'], []])('with the scopes %j', async (...given) => {
    const { login } = await world.client(given, { name: 'Course 7' })
    const answer = await info(login)
    expect([answer.status, answer.json]).toEqual([
      200,
      { title: 'Course 7', organisation: world.organisation.oid, lrs_id: world.lrs.oid, scopes: given },
    ])
  })

  it.each<[what: string, as: () => Login | null]>([
    ['nobody', () => null],
    ['an unknown key', () => ({ key: randomUUID(), secret: 'x' })],
  ])('is not told to %s: 401 as text, with a challenge', async (_what, as) => {
    const answer = await info(as())
    expect([answer.status, answer.text]).toEqual([401, 'Unauthorized'])
    expect(answer.headers.get('Content-Type')).toContain('text/plain')
    expect(answer.headers.get('WWW-Authenticate')).toContain('Basic')
  })

  it('is told whatever the case of the path, and the slash at its end', async () => {
    const { login } = await world.client([])
    for (const path of ['/API/Auth/Client/Info', '/api/auth/client/info/']) {
      expect((await world.ask('GET', path, { as: login })).status, path).toBe(200)
    }
    const headers = { Authorization: authorization(login), Origin: 'https://lms.example' }
    expect((await world.ask('GET', '/api/auth/client/info', { as: null, headers })).status).toBe(200)
  })
})
