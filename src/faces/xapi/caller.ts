// Who sends a call: where its path leads, who signs in there, and whether it is still the same when the body has arrived.

import { DomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { XapiPlace } from '../face.ts'
import { authenticate } from '../http.ts'
import { signInBySignature, whoSigned } from '../oauth.ts'
import type { AdmittedCall, Call } from './call.ts'

/** Where the path of the call leads; looked up anew each time, for it may change while a body arrives. */
export function placeOf({ c, core, mount }: Pick<Call, 'c' | 'core' | 'mount'>): XapiPlace | Promise<XapiPlace> {
  return mount.place(core, mount.prefix.includes(':') ? (c.req.param() as Record<string, string>) : noParams)
}

const noParams: Readonly<Record<string, string>> = {}

export function signIn({ c, core, header, signed }: Call, { within, elsewhere }: XapiPlace): Promise<Principal> {
  if (signed) return signInBySignature(c, core, signed, within)
  return authenticate(c, core, { within, elsewhere, authorization: header('Authorization') })
}

/**
 * Once the body is there, before anything of it is stored: it may have taken hours, and who began to send it may be nobody any
 * more (`unauthenticated`), or somebody else than was admitted (`unavailable`: sent again, it is decided anew).
 */
export async function confirmCaller(call: AdmittedCall): Promise<void> {
  const { core, principal, since, lrsId } = call
  if (core.signIn.isCurrent(principal, since)) return
  const place = await placeOf(call)
  // A signature signs in once: of the same request it is only asked again whose it is.
  const now = await (call.signed ? whoSigned(call.c, core, call.signed, place.within) : signIn(call, place))
  if (standingOf(now, lrsId) === standingOf(principal, lrsId)) return
  const detail = { retryAfterSeconds: 1 }
  const message = 'What this key may do was changed while the body arrived; nothing was stored. Send it again'
  throw new DomainError('unavailable', message, { detail })
}

/** All that was decided by, or will be stored. Of the Lrs that are closed the one in question: others open and close any time. */
function standingOf(principal: Principal, lrsId: LrsId): string {
  const { credentialId, rights, pins, limits, lrsIds, defaultLrsId, authority } = principal
  const isClosed = principal.closedLrsIds.includes(lrsId)
  return JSON.stringify([credentialId, rights, pins, limits, lrsIds, defaultLrsId, authority, isClosed])
}
