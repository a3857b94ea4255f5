// The port of storage.ts: organisations, Lrs, applications with settings and pipes, audit, and what is done with the credentials,
// secrets, sessions and usage of storage-credentials.ts. Every write carries its audit event and stores both in one transaction; the
// adapter chains the event with `chainHash` of core/audit.ts.

import type { NewAuditEvent, AuditEvent } from './audit.ts'
import type { ApplicationId, CredentialId, LrsId, Oid, OrganisationId, PipeId, SecretId, SessionId } from './ids.ts'
import type {
  CredentialKind,
  CredentialPatch,
  CredentialRecord,
  CredentialWrite,
  NewCredential,
  NewSession,
  SessionRecord,
  UsageDelta,
} from './storage-credentials.ts'
import type { Json, Listed, OidOrder, Sealed, Slice } from './storage.ts'

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
