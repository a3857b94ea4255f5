// The engines that the contract is run against. A new engine joins the list; the tests do not change.

import { createPlace } from '../support/store.ts'
import type { Clock, Storage } from '../../src/core/storage.ts'
import type { EngineName } from '../../src/storage/migrations/migration.ts'

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

export const engines: readonly EngineUnderTest[] = [
  underTest('SQLite, inline', 'sqlite', 'inline'),
  underTest('SQLite, workers', 'sqlite', 'workers'),
  underTest('PostgreSQL', 'postgres'),
]

function underTest(name: string, engine: EngineName, threads: 'inline' | 'workers' = 'inline'): EngineUnderTest {
  return {
    name,
    async open(clock) {
      const place = await createPlace(engine)
      const options = { threads, ...(clock && { clock }) }
      let storage = await place.open(options)
      return {
        get storage() {
          return storage
        },
        async restart() {
          await storage.close()
          storage = await place.open(options)
        },
        async end() {
          await storage.close()
          await place.remove()
        },
      }
    },
  }
}
