// One after the other of those that name the same thing; the others are not held up. Knows nothing of what is done.

export class Turns<Key> {
  /** The last of each. */
  readonly #last = new Map<Key, Promise<unknown>>()

  /** Does `work` after all that was asked for before it, whether that worked or not. */
  take<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(work, work)
    this.#last.set(key, mine)
    const forget = (): void => {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
    mine.then(forget, forget)
    return mine
  }
}
