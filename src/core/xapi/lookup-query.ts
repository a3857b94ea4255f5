// The one parameter of the Activities and of the Agents resource.

import { iri } from './iri.ts'
import { parseJson } from './json.ts'
import { agentParameter, checkParameters } from './parameters.ts'
import type { Params, ParameterTable } from './parameters.ts'
import type { JsonObject } from './rule.ts'
import { refusal } from './rule.ts'
import type { XapiVersion } from './version.ts'

const activityTable: ParameterTable = {
  rules: new Map([['activityId', iri('XAPI-00012')]]),
  required: { activityId: 'XAPI-00250' },
}
const agentTable: ParameterTable = {
  rules: new Map([['agent', agentParameter('XAPI-00249')]]),
  required: { agent: 'XAPI-00243' },
}

/** The id of the Activity asked for. Throws `invalid` with all failures. */
export function parseActivityQuery(params: Params, version: XapiVersion): string {
  return parse(params, activityTable, version).get('activityId')?.[0] ?? ''
}

/** The Agent asked for, valid and identified. Throws `invalid` with all failures. */
export function parseAgentQuery(params: Params, version: XapiVersion): JsonObject {
  return parseJson(parse(params, agentTable, version).get('agent')?.[0] ?? '') as JsonObject
}

function parse(params: Params, table: ParameterTable, version: XapiVersion): Params {
  const failures = checkParameters(params, table, version)
  if (failures.length > 0) throw refusal(failures)
  return params
}
