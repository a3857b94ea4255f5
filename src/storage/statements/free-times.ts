// Stored times for statements that had theirs elsewhere: what many share there is unique here, some microseconds before it, so that
// whoever asks until that time gets all of them and whoever asks since then gets none. Knows no SQL.

import { DomainError } from '../../core/errors.ts'
import { LRUCache } from 'lru-cache'
import type { LrsId } from '../../core/ids.ts'

/** Microseconds: as many statements may share a stored time. */
export const mostShared = 1_000_000

/** Before every stored time that those of a part may get, the earliest of which was stored at `earliest`; null for none. */
export function lowOf(earliest: number): number | null {
  return earliest === Infinity ? null : Math.max(1, earliest - mostShared)
}

export class FreeTimes {
  /** Behind which all are taken, by Lrs and time: where a batch after the other has the same, nobody looks through them again. */
  readonly #next = new LRUCache<string, number>({ max: 10_000 })

  /** Where to look first for one that is free at or before `wanted`. */
  from(lrsId: LrsId, wanted: number): number {
    return this.#next.get(`${lrsId} ${wanted}`) ?? wanted
  }

  /** The latest `count` that are free at or before `wanted`, ascending. Remembers nothing: it may be done anew. */
  take(lrsId: LrsId, wanted: number, count: number, isTaken: (seq: number) => boolean): number[] {
    const free: number[] = []
    let seq = this.from(lrsId, wanted)
    for (; free.length < count; seq--) {
      if (seq < 1 || wanted - seq >= mostShared) {
        const message = `More than ${mostShared} statements of one stored time cannot be told apart.`
        throw new DomainError('invalid', message)
      }
      if (!isTaken(seq)) free.push(seq)
    }
    return free.reverse()
  }

  /** What was taken is stored; where that is undone after all, some times stay free for ever. */
  took(lrsId: LrsId, wanted: number, earliest: number): void {
    this.#next.set(`${lrsId} ${wanted}`, earliest - 1)
  }
}
