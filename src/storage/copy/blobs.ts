// The bytes that rows refer to, from one side to the other: each is hashed on its way and stored under its hash, so a blob that is
// there is the same. What a killed run has put is put again.

import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { CopyProgress } from './copy.ts'
import { algorithmOf } from '../blobs/place.ts'
import type { Blob } from '../blobs/place.ts'
import type { BlobFiles, Snapshot } from './side.ts'

export interface BlobReport {
  readonly blobs: number
  readonly bytes: number
  /** Rows refer to them, and they are not there, or are not what their names say: damage of the source, which a copy cannot mend. */
  readonly lost: readonly Blob[]
  /** In the source and not in the target; only a comparison finds any. */
  readonly missing: readonly Blob[]
}

interface BlobOptions {
  readonly onProgress?: (progress: CopyProgress) => void
  /** Only look whether the target has them. */
  readonly isDry?: boolean
  /** What the target has already was put there by this copy. */
  readonly keepsPresent?: boolean
}

interface Holder {
  readonly blobs: BlobFiles
}

const pageSize = 1000
const atOnce = 8

export async function copyBlobs(
  source: Holder,
  target: Holder,
  rows: Pick<Snapshot, 'listBlobs'>,
  { onProgress, isDry = false, keepsPresent = false }: BlobOptions,
): Promise<BlobReport> {
  let blobs = 0
  let bytes = 0
  const lost: Blob[] = []
  const missing: Blob[] = []
  const isSamePlace = source.blobs === target.blobs
  const bring = isDry || isSamePlace ? compareBlob : copyBlob
  const copyOne = async (blob: Blob): Promise<void> => {
    const there = keepsPresent || isSamePlace ? await findLength(target.blobs, blob) : undefined
    const length = there ?? (await bring(source.blobs, target.blobs, blob))
    if (length === 'lost') lost.push(blob)
    else if (length === 'missing') missing.push(blob)
    else bytes += length
    blobs++
    onProgress?.({ phase: 'blobs', done: blobs, total: undefined })
  }
  for (let after: Blob | undefined; ;) {
    const page = await rows.listBlobs(after, pageSize)
    await someAtOnce(page, copyOne)
    after = page.at(-1)
    if (page.length < pageSize) return { blobs, bytes, lost: inOrder(lost), missing: inOrder(missing) }
  }
}

/** Whichever was looked for first. */
function inOrder(found: readonly Blob[]): readonly Blob[] {
  return found.toSorted((one, other) => one.lrsId - other.lrsId || (one.sha2 < other.sha2 ? -1 : 1))
}

async function someAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values()
  const workers = Array.from({ length: atOnce }, async () => {
    for (const item of rest) await work(item)
  })
  await Promise.all(workers)
}

async function copyBlob(from: BlobFiles, to: BlobFiles, blob: Blob): Promise<number | 'lost'> {
  const opened = await from.open(blob)
  if (opened === undefined) return 'lost'
  const hash = newHash(blob)
  let length = 0
  const arrived = await to.receive(
    hashed(opened.bytes, (piece) => {
      length += piece.byteLength
      hash.update(piece)
    }),
  )
  try {
    if (hash.digest('hex') !== blob.sha2) {
      await arrived.discard()
      return 'lost'
    }
    await arrived.settle(blob)
    return length
  } catch (error) {
    await arrived.discard()
    throw error
  }
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  look: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const piece of bytes) {
    look(piece)
    yield piece
  }
}

async function findLength(files: BlobFiles, blob: Blob): Promise<number | undefined> {
  const opened = await files.open(blob)
  opened?.cancel()
  return opened?.length
}

async function compareBlob(from: BlobFiles, to: BlobFiles, blob: Blob): Promise<number | 'lost' | 'missing'> {
  const length = await lengthIfSound(to, blob)
  if (length !== undefined) return length
  return (await lengthIfSound(from, blob)) === undefined ? 'lost' : 'missing'
}

/** Undefined when it is not there, or is not what its name says. */
async function lengthIfSound(files: BlobFiles, blob: Blob): Promise<number | undefined> {
  const opened = await files.open(blob)
  if (opened === undefined) return undefined
  const hash = newHash(blob)
  for await (const piece of opened.bytes) hash.update(piece)
  return hash.digest('hex') === blob.sha2 ? opened.length : undefined
}

function newHash({ sha2 }: Blob): Hash {
  return createHash(algorithmOf(sha2) ?? 'sha256')
}
