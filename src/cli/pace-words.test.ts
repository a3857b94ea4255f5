import { expect, it } from 'vitest'
import { duration, newPace } from './pace-words.ts'

it('says how fast it goes now, and how long it will take', () => {
  let now = 0
  const paceOf = newPace(() => now)
  const tell = (at: number, done: number, part?: number) => {
    now = at
    return paceOf({ title: 'statements.json', done, ...(part !== undefined && { part }) })
  }
  expect(tell(0, 0, 0)).toBe('0')
  expect(tell(500, 4_000, 0.1)).toBe('4,000')
  expect(tell(10_000, 80_000, 0.2)).toBe('80,000, 8,000/s, 40 s left')
  // What was ten seconds ago does not count.
  expect(tell(20_000, 90_000, 0.3)).toBe('90,000, 1,000/s, 70 s left')
  expect(tell(30_000, 90_000, 0.3)).toBe('90,000')
  expect(tell(31_000, 91_000)).toBe('91,000, 1,000/s')
  // Another thing begins anew.
  expect(paceOf({ title: 'states.json', done: 5, part: 0 })).toBe('5')
})

it('says nothing of rates where rows are copied', () => {
  expect(newPace()({ phase: 'rows', table: 'a', done: 3, total: 5 })).toBe('3 of 5')
  expect(newPace()({ phase: 'rows', table: 'a', done: 3, total: undefined })).toBe('3')
})

it.each([
  [0.2, '1 s'],
  [89, '89 s'],
  [90, '2 min'],
  [3_600, '60 min'],
  [11_100, '3 h 5 min'],
])('%d seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words)
})
