// OAuth 1.0a with nothing but a key and its secret (RFC 5849 without tokens, "two-legged"): reads what a signed request presents
// and signs in whoever it was signed by. Knows no vendor and no xAPI; base strings are oauth-sign's.

import { constants, createHash, createHmac, timingSafeEqual, verify } from 'node:crypto'
import type { Context } from 'hono'
import { generateBase, rfc3986 } from 'oauth-sign'
import type { Core } from '../core/core.ts'
import { invalid, isDomainError } from '../core/errors.ts'
import type { DomainError, Failure } from '../core/errors.ts'
import type { OrganisationId } from '../core/ids.ts'
import type { Principal } from '../core/principal.ts'
import type { CredentialRecord } from '../core/storage.ts'
import type { FaceEnv } from './face.ts'
import { HttpError, addressOf, noteSignIn } from './http.ts'

export type Pair = readonly [name: string, value: string]

/** A request as it was sent, for RFC 5849 to be applied to. */
export interface SentRequest {
  readonly method: string
  /** With its query; what stands before the path does not count. */
  readonly url: string
  /** The Authorization header, where it is of this scheme. */
  readonly authorization?: string | undefined
  /** The fields of a body that is a form (section 3.4.1.3.1), decoded. */
  readonly form?: readonly Pair[] | undefined
}

export interface BodyCheck {
  add(bytes: Uint8Array): void
  end(): void
}

/** Seconds between the client's clock and ours, either way. */
export const windowSeconds = 300
/** Nonces are kept for longer than they may come again: nodes' clocks differ, too. */
const rememberedSeconds = 2 * windowSeconds
const longestNonce = 200
const longestSignature = 4096
/** Of the base string, in a refusal. */
const shownBase = 400

const macs: Readonly<Record<string, string>> = { 'HMAC-SHA1': 'sha1', 'HMAC-SHA256': 'sha256' }
const methods = [...Object.keys(macs), 'RSA-SHA1']

/** Whether the Authorization header means this scheme. */
export function isSigned(authorization: string): boolean {
  return /^oauth(\s|$)/i.test(authorization)
}

/** Whether parameters outside the header are those of this scheme. */
export function areSigned(params: { has(name: string): boolean }): boolean {
  return params.has('oauth_consumer_key') || params.has('oauth_signature')
}

/** Without what is meant for this scheme (section 3.5.3). */
export function withoutSignature(params: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...params].filter(([name]) => !name.startsWith('oauth_')))
}

/** Read, and not yet believed: `signIn` says by whom. */
export class SignedRequest {
  readonly key: string
  /** What the body comes to, where the client says so. */
  readonly #bodyHash: string | undefined
  readonly #method: string
  readonly #signature: string
  readonly #timestamp: number
  readonly #nonce: string
  readonly #sent: SentRequest
  #base: string | undefined

