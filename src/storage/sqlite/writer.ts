// The writing half of the engine: one connection, group commit. A group of calls is one transaction; nothing is answered
// before it is synced.

import { DocumentWriter } from './document-writer.ts'
import { Scrubber } from './scrub.ts'
import { StatementWriter } from './statement-writer.ts'
import { checkpointPages } from './handle.ts'
import { operationOf } from './reader.ts'
import { importDocuments } from '../documents/importing.ts'
import { erasureSql } from './erasure-sql.ts'
import { notePart, requireOpen } from '../directory/import.ts'
import { packOutcomes, unpackBatches } from './batch-message.ts'
import { unpack } from './packed-part.ts'
import { toDomainError, toMessage } from './driver-error.ts'
import type { Answer, Call, Engine } from './engine.ts'
import type { Connection } from './connection.ts'
import type { Eraser } from '../erasure/eraser.ts'
import type { ImportedDocument } from '../../core/storage.ts'
import type { ImportPart } from '../directory/import.ts'
import type { Packed } from './batch-message.ts'
import type { PackedStatements } from './packed-part.ts'
import type { Tending } from './tending.ts'
import type { Sql } from '../erasure/sql.ts'

/** A log this long (512 MB) means readers kept it from being reused; then the writer waits for them. */
const longestLog = 16 * checkpointPages

export class Writer implements Engine {
  readonly #connection: Connection
  readonly #statements: StatementWriter
  readonly #documents: DocumentWriter
  readonly #scrubber: Scrubber
  readonly #sql: Sql
  readonly #begin
  readonly #commit
  readonly #savepoint
  readonly #release
  readonly #logState
  readonly #tending: Pick<Tending, keyof Tending> | undefined

  /** Without somebody who tends the log it does so itself. */
  constructor(connection: Connection, tending?: Pick<Tending, keyof Tending>) {
    this.#connection = connection
    this.#tending = tending
    const { handle } = connection
    this.#statements = new StatementWriter(handle)
    this.#documents = new DocumentWriter(handle)
    this.#scrubber = new Scrubber(handle)
    this.#sql = erasureSql(handle)
    this.#begin = handle.prepare('begin immediate')
    this.#commit = handle.prepare('commit')
    this.#savepoint = handle.prepare('savepoint directory')
    this.#release = handle.prepare('release directory')
    this.#logState = handle.prepare<[], { log: number; checkpointed: number }>('pragma wal_checkpoint(noop)')
  }

