// Statements on the REST API: who reads and erases which, what they look like, in which order and how many; and that nothing is
// ever left out without a word.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Client, World } from '../../../test/support/learninglocker.ts'
import type { Call } from './auth.ts'
import { everything } from './query.ts'
import type { Filter } from './query.ts'
import { findStatements } from './statement-search.ts'
import type { StatementSearch } from './statement-search.ts'
import type { ReadBounds } from './statement-source.ts'

const verb = 'http://adlnet.gov/expapi/verbs/'
const course = 'https://example.org/course'
const registration = 'ec531277-b57b-4c15-8d91-d292c5b2b8f7'

function agent(name: string) {
  return { objectType: 'Agent', mbox: `mailto:${name}@example.org` }
}

function statement(n: number, more: object = {}) {
  return {
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    actor: agent(n % 2 === 0 ? 'even' : 'odd'),
    verb: { id: verb + (n % 3 === 0 ? 'completed' : 'experienced') },
    object: { id: `${course}/${n}` },
    timestamp: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString(),
    ...more,
  }
}

interface Shown {
  readonly _id: string
  readonly statement: { readonly id: string; readonly verb: { readonly id: string } }
  readonly voided: boolean
  readonly [name: string]: unknown
}

let world: World
let reader: Client
let writer: Client
let mine: Client
/** All of them, as they were stored. */
let all: readonly Shown[]

beforeAll(async () => {
  world = await openWorld()
  ;[reader, writer, mine] = await Promise.all([
    world.client(['statements/read']),
    world.client(['statements/write']),
    world.client(['statements/write', 'statements/read/mine']),
  ])
  const account = { objectType: 'Agent', account: { homePage: 'https://lms.example.org', name: 'a|b' } }
  const context = {
    registration,
    instructor: agent('teacher'),
    contextActivities: { parent: [{ id: course }] },
    extensions: { 'https://example.org/x.y': 'dots stay' },
  }
  const special = statement(8, { actor: account, context })
  const group = statement(9, { actor: { objectType: 'Group', name: 'Both', member: [agent('even'), agent('odd')] } })
  for (let n = 1; n <= 7; n += 1) {
    await world.store(writer.login, [statement(n)])
    world.clock.pass(1_500)
  }
  await world.store(mine.login, [special])
  await world.store(writer.login, [group])
  const target = { objectType: 'StatementRef', id: statement(4).id }
  await world.store(writer.login, [statement(10, { verb: { id: `${verb}voided` }, object: target })])
  all = await list('')
})
afterAll(() => world.close())

async function list(query: string, as: Client = reader): Promise<readonly Shown[]> {
  const answer = await world.ask('GET', `/api/v2/statement?${query}`, { as: as.login })
  expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, expect.stringMatching(/^\[/)])
  return answer.json
}

const numbersIn = (found: readonly Shown[]) => found.map((one) => Number(one.statement.id.slice(-12)))
const json = (value: unknown) => encodeURIComponent(JSON.stringify(value))
const numbers = async (query: unknown, more = '') => numbersIn(await list(`query=${json(query)}${more}`))

describe('a statement', () => {
  it('looks as the product’s database has it, but for what it has not', async () => {
    const shown = all[7]!
    const { oid } = world.organisation
    expect(shown).toEqual({
      _id: expect.stringMatching(/^[\da-f]{24}$/),
      organisation: oid,
      lrs_id: world.lrs.oid,
      client: mine.record.oid,
      person: null,
      active: true,
      voided: false,
      timestamp: '2026-01-01T00:08:00.000Z',
      stored: expect.stringMatching(/^2026-01-02T03:04:15\.\d{3}Z$/),
      agents: ['https://lms.example.org|a|b'],
      relatedAgents: expect.arrayContaining(['https://lms.example.org|a|b', 'mailto:teacher@example.org']),
      registrations: [registration],
      verbs: [`${verb}experienced`],
      activities: [`${course}/8`],
      relatedActivities: [`${course}/8`, course],
      statement: expect.objectContaining({ id: statement(8).id, version: '1.0.0' }),
      completedQueues: [],
    })
    expect(JSON.stringify(shown.statement)).toContain('"https://example.org/x.y":"dots stay"')
  })

  it('has an _id of the second it was stored in, in stored order, by which it is found', async () => {
    const ids = all.map((one) => one._id)
    expect(ids).toEqual(ids.toSorted())
    for (const one of all) {
      const second = Math.floor(Date.parse(String(one['stored'])) / 1000)
      expect(Number.parseInt(one._id.slice(0, 8), 16)).toBe(second)
      const answer = await world.ask('GET', `/api/v2/statement/${one._id}`, { as: reader.login })
      expect([answer.status, answer.json]).toEqual([200, one])
    }
  })

  it('is shown as voided, in lists and by its _id', async () => {
    expect(all.filter((one) => one.voided).map((one) => one.statement.id)).toEqual([statement(4).id])
    expect(await numbers({ voided: true })).toEqual([4])
    expect(await numbers({ voided: { $ne: true } })).toHaveLength(9)
  })

  it.each([
    ['POST', 405],
    ['PUT', 405],
    ['PATCH', 405],
  ])('is not written by %s', async (method, status) => {
    for (const path of ['/api/v2/statement', `/api/v2/statement/${all[0]!._id}`]) {
      const answer = await world.ask(method, path, { json: { statement: {} } })
      expect(answer.status).toBe(status)
    }
    expect(await list('')).toHaveLength(10)
  })

  it.each([
    ['not-an-id', 404],
    ['0123456789abcdef01234567', 404],
  ])('with the _id %s is answered by %i', async (id, status) => {
    expect((await world.ask('GET', `/api/v2/statement/${id}`)).status).toBe(status)
  })
})

