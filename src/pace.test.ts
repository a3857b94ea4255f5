import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Pace } from './pace.ts'

const bounds = { perSecond: 100, longestMs: 500, most: 1000 }

describe('Pace', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** How many of `count` that come at one moment have left after so many milliseconds. */
  async function leftAfter(pace: Pace, count: number, ...moments: readonly number[]): Promise<number[]> {
    let left = 0
    for (let index = 0; index < count; index++) {
      const turn = pace.turn()
      if (turn === undefined) left += 1
      else void turn.then(() => (left += 1))
    }
    const counts = [left]
    for (const [index, moment] of moments.entries()) {
      await vi.advanceTimersByTimeAsync(moment - (moments[index - 1] ?? 0))
      counts.push(left)
    }
    return counts
  }

  it('lets a bunch go at once, and those that are more one after the other', async () => {
    const pace = new Pace(bounds)
    expect(await leftAfter(pace, 40, 100, 200, 300)).toEqual([10, 20, 30, 40])
    expect(pace.held).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('holds nobody longer than it may, however many come', async () => {
    const pace = new Pace(bounds)
    const counts = await leftAfter(pace, 900, 490, 510)
    expect(counts[1]).toBeLessThan(100)
    expect(counts[2]).toBe(900)
  })

  it('holds no more than it may', async () => {
    const pace = new Pace({ ...bounds, most: 5 })
    expect(await leftAfter(pace, 100)).toEqual([95])
    expect(pace.held).toBe(5)
  })

  it('holds nobody who comes seldom', async () => {
    const pace = new Pace(bounds)
    for (let index = 0; index < 100; index++) {
      expect(pace.turn()).toBeUndefined()
      await vi.advanceTimersByTimeAsync(10)
    }
  })
})
