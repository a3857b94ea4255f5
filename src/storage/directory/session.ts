// Queries on sessions. Each runs inside a transaction of the engine.

import { change, notFound } from './change.ts'
import { checkKeyIsFree } from './credential.ts'
import { compiled } from './compiled.ts'
import { mostRows } from './organisation.ts'
import { fromSession, toSession } from './records.ts'
import type { CredentialId, OrganisationId, SessionId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { DirectoryStore, Listed, NewSession, SessionLaunch, SessionRecord } from '../../core/storage.ts'
import type { SessionRow } from './records.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

export function createSession(
  db: Db,
  ...[organisationId, session, event]: Args<'createSession'>
): Promise<SessionRecord> {
  return change(
    db,
    organisationId,
    event,
    () => insertSession(db, organisationId, session),
    ({ id }) => id,
  )
}

/** Within the frame of a change. */
export async function insertSession(
  db: Db,
  organisationId: OrganisationId,
  session: NewSession,
): Promise<SessionRecord> {
  const { credentialId, key } = session
  if ((await findParent(db, { organisationId, credentialId })).length === 0) throw notFound('credential')
  await checkKeyIsFree(db, organisationId, key)
  const row = fromSession(organisationId, session)
  const [{ id }] = (await insert(db, row)) as [{ id: number }]
  // As it was given: what is stored is not read back.
  return { ...session, launch: session.launch ?? null, id: id as SessionId, organisationId, boundTo: null }
}

const findParent = compiled((db, wanted: { readonly organisationId: OrganisationId; readonly credentialId: number }) =>
  db
    .selectFrom('credential')
    .select('id')
    .where('id', '=', wanted.credentialId)
    .where('organisation_id', '=', wanted.organisationId),
)

const insert = compiled((db, row: Omit<SessionRow, 'id'>) =>
  db
    .insertInto('session')
    .values({
      oid: row.oid,
      organisation_id: row.organisation_id,
      credential_id: row.credential_id,
      key: row.key,
      sealed: row.sealed,
      under_secret: row.under_secret,
      under_generation: row.under_generation,
      rights: row.rights,
      pins: row.pins,
      words: row.words,
      launch: row.launch,
      bound_to: row.bound_to,
      created_at: row.created_at,
      expires_at: row.expires_at,
    })
    .returning('id'),
)

export async function listSessions(
  db: Db,
  ...[organisationId, credentialId, { offset, limit }]: Args<'listSessions'>
): Promise<Listed<SessionRecord>> {
  const query = db
    .selectFrom('session')
    .where('credential_id', '=', credentialId)
    .where('organisation_id', '=', organisationId)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page = query.selectAll().orderBy('id').limit(Math.min(limit, mostRows)).offset(offset)
  return { items: (await page.execute()).map(toSession), total }
}

export async function findSession(
  db: Db,
  organisationId: OrganisationId,
  credentialId: CredentialId,
  id: SessionId,
): Promise<SessionRecord | undefined> {
  const [row] = await find(db, { organisationId, credentialId, id })
  return row && toSession(row)
}

interface Wanted {
  readonly organisationId: OrganisationId
  readonly credentialId: CredentialId
  readonly id: SessionId
}

const find = compiled((db, { organisationId, credentialId, id }: Wanted) =>
  db
    .selectFrom('session')
    .selectAll()
    .where('id', '=', id)
    .where('credential_id', '=', credentialId)
    .where('organisation_id', '=', organisationId),
)

export function deleteSession(
  db: Db,
  ...[organisationId, credentialId, id, event]: Args<'deleteSession'>
): Promise<SessionRecord> {
  return change(db, organisationId, event, async () => {
    const session = await findSession(db, organisationId, credentialId, id)
    if (session === undefined) throw notFound('session')
    await db.deleteFrom('session').where('id', '=', id).execute()
    return session
  })
}

export async function sweepSessions(db: Db, organisationId: OrganisationId, before: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('session')
    .where('organisation_id', '=', organisationId)
    .where('expires_at', '<', before)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

/** Of a launch; not told to anybody. Undefined where there is none. */
export async function extendSession(
  db: Db,
  organisationId: OrganisationId,
  id: SessionId,
  expiresAt: number,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('session')
    .select(['launch', 'expires_at'])
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  if (row === undefined || row.launch === null) return undefined
  const { endsAt } = JSON.parse(row.launch) as SessionLaunch
  const later = Math.min(expiresAt, endsAt)
  // Another node may have moved it further meanwhile (PostgreSQL).
  const { numUpdatedRows } = await db
    .updateTable('session')
    .set({ expires_at: later })
    .where('id', '=', id)
    .where('expires_at', '<', later)
    .executeTakeFirst()
  return numUpdatedRows > 0 ? later : Math.max(later, row.expires_at)
}

export async function bindSession(
  db: Db,
  organisationId: OrganisationId,
  id: SessionId,
  boundTo: string,
): Promise<string | undefined> {
  const own = { id, organisation_id: organisationId }
  await db
    .updateTable('session')
    .set({ bound_to: boundTo })
    .where((eb) => eb.and(own))
    .where('bound_to', 'is', null)
    .execute()
  const row = await db
    .selectFrom('session')
    .select('bound_to')
    .where((eb) => eb.and(own))
    .executeTakeFirst()
  return row?.bound_to ?? undefined
}
