// Rows of a table a page at a time: as many as make some megabytes, so that neither short rows take for ever nor long ones all
// the memory.

import { columnsOf } from './rows.ts'
import type { Row } from './rows.ts'
import type { Snapshot } from './side.ts'
import type { Table } from './tables.ts'

/** Of the texts and bytes in it. */
const pageBytes = 4 * 1024 * 1024
const firstPage = 200
const largestPage = 10_000

export async function* readPages(
  snapshot: Pick<Snapshot, 'listRows'>,
  table: Table,
  after?: Row,
): AsyncGenerator<readonly Row[]> {
  const columns = columnsOf(table)
  let limit = firstPage
  let last = after
  for (;;) {
    const rows = await snapshot.listRows(table, last, limit)
    if (rows.length === 0) return
    yield rows
    if (rows.length < limit) return
    last = rows.at(-1)
    const longest = Math.max(...rows.map((row) => lengthOf(row, columns)))
    // The next ones may be longer than any so far; they are not all of them.
    limit = Math.min(limit * 4, Math.max(1, Math.floor(pageBytes / longest)), largestPage)
  }
}

function lengthOf(row: Row, columns: readonly string[]): number {
  let length = 8 * columns.length
  for (const column of columns) {
    const value = row[column] ?? null
    if (typeof value === 'string') length += value.length
    else if (typeof value === 'object' && value !== null) length += value.byteLength
  }
  return length
}
