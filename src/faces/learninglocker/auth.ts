// Who is asking: a client, by HTTP Basic; and whether an operation is for them. Knows nothing of the operations themselves.

import type { Context } from 'hono'
import { authorise, refusalOf } from '../../core/access.ts'
import type { Core } from '../../core/core.ts'
import { DomainError } from '../../core/errors.ts'
import type { Principal } from '../../core/principal.ts'
import type { FaceEnv, Judgement } from '../face.ts'
import { addressOf, authenticate } from '../http.ts'
import { hasAll } from './words.ts'

export type FaceContext = Context<FaceEnv>

/** One request of whoever it may be. */
export interface Asking {
  readonly c: FaceContext
  readonly core: Core
}

/** Whoever asks, however. */
export interface Asker {
  readonly core: Core
  readonly principal: Principal
}

/** One request after sign-in. */
export interface Call extends Asking, Asker {}

/**
 * What an operation asks of a client: `all` for clients, stores and the organisation (facts 2.1); for statements the right
 * itself, which the product forgot to ask (facts 0.8); `none` where any client will do.
 */
export type Needs = 'all' | 'statements/read' | 'statements/delete' | 'none'

export async function signIn(c: FaceContext, core: Core, needs: Needs): Promise<Call> {
  const principal = await authenticate(c, core)
  demandClient(principal)
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  demandNeeds(principal, needs)
  return { c, core, principal }
}

/** A bearer token is for the xAPI only (facts 2.1); what else is no client of the product's is unknown to it, too. */
export function demandClient({ signedInBy, sessionId }: Principal): void {
  if (signedInBy === 'basic' && sessionId === undefined) return
  throw new DomainError('unauthenticated', 'Send the key and the secret of a client')
}

/** Throws `forbidden`. What core asks comes on top, wherever something is read or changed. */
export function demandNeeds(principal: Principal, needs: Needs): void {
  if (needs === 'statements/read' || needs === 'statements/delete') authorise(principal, { kind: 'xapi', right: needs })
  if (needs !== 'all') return
  const decision = explainAll(principal)
  if (!decision.allowed) throw refusalOf(decision)
}

/** `xapi/all` alone will not do (facts 0.8). */
export function explainAll({ rights, name }: Principal): Judgement {
  const decidedBy = 'scope all'
  if (hasAll(rights)) return { allowed: true, decidedBy, reason: 'The client has the scope all.' }
  const reason = 'This needs a client with the scope all; none of the other scopes will do.'
  const remedy = `Give "${name}" the scope all, or ask another client.`
  return { allowed: false, decidedBy, reason, remedy, preset: 'learninglocker/all' }
}

export function queryOf({ c }: Asking): URLSearchParams {
  return new URL(c.req.url).searchParams
}
