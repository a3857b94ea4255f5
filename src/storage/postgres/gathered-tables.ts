// What storing asks and changes on PostgreSQL, in memory: of one Lrs, the rows that can matter were read beforehand, and what
// changes is gathered to be written in bulk. Asked for what was not read, it throws `Unread`; nothing is written by then, so
// the caller reads it and begins anew. Knows no SQL.

import { ByTerm } from './by-term.ts'
import { dictionaryTerm, printTerms } from '../posting.ts'
import { everybody, mostReferrers } from '../statements/references.ts'
import type { AttachmentClaim, Description, PreparedStatement, TermKind } from '../../core/storage.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Existing, Linked, NewRow, StatementTables } from '../statements/tables.ts'
import type { Named } from './by-term.ts'
import type { PostingTerm } from '../posting.ts'
import type { TimedBatch } from '../statements/storing.ts'

export interface ReadStatement extends Linked {
  readonly timestamp: number
  /** Absent where only its postings were asked for. */
  readonly body: string | null
}

/** By owner the stored times of those that refer to a statement, ascending. */
export type Referrers = ReadonlyMap<CredentialId, readonly number[]>

/** What was read under the lock. Ids are lower-case hex. */
export interface ReadRows {
  readonly lastSeq: number
  readonly lastTerm: number
  /** Those of the arriving and of the targets that exist. */
  readonly statements: ReadonlyMap<string, ReadStatement>
  /** Of the arriving. */
  readonly erased: ReadonlySet<string>
  /** Owners that wait to void an arriving one. */
  readonly waiting: ReadonlyMap<string, readonly number[]>
  /** How many of an owner refer to a target, by `pairName`. */
  readonly referring: ReadonlyMap<string, number>
  /** By target; one that is not there was not read. Grows. */
  readonly referrers: Map<string, Referrers>
  /** Those that refer, by stored time. Grows. */
  readonly sources: Map<number, Linked>
  /** Which stored times are taken, of those an import may want. Grows. */
  readonly taken: TakenTimes
}

/** What was read of an Lrs' stored times, some at a time. */
export interface TakenTimes {
  readonly seqs: Set<number>
  /** Read from `from` to `to`, both included. */
  readonly read: { readonly from: number; readonly to: number }[]
}

/** What is remembered of the Lrs, and holds in this transaction. */
export interface Remembered {
  termOf(named: Named): PostingTerm | undefined
  isKnown(batch: TimedBatch, description: Description, at: number): boolean
}

/** The referrers of this statement, hex, were not read. */
export class Unread extends Error {
  readonly target: string

  constructor(target: string) {
    super('Read the referrers first.')
    this.target = target
  }
}

/** Nor was whether this stored time is taken. */
export class UnreadTime extends Error {
  readonly seq: number

  constructor(seq: number) {
    super('Read which stored times are taken first.')
    this.seq = seq
  }
}

export function pairName(target: string, owner: number): string {
  return `${target} ${owner}`
}

interface Arrived extends NewRow {
  readonly printed: string
  isVoided: boolean
}

export interface NewTerm extends Named {
  readonly id: number
}

export interface Said {
  readonly batch: TimedBatch
  readonly description: Description
  readonly subject: PostingTerm
  /** Microseconds. */
  readonly at: number
}

export class GatheredTables implements StatementTables {
  readonly #read: ReadRows
  readonly #remembered: Remembered
  readonly arrived: Arrived[] = []
  readonly postedTerms: PostingTerm[] = []
  readonly postedSeqs: number[] = []
  /** In the order of their ids. */
  readonly terms: NewTerm[] = []
  readonly claims: { readonly seq: number; readonly attachment: AttachmentClaim }[] = []
  readonly said: Said[] = []
  readonly references: { readonly target: Buffer; readonly owner: CredentialId; readonly seq: number }[] = []
  readonly inherited = new Map<number, string>()
  readonly waits: { readonly target: Buffer; readonly owner: number }[] = []
  /** Among those that were there. */
  readonly voided = new Set<number>()
  lastTerm: number
  readonly #newTerms = new ByTerm<PostingTerm>()
  readonly #byId = new Map<string, Arrived>()
  readonly #bySeq = new Map<number, Arrived>()
  readonly #waiting = new Map<string, number[]>()
  readonly #referrers = new Map<string, Map<CredentialId, number[]>>()
  #lastSeq: number

  constructor(read: ReadRows, remembered: Remembered) {
    this.#read = read
    this.#remembered = remembered
    this.#lastSeq = read.lastSeq
    this.lastTerm = read.lastTerm
  }

  /** Nothing of it needs writing. */
  get isEmpty(): boolean {
    return this.arrived.length === 0 && this.claims.length === 0 && this.voided.size === 0
  }

  get highestSeq(): number {
    return this.#lastSeq
  }

  find(_: LrsId, id: Buffer): Existing | undefined {
    const name = nameOf(id)
    const found = this.#byId.get(name) ?? this.#read.statements.get(name)
    if (found === undefined) return undefined
    const { seq, owner, timestamp, body } = found
    return { seq, owner, timestamp, body: body ?? '' }
  }

  isErased(_: LrsId, id: Buffer): boolean {
    return this.#read.erased.size > 0 && this.#read.erased.has(nameOf(id))
  }

  lastSeq(): number {
    return this.#lastSeq
  }