describe('who reads', () => {
  it('needs the right to: writing is not enough, though the product asks for nothing (facts 0.8)', async () => {
    for (const path of ['/api/v2/statement', '/api/v2/statement/count', `/api/v2/statement/${all[0]!._id}`]) {
      const answer = await world.ask('GET', path, { as: writer.login })
      expect([answer.status, answer.json.message]).toEqual([403, 'Priviliges not sufficient for this operation'])
    }
  })

  it('reads its own only, with statements/read/mine, whichever way', async () => {
    expect(numbersIn(await list('', mine))).toEqual([8])
    expect(numbersIn(await list('sort=-timestamp&limit=5', mine))).toEqual([8])
    const count = await world.ask('GET', '/api/v2/statement/count', { as: mine.login })
    expect(count.json).toEqual({ count: 1 })
    const other = await world.ask('GET', `/api/v2/statement/${all[0]!._id}`, { as: mine.login })
    expect(other.status).toBe(404)
  })

  it('reads its own store only; without a store none, but the whole organisation with the scope all', async () => {
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Another' })
    const there = await world.client(['xapi/all'], { lrsIds: [lrs.id] })
    expect(await list('', there)).toEqual([])
    const homeless = await world.client(['xapi/all'], { lrsIds: [] })
    expect(await list('', homeless)).toEqual([])
    const admin = await world.client(['all'], { lrsIds: [] })
    expect(await list('', admin)).toEqual(all)
    world.clock.pass(1_000)
    const [id] = await world.store(there.login, [statement(11)])
    expect((await list('sort=-_id&limit=1', admin))[0]?.statement.id).toBe(id)
    expect(numbersIn(await list(`query=${json({ lrs_id: { $oid: lrs.oid } })}`, admin))).toEqual([11])
    expect(await list('')).toHaveLength(10)
    const neighbour = await world.client(['all'], { lrsIds: [] }, world.neighbour.organisation.id)
    expect(await list('', neighbour)).toEqual([])
  })
})

describe('populate', () => {
  it('answers what ids refer to, once, to who may read that by itself', async () => {
    const populate = 'limit=1&select=lrs_id,organisation,client&populate=client,lrs_id,organisation,lrs_id'
    const [one] = await list(populate, await world.client(['all']))
    expect(one).toMatchObject({
      lrs_id: { title: 'Default' },
      organisation: { name: 'First' },
      client: { title: 'statements/write' },
    })
  })

  it.each(['organisation', 'lrs_id', 'client'])('of %s shows nothing to who reads statements only', async (path) => {
    for (const { login } of [reader, mine]) {
      const { status, json } = await world.ask('GET', `/api/v2/statement?limit=1&populate=${path}`, { as: login })
      expect([status, Object.keys(json)]).toEqual([403, ['errorId', 'message', 'reason']])
    }
  })
})

