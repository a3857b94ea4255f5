// A door that lets so many through at once; so many may wait in front of it, and not for long. Everybody else is told at once
// to come back later. Knows nothing of what goes through.

import { overloaded } from './errors.ts'

export interface GateBounds {
  readonly atOnce: number
  readonly waiting: number
  /** Who has waited so long is turned away: the answer would come too late. */
  readonly waitMs: number
}

interface Waiting {
  enter(): void
  readonly timer: NodeJS.Timeout
}

export class Gate {
  readonly #bounds: GateBounds
  readonly #message: string
  /** In the order they came, which is the order of a set. */
  readonly #waiting = new Set<Waiting>()
  #inside = 0

  /** `message`: what who is turned away is told. */
  constructor(bounds: GateBounds, message: string) {
    this.#bounds = bounds
    this.#message = message
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get bounds(): GateBounds {
    return this.#bounds
  }

  /** Runs `work` when it is its turn. Rejects with `unavailable`, and never runs it, when there is no room or it takes too long. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#bounds.atOnce) await this.#wait()
    else this.#inside += 1
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  #wait(): Promise<void> {
    if (this.#waiting.size >= this.#bounds.waiting) return Promise.reject(overloaded(this.#message))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting)
        reject(overloaded(this.#message))
      }, this.#bounds.waitMs)
      const waiting: Waiting = { enter: resolve, timer }
      this.#waiting.add(waiting)
    })
  }

  /** The place goes to who has waited longest; `#inside` stays what it was. */
  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#inside -= 1
      return
    }
    this.#waiting.delete(next)
    clearTimeout(next.timer)
    next.enter()
  }
}
