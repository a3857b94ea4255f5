// Reads beforehand what storing some batches of one Lrs can meet: one round trip, and more only where others refer to what
// arrives. Under the lock of the Lrs, so that it holds until commit.

import { byteaArray, int4Array, int8Array, textArray } from './binary-array.ts'
import { erasedHash } from '../erasure/erased-ids.ts'
import { hash } from 'node:crypto'
import { mostReferrers } from '../statements/references.ts'
import { pairName } from './gathered-tables.ts'
import { toBlob } from '../statements/storing.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Linked } from '../statements/tables.ts'
import type { ReadRows, ReadStatement, Referrers } from './gathered-tables.ts'
import type { StatementBatch } from '../../core/storage.ts'
import type { Named } from './by-term.ts'
import type { Opening, Transaction } from './database.ts'

export interface Looked extends ReadRows {
  readonly epoch: number
  /** The lowest stored time that may be given. */
  readonly floor: number
  /** Dictionary ids at the places of the unknown; undefined where there is none yet. */
  readonly termIds: readonly (number | undefined)[]
}

/** One transaction reaches no more than so many statements of an Lrs (reach-budget.ts). */
const mostPerTarget = 30_000
/** Of others that are likely to be asked for next. */
const mostTargets = 2_000
const mostLoaded = 60_000

type StatementItem = [
  id: string,
  seq: number,
  owner: CredentialId,
  timestamp: number,
  isVoiding: number,
  terms: string,
  inherited: string,
  body: string | null,
]

export interface LookupRow {
  readonly epoch: number
  readonly last_seq: number
  readonly last_term: number
  readonly floor: number
  readonly salt: Buffer | null
  readonly statements: StatementItem[] | null
  readonly waiting: [id: string, owner: number][] | null
  readonly referenced: string[] | null
  readonly referring: [id: string, owner: number, count: number][] | null
  readonly terms: [place: number, id: number][] | null
}

// A list of rows comes as JSON: mostly there are none. The state is missing where rows were put there by a copy. "offset 0" keeps
// a seek a seek: as a join the planner, which knows nothing of a table that has just begun to fill, would read the whole Lrs.
const lookup = `
select coalesce(s.epoch, 0) as epoch,
  coalesce(s.last_seq, (select max(seq) from statement where lrs_id = $1), 0) as last_seq,
  coalesce(s.last_term, (select max(id) from term where lrs_id = $1), 0) as last_term,
  greatest(c.announced + 1, coalesce($2, claviger_micros())) as floor,
  e.salt,
  (select json_agg(json_build_array(encode(t.id, 'hex'), t.seq, t.owner, t.timestamp, t.is_voiding, t.terms,
      coalesce(i.terms, ''), case when k.n <= cardinality($3::bytea[]) then t.body end) order by k.n desc)
    from unnest($3::bytea[] || $4::bytea[]) with ordinality k (id, n)
    cross join lateral (select * from statement t where t.lrs_id = $1 and t.id = k.id offset 0) t
    left join inheritance i on i.lrs_id = $1 and i.seq = t.seq) as statements,
  (select json_agg(json_build_array(encode(w.target_id, 'hex'), w.owner))
    from unnest($3::bytea[]) k (id)
    cross join lateral (select * from waiting_void w where w.lrs_id = $1 and w.target_id = k.id offset 0) w) as waiting,
  (select json_agg(encode(k.id, 'hex')) from unnest($3::bytea[]) k (id)
    where (select true from reference r where r.lrs_id = $1 and r.target_id = k.id limit 1)) as referenced,
  (select json_agg(json_build_array(encode(k.id, 'hex'), k.owner, (select count(*) from (
      select from reference r where r.lrs_id = $1 and r.target_id = k.id and r.owner = k.owner limit ${mostReferrers}) r)))
    from unnest($4::bytea[], $5::int4[]) k (id, owner)) as referring,
  (select json_agg(json_build_array(k.n, t.id)) from unnest($6::text[], $7::bytea[]) with ordinality k (kind, sha256, n)
    cross join lateral (
      select t.id from term t where t.lrs_id = $1 and t.kind = k.kind and t.sha256 = k.sha256 offset 0) t) as terms
from clock_floor c
left join lrs_state s on s.lrs_id = $1
left join erased_lrs e on e.lrs_id = $1
where c.is_only`

/** What is to be looked up, made before the lock is waited for. */
export interface Question {
  readonly lrsId: LrsId
  readonly ids: readonly Buffer[]
  readonly unknown: readonly Named[]
  /** $3 to $7. */
  readonly values: readonly Buffer[]
}

