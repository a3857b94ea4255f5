// One function decides what a caller may do: a refusal says what `explain` answers, and so does the command line's `ask`.
// Knows nothing of how anyone signed in.

import { DomainError } from './errors.ts'
import type { ErrorCode } from './errors.ts'
import type { LrsId } from './ids.ts'
import { refusingLimit } from './limits.ts'
import type { Arrival } from './limits.ts'
import { readingPins } from './pins.ts'
import type { Caller, Principal } from './principal.ts'
import { mayManage } from './rights.ts'
import type { Bound, ManagementAction, ManagementArea, Reach, XapiRight } from './rights.ts'
import { outsidePin, pinViolation, subjectViolation } from './xapi/pin.ts'
import type { Subject } from './xapi/pin.ts'
import type { Statement } from './xapi/statement.ts'

export interface XapiAccess {
  readonly kind: 'xapi'
  readonly right: XapiRight
  readonly lrsId?: LrsId
  /** Judged by the limits when given. */
  readonly arrival?: Arrival
  /** Judged by the pins when given. */
  readonly statement?: Statement
  /** What the request is about, judged by the pins when given. */
  readonly about?: Subject
}

export interface ManageAccess {
  readonly kind: 'manage'
  readonly area: ManagementArea
  readonly action: ManagementAction
  /** The whole organisation unless given. */
  readonly bound?: Bound
  /** Judged by the limits when given. */
  readonly arrival?: Arrival
}

export type AccessRequest = XapiAccess | ManageAccess

export interface Decision {
  readonly allowed: boolean
  /** With an allowed xAPI request. */
  readonly reach?: Reach
  /** What decided: `statements/read`, `manage/credentials/write`, `lrs`, `pin actor`, `limit addresses`. */
  readonly decidedBy: string
  readonly reason: string
  /** With a refusal: what would change it. */
  readonly remedy?: string
  /** With a refusal. */
  readonly code?: ErrorCode
  /** With the refusal of a pin: what it is about. */
  readonly pointer?: string
}

export function explain(caller: Caller, request: AccessRequest): Decision {
  const refused = request.arrival && caller.limits && refusingLimit(caller.limits, request.arrival)
  if (refused) return { allowed: false, ...refused }
  return request.kind === 'manage' ? explainManagement(caller, request) : explainXapi(caller, request)
}

/** The reach of what is allowed; throws with the decision otherwise. Management answers `any`. */
export function authorise(caller: Caller, request: AccessRequest): Reach {
  const decision = explain(caller, request)
  if (decision.allowed) return decision.reach ?? 'any'
  throw refusalOf(decision)
}

/** Where a path leads that names no Lrs. Throws `forbidden` for a key that has none. */
export function homeOf({ name, lrsIds: [home] }: Principal): LrsId {
  if (home !== undefined) return home
  const remedy = `Give "${name}" an Lrs.`
  throw refusalOf({ decidedBy: 'no lrs', reason: 'This key has no Lrs to store in or to read from.', remedy })
}

/** A decision against it as the error that says so. */
export function refusalOf({
  decidedBy,
  reason,
  remedy,
  code = 'forbidden',
  pointer,
}: Pick<Decision, 'decidedBy' | 'reason' | 'code' | 'pointer'> & {
  readonly remedy?: string | undefined
}): DomainError {
  const message = remedy === undefined ? reason : `${reason} ${remedy}`
  const failures = pointer === undefined ? undefined : [{ pointer, rule: 'claviger/pin', message }]
  return new DomainError(code, message, {
    detail: { decidedBy, ...(remedy !== undefined && { remedy }), ...(failures && { failures }) },
  })
}

function explainXapi(caller: Caller, { right, lrsId, statement, about }: XapiAccess): Decision {
  if (caller.kind !== undefined && caller.kind !== 'client') {
    const remedy = 'Make a key for it, and use that one’s secret.'
    return { allowed: false, decidedBy: 'kind', reason: noStatements, remedy }
  }
  const reach = caller.rights.xapi[right]
  if (reach === undefined) {
    const remedy = `Grant ${right} to "${caller.name}".`
    return { allowed: false, decidedBy: right, reason: `This key lacks the right ${right}.`, remedy }
  }
  if (lrsId !== undefined && caller.lrsIds !== undefined && !caller.lrsIds.includes(lrsId)) {
    const remedy = `Add Lrs ${lrsId} to "${caller.name}", or use its own.`
    return { allowed: false, decidedBy: 'lrs', reason: 'This key does not reach this Lrs.', remedy }
  }
  if (lrsId !== undefined && caller.closedLrsIds?.includes(lrsId)) {
    const remedy = 'Restore it, or switch xAPI on again in the settings of its application.'
    const reason = 'This Lrs answers no xAPI: it is deleted, or xAPI is switched off for it.'
    return { allowed: false, decidedBy: 'lrs closed', reason, remedy }
  }
  const pins = caller.pins && (right === 'statements/read' ? readingPins(caller.pins) : caller.pins)
  const pin = statement && pins && pinViolation(statement, pins)
  if (pin) return { allowed: false, ...outsidePin(pin, pins, 'statement') }
  const outside = about && caller.pins && subjectViolation(about, caller.pins)
  if (outside) return { allowed: false, ...outsidePin(outside, caller.pins, 'request') }
  return { allowed: true, reach, decidedBy: right, reason: `${right} is granted, reach ${reach}.` }
}

/** Of the keys of applications, and of those that manage applications. */
export const noStatements = 'A key that manages applications, or one of them, reads and stores no statements.'

function explainManagement(caller: Caller, { area, action, bound }: ManageAccess): Decision {
  const decidedBy = `manage/${area}/${action}`
  if (mayManage(caller, area, action, bound)) {
    return { allowed: true, decidedBy, reason: `${decidedBy} is granted for ${boundText(bound)}.` }
  }
  const remedy = `Grant ${decidedBy} to "${caller.name}", or ask a key that has it.`
  return { allowed: false, decidedBy, reason: `This key lacks ${decidedBy} for ${boundText(bound)}.`, remedy }
}

export function boundText(bound: Bound = { kind: 'organisation' }): string {
  switch (bound.kind) {
    case 'organisation':
      return 'the whole organisation'
    case 'applications':
      return 'all applications'
    case 'application':
      return `application ${bound.id}`
    case 'lrs':
      return `Lrs ${bound.id}`
  }
}
