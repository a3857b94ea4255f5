// The statement half of the port on PostgreSQL.

import { Horizon } from './horizon.ts'
import { StoringTurns } from './shares.ts'
import { StatementReader } from './statement-reader.ts'
import { StatementWriter } from './statement-writer.ts'
import { speakersOf } from '../statements/storing.ts'
import type { BatchOutcome, Clock, ImportOutcome, Json, StatementBatch, StatementStore } from '../../core/storage.ts'
import type { LrsId, Oid } from '../../core/ids.ts'
import type { ListedPart } from '../statements/listed-part.ts'
import type { Database } from './database.ts'

export class Statements implements StatementStore {
  readonly #horizon: Horizon
  readonly #writer: StatementWriter
  readonly #turns: StoringTurns
  readonly find: StatementStore['find']
  readonly list: StatementStore['list']
  readonly follow: StatementStore['follow']
  readonly listLatest: StatementStore['listLatest']
  readonly countStatements: StatementStore['countStatements']
  readonly listDescriptions: StatementStore['listDescriptions']

  constructor(database: Database, clock?: Clock) {
    this.#horizon = new Horizon(database, clock)
    this.#writer = new StatementWriter(database)
    this.#turns = new StoringTurns(database.connections)
    const reader = new StatementReader(database, this.#horizon)
    this.find = (...args) => reader.find(...args)
    this.list = (...args) => reader.list(...args)
    this.follow = (...args) => reader.follow(...args)
    this.listLatest = (...args) => reader.listLatest(...args)
    this.countStatements = (...args) => reader.count(...args)
    this.listDescriptions = (...args) => reader.listDescriptions(...args)
  }

  async store(batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]> {
    const [first] = batches
    if (first === undefined) return []
    const { lrsId } = first
    return this.#horizon.whileStoring(lrsId, () => {
      // While the call before is under way.
      const prepared = this.#writer.prepare(lrsId, batches)
      return this.#turns.take(lrsId, () => this.#writer.store(prepared, this.#horizon.givenMicros()))
    })
  }

  /** As `ImportStore.storeStatements`. */
  import(
    id: Oid,
    lrsId: LrsId,
    { part, progress }: { readonly part: ListedPart; readonly progress?: Json },
  ): Promise<readonly ImportOutcome[]> {
    return this.#horizon.whileStoring(lrsId, () => {
      const prepared = this.#writer.prepare(lrsId, speakersOf(lrsId, part.statements))
      return this.#turns.take(lrsId, () => this.#writer.import(prepared, { id, lrsId, progress }, part))
    })
  }

  consistentThrough: StatementStore['consistentThrough'] = (lrsId) => this.#horizon.through(lrsId)
}
