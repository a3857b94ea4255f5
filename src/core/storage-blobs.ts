// The port of storage.ts: bytes of attachments and of long documents, per Lrs, by their hash. Rows refer to them and are
// written after them.

import type { LrsId } from './ids.ts'

/** What one request has put: until released, nobody removes it. */
export interface BlobHold {
  /**
   * To be called before the row is written: resolves when what was put is there for minutes to come, also where this process was
   * cut off from the others meanwhile. Rejects, `unavailable`, when it may be gone.
   */
  confirm(): Promise<void>
  /** When the row that refers to it is there, or will never be. Idempotent. */
  release(): void
  /** Instead, where nobody knows whether the row is or will be there: what was put stays as long as a commit may take. Idempotent. */
  leave(): void
}

export interface BlobStore {
  hold(): BlobHold
  /**
   * Reads `bytes` to the end and stores them under `sha2` (lower-case hex; its length says which of SHA-224, -256, -384 and -512;
   * SHA-256 of the content when undefined). Resolves when synced. Rejects, with nothing left behind: `invalid` when the content
   * has another hash, `too_large` beyond `mostBytes`. Bytes that are there already are as good as new, and young again. Put
   * without a hold, they may be removed at any moment.
   */
  put(
    lrsId: LrsId,
    bytes: AsyncIterable<Uint8Array>,
    options: { readonly sha2?: string; readonly mostBytes: number; readonly hold?: BlobHold },
  ): Promise<{ readonly sha2: string; readonly length: number }>
  /** Undefined when absent; `internal` when a row refers to it all the same. Read `bytes` to the end or call `cancel`. */
  open(
    lrsId: LrsId,
    sha2: string,
  ): Promise<{ readonly length: number; readonly bytes: AsyncIterable<Uint8Array>; cancel(): void } | undefined>
  /** Rejects when the bytes cannot be reached, wherever they lie; asks nothing of who has the rows. */
  look(): Promise<void>
  /** Those of `sha2s` that are absent although a row refers to them: damage. Not what is being erased meanwhile. */
  listLost(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]>
  /** Removes blobs that no row refers to, that nobody holds and that are older than `minAgeMs`; how many, and their bytes. */
  sweep(minAgeMs: number): Promise<{ readonly removed: number; readonly bytes: number }>
  /**
   * Removes those of one Lrs that no row refers to and nobody holds, of any age; a bounded part per call, until `next` is
   * undefined. `left`: were there, and are held by who put them again. What is held goes when it is released, unless a row refers
   * to it then.
   */
  removeUnused(
    lrsId: LrsId,
    after?: string,
  ): Promise<{ readonly removed: number; readonly left: number; readonly next: string | undefined }>
}
