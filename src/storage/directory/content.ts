// Queries on content, and on which of it platforms launch where. Each runs inside a transaction of the engine.

import { change, checkVersion, notFound } from './change.ts'
import { DomainError } from '../../core/errors.ts'
import { findUsualUse, getPlatform } from './platform.ts'
import { mostRows } from './organisation.ts'
import type { Oid, OrganisationId, PlatformId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { ContentRecord, Json, LaunchStore, Listed, PlacementRecord, Slice } from '../../core/storage.ts'
import type { ContentTable, PlacementTable } from '../schema.ts'

type Args<M extends keyof LaunchStore> = Parameters<LaunchStore[M]>

export function createContent(
  db: Db,
  ...[organisationId, { id, name, settings, createdAt }, event]: Args<'createContent'>
): Promise<ContentRecord> {
  return change(db, organisationId, event, async () => {
    const row = await db
      .insertInto('content')
      .values({
        id,
        organisation_id: organisationId,
        name,
        settings: JSON.stringify(settings),
        version: 1,
        created_at: createdAt,
        updated_at: createdAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toContent(row)
  })
}

export async function findContent(db: Db, organisationId: OrganisationId, id: Oid): Promise<ContentRecord | undefined> {
  const row = await db
    .selectFrom('content')
    .selectAll()
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  return row && toContent(row)
}

async function getContent(db: Db, organisationId: OrganisationId, id: Oid): Promise<ContentRecord> {
  const found = await findContent(db, organisationId, id)
  if (found === undefined) throw notFound('content')
  return found
}

export async function listContents(
  db: Db,
  organisationId: OrganisationId,
  { offset, limit }: Slice,
): Promise<Listed<ContentRecord>> {
  const query = db.selectFrom('content').where('organisation_id', '=', organisationId)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page = await query.selectAll().orderBy('id').limit(Math.min(limit, mostRows)).offset(offset).execute()
  return { items: page.map(toContent), total }
}

export function updateContent(
  db: Db,
  ...[organisationId, id, patch, event]: Args<'updateContent'>
): Promise<ContentRecord> {
  return change(db, organisationId, event, async () => {
    const { name, settings, at, from } = patch
    checkVersion(await getContent(db, organisationId, id), from)
    const row = await db
      .updateTable('content')
      .set((eb) => ({
        ...(name !== undefined && { name }),
        ...(settings !== undefined && { settings: JSON.stringify(settings) }),
        version: eb('version', '+', 1),
        updated_at: at,
      }))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    return toContent(row)
  })
}

export function deleteContent(db: Db, ...[organisationId, id, event]: Args<'deleteContent'>): Promise<ContentRecord> {
  return change(db, organisationId, event, async () => {
    const content = await getContent(db, organisationId, id)
    await refuseUsed(db, organisationId, id)
    await db.deleteFrom('content').where('id', '=', id).execute()
    return content
  })
}

async function refuseUsed(db: Db, organisationId: OrganisationId, id: Oid): Promise<void> {
  const platform = await findUsualUse(db, organisationId, id)
  if (platform !== undefined) {
    throw new DomainError('conflict', `The content is what the platform ${platform} opens where nothing was chosen.`)
  }
  const placement = await db
    .selectFrom('placement')
    .select(['platform_id', 'resource'])
    .where('content_id', '=', id)
    .executeTakeFirst()
  if (placement !== undefined) {
    const { platform_id: platformId, resource } = placement
    throw new DomainError('conflict', `The content is placed at ${resource} of the platform ${platformId}.`)
  }
  const running = await db
    .selectFrom('launch')
    .select('id')
    .where('content_id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (running !== undefined) throw new DomainError('conflict', `The content is in use by the launch ${running.id}.`)
}

export function putPlacement(
  db: Db,
  ...[organisationId, { platformId, resource, contentId, at }, event]: Args<'putPlacement'>
): Promise<PlacementRecord> {
  return change(db, organisationId, event, async () => {
    await getPlatform(db, organisationId, platformId)
    if (contentId !== null) await getContent(db, organisationId, contentId)
    const row = await db
      .insertInto('placement')
      .values({
        platform_id: platformId,
        resource,
        organisation_id: organisationId,
        content_id: contentId,
        created_at: at,
        updated_at: at,
      })
      .onConflict((on) =>
        on.columns(['platform_id', 'resource']).doUpdateSet({ content_id: contentId, updated_at: at }),
      )
      .returningAll()
      .executeTakeFirstOrThrow()
    return toPlacement(row)
  })
}

export function deletePlacement(
  db: Db,
  ...[organisationId, platformId, resource, event]: Args<'deletePlacement'>
): Promise<PlacementRecord> {
  return change(db, organisationId, event, async () => {
    const row = await db
      .deleteFrom('placement')
      .where('platform_id', '=', platformId)
      .where('resource', '=', resource)
      .where('organisation_id', '=', organisationId)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw notFound('placement')
    return toPlacement(row)
  })
}

export async function findPlacement(
  db: Db,
  organisationId: OrganisationId,
  platformId: PlatformId,
  resource: string,
): Promise<PlacementRecord | undefined> {
  const row = await db
    .selectFrom('placement')
    .selectAll()
    .where('platform_id', '=', platformId)
    .where('resource', '=', resource)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  return row && toPlacement(row)
}

export async function listPlacements(
  db: Db,
  ...[organisationId, { platformId, contentId }, { offset, limit }]: Args<'listPlacements'>
): Promise<Listed<PlacementRecord>> {
  let query = db.selectFrom('placement').where('organisation_id', '=', organisationId)
  if (platformId !== undefined) query = query.where('platform_id', '=', platformId)
  if (contentId !== undefined) query = query.where('content_id', '=', contentId)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page = query.selectAll().orderBy('platform_id').orderBy('resource')
  const rows = await page.limit(Math.min(limit, mostRows)).offset(offset).execute()
  return { items: rows.map(toPlacement), total }
}

function toContent(row: ContentTable): ContentRecord {
  return {
    id: row.id as Oid,
    organisationId: row.organisation_id as OrganisationId,
    name: row.name,
    settings: JSON.parse(row.settings) as Json,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

function toPlacement(row: PlacementTable): PlacementRecord {
  return {
    platformId: row.platform_id as PlatformId,
    resource: row.resource,
    contentId: row.content_id as Oid | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