export function questionOf(lrsId: LrsId, batches: readonly StatementBatch[], unknown: readonly Named[]): Question {
  const ids = batches.flatMap(({ statements }) => statements.map(({ id }) => toBlob(id)))
  const targets = targetsOf(batches)
  const values = [
    byteaArray(ids),
    byteaArray(targets.map(({ id }) => id)),
    int4Array(targets.map(({ owner }) => owner)),
    ...termArrays(unknown),
  ]
  return { lrsId, ids, unknown, values }
}

/** `givenMicros`: the clock of a test. */
export function lookupOf({ lrsId, values }: Question, givenMicros: number | null): Opening['question'] {
  return { text: lookup, values: [lrsId, givenMicros, ...values], name: 'statements-lookup' }
}

/** What was looked up, and the little that it leaves to be read. */
export async function readLooked(
  transaction: Transaction,
  { lrsId, ids, unknown }: Question,
  [row]: readonly LookupRow[],
): Promise<Looked> {
  if (row === undefined) throw new Error('The clock floor has no row.')
  const referenced = new Set(row.referenced)
  const unreferenced = ids.map((id) => id.toString('hex')).filter((id) => !referenced.has(id))
  return {
    epoch: row.epoch,
    floor: row.floor,
    lastSeq: row.last_seq,
    lastTerm: row.last_term,
    // What arrives and is a target as well is there twice: last, and with its body, as what arrives.
    statements: new Map((row.statements ?? []).map((item) => [item[0], toStatement(item)])),
    erased: row.salt === null ? new Set() : await findErased(transaction, lrsId, { salt: row.salt, ids }),
    waiting: grouped(row.waiting ?? []),
    referring: new Map((row.referring ?? []).map(([id, owner, count]) => [pairName(id, owner), count])),
    referrers: new Map(unreferenced.map((id) => [id, nobody])),
    sources: new Map(),
    taken: { seqs: new Set(), read: [] },
    termIds: placed(row.terms ?? [], unknown.length),
  }
}

const nobody: Referrers = new Map()

/** Each target once per owner. */
function targetsOf(batches: readonly StatementBatch[]): { readonly id: Buffer; readonly owner: CredentialId }[] {
  const targets = new Map<string, { readonly id: Buffer; readonly owner: CredentialId }>()
  for (const { owner, statements } of batches) {
    for (const { refersTo } of statements) {
      if (refersTo !== undefined) targets.set(pairName(refersTo, owner), { id: toBlob(refersTo), owner })
    }
  }
  return [...targets.values()]
}

function toStatement([id, seq, owner, timestamp, isVoiding, terms, inherited, body]: StatementItem): ReadStatement {
  return { id: Buffer.from(id, 'hex'), seq, owner, timestamp, is_voiding: isVoiding, terms, inherited, body }
}

function grouped(pairs: readonly [id: string, owner: number][]): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const [id, owner] of pairs) groups.set(id, [...(groups.get(id) ?? []), owner])
  return groups
}

function termArrays(terms: readonly Named[]): readonly [Buffer, Buffer] {
  const kinds = textArray(terms.map(({ kind }) => kind))
  return [kinds, byteaArray(terms.map(({ value }) => hash('sha256', value, 'buffer')))]
}

/** Places count from 1. */
function placed(found: readonly [place: number, id: number][], count: number): (number | undefined)[] {
  const ids = Array<number | undefined>(count).fill(undefined)
  for (const [place, id] of found) ids[place - 1] = id
  return ids
}

async function findErased(
  transaction: Transaction,
  lrsId: LrsId,
  { salt, ids }: { readonly salt: Buffer; readonly ids: readonly Buffer[] },
): Promise<ReadonlySet<string>> {
  const rows = await transaction.query<{ readonly n: number }>(
    `select k.n from unnest($2::bytea[]) with ordinality k (hash, n)
       cross join lateral (select from erased_statement e where e.lrs_id = $1 and e.hash = k.hash offset 0) e`,
    [lrsId, byteaArray(ids.map((id) => erasedHash(salt, id)))],
    'statements-erased',
  )
  return new Set(rows.map(({ n }) => ids[n - 1]?.toString('hex') ?? ''))
}

