// The statement half of the port on PostgreSQL.

import { Gate } from '../../core/gate.ts'
import { Horizon } from './horizon.ts'
import { StatementReader } from './statement-reader.ts'
import { StatementWriter } from './statement-writer.ts'
import type { BatchOutcome, Clock, StatementBatch, StatementStore } from '../../core/storage.ts'
import type { Database } from './database.ts'

/** Of the connections, those that store at one time; the others are left to reads. */
const storingShare = 0.6
const mostWaiting = 10_000
const waitMs = 10_000

export class Statements implements StatementStore {
  readonly #horizon: Horizon
  readonly #writer: StatementWriter
  readonly #gate: Gate
  readonly find: StatementStore['find']
  readonly list: StatementStore['list']
  readonly listDescriptions: StatementStore['listDescriptions']

  constructor(database: Database, clock?: Clock) {
    this.#horizon = new Horizon(database, clock)
    this.#writer = new StatementWriter(database)
    const atOnce = Math.max(1, Math.floor(database.connections * storingShare))
    this.#gate = new Gate({ atOnce, waiting: mostWaiting, waitMs }, 'Too many statements are waiting to be stored.')
    const reader = new StatementReader(database, this.#horizon)
    this.find = (...args) => reader.find(...args)
    this.list = (...args) => reader.list(...args)
    this.listDescriptions = (...args) => reader.listDescriptions(...args)
  }

  async store(batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]> {
    const [first] = batches
    if (first === undefined) return []
    const { lrsId } = first
    return this.#horizon.whileStoring(lrsId, () =>
      this.#gate.pass(() => this.#writer.store(lrsId, batches, () => this.#horizon.givenMicros())),
    )
  }

  consistentThrough: StatementStore['consistentThrough'] = (lrsId) => this.#horizon.through(lrsId)
}
