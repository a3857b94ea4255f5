// One function decides what a caller may do: refusals, the command line's `ask` and the console all ask `explain`.
// Knows nothing of how anyone signed in.

import { DomainError } from './errors.ts'
import type { LrsId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Bound, ManagementAction, ManagementArea, Reach, XapiRight } from './rights.ts'

export type AccessRequest =
  | { readonly kind: 'xapi'; readonly right: XapiRight; readonly lrsId?: LrsId }
  | {
      readonly kind: 'manage'
      readonly area: ManagementArea
      readonly action: ManagementAction
      /** The whole organisation unless given. */
      readonly bound?: Bound
    }

export interface Decision {
  readonly allowed: boolean
  /** With an allowed xAPI request. */
  readonly reach?: Reach
  /** The right, pin or limit that decided: `statements/read`, `manage/credentials/write`, `lrs`, `pin actor`, `limit addresses`. */
  readonly decidedBy: string
  readonly reason: string
  /** With a refusal: what would change it. */
  readonly remedy?: string
}

export function explain(caller: Caller, request: AccessRequest): Decision {
  void [caller, request]
  throw new Error('not written yet')
}

/** The reach of what is allowed; throws `forbidden` with the decision otherwise. Management answers `any`. */
export function authorise(caller: Caller, request: AccessRequest): Reach {
  const decision = explain(caller, request)
  if (decision.allowed) return decision.reach ?? 'any'
  throw new DomainError('forbidden', decision.reason, { detail: { decidedBy: decision.decidedBy } })
}
