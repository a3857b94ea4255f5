// How many answers that are refusals leave in a second; those that are more wait a little. A client that sends its next request as
// soon as it is refused would otherwise get a processor to do nothing but refuse. Knows nothing of what is answered.

export interface PaceBounds {
  /** So many leave without waiting. */
  readonly perSecond: number
  /** Nobody waits longer, however many there are. */
  readonly longestMs: number
  /** So many wait; where there are more, they leave at once: to hold them would cost more than to answer. */
  readonly most: number
}

interface Held {
  readonly due: number
  leave(): void
}

/** What comes in bunches no longer than this does not wait. */
const bunchMs = 100
const tickMs = 10

export class Pace {
  readonly #bounds: PaceBounds
  /** The longest held first, for everybody who follows is due later. */
  readonly #held: Held[] = []
  /** When all that came so far would have left, one after the other. */
  #through = 0
  #timer: NodeJS.Timeout | undefined

  constructor(bounds: PaceBounds) {
    this.#bounds = bounds
  }

  get held(): number {
    return this.#held.length
  }

  /** Undefined: it is its turn now. */
  turn(now = performance.now()): Promise<void> | undefined {
    const { perSecond, longestMs, most } = this.#bounds
    const through = Math.max(this.#through, now) + 1000 / perSecond
    this.#through = Math.min(through, now + bunchMs + longestMs)
    const due = this.#through - bunchMs
    if (due <= now || this.#held.length >= most) return undefined
    this.#timer ??= setInterval(() => this.#release(performance.now()), tickMs)
    return new Promise((leave) => this.#held.push({ due, leave }))
  }

  #release(now: number): void {
    const first = this.#held.findIndex(({ due }) => due > now)
    for (const { leave } of this.#held.splice(0, first < 0 ? this.#held.length : first)) leave()
    if (this.#held.length > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
