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

/** `read` is the sum of the fates. */
export interface KindCounts extends Readonly<Record<Fate | 'read', number>> {
  /** How many of those there are not as the source has them; left out where none is. */
  readonly differs?: number
}

type Counts = Record<Fate, number> & { differs?: number }

export class Tally {
  readonly #counts: Map<Kind, Counts>

  constructor(saved: Json = {}) {
    this.#counts = new Map(Object.entries(saved as unknown as Record<string, Counts>) as [Kind, Counts][])
  }

  count(kind: Kind, fate: Fate, by = 1): void {
    this.#of(kind)[fate] += by
  }

  /** One that is counted as what it is besides. */
  differ(kind: Kind): void {
    const counts = this.#of(kind)
    counts.differs = (counts.differs ?? 0) + 1
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

  #of(kind: Kind): Counts {
    const known = this.#counts.get(kind)
    if (known !== undefined) return known
    const counts = { stored: 0, there: 0, rejected: 0, checked: 0 }
    this.#counts.set(kind, counts)
    return counts
  }

  toJson(): Json {
    return JSON.parse(JSON.stringify(Object.fromEntries(this.#counts))) as Json
  }
}
