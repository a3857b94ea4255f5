import { createPrivateKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { makeExampleCertificate } from './example-certificate.ts'

describe('an example certificate', () => {
  it('is signed by its authority, for its names alone, for a while', () => {
    const now = Date.parse('2026-01-02T03:04:05Z')
    const made = makeExampleCertificate(['localhost', '127.0.0.1'], now)
    const [ca, cert] = [new X509Certificate(made.ca), new X509Certificate(made.cert)]
    expect([ca.ca, cert.ca]).toEqual([true, false])
    expect(cert.checkIssued(ca)).toBe(true)
    expect(cert.verify(ca.publicKey)).toBe(true)
    expect(cert.verify(cert.publicKey)).toBe(false)
    expect(cert.checkPrivateKey(createPrivateKey(made.key))).toBe(true)
    expect([cert.checkHost('localhost'), cert.checkIP('127.0.0.1')]).toEqual(['localhost', '127.0.0.1'])
    expect([cert.checkHost('example.org'), cert.checkIP('127.0.0.2')]).toEqual([undefined, undefined])
    expect(Date.parse(cert.validFrom)).toBeLessThan(now)
    expect(Date.parse(cert.validTo)).toBe(now + 30 * 24 * 3_600_000)
  })

  it('has another authority each time', () => {
    const [one, other] = [makeExampleCertificate(['localhost']), makeExampleCertificate(['localhost'])]
    expect(new X509Certificate(one.cert).verify(new X509Certificate(other.ca).publicKey)).toBe(false)
  })
})
