// Rows of launches to records of the port, and what they are found by. No queries.

import { createHash } from 'node:crypto'
import type { CredentialId, LaunchId, LrsId, Oid, OrganisationId, PlatformId, SessionId } from '../../core/ids.ts'
import type { Json, LaunchRecord } from '../../core/storage.ts'
import type { LaunchTable } from '../schema.ts'
import type { Selectable } from 'kysely'

export type LaunchRow = Selectable<LaunchTable>

/** What launches of one registration have in common. Activities and actors are longer than an index entry may be. */
export function chainOf(
  credentialId: CredentialId,
  { registration, activityId }: Pick<LaunchRecord, 'registration' | 'activityId'>,
): string {
  return `${registration} ${sha256(`${credentialId} ${activityId}`)}`
}

/** The chains of a registration lie between these. */
export function chainsOf(registration: string): readonly [from: string, to: string] {
  return [`${registration} `, `${registration}!`]
}

export function actorHash(actorKey: string): string {
  return sha256(actorKey)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

export function toLaunch(row: LaunchRow): LaunchRecord {
  return {
    id: row.id as LaunchId,
    organisationId: row.organisation_id as OrganisationId,
    number: row.number,
    platformId: row.platform_id as PlatformId | null,
    contentId: row.content_id as Oid | null,
    resource: row.resource,
    credentialId: row.credential_id as CredentialId,
    lrsId: row.home_lrs_id as LrsId,
    sessionId: row.session_id as SessionId | null,
    style: row.style as LaunchRecord['style'],
    mode: row.mode as LaunchRecord['mode'],
    actor: JSON.parse(row.actor) as Json,
    actorKey: row.actor_key,
    activityId: row.activity_id,
    registration: row.registration,
    data: row.data === null ? null : (JSON.parse(row.data) as Json),
    sealed: row.sealed,
    progress: JSON.parse(row.progress) as LaunchRecord['progress'],
    version: row.version,
    cookie: row.cookie,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at,
    endedBy: row.ended_by as LaunchRecord['endedBy'],
    owes: row.owes as LaunchRecord['owes'],
  }
}
