// What is the bucket's own: what goes over the wire, what a start says, what failures become. The rules of blobs are in
// test/contract/blobs.test.ts, which runs on a bucket, too.

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startBucket } from '../../../test/support/bucket.ts'
import type { BucketUnderTest, Fault } from '../../../test/support/bucket.ts'
import type { LrsId } from '../../core/ids.ts'
import { openBucket } from './bucket.ts'
import type { BlobBucket, BucketSettings } from './bucket.ts'
import { checkBlobs } from './check.ts'
import { MemoryHolds } from './holds.ts'
import { Blobs } from './store.ts'

const lrsId = 7 as LrsId
const mostBytes = 100_000_000
let bucket: BucketUnderTest
let folder: string
let place: BlobBucket
let blobs: Blobs
let referenced: Set<string>

beforeEach(async () => {
  bucket = await startBucket()
  folder = mkdtempSync(join(tmpdir(), 'claviger-arriving-'))
  referenced = new Set()
  place = await open()
  const findReferenced = async (_: LrsId, sha2s: readonly string[]) => sha2s.filter((sha2) => referenced.has(sha2))
  const rows = { findReferenced, holds: new MemoryHolds() }
  blobs = new Blobs({ place, rows, clock: { now: () => Date.now() } })
})
afterEach(async () => {
  vi.useRealTimers()
  bucket.failWith(undefined)
  await blobs.close()
  await bucket.stop()
  rmSync(folder, { recursive: true })
})

function open(settings: Partial<BucketSettings> = {}): Promise<BlobBucket> {
  return openBucket({ ...bucket.settings, ...settings, arrivals: folder, isShared: false })
}

const hashOf = (bytes: Uint8Array, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex')

async function* inPieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function read(sha2: string): Promise<Buffer | undefined> {
  const blob = await blobs.open(lrsId, sha2)
  if (blob === undefined) return undefined
  const pieces: Uint8Array[] = []
  for await (const piece of blob.bytes) pieces.push(piece)
  return Buffer.concat(pieces)
}

const put = (bytes: Uint8Array, sha2?: string) =>
  blobs.put(lrsId, inPieces(bytes), { mostBytes, ...(sha2 !== undefined && { sha2 }) })
const putsOf = (sha2: string) => bucket.requests.filter((line) => line.startsWith('P') && line.includes(sha2))

describe('what goes to the bucket', () => {
  it('is an object by Lrs and hash, below the prefix, and no file here', async () => {
    const prefixed = await open({ prefix: 'some/where/' })
    const bytes = randomBytes(1000)
    const arrived = await prefixed.receive(inPieces(bytes))
    expect(readdirSync(folder)).toHaveLength(1)
    expect(await arrived.settle({ lrsId, sha2: hashOf(bytes) })).toBe(false)
    expect(bucket.requests).toContain(`PUT /blobs/some/where/7/${hashOf(bytes)}`)
    expect(readdirSync(folder)).toEqual([])
    // Another prefix is another store.
    expect(await place.find({ lrsId, sha2: hashOf(bytes) })).toBeUndefined()
    expect((await prefixed.find({ lrsId, sha2: hashOf(bytes) }))?.length).toBe(1000)
    prefixed.close()
  })

  it('goes in parts when it is long, with the hash checked before the first of them', async () => {
    const bytes = randomBytes(20_000_000)
    await expect(put(bytes, hashOf(randomBytes(1)))).rejects.toMatchObject({ code: 'invalid' })
    expect(bucket.requests.filter((line) => line.startsWith('P') && !line.includes('/start-'))).toEqual([])
    expect(await put(bytes, hashOf(bytes, 'sha512'))).toEqual({ sha2: hashOf(bytes, 'sha512'), length: 20_000_000 })
    // Begun, four parts, completed.
    expect(putsOf(hashOf(bytes, 'sha512'))).toHaveLength(6)
    expect((await read(hashOf(bytes, 'sha512')))?.equals(bytes)).toBe(true)
    expect(readdirSync(folder)).toEqual([])
  })

  it('mends what is there and is not what it should be', async () => {
    const bytes = randomBytes(1000)
    const client = new S3Client({ ...bucket.settings, region: 'us-east-1', forcePathStyle: true })
    await client.send(new PutObjectCommand({ Bucket: 'blobs', Key: `7/${hashOf(bytes)}`, Body: 'cut' }))
    client.destroy()
    await put(bytes)
    expect(await read(hashOf(bytes))).toEqual(bytes)
  })

  it('is nothing to do with what else is in the bucket', async () => {
    const client = new S3Client({ ...bucket.settings, region: 'us-east-1', forcePathStyle: true })
    for (const Key of ['readme.txt', '7/readme.txt', `7/${'a'.repeat(64)}/more`, `x/${'a'.repeat(64)}`]) {
      await client.send(new PutObjectCommand({ Bucket: 'blobs', Key, Body: 'theirs' }))
    }
    client.destroy()
    await put(randomBytes(10))
    expect(await blobs.sweep(-10_000)).toEqual({ removed: 1, bytes: 10 })
    expect(await blobs.removeUnused(lrsId)).toMatchObject({ removed: 0 })
    expect(bucket.requests.filter((line) => line.startsWith('DELETE') && !line.includes('/start-'))).toHaveLength(1)
  })

  it('is listed over several pages', async () => {
    const names = Array.from({ length: 501 }, (_, index) => hashOf(Buffer.from(String(index)))).toSorted()
    await bucket.fill(names.map((name) => `7/${name}`))
    const first = await place.list(lrsId)
    expect(first).toEqual({ sha2s: names.slice(0, 500), next: names[499] })
    expect(await place.list(lrsId, first.next)).toEqual({ sha2s: names.slice(500), next: undefined })
    const old: string[] = []
    for await (const { sha2s } of place.listOld(Date.now() + 1000)) old.push(...sha2s)
    expect(old).toEqual(names)
    referenced = new Set(names.slice(0, 490))
    expect(await blobs.removeUnused(lrsId)).toEqual({ removed: 10, left: 0, next: names[499] })
  })
})

describe('what killed processes leave', () => {
  it('is removed from this machine at the start', async () => {
    await place.receive(inPieces(randomBytes(10)))
    expect(readdirSync(folder)).toHaveLength(1)
    const next = await open()
    // Not before it is known whose it is.
    expect(readdirSync(folder)).toHaveLength(1)
    next.prepare()
    expect(readdirSync(folder)).toEqual([])
    next.close()
  })

  it('is left to others that may still be at it', async () => {
    await place.receive(inPieces(randomBytes(10)))
    const beside = await openBucket({ ...bucket.settings, arrivals: folder, isShared: true })
    beside.prepare()
    expect(readdirSync(folder)).toHaveLength(1)
    beside.close()
  })

  it('in the bucket, uploads in parts, is aborted by the sweep once it is a day old', async () => {
    const client = new S3Client({ ...bucket.settings, region: 'us-east-1', forcePathStyle: true })
    const of = { Bucket: 'blobs', Key: `7/${'a'.repeat(64)}` }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(of))
    await client.send(new UploadPartCommand({ ...of, UploadId, PartNumber: 1, Body: 'half of it' }))
    await client.send(new CreateMultipartUploadCommand({ ...of, Key: 'backups/theirs' }))
    client.destroy()
    await blobs.sweep(0)
    expect(bucket.listUploads()).toHaveLength(2)
    bucket.ageUploads(25 * 3600 * 1000)
    await blobs.sweep(0)
    expect(bucket.listUploads()).toHaveLength(1)
    expect(bucket.listUploads()).not.toContain(UploadId)
  })
})

