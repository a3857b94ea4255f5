// Removes statements, documents and what is known of a person, a bounded part per call, inside a transaction that the caller
// begins, commits or rolls back. What must outlive a crash between two calls is in tables, never here.

import { DomainError } from '../../core/errors.ts'
import { EraserInheritance } from './eraser-inheritance.ts'
import { Mentions } from './mentions.ts'
import { add, mostRows, prepareUnpost, statementRow, targetOf } from './erasure-work.ts'
import { dictionaryIds, ownerTerm, parseTerms, variantRange } from '../posting.ts'
import { mostReferrers } from './references.ts'
import type { CredentialId, LrsId, Oid, OrganisationId } from '../../core/ids.ts'
import type { Counts, StatementRow, Work } from './erasure-work.ts'
import type { Dictionary } from './terms.ts'
import type { ErasedIds } from './erased-ids.ts'
import type { ErasurePosition, ErasureStep, ErasureTarget } from '../../core/storage.ts'
import type { Handle } from './connection.ts'
import type { MentionPosition } from './mentions.ts'

/** Each may be as long as a body. */
const mostDocuments = 25
/** What the rows of one step may cost: characters, those of printed postings counted more. A statement may have millions. */
const mostCost = 2 * 1024 * 1024
const postingCost = 40
type Phase = (work: Work, at: readonly number[]) => ErasurePosition | undefined

export class Eraser {
  readonly #terms: Dictionary
  readonly #erasedIds: ErasedIds
  readonly #mentions: Mentions
  readonly #inheritance: EraserInheritance
  readonly #unpost
  readonly #sql
  /** In order; a phase that returns nothing is done, and the next one begins. */
  readonly #phases: readonly (readonly [name: string, phase: Phase])[] = [
    ['statements', (work, at) => this.#statements(work, at)],
    ['inheritance', (work) => this.#inheritance.take(work)],
    ['documents', (work) => this.#documents(work)],
    ['person', (work) => this.#person(work)],
    ['remains', (work) => this.#remains(work)],
  ]

  constructor(handle: Handle, { terms, erasedIds }: { readonly terms: Dictionary; readonly erasedIds: ErasedIds }) {
    this.#terms = terms
    this.#erasedIds = erasedIds
    this.#mentions = new Mentions(handle)
    this.#inheritance = new EraserInheritance(handle)
    this.#unpost = prepareUnpost(handle)
    this.#sql = prepare(handle)
  }

  /** What was stored in the same transaction must have its postings by now. */
  step(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    target: ErasureTarget,
    position: ErasurePosition = { phase: 'statements', at: [] },
  ): ErasureStep {
    this.#requireOpen(organisationId, id, lrsId)
    const work: Work = { lrsId, target, counts: {}, lost: new Set() }
    const next = this.#runPhase(work, position)
    this.#dropUnused(work)
    this.#count(id, work.counts)
    return { next }
  }

  #runPhase(work: Work, { phase, at }: ErasurePosition): ErasurePosition | undefined {
    const index = this.#phases.findIndex(([name]) => name === phase)
    const [, run] = this.#phases[index] ?? []
    if (run === undefined) throw new DomainError('internal', `An erasure has no phase ${phase}.`)
    const next = run(work, at)
    if (next !== undefined) return next
    const [following] = this.#phases[index + 1] ?? []
    return following === undefined ? undefined : { phase: following, at: [] }
  }

  /** Of a job that is done, or not theirs, nothing is removed. */
  #requireOpen(organisationId: OrganisationId, id: Oid, lrsId: LrsId): void {
    if (this.#sql.isOpen.get(id, organisationId, lrsId) !== undefined) return
    throw new DomainError('not_found', 'There is no such erasure.')
  }

  #count(id: Oid, counts: Counts): void {
    const before = JSON.parse(this.#sql.counts.get(id) ?? '{}') as Counts
    for (const [kind, count] of Object.entries(counts)) {
      before[kind as keyof Counts] = (before[kind as keyof Counts] ?? 0) + count
    }
    this.#sql.saveCounts.run(JSON.stringify(before), id)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Statements

  #statements(work: Work, at: readonly number[]): ErasurePosition | undefined {
    const { lrsId, target } = work
    // Before the latest one can go.
    this.#sql.keepLast.run(lrsId, lrsId)
    if (target.kind === 'person') return this.#mentioning(work, target, [at[0] ?? 0, at[1] ?? 0])
    const seqs = this.#sql.oldest.all(lrsId, target.through, mostRows)
    const isAll = this.#removeSome(work, seqs) === seqs.length
    return isAll && seqs.length < mostRows ? undefined : { phase: 'statements', at: [] }
  }

  #mentioning(
    work: Work,
    { agents, onlyDirect }: ErasureTarget & { readonly kind: 'person' },
    at: MentionPosition,
  ): ErasurePosition | undefined {
    const ids = this.#mentions.idsOf(work.lrsId, agents)
    const { found, next } = this.#mentions.after(work.lrsId, { ids, onlyDirect }, at, mostRows)
    const removed = this.#removeSome(
      work,
      found.map(({ seq }) => seq),
    )
    add(work.counts, 'elsewhere', found.slice(0, removed).filter(({ isElsewhere }) => isElsewhere).length)
    const last = found[removed - 1]
    if (last !== undefined && removed < found.length) return { phase: 'statements', at: [at[0], last.seq] }
    return next && { phase: 'statements', at: next }
  }

  /** As many of them, in order, as one step may cost; at least one. */
  #removeSome(work: Work, seqs: readonly number[]): number {
    let cost = 0
    let removed = 0
    for (const seq of seqs) {
      if (cost > mostCost) break
      // One at a time: bodies may be long.
      const row = this.#sql.statement.get(work.lrsId, seq)
      if (row !== undefined) this.#removeStatement(work, row)
      cost += row === undefined ? 0 : row.body.length + postingCost * (row.terms.length + row.inherited.length)
      removed++
    }
    return removed
  }

