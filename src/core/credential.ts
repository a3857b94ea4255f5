// The use cases of credentials: who may create, change, reveal and remove which, and what may be granted to them.
// Every change is audited in the transaction that makes it.

import type { AgentIdentity } from './authority.ts'
import type { CredentialId, LrsId, Oid, SecretId } from './ids.ts'
import type { Limits } from './limits.ts'
import type { Pins } from './pins.ts'
import type { Described } from './presets.ts'
import type { Caller } from './principal.ts'
import type { Rights } from './rights.ts'
import type { ClearSecret } from './secret.ts'
import type { CredentialKind, CredentialRecord, Json, Listed, Slice } from './storage.ts'

export interface NewCredentialInput {
  readonly name: string
  readonly rights: Rights
  /** `client` unless given. */
  readonly kind?: CredentialKind
  /** Generated unless given. */
  readonly key?: string
  /** Generated unless given. */
  readonly secret?: string
  /** True unless given. */
  readonly isEnabled?: boolean
  readonly pins?: Pins
  readonly limits?: Limits
  /** The organisation's default Lrs unless given. */
  readonly lrsIds?: readonly LrsId[]
  readonly authority?: AgentIdentity | null
  readonly words?: Readonly<Record<string, Json>>
  /** Unix milliseconds; null = never. */
  readonly expiresAt?: number | null
  /** Operators only, so that identifiers survive a move. */
  readonly id?: CredentialId
  readonly oid?: Oid
  readonly allowDuplicateKey?: boolean
}

/** Only what is present changes; a present value replaces that field whole. */
export interface CredentialChange {
  readonly name?: string
  readonly key?: string
  /** Replaces the current secret (see `currentSecret`); the same value changes nothing. */
  readonly secret?: string
  readonly isEnabled?: boolean
  readonly rights?: Rights
  readonly pins?: Pins
  readonly limits?: Limits
  readonly lrsIds?: readonly LrsId[]
  readonly authority?: AgentIdentity | null
  readonly words?: Readonly<Record<string, Json>>
  readonly expiresAt?: number | null
}

export interface IssuedCredential {
  readonly credential: CredentialRecord
  readonly key: string
  /** The one secret, in clear. */
  readonly secret: string
}

export interface RevealedCredential {
  readonly credential: CredentialRecord
  /** Oldest first, as `credential.secrets`. */
  readonly secrets: readonly ClearSecret[]
  /** The one to show where a vendor knows a single secret; undefined when every secret was dropped. */
  readonly secret: string | undefined
}

export interface CredentialFilter {
  readonly kind?: CredentialKind
  readonly key?: string
}

export interface Rotation {
  readonly credential: CredentialRecord
  readonly secretId: SecretId
  /** The new secret, in clear. */
  readonly secret: string
}

export class Credentials {
  async create(caller: Caller, input: NewCredentialInput): Promise<IssuedCredential> {
    return unwritten(caller, input)
  }

  /** `not_found` for another tenant's. Needs management of credentials, unless it is the caller's own. */
  async get(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return unwritten(caller, id)
  }

  async list(caller: Caller, filter: CredentialFilter, slice: Slice): Promise<Listed<CredentialRecord>> {
    return unwritten(caller, filter, slice)
  }

  /** As `get`, with secrets in clear; needs management. */
  async reveal(caller: Caller, id: CredentialId): Promise<RevealedCredential> {
    return unwritten(caller, id)
  }

  /** As `list`, with secrets in clear. */
  async listRevealed(caller: Caller, filter: CredentialFilter, slice: Slice): Promise<Listed<RevealedCredential>> {
    return unwritten(caller, filter, slice)
  }

  async update(caller: Caller, id: CredentialId, change: CredentialChange): Promise<CredentialRecord> {
    return unwritten(caller, id, change)
  }

  async enable(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return unwritten(caller, id)
  }

  async disable(caller: Caller, id: CredentialId): Promise<CredentialRecord> {
    return unwritten(caller, id)
  }

  /** Removes it with its secrets and sessions, never its statements; returns what was removed, secrets in clear. */
  async remove(caller: Caller, id: CredentialId): Promise<RevealedCredential> {
    return unwritten(caller, id)
  }

  /** Adds a new secret; every other one expires `overlapSeconds` from now (0 = at once), unless it expires earlier. */
  async rotate(
    caller: Caller,
    id: CredentialId,
    options: { readonly overlapSeconds: number; readonly name?: string; readonly secret?: string },
  ): Promise<Rotation> {
    return unwritten(caller, id, options)
  }

  /** One more secret beside the others. */
  async addSecret(
    caller: Caller,
    id: CredentialId,
    input: { readonly name?: string; readonly secret?: string; readonly expiresAt?: number | null },
  ): Promise<Rotation> {
    return unwritten(caller, id, input)
  }

  async updateSecret(
    caller: Caller,
    id: CredentialId,
    secretId: SecretId,
    change: { readonly name?: string; readonly isEnabled?: boolean; readonly expiresAt?: number | null },
  ): Promise<CredentialRecord> {
    return unwritten(caller, id, secretId, change)
  }

  async dropSecret(caller: Caller, id: CredentialId, secretId: SecretId): Promise<CredentialRecord> {
    return unwritten(caller, id, secretId)
  }

  /** What the key may and may not do, in words, with warnings (a weak secret, read without write, …). */
  async describe(
    caller: Caller,
    id: CredentialId,
  ): Promise<Described & { readonly credential: CredentialRecord; readonly warnings: readonly string[] }> {
    return unwritten(caller, id)
  }
}

function unwritten(...args: readonly unknown[]): never {
  throw new Error(`not written yet: ${args.length}`)
}
