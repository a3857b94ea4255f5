// The document half of the port on PostgreSQL: one transaction per change. Merges of large documents are made outside of it.

import { LargeMerges } from '../documents/large-merges.ts'
import { Turns } from '../documents/turns.ts'
import { changeDocument, deleteDocuments, fixLatest, lockScope } from './document-writer.ts'
import { findDocument, listDocumentIds } from './document-reader.ts'
import { scopeHash } from '../documents/scope.ts'
import type { ChangeOptions, ChangeOutcome } from '../documents/change.ts'
import type { Clock, DocumentAccess, DocumentChange, DocumentKey, DocumentOutcome } from '../../core/storage.ts'
import type { DocumentScope, DocumentStore, StoredDocument } from '../../core/storage.ts'
import type { Database, Transaction } from './database.ts'
import type { LrsId } from '../../core/ids.ts'

export class Documents implements DocumentStore {
  readonly #database: Database
  readonly #clock: Clock | undefined
  readonly #merges: LargeMerges
  /** By Lrs and scope. Those who waited in the database for its lock would keep connections from everybody else. */
  readonly #turns = new Turns<string>()

  /** `clock`: for tests, instead of the database's. */
  constructor(database: Database, clock?: Clock) {
    this.#database = database
    this.#clock = clock
    this.#merges = new LargeMerges({
      find: (...args) => this.find(...args),
      change: (...args) => this.#change(...args),
      canInsist: true,
    })
  }

  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): Promise<StoredDocument | undefined> {
    return findDocument(this.#database, lrsId, key, access)
  }

  change(...args: Parameters<DocumentStore['change']>): Promise<DocumentOutcome> {
    return this.#merges.change(...args)
  }

  #change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: ChangeOptions,
  ): Promise<ChangeOutcome> {
    return this.#inTurn(lrsId, key, (transaction) => {
      const now = this.#clock === undefined ? null : Math.floor(this.#clock.now() * 1000)
      return changeDocument(transaction, lrsId, key, access, change, { ...options, now })
    })
  }

  #inTurn<T>(lrsId: LrsId, scope: DocumentScope, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const name = `${lrsId} ${scopeHash(scope).toString('base64')}`
    return this.#turns.take(name, () => this.#database.transact('write', work, lockScope(lrsId, scope)))
  }

  listIds(...args: Parameters<DocumentStore['listIds']>): ReturnType<DocumentStore['listIds']> {
    return listDocumentIds(this.#database, ...args)
  }

  deleteAll(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess): Promise<number> {
    return this.#inTurn(lrsId, scope, (transaction) => deleteDocuments(transaction, lrsId, scope, access))
  }

  /** Of the latest change in the Lrs, in microseconds; 0 where there is no document. What is changed from now on is later. */
  latest(lrsId: LrsId): Promise<number> {
    return this.#database.transact('write', (transaction) => fixLatest(transaction, lrsId))
  }

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
}
