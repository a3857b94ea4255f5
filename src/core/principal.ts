// Who is asking, after authentication. Every way in (Basic, bearer, …) ends in one `Principal`.

import type { AgentIdentity } from './authority.ts'
import type { CredentialId, LrsId, OrganisationId, SecretId, SessionId } from './ids.ts'
import type { Limits } from './limits.ts'
import type { Pins } from './pins.ts'
import type { Rights } from './rights.ts'
import type { CredentialKind, SessionLaunch } from './storage.ts'

/** Whoever calls a use case: a principal, or the operator at the command line. Written into the audit log. */
export interface Caller {
  readonly organisationId: OrganisationId
  readonly rights: Rights
  /** For people: the credential's name, or `command line`. */
  readonly name: string
  /** Absent for an operator. */
  readonly credentialId?: CredentialId
  /** Of the credential; absent for an operator. */
  readonly kind?: CredentialKind
  /** Present when a session signed in. */
  readonly sessionId?: SessionId
  /** Which secret was presented, or signed the token; a session presents none of its parent's. */
  readonly secretId?: SecretId
  /** Absent for an operator. */
  readonly signedInBy?: SignedInBy
  /** The client's IP address as seen behind trusted proxies. */
  readonly address?: string
  /** What a delegated grantor is itself held to; a principal always has them. */
  readonly lrsIds?: readonly LrsId[]
  readonly pins?: Pins
  readonly limits?: Limits
  readonly closedLrsIds?: readonly LrsId[]
  /** A session or token made by this caller ends no later, and more where `latestEnd` of grant.ts says so. Unix milliseconds. */
  readonly notAfter?: number
}

/** `signed`: the request carries a signature made with the secret; `callback`: a remote endpoint answers for the user. */
export type SignedInBy = 'basic' | 'bearer' | 'signed' | 'callback'

export interface Principal extends Caller {
  readonly credentialId: CredentialId
  readonly key: string
  readonly kind: CredentialKind
  readonly signedInBy: SignedInBy
  /** What the face that issued the token wrote into it, for that face to judge by. Present with tokens that have it. */
  readonly scopes?: readonly string[]
  /** One to n; the first is home. */
  readonly lrsIds: readonly LrsId[]
  /** Of those of the organisation: the ones that answer no xAPI at the moment. */
  readonly closedLrsIds: readonly LrsId[]
  /** Where the organisation's own default path leads. */
  readonly defaultLrsId: LrsId
  readonly pins: Pins
  readonly limits: Limits
  /** Present when the session of a launch signed in. */
  readonly launch?: SessionLaunch
  /** Stamped on what this principal stores. */
  readonly authority: AgentIdentity
  /** Unix milliseconds after which the principal is no longer valid (earliest expiry of credential, secret, session, token). */
  readonly notAfter?: number
  /** The same of the organisation, which is no end of what the principal makes: it may be put off. */
  readonly organisationExpiresAt?: number
}
