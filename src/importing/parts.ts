// What statements and documents on their way into the store share: one part is stored while the next is gathered, and how far
// the import is in each Lrs. Knows nothing of what a part holds.

import type { Core } from '../core/core.ts'
import type { LrsId, Oid, OrganisationId } from '../core/ids.ts'
import type { PlatformOperator } from '../core/organisation.ts'
import type { ImportRecord } from '../core/storage.ts'
import type { Rejects } from './rejects.ts'
import type { Tally } from './tally.ts'

export interface Destination {
  readonly organisationId: OrganisationId
  readonly lrsId: LrsId
}

export interface PartsSettings {
  readonly core: Core
  readonly operator: PlatformOperator
  readonly importId: Oid
  readonly isDryRun: boolean
  readonly tally: Tally
  readonly rejects: Rejects
  readonly queue: StoreQueue
  readonly positions: Positions
}

/** Of different Lrs, so that the store has the next one when it is done with one. */
const atOnce = 2

interface Part {
  readonly lrsId: LrsId
  store(): Promise<void>
}

/** Those of one Lrs are stored one after the other, so that how far the import is there never goes back, and nothing is left out. */
export class StoreQueue {
  readonly #waiting: Part[] = []
  readonly #storing = new Map<LrsId, Promise<void>>()
  #failed: { readonly error: unknown } | undefined

  /** The store could do with more of it. */
  wants(lrsId: LrsId): boolean {
    return this.#storing.size < atOnce && !this.#storing.has(lrsId) && this.#waiting.length === 0
  }

  /** Resolves when it is being stored: what waited would only take memory. Throws what storing an earlier part threw. */
  async push(part: Part): Promise<void> {
    this.#waiting.push(part)
    this.#start()
    while (this.#waiting.length > 0) await Promise.race(this.#storing.values())
    this.#refuse()
  }

  /** Everything that was pushed is stored. */
  async settle(): Promise<void> {
    while (this.#storing.size > 0) await Promise.race(this.#storing.values())
    this.#refuse()
  }

  #start(): void {
    while (this.#storing.size < atOnce) {
      const index = this.#waiting.findIndex(({ lrsId }) => !this.#storing.has(lrsId))
      const [part] = index === -1 ? [] : this.#waiting.splice(index, 1)
      if (part === undefined) return
      this.#storing.set(part.lrsId, this.#store(part))
    }
  }

  /** After one that failed none is stored: what comes later would count as stored, and what failed as well. */
  async #store({ lrsId, store }: Part): Promise<void> {
    // Not before it stands in the map.
    await Promise.resolve()
    try {
      if (this.#failed === undefined) await store()
    } catch (error) {
      this.#failed ??= { error }
    } finally {
      this.#storing.delete(lrsId)
      this.#start()
    }
  }

  #refuse(): void {
    if (this.#failed) throw this.#failed.error
  }
}

interface Position {
  statements: number
  documents: number
}

/** What became of what was handed to the store. */
export interface StoreCounts {
  stored: number
  there: number
  /** `conflict`, `erased` or `full`. */
  refused: number
}

/** Number of the last thing stored in each Lrs, as it stands in the store with what was stored; and what became of all of them. */
export class Positions {
  /** Of earlier runs: what has no greater number is stored. */
  readonly #before: ReadonlyMap<LrsId, Position>
  readonly #now = new Map<LrsId, Readonly<Position>>()
  readonly counts: Readonly<Record<keyof Position, StoreCounts>>

  constructor(lrs: ImportRecord['lrs']) {
    this.#before = new Map(lrs.map(({ lrsId, progress }) => [lrsId, progress as unknown as Position]))
    const sum = (kind: keyof Position, fate: keyof StoreCounts): number =>
      lrs.reduce((total, { counts }) => total + counts[kind][fate], 0)
    const of = (kind: keyof Position): StoreCounts => ({
      stored: sum(kind, 'stored'),
      there: sum(kind, 'there'),
      refused: sum(kind, 'refused'),
    })
    this.counts = { statements: of('statements'), documents: of('documents') }
  }

  isBehind(lrsId: LrsId, kind: keyof Position, number: number): boolean {
    return number <= (this.#before.get(lrsId)?.[kind] ?? 0)
  }

  /** What to store with the part that ends there; `advance` once it is stored. */
  behind(lrsId: LrsId, kind: keyof Position, number: number): Readonly<Position> {
    const position = this.#now.get(lrsId) ?? { statements: 0, documents: 0, ...this.#before.get(lrsId) }
    return { ...position, [kind]: Math.max(number, position[kind]) }
  }

  advance(lrsId: LrsId, position: Readonly<Position>): void {
    this.#now.set(lrsId, position)
  }
}
