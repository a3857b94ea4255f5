import { describe, expect, it } from 'vitest'
import { CallQueue } from './call-queue.ts'
import type { Answer, Call, Engine } from './engine.ts'

function groupsOf(calls: readonly Pick<Call, 'method' | 'args'>[]): Promise<readonly number[]> {
  const groups: number[] = []
  const engine: Engine = {
    run: async (group) => {
      groups.push(group.length)
      return group.map(({ id }): Answer => ({ id, value: id }))
    },
    tend: () => {},
    close: () => {},
  }
  const answered: number[] = []
  const queue = new CallQueue(engine, (answers) => answered.push(...answers.map(({ id }) => id)))
  queue.add(calls.map((call, id) => ({ ...call, id })))
  return queue.run().then(() => {
    expect(answered).toEqual(calls.map((_, id) => id))
    return groups
  })
}

const many = (count: number, method: string, args: readonly unknown[] = []) =>
  Array.from({ length: count }, () => ({ method, args }))

describe('calls that wait', () => {
  it('are taken as one group, which weighs what they are', async () => {
    expect(await groupsOf(many(1_500, 'directory.claim'))).toEqual([1_024, 476])
    const packed = Array.from({ length: 4_000 }, () => 'x')
    expect(await groupsOf(many(20, 'statements.store', [packed]))).toEqual([8, 8, 4])
  })

  it('are taken in smaller groups where each takes long', async () => {
    expect(await groupsOf(many(70, 'launches.createLaunch'))).toEqual([32, 32, 6])
    const part = { method: 'imports.storeStatements', args: [{}] }
    expect(await groupsOf([...many(3, 'statements.store', [['x']]), part, part])).toEqual([3, 1, 1])
  })
})
