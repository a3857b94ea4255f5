// An S3-compatible store inside the test's process: s3rver, with what it lacks of what every such store promises. An object is there
// whole or not at all, deleting one does not disturb a put beside it, uploads in parts can be listed and aborted.

import crypto, { createHash, randomUUID } from 'node:crypto'
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import S3rver from 's3rver'
import type { Context } from 's3rver'
import FilesystemStore from 's3rver/lib/stores/filesystem.js'
import type { SentObject } from 's3rver/lib/stores/filesystem.js'
import type { BucketSettings } from '../../src/storage/blobs/bucket.ts'
import type { Clock } from '../../src/core/storage.ts'

/** True when it has answered. */
export type Fault = (context: Context) => boolean

export interface BucketUnderTest {
  readonly settings: BucketSettings
  /** `PUT /blobs/7/…` of every request since the start. */
  readonly requests: readonly string[]
  /** Answers some requests instead of the store. */
  failWith(fault: Fault | undefined): void
  /** Puts objects there, one byte each. */
  fill(keys: readonly string[]): Promise<void>
  remove(key: string): Promise<void>
  /** Uploads in parts that have neither been completed nor aborted. */
  listUploads(): readonly string[]
  /** Makes them that much older. */
  ageUploads(ms: number): void
  stop(): Promise<void>
}

/** `clock`: of the store, which says when an object was put. */
export async function startBucket(clock: Clock = { now: () => Date.now() }): Promise<BucketUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), 'claviger-bucket-'))
  const name = 'blobs'
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory },
    configureBuckets: [{ name }],
  })
  const store = new WholeObjects(directory, clock)
  server.store = server.context.store = store
  const requests: string[] = []
  let fault: Fault | undefined
  server.middleware.unshift(async (context, next) => {
    requests.push(`${context.method} ${context.path}`)
    if (!fault?.(context) && !answerUploads(context, store, name)) await next()
  })
  const { port } = await server.run()
  return {
    settings: {
      ...{ bucket: name, endpoint: `http://127.0.0.1:${port}`, prefix: '', isPathStyle: true },
      credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    },
    requests,
    failWith: (given) => void (fault = given),
    async fill(keys) {
      for (const key of keys) await store.putObject({ bucket: name, key, content: Readable.from('1'), metadata: {} })
    },
    remove: (key) => store.deleteObject(name, key),
    listUploads: () => store.listUploads(name).map(({ id }) => id),
    ageUploads: (ms) => store.ageUploads(name, ms),
    async stop() {
      server.httpServer.closeAllConnections()
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

class WholeObjects extends FilesystemStore {
  readonly #clock: Clock

  constructor(directory: string, clock: Clock) {
    super(directory)
    this.#clock = clock
  }

  override async putObject({ bucket, key, content, metadata }: SentObject) {
    const path = this.getResourcePath(bucket, key, 'object')
    await mkdir(dirname(path), { recursive: true })
    const arriving = `${path}.${randomUUID()}`
    const received = await receive(arriving, content)
    const now = this.#clock.now() / 1000
    await utimes(arriving, now, now)
    await this.putMetadata(bucket, key, metadata, received.md5)
    await rename(arriving, path)
    return received
  }

  override async putPart(bucket: string, uploadId: string, partNumber: string, content: NodeJS.ReadableStream) {
    const path = join(this.#uploads(bucket), uploadId, partNumber)
    const received = await receive(path, content)
    await writeFile(`${path}.md5`, received.md5)
    return received
  }

  override async deleteObject(bucket: string, key: string): Promise<void> {
    for (const resource of ['object', 'object.md5', 'metadata.json']) {
      await rm(this.getResourcePath(bucket, key, resource), { force: true })
    }
  }

  listUploads(bucket: string): readonly { readonly id: string; readonly key: string; readonly at: Date }[] {
    mkdirSync(this.#uploads(bucket), { recursive: true })
    return readdirSync(this.#uploads(bucket)).map((id) => {
      const path = join(this.#uploads(bucket), id, 'key')
      return { id, key: readFileSync(path, 'utf8'), at: statSync(path).mtime }
    })
  }

  ageUploads(bucket: string, ms: number): void {
    for (const { id, at } of this.listUploads(bucket)) {
      const then = (at.getTime() - ms) / 1000
      utimesSync(join(this.#uploads(bucket), id, 'key'), then, then)
    }
  }

  abortUpload(bucket: string, id: string): void {
    rmSync(join(this.#uploads(bucket), id), { recursive: true })
  }

  #uploads(bucket: string): string {
    return this.getResourcePath(bucket, undefined, 'uploads')
  }
}

async function receive(path: string, content: NodeJS.ReadableStream) {
  const hash = createHash('md5')
  let size = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      size += chunk.length
      done(null, chunk)
    },
  })
  try {
    await pipeline(content, counted, createWriteStream(path))
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return { md5: hash.digest('hex'), size }
}

/** True when it was about uploads in parts, and is answered. */
function answerUploads(context: Context, store: WholeObjects, bucket: string): boolean {
  const { method, path, query } = context
  if (method === 'GET' && 'uploads' in query && path.replace(/\/$/, '') === `/${bucket}`) {
    const uploads = store.listUploads(bucket).map(({ id, key, at }) => {
      return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${at.toISOString()}</Initiated></Upload>`
    })
    context.status = 200
    context.type = 'application/xml'
    context.body = `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${uploads.join('')}</ListMultipartUploadsResult>`
    return true
  }
  if (method !== 'DELETE' || query['uploadId'] === undefined) return false
  store.abortUpload(bucket, query['uploadId'])
  context.status = 204
  return true
}

// s3rver makes its tokens with a cipher that OpenSSL 3 has no more. What they are made with is its own affair.
const { createCipheriv, createDecipheriv } = crypto
const today = (key: Buffer, iv: Buffer) => ['aes-128-cbc', Buffer.concat([key, key]), Buffer.concat([iv, iv])] as const
Object.assign(crypto, {
  createCipheriv: (name: string, key: Buffer, iv: Buffer, ...more: never[]) =>
    name === 'des' ? createCipheriv(...today(key, iv)) : createCipheriv(name, key, iv, ...more),
  createDecipheriv: (name: string, key: Buffer, iv: Buffer, ...more: never[]) =>
    name === 'des' ? createDecipheriv(...today(key, iv)) : createDecipheriv(name, key, iv, ...more),
})
