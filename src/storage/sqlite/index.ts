// Opens the SQLite adapter of the storage port. Owns the data directory's lock and the choice between a writer and a reader
// worker, or the same engine in this thread. Knows nothing of HTTP or of the use cases.

import { DomainError } from '../../core/errors.ts'
import type { Clock, Storage } from '../../core/storage.ts'

export interface SqliteOptions {
  /** Holds `claviger.db`; created when missing. One process at a time. */
  readonly directory: string
  /** `workers`: a writer worker and a reader worker. `inline`: the same engine in this thread, for the CLI and quick tests. */
  readonly threads: 'workers' | 'inline'
  readonly clock?: Clock
}

export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  throw new DomainError('unavailable', `No storage engine yet for ${options.directory}.`)
}
