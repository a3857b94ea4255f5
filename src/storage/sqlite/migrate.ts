// Brings a database file to the program's schema: pending migrations in order, each in one transaction and recorded with its
// checksum; an existing file is copied first. Refuses a file that a newer program wrote or whose history differs.

import { DomainError } from '../../core/errors.ts'
import { createHash } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import type { Handle } from './connection.ts'
import type { Migration } from '../migrations/migration.ts'

interface Applied {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

export function migrate(handle: Handle, migrations: readonly Migration[]): void {
  handle.exec(`create table if not exists schema_migration (
    number integer primary key, name text not null, checksum text not null, applied_at integer not null) strict`)
  const applied = handle.prepare('select number, name, checksum from schema_migration order by number').all()
  checkHistory(applied as Applied[], migrations)
  const pending = migrations.slice(applied.length)
  if (applied.length > 0 && pending[0] !== undefined) keepCopy(handle, pending[0].number)
  for (const migration of pending) apply(handle, migration)
}

function checkHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
  if (applied.length > migrations.length) {
    throw new DomainError(
      'unavailable',
      `The database has schema ${applied.length}, written by a newer version; this version knows ${migrations.length}.`,
    )
  }
  for (const [index, { number, name, checksum }] of applied.entries()) {
    const migration = migrations[index]
    if (migration !== undefined && migration.number === number && checksumOf(migration) === checksum) continue
    throw new DomainError(
      'unavailable',
      `Migration ${number} (${name}) of the database is not the one of this version.`,
    )
  }
}

function checksumOf({ sql }: Migration): string {
  return createHash('sha256').update(sql.sqlite).digest('hex')
}

/** `claviger.db.before-<n>`, complete or not there: whatever goes wrong, the way back is a file. */
function keepCopy(handle: Handle, number: number): void {
  const copy = `${handle.name}.before-${number}`
  rmSync(`${copy}.partial`, { force: true })
  handle.prepare('vacuum into ?').run(`${copy}.partial`)
  renameSync(`${copy}.partial`, copy)
}

function apply(handle: Handle, migration: Migration): void {
  const { number, name, sql } = migration
  handle.transaction(() => {
    handle.exec(sql.sqlite)
    handle
      .prepare('insert into schema_migration values (?, ?, ?, ?)')
      .run(number, name, checksumOf(migration), Date.now())
  })()
}
