// Queries on applications and their settings. Each runs inside a transaction of the engine.

import { change, notFound } from './change.ts'
import { DomainError } from '../../core/errors.ts'
import { insertCredential } from './credential-writes.ts'
import { insertLrs, setOpen } from './lrs.ts'
import { mostRows } from './organisation.ts'
import { sql } from 'kysely'
import type { ApplicationId, CredentialId, LrsId, OrganisationId } from '../../core/ids.ts'
import type { ApplicationRecord, DirectoryStore, Listed, SettingRecord } from '../../core/storage.ts'
import type { ApplicationTable } from '../schema.ts'
import type { Db } from './change.ts'
import type { Rights } from '../../core/rights.ts'

/** Settings in one query. */
const atOnce = 500

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

export function createApplication(
  db: Db,
  ...[organisationId, application, event]: Args<'createApplication'>
): Promise<ApplicationRecord> {
  return change(db, organisationId, event, async () => {
    const { id, name, createdAt, live, sandbox, credential } = application
    const { updatedAt = createdAt, isDeletable = true, callback = null, settings = [] } = application
    if ((await anyApplication(db, id)) !== undefined) {
      throw new DomainError('conflict', `The application id ${id} is already taken.`)
    }
    const lrsIds = [await insertLrs(db, organisationId, live), await insertLrs(db, organisationId, sandbox)].map(
      (lrs) => lrs.id as LrsId,
    )
    const rights = boundTo(lrsIds, credential.rights)
    const { id: credentialId } = await insertCredential(db, organisationId, { ...credential, rights, lrsIds })
    const row = await db
      .insertInto('application')
      .values({
        id,
        organisation_id: organisationId,
        name,
        is_deletable: isDeletable ? 1 : 0,
        live_lrs_id: lrsIds[0]!,
        sandbox_lrs_id: lrsIds[1]!,
        credential_id: credentialId,
        callback,
        callback_generation: 1,
        created_at: createdAt,
        updated_at: updatedAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    for (let start = 0; start < settings.length; start += atOnce) {
      const rows = settings.slice(start, start + atOnce).map((setting) => ({ ...setting, application_id: id }))
      await db.insertInto('setting').values(rows).execute()
    }
    return toApplication(row)
  })
}

/** Only here the ids of the Lrs are known. */
function boundTo(lrsIds: readonly LrsId[], { xapi, management }: Rights): Rights {
  return {
    xapi,
    management: management.map((grant) =>
      grant.bound.kind === 'application' ? { ...grant, bound: { ...grant.bound, lrsIds } } : grant,
    ),
  }
}

/** Whoever's. */
export async function anyApplication(db: Db, id: ApplicationId): Promise<ApplicationRecord | undefined> {
  const row = await db.selectFrom('application').selectAll().where('id', '=', id).executeTakeFirst()
  return row && toApplication(row)
}

export async function findApplication(
  db: Db,
  organisationId: OrganisationId,
  id: ApplicationId,
): Promise<ApplicationRecord | undefined> {
  const found = await anyApplication(db, id)
  return found?.organisationId === organisationId ? found : undefined
}

async function getApplication(db: Db, organisationId: OrganisationId, id: ApplicationId): Promise<ApplicationRecord> {
  const found = await findApplication(db, organisationId, id)
  if (found === undefined) throw notFound('application')
  return found
}

export async function listApplications(
  db: Db,
  ...[organisationId, query]: Args<'listApplications'>
): Promise<Listed<ApplicationRecord>> {
  const { filter, by, rangeBy = by, since, until, isDescending, after, limit } = query
  const time = columnOf[by]
  const ranged = columnOf[rangeBy]
  let rows = db.selectFrom('application').where('organisation_id', '=', organisationId)
  if (since !== undefined) rows = rows.where(ranged, '>=', since)
  if (until !== undefined) rows = rows.where(ranged, '<=', until)
  if (filter !== undefined) {
    const pattern = `%${filter.text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`
    rows = rows.where(sql<boolean>`lower(${sql.ref(filter.by)}) like ${pattern} escape '\\'`)
  }
  const { total } = await rows.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const direction = isDescending ? 'desc' : 'asc'
  const beyond = isDescending ? '<' : '>'
  if (after !== undefined) {
    rows = rows.where((eb) =>
      eb.or([eb(time, beyond, after.at), eb.and([eb(time, '=', after.at), eb('id', beyond, after.id)])]),
    )
  }
  const page = await rows
    .selectAll()
    .orderBy(time, direction)
    .orderBy('id', direction)
    .limit(Math.min(limit, mostRows))
    .execute()
  return { items: page.map(toApplication), total }
}

const columnOf = { createdAt: 'created_at', updatedAt: 'updated_at' } as const

export function updateApplication(
  db: Db,
  ...[organisationId, id, patch, event]: Args<'updateApplication'>
): Promise<ApplicationRecord> {
  return change(db, organisationId, event, async () => {
    const { name, isDeletable, callback, forgetsVerdicts, at } = patch
    const raises = callback !== undefined || forgetsVerdicts === true
    const row = await db
      .updateTable('application')
      .set((eb) => ({
        ...(name !== undefined && { name }),
        ...(isDeletable !== undefined && { is_deletable: isDeletable ? 1 : 0 }),
        ...(callback !== undefined && { callback }),
        ...(raises && { callback_generation: eb('callback_generation', '+', 1) }),
        updated_at: at,
      }))
      .where('id', '=', id)
      .where('organisation_id', '=', organisationId)
      .returningAll()
      .executeTakeFirst()
    if (row === undefined) throw notFound('application')
    if (name !== undefined) await renameCredential(db, row.credential_id, name, at)
    return toApplication(row)
  })
}

async function renameCredential(db: Db, id: number, name: string, at: number): Promise<void> {
  await db
    .updateTable('credential')
    .set((eb) => ({ name, version: eb('version', '+', 1), updated_at: at }))
    .where('id', '=', id)
    .execute()
}

export function deleteApplication(
  db: Db,
  ...[organisationId, id, event]: Args<'deleteApplication'>
): Promise<ApplicationRecord> {
  return change(db, organisationId, event, async (organisation) => {
    const application = await getApplication(db, organisationId, id)
    const { liveLrsId, sandboxLrsId, credentialId } = application
    const own = [liveLrsId, sandboxLrsId]
    if (await hasContent(db, own)) throw new DomainError('conflict', 'Content still exists in the application.')
    // Settings and pipes go by foreign key; secrets, sessions and usage with their credential.
    await db.deleteFrom('application').where('id', '=', id).execute()
    await db.deleteFrom('credential').where('id', '=', credentialId).execute()
    await leaveLrs(db, organisationId, own)
    await setOpen(db, organisation, own, true)
    return application
  })
}

async function hasContent(db: Db, lrsIds: readonly LrsId[]): Promise<boolean> {
  const ids = sql.join(lrsIds)
  for (const table of ['statement', 'document']) {
    const { rows } = await sql`select 1 from ${sql.table(table)} where lrs_id in (${ids}) limit 1`.execute(db)
    if (rows.length > 0) return true
  }
  return false
}

/** No credential reaches them any more; one that reaches nothing else goes. */
async function leaveLrs(db: Db, organisationId: OrganisationId, gone: readonly LrsId[]): Promise<void> {
  const rows = await db
    .selectFrom('credential')
    .select(['id', 'lrs_ids'])
    .where('organisation_id', '=', organisationId)
    // So that of a hundred thousand only those come out that it is about.
    .where((eb) => eb.or(gone.map((id) => sql<boolean>`',' || trim(lrs_ids, '[]') || ',' like ${`%,${id},%`}`)))
    .execute()
  for (const { id, lrs_ids: text } of rows) {
    const left = (JSON.parse(text) as LrsId[]).filter((lrsId) => !gone.includes(lrsId))
    if (left.length === 0) await db.deleteFrom('credential').where('id', '=', id).execute()
    else
      await db
        .updateTable('credential')
        .set({ lrs_ids: JSON.stringify(left) })
        .where('id', '=', id)
        .execute()
  }
}

export async function listSettings(
  db: Db,
  organisationId: OrganisationId,
  id: ApplicationId,
): Promise<readonly SettingRecord[]> {
  return db
    .selectFrom('setting')
    .innerJoin('application', 'application.id', 'setting.application_id')
    .select(['setting.level', 'setting.name', 'setting.value'])
    .where('application.id', '=', id)
    .where('application.organisation_id', '=', organisationId)
    .orderBy('setting.level')
    .orderBy('setting.name')
    .limit(mostRows)
    .execute()
}

export async function putSettings(
  db: Db,
  ...[organisationId, id, { level, values, isOpen, at }, event]: Args<'putSettings'>
): Promise<void> {
  await change(db, organisationId, event, async (organisation) => {
    const { liveLrsId, sandboxLrsId } = await getApplication(db, organisationId, id)
    const all = Object.entries(values)
    for (let start = 0; start < all.length; start += atOnce) {
      await putSome(db, { application_id: id, level }, all.slice(start, start + atOnce))
    }
    await db.updateTable('application').set({ updated_at: at }).where('id', '=', id).execute()
    if (isOpen !== undefined) await setOpen(db, organisation, [liveLrsId, sandboxLrsId], isOpen)
  })
}

async function putSome(
  db: Db,
  of: { readonly application_id: ApplicationId; readonly level: string },
  settings: readonly (readonly [name: string, value: string | null])[],
): Promise<void> {
  const gone = settings.filter(([, value]) => value === null).map(([name]) => name)
  const rows = settings.flatMap(([name, value]) => (value === null ? [] : [{ ...of, name, value }]))
  if (gone.length > 0) {
    await db
      .deleteFrom('setting')
      .where((eb) => eb.and(of))
      .where('name', 'in', gone)
      .execute()
  }
  if (rows.length === 0) return
  await db
    .insertInto('setting')
    .values(rows)
    .onConflict((on) =>
      on.columns(['application_id', 'level', 'name']).doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
    )
    .execute()
}

function toApplication(row: ApplicationTable): ApplicationRecord {
  return {
    id: row.id as ApplicationId,
    organisationId: row.organisation_id as OrganisationId,
    name: row.name,
    isDeletable: row.is_deletable === 1,
    liveLrsId: row.live_lrs_id as LrsId,
    sandboxLrsId: row.sandbox_lrs_id as LrsId,
    credentialId: row.credential_id as CredentialId,
    callback: row.callback,
    callbackGeneration: row.callback_generation,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
