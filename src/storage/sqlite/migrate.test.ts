import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from './migrate.ts'
import { migrations } from '../migrations/index.ts'
import { open } from './handle.ts'
import { tmpdir } from 'node:os'
import type { Handle } from './handle.ts'
import type { Migration } from '../migrations/migration.ts'

const step = (number: number, sqlite: string): Migration => ({
  number,
  name: `step ${number}`,
  sql: { sqlite, postgres: '' },
})
const first = step(1, 'create table a (x integer); insert into a values (1)')
const second = step(2, 'alter table a add column y integer')
const broken = step(3, 'create table b (x integer); insert into nowhere values (1)')

describe('migrate', () => {
  let directory: string
  let path: string
  let handle: Handle
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'claviger-migrate-'))
    path = join(directory, 'claviger.db')
    handle = open(path)
  })
  afterEach(() => {
    handle.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const done = (from = handle) => from.prepare('select number from schema_migration order by number').pluck().all()
  const columns = (from: Handle) => (from.pragma('table_info(a)') as { name: string }[]).map(({ name }) => name)

  it('counts the statements that are there', () => {
    migrate(handle, migrations.slice(0, 10))
    handle.exec(`insert into organisation (id, oid, name, wrapped_key, switches, created_at, audit_number, audit_hash)
        values (1, 'o', 'One', 'k', '{}', 5, 1, 'h');
      insert into lrs (id, oid, organisation_id, name, created_at) values (1, 'a', 1, 'Full', 6), (2, 'b', 1, 'Empty', 7)`)
    const insert = handle.prepare(`insert into statement (lrs_id, seq, id, owner, timestamp, is_voiding, terms, body)
      values (1, ?, ?, 1, 1, 0, '', '{}')`)
    for (let seq = 1; seq <= 7; seq++) insert.run(seq, Buffer.from([seq]))
    migrate(handle, migrations)
    expect(handle.prepare('select * from lrs_state').all()).toEqual([{ lrs_id: 1, statements: 7 }])
    const changed = 'select updated_at from organisation union all select updated_at from lrs'
    expect(handle.prepare(changed).pluck().all()).toEqual([5, 6, 7])
  })

  it('runs each once, in order', () => {
    migrate(handle, [first])
    migrate(handle, [first])
    expect(handle.prepare('select * from a').all()).toEqual([{ x: 1 }])
    migrate(handle, [first, second])
    expect(done()).toEqual([1, 2])
    expect(columns(handle)).toEqual(['x', 'y'])
  })

  it('keeps a copy of an existing database before it upgrades, none of a new one', () => {
    migrate(handle, [first])
    expect(existsSync(`${path}.before-1`)).toBe(false)
    migrate(handle, [first, second])
    const copy = new Database(`${path}.before-2`, { readonly: true })
    expect(columns(copy)).toEqual(['x'])
    expect(done(copy)).toEqual([1])
    copy.close()
    expect(existsSync(`${path}.before-2.partial`)).toBe(false)
  })

  it('leaves nothing behind of one that fails', () => {
    migrate(handle, [first])
    expect(() => migrate(handle, [first, second, broken])).toThrow(/nowhere/)
    expect(done()).toEqual([1, 2])
    expect(handle.prepare("select name from sqlite_master where name = 'b'").all()).toEqual([])
    expect(existsSync(`${path}.before-2`)).toBe(true)
  })

  it('refuses a database of a newer program, or with another history', () => {
    migrate(handle, [first, second])
    expect(() => migrate(handle, [first])).toThrow(expect.objectContaining({ code: 'unavailable' }))
    const changed = { ...first, sql: { ...first.sql, sqlite: `${first.sql.sqlite} ` } }
    expect(() => migrate(handle, [changed, second])).toThrow(/Migration 1/)
    expect(done()).toEqual([1, 2])
  })
})

describe('the migrations', () => {
  it('are numbered without a gap', () => {
    expect(migrations.map(({ number }) => number)).toEqual(migrations.map((_, index) => index + 1))
  })

  it('leave every connection in WAL with full synchronisation', () => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-migrate-'))
    const handle = open(join(directory, 'claviger.db'))
    migrate(handle, migrations)
    const settings = ['journal_mode', 'synchronous', 'page_size', 'foreign_keys']
    expect(settings.map((name) => handle.pragma(name, { simple: true }))).toEqual(['wal', 2, 4096, 1])
    handle.close()
    rmSync(directory, { recursive: true, force: true })
  })
})
