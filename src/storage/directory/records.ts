// Rows of the directory tables to records of the port and back. No queries.

import type {
  CredentialRecord,
  Json,
  LrsRecord,
  NewSession,
  OrganisationRecord,
  SecretRecord,
  SessionRecord,
} from '../../core/storage.ts'
import type { CredentialId, LrsId, Oid, OrganisationId, SecretId, SessionId } from '../../core/ids.ts'
import type { CredentialTable, LrsTable, OrganisationTable, SecretTable, SessionTable } from '../schema.ts'
import type { Insertable, Selectable } from 'kysely'

export type OrganisationRow = Selectable<OrganisationTable>
export type LrsRow = Selectable<LrsTable>
export type CredentialRow = Selectable<CredentialTable>
export type SecretRow = Selectable<SecretTable>
export type SessionRow = Selectable<SessionTable>

export function toOrganisation(row: OrganisationRow): OrganisationRecord {
  return {
    id: row.id as OrganisationId,
    oid: row.oid as Oid,
    name: row.name,
    defaultLrsId: row.default_lrs_id as LrsId | null,
    wrappedKey: row.wrapped_key,
    switches: JSON.parse(row.switches) as Record<string, Json>,
    closedLrsIds: JSON.parse(row.closed_lrs_ids) as LrsId[],
    expiresAt: row.expires_at,
    words: JSON.parse(row.words) as Record<string, Json>,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function toLrs(row: LrsRow): LrsRecord {
  return {
    id: row.id as LrsId,
    oid: row.oid as Oid,
    organisationId: row.organisation_id as OrganisationId,
    name: row.name,
    description: row.description,
    words: JSON.parse(row.words) as Record<string, Json>,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
    ...(row.retention_days !== null && { retentionDays: row.retention_days }),
  }
}

export function toCredential(row: CredentialRow, secrets: readonly SecretRow[]): CredentialRecord {
  return {
    id: row.id as CredentialId,
    oid: row.oid as Oid,
    organisationId: row.organisation_id as OrganisationId,
    kind: row.kind as CredentialRecord['kind'],
    name: row.name,
    key: row.key,
    isEnabled: row.is_enabled === 1,
    rights: JSON.parse(row.rights) as CredentialRecord['rights'],
    pins: JSON.parse(row.pins) as CredentialRecord['pins'],
    limits: JSON.parse(row.limits) as CredentialRecord['limits'],
    lrsIds: JSON.parse(row.lrs_ids) as LrsId[],
    authority: row.authority === null ? null : (JSON.parse(row.authority) as CredentialRecord['authority']),
    oauth: row.oauth === null ? null : (JSON.parse(row.oauth) as CredentialRecord['oauth']),
    words: JSON.parse(row.words) as Record<string, Json>,
    expiresAt: row.expires_at,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    secrets: secrets.map(toSecret),
  }
}

function toSecret(row: SecretRow): SecretRecord {
  return {
    id: row.id as SecretId,
    name: row.name,
    sealed: row.sealed,
    generation: row.generation,
    isEnabled: row.is_enabled === 1,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

export function toSession(row: SessionRow): SessionRecord {
  return {
    id: row.id as SessionId,
    oid: row.oid as Oid,
    organisationId: row.organisation_id as OrganisationId,
    credentialId: row.credential_id as CredentialId,
    key: row.key,
    sealed: row.sealed,
    under: { secretId: row.under_secret as SecretId, generation: row.under_generation },
    rights: JSON.parse(row.rights) as SessionRecord['rights'],
    pins: JSON.parse(row.pins) as SessionRecord['pins'],
    words: JSON.parse(row.words) as Record<string, Json>,
    launch: row.launch === null ? null : (JSON.parse(row.launch) as SessionRecord['launch']),
    boundTo: row.bound_to,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}

/** Its id is given when it is inserted. */
export function fromSession(organisationId: OrganisationId, session: NewSession): Omit<SessionRow, 'id'> {
  return {
    oid: session.oid,
    organisation_id: organisationId,
    credential_id: session.credentialId,
    key: session.key,
    sealed: session.sealed,
    under_secret: session.under.secretId,
    under_generation: session.under.generation,
    rights: JSON.stringify(session.rights),
    pins: JSON.stringify(session.pins),
    words: JSON.stringify(session.words),
    launch: session.launch ? JSON.stringify(session.launch) : null,
    bound_to: null,
    created_at: session.createdAt,
    expires_at: session.expiresAt,
  }
}

export function fromSecret(credentialId: CredentialId, secret: SecretRecord): Insertable<SecretTable> {
  return {
    id: secret.id,
    credential_id: credentialId,
    name: secret.name,
    sealed: secret.sealed,
    generation: secret.generation,
    is_enabled: secret.isEnabled ? 1 : 0,
    created_at: secret.createdAt,
    expires_at: secret.expiresAt,
  }
}

/** All of its columns; its secrets stand elsewhere. */
export function fromCredential(credential: Omit<CredentialRecord, 'secrets'>): CredentialRow {
  const { name, key, isEnabled, rights, pins, limits, lrsIds, authority, oauth, words } = credential
  return {
    id: credential.id,
    oid: credential.oid,
    organisation_id: credential.organisationId,
    kind: credential.kind,
    name,
    key,
    is_enabled: isEnabled ? 1 : 0,
    rights: JSON.stringify(rights),
    pins: JSON.stringify(pins),
    limits: JSON.stringify(limits),
    lrs_ids: JSON.stringify(lrsIds),
    authority: authority === null ? null : JSON.stringify(authority),
    oauth: oauth === null ? null : JSON.stringify(oauth),
    words: JSON.stringify(words),
    expires_at: credential.expiresAt,
    version: credential.version,
    created_at: credential.createdAt,
    updated_at: credential.updatedAt,
  }
}

/** A JSON object with some members changed: what is set to null is removed. */
export function merged(before: string, change: Readonly<Record<string, Json>>): string {
  const all = Object.entries({ ...(JSON.parse(before) as Record<string, Json>), ...change })
  return JSON.stringify(Object.fromEntries(all.filter(([, value]) => value !== null)))
}
