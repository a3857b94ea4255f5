// Something for each of some dictionary values: found by kind and value without a name being made of both, which would be
// hashed anew for each of the many terms of a call.

import type { TermKind } from '../../core/storage.ts'

/** A value of the dictionary. */
export interface Named {
  readonly kind: TermKind
  readonly value: string
}

export class ByTerm<T> {
  readonly #kinds = new Map<TermKind, Map<string, T>>()

  get({ kind, value }: Named): T | undefined {
    return this.#kinds.get(kind)?.get(value)
  }

  set({ kind, value }: Named, one: T): void {
    const known = this.#kinds.get(kind)
    if (known === undefined) this.#kinds.set(kind, new Map([[value, one]]))
    else known.set(value, one)
  }

  *[Symbol.iterator](): Generator<readonly [Named, T]> {
    for (const [kind, values] of this.#kinds) for (const [value, one] of values) yield [{ kind, value }, one]
  }
}
