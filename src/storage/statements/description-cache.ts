// What this process knows to be committed of what statements say of activities and agents, so that the many statements that
// repeat it cost a look here and nothing in the message to the writer. Forgetting is always safe, knowing too much never.

import { LRUCache } from 'lru-cache'
import type { Description } from '../../core/storage.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'

/** Texts of one speaker about one subject: mostly there is one. */
const mostSayings = 8

/** Who says it, and where. */
export interface Speaker {
  readonly lrsId: LrsId
  readonly owner: CredentialId
  readonly isShared: boolean
  /** Where what is removed is counted, and not told to this process: what was learnt under another count is not found. */
  readonly epoch?: number
}

interface Saying {
  readonly text: string
  /** The earliest committed time. */
  readonly at: number
}

export class DescriptionCache {
  /** The latest learnt first. Texts are compared, not hashed: they are long, and mostly the first is it. */
  readonly #sayings: LRUCache<string, readonly Saying[]>
  /** Erasures under way per Lrs. */
  readonly #suspended = new Map<LrsId, number>()

  /** `mostText`: characters altogether; as given about 20,000 definitions of common length. */
  constructor(mostText = 16 * 1024 * 1024) {
    this.#sayings = new LRUCache({
      maxSize: mostText,
      sizeCalculation: (sayings, name) => sayings.reduce((sum, { text }) => sum + text.length + 50, name.length + 100),
    })
  }

  /** Whether it is known to be said at `at` (microseconds) or before. */
  isKnown(speaker: Speaker, description: Description, at: number): boolean {
    const sayings = this.#sayings.get(nameOf(speaker, description))
    return sayings !== undefined && sayings.some((one) => one.at <= at && one.text === description.text)
  }

  /** Only after the commit. */
  learn(speaker: Speaker, description: Description, at: number): void {
    if (this.#suspended.has(speaker.lrsId)) return
    const name = nameOf(speaker, description)
    const { text } = description
    const before = this.#sayings.peek(name) ?? []
    const firstAt = Math.min(at, before.find((one) => one.text === text)?.at ?? at)
    const others = before.filter((one) => one.text !== text)
    this.#sayings.set(name, [{ text, at: firstAt }, ...others].slice(0, mostSayings))
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
    for (const name of [...this.#sayings.keys()]) if (name.startsWith(prefix)) this.#sayings.delete(name)
  }
}

function nameOf({ lrsId, owner, isShared, epoch = 0 }: Speaker, { kind, value }: Description): string {
  // Joined, it is one flat string: a template would keep its pieces, five objects of each of tens of thousands.
  return [lrsId, epoch, owner, isShared, kind, value].join(' ')
}
