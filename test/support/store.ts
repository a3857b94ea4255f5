// Where the stores of tests lie: a directory, and with PostgreSQL a database. What is stored there outlasts the store, so that
// a test can close it and open it again.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { inject } from 'vitest'
import { systemClock } from '../../src/core/core.ts'
import type { Clock, Storage } from '../../src/core/storage.ts'
import { BlobDirectory } from '../../src/storage/blobs/directory.ts'
import type { BlobPlace } from '../../src/storage/blobs/place.ts'
import type { EngineName } from '../../src/storage/migrations/migration.ts'
import { openPostgres } from '../../src/storage/postgres/index.ts'
import { openSqlite } from '../../src/storage/sqlite/index.ts'
import { borrowDatabase } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What a test's store lies in unless it says so itself; each project of vitest.config.ts has its own. */
    readonly engine: EngineName
  }
}

export interface Place {
  readonly directory: string
  open(options?: {
    readonly clock?: Clock
    readonly threads?: 'inline' | 'workers'
    /** Where bytes lie; a directory unless given. */
    readonly openPlace?: () => Promise<BlobPlace>
  }): Promise<Storage>
  /** Behind the store's back; how many rows it changed. */
  tamper(sql: string): Promise<number>
  /** When no store is open there any more. */
  remove(): Promise<void>
}

export async function createPlace(engine: EngineName = inject('engine')): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), 'claviger-store-'))
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true })
  if (engine === 'sqlite') {
    return {
      directory,
      open: ({ threads = 'inline', ...rest } = {}) => openSqlite({ directory, threads, ...rest }),
      tamper: async (sql) => {
        const file = new Sqlite(join(directory, 'claviger.db'), { fileMustExist: true })
        const { changes } = file.prepare(sql).run()
        file.close()
        return changes
      },
      remove: async () => removeDirectory(),
    }
  }
  const database = await borrowDatabase(inject('postgresUrl'))
  return {
    directory,
    open: ({ clock, openPlace = inDirectory(directory, clock) } = {}) =>
      openPostgres({ url: database.url, connections: 5, ...(clock && { clock }), openPlace }),
    tamper: database.change,
    remove: async () => {
      removeDirectory()
      await database.drop()
    },
  }
}

function inDirectory(directory: string, clock: Clock = systemClock): () => Promise<BlobPlace> {
  return async () => new BlobDirectory({ path: join(directory, 'blobs'), clock, isShared: true })
}
