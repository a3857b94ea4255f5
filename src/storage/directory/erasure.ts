// Queries on erasures: the jobs and their receipts. What they remove is the engine's.

import { change, notFound } from './change.ts'
import { mostRows } from './organisation.ts'
import type { Db } from './change.ts'
import type { ErasureCounts, ErasureRecord, ErasureStore, Json, Listed, Slice } from '../../core/storage.ts'
import type { ErasureTable } from '../schema.ts'
import type { Oid, OrganisationId } from '../../core/ids.ts'

type Args<M extends keyof ErasureStore> = Parameters<ErasureStore[M]>

const mostOpen = 1_000

const noCounts: ErasureCounts = {
  statements: 0,
  elsewhere: 0,
  inherited: 0,
  attachments: 0,
  documents: 0,
  launches: 0,
  descriptions: 0,
  terms: 0,
  blobs: 0,
  blobsLeft: 0,
}

export function create(
  db: Db,
  ...[organisationId, { id, plan, sealed, startedAt }, event]: Args<'create'>
): Promise<ErasureRecord> {
  return change(db, organisationId, event, async () => {
    const row = await db
      .insertInto('erasure')
      .values({
        id,
        organisation_id: organisationId,
        plan: JSON.stringify(plan),
        sealed,
        counts: JSON.stringify(noCounts),
        started_at: startedAt,
        receipt: null,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toErasure(row)
  })
}

export async function finish(db: Db, ...[organisationId, id, receipt, event]: Args<'finish'>): Promise<void> {
  await change(db, organisationId, event, async () => {
    const row = await db
      .updateTable('erasure')
      .set({ receipt: JSON.stringify(receipt), sealed: null })
      .where('id', '=', id)
      .where('organisation_id', '=', organisationId)
      .where('receipt', 'is', null)
      .returning('id')
      .executeTakeFirst()
    if (row === undefined) throw notFound('erasure')
  })
}

export async function find(db: Db, organisationId: OrganisationId, id: Oid): Promise<ErasureRecord | undefined> {
  const row = await db
    .selectFrom('erasure')
    .selectAll()
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  return row && toErasure(row)
}

export async function list(
  db: Db,
  organisationId: OrganisationId,
  { offset, limit }: Slice,
): Promise<Listed<ErasureRecord>> {
  const mine = db.selectFrom('erasure').where('organisation_id', '=', organisationId)
  const rows = await mine
    .selectAll()
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(Math.min(limit, mostRows))
    .offset(offset)
    .execute()
  const { total } = await mine.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  return { items: rows.map(toErasure), total }
}

export async function listOpenErasures(db: Db): Promise<readonly ErasureRecord[]> {
  const rows = await db
    .selectFrom('erasure')
    .selectAll()
    .where('receipt', 'is', null)
    .orderBy('started_at')
    .limit(mostOpen)
    .execute()
  return rows.map(toErasure)
}

function toErasure(row: ErasureTable): ErasureRecord {
  return {
    id: row.id as Oid,
    organisationId: row.organisation_id as OrganisationId,
    plan: JSON.parse(row.plan) as Json,
    sealed: row.sealed,
    startedAt: row.started_at,
    counts: JSON.parse(row.counts) as ErasureCounts,
    receipt: row.receipt === null ? null : (JSON.parse(row.receipt) as Json),
  }
}
