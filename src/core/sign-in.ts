// From what was presented to a `Principal`. Warm sign-ins are answered from memory; a committed change of the directory
// takes effect on the very next one. Unknown keys and wrong secrets are told apart by nobody.

import type { OrganisationId } from './ids.ts'
import type { Caller, Principal } from './principal.ts'

export interface BasicAttempt {
  readonly key: string
  readonly secret: string
  /** The organisation the path names; nobody else's credentials are looked at. */
  readonly within?: OrganisationId | undefined
  /** The client's address, for limiting failures and for the audit log. */
  readonly address?: string | undefined
}

export interface BearerAttempt {
  readonly token: string
  readonly within?: OrganisationId | undefined
  readonly address?: string | undefined
}

export class SignIn {
  /** Throws `unauthenticated` (one message for every reason) or `rate_limited`. */
  async basic(attempt: BasicAttempt): Promise<Principal> {
    void attempt
    throw new Error('not written yet')
  }

  async bearer(attempt: BearerAttempt): Promise<Principal> {
    void attempt
    throw new Error('not written yet')
  }

  /** The operator at the command line: every right in one organisation. */
  operator(organisationId: OrganisationId, name: string): Caller {
    void [organisationId, name]
    throw new Error('not written yet')
  }
}
