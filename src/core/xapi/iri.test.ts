import { describe, expect, it } from 'vitest'
import { isIri } from './iri.ts'
import { maxIdentifierLength } from './rule.ts'
import { isUuid } from './uuid.ts'

describe('IRIs', () => {
  it.each([
    'http://adlnet.gov/expapi/verbs/completed',
    'https://example.com/a?b=c&d[]=e#f',
    'urn:uuid:8f87ccde-bb56-4c2e-ab83-44982ef22df0',
    'tag:example.com,2026:x',
    'mailto:a@b.example',
    'x-scheme+1.0:a',
    'http://例え.jp/パス',
    'http://example.com/%E4%BE%8B/%zz',
    'http://example.com/😀',
  ])('XAPI-00011 %s has a scheme and is accepted', (text) => {
    expect(isIri(text)).toBe(true)
  })

  it.each([
    '',
    'adlnet.gov/expapi/verbs/completed',
    '/relative',
    '//host/path',
    'ab=c://should.fail.com',
    '1http://a',
    'http:',
    ':x',
    'should fail',
    'http://example.com/a b',
    'http://example.com/<x>',
    'http://example.com/"x"',
    'http://example.com/a|b',
    'http://example.com/{x}',
    'http://example.com/a\\b',
    'http://example.com/\n',
    'http://example.com/\0',
    'http://example.com/\u0085',
    'http://example.com/\ud800',
    'http://example.com/\udc00x',
    ' http://example.com',
    'http://example.com ',
    // Folds to `k` where case is ignored: must not pass as a scheme.
    '\u212a:x',
  ])('XAPI-00011 %j is refused', (text) => {
    expect(isIri(text)).toBe(false)
  })

  it('may be generously long, but not endless', () => {
    const prefix = 'https://example.com/'
    expect(isIri(prefix.padEnd(maxIdentifierLength, 'x'))).toBe(true)
    expect(isIri(prefix.padEnd(maxIdentifierLength + 1, 'x'))).toBe(false)
  })
})

describe('UUIDs', () => {
  it.each(['12345678-1234-5678-1234-567812345678', '8F87CCDE-BB56-4C2E-AB83-44982EF22DF0'])(
    'XAPI-00029 %s is in standard form',
    (text) => {
      expect(isUuid(text)).toBe(true)
    },
  )

  it.each([
    '',
    'AA97B177-9383-4934-8543-0F91A7A028368',
    'MA97B177-9383-4934-8543-0F91A7A02836',
    'aa97b177938349348543 0f91a7a02836',
    '{aa97b177-9383-4934-8543-0f91a7a02836}',
    'urn:uuid:aa97b177-9383-4934-8543-0f91a7a02836',
    'aa97b177-9383-4934-8543-0f91a7a02836\n',
  ])('XAPI-00029 XAPI-00030 %j is refused', (text) => {
    expect(isUuid(text)).toBe(false)
  })
})
