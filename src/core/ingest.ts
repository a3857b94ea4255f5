// Joins the requests that arrive while the store is busy into its next call, so that one sync to disk serves many of them.
// Bounded: what does not fit is refused at once, never buffered. Knows nothing of statements beyond their size.

import { DomainError, isDomainError } from './errors.ts'
import type { BatchOutcome, StatementBatch, StatementStore } from './storage.ts'

export interface IngestBounds {
  /** Statements waiting or being stored. */
  readonly statements: number
  /** Characters of JSON waiting or being stored. */
  readonly bytes: number
  /** Calls of the store at one time: with two, one is prepared while the other is synced. */
  readonly callsInFlight: number
  /** Statements joined into one call; a larger single batch goes alone. */
  readonly statementsPerCall: number
}

const defaultBounds: IngestBounds = {
  statements: 50_000,
  bytes: 128 * 1024 * 1024,
  callsInFlight: 2,
  statementsPerCall: 2_000,
}

interface Waiting {
  readonly batch: StatementBatch
  readonly bytes: number
  resolve(outcome: BatchOutcome): void
  reject(error: unknown): void
}

export class Ingest {
  readonly #store: StatementStore['store']
  readonly #bounds: IngestBounds
  #waiting: Waiting[] = []
  #statements = 0
  #bytes = 0
  #callsInFlight = 0
  #isClosed = false
  #onIdle: (() => void)[] = []

  constructor(store: StatementStore['store'], bounds: Partial<IngestBounds> = {}) {
    this.#store = store
    this.#bounds = { ...defaultBounds, ...bounds }
  }

  /** Resolves when the batch is synced, with its own outcome. `unavailable` at once when the queue is full or closed. */
  submit(batch: StatementBatch): Promise<BatchOutcome> {
    const bytes = batch.statements.reduce((sum, { openBody }) => sum + openBody.length, 0)
    if (this.#isClosed) return Promise.reject(busy('The server is stopping', 5))
    // A queue that is empty takes any batch, so that a bound below the largest batch refuses nobody for ever.
    const isFull =
      this.#statements > 0 &&
      (this.#statements + batch.statements.length > this.#bounds.statements || this.#bytes + bytes > this.#bounds.bytes)
    if (isFull) return Promise.reject(busy('Too many statements are waiting to be stored', 1))
    this.#statements += batch.statements.length
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, bytes, resolve, reject })
      this.#dispatch()
    })
  }

  /** Refuses what is new; resolves when everything accepted has its outcome. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#callsInFlight === 0
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && this.#callsInFlight < this.#bounds.callsInFlight) {
      const joined = this.#takeNext()
      this.#callsInFlight += 1
      void this.#storeJoined(joined).finally(() => this.#finish(joined))
    }
  }

  #finish(joined: readonly Waiting[]): void {
    this.#callsInFlight -= 1
    for (const { batch, bytes } of joined) {
      this.#statements -= batch.statements.length
      this.#bytes -= bytes
    }
    this.#dispatch()
    if (this.#isIdle()) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #takeNext(): Waiting[] {
    let count = 0
    let statements = 0
    for (const { batch } of this.#waiting) {
      statements += batch.statements.length
      if (count > 0 && statements > this.#bounds.statementsPerCall) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }

  async #storeJoined(joined: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#store(joined.map(({ batch }) => batch))
      joined.forEach((waiting, index) => waiting.resolve(outcomes[index]!))
    } catch (error) {
      // A call that was refused left nothing behind (storage.ts). If a defect and not the store's state refused it, the
      // batch that caused it must not take its neighbours along.
      const isOneBatch = joined.length === 1
      if (isOneBatch || (isDomainError(error) && error.code === 'unavailable')) {
        for (const waiting of joined) waiting.reject(error)
      } else {
        for (const waiting of joined) await this.#storeJoined([waiting])
      }
    }
  }
}

function busy(message: string, retryAfterSeconds: number): DomainError {
  return new DomainError('unavailable', message, { detail: { retryAfterSeconds } })
}
