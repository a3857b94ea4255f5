// The port of storage.ts: what belongs to no single tenant (systems that launch people are in storage-launches.ts).

import type { NewAuditEvent } from './audit.ts'
import type { ApplicationId, CredentialId, LrsId, Oid, OrganisationId, PipeId } from './ids.ts'
import type { CredentialRecord, SessionRecord, UsageDelta } from './storage-credentials.ts'
import type {
  ApplicationRecord,
  LrsRecord,
  NewLrs,
  NewOrganisation,
  OrganisationRecord,
  PipeRecord,
} from './storage-directory.ts'
import type { ErasureRecord } from './storage-erasures.ts'
import type { Listed, Sealed, Slice } from './storage.ts'

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
