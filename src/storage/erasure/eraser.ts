// Removes statements, documents and what is known of a person, a bounded part per call, inside a transaction that the caller
// begins, commits or rolls back, and in which nobody else writes statements of the Lrs. What must outlive a crash between two
// calls is in tables, never here. The same for every engine (docs/decisions/0020).

import { DomainError } from '../../core/errors.ts'
import { EraserInheritance } from './inheritance.ts'
import { EraserLaunches, launchesPhase } from './launches.ts'
import { Mentions } from './mentions.ts'
import { StatementRows, add, mostRows, statementRow, targetOf } from './work.ts'
import { addErased } from './erased-ids.ts'
import { dictionaryIds, ownerTerm, parseTerms, variantRange } from '../posting.ts'
import { isOneOf, listOf } from './sql.ts'
import { everybody, mostReferrers } from '../statements/references.ts'
import type { Counts, Forgotten, StatementRow, Work } from './work.ts'
import type { ErasurePosition, ErasureStep, ErasureTarget, TermKind } from '../../core/storage.ts'
import type { LrsId, Oid, OrganisationId } from '../../core/ids.ts'
import type { MentionPosition } from './mentions.ts'
import type { Dialect, Sql, Value } from './sql.ts'

/** Each may be as long as a body. */
const mostDocuments = 25
type Phase = (work: Work, at: readonly number[]) => Promise<ErasurePosition | undefined>

/** What a step did, and what whoever remembers something of the Lrs has to forget when it is committed. */
export interface Stepped {
  readonly step: ErasureStep
  readonly forgotten: Forgotten
  /** So many descriptions went. */
  readonly descriptions: number
}

interface Referring {
  readonly row: StatementRow
  readonly targetId: Buffer
}

