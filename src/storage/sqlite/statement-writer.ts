// Stores statements inside a transaction that the caller begins, commits or rolls back: identity, conflicts, stored times,
// voiding, postings, attachments. What referring statements inherit is in references.ts, what is said of activities and
// agents in descriptions.ts.

import { Descriptions } from './descriptions.ts'
import { Dictionary } from './terms.ts'
import { ErasedIds } from './erased-ids.ts'
import { Eraser } from './eraser.ts'
import { LRUCache } from 'lru-cache'
import { References } from './references.ts'
import { asRelated, dictionaryId, ownerTerm, printTerms } from '../posting.ts'
import { prepareLastSeq } from './last-seq.ts'
import { formatStored } from '../../core/xapi/time.ts'
import { isSentAgain } from '../../core/xapi/equality.ts'
import type { BatchOutcome, PreparedStatement, StatementBatch } from '../../core/storage.ts'
import type { CredentialId, LrsId, Seq } from '../../core/ids.ts'
import type { Handle } from './connection.ts'
import type { PostingTerm } from '../posting.ts'
import type { TimedBatch } from './batch-message.ts'

/** A statement as the write path needs it: who it is and where it stands, not its body. */
export interface Node {
  readonly lrsId: LrsId
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly isVoiding: boolean
}

interface Posting {
  readonly lrsId: LrsId
  readonly term: PostingTerm
  readonly seq: number
}

interface Existing {
  readonly seq: number
  readonly owner: CredentialId
  readonly timestamp: number
  readonly body: string
}

export class StatementWriter {
  readonly #find
  readonly #insert
  readonly #insertPosting
  readonly #insertPostings
  readonly #insertAttachment
  readonly #lastSeq
  readonly #terms: Dictionary
  readonly #descriptions: Descriptions
  readonly #references: References
  readonly #erasedIds: ErasedIds
  readonly #eraser: Eraser
  /** Highest seq per Lrs; that of this transaction included. */
  readonly #lastSeqs = new LRUCache<LrsId, number>({ max: 10_000 })
  /** Written at the end of the transaction in key order; nothing on the write path reads postings. */
  #postings: Posting[] = []

