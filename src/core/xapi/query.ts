// The parameters of a GET on statements: every rule about names, values and combinations, and what they ask the store.

import type { Failure } from '../errors.ts'
import type { Seq } from '../ids.ts'
import type { StatementQuery, TermFilter } from '../storage.ts'
import { agentTerm } from './agent.ts'
import { iri } from './iri.ts'
import { parseJson } from './json.ts'
import { agentParameter, checkParameters } from './parameters.ts'
import type { Params, ParameterTable } from './parameters.ts'
import type { Rule } from './rule.ts'
import { format, oneOf, refusal } from './rule.ts'
import { parseTimestamp, timestamp } from './time.ts'
import { uuid } from './uuid.ts'
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
  /** When no limit is asked for. */
  readonly defaultLimit: number
  /** When limit=0, the maximum, is asked for. */
  readonly maxLimit: number
}

// XAPI-00012: values keep the same rules as in statements.
const id = uuid('XAPI-00012')
const anyIri = iri('XAPI-00012')
const time = timestamp('XAPI-00012', 'XAPI-00012')
const truth = oneOf(['true', 'false'], 'XAPI-00012')
const count = format('a non-negative integer', 'XAPI-00012', (value) => /^\d{1,15}$/.test(value))
const seq = format('a cursor out of a "more" link', 'claviger/cursor', (value) => parseCursor(value) !== undefined)

const rules = new Map<string, Rule>([
  ['statementId', id],
  ['voidedStatementId', id],
  ['agent', agentParameter('XAPI-00012')],
  ['verb', anyIri],
  ['activity', anyIri],
  ['registration', id],
  ['related_agents', truth],
  ['related_activities', truth],
  ['since', time],
  ['until', time],
  ['limit', count],
  ['format', oneOf(['ids', 'exact', 'canonical'], 'XAPI-00012')],
  ['attachments', truth],
  ['ascending', truth],
  ['cursor', seq],
])
const table: ParameterTable = { rules, unlisted: ['cursor'] }

/** Beside an id, only these. */
const withId = new Set(['format', 'attachments'])

/** Throws `invalid` with all failures. */
export function parseStatementsQuery(params: Params, version: XapiVersion, limits: QueryLimits): StatementsRequest {
  const failures = checkParameters(params, table, version)
  checkExclusive(params, failures)
  if (failures.length > 0) throw refusal(failures)
  return toRequest((name) => params.get(name)?.[0], limits)
}

/** XAPI-00151 and XAPI-00150: an id allows no other parameter but format and attachments. */
function checkExclusive(params: ReadonlyMap<string, unknown>, failures: Failure[]): void {
  for (const [single, rule] of exclusive) {
    const others = [...params.keys()].filter((name) => name !== single && !withId.has(name) && rules.has(name))
    if (!params.has(single) || others.length === 0) continue
    const message = `With ${single} only format and attachments may be given, not ${others.join(', ')}.`
    failures.push({ pointer: `?${single}`, rule, message })
  }
}

const exclusive = [
  ['statementId', 'XAPI-00151'],
  ['voidedStatementId', 'XAPI-00150'],
] as const

// ---------------------------------------------------------------------------------------------------------------------
// From valid parameters to the request

type Get = (name: string) => string | undefined

function toRequest(get: Get, limits: QueryLimits): StatementsRequest {
  const statementId = get('statementId')?.toLowerCase()
  const voidedStatementId = get('voidedStatementId')?.toLowerCase()
  return {
    ...(statementId !== undefined && { statementId }),
    ...(voidedStatementId !== undefined && { voidedStatementId }),
    query: toQuery(get, limits),
    format: (get('format') ?? 'exact') as StatementFormat,
    attachments: get('attachments') === 'true',
  }
}

function toQuery(get: Get, limits: QueryLimits): StatementsRequest['query'] {
  const since = parseTime(get('since'))
  const until = parseTime(get('until'))
  const cursor = parseCursor(get('cursor') ?? '')
  return {
    filters: listFilters(get),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    isAscending: get('ascending') === 'true',
    limit: toLimit(get('limit'), limits),
    ...(cursor !== undefined && { cursor }),
  }
}

function listFilters(get: Get): TermFilter[] {
  const agent = get('agent')
  const verb = get('verb')
  const activity = get('activity')
  const registration = get('registration')?.toLowerCase()
  const agentValue = agent === undefined ? undefined : agentTerm(parseJson(agent))
  const filters: readonly [TermFilter['kind'], string | undefined, boolean][] = [
    ['agent', agentValue, get('related_agents') === 'true'],
    ['verb', verb, false],
    ['activity', activity, get('related_activities') === 'true'],
    ['registration', registration, false],
  ]
  return filters.flatMap(([kind, value, includeRelated]) =>
    value === undefined ? [] : { kind, value, includeRelated },
  )
}

function parseTime(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTimestamp(text)
}

function toLimit(text: string | undefined, { defaultLimit, maxLimit }: QueryLimits): number {
  const asked = text === undefined ? defaultLimit : Number(text)
  return asked === 0 ? maxLimit : Math.min(asked, maxLimit)
}

/** The stored time to continue behind, in base 36. */
export function formatCursor(cursor: Seq): string {
  return cursor.toString(36)
}

function parseCursor(text: string): Seq | undefined {
  if (!/^[0-9a-z]{1,11}$/.test(text)) return undefined
  const value = Number.parseInt(text, 36)
  return value > 0 && Number.isSafeInteger(value) ? (value as Seq) : undefined
}