export class Eraser {
  readonly #sql: Sql
  readonly #mentions: Mentions
  readonly #inheritance: EraserInheritance
  readonly #launches: EraserLaunches
  readonly #rows: StatementRows
  readonly #text
  /** In order; a phase that returns nothing is done, and the next one begins. */
  readonly #phases: readonly (readonly [name: string, phase: Phase])[] = [
    ['statements', (work, at) => this.#statements(work, at)],
    ['inheritance', (work) => this.#inheritance.take(work)],
    ['documents', (work) => this.#documents(work)],
    [launchesPhase, (work) => this.#launches.remove(work)],
    ['person', (work) => this.#person(work)],
    ['remains', (work) => this.#remains(work)],
  ]

  constructor(sql: Sql) {
    this.#sql = sql
    this.#mentions = new Mentions(sql)
    this.#inheritance = new EraserInheritance(sql)
    this.#launches = new EraserLaunches(sql)
    this.#rows = new StatementRows(sql)
    this.#text = textsFor(sql)
  }

  /** What was stored in the same transaction must have its postings by now. */
  async step(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    target: ErasureTarget,
    position: ErasurePosition = { phase: 'statements', at: [] },
  ): Promise<Stepped> {
    const before = await this.#lockOpen(organisationId, id, lrsId)
    const forgotten: Forgotten = { terms: [], hasNewSalt: false }
    const work: Work = { lrsId, target, counts: {}, lost: new Set(), forgotten }
    const next = await this.#runPhase(work, position)
    await this.#dropUnused(work)
    await this.#count(id, before, work.counts)
    return { step: { next }, forgotten, descriptions: work.counts.descriptions ?? 0 }
  }

  async #runPhase(work: Work, { phase, at }: ErasurePosition): Promise<ErasurePosition | undefined> {
    const index = this.#phases.findIndex(([name]) => name === phase)
    const [, run] = this.#phases[index] ?? []
    if (run === undefined) throw new DomainError('internal', `An erasure has no phase ${phase}.`)
    const next = await run(work, at)
    if (next !== undefined) return next
    const [following] = this.#phases[index + 1] ?? []
    return following === undefined ? undefined : { phase: following, at: [] }
  }

  /** What was counted so far. Of a job that is done, or not theirs, nothing is removed; and nobody ends it meanwhile. */
  async #lockOpen(organisationId: OrganisationId, id: Oid, lrsId: LrsId): Promise<Counts> {
    const [row] = await this.#sql.all<{ readonly counts: string }>(this.#text.lockOpen, [id, organisationId, lrsId])
    if (row === undefined) throw new DomainError('not_found', 'There is no such erasure.')
    return JSON.parse(row.counts) as Counts
  }

  async #count(id: Oid, before: Counts, counts: Counts): Promise<void> {
    const sum = { ...before }
    for (const [kind, count] of Object.entries(counts)) add(sum, kind as keyof Counts, count)
    await this.#sql.run('update erasure set counts = $2 where id = $1', [id, JSON.stringify(sum)])
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Statements

  async #statements(work: Work, at: readonly number[]): Promise<ErasurePosition | undefined> {
    const { lrsId, target } = work
    // Before the latest one can go.
    await this.#sql.run(this.#text.keepLast, [lrsId])
    if (target.kind === 'person') return this.#mentioning(work, target, [at[0] ?? 0, at[1] ?? 0])
    const upTo = target.kind === 'statement' ? [target.seq, target.seq] : [0, target.through]
    const rows = await this.#sql.all<{ readonly seq: number }>(this.#text.oldest, [lrsId, ...upTo, mostRows])
    const removed = await this.#removeSome(
      work,
      rows.map(({ seq }) => seq),
    )
    return removed === rows.length && rows.length < mostRows ? undefined : { phase: 'statements', at: [] }
  }

  async #mentioning(
    work: Work,
    { agents, onlyDirect }: ErasureTarget & { readonly kind: 'person' },
    at: MentionPosition,
  ): Promise<ErasurePosition | undefined> {
    const ids = await this.#mentions.idsOf(work.lrsId, agents)
    const { found, next } = await this.#mentions.after(work.lrsId, { ids, onlyDirect }, at, mostRows)
    const removed = await this.#removeSome(
      work,
      found.map(({ seq }) => seq),
    )
    add(work.counts, 'elsewhere', found.slice(0, removed).filter(({ isElsewhere }) => isElsewhere).length)
    const last = found[removed - 1]
    if (last !== undefined && removed < found.length) return { phase: 'statements', at: [at[0], last.seq] }
    return next && { phase: 'statements', at: next }
  }

  /** As many of them, in order, as one step may cost; at least one. */
  async #removeSome(work: Work, seqs: readonly number[]): Promise<number> {
    const some = await this.#rows.affordable(work.lrsId, seqs)
    const rows = await this.#rows.read(work.lrsId, some, { withBodies: true })
    if (rows.length > 0) await this.#remove(work, rows)
    return some.length
  }

  async #remove(work: Work, rows: readonly StatementRow[]): Promise<void> {
    const { lrsId, target, counts } = work
    const seqs = rows.map(({ seq }) => seq)
    const listed = listOf(seqs.map((seq) => [seq]))
    await this.#rows.unpost(work, rows.flatMap(postingsOf))
    await this.#inheritance.drop(lrsId, seqs)
    await this.#keepVoids(lrsId, rows)
    const removed = await this.#sql.run(this.#text.removeStatements, [lrsId, listed])
    await this.#sql.run(this.#text.countDown, [lrsId, removed])
    add(counts, 'statements', removed)
    add(counts, 'attachments', await this.#sql.run(this.#text.removeAttachments, [lrsId, listed]))
    await this.#removeReferences(work, rows.flatMap(referring))
    const ids = rows.map(({ id }) => id)
    if (target.kind === 'person' && (await addErased(this.#sql, lrsId, ids))) work.forgotten.hasNewSalt = true
    await this.#inheritance.takeLater(lrsId, ids)
  }

  /** What is stored again is voided again, as if the voiding statement had come first. Where that goes, too, so does this. */
  async #keepVoids(lrsId: LrsId, rows: readonly StatementRow[]): Promise<void> {
    const voided = rows.filter((row) => row.is_voided === 1)
    if (voided.length === 0) return
    const perhaps = voided.flatMap(({ id, owner }) => [everybody, owner].map((waiting) => [id, owner, waiting]))
    await this.#sql.run(this.#text.keepVoids, [lrsId, listOf(perhaps)])
  }

  async #removeReferences({ lrsId, target }: Work, all: readonly Referring[]): Promise<void> {
    if (all.length === 0) return
    // Where an owner's room for references to a target is used up, it stays so: beyond it statements refer without a row.
    const full = await this.#sql.all<{ readonly target_id: Buffer; readonly owner: number }>(this.#text.full, [
      lrsId,
      listOf(all.map(({ row, targetId }) => [targetId, row.owner])),
    ])
    const used = new Set(full.map(({ target_id: targetId, owner }) => placeOf(targetId, owner)))
    const known = all.filter(({ row, targetId }) => !used.has(placeOf(targetId, row.owner)))
    const references = listOf(known.map(({ row, targetId }) => [targetId, row.owner, row.seq]))
    await this.#sql.run(this.#text.removeReferences, [lrsId, references])
    // What was wanted voided stays so when age alone takes the wish away.
    const voiding = target.kind === 'retention' ? [] : all.filter(({ row }) => row.is_voiding === 1)
    if (voiding.length === 0) return
    const waiting = voiding.flatMap(({ row, targetId }) => [everybody, row.owner].map((owner) => [targetId, owner]))
    await this.#sql.run(this.#text.removeWaiting, [lrsId, listOf(waiting)])
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Documents, the person, what remains

  async #documents({ lrsId, target, counts }: Work): Promise<ErasurePosition | undefined> {
    if (target.kind === 'retention' || target.kind === 'statement') return undefined
    const { documents, removeDocuments } = target.kind === 'person' ? this.#text.ofAgents : this.#text.untilChanged
    const which = target.kind === 'person' ? agentList(target) : (target.changedThrough ?? target.through)
    const keys = await this.#sql.all<DocumentRow>(documents, [lrsId, which, mostDocuments])
    if (keys.length === 0) return undefined
    const listed = listOf(keys.map(({ scope, owner, registration, id }) => [scope, owner, registration, id]))
    // What somebody else changed since it was read goes, or stays, as it is now.
    add(counts, 'documents', await this.#sql.run(removeDocuments, [lrsId, which, listed]))
    return keys.length < mostDocuments ? undefined : { phase: 'documents', at: [] }
  }

  /** What is said of the person, and in the end the identifiers themselves, in one transaction with a look for stragglers. */
  async #person(work: Work): Promise<ErasurePosition | undefined> {
    const { lrsId, target, counts } = work
    if (target.kind !== 'person') return undefined
    const again: ErasurePosition = { phase: 'person', at: [] }
    const ids = (await this.#mentions.idsOf(lrsId, target.agents)).filter((id) => id !== undefined)
    const listed = listOf(ids.map((id) => [id]))
    const removed = await this.#sql.run(this.#text.removeSomeDescriptions, [lrsId, listed, mostRows])
    add(counts, 'descriptions', removed)
    if (removed === mostRows) return again
    // Stored while this went on: from the beginning.
    const anew: ErasurePosition = { phase: 'statements', at: [] }
    const documents = await this.#sql.all(this.#text.ofAgents.documents, [lrsId, agentList(target), 1])
    if (documents.length > 0 || (await this.#launches.hasAny(work))) return anew
    for (const id of ids) {
      const left = await this.#sql.all<StatementRow>(this.#text.withAnyOf, [lrsId, ...variantRange(id), mostRows])
      // Others may go on mentioning the person, and then their identifier stays with those.
      if (target.onlyDirect && left.length > 0) continue
      if (left.some((row) => dictionaryIds(parseTerms(row.terms)).includes(id))) return anew
      // Inherited past every bound of references.
      const isOthers = (term: ReturnType<typeof parseTerms>[number]) => !dictionaryIds([term]).includes(id)
      const losses = left.map((row) => ({ row, kept: parseTerms(row.inherited).filter(isOthers) }))
      await this.#inheritance.keep(work, losses)
      if (left.length > 0) return again
      await this.#blank(work, [id])
    }
    return (await this.#inheritance.isDone(lrsId)) ? undefined : anew
  }

  /** Of an Lrs that is empty now, what refers to nothing: ids that were wanted, and dictionary rows that were blanked. */
  async #remains(work: Work): Promise<ErasurePosition | undefined> {
    const { lrsId, target } = work
    if (target.kind !== 'empty') return undefined
    const again: ErasurePosition = { phase: 'remains', at: [] }
    const statements = await this.#sql.all('select 1 as one from statement where lrs_id = $1 limit 1', [lrsId])
    if (statements.length > 0) return undefined
    const known = await this.#sql.all<{ readonly id: number }>(this.#text.knownTerms, [lrsId, mostRows])
    for (const { id } of known) work.lost.add(id)
    if (known.length > 0) return again
    let most = 0
    for (const remove of this.#text.removeRemains) most = Math.max(most, await this.#sql.run(remove, [lrsId, mostRows]))
    return most < mostRows ? undefined : again
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The dictionary, and what the blob store removed

  /** What lost its last posting is known no more, nor what was said of it. */
  async #dropUnused(work: Work): Promise<void> {
    const { lrsId, target, counts } = work
    // The person's own go last, when nobody mentions them any more.
    const own = target.kind === 'person' && work.lost.size > 0 ? await this.#mentions.idsOf(lrsId, target.agents) : []
    const lost = [...work.lost].filter((id) => !own.includes(id))
    if (lost.length === 0) return
    const unused = await this.#sql.all<{ readonly id: number }>(this.#text.unused, [
      lrsId,
      listOf(lost.map((id) => [id])),
    ])
    if (unused.length === 0) return
    const ids = unused.map(({ id }) => id)
    add(
      counts,
      'descriptions',
      await this.#sql.run(this.#text.removeDescriptions, [lrsId, listOf(ids.map((id) => [id]))]),
    )
    await this.#blank(work, ids)
  }

  async #blank({ lrsId, counts, forgotten }: Work, ids: readonly number[]): Promise<void> {
    const listed = listOf(ids.map((id) => [id]))
    const known = await this.#sql.all<TermRow>(this.#text.terms, [lrsId, listed])
    if (known.length === 0) return
    await this.#sql.run(this.#text.blank, [lrsId, listed])
    for (const { kind, value } of known) forgotten.terms.push({ kind, value })
    add(counts, 'terms', known.length)
  }

  async countBlobs(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    { removed, left }: { readonly removed: number; readonly left: number },
  ): Promise<void> {
    const before = await this.#lockOpen(organisationId, id, lrsId)
    await this.#count(id, before, { blobs: removed, blobsLeft: left })
  }
}

