// What a look at everything that is stored finds wrong, the same for every engine.

import type { BlobCheck } from './blobs/check.ts'

export interface Integrity {
  /** Of the database, the first few; empty when it is sound. */
  readonly faults: readonly string[]
  /** What is not wrong with it, but may become so: how its server is set. */
  readonly risks?: readonly string[]
  /** Undefined when the database cannot say what it refers to. */
  readonly blobs: BlobCheck | undefined
}

/** Told now and then: rows looked at so far, of about so many. */
export type OnChecked = (rows: number, all: number) => void
