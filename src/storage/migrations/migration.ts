// What a migration is. Numbered, append-only, one transaction each; a released one never changes (its checksum is recorded).

import { createHash } from 'node:crypto'
import { DomainError } from '../../core/errors.ts'

export type EngineName = 'sqlite' | 'postgres'

export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly number: number
  readonly name: string
  /**
   * PostgreSQL: the program with so many migrations still works on the database after this one, so that nodes of neighbouring
   * versions run beside each other. Such a migration only adds (CONTRIBUTING.md says what). Unless given, `number`: no older one
   * does.
   */
  readonly oldestProgram?: number
  /** SQL per engine; empty where an engine needs none. */
  readonly sql: Readonly<Record<EngineName, string>>
}

/** A row of `schema_migration`. */
export interface Applied {
  readonly number: number
  readonly name: string
  readonly checksum: string
  /** As the migration says. SQLite has none: one process owns the file, and a copy is kept from before each upgrade. */
  readonly oldest_program?: number
}

/**
 * Throws `unavailable` for a schema that a newer program wrote, unless it left this one what it needs, and for a history that is
 * not this program's.
 */
export function checkHistory(applied: readonly Applied[], migrations: readonly Migration[], engine: EngineName): void {
  const known = migrations.length
  if (applied.slice(known).some(({ number, oldest_program: oldest = number }) => oldest > known)) {
    throw new DomainError(
      'unavailable',
      `The database has schema ${applied.length}, written by a newer version; this version knows ${migrations.length}. Run that version or a later one; or go back to a backup from before the upgrade.`,
    )
  }
  for (const [index, { number, name, checksum }] of applied.entries()) {
    const migration = migrations[index]
    if (index >= known) return
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
