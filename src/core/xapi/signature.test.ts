import { describe, expect, it } from 'vitest'
import { curve, impostor, root, sign, signer, stranger, weak } from '../../../test/support/signing.ts'
import { aStatement } from '../../../test/support/statement.ts'
import { signatureUsage } from './attachment.ts'
import { openSignature, signatureMismatch } from './signature.ts'

const open = (jws: string) => openSignature(Buffer.from(jws))

async function brokenRule(jws: string): Promise<string | undefined> {
  const opened = await open(jws)
  return opened.kind === 'broken' ? opened.failure.rule : undefined
}

const payload = aStatement()
const encoded = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const handMade = (header: unknown, body: unknown = payload) => `${encoded(header)}.${encoded(body)}.AAAA`

const der = (certificate: string) => Buffer.from(certificate, 'base64')
/** Of a key whose algorithm does not exist: the object identifier of RSA with another end. */
const unreadable = Buffer.from(
  der(signer).toString('hex').replace('06092a864886f70d010101', '06092a864886f70d01017f'),
  'hex',
).toString('base64')

describe('a signature', () => {
  it.each(['RS256', 'RS384', 'RS512'])('XAPI-00117 is made with %s', async (alg) => {
    expect(await open(await sign(payload, { alg }))).toMatchObject({ kind: 'sound', payload })
    expect(await open(await sign(payload, { alg, x5c: [signer] }))).toMatchObject({ kind: 'sound' })
  })

  it.each(['none', 'HS256', 'HS512', 'ES256', 'PS256', 'EdDSA', 'rs256', undefined, 5])(
    'XAPI-00117 is not made with %s',
    async (alg) => expect(await brokenRule(handMade({ alg }))).toBe('XAPI-00117'),
  )

  it('XAPI-00117 is not made with the public key as a shared secret', async () => {
    expect(await brokenRule(await sign(payload, { alg: 'HS256', x5c: [signer] }))).toBe('XAPI-00117')
  })

  it.each([
    ['nothing', ''],
    ['text', 'this is no signature'],
    ['two texts', 'YQ.YQ'],
    ['four texts', 'YQ.YQ.YQ.YQ'],
    ['no signature', `${encoded({ alg: 'RS256' })}.${encoded(payload)}.`],
    ['a line end', `${handMade({ alg: 'RS256' })}\n`],
    ['JSON serialisation', JSON.stringify({ payload: encoded(payload), signatures: [] })],
    ['a header that is no JSON', `${encoded('{alg')}.${encoded(payload)}.AAAA`],
    ['a header that is no object', handMade([])],
    ['crit', handMade({ alg: 'RS256', crit: ['exp'], exp: 1 })],
    ['an unencoded payload', handMade({ alg: 'RS256', b64: false })],
  ])('XAPI-00115 is no JWS: %s', async (_, jws) => expect(await brokenRule(jws)).toBe('XAPI-00115'))

  it.each([
    ['no JSON', "{'id':1}"],
    ['no object', '[]'],
    ['a name twice', '{"id":"1","id":"2"}'],
    ['nested deeply', '['.repeat(500)],
  ])('XAPI-00116 has a statement as payload: %s', async (_, text) => {
    expect(await brokenRule(await sign(text))).toBe('XAPI-00116')
  })

  it('XAPI-00116 has UTF-8 as payload', async () => {
    const text = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')
    expect(await brokenRule(`${encoded({ alg: 'RS256' })}.${text}.AAAA`)).toBe('XAPI-00116')
  })

  describe('with certificates', () => {
    it('is verified by the first', async () => {
      const jws = await sign(payload, { alg: 'RS256', x5c: [signer, root] })
      expect(await open(jws)).toMatchObject({ kind: 'sound' })
      const [header, body, signature = ''] = jws.split('.')
      const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
      expect(await brokenRule(`${header}.${body}.${flipped}`)).toBe('XAPI-00117')
      expect(await brokenRule(`${header}.${encoded({ ...payload, id: 'x' })}.${signature}`)).toBe('XAPI-00117')
    })

    it.each([
      ['another’s', stranger],
      ['too weak', weak],
      ['elliptic', curve],
      ['one that OpenSSL cannot read', unreadable],
    ])('XAPI-00117 the key is not %s', async (_, certificate) => {
      expect(await brokenRule(await sign(payload, { alg: 'RS256', x5c: [certificate] }))).toBe('XAPI-00117')
    })

    it.each([
      ['not text', [5]],
      ['not base64', [signer.replaceAll('/', '_').replaceAll('+', '-')]],
      ['no certificate', ['YWJj']],
      ['empty', []],
      ['no list', signer],
      ['endless', Array.from({ length: 11 }, () => root)],
      ['followed by other bytes', [Buffer.concat([der(signer), Buffer.from('more')]).toString('base64')]],
      ['led by one whose key cannot be read, with an issuer', [signer, unreadable]],
      ['in the wrong order', [root, signer]],
      ['unrelated', [signer, stranger]],
      ['of an impostor', [signer, impostor]],
    ])('XAPI-00115 the chain is not %s', async (_, x5c) => {
      const jws = await sign(payload, { alg: 'RS256', x5c: x5c as string[] })
      expect(await brokenRule(jws)).toBe('XAPI-00115')
    })
  })
})