  /** Clearing unused space needs to be outside of any transaction, so it is a group of its own. */
  run(calls: readonly Call[]): Promise<readonly Answer[]> {
    const at = calls.findIndex(({ method }) => method === 'erasures.scrub')
    const [first] = calls
    if (at === 0 && first !== undefined) return Promise.resolve([this.#scrub(first)])
    return this.#transact(at > 0 ? calls.slice(0, at) : calls)
  }

  #scrub(call: Call): Answer {
    try {
      return { id: call.id, value: this.#scrubber.scrub(call.args[0] as number) }
    } catch (error) {
      return failing(error)(call)
    }
  }

  async #transact(calls: readonly Call[]): Promise<readonly Answer[]> {
    try {
      this.#begin.run()
      const answers: Answer[] = []
      for (const call of calls) answers.push(await this.#answer(call))
      this.#statements.flush()
      this.#commit.run()
      this.#statements.committed()
      return answers
    } catch (error) {
      this.#rollBack()
      // A full disk hits every call alike. A defect hits one of them: the others must not suffer for it.
      if (calls.length === 1 || toDomainError(error).code === 'unavailable') return calls.map(failing(error))
      const alone: Answer[] = []
      for (const call of calls) alone.push(...(await this.#transact([call])))
      return alone
    }
  }

  #answer(call: Call): Answer | Promise<Answer> {
    const { id, method, args } = call
    switch (method) {
      case 'statements.store': {
        const [packed] = args as [Packed]
        return { id, value: packOutcomes(this.#statements.store(unpackBatches(packed))) }
      }
      case 'documents.change':
        return { id, value: this.#documents.change(...(args as Parameters<DocumentWriter['change']>)) }
      case 'documents.deleteAll':
        return { id, value: this.#documents.deleteAll(...(args as Parameters<DocumentWriter['deleteAll']>)) }
      case 'erasures.step':
        return this.#refusable(call, this.#statements.erase(...(args as Parameters<Eraser['step']>)))
      case 'erasures.countBlobs':
        return this.#refusable(call, this.#statements.countBlobs(...(args as Parameters<Eraser['countBlobs']>)))
      case 'imports.storeStatements':
        return this.#refusable(call, this.#importStatements(...(args as [ImportPart, PackedStatements])))
      case 'imports.storeDocuments':
        return this.#refusable(call, this.#importDocuments(...(args as [ImportPart, readonly ImportedDocument[]])))
      default:
        return this.#writeDirectory(call)
    }
  }

  async #importStatements(part: ImportPart, packed: PackedStatements): Promise<unknown> {
    const { kysely } = this.#connection
    await requireOpen(kysely, part)
    const outcomes = this.#statements.import(part.lrsId, unpack(packed))
    await notePart(kysely, part, 'statements', outcomes)
    return outcomes
  }

  async #importDocuments(part: ImportPart, documents: readonly ImportedDocument[]): Promise<unknown> {
    const { kysely } = this.#connection
    await requireOpen(kysely, part)
    const outcomes = await importDocuments(this.#sql, part.lrsId, documents)
    await notePart(kysely, part, 'documents', outcomes)
    return outcomes
  }

  /** A job that is not there is refused before anything is changed. */
  async #refusable(call: Call, work: Promise<unknown>): Promise<Answer> {
    try {
      return { id: call.id, value: await work }
    } catch (error) {
      if (toDomainError(error).code !== 'not_found') throw error
      return failing(error)(call)
    }
  }

  /** Refusals are common here and leave nothing behind. The others need no savepoint: they check before they write. */
  async #writeDirectory(call: Call): Promise<Answer> {
    const { handle, kysely } = this.#connection
    this.#savepoint.run()
    try {
      const value = await operationOf(call.method)(kysely, ...(call.args as never[]))
      this.#release.run()
      return { id: call.id, value }
    } catch (error) {
      // Some failures (a full disk) have ended the whole transaction already.
      if (!handle.inTransaction || toDomainError(error).code === 'unavailable') throw error
      handle.exec('rollback to directory; release directory')
      return failing(error)(call)
    }
  }

  #rollBack(): void {
    const { handle } = this.#connection
    if (handle.inTransaction) handle.exec('rollback')
    this.#statements.rolledBack()
  }

  /**
   * Has the log copied back into the file once it has grown enough; what is written meanwhile is copied here, so that the log is at
   * its end once, and begins anew.
   */
  tend(): void {
    const { log, checkpointed } = this.#logState.get() ?? { log: 0, checkpointed: 0 }
    if (log >= longestLog) this.#copyBack('restart')
    else if (this.#tending?.isBusy) return
    else if (this.#tending?.takeDone()) this.#copyBack('passive')
    else if (log - checkpointed >= checkpointPages && !this.#tending?.ask()) this.#copyBack('passive')
  }

  #copyBack(mode: 'passive' | 'restart'): void {
    try {
      this.#connection.handle.pragma(`wal_checkpoint(${mode})`)
    } catch (error) {
      // What is committed is safe in the log; the next group tries again, and its own commit reports a sick disk.
      if (toDomainError(error).code !== 'unavailable') throw error
    }
  }

  close(): void {
    this.#tending?.close()
    this.#connection.close()
    this.#scrubber.close()
  }
}

function failing(error: unknown): (call: Call) => Answer {
  const message = toMessage(error)
  return ({ id }) => ({ id, error: message })
}
