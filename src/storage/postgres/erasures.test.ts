// What the contract cannot see: an erasure with several nodes over one database, and what PostgreSQL cannot do.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest'
import { BlobDirectory } from '../blobs/directory.ts'
import { Database } from './database.ts'
import { Eraser } from '../erasure/eraser.ts'
import { erasureSql } from './erasure-sql.ts'
import { openPostgres } from './index.ts'
import { lockClass } from './locks.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import {
  createTenant,
  event,
  filter,
  fresh,
  idsOf,
  owners,
  statement,
  store,
  term,
} from '../../../test/contract/samples.ts'
import { systemClock } from '../../core/core.ts'
import type { DocumentKey, ErasurePosition, ErasureTarget, Storage } from '../../core/storage.ts'
import type { Oid } from '../../core/ids.ts'
import type { Tenant } from '../../../test/contract/samples.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'

const ann = 'mbox mailto:ann@example.org'
const bob = 'mbox mailto:bob@example.org'
const person: ErasureTarget = { kind: 'person', agents: [ann], onlyDirect: false }
const ofAnn = { filters: [filter(ann, 'agent')] }
const agent = (value: string) => term(value, 'agent')

let database: TestDatabase
let directory: string
let nodes: readonly [Storage, Storage]
let tenant: Tenant
beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  directory = mkdtempSync(join(tmpdir(), 'claviger-erasures-'))
  const open = () =>
    openPostgres({
      url: database.url,
      connections: 4,
      openPlace: async () => new BlobDirectory({ path: join(directory, 'blobs'), clock: systemClock, isShared: true }),
    })
  nodes = [await open(), await open()]
})
afterAll(async () => {
  for (const node of nodes) await node.close()
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})
beforeEach(async () => void (tenant = await createTenant(nodes[0])))

async function begin(): Promise<Oid> {
  const id = fresh.oid()
  const erasure = { id, plan: {}, sealed: 'whom', startedAt: 1 }
  await nodes[0].erasures.create(tenant.id, erasure, event('erasure.start', 'erasure', id))
  return id
}

/** How many steps it took. */
async function runOn(node: Storage, id: Oid, target: ErasureTarget): Promise<number> {
  let position: ErasurePosition | undefined
  let steps = 0
  do {
    position = (await node.erasures.step(tenant.id, id, tenant.lrsId, target, position)).next
    steps++
  } while (position !== undefined)
  return steps
}

it('is done once by two nodes that do the same job at the same time', async () => {
  const { lrsId } = tenant
  const many = Array.from({ length: 700 }, (_, index) =>
    statement({ terms: [agent(index % 2 === 0 ? ann : bob), term(`only ${index}`)] }),
  )
  await store(nodes[0], lrsId, many)
  const id = await begin()
  await Promise.all(nodes.map((node) => runOn(node, id, person)))
  expect((await nodes[1].erasures.find(tenant.id, id))?.counts).toMatchObject({ statements: 350, terms: 351 })
  expect(await idsOf(nodes[1], lrsId, ofAnn)).toEqual([])
  expect(await idsOf(nodes[1], lrsId, { limit: 1_000 })).toHaveLength(350)
})

it('goes on where another node left it, at any step', async () => {
  const { lrsId } = tenant
  await store(
    nodes[0],
    lrsId,
    [...Array(450)].map(() => statement({ terms: [agent(ann)] })),
  )
  const id = await begin()
  const first = await nodes[0].erasures.step(tenant.id, id, lrsId, person)
  expect(first.next).toBeDefined()
  // It knows nothing of where that was.
  await runOn(nodes[1], id, person)
  expect((await nodes[1].erasures.find(tenant.id, id))?.counts).toMatchObject({ statements: 450 })
  expect(await idsOf(nodes[0], lrsId)).toEqual([])
})

it('leaves no node with what it remembered: values, descriptions, ids that must not come back', async () => {
  const { lrsId } = tenant
  const said = { kind: 'agent', value: ann, text: '"Ann"' } as const
  const tell = () => statement({ terms: [agent(ann), term('said')], descriptions: [said] })
  const gone = tell()
  // Both know all of it now.
  await store(nodes[0], lrsId, [gone])
  await store(nodes[1], lrsId, [tell()])
  await runOn(nodes[0], await begin(), person)
  const [outcome] = await nodes[1].statements.store([
    { lrsId, owner: owners.ann, readReach: 'any', voidReach: 'any', defineReach: 'any', statements: [gone] },
  ])
  expect(outcome).toMatchObject({ kind: 'stored', statements: [{ wasThere: true }] })
  expect(await idsOf(nodes[0], lrsId)).toEqual([])
  const anew = tell()
  await store(nodes[1], lrsId, [anew])
  for (const node of nodes) {
    expect(await idsOf(node, lrsId, ofAnn)).toEqual([anew.id])
    expect(await idsOf(node, lrsId, { filters: [filter('said')] })).toEqual([anew.id])
    expect((await node.statements.listDescriptions(lrsId, said)).map(({ text }) => text)).toEqual(['"Ann"'])
  }
})

