// Signs requests as clients do that know nothing of this server: with npm's oauth-1.0a, and node:crypto for the hashes.

import { createHash, createHmac, createSign, randomBytes } from 'node:crypto'
import OAuth from 'oauth-1.0a'

export interface Signer {
  readonly key: string
  readonly secret: string
}

export interface ToSign {
  readonly method: string
  /** Absolute. */
  readonly url: string
  /** The fields of a form. */
  readonly form?: Readonly<Record<string, string | readonly string[]>>
  /** Signed by its hash. */
  readonly body?: string | Uint8Array
}

export interface Signing {
  /** `HMAC-SHA1` unless given. */
  readonly method?: string
  /** PEM, for RSA-SHA1. */
  readonly privateKey?: string
  readonly realm?: string
  /** Milliseconds; the true time unless given. */
  readonly now?: number
  readonly nonce?: string
  /** More that is signed, or other than it would be: null takes it away. */
  readonly protocol?: Readonly<Record<string, string | null>>
}

export interface Signed {
  /** Of the protocol, by name. */
  readonly params: Readonly<Record<string, string>>
  readonly base: string
}

/** The parameters that make the request a signed one. */
export function sign(signer: Signer, request: ToSign, signing: Signing = {}): Signed {
  const { method: signature_method = 'HMAC-SHA1', privateKey, now = Date.now(), protocol = {} } = signing
  const hash_function = (base: string, key: string): string => {
    if (privateKey !== undefined) return createSign('RSA-SHA1').update(base).sign(privateKey, 'base64')
    return createHmac(hashOf(signature_method), key).update(base).digest('base64')
  }
  const oauth = new OAuth({ consumer: signer, signature_method, hash_function })
  const unsigned = Object.entries({
    oauth_consumer_key: signer.key,
    oauth_nonce: signing.nonce ?? randomBytes(8).toString('hex'),
    oauth_signature_method: signature_method,
    oauth_timestamp: String(Math.floor(now / 1000)),
    oauth_version: '1.0',
    ...(request.body !== undefined && { oauth_body_hash: hashOfBody(request.body, signature_method) }),
    ...protocol,
  }).filter((entry): entry is [string, string] => entry[1] !== null)
  const params = Object.fromEntries(unsigned)
  // It signs a form beside a hash of the body as little as the draft says.
  const described = { method: request.method, url: request.url, data: { ...request.form } }
  const data = params as unknown as OAuth.Data
  return {
    params: { ...params, oauth_signature: oauth.getSignature(described, undefined, data) },
    base: oauth.getBaseString(described, data),
  }
}

/** The header that says so. */
export function headerOf({ params }: Signed, realm?: string): string {
  const oauth = new OAuth({ consumer: { key: '', secret: '' }, ...(realm !== undefined && { realm }) })
  return oauth.toHeader(params as unknown as OAuth.Authorization).Authorization
}

function hashOf(method: string): string {
  return method.endsWith('256') ? 'sha256' : 'sha1'
}

export function hashOfBody(body: string | Uint8Array, method = 'HMAC-SHA1'): string {
  return createHash(hashOf(method)).update(body).digest('base64')
}
