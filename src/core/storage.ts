// The storage port. Its doc comments are the specification of the contract tests in test/contract.
// Tenancy: every method that touches tenant data takes the tenant first (an organisation for the directory, an Lrs for
// xAPI data) and behaves as if no other tenant existed. What concerns no single tenant lives on `PlatformStore`.
// Durability: a resolved write is synced to disk; a rejected one left nothing behind.
// Errors: `DomainError` only. `not_found` also for another tenant's object; `conflict` for a duplicate; `unavailable`
// when the store is out of reach, full or closing. Driver errors are mapped in one function of the adapter.

import type { NewAuditEvent, AuditEvent } from './audit.ts'
import type { AgentIdentity } from './authority.ts'
import type {
  ApplicationId,
  CredentialId,
  LaunchId,
  LrsId,
  Oid,
  OrganisationId,
  PipeId,
  PlatformId,
  SecretId,
  Seq,
  SessionId,
} from './ids.ts'
import type { Limits } from './limits.ts'
import type { Alike } from './person.ts'
import type { Pins } from './pins.ts'
import type { Reach, Rights } from './rights.ts'

/** Wall clock. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
}

/** Sources of fresh identifiers and keys; a double in tests. */
export interface Ids {
  oid(): Oid
  uuid(): string
  /** Those of one time lie beside each other in an index (RFC 9562 section 5.7). */
  orderedUuid(): string
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string
}

export interface Storage {
  readonly platform: PlatformStore
  readonly directory: DirectoryStore
  readonly launches: LaunchStore
  readonly statements: StatementStore
  readonly documents: DocumentStore
  readonly blobs: BlobStore
  readonly erasures: ErasureStore
  readonly exports: ExportStore
  readonly imports: ImportStore
  readonly nodes: NodeStore
  /**
   * Calls `listener` after a committed change to anything that decides who may sign in or what they may do (organisation,
   * Lrs, credential, secret, session), on this node before the write's promise resolves, on every other that is in touch
   * (`NodeStore.isInTouch`) within a second. Not for a session that begins or is swept after its end: neither changes what
   * anybody else may. Undefined: anything may have changed. Returns the unsubscriber.
   */
  onDirectoryChange(listener: DirectoryListener): () => void
  /** What waits for a part of the store, or uses it, by a name for it; now, and without asking anybody. For operators. */
  load(): Readonly<Record<string, number>>
  /** Finishes what was accepted, refuses the rest as `unavailable`, syncs, closes. Idempotent. */
  close(): Promise<void>
}

export type DirectoryListener = (organisationId: OrganisationId | undefined) => void

// ---------------------------------------------------------------------------------------------------------------------
// Records

/** JSON-safe value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Ciphertext made by `Vault.seal`. Opaque to storage. */
export type Sealed = string

