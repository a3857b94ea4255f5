// What erasing asks, in a PostgreSQL transaction.

import { hash } from 'node:crypto'
import type { ColumnKind, Dialect, Sql, Value } from '../erasure/sql.ts'
import type { Transaction } from './database.ts'

const read: Readonly<Record<ColumnKind, (member: string) => string>> = {
  integer: (member) => `(${member})::bigint`,
  text: (member) => member,
  bytes: (member) => `decode(${member}, 'hex')`,
}

const dialect: Dialect = {
  list(place, columns) {
    const members = Object.entries(columns).map(
      ([name, kind], index) => `${read[kind](`item ->> ${index}`)} as ${name}`,
    )
    return `(select ${members.join(', ')} from json_array_elements(${place}) as item)`
  },
  bytesOf: (text) => `convert_to(${text}, 'UTF8')`,
  lock: (table) => `for update of ${table}`,
  agentKey: 'claviger_sha256(agent)',
  agentKeyOf: (agent) => (agent === '' ? Buffer.alloc(0) : hash('sha256', agent, 'buffer')),
  documentId: { column: 'id_sha256', kind: 'bytes' },
}

export function erasureSql({ query }: Pick<Transaction, 'query'>): Sql {
  return {
    dialect,
    all: <Row extends object>(text: string, values: readonly Value[]) => query<Row>(text, values),
    async run(text, values) {
      const counting = `with done as (${text} returning 1) select count(*) as count from done`
      const [row] = await query<{ readonly count: number }>(counting, values)
      return row?.count ?? 0
    },
  }
}
