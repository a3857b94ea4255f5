import { describe, expect, it } from 'vitest'
import { languagesOf } from './present.ts'

describe('Accept-Language', () => {
  it.each<[string | undefined, readonly string[], readonly string[]]>([
    [undefined, [], []],
    ['', [], []],
    ['de', ['de'], []],
    ['da, en-GB;q=0.8, en;q=0.7', ['da', 'en-GB', 'en'], []],
    ['en;q=0.5,de', ['de', 'en'], []],
    // Equal ones in the order they came in.
    ['fr;q=0.5, de;q=0.5 , *;q=0.1', ['fr', 'de', '*'], []],
    [' de ; Q=0.250 ,en;q=0.3', ['en', 'de'], []],
    ['de;q=0, *', ['*'], ['de']],
    ['de;q=0.000, en;q=0.', [], ['de', 'en']],
    ['*;q=0, de', ['de'], []],
    ['de;q=2, en;q=x, fr;q=1.0', ['de', 'en', 'fr'], []],
    [',,de,', ['de'], []],
    ['zh-Hant-TW, x-private, und;q=0.1', ['zh-Hant-TW', 'x-private', 'und'], []],
  ])('%j', (header, wanted, refused) => {
    expect(languagesOf(header)).toEqual({ wanted, refused })
  })

  it('the first twenty count', () => {
    const tags = Array.from({ length: 30 }, (_, index) => `en-x-${index}`)
    expect(languagesOf(tags.join(',')).wanted).toEqual(tags.slice(0, 20))
  })
})
