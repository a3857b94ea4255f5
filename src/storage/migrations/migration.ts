// What a migration is. Numbered, append-only, one transaction each; a released one never changes (its checksum is recorded).

import { createHash } from 'node:crypto'
import { DomainError } from '../../core/errors.ts'

export type EngineName = 'sqlite' | 'postgres'

export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly number: number
  readonly name: string
  /** SQL per engine; empty where an engine needs none. */
  readonly sql: Readonly<Record<EngineName, string>>
}

/** A row of `schema_migration`. */
export interface Applied {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

/** Throws `unavailable` for a schema that a newer program wrote, and for a history that is not this program's. */
export function checkHistory(applied: readonly Applied[], migrations: readonly Migration[], engine: EngineName): void {
  if (applied.length > migrations.length) {
    throw new DomainError(
      'unavailable',
      `The database has schema ${applied.length}, written by a newer version; this version knows ${migrations.length}.`,
    )
  }
  for (const [index, { number, name, checksum }] of applied.entries()) {
    const migration = migrations[index]
    if (migration !== undefined && migration.number === number && checksumOf(migration, engine) === checksum) continue
    throw new DomainError(
      'unavailable',
      `Migration ${number} (${name}) of the database is not the one of this version.`,
    )
  }
}

export function checksumOf({ sql }: Migration, engine: EngineName): string {
  return createHash('sha256').update(sql[engine]).digest('hex')
}
