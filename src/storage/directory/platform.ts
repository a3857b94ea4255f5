// Queries on platforms: who launches people here. Each runs inside a transaction of the engine.

import { change, checkVersion, notFound } from './change.ts'
import { DomainError } from '../../core/errors.ts'
import { insertCredential } from './credential-writes.ts'
import { mostRows } from './organisation.ts'
import type { CredentialId, Oid, OrganisationId, PlatformId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { Json, LaunchStore, Listed, PlatformRecord, Slice } from '../../core/storage.ts'
import type { PlatformTable } from '../schema.ts'

type Args<M extends keyof LaunchStore> = Parameters<LaunchStore[M]>

export function createPlatform(
  db: Db,
  ...[organisationId, platform, event]: Args<'createPlatform'>
): Promise<PlatformRecord> {
  return change(db, organisationId, event, async () => {
    const { id, name, protocol, secrets, settings, isEnabled, createdAt, credential } = platform
    if ((await findPlatformAnywhere(db, id)) !== undefined) {
      throw new DomainError('conflict', `The platform id ${id} is already taken.`)
    }
    await demandUsualContent(db, organisationId, settings)
    const { id: credentialId } = await insertCredential(db, organisationId, { ...credential, name, isEnabled })
    const row = await db
      .insertInto('platform')
      .values({
        id,
        organisation_id: organisationId,
        name,
        protocol,
        credential_id: credentialId,
        secrets: JSON.stringify(secrets),
        settings: JSON.stringify(settings),
        is_enabled: isEnabled ? 1 : 0,
        version: 1,
        created_at: createdAt,
        updated_at: createdAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toPlatform(row)
  })
}

/** Whoever's. */
export async function findPlatformAnywhere(db: Db, id: PlatformId): Promise<PlatformRecord | undefined> {
  const row = await db.selectFrom('platform').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toPlatform(row)
}

export async function findPlatform(
  db: Db,
  organisationId: OrganisationId,
  id: PlatformId,
): Promise<PlatformRecord | undefined> {
  const found = await findPlatformAnywhere(db, id)
  return found?.organisationId === organisationId ? found : undefined
}

export async function getPlatform(db: Db, organisationId: OrganisationId, id: PlatformId): Promise<PlatformRecord> {
  const found = await findPlatform(db, organisationId, id)
  if (found === undefined) throw notFound('platform')
  return found
}

export async function listPlatforms(
  db: Db,
  organisationId: OrganisationId,
  { offset, limit }: Slice,
): Promise<Listed<PlatformRecord>> {
  const query = db.selectFrom('platform').where('organisation_id', '=', organisationId)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page = await query.selectAll().orderBy('id').limit(Math.min(limit, mostRows)).offset(offset).execute()
  return { items: page.map(toPlatform), total }
}

export function updatePlatform(
  db: Db,
  ...[organisationId, id, patch, event]: Args<'updatePlatform'>
): Promise<PlatformRecord> {
  return change(db, organisationId, event, async () => {
    const { name, secrets, settings, isEnabled, at, from } = patch
    checkVersion(await getPlatform(db, organisationId, id), from)
    if (settings !== undefined) await demandUsualContent(db, organisationId, settings)
    const shared = {
      ...(name !== undefined && { name }),
      ...(isEnabled !== undefined && { is_enabled: isEnabled ? 1 : 0 }),
    }
    const row = await db
      .updateTable('platform')
      .set((eb) => ({
        ...shared,
        ...(secrets !== undefined && { secrets: JSON.stringify(secrets) }),
        ...(settings !== undefined && { settings: JSON.stringify(settings) }),
        version: eb('version', '+', 1),
        updated_at: at,
      }))
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    if (Object.keys(shared).length > 0) await updateCredential(db, row.credential_id, shared, at)
    return toPlatform(row)
  })
}

async function demandUsualContent(db: Db, organisationId: OrganisationId, settings: Json): Promise<void> {
  const id = usualContentIn(settings)
  if (id === undefined) return
  const query = db.selectFrom('content').select('id').where('id', '=', id)
  const found = await query.where('organisation_id', '=', organisationId).executeTakeFirst()
  if (found === undefined) throw new DomainError('not_found', `There is no content ${id}.`)
}

/** A platform that launches this content where nothing was chosen. */
export async function findUsualUse(
  db: Db,
  organisationId: OrganisationId,
  contentId: Oid,
): Promise<PlatformId | undefined> {
  const query = db.selectFrom('platform').select(['id', 'settings']).where('organisation_id', '=', organisationId)
  const rows = await query.where('settings', 'like', `%${contentId}%`).execute()
  const found = rows.find(({ settings }) => usualContentIn(JSON.parse(settings) as Json) === contentId)
  return found && (found.id as PlatformId)
}

/** As `PlatformRecord.settings` has it. */
function usualContentIn(settings: Json): string | undefined {
  if (typeof settings !== 'object' || settings === null) return undefined
  const { content } = settings as Readonly<Record<string, Json>>
  return typeof content === 'string' && /^[0-9a-f]{24}$/.test(content) ? content : undefined
}

async function updateCredential(
  db: Db,
  id: number,
  shared: { readonly name?: string; readonly is_enabled?: number },
  at: number,
): Promise<void> {
  await db
    .updateTable('credential')
    .set((eb) => ({ ...shared, version: eb('version', '+', 1), updated_at: at }))
    .where('id', '=', id)
    .execute()
}

export function deletePlatform(
  db: Db,
  ...[organisationId, id, event]: Args<'deletePlatform'>
): Promise<PlatformRecord> {
  return change(db, organisationId, event, async () => {
    const platform = await getPlatform(db, organisationId, id)
    // Its placements go by foreign key; secrets, sessions and usage with its credential.
    await db.deleteFrom('platform').where('id', '=', id).execute()
    await db.deleteFrom('credential').where('id', '=', platform.credentialId).execute()
    return platform
  })
}

function toPlatform(row: PlatformTable): PlatformRecord {
  return {
    id: row.id as PlatformId,
    organisationId: row.organisation_id as OrganisationId,
    name: row.name,
    protocol: row.protocol,
    credentialId: row.credential_id as CredentialId,
    secrets: JSON.parse(row.secrets) as PlatformRecord['secrets'],
    settings: JSON.parse(row.settings) as Json,
    isEnabled: row.is_enabled === 1,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
