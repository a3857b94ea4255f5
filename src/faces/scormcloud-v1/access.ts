// What a call would meet, without sending it: the answer to the command line's `ask`. Follows the methods step by step; what
// they would change is only explained.

import type { Core } from '../../core/core.ts'
import { demand } from '../../core/grant.ts'
import type { Principal } from '../../core/principal.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import type { Access, AskedRequest, Judgement } from '../face.ts'
import { methodOf } from './methods.ts'
import type { Needs } from './methods.ts'
import { findProvider, realmOf } from './providers.ts'
import type { Parameters } from './parameters.ts'

export function accessFor(asked: AskedRequest): Access {
  if (asked.method === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  if (asked.method !== 'GET' && asked.method !== 'POST') {
    return { kind: 'refused', decidedBy: 'method', reason: `${asked.method} is not offered here, whichever key asks.` }
  }
  const parameters = grouped(asked.query)
  const method = methodOf(parameters)
  if (!method.isSigned) return { kind: 'public', reason: `${method.name} is answered without any key.` }
  return { kind: 'key', judge: (core, principal) => judge({ asked, parameters, core, principal }, method.needs) }
}

interface Case {
  readonly asked: AskedRequest
  readonly parameters: Parameters
  readonly core: Core
  readonly principal: Principal
}

async function judge(it: Case, needs: Needs | undefined): Promise<Judgement> {
  const { core, principal, asked } = it
  const application = principal.kind === 'application' ? await core.applications.find(principal.key) : undefined
  if (application === undefined) {
    const reason = 'Calls of this API are signed with the key of an application; to any other it answers error 102.'
    return { allowed: false, decidedBy: 'kind', reason }
  }
  const arrival = { address: asked.address, origin: asked.origin }
  const arriving = core.access.explain(principal, { kind: 'manage', area: 'credentials', action: 'read', arrival })
  if (arriving.decidedBy.startsWith('limit ')) return arriving
  if (needs === undefined) {
    return { allowed: true, decidedBy: 'signature', reason: 'Whoever signs with a secret of an application may.' }
  }
  await core.applications.manage(principal, needs.area, needs.action, application.id)
  const decidedBy = `manage/${needs.area}/${needs.action}`
  return {
    ...{ allowed: true, decidedBy, reason: `${decidedBy} is granted for application ${application.id}.` },
    ...(needs.isOfOne && (await judgeOne(it, application, needs))),
  }
}

async function judgeOne(it: Case, application: ApplicationRecord, { action }: Needs): Promise<Partial<Judgement>> {
  const depends = action === 'write' ? ['what the call asks for'] : []
  if (!it.parameters.has('accountkey')) return { depends: [...depends, 'accountkey'] }
  const realm = await realmOf({ ...it, application })
  const { id } = await findProvider(it, realm)
  demand(await it.core.credentials.explain(realm.caller, action === 'delete' ? 'delete' : 'write', id))
  return { depends }
}

function grouped(query: URLSearchParams): Parameters {
  return new Map([...query.keys()].map((name) => [name, query.getAll(name)]))
}
