// What the processes over one store agree on: leases and shared sums.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setTimeout } from 'node:timers/promises'
import { engines } from './engines.ts'
import type { NodeStore } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'

describe.each(engines)('nodes on $name', ({ open }) => {
  let store: Store
  let nodes: NodeStore
  beforeAll(async () => {
    store = await open()
    nodes = store.storage.nodes
  })
  afterAll(() => store.end())

  const long = { ttlMs: 60_000 }

  it('is in touch', () => expect(nodes.isInTouch()).toBe(true))

  describe('a lease', () => {
    it('has one holder, who may renew it', async () => {
      expect(await nodes.takeLease('one', 'a', long)).toBe(true)
      expect(await nodes.takeLease('one', 'b', long)).toBe(false)
      expect(await nodes.takeLease('one', 'a', long)).toBe(true)
      expect(await nodes.takeLease('another', 'b', long)).toBe(true)
    })

    it('is released by its holder only', async () => {
      await nodes.takeLease('release', 'a', long)
      await nodes.releaseLease('release', 'b', true)
      expect(await nodes.takeLease('release', 'b', long)).toBe(false)
      await nodes.releaseLease('release', 'a', true)
      expect(await nodes.takeLease('release', 'b', long)).toBe(true)
    })

    it('ends by itself, and was its holder’s no longer', async () => {
      expect(await nodes.takeLease('end', 'a', { ttlMs: 20 })).toBe(true)
      await setTimeout(40)
      expect(await nodes.takeLease('end', 'b', long)).toBe(true)
      expect(await nodes.takeLease('end', 'a', long)).toBe(false)
      await nodes.releaseLease('end', 'a', true)
      expect(await nodes.takeLease('end', 'a', long)).toBe(false)
    })

    it('is taken by one of many who ask at once', async () => {
      const holders = Array.from({ length: 10 }, (_, index) => `holder ${index}`)
      const taken = await Promise.all(holders.map((holder) => nodes.takeLease('many', holder, long)))
      expect(taken.filter(Boolean)).toHaveLength(1)
    })

    it('rests after it was released as done, and begins with resting; while held it is renewed all the same', async () => {
      const resting = { ...long, everyMs: 80 }
      expect(await nodes.takeLease('rest', 'a', resting)).toBe(false)
      expect(await nodes.takeLease('rest', 'a', long)).toBe(true)
      expect(await nodes.takeLease('rest', 'a', { ...long, everyMs: 60_000 })).toBe(true)
      await nodes.releaseLease('rest', 'a', false)
      await setTimeout(100)
      expect(await nodes.takeLease('rest', 'b', resting)).toBe(true)
      await nodes.releaseLease('rest', 'b', true)
      expect(await nodes.takeLease('rest', 'a', { ...long, everyMs: 60_000 })).toBe(false)
      expect(await nodes.takeLease('rest', 'a', long)).toBe(true)
    })

    it('that was left undone is due at once', async () => {
      await nodes.takeLease('undone', 'a', { ttlMs: 20, everyMs: 60_000 })
      await setTimeout(60)
      expect(await nodes.takeLease('undone', 'a', { ttlMs: 1, everyMs: 50 })).toBe(true)
      await setTimeout(10)
      expect(await nodes.takeLease('undone', 'b', { ...long, everyMs: 50 })).toBe(true)
    })
  })

  describe('sums', () => {
    const windowMs = 60_000

    it('add up, in the order asked, and never fall below 0', async () => {
      await nodes.addCounts([{ name: 's1', delta: 5, windowMs }])
      const [second, first, none] = await nodes.addCounts([
        { name: 's2', delta: 1, windowMs },
        { name: 's1', delta: 2, windowMs },
        { name: 's0', delta: -3, windowMs },
      ])
      expect([first?.count, second?.count, none?.count]).toEqual([7, 1, 0])
      expect(await nodes.addCounts([{ name: 's1', delta: -9, windowMs }])).toMatchObject([{ count: 0 }])
      expect(await nodes.addCounts([])).toEqual([])
    })

    it('last as long as the first says', async () => {
      const [begun] = await nodes.addCounts([{ name: 'window', delta: 1, windowMs: 60 }])
      expect(begun!.leftMs).toBeLessThanOrEqual(60)
      const [later] = await nodes.addCounts([{ name: 'window', delta: 1, windowMs }])
      expect(later!.count).toBe(2)
      expect(later!.leftMs).toBeLessThanOrEqual(60)
      await setTimeout(80)
      const [anew] = await nodes.addCounts([{ name: 'window', delta: 0, windowMs }])
      expect(anew!.count).toBe(0)
      expect(anew!.leftMs).toBeGreaterThan(60)
    })

    it('of many callers at once lose nothing, whatever their order', async () => {
      const names = Array.from({ length: 50 }, (_, index) => `sum ${index}`)
      const shuffled = Array.from({ length: 20 }, () => names.toSorted(() => Math.random() - 0.5))
      await Promise.all(shuffled.map((own) => nodes.addCounts(own.map((name) => ({ name, delta: 1, windowMs })))))
      const sums = await nodes.addCounts(names.map((name) => ({ name, delta: 0, windowMs })))
      expect(sums.map(({ count }) => count)).toEqual(names.map(() => 20))
    })
  })
})
