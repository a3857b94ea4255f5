// The port of storage.ts: platforms that send learners, content they are sent to, and each launch until it ends. Writes of
// platforms, content and placements, and the beginning and end of a launch, carry their audit event, as those of the directory.

import type { NewAuditEvent } from './audit.ts'
import type { CredentialId, LaunchId, LrsId, Oid, OrganisationId, PlatformId, SecretId, SessionId } from './ids.ts'
import type { NewCredential, NewSession, SessionLaunch, SessionRecord } from './storage-credentials.ts'
import type { Json, Listed, Sealed, Slice } from './storage.ts'

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
