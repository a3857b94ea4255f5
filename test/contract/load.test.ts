// What a store says of its own queues: numbers by name, at any moment, without a question to anybody.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engines } from './engines.ts'
import type { Store } from './engines.ts'

describe.each(engines)('load: $name', ({ open }) => {
  let store: Store
  beforeAll(async () => {
    store = await open()
  })
  afterAll(() => store.end())

  it('is a number for each part, zero or more, also when nothing was ever asked', () => {
    const load = Object.entries(store.storage.load())
    expect(load.length).toBeGreaterThan(0)
    for (const [name, count] of load)
      expect([name, count]).toEqual([expect.stringMatching(/^[a-z_]+$/), count >= 0 ? count : 'less'])
  })

  it('shows what is under way, and no more when it is answered', async () => {
    const busy = (): number =>
      Object.entries(store.storage.load()).reduce(
        (sum, [name, count]) => (name.endsWith('_idle') ? sum - count : sum + count),
        0,
      )
    const before = busy()
    const asked = Array.from({ length: 20 }, () => store.storage.platform.findKeyCheck())
    expect(busy()).toBeGreaterThan(before)
    await Promise.all(asked)
    expect(busy()).toBeLessThanOrEqual(before)
  })
})
