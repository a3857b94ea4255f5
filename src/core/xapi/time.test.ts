import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inBoth, aStatement, brokenRules } from '../../../test/support/statement.ts'
import { canonicalTimestamp, formatStored, maxTimestampLength, parseTimestamp, toUtc } from './time.ts'

const noon = Date.parse('2023-05-04T12:00:00Z') * 1000

describe('reading timestamps', () => {
  it.each([
    ['2023-05-04T12:00:00Z', 0],
    ['2023-05-04t12:00:00z', 0],
    ['2023-05-04T12:00:00.123456Z', 123_456],
    ['2023-05-04T12:00:00.1234569Z', 123_456],
    ['2023-05-04T12:00:00,5Z', 500_000],
    ['2023-05-04T07:00:00-05:00', 0],
    ['2023-05-04T07:00:00-0500', 0],
    ['2023-05-04T07:00:00-05', 0],
    ['2023-05-04T17:30:00+05:30', 0],
    ['2023-05-04T12:00:00+00:00', 0],
    ['2023-05-04T12:00:00', 0],
    ['2023-05-04T12:00Z', 0],
    ['20230504T120000Z', 0],
    ['20230504T1730+0530', 0],
    ['2023-05-04T11:59:60Z', 0],
  ])('XAPI-00123 %s is noon and %i µs', (text, microseconds) => {
    expect(parseTimestamp(text)).toBe(noon + microseconds)
  })

  it.each([
    '',
    'should fail',
    '01/011/2015',
    '2008-09-15T15:53:00.601-00',
    '2008-09-15T15:53:00.601-0000',
    '2008-09-15T15:53:00.601-00:00',
    '2008-09-15',
    '2008-09-15 15:53:00Z',
    '2008-13-01T00:00:00Z',
    '2008-00-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2008-09-15T24:00:00Z',
    '2008-09-15T15:60:00Z',
    '2008-09-15T15:53:61Z',
    '2008-09-15T15:53:00+24:00',
    '2008-09-15T15:53:00+05:60',
    '2008-09-15T15:53:00.Z',
    '2008-09-15T15:53:00Z\n',
    '+002008-09-15T15:53:00Z',
  ])('XAPI-00123 %j is refused', (text) => {
    expect(parseTimestamp(text)).toBeUndefined()
  })

  it('all years of four digits are read', () => {
    expect(parseTimestamp('0001-01-01T00:00:00Z')).toBe(-62_135_596_800_000_000)
    expect(parseTimestamp('0000-02-29T00:00:00Z')).toBeDefined()
    expect(parseTimestamp('9999-12-31T23:59:59Z')).toBe(253_402_300_799_000_000)
  })
})

describe('timestamps of statements', () => {
  it.each(['timestamp', 'stored'])('XAPI-00022 XAPI-00023 %s refuses other types', (name) => {
    const rule = name === 'stored' ? 'XAPI-00023' : 'XAPI-00022'
    expect(brokenRules(aStatement({ [name]: 1_234_567 }))).toEqual([`/${name} ${rule}`])
    expect(brokenRules(aStatement({ [name]: 'yesterday' }))).toEqual([`/${name} XAPI-00123`])
  })

  it.each(inBoth({ timestamp: '01/011/2015' }))('XAPI-00123 a bad one in %s is refused', (_, prefix, statement) => {
    expect(brokenRules(statement)).toEqual([`${prefix}/timestamp XAPI-00123`])
  })

  it.each(inBoth({ timestamp: '2999-01-01T00:00:00Z' }))(
    'a future one in %s is accepted',
    (_place, _prefix, statement) => {
      expect(brokenRules(statement)).toEqual([])
    },
  )

  it.each(['2023-05-04T12:00:00', '2023-05-04T12:00Z', '20230504T120000Z', '2023-05-04T07:00:00-0500'])(
    '%s is ISO 8601 but not RFC 3339: 1.0.x takes it, 2.0 does not',
    (timestamp) => {
      expect(brokenRules(aStatement({ timestamp }), '1.0')).toEqual([])
      expect(brokenRules(aStatement({ timestamp }), '2.0')).toEqual(['/timestamp XAPI-00123'])
    },
  )

  it.each(['2008-09-15T15:53:00.601+00:00', '2023-05-04T12:00:00-05:00'])('2.0 takes %s', (timestamp) => {
    expect(brokenRules(aStatement({ timestamp }), '2.0')).toEqual([])
  })
})

describe('long timestamps', () => {
  const fraction = (length: number) => `2023-05-04T12:00:00.${'0'.repeat(length - 22)}1Z`

  it.each(inBoth({ timestamp: fraction(maxTimestampLength + 1) }))(
    'are refused in %s, beyond a length that no clock needs',
    (_, prefix, statement) => {
      for (const version of ['1.0', '2.0'] as const) {
        expect(brokenRules(statement, version)).toEqual([`${prefix}/timestamp claviger/timestamp-length`])
      }
    },
  )

  it('are taken up to that length, every digit kept', () => {
    const longest = fraction(maxTimestampLength)
    expect(longest).toHaveLength(maxTimestampLength)
    expect(brokenRules(aStatement({ timestamp: longest }), '2.0')).toEqual([])
    expect(toUtc(longest)).toBe(longest)
    expect(canonicalTimestamp(longest)).not.toBe(canonicalTimestamp('2023-05-04T12:00:00Z'))
  })

  // A pattern that tries each run of zeros to its end would take minutes for this.
  it('cost no more than their length, also where nobody checked them before', () => {
    const text = fraction(200_000)
    expect(canonicalTimestamp(text)).toBe(text)
    expect(parseTimestamp(text)).toBeUndefined()
    expect(toUtc(text)).toBe(text)
  })
})

describe('writing timestamps', () => {
  it.each([
    ['2023-05-04T12:00:00-05:00', '2023-05-04T17:00:00Z'],
    ['2023-05-04T12:00:00.123456789+05:30', '2023-05-04T06:30:00.123456789Z'],
    ['2023-01-01T00:00:00.10+00:00', '2023-01-01T00:00:00.10Z'],
    ['2023-01-01T00:00:00.1Z', '2023-01-01T00:00:00.1Z'],
    ['9999-12-31T23:00:00-05:00', '9999-12-31T23:00:00-05:00'],
    ['0000-01-01T00:00:00+05:00', '0000-01-01T00:00:00+05:00'],
  ])('%s in UTC is %s, no digit lost', (text, utc) => {
    expect(toUtc(text)).toBe(utc)
    expect(toUtc(utc)).toBe(utc)
    expect(parseTimestamp(utc)).toBe(parseTimestamp(text))
  })

  it('XAPI-00122 the stored time keeps six digits and reads back as itself', () => {
    expect(formatStored(1_767_312_245_123_456)).toBe('2026-01-02T00:04:05.123456Z')
    expect(formatStored(1_767_312_245_000_000)).toBe('2026-01-02T00:04:05.000000Z')
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8_000_000_000_000_000 }), (seq) => {
        expect(parseTimestamp(formatStored(seq))).toBe(seq)
      }),
    )
  })

  it('moments compare by the moment', () => {
    expect(canonicalTimestamp('2023-05-04T12:00:00.50-05:00')).toBe(canonicalTimestamp('2023-05-04T17:00:00.5Z'))
    expect(canonicalTimestamp('2023-05-04T12:00:00.0000000001Z')).not.toBe(canonicalTimestamp('2023-05-04T12:00:00Z'))
  })
})
