// Composes the use cases over one storage. What faces and the command line hold in their hands; storage stays inside.

import * as access from './access.ts'
import type { Audit } from './audit.ts'
import type { Credentials } from './credential.ts'
import type { RateLimits } from './limits.ts'
import type { LrsDirectory } from './lrs.ts'
import type { Organisations } from './organisation.ts'
import type { Sessions } from './session.ts'
import type { SignIn } from './sign-in.ts'
import type { Statements } from './statements.ts'
import type { Clock, Ids, Storage } from './storage.ts'
import type { Tokens } from './token.ts'
import type { UsageMeter } from './usage.ts'
import type { Vault } from './vault.ts'

/** The part of a pino logger that core uses. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface CoreOptions {
  readonly storage: Storage
  /** 32 bytes. */
  readonly masterKey: Buffer
  /** During a rotation: if the store still stands on this one, everything is rewrapped at start. */
  readonly masterKeyPrevious?: Buffer | undefined
  readonly clock?: Clock
  readonly ids?: Ids
  /** Where the server is reached from outside; the homePage of derived authorities. */
  readonly baseUrl: string
  readonly limits: {
    readonly batch: number
    readonly bodyBytes: number
    readonly xapiRatePerMinute: number | undefined
  }
  readonly log?: Log
}

export interface Core {
  readonly organisations: Organisations
  readonly lrs: LrsDirectory
  readonly credentials: Credentials
  readonly sessions: Sessions
  readonly tokens: Tokens
  readonly signIn: SignIn
  readonly access: Pick<typeof access, 'explain' | 'authorise'>
  readonly statements: Statements
  readonly audit: Audit
  readonly usage: UsageMeter
  readonly limits: RateLimits
  readonly vault: Vault
  readonly clock: Clock
  readonly ids: Ids
  /** Flushes counters, finishes what was accepted, closes storage. Idempotent. */
  close(): Promise<void>
}

export async function createCore(options: CoreOptions): Promise<Core> {
  void [options, access]
  throw new Error('not written yet')
}
