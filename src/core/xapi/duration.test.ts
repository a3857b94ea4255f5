import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules } from '../../../test/support/statement.ts'
import { canonicalDuration, isDuration, maxDurationLength } from './duration.ts'

describe('durations', () => {
  it.each([
    'PT4H35M59.14S',
    'PT16559.14S',
    'P3Y1M29DT4H35M59.14S',
    'P3Y',
    'P4W',
    'P1.5W',
    'PT0S',
    'PT1H0M0.1S',
    'P1DT12H36M0.12567S',
    'PT1,5S',
    'P0.5Y',
    'P1M',
    'PT1M',
  ])('XAPI-00124 %s is accepted', (text) => {
    expect(isDuration(text)).toBe(true)
  })

  it.each([
    '',
    'P',
    'PT',
    'P1DT',
    'P4W1D',
    'P1D4W',
    'PA1H0M0S',
    'PT1S1M',
    'P1S',
    'PT1D',
    '1H',
    '-PT1S',
    'PT-1S',
    'P1.5DT1H',
    'PT.5S',
    'pt1s',
    'P0003-01-29T04:35:59',
    'PT1S ',
  ])('XAPI-00124 %j is refused', (text) => {
    expect(isDuration(text)).toBe(false)
  })

  it('XAPI-00077 a result refuses other types', () => {
    expect(brokenRules(aStatement({ result: { duration: 12345 } }))).toEqual(['/result/duration XAPI-00077'])
    expect(brokenRules(aStatement({ result: { duration: 'PA1H' } }))).toEqual(['/result/duration XAPI-00124'])
  })

  it('a duration longer than any needs to be is refused', () => {
    const duration = (length: number) => `PT0.${'1'.repeat(length - 5)}S`
    expect(brokenRules(aStatement({ result: { duration: duration(maxDurationLength) } }))).toEqual([])
    expect(brokenRules(aStatement({ result: { duration: duration(maxDurationLength + 1) } }))).toEqual([
      '/result/duration claviger/duration-length',
    ])
  })

  it.each([
    ['PT0.1237S', 'PT0.12S'],
    ['PT0.12S', 'PT0.12S'],
    ['PT0,129999S', 'PT0,12S'],
    ['P1DT1H36M0.12567S', 'P1DT1H36M0.12S'],
    ['P0.125Y', 'P0.125Y'],
    ['PT60S', 'PT60S'],
  ])('%s compares as %s: cut after 0.01 s, never rounded', (text, canonical) => {
    expect(canonicalDuration(text)).toBe(canonical)
  })
})
