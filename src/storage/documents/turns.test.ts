// Who waits behind something that hangs.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Turns } from './turns.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('come one after the other, and not for long behind what hangs; other things wait for nothing', async () => {
  const turns = new Turns<string>()
  const done: string[] = []
  let end = (): void => {}
  const first = turns.take('a', () => new Promise<void>((resolve) => (end = resolve)))
  const late = expect(turns.take('a', async () => done.push('late'))).rejects.toMatchObject({ code: 'unavailable' })
  await turns.take('b', async () => done.push('b'))
  await vi.advanceTimersByTimeAsync(10_000)
  await late
  const next = turns.take('a', async () => done.push('next'))
  expect(done).toEqual(['b'])
  end()
  await Promise.all([first, next])
  await expect(turns.take('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  await turns.take('a', async () => done.push('last'))
  expect(done).toEqual(['b', 'next', 'last'])
})
