// The port of storage.ts: what credentials, their secrets, sessions and usage look like, and changes of them. What is done with them
// is in storage-directory.ts.

import type { NewAuditEvent } from './audit.ts'
import type { AgentIdentity } from './authority.ts'
import type { CredentialId, LaunchId, LrsId, Oid, OrganisationId, SecretId, SessionId } from './ids.ts'
import type { Limits } from './limits.ts'
import type { Pins } from './pins.ts'
import type { Rights } from './rights.ts'
import type { LaunchStyle } from './storage-launches.ts'
import type { Json, Sealed } from './storage.ts'

export type CredentialKind = 'client' | 'application' | 'management'

export interface CredentialRecord {
  readonly id: CredentialId
  readonly oid: Oid
  readonly organisationId: OrganisationId
  readonly kind: CredentialKind
  readonly name: string
  /**
   * User name of Basic authentication. Indexed, not unique on the platform; unique inside the organisation unless imported.
   * What is unique on the platform is the key together with a secret (`NewCredential.pairs`).
   */
  readonly key: string
  readonly isEnabled: boolean
  readonly rights: Rights
  readonly pins: Pins
  readonly limits: Limits
  /** The first is home. At least one; of a client there may be none: it signs in, and has no xAPI. */
  readonly lrsIds: readonly LrsId[]
  /** A fixed authority; null = derived from name and oid. */
  readonly authority: AgentIdentity | null
  /** Signs its requests (OAuth 1.0a) instead of presenting its secret; null: it does not. */
  readonly oauth: OauthSigning | null
  /** Exact vendor words per face, with the fingerprint of the rights they stood for. */
  readonly words: Readonly<Record<string, Json>>
  /** Unix milliseconds; null = never. */
  readonly expiresAt: number | null
  /** Starts at 1, +1 with each accepted update of the credential itself (not of its secrets). */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  /** Oldest first. */
  readonly secrets: readonly SecretRecord[]
}

export interface OauthSigning {
  /** PEM, SubjectPublicKeyInfo: for RSA-SHA1. Without it only signatures with the secret are taken. */
  readonly publicKey?: string
}

export interface SecretRecord {
  readonly id: SecretId
  readonly name: string
  readonly sealed: Sealed
  /** +1 whenever the sealed value changes; tokens are bound to it. */
  readonly generation: number
  readonly isEnabled: boolean
  readonly createdAt: number
  readonly expiresAt: number | null
}

export interface SessionRecord {
  readonly id: SessionId
  readonly oid: Oid
  readonly organisationId: OrganisationId
  /** The parent: owner of what the session stores. */
  readonly credentialId: CredentialId
  /** Made by the core in a shape that no credential's key may have. */
  readonly key: string
  readonly sealed: Sealed
  /** The parent's secret it stands under, at the value that had: when that is no longer live, nor is the session. */
  readonly under: { readonly secretId: SecretId; readonly generation: number }
  /** Intersected with the parent's present rights on every use. */
  readonly rights: Rights
  readonly pins: Pins
  /** Words of the face that made it, shown back. */
  readonly words: Readonly<Record<string, Json>>
  /** Of a launch; null: of none. */
  readonly launch: SessionLaunch | null
  /** Hash of what it was bound to on first use (`bindSession`); null: nothing yet. */
  readonly boundTo: string | null
  readonly createdAt: number
  /** Of a launch: moved on by `extendSession`. */
  readonly expiresAt: number
}

/** What sign-in and the faces need to know of a launch, without another query. */
export interface SessionLaunch {
  readonly id: LaunchId
  readonly style: LaunchStyle
  /** The session ends when it is not used for so long. */
  readonly idleSeconds: number
  /** Unix milliseconds: the session ends then, however much it is used. */
  readonly endsAt: number
  /** Names of query parameters that its client sends with every request and nobody reads. */
  readonly ignoredParams: readonly string[]
  /** Only the browser that used it first may use it. */
  readonly bindsBrowser: boolean
  readonly activityId: string
}

export type NewCredential = Omit<
  CredentialRecord,
  'id' | 'organisationId' | 'version' | 'createdAt' | 'updatedAt' | 'secrets'
> & {
  /** Chosen by an operator so that identifiers survive a move; `conflict` when taken. */
  readonly id?: CredentialId
  readonly createdAt: number
  /** `createdAt` unless given. */
  readonly updatedAt?: number
  /** 1 unless given. */
  readonly version?: number
  readonly secrets: readonly SecretRecord[]
  /**
   * Fingerprints (`Vault.pairOf`) of the key with each secret, claimed in the same transaction. A pair belongs for ever to
   * the organisation that claimed it first: also after a rotation or deletion, or a copy elsewhere would receive what
   * clients send that still use it.
   */
  readonly pairs: readonly string[]
  /** Imports only: do not refuse a key that the organisation already has. */
  readonly allowDuplicateKey?: boolean
}

export type CredentialPatch = Partial<
  Pick<
    CredentialRecord,
    | 'name'
    | 'key'
    | 'isEnabled'
    | 'rights'
    | 'pins'
    | 'limits'
    | 'lrsIds'
    | 'authority'
    | 'oauth'
    | 'words'
    | 'expiresAt'
    | 'createdAt'
  >
> & {
  /** Unix milliseconds; becomes `updatedAt`. */
  readonly at: number
  /** Secrets to insert, or to replace by id, in the same transaction. */
  readonly putSecrets?: readonly SecretRecord[]
  readonly dropSecrets?: readonly SecretId[]
  /** As of `NewCredential`. */
  readonly allowDuplicateKey?: boolean
  /** The pairs that this change brings about, to claim as with a new credential: of a new key, with every secret. */
  readonly pairs?: readonly string[]
  /** False for a change of secrets only: `version` and `updatedAt` stay. */
  readonly countsAsEdit?: boolean
  /**
   * What the change was made from: where its version or a secret is another by now, `conflict`, decided by `version`, and
   * nothing is changed.
   */
  readonly from?: Pick<CredentialRecord, 'version' | 'secrets'>
}

/** One of several changes of credentials that are made together, with its audit event. */
export type CredentialWrite = { readonly event: NewAuditEvent } & (
  | { readonly create: NewCredential }
  | { readonly update: { readonly id: CredentialId; readonly patch: CredentialPatch } }
  | { readonly delete: CredentialId }
)

/** In one `changeCredentials`. */
export const mostCredentialWrites = 10_000

/** Of no launch unless given. */
export type NewSession = Omit<SessionRecord, 'id' | 'organisationId' | 'launch' | 'boundTo'> &
  Partial<Pick<SessionRecord, 'launch'>>

/** Counters since the last flush, per credential and secret (`secretId` null: a session, or no secret known). */
export interface UsageDelta {
  readonly organisationId: OrganisationId
  readonly credentialId: CredentialId
  readonly secretId: SecretId | null
  readonly requests: number
  readonly statements: number
  /** Refusals by reason, e.g. `{ expired: 2 }`. */
  readonly refusals: Readonly<Record<string, number>>
  /** Unix milliseconds. */
  readonly firstAt: number
  readonly lastAt: number
  readonly lastAddress: string | null
  readonly lastUserAgent: string | null
}
