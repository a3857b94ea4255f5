// The engines that the contract is run against. A new engine joins the list; the tests do not change.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/index.ts'
import { BlobDirectory } from '../../src/storage/blobs/directory.ts'
import { createDatabase } from '../support/postgres.ts'
import { inject } from 'vitest'
import { openPostgres } from '../../src/storage/postgres/index.ts'
import { systemClock } from '../../src/core/core.ts'
import { tmpdir } from 'node:os'
import type { Clock, Storage } from '../../src/core/storage.ts'

export interface Store {
  /** The open store; another object after `restart`. */
  readonly storage: Storage
  /** Closes and opens again what is on disk, as after a restart of the process. */
  restart(): Promise<void>
  /** Closes and removes everything. */
  end(): Promise<void>
}

export interface EngineUnderTest {
  readonly name: string
  /** An empty store. */
  open(clock?: Clock): Promise<Store>
}

export const engines: readonly EngineUnderTest[] = [sqlite('inline'), sqlite('workers'), postgres()]

function sqlite(threads: 'inline' | 'workers'): EngineUnderTest {
  return {
    name: `SQLite, ${threads}`,
    async open(clock) {
      const directory = mkdtempSync(join(tmpdir(), 'claviger-contract-'))
      const options = { directory, threads, ...(clock && { clock }) }
      let storage = await openSqlite(options)
      return {
        get storage() {
          return storage
        },
        async restart() {
          await storage.close()
          storage = await openSqlite(options)
        },
        async end() {
          await storage.close()
          rmSync(directory, { recursive: true, force: true })
        },
      }
    },
  }
}

function postgres(): EngineUnderTest {
  return {
    name: 'PostgreSQL',
    async open(clock) {
      const directory = mkdtempSync(join(tmpdir(), 'claviger-contract-'))
      const database = await createDatabase(inject('postgresUrl'))
      const open = () =>
        openPostgres({
          url: database.url,
          connections: 5,
          ...(clock && { clock }),
          openBlobs: (rows) =>
            new BlobDirectory({
              path: join(directory, 'blobs'),
              clock: clock ?? systemClock,
              findReferenced: (...args) => rows.findReferenced(...args),
            }),
        })
      let storage = await open()
      return {
        get storage() {
          return storage
        },
        async restart() {
          await storage.close()
          storage = await open()
        },
        async end() {
          await storage.close()
          await database.drop()
          rmSync(directory, { recursive: true, force: true })
        },
      }
    },
  }
}
