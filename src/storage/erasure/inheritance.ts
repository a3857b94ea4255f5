// Takes from statements that stay what they had inherited from those that go. `disinheriting` is the queue: it survives a crash,
// and each target is looked at until no statement that refers to it has what it has no longer. Things are only ever taken, so
// it ends.

import { StatementRows, add, mostRows, statementRow, targetOf } from './work.ts'
import { inherit, parseTerms, printTerms } from '../posting.ts'
import { isOneOf, listOf } from './sql.ts'
import { mostInherited, mostReferrers, offer } from '../statements/references.ts'
import type { ErasurePosition } from '../../core/storage.ts'
import type { LrsId } from '../../core/ids.ts'
import type { PostingTerm } from '../posting.ts'
import type { Sql } from './sql.ts'
import type { Posting, StatementRow, Work } from './work.ts'

/** Stands for all targets in `disinheriting`: no statement has an empty id. */
const everyTarget = Buffer.alloc(0)
/** Looked at in one step, as long as not too many statements refer to them. */
const mostTargets = 50

interface Looking {
  readonly target_id: Buffer
  readonly owner: number
  readonly seq: number
}

/** A row of `reference`. */
interface Reference {
  readonly target_id: Buffer
  readonly owner: number
  readonly source_seq: number
}

function isOfAll({ target_id: id }: Looking): boolean {
  return id.length === 0
}

function isBegun({ owner, seq }: Looking): boolean {
  return owner > 0 || seq > 0
}

/** A statement, and those of its inherited terms that it keeps. */
export interface Loss {
  readonly row: StatementRow
  readonly kept: readonly PostingTerm[]
}

export class EraserInheritance {
  readonly #sql: Sql
  readonly #rows: StatementRows
  readonly #text

  constructor(sql: Sql) {
    this.#sql = sql
    this.#rows = new StatementRows(sql)
    this.#text = textsFor(sql)
  }

