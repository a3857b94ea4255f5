// SCORM Cloud's xAPI paths: an application's live and sandbox Lrs under every name they have had. Errors are plain text, as
// clients show them. Which keys there are is the business of the two management APIs, each a face of its own.

import { Hono } from 'hono'
import { DomainError } from '../../core/errors.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { Face, FaceEnv, XapiMount, XapiPlace } from '../face.ts'
import { presentError } from './errors.ts'

/** Facts 1.8: the path of today, and the two older ones that endpoints in the field still have. */
const roots = { lrs: '/lrs', tc: '/tc', engine: '/RusticiEngine/lrs' }

export const xapiMounts: readonly XapiMount[] = Object.entries(roots).flatMap(([name, root]) => [
  { name: `scormcloud ${name}`, prefix: `${root}/:appId`, place: placeIn('live'), presentError },
  { name: `scormcloud ${name} sandbox`, prefix: `${root}/:appId/sandbox`, place: placeIn('sandbox'), presentError },
])

function placeIn(part: 'live' | 'sandbox'): XapiMount['place'] {
  return async (core, { appId = '' }) => {
    const application = await core.applications.find(appId)
    if (application === undefined) return nowhere
    const lrsId = part === 'live' ? application.liveLrsId : application.sandboxLrsId
    return {
      within: application.organisationId,
      lrsId,
      lrs: (principal) => reached(principal, lrsId, part === 'live' ? application.id : `${application.id}_sandbox`),
      elsewhere: (presented) => core.callbacks.elsewhere(application, presented),
    }
  }
}

/** No organisation has this id: whoever signs in is looked for, and not found. */
const nobody = 0 as OrganisationId
const nothing = 'There is no such application (401), whichever key asks.'
const nowhere: XapiPlace = {
  within: nobody,
  nothing,
  lrs: () => {
    throw new DomainError('unauthenticated', nothing)
  },
}

/** `endpoint`: the vendor's word for the Lrs (facts 1.8). */
function reached({ kind, lrsIds }: Principal, lrsId: LrsId, endpoint: string): LrsId {
  if (kind !== 'client') {
    const remedy = 'Make an activity provider (API v1) or an xAPI credential (API v2) and use its key and secret.'
    const message = `The key of an application manages it, and reaches no xAPI. ${remedy}`
    throw new DomainError('forbidden', message, { detail: { decidedBy: 'kind', remedy } })
  }
  if (lrsIds.includes(lrsId)) return lrsId
  const remedy = `Add ${endpoint} to its allowed endpoints, or use its own.`
  const message = `This key does not reach the Lrs of this path. ${remedy}`
  throw new DomainError('forbidden', message, { detail: { decidedBy: 'lrs', remedy } })
}

export const scormcloudXapi: Face = {
  name: 'scormcloud-xapi',
  mounts: [],
  routes: () => new Hono<FaceEnv>(),
  xapiMounts,
}
