// The numbered errors of SCORM Cloud's first API, and which of them a DomainError becomes. Always HTTP 200: official clients
// take any other status for a lost connection, and lose the number. Knows nothing of methods.

import { DomainError, bounded, inWords } from '../../core/errors.ts'
import type { ErrorCode, ErrorDetail } from '../../core/errors.ts'
import type { ErrorAnswer, ErrorContext } from '../face.ts'
import { presentFailure, xmlHeaders } from './wire.ts'

/** Number: what it says, and what it is to everybody who counts refusals. 300 is made up by clients themselves. */
const numbers = {
  100: 'forbidden', // a security error of no other number
  101: 'unauthenticated', // appid missing
  102: 'unauthenticated', // appid unknown
  103: 'unauthenticated', // sig missing
  104: 'unauthenticated', // sig wrong
  105: 'unauthenticated', // ts missing
  106: 'unauthenticated', // ts malformed
  107: 'unauthenticated', // ts outside the window
  108: 'unavailable', // the store that knows the keys does not answer
  200: 'invalid', // no valid call, or no method in it
  201: 'unavailable', // nothing is wrong with the call; come back later
  202: 'not_found', // no such method
  203: 'invalid', // a parameter of the method is missing
  204: 'invalid', // a format other than XML
  205: 'invalid', // a parameter of the method has a wrong value
} as const satisfies Record<number, ErrorCode>
export type ErrorNumber = keyof typeof numbers

const numberOf = {
  invalid: 205,
  unauthenticated: 100,
  forbidden: 100,
  not_found: 205,
  conflict: 205,
  precondition_failed: 205,
  too_large: 200,
  unsupported: 200,
  rate_limited: 201,
  unavailable: 201,
  internal: 100,
} satisfies Record<ErrorCode, ErrorNumber>

/** A refusal that has a number in this API. */
export class CallError extends DomainError {
  readonly number: ErrorNumber

  constructor(
    number: ErrorNumber,
    message: string,
    options: { readonly code?: ErrorCode; readonly detail?: ErrorDetail; readonly cause?: unknown } = {},
  ) {
    const { code = numbers[number], ...rest } = options
    super(code, message, rest)
    this.number = number
  }
}

const longestMessage = 2_000

export function presentError(error: DomainError, { requestId }: ErrorContext): ErrorAnswer {
  const number = error instanceof CallError ? error.number : numberOf[error.code]
  const message = error.code === 'internal' ? `Something went wrong on our side (request ${requestId})` : textOf(error)
  return { status: 200, body: presentFailure(number, message), headers: xmlHeaders }
}

/** What core calls otherwise. */
const parameterOf: Readonly<Record<string, string>> = { '/url': 'lrsAuthCallbackUrl' }

function textOf({ message, detail: { failures = [] } }: DomainError): string {
  const named = failures.map((failure) => ({ ...failure, pointer: parameterOf[failure.pointer] ?? failure.pointer }))
  return bounded(named.length === 0 ? message : named.map(inWords).join(' '), longestMessage)
}
