// Queries on the audit chain and on usage counters.

import { append, claim } from './change.ts'
import { compiled } from './compiled.ts'
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
  const [before] = await findUsage(db, { organisationId, credentialId, secretId: delta.secretId ?? '' })
  // No row: the credential is gone. A row without counters: nothing was counted yet.
  if (before === undefined) return
  await putUsage(db, toRow(before.requests === null ? delta : sum(toDelta(before as Selectable<UsageTable>), delta)))
}

const usageColumns = [
  ...(['organisation_id', 'credential_id', 'secret_id', 'requests', 'statements', 'refusals'] as const),
  ...(['first_at', 'last_at', 'last_address', 'last_user_agent'] as const),
]

const findUsage = compiled(
  (db, args: { organisationId: OrganisationId; credentialId: CredentialId; secretId: string }) =>
    db
      .selectFrom('credential')
      .leftJoin('usage', (join) =>
        join.onRef('usage.credential_id', '=', 'credential.id').on('usage.secret_id', '=', args.secretId),
      )
      .select(usageColumns.map((column) => `usage.${column}` as const))
      .where('credential.id', '=', args.credentialId)
      .where('credential.organisation_id', '=', args.organisationId),
)

const putUsage = compiled((db, row: Selectable<UsageTable>) =>
  db
    .insertInto('usage')
    .values(Object.fromEntries(usageColumns.map((column) => [column, row[column]])) as Selectable<UsageTable>)
    .onConflict((on) =>
      on
        .columns(['credential_id', 'secret_id'])
        .doUpdateSet((eb) => Object.fromEntries(usageColumns.map((column) => [column, eb.ref(`excluded.${column}`)]))),
    ),
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
