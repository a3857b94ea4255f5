// Statements that refer to statements: voiding, and the postings a referring statement inherits, whichever came first.
// Works inside the transaction of who stores.

import { inherit, parseTerms, printTerms } from '../posting.ts'
import { ReachBudget, weightOf } from './reach-budget.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Linked, Node, ReferenceTables } from './tables.ts'
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
export const everybody = 0

interface Gain {
  readonly id: Buffer
  readonly owner: CredentialId
  readonly gained: readonly PostingTerm[]
}

export class References {
  readonly #tables: ReferenceTables
  readonly #budget = new ReachBudget()

  constructor(tables: ReferenceTables) {
    this.#tables = tables
  }

  /** Voids the target now, or when it comes. A voiding statement is never voided (XAPI 1.0.3 part 2, 2.3.2). */
  void({ lrsId, owner }: Node, targetId: Buffer, reach: Reach | undefined): void {
    if (reach === undefined) return
    const target = this.#tables.findTarget(lrsId, targetId)
    if (target === undefined) this.#tables.waitToVoid(lrsId, targetId, reach === 'any' ? everybody : owner)
    else if (target.is_voiding === 0 && (reach === 'any' || target.owner === owner)) {
      this.#tables.setVoided(lrsId, target.seq)
    }
  }

  /** Lets an arrived statement inherit from its target, and those that refer to it from it. */
  connect(node: Node, own: readonly PostingTerm[], targetId: Buffer | undefined): void {
    const inherited = targetId === undefined ? [] : this.#refer(node, own, targetId)
    // Nearly always nobody waits for it: one seek.
    if (this.#tables.nextReferring(node.lrsId, node.id, 0) !== undefined) this.#spread(node, [...own, ...inherited])
  }

  #refer(node: Node, own: readonly PostingTerm[], targetId: Buffer): PostingTerm[] {
    const { lrsId, seq, id, owner } = node
    if (!this.#tables.isFull(lrsId, targetId, owner)) this.#tables.refer(lrsId, targetId, owner, seq)
    const target = targetId.equals(id) ? undefined : this.#tables.findTarget(lrsId, targetId)
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
      let owner = this.#tables.nextReferring(node.lrsId, target.id, 0)
      for (; owner !== undefined; owner = this.#tables.nextReferring(node.lrsId, target.id, owner)) {
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
    for (const seq of this.#tables.listReferrers(node.lrsId, target.id, owner, most)) {
      if (this.#budget.left(node, owner) <= 0) return
      const source = this.#tables.findSource(node.lrsId, seq)
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

  #pass(lrsId: LrsId, source: Linked, target: Gain): PostingTerm[] {
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
    this.#tables.saveInherited(lrsId, seq, inherited)
    this.#tables.post(lrsId, gained, seq)
  }
}

/** What a statement has for those that refer to it, of a very long list the first. */
export function offer(printed: string): PostingTerm[] {
  const isLong = printed.length > mostOfferedText
  return parseTerms(isLong ? printed.slice(0, printed.lastIndexOf(',', mostOfferedText)) : printed)
}
