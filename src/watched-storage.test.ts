import { describe, expect, it, vi } from 'vitest'
import { DomainError } from './core/errors.ts'
import { Gate } from './core/gate.ts'
import type { LrsId } from './core/ids.ts'
import type { Storage } from './core/storage.ts'
import { readBoundsWithin, watchStorage } from './watched-storage.ts'

const lrsId = 1 as LrsId

class Statements {
  #secret = 'own'
  list = vi.fn<() => Promise<string>>(async () => this.#secret)
  async find(): Promise<never> {
    throw new DomainError('unavailable', this.#secret)
  }
}

function storageOf(statements: object): Storage {
  const blobs = { hold: () => ({ release() {} }) }
  return {
    statements,
    blobs,
    platform: {},
    directory: {},
    documents: {},
    erasures: {},
    load: () => ({ a: 1 }),
  } as unknown as Storage
}

const gate = () => new Gate({ atOnce: 1, waiting: 1, waitMs: 1000 }, 'full')

describe('readBoundsWithin', () => {
  it.each([
    [2, 1],
    [10, 3],
    [100, 8],
    [undefined, 8],
  ])('of %s connections pages have %d', (connections, pages) => {
    expect(readBoundsWithin(1000, connections)).toMatchObject({ atOnce: pages, waiting: 250 })
  })
})

describe('watchStorage', () => {
  it('tells how long each call took and how it ended, and changes nothing', async () => {
    const onCall = vi.fn<(operation: string, outcome: string, seconds: number) => void>()
    const storage = watchStorage(storageOf(new Statements()), { reads: gate(), onCall })
    expect(await storage.statements.list(lrsId, {} as never)).toBe('own')
    await expect(storage.statements.find(lrsId, '', { isVoided: false })).rejects.toThrow('own')
    expect(storage.blobs.hold()).toEqual({ release: expect.any(Function) as () => void })
    expect(storage.load()).toEqual({ a: 1 })
    expect(onCall.mock.calls).toEqual([
      ['statements.list', 'done', expect.any(Number)],
      ['statements.find', 'unavailable', expect.any(Number)],
    ])
  })

  it('runs every call within a span where there are any', async () => {
    const trace = vi.fn<(name: string, call: () => Promise<unknown>) => unknown>((_, call) => call()) as never
    const storage = watchStorage(storageOf(new Statements()), { reads: gate(), trace })
    await storage.statements.list(lrsId, {} as never)
    expect(vi.mocked(trace as () => void).mock.calls).toEqual([['statements.list', expect.any(Function)]])
  })

  it('reads no page when there is no room for it', async () => {
    const statements = new Statements()
    const demandRoom = () => {
      throw new DomainError('unavailable', 'no room')
    }
    const storage = watchStorage(storageOf(statements), { reads: gate(), demandRoom })
    await expect(storage.statements.list(lrsId, {} as never)).rejects.toThrow('no room')
    expect(statements.list).not.toHaveBeenCalled()
  })

  it('lets only so many reads wait', async () => {
    let answer: (text: string) => void = () => {}
    const list = vi.fn<() => Promise<string>>(() => new Promise((resolve) => (answer = resolve)))
    const storage = watchStorage(storageOf({ list, consistentThrough: async () => 5 }), { reads: gate() })
    const read = () => storage.statements.list(lrsId, {} as never)
    const [inside, waiting] = [read(), read()]
    await expect(read()).rejects.toMatchObject({ code: 'unavailable', detail: { decidedBy: 'overload' } })
    expect(await storage.statements.consistentThrough(lrsId)).toBe(5)
    expect(list).toHaveBeenCalledOnce()
    answer('first')
    await inside
    await vi.waitFor(() => expect(list).toHaveBeenCalledTimes(2))
    answer('second')
    expect(await waiting).toBe('second')
  })
})
