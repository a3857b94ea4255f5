// What the nodes count for limits, brought together: each counts for itself, so that no request waits for it, and tells the others
// about once a second. docs/decisions/0017 says what that costs in accuracy.

import { hash } from 'node:crypto'
import { Counters } from './limits.ts'
import type { NodeStore } from './storage.ts'

export interface CountExchangeParts {
  readonly nodes: NodeStore
  readonly onError?: (error: unknown) => void
}

const everyMs = 1000
/** Names told at a time, those with most first: a flood of names is the database's no more than ours. */
const mostTold = 1000

export class CountExchange {
  readonly #nodes: NodeStore
  readonly #onError: ((error: unknown) => void) | undefined
  readonly #shared: { readonly kind: string; readonly counters: Counters }[] = []
  readonly #timer: NodeJS.Timeout | undefined
  #exchanging: Promise<void> | undefined

  constructor({ nodes, onError }: CountExchangeParts) {
    this.#nodes = nodes
    this.#onError = onError
    if (nodes.isShared) this.#timer = setInterval(() => void this.exchange(), everyMs).unref()
  }

  /** Those that every node has by the name `kind`; at most `max` names are remembered. */
  newCounters(kind: string, max: number): Counters {
    const counters = new Counters(max, { isTold: this.#nodes.isShared })
    this.#shared.push({ kind, counters })
    return counters
  }

  /** Resolves when what was counted until now is known to the others, and what they have counted is known here. */
  exchange(): Promise<void> {
    this.#exchanging ??= this.#exchange().finally(() => (this.#exchanging = undefined))
    return this.#exchanging
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #exchange(): Promise<void> {
    const told = this.#shared.flatMap(({ kind, counters }) =>
      counters.untold().map(([name, delta]) => ({ ...delta, name: `${kind}\n${name}`, own: name, of: counters })),
    )
    if (told.length > mostTold) told.sort((one, other) => Math.abs(other.delta) - Math.abs(one.delta))
    const part = told.slice(0, mostTold)
    if (part.length === 0) return
    for (const { of, own, delta } of part) of.told(own, delta)
    try {
      // Names hold what was presented as a key, and addresses.
      const counts = part.map(({ name, delta, windowSeconds }) => ({
        ...{ name: hash('sha256', name, 'base64'), delta, windowMs: windowSeconds * 1000 },
      }))
      const sums = await this.#nodes.addCounts(counts)
      for (const [index, { of, own }] of part.entries()) of.learn(own, sums[index]!)
    } catch (error) {
      for (const { of, own, delta, windowSeconds } of part) of.untell(own, { delta, windowSeconds })
      this.#onError?.(error)
    }
  }
}
