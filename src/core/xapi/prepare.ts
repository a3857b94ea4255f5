// From a normalised statement to what the storage port takes.

import type { PreparedStatement } from '../storage.ts'
import { digest } from './equality.ts'
import { isObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { findTarget, listTerms } from './term.ts'
import { parseTimestamp } from './time.ts'
import { voidedVerb } from './verb.ts'

export function prepare(statement: Statement): PreparedStatement {
  const { id, timestamp, verb } = statement
  const refersTo = findTarget(statement)
  return {
    id: String(id),
    digest: digest(statement),
    timestamp: typeof timestamp === 'string' ? parseTimestamp(timestamp) : undefined,
    openBody: JSON.stringify(statement).slice(0, -1),
    terms: listTerms(statement),
    refersTo,
    isVoiding: refersTo !== undefined && isObject(verb) && verb['id'] === voidedVerb,
  }
}
