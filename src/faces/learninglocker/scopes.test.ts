// Which scope lets what through on the xAPI: the sheet's section 1.4, row by row, as it stands there. Every scope, none at all,
// and several together; and how far what is let through reaches.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, Client, Login, World } from '../../../test/support/learninglocker.ts'
import { statement, voiding } from '../../../test/support/xapi.ts'
import { scopes } from './words.ts'
import type { Scope } from './words.ts'

/** `y`: let through; `own`: let through, and only what was stored with the same client is there. Any one scope is enough. */
const sheet = `
request                      | all | all/read | xapi/all | xapi/read | statements/read | statements/read/mine | statements/write | state | profile | statements/delete
GET statements               | y   | y        | y        | y         | y               | own                  | -                | -     | -       | -
GET statement                | y   | y        | y        | y         | y               | own                  | -                | -     | -       | -
GET voided statement         | y   | y        | y        | y         | y               | own                  | -                | -     | -       | -
POST statements              | y   | -        | y        | -         | -               | -                    | y                | -     | -       | -
PUT statements               | y   | -        | y        | -         | -               | -                    | y                | -     | -       | -
GET activities               | y   | y        | y        | y         | -               | -                    | -                | -     | y       | -
GET activities/profile       | y   | y        | y        | y         | -               | -                    | -                | -     | y       | -
PUT activities/profile       | y   | -        | y        | -         | -               | -                    | -                | -     | y       | -
POST activities/profile      | y   | -        | y        | -         | -               | -                    | -                | -     | y       | -
DELETE activities/profile    | y   | -        | y        | -         | -               | -                    | -                | -     | y       | -
GET activities/state         | y   | y        | y        | y         | -               | -                    | -                | y     | -       | -
PUT activities/state         | y   | -        | y        | -         | -               | -                    | -                | y     | -       | -
POST activities/state        | y   | -        | y        | -         | -               | -                    | -                | y     | -       | -
DELETE activities/state      | y   | -        | y        | -         | -               | -                    | -                | y     | -       | -
GET agents                   | y   | y        | y        | y         | -               | -                    | -                | -     | y       | -
GET agents/profile           | y   | y        | y        | y         | -               | -                    | -                | -     | y       | -
PUT agents/profile           | y   | -        | y        | -         | -               | -                    | -                | -     | y       | -
POST agents/profile          | y   | -        | y        | -         | -               | -                    | -                | -     | y       | -
DELETE agents/profile        | y   | -        | y        | -         | -               | -                    | -                | -     | y       | -
`
type Cell = 'y' | 'own' | '-'

const [head = [], ...rows] = sheet
  .trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
const requests = new Map(rows.map(([name = '', ...cells]) => [name, cells as Cell[]]))

/** What the sheet says of a request with several scopes. */
function expected(name: string, given: readonly Scope[]): Cell {
  const cells = given.map((scope) => requests.get(name)?.[head.indexOf(scope) - 1])
  return cells.includes('y') ? 'y' : cells.includes('own') ? 'own' : '-'
}

const combinations: readonly (readonly Scope[])[] = [
  [],
  ['statements/write', 'statements/read'],
  ['statements/write', 'statements/read/mine'],
  ['statements/read/mine', 'statements/read'],
  ['statements/read/mine', 'xapi/read'],
  ['statements/read/mine', 'all/read'],
  ['statements/read/mine', 'xapi/all'],
  ['statements/read/mine', 'state'],
  ['statements/write', 'state', 'profile'],
  ['state', 'profile'],
  ['xapi/read', 'statements/write'],
  ['statements/write', 'statements/read/mine', 'state', 'profile'],
  ['all', 'statements/delete'],
  scopes,
]

let world: World
/** Stores what is others'. */
let other: Client
const others = { statement: '', voided: '' }
beforeAll(async () => {
  world = await openWorld()
  other = await world.client(['xapi/all'])
  Object.assign(others, await storeTwo(other.login))
  for (const path of Object.values(documents)) await sendTo(other.login, 'PUT', path('others'), { a: 1 })
})
afterAll(() => world.close())

