// Queries on credentials and their secrets, and sign-in. Each runs inside a transaction of the engine.

import { DomainError } from '../../core/errors.ts'
import { change, notFound } from './change.ts'
import { checkLrs } from './lrs.ts'
import { mostRows } from './organisation.ts'
import { fromEditable, fromSecret, toCredential } from './records.ts'
import type { CredentialId, OrganisationId, SecretId } from '../../core/ids.ts'
import type { CredentialRecord, DirectoryStore, Listed, NewCredential, SecretRecord } from '../../core/storage.ts'
import type { CredentialRow, SecretRow } from './records.ts'
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Db } from './change.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

export function createCredential(
  db: Db,
  ...[organisationId, credential, event]: Args<'createCredential'>
): Promise<CredentialRecord> {
  return change(
    db,
    organisationId,
    event,
    () => insertCredential(db, organisationId, credential),
    ({ id }) => id,
  )
}

/** Within the frame of a change. */
export async function insertCredential(
  db: Db,
  organisationId: OrganisationId,
  credential: NewCredential,
): Promise<CredentialRecord> {
  if (credential.allowDuplicateKey !== true) await checkKeyIsFree(db, organisationId, credential.key)
  await checkLrsOf(db, organisationId, credential)
  const id = await giveId(db, organisationId, credential.id)
  const { oid, kind, createdAt, updatedAt = createdAt, secrets, pairs, ...rest } = credential
  const { id: _id, allowDuplicateKey: _allow, ...editable } = rest
  await db
    .insertInto('credential')
    .values({
      ...(fromEditable(editable) as Omit<CredentialRow, 'id'>),
      id,
      oid,
      organisation_id: organisationId,
      kind,
      version: 1,
      created_at: createdAt,
      updated_at: updatedAt,
    })
    .execute()
  await putSecrets(db, id, secrets)
  await claimPairs(db, organisationId, pairs)
  return getCredential(db, organisationId, id)
}

/** Throws `invalid` unless all are the organisation's; a client may do without any. */
async function checkLrsOf(
  db: Db,
  organisationId: OrganisationId,
  { kind, lrsIds }: Pick<CredentialRecord, 'kind' | 'lrsIds'>,
): Promise<void> {
  if (kind === 'client' && lrsIds.length === 0) return
  await checkLrs(db, organisationId, lrsIds)
}

/** A chosen id that was ever given is a conflict: its statements belong to whoever had it. */
async function giveId(db: Db, organisationId: OrganisationId, chosen: CredentialId | undefined): Promise<CredentialId> {
  const { id } = await db
    .insertInto('owner')
    .values({ ...(chosen !== undefined && { id: chosen }), organisation_id: organisationId })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id as CredentialId
}

/** Throws `conflict` when a credential or session of the organisation has the key. Safe under the organisation's lock. */
export async function checkKeyIsFree(db: Db, organisationId: OrganisationId, key: string): Promise<void> {
  const credential = await db
    .selectFrom('credential')
    .select('id')
    .where('key', '=', key)
    .where('organisation_id', '=', organisationId)
    .limit(1)
    .executeTakeFirst()
  const session = await db
    .selectFrom('session')
    .select('id')
    .where('key', '=', key)
    .where('organisation_id', '=', organisationId)
    .limit(1)
    .executeTakeFirst()
  if (credential !== undefined || session !== undefined)
    throw new DomainError('conflict', `The key ${JSON.stringify(key)} is already in use in this organisation.`)
}

async function putSecrets(db: Db, id: CredentialId, secrets: readonly SecretRecord[]): Promise<void> {
  for (const secret of secrets) {
    const row = fromSecret(id, secret)
    const written = await db
      .insertInto('secret')
      .values(row)
      .onConflict((on) => on.column('id').doUpdateSet(row).where('secret.credential_id', '=', id))
      .returning('id')
      .executeTakeFirst()
    if (written === undefined) throw new DomainError('conflict', 'The id of a secret is already taken.')
  }
}

// Sorted: two organisations that claim the same pairs lock them in the same order (PostgreSQL).
async function claimPairs(db: Db, organisationId: OrganisationId, pairs: readonly string[]): Promise<void> {
  for (const fingerprint of [...pairs].sort()) {
    const held = await db
      .insertInto('pair')
      .values({ fingerprint, organisation_id: organisationId })
      .onConflict((on) =>
        on
          .column('fingerprint')
          .doUpdateSet({ organisation_id: organisationId })
          .where('pair.organisation_id', '=', organisationId),
      )
      .returning('fingerprint')
      .executeTakeFirst()
    if (held === undefined) {
      throw new DomainError('conflict', 'This key and secret are already in use.', { detail: { decidedBy: 'pair' } })
    }
  }
}

