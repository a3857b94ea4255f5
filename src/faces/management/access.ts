// What a request to this API would meet, without sending it: the answer to the command line's `ask`. Follows the operations step
// by step.

import type { Core } from '../../core/core.ts'
import type { Principal } from '../../core/principal.ts'
import type { Access, AskedRequest, Judgement } from '../face.ts'
import { launchIn } from './launches.ts'
import { readLaunchList } from './wire.ts'

/** An operation that a key signs in for, asked of rather than sent. */
export interface Case {
  readonly asked: AskedRequest
  /** Parameters of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly core: Core
  readonly principal: Principal
}

export type Operation = (it: Case) => Promise<Judgement>

export function accessOf(asked: AskedRequest, params: Case['params'], judge: Operation): Access {
  return { kind: 'key', judge: (core, principal) => judge({ asked, params, core, principal }) }
}

export const refuseMethod = (method: string): Access => {
  return { kind: 'refused', decidedBy: 'method', reason: `${method} is not offered here (405), whichever key asks.` }
}
export const refusePath: Access = {
  kind: 'refused',
  decidedBy: 'path',
  reason: 'There is nothing at this path (404), whichever key asks.',
}

/** As itself: which other key the body may name is management's. */
export const launching: Operation = admitted(async ({ core, principal }) => {
  const decision = await core.launches.explainOpen(principal, principal.credentialId)
  return decision.allowed ? { ...decision, depends: ['what the body asks for'] } : decision
})

/** What there is here. */
export const looking: Operation = admitted(() =>
  Promise.resolve({ allowed: true, decidedBy: 'index', reason: 'Every key is told what there is here.' }),
)

const own: Judgement = {
  allowed: true,
  decidedBy: 'own launches',
  reason: 'A key sees and ends what it launched; management of keys what the keys launched that it covers.',
}

export const listing: Operation = admitted(async ({ core, principal, asked }) => {
  await core.launches.list(principal, readLaunchList(asked.query).filter, { limit: 1 })
  return own
})

export const reading: Operation = admitted(async ({ core, principal, params }) => {
  await core.launches.get(principal, launchIn(params['id']))
  return own
})

/** Ending reaches as far as reading does, for a key of its own; further only with management that may delete. */
export const ending: Operation = admitted(async ({ core, principal, params }) => {
  await core.launches.demandEnd(principal, launchIn(params['id']))
  return own
})

function admitted(judge: Operation): Operation {
  return async (it) => {
    const { address, origin } = it.asked
    const arrival = { kind: 'manage', area: 'credentials', action: 'read', arrival: { address, origin } } as const
    const decision = it.core.access.explain(it.principal, arrival)
    return decision.decidedBy.startsWith('limit ') ? decision : judge(it)
  }
}
