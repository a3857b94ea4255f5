// The small form of scripts/erasure-million.ts: a person is erased while others store and the server is killed twice.

import { describe, expect, it } from 'vitest'
import { eraseUnderFire } from '../../scripts/erasure-rounds.ts'

describe('an erasure', () => {
  it('leaves nothing of the person in any file and everybody else’s rows as they were, killed twice on the way', async () => {
    const report = await eraseUnderFire({ statements: 12_000, actors: 20, killAt: [0.3, 0.6] })
    expect(report.problems).toEqual([])
    expect(report.kills).toBe(2)
    expect(report.erased).toBeGreaterThan(500)
  }, 180_000)
})
