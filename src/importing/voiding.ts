// What a statement voids, as it was stored elsewhere. Knows nothing of whether that is there.

import { isObject } from '../core/xapi/rule.ts'
import type { Statement } from '../core/xapi/statement.ts'
import { findTarget } from '../core/xapi/term.ts'
import { voidedVerb } from '../core/xapi/verb.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A lower-case UUID; undefined for whatever voids nothing. Nobody has checked the statement yet. */
export function voidedBy(statement: Statement): string | undefined {
  const { verb } = statement
  if (!isObject(verb) || verb['id'] !== voidedVerb) return undefined
  const target = findTarget(statement)
  return target !== undefined && uuid.test(target) ? target : undefined
}
