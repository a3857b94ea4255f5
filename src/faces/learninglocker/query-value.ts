// Values as MongoDB compares them: their types and order, what a dotted path leads to in a document, and how much a look at
// a document may cost. Knows nothing of operators.

import { badQuery } from './query-error.ts'

/** A document, or a part of one. Ids are texts of 24 hex digits; times of the model's own fields are dates, as in MongoDB. */
export type Value = null | boolean | number | string | Date | readonly Value[] | Document | undefined
export interface Document {
  readonly [name: string]: Value
}

/** What the model says of a field, so that a text in a query becomes what the field holds, as mongoose casts it. */
export type FieldType = 'oid' | 'date' | 'boolean' | 'string' | 'number'

/** By path. What is not named is taken as it comes. */
export type Fields = Readonly<Record<string, FieldType>>

/** For one document: some 20 ms where all of it goes into a regular expression, which nothing interrupts. */
const mostForOne = 1_000_000
/** For all of a request; others get their turn between two documents. */
const mostForAll = 250_000_000

/** Of a value, or a name in a document that is compared: some 50 ns, 100 where all of it is new to the machine. */
const stepsForValue = 5

/** What looking at documents costs, in steps of regular expressions: 20 ns each. A value takes several. */
export class Work {
  #one = 0
  #all = 0

  /** Before each document. */
  begin(): void {
    this.#one = 0
  }

  /** At so many values. Throws as `spend`. */
  look(values = 1): void {
    this.spend(values * stepsForValue)
  }

  /** Throws where it is too much. */
  spend(steps: number): void {
    this.#one += steps
    this.#all += steps
    if (this.#one <= mostForOne && this.#all <= mostForAll) return
    const what = this.#one > mostForOne ? 'one document is' : 'all there is to look at is'
    const remedy = 'ask with fewer conditions, shorter patterns, or fewer fields to sort by'
    throw badQuery('query', `${what} too large for what is asked; ${remedy}`)
  }
}

export function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** MongoDB's order of types; a missing value is ordered as null. */
export function rankOf(value: Value): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'number') return 1
  if (typeof value === 'string') return 2
  if (Array.isArray(value)) return 4
  if (typeof value === 'boolean') return 5
  return value instanceof Date ? 6 : 3
}

/** In MongoDB's order. Of members of documents the order counts, too. */
export function compareValues(one: Value, two: Value, work: Work): number {
  work.look()
  const byType = rankOf(one) - rankOf(two)
  if (byType !== 0 || one === two) return byType
  if (typeof one === 'string') return one < (two as string) ? -1 : 1
  if (typeof one === 'number' || typeof one === 'boolean' || one instanceof Date) return Number(one) - Number(two)
  const [ones, twos] = [partsOf(one), partsOf(two)]
  work.look(ones.length + twos.length)
  for (const [at, part] of ones.entries()) {
    if (at >= twos.length) return 1
    const order = compareValues(part, twos[at], work)
    if (order !== 0) return order
  }
  return ones.length - twos.length
}

/** Names and values in turn. */
function partsOf(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value as readonly Value[]
  if (!isDocument(value)) return []
  const parts: Value[] = []
  for (const name of Object.keys(value)) parts.push(name, value[name])
  return parts
}

export function isEqual(one: Value, two: Value, work: Work): boolean {
  return compareValues(one, two, work) === 0
}

/**
 * Everything a path leads to: through documents by name, through arrays by index and into each of their members. Missing
 * values are `undefined`, one for each document on the way that lacks the name.
 */
export function valuesAt(value: Value, path: readonly string[], work: Work): readonly Value[] {
  const found: Value[] = []
  collect(value, path, 0, { found, work })
  return found
}

interface Walk {
  readonly found: Value[]
  readonly work: Work
}

function collect(value: Value, path: readonly string[], at: number, walk: Walk): void {
  walk.work.look()
  const name = path[at]
  if (name === undefined) {
    walk.found.push(value)
  } else if (Array.isArray(value)) {
    const members = value as readonly Value[]
    walk.work.look(members.length)
    if (/^\d{1,9}$/.test(name) && Number(name) < members.length) collect(members[Number(name)], path, at + 1, walk)
    for (const member of members) if (isDocument(member)) collect(member, path, at, walk)
  } else {
    // What stands on the prototype is in no document.
    const isThere = isDocument(value) && Object.hasOwn(value, name)
    collect(isThere ? value[name] : undefined, isThere ? path : [], isThere ? at + 1 : 0, walk)
  }
}
