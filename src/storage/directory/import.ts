// Queries on imports: what is under way, how far it is, and its end. What they bring is the engine's, with `notePart` in the same
// transaction.

import { DomainError } from '../../core/errors.ts'
import type { Db } from './change.ts'
import type { ImportLrsTable, ImportTable } from '../schema.ts'
import type {
  DocumentImportOutcome,
  ImportCounts,
  ImportedLrs,
  ImportOutcome,
  ImportRecord,
  ImportStore,
  Json,
} from '../../core/storage.ts'
import type { LrsId, Oid } from '../../core/ids.ts'

type Args<M extends keyof ImportStore> = Parameters<ImportStore[M]>

const mostListed = 100

export async function begin(db: Db, ...[{ id, source, startedAt, progress }]: Args<'begin'>): Promise<ImportRecord> {
  await db
    .insertInto('import')
    .values({
      ...{ id, source, started_at: startedAt, progress: JSON.stringify(progress) },
      ...{ report: null, finished_at: null },
    })
    .onConflict((on) => on.column('source').where('finished_at', 'is', null).doNothing())
    .execute()
  const row = await db
    .selectFrom('import')
    .selectAll()
    .where('source', '=', source)
    .where('finished_at', 'is', null)
    .executeTakeFirstOrThrow()
  return withLrs(db, row)
}

export async function find(db: Db, id: Oid): Promise<ImportRecord | undefined> {
  const row = await db.selectFrom('import').selectAll().where('id', '=', id).executeTakeFirst()
  return row && withLrs(db, row)
}

export async function list(db: Db): Promise<readonly ImportRecord[]> {
  const rows = await db
    .selectFrom('import')
    .selectAll()
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(mostListed)
    .execute()
  const records: ImportRecord[] = []
  for (const row of rows) records.push(await withLrs(db, row))
  return records
}

export async function save(db: Db, ...[id, progress]: Args<'save'>): Promise<void> {
  await changeOpen(db, id, { progress: JSON.stringify(progress) })
}

export async function finish(db: Db, ...[id, { at, report }]: Args<'finish'>): Promise<void> {
  await changeOpen(db, id, { report: JSON.stringify(report), finished_at: at })
  await db.deleteFrom('import_lrs').where('import_id', '=', id).execute()
}

/** Locks its row (PostgreSQL): whoever finishes it waits for what it stores, or is seen. */
async function changeOpen(db: Db, id: Oid, change: Partial<ImportTable>): Promise<void> {
  const changed = await db
    .updateTable('import')
    .set(change)
    .where('id', '=', id)
    .where('finished_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (changed === undefined) throw new DomainError('not_found', `There is no import ${id} under way.`)
}

/** Of what one transaction brings into an Lrs. */
export interface ImportPart {
  readonly id: Oid
  readonly lrsId: LrsId
  /** Before every stored time it brings, in microseconds; null where it brings none. */
  readonly low: number | null
  /** Undefined: it was handed over before. */
  readonly progress: Json | undefined
}

/** To be called in the transaction that stores it, before that does. */
export function requireOpen(db: Db, { id }: Pick<ImportPart, 'id'>): Promise<void> {
  return changeOpen(db, id, { id })
}

/** The same, once it is known what became of it. */
export async function notePart(
  db: Db,
  { id, lrsId, low, progress }: ImportPart,
  kind: keyof Counts,
  outcomes: readonly (ImportOutcome | DocumentImportOutcome)[],
): Promise<void> {
  const row = await db
    .selectFrom('import_lrs')
    .selectAll()
    .where('lrs_id', '=', lrsId)
    .where('import_id', '=', id)
    .executeTakeFirst()
  const before = row === undefined ? noCounts : (JSON.parse(row.counts) as Counts)
  const known = row === undefined ? 'null' : row.progress
  const part = {
    low: lower(row?.low ?? null, low),
    progress: progress === undefined ? known : JSON.stringify(progress),
    counts: JSON.stringify(progress === undefined ? before : { ...before, [kind]: added(before[kind], outcomes) }),
  }
  await db
    .insertInto('import_lrs')
    .values({ lrs_id: lrsId, import_id: id, ...part })
    .onConflict((on) => on.columns(['lrs_id', 'import_id']).doUpdateSet(part))
    .execute()
}

type Counts = ImportedLrs['counts']

const none: ImportCounts = { stored: 0, there: 0, refused: 0 }
const noCounts: Counts = { statements: none, documents: none }

function added(
  { stored, there, refused }: ImportCounts,
  outcomes: readonly (ImportOutcome | DocumentImportOutcome)[],
): ImportCounts {
  const news = outcomes.filter((outcome) => outcome === 'stored').length
  const known = outcomes.filter((outcome) => outcome === 'there').length
  return { stored: stored + news, there: there + known, refused: refused + outcomes.length - news - known }
}

function lower(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other
  return Math.min(one, other)
}

async function withLrs(db: Db, row: ImportTable): Promise<ImportRecord> {
  const parts = await db
    .selectFrom('import_lrs')
    .selectAll()
    .where('import_id', '=', row.id)
    .orderBy('lrs_id')
    .execute()
  return toImport(row, parts)
}

function toImport(row: ImportTable, parts: readonly ImportLrsTable[]): ImportRecord {
  return {
    id: row.id as Oid,
    source: row.source,
    startedAt: row.started_at,
    progress: JSON.parse(row.progress) as Json,
    lrs: parts.map(({ lrs_id, progress, counts }) => ({
      lrsId: lrs_id as LrsId,
      progress: JSON.parse(progress) as Json,
      counts: JSON.parse(counts) as Counts,
    })),
    report: row.report === null ? null : (JSON.parse(row.report) as Json),
    finishedAt: row.finished_at,
  }
}
