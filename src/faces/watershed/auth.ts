// Who is asking on Watershed's paths, and whether they may: API access, one's own credential, the rate of this API.
// Knows nothing of the operations themselves.

import type { Context } from 'hono'
import type { AccessRequest } from '../../core/access.ts'
import type { Core } from '../../core/core.ts'
import { DomainError, invalid } from '../../core/errors.ts'
import type { CredentialId, OrganisationId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { FaceEnv } from '../face.ts'
import { HttpError, addressOf, authenticate, mediaTypeOf, readJson } from '../http.ts'
import { readId } from './wire.ts'

/** "3000 requests per minute per credential set" (Watershed's APIs). A session or token counts for its credential. */
const apiRate = { perMinute: 3000 }

export type FaceContext = Context<FaceEnv>

/** One request after sign-in. */
export interface Call {
  readonly c: FaceContext
  readonly core: Core
  readonly principal: Principal
}

export async function signIn(c: FaceContext, core: Core): Promise<Call> {
  const principal = await authenticate(c, core, { within: organisationOf(c.req.param('orgId')) })
  await admit(c, core, principal)
  return { c, core, principal }
}

export async function admit(c: FaceContext, core: Core, principal: Principal): Promise<void> {
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  await core.limits.consume('watershed', String(principal.credentialId), apiRate)
}

/** An organisation nobody has is refused like one that is somebody else's: by 401, after a look at the credentials. */
export function organisationOf(segment: string | undefined): OrganisationId {
  const id = readId(segment ?? '')
  if (id !== undefined) return id as OrganisationId
  if (/^\d+$/.test(segment ?? ''))
    throw new DomainError('unauthenticated', 'No such organisation for these credentials')
  throw new DomainError('not_found', 'The organisation id in the path must be an integer')
}

/**
 * What counts as API access, whatever the operation: the entity of this API holds the secret, so whoever sees one could act
 * as its key. Which of reading, writing and deleting is asked of core on top.
 */
export const apiAccess = { kind: 'manage', area: 'credentials', action: 'write' } as const satisfies AccessRequest

export function requireApiAccess({ core, principal }: Pick<Call, 'core' | 'principal'>): void {
  const decision = core.access.explain(principal, apiAccess)
  // 401 and not 403 is what Watershed answers (mod_tincanlaunch #149).
  if (!decision.allowed) throw new HttpError('forbidden', 401, 'these credentials have no Watershed API access')
}

/**
 * The credential that `{id}` names, `self` being the caller's. With `own`, whoever presents a credential's own key and
 * secret needs no API access for it; a session or token does: it would read its parent's secret, or outlive itself.
 */
export function targetOf(call: Call, own: 'own' | 'managed' = 'managed'): CredentialId {
  const { c, principal } = call
  const id = credentialIn(principal, c.req.param('id') ?? '')
  if (own === 'managed' || !isOwnCredential(principal, id)) requireApiAccess(call)
  if (id === undefined) throw noSuchCredential()
  return id
}

/** Which credential a segment of the path names. */
export function credentialIn(principal: Principal, segment: string): CredentialId | undefined {
  return segment === 'self' ? principal.credentialId : (readId(segment) as CredentialId | undefined)
}

/** Whether the principal presented this credential's own key and secret. */
export function isOwnCredential(principal: Principal, id: CredentialId | undefined): boolean {
  return id === principal.credentialId && principal.signedInBy === 'basic' && principal.sessionId === undefined
}

/** A credential is a handful of short strings; more than this is a mistake. */
const bodyLimitBytes = 256 * 1024

/** "All POST and PUT must carry Content-Type application/json"; WatershedPHP sends none where there is no body. */
export async function bodyOf({ c }: Call): Promise<unknown> {
  const body = await readJson(c, bodyLimitBytes)
  if (body === undefined || mediaTypeOf(c).type === 'application/json') return body
  throw invalid('The Content-Type of the request must be application/json')
}

export function queryOf({ c }: Call): URLSearchParams {
  return new URL(c.req.url).searchParams
}

export function noSuchCredential(): DomainError {
  return new DomainError('not_found', 'There is no key with this id')
}
