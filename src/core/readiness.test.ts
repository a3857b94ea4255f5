import { describe, expect, it, vi } from 'vitest'
import { ReadinessProbe } from './readiness.ts'

describe('ReadinessProbe', () => {
  it('is ready when everything answers', async () => {
    const probe = new ReadinessProbe({ checks: { storage: async () => 1, blobs: async () => undefined } })
    expect(await probe.look()).toEqual({ isReady: true, checks: { storage: 'ok', blobs: 'ok' }, isDraining: false })
  })

  it('names what fails, and what takes too long', async () => {
    const checks = { storage: () => Promise.reject(new Error('gone')), blobs: () => new Promise(() => {}) }
    const probe = new ReadinessProbe({ checks, slowMs: 1 })
    expect(await probe.look()).toMatchObject({ isReady: false, checks: { storage: 'failed', blobs: 'slow' } })
  })

  it('looks once, however many ask at once', async () => {
    const storage = vi.fn<() => Promise<void>>(async () => {})
    const probe = new ReadinessProbe({ checks: { storage } })
    await Promise.all(Array.from({ length: 1000 }, () => probe.look()))
    await probe.look()
    expect(storage).toHaveBeenCalledOnce()
  })

  it('looks again later, and tells of every change once', async () => {
    let isThere = true
    const storage = async (): Promise<void> => {
      if (!isThere) throw new Error('gone')
    }
    const seen: boolean[] = []
    const probe = new ReadinessProbe({ checks: { storage }, keptMs: -1, onChange: ({ isReady }) => seen.push(isReady) })
    for (const is of [true, false, false, true]) {
      isThere = is
      expect((await probe.look()).isReady).toBe(is)
    }
    expect(seen).toEqual([false, true])
  })

  it('is not ready once it drains, although all is well', async () => {
    const probe = new ReadinessProbe({ checks: { storage: async () => {} } })
    probe.drain()
    expect(await probe.look()).toEqual({ isReady: false, checks: { storage: 'ok' }, isDraining: true })
  })
})
