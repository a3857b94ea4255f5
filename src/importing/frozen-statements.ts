// Statements that wait to be stored, as bytes outside the heap: as objects, thousands of them would be copied and marked by every
// collection, a fourth of the processor time of an import. Knows nothing of where they go.

import { deserialize, serialize } from 'node:v8'
import type { ImportedStatement } from '../core/storage.ts'

/** Frozen at once: few enough to be young still, and so many that it costs little. */
const together = 25

export class FrozenStatements {
  readonly #blocks: Buffer[] = []
  #fresh: ImportedStatement[] = []

  add(statement: ImportedStatement): void {
    this.#fresh.push(statement)
    if (this.#fresh.length < together) return
    this.#blocks.push(serialize(this.#fresh))
    this.#fresh = []
  }

  /** In their order; anew each time, so that nobody needs to keep them. */
  thaw(): readonly ImportedStatement[] {
    return [...this.#blocks.flatMap((block) => deserialize(block) as ImportedStatement[]), ...this.#fresh]
  }
}
