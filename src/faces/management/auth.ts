// Who is asking on these paths. Knows nothing of the operations.

import type { Context } from 'hono'
import type { Core } from '../../core/core.ts'
import type { Principal } from '../../core/principal.ts'
import type { FaceEnv } from '../face.ts'
import { addressOf, authenticate } from '../http.ts'

/** One request after sign-in. */
export interface Call {
  readonly c: Context<FaceEnv>
  readonly core: Core
  readonly principal: Principal
}

export async function signIn(c: Context<FaceEnv>, core: Core): Promise<Call> {
  const principal = await authenticate(c, core)
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  return { c, core, principal }
}
