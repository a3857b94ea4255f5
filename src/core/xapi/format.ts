// The `ids` and `canonical` forms of a stored statement. `exact` is the stored text itself.

import type { Statement } from './statement.ts'

export function toIds(statement: Statement): Statement {
  throw new Error(`not written yet: ${typeof statement}`)
}

export function toCanonical(statement: Statement, languages: readonly string[]): Statement {
  throw new Error(`not written yet: ${typeof statement} ${languages.length}`)
}
