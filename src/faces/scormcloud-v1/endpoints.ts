// allowedendpoints: the Lrs of a provider in the words of this API, application ids with or without `_sandbox`.
// Knows nothing of HTTP.

import type { LrsId } from '../../core/ids.ts'
import type { ApplicationRecord } from '../../core/storage.ts'
import { CallError } from './errors.ts'

/** The applications a call covers, the one that signed it first; it is the only one unless the organisation has decided otherwise. */
export type Covered = readonly [ApplicationRecord, ...ApplicationRecord[]]

interface Endpoint {
  readonly name: string
  readonly lrsId: LrsId
}

/** What an empty list stands for. The first is home. */
export function everyLrs(covered: Covered): readonly LrsId[] {
  return endpointsOf(covered).map(({ lrsId }) => lrsId)
}

/** Several are separated by commas (facts 1.8: which separator is documented nowhere). Throws 205. */
export function readEndpoints(text: string, covered: Covered): readonly LrsId[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) return everyLrs(covered)
  const known = new Map(endpointsOf(covered).map(({ name, lrsId }) => [name, lrsId]))
  // The reference has the word itself where the id stands (ledger S1.6).
  const [{ id }] = covered
  const found = names.map((name) => {
    const lrsId = known.get(name.replace(/^APPID(?=$|_sandbox$)/, id))
    if (lrsId === undefined) throw unknown(name, id)
    return lrsId
  })
  return [...new Set(found)]
}

/** Empty where a provider reaches all that an empty list would give it. */
export function presentEndpoints(lrsIds: readonly LrsId[], covered: Covered): string {
  const endpoints = endpointsOf(covered)
  if (endpoints.every(({ lrsId }) => lrsIds.includes(lrsId))) return ''
  const names = new Map(endpoints.map(({ name, lrsId }) => [lrsId, name]))
  return lrsIds.flatMap((lrsId) => names.get(lrsId) ?? []).join(',')
}

function endpointsOf(covered: Covered): readonly Endpoint[] {
  return covered.flatMap(({ id, liveLrsId, sandboxLrsId }) => [
    { name: id, lrsId: liveLrsId },
    { name: `${id}_sandbox`, lrsId: sandboxLrsId },
  ])
}

function unknown(name: string, own: string): CallError {
  const shown = name.length <= 40 ? name : `${name.slice(0, 40)}…`
  const message = `allowedendpoints: ${shown} is no endpoint of this application; ${own} and ${own}_sandbox are, separated by a comma`
  return new CallError(205, message)
}
