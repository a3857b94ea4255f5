// How the connections of a node are shared out, so that nothing of one kind, however slow, keeps all of them from the others.
// What is left is for signing in, changes and what nodes tell each other: of ten connections, one that nothing else takes.

import { Gate } from '../../core/gate.ts'
import { Turns } from '../documents/turns.ts'
import type { LrsId } from '../../core/ids.ts'

export function readsAtOnce(connections: number): number {
  return Math.max(1, Math.floor(connections * 0.4))
}

function storesAtOnce(connections: number): number {
  return Math.max(1, Math.floor(connections * 0.5) - secondsAtOnce(connections))
}

/** Beside those. */
function secondsAtOnce(connections: number): number {
  return Math.floor(connections * 0.1)
}

/** What may read much, of whatever. */
export function newReadGate(connections: number): Gate {
  const bounds = { atOnce: readsAtOnce(connections), waiting: 1_000, waitMs: 2_000 }
  return new Gate(bounds, 'Too many reads are waiting for the database.')
}

/**
 * Those that store, of each Lrs one at a time, so that those whose Lrs is locked for long leave connections to others. A second
 * one that already waits at the lock when the first commits makes one busy Lrs about twice as fast; for seconds there is
 * little room, and without it they wait for their turn.
 */
export class StoringTurns {
  readonly #gate: Gate
  readonly #turns = new Turns<LrsId>('Too many are waiting to store into the same Lrs.')
  readonly #storing = new Set<LrsId>()
  #seconds: number

  constructor(connections: number) {
    const bounds = { atOnce: storesAtOnce(connections), waiting: 10_000, waitMs: 10_000 }
    this.#gate = new Gate(bounds, 'Too many statements are waiting to be stored.')
    this.#seconds = secondsAtOnce(connections)
  }

  take<T>(lrsId: LrsId, store: () => Promise<T>): Promise<T> {
    if (this.#storing.has(lrsId) && this.#seconds > 0) return this.#asSecond(store)
    return this.#turns.take(lrsId, () => this.#gate.pass(() => this.#asFirst(lrsId, store)))
  }

  async #asFirst<T>(lrsId: LrsId, store: () => Promise<T>): Promise<T> {
    this.#storing.add(lrsId)
    try {
      return await store()
    } finally {
      this.#storing.delete(lrsId)
    }
  }

  async #asSecond<T>(store: () => Promise<T>): Promise<T> {
    this.#seconds -= 1
    try {
      return await store()
    } finally {
      this.#seconds += 1
    }
  }
}
