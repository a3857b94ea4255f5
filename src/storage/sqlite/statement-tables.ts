// The rows that storing asks of and changes, as prepared statements on the writer's connection, inside its transaction.

import { Descriptions } from './descriptions.ts'
import { Dictionary } from './terms.ts'
import { ErasedIds } from './erased-ids.ts'
import { LRUCache } from 'lru-cache'
import { dictionaryId, printTerms } from '../posting.ts'
import { everybody, mostReferrers } from '../statements/references.ts'
import { prepareLastSeq } from './last-seq.ts'
import type { AttachmentClaim, PreparedStatement, TermKind } from '../../core/storage.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Existing, Linked, NewRow, StatementTables } from '../statements/tables.ts'
import type { Handle } from './handle.ts'
import type { PostingTerm } from '../posting.ts'
import type { TimedBatch } from '../statements/storing.ts'

interface Posting {
  readonly lrsId: LrsId
  readonly term: PostingTerm
  readonly seq: number
}

export class SqliteStatementTables implements StatementTables {
  readonly terms: Dictionary
  readonly erasedIds: ErasedIds
  readonly #descriptions: Descriptions
  readonly #find
  readonly #insert
  readonly #insertPosting
  readonly #insertPostings
  readonly #insertAttachment
  readonly #lastSeq
  readonly #isTaken
  readonly #target
  readonly #source
  readonly #isFull
  readonly #nextReferring
  readonly #referrers
  readonly #insertReference
  readonly #saveInherited
  readonly #isAnyWaiting
  readonly #isWaiting
  readonly #waitToVoid
  readonly #setVoided
  readonly #addCount
  /** Highest seq per Lrs; that of this transaction included. */
  readonly #lastSeqs = new LRUCache<LrsId, number>({ max: 10_000 })
  /** Written at the end of the transaction in key order; nothing on the write path reads postings. */
  #postings: Posting[] = []
  /** How many came, per Lrs; written at the end of the transaction, too. */
  readonly #arrived = new Map<LrsId, number>()

