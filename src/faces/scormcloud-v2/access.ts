// What a request to this API would meet, without sending it: the answer to the command line's `ask`. Follows sign-in and the
// operations step by step; what they would change is only explained.

import type { Core } from '../../core/core.ts'
import { DomainError } from '../../core/errors.ts'
import type { ApplicationId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { ManagementAction, ManagementArea } from '../../core/rights.ts'
import type { Access, AskedRequest, Judgement } from '../face.ts'
import { refusalFor } from './auth.ts'
import type { Admission } from './auth.ts'
import { findSetting } from './settings-catalogue.ts'

export interface Asked extends Admission {
  readonly asked: AskedRequest
  /** Of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly needs?: { readonly area: ManagementArea; readonly action: ManagementAction } | undefined
}

export function accessOf(it: Asked): Access {
  return { kind: 'key', judge: (core, principal) => judge(it, core, principal) }
}

export const refuseMethod = (method: string): Access => {
  return { kind: 'refused', decidedBy: 'method', reason: `${method} is not offered here (405), whichever key asks.` }
}
export const refuseService = (service: string): Access => {
  return {
    kind: 'refused',
    decidedBy: 'path',
    reason: `The service ${service} is not offered (501), whichever key asks.`,
  }
}
export const refusePath: Access = {
  kind: 'refused',
  decidedBy: 'path',
  reason: 'There is nothing at this path (404), whichever key asks.',
}

async function judge(it: Asked, core: Core, principal: Principal): Promise<Judgement> {
  const { address, origin, method } = it.asked
  const unfit = refusalFor(principal, it)
  if (unfit) return { allowed: false, decidedBy: 'kind of key', reason: `${unfit.message} (401).` }
  const area = it.needs?.area ?? 'settings'
  const arrival = core.access.explain(principal, { kind: 'manage', area, action: 'read', arrival: { address, origin } })
  if (arrival.decidedBy.startsWith('limit ')) return arrival
  const decision = await decide(it, core, principal)
  if (!decision.allowed) return decision
  await demandTarget(it, core, principal)
  const depends = [
    ...(method === 'POST' || method === 'PUT' ? ['what the body asks for'] : []),
    ...(it.params['credentialId'] === undefined ? [] : ['whether the application has this secret key']),
  ]
  return { ...decision, ...(depends.length > 0 && { depends }) }
}

async function decide({ needs }: Asked, core: Core, principal: Principal): Promise<Judgement> {
  if (needs === undefined) {
    return { allowed: true, decidedBy: 'own secret', reason: 'Whoever presents a key and its secret is answered.' }
  }
  const { area, action } = needs
  if (area === 'applications') {
    return core.access.explain(principal, { kind: 'manage', area, action, bound: { kind: 'applications' } })
  }
  const own = await core.applications.find(principal.key)
  const lrsIds = own === undefined || area === 'settings' ? [] : [own.liveLrsId, own.sandboxLrsId]
  const bound = { kind: 'application', id: principal.key, lrsIds } as const
  return core.access.explain(principal, { kind: 'manage', area, action, bound })
}

/** Throws what the operation would where its path names what is not there. */
async function demandTarget({ params, asked, needs }: Asked, core: Core, principal: Principal): Promise<void> {
  const { childAppId, settingId, xapiCredentialId } = params
  if (childAppId !== undefined) {
    const found = await core.applications.find(childAppId as ApplicationId)
    const isOwn = found?.organisationId === principal.organisationId
    if (!isOwn) throw new DomainError('not_found', `There is no application ${childAppId}.`)
  }
  if (settingId !== undefined) findSetting(settingId, 'settingId')
  if (xapiCredentialId !== undefined && asked.method !== 'PUT') {
    const filter = { kind: 'client', key: xapiCredentialId } as const
    const found = await core.credentials.findByKey(principal, needs?.action ?? 'read', filter)
    if (found === undefined) throw new DomainError('not_found', 'The application has no xAPI credential of this id')
  }
}