export interface OrganisationRecord {
  readonly id: OrganisationId
  readonly oid: Oid
  readonly name: string
  readonly defaultLrsId: LrsId | null
  /** The organisation's data key, wrapped by the master key. */
  readonly wrappedKey: Sealed
  /** Choices a face offers per organisation (`<face>.create-status` = 201). Core does not interpret them. */
  readonly switches: Readonly<Record<string, Json>>
  /** Lrs that answer no xAPI at the moment (`putSettings`), ascending. */
  readonly closedLrsIds: readonly LrsId[]
  /** Unix milliseconds; from then on nobody signs in. Null = never. */
  readonly expiresAt: number | null
  /** What faces remember of it, by face. */
  readonly words: Readonly<Record<string, Json>>
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type NewOrganisation = Omit<
  OrganisationRecord,
  'id' | 'defaultLrsId' | 'closedLrsIds' | 'expiresAt' | 'words' | 'updatedAt'
> & {
  readonly id?: OrganisationId
  /** Never unless given. */
  readonly expiresAt?: number | null
  /** None unless given. */
  readonly words?: Readonly<Record<string, Json>>
  /** `createdAt` unless given. */
  readonly updatedAt?: number
}

export type OrganisationPatch = Partial<
  Pick<OrganisationRecord, 'name' | 'defaultLrsId' | 'switches' | 'expiresAt' | 'words'>
> & {
  /** Unix milliseconds; becomes `updatedAt`. */
  readonly at: number
}

export interface LrsRecord {
  readonly id: LrsId
  readonly oid: Oid
  readonly organisationId: OrganisationId
  readonly name: string
  readonly description: string | null
  /** What faces remember of it, by face. */
  readonly words: Readonly<Record<string, Json>>
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** Then it answers no xAPI (it is one of `closedLrsIds`); what it holds stays until it is erased. Null = it is not deleted. */
  readonly deletedAt: number | null
  /** Statements go so many days after they were stored; absent: never. */
  readonly retentionDays?: number
}

export type NewLrs = Pick<LrsRecord, 'oid' | 'name' | 'createdAt' | 'retentionDays'> & {
  readonly id?: LrsId
  /** Null unless given. */
  readonly description?: string | null
  /** None unless given. */
  readonly words?: Readonly<Record<string, Json>>
  /** `createdAt` unless given. */
  readonly updatedAt?: number
}

export type LrsPatch = Partial<Pick<LrsRecord, 'name' | 'description' | 'words' | 'createdAt' | 'deletedAt'>> & {
  /** Null removes it. */
  readonly retentionDays?: number | null
  /** Unix milliseconds; becomes `updatedAt`. */
  readonly at: number
}

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

/** What sign-in needs to decide about one presented key, read in one query. */
export interface SignInCandidate {
  /**
   * The organisation holds the presented pair: only then do the secrets of `credential` count. Always false for a session,
   * whose key nobody else can have.
   */
  readonly holdsPair: boolean
  readonly organisation: OrganisationRecord
  readonly credential: CredentialRecord
  /** Present when the key is a session's; then the secrets of `credential` do not count. */
  readonly session?: SessionRecord
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

/** A named unit of an organisation, with Lrs, keys, settings, a callback and pipes of its own. */
export interface ApplicationRecord {
  readonly id: ApplicationId
  readonly organisationId: OrganisationId
  readonly name: string
  /** False: `deleteApplication` is not for its management to call. Core decides. */
  readonly isDeletable: boolean
  readonly liveLrsId: LrsId
  readonly sandboxLrsId: LrsId
  /** The one of kind `application` whose key is the application's id. */
  readonly credentialId: CredentialId
  /** Whom to ask about users nobody here knows, as core/callback.ts seals it. */
  readonly callback: Sealed | null
  /** +1 with each change of the callback, and whenever its verdicts are to be forgotten. */
  readonly callbackGeneration: number
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface NewApplication {
  /** `conflict` when taken, on the whole platform. */
  readonly id: ApplicationId
  readonly name: string
  readonly createdAt: number
  /** `createdAt` unless given. */
  readonly updatedAt?: number
  /** True unless given. */
  readonly isDeletable?: boolean
  readonly callback?: Sealed | null
  readonly settings?: readonly SettingRecord[]
  readonly live: NewLrs
  readonly sandbox: NewLrs
  /** Its own, of kind `application`. It reaches live and sandbox, and so does every bound of kind `application` in its rights. */
  readonly credential: Omit<NewCredential, 'lrsIds' | 'allowDuplicateKey'>
}

export type ApplicationPatch = Partial<Pick<ApplicationRecord, 'name' | 'isDeletable' | 'callback'>> & {
  /** Raises `callbackGeneration` even where the callback stays. */
  readonly forgetsVerdicts?: boolean
  /** Unix milliseconds; becomes `updatedAt`. */
  readonly at: number
}

export interface ApplicationQuery {
  /** Contained in it, whatever the case of ASCII letters. */
  readonly filter?: { readonly by: 'id' | 'name'; readonly text: string }
  /** Which time the order goes by. */
  readonly by: 'createdAt' | 'updatedAt'
  /** Which time `since` and `until` go by; as the order unless given. */
  readonly rangeBy?: 'createdAt' | 'updatedAt'
  /** Unix milliseconds, both inclusive. */
  readonly since?: number
  readonly until?: number
  readonly isDescending: boolean
  /** Continue behind this one. */
  readonly after?: { readonly at: number; readonly id: ApplicationId }
  readonly limit: number
}

/** An explicit value of an application, at one of its levels. */
export interface SettingRecord {
  /** Empty: the application's own; else what a face calls a part of it (`video/true`). */
  readonly level: string
  readonly name: string
  readonly value: Sealed
}

/** What is forwarded from an Lrs, or from elsewhere, to elsewhere: core/forwarding.ts. */
export interface PipeRecord {
  readonly id: PipeId
  readonly organisationId: OrganisationId
  /** Whose it is, and with which it goes; null: the organisation's. */
  readonly applicationId: ApplicationId | null
  /** What is forwarded; null: what `source` names. */
  readonly lrsId: LrsId | null
  /** Address, user and password, as core/forwarding.ts seals them. */
  readonly source: Sealed | null
  readonly target: Sealed
  /** A person paused it, or the target refused what no retry mends; null: it runs. */
  readonly pausedBecause: string | null
  /** How far it has come, since when it fails, when it tries again; core/forwarding.ts reads it. */
  readonly progress: Json
  /** Starts at 1, +1 with each accepted `updatePipe`. */
  readonly version: number
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** Offset paging, as three of the imitated APIs page. `limit` at least 0. */
export interface Slice {
  readonly offset: number
  readonly limit: number
}

/** Of a list by oid, from its beginning or behind one. */
export interface OidOrder {
  readonly isDescending: boolean
  readonly after?: Oid
}

export interface Listed<T> {
  readonly items: readonly T[]
  /** Matches altogether, whatever the slice. */
  readonly total: number
}

// ---------------------------------------------------------------------------------------------------------------------
// Platform: what belongs to no single tenant

export interface PlatformStore {
  /** By id, ascending. */
  listOrganisations(slice: Slice): Promise<Listed<OrganisationRecord>>
  /**
   * Creates an organisation together with its first Lrs, which becomes its default. `conflict` when a chosen id is taken,
   * and when another check value stands than `keyCheck`, under which its key was wrapped. The event is the first of the organisation's audit chain.
   */
  createOrganisation(
    organisation: NewOrganisation & { readonly keyCheck?: Sealed },
    lrs: NewLrs,
    event: NewAuditEvent,
  ): Promise<{ readonly organisation: OrganisationRecord; readonly lrs: LrsRecord }>
  /**
   * Sessions and credentials whose key is exactly `key`, by creation, at most 16; only of `within` when given. When an
   * organisation holds `pair`, only its credentials: what others do with the same key does not matter. When none does, the
   * credentials of all, which may be told of the refusal but not signed in with. Disabled and expired ones are included
   * (sign-in decides), so that the number of queries tells nothing.
   */
  findSignInCandidates(key: string, pair?: string, within?: OrganisationId): Promise<readonly SignInCandidate[]>
  /** The value that proves the master key and holds the platform key; undefined on an empty store. */
  findKeyCheck(): Promise<Sealed | undefined>
  /** Stores the check value if there is none yet; returns the one that stands. */
  putKeyCheck(check: Sealed): Promise<Sealed>
  /** Replaces check value and all wrapped keys in one transaction; `conflict` unless every organisation is named. */
  rewrapKeys(
    check: Sealed,
    wrapped: readonly { readonly id: OrganisationId; readonly wrappedKey: Sealed }[],
  ): Promise<void>
  /** Adds buffered counters. Rows of credentials that are gone are dropped silently. */
  addUsage(deltas: readonly UsageDelta[]): Promise<void>
  /** Erasures of all organisations that have no receipt yet, oldest first; at most 1,000. */
  listOpenErasures(): Promise<readonly ErasureRecord[]>
  /** Whose it is tells the record: paths name applications alone. */
  findApplication(id: ApplicationId): Promise<ApplicationRecord | undefined>
  /** Pipes of all organisations that run (`pausedBecause` null), by id, behind `after`; at most 1,000. */
  listRunningPipes(after?: PipeId): Promise<readonly PipeRecord[]>
  /**
   * Enters each note unless one of that name lasts still, and answers, in the order asked, the value that stood before: undefined
   * where the note is new. Of calls at the same time, on whichever nodes, one finds it new. Durable; what is over is removed by and by.
   */
  remember(notes: readonly Note[], now: number): Promise<readonly (string | undefined)[]>
  /** The value of each name, undefined where there is none or it is over. */
  recall(names: readonly string[], now: number): Promise<readonly (string | undefined)[]>
  /** Who has any of these, in whichever organisation; in no order. At most 1,000 of each, and 20,000 pairs. */
  findHolders(wanted: Identifiers): Promise<readonly Holder[]>
}

/** What is given once on the whole platform. */
export interface Identifiers {
  readonly organisations: readonly { readonly id: OrganisationId; readonly oid?: Oid }[]
  readonly lrs: readonly { readonly id: LrsId; readonly oid?: Oid }[]
  readonly credentials: readonly { readonly id: CredentialId; readonly oid?: Oid }[]
  readonly applications: readonly ApplicationId[]
  readonly pipes: readonly PipeId[]
  /** `NewCredential.pairs`. */
  readonly pairs: readonly string[]
}

export interface Holder {
  readonly noun: 'organisation' | 'lrs' | 'credential' | 'application' | 'pipe' | 'pair'
  readonly id: number | string
  /** Null where it has none, or is gone. */
  readonly oid: Oid | null
  readonly organisationId: OrganisationId
}

/** Something all nodes know until it is over: a nonce that was seen, what a remote endpoint answered. Names give nothing away: hashes. */
export interface Note {
  /** ASCII, at most 200 characters. */
  readonly name: string
  /** At most 1,000 characters. */
  readonly value: string
  /** Unix milliseconds by the clock of whoever calls. */
  readonly until: number
}

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

// ---------------------------------------------------------------------------------------------------------------------
// Nodes: the processes over one store, which know nothing of each other but what stands here

export interface NodeStore {
  /** False: no other process has the store open while this one has. */
  readonly isShared: boolean
  /**
   * Whether every change that others committed more than a second ago was told to the listeners of `onDirectoryChange`. While
   * it is false, nothing that is remembered may be trusted. Costs no query.
   */
  isInTouch(): boolean
  /**
   * Takes or renews what at most one holder has at a time: false while another holds it, and while less than `everyMs` have
   * passed since it was last released as done (0 unless given; a name that nobody had before counts as done now). It ends `ttlMs`
   * from now unless renewed: by the store's clock, whatever the clocks of the processes say. Who holds it renews it whatever
   * `everyMs` is.
   */
  takeLease(name: string, holder: string, term: { readonly ttlMs: number; readonly everyMs?: number }): Promise<boolean>
  /** Only the holder's own; otherwise nothing happens. */
  releaseLease(name: string, holder: string, isDone: boolean): Promise<void>
  /**
   * Adds to sums that all nodes share and answers them, in the order asked. A sum begins with the first that is added, lasts as
   * long as that says, and is then forgotten; it never falls below 0. Each name once. Nothing is audited.
   */
  addCounts(counts: readonly CountDelta[]): Promise<readonly SharedCount[]>
}

export interface CountDelta {
  /** ASCII, at most 100 characters. */
  readonly name: string
  /** May be negative, or 0 to ask. */
  readonly delta: number
  /** Of a sum that begins with this. */
  readonly windowMs: number
}

export interface SharedCount {
  readonly count: number
  /** Until the sum is forgotten. */
  readonly leftMs: number
}

// ---------------------------------------------------------------------------------------------------------------------
// Directory: organisations, Lrs, credentials, secrets, sessions, audit, usage. Every write carries its audit event and
// stores both in one transaction; the adapter chains the event with `chainHash` of core/audit.ts.

export interface DirectoryStore {
  findOrganisation(organisationId: OrganisationId): Promise<OrganisationRecord | undefined>
  /**
   * Only the named fields; of switches and words those that are named, and one set to null is removed. `not_found`; `invalid` for a
   * default Lrs that is another organisation's, or deleted.
   */
  updateOrganisation(
    organisationId: OrganisationId,
    patch: OrganisationPatch,
    event: NewAuditEvent,
  ): Promise<OrganisationRecord>

  /** `conflict` when a chosen id is taken; `not_found` for the organisation. */
  createLrs(organisationId: OrganisationId, lrs: NewLrs, event: NewAuditEvent): Promise<LrsRecord>
  /** By id, ascending; deleted ones, too. */
  listLrs(organisationId: OrganisationId): Promise<readonly LrsRecord[]>
  /**
   * Only the named fields; of words those that are named, and one set to null is removed. `deletedAt` closes it, and null opens it
   * again. `not_found`; `conflict` for deleting the organisation's default or one that an application has.
   */
  updateLrs(organisationId: OrganisationId, id: LrsId, patch: LrsPatch, event: NewAuditEvent): Promise<LrsRecord>

