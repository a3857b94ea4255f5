// Takes from statements that stay what they had inherited from those that go. `disinheriting` is the queue: it survives a crash,
// and each target is looked at until no statement that refers to it has what it has no longer. Things are only ever taken, so
// it ends.

import { add, mostRows, prepareUnpost, statementRow, targetOf } from './erasure-work.ts'
import { inherit, parseTerms, printTerms } from '../posting.ts'
import { mostInherited, mostReferrers, offer } from './references.ts'
import type { ErasurePosition } from '../../core/storage.ts'
import type { Handle } from './connection.ts'
import type { LrsId } from '../../core/ids.ts'
import type { PostingTerm } from '../posting.ts'
import type { StatementRow, Work } from './erasure-work.ts'

/** Stands for all targets in `disinheriting`: no statement has an empty id. */
const everyTarget = Buffer.alloc(0)

interface Looking {
  readonly target_id: Buffer
  readonly owner: number
  readonly seq: number
}

export class EraserInheritance {
  readonly #unpost
  readonly #sql

  constructor(handle: Handle) {
    this.#unpost = prepareUnpost(handle)
    this.#sql = prepare(handle)
  }

  /** What a statement that goes had inherited itself. */
  drop(lrsId: LrsId, seq: number): void {
    this.#sql.removeInheritance.run(lrsId, seq)
  }

  /** The statement with this id is gone, or has less than before. */
  takeLater(lrsId: LrsId, id: Buffer): void {
    if (this.#sql.anyReference.get(lrsId, id) === undefined) return
    this.#sql.lookAt.run(lrsId, id)
    if (this.#sql.anyFull.get(lrsId, id) !== undefined) this.#sql.lookAt.run(lrsId, everyTarget)
  }

  isDone(lrsId: LrsId): boolean {
    return this.#sql.nextToLookAt.get(lrsId) === undefined
  }

  take(work: Work): ErasurePosition | undefined {
    const looking = this.#sql.nextToLookAt.get(work.lrsId)
    if (looking === undefined) return undefined
    if (looking.target_id.length === 0) this.#lookAtAll(work, looking)
    else this.#lookAtReferring(work, looking)
    return { phase: 'inheritance', at: [] }
  }

  /** Leaves a statement those of its inherited terms that are kept. */
  keep(work: Work, source: StatementRow, isKept: (term: PostingTerm) => boolean): void {
    const { lrsId } = work
    const inherited = parseTerms(source.inherited)
    const kept = inherited.filter(isKept)
    if (kept.length === inherited.length) return
    const own = new Set(parseTerms(source.terms))
    const gone = inherited.filter((term) => !isKept(term) && !own.has(term))
    this.#unpost(work, source.seq, gone)
    if (kept.length === 0) this.#sql.removeInheritance.run(lrsId, source.seq)
    else this.#sql.saveInheritance.run(printTerms(kept), lrsId, source.seq)
    add(work.counts, 'inherited', 1)
    this.takeLater(lrsId, source.id)
  }

  #lookAtReferring(work: Work, looking: Looking): void {
    const { lrsId } = work
    const targetId = looking.target_id
    const rows = this.#sql.referring.all(lrsId, targetId, looking.owner, looking.seq, mostRows)
    const isGone = this.#sql.statementById.get(lrsId, targetId) === undefined
    for (const { owner, source_seq: seq } of rows) {
      const source = this.#sql.statement.get(lrsId, seq)
      if (source !== undefined) this.#disinherit(work, source, targetId)
      // It never comes back to be inherited from.
      if (isGone && work.target.kind === 'person') this.#sql.removeReference.run(lrsId, targetId, owner, seq)
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < mostRows) this.#sql.lookedAt.run(lrsId, targetId)
    else this.#sql.lookOn.run(last.owner, last.source_seq, lrsId, targetId)
  }

  #lookAtAll(work: Work, { target_id: targetId, seq }: Looking): void {
    const { lrsId } = work
    const seqs = this.#sql.inheriting.all(lrsId, seq, mostRows)
    for (const one of seqs) {
      const row = this.#sql.statement.get(lrsId, one)
      const target = row === undefined ? undefined : targetOf(row.body)
      if (row !== undefined && target !== undefined) this.#disinherit(work, row, target)
    }
    const last = seqs.at(-1)
    if (last === undefined || seqs.length < mostRows) this.#sql.lookedAt.run(lrsId, targetId)
    else this.#sql.lookOn.run(0, last, lrsId, targetId)
  }

  /** Takes from `source` what its target does not have (any longer). */
  #disinherit(work: Work, source: StatementRow, targetId: Buffer): void {
    const inherited = parseTerms(source.inherited)
    if (inherited.length === 0) return
    const target = targetId.equals(source.id) ? undefined : this.#sql.statementById.get(work.lrsId, targetId)
    const offered = target === undefined ? [] : [...offer(target.terms), ...offer(target.inherited)]
    const isForeign = target?.owner !== source.owner
    const own = new Set(parseTerms(source.terms))
    const still = new Set(inherit(own, offered, { isForeign, room: mostInherited }))
    this.keep(work, source, (term) => still.has(term))
  }
}

function prepare(handle: Handle) {
  const reference = 'from reference where lrs_id = ? and target_id = ?'
  const one = <Args extends unknown[]>(sql: string) => handle.prepare<Args, number>(sql).pluck()
  return {
    statement: handle.prepare<[number, number], StatementRow>(`${statementRow} and s.seq = ?`),
    statementById: handle.prepare<[number, Buffer], StatementRow>(`${statementRow} and s.id = ?`),

    anyReference: one<[number, Buffer]>(`select 1 ${reference} limit 1`),
    anyFull: one<[number, Buffer]>(`select 1 ${reference} group by owner having count(*) >= ${mostReferrers} limit 1`),
    referring: handle.prepare<
      [number, Buffer, number, number, number],
      { readonly owner: number; readonly source_seq: number }
    >(`select owner, source_seq ${reference} and (owner, source_seq) > (?, ?) order by owner, source_seq limit ?`),
    removeReference: handle.prepare<[number, Buffer, number, number]>(
      'delete from reference where lrs_id = ? and target_id = ? and owner = ? and source_seq = ?',
    ),

    lookAt: handle.prepare<[number, Buffer]>(
      `insert into disinheriting (lrs_id, target_id, owner, seq) values (?, ?, 0, 0)
       on conflict (lrs_id, target_id) do update set owner = 0, seq = 0`,
    ),
    nextToLookAt: handle.prepare<[number], Looking>(
      'select target_id, owner, seq from disinheriting where lrs_id = ? order by target_id desc limit 1',
    ),
    lookOn: handle.prepare<[number, number, number, Buffer]>(
      'update disinheriting set owner = ?, seq = ? where lrs_id = ? and target_id = ?',
    ),
    lookedAt: handle.prepare<[number, Buffer]>('delete from disinheriting where lrs_id = ? and target_id = ?'),
    inheriting: one<[number, number, number]>(
      'select seq from inheritance where lrs_id = ? and seq > ? order by seq limit ?',
    ),
    saveInheritance: handle.prepare<[string, number, number]>(
      'update inheritance set terms = ? where lrs_id = ? and seq = ?',
    ),
    removeInheritance: handle.prepare<[number, number]>('delete from inheritance where lrs_id = ? and seq = ?'),
  }
}
