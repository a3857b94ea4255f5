// Queries on the audit chain and on usage counters.

import { append, claim } from './change.ts'
import { mostRows } from './organisation.ts'
import type { AuditEvent, NewAuditEvent } from '../../core/audit.ts'
import type { CredentialId, OrganisationId, SecretId } from '../../core/ids.ts'
import type { Db } from './change.ts'
import type { Selectable } from 'kysely'
import type { UsageDelta } from '../../core/storage.ts'
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

export async function addUsage(db: Db, deltas: readonly UsageDelta[]): Promise<void> {
  for (const delta of deltas) await addDelta(db, delta)
}

async function addDelta(db: Db, delta: UsageDelta): Promise<void> {
  const { organisationId, credentialId } = delta
  const credential = await db
    .selectFrom('credential')
    .select('id')
    .where('id', '=', credentialId)
    .where('organisation_id', '=', organisationId)
    .executeTakeFirst()
  if (credential === undefined) return
  const before = await db
    .selectFrom('usage')
    .selectAll()
    .where('credential_id', '=', credentialId)
    .where('secret_id', '=', delta.secretId ?? '')
    .executeTakeFirst()
  const row = toRow(before === undefined ? delta : sum(toDelta(before), delta))
  await db
    .insertInto('usage')
    .values(row)
    .onConflict((on) => on.columns(['credential_id', 'secret_id']).doUpdateSet(row))
    .execute()
}

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
