// What a request to this API would meet, without sending it: the answer to the command line's `ask`. Follows the
// operations step by step; what they would change is only explained.

import type { Core } from '../../core/core.ts'
import { demand } from '../../core/grant.ts'
import type { CredentialId, SessionId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { Access, AskedRequest, Judgement } from '../face.ts'
import { apiAccess, credentialIn, isOwnCredential, noSuchCredential, organisationOf } from './auth.ts'
import { findClient, revealClient } from './providers.ts'
import { sessionIn } from './sessions.ts'
import { readPage } from './wire.ts'

/** An operation that a key signs in for, asked of rather than sent. */
export interface Case {
  readonly asked: AskedRequest
  /** Parameters of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly core: Core
  readonly principal: Principal
}

export type Operation = (it: Case) => Promise<Judgement>

export function accessOf(asked: AskedRequest, params: Readonly<Record<string, string>>, judge: Operation): Access {
  const within = organisationOf(params['orgId'])
  return { kind: 'key', within, judge: (core, principal) => judge({ asked, params, core, principal }) }
}

export const refuseMethod = (method: string): Access => {
  return { kind: 'refused', decidedBy: 'method', reason: `${method} is not offered here (405), whichever key asks.` }
}
export const refusePath: Access = {
  kind: 'refused',
  decidedBy: 'path',
  reason: 'There is nothing at this path (404), whichever key asks.',
}

const body = { depends: ['what the body asks for'] }

export const listing: Operation = managed(async ({ core, principal, asked }) => {
  readPage(asked.query)
  await core.credentials.list(principal, { kind: 'client' }, { offset: 0, limit: 1 })
})

export const creating: Operation = managed(async () => body)

export const reading: Operation = ofCredential('own', async (it, id) => {
  await (isOwnCredential(it.principal, id) ? findClient(it, id) : revealClient(it, id))
})

export const editing: Operation = ofCredential('managed', async ({ core, principal }, id) => {
  const decision = await core.credentials.explain(principal, 'write', id)
  demand(decision)
  if (decision.kind !== 'client') throw noSuchCredential()
  return body
})

export const deleting: Operation = ofCredential('managed', async (it, id) => {
  await findClient(it, id)
  demand(await it.core.credentials.explain(it.principal, 'delete', id))
})

export const listingSessions: Operation = ofCredential('own', async (it, id) => {
  await findClient(it, id)
  readPage(it.asked.query)
  await it.core.sessions.list(it.principal, id, { offset: 0, limit: 1 })
})

export const creatingSession: Operation = ofCredential('own', async (it, id) => {
  await findClient(it, id)
  demand(await it.core.sessions.explain(it.principal, id, 'write'))
  return body
})

export const readingSession: Operation = ofCredential('own', async (it, id) => {
  await findClient(it, id)
  await it.core.sessions.get(it.principal, id, sessionOf(it))
})

export const deletingSession: Operation = ofCredential('own', async (it, id) => {
  await findClient(it, id)
  const sessionId = sessionOf(it)
  demand(await it.core.sessions.explain(it.principal, id, 'delete', sessionId))
  await it.core.sessions.get(it.principal, id, sessionId)
})

export const makingToken: Operation = async (it) => {
  const refused = refusedOnArrival(it)
  if (refused) return refused
  const reason = 'Whoever sends a key with its secret, in the form or as Basic, is given a token.'
  return { allowed: true, decidedBy: 'own secret', reason, depends: ['the scope that the form asks for'] }
}

type Steps = (it: Case, id: CredentialId) => Promise<{ readonly depends: readonly string[] } | void>

function managed(steps: (it: Case) => Promise<{ readonly depends: readonly string[] } | void>): Operation {
  return async (it) => {
    const decision = it.core.access.explain(it.principal, { ...apiAccess, arrival: arrivalOf(it) })
    return decision.allowed ? { ...decision, ...(await steps(it)) } : decision
  }
}

/** `own`: whoever presents a credential's own key and secret needs no API access for it. */
function ofCredential(own: 'own' | 'managed', steps: Steps): Operation {
  const known: (it: Case) => ReturnType<Steps> = async (it) => {
    const id = credentialIn(it.principal, it.params['id'] ?? '')
    if (id === undefined) throw noSuchCredential()
    return steps(it, id)
  }
  return async (it) => {
    const id = credentialIn(it.principal, it.params['id'] ?? '')
    if (own === 'managed' || !isOwnCredential(it.principal, id)) return managed(known)(it)
    const refused = refusedOnArrival(it)
    if (refused) return refused
    const reason = 'Whoever presents a credential’s own key and secret needs no API access for it.'
    return { allowed: true, decidedBy: 'own secret', reason, ...(await known(it)) }
  }
}

function refusedOnArrival(it: Case): Judgement | undefined {
  const decision = it.core.access.explain(it.principal, { ...apiAccess, arrival: arrivalOf(it) })
  return decision.decidedBy.startsWith('limit ') ? decision : undefined
}

function arrivalOf({ asked }: Case) {
  return { address: asked.address, origin: asked.origin }
}

function sessionOf({ params }: Case): SessionId {
  return sessionIn(params['sessionId'] ?? '')
}
