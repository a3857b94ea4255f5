// Asking politely: how long is waited, for whom, and when it is given up.

import { describe, expect, it } from 'vitest'
import type { Later } from '../core/remote-lrs.ts'
import { Patience } from './patience.ts'

function patient(perMinute = 60_000_000) {
  const waits: number[] = []
  const stop = new AbortController()
  const wait = async (ms: number): Promise<void> => void waits.push(ms)
  return { waits, stop, patience: new Patience({ signal: stop.signal, perMinute, wait }) }
}

const later = (more: Partial<Later> = {}): Later => ({ kind: 'later', reason: 'not now', ...more })
const done = { kind: 'done' } as const

describe('what did not work', () => {
  it('is asked again, ever later, and then given up', async () => {
    const { waits, patience } = patient()
    await expect(patience.ask(async () => later())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('16 times'),
    })
    const seconds = waits.map((ms) => Math.round(ms / 1000)).filter((wait) => wait > 0)
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60, 60, 60])
  })

  it.each<[string, Partial<Later>, number]>([
    ['longer, where that is asked for', { afterMs: 90_000 }, 90],
    ['no shorter, where less is asked for', { afterMs: 0 }, 1],
    ['for an hour at most', { afterMs: 1e12 }, 3_600],
  ])('is waited for %s', async (_, answer, expected) => {
    const { waits, patience } = patient()
    let asked = 0
    expect(await patience.ask(async () => (++asked === 1 ? later(answer) : done))).toEqual(done)
    expect(Math.round(Math.max(...waits) / 1000)).toBe(expected)
  })

  it('is not asked again where it was too long, or refused', async () => {
    const { patience } = patient()
    expect(await patience.ask(async () => later({ isTooLong: true }))).toMatchObject({ isTooLong: true })
    const refused = { kind: 'refused', reason: 'no' } as const
    expect(await patience.ask(async () => refused)).toEqual(refused)
  })
})

it('nobody is asked twice at once, nor more often than was said', async () => {
  const { waits, patience } = patient(60)
  let under = 0
  const attempt = async () => {
    expect(++under).toBe(1)
    await Promise.resolve()
    under--
    return done
  }
  await Promise.all([patience.ask(attempt), patience.ask(attempt), patience.ask(attempt)])
  expect(waits.map((ms) => Math.round(ms / 1000))).toEqual([1, 1])
})

it('one that fails holds up no other, and a stop is a stop', async () => {
  const { patience, stop } = patient()
  const broken = patience.ask(async () => Promise.reject(new Error('broken')))
  const next = patience.ask(async () => done)
  await expect(broken).rejects.toThrow('broken')
  expect(await next).toEqual(done)
  stop.abort(new Error('stopped'))
  await expect(patience.ask(async () => done)).rejects.toThrow('stopped')
})