describe('a query', () => {
  const cases: readonly (readonly [unknown, readonly number[]])[] = [
    [{ 'statement.verb.id': `${verb}completed` }, [3, 6, 9]],
    [{ verbs: `${verb}completed`, agents: 'mailto:even@example.org' }, [6, 9]],
    [{ 'statement.actor.mbox': 'mailto:odd@example.org' }, [1, 3, 5, 7]],
    [{ 'statement.actor.member.mbox': 'mailto:odd@example.org' }, [9]],
    [{ agents: 'https://lms.example.org|a|b' }, [8]],
    [{ 'statement.actor.account.name': 'a|b', 'statement.actor.account.homePage': 'https://lms.example.org' }, [8]],
    [{ 'statement.actor.account.name': 'a|b' }, [8]],
    [{ 'statement.actor.account.name': 'A|b' }, []],
    [{ relatedAgents: 'mailto:teacher@example.org' }, [8]],
    [{ agents: 'mailto:teacher@example.org' }, []],
    [{ 'statement.object.id': `${course}/5` }, [5]],
    [{ 'statement.object.id': statement(4).id }, [10]],
    [{ activities: course }, []],
    [{ relatedActivities: course }, [8]],
    [{ registrations: registration }, [8]],
    [{ 'statement.context.registration': registration }, [8]],
    [{ 'statement.context.extensions': { $exists: true } }, [8]],
    [{ 'statement.id': statement(4).id }, [4]],
    [{ 'statement.id': { $in: [statement(1).id, statement(2).id] } }, [1, 2]],
    [{ $or: [{ 'statement.id': statement(1).id }, { activities: `${course}/2` }] }, [1, 2]],
    [{ $nor: [{ voided: true }, { 'statement.verb.id': '~experienced' }] }, [3, 6, 9, 10]],
    [{ 'statement.verb.id': { $regex: 'COMPLETED$', $options: 'i' }, $comment: 'x' }, [3, 6, 9]],
    [{ 'statement.timestamp': { $gte: { $dte: '2026-01-01T00:08:00Z' } } }, [8, 9, 10]],
    [{ timestamp: { $gt: { $dte: '2026-01-01T00:08:00Z' }, $lt: { $dte: '2026-01-01T00:10:00Z' } } }, [9]],
    [{ 'statement.timestamp': '>=2026-01-01T00:09:00Z' }, [9, 10]],
    [{ stored: { $lt: { $dte: '2026-01-02T03:04:08Z' } } }, [1, 2]],
    [{ 'statement.stored': { $gte: '2026-01-02T03:04:12.500Z', $lte: '2026-01-02T03:04:13Z' } }, [6]],
    [{ stored: { $gte: { $dte: 8_640_000_000_000_000 } } }, []],
    [{ stored: { $lte: { $dte: -8_640_000_000_000_000 } } }, []],
    [{ timestamp: { $gte: { $dte: 8_640_000_000_000_000 } } }, []],
    [{ timestamp: { $gte: { $dte: -8_640_000_000_000_000 }, $lt: { $dte: '2026-01-01T00:02:00Z' } } }, [1]],
    [{ verbs: 'a\u0000b' }, []],
    [{ agents: 'mailto:\ud800' }, []],
    [{ registrations: 'none' }, []],
    [{ 'statement.id': 'none\u0000' }, []],
    [{ 'statement.object.id': '' }, []],
    [{ nothing: null }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    [{ constructor: { $exists: true } }, []],
    [JSON.parse('{"statement.__proto__":{"$exists":true}}'), []],
  ]
  it.each(cases)('%j finds %j', async (query, expected) => {
    expect(await numbers(query)).toEqual(expected)
    const count = await world.ask('GET', `/api/v2/statement/count?query=${json(query)}`, { as: reader.login })
    expect(count.json).toEqual({ count: expected.length })
  })

  it('finds by _id, and by ranges of it, of any seconds', async () => {
    const [, second, third] = all
    expect(await numbers({ _id: second!._id })).toEqual([2])
    expect(await numbers({ _id: { $oid: second!._id.toUpperCase() } })).toEqual([2])
    expect(await numbers({ _id: { $gt: { $oid: second!._id }, $lte: { $oid: third!._id } } })).toEqual([3])
    const ofSecond = `${third!._id.slice(0, 8)}${'0'.repeat(16)}`
    expect((await numbers({ _id: { $lt: { $oid: ofSecond } } })).toSorted()).toEqual([1, 2])
    expect(await numbers({ _id: 'f'.repeat(24) })).toEqual([])
  })

  it('finds by client', async () => {
    expect(await numbers({ client: { $oid: mine.record.oid } })).toEqual([8])
    expect(await numbers({ client: world.admin.record.oid })).toEqual([])
  })

  it.each([
    ['query', '{"a":', 'invalid_json'],
    ['query', '{"$where":"sleep(1)"}', 'query.$where: $where is not offered'],
    ['query', '{"statement":{"$size":1}}', 'query.statement.$size'],
    ['query', '{"client":"x"}', 'query.client: an id is 24 hexadecimal digits'],
    ['limit', '-1', 'limit: this is a whole number'],
    ['sort', '{"stored":2}', 'sort.stored: a direction is'],
    ['select', '{"a":1,"b":0}', 'select: fields are either all'],
  ])('of %s=%s is refused by 400 with the place', async (name, value, words) => {
    for (const path of ['/api/v2/statement', '/api/v2/statement/count']) {
      const answer = await world.ask('GET', `${path}?${name}=${encodeURIComponent(value)}`, { as: reader.login })
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(words)])
      expect(answer.json.statusCode).toBe(400)
    }
  })
})

