// The sheet's section 1.4, "xAPI auth outcomes" and the notes below it. Which scope lets what through: scopes.test.ts.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DomainError, errorCodes } from '../../core/errors.ts'
import { authorization, openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, AskAs, Client, Login, World } from '../../../test/support/learninglocker.ts'
import { commandLineOn } from '../../../test/support/command-line.ts'
import { statement } from '../../../test/support/xapi.ts'
import { presentXapiError } from './xapi.ts'

let world: World
let full: Client
beforeAll(async () => {
  world = await openWorld()
  full = await world.client(['xapi/all'])
})
afterAll(() => world.close())

const anyId = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
const version = { 'X-Experience-API-Version': '1.0.3' }

interface Sent extends AskAs {
  /** Null: the header is not sent. */
  readonly version?: string | null
}

/** Below /data/xAPI. */
function send(method: string, path: string, { version: spoken = '1.0.3', headers, ...sent }: Sent): Promise<Answer> {
  const all = { ...(spoken !== null && { 'X-Experience-API-Version': spoken }), ...headers }
  return world.ask(method, `/data/xAPI/${path}`, { ...sent, headers: all })
}

const list = (as: Login | string | null, sent: Sent = {}) => send('GET', 'statements', { ...sent, as })

async function storesNothing(work: () => Promise<unknown>): Promise<void> {
  const before = await send('GET', 'statements?limit=500', { as: full.login })
  await work()
  expect((await send('GET', 'statements?limit=500', { as: full.login })).json).toEqual(before.json)
}

function query(params: Readonly<Record<string, string>>): string {
  return new URLSearchParams(params).toString()
}

const agent = JSON.stringify({ mbox: 'mailto:learner@example.org' })
const activityId = 'http://example.org/course'
const state = `activities/state?${query({ activityId, agent, stateId: 'one' })}`
const activityProfile = `activities/profile?${query({ activityId, profileId: 'one' })}`
const agentProfile = `agents/profile?${query({ agent, profileId: 'one' })}`