  /**
   * `conflict` when a credential or session of the organisation has the key (unless `allowDuplicateKey`) or the chosen id
   * is taken anywhere, or, decided by `pair`, when another organisation holds one of the pairs; `invalid` when an Lrs is
   * not the organisation's, or when there is none and it is no client.
   */
  createCredential(
    organisationId: OrganisationId,
    credential: NewCredential,
    event: NewAuditEvent,
  ): Promise<CredentialRecord>
  /**
   * Ids that statements from elsewhere name as their owner and no credential has any more: from now on nobody gets them. What this
   * organisation has given already is as good as new; `conflict` for what another has, and none is reserved.
   */
  reserveCredentialIds(
    organisationId: OrganisationId,
    ids: readonly CredentialId[],
    event: NewAuditEvent,
  ): Promise<void>
  findCredential(organisationId: OrganisationId, id: CredentialId): Promise<CredentialRecord | undefined>
  /** The credential that has this secret, for verifying tokens. */
  findCredentialBySecret(organisationId: OrganisationId, secretId: SecretId): Promise<CredentialRecord | undefined>
  /**
   * By id, ascending; exact match on what the filter names: `lrsIds` on one of these lists, in this order; one of these ids, oids
   * or keys, at most 1,000; `homes`: the first Lrs is one of these, at most 100; `after`: with a greater id. Pages that go
   * by it miss none while others are removed; by `offset` they do. `byOid`: by oid instead of id, and behind this one.
   */
  listCredentials(
    organisationId: OrganisationId,
    filter: {
      readonly kind?: CredentialKind
      readonly key?: string
      readonly lrsIds?: readonly (readonly LrsId[])[]
      readonly ids?: readonly CredentialId[]
      readonly oids?: readonly Oid[]
      readonly keys?: readonly string[]
      readonly homes?: readonly LrsId[]
      readonly after?: CredentialId
      readonly byOid?: OidOrder
    },
    slice: Slice,
  ): Promise<Listed<CredentialRecord>>
  /**
   * `not_found`; `conflict` when a new key is already the organisation's, when it is not what the patch was made from any more,
   * and for pairs as with `createCredential`.
   */
  updateCredential(
    organisationId: OrganisationId,
    id: CredentialId,
    patch: CredentialPatch,
    event: NewAuditEvent,
  ): Promise<CredentialRecord>
  /** Removes credential, secrets and sessions, never statements; returns what was removed. Its id is never given again. */
  deleteCredential(organisationId: OrganisationId, id: CredentialId, event: NewAuditEvent): Promise<CredentialRecord>
  /**
   * Up to `mostCredentialWrites` of the three above in one transaction, all or none, each with its event, in order: what one
   * of them frees, a key, the next may take. Answers what each left behind, or removed. What is thrown is what the single
   * one would have thrown, with `detail.index` of the first that was refused. `invalid` where there are more, and where a
   * credential is written twice.
   */
  changeCredentials(
    organisationId: OrganisationId,
    writes: readonly CredentialWrite[],
  ): Promise<readonly CredentialRecord[]>

  /** `not_found` for the parent; `conflict` for the key, as with credentials. */
  createSession(organisationId: OrganisationId, session: NewSession, event: NewAuditEvent): Promise<SessionRecord>
  /** Of one credential, by id, ascending, expired ones included until swept. */
  listSessions(organisationId: OrganisationId, credentialId: CredentialId, slice: Slice): Promise<Listed<SessionRecord>>
  findSession(
    organisationId: OrganisationId,
    credentialId: CredentialId,
    id: SessionId,
  ): Promise<SessionRecord | undefined>
  /** Returns what was removed; `not_found`. */
  deleteSession(
    organisationId: OrganisationId,
    credentialId: CredentialId,
    id: SessionId,
    event: NewAuditEvent,
  ): Promise<SessionRecord>
  /** Removes sessions that expired before `before` (Unix milliseconds); returns how many. Not audited: expiry was. */
  sweepSessions(organisationId: OrganisationId, before: number): Promise<number>

  /** With both its Lrs and its own credential, all or nothing. `conflict` for the id, and as `createCredential`. */
  createApplication(
    organisationId: OrganisationId,
    application: NewApplication,
    event: NewAuditEvent,
  ): Promise<ApplicationRecord>
  findApplication(organisationId: OrganisationId, id: ApplicationId): Promise<ApplicationRecord | undefined>
  /** By the time asked for, then by id. `total`: matches whatever `after` and `limit`. */
  listApplications(organisationId: OrganisationId, query: ApplicationQuery): Promise<Listed<ApplicationRecord>>
  /** A name becomes that of its credential, too. `not_found`. */
  updateApplication(
    organisationId: OrganisationId,
    id: ApplicationId,
    patch: ApplicationPatch,
    event: NewAuditEvent,
  ): Promise<ApplicationRecord>
  /**
   * Removes it with its settings, pipes and credential, and every credential that reaches nothing but its Lrs; others lose these.
   * `conflict`, and nothing is removed, while a statement or document is in one of them. The Lrs stay, for what is stored at the same
   * moment; no key reaches them. `not_found`.
   */
  deleteApplication(organisationId: OrganisationId, id: ApplicationId, event: NewAuditEvent): Promise<ApplicationRecord>

  /** Explicit values of all levels, by level and name. */
  listSettings(organisationId: OrganisationId, id: ApplicationId): Promise<readonly SettingRecord[]>
  /**
   * Sets, or with null removes, values of one level; the others stay. `isOpen` given: whether its Lrs answer xAPI from now on
   * (`OrganisationRecord.closedLrsIds`). Counts as an update of the application. `not_found`.
   */
  putSettings(
    organisationId: OrganisationId,
    id: ApplicationId,
    change: {
      readonly level: string
      readonly values: Readonly<Record<string, string | null>>
      readonly isOpen?: boolean
      readonly at: number
    },
    event: NewAuditEvent,
  ): Promise<void>

  /** `conflict` when the id is taken; `not_found` for the application, `invalid` when the Lrs is not the organisation's. */
  createPipe(
    organisationId: OrganisationId,
    pipe: Omit<PipeRecord, 'organisationId' | 'version' | 'updatedAt'> &
      Partial<Pick<PipeRecord, 'version' | 'updatedAt'>>,
    event: NewAuditEvent,
  ): Promise<PipeRecord>
  findPipe(organisationId: OrganisationId, id: PipeId): Promise<PipeRecord | undefined>
  /** Oldest first; only of `applicationId` when given (null: those of no application). */
  listPipes(organisationId: OrganisationId, applicationId?: ApplicationId | null): Promise<readonly PipeRecord[]>
  /** `not_found`. What it was at is over: progress of the version before is not taken any more. */
  updatePipe(
    organisationId: OrganisationId,
    id: PipeId,
    patch: Partial<Pick<PipeRecord, 'lrsId' | 'source' | 'target' | 'pausedBecause' | 'progress'>> & {
      readonly at: number
    },
    event: NewAuditEvent,
  ): Promise<PipeRecord>
  /** Not audited. False, and nothing is changed, where the pipe has gone or has another version. */
  savePipeProgress(
    organisationId: OrganisationId,
    id: PipeId,
    version: number,
    state: Pick<PipeRecord, 'progress' | 'pausedBecause'>,
  ): Promise<boolean>
  /** Returns what was removed; `not_found`. */
  deletePipe(organisationId: OrganisationId, id: PipeId, event: NewAuditEvent): Promise<PipeRecord>

  /** An event without a change of its own (a refused grant, a verification). */
  appendAudit(organisationId: OrganisationId, event: NewAuditEvent): Promise<AuditEvent>
  /** By `number`, ascending, those after `after` (0 = from the first), at most `limit`. */
  listAudit(organisationId: OrganisationId, after: number, limit: number): Promise<readonly AuditEvent[]>

