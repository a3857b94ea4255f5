// What erasing asks, in a PostgreSQL transaction.

import { hash } from 'node:crypto'
import type { ColumnKind, Columns, Dialect, Sql, Value } from '../erasure/sql.ts'
import type { Transaction } from './database.ts'

const read: Readonly<Record<ColumnKind, (member: string) => string>> = {
  integer: (member) => `(${member})::bigint`,
  text: (member) => member,
  bytes: (member) => `decode(${member}, 'hex')`,
}

function list(place: string, columns: Columns): string {
  const members = Object.entries(columns).map(([name, kind], index) => `${read[kind](`item ->> ${index}`)} as ${name}`)
  return `(select ${members.join(', ')} from json_array_elements(${place}) as item)`
}

// A new Lrs is small to the planner until its tables are analysed. Then it reads all of it, once for each statement, but never
// once for each item of a list: arrays and `offset 0` leave it no other order. A row stays where it is meanwhile: who changes
// it waits for the same lock.
const dialect: Dialect = {
  list,
  isIn: (column, query) => `${column} = any(array(${query}))`,
  isListed(table, place, columns) {
    const isThis = Object.keys(columns).map((name) => `row.${name} = listed.${name}`)
    return `ctid = any(array(select found.place from ${list(place, columns)} as listed cross join lateral
      (select row.ctid as place from ${table} as row where row.lrs_id = $1 and ${isThis.join(' and ')} offset 0) as found))`
  },
  isAmongFirst: (table, _, condition, place) =>
    `ctid = any(array(select ctid from ${table} where lrs_id = $1 and ${condition} limit ${place}))`,
  bytesOf: (text) => `convert_to(${text}, 'UTF8')`,
  lock: (table) => `for update of ${table}`,
  agentKey: (agent) => `claviger_sha256(${agent})`,
  agentKeyOf: (agent) => (agent === '' ? Buffer.alloc(0) : hash('sha256', agent, 'buffer')),
  documentId: { column: 'id_sha256', kind: 'bytes' },
}

/** Each text is planned once per connection: most of a step would be planning. */
const names = new Map<string, string>()

function nameOf(text: string): string {
  const name = names.get(text) ?? `erasure-${names.size}`
  names.set(text, name)
  return name
}

export function erasureSql({ query }: Pick<Transaction, 'query'>): Sql {
  return {
    dialect,
    all: <Row extends object>(text: string, values: readonly Value[]) => query<Row>(text, values, nameOf(text)),
    async run(text, values) {
      const counting = `with done as (${text} returning 1) select count(*) as count from done`
      const [row] = await query<{ readonly count: number }>(counting, values, nameOf(counting))
      return row?.count ?? 0
    },
  }
}