export async function findCredential(
  db: Db,
  organisationId: OrganisationId,
  id: CredentialId,
): Promise<CredentialRecord | undefined> {
  const row = await db
    .selectFrom('credential')
    .selectAll()
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  return row && (await withSecrets(db, [row]))[0]
}

async function getCredential(db: Db, organisationId: OrganisationId, id: CredentialId): Promise<CredentialRecord> {
  const credential = await findCredential(db, organisationId, id)
  if (credential === undefined) throw notFound('credential')
  return credential
}

async function withSecrets(db: Db, rows: readonly CredentialRow[]): Promise<CredentialRecord[]> {
  if (rows.length === 0) return []
  const secrets = await db
    .selectFrom('secret')
    .selectAll()
    .where(
      'credential_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('created_at')
    .orderBy('number')
    .execute()
  const byCredential = new Map<number, SecretRow[]>(rows.map(({ id }) => [id, []]))
  for (const secret of secrets) byCredential.get(secret.credential_id)?.push(secret)
  return rows.map((row) => toCredential(row, byCredential.get(row.id) ?? []))
}

export async function findCredentialBySecret(
  db: Db,
  organisationId: OrganisationId,
  secretId: SecretId,
): Promise<CredentialRecord | undefined> {
  const secret = await db.selectFrom('secret').select('credential_id').where('id', '=', secretId).executeTakeFirst()
  return secret && findCredential(db, organisationId, secret.credential_id as CredentialId)
}

export async function listCredentials(
  db: Db,
  ...[organisationId, { kind, key, lrsIds, oids }, { offset, limit }]: Args<'listCredentials'>
): Promise<Listed<CredentialRecord>> {
  let query = db.selectFrom('credential').where('organisation_id', '=', organisationId)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (key !== undefined) query = query.where('key', '=', key)
  if (oids !== undefined) query = query.where('oid', 'in', oids.length === 0 ? [''] : oids)
  if (lrsIds !== undefined) {
    const lists = lrsIds.map((list) => JSON.stringify(list))
    const starts = lists.map((list) => list.slice(0, 100))
    query = query.where(sql`substr(lrs_ids, 1, 100)`, 'in', starts).where('lrs_ids', 'in', lists)
  }
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const page = query.selectAll().orderBy('id').limit(Math.min(limit, mostRows)).offset(offset)
  return { items: await withSecrets(db, await page.execute()), total }
}

export function updateCredential(
  db: Db,
  ...[organisationId, id, patch, event]: Args<'updateCredential'>
): Promise<CredentialRecord> {
  return change(db, organisationId, event, async () => {
    const before = await getCredential(db, organisationId, id)
    if (patch.from !== undefined && !isStill(before, patch.from)) {
      throw new DomainError('conflict', 'The key was changed meanwhile.', { detail: { decidedBy: 'version' } })
    }
    if (patch.key !== undefined && patch.key !== before.key) await checkKeyIsFree(db, organisationId, patch.key)
    if (patch.lrsIds !== undefined) {
      await checkLrsOf(db, organisationId, { kind: before.kind, lrsIds: patch.lrsIds })
    }
    const isEdit = patch.countsAsEdit ?? true
    const columns = { ...fromEditable(patch), ...(isEdit && { version: before.version + 1, updated_at: patch.at }) }
    if (Object.keys(columns).length > 0) {
      await db.updateTable('credential').set(columns).where('id', '=', id).execute()
    }
    if (patch.dropSecrets !== undefined && patch.dropSecrets.length > 0) {
      await db.deleteFrom('secret').where('credential_id', '=', id).where('id', 'in', patch.dropSecrets).execute()
    }
    await putSecrets(db, id, patch.putSecrets ?? [])
    await claimPairs(db, organisationId, patch.pairs ?? [])
    return getCredential(db, organisationId, id)
  })
}

function isStill(credential: CredentialRecord, { version, secrets }: Pick<CredentialRecord, 'version' | 'secrets'>) {
  return credential.version === version && isDeepStrictEqual(credential.secrets, secrets)
}

export function deleteCredential(
  db: Db,
  ...[organisationId, id, event]: Args<'deleteCredential'>
): Promise<CredentialRecord> {
  return change(db, organisationId, event, async () => {
    const before = await getCredential(db, organisationId, id)
    // Secrets, sessions and usage go with it by foreign key.
    await db.deleteFrom('credential').where('id', '=', id).execute()
    return before
  })
}