  /** When each of these, at most 1,000, was last used (Unix milliseconds); those that never were are left out. */
  listLastUses(
    organisationId: OrganisationId,
    credentialIds: readonly CredentialId[],
  ): Promise<readonly { readonly credentialId: CredentialId; readonly at: number }[]>
  /** Totals per secret of one credential (`secretId` null: sessions and tokens without one). */
  listUsage(organisationId: OrganisationId, credentialId: CredentialId): Promise<readonly UsageDelta[]>
}

// ---------------------------------------------------------------------------------------------------------------------
// Launches: platforms that send learners, content they are sent to, and each launch until it ends. Writes of platforms, content and
// placements, and the beginning and end of a launch, carry their audit event, as those of the directory.

export const launchStyles = ['cmi5', 'tincan'] as const
export type LaunchStyle = (typeof launchStyles)[number]
export const launchModes = ['normal', 'browse', 'review'] as const
export type LaunchMode = (typeof launchModes)[number]
/**
 * Content said that it is over; a newer launch of the same registration; not used for too long; the longest it may last; by who may
 * end it; its credential, or the secret it stood under, is gone.
 */
export const launchEnds = ['terminated', 'superseded', 'idle', 'expired', 'revoked', 'parent'] as const
export type LaunchEnd = (typeof launchEnds)[number]

/** A system that launches people. */
export interface PlatformRecord {
  readonly id: PlatformId
  readonly organisationId: OrganisationId
  readonly name: string
  /** Name of the face that speaks it. */
  readonly protocol: string
  /**
   * Of kind `client`: the parent of its sessions, owner of what they store. Made with the platform, and removed with it; what it
   * stored stays.
   */
  readonly credentialId: CredentialId
  /** Newest first, at most two: the current one and the one before. */
  readonly secrets: readonly PlatformSecret[]
  /** The face checks them; core does not interpret them. `content`, if any: the id of the content that opens where nothing was chosen. */
  readonly settings: Json
  readonly isEnabled: boolean
  /** Starts at 1, +1 with each accepted `updatePlatform`. */
  readonly version: number
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface PlatformSecret {
  readonly id: SecretId
  readonly sealed: Sealed
  /** Unix milliseconds. */
  readonly createdAt: number
  /** Null = never. */
  readonly expiresAt: number | null
}

export type NewPlatform = Pick<
  PlatformRecord,
  'id' | 'name' | 'protocol' | 'secrets' | 'settings' | 'isEnabled' | 'createdAt'
> & { readonly credential: NewCredential }

export type PlatformPatch = Partial<Pick<PlatformRecord, 'name' | 'secrets' | 'settings' | 'isEnabled'>> & {
  /** Unix milliseconds; becomes `updatedAt`. */
  readonly at: number
  /** The version the change was made from: where it is another by now, `conflict`, decided by `version`. */
  readonly from?: number
}

/** What is launched. */
export interface ContentRecord {
  readonly id: Oid
  readonly organisationId: OrganisationId
  readonly name: string
  /** As core/content.ts describes them. */
  readonly settings: Json
  /** Starts at 1, +1 with each accepted `updateContent`. */
  readonly version: number
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type NewContent = Pick<ContentRecord, 'id' | 'name' | 'settings' | 'createdAt'>

export type ContentPatch = Partial<Pick<ContentRecord, 'name' | 'settings'>> & Pick<PlatformPatch, 'at' | 'from'>

/** What a platform launches at one of its places. */
export interface PlacementRecord {
  readonly platformId: PlatformId
  /** The platform's name for the place, as its face writes it. */
  readonly resource: string
  /** Null: it was removed there. */
  readonly contentId: Oid | null
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** One learner, one activity, one registration, one session, until it ends. */
export interface LaunchRecord {
  readonly id: LaunchId
  readonly organisationId: OrganisationId
  /** Ascending in the order they were made: a position to list behind. */
  readonly number: number
  /** Null: launched by no platform. Stays when that is deleted, and so does `contentId`. */
  readonly platformId: PlatformId | null
  readonly contentId: Oid | null
  /** As of `PlacementRecord`. */
  readonly resource: string | null
  readonly credentialId: CredentialId
  readonly lrsId: LrsId
  /** Null: the session is gone. While it runs, nobody ended it then: its parent is gone, or an operator removed it. */
  readonly sessionId: SessionId | null
  readonly style: LaunchStyle
  readonly mode: LaunchMode
  readonly actor: Json
  /** Canonical text of the actor (core/xapi/term.ts): what a person is erased by. */
  readonly actorKey: string
  readonly activityId: string
  /** Lower-case UUID. */
  readonly registration: string
  /** What reaches the content; null once swept. */
  readonly data: Json
  /** E.g. the platform's own key for this launch; null once it has ended. */
  readonly sealed: Sealed | null
  /** What the rules of its style remember. `registration` in it goes over to the next launch of the same registration. */
  readonly progress: LaunchProgress
  /** Starts at 1, +1 with each accepted `advanceLaunch`. */
  readonly version: number
  /** Hash of what the browser that entered holds. */
  readonly cookie: string | null
  /** Unix milliseconds. */
  readonly createdAt: number
  /** The longest it may last. */
  readonly expiresAt: number
  /** Null: it runs. */
  readonly endedAt: number | null
  readonly endedBy: LaunchEnd | null
  /** What is still to be done about it; null: nothing. */
  readonly owes: LaunchDebt | null
}

/**
 * `end`: its content says that it is over, and it runs. `word`: it is cmi5, ended otherwise than by `terminated`, and that is not
 * written down yet.
 */
export type LaunchDebt = 'end' | 'word'

/** Where a list of lapsed launches goes on. */
export interface LapsedPosition {
  /** When the session ended, Unix milliseconds; null: it was gone. Those come first. */
  readonly expiredAt: number | null
  /** Of the session, or of the launch where that is gone. */
  readonly id: number
}

export interface LaunchProgress {
  readonly registration?: Json
  readonly [name: string]: Json | undefined
}

export type NewLaunch = Omit<
  LaunchRecord,
  'organisationId' | 'number' | 'credentialId' | 'sessionId' | 'version' | 'createdAt' | 'endedAt' | 'endedBy' | 'owes'
>

/** Of the ticket itself nothing is stored: who has it proves it by its hash. */
export interface TicketRecord {
  /** SHA-256, base64url. */
  readonly hash: string
  readonly launchId: LaunchId
  readonly kind: TicketKind
  /** Unix milliseconds. */
  readonly until: number
  /** When it was first used. */
  readonly usedAt: number | null
}

export type TicketKind = 'entrance' | 'fetch'
export type NewTicket = Pick<TicketRecord, 'hash' | 'kind' | 'until'>

export interface LaunchFilter {
  readonly platformId?: PlatformId
  readonly contentId?: Oid
  readonly credentialId?: CredentialId
  readonly registration?: string
  readonly actorKey?: string
  readonly isRunning?: boolean
  /** In one of these, at most 100. */
  readonly lrsIds?: readonly LrsId[]
}

export interface LaunchStore {
  /**
   * With its credential, all or nothing. `conflict` when the id is taken on the whole platform, and as
   * `DirectoryStore.createCredential`, which says what else is thrown; `not_found` for the content in its settings.
   */
  createPlatform(organisationId: OrganisationId, platform: NewPlatform, event: NewAuditEvent): Promise<PlatformRecord>
  findPlatform(organisationId: OrganisationId, id: PlatformId): Promise<PlatformRecord | undefined>
  /** Whose it is tells the record: paths name platforms alone. */
  findPlatformAnywhere(id: PlatformId): Promise<PlatformRecord | undefined>
  /** By id, ascending. */
  listPlatforms(organisationId: OrganisationId, slice: Slice): Promise<Listed<PlatformRecord>>
  /** A name becomes that of its credential, too, and so does whether it is enabled. `not_found`, also for the content in its settings. */
  updatePlatform(
    organisationId: OrganisationId,
    id: PlatformId,
    patch: PlatformPatch,
    event: NewAuditEvent,
  ): Promise<PlatformRecord>
  /**
   * Removes it with its credential, which ends its sessions, and its placements; returns what was removed. Its launches stay
   * (`listLapsed` has those that ran). `not_found`. Its credential alone cannot be deleted: `conflict`.
   */
  deletePlatform(organisationId: OrganisationId, id: PlatformId, event: NewAuditEvent): Promise<PlatformRecord>

  /** `conflict` when the id is taken. */
  createContent(organisationId: OrganisationId, content: NewContent, event: NewAuditEvent): Promise<ContentRecord>
  findContent(organisationId: OrganisationId, id: Oid): Promise<ContentRecord | undefined>
  /** By id, ascending: oldest first. */
  listContents(organisationId: OrganisationId, slice: Slice): Promise<Listed<ContentRecord>>
  /** `not_found`. Launches that run go on with what they began with. */
  updateContent(
    organisationId: OrganisationId,
    id: Oid,
    patch: ContentPatch,
    event: NewAuditEvent,
  ): Promise<ContentRecord>
  /** Returns what was removed. `not_found`; `conflict` while a placement, a platform's settings or a launch that runs is of it. */
  deleteContent(organisationId: OrganisationId, id: Oid, event: NewAuditEvent): Promise<ContentRecord>