it('tells nodes to forget where nothing but what is remembered says that anything was ever stored', async () => {
  const { lrsId } = tenant
  await store(nodes[0], lrsId, [statement({ terms: [agent(ann)] })])
  await database.change(`delete from lrs_state where lrs_id = ${lrsId}`)
  await runOn(nodes[1], await begin(), person)
  expect(await database.change(`update lrs_state set epoch = epoch where lrs_id = ${lrsId} and epoch > 0`)).toBe(1)
  const anew = statement({ terms: [agent(ann)] })
  await store(nodes[0], lrsId, [anew])
  expect(await idsOf(nodes[0], lrsId, ofAnn)).toEqual([anew.id])
})

it('keeps what another node stores and changes after it began, whatever happens first', async () => {
  const { lrsId } = tenant
  const access = { owner: owners.ann, reach: 'any' } as const
  const key = (id: string): DocumentKey => ({ kind: 'activity-profile', activityId: 'urn:a', id })
  const change = (node: Storage, id: string) =>
    node.documents.change(
      lrsId,
      key(id),
      access,
      {
        kind: 'replace',
        content: { kind: 'inline', bytes: Buffer.from('{}') },
        contentType: 'application/json',
        etag: 'e',
      },
      { preconditions: {}, mostBytes: 99 },
    )
  await store(nodes[0], lrsId, [statement()])
  await change(nodes[0], 'old')
  const latest = await nodes[0].erasures.latest(lrsId)
  const young = statement()
  await store(nodes[1], lrsId, [young])
  await change(nodes[1], 'young')
  await runOn(nodes[0], await begin(), { kind: 'empty', ...latest })
  expect(await idsOf(nodes[1], lrsId)).toEqual([young.id])
  const left = await nodes[1].documents.listIds(lrsId, { kind: 'activity-profile', activityId: 'urn:a' }, access)
  expect(left.ids).toEqual(['young'])
})

it('waits for changes of documents under way, which would write anew what they have read', async () => {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    const id = await begin()
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock_shared($1, $2)', [lockClass.documentTime, tenant.lrsId])
    let isDone = false
    const step = nodes[0].erasures
      .step(tenant.id, id, tenant.lrsId, person, { phase: 'documents', at: [] })
      .then(() => (isDone = true))
    const isWaiting = async () =>
      (await client.query('select 1 from pg_locks where locktype = $1 and not granted', ['advisory'])).rowCount === 1
    await expect.poll(isWaiting, { timeout: 5_000 }).toBe(true)
    expect(isDone).toBe(false)
    await client.query('commit')
    await step
  } finally {
    await client.end()
  }
})

it('reaches rows by their keys, and reads no others', async () => {
  const { lrsId } = tenant
  for (let round = 0; round < 4; round++) {
    const many = Array.from({ length: 1_000 }, () => statement({ terms: [agent(bob), term(fresh.oid())] }))
    await store(nodes[0], lrsId, many)
  }
  const target = statement({ terms: [agent(ann), term('only hers')] })
  await store(nodes[0], lrsId, [target, statement({ refersTo: target.id })])
  const id = await begin()
  const own = new Database({ url: database.url, connections: 1 })
  try {
    await own.query('analyze')
    const read = await own.transact('write', async (transaction) => {
      const eraser = new Eraser(erasureSql(transaction))
      for (const phase of ['statements', 'inheritance', 'person']) {
        await eraser.step(tenant.id, id, lrsId, person, { phase, at: [] })
      }
      return transaction.query<{ readonly relname: string; readonly read: number }>(
        `select relname, pg_stat_get_xact_tuples_returned(oid) as read from pg_class
         where relname ~ '^(statement|posting|term|description|inheritance|reference)' order by relname`,
      )
    })
    expect(read.find(({ relname }) => relname === 'posting_pkey')?.read).toBeGreaterThan(0)
    expect(read.filter((one) => one.read > 20)).toEqual([])
  } finally {
    await own.close()
  }
})

it('ends what deleted rows are, and says that their bytes stay until PostgreSQL needs the room', async () => {
  const { erasures } = nodes[0]
  const all = async (): Promise<void> => {
    for (let next: number | undefined = 0; next !== undefined;) next = (await erasures.scrub(next)).next
  }
  await expect(all()).rejects.toMatchObject({ code: 'unsupported' })
})