  /** The statements with these ids are gone, or have less than before. */
  async takeLater(lrsId: LrsId, ids: readonly Buffer[]): Promise<void> {
    if (ids.length === 0) return
    const list = listOf(unique(ids).map((id) => [id]))
    if ((await this.#sql.run(this.#text.lookAt, [lrsId, list])) === 0) return
    const full = await this.#sql.all(this.#text.anyFull, [lrsId, list])
    if (full.length > 0) await this.#sql.run(this.#text.lookAtAll, [lrsId, everyTarget])
  }

  async isDone(lrsId: LrsId): Promise<boolean> {
    return (await this.#queue(lrsId, 1)).length === 0
  }

  async take(work: Work): Promise<ErasurePosition | undefined> {
    const queue = await this.#queue(work.lrsId, mostTargets)
    const [first] = queue
    if (first === undefined) return undefined
    if (isOfAll(first)) await this.#lookAtAll(work, first)
    else if (isBegun(first)) await this.#lookAtReferring(work, [first])
    else {
      const fresh = queue.filter((looking) => !isOfAll(looking) && !isBegun(looking))
      await this.#lookAtReferring(work, fresh)
    }
    return { phase: 'inheritance', at: [] }
  }

  /** All targets last. */
  #queue(lrsId: LrsId, most: number): Promise<readonly Looking[]> {
    return this.#sql.all<Looking>(this.#text.queue, [lrsId, most])
  }

  /** Leaves statements what they keep. */
  async keep(work: Work, all: readonly Loss[]): Promise<void> {
    const { lrsId, counts } = work
    const losses = all.filter(({ row, kept }) => kept.length < parseTerms(row.inherited).length)
    if (losses.length === 0) return
    await this.#rows.unpost(work, losses.flatMap(lostPostings))
    const [some, none] = [losses.filter(({ kept }) => kept.length > 0), losses.filter(({ kept }) => kept.length === 0)]
    const saved = some.map(({ row, kept }) => [row.seq, printTerms(kept)] as const)
    if (some.length > 0) await this.#sql.run(this.#text.saveInheritance, [lrsId, listOf(saved)])
    await this.drop(
      lrsId,
      none.map(({ row }) => row.seq),
    )
    add(counts, 'inherited', losses.length)
    await this.takeLater(
      lrsId,
      losses.map(({ row }) => row.id),
    )
  }

  /** What these had inherited, all of it. */
  async drop(lrsId: LrsId, seqs: readonly number[]): Promise<void> {
    if (seqs.length > 0) await this.#sql.run(this.#text.removeInheritance, [lrsId, listOf(seqs.map((seq) => [seq]))])
  }

  /** At targets that nobody has begun to look at, or at the one that somebody has. */
  async #lookAtReferring(work: Work, queue: readonly Looking[]): Promise<void> {
    const { lrsId } = work
    const ids = queue.map(({ target_id: id }) => id)
    const [one] = queue
    const after = one !== undefined && isBegun(one) ? [one.target_id, one.owner, one.seq] : [everyTarget, 0, 0]
    const list = listOf(ids.map((id) => [id]))
    const rows = await this.#sql.all<Reference>(this.#text.referring, [lrsId, list, ...after, mostRows])
    const targets = await this.#targets(lrsId, ids)
    const sources = await this.#rows.read(
      lrsId,
      rows.map(({ source_seq: seq }) => seq),
    )
    const targetIds = new Map(rows.map(({ source_seq: seq, target_id: id }) => [seq, id]))
    const losses = sources.map((row) => ({ row, kept: stillInherited(row, targets(targetIds.get(row.seq))) }))
    // Before: what has less now is looked at anew, also where it is one of these.
    await this.#lookedAt(lrsId, ids, rows.length < mostRows ? undefined : rows.at(-1))
    await this.keep(work, losses)
    // It never comes back to be inherited from.
    const dead = work.target.kind === 'person' ? rows.filter(({ target_id: id }) => targets(id) === undefined) : []
    if (dead.length === 0) return
    const references = dead.map(({ target_id: id, owner, source_seq: seq }) => [id, owner, seq])
    await this.#sql.run(this.#text.removeReferences, [lrsId, listOf(references)])
  }

  async #lookAtAll(work: Work, { seq }: Looking): Promise<void> {
    const { lrsId } = work
    const found = await this.#sql.all<{ readonly seq: number }>(this.#text.inheriting, [lrsId, seq, mostRows])
    const seqs = await this.#rows.affordable(
      lrsId,
      found.map((row) => row.seq),
    )
    const sources = (await this.#rows.read(lrsId, seqs, { withBodies: true })).flatMap((row) => {
      const targetId = targetOf(row.body)
      return targetId === undefined ? [] : [{ row, targetId }]
    })
    const targets = await this.#targets(
      lrsId,
      sources.map(({ targetId }) => targetId),
    )
    const losses = sources.map(({ row, targetId }) => ({ row, kept: stillInherited(row, targets(targetId)) }))
    const isEnd = found.length < mostRows && seqs.length === found.length
    const last = { target_id: everyTarget, owner: 0, source_seq: seqs.at(-1) ?? seq }
    await this.#lookedAt(lrsId, [everyTarget], isEnd ? undefined : last)
    await this.keep(work, losses)
  }

  /** By id, as they are now; undefined where one is gone. */
  async #targets(lrsId: LrsId, ids: readonly Buffer[]): Promise<(id?: Buffer) => StatementRow | undefined> {
    if (ids.length === 0) return () => undefined
    const rows = await this.#sql.all<StatementRow>(this.#text.byId, [lrsId, listOf(unique(ids).map((id) => [id]))])
    const found = new Map(rows.map((row) => [row.id.toString('hex'), row]))
    return (id) => (id === undefined ? undefined : found.get(id.toString('hex')))
  }

  /** All of these, but for the one that `last` refers to: that one so far. */
  async #lookedAt(lrsId: LrsId, ids: readonly Buffer[], last: Reference | undefined): Promise<void> {
    const done = last === undefined ? ids : ids.filter((id) => Buffer.compare(id, last.target_id) < 0)
    if (done.length > 0) await this.#sql.run(this.#text.lookedAt, [lrsId, listOf(done.map((id) => [id]))])
    if (last !== undefined) await this.#sql.run(this.#text.lookOn, [lrsId, last.target_id, last.owner, last.source_seq])
  }
}

