// Stores statements inside a transaction of the engine's, over its tables: identity, conflicts, stored times, voiding,
// postings, attachments. The same for every engine; knows no SQL. What referring statements inherit is in references.ts.

import { References } from './references.ts'
import { asRelated, ownerTerm, registrationTerm } from '../posting.ts'
import { formatStored } from '../../core/xapi/time.ts'
import { isSentAgain } from '../../core/xapi/equality.ts'
import type {
  BatchOutcome,
  ImportedStatement,
  ImportOutcome,
  PreparedStatement,
  StatementBatch,
} from '../../core/storage.ts'
import type { LrsId, Seq } from '../../core/ids.ts'
import type { Existing, Node, StatementTables } from './tables.ts'
import type { FreeTimes } from './free-times.ts'
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
      return { seq: this.#storeOne(batch, statement, { id, seq: this.#nextSeq(batch) }), wasThere: false }
    })
    return { kind: 'stored', statements }
  }

  #storeOne(
    batch: TimedBatch,
    statement: PreparedStatement,
    { id, seq, storedText, isVoided: wasVoided = false }: Place,
  ): Seq {
    const { lrsId, owner } = batch
    const { isVoiding, timestamp } = statement
    const node: Node = { lrsId, seq, id, owner, isVoiding }
    const terms = this.#termsOf(lrsId, statement)
    const isVoided = !isVoiding && (wasVoided || this.#tables.isVoidWaiting(lrsId, id, owner))
    const body = complete(statement, seq, storedText)
    // Named one by one: a row that was spread outlives V8's young space, as in core's `prepareStatement`.
    this.#tables.insert({ lrsId, seq, id, owner, isVoiding, timestamp: timestamp ?? seq, isVoided, terms, body })
    this.#tables.post(lrsId, [ownerTerm(owner), ...terms], seq)
    const refersTo = statement.refersTo === undefined ? undefined : toBlob(statement.refersTo)
    if (refersTo !== undefined && isVoiding) this.#references.void(node, refersTo, batch.voidReach)
    this.#references.connect(node, terms, refersTo)
    this.#claim(lrsId, seq, statement)
    this.#tables.describe(batch, statement, seq)
    return seq
  }

  /** What was stored elsewhere before: each by itself, at its own stored time. As with `store`, a throw leaves it half done. */
  import(lrsId: LrsId, statements: readonly ImportedStatement[], times: FreeTimes): ImportOutcome[] {
    const speakers = new Map(speakersOf(lrsId, statements).map((speaker) => [nameOf(speaker), speaker]))
    const ids = statements.map(({ id }) => toBlob(id))
    // With those that are stored now, as they are.
    const there = new Set(ids.flatMap((id, at) => (this.#tables.find(lrsId, id) ? [statements[at]!.id] : [])))
    const seqs = this.#seqsFor(lrsId, statements, there, times)
    const outcomes = statements.map((statement, at): ImportOutcome => {
      const id = ids[at]!
      const existing = there.has(statement.id) ? this.#tables.find(lrsId, id) : undefined
      if (existing !== undefined) return this.#meet(lrsId, existing, statement)
      if (this.#tables.isErased(lrsId, id)) return 'erased'
      const { storedText, isVoided } = statement
      const speaker = speakers.get(nameOf(statement)) as TimedBatch
      this.#storeOne(speaker, statement, { id, seq: seqs[at] as Seq, storedText, isVoided })
      there.add(statement.id)
      return 'stored'
    })
    // Of those that share a time the first has the earliest.
    for (const [at, seq] of [...seqs.entries()].reverse()) {
      const storedAt = statements[at]?.storedAt
      if (seq !== undefined && storedAt !== undefined) times.took(lrsId, storedAt, seq)
    }
    return outcomes
  }

  #meet(lrsId: LrsId, existing: Existing, statement: ImportedStatement): ImportOutcome {
    const { owner, storedText, isVoided, isVoiding } = statement
    const whole = complete(statement, existing.seq, storedText)
    if (!isSentAgain(existing, statement, { owner, readReach: 'any' }, whole)) return 'conflict'
    this.#claim(lrsId, existing.seq, statement)
    if (isVoided && !isVoiding) this.#tables.setVoided(lrsId, existing.seq)
    return 'there'
  }

  /** In their order where several share one. Of those that will not need it, too: that leaves it to nobody. */
  #seqsFor(
    lrsId: LrsId,
    statements: readonly ImportedStatement[],
    there: ReadonlySet<string>,
    times: FreeTimes,
  ): number[] {
    const sharing = new Map<number, number[]>()
    for (const [at, { id, storedAt }] of statements.entries()) {
      if (there.has(id)) continue
      const places = sharing.get(storedAt)
      if (places === undefined) sharing.set(storedAt, [at])
      else places.push(at)
    }
    const seqs: number[] = []
    const given = new Set<number>()
    const isTaken = (seq: number): boolean => given.has(seq) || this.#tables.isTaken(lrsId, seq)
    for (const [storedAt, places] of sharing) {
      for (const [index, seq] of times.take(lrsId, storedAt, places.length, isTaken).entries()) {
        given.add(seq)
        seqs[places[index]!] = seq
      }
    }
    return seqs
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

/** Where a statement goes, and what it was elsewhere. */
interface Place {
  readonly id: Buffer
  readonly seq: Seq
  readonly storedText?: string
  readonly isVoided?: boolean
}

/** As if their owners stored them. */
export function speakersOf(lrsId: LrsId, statements: readonly ImportedStatement[]): readonly TimedBatch[] {
  const speakers = new Map<string, TimedBatch & { readonly statements: PreparedStatement[] }>()
  for (const statement of statements) {
    const { owner, voidReach, defineReach } = statement
    const name = nameOf(statement)
    const speaker = speakers.get(name)
    if (speaker === undefined) {
      speakers.set(name, { lrsId, owner, readReach: 'any', voidReach, defineReach, statements: [statement], floor: 0 })
    } else speaker.statements.push(statement)
  }
  return [...speakers.values()]
}

function nameOf({ owner, voidReach, defineReach }: Pick<ImportedStatement, 'owner' | 'voidReach' | 'defineReach'>) {
  return `${owner} ${voidReach} ${defineReach}`
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

function complete({ openBody, timestamp }: PreparedStatement, seq: number, stored = formatStored(seq)): string {
  return `${openBody}${timestamp === undefined ? `,"timestamp":"${stored}"` : ''},"stored":"${stored}"}`
}
