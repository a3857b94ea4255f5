// How errors look here: pages for people. What itslearning itself asks for, a deletion, goes by the status alone.

import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { statusOf } from '../http.ts'
import { busyPage, refusalPage, unsetPage } from './pages.ts'
import { LaunchRefused } from './refusal.ts'

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

const temporary: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['rate_limited', 'unavailable', 'internal'])

export function presentError(error: DomainError, { requestId }: ErrorContext): ErrorAnswer {
  const status = statusOf(error, statuses)
  if (error instanceof LaunchRefused && error.rule === 'unset') return { status, ...unsetPage(requestId) }
  return { status, ...(temporary.has(error.code) ? busyPage(requestId) : refusalPage(requestId)) }
}
