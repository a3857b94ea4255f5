// The frame of every directory write: the organisation's lock, the work, the audit event in the chain. Runs inside a
// transaction of the engine; a throw rolls all of it back.

import { DomainError } from '../../core/errors.ts'
import { chainHash } from '../../core/audit.ts'
import { compiled } from './compiled.ts'
import type { AuditEvent, NewAuditEvent } from '../../core/audit.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { Kysely } from 'kysely'
import type { OrganisationRow } from './records.ts'
import type { Schema } from '../schema.ts'

export type Db = Kysely<Schema>

/** Events of one statement: SQLite takes 32,766 parameters. */
const rowsAtOnce = 200

export function notFound(noun: string): DomainError {
  return new DomainError('not_found', `There is no such ${noun}.`)
}

/** Throws `conflict` where what was changed from `from` is another version by now. */
export function checkVersion({ version }: { readonly version: number }, from: number | undefined): void {
  if (from === undefined || from === version) return
  throw new DomainError('conflict', 'It was changed meanwhile.', { detail: { decidedBy: 'version' } })
}

/** Runs `work` and appends `event`; where the event's target has no id yet, `idOf` takes it from what `work` returned. */
export async function change<T>(
  db: Db,
  organisationId: OrganisationId,
  event: NewAuditEvent,
  work: (organisation: OrganisationRow) => Promise<T>,
  idOf?: (result: T) => number,
): Promise<T> {
  const organisation = await claim(db, organisationId)
  const result = await work(organisation)
  await append(db, organisation, event, event.target.id ?? idOf?.(result) ?? null)
  return result
}

/**
 * Takes the next audit number, or as many. Comes first in every write: it is the row lock that puts an organisation's writes in a row
 * (PostgreSQL), and it tells whether the organisation exists.
 */
export async function claim(db: Db, organisationId: OrganisationId, numbers = 1): Promise<OrganisationRow> {
  const [organisation] = await count(db, { organisationId, numbers })
  if (organisation === undefined) throw notFound('organisation')
  return organisation
}

const count = compiled(
  (db, { organisationId, numbers }: { readonly organisationId: number; readonly numbers: number }) =>
    db
      .updateTable('organisation')
      .set((eb) => ({ audit_number: eb('audit_number', '+', numbers) }))
      .where('id', '=', organisationId)
      .returningAll(),
)

/** The event of a claimed organisation, chained to the one before. */
export async function append(
  db: Db,
  organisation: OrganisationRow,
  event: NewAuditEvent,
  targetId: number | string | null,
): Promise<AuditEvent> {
  return (await appendAll(db, organisation, [{ event, targetId }]))[0]!
}

/** As many as numbers were claimed, in this order. */
export async function appendAll(
  db: Db,
  organisation: OrganisationRow,
  events: readonly { readonly event: NewAuditEvent; readonly targetId: number | string | null }[],
): Promise<readonly AuditEvent[]> {
  const organisationId = organisation.id as OrganisationId
  let { audit_hash: previousHash } = organisation
  const first = organisation.audit_number - events.length + 1
  const chained: AuditEvent[] = []
  // Hashed piece by piece, so that ten thousand are not in one go.
  for (let from = 0; from < events.length; from += rowsAtOnce) {
    const piece = events.slice(from, from + rowsAtOnce).map(({ event, targetId }, at): AuditEvent => {
      const number = first + from + at
      const target = { ...event.target, id: targetId }
      const hash = chainHash(previousHash, { ...event, target, organisationId }, number)
      const link = { ...event, target, organisationId, number, previousHash, hash }
      previousHash = hash
      return link
    })
    await (piece.length === 1
      ? insertOne(db, toRow(piece[0]!))
      : db.insertInto('audit').values(piece.map(toRow)).execute())
    chained.push(...piece)
  }
  await putHash(db, { organisationId, hash: previousHash })
  return chained
}

const putHash = compiled((db, { organisationId, hash }: { readonly organisationId: number; readonly hash: string }) =>
  db.updateTable('organisation').set({ audit_hash: hash }).where('id', '=', organisationId),
)

const insertOne = compiled((db, row: ReturnType<typeof toRow>) =>
  db.insertInto('audit').values({
    organisation_id: row.organisation_id,
    number: row.number,
    at: row.at,
    actor: row.actor,
    action: row.action,
    target: row.target,
    detail: row.detail,
    previous_hash: row.previous_hash,
    hash: row.hash,
  }),
)

function toRow({ organisationId, number, at, actor, action, target, detail, previousHash, hash }: AuditEvent) {
  return {
    ...{ organisation_id: organisationId, number, at, action, previous_hash: previousHash, hash },
    ...{ actor: JSON.stringify(actor), target: JSON.stringify(target), detail: JSON.stringify(detail) },
  }
}
