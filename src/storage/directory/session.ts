// Queries on sessions. Each runs inside a transaction of the engine.

import { change, notFound } from './change.ts'
import { checkKeyIsFree, findCredential } from './credential.ts'
import { mostRows } from './organisation.ts'
import { toSession } from './records.ts'
import type { CredentialId, OrganisationId, SessionId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { DirectoryStore, Listed, SessionRecord } from '../../core/storage.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

export function createSession(
  db: Db,
  ...[organisationId, session, event]: Args<'createSession'>
): Promise<SessionRecord> {
  const work = async () => {
    if ((await findCredential(db, organisationId, session.credentialId)) === undefined) throw notFound('credential')
    await checkKeyIsFree(db, organisationId, session.key)
    const row = await db
      .insertInto('session')
      .values({
        oid: session.oid,
        organisation_id: organisationId,
        credential_id: session.credentialId,
        key: session.key,
        sealed: session.sealed,
        under_secret: session.under.secretId,
        under_generation: session.under.generation,
        rights: JSON.stringify(session.rights),
        pins: JSON.stringify(session.pins),
        words: JSON.stringify(session.words),
        created_at: session.createdAt,
        expires_at: session.expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return toSession(row)
  }
  return change(db, organisationId, event, work, ({ id }) => id)
}

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
  const row = await db
    .selectFrom('session')
    .selectAll()
    .where('id', '=', id)
    .where('credential_id', '=', credentialId)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  return row && toSession(row)
}

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