describe('a list', () => {
  it.each([
    ['sort=-stored', [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['sort=stored&skip=3&limit=2', [4, 5]],
    ['sort=-_id&limit=3', [10, 9, 8]],
    ['sort=-timestamp&limit=2', [10, 9]],
    ['sort=timestamp&limit=2', [1, 2]],
    [`sort=${json({ 'statement.verb.id': 1, timestamp: -1 })}&limit=4`, [9, 6, 3, 8]],
    ['limit=0&skip=8', [9, 10]],
    ['skip=20', []],
  ])('by %s is %j', async (query, expected) => {
    expect(numbersIn(await list(query))).toEqual(expected)
  })

  it('has only what is selected, or distinct values', async () => {
    const [one] = await list('select=statement.verb.id,voided&limit=1')
    expect(one).toEqual({ _id: all[0]!._id, voided: false, statement: { verb: { id: `${verb}experienced` } } })
    const [other] = await list(`select=${json({ statement: 0, agents: 0, relatedAgents: 0 })}&limit=1`)
    expect(other).toMatchObject({ verbs: [`${verb}experienced`] })
    expect(other).not.toHaveProperty('statement')
    const values = await world.ask('GET', '/api/v2/statement?distinct=verbs', { as: reader.login })
    expect(values.json.toSorted()).toEqual([`${verb}completed`, `${verb}experienced`, `${verb}voided`].toSorted())
  })

  it('is counted exactly', async () => {
    const count = await world.ask('GET', '/api/v2/statement/count?limit=2', { as: reader.login })
    expect([count.status, count.json]).toEqual([200, { count: 10 }])
  })

  it('of more than a thousand is refused without a limit, never cut', async () => {
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Large' })
    const client = await world.client(['xapi/all'], { lrsIds: [lrs.id] })
    const many = Array.from({ length: 1_001 }, (_, n) => statement(1_000 + n))
    await world.store(client.login, many.slice(0, 1_000))
    expect(await list('', client)).toHaveLength(1_000)
    await world.store(client.login, many.slice(1_000))
    const answer = await world.ask('GET', '/api/v2/statement', { as: client.login })
    expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining('there are more than 1000')])
    expect(await list('limit=2000', client)).toHaveLength(1_001)
    const sorted = await list('sort=-timestamp&limit=1001', client)
    expect(numbersIn(sorted)).toEqual(Array.from({ length: 1_001 }, (_, n) => 2_000 - n))
    const count = await world.ask('GET', '/api/v2/statement/count', { as: client.login })
    expect(count.json).toEqual({ count: 1_001 })
  })
})

const search = async ({ login }: Client, more: Partial<StatementSearch>, bounds: ReadBounds) => {
  const principal = await world.core.signIn.basic(login)
  const call = { core: world.core, principal } as unknown as Call
  const whole: StatementSearch = { filter: everything, sort: [], skip: 0, limit: 5, ...more }
  return (await findStatements(call, whole, bounds)).map(({ document }) => document['_id'])
}

describe('a budget', () => {
  const none: Filter = { kind: 'field', path: 'statement.id', test: { kind: 'gt', value: 'z' } }
  const byTimestamp = [{ path: 'timestamp', isDescending: false }]

  it('that suffices says nothing', async () => {
    const bounds = { rows: 10, characters: 1_000_000, beyond: 5_000 }
    expect(await search(reader, {}, bounds)).toHaveLength(5)
    expect(await search(reader, { sort: byTimestamp }, { ...bounds, rows: 20 })).toHaveLength(5)
  })

  it.each<[string, Partial<StatementSearch>]>([
    ['to look for what is not there', { filter: none, limit: 1 }],
    ['to skip', { skip: 30, limit: 1 }],
    ['to sort by what the store does not', { sort: byTimestamp, limit: 1 }],
  ])('that does not suffice %s is told, and nothing is answered', async (_, more) => {
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Budget' })
    const client = await world.client(['xapi/all'], { lrsIds: [lrs.id] })
    await world.store(
      client.login,
      Array.from({ length: 60 }, (_unused, n) => statement(100 + n)),
    )
    const narrow = search(client, more, { rows: 20, characters: 1e9, beyond: 9 })
    await expect(narrow).rejects.toThrow('one request looks at 20 statements at most')
    const short = search(client, more, { rows: 1e9, characters: 5_000, beyond: 9 })
    await expect(short).rejects.toThrow('one request looks at 5000 characters of statements at most')
    await expect(search(client, more, { rows: 100, characters: 1e9, beyond: 9 })).resolves.toBeDefined()
  })
})

