// One process owns a data directory. The lock is an exclusive transaction on a tiny SQLite file: the operating system
// releases it when the process dies, however it dies.

import Database from 'better-sqlite3'
import { DomainError } from '../../core/errors.ts'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

export const lockFile = 'owner.lock'

/** Returns the function that releases the lock. */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, lockFile)
  // Nobody but the owner can take it, or hold it against us.
  closeSync(openSync(path, 'a', 0o600))
  const handle = new Database(path, { timeout: 0 })
  try {
    handle.exec('begin exclusive')
  } catch (cause) {
    handle.close()
    const detail = { decidedBy: 'lock' }
    throw new DomainError('unavailable', `Another process is using the data directory ${directory}.`, { cause, detail })
  }
  return () => handle.close()
}
