// Two nodes over one store: what each of them would do, one does.

import { describe, expect, it, vi } from 'vitest'
import { JobRunner, Leases } from './jobs.ts'
import type { Job } from './jobs.ts'
import type { NodeStore } from './storage.ts'
import { OnlyNode } from '../storage/sqlite/only-node.ts'

/** Long enough that a busy machine loses no lease by itself. */
const timing = { ttlMs: 1_000, askEveryMs: 25 }
const newLeases = (nodes: NodeStore, node: string) => new Leases({ nodes, node, timing })
const never = () => new Promise<never>(() => {})
/** Ends when it is told to. */
const untilTold = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

describe('a lease', () => {
  it('is held by one at a time, also of the same node, and free afterwards, whatever became of the work', async () => {
    const nodes = new OnlyNode()
    const [a, b] = [newLeases(nodes, 'a'), newLeases(nodes, 'b')]
    const done = await a.hold('x', async () => [await a.hold('x', never), await b.hold('x', never)])
    expect(done).toEqual({ result: [undefined, undefined] })
    await expect(b.hold('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await a.hold('x', () => Promise.resolve(1))).toEqual({ result: 1 })
  })

  it('is renewed while the work goes on', async () => {
    const nodes = new OnlyNode()
    const [a, b] = [newLeases(nodes, 'a'), newLeases(nodes, 'b')]
    let signal: AbortSignal | undefined
    const long = a.hold('x', async (given) => {
      signal = given
      await new Promise((resolve) => setTimeout(resolve, 5 * timing.ttlMs))
    })
    for (let times = 0; times < 20; times++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(await b.hold('x', never)).toBeUndefined()
    }
    expect(signal?.aborted).toBe(false)
    await long
  })

  it('lost ends the work; what lost it does not free it for a third', async () => {
    const nodes = new OnlyNode()
    const [a, b] = [newLeases(nodes, 'a'), newLeases(nodes, 'b')]
    const take = nodes.takeLease.bind(nodes)
    // Cut off: what a asks for does not arrive.
    const cut = vi.spyOn(nodes, 'takeLease')
    cut.mockImplementation((name, holder, term) =>
      holder.startsWith('a') && holder !== 'a 1' ? Promise.reject(new Error('cut off')) : take(name, holder, term),
    )
    const work = a.hold('x', (signal) => {
      cut.mockImplementation((name, holder, term) =>
        holder.startsWith('a') ? Promise.reject(new Error('cut off')) : take(name, holder, term),
      )
      return untilTold(signal)
    })
    await expect(work).rejects.toMatchObject({ code: 'unavailable' })
    cut.mockRestore()
    const next = b.holdNext('x', untilTold)
    await new Promise((resolve) => setTimeout(resolve, 2 * timing.ttlMs))
    await nodes.releaseLease('x', 'a 1', true)
    expect(await a.hold('x', never)).toBeUndefined()
    b.close()
    await expect(next).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('of a node that was killed is taken over', async () => {
    const nodes = new OnlyNode()
    await nodes.takeLease('x', 'killed', { ttlMs: timing.ttlMs })
    const b = newLeases(nodes, 'b')
    expect(await b.hold('x', never)).toBeUndefined()
    expect(await b.holdNext('x', () => Promise.resolve('followed'))).toEqual({ result: 'followed' })
  })

  it('leaves nothing behind, however often it is asked for', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const nodes = new OnlyNode()
    await nodes.takeLease('x', 'killed', { ttlMs: 20 * timing.askEveryMs })
    await newLeases(nodes, 'b').holdNext('x', () => Promise.resolve())
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  it('nobody waits for when the node stops', async () => {
    const nodes = new OnlyNode()
    await nodes.takeLease('x', 'somebody', { ttlMs: 60_000 })
    const b = newLeases(nodes, 'b')
    const waiting = b.holdNext('x', never)
    b.close()
    expect(await waiting).toBeUndefined()
    expect(await b.hold('y', never)).toBeUndefined()
  })
})

describe('a job', () => {
  const setting = (jobs: (node: string) => readonly Job[], names = ['a', 'b']) => {
    const nodes = new OnlyNode()
    const ends: unknown[][] = []
    const runners = names.map(
      (node) =>
        new JobRunner({
          leases: newLeases(nodes, node),
          jobs: jobs(node),
          onEnd: (...end) => void ends.push([node, ...end]),
        }),
    )
    return { nodes, ends, runners, close: () => Promise.all(runners.map((runner) => runner.close())) }
  }

  it('runs on one node at a time and rests in between, on all of them', async () => {
    let running = 0
    let most = 0
    const runs: number[] = []
    const job: Job = {
      name: 'j',
      everyMs: 50,
      async run() {
        runs.push(performance.now())
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 30))
        running -= 1
      },
    }
    const { close } = setting(() => [job], ['a', 'b', 'c', 'd'])
    await vi.waitFor(() => expect(runs.length).toBeGreaterThanOrEqual(4), 5_000)
    await close()
    expect(most).toBe(1)
    // 30 ms of work and 50 ms of rest, less what timers round.
    for (const [index, at] of runs.slice(1).entries()) expect(at - runs[index]!).toBeGreaterThan(75)
  })

  it('due at the start runs then, the others rest first', async () => {
    const ran: string[] = []
    const named = (name: string, isDueAtStart: boolean): Job => ({
      ...{ name, everyMs: 60_000, isDueAtStart },
      run: async () => void ran.push(name),
    })
    const { close } = setting(() => [named('now', true), named('later', false)], ['a'])
    await vi.waitFor(() => expect(ran).toEqual(['now']))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await close()
    expect(ran).toEqual(['now'])
  })

  it('that throws is told of and tried again; one that is stopped is not told of', async () => {
    const job: Job = { name: 'j', everyMs: 0, run: () => Promise.reject(new Error('broken')) }
    const broken = setting(() => [job], ['a'])
    await vi.waitFor(() => expect(broken.ends.length).toBeGreaterThan(1))
    await broken.close()
    expect(broken.ends[0]).toEqual(['a', 'j', new Error('broken')])
    let isRunning = false
    const endless: Job = { name: 'j', everyMs: 0, run: (signal) => ((isRunning = true), untilTold(signal)) }
    const stopped = setting(() => [endless], ['a'])
    await vi.waitFor(() => expect(isRunning).toBe(true))
    await stopped.close()
    expect(stopped.ends).toEqual([])
    expect(await stopped.nodes.takeLease('job j', 'next', { ttlMs: 1 })).toBe(true)
  })
})
