// Opens the database file, with the settings that every connection has. Knows no table.

import Database from 'better-sqlite3'

export type Handle = Database.Database

/** Pages of the write-ahead log after which it is copied back: 32 MB. More pages, fewer copies of the same hot page. */
export const checkpointPages = 8_000

/** No mmap: a read error in a mapped file is a SIGBUS, the end of the process, where pread gives SQLITE_IOERR. */
export function open(path: string): Handle {
  const handle = new Database(path, { timeout: 5_000 })
  // Takes effect on a new file only. Most pages a statement touches are single leaves of id and posting trees: at half a
  // million statements 4 KB pages log 36 KB a statement (50 a commit), 8 KB pages 64 KB; the file is 14 % larger for it.
  handle.pragma('page_size = 4096')
  handle.pragma('journal_mode = WAL')
  // better-sqlite3 is built with NORMAL for WAL files, which loses acknowledged commits on power failure.
  handle.pragma('synchronous = FULL')
  handle.pragma('foreign_keys = 1')
  handle.pragma('temp_store = MEMORY')
  // SQLite's own knows ASCII alone: a name with an Ä would be found by nobody who looks for it. No index is of it.
  handle.function('lower', { deterministic: true }, (text) => (typeof text === 'string' ? text.toLowerCase() : text))
  return handle
}
