// Joins the requests that arrive for an Lrs while the store is busy with it into its next call, so that one sync to disk serves
// many of them. Each Lrs has a queue of its own: one that is slow stalls no other. Bounded: what does not fit is refused at
// once, never buffered. Knows nothing of statements beyond their size.

import { DomainError, isDomainError, overloaded } from './errors.ts'
import { noMeter } from './meter.ts'
import type { Meter } from './meter.ts'
import type { BatchOutcome, StatementBatch, StatementStore } from './storage.ts'
import type { LrsId } from './ids.ts'

export interface IngestBounds {
  /** Statements waiting or being stored. */
  readonly statements: number
  /** Characters of JSON waiting or being stored. */
  readonly bytes: number
  /** Calls of the store at one time for one Lrs: with two, one is prepared while the other is synced. */
  readonly callsInFlight: number
  /** Statements joined into one call; a larger single batch goes alone. */
  readonly statementsPerCall: number
  /** While a call of the store takes longer, nothing new is accepted for its Lrs: it would wait at least as long. */
  readonly slowMs: number
  /** What would wait longer, as fast as its Lrs is being stored into, is refused. */
  readonly longestWaitMs: number
}

/** What waits now, beside what may. */
export interface IngestState {
  readonly statements: number
  readonly bytes: number
  readonly bounds: IngestBounds
}

const defaultBounds: IngestBounds = {
  statements: 50_000,
  bytes: 128 * 1024 * 1024,
  callsInFlight: 2,
  statementsPerCall: 2_000,
  slowMs: 10_000,
  longestWaitMs: 3_000,
}

/** Of a smaller call the sync is most of what it takes, which says nothing about larger ones. */
const tellingCall = 200

interface Waiting {
  readonly batch: StatementBatch
  readonly bytes: number
  resolve(outcome: BatchOutcome): void
  reject(error: unknown): void
}

/** Of one Lrs. */
interface Queue {
  readonly waiting: Waiting[]
  callsInFlight: number
  /** When the calls under way began, the oldest first. */
  readonly startedAt: Set<{ readonly at: number }>
  /** Waiting or being stored. */
  statements: number
  /** What one took lately; 0 until a call has told. */
  msEach: number
  lastEndedAt: number
}

export class Ingest {
  readonly #store: StatementStore['store']
  readonly #bounds: IngestBounds
  /** Only those in which something waits or is being stored. */
  readonly #queues = new Map<LrsId, Queue>()
  #statements = 0
  #bytes = 0
  #isClosed = false
  #onIdle: (() => void)[] = []
  readonly #meter: Meter

  constructor(store: StatementStore['store'], bounds: Partial<IngestBounds> = {}, meter: Meter = noMeter) {
    this.#store = store
    this.#meter = meter
    this.#bounds = { ...defaultBounds, ...bounds }
  }

  get state(): IngestState {
    return { statements: this.#statements, bytes: this.#bytes, bounds: this.#bounds }
  }

  /** Resolves when the batch is synced, with its own outcome. `unavailable` at once when the queue is full, stuck or closed. */
  submit(batch: StatementBatch): Promise<BatchOutcome> {
    const bytes = batch.statements.reduce((sum, { openBody }) => sum + openBody.length, 0)
    if (this.#isClosed) {
      const detail = { retryAfterSeconds: 5 }
      return Promise.reject(new DomainError('unavailable', 'The server is stopping', { detail }))
    }
    if (this.#isStuck(batch.lrsId)) return Promise.reject(overloaded('The storage takes too long', 5))
    // A queue that is empty takes any batch, so that a bound below the largest batch refuses nobody for ever.
    const isFull =
      this.#statements > 0 &&
      (this.#statements + batch.statements.length > this.#bounds.statements || this.#bytes + bytes > this.#bounds.bytes)
    if (isFull || this.#waitMs(batch.lrsId) > this.#bounds.longestWaitMs)
      return Promise.reject(overloaded('Too many statements are waiting to be stored'))
    this.#statements += batch.statements.length
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      const queue = this.#queueOf(batch.lrsId)
      queue.statements += batch.statements.length
      queue.waiting.push({ batch, bytes, resolve, reject })
      this.#dispatch(batch.lrsId)
    })
  }

  #queueOf(lrsId: LrsId): Queue {
    const queue = this.#queues.get(lrsId) ?? newQueue()
    this.#queues.set(lrsId, queue)
    return queue
  }

  /** How long what comes now would wait. */
  #waitMs(lrsId: LrsId): number {
    const queue = this.#queues.get(lrsId)
    return queue === undefined ? 0 : queue.statements * queue.msEach
  }

