// Who keeps a blob from being removed, and who is removing it: never both. A request takes hold of a blob before it looks whether the
// bytes are there or writes them, and lets go when its row is there or will never be. Whoever removes marks what nobody holds
// first; then nobody takes hold of it until the mark is gone. Knows neither bytes nor rows. Here for one process; where several
// share a store, the store they share keeps the same book.

import { DomainError } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Blob } from './place.ts'

export interface BlobHolds {
  /** Waits while the blob is being removed; `unavailable` when that takes too long. Idempotent. */
  take(blob: Blob, holder: string): Promise<void>
  /** Of a hold that was taken: the bytes had been there before. */
  noteThere(blob: Blob, holder: string): Promise<void>
  /** Resolves when what was taken is still held, and for some minutes more. Rejects, `unavailable`, when it may not be. */
  confirm(holder: string): Promise<void>
  /** Those of them that somebody wanted gone meanwhile. */
  drop(blobs: readonly Blob[], holder: string): Promise<readonly Blob[]>
  /** Instead of `drop`, where holds expire: from now on nobody puts that off. Absent where a hold outlives nothing. */
  leave?(holder: string): void
  /** `isWanted`: what is held is to go as soon as it is let go. */
  beginRemoval(lrsId: LrsId, sha2s: readonly string[], isWanted: boolean): Promise<Removal>
  /** Forgets what processes held that are gone; those of it that somebody wanted gone. */
  dropExpired(): Promise<readonly Blob[]>
  close(): void
}

export interface Removal {
  /** Nobody holds these, and nobody takes hold of them until the end. */
  readonly free: readonly string[]
  /** Of the held ones those whose bytes were there before. */
  readonly held: readonly string[]
  /** Past it, others may take the removal for dead; on the scale of `performance.now()`. */
  readonly until: number
  end(): Promise<void>
  /** Instead of `end`: what became of the bytes is not clear, and the mark stays until it must be over. */
  leave(): void
}

/** How long who puts waits for who removes. */
export const mostWaitMs = 10_000
/** What has not ended by then is dead, or will never do anything again. Longer than any request to a bucket can take. */
export const removalLivesMs = 5 * 60_000

export function isBeingRemoved(): DomainError {
  return new DomainError('unavailable', 'The same content is being removed: try again in a moment.', {
    detail: { retryAfterSeconds: 5 },
  })
}

interface Held {
  wasThere: boolean
  isWanted: boolean
}

export class MemoryHolds implements BlobHolds {
  /** By blob, then by holder. */
  readonly #held = new Map<string, Map<string, Held>>()
  /** Resolves when the removal has ended. */
  readonly #removing = new Map<string, Promise<void>>()

  async take(blob: Blob, holder: string): Promise<void> {
    const key = keyOf(blob)
    const giveUpAt = performance.now() + mostWaitMs
    for (let removing; (removing = this.#removing.get(key)) !== undefined;) {
      await within(removing, giveUpAt - performance.now())
    }
    const holders = this.#held.get(key) ?? new Map<string, Held>()
    this.#held.set(key, holders)
    if (!holders.has(holder)) holders.set(holder, { wasThere: false, isWanted: false })
  }

  async noteThere(blob: Blob, holder: string): Promise<void> {
    const held = this.#held.get(keyOf(blob))?.get(holder)
    if (held !== undefined) held.wasThere = true
  }

  async confirm(): Promise<void> {}

  async drop(blobs: readonly Blob[], holder: string): Promise<readonly Blob[]> {
    return blobs.filter((blob) => {
      const holders = this.#held.get(keyOf(blob))
      const isWanted = holders?.get(holder)?.isWanted ?? false
      holders?.delete(holder)
      if (holders?.size === 0) this.#held.delete(keyOf(blob))
      return isWanted
    })
  }

  async beginRemoval(lrsId: LrsId, sha2s: readonly string[], isWanted: boolean): Promise<Removal> {
    const free: string[] = []
    const held: string[] = []
    for (const sha2 of sha2s) {
      const key = keyOf({ lrsId, sha2 })
      const holders = [...(this.#held.get(key)?.values() ?? [])]
      if (isWanted) for (const one of holders) one.isWanted = true
      if (holders.some(({ wasThere }) => wasThere)) held.push(sha2)
      if (holders.length === 0 && !this.#removing.has(key)) free.push(sha2)
    }
    let resolve = (): void => {}
    const promise = new Promise<void>((done) => (resolve = done))
    const keys = free.map((sha2) => keyOf({ lrsId, sha2 }))
    for (const key of keys) this.#removing.set(key, promise)
    const end = (): void => {
      for (const key of keys) this.#removing.delete(key)
      resolve()
    }
    return {
      ...{ free, held, until: performance.now() + removalLivesMs / 2 },
      end: async () => end(),
      leave: () => void setTimeout(end, removalLivesMs).unref(),
    }
  }

  async dropExpired(): Promise<readonly Blob[]> {
    return []
  }

  close(): void {}
}

function keyOf({ lrsId, sha2 }: Blob): string {
  return `${lrsId}/${sha2}`
}

async function within(removing: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(isBeingRemoved()), ms)
  })
  try {
    await Promise.race([removing, tooLong])
  } finally {
    clearTimeout(timer)
  }
}
