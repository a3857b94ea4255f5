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
  const { stored: _dropped, ...kept } = statement
  const given = stamp.id ?? kept['id']
  const event = normaliseEvent(kept, stamp.version)
  const object = event['object']
  return {
    ...event,
    id: (typeof given === 'string' ? given : stamp.uuid()).toLowerCase(),
    ...(isSubStatement(object) && { object: normaliseEvent(object, stamp.version) }),
    authority: (stamp.mayChooseAuthority && kept['authority']) || stamp.authority,
    version: kept['version'] ?? dataVersion[stamp.version],
  }
}

function isSubStatement(value: unknown): value is JsonObject {
  return isObject(value) && value['objectType'] === 'SubStatement'
}

/** What statements and SubStatements share. 2.0 wants times in UTC; 1.0.x statements keep theirs as sent (XAPI-00330). */
function normaliseEvent(event: JsonObject, version: XapiVersion): JsonObject {
  const { context, timestamp } = event
  const isLocal = version === '2.0' && typeof timestamp === 'string'
  return {
    ...event,
    ...(isObject(context) && { context: normaliseContext(context) }),
    ...(isLocal && { timestamp: toUtc(timestamp) }),
  }
}

/** Every context Activity is returned in an array, also a single one (XAPI-00096). */
function normaliseContext(context: JsonObject): JsonObject {
  const activities = context['contextActivities']
  if (!isObject(activities)) return context
  const lists = Object.entries(activities).map(([kind, value]) => [kind, Array.isArray(value) ? value : [value]])
  return { ...context, contextActivities: Object.fromEntries(lists) as JsonObject }
}
