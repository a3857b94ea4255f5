// Brings a database to the program's schema: pending migrations in order, each in one transaction and recorded with its
// checksum. However many nodes start together, one of them migrates and the others wait for it. Refuses what a newer program
// wrote, a history that differs, a server that is too old.

import { DomainError } from '../../core/errors.ts'
import { checkHistory, checksumOf } from '../migrations/migration.ts'
import type { Applied, Migration } from '../migrations/migration.ts'
import type { Database, Transaction } from './database.ts'

const oldestServer = 14

export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  await checkServer(database)
  for (let isDone = false; !isDone;) {
    isDone = await database.transact('write', (transaction) => applyNext(transaction, migrations))
  }
}

async function checkServer(database: Database): Promise<void> {
  const [row] = await database.query<{ readonly version: string }>(
    `select current_setting('server_version') as version`,
  )
  const version = row?.version ?? ''
  if (Number.parseInt(version, 10) >= oldestServer) return
  throw new DomainError('unavailable', `Claviger needs PostgreSQL ${oldestServer} or later; this server is ${version}.`)
}

/** True when there was nothing left to apply. */
async function applyNext(transaction: Transaction, migrations: readonly Migration[]): Promise<boolean> {
  // Whoever waits here finds the work done.
  await transaction.query(`select pg_advisory_xact_lock(hashtext('claviger migrations'))`)
  await transaction.query(`create table if not exists schema_migration (
    number integer primary key, name text not null, checksum text not null, applied_at bigint not null)`)
  const applied = await transaction.query<Applied>(
    'select number, name, checksum from schema_migration order by number',
  )
  checkHistory(applied, migrations, 'postgres')
  const pending = migrations[applied.length]
  if (pending === undefined) return true
  const { number, name, sql } = pending
  if (sql.postgres !== '') await transaction.query(sql.postgres)
  const row = [number, name, checksumOf(pending, 'postgres'), Date.now()]
  await transaction.query('insert into schema_migration values ($1, $2, $3, $4)', row)
  return false
}
