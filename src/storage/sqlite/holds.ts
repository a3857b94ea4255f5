// How far imports that are not finished hold Consistent-Through back, per Lrs: this process is the only one that stores, so that
// nobody has to ask the file.

import type { LrsId, Oid } from '../../core/ids.ts'

export interface Hold {
  readonly id: Oid
  readonly lrsId: LrsId
  /** Microseconds: before every stored time the import brought into the Lrs. */
  readonly low: number
}

export class Holds {
  readonly #lows = new Map<LrsId, Map<Oid, number>>()

  /** `holds`: as the file has them. */
  constructor(holds: readonly Hold[]) {
    for (const { id, lrsId, low } of holds) this.hold(id, lrsId, low)
  }

  hold(id: Oid, lrsId: LrsId, low: number): void {
    const lows = this.#lows.get(lrsId) ?? new Map<Oid, number>()
    this.#lows.set(lrsId, lows)
    lows.set(id, Math.min(low, lows.get(id) ?? Infinity))
  }

  /** The import is finished. */
  release(id: Oid): void {
    for (const [lrsId, lows] of this.#lows) {
      lows.delete(id)
      if (lows.size === 0) this.#lows.delete(lrsId)
    }
  }

  /** `through`, or as much of it as no import holds. */
  within(lrsId: LrsId, through: number): number {
    const lows = this.#lows.get(lrsId)
    return lows === undefined ? through : Math.min(through, ...[...lows.values()].map((low) => low - 1))
  }
}
