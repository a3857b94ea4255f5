// Brings a database file to the program's schema: pending migrations in order, each in one transaction and recorded with its
// checksum; an existing file is copied first. Refuses a file that a newer program wrote or whose history differs.

import { checkHistory, checksumOf } from '../migrations/migration.ts'
import { renameSync, rmSync } from 'node:fs'
import type { Handle } from './handle.ts'
import type { Applied, Migration } from '../migrations/migration.ts'

export function migrate(handle: Handle, migrations: readonly Migration[]): void {
  handle.exec(`create table if not exists schema_migration (
    number integer primary key, name text not null, checksum text not null, applied_at integer not null) strict`)
  const applied = handle.prepare('select number, name, checksum from schema_migration order by number').all()
  checkHistory(applied as Applied[], migrations, 'sqlite')
  const pending = migrations.slice(applied.length)
  if (applied.length > 0 && pending[0] !== undefined) keepCopy(handle, pending[0].number)
  for (const migration of pending) apply(handle, migration)
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
      .run(number, name, checksumOf(migration, 'sqlite'), Date.now())
  })()
}
