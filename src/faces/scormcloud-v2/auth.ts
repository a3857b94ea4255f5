// Who is asking, and whether an operation is for them: which kind of key signs in, and which word of a token's scopes will do.
// Knows nothing of the operations themselves.

import type { Context } from 'hono'
import type { Core } from '../../core/core.ts'
import type { ApplicationId } from '../../core/ids.ts'
import { DomainError } from '../../core/errors.ts'
import type { Principal } from '../../core/principal.ts'
import type { FaceEnv } from '../face.ts'
import { addressOf, authenticate, readJson } from '../http.ts'
import { unfit } from './errors.ts'
import type { Scope } from './scopes.ts'

export type FaceContext = Context<FaceEnv>

/** One request after sign-in. */
export interface Call {
  readonly c: FaceContext
  readonly core: Core
  readonly principal: Principal
}

/** Whose keys an operation is for: an application's own (APP_NORMAL), or those that manage applications (APP_MANAGEMENT). */
export type KeyKind = 'application' | 'management'

export interface Admission {
  readonly keys: readonly KeyKind[]
  /** Any of them will do in a token; none: no token signs in here. */
  readonly scopes: readonly Scope[]
}

export async function signIn(c: FaceContext, core: Core, admission: Admission): Promise<Call> {
  const principal = await authenticate(c, core)
  const refused = refusalFor(principal, admission)
  if (refused) throw refused
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  return { c, core, principal }
}

/** Why the operation is not for this principal. */
export function refusalFor(principal: Principal, { keys, scopes }: Admission): DomainError | undefined {
  const { kind, scopes: granted = [], sessionId, signedInBy } = principal
  // Keys for xAPI are unknown here, and so are sessions: this API has neither.
  if (kind === 'client' || sessionId !== undefined) return new DomainError('unauthenticated', 'Not a key of this API')
  if (!keys.includes(kind)) return unfit(wrongKey[kind])
  if (signedInBy !== 'bearer') return undefined
  if (scopes.length === 0) return unfit('No token will do here: send the application id and its secret key')
  if (scopes.some((scope) => granted.includes(scope))) return undefined
  return unfit(`The token has none of the scopes that will do here: ${scopes.join(', ')}`)
}

const wrongKey: Readonly<Record<KeyKind, string>> = {
  application: 'This needs the id and a secret key of application management, not those of an application',
  management: 'This needs the id and a secret key of an application, not those of application management',
}

/** The application that signed in: its id is its key. */
export function ownApplication({ principal }: Pick<Call, 'principal'>): ApplicationId {
  return principal.key as ApplicationId
}

/** What this API takes is a handful of short strings, or all settings at once. */
const bodyLimitBytes = 256 * 1024

/** As JSON, whatever media type it claims. */
export function bodyOf({ c }: Pick<Call, 'c'>): Promise<unknown> {
  return readJson(c, bodyLimitBytes)
}

export function queryOf({ c }: Pick<Call, 'c'>): URLSearchParams {
  return new URL(c.req.url).searchParams
}
