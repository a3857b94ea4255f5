// What a distributed PostgreSQL (Citus) requires of tables that it shards by `lrs_id`, asked of the catalog of a migrated
// database, and of planted violations. https://docs.citusdata.com/en/stable/sharding/data_modeling.html

import pg from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { createDatabase } from '../../../test/support/postgres.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'

/** Sharded by `lrs_id`, all alike, so that what belongs to one Lrs lies on one machine. */
const dataTables: readonly string[] = [
  ...['statement', 'posting', 'term', 'reference', 'inheritance', 'waiting_void', 'lrs_state'],
  ...['document', 'document_floor', 'description', 'attachment', 'blob_hold', 'blob_removal'],
  ...['erased_lrs', 'erased_statement', 'disinheriting', 'import_lrs'],
]

/** The same on every machine. May be unique on anything. */
const directoryTables: readonly string[] = [
  ...['organisation', 'lrs', 'owner', 'credential', 'secret', 'pair', 'session', 'audit', 'usage', 'erasure'],
  ...['application', 'setting', 'pipe', 'note', 'import', 'platform', 'content', 'placement', 'launch', 'ticket'],
  ...['platform_value', 'schema_migration', 'lease', 'shared_count', 'directory_change', 'clock_floor'],
]

// Of a table in the schema public, what is in the way of sharding it by lrs_id.
const obstacles = `
with data as (select oid, relname from pg_class where relnamespace = 'public'::regnamespace and relname = any ($1))
select relname || ' has no column lrs_id integer not null' from data where not exists (
    select from pg_attribute where attrelid = oid and attname = 'lrs_id' and atttypid = 'int4'::regtype and attnotnull)
union all
select relname || ' has no primary key' from data where not exists (
    select from pg_index where indrelid = data.oid and indisprimary)
union all
select relname || ': ' || indexrelid::regclass || ' does not lead with lrs_id' from data
    join pg_index on indrelid = data.oid
    left join pg_attribute on attrelid = data.oid and attnum = indkey[0] where attname is distinct from 'lrs_id'
union all
select relname || ': ' || conname || ' is a foreign key or excludes' from data
    join pg_constraint on data.oid in (conrelid, confrelid) where contype in ('f', 'x')
union all
select relname || ' has the trigger ' || tgname from data join pg_trigger on tgrelid = data.oid
union all
select relname || '.' || attname || ' takes its values from a sequence' from data
    join pg_attribute on attrelid = data.oid
    left join pg_attrdef on adrelid = data.oid and adnum = attnum
    where attidentity <> '' or pg_get_expr(adbin, adrelid) like '%nextval(%'`

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'))
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

async function column(sql: string, values: readonly unknown[] = []): Promise<readonly string[]> {
  const { rows } = await client.query<[string]>({ text: sql, values: [...values], rowMode: 'array' })
  return rows.map(([value]) => value)
}

const hasLrsId = `select from pg_attribute where attrelid = format('%I', tablename)::regclass and attname = 'lrs_id'`

it('every table is data, by its Lrs, or directory', async () => {
  const tables = await column(`select tablename from pg_tables where schemaname = 'public' order by 1`)
  expect(tables).toEqual([...dataTables, ...directoryTables].toSorted())
  const ofLrs = await column(
    `select tablename from pg_tables where schemaname = 'public' and exists (${hasLrsId}) order by 1`,
  )
  expect(ofLrs).toEqual(dataTables.toSorted())
})

it('nothing is in the way of sharding the data by Lrs', async () => {
  expect(await column(obstacles, [dataTables])).toEqual([])
})

it.each([
  ['no column lrs_id', 'create table bad (id integer primary key)'],
  ['no column lrs_id', 'create table bad (lrs_id bigint primary key)'],
  ['no primary key', 'create table bad (lrs_id integer not null)'],
  ['does not lead', 'create table bad (lrs_id integer not null, id integer, primary key (id, lrs_id))'],
  ['does not lead', 'create table bad (lrs_id integer not null primary key, id integer unique)'],
  [
    'does not lead',
    'create table bad (lrs_id integer not null primary key, id text); create unique index on bad (lower(id))',
  ],
  ['is a foreign key', 'create table bad (lrs_id integer primary key references lrs (id))'],
  [
    'is a foreign key',
    'create table bad (lrs_id integer primary key); create table of_bad (lrs_id integer references bad)',
  ],
  [
    'has the trigger',
    `create table bad (lrs_id integer primary key);
     create trigger t after insert on bad for each row execute function claviger_pass_over()`,
  ],
  [
    'from a sequence',
    'create table bad (lrs_id integer, id integer generated always as identity, primary key (lrs_id, id))',
  ],
  ['from a sequence', 'create table bad (lrs_id integer, id serial, primary key (lrs_id, id))'],
])('%s is found: %s', async (problem, sql) => {
  await client.query(`begin; ${sql}`)
  try {
    expect(await column(obstacles, [['bad']])).toContainEqual(expect.stringContaining(problem))
  } finally {
    await client.query('rollback')
  }
})
