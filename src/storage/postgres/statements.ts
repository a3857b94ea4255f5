// The statement half of the port on PostgreSQL.

import { DomainError } from '../../core/errors.ts'
import type { Clock, StatementStore } from '../../core/storage.ts'
import type { Database } from './database.ts'

export class Statements implements StatementStore {
  readonly #database: Database
  readonly #clock: Clock | undefined

  constructor(database: Database, clock?: Clock) {
    this.#database = database
    this.#clock = clock
  }

  store: StatementStore['store'] = () => this.#missing()
  find: StatementStore['find'] = () => this.#missing()
  list: StatementStore['list'] = () => this.#missing()
  consistentThrough: StatementStore['consistentThrough'] = () => this.#missing()
  listDescriptions: StatementStore['listDescriptions'] = () => this.#missing()

  #missing(): Promise<never> {
    void this.#database
    void this.#clock
    return Promise.reject(new DomainError('unsupported', 'Not there yet.'))
  }
}
