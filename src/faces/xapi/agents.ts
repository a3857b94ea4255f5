// The Agents resource: GET and HEAD of the Person behind one Agent. What it consists of is core's.

import { parseAgentQuery } from '../../core/xapi/lookup-query.ts'
import { methodNotAllowed } from '../http.ts'
import { admitCall, answerJson, paramsOf } from './call.ts'
import type { Call } from './call.ts'

export async function agents(call: Call): Promise<Response> {
  if (call.method !== 'GET' && call.method !== 'HEAD') throw methodNotAllowed(call.method, ['GET', 'HEAD', 'OPTIONS'])
  const admitted = await admitCall(call)
  const { core, principal, lrsId, params, version } = admitted
  const agent = parseAgentQuery(paramsOf(params), version)
  return answerJson(admitted, JSON.stringify(await core.agents.getPerson(principal, lrsId, agent)))
}
