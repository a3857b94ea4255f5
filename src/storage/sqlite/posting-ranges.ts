// Sorted ranges of postings and how they meet: union, intersection by leapfrog, a budget of seeks. Everything is in key space:
// keys ascend in the direction of the query (the seq itself, or its negative for newest first).

export interface Ranged {
  /** The first key at or behind `key`; undefined at the end. Keys asked for never decrease. */
  seek(key: number): number | undefined
}

/** Loads keys of one term from `key` on, sorted, at most `count`. */
export type Load = (key: number, count: number) => readonly number[]

/** Thrown when the budget is spent; the query answers a short page. */
export class BudgetSpent extends Error {}

/** What one query may cost. 8,000 seeks took about 20 ms. */
export class Budget {
  #left: number

  constructor(seeks: number) {
    this.#left = seeks
  }

  spend(seeks: number): void {
    this.#left -= seeks
    if (this.#left < 0) throw new BudgetSpent()
  }
}

const smallestChunk = 8
const largestChunk = 512
/** Rows read in a row that cost about as much as one seek. */
const rowsPerSeek = 16

/** One term. Chunks double while the reader walks on and shrink when it jumps. */
export class Range implements Ranged {
  readonly #load: Load
  readonly #budget: Budget
  #keys: readonly number[] = []
  #at = 0
  #size = smallestChunk
  /** False once the last key is in `#keys`. */
  #hasMore = true

  constructor(load: Load, budget: Budget) {
    this.#load = load
    this.#budget = budget
  }

  seek(key: number): number | undefined {
    const last = this.#keys.at(-1)
    if (last !== undefined && key <= last) return this.#within(key)
    if (!this.#hasMore) return undefined
    const isStep = last !== undefined && this.#at >= this.#keys.length - 1
    this.#size = isStep ? Math.min(this.#size * 2, largestChunk) : smallestChunk
    this.#budget.spend(1 + this.#size / rowsPerSeek)
    this.#keys = this.#load(key, this.#size)
    this.#at = 0
    this.#hasMore = this.#keys.length === this.#size
    return this.#keys[0]
  }

  #within(key: number): number | undefined {
    let low = this.#at
    let high = this.#keys.length - 1
    if ((this.#keys[low] ?? Infinity) >= key) return this.#keys[low]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] as number) < key) low = middle + 1
      else high = middle
    }
    this.#at = low
    return this.#keys[low]
  }
}

/** Keys in any of the ranges. */
export class Union implements Ranged {
  readonly #ranges: readonly Ranged[]
  /** What each answered last; still right while it is at or behind the key asked for. */
  readonly #heads: (number | undefined)[]

  constructor(ranges: readonly Ranged[]) {
    this.#ranges = ranges
    this.#heads = ranges.map(() => -Infinity)
  }

  seek(key: number): number | undefined {
    let first: number | undefined
    for (const [index, range] of this.#ranges.entries()) {
      let head = this.#heads[index]
      if (head !== undefined && head < key) this.#heads[index] = head = range.seek(key)
      if (head !== undefined && (first === undefined || head < first)) first = head
    }
    return first
  }
}

/**
 * The first key at or behind `key` that all ranges have. `progress.key` always names a key before which nothing is missed, so
 * that a query whose budget is spent knows where to go on.
 */
export function meet(ranges: readonly Ranged[], key: number, progress: { key: number }): number | undefined {
  let agreed = 0
  let candidate = key
  progress.key = candidate
  for (let index = 0; agreed < ranges.length; index = (index + 1) % ranges.length) {
    const found = (ranges[index] as Ranged).seek(candidate)
    if (found === undefined) return undefined
    agreed = found === candidate ? agreed + 1 : 1
    candidate = found
    progress.key = candidate
  }
  return candidate
}
