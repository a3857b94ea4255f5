// Who signed a call, and whether its application may make calls now. The order of the checks decides which error a call with
// several faults gets. Knows nothing of the methods themselves.

import type { Context } from 'hono'
import type { Core } from '../../core/core.ts'
import { isDomainError, overload } from '../../core/errors.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import type { FaceEnv } from '../face.ts'
import { addressOf, logOf, noteSignIn, requestIdOf } from '../http.ts'
import { CallError } from './errors.ts'
import { single } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import { isSignature, isWithinWindow, readTimestamp, signedText } from './signature.ts'
import { presentTime } from './wire.ts'

type FaceContext = Context<FaceEnv>

/** One call after sign-in. */
export interface Call {
  readonly core: Core
  readonly parameters: Parameters
  readonly principal: Principal
  /** The one that signed. */
  readonly application: ApplicationRecord
}

export async function signIn(c: FaceContext, core: Core, parameters: Parameters): Promise<Call> {
  const { application, principal } = await verify(c, core, parameters).catch(refuseOutage)
  noteSignIn(c, principal)
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  return { core, parameters, principal, application }
}

async function verify(c: FaceContext, core: Core, parameters: Parameters) {
  const appid = single(parameters, 'appid', 102)
  if (!appid) throw new CallError(101, 'The application id (appid param) is missing')
  const application = await core.applications.find(appid)
  if (application === undefined) throw unknownApplication()
  const sig = single(parameters, 'sig', 104)
  // Known live message (support.scorm.com, article 206163036).
  if (!sig) throw new CallError(103, 'Request signature (sig param) missing')
  checkTimestamp(single(parameters, 'ts', 106), core.clock.now())
  const { organisationId } = application
  return { application, principal: await verifySignature(c, core, parameters, { appid, sig, organisationId }) }
}

function checkTimestamp(ts: string | undefined, now: number): void {
  if (!ts) throw new CallError(105, 'The timestamp (ts param) is missing')
  const time = readTimestamp(ts)
  if (time === undefined) throw new CallError(106, 'The timestamp (ts param) must be a UTC time as yyyyMMddHHmmss')
  if (isWithinWindow(time, now)) return
  // The first sentence is what the live service says (facts 1.6).
  const message = `Timestamp sent is outside of expiration limit. It is ${presentTime(now)} UTC here; check the clock.`
  throw new CallError(107, message)
}

interface Signed {
  readonly appid: string
  readonly sig: string
  readonly organisationId: OrganisationId
}

async function verifySignature(
  c: FaceContext,
  core: Core,
  parameters: Parameters,
  { appid, sig, organisationId }: Signed,
): Promise<Principal> {
  const text = signedText(parameters)
  try {
    return await core.signIn.signed({
      ...{ key: appid, within: organisationId, ...addressOf(c) },
      accepts: ({ kind }) => kind === 'application',
      fits: (secret) => isSignature(sig, secret, text),
    })
  } catch (error) {
    if (!isDomainError(error) || error.code !== 'unauthenticated') throw error
    const { decidedBy } = error.detail
    if (decidedBy === 'signature') logMismatch(c, { appid, text })
    throw refusalOf(decidedBy)
  }
}

function refusalOf(decidedBy: string | undefined): CallError {
  switch (decidedBy) {
    case 'key':
      return unknownApplication()
    case 'disabled':
    case 'expired':
      return new CallError(102, 'This application (appid param) is switched off')
    case 'secret_disabled':
    case 'secret_expired':
      return new CallError(104, 'The secret key this call is signed with is no longer in use')
    default:
      // Known live message (facts 1.6).
      return new CallError(
        104,
        'The signature attached to the call does not match the signature generated on the server.',
      )
  }
}

/** "104 is hard to debug": whoever runs the server can compare what was hashed. Told to nobody else. */
const longestLogged = 4_000

function logMismatch(c: FaceContext, { appid, text }: { readonly appid: string; readonly text: string }): void {
  const hashed = `***${text.length > longestLogged ? `${text.slice(0, longestLogged)}…` : text}`
  logOf(c)?.debug?.({ requestId: requestIdOf(c), appid, hashed }, 'signature does not match; *** is the secret key')
}

function unknownApplication(): CallError {
  return new CallError(102, 'The application id (appid param) is not known')
}

/** What fails before anybody is signed in is the store of the keys. Too many guesses or requests are not. */
function refuseOutage(error: unknown): never {
  if (isDomainError(error)) {
    const isOutage = error.code === 'unavailable' && error.detail.decidedBy !== overload
    if (!isOutage && error.code !== 'internal') throw error
    const { code, detail } = error
    throw new CallError(108, 'The keys of this call cannot be looked up at the moment', { code, detail, cause: error })
  }
  throw new CallError(108, 'The keys of this call cannot be looked up', { code: 'internal', cause: error })
}
