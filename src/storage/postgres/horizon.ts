// Up to when a read is complete (Consistent-Through), with any number of nodes writing and whatever their clocks do: ADR 0016.
// A reader announces a time only after it was made durable as the clock floor and then nobody was writing; a writer reads the
// floor under the lock of its Lrs and stores later. Knows no statement.

import { LRUCache } from 'lru-cache'
import type { Clock } from '../../core/storage.ts'
import type { Database } from './database.ts'
import type { LrsId } from '../../core/ids.ts'

/** How far the floor may lag behind the clock before a read raises it, which costs a commit; and how long a read asks nobody. */
const slackMicros = 25_000
const keptMs = 25

/** What is known before a read. */
export interface Mark {
  /** For `claviger_through`. */
  readonly raised: number
  /** What this node gave out before: to a client that stays with it time does not go back. */
  readonly announced: number
}

export class Horizon {
  readonly #database: Database
  readonly #clock: Clock | undefined
  /** The highest given out, per Lrs. */
  readonly #announced = new LRUCache<LrsId, number>({ max: 50_000 })
  /** Stores of this node under way, per Lrs. */
  readonly #pending = new Map<LrsId, number>()
  #floor: { readonly askedAt: number; readonly raised: Promise<number> } | undefined

  /** `clock`: for tests, instead of the database's. */
  constructor(database: Database, clock?: Clock) {
    this.#database = database
    this.#clock = clock
  }

  /**
   * Before a read. `raised` is for `claviger_through(lrs, raised)` (migration 008), which must be a statement of its own, under
   * READ COMMITTED, before the one that reads: in a volatile plpgsql function, or sent apart.
   */
  async before(lrsId: LrsId): Promise<Mark> {
    // While this node stores, the lock would be found taken, mostly.
    const raised = this.#pending.has(lrsId) ? 0 : await this.#raiseFloor()
    return { raised, announced: this.#announced.get(lrsId) ?? 0 }
  }

  /** After the read: what its answer is to say. `through` is what `claviger_through` gave: minus a time that an import holds it before. */
  announce(lrsId: LrsId, mark: Mark, through: number): number {
    if (through < 0) return -through - 1
    // Not what was announced meanwhile: this read may not have seen it.
    const announced = Math.max(through, mark.announced)
    this.#announced.set(lrsId, Math.max(announced, this.#announced.get(lrsId) ?? 0))
    return announced
  }

  /** As `StatementStore.consistentThrough`. */
  async through(lrsId: LrsId): Promise<number> {
    const mark = await this.before(lrsId)
    const [row] = await this.#database.query<{ readonly through: number }>(
      'select claviger_through($1, $2) as through',
      [lrsId, mark.raised],
      'horizon-through',
    )
    return this.announce(lrsId, mark, row?.through ?? 0)
  }

  /** Runs a store: meanwhile only what is committed is certain. */
  async whileStoring<T>(lrsId: LrsId, store: () => Promise<T>): Promise<T> {
    this.#pending.set(lrsId, (this.#pending.get(lrsId) ?? 0) + 1)
    try {
      return await store()
    } finally {
      const left = (this.#pending.get(lrsId) ?? 1) - 1
      if (left === 0) this.#pending.delete(lrsId)
      else this.#pending.set(lrsId, left)
    }
  }

  /** The clock of a test in microseconds; null: the database's counts. */
  givenMicros(): number | null {
    return this.#clock === undefined ? null : Math.floor(this.#clock.now() * 1000)
  }

  #raiseFloor(): Promise<number> {
    const now = performance.now()
    if (this.#floor !== undefined && this.#clock === undefined && now - this.#floor.askedAt < keptMs) {
      return this.#floor.raised
    }
    const floor = { askedAt: now, raised: this.#askToRaise() }
    this.#floor = floor
    // Who asks next tries again.
    floor.raised.catch(() => (this.#floor = undefined))
    return floor.raised
  }

  async #askToRaise(): Promise<number> {
    const given = this.givenMicros()
    const [row] = await this.#database.query<{ readonly raised: number }>(
      'select claviger_raise_clock($1, $2) as raised',
      [given, given === null ? slackMicros : 0],
      'horizon-raise',
    )
    return row?.raised ?? 0
  }
}
