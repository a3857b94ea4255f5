// Errors in the shape of whoever is asking: a page for people, cmi5's own object for content that fetches its token, ours for content
// that asks after its launch.

import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { statusOf } from '../http.ts'
import { busyPage, refusalPage } from './pages.ts'

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

export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const { path = '' } = context
  if (path.startsWith('/launch/fetch/')) return presentToFetch(error)
  if (path.endsWith('/data')) return presentToContent(error, context)
  return presentToPeople(error, context)
}

/** cmi5 section 8.2.3: an error is a 200, too. Only another method than POST is none of its errors (section 8.2.1). */
function presentToFetch(error: DomainError): ErrorAnswer {
  const status = statusOf(error, statuses)
  return { status: status === 405 ? status : 200, body: fetchError('3', error.message) }
}

export function fetchError(code: '1' | '2' | '3', text: string): object {
  return { 'error-code': code, 'error-text': text }
}

/** As `/xapi` answers, where content mostly is. */
function presentToContent(error: DomainError, { requestId }: ErrorContext): ErrorAnswer {
  const { code, message } = error
  return { status: statusOf(error, statuses), body: { code, message, requestId } }
}

const temporary: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['rate_limited', 'unavailable', 'internal'])

function presentToPeople(error: DomainError, { requestId }: ErrorContext): ErrorAnswer {
  const page = temporary.has(error.code) ? busyPage(requestId) : refusalPage(requestId)
  return { status: statusOf(error, statuses), ...page }
}
