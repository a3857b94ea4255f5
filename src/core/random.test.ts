import { describe, expect, it } from 'vitest'
import { takeRandom } from './random.ts'

describe('random bytes', () => {
  it('are as many as asked for, across what is asked of the system at once, and more than that', () => {
    const lengths = [0, 1, 12, 20, 8191, 8192, 8193, 32, 20_000]
    expect(lengths.map((length) => takeRandom(length).length)).toEqual(lengths)
  })

  it('never come twice, and are not cleared or changed by what is taken after them', () => {
    const taken = Array.from({ length: 5_000 }, () => takeRandom(10))
    const texts = taken.map((bytes) => bytes.toString('hex'))
    takeRandom(8192)
    expect(new Set(texts).size).toBe(5_000)
    expect(taken.map((bytes) => bytes.toString('hex'))).toEqual(texts)
  })
})
