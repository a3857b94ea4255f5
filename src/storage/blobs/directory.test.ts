import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LrsId } from '../../core/ids.ts'
import { BlobDirectory } from './directory.ts'
import { MemoryHolds } from './holds.ts'
import { Blobs } from './store.ts'

const lrsId = 7 as LrsId
const clock = { now: () => Date.parse('2026-01-02T03:04:05Z') }
let path: string
let asked: (readonly string[])[]
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'claviger-blobs-')), 'blobs')
  asked = []
})
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

function open(findReferenced: (sha2s: readonly string[]) => Promise<readonly string[]> = async () => []): Blobs {
  const place = new BlobDirectory({ path, clock })
  place.prepare()
  return new Blobs({
    place,
    clock,
    rows: {
      holds: new MemoryHolds(),
      findReferenced: (_, sha2s) => {
        asked.push(sha2s)
        return findReferenced(sha2s)
      },
    },
  })
}

async function* source(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}
const put = (blobs: Blobs, text: string) => blobs.put(lrsId, source(text), { mostBytes: 1000 })
const sha2Of = (text: string) => createHash('sha256').update(text).digest('hex')

it('keeps a blob under its Lrs and hash, for its owner alone', async () => {
  const { sha2 } = await put(open(), 'one')
  const file = join(path, '7', sha2.slice(0, 2), sha2)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  for (const folder of [path, join(path, '7'), join(path, '7', sha2.slice(0, 2))]) {
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  }
})

it('removes at the start what a killed process left half arrived, and nothing else', async () => {
  const { sha2 } = await put(open(), 'one')
  const leftover = join(path, 'arriving', 'left')
  writeFileSync(leftover, 'half of it')
  const blobs = open()
  expect(existsSync(leftover)).toBe(false)
  const blob = await blobs.open(lrsId, sha2)
  blob?.cancel()
  expect(blob?.length).toBe(3)
})

it('asks for the rows of no more than 500 blobs at a time, and of none that are young', async () => {
  const blobs = open()
  // All in one folder, without waiting for a disk 1,200 times.
  const { sha2 } = await put(blobs, 'first')
  const folder = join(path, '7', sha2.slice(0, 2))
  for (let index = 0; index < 1200; index += 1) {
    writeFileSync(join(folder, sha2.slice(0, 2) + sha2Of(String(index)).slice(2)), '')
  }
  // Written by the real clock, which is later than the one of the test.
  await blobs.sweep(0)
  expect(asked).toEqual([[sha2], [sha2]])
  asked = []
  await blobs.sweep(-Number.MAX_SAFE_INTEGER / 2)
  // Before they go, all are looked up once more, a hundred at a time.
  const counts = asked.map((sha2s) => sha2s.length)
  expect(counts.filter((count) => count !== 100)).toEqual([500, 500, 200])
  expect(counts.filter((count) => count === 100)).toHaveLength(12)
  expect(readdirSync(folder)).toEqual([])
})

it('leaves the rest of a sweep to the next process when it closes', async () => {
  const blobs = open(async () => {
    await blobs.close()
    throw new Error('the store is closing')
  })
  const { sha2 } = await put(blobs, 'one')
  expect(await blobs.sweep(0)).toEqual({ removed: 0, bytes: 0 })
  expect(existsSync(join(path, '7', sha2.slice(0, 2), sha2))).toBe(true)
})

it('says when rows cannot be looked up, and removes nothing', async () => {
  const blobs = open(() => Promise.reject(new Error('no answer')))
  const { sha2 } = await put(blobs, 'one')
  await expect(blobs.sweep(0)).rejects.toThrow('no answer')
  expect(existsSync(join(path, '7', sha2.slice(0, 2), sha2))).toBe(true)
})

it('refuses what still arrives when it closes, and keeps none of it', async () => {
  const blobs = open()
  async function* slow() {
    yield Buffer.from('one')
    await blobs.close()
    yield Buffer.from('two')
  }
  await expect(blobs.put(lrsId, slow(), { mostBytes: 1000 })).rejects.toMatchObject({ code: 'unavailable' })
  expect(readdirSync(join(path, 'arriving'))).toEqual([])
  expect(await blobs.open(lrsId, sha2Of('onetwo'))).toBeUndefined()
})

it('says unavailable when the disk does not take it', async () => {
  const blobs = open()
  rmSync(join(path, 'arriving'), { recursive: true })
  await expect(put(blobs, 'one')).rejects.toMatchObject({ code: 'unavailable' })
})
