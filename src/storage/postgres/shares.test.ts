// What is slow, and how much of it there may be, while everything else goes on: over four connections.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { BlobDirectory } from '../blobs/directory.ts'
import { batch, createTenant, owners, query, statement, store } from '../../../test/contract/samples.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { lockClass } from './locks.ts'
import { openPostgres } from './index.ts'
import { systemClock } from '../../core/core.ts'
import type { Storage } from '../../core/storage.ts'
import type { Tenant } from '../../../test/contract/samples.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'

let directory: string
let database: TestDatabase
let node: Storage
let other: pg.Client
let tenant: Tenant
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-shares-'))
  database = await createDatabase(inject('postgresUrl'))
  const place = { path: join(directory, 'blobs'), clock: systemClock, isShared: true }
  node = await openPostgres({ url: database.url, connections: 4, openPlace: async () => new BlobDirectory(place) })
  tenant = await createTenant(node)
  other = new pg.Client({ connectionString: database.url })
  await other.connect()
})
afterEach(async () => {
  await other.end()
  await node.close()
  await database.drop()
  rmSync(directory, { recursive: true, force: true })
})

const access = { owner: owners.ann, reach: 'any' } as const
const profile = { kind: 'activity-profile', activityId: 'urn:a' } as const
const slow: Readonly<Record<string, readonly [table: string, read: () => Promise<unknown>]>> = {
  'pages of statements': ['statement', () => node.statements.list(tenant.lrsId, query())],
  documents: ['document', () => node.documents.find(tenant.lrsId, { ...profile, id: 'a' }, access)],
  'lists of documents': ['document', () => node.documents.listIds(tenant.lrsId, profile, access)],
  'counts before an erasure': [
    'statement',
    () => node.erasures.count(tenant.lrsId, { kind: 'empty', through: 1, changedThrough: 1 }),
  ],
  'lists of the directory': ['lrs', () => node.directory.listLrs(tenant.id)],
}

it.each(Object.keys(slow))('%s that hang leave room to sign in and to store', async (name) => {
  const [table, read] = slow[name]!
  await other.query(`begin; lock table ${table} in access exclusive mode`)
  const hanging = Promise.allSettled(Array.from({ length: 8 }, read))
  const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  await expect.poll(() => database.change(waits)).toBeGreaterThan(0)
  expect(await node.platform.findSignInCandidates('nobody')).toEqual([])
  // There it is what hangs, too.
  if (table !== 'statement') expect(await store(node, tenant.lrsId, [statement()])).toHaveLength(1)
  await other.query('rollback')
  const outcomes = await hanging
  expect(outcomes[0]?.status).toBe('fulfilled')
})

it('an Lrs that is held elsewhere leaves room for others, and is not waited for as long as a statement may take', async () => {
  const [second, third] = [await createTenant(node), await createTenant(node)]
  await other.query(`begin; select pg_advisory_xact_lock(${lockClass.lrs}, ${tenant.lrsId})`)
  const held = Array.from({ length: 3 }, () => node.statements.store([batch(tenant.lrsId, [statement()])]))
  const outcomes = Promise.allSettled(held)
  for (const { lrsId } of [second, third]) expect(await store(node, lrsId, [statement()])).toHaveLength(1)
  await expect(held[0]).rejects.toMatchObject({ code: 'unavailable', cause: { code: '55P03' } })
  await other.query('rollback')
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
}, 9_000)

it('of ten connections a second call of a busy Lrs may wait at its lock, a third may not', async () => {
  const place = { path: join(directory, 'blobs'), clock: systemClock, isShared: true }
  const large = await openPostgres({
    url: database.url,
    connections: 10,
    openPlace: async () => new BlobDirectory(place),
  })
  await other.query(`begin; select pg_advisory_xact_lock(${lockClass.lrs}, ${tenant.lrsId})`)
  const held = Array.from({ length: 3 }, () => store(large, tenant.lrsId, [statement()]))
  const waits = `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`
  await expect.poll(() => database.change(waits)).toBe(2)
  expect(await store(large, (await createTenant(large)).lrsId, [statement()])).toHaveLength(1)
  expect(await database.change(waits)).toBe(2)
  await other.query('rollback')
  expect(await Promise.all(held)).toHaveLength(3)
  await large.close()
})