const agent = JSON.stringify({ mbox: 'mailto:learner@example.org' })
const activityId = 'http://example.org/activities/one'
const query = (params: Readonly<Record<string, string>>) => new URLSearchParams(params).toString()
const documents = {
  'activities/profile': (profileId: string) => `activities/profile?${query({ activityId, profileId })}`,
  'activities/state': (stateId: string) => `activities/state?${query({ activityId, agent, stateId })}`,
  'agents/profile': (profileId: string) => `agents/profile?${query({ agent, profileId })}`,
}

function sendTo(as: Login, method: string, path: string, json?: object): Promise<Answer> {
  const headers = { 'X-Experience-API-Version': '1.0.0' }
  return world.ask(method, `/data/xAPI/${path}`, { as, headers, ...(json && { json }) })
}

/** One that stands and one that is voided. */
async function storeTwo(login: Login): Promise<{ statement: string; voided: string }> {
  const [kept, voided] = [statement(), statement()]
  const stored = await sendTo(login, 'POST', 'statements', [kept, voided, voiding(voided.id)])
  if (stored.status !== 200) throw new Error(stored.text)
  return { statement: kept.id, voided: voided.id }
}

/** A client of these scopes that stored something while it might. */
async function clientOf(given: readonly Scope[]) {
  const { login, record } = await world.client(['xapi/all'])
  const own = await storeTwo(login)
  const { rights, words } = (await world.client(given)).record
  await world.core.credentials.update(world.operator(), record.id, { rights, words })
  return { login, own }
}

/** 404 is what is there and not for this client. */
function outcomeOf({ status }: Answer): string {
  return status === 403 ? '-' : status === 404 ? 'hidden' : status < 300 ? 'y' : String(status)
}

it('S0.11 the sheet has every scope, and every request once', () => {
  expect(head.slice(1).toSorted()).toEqual(scopes.toSorted())
  expect(requests.size).toBe(19)
})

const cases = [...scopes.map((scope) => [scope]), ...combinations]
describe.each(cases.map((given) => [given.join(' and ') || 'no scope', given] as const))('%s', (_name, given) => {
  let login: Login
  let own: typeof others
  beforeAll(async () => void ({ login, own } = await clientOf(given)))

  const send = (method: string, path: string, json?: object) => sendTo(login, method, path, json)
  const get = async (path: string) => outcomeOf(await send('GET', path))

  it('statements are read as far as the sheet says', async () => {
    const list = await send('GET', 'statements?limit=500')
    const ids = list.status === 200 ? list.json.statements.map(({ id }: { id: string }) => id) : []
    const seen = [own, others].filter((of) => ids.includes(of.statement))
    const cell = outcomeOf(list) === '-' ? '-' : seen.length === 2 ? 'y' : seen[0] === own ? 'own' : 'nothing'
    expect(cell).toBe(expected('GET statements', given))
    const byId = async (parameter: string, which: 'statement' | 'voided') => {
      const [mine, theirs] = [
        await get(`statements?${parameter}=${own[which]}`),
        await get(`statements?${parameter}=${others[which]}`),
      ]
      return mine === 'y' && theirs === 'hidden' ? 'own' : mine === theirs ? mine : `${mine}, ${theirs}`
    }
    expect(await byId('statementId', 'statement')).toBe(expected('GET statement', given))
    expect(await byId('voidedStatementId', 'voided')).toBe(expected('GET voided statement', given))
  })

  it('statements are stored as far as the sheet says', async () => {
    const [one, two, three] = [statement(), statement(), statement()]
    expect(outcomeOf(await send('POST', 'statements', one))).toBe(expected('POST statements', given))
    expect(outcomeOf(await send('POST', 'statements', [two]))).toBe(expected('POST statements', given))
    expect(outcomeOf(await send('PUT', `statements?statementId=${three.id}`, three))).toBe(
      expected('PUT statements', given),
    )
    for (const { id } of [one, two, three]) {
      const found = await sendTo(other.login, 'GET', `statements?statementId=${id}`)
      expect(found.status).toBe(expected('POST statements', given) === 'y' ? 200 : 404)
    }
  })

  it('activities and agents are looked up as far as the sheet says', async () => {
    expect(await get(`activities?${query({ activityId })}`)).toBe(expected('GET activities', given))
    expect(await get(`agents?${query({ agent })}`)).toBe(expected('GET agents', given))
    expect((await send('GET', 'about')).status).toBe(200)
  })

  it.each(Object.entries(documents))(
    '%s is read and written as far as the sheet says, whoever’s it is',
    async (noun, path) => {
      const id = `new ${randomUUID()}`
      const says = (method: string) => expected(`${method} ${noun}`, given)
      expect(await get(path('others'))).toBe(says('GET'))
      expect(await get(path('').replace(/[&?](stateId|profileId)=$/, ''))).toBe(says('GET'))
      const put = await sendTo(login, 'PUT', path(id), { a: 1 })
      expect(outcomeOf(put)).toBe(says('PUT'))
      expect((await sendTo(other.login, 'GET', path(id))).status).toBe(says('PUT') === 'y' ? 200 : 404)
      await sendTo(other.login, 'POST', path(id), { before: 1 })
      expect(outcomeOf(await send('POST', path(id), { more: 1 }))).toBe(says('POST'))
      const merged = (await sendTo(other.login, 'GET', path(id))).json
      expect('more' in merged).toBe(says('POST') === 'y')
      expect(outcomeOf(await send('DELETE', path(id)))).toBe(says('DELETE'))
      expect((await sendTo(other.login, 'GET', path(id))).status).toBe(says('DELETE') === 'y' ? 404 : 200)
    },
  )
})

