// The engines that the contract is run against. A new engine joins the list; the tests do not change.

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/sqlite/index.ts'
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

export const engines: readonly EngineUnderTest[] = [sqlite('inline'), sqlite('workers')]

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
