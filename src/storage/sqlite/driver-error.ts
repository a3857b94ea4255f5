// The one place that turns what better-sqlite3 throws into the domain's errors, and carries them across threads.

import { DomainError, isDomainError } from '../../core/errors.ts'
import type { ErrorCode, ErrorDetail } from '../../core/errors.ts'

// Primary and extended result codes of SQLite, by prefix, and those of the operating system. The file or the disk does not
// answer now; a retry may work.
const unavailable =
  /^E[A-Z]+$|^SQLITE_(FULL|IOERR|BUSY|LOCKED|CANTOPEN|READONLY|NOMEM|PROTOCOL|INTERRUPT|PERM|NOLFS|CORRUPT|NOTADB)/

export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error
  const code = codeOf(error)
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') {
    return new DomainError('conflict', 'This id or key is already taken.', { cause: error })
  }
  if (unavailable.test(code)) {
    return new DomainError('unavailable', 'The store cannot be read or written at the moment.', {
      cause: error,
      detail: { retryAfterSeconds: 5 },
    })
  }
  return new DomainError('internal', 'The store failed.', { cause: error })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** A `DomainError` as structured clone carries it. */
export interface ErrorMessage {
  readonly code: ErrorCode
  readonly message: string
  readonly detail: ErrorDetail
  readonly cause: string | undefined
}

export function toMessage(error: unknown): ErrorMessage {
  const { code, message, detail, cause } = toDomainError(error)
  return { code, message, detail, cause: cause instanceof Error ? `${codeOf(cause)} ${cause.stack}`.trim() : undefined }
}

export function fromMessage({ code, message, detail, cause }: ErrorMessage): DomainError {
  return new DomainError(code, message, { detail, ...(cause !== undefined && { cause }) })
}
