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
/** Looking at a target costs a step as much as this many of the rows it finds. */
const targetCost = 10

interface Looking {
  readonly target_id: Buffer
  readonly owner: number
  readonly seq: number
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
    return (await this.#next(lrsId)) === undefined
  }

  async take(work: Work): Promise<ErasurePosition | undefined> {
    for (let cost = 0; cost < mostRows;) {
      const looking = await this.#next(work.lrsId)
      if (looking === undefined) return undefined
      const isOfAll = looking.target_id.length === 0
      cost += targetCost + (isOfAll ? await this.#lookAtAll(work, looking) : await this.#lookAtReferring(work, looking))
    }
    return { phase: 'inheritance', at: [] }
  }

  async #next(lrsId: LrsId): Promise<Looking | undefined> {
    const [looking] = await this.#sql.all<Looking>(this.#text.nextToLookAt, [lrsId])
    return looking
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

  async #lookAtReferring(work: Work, looking: Looking): Promise<number> {
    const { lrsId } = work
    const targetId = looking.target_id
    const rows = await this.#sql.all<{ readonly owner: number; readonly source_seq: number }>(this.#text.referring, [
      lrsId,
      targetId,
      looking.owner,
      looking.seq,
      mostRows,
    ])
    const [target] = await this.#targets(lrsId, [targetId])
    const sources = await this.#rows.read(
      lrsId,
      rows.map(({ source_seq: seq }) => seq),
    )
    const losses = sources.map((row) => ({ row, kept: stillInherited(row, target) }))
    await this.keep(work, losses)
    // It never comes back to be inherited from.
    if (target === undefined && work.target.kind === 'person' && rows.length > 0) {
      const list = listOf(rows.map(({ owner, source_seq: seq }) => [targetId, owner, seq]))
      await this.#sql.run(this.#text.removeReferences, [lrsId, list])
    }
    await this.#lookedAt(lrsId, targetId, rows.length < mostRows ? undefined : rows.at(-1))
    return rows.length
  }

  async #lookAtAll(work: Work, { target_id: every, seq }: Looking): Promise<number> {
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
    const byId = new Map(targets.map((target) => [target.id.toString('hex'), target]))
    const losses = sources.map(({ row, targetId }) => ({
      row,
      kept: stillInherited(row, byId.get(targetId.toString('hex'))),
    }))
    await this.keep(work, losses)
    const isLast = found.length < mostRows && seqs.length === found.length
    const last = seqs.at(-1)
    await this.#lookedAt(lrsId, every, isLast || last === undefined ? undefined : { owner: 0, source_seq: last })
    // The bodies were read, too.
    return mostRows
  }

  async #targets(lrsId: LrsId, ids: readonly Buffer[]): Promise<readonly StatementRow[]> {
    if (ids.length === 0) return []
    return this.#sql.all<StatementRow>(this.#text.byId, [lrsId, listOf(unique(ids).map((id) => [id]))])
  }

  /** To its end, or as far as `last`. */
  async #lookedAt(
    lrsId: LrsId,
    targetId: Buffer,
    last: { readonly owner: number; readonly source_seq: number } | undefined,
  ): Promise<void> {
    if (last === undefined) await this.#sql.run(this.#text.lookedAt, [lrsId, targetId])
    else await this.#sql.run(this.#text.lookOn, [lrsId, targetId, last.owner, last.source_seq])
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
    referring: `select owner, source_seq from reference
      where lrs_id = $1 and target_id = $2 and (owner, source_seq) > ($3, $4) order by owner, source_seq limit $5`,
    removeReferences: `delete from reference where lrs_id = $1
      and ${dialect.isListed('reference', '$2', { target_id: 'bytes', owner: 'integer', source_seq: 'integer' })}`,

    lookAt: `insert into disinheriting (lrs_id, target_id, owner, seq)
      select cast($1 as integer), listed.id, 0, 0 from ${ids} where (select 1 ${reference} limit 1) is not null
      on conflict (lrs_id, target_id) do update set owner = 0, seq = 0`,
    lookAtAll: `insert into disinheriting (lrs_id, target_id, owner, seq) values ($1, $2, 0, 0)
      on conflict (lrs_id, target_id) do update set owner = 0, seq = 0`,
    nextToLookAt: 'select target_id, owner, seq from disinheriting where lrs_id = $1 order by target_id desc limit 1',
    lookOn: 'update disinheriting set owner = $3, seq = $4 where lrs_id = $1 and target_id = $2',
    lookedAt: 'delete from disinheriting where lrs_id = $1 and target_id = $2',
    inheriting: 'select seq from inheritance where lrs_id = $1 and seq > $2 order by seq limit $3',
    saveInheritance: `insert into inheritance (lrs_id, seq, terms)
      select cast($1 as integer), seq, terms from ${dialect.list('$2', { seq: 'integer', terms: 'text' })} as listed
      where true on conflict (lrs_id, seq) do update set terms = excluded.terms`,
    removeInheritance: `delete from inheritance where lrs_id = $1 and ${isOneOf(dialect, 'seq', '$2', 'integer')}`,
  }
}
