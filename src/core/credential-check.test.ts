import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkFields } from './credential-check.ts'

const pem = (modulusLength: number): string => {
  return generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ type: 'spki', format: 'pem' }).toString()
}
const rsa = pem(2048)
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('a key that signs its requests', () => {
  it.each([
    ['none: with a secret', {}],
    ['one of 2048 bits', { publicKey: rsa }],
    ['one of 1024 bits', { publicKey: pem(1024) }],
    ['one with space around it', { publicKey: `\n${rsa}\n\n` }],
  ])('has a public key: %s', (_, oauth) => {
    expect(checkFields({ oauth })).toEqual([])
  })

  it.each([
    ['nothing', ''],
    ['no key', 'key'],
    ['an empty envelope', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'],
    ['a key of another kind', publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['a private key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['a short one', pem(512)],
    ['a long text', rsa + ' '.repeat(4000)],
    ['half of one', rsa.slice(0, 200)],
    ['what holds U+0000', rsa.replace('\n', '\u0000')],
  ])('has not: %s', (_, text) => {
    expect(checkFields({ oauth: { publicKey: text } })).toMatchObject([{ pointer: '/oauth/publicKey' }])
  })

  it('may be one that signs no more', () => {
    expect(checkFields({ oauth: null })).toEqual([])
  })
})
