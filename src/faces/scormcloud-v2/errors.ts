// How a DomainError looks in SCORM Cloud's second API: MessageSchema, and for 401 the member `error` beside it.
// Knows nothing of routes.

import { bounded, firstOf, inWords } from '../../core/errors.ts'
import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { HttpError, statusOf } from '../http.ts'

/** The API declares no 403: whoever may not is as unauthorised as whoever is unknown (facts 2.5). */
const statuses = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 401,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported: 415,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} satisfies Record<ErrorCode, number>

/** The text of the live service, which clients show (facts 2.1). */
const unauthorised = 'Authorization Required.'

export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const status = statusOf(error, statuses)
  const message = messageOf(error, context)
  if (status !== 401) return { status, body: { message } }
  // Not Basic: a browser would ask the learner for a password.
  return { status, body: { error: unauthorised, message }, headers: { 'WWW-Authenticate': 'Bearer realm="Claviger"' } }
}

/** A service of the vendor that is not offered here. */
export function notOffered(service: string): HttpError {
  return new HttpError('unsupported', 501, `The service ${service} is not offered here`)
}

/** Known, but with the wrong kind of key or without the scope. */
export function unfit(message: string): HttpError {
  return new HttpError('forbidden', 401, message)
}

/** What core calls otherwise. */
const memberOf: Readonly<Record<string, string>> = {
  '/source/user': '/source/userName',
  '/target/user': '/target/userName',
}

function messageOf(error: DomainError, context: ErrorContext): string {
  if (error.code === 'unauthenticated') return unauthorised
  if (error.code === 'internal') return `Something went wrong on our side (request ${context.requestId})`
  const failures = error.detail.failures ?? []
  if (failures.length === 0) return bounded(error.message)
  const named = failures.map((failure) => ({ ...failure, pointer: memberOf[failure.pointer] ?? failure.pointer }))
  return bounded(firstOf(named.map((failure) => inWords(failure).replace(/\.$/, ''))).join('; '))
}
