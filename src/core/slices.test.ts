// Turns of the event loop: long work lets others in between.

import { expect, it } from 'vitest'
import { nextSlice } from './slices.ts'

it('gives one turn at a time, and what is due meanwhile comes in between', async () => {
  const seen: string[] = []
  const turns = ['first', 'second'].map(async (name) => {
    await nextSlice()
    seen.push(name)
  })
  setImmediate(() => seen.push('between'))
  await Promise.all(turns)
  expect(seen).toEqual(['first', 'between', 'second'])
})
