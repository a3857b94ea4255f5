// From a normalised statement to what the storage port takes.

import { DomainError, inWords } from '../errors.ts'
import type { PreparedStatement } from '../storage.ts'
import { listDescriptions } from './description.ts'
import type { Author } from './description.ts'
import { isObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { findTarget, listTerms } from './term.ts'
import { parseTimestamp } from './time.ts'
import { voidedVerb } from './verb.ts'

/**
 * Code units of a statement as it is stored. It may be longer than it was sent: 1e20 becomes 100000000000000000000.
 */
export const maxStatementLength = 4 * 1024 * 1024

/**
 * Throws `too_large`. `author`: when it may `define`; else the statement describes nothing. `pointer`: where the statement
 * stands in the request.
 */
export function prepare(statement: Statement, author?: Author, pointer = ''): PreparedStatement {
  const { id, timestamp, verb } = statement
  const text = JSON.stringify(statement)
  if (text.length > maxStatementLength) throw tooLong(text.length, pointer)
  const refersTo = findTarget(statement)
  return {
    id: String(id),
    timestamp: typeof timestamp === 'string' ? parseTimestamp(timestamp) : undefined,
    openBody: text.slice(0, -1),
    terms: listTerms(statement),
    refersTo,
    descriptions: author === undefined ? [] : listDescriptions(statement, author),
    attachments: [],
    isVoiding: refersTo !== undefined && isObject(verb) && verb['id'] === voidedVerb,
  }
}

function tooLong(length: number, pointer: string): DomainError {
  const message = `A statement may have ${maxStatementLength} characters as it is stored; this one has ${length}.`
  const failure = { pointer, rule: 'XAPI-00328', message }
  return new DomainError('too_large', inWords(failure), {
    detail: { decidedBy: 'limit statement', failures: [failure] },
  })
}
