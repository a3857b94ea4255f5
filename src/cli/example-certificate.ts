// A certificate for the responder that `callback serve-example` runs, signed by an authority made for it alone: Node makes keys and
// signatures, but no certificates. X.509 version 3 (RFC 5280), as little of it as TLS needs; never for more than trying out.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

export interface ExampleCertificate {
  /** PEM: of the authority, which whoever connects must trust. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

const lifeMs = 30 * 24 * 3_600_000
const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'))

/** For these host names and addresses. */
export function makeExampleCertificate(hosts: readonly string[], now = Date.now()): ExampleCertificate {
  const [authority, server] = [newKeys(), newKeys()]
  const validity = sequence(timeOf(now - 3_600_000), timeOf(now + lifeMs))
  const issuer = nameOf('Claviger example authority')
  const ca = certificate({
    ...{ issuer, subject: issuer, validity, publicKey: authority.publicKey, signedBy: authority.privateKey },
    // basicConstraints: an authority.
    extension: sequence(objectId('551d13'), boolean(true), octets(sequence(boolean(true)))),
  })
  const cert = certificate({
    ...{ issuer, subject: nameOf('Claviger example'), validity },
    ...{ publicKey: server.publicKey, signedBy: authority.privateKey },
    // subjectAltName
    extension: sequence(objectId('551d11'), octets(sequence(...hosts.map(alternativeName)))),
  })
  return { ca, cert, key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
}

interface Contents {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly validity: Buffer
  readonly publicKey: KeyObject
  readonly signedBy: KeyObject
  readonly extension: Buffer
}

function certificate({ issuer, subject, validity, publicKey, signedBy, extension }: Contents): string {
  const version3 = der(0xa0, der(0x02, Buffer.from([2])))
  // Positive, and without a leading zero.
  const serial = der(0x02, Buffer.concat([Buffer.from([0x40]), randomBytes(15)]))
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const extensions = der(0xa3, sequence(extension))
  const body = sequence(version3, serial, ecdsaWithSha256, issuer, validity, subject, key, extensions)
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signedBy)]))
  const lines = sequence(body, ecdsaWithSha256, signature)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function alternativeName(host: string): Buffer {
  if (isIP(host) === 4) return der(0x87, Buffer.from(host.split('.').map(Number)))
  return der(0x82, Buffer.from(host))
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(commonName)))))
}

function timeOf(milliseconds: number): Buffer {
  const text = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(0x18, Buffer.from(text))
}

// DER (X.690): tag, length, contents.
function der(tag: number, contents: Buffer): Buffer {
  const { length } = contents
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), contents])
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items))
}

function octets(contents: Buffer): Buffer {
  return der(0x04, contents)
}

function boolean(value: boolean): Buffer {
  return der(0x01, Buffer.from([value ? 0xff : 0]))
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}
