import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authorization, openWorld } from '../../../test/support/watershed.ts'
import type { Answer, Login, World } from '../../../test/support/watershed.ts'

let world: World
let admin: Login & { id: number }
let provider: Login & { id: number }

beforeEach(async () => {
  world = await openWorld()
  const api = await world.credential({ watershedApiAccess: 'enabled' }, { name: 'Admin' })
  admin = { id: api.credential.id, key: api.key, secret: api.secret }
  const issued = await world.credential({ lrsAccess: 'isolated' }, { name: 'Course' })
  provider = { id: issued.credential.id, key: issued.key, secret: issued.secret }
  await world.events()
})
afterEach(() => world.close())

const version = { 'X-Experience-API-Version': '1.0.3' }
const formType = { 'Content-Type': 'application/x-www-form-urlencoded' }
const statement = {
  actor: { mbox: 'mailto:learner@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/attempted' },
  object: { id: 'https://example.org/course' },
}

function form(as: Login, more: Record<string, string> = {}): string {
  const fields = { grant_type: 'client_credentials', client_id: as.key, client_secret: as.secret, ...more }
  return new URLSearchParams(fields).toString()
}

const post = (body: string, headers: Record<string, string> = {}): Promise<Answer> =>
  world.ask('POST', '/oauth2/token', { body, headers: { ...formType, ...headers } })

const tokenOf = async (as: Login, more: Record<string, string> = {}): Promise<string> =>
  (await post(form(as, more))).json.access_token

