// What is on its way into the store, gathered by Lrs until it is worth a transaction. Knows nothing of what it is.

import type { Destination, Positions, StoreQueue } from './parts.ts'

/** What gathers; emptied by taking another. */
export interface Basket {
  readonly length: number
}

export interface GatheringSettings<B extends Basket> {
  readonly kind: Parameters<Positions['isBehind']>[1]
  readonly positions: Positions
  readonly queue: StoreQueue
  /** In one transaction: how many, and of which size. Sizes are in whatever unit `add` is told. */
  readonly mostInPart: number
  readonly mostSizeInPart: number
  /** So few are stored where nothing else is: those of many Lrs would all be full at once, and storing would wait for reading, then reading for storing. */
  readonly leastInPart: number
  /** For all Lrs together. */
  readonly mostSize: number
  newBasket(): B
  store(to: Destination, basket: B, isAgain: boolean): Promise<void>
}

interface Gathering<B> extends Destination {
  /** Stored before an interruption: asked again, to learn what was refused. */
  readonly isAgain: boolean
  basket: B
  size: number
}

export class Gatherings<B extends Basket> {
  readonly #settings: GatheringSettings<B>
  readonly #gatherings = new Map<string, Gathering<B>>()
  #size = 0

  constructor(settings: GatheringSettings<B>) {
    this.#settings = settings
  }

  /** `number`: in the order of the source. Resolves when there is room for more. */
  async add(to: Destination, number: number, size: number, put: (basket: B) => void): Promise<void> {
    const { kind, positions, queue, mostInPart, mostSizeInPart, leastInPart, mostSize } = this.#settings
    const gathering = this.#of(to, positions.isBehind(to.lrsId, kind, number))
    put(gathering.basket)
    gathering.size += size
    this.#size += size
    const { length } = gathering.basket
    const isFull = length >= mostInPart || gathering.size >= mostSizeInPart
    if (isFull || (length >= leastInPart && queue.wants(to.lrsId))) await this.#push(gathering)
    else if (this.#size >= mostSize) await this.#push(this.#largest(gathering))
  }

  /** All that was added is stored when it resolves. */
  async flush(): Promise<void> {
    for (const gathering of this.#gatherings.values()) await this.#push(gathering)
    await this.#settings.queue.settle()
  }

  #of(to: Destination, isAgain: boolean): Gathering<B> {
    const key = `${to.lrsId} ${isAgain}`
    const known = this.#gatherings.get(key)
    if (known !== undefined) return known
    const gathering = { ...to, isAgain, basket: this.#settings.newBasket(), size: 0 }
    this.#gatherings.set(key, gathering)
    return gathering
  }

  #largest(one: Gathering<B>): Gathering<B> {
    let largest = one
    for (const other of this.#gatherings.values()) if (other.size > largest.size) largest = other
    return largest
  }

  async #push(gathering: Gathering<B>): Promise<void> {
    const { newBasket, store, queue } = this.#settings
    const { basket, isAgain, organisationId, lrsId } = gathering
    if (basket.length === 0) return
    gathering.basket = newBasket()
    this.#size -= gathering.size
    gathering.size = 0
    await queue.push({ lrsId, store: () => store({ organisationId, lrsId }, basket, isAgain) })
  }
}