  constructor(handle: Handle) {
    this.terms = new Dictionary(handle)
    this.erasedIds = new ErasedIds(handle)
    this.#descriptions = new Descriptions(handle)
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
    this.#isTaken = handle
      .prepare<[number, number], number>('select 1 from statement where lrs_id = ? and seq = ?')
      .pluck()
    this.#insertAttachment = handle.prepare(
      'insert or ignore into attachment (lrs_id, seq, sha2, content_type) values (?, ?, ?, ?)',
    )
    // What is inherited has a table of its own: a row with its body would be written anew with every gain.
    const row = `select s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited from statement s
      left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq where s.lrs_id = ?`
    this.#target = handle.prepare<[number, Buffer], Linked>(`${row} and s.id = ?`)
    this.#source = handle.prepare<[number, number], Linked>(`${row} and s.seq = ?`)
    const reference = 'from reference where lrs_id = ? and target_id = ?'
    this.#isFull = handle
      .prepare<[number, Buffer, number], number>(
        `select 1 ${reference} and owner = ? limit 1 offset ${mostReferrers - 1}`,
      )
      .pluck()
    this.#nextReferring = handle
      .prepare<[number, Buffer, number], CredentialId>(`select owner ${reference} and owner > ? order by owner limit 1`)
      .pluck()
    this.#referrers = handle
      .prepare<[number, Buffer, number, number], number>(
        `select source_seq ${reference} and owner = ? order by source_seq limit ?`,
      )
      .pluck()
    this.#insertReference = handle.prepare(
      'insert into reference (lrs_id, target_id, owner, source_seq) values (?, ?, ?, ?)',
    )
    this.#saveInherited = handle.prepare(
      `insert into inheritance (lrs_id, seq, terms) values (?, ?, ?)
       on conflict (lrs_id, seq) do update set terms = excluded.terms`,
    )
    const waiting = 'select 1 from waiting_void where lrs_id = ? and target_id = ?'
    this.#isAnyWaiting = handle.prepare<[number, Buffer], number>(`${waiting} limit 1`).pluck()
    this.#isWaiting = handle
      .prepare<[number, Buffer, number], number>(`${waiting} and owner in (${everybody}, ?) limit 1`)
      .pluck()
    this.#waitToVoid = handle.prepare('insert or ignore into waiting_void (lrs_id, target_id, owner) values (?, ?, ?)')
    this.#setVoided = handle.prepare('update statement set is_voided = 1 where lrs_id = ? and seq = ?')
    this.#addCount = handle.prepare(
      `insert into lrs_state (lrs_id, statements) values (?, ?)
       on conflict (lrs_id) do update set statements = statements + excluded.statements`,
    )
  }

  find(lrsId: LrsId, id: Buffer): Existing | undefined {
    return this.#find.get(lrsId, id)
  }

  isErased(lrsId: LrsId, id: Buffer): boolean {
    return this.erasedIds.has(lrsId, id)
  }

  lastSeq(lrsId: LrsId): number {
    return this.#lastSeqs.get(lrsId) ?? this.#lastSeq(lrsId)
  }

  isTaken(lrsId: LrsId, seq: number): boolean {
    return this.#isTaken.get(lrsId, seq) !== undefined
  }

  termOf(lrsId: LrsId, kind: TermKind, value: string): PostingTerm {
    return this.terms.termOf(lrsId, kind, value)
  }

  insert({ lrsId, seq, id, owner, timestamp, isVoided, isVoiding, terms, body }: NewRow): void {
    const printed = printTerms(terms)
    const last = this.lastSeq(lrsId)
    this.#insert.run(lrsId, seq, id, owner, timestamp, isVoided ? 1 : 0, isVoiding ? 1 : 0, printed, body)
    this.#lastSeqs.set(lrsId, Math.max(seq, last))
    this.#arrived.set(lrsId, (this.#arrived.get(lrsId) ?? 0) + 1)
  }

  claim(lrsId: LrsId, seq: number, { sha2, contentType }: AttachmentClaim): void {
    this.#insertAttachment.run(lrsId, seq, sha2, contentType)
  }

  describe({ lrsId, owner, defineReach }: TimedBatch, statement: PreparedStatement, seq: number): void {
    const at = statement.timestamp ?? seq
    for (const { kind, value, text } of statement.descriptions) {
      const subject = dictionaryId(this.terms.termOf(lrsId, kind, value))
      this.#descriptions.say({ lrsId, subject, owner, text, isShared: defineReach === 'any', at })
    }
  }

  findTarget(lrsId: LrsId, id: Buffer): Linked | undefined {
    return this.#target.get(lrsId, id)
  }

  findSource(lrsId: LrsId, seq: number): Linked | undefined {
    return this.#source.get(lrsId, seq)
  }

  isFull(lrsId: LrsId, targetId: Buffer, owner: CredentialId): boolean {
    return this.#isFull.get(lrsId, targetId, owner) !== undefined
  }

  nextReferring(lrsId: LrsId, targetId: Buffer, after: number): CredentialId | undefined {
    return this.#nextReferring.get(lrsId, targetId, after)
  }

  listReferrers(lrsId: LrsId, targetId: Buffer, owner: CredentialId, most: number): readonly number[] {
    return this.#referrers.all(lrsId, targetId, owner, most)
  }

  refer(lrsId: LrsId, targetId: Buffer, owner: CredentialId, seq: number): void {
    this.#insertReference.run(lrsId, targetId, owner, seq)
  }

  saveInherited(lrsId: LrsId, seq: number, printed: string): void {
    this.#saveInherited.run(lrsId, seq, printed)
  }

  isVoidWaiting(lrsId: LrsId, id: Buffer, owner: CredentialId): boolean {
    // Nearly always nobody waits: one seek less.
    if (this.#isAnyWaiting.get(lrsId, id) === undefined) return false
    return this.#isWaiting.get(lrsId, id, owner) !== undefined
  }

  waitToVoid(lrsId: LrsId, targetId: Buffer, owner: number): void {
    this.#waitToVoid.run(lrsId, targetId, owner)
  }

  setVoided(lrsId: LrsId, seq: number): void {
    this.#setVoided.run(lrsId, seq)
  }

  post(lrsId: LrsId, terms: readonly PostingTerm[], seq: number): void {
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
    for (const [lrsId, count] of this.#arrived) this.#addCount.run(lrsId, count)
    this.#arrived.clear()
    this.#descriptions.flush()
  }

  /** Rows of descriptions were deleted elsewhere. */
  forgetDescriptions(): void {
    this.#descriptions.forget()
  }

  committed(): void {
    this.terms.committed()
  }

  rolledBack(): void {
    this.#postings = []
    this.#arrived.clear()
    this.#lastSeqs.clear()
    this.#descriptions.forget()
    this.terms.rolledBack()
    this.erasedIds.read()
  }
}

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
