import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import Sqlite from 'better-sqlite3'
import pg from 'pg'
import { createDatabase } from '../../../test/support/postgres.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'
import { migrations } from '../migrations/index.ts'
import { migrate } from '../sqlite/migrate.ts'
import { notCopied, tables } from './tables.ts'
import type { Kind } from './tables.ts'

/** What migrations made: by table its columns with their kinds, and its key. */
type Found = Readonly<Record<string, { columns: Readonly<Record<string, string>>; key: readonly string[] }>>

function foundInSqlite(): Found {
  const file = new Sqlite(':memory:')
  migrate(file, migrations)
  const names = file.prepare<[], string>(
    `select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`,
  )
  const kinds: Readonly<Record<string, Kind>> = { INTEGER: 'integer', TEXT: 'text', BLOB: 'bytes' }
  const found = names
    .pluck()
    .all()
    .map((name) => {
      const columns = file.pragma(`table_info(${name})`) as { name: string; type: string; pk: number }[]
      const key = columns.filter(({ pk }) => pk > 0).toSorted((one, other) => one.pk - other.pk)
      return [
        name,
        {
          columns: Object.fromEntries(
            columns.map((column) => [column.name, kinds[column.type.toUpperCase()] ?? column.type]),
          ),
          key: key.map((column) => column.name),
        },
      ] as const
    })
  file.close()
  return Object.fromEntries(found)
}

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

async function foundInPostgres(): Promise<Found> {
  const { rows } = await client.query<{ table: string; column: string; type: string; place: number | null }>(`
    select c.table_name as table, c.column_name as column, c.data_type as type,
           array_position(i.indkey::int[], a.attnum::int) as place
      from information_schema.columns c
      join pg_attribute a on a.attrelid = c.table_name::regclass and a.attname = c.column_name
      left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
     where c.table_schema = 'public' and c.is_generated = 'NEVER' order by c.ordinal_position`)
  const kinds: Readonly<Record<string, Kind>> = {
    ...{ integer: 'integer', bigint: 'integer', smallint: 'integer', text: 'text', bytea: 'bytes' },
  }
  const found: Record<string, { columns: Record<string, string>; key: string[] }> = {}
  for (const { table, column, type, place } of rows) {
    const one = (found[table] ??= { columns: {}, key: [] })
    one.columns[column] = kinds[type] ?? type
    if (place !== null) one.key[place] = column
  }
  return found
}

describe.each([
  ['SQLite', async () => foundInSqlite()],
  ['PostgreSQL', foundInPostgres],
])('the description, compared with what the migrations make on %s', (engine, find) => {
  it('knows every table, and whether a copy has it', async () => {
    const known = new Set([...tables.map(({ name }) => name), ...Object.keys(notCopied)])
    const found = Object.keys(await find())
    expect(found.filter((name) => !known.has(name))).toEqual([])
    expect(tables.map(({ name }) => name).filter((name) => !found.includes(name))).toEqual([])
  })

  it.each(tables)('knows every column of $name, of what kind it is, and the key', async (table) => {
    const found = (await find())[table.name]
    expect(found?.columns).toEqual(table.columns)
    // A generated column stands for the last one.
    const key = found?.key.filter((column) => column !== undefined)
    expect(engine === 'PostgreSQL' && table.postgresConflict ? [...(key ?? []), 'id'] : key).toEqual(table.key)
  })
})

it('has every column that the rows of a table are numbered by', async () => {
  const { rows } = await client.query<{ name: string }>(
    `select table_name || '.' || column_name as name from information_schema.columns where is_identity = 'YES'`,
  )
  const described = tables.flatMap(({ name, identity }) => (identity === undefined ? [] : [`${name}.${identity}`]))
  expect(rows.map(({ name }) => name).toSorted()).toEqual(described.toSorted())
})

it('names no table before one that its rows refer to, but for what is filled in later', async () => {
  const { rows } = await client.query<{ from: string; column: string; to: string }>(`
    select c.conrelid::regclass::text as from, a.attname as column, c.confrelid::regclass::text as to
      from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1] where c.contype = 'f'`)
  const order = tables.map(({ name }) => name)
  const early = rows.filter(({ from, to }) => order.indexOf(from) < order.indexOf(to))
  expect(early.map(({ from, column }) => `${from}.${column}`)).toEqual(
    tables.flatMap(({ name, late = [] }) => late.map((column) => `${name}.${column}`)),
  )
})
