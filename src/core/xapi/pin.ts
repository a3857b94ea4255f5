// Whether a statement lies inside what a credential is pinned to.

import type { Pins } from '../pins.ts'
import type { Statement } from './statement.ts'

export function pinViolation(statement: Statement, pins: Pins): string | undefined {
  throw new Error(`not written yet: ${typeof statement} ${typeof pins}`)
}