describe('a token', () => {
  it('comes in the shape of RFC 6749, to be kept by nothing on the way', async () => {
    const { status, headers, json } = await post(form(provider))
    expect(status).toBe(200)
    expect(json).toEqual({
      access_token: expect.stringMatching(/^[\w.-]{60,}$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'xapi:all',
    })
    expect(headers.get('Content-Type')).toMatch(/^application\/json/)
    expect(headers.get('Cache-Control')).toContain('no-store')
    expect(headers.get('Pragma')).toBe('no-cache')
  })

  it('may be asked for with Basic', async () => {
    const { status } = await post('grant_type=client_credentials', { Authorization: authorization(provider) })
    expect(status).toBe(200)
    const repeated = `grant_type=client_credentials&client_id=${provider.key}`
    expect((await post(repeated, { Authorization: authorization(provider) })).status).toBe(200)
    const refused = await post(repeated, { Authorization: authorization({ ...provider, secret: 'x' }) })
    expect([refused.status, refused.json.error]).toEqual([401, 'invalid_client'])
    expect(refused.headers.get('WWW-Authenticate')).toMatch(/^Basic /)
  })

  it('may be asked for with Basic as RFC 6749 encodes it, which UUIDs notice', async () => {
    const odd = { key: 'a1b2-c3', secret: 'p&q r%' }
    await world.credential({ lrsAccess: 'isolated' }, odd)
    const encoded = { key: 'a1b2%2Dc3', secret: 'p%26q+r%25' }
    for (const as of [odd, encoded]) {
      const { status } = await post('grant_type=client_credentials', { Authorization: authorization(as) })
      expect(status).toBe(200)
    }
    expect((await world.ask('GET', '/activity-providers/self', { as: encoded })).status).toBe(401)
  })

  it('S2.2 works on xAPI, keeps to its scope, and stores in the credential’s name', async () => {
    const token = await tokenOf(provider, { scope: 'xapi:write' })
    const stored = await world.ask('POST', '/lrs/statements', { as: token, json: statement, headers: version })
    expect(stored.status).toBe(200)
    expect((await world.ask('GET', '/lrs/statements', { as: token, headers: version })).status).toBe(403)
    const { json } = await world.ask('GET', '/lrs/statements', { as: provider, headers: version })
    expect(json.statements).toHaveLength(1)
  })

  it('works on this API when the credential has API access and the scope covers it', async () => {
    const all = await tokenOf(admin, { scope: 'wsapi:all' })
    expect((await world.ask('GET', '/activity-providers', { as: all })).status).toBe(200)
    const some = await world.credential({ lrsAccess: 'global', watershedApiAccess: 'enabled' })
    const narrow = await tokenOf(some, { scope: 'xapi:all' })
    expect((await world.ask('GET', '/activity-providers', { as: narrow })).status).toBe(401)
  })

  it('does not read its credential’s secret or make sessions, which would outlive it', async () => {
    const token = await tokenOf(provider)
    await world.events()
    for (const [method, path] of [
      ['GET', '/activity-providers/self'],
      ['POST', '/activity-providers/self/sessions'],
    ] as const) {
      const { status, text } = await world.ask(method, path, { as: token })
      expect([path, status]).toEqual([path, 401])
      expect(text).not.toContain(provider.secret)
    }
    expect(await world.events()).toEqual([])
  })

  it('ends when its time is over', async () => {
    const token = await tokenOf(provider, { expire_seconds: '60' })
    const status = async (): Promise<number> =>
      (await world.ask('GET', '/lrs/statements', { as: token, headers: version })).status
    world.clock.pass(59_000)
    expect(await status()).toBe(200)
    world.clock.pass(1000)
    expect(await status()).toBe(401)
  })

  it('dies at once with the secret, with active false, and with the credential', async () => {
    const works = async (token: string): Promise<boolean> =>
      (await world.ask('GET', '/lrs/statements', { as: token, headers: version })).status === 200
    const path = `/activity-providers/${provider.id}`
    const token = await tokenOf(provider)
    await world.ask('PUT', path, { as: admin, json: { name: 'Renamed' } })
    expect(await works(token)).toBe(true)
    await world.ask('PUT', path, { as: admin, json: { active: false } })
    expect(await works(token)).toBe(false)
    await world.ask('PUT', path, { as: admin, json: { active: true } })
    expect(await works(token)).toBe(true)
    await world.ask('PUT', path, { as: admin, json: { secret: 'another' } })
    expect(await works(token)).toBe(false)
    const next = await tokenOf({ ...provider, secret: 'another' })
    expect(await works(next)).toBe(true)
    await world.ask('DELETE', path, { as: admin })
    expect(await works(next)).toBe(false)
  })

  it('is worth nothing in another organisation', async () => {
    const token = await tokenOf(admin)
    expect((await world.ask('GET', '/api/organizations/2/activity-providers', { as: token })).status).toBe(401)
  })
})

describe('a refusal', () => {
  it.each([
    ['a wrong secret', () => form({ ...provider, secret: 'x' }), {}, 401, 'invalid_client'],
    ['an unknown key', () => form({ key: 'x', secret: 'x' }), {}, 401, 'invalid_client'],
    ['no credentials', () => 'grant_type=client_credentials', {}, 400, 'invalid_request'],
    ['half of them', () => 'grant_type=client_credentials&client_id=x', {}, 400, 'invalid_request'],
    ['an empty body', () => '', {}, 400, 'invalid_request'],
    ['another grant', () => form(provider, { grant_type: 'password' }), {}, 400, 'unsupported_grant_type'],
    ['an unknown scope', () => form(provider, { scope: 'all' }), {}, 400, 'invalid_scope'],
    ['a scope beyond its own', () => form(provider, { scope: 'wsapi:all' }), {}, 400, 'invalid_scope'],
    ['a length it may not have', () => form(provider, { expire_seconds: '0' }), {}, 400, 'invalid_request'],
    ['a field given twice', () => `${form(provider)}&scope=xapi:read&scope=xapi:all`, {}, 400, 'invalid_request'],
    ['JSON', () => JSON.stringify(provider), { 'Content-Type': 'application/json' }, 400, 'invalid_request'],
    ['two ways at once', () => form(provider), { Authorization: 'Basic YTpi' }, 400, 'invalid_request'],
    ['a token for a token', () => form(provider), { Authorization: 'Bearer abc' }, 400, 'invalid_request'],
    ['too large a body', () => form(provider, { x: 'x'.repeat(20_000) }), {}, 413, 'invalid_request'],
  ])('%s', async (_what, body, headers, status, error) => {
    const answer = await post(body(), headers)
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({
      error,
      error_description: expect.any(String),
      message: answer.json.error_description,
      status,
    })
    expect(answer.headers.get('Cache-Control')).toContain('no-store')
    expect(answer.headers.has('WWW-Authenticate')).toBe(status === 401)
    expect(answer.text).not.toContain(provider.secret)
    expect(await world.events()).toEqual([])
  })

  it('the key of a session, an inactive credential, another organisation’s', async () => {
    const { json: session } = await world.ask('POST', '/activity-providers/self/sessions', { as: provider, json: {} })
    const child = await post(form(session))
    expect([child.status, child.json.error]).toEqual([400, 'unauthorized_client'])
    const other = await world.ask('POST', '/api/organizations/2/oauth2/token', {
      body: form(provider),
      headers: formType,
    })
    expect([other.status, other.json.error]).toEqual([401, 'invalid_client'])
    await world.ask('PUT', `/activity-providers/${provider.id}`, { as: admin, json: { active: false } })
    const off = await post(form(provider))
    expect([off.status, off.json.error]).toEqual([401, 'invalid_client'])
  })

  it('the 3001st request of a minute', async () => {
    for (let count = 0; count < 3000; count++) {
      await world.core.limits.consume('watershed', String(provider.id), { perMinute: 3000 })
    }
    const { status, headers, json } = await post(form(provider))
    expect([status, json.error, json.status]).toEqual([429, 'temporarily_unavailable', 429])
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0)
  })
})