describe('when the bucket fails', () => {
  const fail: Fault = (context) => {
    context.status = 500
    context.type = 'application/xml'
    context.body = '<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>'
    return true
  }

  it('tries again, and not for ever', async () => {
    let failures = 2
    bucket.failWith((context) => failures-- > 0 && fail(context))
    const bytes = randomBytes(1000)
    expect((await put(bytes)).length).toBe(1000)
    bucket.failWith(fail)
    const before = bucket.requests.length
    const error: unknown = await put(randomBytes(1000)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unavailable', detail: { retryAfterSeconds: 5 } })
    expect(bucket.requests.length - before).toBe(3)
    expect(inspect(error, { depth: 20 })).not.toContain('Signature=')
    expect(readdirSync(folder)).toEqual([])
    await expect(blobs.open(lrsId, hashOf(bytes))).rejects.toMatchObject({ code: 'unavailable' })
    await expect(blobs.sweep(0)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(blobs.removeUnused(lrsId)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(blobs.listLost(lrsId, [hashOf(bytes)])).rejects.toMatchObject({ code: 'unavailable' })
    bucket.failWith(undefined)
    expect(await read(hashOf(bytes))).toEqual(bytes)
  }, 30_000)

  it('passes on how long to wait', async () => {
    bucket.failWith((context) => {
      context.set('Retry-After', '2')
      return fail(context)
    })
    const error = { code: 'unavailable', detail: { retryAfterSeconds: 2 } }
    await expect(blobs.open(lrsId, 'a'.repeat(64))).rejects.toMatchObject(error)
  })

  it('aborts a long upload whose parts do not get through', async () => {
    bucket.failWith((context) => context.query['partNumber'] === '2' && fail(context))
    await expect(put(randomBytes(20_000_000))).rejects.toMatchObject({ code: 'unavailable' })
    await vi.waitFor(() => expect(bucket.listUploads()).toEqual([]))
    expect(readdirSync(folder)).toEqual([])
  })

  it('lets nobody put what it may still be removing', async () => {
    const bytes = randomBytes(1000)
    await put(bytes)
    bucket.failWith((context) => context.method === 'DELETE' && fail(context))
    await expect(blobs.removeUnused(lrsId)).rejects.toMatchObject({ code: 'unavailable' })
    bucket.failWith(undefined)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const again = expect(put(bytes)).rejects.toMatchObject({ code: 'unavailable', detail: { retryAfterSeconds: 5 } })
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1))
    while (readdirSync(folder).length > 0) {
      vi.advanceTimersByTime(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await again
  })

  it('says what a check cannot see, and what is cut', async () => {
    const [there, cut] = [await put(Buffer.from('there')), await put(Buffer.from('cut'))]
    const rows = {
      findReferenced: (_: LrsId, sha2s: readonly string[]) => sha2s,
      query: (sql: string, [, after]: readonly unknown[]) =>
        after !== '' || !sql.includes('max(length)')
          ? []
          : [there, cut, { sha2: 'a'.repeat(64) }].map(({ sha2 }) => ({ lrsId, sha2, length: 5 })),
    }
    const { examples, ...counts } = await checkBlobs(rows, place)
    expect(counts).toEqual({ checked: 3, damaged: 2 })
    expect(examples.map(({ fault }) => fault).toSorted()).toEqual(['3 bytes instead of 5', 'missing'])
    bucket.failWith(fail)
    expect(await checkBlobs(rows, place)).toMatchObject({ checked: 3, damaged: 3 })
  }, 30_000)

  it('gives up a reading that breaks off, as unavailable', async () => {
    const bytes = randomBytes(5_000_000)
    const { sha2 } = await put(bytes)
    const blob = await blobs.open(lrsId, sha2)
    await bucket.stop()
    await expect(
      (async () => {
        for await (const piece of blob?.bytes ?? []) expect(piece.length).toBeGreaterThan(0)
      })(),
    ).rejects.toMatchObject({ code: 'unavailable' })
    bucket = await startBucket()
  })
})

describe('a start says what is wrong', () => {
  const secret = 'a-secret-nobody-may-see'
  const refusal = async (settings: Partial<BucketSettings>) => {
    const error: unknown = await open(settings).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unavailable' })
    // Neither the secret nor what it signed.
    expect(inspect(error, { depth: 20 })).not.toMatch(new RegExp(`${secret}|Signature=`))
    return (error as Error).message
  }

  it('there is no such bucket', async () => {
    expect(await refusal({ bucket: 'nowhere' })).toMatch(/^There is no bucket "nowhere" at http:\/\/127\.0\.0\.1:\d+:/)
  })

  it('nobody listens there', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => probe.once('listening', resolve))
    const { port } = probe.address() as AddressInfo
    await new Promise((resolve) => probe.close(resolve))
    const endpoint = `http://127.0.0.1:${port}`
    expect(await refusal({ endpoint })).toContain(`${endpoint} cannot be reached (ECONNREFUSED)`)
  })

  it.each(['InvalidAccessKeyId', 'SignatureDoesNotMatch'])('the key is not accepted: %s', async (code) => {
    bucket.failWith((context) => {
      context.status = 403
      context.type = 'application/xml'
      context.body = `<Error><Code>${code}</Code><Message>No.</Message></Error>`
      return true
    })
    const credentials = { accessKeyId: 'somebody', secretAccessKey: secret }
    expect(await refusal({ credentials })).toContain(`does not accept the access key (${code})`)
  })

  it.each([
    ['GET', 's3:ListBucket'],
    ['PUT', 's3:PutObject'],
    ['HEAD', 's3:GetObject'],
    ['DELETE', 's3:DeleteObject'],
  ])('a right is missing: %s', async (method, right) => {
    bucket.failWith((context) => {
      if (context.method !== method) return false
      context.status = 403
      context.type = 'application/xml'
      context.body = method === 'HEAD' ? '' : '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
      return true
    })
    expect(await refusal({})).toContain(`Too few rights on the bucket "blobs" at ${bucket.settings.endpoint}`)
    expect(await refusal({})).toContain(`: ${right} is needed`)
  })

  it('leaves nothing behind when all is well', async () => {
    const opened = await open()
    opened.close()
    expect(bucket.requests.slice(-4).map((line) => line.split(' ')[0])).toEqual(['GET', 'PUT', 'HEAD', 'DELETE'])
    expect(existsSync(folder)).toBe(true)
    expect(await blobs.sweep(-10_000)).toEqual({ removed: 0, bytes: 0 })
  })
})
