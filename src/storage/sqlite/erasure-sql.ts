// What erasing asks, on a SQLite connection. Answers at once: nobody else gets in between.

import type { ColumnKind, Columns, Dialect, Sql, Value } from '../erasure/sql.ts'
import type { Handle } from './handle.ts'
import type { Statement } from 'better-sqlite3'

const read: Readonly<Record<ColumnKind, (member: string) => string>> = {
  integer: (member) => `cast(${member} as integer)`,
  text: (member) => member,
  bytes: (member) => `unhex(${member})`,
}

function list(place: string, columns: Columns): string {
  const members = Object.entries(columns).map(([name, kind], index) => `${read[kind](`value ->> ${index}`)} as ${name}`)
  return `(select ${members.join(', ')} from json_each(${place}))`
}

const dialect: Dialect = {
  list,
  isIn: (column, query) => `${column} in (${query})`,
  isListed: (_, place, columns) => `(${Object.keys(columns).join(', ')}) in ${list(place, columns)}`,
  isAmongFirst: (table, key, condition, place) =>
    `(${key}) in (select ${key} from ${table} where lrs_id = $1 and ${condition} limit ${place})`,
  bytesOf: (text) => `cast(${text} as blob)`,
  lock: () => '',
  agentKey: (agent) => agent,
  agentKeyOf: (agent) => agent,
  documentId: { column: 'id', kind: 'text' },
}

export function erasureSql(handle: Handle): Sql {
  const prepared = new Map<string, Statement>()
  const prepare = (text: string): Statement => {
    const statement = prepared.get(text) ?? handle.prepare(text)
    prepared.set(text, statement)
    return statement
  }
  return {
    dialect,
    all: async <Row extends object>(text: string, values: readonly Value[]) =>
      prepare(text).all(byPlace(values)) as readonly Row[],
    run: async (text, values) => prepare(text).run(byPlace(values)).changes,
  }
}

function byPlace(values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, index) => [`${index + 1}`, value]))
}
