// Short-lived child credentials: never wider than the parent, dead with it, without children of their own.

import type { CredentialId, SessionId } from './ids.ts'
import type { Pins } from './pins.ts'
import type { Caller } from './principal.ts'
import type { Rights } from './rights.ts'
import type { Json, Listed, SessionRecord, Slice } from './storage.ts'

export const sessionSeconds = { min: 1, max: 30 * 86_400, default: 3600 } as const

export interface NewSessionInput {
  /** 1 second to 30 days; an hour unless given. */
  readonly expireSeconds?: number
  /** Within the parent's and the caller's present rights, else `forbidden`; all of the parent's unless given. */
  readonly rights?: Rights
  /** On top of the parent's. */
  readonly pins?: Pins
  readonly words?: Readonly<Record<string, Json>>
}

export interface IssuedSession {
  readonly session: SessionRecord
  readonly key: string
  /** In clear. */
  readonly secret: string
}

export class Sessions {
  /** For oneself, or for any credential the caller manages. A session may not create one. */
  async create(caller: Caller, credentialId: CredentialId, input: NewSessionInput): Promise<IssuedSession> {
    return unwritten(caller, credentialId, input)
  }

  /** Live ones and, until swept, expired ones. */
  async list(caller: Caller, credentialId: CredentialId, slice: Slice): Promise<Listed<SessionRecord>> {
    return unwritten(caller, credentialId, slice)
  }

  async get(caller: Caller, credentialId: CredentialId, id: SessionId): Promise<SessionRecord> {
    return unwritten(caller, credentialId, id)
  }

  /** Ends it at once; returns what was removed. */
  async remove(caller: Caller, credentialId: CredentialId, id: SessionId): Promise<SessionRecord> {
    return unwritten(caller, credentialId, id)
  }

  /** Ends all of a credential's sessions, as after a leak; returns how many. */
  async removeAll(caller: Caller, credentialId: CredentialId): Promise<number> {
    return unwritten(caller, credentialId)
  }
}

function unwritten(...args: readonly unknown[]): never {
  throw new Error(`not written yet: ${args.length}`)
}
