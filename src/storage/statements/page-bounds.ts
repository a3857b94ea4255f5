// What bounds the reading of a page of statements, the same for every engine. No SQL.

import type { StatementQuery } from '../../core/storage.ts'

/** Seeks per query, then a short page: two ranges of millions that never meet must not stop the reader. */
export const seekBudget = 8_000
/** Rows and characters of one page, whatever the limit: bounds memory. */
export const mostRows = 1_000
export const mostText = 16 * 1024 * 1024

/** The stored times that a page may have, both inclusive, in the direction of the query. */
export interface Window {
  readonly from: number
  readonly to: number
  readonly sign: 1 | -1
}

export function windowOf({ since, until, cursor, isAscending }: StatementQuery): Window {
  const least = Math.max(since === undefined ? 0 : since + 1, isAscending && cursor !== undefined ? cursor + 1 : 0)
  const most = Math.min(until ?? Number.MAX_SAFE_INTEGER, !isAscending && cursor !== undefined ? cursor - 1 : Infinity)
  return isAscending ? { from: least, to: most, sign: 1 } : { from: most, to: least, sign: -1 }
}