describe('who is not let in', () => {
  const unauthorised = { errorId: anyId, message: 'Unauthorised' }

  it.each<[what: string, header: () => string | null]>([
    ['no header', () => null],
    ['another scheme', () => 'Digest username="x"'],
    ['no scheme', () => full.login.key],
    ['an unknown key', () => authorization({ key: 'nobody', secret: full.login.secret })],
    ['a wrong secret', () => authorization({ ...full.login, secret: 'wrong' })],
    ['an unknown Bearer', () => `Bearer ${randomUUID()}`],
  ])('%s: 401, the same text, no challenge', async (_what, header) => {
    const sent = header()
    const headers: Record<string, string> = sent === null ? {} : { Authorization: sent }
    await storesNothing(async () => {
      for (const method of ['GET', 'POST', 'PUT']) {
        const id = method === 'PUT' ? `?statementId=${randomUUID()}` : ''
        const json = method === 'GET' ? {} : { json: statement() }
        const answer = await send(method, `statements${id}`, { as: null, headers, ...json })
        expect([answer.status, answer.json]).toEqual([401, unauthorised])
        expect(answer.headers.has('WWW-Authenticate')).toBe(false)
      }
    })
  })

  it('facts 0.7 and S0.17 a client without a store: 401 as a wrong secret, and the reason beside it', async () => {
    const { login } = await world.client(['xapi/all'], { name: 'Lost', lrsIds: [] })
    const answer = await list(login)
    const reason = 'This key has no Lrs to store in or to read from. Give "Lost" an Lrs.'
    expect([answer.status, answer.json]).toEqual([401, { ...unauthorised, reason }])
    expect(answer.headers.has('WWW-Authenticate')).toBe(false)
    await storesNothing(async () =>
      expect((await send('POST', 'statements', { as: login, json: statement() })).status).toBe(401),
    )
  })

  it('facts 0.7 a client whose store was deleted: 401 and the reason, whatever its scopes', async () => {
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Short-lived' })
    const some = await world.client(['xapi/all'], { name: 'Left behind', lrsIds: [lrs.id] })
    const none = await world.client([], { name: 'Left behind', lrsIds: [lrs.id] })
    expect((await list(some.login)).status).toBe(200)
    await world.core.lrs.remove(world.operator(), lrs.id)
    const reason = 'The store of this client was deleted or is switched off. Give "Left behind" another store.'
    for (const { login } of [some, none]) {
      const answer = await list(login)
      expect([answer.status, answer.json]).toEqual([401, { ...unauthorised, reason }])
    }
  })

  it('S0.15 and facts 0.6 a client that is not trusted: 403 here, 401 elsewhere, by token, too', async () => {
    const { login, record } = await world.client(['all'])
    const token = await tokenOf(login)
    await world.core.credentials.disable(world.operator(), record.id)
    const disabled = { errorId: anyId, message: 'Your client has been disabled' }
    for (const as of [login, token]) {
      const answer = await list(as)
      expect([answer.status, answer.json]).toEqual([403, disabled])
    }
    await storesNothing(async () =>
      expect((await send('POST', 'statements', { as: login, json: statement() })).status).toBe(403),
    )
    // Who does not know the secret learns nothing of it.
    expect((await list({ ...login, secret: 'wrong' })).json).toEqual(unauthorised)
    for (const path of ['/api/v2/client', '/api/auth/client/info']) {
      const refused = await world.ask('GET', path, { as: login })
      expect([refused.status, refused.text], path).toEqual([401, 'Unauthorized'])
    }
    await world.core.credentials.enable(world.operator(), record.id)
    expect((await list(login)).status).toBe(200)
  })

  it('an organisation that has expired: 403', async () => {
    const { id } = world.neighbour.organisation
    const { login } = await world.client(['all'], {}, id)
    expect((await list(login)).status).toBe(200)
    await world.core.organisations.update(world.operator(id), { expiresAt: world.clock.now() - 1 })
    const answer = await list(login)
    expect([answer.status, answer.json]).toEqual([403, { errorId: anyId, message: 'Your organisation has expired' }])
  })

  it('a scope that is missing: 403, and which', async () => {
    const { login } = await world.client(['state'], { name: 'Course' })
    const answer = await list(login)
    const reason = 'This key lacks the right statements/read. Grant statements/read to "Course".'
    expect([answer.status, answer.json]).toEqual([403, { errorId: anyId, message: 'Forbidden', reason }])
  })
})

/** Another one each time: who guesses one key too often is told that. */
const nobody = (): Login => ({ key: randomUUID(), secret: 'wrong' })

