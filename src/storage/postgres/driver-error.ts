// The one place that turns what pg and PostgreSQL throw into the domain's errors.
// Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html

import { DomainError, isDomainError } from '../../core/errors.ts'

// By class, where a whole class means that the database does not serve now: connection exceptions, too few resources (a full
// disk, memory, connections), intervention by the operator, errors of the system. Single codes: read-only, timeouts (also of a
// transaction whose node was held up), locks, what `transact` has tried again often enough, wrong passwords after a rotation.
const unavailable = /^(08...|53...|57...|58...|XX00[012]|25006|25P0[34]|55P03|40...|28...|3D000|E[A-Z]+)$/

export function toDomainError(error: unknown): DomainError {
  if (isDomainError(error)) return error
  const code = codeOf(error)
  if (code === '23505') return new DomainError('conflict', 'This id or key is already taken.', { cause: error })
  // U+0000, or half of a character: core refuses it everywhere, so this is the second to look.
  if (code === '22021' || code === '22P05') {
    return new DomainError('invalid', 'A text has characters that cannot be stored (U+0000).', { cause: error })
  }
  if (unavailable.test(code) || isLostConnection(error)) {
    return new DomainError('unavailable', 'The store cannot be read or written at the moment.', {
      cause: error,
      detail: { retryAfterSeconds: 5 },
    })
  }
  return new DomainError('internal', 'The store failed.', { cause: error })
}

/**
 * Two transactions got in each other's way; done again, it works: serialization failure, deadlock, and a row that went while
 * another was about to refer to it (then it is seen to be gone).
 */
export function isCollision(error: unknown): boolean {
  const code = codeOf(error)
  return code === '40001' || code === '40P01' || code === '23503'
}

/** A node of the next version has added a column to what a prepared statement of this connection answers. */
export function isOutdatedPlan(error: unknown): boolean {
  // Its words are in the server's language.
  return codeOf(error) === '0A000' && (error as { routine?: string }).routine === 'RevalidateCachedQuery'
}

/** The connection, not the work on it, is at fault. */
export function isLostConnection(error: unknown): boolean {
  const code = codeOf(error)
  if (/^(08...|57P0[1-5]|25P0[34]|E[A-Z]+)$/.test(code)) return true
  // pg has no codes of its own.
  return code === '' && error instanceof Error && /connection|timeout|not queryable/i.test(error.message)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
