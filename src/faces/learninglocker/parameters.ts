// The parameters of a list on the REST API, and what they make of documents that were found. Knows nothing of models, nor where
// documents come from.

import { inSlices } from '../../core/slices.ts'
import type { Sliceable } from '../../core/slices.ts'
import { badQuery } from './query-error.ts'
import { everything, parseFilter, readParameter } from './query.ts'
import type { Filter, QueryModel } from './query.ts'
import { Work, compareValues, isDocument, valuesAt } from './query-value.ts'
import type { Document, Value } from './query-value.ts'
import { projecting, readSelect } from './select.ts'
import type { Projection } from './select.ts'
import { readSort, sortingAll } from './sort.ts'
import type { Sort } from './sort.ts'

export interface ListParameters {
  readonly filter: Filter
  readonly select: Projection | undefined
  readonly sort: Sort
  readonly skip: number
  /** Undefined: all. */
  readonly limit: number | undefined
  readonly populate: readonly Populated[]
  /** A path; then its values are answered instead of documents. */
  readonly distinct: string | undefined
}

/** A reference that is answered as what it refers to. */
export interface Populated {
  readonly path: string
  readonly select: Projection | undefined
}

/** Whatever else is sent is ignored (facts 2.2). Throws `QueryError`. */
export function readListParameters(query: URLSearchParams, model: QueryModel): ListParameters {
  const read = <T>(name: string, reader: (text: string) => T): T | undefined => {
    const text = query.get(name)
    return text === null || text === '' ? undefined : reader(text)
  }
  const options = { model, name: 'query', hasShortcuts: true }
  return {
    filter: read('query', (text) => parseFilter(readParameter(text, 'query'), options)) ?? everything,
    select: read('select', readSelect),
    sort: read('sort', (text) => readSort(text, model)) ?? [],
    skip: read('skip', (text) => readWhole(text, 'skip')) ?? 0,
    // MongoDB's 0 is no limit.
    limit: read('limit', (text) => readWhole(text, 'limit')) || undefined,
    populate: read('populate', readPopulate) ?? [],
    distinct: read('distinct', readPath),
  }
}

export function readWhole(text: string, name: string): number {
  const value = Number(text)
  if (/^\s*\d+\s*$/.test(text) && Number.isSafeInteger(value)) return value
  throw badQuery(name, 'this is a whole number, 0 or more')
}

/** `organisation,lrs_id`, or JSON of `{path, select}`, one or an array. */
function readPopulate(text: string): readonly Populated[] {
  const trimmed = text.trim()
  const sent = /^[[{]/.test(trimmed) ? readParameter(trimmed, 'populate') : trimmed.split(/[,\s]+/).filter(Boolean)
  return (Array.isArray(sent) ? (sent as readonly unknown[]) : [sent]).map((one) => {
    if (typeof one === 'string') return { path: one, select: undefined }
    if (!isDocument(one) || typeof one['path'] !== 'string') throw badQuery('populate', 'each is a path, or has one')
    const { path, select, ...others } = one
    const [other] = Object.keys(others)
    if (other !== undefined) throw badQuery(`populate.${other}`, 'this is not offered; path and select are')
    return { path, select: select === undefined ? undefined : readSelect(textOf(select)) }
  })
}

function textOf(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function readPath(text: string): string {
  if (text.startsWith('$') || text.split('.').length > 20) throw badQuery('distinct', 'this is the path of a field')
  return text
}

/** What is answered of the documents that were found: projected, but not populated; with `distinct` values instead. */
export function answered(
  found: readonly Document[],
  { distinct, select }: Pick<ListParameters, 'distinct' | 'select'>,
): Promise<readonly Value[]> {
  return inSlices<readonly Value[]>(
    distinct === undefined ? projecting(found, select) : distinctValues(found, distinct, new Work()),
  )
}

/** Each value once, in order; of an array its members. */
function* distinctValues(documents: Iterable<Document>, path: string, work: Work): Sliceable<readonly Value[]> {
  const found = new Map<string, Value>()
  for (const document of documents) {
    work.begin()
    for (const value of distinctIn(document, path, work)) found.set(JSON.stringify(value), value)
    yield
  }
  return yield* sortingAll([...found.values()], (one, two) => compareValues(one, two, work), work)
}

export function distinctIn(document: Document, path: string, work: Work): readonly Value[] {
  const values = valuesAt(document, path.split('.'), work)
  const members = values.flatMap((value) => (Array.isArray(value) ? (value as readonly Value[]) : [value]))
  return members.filter((value) => value !== undefined)
}
