// Queries on pipes: what is forwarded where, and how far each has come. Each runs inside a transaction of the engine.

import { change, notFound } from './change.ts'
import { checkLrs } from './lrs.ts'
import { mostRows } from './organisation.ts'
import { findApplication } from './application.ts'
import type { ApplicationId, LrsId, OrganisationId, PipeId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { DirectoryStore, Json, PipeRecord } from '../../core/storage.ts'
import type { PipeTable } from '../schema.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

const mostRunning = 1_000

export function createPipe(db: Db, ...[organisationId, pipe, event]: Args<'createPipe'>): Promise<PipeRecord> {
  return change(db, organisationId, event, async () => {
    const { id, applicationId, lrsId, createdAt, updatedAt = createdAt, version = 1 } = pipe
    if (applicationId !== null && (await findApplication(db, organisationId, applicationId)) === undefined) {
      throw notFound('application')
    }
    if (lrsId !== null) await checkLrs(db, organisationId, [lrsId])
    const row = await db
      .insertInto('pipe')
      .values({
        ...fromPipe(pipe),
        id,
        organisation_id: organisationId,
        application_id: applicationId,
        target: pipe.target,
        progress: JSON.stringify(pipe.progress),
        version,
        created_at: createdAt,
        updated_at: updatedAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toPipe(row)
  })
}

export async function findPipe(db: Db, organisationId: OrganisationId, id: PipeId): Promise<PipeRecord | undefined> {
  const row = await db
    .selectFrom('pipe')
    .selectAll()
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  return row && toPipe(row)
}

export async function listPipes(
  db: Db,
  organisationId: OrganisationId,
  applicationId?: ApplicationId | null,
): Promise<readonly PipeRecord[]> {
  let query = db.selectFrom('pipe').selectAll().where('organisation_id', '=', organisationId)
  if (applicationId !== undefined) query = query.where('application_id', 'is not distinct from', applicationId)
  const rows = await query.orderBy('created_at').orderBy('id').limit(mostRows).execute()
  return rows.map(toPipe)
}

export async function listRunningPipes(db: Db, after?: PipeId): Promise<readonly PipeRecord[]> {
  let query = db.selectFrom('pipe').selectAll().where('paused_because', 'is', null)
  if (after !== undefined) query = query.where('id', '>', after)
  const rows = await query.orderBy('id').limit(mostRunning).execute()
  return rows.map(toPipe)
}

export function updatePipe(db: Db, ...[organisationId, id, patch, event]: Args<'updatePipe'>): Promise<PipeRecord> {
  return change(db, organisationId, event, async () => {
    if (patch.lrsId !== undefined && patch.lrsId !== null) await checkLrs(db, organisationId, [patch.lrsId])
    const row = await db
      .updateTable('pipe')
      .set((eb) => ({ ...fromPipe(patch), version: eb('version', '+', 1), updated_at: patch.at }))
      .where('id', '=', id)
      .where('organisation_id', '=', organisationId)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw notFound('pipe')
    return toPipe(row)
  })
}

export async function savePipeProgress(
  db: Db,
  ...[organisationId, id, version, { progress, pausedBecause }]: Args<'savePipeProgress'>
): Promise<boolean> {
  const row = await db
    .updateTable('pipe')
    .set(fromPipe({ progress, pausedBecause }))
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .where('version', '=', version)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export function deletePipe(db: Db, ...[organisationId, id, event]: Args<'deletePipe'>): Promise<PipeRecord> {
  return change(db, organisationId, event, async () => {
    const row = await db
      .deleteFrom('pipe')
      .where('id', '=', id)
      .where('organisation_id', '=', organisationId)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw notFound('pipe')
    return toPipe(row)
  })
}

type Editable = Pick<PipeRecord, 'lrsId' | 'source' | 'target' | 'pausedBecause' | 'progress'>

function fromPipe({ lrsId, source, target, pausedBecause, progress }: Partial<Editable>) {
  return {
    ...(lrsId !== undefined && { source_lrs_id: lrsId }),
    ...(source !== undefined && { source }),
    ...(target !== undefined && { target }),
    ...(pausedBecause !== undefined && { paused_because: pausedBecause }),
    ...(progress !== undefined && { progress: JSON.stringify(progress) }),
  }
}

function toPipe(row: PipeTable): PipeRecord {
  return {
    id: row.id as PipeId,
    organisationId: row.organisation_id as OrganisationId,
    applicationId: row.application_id as ApplicationId | null,
    lrsId: row.source_lrs_id as LrsId | null,
    source: row.source,
    target: row.target,
    pausedBecause: row.paused_because,
    progress: JSON.parse(row.progress) as Json,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
