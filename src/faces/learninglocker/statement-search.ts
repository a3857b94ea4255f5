// Statements that meet a filter, in the order asked for, without reading more of them than it takes: what the store sorts by comes
// as it is, the newest by `timestamp` as soon as nothing newer can come, everything else when all of it was read.

import type { Oid } from '../../core/ids.ts'
import type { Call } from './auth.ts'
import { badQuery } from './query-error.ts'
import { isEverything } from './query-conjuncts.ts'
import { matches } from './query-match.ts'
import type { Filter } from './query.ts'
import { Work } from './query-value.ts'
import type { Document, Value } from './query-value.ts'
import { compareKeys, keyOf } from './sort.ts'
import type { Sort } from './sort.ts'
import { documentOf } from './statement-document.ts'
import type { StatementRow } from './statement-document.ts'
import { storedFrom, storedUpTo } from './statement-id.ts'
import { planOf, timestampSkewMs } from './statement-plan.ts'
import type { Plan } from './statement-plan.ts'
import { readBounds, readershipOf, statementRows } from './statement-source.ts'

/** Of the statements an answer has, and of those held back until their place is certain. */
export const mostCharacters = 16_000_000

export interface StatementSearch {
  readonly filter: Filter
  readonly sort: Sort
  /** Only behind this key of `sort`. */
  readonly after?: readonly Value[] | undefined
  readonly skip: number
  /** At most so many. */
  readonly limit: number
}

export interface FoundDocument {
  readonly key: readonly Value[]
  readonly document: Document
  readonly characters: number
}

/** Throws `QueryError` where the budget does not suffice. */
export async function findStatements(
  call: Call,
  search: StatementSearch,
  bounds = readBounds,
): Promise<readonly FoundDocument[]> {
  const readership = await readershipOf(call)
  const order = orderOf(search.sort)
  const plan = behind(planOf(search.filter), search)
  const chosen = new Chosen(search)
  const expected = search.skip + search.limit
  const work = new Work()
  let beyond = 0
  for await (const row of statementRows(readership, plan, { isAscending: order.isAscending, expected, bounds })) {
    if (chosen.isSettled((document) => order.isCertain(document, row, 0))) beyond += 1
    const skewMs = beyond > bounds.beyond ? 0 : timestampSkewMs
    chosen.release((document) => order.isCertain(document, row, skewMs))
    if (chosen.isFull) return chosen.list()
    const document = documentOf(row)
    work.begin()
    if (matches(search.filter, document, work)) chosen.add(document, row.body.length, work)
  }
  chosen.release(() => true)
  return chosen.list()
}

/** Each that meets the filter, in any order. */
export async function* eachStatement(call: Call, filter: Filter): AsyncGenerator<Document> {
  const readership = await readershipOf(call)
  const work = new Work()
  for await (const row of statementRows(readership, planOf(filter), { isAscending: true, expected: 500 })) {
    const document = documentOf(row)
    work.begin()
    if (matches(filter, document, work)) yield document
  }
}

export async function countStatements(call: Call, filter: Filter): Promise<number> {
  const known = isEverything(filter) ? await countAll(call) : undefined
  if (known !== undefined) return known
  let count = 0
  for await (const document of eachStatement(call, filter)) if (document !== undefined) count += 1
  return count
}

/** Undefined where the caller reads only some. */
async function countAll(call: Call): Promise<number | undefined> {
  const { reader, lrs } = await readershipOf(call)
  let sum = 0
  for (const { id } of lrs) {
    const count = await call.core.statements.count(reader, id)
    if (count === undefined) return undefined
    sum += count
  }
  return sum
}

// ---------------------------------------------------------------------------------------------------------------------
// Order

interface Order {
  /** How the store is read. */
  readonly isAscending: boolean
  /** Whether nothing that is read from `row` on comes before the document, where nothing is said to be later than it was stored by more than this. */
  isCertain(document: Document, row: StatementRow, skewMs: number): boolean
}

