// The parameters of a GET on statements: every rule about names, values and combinations.

import type { StatementQuery } from '../storage.ts'
import type { XapiVersion } from './version.ts'

export type StatementFormat = 'ids' | 'exact' | 'canonical'

export interface StatementsRequest {
  readonly statementId?: string
  readonly voidedStatementId?: string
  readonly query: Omit<StatementQuery, 'owner'>
  readonly format: StatementFormat
  readonly attachments: boolean
}

export interface QueryLimits {
  readonly defaultLimit: number
  readonly maxLimit: number
}

export function parseStatementsQuery(
  params: ReadonlyMap<string, readonly string[]>,
  version: XapiVersion,
  limits: QueryLimits,
): StatementsRequest {
  throw new Error(`not written yet: ${params.size} ${version} ${limits.maxLimit}`)
}
