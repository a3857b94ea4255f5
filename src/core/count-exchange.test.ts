import { describe, expect, it, vi } from 'vitest'
import { CountExchange } from './count-exchange.ts'
import { FailureLimit } from './failure-limit.ts'
import { OnlyNode } from '../storage/sqlite/only-node.ts'
import type { NodeStore } from './storage.ts'

/** One store, as several nodes have it. */
function newNodes(): NodeStore {
  const nodes = new OnlyNode()
  return {
    isShared: true,
    isInTouch: () => true,
    takeLease: (...args) => nodes.takeLease(...args),
    releaseLease: (...args) => nodes.releaseLease(...args),
    addCounts: (counts) => nodes.addCounts(counts),
  }
}

function setting(nodes = newNodes()) {
  const exchanges = [1, 2].map(() => new CountExchange({ nodes }))
  const [a, b] = exchanges.map((exchange) => exchange.newCounters('rate', 100))
  for (const exchange of exchanges) exchange.close()
  const exchange = async () => {
    for (const one of [...exchanges, ...exchanges]) await one.exchange()
  }
  return { a: a!, b: b!, exchange, exchanges }
}

const times = async (count: number, work: () => Promise<unknown>) => {
  for (let index = 0; index < count; index++) await work()
}

describe('what two nodes count', () => {
  it('is known to each that counts, an exchange later', async () => {
    const { a, b, exchange } = setting()
    await times(7, () => a.add('x', 60))
    await times(5, () => b.add('x', 60))
    await exchange()
    expect((await b.add('x', 60)).count).toBe(13)
    // Who has counted nothing since was told nothing since.
    expect((await a.add('x', 60)).count).toBe(8)
    await exchange()
    await exchange()
    expect((await a.add('x', 60)).count + (await b.add('x', 60)).count).toBeGreaterThanOrEqual(14 + 15)
  })

  it('what is taken back on one is taken back on both', async () => {
    const { a, b, exchange } = setting()
    await times(3, () => a.add('x', 60))
    await exchange()
    await times(2, () => a.takeBack('x'))
    await exchange()
    await b.add('x', 60)
    await exchange()
    expect((await b.add('x', 60)).count).toBe(3)
  })

  it('counted while an exchange is under way is lost in neither', async () => {
    const nodes = newNodes()
    let during: (() => Promise<unknown>) | undefined
    const addCounts: NodeStore['addCounts'] = async (counts) => {
      const sums = await new Promise<Awaited<ReturnType<NodeStore['addCounts']>>>((resolve) =>
        setImmediate(() => resolve(inner(counts))),
      )
      await during?.()
      return sums
    }
    const inner = nodes.addCounts.bind(nodes)
    const { a, exchange } = setting({ ...nodes, addCounts })
    await times(2, () => a.add('x', 60))
    during = () => ((during = undefined), a.add('x', 60))
    await exchange()
    expect((await a.add('x', 60)).count).toBe(4)
  })

  it('out of reach, a node goes on by itself and tells later', async () => {
    const nodes = newNodes()
    const fails = vi.spyOn(nodes, 'addCounts').mockRejectedValue(new Error('out of reach'))
    const { a, b, exchange } = setting(nodes)
    await times(4, () => a.add('x', 60))
    await exchange()
    expect((await a.add('x', 60)).count).toBe(5)
    fails.mockRestore()
    await exchange()
    await b.add('x', 60)
    await exchange()
    expect((await b.add('x', 60)).count).toBe(7)
  })

  it('of names that nobody uses costs nothing; of a flood only a part is told at a time, most first', async () => {
    const nodes = newNodes()
    const told = vi.spyOn(nodes, 'addCounts')
    const exchange = new CountExchange({ nodes })
    exchange.close()
    const counters = exchange.newCounters('rate', 5000)
    await exchange.exchange()
    expect(told).not.toHaveBeenCalled()
    for (let index = 0; index < 1500; index++) await counters.add(`name ${index}`, 60)
    await counters.add('name 1499', 60)
    await exchange.exchange()
    const [first] = told.mock.calls[0]!
    expect(first).toHaveLength(1000)
    expect(first[0]).toMatchObject({ delta: 2 })
    // Nothing of what clients present leaves this process.
    expect(first.map(({ name }) => name).join()).not.toContain('name')
    await exchange.exchange()
    expect(told.mock.calls[1]![0]).toHaveLength(500)
  })

  it('stops a guesser who goes from node to node', async () => {
    const nodes = newNodes()
    const exchanges = [1, 2].map(() => new CountExchange({ nodes }))
    const limits = exchanges.map(
      (exchange) => new FailureLimit({ perKey: 4, perAddress: 100 }, (kind, max) => exchange.newCounters(kind, max)),
    )
    for (const exchange of exchanges) exchange.close()
    for (const limit of limits) await times(3, () => limit.enter('key', '203.0.113.7'))
    for (const exchange of [...exchanges, ...exchanges]) await exchange.exchange()
    for (const limit of limits) {
      await limit.enter('key', '203.0.113.7').catch(() => {})
    }
    for (const exchange of [...exchanges, ...exchanges]) await exchange.exchange()
    for (const limit of limits) {
      await expect(limit.enter('key', '203.0.113.7')).rejects.toMatchObject({ code: 'rate_limited' })
    }
  })
})
