// What this process knows to be committed of what statements say of activities and agents, so that the many statements that
// repeat it cost a look here and nothing in the message to the writer. Forgetting is always safe, knowing too much never.

import { LRUCache } from 'lru-cache'
import type { Description } from '../../core/storage.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'

/** Characters of all keys together: about 20,000 definitions of common length. */
const mostText = 16 * 1024 * 1024

/** Who says it, and where. */
export interface Speaker {
  readonly lrsId: LrsId
  readonly owner: CredentialId
  readonly isShared: boolean
}

export class DescriptionCache {
  /** The earliest committed time of each. */
  readonly #firstAt = new LRUCache<string, number>({
    maxSize: mostText,
    sizeCalculation: (_, key) => key.length + 100,
  })
  /** Erasures under way per Lrs. */
  readonly #suspended = new Map<LrsId, number>()

  /** The key to learn it under; undefined when it is known to be said at `at` (microseconds) or before. */
  newsOf({ lrsId, owner, isShared }: Speaker, { kind, value, text }: Description, at: number): string | undefined {
    // Compact JSON holds no line break, so the last one ends the value.
    const key = `${lrsId} ${owner} ${isShared} ${kind} ${value}\n${text}`
    const known = this.#firstAt.get(key)
    return known !== undefined && known <= at ? undefined : key
  }

  /** Only after the commit. */
  learn(lrsId: LrsId, key: string, at: number): void {
    if (this.#suspended.has(lrsId)) return
    this.#firstAt.set(key, Math.min(at, this.#firstAt.peek(key) ?? at))
  }

  /**
   * Runs what removes descriptions of an Lrs. Nothing is known of it meanwhile, nor learnt: a statement that is stored behind
   * the removal must say again what one before it had said.
   */
  async suspend<T>(lrsId: LrsId, remove: () => Promise<T>): Promise<T> {
    this.#suspended.set(lrsId, (this.#suspended.get(lrsId) ?? 0) + 1)
    this.#forget(lrsId)
    try {
      return await remove()
    } finally {
      const left = (this.#suspended.get(lrsId) ?? 1) - 1
      if (left === 0) this.#suspended.delete(lrsId)
      else this.#suspended.set(lrsId, left)
    }
  }

  #forget(lrsId: LrsId): void {
    const prefix = `${lrsId} `
    for (const key of [...this.#firstAt.keys()]) if (key.startsWith(prefix)) this.#firstAt.delete(key)
  }
}
