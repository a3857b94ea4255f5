// How the connections of a node are shared out, so that nothing of one kind, however slow, keeps all of them from the others.
// What is left is for signing in, changes and what nodes tell each other: of ten connections, one that nothing else takes.

import { Gate } from '../../core/gate.ts'
import { Turns } from '../documents/turns.ts'
import type { LrsId } from '../../core/ids.ts'

export function readsAtOnce(connections: number): number {
  return Math.max(1, Math.floor(connections * 0.4))
}

function storesAtOnce(connections: number): number {
  return Math.max(1, Math.floor(connections * 0.5))
}

/** What may read much, of whatever. */
export function newReadGate(connections: number): Gate {
  const bounds = { atOnce: readsAtOnce(connections), waiting: 1_000, waitMs: 2_000 }
  return new Gate(bounds, 'Too many reads are waiting for the database.')
}

/** Those that store, of each Lrs one at a time: a second would hold a connection only to wait for the lock of the Lrs. */
export class StoringTurns {
  readonly #gate: Gate
  readonly #turns = new Turns<LrsId>('Too many are waiting to store into the same Lrs.')

  constructor(connections: number) {
    const bounds = { atOnce: storesAtOnce(connections), waiting: 10_000, waitMs: 10_000 }
    this.#gate = new Gate(bounds, 'Too many statements are waiting to be stored.')
  }

  take<T>(lrsId: LrsId, store: () => Promise<T>): Promise<T> {
    return this.#turns.take(lrsId, () => this.#gate.pass(store))
  }
}
