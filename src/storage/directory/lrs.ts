// Queries on the Lrs of an organisation. Each runs inside a transaction of the engine.

import { change, notFound } from './change.ts'
import { DomainError, invalid } from '../../core/errors.ts'
import { merged, toLrs } from './records.ts'
import type { Db } from './change.ts'
import type { DirectoryStore } from '../../core/storage.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { LrsRow, OrganisationRow } from './records.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

/** Throws `invalid` unless all are Lrs of the organisation. */
export async function checkLrs(db: Db, organisationId: OrganisationId, ids: readonly LrsId[]): Promise<void> {
  const distinct = [...new Set(ids)]
  const { found } = await db
    .selectFrom('lrs')
    .select((eb) => eb.fn.countAll<number>().as('found'))
    .where('organisation_id', '=', organisationId)
    .where('id', 'in', distinct.length === 0 ? [0] : distinct)
    .executeTakeFirstOrThrow()
  if (distinct.length === 0) throw invalid('At least one Lrs is needed.')
  if (found !== distinct.length) throw invalid(`Not all of these are Lrs of the organisation: ${distinct.join(', ')}.`)
}

export function createLrs(
  db: Db,
  ...[organisationId, lrs, event]: Args<'createLrs'>
): ReturnType<DirectoryStore['createLrs']> {
  const work = async () => toLrs(await insertLrs(db, organisationId, lrs))
  return change(db, organisationId, event, work, (created) => created.id)
}

export function insertLrs(db: Db, organisationId: OrganisationId, lrs: Args<'createLrs'>[1]) {
  const { id, oid, name, description = null, words = {}, createdAt, updatedAt = createdAt, retentionDays = null } = lrs
  return db
    .insertInto('lrs')
    .values({
      ...(id !== undefined && { id }),
      oid,
      organisation_id: organisationId,
      name,
      description,
      words: JSON.stringify(words),
      created_at: createdAt,
      updated_at: updatedAt,
      deleted_at: null,
      retention_days: retentionDays,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** However many: whoever erases a person must miss none. Deleted applications leave theirs. */
export async function listLrs(db: Db, organisationId: OrganisationId): ReturnType<DirectoryStore['listLrs']> {
  const rows = await db
    .selectFrom('lrs')
    .selectAll()
    .where('organisation_id', '=', organisationId)
    .orderBy('id')
    .execute()
  return rows.map(toLrs)
}

export function updateLrs(
  db: Db,
  ...[organisationId, id, patch, event]: Args<'updateLrs'>
): ReturnType<DirectoryStore['updateLrs']> {
  return change(db, organisationId, event, async (organisation) => {
    const { name, description, words, createdAt, deletedAt, retentionDays, at } = patch
    const before = await getLrs(db, organisationId, id)
    if (deletedAt !== undefined && deletedAt !== null) await refuseNeeded(db, organisation, id)
    const row = await db
      .updateTable('lrs')
      .set({
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(words !== undefined && { words: merged(before.words, words) }),
        ...(createdAt !== undefined && { created_at: createdAt }),
        ...(deletedAt !== undefined && { deleted_at: deletedAt }),
        ...(retentionDays !== undefined && { retention_days: retentionDays }),
        updated_at: at,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    if (isTurned(before.deleted_at, deletedAt)) await setOpen(db, organisation, [id], deletedAt === null)
    return toLrs(row)
  })
}

/** Only what is deleted is opened by being restored: an application closes its own. */
function isTurned(before: number | null, deletedAt: number | null | undefined): boolean {
  return deletedAt !== undefined && (deletedAt === null) !== (before === null)
}

export async function getLrs(db: Db, organisationId: OrganisationId, id: LrsId): Promise<LrsRow> {
  const row = await db
    .selectFrom('lrs')
    .selectAll()
    .where('id', '=', id)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  if (row === undefined) throw notFound('Lrs')
  return row
}

/** What paths lead to stays. */
async function refuseNeeded(db: Db, organisation: OrganisationRow, id: LrsId): Promise<void> {
  if (organisation.default_lrs_id === id) {
    throw new DomainError('conflict', `Lrs ${id} is the default of the organisation: make another one that first.`)
  }
  const application = await db
    .selectFrom('application')
    .select('id')
    .where('organisation_id', '=', organisation.id)
    .where((eb) => eb.or([eb('live_lrs_id', '=', id), eb('sandbox_lrs_id', '=', id)]))
    .executeTakeFirst()
  if (application === undefined) return
  throw new DomainError('conflict', `Lrs ${id} is one of application ${application.id}, and goes with it.`)
}

/** Whether they answer xAPI. */
export async function setOpen(
  db: Db,
  organisation: OrganisationRow,
  lrsIds: readonly LrsId[],
  isOpen: boolean,
): Promise<void> {
  const before = JSON.parse(organisation.closed_lrs_ids) as LrsId[]
  const others = before.filter((lrsId) => !lrsIds.includes(lrsId))
  const closed = isOpen ? others : [...others, ...lrsIds].sort((a, b) => a - b)
  if (closed.join() === before.join()) return
  await db
    .updateTable('organisation')
    .set({ closed_lrs_ids: JSON.stringify(closed) })
    .where('id', '=', organisation.id)
    .execute()
}
