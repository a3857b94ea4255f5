// Brings a database to the program's schema: pending migrations in order, each in one transaction and recorded with its
// checksum. However many nodes start together, one of them migrates and the others wait for it. Refuses what a newer program
// wrote, a history that differs, a server that is too old.

import { DomainError } from '../../core/errors.ts'
import { checkHistory, checksumOf } from '../migrations/migration.ts'
import type { Applied, Migration } from '../migrations/migration.ts'
import type { Database, Transaction } from './database.ts'
import { databaseSetting } from './start-error.ts'

const oldestServer = 14

export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  for (let isDone = false; !isDone;) {
    isDone = await database.transact('write', (transaction) => applyNext(transaction, migrations))
  }
}

/** Throws `unavailable` for a server that is too old, or a database whose texts are not Unicode. */
export async function checkServer(database: Database): Promise<void> {
  const [row] = await database.query<{ readonly version: string; readonly encoding: string }>(
    `select current_setting('server_version') as version, current_setting('server_encoding') as encoding`,
  )
  const { version = '', encoding = '' } = row ?? {}
  if (!(Number.parseInt(version, 10) >= oldestServer)) {
    const message = `Claviger needs PostgreSQL ${oldestServer} or later; this server is ${version}.`
    throw new DomainError('unavailable', message)
  }
  if (encoding === 'UTF8') return
  throw new DomainError('unavailable', `The database must have the encoding UTF8, not ${encoding}: create it anew.`)
}

/** For who must not change the schema: throws `unavailable` unless it is the program's. `named`: what says which database. */
export async function checkSchema(
  database: Database,
  migrations: readonly Migration[],
  named: string = databaseSetting,
): Promise<void> {
  const [table] = await database.query<{ readonly name: string | null }>(findTable)
  if (typeof table?.name !== 'string') {
    const message = `There is nothing of Claviger in the database: is ${named} right? claviger serve sets it up.`
    throw new DomainError('unavailable', message)
  }
  const applied = await database.query<Applied>(readApplied)
  checkHistory(applied, migrations, 'postgres')
  if (applied.length >= migrations.length) return
  const message = `The database has schema ${applied.length}, this version needs ${migrations.length}: claviger serve of this version upgrades it.`
  throw new DomainError('unavailable', message)
}

const findTable = `select to_regclass('schema_migration')::text as name`
const readApplied = 'select number, name, checksum, oldest_program from schema_migration order by number'

/** True when there was nothing left to apply. */
async function applyNext(transaction: Transaction, migrations: readonly Migration[]): Promise<boolean> {
  // Whoever waits here, however long, finds the work done.
  await transaction.query('set local lock_timeout = 0')
  await transaction.query(`select pg_advisory_xact_lock(hashtext('claviger migrations'))`)
  // Where there is nothing to do, no right to create anything is needed.
  const [table] = await transaction.query<{ readonly name: string | null }>(findTable)
  if (table?.name === null) {
    await transaction.query(`create table schema_migration (
      number integer primary key, name text not null, checksum text not null, applied_at bigint not null,
      -- how many migrations a program must at least know to work on the database
      oldest_program integer not null)`)
  }
  const applied = await transaction.query<Applied>(readApplied)
  checkHistory(applied, migrations, 'postgres')
  const pending = migrations[applied.length]
  if (pending === undefined) return true
  const { number, name, sql, oldestProgram = number } = pending
  if (sql.postgres !== '') await transaction.query(sql.postgres)
  const row = [number, name, checksumOf(pending, 'postgres'), Date.now(), oldestProgram]
  await transaction.query('insert into schema_migration values ($1, $2, $3, $4, $5)', row)
  return false
}