describe('the signed statement', () => {
  const attachment = { usageType: signatureUsage, sha2: 'a' }
  const other = { usageType: 'https://example.com/usage', sha2: 'b' }
  const id = '11111111-2222-4333-8444-555555555555'
  const mismatch = async (signed: Record<string, unknown>, stored: Record<string, unknown>) => {
    const opened = await open(await sign(signed))
    if (opened.kind === 'broken') throw new Error(opened.failure.message)
    return signatureMismatch(opened, stored)?.rule
  }

  it.each([
    ['as it is', payload, { ...payload, id, attachments: [attachment] }],
    [
      'with what the LRS sets',
      { ...payload, id: id.toUpperCase() },
      { ...payload, id, authority: {}, stored: 'now', version: '2.0.0', attachments: [attachment] },
    ],
    [
      'with another attachment',
      { ...payload, attachments: [other] },
      { ...payload, id, attachments: [other, attachment] },
    ],
    [
      'with an empty list of attachments',
      { ...payload, attachments: [] },
      { ...payload, id, attachments: [attachment] },
    ],
    ['with two signatures', payload, { ...payload, id, attachments: [attachment, attachment] }],
    [
      'at the same time elsewhere',
      { ...payload, timestamp: '2026-01-01T01:00:00+01:00' },
      { ...payload, id, timestamp: '2026-01-01T00:00:00.000Z' },
    ],
    [
      'with a duration to 0.01 s',
      { ...payload, result: { duration: 'PT1.234S' } },
      { ...payload, id, result: { duration: 'PT1.239S' } },
    ],
    [
      'in another order',
      { ...payload, result: { success: true, completion: false } },
      { ...payload, id, result: { completion: false, success: true } },
    ],
  ])('is the one stored %s', async (_, signed, stored) => expect(await mismatch(signed, stored)).toBeUndefined())

  it.each([
    ['another actor', { ...payload, actor: { mbox: 'mailto:other@example.com' } }, { ...payload, id }],
    ['another id', { ...payload, id: id.replace('1', '2') }, { ...payload, id }],
    [
      'another time',
      { ...payload, timestamp: '2026-01-01T00:00:01Z' },
      { ...payload, id, timestamp: '2026-01-01T00:00:00Z' },
    ],
    ['a result less', payload, { ...payload, id, result: { success: true } }],
    ['an attachment less', payload, { ...payload, id, attachments: [other, attachment] }],
    [
      'another duration',
      { ...payload, result: { duration: 'PT1.23S' } },
      { ...payload, id, result: { duration: 'PT1.24S' } },
    ],
  ])('XAPI-00116 is not one with %s', async (_, signed, stored) => {
    expect(await mismatch(signed, stored)).toBe('XAPI-00116')
  })
})
