// The connections of the engine's two halves: what each sets beyond the common, its prepared statements, and Kysely over it. Knows no
// table.

import { Kysely, SqliteDialect } from 'kysely'
import { askDirectly } from '../directory/compiled.ts'
import { open } from './handle.ts'
import type { Handle } from './handle.ts'
import type { Schema } from '../schema.ts'
import type { SqliteStatement } from 'kysely'

export interface Connection {
  readonly handle: Handle
  readonly kysely: Kysely<Schema>
  close(): void
}

export function openWriter(path: string): Connection {
  const handle = open(path)
  // 64 MB. The upper levels of the trees and the pages a burst writes to stay in memory.
  handle.pragma('cache_size = -65536')
  // Copied back when the writer has answered: no caller waits for it.
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
