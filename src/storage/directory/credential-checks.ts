// What is looked at before credentials are written, under the organisation's lock: that they are there and still what the change was made
// from, that their keys are free, that their Lrs are the organisation's.

import { isDeepStrictEqual } from 'node:util'
import { DomainError, invalid } from '../../core/errors.ts'
import type { CredentialId, LrsId, OrganisationId } from '../../core/ids.ts'
import type { CredentialKind, CredentialRecord } from '../../core/storage.ts'
import { notFound } from './change.ts'
import type { Db } from './change.ts'
import { countHolders, findCredentials, keyIsTaken } from './credential.ts'
import { each, idOf, inPieces, naming, rowsAtOnce } from './credential-write.ts'
import type { Write } from './credential-write.ts'
import { checkLrs } from './lrs.ts'

export type Before = ReadonlyMap<CredentialId, CredentialRecord>

export async function readBefore(db: Db, organisationId: OrganisationId, writes: readonly Write[]): Promise<Before> {
  const before = new Map<CredentialId, CredentialRecord>()
  const seen = new Set<CredentialId>()
  for (const [at, some] of [...inPieces(writes)].entries()) {
    const ids = some.map(idOf).filter((id) => id !== undefined)
    for (const found of await findCredentials(db, organisationId, [...new Set(ids)])) before.set(found.id, found)
    const look = (write: Write): void => {
      const id = idOf(write)
      if (id === undefined) return
      const found = before.get(id)
      if (found === undefined) throw notFound('credential')
      if (seen.has(id)) throw invalid(`Key ${id} is changed twice at once.`)
      seen.add(id)
      if ('update' in write && write.update.patch.from && !isStill(found, write.update.patch.from)) {
        throw new DomainError('conflict', 'The key was changed meanwhile.', { detail: { decidedBy: 'version' } })
      }
    }
    each(some, look, (_, index) => at * rowsAtOnce + index)
  }
  return before
}

function isStill(credential: CredentialRecord, { version, secrets }: Pick<CredentialRecord, 'version' | 'secrets'>) {
  return credential.version === version && isDeepStrictEqual(credential.secrets, secrets)
}

/** What a platform launches with goes with that. */
export async function checkLaunchers(db: Db, writes: readonly Write[]): Promise<void> {
  const deleted = writes.flatMap((write, at) => ('delete' in write ? [{ id: write.delete, at }] : []))
  for (const some of inPieces(deleted)) {
    const ids = some.map(({ id }) => id)
    const platform = await db
      .selectFrom('platform')
      .select(['id', 'credential_id'])
      .where('credential_id', 'in', ids)
      .executeTakeFirst()
    if (platform === undefined) continue
    const index = some.find(({ id }) => id === platform.credential_id)!.at
    const message = `Key ${platform.credential_id} is that of the platform ${platform.id}, and goes with it.`
    throw new DomainError('conflict', message, { detail: { index } })
  }
}

/** One after the other, as they will have been written: safe under the organisation's lock. */
export async function checkKeys(
  db: Db,
  organisationId: OrganisationId,
  writes: readonly Write[],
  before: Before,
): Promise<void> {
  const wanted = writes.map((write) => newKeyOf(write, before))
  const holders = new Map<string, number>()
  for (const keys of inPieces([...new Set(wanted.filter((key) => key !== undefined))])) {
    for (const [key, count] of await countHolders(db, organisationId, keys)) holders.set(key, count)
  }
  each(writes, (write, at) => {
    const key = wanted[at]
    const { allowDuplicateKey } = 'create' in write ? write.create : 'update' in write ? write.update.patch : {}
    const isImported = allowDuplicateKey === true
    if (key !== undefined && !isImported && (holders.get(key) ?? 0) > 0) throw keyIsTaken(key)
    const had = before.get(idOf(write)!)?.key
    if (had !== undefined && (key !== undefined || 'delete' in write)) holders.set(had, (holders.get(had) ?? 0) - 1)
    if (key !== undefined) holders.set(key, (holders.get(key) ?? 0) + 1)
  })
}

/** The key that a write brings about; undefined where none changes. */
function newKeyOf(write: Write, before: Before): string | undefined {
  if ('create' in write) return write.create.key
  if ('delete' in write) return undefined
  const { id, patch } = write.update
  return patch.key === before.get(id)?.key ? undefined : patch.key
}

export async function checkEachLrs(
  db: Db,
  organisationId: OrganisationId,
  writes: readonly Write[],
  before: Before,
): Promise<void> {
  const checked = new Set<string>()
  for (const [at, write] of writes.entries()) {
    const { lrsIds, kind } = reachOf(write, before)
    const isNone = lrsIds?.length === 0 && kind === 'client'
    if (lrsIds === undefined || isNone || checked.has(lrsIds.join())) continue
    await naming(at, () => checkLrs(db, organisationId, lrsIds))
    checked.add(lrsIds.join())
  }
}

function reachOf(
  write: Write,
  before: Before,
): { readonly lrsIds?: readonly LrsId[] | undefined; readonly kind?: CredentialKind | undefined } {
  if ('create' in write) return write.create
  return 'update' in write ? { lrsIds: write.update.patch.lrsIds, kind: before.get(write.update.id)?.kind } : {}
}
