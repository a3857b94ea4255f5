// Counters per credential and secret, kept in memory and flushed every few seconds: never a write on the hot path.

import type { CredentialId } from './ids.ts'
import type { Caller, Principal } from './principal.ts'
import type { UsageDelta } from './storage.ts'

export interface Counted {
  readonly statements?: number
  /** Why the request was refused, one of few words: `forbidden`, `rate_limited`, … */
  readonly refusal?: string
  readonly userAgent?: string
}

export class UsageMeter {
  /** Counts one request. Synchronous; a map lookup. */
  count(principal: Principal, counted: Counted = {}): void {
    void [principal, counted]
  }

  /** Totals per secret, what is still in memory included. */
  async list(caller: Caller, credentialId: CredentialId): Promise<readonly UsageDelta[]> {
    void [caller, credentialId]
    throw new Error('not written yet')
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {}
}