interface DocumentRow {
  readonly scope: Buffer
  readonly owner: number
  readonly registration: string
  /** As the dialect has it. */
  readonly id: string | Buffer
}

interface TermRow {
  readonly id: number
  readonly kind: TermKind
  readonly value: string
}

function agentList({ agents }: { readonly agents: readonly string[] }): Value {
  return listOf(agents.map((agent) => [agent]))
}

function postingsOf({ seq, owner, terms, inherited }: StatementRow) {
  return [ownerTerm(owner), ...parseTerms(terms), ...parseTerms(inherited)].map((term) => ({ term, seq }))
}

function placeOf(targetId: Buffer, owner: number): string {
  return `${targetId.toString('hex')} ${owner}`
}

function referring(row: StatementRow): Referring[] {
  const targetId = targetOf(row.body)
  return targetId === undefined ? [] : [{ row, targetId }]
}

function textsFor({ dialect }: Sql) {
  const isSeq = isOneOf(dialect, 'seq', '$2', 'integer')
  const isId = isOneOf(dialect, 'id', '$2', 'integer')
  const isSubject = isOneOf(dialect, 'subject', '$2', 'integer')
  const reference = { target_id: 'bytes', owner: 'integer', source_seq: 'integer' } as const
  return {
    lockOpen: `select e.counts from erasure e join lrs l on l.organisation_id = e.organisation_id
      where e.id = $1 and e.organisation_id = $2 and l.id = $3 and e.receipt is null ${dialect.lock('e')}`,

    keepLast: `insert into erased_lrs (lrs_id, last_seq)
      select lrs_id, seq from (select lrs_id, seq from statement where lrs_id = $1 order by seq desc limit 1) as latest
      where true on conflict (lrs_id) do update set last_seq = excluded.last_seq
      where erased_lrs.last_seq < excluded.last_seq`,
    oldest: 'select seq from statement where lrs_id = $1 and seq >= $2 and seq <= $3 order by seq limit $4',
    removeStatements: `delete from statement where lrs_id = $1 and ${isSeq}`,
    countDown: 'update lrs_state set statements = statements - $2 where lrs_id = $1',
    removeAttachments: `delete from attachment where lrs_id = $1 and ${isSeq}`,
    withAnyOf: `${statementRow()} and ${dialect.isIn(
      's.seq',
      'select seq from posting where lrs_id = $1 and term between $2 and $3 order by term, seq limit $4',
    )}`,

    // Those whose owner's room for references to a target is used up.
    full: `select listed.target_id, listed.owner
      from ${dialect.list('$2', { target_id: 'bytes', owner: 'integer' })} as listed
      where (select 1 from reference r where r.lrs_id = $1 and r.target_id = listed.target_id and r.owner = listed.owner
             limit 1 offset ${mostReferrers - 1}) is not null`,
    removeReferences: `delete from reference where lrs_id = $1 and ${dialect.isListed('reference', '$2', reference)}`,
    // One that voided somebody else's had reach any; of one that voided its owner's nobody knows more.
    keepVoids: `insert into waiting_void (lrs_id, target_id, owner) select $1, listed.target_id, listed.waiting
      from ${dialect.list('$2', { target_id: 'bytes', owner: 'integer', waiting: 'integer' })} as listed
      where (select 1 from reference r join statement s on s.lrs_id = r.lrs_id and s.seq = r.source_seq
             where r.lrs_id = $1 and r.target_id = listed.target_id and s.is_voiding = 1
               and (r.owner = listed.owner) = (listed.waiting <> ${everybody}) limit 1) is not null
      on conflict do nothing`,
    // Unless another statement waits to void the same.
    removeWaiting: `delete from waiting_void where lrs_id = $1
      and ${dialect.isListed('waiting_void', '$2', { target_id: 'bytes', owner: 'integer' })} and
      (select 1 from reference r join statement s on s.lrs_id = r.lrs_id and s.seq = r.source_seq
       where r.lrs_id = $1 and r.target_id = waiting_void.target_id and s.is_voiding = 1 limit 1) is null`,

    ...documentTexts(dialect),
    removeSomeDescriptions: `delete from description where lrs_id = $1
      and ${dialect.isAmongFirst('description', 'subject, owner, sha256', isSubject, '$3')}`,
    removeDescriptions: `delete from description where lrs_id = $1 and ${isSubject}`,
    unused: `select listed.id from ${dialect.list('$2', { id: 'integer' })} as listed where (select 1 from posting p
      where p.lrs_id = $1 and p.term between listed.id * 4 and listed.id * 4 + 3 limit 1) is null`,
    terms: `select id, kind, value from term where lrs_id = $1 and value is not null and ${isId}`,
    // The hash column is unique: what stands there then is no hash of anything.
    blank: `update term set value = null, sha256 = ${dialect.bytesOf("'erased ' || id")} where lrs_id = $1 and ${isId}`,
    knownTerms: 'select id from term where lrs_id = $1 and value is not null limit $2',
    removeRemains: [
      removeSome('reference', 'target_id, owner, source_seq', 'true'),
      removeSome('waiting_void', 'target_id, owner', 'true'),
      removeSome('term', 'id', 'value is null'),
    ],
  }

  function removeSome(table: string, key: string, condition: string): string {
    return `delete from ${table} where lrs_id = $1 and ${dialect.isAmongFirst(table, key, condition, '$2')}`
  }
}

function documentTexts(dialect: Dialect) {
  const { agentKey, isIn, list, documentId } = dialect
  const keys = `select ${agentKey('one')} from ${list('$2', { one: 'text' })} as listed`
  const key = { scope: 'bytes', owner: 'integer', registration: 'text', [documentId.column]: documentId.kind } as const
  const texts = (condition: string) => ({
    documents: `select scope, owner, registration, ${documentId.column} as id from document
      where lrs_id = $1 and ${condition} limit $3`,
    removeDocuments: `delete from document where lrs_id = $1 and ${condition} and ${dialect.isListed('document', '$3', key)}`,
  })
  return {
    ofAgents: texts(`agent is not null and ${isIn(agentKey('agent'), keys)}`),
    untilChanged: texts('updated_at <= $2'),
  }
}
