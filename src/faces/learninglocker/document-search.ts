// Documents of a model that meet a filter, in the order asked for, without reading more of them than it takes: those that come in
// order by themselves only until there are enough.

import { inSlices } from '../../core/slices.ts'
import type { Sliceable } from '../../core/slices.ts'
import type { Asker } from './auth.ts'
import { isOid } from './model.ts'
import type { Model, Wanted } from './model.ts'
import { isEverything } from './query-conjuncts.ts'
import { matches } from './query-match.ts'
import type { Filter } from './query.ts'
import { Work } from './query-value.ts'
import type { Document, Value } from './query-value.ts'
import { compareKeys, keyOf, sortingAll } from './sort.ts'
import type { Sort } from './sort.ts'

export interface DocumentSearch {
  readonly filter: Filter
  /** None: in the order of their making. */
  readonly sort: Sort
  /** Only behind this key of `sort`. */
  readonly after?: readonly Value[] | undefined
  /** At most so many. */
  readonly limit: number
}

export interface FoundDocument {
  readonly key: readonly Value[]
  readonly document: Document
}

/** As many as anybody asks a store for at once. */
const largestPage = 1_000

export async function findDocuments(
  model: Model,
  asker: Asker,
  search: DocumentSearch,
): Promise<readonly FoundDocument[]> {
  const { sort, limit } = search
  const [first] = sort
  const isReady = first === undefined || (first.path === '_id' && model.isOrdered === true)
  const work = new Work()
  const found: FoundDocument[] = []
  for await (const page of model.pages(asker, wantedFor(search, isReady))) {
    for (const one of await inSlices(choosing(page, search, work))) found.push(one)
    if (isReady && found.length >= limit) break
  }
  if (isReady) return found.slice(0, limit)
  const compare = (one: FoundDocument, two: FoundDocument): number => compareKeys(sort, one.key, two.key, work)
  return (await inSlices(sortingAll(found, compare, work))).slice(0, limit)
}

export async function countDocuments(model: Model, asker: Asker, filter: Filter): Promise<number> {
  if (isEverything(filter)) return model.count(asker)
  return (await findDocuments(model, asker, { filter, sort: [], limit: Infinity })).length
}

/** Whether a document that is at hand is one of them. */
export function isFound(document: Document, filter: Filter): boolean {
  return matches(filter, document, new Work())
}

function wantedFor({ filter, sort: [first], after: [value] = [], limit }: DocumentSearch, isReady: boolean): Wanted {
  const byId = isReady && first && { isDescending: first.isDescending, ...(isOid(value) && { after: value }) }
  return {
    filter,
    expected: isReady ? Math.min(limit, largestPage) : largestPage,
    ...(byId && { byId }),
  }
}

function* choosing(
  documents: readonly Document[],
  { filter, sort, after }: DocumentSearch,
  work: Work,
): Sliceable<readonly FoundDocument[]> {
  const found: FoundDocument[] = []
  for (const document of documents) {
    work.begin()
    if (matches(filter, document, work)) {
      const key = keyOf(sort, document, work)
      if (after === undefined || compareKeys(sort, key, after, work) > 0) found.push({ key, document })
    }
    yield
  }
  return found
}
