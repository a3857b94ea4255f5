// The engines that the contract is run against. A new engine joins the list; the tests do not change.

import { join } from 'node:path'
import { openBucket } from '../../src/storage/blobs/bucket.ts'
import { startBucket } from '../support/bucket.ts'
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

/** Whose bytes lie in a bucket. */
export const enginesWithBucket: readonly EngineUnderTest[] = [
  underTest('SQLite, bucket', 'sqlite', 'inline', 'bucket'),
  underTest('PostgreSQL, bucket', 'postgres', 'inline', 'bucket'),
]

function underTest(
  name: string,
  engine: EngineName,
  threads: 'inline' | 'workers' = 'inline',
  bytesIn: 'directory' | 'bucket' = 'directory',
): EngineUnderTest {
  return {
    name,
    async open(clock) {
      const place = await createPlace(engine)
      const bucket = bytesIn === 'bucket' ? await startBucket(clock) : undefined
      const arrivals = join(place.directory, 'arriving')
      const openPlace = bucket && (() => openBucket({ ...bucket.settings, arrivals, isShared: engine === 'postgres' }))
      const options = { threads, ...(clock && { clock }), ...(openPlace && { openPlace }) }
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
          await bucket?.stop()
          await place.remove()
        },
      }
    },
  }
}
