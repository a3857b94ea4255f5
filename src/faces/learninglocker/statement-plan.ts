// What of a filter on statements the store can answer by itself, so that not every statement is looked at: what all of them must
// meet. The filter is still applied to each that comes; a plan may only leave out what it would refuse.

import type { LrsId, Oid } from '../../core/ids.ts'
import type { TermFilter } from '../../core/storage.ts'
import { agentTerm } from '../../core/xapi/agent.ts'
import { isUuid } from '../../core/xapi/uuid.ts'
import { conjunctsOf, onlyValue } from './query-conjuncts.ts'
import type { Conjunct } from './query-conjuncts.ts'
import type { Filter, Test } from './query.ts'
import type { Value } from './query-value.ts'
import { statementPlace, storedFrom, storedUpTo } from './statement-id.ts'

export interface Plan {
  readonly filters: readonly TermFilter[]
  /** Microseconds: stored after this, and at or before. */
  readonly since: number
  readonly until: number
  /** Only the statement with this id. */
  readonly statementId: string | undefined
  /** Only in this Lrs. */
  readonly lrs: Oid | undefined
  readonly lrsId: LrsId | undefined
  /** Only of this client. */
  readonly client: Oid | undefined
}

/**
 * How much later than it was stored a statement may say it happened: beyond that it is not found by a range of `timestamp`, nor in
 * its place when sorted by that, newest first. Clocks of devices err by minutes.
 */
export const timestampSkewMs = 3_600_000

type Draft = { -readonly [Name in keyof Plan]: Plan[Name] } & { readonly filters: TermFilter[] }

export function planOf(filter: Filter): Plan {
  const draft: Draft = {
    filters: [],
    since: 0,
    until: Number.MAX_SAFE_INTEGER,
    statementId: undefined,
    lrs: undefined,
    lrsId: undefined,
    client: undefined,
  }
  const conjuncts = conjunctsOf(filter)
  for (const { path, test } of conjuncts) {
    const value = onlyValue(test)
    if (typeof value === 'string') addValue(draft, path, value)
    addRange(draft, path, test)
  }
  draft.filters.push(...accountFilters(conjuncts))
  return draft
}

function addValue(draft: Draft, path: string, value: string): void {
  const filter = termFilter(path, value)
  if (filter !== undefined) draft.filters.push(filter)
  if (path === 'statement.id') draft.statementId = value
  if (path === 'lrs_id') draft.lrs = value as Oid
  if (path === 'client') draft.client = value as Oid
  if (path !== '_id') return
  const place = statementPlace(value as Oid)
  draft.lrsId = place?.lrsId
  // One that no statement has: nothing.
  narrow(draft, place === undefined ? { until: -1 } : { since: place.seq - 1, until: place.seq })
}

function termFilter(path: string, value: string): TermFilter | undefined {
  const filter = (kind: TermFilter['kind'], text: string | undefined, includeRelated = false) =>
    text === undefined ? undefined : { kind, value: text, includeRelated }
  switch (path) {
    case 'verbs':
    case 'statement.verb.id':
      return filter('verb', value)
    case 'activities':
      return filter('activity', value)
    case 'relatedActivities':
      return filter('activity', value, true)
    case 'statement.object.id':
      // A statement that is referred to has an id, too.
      return isUuid(value) ? undefined : filter('activity', value)
    case 'registrations':
    case 'statement.context.registration':
      return filter('registration', value.toLowerCase())
    case 'agents':
      return filter('agent', agentNamed(value))
    case 'relatedAgents':
      return filter('agent', agentNamed(value), true)
    default: {
      const [, whose, name] = /^statement\.(actor|authority)\.(mbox|mbox_sha1sum|openid)$/.exec(path) ?? []
      return name === undefined ? undefined : filter('agent', agentTerm({ [name]: value }), whose === 'authority')
    }
  }
}

/** An account is named by both its members, in conditions of their own. */
function accountFilters(conjuncts: readonly Conjunct[]): readonly TermFilter[] {
  return ['actor', 'authority'].flatMap((whose) => {
    const valueOf = (name: string): Value => {
      const found = conjuncts.find(({ path }) => path === `statement.${whose}.account.${name}`)
      return found && onlyValue(found.test)
    }
    const account = { homePage: valueOf('homePage'), name: valueOf('name') }
    if (typeof account.homePage !== 'string' || typeof account.name !== 'string') return []
    const value = agentTerm({ account })
    return value === undefined ? [] : [{ kind: 'agent' as const, value, includeRelated: whose === 'authority' }]
  })
}

/** The product's names: `mailto:…`, a hash, `homePage|name`, else an OpenID. */
function agentNamed(name: string): string | undefined {
  if (name.startsWith('mailto:')) return agentTerm({ mbox: name })
  if (/^[\da-f]{40}$/i.test(name)) return agentTerm({ mbox_sha1sum: name })
  const bar = name.indexOf('|')
  // No IRI has a bar, a name may.
  if (bar < 0) return agentTerm({ openid: name })
  return agentTerm({ account: { homePage: name.slice(0, bar), name: name.slice(bar + 1) } })
}

// ---------------------------------------------------------------------------------------------------------------------
// Ranges

function addRange(draft: Draft, path: string, test: Test): void {
  if (test.kind !== 'eq' && test.kind !== 'gt' && test.kind !== 'gte' && test.kind !== 'lt' && test.kind !== 'lte')
    return
  const { kind, value } = test
  const isFrom = kind === 'gt' || kind === 'gte' || kind === 'eq'
  const isUpTo = kind === 'lt' || kind === 'lte' || kind === 'eq'
  if (path === '_id' && typeof value === 'string' && kind !== 'eq') {
    narrow(draft, isFrom ? { since: storedFrom(value as Oid) - 1 } : { until: storedUpTo(value as Oid) })
  }
  if (!(value instanceof Date)) return
  // Dates are whole milliseconds, stored times are not: what lies within one is left to the filter.
  const from = value.getTime() * 1000
  if (path === 'stored') narrow(draft, { ...(isFrom && { since: from - 1 }), ...(isUpTo && { until: from + 999 }) })
  if (path === 'timestamp' && isFrom) narrow(draft, { since: from - timestampSkewMs * 1000 - 1 })
}

function narrow(draft: Draft, { since, until }: { readonly since?: number; readonly until?: number }): void {
  if (since !== undefined) draft.since = Math.max(draft.since, since)
  if (until !== undefined) draft.until = Math.min(draft.until, until)
}