/** Those of its inherited terms that a statement would get from its target as that is now; undefined: gone. */
function stillInherited(source: StatementRow, target: StatementRow | undefined): PostingTerm[] {
  const inherited = parseTerms(source.inherited)
  if (inherited.length === 0 || target === undefined || target.seq === source.seq) return []
  const offered = [...offer(target.terms), ...offer(target.inherited)]
  const own = new Set(parseTerms(source.terms))
  const isForeign = target.owner !== source.owner
  const still = new Set(inherit(own, offered, { isForeign, room: mostInherited }))
  return inherited.filter((term) => still.has(term))
}

function lostPostings({ row, kept }: Loss): Posting[] {
  const stays = new Set([...kept, ...parseTerms(row.terms)])
  return parseTerms(row.inherited)
    .filter((term) => !stays.has(term))
    .map((term) => ({ term, seq: row.seq }))
}

function unique(ids: readonly Buffer[]): readonly Buffer[] {
  return [...new Map(ids.map((id) => [id.toString('hex'), id])).values()]
}

function textsFor({ dialect }: Sql) {
  const ids = `${dialect.list('$2', { id: 'bytes' })} as listed`
  const reference = 'from reference r where r.lrs_id = $1 and r.target_id = listed.id'
  return {
    byId: `${statementRow()} and ${isOneOf(dialect, 's.id', '$2', 'bytes')}`,
    anyFull: `select 1 as one from ${ids}
      where (select 1 ${reference} group by r.owner having count(*) >= ${mostReferrers} limit 1) is not null limit 1`,
    referring: `select target_id, owner, source_seq from reference
      where lrs_id = $1 and ${isOneOf(dialect, 'target_id', '$2', 'bytes')}
        and (target_id, owner, source_seq) > ($3, $4, $5) order by target_id, owner, source_seq limit $6`,
    removeReferences: `delete from reference where lrs_id = $1
      and ${dialect.isListed('reference', '$2', { target_id: 'bytes', owner: 'integer', source_seq: 'integer' })}`,

    lookAt: `insert into disinheriting (lrs_id, target_id, owner, seq)
      select cast($1 as integer), listed.id, 0, 0 from ${ids} where (select 1 ${reference} limit 1) is not null
      on conflict (lrs_id, target_id) do update set owner = 0, seq = 0`,
    lookAtAll: `insert into disinheriting (lrs_id, target_id, owner, seq) values ($1, $2, 0, 0)
      on conflict (lrs_id, target_id) do update set owner = 0, seq = 0`,
    queue: 'select target_id, owner, seq from disinheriting where lrs_id = $1 order by target_id desc limit $2',
    lookOn: 'update disinheriting set owner = $3, seq = $4 where lrs_id = $1 and target_id = $2',
    lookedAt: `delete from disinheriting where lrs_id = $1 and ${isOneOf(dialect, 'target_id', '$2', 'bytes')}`,
    inheriting: 'select seq from inheritance where lrs_id = $1 and seq > $2 order by seq limit $3',
    saveInheritance: `insert into inheritance (lrs_id, seq, terms)
      select cast($1 as integer), seq, terms from ${dialect.list('$2', { seq: 'integer', terms: 'text' })} as listed
      where true on conflict (lrs_id, seq) do update set terms = excluded.terms`,
    removeInheritance: `delete from inheritance where lrs_id = $1 and ${isOneOf(dialect, 'seq', '$2', 'integer')}`,
  }
}
