// Writing credentials with their secrets and pairs: however many at once, by a few statements of many rows each, so that ten
// thousand take about a second. One is many of which there is one. Each runs inside a transaction of the engine.

import { isDeepStrictEqual } from 'node:util'
import { DomainError, invalid, isDomainError } from '../../core/errors.ts'
import type { CredentialId, LrsId, OrganisationId } from '../../core/ids.ts'
import { mostCredentialWrites } from '../../core/storage.ts'
import type {
  CredentialKind,
  CredentialPatch,
  CredentialRecord,
  CredentialWrite,
  DirectoryStore,
  NewCredential,
  SecretRecord,
} from '../../core/storage.ts'
import { appendAll, claim, notFound } from './change.ts'
import type { Db } from './change.ts'
import { countHolders, findCredentials, keyIsTaken } from './credential.ts'
import { checkLrs } from './lrs.ts'
import { fromCredential, fromSecret } from './records.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

/** Without its event. */
type Write = Omit<CredentialWrite, 'event'> &
  ({ readonly create: NewCredential } | { readonly update: Update } | { readonly delete: CredentialId })
interface Update {
  readonly id: CredentialId
  readonly patch: CredentialPatch
}

/** Rows of one statement: those of a credential take the most parameters, and SQLite allows 32,766. */
const rowsAtOnce = 200

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
  await remove(db, writes)
  const ids = await giveIds(db, organisationId, writes)
  await insert(db, organisationId, writes, ids)
  await update(db, writes, before)
  await putSecrets(db, writes, ids)
  await claimPairs(db, organisationId, writes)
  const left = writes.flatMap((write, at) => ('delete' in write ? [] : [ids[at]!]))
  const after = byId(await findCredentials(db, organisationId, left))
  return writes.map((_, at) => after.get(ids[at]!) ?? before.get(ids[at]!)!)
}

// ---------------------------------------------------------------------------------------------------------------------
// What is looked at

type Before = ReadonlyMap<CredentialId, CredentialRecord>

