// Stateless bearer tokens: signed with a key derived from the organisation's data key and one secret's generation, never
// with a secret its holder knows. Worth what the credential is worth at the time of use, or less.

import type { Principal } from './principal.ts'
import type { Rights } from './rights.ts'
import type { CredentialRecord, OrganisationRecord, SecretRecord } from './storage.ts'

export const tokenSeconds = { min: 1, max: 86_400, default: 3600 } as const

export interface NewTokenInput {
  /** A mask; all of the principal's rights unless given. `forbidden` when wider than them. */
  readonly rights?: Rights
  /** 1 second to a day; an hour unless given. */
  readonly expireSeconds?: number
}

export interface IssuedToken {
  readonly token: string
  /** Unix milliseconds. */
  readonly expiresAt: number
  readonly expireSeconds: number
}

/** What a genuine token names, read fresh. Whether its credential may still sign in is for sign-in to say. */
export interface VerifiedToken {
  readonly organisation: OrganisationRecord
  readonly credential: CredentialRecord
  readonly secret: SecretRecord
  readonly mask: Rights | undefined
  readonly expiresAt: number
}

export class Tokens {
  /** For a principal that signed in with one of its credential's secrets; sessions and tokens get none. */
  async issue(principal: Principal, input: NewTokenInput): Promise<IssuedToken> {
    void [principal, input]
    throw new Error('not written yet')
  }

  /** Undefined for anything but a token of ours that still stands. */
  async verify(token: string): Promise<VerifiedToken | undefined> {
    void token
    throw new Error('not written yet')
  }
}
