// The one error type of the domain and the closed list of its codes.
// Knows nothing of HTTP: each face owns the table from code to status and wire shape.

export const errorCodes = [
  'invalid', // the caller's input breaks a rule
  'unauthenticated', // nobody, or nobody we know
  'forbidden', // known, but a right, pin or limit decides against
  'not_found', // absent, or another tenant's
  'conflict', // contradicts what is stored
  'precondition_failed', // an If-Match style condition did not hold
  'too_large', // beyond a size limit
  'unsupported', // a media type, version or operation that is not offered
  'rate_limited', // too many requests; `retryAfterSeconds` says when to come back
  'unavailable', // full queues, storage out of reach; worth a retry
  'internal', // a defect of ours
] as const
export type ErrorCode = (typeof errorCodes)[number]

/** One broken rule: where (RFC 6901 JSON pointer, or `?name` for a query parameter, or `Header-Name:`), which, and why. */
export interface Failure {
  readonly pointer: string
  /** A requirement id of the specification (`XAPI-00034`), a section of cmi5 (`cmi5/9.5.1`) or a rule of ours (`claviger/…`). */
  readonly rule: string
  /** For the caller: what is wrong and what would be accepted. */
  readonly message: string
  /** In which of the statements sent, where it lies in one; its id when it was sent. */
  readonly statement?: { readonly index: number; readonly id?: string }
}

export interface ErrorDetail {
  readonly failures?: readonly Failure[]
  /** Seconds until a retry makes sense; with `rate_limited` and `unavailable`. */
  readonly retryAfterSeconds?: number
  /** Which right, pin or limit decided, as `explain` names it. */
  readonly decidedBy?: string
  /** What would change that; the message ends with it. */
  readonly remedy?: string
  /** Which of several things that were asked for together, from 0. */
  readonly index?: number
  /** False: nobody was refused anything, what was asked for is just not there. Usage then counts no refusal. */
  readonly isRefusal?: boolean
}

/** `message` and `detail` are for the caller in any vendor's shape; `cause` is for the log only. No secret in any of them. */
export class DomainError extends Error {
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'DomainError'
    this.code = code
    this.detail = options.detail ?? {}
  }
}

/** Shorthand for the commonest error: one or more broken rules. */
export function invalid(message: string, failures: readonly Failure[] = []): DomainError {
  return new DomainError('invalid', message, { detail: { failures } })
}

/** What a refusal is decided by when there is too much to do: nobody's fault, and over soon. */
export const overload = 'overload'

/** Refused before anything was done, because too much is under way. */
export function overloaded(message: string, retryAfterSeconds = 1): DomainError {
  return new DomainError('unavailable', message, { detail: { retryAfterSeconds, decidedBy: overload } })
}

/** A failure with its place before it. The pointer of a header brings its own colon. */
export function inWords({ pointer, message }: Failure): string {
  if (pointer === '') return message
  return pointer.endsWith(':') ? `${pointer} ${message}` : `${pointer}: ${message}`
}

/** Of many things an answer says these, and how many more there are. */
const saidAtMost = 20

export function firstOf(words: readonly string[]): readonly string[] {
  const left = words.length - saidAtMost
  return left > 0 ? [...words.slice(0, saidAtMost), `and ${left} more`] : words
}

/** A message may quote what the caller sent, which may be large. */
export function bounded(text: string, longest = 8_000): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`
}

/**
 * Bytes are gone that a row refers to: damage of ours, not `unavailable`, for no retry mends it. `message` is for the caller;
 * the log is told which.
 */
export function lostBytes(
  message: string,
  which: { readonly lrsId: number; readonly sha2s: readonly string[] },
): DomainError {
  const { lrsId, sha2s } = which
  const cause = new Error(`Rows of Lrs ${lrsId} refer to blobs whose files are missing or cut: ${sha2s.join(', ')}`)
  return new DomainError('internal', message, { cause: Object.assign(cause, which) })
}

export function isDomainError(error: unknown): error is DomainError {
  return error instanceof DomainError
}