async function readBefore(db: Db, organisationId: OrganisationId, writes: readonly Write[]): Promise<Before> {
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

/** One after the other, as they will have been written: safe under the organisation's lock. */
async function checkKeys(
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
    const isImported = 'create' in write && write.create.allowDuplicateKey === true
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

async function checkEachLrs(
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

// ---------------------------------------------------------------------------------------------------------------------
// What is written

async function remove(db: Db, writes: readonly Write[]): Promise<void> {
  const ids = writes.flatMap((write) => ('delete' in write ? [write.delete] : []))
  // Secrets, sessions and usage go with it by foreign key.
  for (const some of inPieces(ids)) await db.deleteFrom('credential').where('id', 'in', some).execute()
}

/** The id of each: of a new one the chosen one, or the next. A chosen id that was ever given is a conflict: its statements belong to whoever had it. */
async function giveIds(
  db: Db,
  organisationId: OrganisationId,
  writes: readonly Write[],
): Promise<readonly CredentialId[]> {
  const chosen = writes.flatMap((write, at) =>
    'create' in write && write.create.id ? [{ at, id: write.create.id }] : [],
  )
  const taken = new Set<number>()
  for (const some of inPieces(chosen)) {
    const rows = some.map(({ id }) => ({ id, organisation_id: organisationId }))
    const given = await db
      .insertInto('owner')
      .values(rows)
      .onConflict((on) => on.doNothing())
      .returning('id')
      .execute()
    for (const { id } of given) taken.add(id)
  }
  each(
    chosen,
    ({ id }) => {
      // Each counts once: the second of the same is refused, too.
      if (!taken.delete(id)) throw idIsTaken()
    },
    ({ at }) => at,
  )
  const next: CredentialId[] = []
  for (const some of inPieces(writes.filter((write) => 'create' in write && write.create.id === undefined))) {
    const rows = some.map(() => ({ organisation_id: organisationId }))
    const given = await db.insertInto('owner').values(rows).returning('id').execute()
    next.push(...given.map(({ id }) => id as CredentialId).sort((a, b) => a - b))
  }
  next.reverse()
  return writes.map((write) => idOf(write) ?? ('create' in write ? write.create.id : undefined) ?? next.pop()!)
}

async function insert(
  db: Db,
  organisationId: OrganisationId,
  writes: readonly Write[],
  ids: readonly CredentialId[],
): Promise<void> {
  const rows = writes.flatMap((write, at) => {
    if (!('create' in write)) return []
    const created = { version: 1, updatedAt: write.create.createdAt, ...write.create, id: ids[at]!, organisationId }
    return [{ at, created }]
  })
  const inserted = new Set<number>()
  for (const some of inPieces(rows)) {
    const made = await db
      .insertInto('credential')
      .values(some.map(({ created }) => fromCredential(created)))
      .onConflict((on) => on.doNothing())
      .returning('id')
      .execute()
    for (const { id } of made) inserted.add(id)
  }
  each(
    rows,
    ({ created }) => {
      if (!inserted.has(created.id)) throw idIsTaken()
    },
    ({ at }) => at,
  )
}

function idIsTaken(): DomainError {
  return new DomainError('conflict', 'This id or key is already taken.')
}

/** Whole rows: one statement for many, whatever changes in which. */
async function update(db: Db, writes: readonly Write[], before: Before): Promise<void> {
  const changed = writes.flatMap((write) => {
    if (!('update' in write)) return []
    const { id, patch } = write.update
    const was = before.get(id)!
    const isEdit = patch.countsAsEdit ?? true
    const given = Object.entries(patch).filter(
      ([name, value]) => value !== undefined && name in was && name !== 'secrets',
    )
    const edited = isEdit ? { version: was.version + 1, updatedAt: patch.at } : {}
    if (given.length === 0 && !isEdit) return []
    return [{ ...was, ...(Object.fromEntries(given) as Partial<CredentialRecord>), ...edited }]
  })
  for (const piece of inPieces(changed)) {
    const some = piece.map(fromCredential)
    await db
      .insertInto('credential')
      .values(some)
      .onConflict((on) =>
        on.column('id').doUpdateSet((eb) => {
          const { id: _id, oid: _oid, organisation_id: _organisation, kind: _kind, ...changing } = some[0]!
          const names = Object.keys(changing) as (keyof typeof changing)[]
          return Object.fromEntries(names.map((name) => [name, eb.ref(`excluded.${name}`)]))
        }),
      )
      .execute()
  }
}

async function putSecrets(db: Db, writes: readonly Write[], ids: readonly CredentialId[]): Promise<void> {
  const dropped = writes.flatMap((write, at) => {
    const drop = 'update' in write ? (write.update.patch.dropSecrets ?? []) : []
    return drop.length === 0 ? [] : [{ owner: ids[at]!, drop }]
  })
  for (const some of inPieces(dropped)) {
    await db
      .deleteFrom('secret')
      .where((eb) => eb.or(some.map(({ owner, drop }) => eb('credential_id', '=', owner).and('id', 'in', drop))))
      .execute()
  }
  const put = writes.flatMap((write, at) =>
    secretsOf(write).map((secret) => ({ at, row: fromSecret(ids[at]!, secret) })),
  )
  const seen = new Set<string>()
  const written = new Set<string>()
  each(
    put,
    ({ row }) => {
      if (seen.has(row.id)) throw secretIsTaken()
      seen.add(row.id)
    },
    ({ at }) => at,
  )
  for (const some of inPieces(put)) {
    const rows = await db
      .insertInto('secret')
      .values(some.map(({ row }) => row))
      .onConflict((on) =>
        on
          .column('id')
          .doUpdateSet((eb) => ({
            name: eb.ref('excluded.name'),
            sealed: eb.ref('excluded.sealed'),
            generation: eb.ref('excluded.generation'),
            is_enabled: eb.ref('excluded.is_enabled'),
            created_at: eb.ref('excluded.created_at'),
            expires_at: eb.ref('excluded.expires_at'),
          }))
          .whereRef('secret.credential_id', '=', 'excluded.credential_id'),
      )
      .returning('id')
      .execute()
    for (const { id } of rows) written.add(id)
  }
  each(
    put,
    ({ row }) => {
      if (!written.has(row.id)) throw secretIsTaken()
    },
    ({ at }) => at,
  )
}

function secretsOf(write: Write): readonly SecretRecord[] {
  if ('create' in write) return write.create.secrets
  return 'update' in write ? (write.update.patch.putSecrets ?? []) : []
}

function secretIsTaken(): DomainError {
  return new DomainError('conflict', 'The id of a secret is already taken.')
}

// Sorted: two organisations that claim the same pairs lock them in the same order (PostgreSQL).
async function claimPairs(db: Db, organisationId: OrganisationId, writes: readonly Write[]): Promise<void> {
  const claimed = writes.map((write) => {
    return ('create' in write ? write.create.pairs : 'update' in write ? write.update.patch.pairs : undefined) ?? []
  })
  const held = new Set<string>()
  for (const some of inPieces([...new Set(claimed.flat())].sort())) {
    const rows = await db
      .insertInto('pair')
      .values(some.map((fingerprint) => ({ fingerprint, organisation_id: organisationId })))
      .onConflict((on) =>
        on
          .column('fingerprint')
          .doUpdateSet({ organisation_id: organisationId })
          .where('pair.organisation_id', '=', organisationId),
      )
      .returning('fingerprint')
      .execute()
    for (const { fingerprint } of rows) held.add(fingerprint)
  }
  each(claimed, (pairs) => {
    if (pairs.every((pair) => held.has(pair))) return
    throw new DomainError('conflict', 'This key and secret are already in use.', { detail: { decidedBy: 'pair' } })
  })
}

// ---------------------------------------------------------------------------------------------------------------------

/** Of what is there already. */
function idOf(write: Write): CredentialId | undefined {
  return 'delete' in write ? write.delete : 'update' in write ? write.update.id : undefined
}

function byId(records: readonly CredentialRecord[]): ReadonlyMap<CredentialId, CredentialRecord> {
  return new Map(records.map((record) => [record.id, record]))
}

function* inPieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += rowsAtOnce) yield all.slice(from, from + rowsAtOnce)
}

/** What is thrown says of which write: the first that is refused. */
function each<T>(all: readonly T[], look: (one: T, at: number) => void, indexOf = (_: T, at: number) => at): void {
  for (const [at, one] of all.entries()) {
    try {
      look(one, at)
    } catch (error) {
      throw indexed(error, indexOf(one, at))
    }
  }
}

async function naming<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw indexed(error, index)
  }
}

function indexed(error: unknown, index: number): unknown {
  if (!isDomainError(error)) return error
  return new DomainError(error.code, error.message, { detail: { ...error.detail, index }, cause: error.cause })
}
