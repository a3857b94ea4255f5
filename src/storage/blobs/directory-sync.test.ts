// That a blob's name is on disk before anybody relies on it, also where an earlier put got as far as the name only.

import { mkdtempSync, rmSync } from 'node:fs'
import type * as files from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { LrsId } from '../../core/ids.ts'
import { MemoryHolds } from './holds.ts'
import { Blobs } from './store.ts'

const sync = vi.hoisted(() => ({ synced: [] as string[], failing: undefined as string | undefined }))
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof files>()
  const open = async (path: string, flags: string, mode?: number) => {
    const handle = await real.open(path, flags, mode)
    const syncReally = handle.sync.bind(handle)
    handle.sync = async () => {
      if (sync.failing !== undefined && path.endsWith(sync.failing)) throw new Error('no sync')
      await syncReally()
      sync.synced.push(path)
    }
    return handle
  }
  return { ...real, open }
})

// Files before and after this one use what is under test with the real one.
vi.resetModules()
const { BlobDirectory } = await import('./directory.ts')
afterAll(() => void vi.resetModules())

let path: string
beforeEach(() => void (path = join(mkdtempSync(join(tmpdir(), 'claviger-blobs-')), 'blobs')))
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

async function* source(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

it('the folder of a blob that was there already is synced, too', async () => {
  const clock = { now: () => 0 }
  const rows = { findReferenced: async () => [], holds: new MemoryHolds() }
  const blobs = new Blobs({ place: new BlobDirectory({ path, clock }), rows, clock })
  const put = () => blobs.put(7 as LrsId, source('one'), { mostBytes: 1000 })
  const { sha2 } = await put()
  sync.synced = []
  await put()
  expect(sync.synced).toContain(join(path, '7', sha2.slice(0, 2)))
  sync.failing = join('7', sha2.slice(0, 2))
  await expect(put()).rejects.toThrow()
  // Still nobody is told that it is there.
  await expect(put()).rejects.toThrow()
  sync.failing = undefined
  expect((await put()).sha2).toBe(sha2)
})
