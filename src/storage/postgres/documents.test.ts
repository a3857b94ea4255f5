// What the contract cannot see: several nodes over one database, and how a document is found in it.

import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { Database } from './database.ts'
import { Documents } from './documents.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { entityTag } from '../../core/xapi/document.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { DocumentChange, DocumentKey } from '../../core/storage.ts'

const lrsId = 7 as LrsId
const access = { owner: 1 as CredentialId, reach: 'any' } as const
const key: DocumentKey = { kind: 'activity-profile', activityId: 'https://example.org/a', id: 'one' }
const options = { preconditions: {}, mostBytes: 1_000_000 }

function change(kind: 'replace' | 'merge', text: string): DocumentChange {
  const bytes = Buffer.from(text)
  return { kind, content: { kind: 'inline', bytes }, contentType: 'application/json', etag: entityTag(bytes) }
}

let base: Awaited<ReturnType<typeof createDatabase>>
let databases: Database[]
let time: number
beforeEach(async () => {
  base = await createDatabase(inject('postgresUrl'))
  databases = [1, 2].map(() => new Database({ url: base.url, connections: 3 }))
  time = 1_750_000_000_000
})
afterEach(async () => {
  for (const database of databases) await database.close()
  await base.drop()
})
const nodes = () => databases.map((database) => new Documents(database, { now: () => time }))
const timeOf = async (documents: Documents, of = key) => (await documents.find(lrsId, of, access))?.updatedAt ?? 0

it('loses nothing of what two nodes merge into one document, small or large', async () => {
  for (const filler of ['', `,"filler":"${'x'.repeat(70_000)}"`]) {
    const id = String(filler.length)
    const [one, other] = nodes() as [Documents, Documents]
    await one.change(lrsId, { ...key, id }, access, change('replace', `{"first":1${filler}}`), options)
    const names = Array.from({ length: 20 }, (_, index) => `key${index}`)
    const merged = names.map((name, index) =>
      (index % 2 === 0 ? one : other).change(lrsId, { ...key, id }, access, change('merge', `{"${name}":1}`), options),
    )
    for (const outcome of await Promise.all(merged)) expect(outcome.kind).toBe('done')
    const found = await other.find(lrsId, { ...key, id }, access)
    const text = found?.content.kind === 'inline' ? Buffer.from(found.content.bytes).toString() : ''
    expect(Object.keys(JSON.parse(text) as object)).toEqual(expect.arrayContaining(['first', ...names]))
  }
})

it('merges a large document in the end, however often others replace it meanwhile', async () => {
  const [one, other] = nodes() as [Documents, Documents]
  const large = (name: string) => change('replace', `{"${name}":1,"filler":"${'x'.repeat(70_000)}"}`)
  await one.change(lrsId, key, access, large('a'), options)
  const find = one.find.bind(one)
  let reads = 0
  one.find = async (...args) => {
    const found = await find(...args)
    await other.change(lrsId, key, access, large(`other${++reads}`), options)
    return found
  }
  const outcome = await one.change(lrsId, key, access, change('merge', '{"merged":1}'), options)
  expect(outcome.kind).toBe('done')
  const found = await other.find(lrsId, key, access)
  const text = found?.content.kind === 'inline' ? Buffer.from(found.content.bytes).toString() : ''
  expect(Object.keys(JSON.parse(text) as object)).toEqual([`other${reads}`, 'filler', 'merged'])
  expect(reads).toBe(3)
})

it('changes, on every node and after a restart, later than a time that was fixed, whatever the clock says', async () => {
  const [one, other] = nodes() as [Documents, Documents]
  await one.change(lrsId, key, access, change('replace', '1'), options)
  const latest = await one.latest(lrsId)
  expect(latest).toBe(time * 1000)
  time -= 3_600_000
  for (const documents of [one, other, ...nodes()]) {
    const fresh = { ...key, id: String(Math.random()) }
    await documents.change(lrsId, fresh, access, change('replace', '2'), options)
    expect(await timeOf(documents, fresh)).toBeGreaterThan(latest)
  }
  // Nobody else's Lrs minds.
  await one.change(8 as LrsId, key, access, change('replace', '1'), options)
  expect((await one.find(8 as LrsId, key, access))?.updatedAt).toBe(time * 1000)
})

it('fixes no time while a change is under way that might yet be earlier', async () => {
  const [one, other] = nodes() as [Documents, Documents]
  await one.change(lrsId, key, access, change('replace', '1'), options)
  const [latest] = await Promise.all([
    one.latest(lrsId),
    ...Array.from({ length: 30 }, (_, index) => {
      const fresh = { ...key, id: String(index), activityId: `https://example.org/${index}` }
      return other.change(lrsId, fresh, access, change('replace', '2'), options)
    }),
  ])
  const ids = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      timeOf(one, { ...key, id: String(index), activityId: `https://example.org/${index}` }),
    ),
  )
  // Those at the time were there, those later came behind it: on a clock that stands still nothing else tells them apart.
  expect(ids.every((at) => at === latest || at === latest + 1)).toBe(true)
})

it('finds a document by its key, also right after very many came', async () => {
  const [documents] = nodes() as [Documents, Documents]
  const [database] = databases as [Database, Database]
  const ask = async () => {
    await documents.change(lrsId, key, access, change('replace', String(Math.random())), options)
    await documents.find(lrsId, key, access)
    await documents.listIds(lrsId, key, access)
  }
  // Plans are made while there is nearly nothing, and kept.
  await ask()
  await database.query('analyze document')
  for (let times = 0; times < 6; times++) await ask()
  await database.query(
    `insert into document
    (lrs_id, owner, updated_at, length, scope, registration, id, kind, content_type, etag, content)
    select $1, 0, 1, 1, sha256(n::text::bytea), '', 'one', 'state', 'a/b', '', 'x' from generate_series(1, 20000) n`,
    [lrsId],
  )
  const read = await database.transact('read', async (transaction) => {
    const inside = { query: (...args: Parameters<Database['query']>) => transaction.query(...args) } as Database
    await new Documents(inside).find(lrsId, key, access)
    await new Documents(inside).listIds(lrsId, key, access)
    const [row] = await transaction.query<{ readonly seq_tup_read: number }>(
      `select seq_tup_read from pg_stat_xact_user_tables where relname = 'document'`,
    )
    return row?.seq_tup_read
  })
  expect(read).toBe(0)
})
