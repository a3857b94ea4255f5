// allowedendpoints: the Lrs of a provider in the words of this API, application ids with or without `_sandbox`.
// Knows nothing of HTTP.

import type { LrsId } from '../../core/ids.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import { CallError } from './errors.ts'

/** The applications a call covers, the one that signed it first; it is the only one unless the organisation has decided otherwise. */
export type Covered = readonly [ApplicationRecord, ...ApplicationRecord[]]

export class Endpoints {
  /** What an empty list stands for. The first is home. */
  readonly all: readonly LrsId[]
  readonly #own: string
  readonly #lrsOf: ReadonlyMap<string, LrsId>
  readonly #nameOf: ReadonlyMap<LrsId, string>

  constructor(covered: Covered) {
    const pairs = covered.flatMap(({ id, liveLrsId, sandboxLrsId }): [string, LrsId][] => [
      [id, liveLrsId],
      [`${id}_sandbox`, sandboxLrsId],
    ])
    this.all = pairs.map(([, lrsId]) => lrsId)
    this.#own = covered[0].id
    this.#lrsOf = new Map(pairs)
    this.#nameOf = new Map(pairs.map(([name, lrsId]) => [lrsId, name]))
  }

  /** Several are separated by commas (facts 1.8: which separator is documented nowhere). Throws 205. */
  read(text: string): readonly LrsId[] {
    const names = text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
    return names.length === 0 ? this.all : [...new Set(names.map((name) => this.#find(name)))]
  }

  /** Empty where a provider reaches all that an empty list would give it. */
  present(lrsIds: readonly LrsId[]): string {
    const reached = new Set(lrsIds)
    if (this.all.every((lrsId) => reached.has(lrsId))) return ''
    return lrsIds.flatMap((lrsId) => this.#nameOf.get(lrsId) ?? []).join(',')
  }

  #find(name: string): LrsId {
    const own = this.#own
    // The reference has the word itself where the id stands (ledger S1.6).
    const found = this.#lrsOf.get(name.replace(/^APPID(?=$|_sandbox$)/, own))
    if (found !== undefined) return found
    const shown = name.length <= 40 ? name : `${name.slice(0, 40)}…`
    const known = `${own} and ${own}_sandbox are, separated by a comma`
    throw new CallError(205, `allowedendpoints: ${shown} is no endpoint of this application; ${known}`)
  }
}