function orderOf([first]: Sort): Order {
  if (first === undefined || first.path === '_id') {
    return { isAscending: first?.isDescending !== true, isCertain: () => true }
  }
  if (first.path === 'stored') {
    const isCertain: Order['isCertain'] = ({ stored }, row) => Number(stored) !== storedMs(row)
    return { isAscending: !first.isDescending, isCertain }
  }
  if (first.path === 'timestamp' && first.isDescending) {
    const isCertain: Order['isCertain'] = ({ timestamp }, row, skewMs) => Number(timestamp) > storedMs(row) + skewMs
    return { isAscending: false, isCertain }
  }
  return { isAscending: true, isCertain: () => false }
}

function storedMs({ seq }: StatementRow): number {
  return Math.floor(seq / 1000)
}

/** What lies before a cursor need not be read, where the store sorts by its first key. */
function behind(plan: Plan, { sort: [first], after: [value] = [] }: StatementSearch): Plan {
  if (first?.path === '_id' && typeof value === 'string') {
    const id = value as Oid
    return first.isDescending ? upTo(plan, storedUpTo(id)) : from(plan, storedFrom(id))
  }
  if (first?.path === 'stored' && value instanceof Date) {
    return first.isDescending ? upTo(plan, value.getTime() * 1000 + 999) : from(plan, value.getTime() * 1000)
  }
  return plan
}

function from(plan: Plan, seq: number): Plan {
  return { ...plan, since: Math.max(plan.since, seq - 1) }
}

function upTo(plan: Plan, seq: number): Plan {
  return { ...plan, until: Math.min(plan.until, seq) }
}

/** The first of those that came so far, in order; those whose place is certain are let go. */
class Chosen {
  readonly #search: StatementSearch
  /** In order. */
  #held: FoundDocument[] = []
  #heldCharacters = 0
  #skipped = 0
  readonly #listed: FoundDocument[] = []
  #listedCharacters = 0

  constructor(search: StatementSearch) {
    this.#search = search
  }

  /** Also when what is listed is as much as an answer may have. */
  get isFull(): boolean {
    return this.#listed.length >= this.#search.limit || this.#listedCharacters > mostCharacters
  }

  list(): readonly FoundDocument[] {
    return this.#listed
  }

  add(document: Document, characters: number, work: Work): void {
    const { sort, after } = this.#search
    const key = keyOf(sort, document, work)
    if (after !== undefined && compareKeys(sort, key, after, work) <= 0) return
    const room = this.#room
    const at = this.#placeOf(key, work)
    if (at >= room) return
    this.#held.splice(at, 0, { key, document, characters })
    this.#heldCharacters += characters
    for (const dropped of this.#held.splice(room)) this.#heldCharacters -= dropped.characters
    if (this.#heldCharacters <= 2 * mostCharacters) return
    throw badQuery('sort', 'what is to be sorted is too long; ask for fewer at a time, or sort by stored or _id')
  }

  /** Whether as many are held as are wanted, and the last of those is certain. */
  isSettled(isCertain: (document: Document) => boolean): boolean {
    const last = this.#held[this.#room - 1]
    return last !== undefined && isCertain(last.document)
  }

  get #room(): number {
    const { skip, limit } = this.#search
    return skip - this.#skipped + limit - this.#listed.length
  }

  /** Behind all that are not greater. */
  #placeOf(key: readonly Value[], work: Work): number {
    let [low, high] = [0, this.#held.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#held[middle]
      if (other !== undefined && compareKeys(this.#search.sort, other.key, key, work) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  release(isCertain: (document: Document) => boolean): void {
    let released = 0
    for (const one of this.#held) {
      if (this.isFull || !isCertain(one.document)) break
      released += 1
      this.#heldCharacters -= one.characters
      this.#list(one)
    }
    if (released > 0) this.#held = this.#held.slice(released)
  }

  #list(one: FoundDocument): void {
    if (this.#skipped < this.#search.skip) {
      this.#skipped += 1
      return
    }
    this.#listed.push(one)
    this.#listedCharacters += one.characters
  }
}
