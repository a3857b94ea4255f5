import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { headerOf, sign } from '../../test/support/oauth.ts'
import { SignedRequest, baseStringOf, isSigned } from './oauth.ts'
import type { Pair, SentRequest } from './oauth.ts'

describe('RFC 5849', () => {
  it('section 3.4.1.1: the base string', () => {
    const sent: SentRequest = {
      method: 'POST',
      url: 'http://internal:8080/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b',
      authorization: `OAuth realm="Example",
        oauth_consumer_key="9djdj82h48djs9d2",
        oauth_token="kkk9d7dh3k39sjv7",
        oauth_signature_method="HMAC-SHA1",
        oauth_timestamp="137131201",
        oauth_nonce="7d8f3e4a",
        oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"`,
      form: [...new URLSearchParams('c2&a3=2+q')],
    }
    expect(baseStringOf(sent, 'http://example.com')).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2' +
        '%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26' +
        'oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    )
  })

  it.each([
    [
      'the token request',
      'https',
      { method: 'POST', url: '/token' },
      'oauth_token="hh5s93j4hdidpola", oauth_timestamp="137131201", oauth_nonce="walatlh", oauth_verifier="hfdp7dh39dks9884"',
      'hdhd0244k9j7ao03',
      'gKgrFCywp7rO0OXSjdot/IHF7IU=',
    ],
    [
      'the photos',
      'http',
      { method: 'GET', url: '/photos?file=vacation.jpg&size=original' },
      'oauth_token="nnch734d00sl2jdk", oauth_timestamp="137131202", oauth_nonce="chapoH"',
      'pfkkdhi9sl3r4s00',
      'MdpQcU8iPSUjWoN/UDMsK2sui9I=',
    ],
  ])('section 1.2: %s', (_, scheme, request, header, tokenSecret, signature) => {
    const of = 'oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1"'
    const sent = { ...request, authorization: `OAuth realm="Photos", ${of}, ${header}` }
    const base = baseStringOf(sent, `${scheme}://photos.example.net`)
    expect(createHmac('sha1', `kd94hf93k423kf44&${tokenSecret}`).update(base).digest('base64')).toBe(signature)
  })
})

const signer = { key: 'a key', secret: 's&e=cret %/ü' }
const origin = 'https://lrs.example.org'
const baseUrl = { baseUrl: origin } as never

function read(sent: Partial<SentRequest>): SignedRequest {
  return new SignedRequest({ method: 'GET', url: '/xapi/statements', ...sent })
}

const fits = (request: SignedRequest, secret: string, oauth: { publicKey?: string } = {}): boolean =>
  request.fits(request.base(baseUrl), secret, { oauth } as never)

describe('a signature', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['unicode', '?agent=%7B%22name%22%3A%22Zo%C3%AB%20%F0%9F%98%80%22%7D'],
    ['what only RFC 3986 reserves', "?a=%21%2A%27%28%29!*'()~-._"],
    ['several values of one name', '?a=2&a=1&a=%C3%A9&b=3'],
    ['empty values', '?a=&b=&c=1'],
    ['an encoded path', '/a%20b/%C3%A9'],
    ['two slashes', '//statements/'],
  ])('of an independent library fits: %s', (_, rest) => {
    for (const method of ['HMAC-SHA1', 'HMAC-SHA256']) {
      const url = `/xapi/statements${rest}`
      const signed = sign(signer, { method: 'GET', url: origin + url }, { method })
      const request = read({ url, authorization: headerOf(signed, 'anything, at all') })
      expect(request.base(baseUrl)).toBe(signed.base)
      expect([fits(request, signer.secret), fits(request, `${signer.secret}x`)]).toEqual([true, false])
    }
  })

  it('is the same for a + and a %20, which are both a space, and another for a %2B', () => {
    const { params } = sign(signer, { method: 'GET', url: `${origin}/x?a=1%202` })
    const at = (url: string) => fits(read({ url, authorization: headerOf({ params, base: '' }) }), signer.secret)
    expect([at('/x?a=1%202'), at('/x?a=1+2'), at('/x?a=1%2B2')]).toEqual([true, true, false])
  })

  it('signs a parameter by the name of __proto__, too', () => {
    const { params } = sign(signer, { method: 'GET', url: `${origin}/x` })
    const authorization = headerOf({ params, base: '' })
    expect(fits(read({ url: '/x', authorization }), signer.secret)).toBe(true)
    expect(fits(read({ url: '/x?__proto__=1', authorization }), signer.secret)).toBe(false)
  })

  it('in the query, or in the form, signs as one in the header does', () => {
    const form = { 'a b': '1', c: ['3', '2'] }
    const { params } = sign(signer, { method: 'POST', url: `${origin}/x?d=4`, form })
    const fields: Pair[] = [...Object.entries({ 'a b': '1' }), ['c', '3'], ['c', '2']]
    const inQuery = `/x?d=4&${new URLSearchParams(params).toString()}`
    expect(fits(read({ method: 'POST', url: inQuery, form: fields }), signer.secret)).toBe(true)
    const inForm = [...fields, ...Object.entries(params)]
    expect(fits(read({ method: 'POST', url: '/x?d=4', form: inForm }), signer.secret)).toBe(true)
  })

  it('in other words than its own base64 is another one', () => {
    const { params } = sign(signer, { method: 'GET', url: `${origin}/x` })
    const signature = params['oauth_signature']!
    for (const other of [signature.slice(0, -1), `${signature.slice(0, -2)}${signature.at(-2) === 'A' ? 'B' : 'A'}=`]) {
      const authorization = headerOf({ params: { ...params, oauth_signature: other }, base: '' })
      expect(fits(read({ url: '/x', authorization }), signer.secret)).toBe(false)
    }
  })
})

