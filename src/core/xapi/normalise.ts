// What the LRS itself sets on a validated statement before it is stored. Idempotent.

import type { AgentIdentity } from '../authority.ts'
import type { Statement } from './statement.ts'
import type { XapiVersion } from './version.ts'

export interface Stamp {
  /** The `statementId` of a PUT. */
  readonly id?: string
  /** Stamped as authority … */
  readonly authority: AgentIdentity
  /** … unless the statement names one and this is true. */
  readonly mayChooseAuthority: boolean
  readonly version: XapiVersion
  uuid(): string
}

export function normalise(statement: Statement, stamp: Stamp): Statement {
  throw new Error(`not written yet: ${typeof statement} ${stamp.version}`)
}
