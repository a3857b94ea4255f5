// What became of what was read, kind by kind. Knows nothing of how any of it is read or stored.

import type { Json } from '../core/storage.ts'

/** In the order in which a report tells them. */
export const kinds = [
  'organisations',
  'lrs',
  'applications',
  'clients',
  'pipes',
  'statements',
  'documents',
  'attachments',
] as const
export type Kind = (typeof kinds)[number]

/** `checked`: by a dry run, without fault. */
export type Fate = 'stored' | 'there' | 'rejected' | 'checked'

/** `read` is the sum of the others. */
export type KindCounts = Readonly<Record<Fate | 'read', number>>

export class Tally {
  readonly #counts: Map<Kind, Record<Fate, number>>

  constructor(saved: Json = {}) {
    this.#counts = new Map(
      Object.entries(saved as Record<string, Record<Fate, number>>) as [Kind, Record<Fate, number>][],
    )
  }

  count(kind: Kind, fate: Fate, by = 1): void {
    const counts = this.#counts.get(kind) ?? { stored: 0, there: 0, rejected: 0, checked: 0 }
    counts[fate] += by
    this.#counts.set(kind, counts)
  }

  counts(): Readonly<Partial<Record<Kind, KindCounts>>> {
    const told = kinds.flatMap((kind) => {
      const counts = this.#counts.get(kind)
      if (counts === undefined) return []
      const { stored, there, rejected, checked } = counts
      return [[kind, { read: stored + there + rejected + checked, ...counts }] as const]
    })
    return Object.fromEntries(told)
  }

  toJson(): Json {
    return JSON.parse(JSON.stringify(Object.fromEntries(this.#counts))) as Json
  }
}
