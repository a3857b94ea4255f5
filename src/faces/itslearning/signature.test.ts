import { describe, expect, it } from 'vitest'
import { decode, encode, isSignature, signatureOf, signedText } from './signature.ts'
import { restAuthorization, signLaunch } from './signing.ts'

// The vectors of facts 2: computed there in two languages from the vendor's own code.
const secret = 'test-secret-0001'
const address = 'https://lrs.example.org/itslearning/view'
const query =
  'ApiSessionId=abc123abc123&CustomerId=14&Encoding=utf8&FirstName=Zo%c3%ab&LastName=%c5%a0%c4%8d+%e2%82%ac' +
  '&LearningObjectId=100&LearningObjectInstanceId=200&Permissions=Read%2c+Participate&Role=Learner&UserId=9' +
  '&Timestamp=2026-01-02T03%3a04%3a05'

describe('the signature', () => {
  it('is that of vector A', () => {
    const text = signedText(address, query)!
    expect(text).toContain('&FirstName=Zoë&LastName=Šč €&')
    expect(signatureOf(text, secret)).toBe('4a590ab87de5fc050d83e201966ea17c')
    expect(isSignature('4a590ab87de5fc050d83e201966ea17c', text, secret)).toBe(true)
  })

  it('is that of vector C, whose registered address has a query of its own', () => {
    expect(signatureOf(signedText(address, `mode=x&${query}`)!, secret)).toBe('9a72b7890a63b7304d4579fd24727714')
  })

  it('is not that of vector B: text in another encoding is hashed as UTF-8, whatever it says', () => {
    const text = signedText(address, query.replace('Encoding=utf8&', ''))!
    expect(isSignature('2f1b68f028d3f8d31f938c46eca914ce', text, secret)).toBe(false)
  })

  it('is of the REST API in vector D', () => {
    const now = Date.parse('2014-01-16T15:18:07Z')
    const call = { applicationKey: 'app-key-0001', secret, sessionId: 'n0hsmdawswebjt2fqtap4n55', now }
    expect(restAuthorization(call)).toBe(
      'app-key-0001#n0hsmdawswebjt2fqtap4n55#2014-01-16T15:18:07#d9ceabc526842f4dfe9169776f180e02',
    )
  })

  it('is made by our own signer, which is vector A, too', () => {
    const launch = {
      ...{ customerId: '14', learningObjectId: '100', instanceId: '200', userId: '9', role: 'Learner' },
      ...{
        permissions: ['Read', 'Participate'],
        apiSessionId: 'abc123abc123',
        now: Date.parse('2026-01-02T03:04:05Z'),
      },
      more: { LastName: 'Šč €', FirstName: 'Zoë' },
    }
    expect(signLaunch(address, launch, secret)).toBe(`${address}?${query}&Signature=4a590ab87de5fc050d83e201966ea17c`)
    expect(signLaunch(`${address}?mode=x`, launch, secret)).toMatch(/\?mode=x&Api.*=9a72b7890a63b7304d4579fd24727714$/)
  })

  it.each(['4A590AB87DE5FC050D83E201966EA17C', '4a590ab87de5fc050d83e201966ea17', '', 'ä'.repeat(32)])(
    'is not %s',
    (signature) => {
      expect(isSignature(signature, signedText(address, query)!, secret)).toBe(false)
    },
  )

  it('tells http from https, and hosts and paths', () => {
    const others = ['http://lrs.example.org/itslearning/view', `${address}/`, 'https://lrs.example.org/itslearning/add']
    for (const other of others) {
      expect(isSignature('4a590ab87de5fc050d83e201966ea17c', signedText(other, query)!, secret)).toBe(false)
    }
  })
})

describe('decode and encode', () => {
  it('take + and %20 for the same', () => expect(decode('a+b%20c')).toBe('a b c'))
  it.each(['%', '%zz', '%c3', '%ff', '%ed%a0%80', '%c0%af', '%u0041'])('%s is nothing', (text) =>
    expect(decode(text)).toBeUndefined(),
  )
  it('write as .NET does', () => {
    expect(encode("O'Hesvik & Šč ~ (a)")).toBe('O%27Hesvik+%26+%c5%a0%c4%8d+%7e+(a)')
    expect(decode(encode('€ + %26 ä'))).toBe('€ + %26 ä')
  })
})
