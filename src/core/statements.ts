// The statement use cases: rights, pins and limits in front of the rules, the rules in front of storage.
// Knows nothing of HTTP; what it returns is text a face passes through.

import type { LrsId, Seq } from './ids.ts'
import type { Principal } from './principal.ts'
import type { Ids, StatementQuery, Storage, StoredStatement } from './storage.ts'
import type { XapiVersion } from './xapi/version.ts'

export interface StatementsOptions {
  readonly storage: Storage
  readonly ids: Ids
  /** Statements in one request, unless the credential's own limit is lower. */
  readonly batchLimit: number
}

/** One request to store. */
export interface Submission {
  /** The body: one statement or an array of them, as JSON text. */
  readonly text: string
  readonly version: XapiVersion
  /** The id the caller chose outside the body; then the body must be one statement. */
  readonly statementId?: string
}

export interface Receipt {
  /** In the order of the submission. */
  readonly ids: readonly string[]
}

export interface StatementSlice {
  readonly statements: readonly StoredStatement[]
  /** Where to continue; undefined at the end. May be set with fewer statements than asked for. */
  readonly next: Seq | undefined
  readonly consistentThrough: number
}

export class Statements {
  readonly options: StatementsOptions

  constructor(options: StatementsOptions) {
    this.options = options
  }

  /** Validates, stamps and stores all or none; resolves when synced. */
  async store(principal: Principal, lrsId: LrsId, submission: Submission): Promise<Receipt> {
    void [principal, lrsId, submission]
    throw new Error('not written yet')
  }

  /** One statement by id, voided or not. `not_found` also for what the principal's reach or pins hide. */
  async get(principal: Principal, lrsId: LrsId, id: string, options: { isVoided: boolean }): Promise<StoredStatement> {
    void [principal, lrsId, id, options]
    throw new Error('not written yet')
  }

  /** A page of what the principal may read. */
  async list(principal: Principal, lrsId: LrsId, query: Omit<StatementQuery, 'owner'>): Promise<StatementSlice> {
    void [principal, lrsId, query]
    throw new Error('not written yet')
  }

  /** Microseconds: everything stored at or before it is visible. Tells nothing of content, so it needs no right. */
  async consistentThrough(lrsId: LrsId): Promise<number> {
    return this.options.storage.statements.consistentThrough(lrsId)
  }

  /** Refuses what is new, finishes what was accepted. */
  async close(): Promise<void> {}
}
