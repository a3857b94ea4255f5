// The highest stored time an Lrs ever gave, also where the statement that had it was erased. 0 when it gave none.

import type { Handle } from './handle.ts'
import type { LrsId } from '../../core/ids.ts'

export function prepareLastSeq(handle: Handle): (lrsId: LrsId) => number {
  const last = handle
    .prepare<[number, number], number>(
      `select max(coalesce((select max(seq) from statement where lrs_id = ?), 0),
         coalesce((select last_seq from erased_lrs where lrs_id = ?), 0))`,
    )
    .pluck()
  return (lrsId) => last.get(lrsId, lrsId) ?? 0
}
