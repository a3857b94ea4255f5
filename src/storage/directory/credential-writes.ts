// Writing credentials with their secrets and pairs: however many at once, by a few statements of many rows each, so that ten
// thousand take about a second. One is many of which there is one. Each runs inside a transaction of the engine.

import { invalid } from '../../core/errors.ts'
import type { OrganisationId } from '../../core/ids.ts'
import { mostCredentialWrites } from '../../core/storage.ts'
import type { CredentialRecord, CredentialWrite, DirectoryStore, NewCredential } from '../../core/storage.ts'
import { appendAll, claim } from './change.ts'
import type { Db } from './change.ts'
import { checkEachLrs, checkKeys, checkLaunchers, readBefore } from './credential-checks.ts'
import { claimPairs, giveIds, insert, putSecrets, remove, update } from './credential-tables.ts'
import type { Write } from './credential-write.ts'
import { findCredentials } from './credential.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

export async function changeCredentials(
  db: Db,
  ...[organisationId, writes]: Args<'changeCredentials'>
): Promise<readonly CredentialRecord[]> {
  if (writes.length > mostCredentialWrites) {
    throw invalid(`At most ${mostCredentialWrites} keys are changed at once, not ${writes.length}.`)
  }
  if (writes.length === 0) return []
  const organisation = await claim(db, organisationId, writes.length)
  const records = await writeCredentials(db, organisationId, writes)
  const events = writes.map(({ event }, at) => ({ event, targetId: event.target.id ?? records[at]!.id }))
  await appendAll(db, organisation, events)
  return records
}

export function createCredential(
  db: Db,
  ...[organisationId, create, event]: Args<'createCredential'>
): Promise<CredentialRecord> {
  return changeOne(db, organisationId, { create, event })
}

export function updateCredential(
  db: Db,
  ...[organisationId, id, patch, event]: Args<'updateCredential'>
): Promise<CredentialRecord> {
  return changeOne(db, organisationId, { update: { id, patch }, event })
}

export function deleteCredential(
  db: Db,
  ...[organisationId, id, event]: Args<'deleteCredential'>
): Promise<CredentialRecord> {
  return changeOne(db, organisationId, { delete: id, event })
}

async function changeOne(db: Db, organisationId: OrganisationId, write: CredentialWrite): Promise<CredentialRecord> {
  return (await changeCredentials(db, organisationId, [write]))[0]!
}

/** Within the frame of a change. */
export async function insertCredential(
  db: Db,
  organisationId: OrganisationId,
  create: NewCredential,
): Promise<CredentialRecord> {
  return (await writeCredentials(db, organisationId, [{ create }]))[0]!
}

/** What each write left behind, or removed. Everything is looked at before anything is written, but what a constraint decides. */
async function writeCredentials(
  db: Db,
  organisationId: OrganisationId,
  writes: readonly Write[],
): Promise<readonly CredentialRecord[]> {
  const before = await readBefore(db, organisationId, writes)
  await checkKeys(db, organisationId, writes, before)
  await checkEachLrs(db, organisationId, writes, before)
  await checkLaunchers(db, writes)
  await remove(db, writes)
  const ids = await giveIds(db, organisationId, writes)
  await insert(db, organisationId, writes, ids)
  await update(db, writes, before)
  await putSecrets(db, writes, ids)
  await claimPairs(db, organisationId, writes)
  const left = writes.flatMap((write, at) => ('delete' in write ? [] : [ids[at]!]))
  const after = new Map((await findCredentials(db, organisationId, left)).map((record) => [record.id, record]))
  return writes.map((_, at) => after.get(ids[at]!) ?? before.get(ids[at]!)!)
}
