// Queries on organisations, and the platform's values. Each runs inside a transaction of the engine.

import { append, change } from './change.ts'
import { compiled } from './compiled.ts'
import { DomainError, invalid } from '../../core/errors.ts'
import { checkLrs, getLrs, insertLrs } from './lrs.ts'
import { firstPreviousHash } from '../../core/audit.ts'
import { merged, toLrs, toOrganisation } from './records.ts'
import type { Db } from './change.ts'
import type { DirectoryStore, Listed, OrganisationRecord, PlatformStore, Sealed, Slice } from '../../core/storage.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'

/** Rows of one answer, whatever the caller asked for: bounds memory. */
export const mostRows = 10_000

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>
type PlatformArgs<M extends keyof PlatformStore> = Parameters<PlatformStore[M]>

export async function listOrganisations(db: Db, { offset, limit }: Slice): Promise<Listed<OrganisationRecord>> {
  const rows = await db
    .selectFrom('organisation')
    .selectAll()
    .orderBy('id')
    .limit(Math.min(limit, mostRows))
    .offset(offset)
    .execute()
  return { items: rows.map(toOrganisation), total: await countOrganisations(db) }
}

async function countOrganisations(db: Db): Promise<number> {
  const { total } = await db
    .selectFrom('organisation')
    .select((eb) => eb.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow()
  return total
}

export async function createOrganisation(
  db: Db,
  ...[organisation, lrs, event]: PlatformArgs<'createOrganisation'>
): ReturnType<PlatformStore['createOrganisation']> {
  const { keyCheck: under } = organisation
  if (under !== undefined && under !== (await findKeyCheck(db))) {
    throw new DomainError('conflict', 'The master key was changed meanwhile.')
  }
  const row = await db
    .insertInto('organisation')
    .values({
      ...(organisation.id !== undefined && { id: organisation.id }),
      oid: organisation.oid,
      name: organisation.name,
      default_lrs_id: null,
      wrapped_key: organisation.wrappedKey,
      switches: JSON.stringify(organisation.switches),
      expires_at: organisation.expiresAt ?? null,
      words: JSON.stringify(organisation.words ?? {}),
      created_at: organisation.createdAt,
      updated_at: organisation.updatedAt ?? organisation.createdAt,
      audit_number: 1,
      audit_hash: firstPreviousHash,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const lrsRow = await insertLrs(db, row.id as OrganisationId, lrs)
  await db.updateTable('organisation').set({ default_lrs_id: lrsRow.id }).where('id', '=', row.id).execute()
  await append(db, row, event, event.target.id ?? row.id)
  return { organisation: toOrganisation({ ...row, default_lrs_id: lrsRow.id }), lrs: toLrs(lrsRow) }
}

export async function findOrganisation(
  db: Db,
  organisationId: OrganisationId,
): Promise<OrganisationRecord | undefined> {
  const [row] = await find(db, { organisationId })
  return row && toOrganisation(row)
}

const find = compiled((db, { organisationId }: { readonly organisationId: number }) =>
  db.selectFrom('organisation').selectAll().where('id', '=', organisationId),
)

export function updateOrganisation(
  db: Db,
  ...[organisationId, patch, event]: Args<'updateOrganisation'>
): Promise<OrganisationRecord> {
  return change(db, organisationId, event, async (organisation) => {
    const { name, defaultLrsId, switches, expiresAt, words, at } = patch
    if (defaultLrsId !== undefined && defaultLrsId !== null) await checkDefault(db, organisationId, defaultLrsId)
    const row = await db
      .updateTable('organisation')
      .set({
        ...(name !== undefined && { name }),
        ...(defaultLrsId !== undefined && { default_lrs_id: defaultLrsId }),
        ...(switches !== undefined && { switches: merged(organisation.switches, switches) }),
        ...(expiresAt !== undefined && { expires_at: expiresAt }),
        ...(words !== undefined && { words: merged(organisation.words, words) }),
        updated_at: at,
      })
      .where('id', '=', organisationId)
      .returningAll()
      .executeTakeFirstOrThrow()
    return toOrganisation(row)
  })
}

async function checkDefault(db: Db, organisationId: OrganisationId, id: LrsId): Promise<void> {
  await checkLrs(db, organisationId, [id])
  const { deleted_at: deletedAt } = await getLrs(db, organisationId, id)
  if (deletedAt !== null) throw invalid(`Lrs ${id} is deleted.`)
}

const keyCheck = 'key-check'

export async function findKeyCheck(db: Db): Promise<Sealed | undefined> {
  const row = await db.selectFrom('platform_value').select('value').where('name', '=', keyCheck).executeTakeFirst()
  return row?.value
}

export async function putKeyCheck(db: Db, check: Sealed): Promise<Sealed> {
  await db
    .insertInto('platform_value')
    .values({ name: keyCheck, value: check })
    .onConflict((on) => on.doNothing())
    .execute()
  return (await findKeyCheck(db)) ?? check
}

export async function rewrapKeys(db: Db, ...[check, wrapped]: PlatformArgs<'rewrapKeys'>): Promise<void> {
  const ids = new Set(wrapped.map(({ id }) => id))
  if (ids.size !== wrapped.length || ids.size !== (await countOrganisations(db))) throw unnamed()
  for (const { id, wrappedKey } of wrapped) {
    const row = await db
      .updateTable('organisation')
      .set({ wrapped_key: wrappedKey })
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst()
    if (row === undefined) throw unnamed()
  }
  await db
    .insertInto('platform_value')
    .values({ name: keyCheck, value: check })
    .onConflict((on) => on.column('name').doUpdateSet({ value: check }))
    .execute()
}

function unnamed(): DomainError {
  return new DomainError('conflict', 'The organisations changed meanwhile; every one must be named exactly once.')
}
