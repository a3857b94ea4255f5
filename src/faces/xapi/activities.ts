// The Activities resource: GET and HEAD of one Activity. What it consists of is core's.

import { parseActivityQuery } from '../../core/xapi/lookup-query.ts'
import { methodNotAllowed } from '../http.ts'
import { admitCall, answerJson, paramsOf } from './call.ts'
import type { Call } from './call.ts'

export async function activities(call: Call): Promise<Response> {
  if (call.method !== 'GET' && call.method !== 'HEAD') throw methodNotAllowed(call.method, ['GET', 'HEAD', 'OPTIONS'])
  const admitted = await admitCall(call)
  const { core, principal, lrsId, params, version } = admitted
  const activityId = parseActivityQuery(paramsOf(params), version)
  return answerJson(admitted, JSON.stringify(await core.activities.get(principal, lrsId, activityId)))
}
