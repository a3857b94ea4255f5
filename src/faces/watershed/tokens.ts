// The token endpoint: OAuth 2.0 client credentials (RFC 6749 section 4.4), with Watershed's parameters.

import type { Core } from '../../core/core.ts'
import { isDomainError } from '../../core/errors.ts'
import type { Principal } from '../../core/principal.ts'
import { addressOf, mediaTypeOf, parseAuthorization, readText } from '../http.ts'
import { admit, organisationOf } from './auth.ts'
import type { FaceContext } from './auth.ts'
import { TokenError } from './errors.ts'
import { readTokenRequest } from './wire.ts'
import type { TokenRequest } from './wire.ts'
import { coversScope, scopedRights, scopesOf } from './words.ts'

interface Client {
  readonly key: string
  readonly secret: string
}

const formLimitBytes = 16 * 1024

export async function createToken(c: FaceContext, core: Core): Promise<Response> {
  const within = organisationOf(c.req.param('orgId'))
  const request = readTokenRequest(await readForm(c))
  const principal = await signInClient(clientOf(c, request), (client) =>
    core.signIn.basic({ ...client, within, ...addressOf(c) }),
  )
  c.set('principal', principal)
  await admit(c, core, principal)
  refuseBeyond(principal, request)
  const { scopes, expireSeconds } = request
  const issued = await core.tokens.issue(principal, {
    expireSeconds,
    ...(scopes.length > 0 && { rights: scopedRights(principal.rights, scopes) }),
  })
  return c.json(
    {
      access_token: issued.token,
      token_type: 'Bearer',
      expires_in: issued.expireSeconds,
      scope: (scopes.length > 0 ? scopes : scopesOf(principal.rights)).join(' '),
    },
    200,
    { Pragma: 'no-cache' },
  )
}

async function readForm(c: FaceContext): Promise<URLSearchParams> {
  if (mediaTypeOf(c).type !== 'application/x-www-form-urlencoded') {
    throw new TokenError('invalid_request', 'The Content-Type must be application/x-www-form-urlencoded')
  }
  return new URLSearchParams(await readText(c, formLimitBytes))
}

/** In the form, as Watershed documents it, or as Basic, as RFC 6749 section 2.3.1 prefers; one of the two. */
function clientOf(c: FaceContext, request: TokenRequest): Client {
  const presented = parseAuthorization(c.req.header('Authorization'))
  const { clientId, clientSecret } = request
  if (presented === undefined) {
    if (clientId !== undefined && clientSecret !== undefined) return { key: clientId, secret: clientSecret }
    throw new TokenError('invalid_request', 'client_id and client_secret are missing')
  }
  if (presented.kind !== 'basic') throw new TokenError('invalid_request', 'A token cannot be exchanged for a token')
  if (clientSecret !== undefined || (clientId !== undefined && clientId !== presented.key)) {
    throw new TokenError('invalid_request', 'Send the credentials in the form or as Basic, not both')
  }
  return presented
}

/** RFC 6749 section 2.3.1 has key and secret form-encoded within Basic; most clients send them plain, so that goes first. */
async function signInClient(client: Client, signIn: (client: Client) => Promise<Principal>): Promise<Principal> {
  try {
    return await signIn(client)
  } catch (error) {
    const decoded = { key: formDecoded(client.key), secret: formDecoded(client.secret) }
    const isPlain = decoded.key === client.key && decoded.secret === client.secret
    if (isPlain || !isDomainError(error) || error.code !== 'unauthenticated') throw error
    return signIn(decoded)
  }
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function refuseBeyond(principal: Principal, { scopes }: TokenRequest): void {
  if (principal.sessionId !== undefined) {
    throw new TokenError('unauthorized_client', 'The key of a session gets no token')
  }
  const beyond = scopes.filter((scope) => !coversScope(principal.rights, scope))
  if (beyond.length > 0) {
    throw new TokenError('invalid_scope', `${beyond.join(', ')} is more than the key itself may do`)
  }
}
