// Problem details (RFC 9457), and the table from the domain's codes to HTTP statuses.

import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { statusOf } from '../http.ts'

const statuses = {
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

/** RFC 9110 section 15. */
const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/**
 * `{type, title, status, detail, code, failures?: [{pointer, rule, message}], decidedBy?, requestId}`. `type` is `about:blank`: what kind
 * of problem it is says `code`, and then `title` is the status in words (section 4.2.1).
 */
export function presentError(error: DomainError, { requestId }: ErrorContext): ErrorAnswer {
  const status = statusOf(error, statuses)
  const { failures = [], decidedBy } = error.detail
  const body = {
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    detail: error.message,
    code: error.code,
    ...(failures.length > 0 && { failures }),
    // Whoever does not sign in is not told why.
    ...(decidedBy !== undefined && error.code !== 'unauthenticated' && { decidedBy }),
    requestId,
  }
  return { status, body, headers: { 'Content-Type': 'application/problem+json' } }
}
