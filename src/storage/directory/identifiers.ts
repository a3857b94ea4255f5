// Queries on identifiers that are given once on the whole platform: who has them, and those that nobody may get any more. Each
// runs inside a transaction of the engine.

import { change } from './change.ts'
import { DomainError } from '../../core/errors.ts'
import type { CredentialId, Oid, OrganisationId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { DirectoryStore, Holder, Identifiers } from '../../core/storage.ts'

type Args<M extends keyof DirectoryStore> = Parameters<DirectoryStore[M]>

/** Of one statement: SQLite takes 32,766 parameters. */
const idsAtOnce = 1_000

export async function findHolders(db: Db, wanted: Identifiers): Promise<readonly Holder[]> {
  return [
    ...(await organisationsWith(db, wanted)),
    ...(await lrsWith(db, wanted)),
    ...(await credentialsWith(db, wanted)),
    ...(await applicationsAndPipesWith(db, wanted)),
    ...(await pairsWith(db, wanted)),
  ]
}

async function organisationsWith(db: Db, { organisations }: Identifiers): Promise<readonly Holder[]> {
  const rows = await db
    .selectFrom('organisation')
    .select(['id', 'oid'])
    .where((eb) => eb.or([eb('id', 'in', some(ids(organisations), 0)), eb('oid', 'in', some(oids(organisations), ''))]))
    .execute()
  return rows.map(({ id, oid }) => holder('organisation', { id, oid, organisation_id: id }))
}

async function lrsWith(db: Db, { lrs }: Identifiers): Promise<readonly Holder[]> {
  const rows = await db
    .selectFrom('lrs')
    .select(['id', 'oid', 'organisation_id'])
    .where((eb) => eb.or([eb('id', 'in', some(ids(lrs), 0)), eb('oid', 'in', some(oids(lrs), ''))]))
    .execute()
  return rows.map((row) => holder('lrs', row))
}

/** By the ids that were ever given, and the oids of what is there. */
async function credentialsWith(db: Db, { credentials }: Identifiers): Promise<readonly Holder[]> {
  const given = await db
    .selectFrom('owner')
    .leftJoin('credential', 'credential.id', 'owner.id')
    .select(['owner.id as id', 'owner.organisation_id as organisation_id', 'credential.oid as oid'])
    .where('owner.id', 'in', some(ids(credentials), 0))
    .execute()
  const named = await db
    .selectFrom('credential')
    .select(['id', 'oid', 'organisation_id'])
    .where('oid', 'in', some(oids(credentials), ''))
    .execute()
  const known = new Set(given.map(({ id }) => id))
  return [...given, ...named.filter(({ id }) => !known.has(id))].map((row) => holder('credential', row))
}

async function applicationsAndPipesWith(db: Db, { applications, pipes }: Identifiers): Promise<readonly Holder[]> {
  const made = await db
    .selectFrom('application')
    .select(['id', 'organisation_id'])
    .where('id', 'in', some(applications, ''))
    .execute()
  const laid = await db
    .selectFrom('pipe')
    .select(['id', 'organisation_id'])
    .where('id', 'in', some(pipes, ''))
    .execute()
  return [...made.map((row) => holder('application', row)), ...laid.map((row) => holder('pipe', row))]
}

async function pairsWith(db: Db, { pairs }: Identifiers): Promise<readonly Holder[]> {
  const found: Holder[] = []
  for (let from = 0; from < pairs.length; from += idsAtOnce) {
    const rows = await db
      .selectFrom('pair')
      .select(['fingerprint as id', 'organisation_id'])
      .where('fingerprint', 'in', pairs.slice(from, from + idsAtOnce))
      .execute()
    found.push(...rows.map((row) => holder('pair', row)))
  }
  return found
}

export async function reserveCredentialIds(
  db: Db,
  ...[organisationId, wanted, event]: Args<'reserveCredentialIds'>
): Promise<void> {
  await change(db, organisationId, event, async () => {
    for (let from = 0; from < wanted.length; from += idsAtOnce) {
      await reserve(db, organisationId, wanted.slice(from, from + idsAtOnce))
    }
  })
}

async function reserve(db: Db, organisationId: OrganisationId, wanted: readonly CredentialId[]): Promise<void> {
  const rows = wanted.map((id) => ({ id, organisation_id: organisationId }))
  await db
    .insertInto('owner')
    .values(rows)
    .onConflict((on) => on.doNothing())
    .execute()
  const foreign = await db
    .selectFrom('owner')
    .select('id')
    .where('id', 'in', wanted)
    .where('organisation_id', '!=', organisationId)
    .executeTakeFirst()
  if (foreign !== undefined) throw new DomainError('conflict', `The id ${foreign.id} is already taken.`)
}

function holder(
  noun: Holder['noun'],
  row: { readonly id: number | string; readonly oid?: string | null; readonly organisation_id: number },
): Holder {
  const { id, oid = null, organisation_id: organisationId } = row
  return { noun, id, oid: oid as Oid | null, organisationId: organisationId as OrganisationId }
}

/** An empty list is no SQL; nothing has `none`. */
function some<T extends number | string>(values: readonly T[], none: number | string): readonly T[] {
  return values.length === 0 ? [none as T] : values
}

function ids(of: readonly { readonly id: number }[]): readonly number[] {
  return of.map(({ id }) => id)
}

function oids(of: readonly { readonly oid?: string }[]): readonly string[] {
  return of.flatMap(({ oid }) => (oid === undefined ? [] : [oid]))
}
