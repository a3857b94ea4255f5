import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Parameters } from './parameters.ts'
import { isSignature, isWithinWindow, readTimestamp, signedText } from './signature.ts'

const secret = 's3cr3t-Example-Key'

function parametersOf(...pairs: readonly (readonly [string, ...string[]])[]): Parameters {
  return new Map(pairs.map(([name, ...values]) => [name, values]))
}

/** Facts 1.4: what is signed, with which secret, what is hashed after it, its MD5. */
const vectors: readonly (readonly [string, string, Parameters, string, string])[] = [
  [
    '1: authPing',
    secret,
    parametersOf(['method', 'rustici.debug.authPing'], ['appid', 'MYAPPID'], ['ts', '20240102030405']),
    'appidMYAPPIDmethodrustici.debug.authPingts20240102030405',
    '18b463e754bdacc34e1cd8ba64c72f82',
  ],
  [
    '2: a label with letters beyond ASCII',
    secret,
    parametersOf(
      ['method', 'rustici.lrsaccount.editActivityProvider'],
      ['accountkey', 'f7-gZ_OUp1WcLClbufY'],
      ['appid', 'MYAPPID'],
      ['applib', 'php'],
      ['isactive', 'true'],
      ['label', 'Forum & Ünïcode'],
      ['origin', 'acme.demo.1.0'],
      ['ts', '20240102030405'],
    ),
    'accountkeyf7-gZ_OUp1WcLClbufYappidMYAPPIDapplibphpisactivetruelabelForum & Ünïcodemethodrustici.lrsaccount.editActivityProvideroriginacme.demo.1.0ts20240102030405',
    '494e724f8a5cabee5b7bbbbd7ae2dd0e',
  ],
  [
    '3: the one documented name with capitals',
    secret,
    parametersOf(
      ['method', 'rustici.lrsaccount.setAppLrsAuthCallbackUrl'],
      ['lrsAuthCallbackUrl', 'https://lms.example.com/cb?x=1&y=2'],
      ['appid', 'MYAPPID'],
      ['origin', 'acme.demo.1.0'],
      ['ts', '20240102030405'],
    ),
    'appidMYAPPIDlrsAuthCallbackUrlhttps://lms.example.com/cb?x=1&y=2methodrustici.lrsaccount.setAppLrsAuthCallbackUrloriginacme.demo.1.0ts20240102030405',
    '1cbb7d27b1a3202f78a6907d812f119d',
  ],
  [
    '4: several values of one name',
    secret,
    parametersOf(['foo', '1'], ['bar', 'this', 'that']),
    'barthatthisfoo1',
    '980c3b1d024f4daceb5c0b502bf6ad2b',
  ],
  [
    '5a: sorted whatever their case',
    secret,
    parametersOf(['Zeta', '1'], ['alpha', '2']),
    'alpha2Zeta1',
    '2398c6f5d562031a8ad4af9933230c32',
  ],
  [
    '6: of another project',
    'ABCDEF',
    parametersOf(
      ['method', 'rustici.debug.fakeMethod'],
      ['dog', 'Spots'],
      ['cat', 'Kitty'],
      ['timestamp', '20180424201037'],
      ['appid', 'hello'],
    ),
    'appidhellocatKittydogSpotsmethodrustici.debug.fakeMethodtimestamp20180424201037',
    '3c0eebaed8ffc0545f9f8b9f14c35442',
  ],
  [
    'the trap: what the vendor’s example should have printed',
    'BIGSECRET',
    parametersOf(['foo', '1'], ['bar', '2']),
    'bar2foo1',
    'c186af94cef7cc2a9b4b0b6aff6c5cda',
  ],
]

describe('the signature', () => {
  it.each(vectors)('vector %s', (_, key, parameters, text, sig) => {
    expect(signedText(parameters)).toBe(text)
    expect(isSignature(sig, key, text)).toBe(true)
    expect(isSignature(sig.toUpperCase(), key, text)).toBe(true)
    expect(isSignature(sig, `${key}x`, text)).toBe(false)
    expect(isSignature(sig, key, `${text} `)).toBe(false)
  })

  it('5b: in the order of code units it would be another', () => {
    const wrong = createHash('md5').update(`${secret}Zeta1alpha2`).digest('hex')
    expect(wrong).toBe('913d045f2bf3c10f518afbb8d32aa3d1')
    expect(isSignature(wrong, secret, signedText(parametersOf(['Zeta', '1'], ['alpha', '2'])))).toBe(false)
  })

  it('is made of neither itself nor a file', () => {
    expect(signedText(parametersOf(['sig', 'x'], ['a', '1'], ['filedata', 'y'], ['signature', 'z']))).toBe(
      'a1signaturez',
    )
  })

  it.each(['', 'x'.repeat(32), '18b463e754bdacc34e1cd8ba64c72f8', '18b463e754bdacc34e1cd8ba64c72f82 ', 'é'.repeat(32)])(
    'is never %j',
    (sig) => {
      expect(isSignature(sig, secret, '')).toBe(false)
    },
  )
})

describe('the timestamp', () => {
  it('is a time in UTC', () => {
    expect(readTimestamp('20240229235959')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59))
    expect(readTimestamp('00010101000000')).toBe(Date.parse('0001-01-01T00:00:00Z'))
  })

  it.each([
    '20240230000000',
    '20230229000000',
    '20241301000000',
    '20240100000000',
    '20240101240000',
    '20240101006000',
    '20240101000060',
    '2024010100000',
    '202401010000000',
    '2024-01-01T00:00:00',
    '20240101000000 ',
    '٢٠٢٤٠١٠١٠٠٠٠٠٠',
    'now',
    '1e13',
  ])('%s is none', (ts) => {
    expect(readTimestamp(ts)).toBeUndefined()
  })

  it('may be 15 minutes off, either way', () => {
    const quarter = 15 * 60_000
    expect([-quarter, 0, quarter].map((off) => isWithinWindow(1e12 + off, 1e12))).toEqual([true, true, true])
    expect([-quarter - 1, quarter + 1].map((off) => isWithinWindow(1e12 + off, 1e12))).toEqual([false, false])
  })
})