describe('the order of checks (facts 1.4)', () => {
  let without: Login
  beforeAll(async () => void ({ login: without } = await world.client([])))
  const put = (sent: Sent) => send('PUT', `statements?statementId=${randomUUID()}`, { json: statement(), ...sent })

  it('PUT of a statement: version, credentials, content type, scope', async () => {
    const text = { body: '{}', headers: { 'Content-Type': 'text/plain' } }
    await storesNothing(async () => {
      expect((await put({ as: nobody(), version: null })).status).toBe(400)
      expect((await put({ as: null, version: '0.95' })).status).toBe(400)
      expect((await put({ as: nobody() })).status).toBe(401)
      expect((await send('PUT', `statements?statementId=${randomUUID()}`, { as: without, ...text })).status).toBe(400)
      expect((await put({ as: without })).status).toBe(403)
    })
  })

  it.each([
    ['GET', 'statements', 'statements'],
    ['POST', 'statements', 'statements?statementId=x'],
    ['GET', state, 'activities/state'],
    ['PUT', state, 'activities/state?stateId=one'],
    ['DELETE', activityProfile, 'activities/profile'],
    ['POST', agentProfile, 'agents/profile'],
    ['GET', `agents?${query({ agent })}`, 'agents'],
    ['GET', `activities?${query({ activityId })}`, 'activities'],
  ])('%s of %s: credentials, version, parameters, scope', async (method, path, incomplete) => {
    const content = method === 'PUT' || method === 'POST' ? { json: statement() } : {}
    expect((await send(method, path, { as: null, version: null, ...content })).status).toBe(401)
    expect((await send(method, path, { as: nobody(), version: '0.95', ...content })).status).toBe(401)
    expect((await send(method, incomplete, { as: without, version: null, ...content })).json).toMatchObject({
      warnings: [expect.stringContaining('X-Experience-API-Version')],
    })
    if (incomplete !== path) expect((await send(method, incomplete, { as: without, ...content })).status).toBe(400)
    expect((await send(method, path, { as: without, ...content })).status).toBe(403)
  })

  it.each([null, '', '0.95', '1.1.0', '3.0', 'x'])('the version %s: 400', async (spoken) => {
    expect((await list(full.login, { version: spoken })).status).toBe(400)
  })

  it('who names no version is told that of the product', async () => {
    const { login } = await world.client(['xapi/all'])
    const answers = [
      await list(login, { version: null }),
      await list(null, { version: null }),
      await put({ as: login, version: null }),
    ]
    expect(answers.map(({ headers }) => headers.get('X-Experience-API-Version'))).toEqual(['1.0.3', '1.0.3', '1.0.3'])
  })
})

describe('what else is refused', () => {
  it('what breaks rules: 400 with a warning for each', async () => {
    await storesNothing(async () => {
      const json = { ...statement(), actor: {}, verb: { id: 'x' } }
      const answer = await send('POST', 'statements', { as: full.login, json })
      expect(answer.status).toBe(400)
      expect(answer.json).toEqual({ errorId: anyId, warnings: expect.any(Array) })
      expect(answer.json.warnings.length).toBeGreaterThan(1)
      expect(answer.json.warnings).toContainEqual(expect.stringContaining('/verb/id'))
      const list = Array.from({ length: 200 }, () => json)
      const many = await send('POST', 'statements', { as: full.login, json: list })
      expect(many.json.warnings.length).toBeLessThan(30)
    })
  })

  it('parameters nobody knows: 400; of its own two, none', async () => {
    expect((await send('GET', 'statements?colour=red', { as: full.login })).status).toBe(400)
    const sent = statement()
    const own = query({ statementId: sent.id, priority: 'LOW', bypassQueues: 'STATEMENT_QUERYBUILDERCACHE_QUEUE' })
    expect((await send('PUT', `statements?${own}`, { as: full.login, json: sent })).status).toBe(204)
    const posted = await send('POST', 'statements?priority=MEDIUM', { as: full.login, json: statement() })
    expect(posted.status).toBe(200)
  })

  it.each([
    ['Statement', `statements?statementId=${randomUUID()}`],
    ['Statement', `statements?voidedStatementId=${randomUUID()}`],
    ['State', `activities/state?${query({ activityId, agent, stateId: 'none' })}`],
    ['Activity Profile', `activities/profile?${query({ activityId, profileId: 'none' })}`],
    ['Agent Profile', `agents/profile?${query({ agent, profileId: 'none' })}`],
  ])('no %s: 404', async (noun, path) => {
    const answer = await send('GET', path, { as: full.login })
    expect([answer.status, answer.json]).toEqual([404, { errorId: anyId, message: `No ${noun} found` }])
  })

  it('a path or a method there is not: 404, 405', async () => {
    const nothing = await send('GET', 'statement', { as: full.login })
    expect([nothing.status, nothing.json]).toEqual([404, { errorId: anyId, message: expect.any(String) }])
    const method = await send('DELETE', 'statements', { as: full.login })
    expect([method.status, method.json]).toEqual([405, { errorId: anyId, message: expect.any(String) }])
  })

  it('another statement with the same id: 409', async () => {
    const sent = statement()
    await world.store(full.login, [sent])
    const answer = await send('PUT', `statements?statementId=${sent.id}`, {
      as: full.login,
      json: { ...sent, verb: { id: 'http://example.org/verbs/other' } },
    })
    expect([answer.status, Object.keys(answer.json)]).toEqual([409, ['errorId', 'message']])
  })

  it('a profile that is put without a condition: 400 for a new one, 409 for one that is there, 412 for another', async () => {
    const path = `agents/profile?${query({ agent, profileId: 'conditions' })}`
    const put = (headers: Record<string, string>) => send('PUT', path, { as: full.login, json: { a: 1 }, headers })
    const shape = ({ status, json }: Answer) => [status, Object.keys(json)]
    expect(shape(await put({}))[0]).toBe(400)
    expect((await put({ 'If-None-Match': '*' })).status).toBe(204)
    expect(shape(await put({}))).toEqual([409, ['errorId', 'message']])
    expect(shape(await put({ 'If-Match': '"0"' }))).toEqual([412, ['errorId', 'message']])
  })
})

