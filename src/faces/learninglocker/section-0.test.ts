// The ten things most likely to be got wrong, as section 0 of the fact sheet lists them: each with what is done about it here.
// Details of each stand in the tests of their files.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, Login, World } from '../../../test/support/learninglocker.ts'
import type { Scope } from './words.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

const agent = { objectType: 'Agent', mbox: 'mailto:client@example.org' }
const learner = { mbox: 'mailto:learner@example.org' }
const statement = { actor: learner, verb: { id: 'https://example.org/did' }, object: { id: 'https://example.org/it' } }
const login = async (...scopes: readonly Scope[]): Promise<Login> => (await world.client(scopes)).login
const xapi = (method: string, path: string, as: Login, json?: object): Promise<Answer> => {
  const headers = { 'X-Experience-API-Version': '1.0.3' }
  return world.ask(method, `/data/xAPI${path}`, { as, headers, ...(json && { json }) })
}
const idsSeenBy = async (as: Login): Promise<string[]> =>
  (await xapi('GET', '/statements', as)).json.statements.map(({ id }: { id: string }) => id)

it('facts 0.1 S0.7 authority: text or object in, an object out, on every write', async () => {
  const made = await world.ask('POST', '/api/v2/client', { json: { authority: JSON.stringify(agent) } })
  expect([made.status, made.json.authority]).toEqual([201, agent])
  const path = `/api/v2/client/${made.json._id}`
  const other = { objectType: 'Agent', openid: 'https://client.example.org/' }
  expect((await world.ask('POST', '/api/v2/client', { json: { authority: other } })).json.authority).toEqual(other)
  expect((await world.ask('PATCH', path, { json: { authority: other } })).json.authority).toEqual(other)
  expect((await world.ask('PUT', path, { json: { authority: JSON.stringify(agent) } })).json.authority).toEqual(agent)
  expect((await world.ask('GET', path)).json.authority).toEqual(agent)
})

it('facts 0.2 all/read is a scope on REST, too, and reads everything', async () => {
  const json = { scopes: ['all/read'], lrs_id: world.lrs.oid }
  const { json: client } = await world.ask('POST', '/api/v2/client', { json })
  expect(client.scopes).toEqual(['all/read'])
  const as = { key: client.api.basic_key, secret: client.api.basic_secret }
  expect((await xapi('GET', '/statements', as)).status).toBe(200)
  expect((await xapi('POST', '/statements', as, statement)).status).toBe(403)
})

it('facts 0.3 statements/delete is no part of all', async () => {
  const [id] = await world.store(await login('xapi/all'), [statement])
  const query = encodeURIComponent(JSON.stringify({ 'statement.id': id }))
  const { json } = await world.ask('GET', `/api/v2/statement?query=${query}`)
  const path = `/api/v2/statement/${json[0]._id}`
  expect((await world.ask('DELETE', path, { as: await login('all') })).status).toBe(403)
  expect((await world.ask('GET', path)).status).toBe(200)
  expect((await world.ask('DELETE', path, { as: await login('statements/delete') })).status).toBe(204)
  expect((await world.ask('GET', path)).status).toBe(404)
})

it('facts 0.4 statements/read/mine is what this client stored: neither its authority nor the actor counts', async () => {
  const [one, other] = await Promise.all(
    ['One', 'Other'].map(async (name) => {
      const scopes: readonly Scope[] = ['statements/read/mine', 'statements/write']
      return (await world.client(scopes, { name, authority: agent })).login
    }),
  )
  const [mine] = await world.store(one!, [statement])
  const [theirs] = await world.store(other!, [statement])
  expect([await idsSeenBy(one!), await idsSeenBy(other!)]).toEqual([[mine], [theirs]])
})

it('facts 0.5 statements/write stands alone', async () => {
  const as = await login('statements/write')
  expect((await xapi('POST', '/statements', as, statement)).status).toBe(200)
  expect((await xapi('GET', '/statements', as)).status).toBe(403)
})

it('facts 0.6 isTrusted false: 403 on the xAPI, 401 on REST', async () => {
  const { login: as } = await world.client(['all'], { isEnabled: false })
  const answer = await xapi('GET', '/statements', as)
  expect([answer.status, answer.json.message]).toEqual([403, 'Your client has been disabled'])
  expect((await world.ask('GET', '/api/v2/client', { as })).status).toBe(401)
})

it('facts 0.7 no store: 401 on the xAPI, and the reason; the client is there all the same', async () => {
  const { login: as } = await world.client(['all'], { lrsIds: [] })
  const { status, json } = await xapi('GET', '/statements', as)
  expect([status, json]).toMatchObject([401, { message: 'Unauthorised', reason: expect.any(String) }])
  expect((await world.ask('GET', '/api/auth/client/info', { as })).status).toBe(200)
})

it('facts 0.8 REST needs all for clients, and for statements the right to read them', async () => {
  const statusOf = async (path: string, scope: Scope): Promise<number> =>
    (await world.ask('GET', path, { as: await login(scope) })).status
  expect(await statusOf('/api/v2/client', 'xapi/all')).toBe(403)
  expect(await statusOf('/api/v2/client', 'all')).toBe(200)
  for (const path of ['/api/v2/statement', '/api/connection/statement']) {
    expect([path, await statusOf(path, 'state')]).toEqual([path, 403])
    expect([path, await statusOf(path, 'statements/read')]).toEqual([path, 200])
  }
})

it('facts 0.9 PUT merges, and never creates', async () => {
  const { json } = await world.ask('POST', '/api/v2/client', { json: { title: 'Kept', scopes: ['state'] } })
  const put = await world.ask('PUT', `/api/v2/client/${json._id}`, { json: { isTrusted: false } })
  expect([put.status, put.json]).toEqual([200, { ...json, isTrusted: false }])
  const none = await world.ask('PUT', `/api/v2/client/${'f'.repeat(24)}`, { json: { title: 'New' } })
  expect([none.status, none.json]).toEqual([404, { statusCode: 404 }])
})

it('facts 0.10 secrets are on every read; at rest they are sealed, and in no log or audit', async () => {
  const secret = 'a-secret-that-is-found-if-it-is-there'
  const { json } = await world.ask('POST', '/api/v2/client', { json: { api: { basic_secret: secret } } })
  const one = await world.ask('GET', `/api/v2/client/${json._id}`)
  const all = await world.ask('GET', '/api/v2/client')
  const edge = await world.ask('GET', '/api/connection/client?first=1000')
  for (const { text } of [one, all, edge]) expect(text).toContain(secret)
  const record = await world.storage.directory.listCredentials(
    world.organisation.id,
    { oids: [json._id] },
    { offset: 0, limit: 1 },
  )
  const events = await world.core.audit.list(world.operator(), { after: 0, limit: 1000 })
  for (const text of [JSON.stringify(record), JSON.stringify(events), world.log()]) expect(text).not.toContain(secret)
})
