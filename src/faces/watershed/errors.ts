// How a DomainError looks in Watershed's API: `{message, status}`, on the credentials API and on its xAPI path.
// Knows nothing of routes.

import { bounded, firstOf, inWords } from '../../core/errors.ts'
import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { HttpError, statusOf } from '../http.ts'

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

/** As recorded from Watershed (mod_tincanlaunch #149), on every answer; what else it sent, http.ts sends anyway. */
export const corsHeaders: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Methods': 'OPTIONS, GET, POST, HEAD, PUT, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
}

export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const answer = presentXapiError(error, context)
  return { ...answer, headers: { ...corsHeaders, ...answer.headers } }
}

/** On the xAPI path, whose CORS headers are xAPI's own. */
export function presentXapiError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const status = statusOf(error, statuses)
  return { status, body: { message: messageOf(error, status, context), status }, headers: headersOf(status) }
}

/** RFC 6749 section 5.2 for `oauth2/token`, with Watershed's own two members beside it: either kind of client can read it. */
export function presentTokenError(error: DomainError, context: ErrorContext, triedBasic = false): ErrorAnswer {
  const status = statusOf(error, statuses)
  const message = messageOf(error, status, context)
  const body = { error: tokenErrorCode(error), error_description: message, message, status }
  const headers: Record<string, string> = { ...corsHeaders, Pragma: 'no-cache', ...headersOf(status) }
  // Whoever tried a scheme is told of that scheme.
  if (status === 401 && triedBasic) headers['WWW-Authenticate'] = 'Basic realm="Claviger"'
  return { status, body, headers }
}

/** A refusal of `oauth2/token` that RFC 6749 has a word for. */
export class TokenError extends HttpError {
  readonly error: string

  constructor(error: string, message: string) {
    super('invalid', 400, message)
    this.error = error
  }
}

function tokenErrorCode(error: DomainError): string {
  if (error instanceof TokenError) return error.error
  if (error.code === 'unauthenticated') return 'invalid_client'
  if (error.code === 'internal') return 'server_error'
  if (error.code === 'unavailable' || error.code === 'rate_limited') return 'temporarily_unavailable'
  return 'invalid_request'
}

/** Not a scheme, but what Watershed sends: with `Basic` a browser would ask the learner for a password. */
function headersOf(status: number): Record<string, string> {
  return status === 401 ? { 'WWW-Authenticate': 'Unauthorized' } : {}
}

function messageOf(error: DomainError, status: number, context: ErrorContext): string {
  // The recorded text, which does not tell whether key, secret or organisation was wrong.
  if (error.code === 'unauthenticated') return 'HTTP 401 Unauthorized'
  if (status === 401) return `HTTP 401 Unauthorized: ${error.message}`
  if (error.code === 'internal') return `HTTP 500 Internal Server Error (request ${context.requestId})`
  const failures = error.detail.failures ?? []
  if (failures.every(({ pointer }) => pointer === '') && failures.length < 2) return bounded(error.message)
  return bounded(firstOf(failures.map((failure) => inWords(failure).replace(/\.$/, ''))).join('; '))
}
