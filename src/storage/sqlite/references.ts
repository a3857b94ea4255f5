// Statements that refer to statements: voiding, and the postings a referring statement inherits, whichever came first.
// Works inside the writer's transaction.

import { inherit, parseTerms, printTerms } from '../posting.ts'
import { ReachBudget, weightOf } from './reach-budget.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Handle } from './connection.ts'
import type { Node } from './statement-writer.ts'
import type { PostingTerm } from '../posting.ts'
import type { Reach } from '../../core/rights.ts'

/** Of each owner, statements that refer to one target and are told of what it gains later. */
export const mostReferrers = 1_000
/** Inherited postings per statement. */
export const mostInherited = 256
/** Postings of one statement, and characters of their printed form, that are offered: four times what can be inherited. */
const mostOffered = 1_024
const mostOfferedText = 16_384

/** The owner that stands for everybody in `waiting_void`: reach any. */
const everybody = 0

interface Row {
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly is_voiding: number
  readonly terms: string
  readonly inherited: string
}

interface Gain {
  readonly id: Buffer
  readonly owner: CredentialId
  readonly gained: readonly PostingTerm[]
}

type Post = (lrsId: LrsId, terms: readonly PostingTerm[], seq: number) => void

export class References {
  readonly #post: Post
  readonly #target
  readonly #source
  readonly #budget = new ReachBudget()
  readonly #isFull
  readonly #nextReferring
  readonly #referrers
  readonly #insertReference
  readonly #saveInherited
  readonly #isAnyWaiting
  readonly #isWaiting
  readonly #waitToVoid
  readonly #setVoided

  constructor(handle: Handle, post: Post) {
    this.#post = post
    // What is inherited has a table of its own: a row with its body would be written anew with every gain.
    const row = `select s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited from statement s
      left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq where s.lrs_id = ?`
    this.#target = handle.prepare<[number, Buffer], Row>(`${row} and s.id = ?`)
    this.#source = handle.prepare<[number, number], Row>(`${row} and s.seq = ?`)
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
  }

  /** Whether an arriving statement was voided before it came. */
  isVoidWaiting({ lrsId, id, owner }: Node): boolean {
    // Nearly always nobody waits: one seek less.
    if (this.#isAnyWaiting.get(lrsId, id) === undefined) return false
    return this.#isWaiting.get(lrsId, id, owner) !== undefined
  }

  /** Voids the target now, or when it comes. A voiding statement is never voided (XAPI 1.0.3 part 2, 2.3.2). */
  void({ lrsId, owner }: Node, targetId: Buffer, reach: Reach | undefined): void {
    if (reach === undefined) return
    const target = this.#target.get(lrsId, targetId)
    if (target === undefined) this.#waitToVoid.run(lrsId, targetId, reach === 'any' ? everybody : owner)
    else if (target.is_voiding === 0 && (reach === 'any' || target.owner === owner)) {
      this.#setVoided.run(lrsId, target.seq)
    }
  }

  /** Lets an arrived statement inherit from its target, and those that refer to it from it. */
  connect(node: Node, own: readonly PostingTerm[], targetId: Buffer | undefined): void {
    const inherited = targetId === undefined ? [] : this.#refer(node, own, targetId)
    // Nearly always nobody waits for it: one seek.
    if (this.#nextReferring.get(node.lrsId, node.id, 0) !== undefined) this.#spread(node, [...own, ...inherited])
  }

  #refer(node: Node, own: readonly PostingTerm[], targetId: Buffer): PostingTerm[] {
    const { lrsId, seq, id, owner } = node
    if (this.#isFull.get(lrsId, targetId, owner) === undefined) {
      this.#insertReference.run(lrsId, targetId, owner, seq)
    }
    const target = targetId.equals(id) ? undefined : this.#target.get(lrsId, targetId)
    if (target === undefined) return []
    const offered = [...offer(target.terms), ...offer(target.inherited)]
    const room = Math.min(mostInherited, this.#budget.leftOnArrival(node))
    const gained = inherit(new Set(own), offered, { isForeign: target.owner !== owner, room })
    this.#budget.spendOnArrival(node, gained.length)
    if (gained.length > 0) this.#gain(lrsId, seq, gained, '')
    return gained
  }

  /** Breadth first. Cycles end because what is present is not gained again. */
  #spread(node: Node, terms: readonly PostingTerm[]): void {
    this.#budget.next()
    // Grows while it is walked.
    const queue: Gain[] = [{ id: node.id, owner: node.owner, gained: terms.slice(0, mostOffered) }]
    for (const target of queue) {
      let owner = this.#nextReferring.get(node.lrsId, target.id, 0)
      for (; owner !== undefined; owner = this.#nextReferring.get(node.lrsId, target.id, owner)) {
        if (this.#budget.leftInLrs(node.lrsId) <= 0) return
        this.#budget.spendInLrs(node.lrsId)
        this.#spreadTo(owner, node, target, queue)
      }
    }
  }

  /** To the statements of `owner` that refer to `target`. */
  #spreadTo(owner: CredentialId, node: Node, target: Gain, queue: Gain[]): void {
    const most = Math.min(mostReferrers, this.#budget.left(node, owner))
    if (most <= 0) return
    for (const seq of this.#referrers.all(node.lrsId, target.id, owner, most)) {
      if (this.#budget.left(node, owner) <= 0) return
      const source = this.#source.get(node.lrsId, seq)
      if (source === undefined) continue
      const gained = this.#pass(node.lrsId, source, target)
      const textLength = source.terms.length + source.inherited.length
      const weight = weightOf({ textLength, offered: target.gained.length, gained: gained.length })
      this.#budget.spend(node, owner, weight)
      if (gained.length > 0) queue.push({ id: source.id, owner: source.owner, gained })
    }
  }

  /** The transaction has ended. */
  ended(): void {
    this.#budget.reset()
  }

  #pass(lrsId: LrsId, source: Row, target: Gain): PostingTerm[] {
    const inherited = parseTerms(source.inherited)
    const room = mostInherited - inherited.length
    if (room <= 0) return []
    const present = new Set([...parseTerms(source.terms), ...inherited])
    const gained = inherit(present, target.gained, { isForeign: target.owner !== source.owner, room })
    if (gained.length > 0) this.#gain(lrsId, source.seq, gained, source.inherited)
    return gained
  }

  #gain(lrsId: LrsId, seq: number, gained: readonly PostingTerm[], before: string): void {
    const inherited = before === '' ? printTerms(gained) : `${before},${printTerms(gained)}`
    this.#saveInherited.run(lrsId, seq, inherited)
    this.#post(lrsId, gained, seq)
  }
}

/** What a statement has for those that refer to it, of a very long list the first. */
export function offer(printed: string): PostingTerm[] {
  const isLong = printed.length > mostOfferedText
  return parseTerms(isLong ? printed.slice(0, printed.lastIndexOf(',', mostOfferedText)) : printed)
}
