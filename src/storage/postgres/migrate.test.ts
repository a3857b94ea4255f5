import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { checkSchema, migrate } from './migrate.ts'
import { createTenant, createCredential } from '../../../test/contract/samples.ts'
import { BlobDirectory } from '../blobs/directory.ts'
import { join } from 'node:path'
import { openPostgres } from './index.ts'
import { systemClock } from '../../core/core.ts'
import { tmpdir } from 'node:os'
import { Database } from './database.ts'
import { migrations } from '../migrations/index.ts'
import { run } from '../../../test/support/postgres.ts'
import type { Migration } from '../migrations/migration.ts'

const known = migrations.length
const next = (sql: string, oldestProgram?: number): Migration => ({
  ...{ number: known + 1, name: 'next', sql: { sqlite: '', postgres: sql } },
  ...(oldestProgram !== undefined && { oldestProgram }),
})

const made: string[] = []
let url: string
let open: Database[] = []
const node = () => {
  const database = new Database({ url, connections: 1 })
  open.push(database)
  return database
}

beforeEach(async () => {
  const name = `migrate_${process.pid}_${made.length}`
  made.push(name)
  await run(inject('postgresUrl'), `create database ${name}`)
  url = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${name}` }).href
  return async () => {
    await Promise.all(open.map((database) => database.close()))
    open = []
  }
})
afterAll(() => run(inject('postgresUrl'), ...made.map((name) => `drop database ${name} with (force)`)))

const history = async () => node().query<{ number: number }>('select number from schema_migration order by number')

describe('migrations', () => {
  it('are applied once, however many nodes start together on an empty database', async () => {
    await Promise.all(Array.from({ length: 10 }, () => migrate(node(), migrations)))
    expect((await history()).map(({ number }) => number)).toEqual(migrations.map(({ number }) => number))
  })

  it('count the statements that are there', async () => {
    await migrate(node(), migrations.slice(0, 10))
    await run(
      url,
      `insert into lrs_state (lrs_id, last_term, last_seq, epoch) values (1, 0, 7, 0), (2, 0, 0, 0)`,
      `insert into statement (lrs_id, is_voiding, seq, timestamp, owner, id, terms, body)
         select 1, 0, n, n, 1, convert_to(n::text, 'UTF8'), '', '{}' from generate_series(1, 7) as n`,
    )
    await migrate(node(), migrations)
    const counts = await node().query('select lrs_id, statements from lrs_state order by lrs_id')
    expect(counts).toEqual([
      { lrs_id: 1, statements: 7 },
      { lrs_id: 2, statements: 0 },
    ])
  })

  it('one after the other, with others waiting however long: one that fails is undone whole, and tried by the next', async () => {
    const slow = next('select pg_sleep(0.3); create table nickname (id integer)')
    await Promise.all(Array.from({ length: 4 }, () => migrate(node(), [...migrations, slow])))
    const failing: Migration = { ...next('create table half (id integer); select 1/0'), number: known + 2 }
    const attempts = await Promise.allSettled([1, 2, 3].map(() => migrate(node(), [...migrations, slow, failing])))
    expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await history()).toHaveLength(known + 1)
    expect(await node().query(`select to_regclass('half') as half`)).toEqual([{ half: null }])
  })

  it('where none is pending, no right to create is needed', async () => {
    await migrate(node(), migrations)
    const poor = `poor_${made.length}`
    await run(
      url,
      `create role ${poor} login password 'poor'`,
      `grant select on all tables in schema public to ${poor}`,
    )
    const database = new Database({ url: Object.assign(new URL(url), { username: poor, password: 'poor' }).href })
    await migrate(database, migrations)
    await database.close()
    await run(url, `drop owned by ${poor}`, `drop role ${poor}`)
  })
})

describe('a program of the version before', () => {
  it('works on a schema whose next migration only adds', async () => {
    const openPlace = async () =>
      new BlobDirectory({ path: join(tmpdir(), `no-blobs-${randomUUID()}`), clock: systemClock })
    const start = () => openPostgres({ url, connections: 2, openPlace })
    const before = await start()
    const tenant = await createTenant(before)
    const sql = `alter table credential add column nickname text;
      alter table organisation add column motto text not null default '';
      create table nickname (id integer primary key);`
    await migrate(node(), [...migrations, next(sql, known)])
    // Those that run go on, others start, and commands find what they need.
    await createCredential(before, tenant)
    const later = await start()
    await createTenant(later)
    expect((await later.directory.listCredentials(tenant.id, {}, { offset: 0, limit: 9 })).total).toBe(1)
    await Promise.all([before.close(), later.close()])
  })

  it('refuses any other, and says so', async () => {
    await migrate(node(), [...migrations, next('create table nickname (id integer)')])
    const refusal = { code: 'unavailable', message: expect.stringContaining('written by a newer version') as string }
    await expect(migrate(node(), migrations)).rejects.toMatchObject(refusal)
    await expect(checkSchema(node(), migrations)).rejects.toMatchObject(refusal)
    expect(await history()).toHaveLength(known + 1)
  })

  it('refuses one that left it nothing, even behind one that did', async () => {
    const adding = next('create table nickname (id integer)', known)
    const removing: Migration = { ...next('drop table nickname'), number: known + 2, oldestProgram: known + 1 }
    await migrate(node(), [...migrations, adding, removing])
    await expect(migrate(node(), migrations)).rejects.toMatchObject({ code: 'unavailable' })
    await migrate(node(), [...migrations, adding])
  })

  it('finds what it knows unchanged, or refuses', async () => {
    await migrate(node(), [...migrations, next('create table nickname (id integer)', known)])
    await run(url, `update schema_migration set checksum = 'another' where number = 1`)
    await expect(migrate(node(), migrations)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

/** A migration that lets an older program run takes nothing from it: see CONTRIBUTING.md. */
const takesAway = /\b(drop|rename|truncate|set not null|type)\b|\badd column\b(?![^;]*\bdefault\b)[^;]*\bnot null\b/i

describe('every migration that lets an older program run', () => {
  it.each(migrations.filter(({ number, oldestProgram = number }) => oldestProgram < number))(
    '$number $name only adds',
    ({ sql }) => expect(sql.postgres.replaceAll(/--.*$/gm, '')).not.toMatch(takesAway),
  )

  it('is told by the words it may not have', () => {
    for (const sql of ['drop table x', 'alter table x rename a to b', 'alter table x add column a text not null']) {
      expect(sql).toMatch(takesAway)
    }
    for (const sql of ['create table x (a text not null)', "alter table x add column a text not null default ''"]) {
      expect(sql).not.toMatch(takesAway)
    }
  })
})
