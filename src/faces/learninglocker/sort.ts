// The order of a list: what `sort` says, as MongoDB compares documents. Knows nothing of models.

import type { Sliceable } from '../../core/slices.ts'
import { badQuery } from './query-error.ts'
import { readParameter } from './query.ts'
import type { QueryModel } from './query.ts'
import { compareValues, isDocument, valuesAt } from './query-value.ts'
import type { Document, Value, Work } from './query-value.ts'

export interface SortKey {
  readonly path: string
  readonly isDescending: boolean
}

/** By the first, then by the second …; none: as they come. */
export type Sort = readonly SortKey[]

const mostKeys = 20

/** `title`, `-title`, several with commas or spaces between them, or JSON: `{"title":-1}`. */
export function readSort(text: string, model: QueryModel): Sort {
  if (text.trimStart().startsWith('{')) return parseSort(readParameter(text, 'sort'), model)
  const names = text.split(/[,\s]+/).filter((name) => name.replace(/^[-+]/, '') !== '')
  return keysOf(
    names.map((name) => ({ path: name.replace(/^[-+]/, ''), isDescending: name.startsWith('-') })),
    model,
  )
}

/** `{"title":"asc","_id":-1}` */
export function parseSort(sent: unknown, model: QueryModel): Sort {
  if (!isDocument(sent)) throw badQuery('sort', 'this takes an object of fields and directions')
  const keys = Object.entries(sent).map(([path, direction]) => {
    return { path, isDescending: isDescending(direction, `sort.${path}`) }
  })
  return keysOf(keys, model)
}

function keysOf(keys: Sort, { aliases = {} }: QueryModel): Sort {
  if (keys.length > mostKeys) throw badQuery('sort', `more than ${mostKeys} fields are not accepted`)
  return keys.map(({ path, isDescending }) => {
    if (path.startsWith('$')) throw badQuery(`sort.${path}`, 'an operator is not accepted here')
    return { path: (Object.hasOwn(aliases, path) ? aliases[path] : undefined) ?? path, isDescending }
  })
}

function isDescending(direction: Value, place: string): boolean {
  if (['1', 'asc', 'ascending'].includes(String(direction))) return false
  if (['-1', 'desc', 'descending'].includes(String(direction))) return true
  throw badQuery(place, 'a direction is 1 or -1, asc or desc')
}

/** What is sorted, or merged, in one go: comparing whole documents takes microseconds each time. */
const mostInOneGo = 100

/** As `toSorted`, in slices. */
export function* sortingAll<T>(
  items: readonly T[],
  compare: (one: T, two: T) => number,
  work: Work,
): Sliceable<readonly T[]> {
  let runs: (readonly T[])[] = []
  for (let at = 0; at < items.length; at += mostInOneGo) {
    work.begin()
    runs.push(items.slice(at, at + mostInOneGo).toSorted(compare))
    yield
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = []
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(yield* merging(runs[at] ?? [], runs[at + 1] ?? [], { compare, work }))
    }
    runs = merged
  }
  return runs[0] ?? []
}

function* merging<T>(
  ones: readonly T[],
  twos: readonly T[],
  { compare, work }: { readonly compare: (one: T, two: T) => number; readonly work: Work },
): Sliceable<readonly T[]> {
  const all: T[] = []
  let [one, two] = [0, 0]
  while (one < ones.length && two < twos.length) {
    if (all.length % mostInOneGo === 0) {
      work.begin()
      yield
    }
    // Of equal ones the first stays first.
    all.push(compare(ones[one] as T, twos[two] as T) <= 0 ? (ones[one++] as T) : (twos[two++] as T))
  }
  return [...all, ...ones.slice(one), ...twos.slice(two)]
}

/** What a document is sorted by, key by key. */
export function keyOf(sort: Sort, document: Document, work: Work): readonly Value[] {
  return sort.map(({ path, isDescending }) => sortValue(document, path, { isDescending, work }))
}

/** Negative where the first come first. */
export function compareKeys(sort: Sort, ones: readonly Value[], twos: readonly Value[], work: Work): number {
  for (const [at, { isDescending }] of sort.entries()) {
    const order = compareValues(ones[at], twos[at], work)
    if (order !== 0) return isDescending ? -order : order
  }
  return 0
}

/** Of an array the smallest member, or, in descending order, the largest. */
function sortValue(
  document: Document,
  path: string,
  { isDescending, work }: { readonly isDescending: boolean; readonly work: Work },
): Value {
  const found = valuesAt(document, path.split('.'), work)
  const values = found.flatMap((value) => (Array.isArray(value) ? (value as readonly Value[]) : [value]))
  let best = values[0]
  for (const value of values.slice(1)) {
    const order = compareValues(value, best, work)
    if (isDescending ? order > 0 : order < 0) best = value
  }
  return best ?? null
}