  /** Throws `invalid` for what section 3.2 has a 400 for. */
  constructor(sent: SentRequest) {
    const protocol = protocolOf(paramsOf(sent))
    const read = (name: string, pattern: RegExp, expected: string): string => {
      const value = protocol.get(name) ?? ''
      if (pattern.test(value)) return value
      throw refused(name, `${protocol.has(name) ? 'Expected' : 'It is missing: expected'} ${expected}.`)
    }
    this.#sent = sent
    this.key = read('oauth_consumer_key', /^[^\0]+$/, 'the key')
    this.#method = read('oauth_signature_method', /^(HMAC-SHA(1|256)|RSA-SHA1)$/, `one of ${methods.join(', ')}`)
    const short = new RegExp(`^[^\\0]{1,${longestNonce}}$`, 'u')
    this.#nonce = read('oauth_nonce', short, `1 to ${longestNonce} characters that no other request of this key has`)
    this.#timestamp = Number(read('oauth_timestamp', /^[1-9]\d{0,11}$/, 'seconds since 1970'))
    this.#signature = read(
      'oauth_signature',
      /^[\w+/]{1,4096}={0,2}$/,
      `at most ${longestSignature} characters of base64`,
    )
    if (protocol.has('oauth_version')) read('oauth_version', /^1\.0$/, '1.0, or nothing')
    if (protocol.has('oauth_token'))
      read('oauth_token', /^$/, 'none: requests are signed with a key and its secret alone')
    this.#bodyHash = protocol.has('oauth_body_hash')
      ? read('oauth_body_hash', /^[\w+/]{1,100}={0,2}$/, 'the hash of the body in base64')
      : undefined
    if (this.#bodyHash !== undefined && sent.form !== undefined) {
      throw refused('oauth_body_hash', 'A form is signed itself, and has no hash besides.')
    }
  }

  /** What was to be signed. */
  base({ baseUrl }: Core): string {
    return (this.#base ??= baseStringOf(this.#sent, new URL(baseUrl).origin))
  }

  /** Whether it was signed with this secret, or with the private key to the public one registered. */
  fits(base: string, secret: string, { oauth }: CredentialRecord): boolean {
    const mac = macs[this.#method]
    if (mac !== undefined) {
      const expected = createHmac(mac, `${rfc3986(secret)}&`)
        .update(base)
        .digest('base64')
      return areEqual(expected, this.#signature)
    }
    const signature = Buffer.from(this.#signature, 'base64')
    // One text for one signature: what differs in the bits that base64 drops is another one.
    if (oauth?.publicKey === undefined || signature.toString('base64') !== this.#signature) return false
    const key = { key: oauth.publicKey, padding: constants.RSA_PKCS1_PADDING }
    return verify('sha1', Buffer.from(base), key, signature)
  }

  /**
   * Of a request with a hash of its body ("OAuth Request Body Hash", a draft, for bodies that are no forms): takes it in as it
   * comes, and at its end throws `unauthenticated` where it is another one.
   */
  bodyCheck(): BodyCheck | undefined {
    const expected = this.#bodyHash
    if (expected === undefined) return undefined
    const hash = createHash(macs[this.#method] ?? 'sha1')
    return {
      add: (bytes) => void hash.update(bytes),
      end: () => {
        if (!areEqual(hash.digest('base64'), expected))
          throw unauthenticated('The body is another than oauth_body_hash says.')
      },
    }
  }

  /** Throws `unauthenticated` for a time outside the window. */
  checkTime(now: number): void {
    const late = Math.floor(now / 1000) - this.#timestamp
    if (Math.abs(late) <= windowSeconds) return
    const by = `${Math.abs(late)} seconds ${late > 0 ? 'behind' : 'ahead of'} this server’s clock`
    throw unauthenticated(`oauth_timestamp is ${by}; ${windowSeconds} are accepted. Set the clock of the client.`)
  }

  /** Throws `unauthenticated` when the key came with this nonce at this time before. */
  async spend(core: Core, principal: Principal): Promise<void> {
    const { organisationId, key } = principal
    const until = (this.#timestamp + rememberedSeconds) * 1000
    if (await core.replays.isFirst(organisationId, [key, String(this.#timestamp), this.#nonce], until)) return
    core.usage.countFor(principal, { refusal: 'replayed' })
    throw unauthenticated('This request was sent before: each needs an oauth_nonce of its own, and is signed anew.')
  }
}

/**
 * What is signed of a request (section 3.4.1). Of its URL only path and query are the sender's word: where the server is, it knows
 * itself, behind whatever proxy; and what was signed for another server is nothing here.
 */
export function baseStringOf(sent: SentRequest, origin: string): string {
  return generateBase(sent.method, origin + pathOf(sent.url), byName(paramsOf(sent)))
}

/**
 * Signs in whoever signed the request, once: sent again, it is refused. Throws `unauthenticated` with what was to be signed:
 * all of it is the sender's own.
 */
export async function signInBySignature(
  c: Context<FaceEnv>,
  core: Core,
  request: SignedRequest,
  within: OrganisationId | undefined,
): Promise<Principal> {
  request.checkTime(core.clock.now())
  const principal = await whoSigned(c, core, request, within)
  // Only now: what strangers make up is not remembered.
  await request.spend(core, principal)
  return noteSignIn(c, principal)
}

/** Who signed it, whenever, and however often it came: for a request that was let in and is being judged again. */
export async function whoSigned(
  c: Context<FaceEnv>,
  core: Core,
  request: SignedRequest,
  within: OrganisationId | undefined,
): Promise<Principal> {
  try {
    return await core.signIn.signed({
      ...{ key: request.key, within, ...addressOf(c) },
      accepts: ({ oauth }) => oauth !== null,
      fits: (secret, credential) => request.fits(request.base(core), secret, credential),
    })
  } catch (error) {
    throw isDomainError(error) && isGuess(error) ? misfit(request.base(core)) : error
  }
}

/** An unknown key and a wrong signature are told apart by nobody. */
function isGuess({ code, detail: { decidedBy } }: DomainError): boolean {
  return code === 'unauthenticated' && (decidedBy === 'key' || decidedBy === 'signature')
}

function misfit(base: string): HttpError {
  const shown = base.length > shownBase ? `${base.slice(0, shownBase)}…` : base
  return unauthenticated(
    `The signature does not fit, or no key of this name signs its requests. What was to be signed: ${shown}`,
  )
}

function unauthenticated(message: string): HttpError {
  return new HttpError('unauthenticated', 401, message, { 'WWW-Authenticate': 'OAuth realm="Claviger"' })
}

function refused(name: string, message: string): DomainError {
  const failure: Failure = { pointer: 'Authorization:', rule: 'claviger/oauth', message: `${name}: ${message}` }
  return invalid(failure.message, [failure])
}

function areEqual(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** All that is signed, and the signature. */
function paramsOf({ authorization, url, form = [] }: SentRequest): readonly Pair[] {
  return [...(authorization === undefined ? [] : parseHeader(authorization)), ...queryOf(url), ...form]
}

/** Those of the protocol, each once and all in one place (section 3.5): of two, nobody knows which is meant. */
function protocolOf(params: readonly Pair[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of params) {
    if (!name.startsWith('oauth_')) continue
    if (found.has(name)) throw refused(name.slice(0, 60), 'It is there more than once.')
    found.set(name, value)
  }
  return found
}

/** Section 3.5.1: `OAuth realm="…", name="value", …`, names and values percent-encoded. The realm is not signed. */
function parseHeader(authorization: string): readonly Pair[] {
  const list = authorization.replace(/^oauth\s*/i, '').trimEnd()
  const pairs: Pair[] = []
  const pair = /\s*([\w.~%-]+)="([^"]*)"\s*(?:,|$)/y
  while (pair.lastIndex < list.length) {
    const [, name, value] = pair.exec(list) ?? []
    if (name === undefined || value === undefined) {
      throw refused('OAuth', 'Expected name="value", each percent-encoded, with commas between them.')
    }
    if (name !== 'realm') pairs.push([protocolName(decode(name)), decode(value)])
  }
  return pairs
}

/** What is signed says nothing of where it stood: moved here, a parameter of the query would count as signed and be read by nobody. */
function protocolName(name: string): string {
  if (/^x?oauth_/.test(name)) return name
  throw refused('OAuth', 'The header has no other parameters than realm and those of OAuth: write them into the URL.')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refused('OAuth', 'The header is not percent-encoded UTF-8.')
  }
}

/** A + in it is a space (section 3.4.1.3.1), as it is for whoever answers. */
function queryOf(url: string): readonly Pair[] {
  const question = url.indexOf('?')
  return question < 0 ? [] : [...new URLSearchParams(url.slice(question))]
}

/** As it was sent: nothing in it is decoded, and no slash is dropped. */
function pathOf(url: string): string {
  const [path = ''] = url.replace(/^[a-z]+:\/\/[^/?]*/i, '').split('?')
  return path === '' ? '/' : path
}

/** Without the signature, which signs the rest. */
function byName(params: readonly Pair[]): Record<string, string[]> {
  // A parameter may be called like a member that every object has.
  const all = Object.create(null) as Record<string, string[]>
  for (const [name, value] of params) {
    if (name !== 'oauth_signature') (all[name] ??= []).push(value)
  }
  return all
}
