// One process owns a data directory. The lock is an exclusive transaction on a tiny SQLite file: the operating system
// releases it when the process dies, however it dies.

import Database from 'better-sqlite3'
import { DomainError } from '../../core/errors.ts'
import { join } from 'node:path'

/** Returns the function that releases the lock. */
export function lockDirectory(directory: string): () => void {
  const handle = new Database(join(directory, 'owner.lock'), { timeout: 0 })
  try {
    handle.exec('begin exclusive')
  } catch (cause) {
    handle.close()
    throw new DomainError('unavailable', `Another process is using the data directory ${directory}.`, { cause })
  }
  return () => handle.close()
}