  constructor(handle: Handle) {
    this.#find = handle.prepare<[number, Buffer], Existing>(
      'select seq, owner, timestamp, body from statement where lrs_id = ? and id = ?',
    )
    this.#insert = handle.prepare(
      `insert into statement (lrs_id, seq, id, owner, timestamp, is_voided, is_voiding, terms, body)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertPosting = handle.prepare(insertPostings(1))
    this.#insertPostings = handle.prepare(insertPostings(postingsAtOnce))
    this.#lastSeq = prepareLastSeq(handle)
    this.#insertAttachment = handle.prepare(
      'insert or ignore into attachment (lrs_id, seq, sha2, content_type) values (?, ?, ?, ?)',
    )
    this.#terms = new Dictionary(handle)
    this.#descriptions = new Descriptions(handle)
    this.#references = new References(handle, (lrsId, terms, seq) => this.#post(lrsId, terms, seq))
    this.#erasedIds = new ErasedIds(handle)
    this.#eraser = new Eraser(handle, { terms: this.#terms, erasedIds: this.#erasedIds })
  }

  /** A throw leaves the transaction half done: roll it back. */
  store(batches: readonly TimedBatch[]): BatchOutcome[] {
    return batches.map((batch) => this.#storeBatch(batch))
  }

  #storeBatch(batch: TimedBatch): BatchOutcome {
    const ids = batch.statements.map(({ id }) => toBlob(id))
    const found = ids.map((id) => this.#find.get(batch.lrsId, id))
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
      if (this.#erasedIds.has(batch.lrsId, id)) return { seq: erasedSeq, wasThere: true }
      return { seq: this.#storeOne(batch, statement, id), wasThere: false }
    })
    return { kind: 'stored', statements }
  }

  #storeOne(batch: TimedBatch, statement: PreparedStatement, id: Buffer): Seq {
    const { lrsId, owner } = batch
    const seq = this.#nextSeq(batch)
    const node: Node = { lrsId, seq, id, owner, isVoiding: statement.isVoiding }
    const terms = this.#termsOf(lrsId, statement)
    const isVoided = !statement.isVoiding && this.#references.isVoidWaiting(node)
    this.#insert.run(
      lrsId,
      seq,
      id,
      owner,
      statement.timestamp ?? seq,
      isVoided ? 1 : 0,
      statement.isVoiding ? 1 : 0,
      printTerms(terms),
      complete(statement, seq),
    )
    this.#post(lrsId, [ownerTerm(owner), ...terms], seq)
    const refersTo = statement.refersTo === undefined ? undefined : toBlob(statement.refersTo)
    if (refersTo !== undefined && statement.isVoiding) this.#references.void(node, refersTo, batch.voidReach)
    this.#references.connect(node, terms, refersTo)
    this.#claim(lrsId, seq, statement)
    this.#describe(batch, statement, seq)
    return seq
  }

  /** Also of one that was there: whoever sends an equal one with the bytes has sent them, and is told that they are stored. */
  #claim(lrsId: LrsId, seq: number, { attachments }: PreparedStatement): void {
    for (const { sha2, contentType } of attachments) this.#insertAttachment.run(lrsId, seq, sha2, contentType)
  }

  #describe({ lrsId, owner, defineReach }: TimedBatch, { descriptions, timestamp }: PreparedStatement, seq: Seq): void {
    for (const { kind, value, text } of descriptions) {
      const subject = dictionaryId(this.#terms.termOf(lrsId, kind, value))
      this.#descriptions.say({ lrsId, subject, owner, text, isShared: defineReach === 'any', at: timestamp ?? seq })
    }
  }

  #nextSeq({ lrsId, floor }: TimedBatch): Seq {
    const last = this.#lastSeqs.get(lrsId) ?? this.#lastSeq(lrsId)
    const seq = Math.max(floor, last + 1)
    this.#lastSeqs.set(lrsId, seq)
    return seq as Seq
  }

  #termsOf(lrsId: LrsId, { terms }: PreparedStatement): PostingTerm[] {
    return terms.map(({ kind, value, isRelated }) => {
      const term = this.#terms.termOf(lrsId, kind, value)
      return isRelated ? asRelated(term) : term
    })
  }

  #post(lrsId: LrsId, terms: readonly PostingTerm[], seq: number): void {
    for (const term of terms) this.#postings.push({ lrsId, term, seq })
  }

  /** Before the commit. */
  flush(): void {
    const postings = this.#postings.sort(byKey)
    this.#postings = []
    const rest = postings.length % postingsAtOnce
    for (let at = 0; at < postings.length - rest; at += postingsAtOnce) {
      this.#insertPostings.run(postings.slice(at, at + postingsAtOnce).flatMap(toRow))
    }
    for (const posting of postings.slice(postings.length - rest)) this.#insertPosting.run(toRow(posting))
    this.#descriptions.flush()
  }

  /** Removes rows instead; what this transaction has stored so far is all in the tables by then. */
  erase<T>(work: (eraser: Eraser) => T): T {
    this.flush()
    try {
      return work(this.#eraser)
    } finally {
      this.#descriptions.forget()
    }
  }

  committed(): void {
    this.#references.ended()
    this.#terms.committed()
  }

  rolledBack(): void {
    this.#references.ended()
    this.#postings = []
    this.#lastSeqs.clear()
    this.#descriptions.forget()
    this.#terms.rolledBack()
    this.#erasedIds.rolledBack()
  }
}

/** Stands for the stored time of a statement that was erased: it has none any more. */
const erasedSeq = 1 as Seq

/** A statement has about this many. Calling SQLite costs more than one small row; beyond eight nothing more is gained. */
const postingsAtOnce = 8

function insertPostings(count: number): string {
  return `insert or ignore into posting (lrs_id, term, seq) values ${Array(count).fill('(?, ?, ?)').join(', ')}`
}

function toRow({ lrsId, term, seq }: Posting): PostingTerm[] {
  return [lrsId, term, seq]
}

function byKey(a: Posting, b: Posting): number {
  if (a.lrsId !== b.lrsId) return a.lrsId - b.lrsId
  if (a.term !== b.term) return a.term < b.term ? -1 : 1
  return a.seq - b.seq
}

/** Compared by what they say only here, where an id is met again: most statements never are. */
function isSame(existing: Existing, statement: PreparedStatement, batch: StatementBatch): boolean {
  return isSentAgain(existing, statement, batch, complete(statement, existing.seq))
}

function toBlob(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

function complete({ openBody, timestamp }: PreparedStatement, seq: number): string {
  const stored = formatStored(seq)
  return `${openBody}${timestamp === undefined ? `,"timestamp":"${stored}"` : ''},"stored":"${stored}"}`
}
