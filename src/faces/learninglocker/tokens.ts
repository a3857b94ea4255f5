// The token endpoint: OAuth 2.0 client credentials (RFC 6749 section 4.4), for the xAPI and nothing else (facts 2.1).

import type { Core } from '../../core/core.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { Principal } from '../../core/principal.ts'
import { parseJson } from '../../core/xapi/json.ts'
import { isObject } from '../../core/xapi/rule.ts'
import { addressOf, mediaTypeOf, noteSignIn, readText } from '../http.ts'
import type { Asking, FaceContext } from './auth.ts'
import { VendorError } from './errors.ts'

const bodyLimitBytes = 16 * 1024
const lifeSeconds = 3600

/**
 * Answers a signed token where the product answers a UUID it stores: to clients either is opaque. It is worth no more than the
 * client's scopes were when it was made, falls with the client's secret, and manages nothing anywhere.
 */
export async function createToken({ c, core }: Asking): Promise<Response> {
  const { key, secret } = readRequest(await readFields(c))
  const principal = await signInClient(c, core, { key, secret })
  await core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin') })
  const rights = { xapi: principal.rights.xapi, management: [] }
  const { token, expireSeconds } = await core.tokens.issue(principal, { rights, expireSeconds: lifeSeconds })
  return c.json({ access_token: token, token_type: 'bearer', expires_in: expireSeconds })
}

/** The product knows POST only, and answers anything else as a path that is not there. */
export function noToken(): Promise<Response> {
  return Promise.reject(new DomainError('not_found', 'Tokens are asked for by POST'))
}

type Fields = ReadonlyMap<string, unknown>

async function readFields(c: FaceContext): Promise<Fields> {
  const { type } = mediaTypeOf(c)
  const text = await readText(c, bodyLimitBytes)
  if (type === 'application/x-www-form-urlencoded') return formFields(new URLSearchParams(text))
  if (type !== 'application/json') return new Map()
  const body = readObject(text)
  return new Map(Object.entries(body ?? {}))
}

/** What is sent twice means nothing. */
function formFields(form: URLSearchParams): Fields {
  return new Map([...form].filter(([name]) => form.getAll(name).length === 1))
}

function readObject(text: string): object | undefined {
  try {
    const body = parseJson(text)
    return isObject(body) ? body : undefined
  } catch (error) {
    if (isDomainError(error)) return undefined
    throw error
  }
}

/** All 400, in this order; nothing but text is a key or a secret. */
function readRequest(fields: Fields): { readonly key: string; readonly secret: string } {
  const [grant, key, secret] = ['grant_type', 'client_id', 'client_secret'].map((name) => fields.get(name))
  if (typeof grant !== 'string' || typeof key !== 'string' || typeof secret !== 'string') {
    throw refusal('invalid_request', 'grant_type, client_id and client_secret are each sent once, as text')
  }
  if (grant !== 'client_credentials') throw refusal('unsupported_grant_type', 'grant_type must be client_credentials')
  return { key, secret }
}

/** Not 401, as RFC 6749 section 5.2 allows it, too. */
async function signInClient(
  c: FaceContext,
  core: Core,
  presented: { key: string; secret: string },
): Promise<Principal> {
  const principal = await core.signIn.basic({ ...presented, ...addressOf(c) }).catch((error: unknown) => {
    if (!isDomainError(error) || error.code !== 'unauthenticated') throw error
    throw refusal('invalid_client', error.message)
  })
  noteSignIn(c, principal)
  // The product has neither sessions nor keys of any other kind.
  if (principal.sessionId === undefined && principal.kind === 'client') return principal
  throw refusal('invalid_client', 'Send the key and the secret of a client')
}

function refusal(error: string, message: string): VendorError {
  return new VendorError(400, { error }, message, error === 'invalid_client' ? 'unauthenticated' : 'invalid')
}
