// Removes statements, documents and what is known of a person, a bounded part per call, inside a transaction that the caller
// begins, commits or rolls back. What must outlive a crash between two calls is in tables, never here.

import { DomainError } from '../../core/errors.ts'
import { Mentions } from './mentions.ts'
import { dictionaryIds, inherit, ownerTerm, parseTerms, printTerms, variantRange } from '../posting.ts'
import { listReferenced } from '../blobs/references.ts'
import { findTarget } from '../../core/xapi/term.ts'
import { mostInherited, mostReferrers, offer } from './references.ts'
import type { CredentialId, LrsId, Oid, OrganisationId } from '../../core/ids.ts'
import type { Dictionary } from './terms.ts'
import type { ErasedIds } from './erased-ids.ts'
import type { ErasureCounts, ErasurePosition, ErasureStep, ErasureTarget } from '../../core/storage.ts'
import type { Handle } from './connection.ts'
import type { MentionPosition } from './mentions.ts'
import type { PostingTerm } from '../posting.ts'
import type { Statement } from '../../core/xapi/statement.ts'

/** Statements, documents or other rows of one step: some ten milliseconds, about what a group of stores takes. */
const mostRows = 200
/** Each may be as long as a body. */
const mostDocuments = 25
/** What the rows of one step may cost: characters, those of printed postings counted more. A statement may have millions. */
const mostCost = 2 * 1024 * 1024
const postingCost = 40
/** Stands for all targets in `disinheriting`: no statement has an empty id. */
const everyTarget = Buffer.alloc(0)

type Counts = { -readonly [Kind in keyof ErasureCounts]?: number }

interface Row {
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly is_voiding: number
  readonly terms: string
  readonly inherited: string
  readonly body: string
}

interface Looking {
  readonly target_id: Buffer
  readonly owner: number
  readonly seq: number
}

/** One call: where, what for, what it removed. */
interface Work {
  readonly lrsId: LrsId
  readonly target: ErasureTarget
  readonly counts: Counts
  /** Dictionary ids that lost a posting. */
  readonly lost: Set<number>
}

type Phase = (work: Work, at: readonly number[]) => ErasurePosition | undefined

