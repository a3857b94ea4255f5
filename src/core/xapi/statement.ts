// The rules of a Statement as a whole, and of a request that holds one or many.

import type { Failure } from '../errors.ts'
import type { XapiVersion } from './version.ts'

/** A validated statement: plain JSON. */
export type Statement = Readonly<Record<string, unknown>>

export interface CheckOptions {
  readonly version: XapiVersion
  readonly pointer?: string
  readonly failures: Failure[]
}

export function checkStatement(value: unknown, options: CheckOptions): void {
  throw new Error(`not written yet: ${typeof value} ${options.version}`)
}

export interface CheckedStatements {
  readonly statements: Statement[]
  readonly isBatch: boolean
}

export function checkStatements(body: unknown, version: XapiVersion): CheckedStatements {
  throw new Error(`not written yet: ${typeof body} ${version}`)
}
