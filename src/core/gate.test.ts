import { describe, expect, it, vi } from 'vitest'
import { Gate } from './gate.ts'

/** Work that ends when told to. */
function held() {
  let end: () => void = () => {}
  const work = vi.fn<() => Promise<string>>(() => new Promise((resolve) => (end = () => resolve('done'))))
  return { work, end: () => end() }
}

const refusal = { code: 'unavailable', detail: { retryAfterSeconds: 1, decidedBy: 'overload' } }

describe('Gate', () => {
  it('lets so many through at once, and the others in the order they came', async () => {
    const gate = new Gate({ atOnce: 2, waiting: 10, waitMs: 10_000 }, 'full')
    const works = Array.from({ length: 4 }, held)
    const passes = works.map(({ work }) => gate.pass(work))
    expect(works.map(({ work }) => work.mock.calls.length)).toEqual([1, 1, 0, 0])
    expect(gate.waiting).toBe(2)
    works[1]!.end()
    await passes[1]
    await vi.waitFor(() => expect(works.map(({ work }) => work.mock.calls.length)).toEqual([1, 1, 1, 0]))
    works[0]!.end()
    works[2]!.end()
    await vi.waitFor(() => expect(works[3]!.work).toHaveBeenCalledOnce())
    works[3]!.end()
    expect(await Promise.all(passes)).toEqual(['done', 'done', 'done', 'done'])
    expect(gate.waiting).toBe(0)
  })

  it('turns away who finds no room, without running what they came for', async () => {
    const gate = new Gate({ atOnce: 1, waiting: 1, waitMs: 10_000 }, 'full')
    const [inside, waiting, late] = [held(), held(), held()]
    const passes = [gate.pass(inside.work), gate.pass(waiting.work)]
    await expect(gate.pass(late.work)).rejects.toMatchObject({ ...refusal, message: 'full' })
    expect(late.work).not.toHaveBeenCalled()
    inside.end()
    await vi.waitFor(() => expect(waiting.work).toHaveBeenCalled())
    waiting.end()
    await Promise.all(passes)
  })

  it('turns away who has waited too long, and gives the place to the next', async () => {
    const gate = new Gate({ atOnce: 1, waiting: 10, waitMs: 1 }, 'full')
    const [inside, waiting, later] = [held(), held(), held()]
    const first = gate.pass(inside.work)
    await expect(gate.pass(waiting.work)).rejects.toMatchObject(refusal)
    inside.end()
    await first
    const last = gate.pass(later.work)
    expect(later.work).toHaveBeenCalledOnce()
    later.end()
    await last
    expect(waiting.work).not.toHaveBeenCalled()
  })

  it('gives the place back when what went through fails', async () => {
    const gate = new Gate({ atOnce: 1, waiting: 0, waitMs: 1 }, 'full')
    await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await gate.pass(async () => 1)).toBe(1)
  })
})
