// Our own error shape and the table from the domain's codes to HTTP statuses.

import type { DomainError, ErrorCode, Failure } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { statusOf } from '../http.ts'

export const statuses = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported: 415,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} satisfies Record<ErrorCode, number>

/** `{code, message, failures: [{pointer, rule, message, statement?: {index, id?}}], decidedBy?, requestId}` */
export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const { failures = [], decidedBy } = error.detail
  const status = statusOf(error, statuses)
  return {
    status,
    body: {
      code: error.code,
      message: error.message,
      failures: failures.length > 0 ? failures : explained(error, status),
      // Whoever does not sign in is not told why.
      ...(decidedBy !== undefined && error.code !== 'unauthenticated' && { decidedBy }),
      requestId: context.requestId,
    },
  }
}

/** A refusal that is no list of broken rules still names one, and where to look. What is our own trouble breaks none. */
function explained(error: DomainError, status: number): readonly Failure[] {
  if (status >= 500) return []
  const [rule, pointer] = byStatus[status] ??
    byLimit[error.detail.decidedBy ?? ''] ??
    byCode[error.code] ?? ['claviger/request', '']
  return [{ pointer, rule, message: error.message }]
}

type Place = readonly [rule: string, pointer: string]

/** What exists in HTTP only. */
const byStatus: Readonly<Record<number, Place>> = {
  405: ['claviger/method', ''],
  415: ['claviger/content-encoding', 'Content-Encoding:'],
}

const byCode: Readonly<Partial<Record<ErrorCode, Place>>> = {
  unauthenticated: ['XAPI-00334', 'Authorization:'],
  forbidden: ['XAPI-00327', 'Authorization:'],
  not_found: ['claviger/not-found', ''],
  conflict: ['claviger/conflict', ''],
  precondition_failed: ['claviger/precondition', 'If-Match:'],
  too_large: ['XAPI-00328', ''],
  rate_limited: ['claviger/rate', ''],
}

/** Of limits, which have more to say than that a right is missing. */
const byLimit: Readonly<Record<string, Place>> = {
  'limit addresses': ['claviger/addresses', ''],
  'limit origins': ['claviger/origins', 'Origin:'],
  'limit xapiVersions': ['claviger/versions', 'X-Experience-API-Version:'],
}