describe('the newest by timestamp', () => {
  it('do not wait for an hour’s statements where very many come, but see those whose clock is a little wrong', async () => {
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Busy' })
    const client = await world.client(['xapi/all'], { lrsIds: [lrs.id] })
    const now = () => new Date(world.clock.now()).toISOString()
    for (let n = 0; n < 12; n += 1) {
      const some = Array.from({ length: 20 }, (_, index) => statement(1_000 + n * 20 + index, { timestamp: now() }))
      await world.store(client.login, some)
      world.clock.pass(1_000)
      // Of the last but one it says that it was half a minute later.
      const ahead = { timestamp: new Date(world.clock.now() + 30_000).toISOString() }
      if (n === 10) await world.store(client.login, [statement(2_000, ahead)])
    }
    const newest = { sort: [{ path: 'timestamp', isDescending: true }], limit: 2 }
    const found = await search(client, newest, { rows: 100, characters: 1e9, beyond: 30 })
    expect(found).toHaveLength(2)
    const all = await search(client, { ...newest, limit: 300 }, { rows: 1_000, characters: 1e9, beyond: 1e9 })
    expect([all.length, found]).toEqual([241, all.slice(0, 2)])
    await expect(search(client, newest, { rows: 100, characters: 1e9, beyond: 1e9 })).rejects.toThrow('100 statements')
  })
})

describe('erasing', () => {
  it('needs a scope of its own, which all is not (facts 0.3), and takes one statement', async () => {
    const client = await world.client(['statements/delete', 'statements/read'])
    const [id] = await world.store(writer.login, [statement(20)])
    const [shown] = await list(`query=${json({ 'statement.id': id })}`, client)
    const path = `/api/v2/statement/${shown!._id}`
    await world.events()
    for (const other of [world.admin, reader, writer]) {
      expect((await world.ask('DELETE', path, { as: other.login })).status).toBe(403)
    }
    expect(await world.events()).toEqual([])
    const answer = await world.ask('DELETE', path, { as: client.login })
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await world.events()).map((event) => event.split(' ')[0])).toEqual(['erasure.start', 'erasure.finish'])
    for (const method of ['GET', 'DELETE']) {
      const gone = await world.ask(method, path, { as: client.login })
      expect([gone.status, gone.json]).toEqual([404, { statusCode: 404 }])
    }
    expect(await list('')).toHaveLength(10)
    // It may come again, as something else.
    await world.store(writer.login, [statement(20, { verb: { id: `${verb}other` } })])
    expect(await numbers({ 'statement.verb.id': `${verb}other` })).toEqual([20])
  })

  it('does not reach what is not the client’s to reach', async () => {
    const [first] = all
    const lrs = await world.core.lrs.create(world.operator(), { name: 'Elsewhere' })
    const elsewhere = await world.client(['statements/delete'], { lrsIds: [lrs.id] })
    const neighbour = await world.client(['statements/delete'], {}, world.neighbour.organisation.id)
    const own = { xapi: { 'statements/delete': 'mine', 'statements/read': 'any' } as const, management: [] }
    const ownOnly = await world.client(['statements/delete'], { rights: own })
    const readsOwn = await world.client(['statements/read/mine', 'statements/delete', 'statements/write'])
    await world.events()
    for (const client of [elsewhere, neighbour, ownOnly, readsOwn]) {
      const answer = await world.ask('DELETE', `/api/v2/statement/${first!._id}`, { as: client.login })
      expect([answer.status, answer.json]).toEqual([404, { statusCode: 404 }])
    }
    expect(await world.events()).toEqual([])
    expect((await list('limit=1'))[0]).toEqual(first)
    // What it stored itself it reads, and erases.
    const [id] = await world.store(readsOwn.login, [statement(21)])
    const [mine] = await list(`query=${json({ 'statement.id': id })}`, readsOwn)
    const answer = await world.ask('DELETE', `/api/v2/statement/${mine!._id}`, { as: readsOwn.login })
    expect([answer.status, answer.text]).toEqual([204, ''])
  })
})
