// Rows of credentials, their secrets and pairs, written and removed: of however many, some statements of many rows each. What a constraint
// decides names the write that it refuses.

import { DomainError } from '../../core/errors.ts'
import type { CredentialId, OrganisationId } from '../../core/ids.ts'
import type { CredentialRecord, SecretRecord } from '../../core/storage.ts'
import type { Db } from './change.ts'
import type { Before } from './credential-checks.ts'
import { each, idOf, inPieces } from './credential-write.ts'
import type { Write } from './credential-write.ts'
import { fromCredential, fromSecret } from './records.ts'

export async function remove(db: Db, writes: readonly Write[]): Promise<void> {
  const ids = writes.flatMap((write) => ('delete' in write ? [write.delete] : []))
  // Secrets, sessions and usage go with it by foreign key.
  for (const some of inPieces(ids)) await db.deleteFrom('credential').where('id', 'in', some).execute()
}

/** The id of each: of a new one the chosen one, or the next. A chosen id that was ever given is a conflict: its statements belong to whoever had it. */
export async function giveIds(
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

export async function insert(
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
export async function update(db: Db, writes: readonly Write[], before: Before): Promise<void> {
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

export async function putSecrets(db: Db, writes: readonly Write[], ids: readonly CredentialId[]): Promise<void> {
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
export async function claimPairs(db: Db, organisationId: OrganisationId, writes: readonly Write[]): Promise<void> {
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
