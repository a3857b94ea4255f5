// One SQLite connection: its settings, its prepared statements, and Kysely over it. Knows no table.

import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { askDirectly } from '../directory/compiled.ts'
import type { Schema } from '../schema.ts'
import type { SqliteStatement } from 'kysely'

export type Handle = Database.Database

/** Pages of the write-ahead log after which it is copied back: 32 MB. More pages, fewer copies of the same hot page. */
export const checkpointPages = 8_000

export interface Connection {
  readonly handle: Handle
  readonly kysely: Kysely<Schema>
  close(): void
}

export function openWriter(path: string): Connection {
  const handle = open(path)
  // 64 MB. The upper levels of the trees and the pages a burst writes to stay in memory.
  handle.pragma('cache_size = -65536')
  // The writer copies the log back itself, after it has answered: no caller waits for it.
  handle.pragma('wal_autocheckpoint = 0')
  // A log that a burst made long is cut when it starts again.
  handle.pragma('journal_size_limit = 67108864')
  // What is deleted or replaced is overwritten with zeros where it lies (docs/decisions/0014); storing, which deletes nothing, is no slower.
  handle.pragma('secure_delete = 1')
  return connect(handle)
}

export function openReader(path: string): Connection {
  const handle = open(path)
  handle.pragma('cache_size = -32768')
  handle.pragma('query_only = 1')
  return connect(handle)
}

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

function connect(handle: Handle): Connection {
  return { handle, kysely: overKysely(handle), close: () => handle.close() }
}

/** Distinct SQL texts kept prepared; directory queries have a few dozen shapes. */
const mostPrepared = 200

function overKysely(handle: Handle): Kysely<Schema> {
  const prepared = new Map<string, SqliteStatement>()
  const prepare = (sql: string): SqliteStatement => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    if (prepared.size >= mostPrepared) prepared.clear()
    const statement = handle.prepare(sql) as unknown as SqliteStatement
    prepared.set(sql, statement)
    return statement
  }
  const kysely = new Kysely<Schema>({ dialect: new SqliteDialect({ database: { prepare, close: () => {} } }) })
  askDirectly(kysely, (text, parameters) => {
    const statement = prepare(text)
    if (statement.reader) return statement.all(parameters)
    statement.run(parameters)
    return []
  })
  return kysely
}