describe('facts 0.4 one’s own', () => {
  const authority = { objectType: 'Agent' as const, mbox: 'mailto:hello@learninglocker.net' }

  it('S0.14 is what the same client stored: not what has the same authority, nor what is about the same learner', async () => {
    const [one, two] = [
      await world.client(['statements/write', 'statements/read/mine'], { authority }),
      await world.client(['statements/write', 'statements/read/mine'], { authority }),
    ]
    const [first, second] = [await storeTwo(one.login), await storeTwo(two.login)]
    const idsOf = async (login: Login) =>
      (await sendTo(login, 'GET', 'statements')).json.statements.map(({ id }: { id: string }) => id)
    expect(await idsOf(one.login)).toContain(first.statement)
    expect(await idsOf(one.login)).not.toContain(second.statement)
    expect(await idsOf(two.login)).toContain(second.statement)
    const foreign = await sendTo(one.login, 'GET', `statements?statementId=${second.statement}`)
    expect([foreign.status, foreign.json.message]).toEqual([404, 'No Statement found'])
  })

  it('concerns reading alone: another’s id is a conflict, another’s statement is voided', async () => {
    const { login } = await world.client(['statements/write', 'statements/read/mine'])
    const { statement: id } = await storeTwo(other.login)
    const changed = statement({ id, verb: { id: 'http://example.org/verbs/else' } })
    expect((await sendTo(login, 'PUT', `statements?statementId=${id}`, changed)).status).toBe(409)
    expect((await sendTo(login, 'POST', 'statements', voiding(id))).status).toBe(200)
    expect((await sendTo(other.login, 'GET', `statements?voidedStatementId=${id}`)).status).toBe(200)
  })
})

describe('writing alone', () => {
  it('S0.13 and facts 0.5 a client that may only write does, and reads nothing back', async () => {
    const { login, record } = await world.client(['statements/write'])
    const { statement: id } = await storeTwo(login)
    expect((await sendTo(login, 'GET', `statements?statementId=${id}`)).status).toBe(403)
    expect((await sendTo(other.login, 'GET', `statements?statementId=${id}`)).status).toBe(200)
    const { warnings } = await world.core.credentials.describe(world.operator(), record.id)
    expect(warnings).toContain('It cannot read back what it stores.')
  })
})