  isTaken(_: LrsId, seq: number): boolean {
    const { seqs, read } = this.#read.taken
    if (this.#bySeq.has(seq) || seqs.has(seq)) return true
    if (read.some(({ from, to }) => seq >= from && seq <= to)) return false
    throw new UnreadTime(seq)
  }

  termOf(_: LrsId, kind: TermKind, value: string): PostingTerm {
    const named = { kind, value }
    const known = this.#remembered.termOf(named) ?? this.#newTerms.get(named)
    if (known !== undefined) return known
    this.lastTerm += 1
    this.terms.push({ id: this.lastTerm, kind, value })
    const term = dictionaryTerm(this.lastTerm)
    this.#newTerms.set(named, term)
    return term
  }

  insert(row: NewRow): void {
    const arrived: Arrived = { ...row, printed: printTerms(row.terms) }
    this.arrived.push(arrived)
    this.#byId.set(nameOf(row.id), arrived)
    this.#bySeq.set(row.seq, arrived)
    this.#lastSeq = Math.max(row.seq, this.#lastSeq)
  }

  claim(_: LrsId, seq: number, attachment: AttachmentClaim): void {
    this.claims.push({ seq, attachment })
  }

  describe(batch: TimedBatch, { descriptions, timestamp }: PreparedStatement, seq: number): void {
    const at = timestamp ?? seq
    for (const description of descriptions) {
      if (this.#remembered.isKnown(batch, description, at)) continue
      const subject = this.termOf(batch.lrsId, description.kind, description.value)
      this.said.push({ batch, description, subject, at })
    }
  }

  findTarget(_: LrsId, id: Buffer): Linked | undefined {
    const name = nameOf(id)
    const arrived = this.#byId.get(name)
    return arrived === undefined ? this.#withInherited(this.#read.statements.get(name)) : this.#linked(arrived)
  }

  findSource(_: LrsId, seq: number): Linked | undefined {
    const arrived = this.#bySeq.get(seq)
    return arrived === undefined ? this.#withInherited(this.#read.sources.get(seq)) : this.#linked(arrived)
  }

  #linked({ seq, id, owner, isVoiding, printed }: Arrived): Linked {
    const inherited = this.inherited.get(seq) ?? ''
    return { seq, id, owner, is_voiding: isVoiding ? 1 : 0, terms: printed, inherited }
  }

  #withInherited(row: Linked | undefined): Linked | undefined {
    const inherited = row === undefined ? undefined : this.inherited.get(row.seq)
    return row === undefined || inherited === undefined ? row : { ...row, inherited }
  }

  isFull(_: LrsId, targetId: Buffer, owner: CredentialId): boolean {
    const name = nameOf(targetId)
    const before = this.#read.referring.get(pairName(name, owner)) ?? 0
    return before + (this.#referrers.get(name)?.get(owner)?.length ?? 0) >= mostReferrers
  }

  nextReferring(_: LrsId, targetId: Buffer, after: number): CredentialId | undefined {
    const name = nameOf(targetId)
    let next: CredentialId | undefined
    for (const referrers of [this.#readReferrers(name), this.#referrers.get(name)]) {
      for (const owner of referrers?.keys() ?? [])
        if (owner > after && (next === undefined || owner < next)) next = owner
    }
    return next
  }

  listReferrers(_: LrsId, targetId: Buffer, owner: CredentialId, most: number): readonly number[] {
    const name = nameOf(targetId)
    // Those of this transaction are later.
    const all = [...(this.#readReferrers(name).get(owner) ?? []), ...(this.#referrers.get(name)?.get(owner) ?? [])]
    return all.slice(0, most)
  }

  #readReferrers(name: string): Referrers {
    const known = this.#read.referrers.get(name)
    if (known === undefined) throw new Unread(name)
    return known
  }

  refer(_: LrsId, targetId: Buffer, owner: CredentialId, seq: number): void {
    this.references.push({ target: targetId, owner, seq })
    const name = nameOf(targetId)
    const byOwner = this.#referrers.get(name) ?? new Map<CredentialId, number[]>()
    this.#referrers.set(name, byOwner)
    const seqs = byOwner.get(owner) ?? []
    byOwner.set(owner, seqs)
    seqs.push(seq)
  }

  saveInherited(_: LrsId, seq: number, printed: string): void {
    this.inherited.set(seq, printed)
  }

  isVoidWaiting(_: LrsId, id: Buffer, owner: CredentialId): boolean {
    const name = nameOf(id)
    const waiting = [...(this.#read.waiting.get(name) ?? []), ...(this.#waiting.get(name) ?? [])]
    return waiting.some((one) => one === everybody || one === owner)
  }

  waitToVoid(_: LrsId, targetId: Buffer, owner: number): void {
    this.waits.push({ target: targetId, owner })
    const name = nameOf(targetId)
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), owner])
  }

  setVoided(_: LrsId, seq: number): void {
    const arrived = this.#bySeq.get(seq)
    if (arrived === undefined) this.voided.add(seq)
    else arrived.isVoided = true
  }

  post(_: LrsId, terms: readonly PostingTerm[], seq: number): void {
    for (const term of terms) {
      this.postedTerms.push(term)
      this.postedSeqs.push(seq)
    }
  }
}

function nameOf(id: Buffer): string {
  return id.toString('hex')
}
