// How a DomainError looks on SCORM Cloud's xAPI paths: plain text. Knows nothing of routes.

import { bounded, firstOf, inWords } from '../../core/errors.ts'
import type { DomainError, ErrorCode } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { HttpError, credentialsMissing, statusOf } from '../http.ts'

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

/** The two texts that users report (facts 1.8; adlnet/xAPIWrapper #65, RusticiSoftware/TinCanPHP #89). */
const missing = 'Missing authentication header'
const notHere = 'Credentials invalid for this endpoint.'

/** What refuses a key here that works elsewhere: no question of rights. */
const elsewhereOnly: readonly (string | undefined)[] = ['kind', 'lrs']

export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  const isElsewhere = elsewhereOnly.includes(error.detail.decidedBy)
  const status = isElsewhere ? 401 : statusOf(error, statuses)
  const headers = { 'Content-Type': 'text/plain; charset=utf-8' }
  return { status, body: status === 401 ? refusalOf(error) : textOf(error, context), headers }
}

function refusalOf(error: DomainError): string {
  if (error.message === credentialsMissing) return missing
  // Why a known key, or a signature, is refused helps; of keys and secrets nothing is told.
  const mayTell = error.code === 'forbidden' || error instanceof HttpError
  return mayTell ? `${notHere} ${error.message}` : notHere
}

function textOf(error: DomainError, { requestId }: ErrorContext): string {
  if (error.code === 'internal') return `Something went wrong on our side (request ${requestId})`
  const { failures = [] } = error.detail
  if (failures.every(({ pointer }) => pointer === '') && failures.length < 2) return bounded(error.message)
  return bounded(firstOf(failures.map(inWords)).join('\n'))
}
