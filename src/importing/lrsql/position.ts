// How far the import of an SQL LRS is, as its checkpoints keep it.

import { beginning } from './source.ts'
import type { LrsqlSource } from './source.ts'
import type { Owners } from '../owners.ts'
import type { Destination } from '../parts.ts'

/** JSON. Keys are done. */
export type Saved = {
  readonly phase: 'statements' | 'documents'
  readonly statements: number
  readonly documents: number
  /** The table of documents, by its place among them. */
  readonly table: number
  /** The last row read, of the statements or of that table. */
  readonly after: string
}

export const begin: Saved = { phase: 'statements', statements: 0, documents: 0, table: 0, after: beginning }

export interface Reading {
  readonly source: LrsqlSource
  readonly to: Destination
  readonly owners: Owners
  /** About how many rows there are; 0: nobody knows. */
  readonly total: number
}

/** How much of all that is, for whoever watches. */
export function partOf({ total }: Reading, { statements, documents }: Saved): { readonly part?: number } {
  return total === 0 ? {} : { part: Math.min(1, (statements + documents) / total) }
}
