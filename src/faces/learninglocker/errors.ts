// How an error looks in Learning Locker's API: `{errorId, message}`, but for 401, which is plain text, and for what its REST
// library and its web framework say in shapes of their own. Knows nothing of routes.

import { bounded, firstOf, inWords } from '../../core/errors.ts'
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
  unsupported: 415,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} satisfies Record<ErrorCode, number>

/** The product's own text, spelled so (facts 2.1). */
export const noPermission = 'Priviliges not sufficient for this operation'

/** An error whose whole body is the vendor's: JSON for an object, else text. */
export class VendorError extends HttpError {
  readonly body: string | object

  constructor(status: number, body: string | object, message: string, code: ErrorCode = 'invalid') {
    super(code, status, message)
    this.body = body
  }
}

/** A page, as its web framework answers what it cannot read. */
export function pageError(status: number, message: string, code: ErrorCode = 'invalid'): VendorError {
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const head = '<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>'
  const page = `<!DOCTYPE html>\n<html lang="en">\n${head}\n<body>\n<pre>${text}</pre>\n</body>\n</html>\n`
  return new VendorError(status, page, message, code)
}

/** Of the whole REST and connection API. */
export function presentError(error: DomainError, context: ErrorContext): ErrorAnswer {
  if (error instanceof VendorError) return vendorAnswer(error)
  const status = statusOf(error, statuses)
  // Neither a reason, which tells guessers apart, nor a challenge, which opens a dialogue in browsers: as recorded (facts 2.1).
  if (status === 401) return textAnswer(401, 'Unauthorized', { 'WWW-Authenticate': null })
  if (status === 404) return { status, body: { statusCode: 404 } }
  const errorId = context.requestId
  const message = messageOf(error)
  // Clients compare the text; why it is so stands beside it.
  if (status === 403) return { status, body: { errorId, message: noPermission, reason: message } }
  if (error.code === 'internal') return { status, body: { errorId, message: 'Something went wrong on our side' } }
  return { status, body: { errorId, message } }
}

function vendorAnswer({ status, body, headers }: VendorError): ErrorAnswer {
  if (typeof body !== 'string') return { status, body, headers }
  if (!body.startsWith('<')) return textAnswer(status, body, headers)
  const page = { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': "default-src 'none'" }
  return { status, body, headers: { ...page, ...headers } }
}

function textAnswer(status: number, body: string, headers: ErrorAnswer['headers'] = {}): ErrorAnswer {
  return { status, body, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers } }
}

/** Every broken rule with its place, up to so many. */
export function messageOf(error: DomainError): string {
  const failures = error.detail.failures ?? []
  if (failures.length === 0) return bounded(error.message)
  return bounded(firstOf(failures.map((failure) => inWords(failure).replace(/\.$/, ''))).join('; '))
}
