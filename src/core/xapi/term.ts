// The values a statement can be found by, in canonical text.

import type { Term } from '../storage.ts'
import type { Statement } from './statement.ts'

export function listTerms(statement: Statement): Term[] {
  throw new Error(`not written yet: ${typeof statement}`)
}