describe('errors in general', () => {
  it.each(errorCodes)('%s: an id, a text, no challenge', (code) => {
    const { status, body, headers } = presentXapiError(new DomainError(code, 'Why.'), { requestId: 'r1' })
    expect(status).toBeGreaterThanOrEqual(400)
    expect(body).toMatchObject({ errorId: 'r1', message: expect.any(String) })
    expect(headers).toEqual({ 'WWW-Authenticate': null })
  })

  it('what is our own trouble is not told', () => {
    const { status, body } = presentXapiError(new DomainError('internal', 'SQLITE_CORRUPT'), { requestId: 'r1' })
    expect([status, JSON.stringify(body)]).toEqual([500, expect.not.stringContaining('SQLITE')])
  })

  it('carries the version and, on statements, until when all is told', async () => {
    const answer = await list(null)
    expect(answer.headers.get('X-Experience-API-Consistent-Through')).toBe(new Date(0).toISOString())
    expect(answer.headers.get('X-Experience-API-Version')).toBe('1.0.3')
    expect(answer.headers.get('Content-Type')).toContain('application/json')
  })
})

describe('the path', () => {
  it.each(['/data/xAPI/about', '/data/xapi/about', '/DATA/XAPI/about/', '/data/xAPI//about'])('%s', async (path) => {
    const answer = await world.ask('GET', path, { as: null })
    expect([answer.status, answer.json.version]).toEqual([200, expect.arrayContaining(['1.0.3'])])
  })

  it('pages lead on below it', async () => {
    const { login } = await world.client(['xapi/all'])
    await world.store(login, [statement(), statement(), statement()])
    const first = await send('GET', 'statements?limit=2', { as: login })
    expect(first.json.more).toMatch(/^\/data\/xAPI\/statements\?limit=2&cursor=/)
    const next = await world.ask('GET', first.json.more, { as: login, headers: version })
    expect(next.status).toBe(200)
    expect(next.json.statements).not.toEqual(first.json.statements)
  })

  it('S0.17 leads to the store of the client, and to no other', async () => {
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Other store' })
    const other = await world.client(['xapi/all'], { lrsIds: [lrs.id] })
    const [here, there] = [statement(), statement()]
    await world.store(full.login, [here])
    expect((await send('POST', 'statements', { as: other.login, json: there })).status).toBe(200)
    const get = (as: Login, id: string) => send('GET', `statements?statementId=${id}`, { as })
    expect((await get(full.login, there.id)).status).toBe(404)
    expect((await get(other.login, here.id)).status).toBe(404)
    expect((await get(other.login, there.id)).status).toBe(200)
    // Ids need only be unique within a store (facts 1.3).
    expect((await send('POST', 'statements', { as: other.login, json: here })).status).toBe(200)
  })

  it('shows nothing of another organisation, whose ids are free here', async () => {
    const { id } = world.neighbour.organisation
    await world.core.organisations.update(world.operator(id), { expiresAt: null })
    const { login } = await world.client(['all'], {}, id)
    const [here, there] = [statement(), statement()]
    await world.store(full.login, [here])
    await world.store(login, [there])
    const ids = (await list(login)).json.statements.map((one: { id: string }) => one.id)
    expect(ids).toEqual([there.id])
    expect((await send('GET', `statements?statementId=${here.id}`, { as: login })).status).toBe(404)
    expect((await send('PUT', `statements?statementId=${here.id}`, { as: login, json: here })).status).toBe(204)
    expect((await send('GET', `statements?statementId=${there.id}`, { as: full.login })).status).toBe(404)
  })

  it('S0.8 the client’s authority replaces what was sent', async () => {
    const authority = { objectType: 'Agent' as const, name: 'New Client', mbox: 'mailto:hello@learninglocker.net' }
    const { login } = await world.client(['xapi/all'], { authority })
    const sent = { ...statement(), authority: { mbox: 'mailto:somebody@example.org' } }
    await send('POST', 'statements', { as: login, json: sent })
    expect((await send('GET', `statements?statementId=${sent.id}`, { as: login })).json.authority).toEqual(authority)
  })
})