export class Eraser {
  readonly #handle: Handle
  readonly #terms: Dictionary
  readonly #erasedIds: ErasedIds
  readonly #mentions: Mentions
  readonly #sql
  /** In order; a phase that returns nothing is done, and the next one begins. */
  readonly #phases: readonly (readonly [name: string, phase: Phase])[] = [
    ['statements', (work, at) => this.#statements(work, at)],
    ['inheritance', (work) => this.#inheritance(work)],
    ['documents', (work) => this.#documents(work)],
    ['person', (work) => this.#person(work)],
    ['remains', (work) => this.#remains(work)],
  ]

  constructor(handle: Handle, { terms, erasedIds }: { readonly terms: Dictionary; readonly erasedIds: ErasedIds }) {
    this.#handle = handle
    this.#terms = terms
    this.#erasedIds = erasedIds
    this.#mentions = new Mentions(handle)
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
    const atBlobs: ErasurePosition = { phase: 'blobs', at: [] }
    if (position.phase === 'blobs') {
      const orphans = this.#sql.orphans.all(lrsId, mostRows)
      return { next: orphans.length > 0 ? atBlobs : undefined, blobs: this.#unreferenced(lrsId, orphans) }
    }
    const next = this.#runPhase(work, position)
    this.#dropUnused(work)
    this.#count(id, work.counts)
    return { next: next ?? atBlobs, blobs: [] }
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

  #removeStatement(work: Work, row: Row): void {
    const { lrsId, target, counts } = work
    const { seq, id, owner } = row
    const terms = [...parseTerms(row.terms), ...parseTerms(row.inherited)]
    this.#unpost(work, seq, [ownerTerm(owner), ...terms])
    this.#sql.removeInheritance.run(lrsId, seq)
    this.#sql.removeStatement.run(lrsId, seq)
    this.#removeAttachments(work, seq)
    const refersTo = targetOf(row.body)
    if (refersTo !== undefined) this.#removeReference(lrsId, refersTo, row)
    // What was wanted voided stays so when age alone takes the wish away.
    if (refersTo !== undefined && row.is_voiding === 1 && target.kind !== 'retention') {
      this.#removeWaiting(lrsId, refersTo, owner)
    }
    if (target.kind === 'person') this.#erasedIds.add(lrsId, id)
    this.#disinheritLater(lrsId, id)
    add(counts, 'statements', 1)
  }

  #unpost({ lrsId, lost }: Work, seq: number, terms: readonly PostingTerm[]): void {
    for (const term of terms) this.#sql.unpost.run(lrsId, term, seq)
    for (const id of dictionaryIds(terms)) lost.add(id)
  }

  #removeAttachments({ lrsId, counts }: Work, seq: number): void {
    for (const sha2 of this.#sql.attachments.all(lrsId, seq)) {
      // Its bytes came before the statement was given its time.
      this.#sql.addOrphan.run(lrsId, sha2, Math.ceil(seq / 1000) + 1)
      add(counts, 'attachments', 1)
    }
    this.#sql.removeAttachments.run(lrsId, seq)
  }

  /** Where an owner's room for references to a target is used up, it stays so: beyond it statements refer without a row. */
  #removeReference(lrsId: LrsId, targetId: Buffer, { owner, seq }: Row): void {
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
  // What others inherited. `disinheriting` is the queue: it survives a crash, and each target is looked at until no statement
  // that refers to it has what it has no longer. Things are only ever taken, so it ends.

  #disinheritLater(lrsId: LrsId, id: Buffer): void {
    if (this.#sql.anyReference.get(lrsId, id) === undefined) return
    this.#sql.lookAt.run(lrsId, id)
    if (this.#sql.anyFull.get(lrsId, id) !== undefined) this.#sql.lookAt.run(lrsId, everyTarget)
  }

  #inheritance(work: Work): ErasurePosition | undefined {
    const looking = this.#sql.nextToLookAt.get(work.lrsId)
    if (looking === undefined) return undefined
    if (looking.target_id.length === 0) this.#lookAtAll(work, looking)
    else this.#lookAtReferring(work, looking)
    return { phase: 'inheritance', at: [] }
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
  #disinherit(work: Work, source: Row, targetId: Buffer): void {
    const inherited = parseTerms(source.inherited)
    if (inherited.length === 0) return
    const target = targetId.equals(source.id) ? undefined : this.#sql.statementById.get(work.lrsId, targetId)
    const offered = target === undefined ? [] : [...offer(target.terms), ...offer(target.inherited)]
    const isForeign = target?.owner !== source.owner
    const own = new Set(parseTerms(source.terms))
    const still = new Set(inherit(own, offered, { isForeign, room: mostInherited }))
    this.#keepInherited(work, source, (term) => still.has(term))
  }

  #keepInherited(work: Work, source: Row, isKept: (term: PostingTerm) => boolean): void {
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
    this.#disinheritLater(lrsId, source.id)
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Documents, the person, what remains

  #documents({ lrsId, target, counts }: Work): ErasurePosition | undefined {
    if (target.kind === 'retention') return undefined
    const rows =
      target.kind === 'person'
        ? this.#sql.documentsOf.all(lrsId, JSON.stringify(target.agents), mostDocuments)
        : this.#sql.documentsUntil.all(lrsId, target.through, mostDocuments)
    for (const { rowid, sha2, updated_at: at } of rows) {
      if (sha2 !== null) this.#sql.addOrphan.run(lrsId, sha2, Math.ceil(at / 1000) + 1)
      this.#sql.removeDocument.run(rowid)
    }
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
        this.#keepInherited(work, row, (term) => !dictionaryIds([term]).includes(id))
      }
      if (left.length > 0) return again
      this.#blank(work, id)
    }
    return this.#sql.nextToLookAt.get(lrsId) === undefined ? undefined : anew
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
  // Dictionary and blobs

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

  /** Blobs that no row refers to any more. Those that another row refers to stay, and are no concern of ours. */
  #unreferenced(lrsId: LrsId, orphans: readonly Orphan[]): ErasureStep['blobs'] {
    const sha2s = orphans.map(({ sha2 }) => sha2)
    const referenced = new Set(listReferenced(this.#handle, lrsId, sha2s))
    this.#sql.forgetOrphans.run(lrsId, JSON.stringify([...referenced]))
    return orphans
      .filter(({ sha2 }) => !referenced.has(sha2))
      .map(({ sha2, put_before: putBefore }) => ({ sha2, putBefore }))
  }

  forgetBlobs(organisationId: OrganisationId, id: Oid, lrsId: LrsId, sha2s: readonly string[], removed: number): void {
    this.#requireOpen(organisationId, id, lrsId)
    this.#sql.forgetOrphans.run(lrsId, JSON.stringify(sha2s))
    this.#count(id, { blobs: removed, blobsLeft: sha2s.length - removed })
  }
}

function add(counts: Counts, kind: keyof Counts, count: number): void {
  if (count > 0) counts[kind] = (counts[kind] ?? 0) + count
}

/** The id a stored statement refers to. Most refer to none, and need no parsing to say so. */
function targetOf(body: string): Buffer | undefined {
  if (!body.includes('"StatementRef"')) return undefined
  const target = findTarget(JSON.parse(body) as Statement)
  return target === undefined ? undefined : Buffer.from(target.replaceAll('-', ''), 'hex')
}

function prepare(handle: Handle) {
  const row = `select s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited, s.body
    from statement s left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq where s.lrs_id = ?`
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
    statement: handle.prepare<[number, number], Row>(`${row} and s.seq = ?`),
    statementById: handle.prepare<[number, Buffer], Row>(`${row} and s.id = ?`),
    oldest: one<[number, number, number]>(
      'select seq from statement where lrs_id = ? and seq <= ? order by seq limit ?',
    ),
    anyStatement: one<[number]>('select 1 from statement where lrs_id = ? limit 1'),
    removeStatement: handle.prepare<[number, number]>('delete from statement where lrs_id = ? and seq = ?'),
    unpost: handle.prepare<[number, PostingTerm, number]>(
      'delete from posting where lrs_id = ? and term = ? and seq = ?',
    ),
    anyPosting: one<[number, number, number]>(
      'select 1 from posting where lrs_id = ? and term between ? and ? limit 1',
    ),
    withAnyOf: handle.prepare<[number, number, number, number], Row>(
      `select s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited, '' as body
       from posting p join statement s on s.lrs_id = p.lrs_id and s.seq = p.seq
       left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq
       where p.lrs_id = ? and p.term between ? and ? limit ?`,
    ),
    attachments: handle
      .prepare<[number, number], string>('select sha2 from attachment where lrs_id = ? and seq = ?')
      .pluck(),
    removeAttachments: handle.prepare<[number, number]>('delete from attachment where lrs_id = ? and seq = ?'),

    isFull: one<[number, Buffer, number]>(`select 1 ${reference} and owner = ? limit 1 offset ${mostReferrers - 1}`),
    anyReference: one<[number, Buffer]>(`select 1 ${reference} limit 1`),
    anyFull: one<[number, Buffer]>(`select 1 ${reference} group by owner having count(*) >= ${mostReferrers} limit 1`),
    referring: handle.prepare<
      [number, Buffer, number, number, number],
      { readonly owner: number; readonly source_seq: number }
    >(`select owner, source_seq ${reference} and (owner, source_seq) > (?, ?) order by owner, source_seq limit ?`),
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

    documentsOf: handle.prepare<[number, string, number], DocumentRow>(
      `select rowid, sha2, updated_at from document
       where lrs_id = ? and agent in (select value from json_each(?)) and agent is not null limit ?`,
    ),
    documentsUntil: handle.prepare<[number, number, number], DocumentRow>(
      'select rowid, sha2, updated_at from document where lrs_id = ? and updated_at <= ? limit ?',
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

    addOrphan: handle.prepare<[number, string, number]>(
      `insert into orphan (lrs_id, sha2, put_before) values (?, ?, ?)
       on conflict (lrs_id, sha2) do update set put_before = max(put_before, excluded.put_before)`,
    ),
    orphans: handle.prepare<[number, number], Orphan>('select sha2, put_before from orphan where lrs_id = ? limit ?'),
    forgetOrphans: handle.prepare<[number, string]>(
      'delete from orphan where lrs_id = ? and sha2 in (select value from json_each(?))',
    ),
  }
}

interface Orphan {
  readonly sha2: string
  readonly put_before: number
}

interface DocumentRow {
  readonly rowid: number
  readonly sha2: string | null
  readonly updated_at: number
}
