// What a request to this API would meet, without sending it: the answer to the command line's `ask`. Follows sign-in and the
// operations step by step; what they would change is only explained.

import type { Core } from '../../core/core.ts'
import { DomainError } from '../../core/errors.ts'
import type { Principal } from '../../core/principal.ts'
import type { Access, AskedRequest, Judgement } from '../face.ts'
import { paramsIn } from '../http.ts'
import { demandClient, demandNeeds, explainAll } from './auth.ts'
import type { Needs } from './auth.ts'
import type { Endpoint, OpenEndpoint } from './endpoint.ts'
import { bulkRefusal, idIn, models } from './rest.ts'

export function accessTo(endpoints: readonly (Endpoint | OpenEndpoint)[], asked: AskedRequest): Access {
  if (asked.method === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  const method = asked.method === 'HEAD' ? 'GET' : asked.method
  const here = endpoints.flatMap((endpoint) => {
    const params = paramsIn(endpoint.path, asked.path)
    return params ? [{ endpoint, params }] : []
  })
  const found = here.find(({ endpoint }) => endpoint.method === method)
  if (found === undefined) return here.length > 0 ? refuseMethod(asked.method) : refusePath
  const { endpoint, params } = found
  if (endpoint.needs === undefined && endpoint.isNothing === true) return refusePath
  if (endpoint.method === 'DELETE' && endpoint.path in collections) return refuseBulk
  return { kind: 'key', judge: (core, principal) => judge({ asked, endpoint, params, core, principal }) }
}

const refuseMethod = (method: string): Access => {
  return { kind: 'refused', decidedBy: 'method', reason: `${method} is not offered here (405), whichever key asks.` }
}
const refusePath: Access = {
  kind: 'refused',
  decidedBy: 'path',
  reason: 'There is nothing at this path (404), whichever key asks.',
}
const refuseBulk: Access = {
  kind: 'refused',
  decidedBy: 'method',
  reason: `${bulkRefusal} (400), whichever key asks: delete one by one.`,
}

const collections = Object.fromEntries(Object.entries(models).map(([path, model]) => [`/api/v2/${path}`, model]))

interface Case {
  readonly asked: AskedRequest
  readonly endpoint: Endpoint | OpenEndpoint
  /** Of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly core: Core
  readonly principal: Principal
}

async function judge(it: Case): Promise<Judgement> {
  const { asked, endpoint, core, principal } = it
  const { address, origin, method } = asked
  demandClient(principal)
  const arriving = { kind: 'manage', area: 'credentials', action: 'read', arrival: { address, origin } } as const
  const arrival = core.access.explain(principal, arriving)
  if (arrival.decidedBy.startsWith('limit ')) return arrival
  const decision = decide(endpoint.needs, core, principal)
  if (!decision.allowed) return decision
  demandNeeds(principal, endpoint.needs ?? 'none')
  await lookAt(it)
  const depends = [
    ...(method === 'GET' || method === 'HEAD' || method === 'DELETE' ? [] : ['what the body asks for']),
    ...(endpoint.path === '/api/v2/statement/:id' ? ['whether there is such a statement'] : []),
  ]
  return { ...decision, ...(depends.length > 0 && { depends }) }
}

function decide(needs: Needs | undefined, core: Core, principal: Principal): Judgement {
  if (needs === 'all') return explainAll(principal)
  if (needs === 'statements/read' || needs === 'statements/delete') {
    return core.access.explain(principal, { kind: 'xapi', right: needs })
  }
  return { allowed: true, decidedBy: 'own secret', reason: 'Whoever presents a key and its secret is answered.' }
}

/** Throws what the operation would, of its query, and where its path names what is not there. */
async function lookAt({ asked, endpoint, params, core, principal }: Case): Promise<void> {
  if (endpoint.needs !== undefined) endpoint.checkQuery?.(asked.query, principal)
  const [, path = ''] = /^\/api\/v2\/(\w+)/.exec(endpoint.path) ?? []
  const model = Object.entries(models).find(([name]) => name === path)?.[1]
  if (model === undefined || params['id'] === undefined) return
  const found = await model.find({ core, principal }, idIn(model, params['id']))
  if (found === undefined) throw new DomainError('not_found', `There is no ${path} with this _id.`)
}