describe('what is no signature', () => {
  const given = (change: Readonly<Record<string, string | null>>): (() => SignedRequest) => {
    const { params } = sign(signer, { method: 'GET', url: `${origin}/x` })
    const all = Object.entries({ ...params, ...change }).filter((entry): entry is [string, string] => entry[1] !== null)
    return () => read({ authorization: headerOf({ params: Object.fromEntries(all), base: '' }) })
  }

  it.each<[string, string, Readonly<Record<string, string | null>>]>([
    ['no key', 'oauth_consumer_key: It is missing', { oauth_consumer_key: null }],
    ['an empty key', 'oauth_consumer_key: Expected', { oauth_consumer_key: '' }],
    ['U+0000 in the key', 'oauth_consumer_key: Expected', { oauth_consumer_key: 'a\0' }],
    ['no signature', 'oauth_signature: It is missing', { oauth_signature: null }],
    ['no base64', 'oauth_signature: Expected', { oauth_signature: 'a b' }],
    ['too long a signature', 'oauth_signature: Expected', { oauth_signature: 'a'.repeat(4097) }],
    ['no nonce', 'oauth_nonce: It is missing', { oauth_nonce: null }],
    ['an empty nonce', 'oauth_nonce: Expected', { oauth_nonce: '' }],
    ['too long a nonce', 'oauth_nonce: Expected', { oauth_nonce: 'n'.repeat(201) }],
    ['no time', 'oauth_timestamp: It is missing', { oauth_timestamp: null }],
    ['no number', 'oauth_timestamp: Expected', { oauth_timestamp: '1e9' }],
    ['a negative time', 'oauth_timestamp: Expected', { oauth_timestamp: '-5' }],
    ['no method', 'oauth_signature_method: It is missing', { oauth_signature_method: null }],
    ['PLAINTEXT', 'oauth_signature_method: Expected one of HMAC-SHA1', { oauth_signature_method: 'PLAINTEXT' }],
    ['a method in lower case', 'oauth_signature_method: Expected', { oauth_signature_method: 'hmac-sha1' }],
    ['another version', 'oauth_version: Expected 1.0', { oauth_version: '2.0' }],
    ['a token', 'oauth_token: Expected none', { oauth_token: 'token' }],
  ])('%s', (_, message, change) => {
    expect(given(change)).toThrow(message)
  })

  it('a version and a token may be absent, and a token empty', () => {
    for (const change of [{ oauth_version: null }, { oauth_token: '' }]) expect(given(change)).not.toThrow()
  })

  it('a parameter of the protocol twice, or in two places', () => {
    const { params } = sign(signer, { method: 'GET', url: `${origin}/x` })
    const authorization = headerOf({ params, base: '' })
    expect(() => read({ authorization: `${authorization}, oauth_nonce="other"` })).toThrow(
      'oauth_nonce: It is there more',
    )
    expect(() => read({ authorization, url: '/x?oauth_nonce=other' })).toThrow('oauth_nonce: It is there more')
    expect(() => read({ authorization, form: [['oauth_consumer_key', 'x']] })).toThrow(
      'oauth_consumer_key: It is there more',
    )
  })

  it('a parameter of the request that was moved into the header, where nobody would read it', () => {
    const signed = sign(signer, { method: 'GET', url: `${origin}/x?statementId=1` })
    const moved = `${headerOf(signed)}, statementId="1"`
    expect(() => read({ authorization: moved, url: '/x' })).toThrow('no other parameters than realm')
    expect(() => read({ authorization: `${headerOf(signed)}, xoauth_requestor_id="1"` })).not.toThrow()
  })

  it('a hash of the body beside a form', () => {
    const { params } = sign(signer, { method: 'POST', url: `${origin}/x`, body: '' })
    expect(() => read({ authorization: headerOf({ params, base: '' }), form: [] })).toThrow('A form is signed itself')
  })

  it.each([
    'OAuth',
    'OAuth x',
    'OAuth oauth_nonce=1',
    'OAuth oauth_nonce="1" oauth_timestamp="2"',
    'OAuth oauth_nonce="%E9"',
    'OAuth oauth_nonce="%"',
    'OAuth ="1"',
    'OAuth ,',
    'OAuth a="1",a="1",',
  ])('a header such as %s', (authorization) => {
    expect(isSigned(authorization)).toBe(true)
    expect(() => read({ authorization })).toThrow(expect.objectContaining({ code: 'invalid' }))
  })
})
