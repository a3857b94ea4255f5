// Stores statements inside a transaction of the engine's, over its tables: identity, conflicts, stored times, voiding,
// postings, attachments. The same for every engine; knows no SQL. What referring statements inherit is in references.ts.

import { References } from './references.ts'
import { asRelated, ownerTerm, registrationTerm } from '../posting.ts'
import { formatStored } from '../../core/xapi/time.ts'
import { isSentAgain } from '../../core/xapi/equality.ts'
import type { BatchOutcome, PreparedStatement, StatementBatch } from '../../core/storage.ts'
import type { LrsId, Seq } from '../../core/ids.ts'
import type { Existing, Node, StatementTables } from './tables.ts'
import type { PostingTerm } from '../posting.ts'

/** A batch with the lowest stored time its first statement may get. */
export interface TimedBatch extends StatementBatch {
  readonly floor: number
}

export class Storing {
  readonly #tables: StatementTables
  readonly #references: References

  constructor(tables: StatementTables) {
    this.#tables = tables
    this.#references = new References(tables)
  }

  /** A throw leaves the transaction half done: roll it back. */
  store(batches: readonly TimedBatch[]): BatchOutcome[] {
    return batches.map((batch) => this.#storeBatch(batch))
  }

  #storeBatch(batch: TimedBatch): BatchOutcome {
    const ids = batch.statements.map(({ id }) => toBlob(id))
    const found = ids.map((id) => this.#tables.find(batch.lrsId, id))
    // All are checked before any is written, so that a conflict needs no undoing.
    const index = found.findIndex((existing, at) => {
      const statement = batch.statements[at]
      return existing !== undefined && statement !== undefined && !isSame(existing, statement, batch)
    })
    if (index >= 0) return { kind: 'conflict', index }
    const statements = batch.statements.map((statement, at) => {
      const existing = found[at]
      if (existing !== undefined) {
        this.#claim(batch.lrsId, existing.seq, statement)
        return { seq: existing.seq as Seq, wasThere: true }
      }
      const id = ids[at] as Buffer
      if (this.#tables.isErased(batch.lrsId, id)) return { seq: erasedSeq, wasThere: true }
      return { seq: this.#storeOne(batch, statement, id), wasThere: false }
    })
    return { kind: 'stored', statements }
  }

  #storeOne(batch: TimedBatch, statement: PreparedStatement, id: Buffer): Seq {
    const { lrsId, owner } = batch
    const { isVoiding, timestamp } = statement
    const seq = this.#nextSeq(batch)
    const node: Node = { lrsId, seq, id, owner, isVoiding }
    const terms = this.#termsOf(lrsId, statement)
    const isVoided = !isVoiding && this.#tables.isVoidWaiting(lrsId, id, owner)
    this.#tables.insert({ ...node, timestamp: timestamp ?? seq, isVoided, terms, body: complete(statement, seq) })
    this.#tables.post(lrsId, [ownerTerm(owner), ...terms], seq)
    const refersTo = statement.refersTo === undefined ? undefined : toBlob(statement.refersTo)
    if (refersTo !== undefined && isVoiding) this.#references.void(node, refersTo, batch.voidReach)
    this.#references.connect(node, terms, refersTo)
    this.#claim(lrsId, seq, statement)
    this.#tables.describe(batch, statement, seq)
    return seq
  }

  /** Also of one that was there: whoever sends an equal one with the bytes has sent them, and is told that they are stored. */
  #claim(lrsId: LrsId, seq: number, { attachments }: PreparedStatement): void {
    for (const attachment of attachments) this.#tables.claim(lrsId, seq, attachment)
  }

  #nextSeq({ lrsId, floor }: TimedBatch): Seq {
    return Math.max(floor, this.#tables.lastSeq(lrsId) + 1) as Seq
  }

  #termsOf(lrsId: LrsId, { terms }: PreparedStatement): PostingTerm[] {
    return terms.map(({ kind, value, isRelated }) => {
      const term = kind === 'registration' ? registrationTerm(value) : this.#tables.termOf(lrsId, kind, value)
      return isRelated ? asRelated(term) : term
    })
  }

  /** The transaction has ended. */
  ended(): void {
    this.#references.ended()
  }
}

/** Stands for the stored time of a statement that was erased: it has none any more. */
const erasedSeq = 1 as Seq

/** Compared by what they say only here, where an id is met again: most statements never are. */
function isSame(existing: Existing, statement: PreparedStatement, batch: StatementBatch): boolean {
  return isSentAgain(existing, statement, batch, complete(statement, existing.seq))
}

export function toBlob(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

function complete({ openBody, timestamp }: PreparedStatement, seq: number): string {
  const stored = formatStored(seq)
  return `${openBody}${timestamp === undefined ? `,"timestamp":"${stored}"` : ''},"stored":"${stored}"}`
}
