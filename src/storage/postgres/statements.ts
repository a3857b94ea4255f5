// The statement half of the port on PostgreSQL.

import { DomainError } from '../../core/errors.ts'
import { Horizon } from './horizon.ts'
import type { Clock, StatementStore } from '../../core/storage.ts'
import type { Database } from './database.ts'

export class Statements implements StatementStore {
  readonly #horizon: Horizon

  constructor(database: Database, clock?: Clock) {
    this.#horizon = new Horizon(database, clock)
  }

  store: StatementStore['store'] = () => this.#missing()
  find: StatementStore['find'] = () => this.#missing()
  list: StatementStore['list'] = () => this.#missing()
  consistentThrough: StatementStore['consistentThrough'] = (lrsId) => this.#horizon.through(lrsId)
  listDescriptions: StatementStore['listDescriptions'] = () => this.#missing()

  #missing(): Promise<never> {
    return Promise.reject(new DomainError('unsupported', 'Not there yet.'))
  }
}
