// Statements that refer to statements: voiding, and the postings a referring statement inherits, whichever came first.
// Works inside the writer's transaction.

import { inherit, parseTerms, printTerms } from '../posting.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Handle } from './connection.ts'
import type { Node } from './statement-writer.ts'
import type { PostingTerm } from '../posting.ts'
import type { Reach } from '../../core/rights.ts'

/** Referring statements per target; a further one inherits nothing. */
const mostReferrers = 1_000
/** Inherited postings per statement. */
const mostInherited = 256
/** Statements one arriving statement may reach through others; keeps a planted tree from stopping the writer for minutes. */
const mostReached = 10_000

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
  readonly #countReferrers
  readonly #referrers
  readonly #insertReference
  readonly #saveInherited
  readonly #isAnyWaiting
  readonly #isWaiting
  readonly #waitToVoid
  readonly #setVoided

  constructor(handle: Handle, post: Post) {
    this.#post = post
    const columns = 'seq, id, owner, is_voiding, terms, inherited'
    this.#target = handle.prepare<[number, Buffer], Row>(`select ${columns} from statement where lrs_id = ? and id = ?`)
    this.#source = handle.prepare<[number, number], Row>(
      `select ${columns} from statement where lrs_id = ? and seq = ?`,
    )
    this.#countReferrers = handle
      .prepare<[number, Buffer], number>(
        `select count(*) from (select 1 from reference where lrs_id = ? and target_id = ? limit ${mostReferrers})`,
      )
      .pluck()
    this.#referrers = handle
      .prepare<[number, Buffer], number>(
        `select source_seq from reference where lrs_id = ? and target_id = ? order by source_seq limit ${mostReferrers}`,
      )
      .pluck()
    this.#insertReference = handle.prepare('insert into reference (lrs_id, target_id, source_seq) values (?, ?, ?)')
    this.#saveInherited = handle.prepare('update statement set inherited = ? where lrs_id = ? and seq = ?')
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
    this.#spread(node, [...own, ...inherited])
  }

  #refer({ lrsId, seq, id, owner }: Node, own: readonly PostingTerm[], targetId: Buffer): PostingTerm[] {
    if ((this.#countReferrers.get(lrsId, targetId) ?? 0) >= mostReferrers) return []
    this.#insertReference.run(lrsId, targetId, seq)
    const target = targetId.equals(id) ? undefined : this.#target.get(lrsId, targetId)
    if (target === undefined) return []
    const offered = [...parseTerms(target.terms), ...parseTerms(target.inherited)]
    const gained = inherit(new Set(own), offered, { isForeign: target.owner !== owner, room: mostInherited })
    if (gained.length > 0) this.#gain(lrsId, seq, gained, '')
    return gained
  }

  /** Breadth first. Cycles end because what is present is not gained again. */
  #spread(node: Node, terms: readonly PostingTerm[]): void {
    const queue: Gain[] = [{ id: node.id, owner: node.owner, gained: terms }]
    let reached = 0
    for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
      for (const seq of this.#referrers.all(node.lrsId, target.id)) {
        if (++reached > mostReached) return
        const source = this.#source.get(node.lrsId, seq)
        const gained = source === undefined ? [] : this.#pass(node.lrsId, source, target)
        if (source !== undefined && gained.length > 0) queue.push({ id: source.id, owner: source.owner, gained })
      }
    }
  }

  #pass(lrsId: LrsId, source: Row, target: Gain): PostingTerm[] {
    const inherited = parseTerms(source.inherited)
    const present = new Set([...parseTerms(source.terms), ...inherited])
    const room = mostInherited - inherited.length
    const gained = inherit(present, target.gained, { isForeign: target.owner !== source.owner, room })
    if (gained.length > 0) this.#gain(lrsId, source.seq, gained, source.inherited)
    return gained
  }

  #gain(lrsId: LrsId, seq: number, gained: readonly PostingTerm[], before: string): void {
    const inherited = before === '' ? printTerms(gained) : `${before},${printTerms(gained)}`
    this.#saveInherited.run(inherited, lrsId, seq)
    this.#post(lrsId, gained, seq)
  }
}