describe('the alternate request syntax', () => {
  it('takes the credentials out of the form, and the scope of the method it stands for', async () => {
    const { login } = await world.client(['statements/write'])
    const sent = statement()
    const form = (method: string, fields: Record<string, string>) =>
      send('POST', `statements?method=${method}`, {
        as: null,
        version: null,
        body: query({ Authorization: authorization(login), 'X-Experience-API-Version': '1.0.3', ...fields }),
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      })
    const put = await form('PUT', { statementId: sent.id, content: JSON.stringify(sent) })
    expect(put.status).toBe(204)
    const get = await form('GET', { statementId: sent.id })
    expect([get.status, get.json.message]).toEqual([403, 'Forbidden'])
  })
})

describe('asked instead of sent, the answer is the same', () => {
  it.each<[method: string, path: string, who: 'full' | 'storeless' | 'none', allowed: boolean, decidedBy: string]>([
    ['GET', '/data/xAPI/statements', 'full', true, 'statements/read'],
    ['GET', '/DATA/xapi/statements/', 'full', true, 'statements/read'],
    ['GET', '/data/xAPI/statements', 'storeless', false, 'no lrs'],
    ['GET', '/data/xAPI/statements', 'none', false, 'statements/read'],
    ['PUT', `/data/xAPI/statements?statementId=${randomUUID()}&priority=LOW`, 'full', true, 'statements/write'],
    ['PUT', `/data/xAPI/statements?statementId=${randomUUID()}&colour=red`, 'full', false, 'invalid'],
    ['GET', '/data/xAPI/about', 'none', true, 'public'],
    ['GET', '/api/auth/client/info', 'none', true, 'own secret'],
    ['GET', '/api/oauth2/token', 'full', false, 'path'],
    ['PUT', '/api/oauth2/token', 'full', false, 'method'],
  ])('%s %s by %s', async (method, path, who, allowed, decidedBy) => {
    const scopes = who === 'none' ? [] : (['xapi/all'] as const)
    const { record, login } = await world.client(scopes, who === 'storeless' ? { lrsIds: [] } : {})
    const asked = await commandLineOn(world.core, { learninglocker: true })(['ask', record.key, method, path, '--json'])
    expect(asked.json).toMatchObject({ allowed, decidedBy })
    const sent =
      method === 'PUT' ? { json: statement({ id: new URLSearchParams(path.split('?')[1]).get('statementId') }) } : {}
    const answer = await world.ask(method, path, { as: login, headers: version, ...sent })
    expect(answer.status < 300).toBe(allowed)
  })
})

async function tokenOf({ key, secret }: Login): Promise<string> {
  const json = { grant_type: 'client_credentials', client_id: key, client_secret: secret }
  return (await world.ask('POST', '/api/oauth2/token', { as: null, json })).json.access_token
}
