// What measuring the core in this process needs, whatever is measured: a store as the program has it, and callers beside each other.

import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemClock } from '../src/core/core.ts'
import type { Storage } from '../src/core/storage.ts'
import { BlobDirectory } from '../src/storage/blobs/directory.ts'
import { openPostgres } from '../src/storage/postgres/index.ts'
import { openSqlite } from '../src/storage/sqlite/index.ts'

/** In SQLite's threads unless there is a database. */
export function openStore(place: string, databaseUrl: string | undefined): Promise<Storage> {
  if (databaseUrl === undefined) return openSqlite({ directory: place, threads: 'workers' })
  const openPlace = async () =>
    new BlobDirectory({ path: path.join(place, 'blobs'), clock: systemClock, isShared: true })
  return openPostgres({ url: databaseUrl, openPlace })
}

/** Runs `task` for each number below `count`, `lanes` at a time; returns seconds. */
export async function inLanes(
  count: number,
  lanes: number,
  task: (number: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await task(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return (performance.now() - start) / 1000
}
