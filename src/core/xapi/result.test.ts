import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules, inBoth } from '../../../test/support/statement.ts'

function scoreRules(score: unknown): string[] {
  return brokenRules(aStatement({ result: { score } }))
}

describe('Results', () => {
  it('may be empty, responses too', () => {
    expect(brokenRules(aStatement({ result: {} }))).toEqual([])
    expect(brokenRules(aStatement({ result: { response: '', extensions: {}, score: {} } }))).toEqual([])
  })

  it.each([
    ['success', 'true', 'XAPI-00074'],
    ['completion', 0, 'XAPI-00075'],
    ['response', 5, 'XAPI-00076'],
    ['extensions', [], 'XAPI-00078'],
    ['score', 5, 'XAPI-00079'],
  ])('%s must not be %j: %s', (name, value, rule) => {
    for (const [, prefix, statement] of inBoth({ result: { [name]: value } })) {
      expect(brokenRules(statement)).toEqual([`${prefix}/result/${name} ${rule}`])
    }
  })
})

describe('scores', () => {
  it.each([
    { scaled: 1 },
    { scaled: -1 },
    { scaled: 0.6767676 },
    { raw: 100.6767676, min: -0.0000321, max: 100.6767676 },
    { raw: 0, min: 0, max: 1e-9 },
    { raw: -5 },
    { min: 5 },
  ])('%j is accepted', (score) => {
    expect(scoreRules(score)).toEqual([])
  })

  it.each([1.0000001, -1.1, '0.5', true])('XAPI-00083 scaled must not be %j', (scaled) => {
    expect(scoreRules({ scaled })).toEqual(['/result/score/scaled XAPI-00083'])
  })

  it.each([
    ['raw', 'XAPI-00082'],
    ['min', 'XAPI-00081'],
    ['max', 'XAPI-00080'],
  ])('XAPI-00006 %s is a number, not a string with one: %s', (name, rule) => {
    expect(scoreRules({ [name]: '5' })).toEqual([`/result/score/${name} ${rule}`])
    expect(scoreRules({ [name]: null })).toEqual([`/result/score/${name} XAPI-00001`])
  })

  it('XAPI-00082 raw lies between min and max', () => {
    expect(scoreRules({ raw: -0.0000322, min: -0.0000321 })).toEqual(['/result/score/raw XAPI-00082'])
    expect(scoreRules({ raw: 100.6767677, max: 100.6767676 })).toEqual(['/result/score/raw XAPI-00082'])
  })

  it('XAPI-00081 min is less than max', () => {
    expect(scoreRules({ min: 1, max: 1 })).toEqual(['/result/score/min XAPI-00081'])
    expect(scoreRules({ min: 2, max: 1 })).toEqual(['/result/score/min XAPI-00081'])
  })
})
