// Blobs: bytes by their hash, all or nothing, and the sweep of what no row refers to.

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHash, randomBytes } from 'node:crypto'
import { createTenant, statement, store as put } from './samples.ts'
import { engines, enginesWithBucket } from './engines.ts'
import type { Clock, Storage } from '../../src/core/storage.ts'
import type { LrsId } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'

const hashOf = (bytes: Uint8Array, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex')

async function* inPieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function readBlob({ blobs }: Storage, lrsId: LrsId, sha2: string): Promise<Buffer | undefined> {
  const blob = await blobs.open(lrsId, sha2)
  if (blob === undefined) return undefined
  const pieces: Uint8Array[] = []
  for await (const piece of blob.bytes) pieces.push(piece)
  const whole = Buffer.concat(pieces)
  expect(blob.length).toBe(whole.length)
  return whole
}

const mostBytes = 1_000_000
const hour = 3_600_000

describe.each([...engines, ...enginesWithBucket])('blobs, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  let now = Date.parse('2026-01-02T03:04:05Z')
  const isInBucket = enginesWithBucket.includes(engine)
  // Each costs several requests to a bucket.
  const many = isInBucket ? 8 : 30
  const clock: Clock = { now: () => now }
  beforeAll(async () => void (store = await engine.open(clock)))
  afterAll(() => store.end())
  beforeEach(async () => void ({ lrsId } = await createTenant(store.storage)))

  const blobs = () => store.storage.blobs
  const read = (sha2: string, lrs = lrsId) => readBlob(store.storage, lrs, sha2)
  const putBytes = (bytes: Uint8Array, lrs = lrsId) => blobs().put(lrs, inPieces(bytes), { mostBytes })
  /** Nothing half arrived: whatever is unreferenced has been swept, so a second sweep with any age finds nothing. */
  const sweepAll = () => blobs().sweep(0)

  it('can be reached, whatever is there', async () => {
    await expect(blobs().look()).resolves.toBeUndefined()
  })

  it.each([0, 1, 999, 1000, 200_000])('gives back %i bytes', async (size) => {
    const bytes = randomBytes(size)
    expect(await putBytes(bytes)).toEqual({ sha2: hashOf(bytes), length: size })
    expect(await read(hashOf(bytes))).toEqual(bytes)
  })

  it.each(['sha224', 'sha256', 'sha384', 'sha512'])('goes by a hash of %s', async (algorithm) => {
    const bytes = randomBytes(5000)
    const sha2 = hashOf(bytes, algorithm)
    expect(await blobs().put(lrsId, inPieces(bytes), { sha2, mostBytes })).toEqual({ sha2, length: 5000 })
    expect(await read(sha2)).toEqual(bytes)
  })

  it('tells what is lost from what is erased, or is there', async () => {
    const [there, lost, gone] = ['there', 'lost', 'gone'].map((text) => hashOf(Buffer.from(text)))
    await putBytes(Buffer.from('there'))
    const attachments = [there!, lost!].map((sha2) => ({ sha2, contentType: 'text/plain' }))
    await put(store.storage, lrsId, [statement({ attachments })])
    expect(await blobs().listLost(lrsId, [gone!, lost!, there!])).toEqual([lost])
    await expect(blobs().open(lrsId, lost!)).rejects.toMatchObject({
      code: 'internal',
      cause: { lrsId, sha2s: [lost] },
    })
    expect(await blobs().open(lrsId, gone!)).toBeUndefined()
    await putBytes(Buffer.from('lost'))
    expect(await blobs().listLost(lrsId, [lost!])).toEqual([])
    expect(await read(lost!)).toEqual(Buffer.from('lost'))
  })

  it('outlives a restart', async () => {
    const bytes = randomBytes(100)
    const { sha2 } = await putBytes(bytes)
    await store.restart()
    expect(await read(sha2)).toEqual(bytes)
  })

  it('refuses content with another hash, and keeps none of it', async () => {
    await sweepAll()
    const bytes = randomBytes(5000)
    const sha2 = hashOf(randomBytes(1))
    await expect(blobs().put(lrsId, inPieces(bytes), { sha2, mostBytes })).rejects.toMatchObject({ code: 'invalid' })
    expect(await read(sha2)).toBeUndefined()
    expect(await read(hashOf(bytes))).toBeUndefined()
    expect(await sweepAll()).toEqual({ removed: 0, bytes: 0 })
  })

  it('takes exactly as much as it may, and reads no more than it must', async () => {
    const bytes = randomBytes(5000)
    await blobs().put(lrsId, inPieces(bytes), { mostBytes: 5000 })
    let asked = 0
    async function* counted() {
      for await (const piece of inPieces(randomBytes(50_000))) {
        asked += 1
        yield piece
      }
    }
    await expect(blobs().put(lrsId, counted(), { mostBytes: 4999 })).rejects.toMatchObject({ code: 'too_large' })
    expect(asked).toBe(5)
  })

  it('keeps nothing of bytes whose source fails midway, and says what failed', async () => {
    await sweepAll()
    const bytes = randomBytes(5000)
    async function* broken() {
      yield bytes.subarray(0, 2500)
      throw new Error('the client is gone')
    }
    const sha2 = hashOf(bytes)
    await expect(blobs().put(lrsId, broken(), { sha2, mostBytes })).rejects.toThrow('the client is gone')
    expect(await read(sha2)).toBeUndefined()
    expect(await sweepAll()).toEqual({ removed: 0, bytes: 0 })
  })

  it.each(['', '..', '../../claviger.db', 'a/b', 'A'.repeat(64), 'g'.repeat(64), 'a'.repeat(63), 'a'.repeat(65)])(
    'takes %j for no name',
    async (sha2) => {
      expect(await blobs().open(lrsId, sha2)).toBeUndefined()
      await expect(blobs().put(lrsId, inPieces(randomBytes(1)), { sha2, mostBytes })).rejects.toMatchObject({
        code: 'invalid',
      })
    },
  )

  it('stores the same bytes once, however many send them at once', async () => {
    await sweepAll()
    const bytes = randomBytes(20_000)
    // s3rver, unlike S3, writes an object in several steps: many at once trip over each other there.
    const all = await Promise.all(Array.from({ length: isInBucket ? 3 : 16 }, () => putBytes(bytes)))
    expect(new Set(all.map(({ sha2 }) => sha2))).toEqual(new Set([hashOf(bytes)]))
    expect(await read(hashOf(bytes))).toEqual(bytes)
    expect(await sweepAll()).toEqual({ removed: 1, bytes: 20_000 })
  })

  it('can be given up while it is read', async () => {
    const { sha2 } = await putBytes(randomBytes(300_000))
    const blob = await blobs().open(lrsId, sha2)
    for await (const piece of blob?.bytes ?? []) {
      expect(piece.length).toBeGreaterThan(0)
      break
    }
    const unread = await blobs().open(lrsId, sha2)
    unread?.cancel()
    expect((await read(sha2))?.length).toBe(300_000)
  })

  it('is absent in another Lrs, and swept there alone', async () => {
    const other = await createTenant(store.storage)
    const bytes = randomBytes(3000)
    const { sha2 } = await putBytes(bytes)
    expect(await read(sha2, other.lrsId)).toBeUndefined()
    await putBytes(bytes, other.lrsId)
    await put(store.storage, other.lrsId, [claiming(sha2)])
    await sweepAll()
    expect(await read(sha2)).toBeUndefined()
    expect(await read(sha2, other.lrsId)).toEqual(bytes)
  })

  describe('the sweep', () => {
    it('removes what no row refers to, once it is old enough', async () => {
      await sweepAll()
      const orphan = await putBytes(randomBytes(3000))
      const claimed = await putBytes(randomBytes(4000))
      await put(store.storage, lrsId, [claiming(claimed.sha2)])
      now += hour
      expect(await blobs().sweep(hour + 1)).toEqual({ removed: 0, bytes: 0 })
      expect(await blobs().sweep(hour)).toEqual({ removed: 1, bytes: 3000 })
      expect(await read(orphan.sha2)).toBeUndefined()
      expect(await read(claimed.sha2)).toHaveLength(4000)
    })

    it('leaves what is sent anew', async () => {
      const bytes = randomBytes(3000)
      const { sha2 } = await putBytes(bytes)
      now += 2 * hour
      await putBytes(bytes)
      await blobs().sweep(hour)
      expect(await read(sha2)).toEqual(bytes)
    })

    it('leaves a blob to who reads it', async () => {
      const bytes = randomBytes(300_000)
      const { sha2 } = await putBytes(bytes)
      const blob = await blobs().open(lrsId, sha2)
      await sweepAll()
      const pieces: Uint8Array[] = []
      for await (const piece of blob?.bytes ?? []) pieces.push(piece)
      expect(Buffer.concat(pieces)).toEqual(bytes)
      expect(await read(sha2)).toBeUndefined()
    })

    it('never takes what a put has just vouched for', async () => {
      const bodies = Array.from({ length: many }, () => randomBytes(2000))
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(bodies.map((bytes) => putBytes(bytes)))
        now += 2 * hour
        const sweeping = [blobs().sweep(hour), blobs().sweep(hour)]
        const found = await Promise.all(
          bodies.map(async (bytes) => {
            const { sha2 } = await putBytes(bytes)
            return (await read(sha2))?.equals(bytes)
          }),
        )
        await Promise.all(sweeping)
        expect(found).toEqual(bodies.map(() => true))
        for (const bytes of bodies) expect(await read(hashOf(bytes))).toEqual(bytes)
      }
    })

    it('goes through more blobs than fit one query', async () => {
      await sweepAll()
      const claimed = await putBytes(randomBytes(100))
      await put(store.storage, lrsId, [claiming(claimed.sha2)])
      await Promise.all(Array.from({ length: 40 }, () => putBytes(randomBytes(10))))
      expect((await sweepAll()).removed).toBe(40)
      expect(await read(claimed.sha2)).toHaveLength(100)
    })
  })

  describe('what a request holds', () => {
    const heldPut = async (bytes: Uint8Array, hold = blobs().hold()) => {
      const { sha2 } = await blobs().put(lrsId, inPieces(bytes), { mostBytes, hold })
      return { sha2, hold }
    }
    const removeUnused = async () => {
      let [removed, left] = [0, 0]
      let after: string | undefined
      do {
        const part = await blobs().removeUnused(lrsId, after)
        removed += part.removed
        left += part.left
        after = part.next
      } while (after !== undefined)
      return { removed, left }
    }

    it('stays whatever the clock says, and goes with the request that refers to none of it', async () => {
      const bytes = randomBytes(3000)
      const { sha2, hold } = await heldPut(bytes)
      now += 100 * hour
      await sweepAll()
      expect(await removeUnused()).toEqual({ removed: 0, left: 0 })
      now -= 200 * hour
      expect(await removeUnused()).toEqual({ removed: 0, left: 0 })
      expect(await read(sha2)).toEqual(bytes)
      hold.release()
      hold.release()
      await vi.waitFor(async () => expect(await read(sha2)).toBeUndefined())
    })

    it('stays for good once a row refers to it', async () => {
      const { sha2, hold } = await heldPut(randomBytes(3000))
      await removeUnused()
      await put(store.storage, lrsId, [claiming(sha2)])
      hold.release()
      expect(await removeUnused()).toEqual({ removed: 0, left: 0 })
      expect(await read(sha2)).toHaveLength(3000)
    })

    it('stays until the last of them is done; what was there before is said to be left', async () => {
      const bytes = randomBytes(3000)
      const [one, two] = [await heldPut(bytes), await heldPut(bytes)]
      one.hold.release()
      expect(await removeUnused()).toEqual({ removed: 0, left: 1 })
      expect(await read(one.sha2)).toEqual(bytes)
      two.hold.release()
      await vi.waitFor(async () => expect(await read(one.sha2)).toBeUndefined())
    })

    it('is not taken from under puts that come while what is unused is removed', async () => {
      const bodies = Array.from({ length: many }, () => randomBytes(2000))
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(bodies.map((bytes) => putBytes(bytes)))
        const removing = [removeUnused(), removeUnused()]
        const held = await Promise.all(bodies.map((bytes) => heldPut(bytes)))
        await put(
          store.storage,
          lrsId,
          held.map(({ sha2 }) => claiming(sha2)),
        )
        for (const { hold } of held) hold.release()
        await Promise.all(removing)
        expect(await Promise.all(held.map(async ({ sha2 }) => (await read(sha2))?.length))).toEqual(
          bodies.map(() => 2000),
        )
        ;({ lrsId } = await createTenant(store.storage))
      }
    })
  })

  it('removes what is unused of one Lrs, whatever its age', async () => {
    const other = await createTenant(store.storage)
    const theirs = await putBytes(randomBytes(10), other.lrsId)
    const claimed = await putBytes(randomBytes(100))
    await put(store.storage, lrsId, [claiming(claimed.sha2)])
    const unused = (await Promise.all(Array.from({ length: 20 }, () => putBytes(randomBytes(10))))).map(
      ({ sha2 }) => sha2,
    )
    let removed = 0
    let after: string | undefined
    do {
      const part = await blobs().removeUnused(lrsId, after)
      removed += part.removed
      after = part.next
    } while (after !== undefined)
    // Those whose hold was just being let go of go with it.
    await vi.waitFor(async () => {
      for (const sha2 of unused) expect(await read(sha2)).toBeUndefined()
    })
    expect(removed).toBeLessThanOrEqual(20)
    expect(await read(claimed.sha2)).toHaveLength(100)
    expect(await read(theirs.sha2, other.lrsId)).toHaveLength(10)
  })

  it('is refused when the store closes', async () => {
    const closing = await engine.open(clock)
    const tenant = await createTenant(closing.storage)
    const { blobs: closed } = closing.storage
    await closing.end()
    await expect(closed.put(tenant.lrsId, inPieces(randomBytes(10)), { mostBytes })).rejects.toMatchObject({
      code: 'unavailable',
    })
  })
})

function claiming(sha2: string) {
  return statement({ attachments: [{ sha2, contentType: 'text/plain' }] })
}
