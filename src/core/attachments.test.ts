import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import { createPlace } from '../../test/support/store.ts'
import { whileHolding } from './attachments.ts'
import { DomainError } from './errors.ts'
import type { BlobStore } from './storage.ts'

let world: OpenCore
const told: [fields: object, message: string][] = []
const log = { info: (fields: object, message: string) => void told.push([fields, message]), warn() {}, error() {} }

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  // PostgreSQL decides by its own clock when a job is due.
  world = await openCore({ log, place: await createPlace('sqlite') })
})
afterEach(async () => {
  await world.close()
  vi.useRealTimers()
})

async function* bytes() {
  yield Buffer.from('nobody refers to this')
}

it('what nothing refers to is swept when it is a day old, and the log says so', async () => {
  const { blobs } = world.storage
  const { sha2, length } = await blobs.put(world.lrsId, bytes(), { mostBytes: 100 })
  const isThere = async () => {
    const blob = await blobs.open(world.lrsId, sha2)
    blob?.cancel()
    return blob !== undefined
  }
  const sweep = vi.spyOn(blobs, 'sweep')
  const nextSweep = async () => {
    await vi.advanceTimersByTimeAsync(3_700_000)
    return sweep.mock.results.at(-1)?.value as ReturnType<typeof blobs.sweep>
  }
  world.clock.pass(23 * 3_600_000)
  expect(await nextSweep()).toEqual({ removed: 0, bytes: 0 })
  expect([await isThere(), told]).toEqual([true, []])
  world.clock.pass(3_600_000)
  expect(await nextSweep()).toEqual({ removed: 1, bytes: length })
  expect(await isThere()).toBe(false)
  expect(told).toEqual([[{ removed: 1, bytes: length }, expect.stringContaining('nothing refers to')]])
})

describe('a hold', () => {
  const unavailable = new DomainError('unavailable', 'Lost.')
  it.each([
    ['ends with what it was for', undefined, 'release'],
    ['ends with what was refused', new DomainError('conflict', 'No.'), 'release'],
    ['stays where the row may be there all the same', unavailable, 'leave'],
  ] as const)('%s', async (_, error, end) => {
    const [release, leave] = [vi.fn<() => void>(), vi.fn<() => void>()]
    const hold = { release, leave, confirm: async () => {} }
    const blobs = { hold: () => hold } as Partial<BlobStore> as BlobStore
    const work = whileHolding(blobs, async () => {
      if (error !== undefined) throw error
      return 'done'
    })
    expect(await work.catch((thrown: unknown) => thrown)).toBe(error ?? 'done')
    expect([release, leave].map(({ mock }) => mock.calls.length)).toEqual(end === 'release' ? [1, 0] : [0, 1])
  })
})
