// A look into a database file that changes nothing in it, before anybody knows whether it may be opened. The caller has the
// directory's lock.

import Database from 'better-sqlite3'
import { existsSync, rmSync, statSync } from 'node:fs'
import type { Sealed } from '../../core/storage.ts'

/** The check value of the master key; undefined where there is none yet, or no store. */
export function peek(path: string): Sealed | undefined {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return undefined
  const hadLog = existsSync(`${path}-wal`)
  const handle = new Database(path, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    const isMade = handle.prepare(`select 1 from sqlite_master where name = 'platform_value'`).get() !== undefined
    if (!isMade) return undefined
    return handle.prepare<[], Sealed>(`select value from platform_value where name = 'key-check'`).pluck().get()
  } finally {
    handle.close()
    // Who only reads makes an empty log, and may not remove it.
    if (!hadLog) for (const ending of ['-wal', '-shm']) rmSync(path + ending, { force: true })
  }
}