  /** Puts it in the place of the one there. `not_found` for the platform and the content. */
  putPlacement(
    organisationId: OrganisationId,
    placement: Pick<PlacementRecord, 'platformId' | 'resource' | 'contentId'> & { readonly at: number },
    event: NewAuditEvent,
  ): Promise<PlacementRecord>
  /** As if nobody had ever chosen there. `not_found` where nobody has. */
  deletePlacement(
    organisationId: OrganisationId,
    platformId: PlatformId,
    resource: string,
    event: NewAuditEvent,
  ): Promise<PlacementRecord>
  findPlacement(
    organisationId: OrganisationId,
    platformId: PlatformId,
    resource: string,
  ): Promise<PlacementRecord | undefined>
  /** By platform and resource, ascending. */
  listPlacements(
    organisationId: OrganisationId,
    filter: { readonly platformId?: PlatformId; readonly contentId?: Oid },
    slice: Slice,
  ): Promise<Listed<PlacementRecord>>

  /**
   * Ends the launches of the same credential, activity and registration that run, as `superseded`, and their sessions with them;
   * makes session, launch and tickets. `progress.registration` of the latest of them, running or not, becomes the new one's.
   * `not_found` for the credential; `conflict` when the id or a ticket is taken, and as `DirectoryStore.createSession`. However many
   * are made at the same time, one runs.
   */
  createLaunch(
    organisationId: OrganisationId,
    made: {
      readonly session: NewSession & { readonly launch: SessionLaunch }
      /** Of the session's credential, with the id in `session.launch`. */
      readonly launch: NewLaunch
      readonly tickets: readonly NewTicket[]
      /** Unix milliseconds. */
      readonly at: number
    },
    event: NewAuditEvent,
  ): Promise<{
    readonly launch: LaunchRecord
    readonly session: SessionRecord
    /** As they ended. */
    readonly superseded: readonly LaunchRecord[]
  }>
  /** Of these, at most 1,000, those of launches by this key about this activity from this place, running or not. */
  listRegistrations(
    organisationId: OrganisationId,
    place: Pick<LaunchRecord, 'credentialId' | 'activityId' | 'resource'>,
    registrations: readonly string[],
  ): Promise<readonly string[]>
  findLaunch(organisationId: OrganisationId, id: LaunchId): Promise<LaunchRecord | undefined>
  /** Newest first, those made before `before` (a `LaunchRecord.number`); at most `limit`. */
  listLaunches(
    organisationId: OrganisationId,
    filter: LaunchFilter,
    part: { readonly before?: number; readonly limit: number },
  ): Promise<readonly LaunchRecord[]>
  /**
   * Sets its progress and what it owes, whole, and adds tickets, which replace its unused ones of their kind; not audited. Undefined,
   * and nothing is changed, where its version is another than `from` by now, or it has ended.
   */
  advanceLaunch(
    organisationId: OrganisationId,
    id: LaunchId,
    step: {
      readonly from: number
      readonly progress: LaunchProgress
      readonly owes?: LaunchDebt | null
      readonly mode?: LaunchMode
      readonly tickets?: readonly NewTicket[]
      readonly cookie?: string
    },
  ): Promise<LaunchRecord | undefined>
  /**
   * Removes its session and what is sealed, and owes it a `word` where there is one to say. Undefined, and nothing is audited, where
   * it has ended already, or there is none.
   */
  endLaunch(
    organisationId: OrganisationId,
    id: LaunchId,
    end: { readonly by: LaunchEnd; readonly at: number },
    event: NewAuditEvent,
  ): Promise<LaunchRecord | undefined>
  /**
   * Undefined where there is none of this kind, and from `until` on. Whose it is tells the answer: who has a ticket says nothing else.
   * Also of a launch that has ended.
   */
  findTicket(
    hash: string,
    kind: TicketKind,
    at: number,
  ): Promise<{ readonly launch: LaunchRecord; readonly isUsed: boolean } | undefined>
  /**
   * Marks what `findTicket` finds as used. Of calls at the same time, on whichever nodes, one is the first. In the same step whoever is
   * the first, or has the cookie of the launch, gets what is handed: the launch knows the cookie from now on, and the tickets replace
   * its unused ones of their kind. Nothing of a launch that has ended.
   */
  useTicket(
    hash: string,
    kind: TicketKind,
    at: number,
    handed?: { readonly cookie: string; readonly tickets: readonly NewTicket[] },
  ): Promise<{ readonly launch: LaunchRecord; readonly isFirst: boolean } | undefined>
  /**
   * Moves the end of a launch's session, never backwards, never past the launch's own; answers when it ends now. Not audited, and
   * no node is told: each reads it again when what it remembers is over. Undefined where there is no such session.
   */
  extendSession(organisationId: OrganisationId, id: SessionId, expiresAt: number): Promise<number | undefined>
  /** Binds it unless it is bound; answers what stands there. Not audited. Undefined where there is no such session. */
  bindSession(organisationId: OrganisationId, id: SessionId, boundTo: string): Promise<string | undefined>
  /** Nothing is owed to one that has ended, from now on. Not audited. */
  settleLaunch(organisationId: OrganisationId, id: LaunchId): Promise<void>
  /**
   * Of all organisations: those that run, and whose session is gone or ended at or before `at`. `next`: where the list goes on,
   * undefined at its end.
   */
  listLapsed(
    at: number,
    part: { readonly after?: LapsedPosition | undefined; readonly limit: number },
  ): Promise<{ readonly items: readonly LaunchRecord[]; readonly next: LapsedPosition | undefined }>
  /** Of all organisations, by `number`: those that owe something. */
  listOwing(part: { readonly after: number; readonly limit: number }): Promise<readonly LaunchRecord[]>
  /**
   * Of those that ended before `before` (Unix milliseconds), some hundred per call: removes tickets, data and the name of
   * who was launched, and all but the latest of each credential, activity and registration. Returns how many it was about: 0 at the end. Not audited.
   */
  sweepLaunches(organisationId: OrganisationId, before: number): Promise<number>
}

// ---------------------------------------------------------------------------------------------------------------------
// Statements

export const termKinds = ['agent', 'verb', 'activity', 'registration'] as const
export type TermKind = (typeof termKinds)[number]

/**
 * One value a statement can be found by. `value` is the identifier in the canonical text of core/xapi/term.ts (an agent's
 * identifier, an IRI, a lower-case UUID).
 */
export interface Term {
  readonly kind: TermKind
  readonly value: string
  /** Only the related_agents / related_activities filters reach it. A value that is both is listed once, as not related. */
  readonly isRelated: boolean
}

/** A validated statement, ready to store. */
export interface PreparedStatement {
  /** Lower-case UUID. */
  readonly id: string
  /** Microseconds since the Unix epoch; undefined when the client sent none, then the stored time counts. */
  readonly timestamp: number | undefined
  /**
   * The statement as JSON text without the closing brace. The store appends `,"timestamp":"…"` when `timestamp` is
   * undefined, then `,"stored":"…"}`, both the stored time with six digits of a second and `Z`.
   */
  readonly openBody: string
  readonly terms: readonly Term[]
  /** Lower-case UUID of the statement its object refers to. */
  readonly refersTo: string | undefined
  /** True for a voiding statement; `refersTo` is then its target. */
  readonly isVoiding: boolean
  /** What it says about activities and agents, as far as its author may `define`; each (kind, value, text) once. */
  readonly descriptions: readonly Description[]
  /** Attachments whose bytes came along and are in the blob store already; each sha2 once. */
  readonly attachments: readonly AttachmentClaim[]
}

/**
 * Something said of an activity or an agent, kept beside the statements so that `activities` and `agents` need not read them.
 * `text` is compact JSON: the definition object of an activity, the name (a JSON string) of an agent.
 */
export interface Description {
  readonly kind: 'activity' | 'agent'
  /** As in `Term.value`. */
  readonly value: string
  readonly text: string
}

/** A statement's right to bytes of the blob store: only what its sender sent. */
export interface AttachmentClaim {
  /** Lower-case hex. */
  readonly sha2: string
  /** As the statement describes it. */
  readonly contentType: string
}

/** The statements of one request, stored all or none. */
export interface StatementBatch {
  readonly lrsId: LrsId
  /** Owner of what is stored. */
  readonly owner: CredentialId
  /** Reach of `statements/read`: decides whether an equal statement of another owner may be acknowledged as already there. */
  readonly readReach: Reach | undefined
  /** Reach of `statements/void`: decides what a voiding statement takes effect on. */
  readonly voidReach: Reach | undefined
  /** Reach of `define`: what an owner with reach any describes goes before what others describe. */
  readonly defineReach: Reach | undefined
  /** No two with one id. */
  readonly statements: readonly PreparedStatement[]
}

export type BatchOutcome =
  | {
      readonly kind: 'stored'
      /** Per statement, in order: its stored time, and whether an equal one was already there. */
      readonly statements: readonly { readonly seq: Seq; readonly wasThere: boolean }[]
    }
  /** Another statement has the id (index into `statements`). Nothing of the batch was stored. */
  | { readonly kind: 'conflict'; readonly index: number }

/** One filter of a list query. */
export interface TermFilter {
  readonly kind: TermKind
  readonly value: string
  /** Also match postings that only the related filters reach. */
  readonly includeRelated: boolean
}

export interface StatementQuery {
  /** A statement must match all. */
  readonly filters: readonly TermFilter[]
  /** Reach mine: only this owner's statements, and no posting inherited from another owner's. */
  readonly owner?: CredentialId
  /** Stored after this; microseconds. */
  readonly since?: number
  /** Stored at or before this; microseconds. */
  readonly until?: number
  readonly isAscending: boolean
  /** At least 1. */
  readonly limit: number
  /** Continue behind this stored time, in the query's direction. */
  readonly cursor?: Seq
  /** Fill `StoredStatement.attachments`. */
  readonly withAttachments?: boolean
  /** Voided ones, too; `StoredStatement.isVoided` tells which they are. */
  readonly withVoided?: boolean
}

export interface StatementPage {
  /** Bodies in stored order; newest first unless ascending. Voided statements are left out, unless asked for. */
  readonly rows: readonly StoredStatement[]
  /**
   * Where to continue; undefined when the end was reached. May be set with fewer rows than the limit (seek budget, 16 million
   * characters a page). With `owner` it is derived from that owner's stored times only.
   */
  readonly next: Seq | undefined
  /** Every statement stored at or before this (microseconds) is visible to this read and to every later one. */
  readonly consistentThrough: number
}

export interface StoredStatement {
  readonly seq: Seq
  readonly owner: CredentialId
  /** Complete JSON text, as `format=exact` serves it. */
  readonly body: string
  /** What of its attachments is in the blob store; absent unless asked for. */
  readonly attachments?: readonly AttachmentClaim[]
  /** Absent unless voided ones were asked for, too. */
  readonly isVoided?: boolean
}

/** A description as it stands in an Lrs. */
export interface KnownDescription {
  readonly text: string
  /** An owner of it had `define` with reach any. */
  readonly isShared: boolean
  /**
   * Microseconds: the earliest timestamp of a statement that says so; where it is shared, of an owner that shares it, so that
   * others do not move it. Does not depend on the order of arrival.
   */
  readonly firstAt: number
}

/**
 * Rules the store keeps, in the same transaction as the insert:
 * - An id that exists: same owner or `readReach` any, one that says the same (core/xapi/equality.ts), and no timestamp sent or the same one → acknowledged as
 *   there, and the claims it brings are added, whoever sends it; anything else → `conflict`. Also within a batch of concurrent
 *   requests.
 * - A statement that refers to another inherits the other's postings, transitively, whichever of the two came first. A
 *   posting inherited through a statement of another owner is foreign: a query with `owner` never reads it. Bounds, beyond
 *   which nothing more is inherited:
 *   - 256 inherited postings per statement, out of the first thousand or so of its target.
 *   - Per target and owner, 1,000 referring statements inherit what the target gets after they came; any number inherits
 *     what it has when they come.
 *   - Of each owner's statements, 2,000 are reached by one arriving statement, directly or not, and 5,000 by what one owner
 *     stores in one transaction, which may join many calls; of an Lrs' statements 30,000 in one transaction. A statement of
 *     several hundred postings, or one that gains more than 15, counts as more than one.
 *   - What one owner stores in one transaction inherits 50,000 postings on arrival.
 * - A voiding statement takes effect on its target, whichever came first, unless the target is itself voiding, or
 *   `voidReach` is mine and the target is another owner's. Then it is stored without effect.
 */
export interface StatementStore {
  /**
   * Stores batches of one Lrs in order, each all or none, and resolves when all are synced. The outcome at each index is that
   * of the batch at the index. The adapter may join concurrent calls into one transaction (group commit). Rejected as
   * `unavailable` when it is not known whether they were stored: the connection may be lost while they are committed.
   */
  store(batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]>
  /** One statement by id, as voided (`isVoided` true) or not; only of `owner` when given. */
  find(
    lrsId: LrsId,
    id: string,
    options: { readonly isVoided: boolean; readonly owner?: CredentialId; readonly withAttachments?: boolean },
  ): Promise<{ readonly statement: StoredStatement | undefined; readonly consistentThrough: number }>
  list(lrsId: LrsId, query: StatementQuery): Promise<StatementPage>
  /**
   * For whoever passes on what an Lrs holds: its statements in stored order, voided ones, too, with their attachments. Those stored
   * after `after` and at or before `consistentThrough`, so that none will ever come in between. At most `limit`, and one or as many as
   * `mostText` characters hold; none: there is nothing more up to there.
   */
  follow(
    lrsId: LrsId,
    part: { readonly after: number; readonly limit: number; readonly mostText: number },
  ): Promise<{ readonly rows: readonly StoredStatement[]; readonly consistentThrough: number }>
  /** The highest stored time in each of these Lrs, in the order asked; 0 for none. Cheap: for whoever asks again and again. */
  listLatest(lrsIds: readonly LrsId[]): Promise<readonly number[]>
  /** How many there are: voided ones, and those that void, too. Exact, and cheap however many. */
  countStatements(lrsId: LrsId): Promise<number>
  /** As `StatementPage.consistentThrough`, without reading anything else. */
  consistentThrough(lrsId: LrsId): Promise<number>
  /**
   * What statements say of one activity or agent, each text once: shared ones first, then the latest `firstAt` first, then
   * by text; with `owner` only what that owner said. At most 1,000, and one or as many as a million characters hold. Per
   * owner and value at least the 1,000 with the latest `firstAt` are kept; what is dropped is forgotten.
   */
  listDescriptions(
    lrsId: LrsId,
    about: Pick<Description, 'kind' | 'value'>,
    owner?: CredentialId,
  ): Promise<readonly KnownDescription[]>
}

// ---------------------------------------------------------------------------------------------------------------------
// Documents: State, Agent Profile, Activity Profile

/** What a document belongs to. `agent` is the canonical text of core/xapi/term.ts, `registration` a lower-case UUID. */
export type DocumentScope =
  | { readonly kind: 'state'; readonly activityId: string; readonly agent: string; readonly registration?: string }
  | { readonly kind: 'agent-profile'; readonly agent: string }
  | { readonly kind: 'activity-profile'; readonly activityId: string }

export type DocumentKey = DocumentScope & {
  /** stateId or profileId. */
  readonly id: string
}

/**
 * Who asks. Each owner has documents of its own; owner 0 has the shared ones. Reach any sees the shared document, or where
 * there is none its own; it writes where it finds one, else shared. Reach mine sees and writes its own only.
 */
export interface DocumentAccess {
  readonly owner: CredentialId
  readonly reach: Reach
}

/** Inline text or bytes, or what the blob store holds under `sha2`. */
export type DocumentContent =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly sha2: string; readonly length: number }

export interface StoredDocument {
  readonly content: DocumentContent
  readonly contentType: string
  /** Lower-case hex SHA-1 of the content: the entity tag without its quotes. */
  readonly etag: string
  /** Microseconds. Strictly later than before whenever the document changes. */
  readonly updatedAt: number
}

/** RFC 9110 section 13.1. `any` is `*`; tags without quotes and weakness. Checked inside the write. */
export interface Preconditions {
  readonly ifMatch?: 'any' | readonly string[]
  readonly ifNoneMatch?: 'any' | readonly string[]
  /** Refuse to replace an existing document without either of the two: `conflict`. */
  readonly mustBeConditional?: boolean
}

export type DocumentChange =
  | { readonly kind: 'replace'; readonly content: DocumentContent; readonly contentType: string; readonly etag: string }
  /**
   * POST: creates, or merges one level deep when the stored and the sent document are JSON objects of type
   * application/json; else nothing changes.
   */
  | { readonly kind: 'merge'; readonly content: DocumentContent; readonly contentType: string; readonly etag: string }
  /** Leaves none that the access sees: of reach any, its own behind a shared one goes, too. */
  | { readonly kind: 'delete' }

export type DocumentOutcome =
  | { readonly kind: 'done'; readonly etag: string | undefined }
  /** A precondition did not hold: 412. */
  | { readonly kind: 'precondition_failed' }
  /** There is one, and the change was not conditional: 409. */
  | { readonly kind: 'exists' }
  /**
   * A merge of what is not application/json, or no JSON object: the first of the two that holds; `stored` says whether it is the
   * stored document that is not.
   */
  | { readonly kind: 'not_mergeable'; readonly stored: boolean; readonly lacks: 'type' | 'object' }
  /** The merged document would be longer than `mostBytes`. */
  | { readonly kind: 'too_large' }
  /** The scope holds as many documents of this owner as it may. */
  | { readonly kind: 'full' }

export interface DocumentStore {
  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): Promise<StoredDocument | undefined>
  /** Synced when it resolves. Concurrent changes of one document happen one after the other; none is lost. */
  change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: { readonly preconditions: Preconditions; readonly mostBytes: number },
  ): Promise<DocumentOutcome>
  /**
   * Ids of visible documents in a scope, by id, each once; changed after `since` (microseconds, exclusive) when given. A state
   * scope without registration covers those with any registration and with none; with one, that one only. At most 10,000
   * documents per scope (all registrations together) and owner exist, with a million characters of ids (`full`).
   */
  listIds(
    lrsId: LrsId,
    scope: DocumentScope,
    access: DocumentAccess,
    since?: number,
  ): Promise<{
    readonly ids: readonly string[]
    /** Of the latest change among them; undefined when there are none. */
    readonly updatedAt: number | undefined
  }>
  /** Deletes all documents of the scope that the access sees or would see without these; as many as there were. */
  deleteAll(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess): Promise<number>
}

// ---------------------------------------------------------------------------------------------------------------------
// Blobs: bytes of attachments and of long documents, per Lrs, by their hash. Rows refer to them and are written after them.

/** What one request has put: until released, nobody removes it. */
export interface BlobHold {
  /**
   * To be called before the row is written: resolves when what was put is there for minutes to come, also where this process was
   * cut off from the others meanwhile. Rejects, `unavailable`, when it may be gone.
   */
  confirm(): Promise<void>
  /** When the row that refers to it is there, or will never be. Idempotent. */
  release(): void
  /** Instead, where nobody knows whether the row is or will be there: what was put stays as long as a commit may take. Idempotent. */
  leave(): void
}

export interface BlobStore {
  hold(): BlobHold
  /**
   * Reads `bytes` to the end and stores them under `sha2` (lower-case hex; its length says which of SHA-224, -256, -384 and -512;
   * SHA-256 of the content when undefined). Resolves when synced. Rejects, with nothing left behind: `invalid` when the content
   * has another hash, `too_large` beyond `mostBytes`. Bytes that are there already are as good as new, and young again. Put
   * without a hold, they may be removed at any moment.
   */
  put(
    lrsId: LrsId,
    bytes: AsyncIterable<Uint8Array>,
    options: { readonly sha2?: string; readonly mostBytes: number; readonly hold?: BlobHold },
  ): Promise<{ readonly sha2: string; readonly length: number }>
  /** Undefined when absent; `internal` when a row refers to it all the same. Read `bytes` to the end or call `cancel`. */
  open(
    lrsId: LrsId,
    sha2: string,
  ): Promise<{ readonly length: number; readonly bytes: AsyncIterable<Uint8Array>; cancel(): void } | undefined>
  /** Rejects when the bytes cannot be reached, wherever they lie; asks nothing of who has the rows. */
  look(): Promise<void>
  /** Those of `sha2s` that are absent although a row refers to them: damage. Not what is being erased meanwhile. */
  listLost(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]>
  /** Removes blobs that no row refers to, that nobody holds and that are older than `minAgeMs`; how many, and their bytes. */
  sweep(minAgeMs: number): Promise<{ readonly removed: number; readonly bytes: number }>
  /**
   * Removes those of one Lrs that no row refers to and nobody holds, of any age; a bounded part per call, until `next` is
   * undefined. `left`: were there, and are held by who put them again. What is held goes when it is released, unless a row refers
   * to it then.
   */
  removeUnused(
    lrsId: LrsId,
    after?: string,
  ): Promise<{ readonly removed: number; readonly left: number; readonly next: string | undefined }>
}

// ---------------------------------------------------------------------------------------------------------------------
// Erasure: removing for good, step by step, while others store

/** What is removed from an Lrs. */
export type ErasureTarget =
  /**
   * A person, by the canonical texts of all their identifiers: every statement that mentions one of them (where any filter on
   * agents reaches), or only those that have one as actor or object; documents whose agent they are; launches of them; what is said of them.
   */
  | { readonly kind: 'person'; readonly agents: readonly string[]; readonly onlyDirect: boolean }
  /** Statements stored at or before this; microseconds. */
  | { readonly kind: 'retention'; readonly through: number }
  /** The one statement with this stored time, and nothing else. */
  | { readonly kind: 'statement'; readonly seq: Seq }
  /** The same, and documents changed, launches made at or before `changedThrough`, or `through` where that is absent. */
  | { readonly kind: 'empty'; readonly through: number; readonly changedThrough?: number }

export const erasureCounts = [
  'statements',
  /** Of those, the ones that mention the person, but neither as actor nor as object. */
  'elsewhere',
  /** Statements of others that had inherited something of what is gone. */
  'inherited',
  'attachments',
  'documents',
  /** With their sessions. */
  'launches',
  'descriptions',
  'terms',
  'blobs',
  /** Blobs that a request under way had sent again. They go with its end, unless it stores what refers to them. */
  'blobsLeft',
] as const
export type ErasureCounts = Readonly<Record<(typeof erasureCounts)[number], number>>

export interface NewErasure {
  readonly id: Oid
  /** What the core needs to go on with it; names nobody. */
  readonly plan: Json
  /** Whom it is about, dropped with the receipt. */
  readonly sealed: Sealed | null
  readonly startedAt: number
}

export interface ErasureRecord extends NewErasure {
  readonly organisationId: OrganisationId
  /** So far. */
  readonly counts: ErasureCounts
  readonly receipt: Json | null
}

/** Where an erasure stands in an Lrs. Losing it costs time, nothing else: without one it begins anew. */
export interface ErasurePosition {
  readonly phase: string
  readonly at: readonly number[]
}

export interface ErasureStep {
  /** Undefined at the end. */
  readonly next: ErasurePosition | undefined
}

/** Behind which dictionary value or, those done, behind which agent of documents to go on. */
export type AlikePosition = { readonly term: number } | { readonly agent: string }

export interface AlikePart {
  readonly found: readonly Alike[]
  readonly next: AlikePosition | undefined
}

/**
 * Rules the store keeps:
 * - A statement goes in one transaction with its postings, what it alone refers to or waits to void, its attachments' rows
 *   and every dictionary value that nothing else has; its dictionary ids never come to mean something else.
 * - What a statement that stays had inherited from one that goes is taken from it, transitively. It stays voided.
 * - The id of a statement that goes for a person is kept as a keyed hash. Stored again, it is acknowledged as there, to
 *   everybody alike, and not stored. The other kinds keep none: there the statement may come again.
 * - Stored times are never given twice, also where the latest statement goes.
 * - No step shows more than was visible before it. Any may be the last before a crash: the next one goes on.
 * - What is stored meanwhile: a `person` goes with all that is stored before the step that ends it (then they are somebody
 *   new, and what comes is stored); the other kinds end at `through`, or with the one statement.
 */
export interface ErasureStore {
  /** What `step` would remove, in parts until `next` is undefined: their sum. Counts no terms and nothing inherited. */
  count(
    lrsId: LrsId,
    target: ErasureTarget,
    after?: ErasurePosition,
  ): Promise<{ readonly counts: Partial<ErasureCounts>; readonly next: ErasurePosition | undefined }>
  /**
   * Identifiers in the Lrs, of statements and documents, that are none of `agents` and may be the same person's (`likenessTo`
   * of core/person.ts), in parts until `next` is undefined. One that has both may be told twice.
   */
  findAlike(lrsId: LrsId, agents: readonly string[], after?: AlikePosition): Promise<AlikePart>
  /** Whether a statement with this id went for a person: stored again, it is acknowledged and not stored. */
  isErased(lrsId: LrsId, id: string): Promise<boolean>
  /**
   * What `empty` ends at, in microseconds: no statement and no document of the Lrs is later, also where the clock was set back
   * since; what is stored or changed from now on is.
   */
  latest(lrsId: LrsId): Promise<{ readonly through: number; readonly changedThrough: number }>
  /** `conflict` when the id is taken. */
  create(organisationId: OrganisationId, erasure: NewErasure, event: NewAuditEvent): Promise<ErasureRecord>
  /** Removes a bounded part, in one transaction with its counts. `not_found` for the erasure, one with a receipt, the Lrs. */
  step(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    target: ErasureTarget,
    after?: ErasurePosition,
  ): Promise<ErasureStep>
  /** Adds what `BlobStore.removeUnused` did for it, after the last step. `not_found` as `step`. */
  countBlobs(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    blobs: { readonly removed: number; readonly left: number },
  ): Promise<void>
  /**
   * Overwrites, in the files of the whole store, what was deleted earlier and lies on in unused space; a bounded part per
   * call, until `next` is undefined. A copy made afterwards, byte by byte, has nothing of what no row holds. `unsupported` where
   * the store's files are such that it cannot.
   */
  scrub(after?: number): Promise<{ readonly next: number | undefined }>
  /** The end of it: drops `sealed`. `not_found` also where there is a receipt. */
  finish(organisationId: OrganisationId, id: Oid, receipt: Json, event: NewAuditEvent): Promise<void>
  find(organisationId: OrganisationId, id: Oid): Promise<ErasureRecord | undefined>
  /** Latest first. */
  list(organisationId: OrganisationId, slice: Slice): Promise<Listed<ErasureRecord>>
}

// ---------------------------------------------------------------------------------------------------------------------
// Imports: what was stored elsewhere before, brought here with the stored times it had, while others store

export interface NewImport {
  readonly id: Oid
  /** What is imported, for finding it again: `some-product /path` or an address. No secret. */
  readonly source: string
  /** Unix milliseconds. */
  readonly startedAt: number
  /** How far it is, as the importer says it; opaque. */
  readonly progress: Json
}

/** What became of what was handed over: `refused` are a conflict, what was erased, and what there is no room for. */
export interface ImportCounts {
  readonly stored: number
  readonly there: number
  readonly refused: number
}

/** How far an import is in one Lrs, as of what is committed there. */
export interface ImportedLrs {
  readonly lrsId: LrsId
  readonly progress: Json
  readonly counts: { readonly statements: ImportCounts; readonly documents: ImportCounts }
}

export interface ImportRecord extends NewImport {
  /** Of each Lrs it has written to; empty once it is finished. */
  readonly lrs: readonly ImportedLrs[]
  readonly report: Json | null
  /** Null while it is under way, or may be resumed. */
  readonly finishedAt: number | null
}

export interface ImportedStatement extends PreparedStatement {
  /** Never absent: where the statement had none, its stored time. */
  readonly timestamp: number
  readonly owner: CredentialId
  /** Microseconds; what it is listed by is this, or as little before it as makes it unique. */
  readonly storedAt: number
  /** As it stood in the statement; kept so. */
  readonly storedText: string
  /** Whatever voids it, or nothing that is here. */
  readonly isVoided: boolean
  /** As of a batch, but for its own author. A voiding statement with none takes no effect. */
  readonly voidReach: Reach | undefined
  readonly defineReach: Reach | undefined
}

/**
 * `there`: an equal one was; then the claims it brings are added, and it is voided if this one is. `conflict`: another
 * statement has its id. `erased`: it went for a person, and stays away. All but `stored` leave it out.
 */
export type ImportOutcome = 'stored' | 'there' | 'conflict' | 'erased'

export interface ImportedDocument {
  readonly key: DocumentKey
  /** 0: the shared one. */
  readonly owner: CredentialId
  readonly content: DocumentContent
  readonly contentType: string
  readonly etag: string
  /** Microseconds. */
  readonly updatedAt: number
}

/**
 * Statements on their way into one Lrs, held as the store takes them: many wait for long, and as objects they would cost more to
 * keep than to store.
 */
export interface StatementPart {
  readonly length: number
  add(statement: ImportedStatement): void
  /** As it was added. */
  openBody(at: number): string
  /** In place of the claims it was added with. */
  claim(at: number, attachments: readonly AttachmentClaim[]): void
  /** A part of its own: those from `start`, without `end`. */
  slice(start: number, end: number): StatementPart
}

/** `there`: one that was changed then or later stands there already. `full`: its scope has no room. */
export type DocumentImportOutcome = 'stored' | 'there' | 'full'

/**
 * Rules the store keeps:
 * - An import that has stored statements in an Lrs and is not finished holds its Consistent-Through before the earliest of
 *   them, on every node; live statements are stored and found meanwhile as ever. Nobody is told that what is still to come was
 *   there already; whoever follows the Lrs goes on when the import is finished.
 * - Two statements of one stored time are told apart by microseconds before it: a list until that time has both, one since that
 *   time neither.
 */
export interface ImportStore {
  /** The one of this source that is not finished, or this one. */
  begin(imported: NewImport): Promise<ImportRecord>
  find(id: Oid): Promise<ImportRecord | undefined>
  /** Latest first, at most 100. */
  list(): Promise<readonly ImportRecord[]>
  /** `not_found`, as all that follow, where there is none or it is finished. */
  save(id: Oid, progress: Json): Promise<void>
  newPart(): StatementPart
  /**
   * Stores them, at most 2,000, in one transaction with how far the import is in this Lrs, and counts what became of them there. In
   * their order. Without `progress` they were handed over before: nothing is counted again.
   */
  storeStatements(
    id: Oid,
    lrsId: LrsId,
    part: { readonly statements: StatementPart; readonly progress?: Json },
  ): Promise<readonly ImportOutcome[]>
  /** The same for documents, at most 500. */
  storeDocuments(
    id: Oid,
    lrsId: LrsId,
    part: { readonly documents: readonly ImportedDocument[]; readonly progress?: Json },
  ): Promise<readonly DocumentImportOutcome[]>
  /** Lets go of every Lrs it holds. */
  finish(id: Oid, end: { readonly at: number; readonly report: Json }): Promise<void>
}

// ---------------------------------------------------------------------------------------------------------------------
// Export: all that an Lrs holds, part by part, whoever owns it

export interface ExportedStatement extends StoredStatement {
  readonly isVoided: boolean
  /**
   * Of a voiding one: what lets it have the effect it has, told from its target. Any or mine where that is voided, as far as it takes, or
   * where it waits for that; undefined where it has none.
   */
  readonly voidReach: Reach | undefined
  readonly attachments: readonly AttachmentClaim[]
}

export interface ExportedDocument extends StoredDocument {
  readonly key: DocumentKey
  /** 0: shared. */
  readonly owner: CredentialId
}

/** Behind which document to go on. */
export interface DocumentPosition {
  /** Lower-case hex. */
  readonly scope: string
  readonly owner: CredentialId
  readonly registration: string
  readonly id: string
}

/** Who asks has to ask again until a part is empty, or has no `next`. Each part sees a snapshot of its own. */
export interface ExportStore {
  /**
   * Statements in stored order, or the other way round, voided ones, too: those stored after `after` and at or before `through`. At
   * most `limit` (of 1,000), and one or as many as `mostText` bytes hold; none: there are no more. A `through` that
   * `StatementStore.consistentThrough` gave before misses none.
   */
  listStatements(
    lrsId: LrsId,
    part: {
      readonly after: number
      readonly through: number
      readonly isAscending: boolean
      readonly limit: number
      readonly mostText: number
    },
  ): Promise<readonly ExportedStatement[]>
  /** Documents of all owners, each once, in an order of the store's; a bounded part, and `next` until there are no more. */
  listDocuments(
    lrsId: LrsId,
    part: { readonly after?: DocumentPosition | undefined; readonly limit: number; readonly mostBytes: number },
  ): Promise<{ readonly documents: readonly ExportedDocument[]; readonly next: DocumentPosition | undefined }>
}
