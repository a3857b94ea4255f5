// From a normalised statement to what the storage port takes.

import type { PreparedStatement } from '../storage.ts'
import type { Statement } from './statement.ts'

export function prepare(statement: Statement): PreparedStatement {
  throw new Error(`not written yet: ${typeof statement}`)
}
