// Signed statements (Data 2.6): a JSON Web Signature (RFC 7515, compact) whose payload is the statement before it was signed.
// With a certificate chain in its header the signature is verified by the first certificate's key, and each certificate by
// the next one's. Nobody is trusted for it: no chain is followed to a root, no date is looked at. Without a certificate there
// is no key to verify by; the specification then asks for form, algorithm and payload only.

import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { compactVerify, decodeProtectedHeader } from 'jose'
import { isDomainError } from '../errors.ts'
import type { Failure } from '../errors.ts'
import { signatureUsage } from './attachment.ts'
import { meaningOf } from './equality.ts'
import { parseJson } from './json.ts'
import { isObject, shown } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { canonicalTimestamp } from './time.ts'

/** Bytes of a signature. It is held in memory as a whole. */
export const maxSignatureLength = 1024 * 1024

/** A signature as far as it can be judged without the statements it is attached to. */
export type OpenedSignature =
  | { readonly kind: 'sound'; readonly payload: JsonObject; readonly meaning: string }
  | { readonly kind: 'broken'; readonly failure: Omit<Failure, 'pointer'> }

const algorithms = ['RS256', 'RS384', 'RS512']
const longestChain = 10

/** Never throws. */
export async function openSignature(bytes: Uint8Array): Promise<OpenedSignature> {
  try {
    const jws = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const header = readHeader(jws)
    const payload = readPayload(jws.split('.')[1] ?? '')
    const [leaf] = readChain(header['x5c'])
    if (leaf !== undefined) await verify(jws, leaf)
    return { kind: 'sound', payload, meaning: meaningOf(unsigned(payload)) }
  } catch (error) {
    if (error instanceof Broken) return { kind: 'broken', failure: { rule: error.rule, message: error.message } }
    throw error
  }
}

/** Why the statement, as it will be stored, is not the one that was signed; undefined when it is. */
export function signatureMismatch(
  { payload, meaning }: OpenedSignature & { readonly kind: 'sound' },
  statement: Statement,
): Omit<Failure, 'pointer'> | undefined {
  // What only one of the two has may have been set on the way. What both have must agree: or one signature would do for many.
  const said = payload['id']
  const isOtherId = typeof said === 'string' && said.toLowerCase() !== statement['id']
  const isOtherTime =
    instantOf(payload) !== undefined &&
    instantOf(statement) !== undefined &&
    instantOf(payload) !== instantOf(statement)
  if (!isOtherId && !isOtherTime && meaning === meaningOf(unsigned(statement))) return undefined
  const what = isOtherId ? ': its id is another' : isOtherTime ? ': its timestamp is another' : ''
  return { rule: 'XAPI-00116', message: `The payload of the signature is not the statement it is attached to${what}.` }
}

class Broken extends Error {
  readonly rule: string

  constructor(rule: string, message: string) {
    super(message)
    this.rule = rule
  }
}

function readHeader(jws: string): JsonObject {
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jws)) {
    throw new Broken(
      'XAPI-00115',
      'Expected a JSON Web Signature in compact form: three base64url texts with dots between.',
    )
  }
  const header = headerOf(jws)
  if (header === undefined) throw new Broken('XAPI-00115', 'The header of the signature is not a JSON object.')
  const { alg, crit, b64 } = header
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw new Broken('XAPI-00117', `Expected a signature by ${algorithms.join(', ')}; its alg is ${shown(alg)}.`)
  }
  if (crit !== undefined || b64 !== undefined) {
    throw new Broken('XAPI-00115', 'Extensions of JWS (crit, b64) are not understood in a signature.')
  }
  return header
}

function headerOf(jws: string): JsonObject | undefined {
  try {
    return decodeProtectedHeader(jws) as JsonObject
  } catch {
    return undefined
  }
}

function readPayload(text: string): JsonObject {
  const payload = parsedOf(text)
  if (!isObject(payload)) throw new Broken('XAPI-00116', 'The payload of the signature is not a statement as JSON.')
  return payload
}

function parsedOf(text: string): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64url')))
  } catch (error) {
    if (isDomainError(error)) throw new Broken('XAPI-00116', `The payload of the signature: ${error.message}`)
    return undefined
  }
}

/** The certificates, the signer's first; none when the header names none. RFC 7515 section 4.1.6. */
function readChain(x5c: unknown): readonly X509Certificate[] {
  if (x5c === undefined) return []
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > longestChain) {
    throw new Broken('XAPI-00115', `x5c of a signature is an array of 1 to ${longestChain} certificates.`)
  }
  const chain = x5c.map((text: unknown, index) => readCertificate(text, index))
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1]
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
      const message = `Certificate ${index} in x5c was not issued by certificate ${index + 1}, which follows it.`
      throw new Broken('XAPI-00115', message)
    }
  }
  return chain
}

function readCertificate(text: unknown, index: number): X509Certificate {
  try {
    if (typeof text === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
      const der = Buffer.from(text, 'base64')
      const certificate = new X509Certificate(der)
      // OpenSSL reads the first certificate and leaves what follows it.
      if (certificate.raw.equals(der)) return certificate
    }
  } catch {
    // Said below.
  }
  throw new Broken('XAPI-00115', `Certificate ${index} in x5c is not the base64 of a DER certificate.`)
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    return false
  }
}

/** Undefined where OpenSSL cannot read it. */
function publicKeyOf(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey
  } catch {
    return undefined
  }
}

async function verify(jws: string, certificate: X509Certificate): Promise<void> {
  const publicKey = publicKeyOf(certificate)
  // RFC 7518 section 3.3.
  if (publicKey?.asymmetricKeyType !== 'rsa' || (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    throw new Broken('XAPI-00117', 'The first certificate in x5c must hold an RSA key of at least 2048 bits.')
  }
  try {
    await compactVerify(jws, publicKey, { algorithms })
  } catch {
    throw new Broken('XAPI-00117', 'The signature does not verify with the key of the first certificate in x5c.')
  }
}

/** Without its signatures, which were added after signing. */
function unsigned(statement: Statement): Statement {
  const { attachments, ...rest } = statement
  if (!Array.isArray(attachments)) return statement
  const kept = attachments.filter((one) => !isObject(one) || one['usageType'] !== signatureUsage)
  return kept.length === 0 ? rest : { ...rest, attachments: kept }
}

function instantOf({ timestamp }: JsonObject): string | undefined {
  return typeof timestamp === 'string' ? canonicalTimestamp(timestamp) : undefined
}
