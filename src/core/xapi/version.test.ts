import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules, refusedBy } from '../../../test/support/statement.ts'
import { demandsConditions, latestVersion, parseVersion, supportedVersions } from './version.ts'

describe('the version header', () => {
  it.each([
    ['1.0', '1.0'],
    ['1.0.0', '1.0'],
    ['1.0.3', '1.0'],
    ['1.0.17', '1.0'],
    [' 1.0.3 ', '1.0'],
    ['2.0', '2.0'],
    ['2.0.0', '2.0'],
    ['2.0.1', '2.0'],
  ])('XAPI-00331 %s belongs to family %s', (header, family) => {
    expect(parseVersion(header)).toBe(family)
  })

  it.each([undefined, '', '0.95', '1', '1.1.0', '1.0.', '1.0.x', '2.1', '3.0.0', 'v1.0.3', '1.0.3, 2.0.0'])(
    'XAPI-00331 %s is refused',
    (header) => {
      expect(refusedBy(() => parseVersion(header))).toEqual(['X-Experience-API-Version: XAPI-00331'])
    },
  )

  it('names the header once, and what it said', () => {
    expect(() => parseVersion('0.95')).toThrow(
      /^X-Experience-API-Version: Expected 1\.0\.x or 2\.0\.x, such as 1\.0\.3 or 2\.0\.0; got "0\.95"\.$/,
    )
    expect(() => parseVersion(undefined)).toThrow(/^X-Experience-API-Version: Expected .*; the header is missing\.$/)
  })

  it('XAPI-00333 each family answers with its latest version, which About lists', () => {
    expect(latestVersion).toEqual({ '1.0': '1.0.3', '2.0': '2.0.0' })
    expect(supportedVersions).toEqual(expect.arrayContaining(Object.values(latestVersion)))
  })
})

it('a PUT of a profile needs a condition since 1.0.3, and in 2.0 only to replace', () => {
  const versions = ['1.0', '1.0.0', '1.0.2', '1.0.3', ' 1.0.10 ', '2.0.0', '2.0.3', undefined]
  expect(versions.filter(demandsConditions)).toEqual(['1.0.3', ' 1.0.10 '])
})

describe('the version of a statement', () => {
  it.each(['1.0', '1.0.0', '1.0.9'])('XAPI-00101 %s is accepted under both families', (version) => {
    expect(brokenRules(aStatement({ version }), '1.0')).toEqual([])
    expect(brokenRules(aStatement({ version }), '2.0')).toEqual([])
  })

  it('XAPI-00101 2.0.0 is accepted under 2.0 only', () => {
    expect(brokenRules(aStatement({ version: '2.0.0' }), '2.0')).toEqual([])
    expect(brokenRules(aStatement({ version: '2.0.0' }), '1.0')).toEqual(['/version XAPI-00101'])
  })

  it.each(['', '0.9.9', '1.1.0', '10.0', '1.0.3 ', 1])('XAPI-00101 %j is refused under both families', (version) => {
    expect(brokenRules(aStatement({ version }), '1.0')).toEqual(['/version XAPI-00101'])
    expect(brokenRules(aStatement({ version }), '2.0')).toEqual(['/version XAPI-00101'])
  })
})
