// Our own error shape and the table from the domain's codes to HTTP statuses.

import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { HttpError, statusOf } from '../http.ts'

export const statuses = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported: 501,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} satisfies Record<ErrorCode, number>

/** `{code, message, failures: [{pointer, rule, message}], requestId}` */
export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const { failures = [], decidedBy } = error.detail
  return {
    status: statusOf(error, statuses),
    body: {
      code: error.code,
      message: error.message,
      failures,
      ...(decidedBy !== undefined && { decidedBy }),
      requestId: context.requestId,
    },
  }
}

/** A part of xAPI that is still to come: 501 whatever the mount makes of `unsupported`. */
export function notOffered(message: string): HttpError {
  return new HttpError('unsupported', 501, message)
}
