// Queries on credentials and their secrets. Each runs inside a transaction of the engine; what writes them is in credential-writes.ts.

import { DomainError } from '../../core/errors.ts'
import { compiled } from './compiled.ts'
import { mostRows } from './organisation.ts'
import { toCredential } from './records.ts'
import type { CredentialId, OrganisationId, SecretId } from '../../core/ids.ts'
import type { CredentialRecord, DirectoryStore, Listed } from '../../core/storage.ts'
import type { CredentialRow, SecretRow } from './records.ts'
import { sql } from 'kysely'
import type { Db } from './change.ts'

/** Ids in one query. */
const idsAtOnce = 200

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

/** Throws `conflict` when a credential or session of the organisation has the key. Safe under the organisation's lock. */
export async function checkKeyIsFree(db: Db, organisationId: OrganisationId, key: string): Promise<void> {
  if ((await findHolder(db, { organisationId, key })).length > 0) throw keyIsTaken(key)
}

interface Wanted {
  readonly organisationId: OrganisationId
  readonly key: string
}

const findHolder = compiled((db, wanted: Wanted) =>
  holders(db, 'credential', wanted)
    .unionAll(holders(db, 'session', wanted))
    .limit(1),
)

function holders(db: Db, table: 'credential' | 'session', { organisationId, key }: Wanted) {
  return db.selectFrom(table).select('key').where('key', '=', key).where('organisation_id', '=', organisationId)
}

export function keyIsTaken(key: string): DomainError {
  return new DomainError('conflict', `The key ${JSON.stringify(key)} is already in use in this organisation.`)
}

/** How many credentials and sessions of the organisation have each of these keys; those that none has are left out. */
export async function countHolders(
  db: Db,
  organisationId: OrganisationId,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const holders = new Map<string, number>()
  for (const table of ['credential', 'session'] as const) {
    const rows = await db
      .selectFrom(table)
      .select('key')
      .where('key', 'in', keys)
      .where('organisation_id', '=', organisationId)
      .execute()
    for (const { key } of rows) holders.set(key, (holders.get(key) ?? 0) + 1)
  }
  return holders
}

export async function findCredential(
  db: Db,
  organisationId: OrganisationId,
  id: CredentialId,
): Promise<CredentialRecord | undefined> {
  const [row] = await findOne(db, { organisationId, id })
  return row && toCredential(row, await secretsOf(db, { id }))
}

const findOne = compiled((db, { organisationId, id }: { readonly organisationId: number; readonly id: number }) =>
  db.selectFrom('credential').selectAll().where('id', '=', id).where('organisation_id', '=', organisationId),
)

const secretsOf = compiled((db, { id }: { readonly id: number }) =>
  db.selectFrom('secret').selectAll().where('credential_id', '=', id).orderBy('created_at').orderBy('number'),
)

/** Those of these that there are, in no order. */
export async function findCredentials(
  db: Db,
  organisationId: OrganisationId,
  ids: readonly CredentialId[],
): Promise<readonly CredentialRecord[]> {
  const found: CredentialRecord[] = []
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const rows = await db
      .selectFrom('credential')
      .selectAll()
      .where('id', 'in', ids.slice(from, from + idsAtOnce))
      .where('organisation_id', '=', organisationId)
      .execute()
    found.push(...(await withSecrets(db, rows)))
  }
  return found
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
  ...[organisationId, { lrsIds, homes, byOid, ...asked }, { offset, limit }]: Args<'listCredentials'>
): Promise<Listed<CredentialRecord>> {
  const { kind, key, ids, oids, keys, after } = asked
  let query = db.selectFrom('credential').where('organisation_id', '=', organisationId)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (key !== undefined) query = query.where('key', '=', key)
  if (ids !== undefined) query = query.where('id', 'in', ids.length === 0 ? [0] : ids)
  if (oids !== undefined) query = query.where('oid', 'in', oids.length === 0 ? [''] : oids)
  if (keys !== undefined) query = query.where('key', 'in', keys.length === 0 ? [''] : keys)
  if (after !== undefined) query = query.where('id', '>', after)
  if (lrsIds !== undefined) {
    const lists = lrsIds.map((list) => JSON.stringify(list))
    const starts = lists.map((list) => list.slice(0, 100))
    query = query.where(sql`substr(lrs_ids, 1, 100)`, 'in', starts).where('lrs_ids', 'in', lists)
  }
  if (homes !== undefined) {
    const starts = homes.map((id) => sql<boolean>`(lrs_ids = ${`[${id}]`} or lrs_ids like ${`[${id},%`})`)
    query = query.where((eb) => eb.or(starts))
  }
  if (byOid?.after !== undefined) query = query.where('oid', byOid.isDescending ? '<' : '>', byOid.after)
  const { total } = await query.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()
  const ordered = byOid ? query.orderBy('oid', byOid.isDescending ? 'desc' : 'asc') : query.orderBy('id')
  const page = ordered.selectAll().limit(Math.min(limit, mostRows)).offset(offset)
  return { items: await withSecrets(db, await page.execute()), total }
}
