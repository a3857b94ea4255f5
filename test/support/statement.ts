// A plain statement to change in tests, and the broken rules of a value in short form.

import { isDomainError } from '../../src/core/errors.ts'
import type { Failure } from '../../src/core/errors.ts'
import { checkStatement } from '../../src/core/xapi/statement.ts'
import type { XapiVersion } from '../../src/core/xapi/version.ts'

type JsonObject = Record<string, unknown>

export const someone = { mbox: 'mailto:someone@example.com' }
export const someVerb = { id: 'https://example.com/verbs/did' }
export const something = { id: 'https://example.com/activity' }

/** The smallest valid statement, with `changes` laid over it. */
export function aStatement(changes: JsonObject = {}): JsonObject {
  return { actor: someone, verb: someVerb, object: something, ...changes }
}

/** `changes` in a statement and in a SubStatement: most rules hold in both. */
export function inBoth(changes: JsonObject): [place: string, prefix: string, statement: JsonObject][] {
  const subStatement = { objectType: 'SubStatement', ...aStatement(changes) }
  return [
    ['a statement', '', aStatement(changes)],
    ['a SubStatement', '/object', aStatement({ object: subStatement })],
  ]
}

/** `pointer rule` of every failure, in the order found; empty when the statement is valid. */
export function brokenRules(statement: unknown, version: XapiVersion = '1.0'): string[] {
  const failures: Failure[] = []
  checkStatement(statement, { version, failures })
  return failures.map(({ pointer, rule }) => `${pointer} ${rule}`)
}

/** `pointer rule` of every failure of the DomainError that `work` throws; undefined when it throws none. */
export function refusedBy(work: () => unknown): string[] | undefined {
  try {
    work()
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'invalid') throw error
    return error.detail.failures?.map(({ pointer, rule }) => `${pointer} ${rule}`) ?? []
  }
  return undefined
}
