// Queries on the audit chain and on usage counters.

import { append, claim } from './change.ts'
import { compiled } from './compiled.ts'
import { mostRows } from './organisation.ts'
import { PostgresAdapter, sql } from 'kysely'
import type { AuditEvent, NewAuditEvent } from '../../core/audit.ts'
import type { CredentialId, OrganisationId, SecretId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { Selectable } from 'kysely'
import type { DirectoryStore, UsageDelta } from '../../core/storage.ts'
import type { UsageTable } from '../schema.ts'

export async function appendAudit(db: Db, organisationId: OrganisationId, event: NewAuditEvent): Promise<AuditEvent> {
  const organisation = await claim(db, organisationId)
  return append(db, organisation, event, event.target.id)
}

export async function listAudit(
  db: Db,
  organisationId: OrganisationId,
  after: number,
  limit: number,
): Promise<readonly AuditEvent[]> {
  const rows = await db
    .selectFrom('audit')
    .selectAll()
    .where('organisation_id', '=', organisationId)
    .where('number', '>', after)
    .orderBy('number')
    .limit(Math.min(limit, mostRows))
    .execute()
  return rows.map((row) => ({
    organisationId,
    number: row.number,
    at: row.at,
    actor: JSON.parse(row.actor) as AuditEvent['actor'],
    action: row.action,
    target: JSON.parse(row.target) as AuditEvent['target'],
    detail: JSON.parse(row.detail) as AuditEvent['detail'],
    previousHash: row.previous_hash,
    hash: row.hash,
  }))
}

// In one order, so that nodes that flush at once wait for each other and never meet crosswise (PostgreSQL).
export async function addUsage(db: Db, deltas: readonly UsageDelta[]): Promise<void> {
  const rows = deltas.map((delta) => ({ delta, row: toRow(delta) }))
  rows.sort(({ row: a }, { row: b }) => a.credential_id - b.credential_id || (a.secret_id < b.secret_id ? -1 : 1))
  for (const { delta, row } of rows) {
    const [before] = await takeUsage(db, row)
    // The credential is gone.
    if (before === undefined) continue
    await putUsage(db, toRow(sum(toDelta(before), delta)))
  }
}

/** What was counted before, nothing included: locked, so that nobody else adds until this is committed (PostgreSQL). */
const takeUsage = compiled((db, row: Selectable<UsageTable>) =>
  db
    .insertInto('usage')
    .columns([
      'organisation_id',
      'credential_id',
      'secret_id',
      'requests',
      'statements',
      'refusals',
      'first_at',
      'last_at',
    ])
    .expression((eb) =>
      eb
        .selectFrom('credential')
        .select(['organisation_id', 'id', eb.val(row.secret_id).as('secret_id')])
        .select([sql.lit(0).as('requests'), sql.lit(0).as('statements'), sql.lit('{}').as('refusals')])
        .select([eb.val(row.first_at).as('first_at'), eb.val(row.last_at).as('last_at')])
        .where('id', '=', row.credential_id)
        .where('organisation_id', '=', row.organisation_id)
        // One that is being deleted on another node is waited for, and then is gone. SQLite has one writer, and no such words.
        .$if(db.getExecutor().adapter instanceof PostgresAdapter, (query) => query.forKeyShare()),
    )
    .onConflict((on) =>
      on.columns(['credential_id', 'secret_id']).doUpdateSet((eb) => ({ requests: eb.ref('usage.requests') })),
    )
    .returningAll(),
)

const putUsage = compiled((db, row: Selectable<UsageTable>) =>
  db
    .updateTable('usage')
    .set({
      requests: row.requests,
      statements: row.statements,
      refusals: row.refusals,
      first_at: row.first_at,
      last_at: row.last_at,
      last_address: row.last_address,
      last_user_agent: row.last_user_agent,
    })
    .where('credential_id', '=', row.credential_id)
    .where('secret_id', '=', row.secret_id),
)

function sum(before: UsageDelta, delta: UsageDelta): UsageDelta {
  const latest = delta.lastAt >= before.lastAt ? delta : before
  const refusals: Record<string, number> = { ...before.refusals }
  for (const [reason, count] of Object.entries(delta.refusals)) refusals[reason] = (refusals[reason] ?? 0) + count
  return {
    ...before,
    requests: before.requests + delta.requests,
    statements: before.statements + delta.statements,
    refusals,
    firstAt: Math.min(before.firstAt, delta.firstAt),
    lastAt: latest.lastAt,
    lastAddress: latest.lastAddress,
    lastUserAgent: latest.lastUserAgent,
  }
}

export async function listLastUses(
  db: Db,
  ...[organisationId, credentialIds]: Parameters<DirectoryStore['listLastUses']>
): ReturnType<DirectoryStore['listLastUses']> {
  const rows = await db
    .selectFrom('usage')
    .innerJoin('credential', 'credential.id', 'usage.credential_id')
    .select((eb) => ['usage.credential_id as credentialId', eb.fn.max('usage.last_at').as('at')])
    .where('credential.organisation_id', '=', organisationId)
    .where('usage.credential_id', 'in', credentialIds.length === 0 ? [0 as CredentialId] : credentialIds)
    .groupBy('usage.credential_id')
    .execute()
  return rows.map(({ credentialId, at }) => ({ credentialId: credentialId as CredentialId, at: Number(at) }))
}

export async function listUsage(
  db: Db,
  organisationId: OrganisationId,
  credentialId: CredentialId,
): Promise<readonly UsageDelta[]> {
  const rows = await db
    .selectFrom('usage')
    .selectAll()
    .where('credential_id', '=', credentialId)
    .where('organisation_id', '=', organisationId)
    .orderBy('secret_id')
    .limit(mostRows)
    .execute()
  return rows.map(toDelta)
}

function toDelta(row: Selectable<UsageTable>): UsageDelta {
  return {
    organisationId: row.organisation_id as OrganisationId,
    credentialId: row.credential_id as CredentialId,
    secretId: row.secret_id === '' ? null : (row.secret_id as SecretId),
    requests: row.requests,
    statements: row.statements,
    refusals: JSON.parse(row.refusals) as Record<string, number>,
    firstAt: row.first_at,
    lastAt: row.last_at,
    lastAddress: row.last_address,
    lastUserAgent: row.last_user_agent,
  }
}

function toRow(delta: UsageDelta): Selectable<UsageTable> {
  return {
    organisation_id: delta.organisationId,
    credential_id: delta.credentialId,
    secret_id: delta.secretId ?? '',
    requests: delta.requests,
    statements: delta.statements,
    refusals: JSON.stringify(delta.refusals),
    first_at: delta.firstAt,
    last_at: delta.lastAt,
    last_address: delta.lastAddress,
    last_user_agent: delta.lastUserAgent,
  }
}