/** As `Looked.termIds`, alone: where what was remembered holds no longer. */
export async function findTermIds(
  transaction: Transaction,
  lrsId: LrsId,
  terms: readonly Named[],
): Promise<readonly (number | undefined)[]> {
  const rows = await transaction.query<{ readonly n: number; readonly id: number }>(
    `select k.n, t.id from unnest($2::text[], $3::bytea[]) with ordinality k (kind, sha256, n)
       cross join lateral (
         select t.id from term t where t.lrs_id = $1 and t.kind = k.kind and t.sha256 = k.sha256 offset 0) t`,
    [lrsId, ...termArrays(terms)],
    'statements-terms',
  )
  return placed(
    rows.map(({ n, id }) => [n, id]),
    terms.length,
  )
}

interface SourceRow extends Linked {
  readonly target: string
}

/**
 * Reads who refers to `target`, and to these, and so on, nearest first, as far as it is not too much; then whoever asks for what
 * lies beyond comes again.
 */
export async function readReferrers(
  transaction: Transaction,
  lrsId: LrsId,
  { target, rows }: { readonly target: string; readonly rows: ReadRows },
): Promise<void> {
  const reached = await transaction.query<{ readonly id: string; readonly count: number }>(
    `with recursive reached (id) as (
       select $2::bytea
       union
       select s.id from reached r
       cross join lateral (
         select source_seq from reference f where f.lrs_id = $1 and f.target_id = r.id order by owner, source_seq limit $3
       ) f
       cross join lateral (select s.id from statement s where s.lrs_id = $1 and s.seq = f.source_seq offset 0) s
     )
     select encode(t.id, 'hex') as id, (select count(*) from (
       select from reference f where f.lrs_id = $1 and f.target_id = t.id limit $3) f) as count
     from (select id from reached limit $4) t`,
    [lrsId, Buffer.from(target, 'hex'), mostPerTarget, mostTargets],
    'statements-reached',
  )
  const targets = nearest(reached)
  const sources = await transaction.query<SourceRow>(
    `select encode(t.id, 'hex') as target, s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited
     from unnest($2::bytea[]) t (id)
     cross join lateral (
       select source_seq from reference f where f.lrs_id = $1 and f.target_id = t.id order by owner, source_seq limit $3
     ) f
     cross join lateral (select * from statement s where s.lrs_id = $1 and s.seq = f.source_seq offset 0) s
     left join inheritance i on i.lrs_id = $1 and i.seq = s.seq`,
    [lrsId, byteaArray(targets.map((id) => Buffer.from(id, 'hex'))), mostPerTarget],
    'statements-sources',
  )
  take(rows, targets, sources)
}

/** The first always. */
function nearest(reached: readonly { readonly id: string; readonly count: number }[]): string[] {
  let sum = 0
  return reached.filter(({ count }, index) => (sum += count) <= mostLoaded || index === 0).map(({ id }) => id)
}

/** Stored times that are looked at together: some statements of one time lie so close, and few are looked at in vain. */
const timesAtOnce = 2_000

/** Which stored times at and before each of these are taken. */
export async function readTaken(
  transaction: Transaction,
  lrsId: LrsId,
  { taken, before }: { readonly taken: ReadRows['taken']; readonly before: readonly number[] },
): Promise<void> {
  const ranges = merged(before.map((to) => ({ from: Math.max(1, to - timesAtOnce + 1), to })))
  const rows = await transaction.query<{ readonly seq: number }>(
    `select s.seq from unnest($2::bigint[], $3::bigint[]) as range (first, last) cross join lateral (
       select seq from statement where lrs_id = $1 and seq >= range.first and seq <= range.last offset 0) as s`,
    [lrsId, int8Array(ranges.map(({ from }) => from)), int8Array(ranges.map(({ to }) => to))],
    'statements-taken',
  )
  for (const { seq } of rows) taken.seqs.add(seq)
  taken.read.push(...ranges)
}

/** Those that overlap as one. */
function merged(ranges: readonly { readonly from: number; readonly to: number }[]) {
  const joined: { from: number; to: number }[] = []
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1)
    if (last === undefined || from > last.to + 1) joined.push({ from, to })
    else last.to = Math.max(last.to, to)
  }
  return joined
}

function take({ referrers, sources }: ReadRows, targets: readonly string[], found: readonly SourceRow[]): void {
  const groups = new Map(targets.map((id) => [id, new Map<CredentialId, number[]>()]))
  for (const { target, ...source } of found) {
    sources.set(source.seq, source)
    const byOwner = groups.get(target)
    byOwner?.set(source.owner, [...(byOwner.get(source.owner) ?? []), source.seq])
  }
  for (const [id, byOwner] of groups) {
    for (const seqs of byOwner.values()) seqs.sort((a, b) => a - b)
    referrers.set(id, byOwner)
  }
}
