// Whether a launch is what its platform signed (facts 3), step by step in the order of the recipe. A value, or `LaunchRefused`. Whether
// it was used before is asked of the store by who uses it.

import { createHash } from 'node:crypto'
import type { Parameters, SignedDeletion, SignedLaunch } from './parameters.ts'
import { demand, readDeletion, readLaunch } from './parameters.ts'
import { LaunchRefused } from './refusal.ts'
import { demandedBy, mostSkewSeconds } from './settings.ts'
import type { Settings } from './settings.ts'
import { decode, isSignature, signedText } from './signature.ts'

/** What came. */
export interface Received {
  /** As it is registered at the platform, without a query. */
  readonly address: string
  /** As it came, byte for byte: what was parsed and written anew is signed by nobody. */
  readonly query: string
}

/** What it is held against. */
export interface Standard {
  /** The current one first. */
  readonly secrets: readonly string[]
  readonly settings: Settings
  /** Unix milliseconds. */
  readonly now: number
}

export interface Verified<What> {
  readonly what: What
  /** Names the launch as nothing else does: there is no nonce. */
  readonly signature: string
  /** Which secret fitted (`markOf`). */
  readonly signedWith: string
  /** Unix milliseconds. */
  readonly signedAt: number
}

export function verifyLaunch(received: Received, standard: Standard): Verified<SignedLaunch> {
  const { parameters, ...proof } = verifySigned(received, standard)
  const what = readLaunch(parameters, demandedBy(standard.settings))
  checkLicensed(what, standard.settings)
  checkCustomer(what, standard.settings)
  checkSchools(what, standard.settings)
  return { what, ...proof, signedAt: checkTime(parameters, standard) }
}

export function verifyDeletion(received: Received, standard: Standard): Verified<SignedDeletion> {
  const { parameters, ...proof } = verifySigned(received, standard)
  const what = readDeletion(parameters)
  checkCustomer(what, standard.settings)
  return { what, ...proof, signedAt: checkTime(parameters, standard) }
}

function verifySigned(received: Received, { secrets }: Standard) {
  const { signed, signature } = cutSignature(received)
  const signedWith = markOf(findSigning({ ...received, query: signed }, signature, secrets))
  const parameters = splitQuery(signed)
  demand(parameters, ['Encoding', 'Timestamp'])
  checkEncoding(parameters)
  return { parameters, signature, signedWith }
}

const longestAddress = 8 * 1024
const mostParameters = 100

/** 1 and 2: of a sensible size, and signed once, at its end. */
export function cutSignature({ address, query }: Received): { readonly signed: string; readonly signature: string } {
  if (address.length + query.length + 1 > longestAddress) {
    throw new LaunchRefused('address-long', `It has more than ${longestAddress} characters.`)
  }
  if (query.split('&', mostParameters + 1).length > mostParameters) {
    throw new LaunchRefused('parameters-many', `It has more than ${mostParameters} parameters.`)
  }
  const [, signed, signature] = /^(.*)&Signature=([0-9a-f]{32})$/s.exec(query) ?? []
  if (signed === undefined || signature === undefined || /(?:^|&)Signature=/i.test(signed)) {
    throw new LaunchRefused('signature-missing', 'It does not end in the only &Signature= of 32 lower-case hex digits.')
  }
  return { signed, signature }
}

/** 3: every secret is compared, so that how long it takes says nothing of which. */
function findSigning({ address, query }: Received, signature: string, secrets: readonly string[]): string {
  // Browsers and .NET leave nothing else in an address; a byte that is not ASCII would be read by each in its own way.
  const text = /^[!-~]*$/.test(query) ? signedText(address, query) : undefined
  if (text === undefined) throw new LaunchRefused('parameter-malformed', 'It is not percent-encoded UTF-8.')
  const [secret] = secrets.filter((one) => isSignature(signature, text, one))
  if (secret !== undefined) return secret
  throw new LaunchRefused('signature-wrong', `It is not what any secret makes of ${address} and its parameters.`)
}

