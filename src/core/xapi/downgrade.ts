// A 2.0 statement as a reader of 1.0.x expects it: without what 1.0.x does not know. Nothing stored changes.

import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { dataVersion } from './version.ts'

/** Leaves a statement of 1.0.x as it is. */
export function toVersion1(statement: Statement): Statement {
  const { version, object } = statement
  const event = withoutNew(statement)
  return {
    ...event,
    ...(isObject(object) && object['objectType'] === 'SubStatement' && { object: withoutNew(object) }),
    ...(typeof version === 'string' && !version.startsWith('1.') && { version: dataVersion['1.0'] }),
  }
}

/** contextAgents and contextGroups are all that 2.0 added to the model. */
function withoutNew(event: JsonObject): JsonObject {
  const { context } = event
  if (!isObject(context)) return event
  const { contextAgents, contextGroups, ...kept } = context
  if (contextAgents === undefined && contextGroups === undefined) return event
  if (Object.keys(kept).length > 0) return { ...event, context: kept }
  const { context: _dropped, ...others } = event
  return others
}
