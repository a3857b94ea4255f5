// A few seconds of what scripts/valid-and-mutated.ts does for minutes.

import { describe, expect, it } from 'vitest'
import { checkCoverage, judgeMutated, judgeValid, newTally } from './valid-and-mutated-run.ts'

describe('random statements', () => {
  it('are accepted when valid, with every optional member', () => {
    const tally = newTally()
    judgeValid({ count: 4000, seed: 7 }, tally)
    checkCoverage(tally)
    expect(tally.misses).toEqual([])
    expect(tally.valid).toBe(4000)
  })

  it('are refused where one thing is wrong', () => {
    const tally = newTally()
    judgeMutated({ count: 4000, seed: 8 }, tally)
    expect(tally.misses.slice(0, 5)).toEqual([])
    expect(tally.mutated).toBe(4000)
  })
})