/** Tells secrets apart; none can be guessed from it, as long as they are (`leastSecretLength`). */
export function markOf(secret: string): string {
  return createHash('sha256').update(`claviger itslearning ${secret}`).digest('base64url')
}

const plainName = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const furtherParameter = /&[A-Za-z][A-Za-z0-9_.-]{0,63}=/

/**
 * 4 to 6. The signature is over decoded text, in which `%26` and `&` are the same. With plain names, each once, and no value that
 * holds what could be a name, that text can be read in one way only, so re-encoding changes nothing.
 */
export function splitQuery(signed: string): Parameters {
  const parameters = new Map<string, string>()
  for (const piece of signed.split('&')) {
    const { name, value } = splitPiece(piece)
    const folded = name.toLowerCase()
    if (parameters.has(folded)) throw new LaunchRefused('parameter-twice', `${name} stands there twice.`)
    if (furtherParameter.test(value)) throw new LaunchRefused('value-ambiguous', `The value of ${name} holds &name=.`)
    parameters.set(folded, value)
  }
  return parameters
}

function splitPiece(piece: string): { readonly name: string; readonly value: string } {
  const equals = piece.indexOf('=')
  const name = equals < 0 ? '' : piece.slice(0, equals)
  const value = decode(piece.slice(equals + 1))
  if (plainName.test(name) && value !== undefined) return { name, value }
  throw new LaunchRefused('parameter-malformed', 'One of its parameters is not name=value with a plain name.')
}

/** The vendor's code hashes what names no encoding as ISO 8859-1, with `?` for the rest: many names are then one. */
function checkEncoding(parameters: Parameters): void {
  if (parameters.get('encoding') === 'utf8') return
  throw new LaunchRefused('encoding-unknown', 'Encoding is not utf8.')
}

/** Seed 003: both are "only sent if your application is licensed". */
function checkLicensed({ licences }: SignedLaunch, { licensed }: Settings): void {
  if (licensed || licences === undefined) return
  throw new LaunchRefused('licences', 'Licences came, and the platform is not set to be licensed.')
}

/** 8: the secret is the application's, the same at every customer that uses it. */
export function checkCustomer({ customerId }: { readonly customerId: string }, { customers }: Settings): void {
  if (customers.includes(Number(customerId))) return
  throw new LaunchRefused('customer', `The customer ${customerId} is not among those allowed: ${customers.join(', ')}.`)
}

function checkSchools({ schools = [] }: SignedLaunch, { schools: allowed }: Settings): void {
  if (allowed.length === 0 || schools.some(({ id }) => allowed.includes(Number(id)))) return
  throw new LaunchRefused('school', 'None of the schools is among those allowed.')
}

/** 9. */
function checkTime(parameters: Parameters, { settings: { maxSkewSeconds }, now }: Standard): number {
  const text = parameters.get('timestamp') ?? ''
  const time = readTimestamp(text)
  if (time === undefined) throw new LaunchRefused('parameter-wrong', 'Timestamp is no time like 2026-01-02T03:04:05.')
  const seconds = Math.round((now - time) / 1000)
  if (Math.abs(now - time) <= maxSkewSeconds * 1000) return time
  const words = seconds > 0 ? `${seconds} s ago` : `${-seconds} s from now`
  throw new LaunchRefused('time', `It was signed ${words}, and ${maxSkewSeconds} s are allowed; are both clocks right?`)
}

/** Unix milliseconds. UTC without saying so, which JavaScript takes for local time. */
export function readTimestamp(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return undefined
  const time = new Date(`${text}Z`)
  // The 30th of February is read as a day of March, and 24:00 as the next day.
  return Number.isNaN(time.getTime()) || writeTimestamp(time.getTime()) !== text ? undefined : time.getTime()
}

export function writeTimestamp(time: number): string {
  return new Date(time).toISOString().slice(0, 19)
}

/** Until when it must not come again: as wide as the window can be set, so that one that is widened lets nothing in twice. */
export function replayEnd(signedAt: number): number {
  return signedAt + 2 * mostSkewSeconds * 1000
}
