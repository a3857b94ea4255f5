// What a place that keeps bytes can do, a directory or a bucket. It knows blobs by Lrs and hash, and neither who needs them nor
// for how long: store.ts does.

import { DomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'

export interface Blob {
  readonly lrsId: LrsId
  /** Lower-case hex digits of the hash. */
  readonly sha2: string
}

/** Bytes that have arrived whole and have no name yet. One of the two is called in the end, `discard` also after a failed `settle`. */
export interface Arrived {
  /**
   * Gives them their name: all of them at once, and for good when it resolves. True when they were there already; then they are as
   * young as new ones.
   */
  settle(blob: Blob): Promise<boolean>
  discard(): Promise<void>
}

export interface Found {
  readonly length: number
  /** Unix milliseconds. */
  readonly putAt: number
}

export interface Opened {
  readonly length: number
  /** Asked for piece by piece. What somebody has begun to read they read to the end, whoever removes it. */
  readonly bytes: AsyncIterable<Uint8Array>
  cancel(): void
}

/** Names found together: of one Lrs. */
export interface Names {
  readonly lrsId: LrsId
  readonly sha2s: readonly string[]
}

/** Errors are `DomainError`s, but for those of the bytes that are received. */
export interface BlobPlace {
  /** For people: which directory, or which bucket. */
  readonly name: string
  /** Tidies up what killed processes left on the way in. Not before it is known whose place it is (owner.ts). */
  prepare(): void
  /** Reads to the end; what the bytes throw is thrown, and nothing is left of them. Never more in memory than a few pieces. */
  receive(bytes: AsyncIterable<Uint8Array>): Promise<Arrived>
  open(blob: Blob): Promise<Opened | undefined>
  find(blob: Blob): Promise<Found | undefined>
  /** A bounded part of those of one Lrs, until `next` is undefined. */
  list(lrsId: LrsId, after?: string): Promise<{ readonly sha2s: readonly string[]; readonly next: string | undefined }>
  /** Of every Lrs those put at or before this, at most `mostTogether` at a time. */
  listOld(before: number): AsyncIterable<Names>
  /** For good when it resolves; what is absent stays so. At most `mostTogether`. When it rejects, any may go, and also later. */
  remove(lrsId: LrsId, sha2s: readonly string[]): Promise<void>
  /** What killed processes left half arrived. */
  sweepArriving(): Promise<void>
  /** Whether there is any blob, of whichever Lrs. */
  isEmpty(): Promise<boolean>
  /** What the marker says: the id of the store that it belongs to. */
  findOwner(): Promise<string | undefined>
  /** At once and for good. Without `before` a marker that is there stays as it is, whoever was first. */
  setOwner(id: string, before: string | undefined): Promise<void>
  close(): void
}

export const mostTogether = 500

/** The marker's name: that of no Lrs and of nothing that arrives. */
export const ownerMarker = 'store'

export async function isAnywhere(names: AsyncIterable<Names>): Promise<boolean> {
  for await (const { sha2s } of names) if (sha2s.length > 0) return true
  return false
}

/** Whatever is younger may still be arriving: no request takes that long. */
export const arrivingLivesMs = 24 * 3600 * 1000

/** Which function makes a hash of so many hex digits. */
const algorithms: Readonly<Record<number, string>> = { 56: 'sha224', 64: 'sha256', 96: 'sha384', 128: 'sha512' }

/** Undefined for anything but the lower-case hex digits of a hash: nothing else ever becomes part of a path. */
export function algorithmOf(sha2: string): string | undefined {
  return /^[0-9a-f]+$/.test(sha2) ? algorithms[sha2.length] : undefined
}

export function isBlobName(name: string): boolean {
  return algorithmOf(name) !== undefined
}

export function* inParts<T>(all: readonly T[], most: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += most) yield all.slice(from, from + most)
}

export function storeIsClosing(): DomainError {
  return new DomainError('unavailable', 'The store is closing.')
}
