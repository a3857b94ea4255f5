import { describe, expect, it } from 'vitest'
import {
  afterDelivery,
  afterFailure,
  afterResumption,
  atTheBeginning,
  delayMs,
  mostAtOnce,
  movedTo,
  readProgress,
} from './pipe-progress.ts'

const now = 1_767_000_000_000
const done = { statements: 3, alreadyThere: 1, lastStored: '2026-01-01T00:00:00Z' }

describe('the next attempt', () => {
  it('comes twice as late each time, up to five minutes, half of it by chance', () => {
    const whole = [1, 2, 3, 4, 9, 10, 100, 10_000].map((failures) => delayMs(failures, 1))
    expect(whole).toEqual([1_000, 2_000, 4_000, 8_000, 256_000, 300_000, 300_000, 300_000])
    expect([delayMs(3, 0), delayMs(3, 0.5), delayMs(10_000, 0)]).toEqual([2_000, 3_000, 150_000])
  })

  it('is no sooner than the target asks for, and within an hour', () => {
    const retryAt = (afterMs: number) =>
      afterFailure(atTheBeginning, { reason: 'x', afterMs }, { now, random: 1 }).retryAt
    expect([0, 500, 30_000, 1e12].map(retryAt)).toEqual([1_000, 1_000, 30_000, 3_600_000].map((ms) => now + ms))
  })

  it('knows why the last one failed, in so many characters', () => {
    const failed = afterFailure(atTheBeginning, { reason: 'x'.repeat(5_000) }, { now, random: 0 })
    expect(failed).toMatchObject({ failures: 1, failure: `${'x'.repeat(1_000)}…` })
  })
})

describe('progress', () => {
  it('counts what was delivered and forgets what failed', () => {
    const failed = afterFailure({ ...atTheBeginning, at: 5 }, { reason: 'x' }, { now, random: 0 })
    expect(afterDelivery(movedTo(failed, { at: 9 }), done, now)).toEqual({
      ...{ at: 9, delivered: 3, alreadyThere: 1, failures: 0, lastStored: done.lastStored, lastDeliveredAt: now },
    })
    expect(afterResumption(failed)).toEqual({ ...atTheBeginning, at: 5 })
  })

  it('lets batches grow again by one, until they are as large as any', () => {
    const most = (before: number) => afterDelivery({ ...atTheBeginning, most: before }, done, now).most
    expect([most(1), most(mostAtOnce - 2), most(mostAtOnce - 1)]).toEqual([2, mostAtOnce - 1, undefined])
    expect(afterDelivery(atTheBeginning, done, now)).not.toHaveProperty('most')
  })

  it('is read as what was written, also by who wrote less', () => {
    expect(readProgress(null)).toEqual(atTheBeginning)
    expect(readProgress({ at: 7, failures: 2 })).toEqual({ ...atTheBeginning, at: 7, failures: 2 })
  })
})
