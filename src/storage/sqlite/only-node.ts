// The port's nodes where one process owns the store: what several would have to write down is kept in memory. Goes by a clock
// that nobody sets.

import type { CountDelta, NodeStore, SharedCount } from '../../core/storage.ts'

interface Lease {
  /** Undefined: nobody. */
  readonly holder: string | undefined
  readonly endsAt: number
  readonly doneAt: number
}

export class OnlyNode implements NodeStore {
  readonly isShared = false
  readonly #leases = new Map<string, Lease>()
  readonly #counts = new Map<string, { count: number; readonly endsAt: number }>()

  isInTouch(): boolean {
    return true
  }

  async takeLease(...[name, holder, { ttlMs, everyMs = 0 }]: Parameters<NodeStore['takeLease']>): Promise<boolean> {
    const now = performance.now()
    const known = this.#leases.get(name)
    const isHeld = known?.holder !== undefined && known.endsAt > now
    const { doneAt } = known ?? { doneAt: now }
    const isFree = isHeld ? known.holder === holder : doneAt + everyMs <= now
    const lease = isFree ? { holder, endsAt: now + ttlMs, doneAt } : known
    this.#leases.set(name, lease ?? { holder: undefined, endsAt: now, doneAt })
    return isFree
  }

  async releaseLease(name: string, holder: string, isDone: boolean): Promise<void> {
    const known = this.#leases.get(name)
    if (known?.holder !== holder) return
    const now = performance.now()
    this.#leases.set(name, { holder: undefined, endsAt: now, doneAt: isDone ? now : known.doneAt })
  }

  async addCounts(counts: readonly CountDelta[]): Promise<readonly SharedCount[]> {
    const now = performance.now()
    for (const [name, { endsAt }] of this.#counts) if (endsAt <= now) this.#counts.delete(name)
    return counts.map(({ name, delta, windowMs }) => {
      const { count, endsAt } = this.#counts.get(name) ?? { count: 0, endsAt: now + windowMs }
      const sum = { count: Math.max(0, count + delta), endsAt }
      this.#counts.set(name, sum)
      return { count: sum.count, leftMs: endsAt - now }
    })
  }
}
