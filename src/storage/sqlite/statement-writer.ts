// The writer's statements: storing and erasing inside a transaction that the caller begins, commits or rolls back.

import { Eraser } from '../erasure/eraser.ts'
import { FreeTimes } from '../statements/free-times.ts'
import { SqliteStatementTables } from './statement-tables.ts'
import { Storing } from '../statements/storing.ts'
import { erasureSql } from './erasure-sql.ts'
import type { BatchOutcome, ErasureStep, ImportedStatement, ImportOutcome } from '../../core/storage.ts'
import type { Handle } from './handle.ts'
import type { LrsId } from '../../core/ids.ts'
import type { TimedBatch } from '../statements/storing.ts'

export class StatementWriter {
  readonly #tables: SqliteStatementTables
  readonly #storing: Storing
  readonly #times = new FreeTimes()
  readonly #eraser: Eraser

  constructor(handle: Handle) {
    this.#tables = new SqliteStatementTables(handle)
    this.#storing = new Storing(this.#tables)
    this.#eraser = new Eraser(erasureSql(handle))
  }

  /** A throw leaves the transaction half done: roll it back. */
  store(batches: readonly TimedBatch[]): BatchOutcome[] {
    return this.#storing.store(batches)
  }

  /** The same. */
  import(lrsId: LrsId, statements: readonly ImportedStatement[]): ImportOutcome[] {
    return this.#storing.import(lrsId, statements, this.#times)
  }

  /** Before the commit. */
  flush(): void {
    this.#tables.flush()
  }

  /** Removes rows instead; what this transaction has stored so far is all in the tables by then. */
  async erase(...args: Parameters<Eraser['step']>): Promise<ErasureStep> {
    this.#tables.flush()
    const [, , lrsId] = args
    try {
      const { step, forgotten } = await this.#eraser.step(...args)
      for (const { kind, value } of forgotten.terms) this.#tables.terms.forget(lrsId, kind, value)
      if (forgotten.hasNewSalt) this.#tables.erasedIds.read()
      return step
    } finally {
      this.#tables.forgetDescriptions()
    }
  }

  countBlobs(...args: Parameters<Eraser['countBlobs']>): Promise<void> {
    return this.#eraser.countBlobs(...args)
  }

  committed(): void {
    this.#storing.ended()
    this.#tables.committed()
  }

  rolledBack(): void {
    this.#storing.ended()
    this.#tables.rolledBack()
  }
}