  /** Refuses what is new; resolves when everything accepted has its outcome. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.#queues.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }

  #isStuck(lrsId: LrsId): boolean {
    const [oldest] = this.#queues.get(lrsId)?.startedAt ?? []
    return oldest !== undefined && performance.now() - oldest.at > this.#bounds.slowMs
  }

  #dispatch(lrsId: LrsId): void {
    const queue = this.#queueOf(lrsId)
    while (queue.waiting.length > 0 && queue.callsInFlight < this.#bounds.callsInFlight) {
      const joined = this.#takeNext(queue)
      queue.callsInFlight += 1
      void this.#storeJoined(joined, queue).finally(() => this.#finish(joined, lrsId))
    }
    if (queue.callsInFlight === 0) this.#queues.delete(lrsId)
  }

  #finish(joined: readonly Waiting[], lrsId: LrsId): void {
    const queue = this.#queueOf(lrsId)
    queue.callsInFlight -= 1
    for (const { batch, bytes } of joined) {
      queue.statements -= batch.statements.length
      this.#statements -= batch.statements.length
      this.#bytes -= bytes
    }
    this.#dispatch(lrsId)
    if (this.#queues.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #takeNext({ waiting }: Queue): Waiting[] {
    let count = 0
    let statements = 0
    for (const { batch } of waiting) {
      statements += batch.statements.length
      if (count > 0 && statements > this.#bounds.statementsPerCall) break
      count += 1
    }
    return waiting.splice(0, count)
  }

  async #storeJoined(joined: readonly Waiting[], queue: Queue): Promise<void> {
    const started = { at: performance.now() }
    queue.startedAt.add(started)
    try {
      const outcomes = await this.#store(joined.map(({ batch }) => batch))
      const statements = joined.reduce((sum, { batch }) => sum + batch.statements.length, 0)
      const now = performance.now()
      this.#meter.committed(statements, (now - started.at) / 1000)
      learn(queue, statements, started.at, now)
      joined.forEach((waiting, index) => waiting.resolve(outcomes[index]!))
    } catch (error) {
      // A call that was refused left nothing behind (storage.ts). If a defect and not the store's state refused it, the
      // batch that caused it must not take its neighbours along.
      const isOneBatch = joined.length === 1
      if (isOneBatch || (isDomainError(error) && error.code === 'unavailable')) {
        for (const waiting of joined) waiting.reject(asDefect(error))
      } else {
        for (const waiting of joined) await this.#storeJoined([waiting], queue)
      }
    } finally {
      queue.startedAt.delete(started)
    }
  }
}

function newQueue(): Queue {
  return { waiting: [], callsInFlight: 0, startedAt: new Set(), statements: 0, msEach: 0, lastEndedAt: 0 }
}

/** Of two calls at one time, the second is counted from the end of the first. */
function learn(queue: Queue, statements: number, startedAt: number, now: number): void {
  const msEach = (now - Math.max(startedAt, queue.lastEndedAt)) / statements
  queue.lastEndedAt = now
  if (statements >= tellingCall || msEach < queue.msEach) queue.msEach = msEach
}

/** A conflict of statements is an outcome. One that is thrown must not tell a client that its statement is there already. */
function asDefect(error: unknown): unknown {
  if (!isDomainError(error) || error.code !== 'conflict') return error
  return new DomainError('internal', 'The store failed.', { cause: error })
}
