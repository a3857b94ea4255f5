// Bytes as objects of an S3-compatible store: `<prefix><lrs>/<sha2>` in one bucket, which any number of nodes share. What arrives
// goes to a file on this machine first, and to the bucket when its hash is known: see docs/decisions/0018.

import { AbortMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3'
import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { ListMultipartUploadsCommand, paginateListObjectsV2 } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { randomUUID } from 'node:crypto'
import type {
  _Object,
  ListMultipartUploadsCommandOutput,
  ListObjectsV2CommandInput,
  MultipartUpload,
} from '@aws-sdk/client-s3'
import type { Readable } from 'node:stream'
import { Arrivals } from './arrivals.ts'
import { bucketStartError, inBucket, isAbsent, isThereAlready, isUnknown, toDomainError } from './bucket-error.ts'
import { Budget } from './budget.ts'
import { onDisk } from './on-disk.ts'
import { arrivingLivesMs, inParts, isAnywhere, isBlobName, mostTogether, ownerMarker } from './place.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Arrived, Blob, BlobPlace, Found, Names, Opened } from './place.ts'

export interface BucketSettings {
  readonly bucket: string
  /** Of another store than Amazon's. */
  readonly endpoint?: string
  readonly region?: string
  /** Of all names; may be empty. */
  readonly prefix: string
  /** The bucket's name in the path instead of the host. */
  readonly isPathStyle: boolean
  /** Unless given, the SDK looks for them: environment, files, the role of the machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export interface BucketOptions extends BucketSettings {
  /** Where bytes wait for their hash, on this machine. */
  readonly arrivals: string
  /** Other processes receive there, too. */
  readonly isShared: boolean
}

/** As small as a part may be. */
const partBytes = 5 * 1024 ** 2
const mostParts = 10_000
const partsAtOnce = 2
/** Of parts in memory on their way to the bucket, of all uploads together; the smallest counts as much as its requests cost. */
const budgetBytes = 16 * 1024 ** 2
const leastBudgetBytes = 1024 ** 2
/** Downloads that readers take their time over must not keep uploads waiting. */
const mostConnections = 256
const mostDeletedAtOnce = 16
/** Well before others may take the removal for dead. */
const mostRemovingMs = 60_000

/** Tries what will be done with it, so that a start says what is missing. */
export async function openBucket(options: BucketOptions): Promise<BlobBucket> {
  const bucket = new BlobBucket(options)
  try {
    await bucket.tryOut()
    return bucket
  } catch (error) {
    bucket.close()
    throw error
  }
}

export class BlobBucket implements BlobPlace {
  readonly #options: BucketOptions
  readonly #client: S3Client
  readonly #arrivals: Arrivals
  readonly #budget = new Budget(budgetBytes)

  constructor(options: BucketOptions) {
    this.#options = options
    this.#client = newClient(options)
    const clock = { now: () => Date.now() }
    const { arrivals: folder, isShared } = options
    this.#arrivals = new Arrivals({ folder, clock, willStay: false, isShared })
  }

  get name(): string {
    const { bucket, prefix, endpoint = 'Amazon S3' } = this.#options
    return `The bucket "${bucket}" at ${endpoint}${prefix === '' ? '' : `, below "${prefix}",`}`
  }

  prepare(): void {
    this.#arrivals.prepare()
  }

  async tryOut(): Promise<void> {
    const { bucket: Bucket, prefix, endpoint, region } = this.#options
    const target = { bucket: Bucket, at: endpoint ?? `Amazon S3${region === undefined ? '' : ` in ${region}`}` }
    const Key = `${prefix}start-${randomUUID()}`
    const trial = { Bucket, Key }
    const steps = [
      ['s3:ListBucket', () => this.#client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 }))],
      ['s3:PutObject', () => this.#client.send(new PutObjectCommand({ ...trial, Body: 'Claviger has started.' }))],
      ['s3:GetObject', () => this.#client.send(new HeadObjectCommand(trial))],
      ['s3:DeleteObject', () => this.#client.send(new DeleteObjectCommand(trial))],
    ] as const
    for (const [right, step] of steps) {
      try {
        await step()
      } catch (error) {
        throw bucketStartError(error, target, right)
      }
    }
  }

  async receive(bytes: AsyncIterable<Uint8Array>): Promise<Arrived> {
    const path = await this.#arrivals.receive(bytes)
    return {
      settle: async (blob) => {
        const wasThere = await this.#upload(path, blob)
        await this.#arrivals.discard(path)
        return wasThere
      },
      discard: () => this.#arrivals.discard(path),
    }
  }

  async open(blob: Blob): Promise<Opened | undefined> {
    const object = await this.#unlessAbsent(this.#client.send(new GetObjectCommand(this.#named(blob))))
    if (object?.Body === undefined) return undefined
    const body = object.Body as Readable
    // What breaks before somebody reads is said when they do.
    body.on('error', () => {})
    return { length: object.ContentLength ?? 0, bytes: read(body), cancel: () => void body.destroy() }
  }

  async find(blob: Blob): Promise<Found | undefined> {
    const head = await this.#unlessAbsent(this.#client.send(new HeadObjectCommand(this.#named(blob))))
    return head && { length: head.ContentLength ?? 0, putAt: head.LastModified?.getTime() ?? 0 }
  }

  async list(
    lrsId: LrsId,
    after?: string,
  ): Promise<{ readonly sha2s: readonly string[]; readonly next: string | undefined }> {
    const ofLrs = `${this.#options.prefix}${lrsId}/`
    const page = await inBucket(
      this.#client.send(
        new ListObjectsV2Command({
          ...this.#all(ofLrs),
          ...(after !== undefined && { StartAfter: `${ofLrs}${after}` }),
        }),
      ),
    )
    const names = (page.Contents ?? []).map(({ Key = '' }) => Key.slice(ofLrs.length))
    return { sha2s: names.filter(isBlobName), next: page.IsTruncated ? names.at(-1) : undefined }
  }

  async *listOld(before: number): AsyncGenerator<Names> {
    const pages = paginateListObjectsV2({ client: this.#client }, this.#all(this.#options.prefix))
    for await (const { Contents = [] } of mapped(pages)) {
      const old = Contents.filter(({ LastModified }) => (LastModified?.getTime() ?? Infinity) <= before)
      yield* this.#byLrs(old)
    }
  }

  async remove(lrsId: LrsId, sha2s: readonly string[]): Promise<void> {
    const giveUpAt = performance.now() + mostRemovingMs
    for (const some of inParts(sha2s, mostDeletedAtOnce)) {
      const removing = some.map((sha2) => {
        const abortSignal = AbortSignal.timeout(Math.max(0, Math.ceil(giveUpAt - performance.now())))
        // One by one: not every store takes a list.
        return this.#client.send(new DeleteObjectCommand(this.#named({ lrsId, sha2 })), { abortSignal })
      })
      await Promise.allSettled(removing)
      await inBucket(Promise.all(removing))
    }
  }

  /** A store that cannot list them ends them by itself, or by a rule of the bucket. */
  async sweepArriving(): Promise<void> {
    this.#arrivals.sweep()
    const before = Date.now() - arrivingLivesMs
    try {
      for await (const { Key, UploadId, Initiated } of this.#listUploads()) {
        if ((Initiated?.getTime() ?? Infinity) > before || !this.#isOurs(Key)) continue
        const abort = new AbortMultipartUploadCommand({ Bucket: this.#options.bucket, Key, UploadId })
        await this.#unlessAbsent(this.#client.send(abort))
      }
    } catch (error) {
      if (!isUnknown(error)) throw toDomainError(error)
    }
  }

  async isEmpty(): Promise<boolean> {
    return !(await isAnywhere(this.listOld(Infinity)))
  }

  async findOwner(): Promise<string | undefined> {
    const object = await this.#unlessAbsent(this.#client.send(new GetObjectCommand(this.#marker())))
    return object?.Body && (await inBucket(object.Body.transformToString())).trim()
  }

  async setOwner(id: string, before: string | undefined): Promise<void> {
    const marker = { ...this.#marker(), Body: `${id}\n`, ContentType: 'text/plain' }
    if (before !== undefined) return void (await inBucket(this.#client.send(new PutObjectCommand(marker))))
    // What a store without conditions does is looked at before: two that are new at the same moment are told apart by most.
    if ((await this.findOwner()) !== undefined) return
    try {
      await this.#client.send(new PutObjectCommand({ ...marker, IfNoneMatch: '*' }))
    } catch (error) {
      if (isThereAlready(error)) return
      if (!isUnknown(error)) throw toDomainError(error)
      await inBucket(this.#client.send(new PutObjectCommand(marker)))
    }
  }

  close(): void {
    this.#client.destroy()
  }

  /** Sent also if it is there: then it is as young, and as whole, as a new one. True when it was. */
  async #upload(path: string, blob: Blob): Promise<boolean> {
    const { size } = await onDisk(stat(path))
    const partSize = Math.max(partBytes, Math.ceil(size / mostParts))
    return this.#budget.spend(Math.max(leastBudgetBytes, Math.min(size, partsAtOnce * partSize)), async () => {
      const wasThere = (await this.find(blob)) !== undefined
      await this.#send(path, blob, partSize)
      return wasThere
    })
  }

  /** Visible when all of it is there, or not at all. A part that fails is sent again by the client; what fails for good is aborted. */
  async #send(path: string, blob: Blob, partSize: number): Promise<void> {
    const Body = createReadStream(path)
    const params = { ...this.#named(blob), Body, ContentType: 'application/octet-stream' }
    try {
      await inBucket(new Upload({ client: this.#client, params, partSize, queueSize: partsAtOnce }).done())
    } finally {
      Body.destroy()
    }
  }

  async *#listUploads(): AsyncGenerator<MultipartUpload> {
    const { bucket: Bucket, prefix } = this.#options
    const those = { Bucket, ...(prefix !== '' && { Prefix: prefix }) }
    let from: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {}
    while (from !== undefined) {
      const page: ListMultipartUploadsCommandOutput = await this.#client.send(
        new ListMultipartUploadsCommand({ ...those, ...from }),
      )
      yield* page.Uploads ?? []
      from = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker ?? '', UploadIdMarker: page.NextUploadIdMarker ?? '' }
        : undefined
    }
  }

  *#byLrs(objects: readonly _Object[]): Generator<Names> {
    const { prefix } = this.#options
    const byLrs = new Map<number, string[]>()
    for (const { Key = '' } of objects) {
      const [lrs = '', name = '', ...more] = Key.slice(prefix.length).split('/')
      if (!/^\d+$/.test(lrs) || !isBlobName(name) || more.length > 0) continue
      const names = byLrs.get(Number(lrs))
      if (names === undefined) byLrs.set(Number(lrs), [name])
      else names.push(name)
    }
    for (const [lrsId, sha2s] of byLrs) yield { lrsId: lrsId as LrsId, sha2s }
  }

  #isOurs(key = ''): boolean {
    const { prefix } = this.#options
    return key.startsWith(prefix) && /^\d+\/[0-9a-f]+$/.test(key.slice(prefix.length))
  }

  #named({ lrsId, sha2 }: Blob): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: `${this.#options.prefix}${lrsId}/${sha2}` }
  }

  #marker(): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: `${this.#options.prefix}${ownerMarker}` }
  }

  #all(prefix: string): ListObjectsV2CommandInput {
    return { Bucket: this.#options.bucket, MaxKeys: mostTogether, ...(prefix !== '' && { Prefix: prefix }) }
  }

  async #unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw toDomainError(error)
    }
  }
}

function newClient({ endpoint, region, isPathStyle, credentials }: BucketSettings): S3Client {
  const pool = { keepAlive: true, maxSockets: mostConnections }
  return new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    // Other stores mostly do not care, but a signature names one.
    ...(region !== undefined ? { region } : endpoint !== undefined && { region: 'us-east-1' }),
    ...(credentials && { credentials }),
    forcePathStyle: isPathStyle,
    // With what the SDK sends otherwise, several compatible stores keep its checksum lines as part of the bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 3_000,
      // Until the answer begins; a part of an upload has to arrive in it.
      requestTimeout: 30_000,
      throwOnRequestTimeout: true,
      // A connection on which nothing moves, either way.
      socketTimeout: 60_000,
      httpAgent: new HttpAgent(pool),
      httpsAgent: new HttpsAgent(pool),
    },
  })
}

async function* read(body: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body as AsyncIterable<Uint8Array>
  } catch (error) {
    throw toDomainError(error)
  } finally {
    body.destroy()
  }
}

async function* mapped<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* pages
  } catch (error) {
    throw toDomainError(error)
  }
}