  #removeStatement(work: Work, row: StatementRow): void {
    const { lrsId, target, counts } = work
    const { seq, id, owner } = row
    const terms = [...parseTerms(row.terms), ...parseTerms(row.inherited)]
    this.#unpost(work, seq, [ownerTerm(owner), ...terms])
    this.#inheritance.drop(lrsId, seq)
    this.#sql.removeStatement.run(lrsId, seq)
    add(counts, 'attachments', this.#sql.removeAttachments.run(lrsId, seq).changes)
    const refersTo = targetOf(row.body)
    if (refersTo !== undefined) this.#removeReference(lrsId, refersTo, row)
    // What was wanted voided stays so when age alone takes the wish away.
    if (refersTo !== undefined && row.is_voiding === 1 && target.kind !== 'retention') {
      this.#removeWaiting(lrsId, refersTo, owner)
    }
    if (target.kind === 'person') this.#erasedIds.add(lrsId, id)
    this.#inheritance.takeLater(lrsId, id)
    add(counts, 'statements', 1)
  }

  /** Where an owner's room for references to a target is used up, it stays so: beyond it statements refer without a row. */
  #removeReference(lrsId: LrsId, targetId: Buffer, { owner, seq }: StatementRow): void {
    if (this.#sql.isFull.get(lrsId, targetId, owner) === undefined) {
      this.#sql.removeReference.run(lrsId, targetId, owner, seq)
    }
  }

  /** Unless another statement waits to void the same. */
  #removeWaiting(lrsId: LrsId, targetId: Buffer, owner: CredentialId): void {
    if (this.#sql.otherVoiding.get(lrsId, targetId) === undefined) {
      this.#sql.removeWaiting.run(lrsId, targetId, owner)
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Documents, the person, what remains

  #documents({ lrsId, target, counts }: Work): ErasurePosition | undefined {
    if (target.kind === 'retention') return undefined
    const rows =
      target.kind === 'person'
        ? this.#sql.documentsOf.all(lrsId, JSON.stringify(target.agents), mostDocuments)
        : this.#sql.documentsUntil.all(lrsId, target.changedThrough ?? target.through, mostDocuments)
    for (const rowid of rows) this.#sql.removeDocument.run(rowid)
    add(counts, 'documents', rows.length)
    return rows.length < mostDocuments ? undefined : { phase: 'documents', at: [] }
  }

  /** What is said of the person, and in the end the identifiers themselves, in one transaction with a look for stragglers. */
  #person(work: Work): ErasurePosition | undefined {
    const { lrsId, target, counts } = work
    if (target.kind !== 'person') return undefined
    const again: ErasurePosition = { phase: 'person', at: [] }
    const ids = this.#mentions.idsOf(lrsId, target.agents).filter((id) => id !== undefined)
    for (const id of ids) {
      const { changes } = this.#sql.removeDescriptions.run(lrsId, id, mostRows)
      add(counts, 'descriptions', changes)
      if (changes === mostRows) return again
    }
    // Stored while this went on: from the beginning.
    const anew: ErasurePosition = { phase: 'statements', at: [] }
    if (this.#sql.documentsOf.all(lrsId, JSON.stringify(target.agents), 1).length > 0) return anew
    for (const id of ids) {
      const left = this.#sql.withAnyOf.all(lrsId, ...variantRange(id), mostRows)
      // Others may go on mentioning the person, and then their identifier stays with those.
      if (target.onlyDirect && left.length > 0) continue
      for (const row of left) {
        if (parseTerms(row.terms).some((term) => dictionaryIds([term]).includes(id))) return anew
        // Inherited past every bound of references.
        this.#inheritance.keep(work, row, (term) => !dictionaryIds([term]).includes(id))
      }
      if (left.length > 0) return again
      this.#blank(work, id)
    }
    return this.#inheritance.isDone(lrsId) ? undefined : anew
  }

  /** Of an Lrs that is empty now, what refers to nothing: ids that were wanted, and dictionary rows that were blanked. */
  #remains(work: Work): ErasurePosition | undefined {
    const { lrsId, target } = work
    if (target.kind !== 'empty' || this.#sql.anyStatement.get(lrsId) !== undefined) return undefined
    const known = this.#sql.knownTerms.all(lrsId, mostRows)
    for (const id of known) work.lost.add(id)
    if (known.length > 0) return { phase: 'remains', at: [] }
    const changes = this.#sql.removeRemains.map((remove) => remove.run(lrsId, mostRows).changes)
    return changes.every((count) => count < mostRows) ? undefined : { phase: 'remains', at: [] }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The dictionary, and what the blob store removed

  /** What lost its last posting is known no more, nor what was said of it. */
  #dropUnused(work: Work): void {
    const { lrsId, counts } = work
    // The person's own go last, when nobody mentions them any more.
    const own = work.target.kind === 'person' ? this.#mentions.idsOf(lrsId, work.target.agents) : []
    for (const id of work.lost) {
      if (own.includes(id)) continue
      if (this.#sql.anyPosting.get(lrsId, ...variantRange(id)) !== undefined) continue
      add(counts, 'descriptions', this.#sql.removeDescriptions.run(lrsId, id, -1).changes)
      this.#blank(work, id)
    }
  }

  #blank({ lrsId, counts }: Work, id: number): void {
    const term = this.#sql.term.get(lrsId, id)
    if (term === undefined || term.value === null) return
    // The hash column is unique: what stands there is no hash of anything.
    this.#sql.blank.run(Buffer.from(`erased ${id}`), lrsId, id)
    this.#terms.forget(lrsId, term.kind, term.value)
    add(counts, 'terms', 1)
  }

  countBlobs(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    { removed, left }: { readonly removed: number; readonly left: number },
  ): void {
    this.#requireOpen(organisationId, id, lrsId)
    this.#count(id, { blobs: removed, blobsLeft: left })
  }
}

