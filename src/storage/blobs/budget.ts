// So much of something at a time, for all that want some of it, in the order they came.

interface Waiting {
  readonly amount: number
  readonly begin: () => void
}

export class Budget {
  readonly #most: number
  readonly #waiting: Waiting[] = []
  #spent = 0

  constructor(most: number) {
    this.#most = most
  }

  /** What needs more than there is gets all of it, alone. */
  async spend<T>(wanted: number, work: () => Promise<T>): Promise<T> {
    const amount = Math.min(wanted, this.#most)
    if (this.#waiting.length > 0 || this.#spent + amount > this.#most) {
      await new Promise<void>((begin) => this.#waiting.push({ amount, begin }))
    } else {
      this.#spent += amount
    }
    try {
      return await work()
    } finally {
      this.#spent -= amount
      this.#next()
    }
  }

  #next(): void {
    for (let first; (first = this.#waiting[0]) !== undefined && this.#spent + first.amount <= this.#most;) {
      this.#waiting.shift()
      this.#spent += first.amount
      first.begin()
    }
  }
}
