// That a request on clients reads no more of them than it takes, and opens no more secrets than it answers or is asked about.

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Client, World } from '../../../test/support/learninglocker.ts'
import type { LrsRecord } from '../../core/storage.ts'
import { clientPlanOf } from './client-plan.ts'
import { clients } from './client.ts'
import { parseFilter } from './query.ts'

let world: World
let one: Client
let elsewhere: LrsRecord
/** Of the organisation, with the one who asks. */
const total = 41
let read = 0
let opened = 0

beforeAll(async () => {
  world = await openWorld()
  const stateless = Array.from({ length: total - 3 }, (_, n) => ({ title: `Client ${n}`, scopes: ['state'] }))
  expect((await world.ask('POST', '/api/v2/client', { json: stateless })).status).toBe(201)
  one = await world.client(['state'], { name: 'One' })
  elsewhere = await world.core.lrs.create(world.operator(), { name: 'Elsewhere' })
  await world.client(['state'], { name: 'There', lrsIds: [elsewhere.id, world.lrs.id] })
  const { core, storage } = world
  const list = storage.directory.listCredentials
  vi.spyOn(storage.directory, 'listCredentials').mockImplementation(async (...asked) => {
    const page = await list(...asked)
    read += page.items.length
    return page
  })
  const revealer = core.credentials.revealer.bind(core.credentials)
  vi.spyOn(core.credentials, 'revealer').mockImplementation(async (caller) => {
    const reveal = await revealer(caller)
    return (record) => {
      opened += 1
      return reveal(record)
    }
  })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await world.close()
})
beforeEach(() => {
  read = 0
  opened = 0
})

const enc = (value: unknown): string => encodeURIComponent(JSON.stringify(value))

async function get(path: string): Promise<any> {
  const answer = await world.ask('GET', `/api/${path}`)
  expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, ''])
  return answer.json
}

describe('on the REST API', () => {
  it.each<[query: () => string, found: number, read: number, opened?: number]>([
    [() => 'limit=1', 1, 1],
    [() => 'limit=1&skip=4', 1, 5, 1],
    [() => 'limit=2&sort=_id', 2, 2],
    [() => 'limit=2&sort=-_id&select=title', 2, 2, 0],
    [() => `query=${enc({ 'api.basic_key': one.login.key })}`, 1, 1],
    [() => `query=${enc({ $and: [{ title: 'One' }, { 'api.basic_key': { $in: [one.login.key] } }] })}`, 1, 1],
    [() => `query=${enc({ 'api.basic_key': 'nobody\0' })}`, 0, 0],
    [() => `query=${enc({ _id: one.record.oid })}`, 1, 1],
    [() => `query=${enc({ _id: { $in: [one.record.oid, 'f'.repeat(24)] } })}`, 1, 1],
    [() => `query=${enc({ lrs_id: { $oid: elsewhere.oid } })}`, 1, 1],
    [() => `query=${enc({ lrs_id: 'f'.repeat(24) })}`, 0, 0],
    // These look at each, but not at its secret.
    [() => `query=${enc({ title: 'One' })}`, 1, total],
    [() => 'sort=title&limit=1', 1, total, 1],
    [() => 'distinct=scopes', 2, total, 0],
    [() => 'select=title', total, total, 0],
    [() => '', total, total],
    // And these at that, too.
    [() => `query=${enc({ 'api.basic_secret': one.login.secret })}`, 1, total, total],
    [() => 'distinct=api.basic_secret', total, total, total],
    [() => 'sort=api.basic_secret&select=title', total, total, total],
  ])('%# reads and opens what it must', async (query, found, mostRead, mostOpened = found) => {
    expect(await get(`v2/client?${query()}`)).toHaveLength(found)
    expect([read, opened]).toEqual([mostRead, mostOpened])
  })

  it('counts without reading', async () => {
    expect(await get('v2/client/count')).toEqual({ count: total })
    expect([read, opened]).toEqual([0, 0])
    expect(await get(`v2/client/count?query=${enc({ 'api.basic_key': one.login.key })}`)).toEqual({ count: 1 })
    expect([read, opened]).toEqual([1, 0])
    expect(await get(`v2/client/count?query=${enc({ scopes: 'state' })}`)).toEqual({ count: total - 1 })
    expect([read, opened]).toEqual([1 + total, 0])
  })

  it('populates from those that are referred to', async () => {
    const writer = await world.client(['statements/write'], { name: 'Writer' })
    const actor = { mbox: 'mailto:a@example.org' }
    const statement = { actor, verb: { id: 'https://example.org/did' }, object: { id: 'https://example.org/it' } }
    await world.store(writer.login, [statement])
    const [document] = await get('v2/statement?populate=client')
    expect(document.client).toMatchObject({ title: 'Writer', api: { basic_secret: writer.login.secret } })
    expect(opened).toBe(1)
    // Its owner by name, then itself.
    expect(read).toBe(2)
    await world.core.credentials.remove(world.operator(), writer.record.id)
  })
})

it('on the connection API a page by _id reads one more than it answers, in either direction', async () => {
  const page = await get('connection/client?first=10')
  expect([page.edges.length, read, opened]).toEqual([10, 11, 10])
  const next = await get(`connection/client?first=10&after=${page.pageInfo.endCursor}`)
  expect([next.edges.length, read, opened]).toEqual([10, 22, 20])
  const back = await get(`connection/client?first=5&before=${next.pageInfo.startCursor}&project=${enc({ title: 1 })}`)
  expect([back.edges.length, read, opened]).toEqual([5, 28, 20])
  const ids = page.edges.map(({ node }: any) => node._id)
  expect(back.edges.map(({ node }: any) => node._id)).toEqual(ids.slice(5))
})

describe('a plan', () => {
  const planOf = (filter: unknown) =>
    clientPlanOf(parseFilter(filter, { model: clients, name: 'query', hasShortcuts: true }), new Map())
  it.each([
    [{ 'api.basic_key': 'a' }, { keys: ['a'] }],
    [
      { 'api.basic_key': ['a', 'b'], lrs_id: 'f'.repeat(24) },
      { keys: ['a', 'b'], homes: [] },
    ],
    [{ $and: [{ $or: [{ _id: 'F'.repeat(24) }] }] }, { oids: ['f'.repeat(24)] }],
    [{ 'api.basic_key': ['~a', 'b'] }, {}],
    [{ 'api.basic_key': '!=a' }, {}],
    [{ $or: [{ 'api.basic_key': 'a' }, { 'api.basic_key': 'b' }] }, {}],
    [{ $nor: [{ 'api.basic_key': 'a' }] }, {}],
    [{ lrs_id: null }, {}],
    [{ _id: Array(1_001).fill('f'.repeat(24)) }, {}],
  ])('of %j leaves out only what the filter refuses', (filter, plan) => expect(planOf(filter)).toEqual(plan))
})
