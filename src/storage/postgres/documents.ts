// The document half of the port on PostgreSQL.

import { DomainError } from '../../core/errors.ts'
import type { Clock, DocumentStore } from '../../core/storage.ts'
import type { Database } from './database.ts'
import type { LrsId } from '../../core/ids.ts'

export class Documents implements DocumentStore {
  readonly #database: Database
  readonly #clock: Clock | undefined

  constructor(database: Database, clock?: Clock) {
    this.#database = database
    this.#clock = clock
  }

  find: DocumentStore['find'] = () => this.#missing()
  change: DocumentStore['change'] = () => this.#missing()
  listIds: DocumentStore['listIds'] = () => this.#missing()
  deleteAll: DocumentStore['deleteAll'] = () => this.#missing()

  /** Those of `sha2s` that a row of the Lrs refers to. */
  async findReferenced(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]> {
    const rows = await this.#database.query<{ readonly sha2: string }>(
      `select wanted.sha2 from unnest($2::text[]) as wanted (sha2)
        where exists (select 1 from attachment a where a.lrs_id = $1 and a.sha2 = wanted.sha2)
           or exists (select 1 from document d where d.lrs_id = $1 and d.sha2 = wanted.sha2)`,
      [lrsId, sha2s],
    )
    return rows.map(({ sha2 }) => sha2)
  }

  #missing(): Promise<never> {
    void this.#clock
    return Promise.reject(new DomainError('unsupported', 'Not there yet.'))
  }
}