function prepare(handle: Handle) {
  const reference = 'from reference where lrs_id = ? and target_id = ?'
  const one = <Args extends unknown[]>(sql: string) => handle.prepare<Args, number>(sql).pluck()
  return {
    isOpen: one<[string, number, number]>(
      `select 1 from erasure e join lrs l on l.organisation_id = e.organisation_id
       where e.id = ? and e.organisation_id = ? and l.id = ? and e.receipt is null`,
    ),
    counts: handle.prepare<[string], string>('select counts from erasure where id = ?').pluck(),
    saveCounts: handle.prepare<[string, string]>('update erasure set counts = ? where id = ?'),

    keepLast: handle.prepare<[number, number]>(
      `insert into erased_lrs (lrs_id, last_seq)
       select ?, last from (select max(seq) as last from statement where lrs_id = ?) where last is not null
       on conflict (lrs_id) do update set last_seq = max(last_seq, excluded.last_seq)`,
    ),
    statement: handle.prepare<[number, number], StatementRow>(`${statementRow} and s.seq = ?`),
    oldest: one<[number, number, number]>(
      'select seq from statement where lrs_id = ? and seq <= ? order by seq limit ?',
    ),
    anyStatement: one<[number]>('select 1 from statement where lrs_id = ? limit 1'),
    removeStatement: handle.prepare<[number, number]>('delete from statement where lrs_id = ? and seq = ?'),
    anyPosting: one<[number, number, number]>(
      'select 1 from posting where lrs_id = ? and term between ? and ? limit 1',
    ),
    withAnyOf: handle.prepare<[number, number, number, number], StatementRow>(
      `select s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited, '' as body
       from posting p join statement s on s.lrs_id = p.lrs_id and s.seq = p.seq
       left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq
       where p.lrs_id = ? and p.term between ? and ? limit ?`,
    ),
    removeAttachments: handle.prepare<[number, number]>('delete from attachment where lrs_id = ? and seq = ?'),

    isFull: one<[number, Buffer, number]>(`select 1 ${reference} and owner = ? limit 1 offset ${mostReferrers - 1}`),
    removeReference: handle.prepare<[number, Buffer, number, number]>(
      'delete from reference where lrs_id = ? and target_id = ? and owner = ? and source_seq = ?',
    ),
    otherVoiding: one<[number, Buffer]>(
      `select 1 from reference r join statement s on s.lrs_id = r.lrs_id and s.seq = r.source_seq
       where r.lrs_id = ? and r.target_id = ? and s.is_voiding = 1 limit 1`,
    ),
    removeWaiting: handle.prepare<[number, Buffer, number]>(
      'delete from waiting_void where lrs_id = ? and target_id = ? and owner in (0, ?)',
    ),

    documentsOf: one<[number, string, number]>(
      `select rowid from document
       where lrs_id = ? and agent in (select value from json_each(?)) and agent is not null limit ?`,
    ),
    documentsUntil: one<[number, number, number]>(
      'select rowid from document where lrs_id = ? and updated_at <= ? limit ?',
    ),
    removeDocument: handle.prepare<[number]>('delete from document where rowid = ?'),
    removeDescriptions: handle.prepare<[number, number, number]>(
      'delete from description where lrs_id = ? and subject = ? limit ?',
    ),
    term: handle.prepare<[number, number], { readonly kind: string; readonly value: string | null }>(
      'select kind, value from term where lrs_id = ? and id = ?',
    ),
    blank: handle.prepare<[Buffer, number, number]>(
      'update term set value = null, sha256 = ? where lrs_id = ? and id = ?',
    ),
    knownTerms: one<[number, number]>('select id from term where lrs_id = ? and value is not null limit ?'),
    removeRemains: [
      'delete from reference where lrs_id = ? limit ?',
      'delete from waiting_void where lrs_id = ? limit ?',
      'delete from term where lrs_id = ? and value is null limit ?',
    ].map((sql) => handle.prepare<[number, number]>(sql)),
  }
}
