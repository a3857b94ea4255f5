// What the LRS itself sets on a validated statement before it is stored. Idempotent; never changes what it is given.

import type { AgentIdentity } from '../authority.ts'
import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { toUtc } from './time.ts'
import type { XapiVersion } from './version.ts'
import { dataVersion } from './version.ts'

export interface Stamp {
  /** The `statementId` of a PUT, which goes before the statement's own. */
  readonly id?: string
  /** Stamped as authority … */
  readonly authority: AgentIdentity
  /** … unless this is true and the statement names one. */
  readonly mayChooseAuthority: boolean
  readonly version: XapiVersion
  uuid(): string
}

/** `stored` is dropped: the store appends its own, and `timestamp` too when there is none. */
export function normalise(statement: Statement, stamp: Stamp): Statement {
  const normal = copyEvent(statement, stamp.version)
  const { object, authority, version } = statement
  const given = stamp.id ?? statement['id']
  if (isSubStatement(object)) normal['object'] = copyEvent(object, stamp.version)
  normal['id'] = (typeof given === 'string' ? given : stamp.uuid()).toLowerCase()
  normal['authority'] = (stamp.mayChooseAuthority && authority) || stamp.authority
  normal['version'] = version ?? dataVersion[stamp.version]
  return normal
}

function isSubStatement(value: unknown): value is JsonObject {
  return isObject(value) && value['objectType'] === 'SubStatement'
}

/**
 * What statements and SubStatements share. 2.0 wants times in UTC; 1.0.x statements keep theirs as sent (XAPI-00330). Member
 * by member: every statement comes by here, and several spreads of one object cost more than all its rules.
 */
function copyEvent(event: JsonObject, version: XapiVersion): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(event)) if (name !== 'stored') copy[name] = event[name]
  const { context, timestamp } = event
  if (isObject(context)) copy['context'] = normaliseContext(context)
  if (version === '2.0' && typeof timestamp === 'string') copy['timestamp'] = toUtc(timestamp)
  return copy
}

/** Every context Activity is returned in an array, also a single one (XAPI-00096). */
function normaliseContext(context: JsonObject): JsonObject {
  const activities = context['contextActivities']
  if (!isObject(activities)) return context
  const lists = Object.entries(activities).map(([kind, value]) => [kind, Array.isArray(value) ? value : [value]])
  return { ...context, contextActivities: Object.fromEntries(lists) as JsonObject }
}
