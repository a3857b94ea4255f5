// The query language: MongoDB's filters, as far as integrators send them, read into a tree of conditions. What is not known
// is refused by its name and place. Knows nothing of what is queried but the types of its fields; query-match.ts applies it.

import { isDomainError } from '../../core/errors.ts'
import { parseJson } from '../../core/xapi/json.ts'
import { badJson, badQuery } from './query-error.ts'
import { Patterns } from './query-pattern.ts'
import type { Pattern } from './query-pattern.ts'
import { isDocument } from './query-value.ts'
import type { Document, Fields, FieldType, Value } from './query-value.ts'

/** A condition on a document. */
export type Filter =
  | { readonly kind: 'and' | 'or' | 'nor'; readonly filters: readonly Filter[] }
  | { readonly kind: 'field'; readonly path: string; readonly test: Test }

/** A condition on what a path leads to. */
export type Test =
  | { readonly kind: 'eq' | 'gt' | 'gte' | 'lt' | 'lte'; readonly value: Value }
  | { readonly kind: 'in'; readonly values: readonly Value[]; readonly patterns: readonly Pattern[] }
  | { readonly kind: 'exists'; readonly isThere: boolean }
  | { readonly kind: 'regex'; readonly pattern: Pattern }
  /** A member of an array that meets all tests itself, or as a document the filter. */
  | { readonly kind: 'elemMatch'; readonly tests: readonly Test[] | Filter }
  | { readonly kind: 'all' | 'not'; readonly tests: readonly Test[] }

/** What the model says of its documents. */
export interface QueryModel {
  readonly fields: Fields
  /** Paths that are meant as others: the product asks its own dates instead of the texts in the statement. */
  readonly aliases?: Readonly<Record<string, string>>
}

export interface QueryOptions {
  readonly model: QueryModel
  /** The parameter it stands in, for refusals. */
  readonly name: string
  /** express-restify-mongoose's: "~text", ">1", "!=x" for a field, and an array for $in. The connection API has none. */
  readonly hasShortcuts: boolean
}

export const everything: Filter = { kind: 'and', filters: [] }

const longestQuery = 64 * 1024
/** Documents and arrays inside one another. */
const mostDepth = 20
/** Conditions, and values they compare with. */
const mostNodes = 2_000

/** JSON in a parameter; the language's own refusal where it is none. */
export function readParameter(text: string, name: string): unknown {
  if (text.length > longestQuery) throw badQuery(name, `more than ${longestQuery} characters are not accepted`)
  try {
    return parseJson(text)
  } catch (error) {
    if (!isDomainError(error)) throw error
    throw isJson(text) ? badQuery(name, error.message) : badJson(name)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Throws `QueryError`. */
export function parseFilter(sent: unknown, options: QueryOptions): Filter {
  return new Parser(options).filter(sent, options.name, 0)
}

class Parser {
  readonly #options: QueryOptions
  readonly #patterns = new Patterns()
  #nodes = 0

  constructor(options: QueryOptions) {
    this.#options = options
  }

  filter(sent: unknown, place: string, depth: number): Filter {
    this.#count(place, depth)
    if (!isDocument(sent)) throw badQuery(place, 'a filter is an object')
    const filters = Object.entries(sent).flatMap(([name, value]): Filter[] => {
      const at = `${place}.${name}`
      if (name === '$comment') return []
      if (name === '$and' || name === '$or' || name === '$nor') {
        const filters = listOf(value, at).map((part, index) => this.filter(part, `${at}.${index}`, depth + 1))
        return [{ kind: name.slice(1) as 'and' | 'or' | 'nor', filters }]
      }
      if (name.startsWith('$')) throw badQuery(at, unknownOperator(name))
      return [this.#field(name, value, { at, depth: depth + 1 })]
    })
    return filters.length === 1 && filters[0] ? filters[0] : { kind: 'and', filters }
  }

  #field(name: string, value: unknown, { at, depth }: Place): Filter {
    const { aliases = {}, fields } = this.#options.model
    const path = ownOf(aliases, name) ?? name
    if (path.split('.').length > mostDepth) throw badQuery(at, `a path has at most ${mostDepth} names`)
    const context = { at, depth, type: ownOf(fields, path) }
    return { kind: 'field', path, test: this.#test(value, context) }
  }

  /** What a field is asked for: an operator, a value, or a shortcut for the one. */
  #test(sent: unknown, context: Context): Test {
    this.#count(context.at, context.depth)
    if (isOperators(sent)) return allOf(this.#operators(sent, context))
    if (!this.#options.hasShortcuts) return { kind: 'eq', value: this.#value(sent, context) }
    if (Array.isArray(sent)) return this.#in(sent, context)
    return typeof sent === 'string' ? this.#shortcut(sent, context) : { kind: 'eq', value: this.#value(sent, context) }
  }

  #shortcut(text: string, context: Context): Test {
    if (text.startsWith('~')) return { kind: 'regex', pattern: this.#patterns.compile(text.slice(1), 'i', context.at) }
    for (const [prefix, kind] of shortcuts) {
      if (!text.startsWith(prefix)) continue
      const value = this.#value(text.slice(prefix.length), context)
      return kind === 'ne' ? { kind: 'not', tests: [{ kind: 'eq', value }] } : { kind, value }
    }
    return { kind: 'eq', value: this.#value(text, context) }
  }

  #operators(sent: Document, context: Context): readonly Test[] {
    this.#count(context.at, context.depth)
    return Object.entries(sent).flatMap(([name, value]) => {
      const within = { ...context, at: `${context.at}.${name}`, depth: context.depth + 1 }
      // It belongs to the $regex beside it.
      if (name === '$options' && Object.hasOwn(sent, '$regex')) return []
      return [this.#operator(name, value, { ...within, beside: sent })]
    })
  }

  #operator(name: string, value: unknown, context: Context & { readonly beside: Document }): Test {
    switch (name) {
      case '$eq':
        return { kind: 'eq', value: this.#value(value, context) }
      case '$ne':
        return { kind: 'not', tests: [{ kind: 'eq', value: this.#value(value, context) }] }
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return { kind: name.slice(1) as 'gt' | 'gte' | 'lt' | 'lte', value: this.#value(value, context) }
      case '$in':
        return this.#in(listOf(value, context.at), context)
      case '$nin':
        return { kind: 'not', tests: [this.#in(listOf(value, context.at), context)] }
      case '$exists':
        return { kind: 'exists', isThere: flagOf(value, context.at) }
      case '$regex':
        return { kind: 'regex', pattern: this.#regex(value, context) }
      case '$not':
        return { kind: 'not', tests: [this.#negated(value, context)] }
      case '$elemMatch':
        return { kind: 'elemMatch', tests: this.#elemMatch(value, context) }
      default:
        throw badQuery(context.at, unknownOperator(name))
    }
  }

  #in(values: readonly unknown[], context: Context): Test {
    const sources = this.#options.hasShortcuts ? values.filter(isPatternText) : []
    const patterns = sources.map((text) => this.#patterns.compile(text.slice(1), 'i', context.at))
    const literal = sources.length === 0 ? values : values.filter((value) => !isPatternText(value))
    return { kind: 'in', values: literal.map((value) => this.#value(value, context)), patterns }
  }

  #regex(value: unknown, { at, beside }: Context & { readonly beside: Document }): Pattern {
    const { $options: options = '' } = beside
    if (typeof value !== 'string') throw badQuery(at, '$regex is a text')
    if (typeof options !== 'string') throw badQuery(at, '$options is a text')
    return this.#patterns.compile(value, options, at)
  }

  #negated(sent: unknown, context: Context): Test {
    if (isOperators(sent)) return allOf(this.#operators(sent, context))
    if (this.#options.hasShortcuts && isPatternText(sent)) return this.#shortcut(sent, context)
    throw badQuery(context.at, '$not takes an object of operators')
  }

  #elemMatch(sent: unknown, { at, depth, type }: Context): readonly Test[] | Filter {
    if (isOperators(sent) && !isLogical(sent)) return this.#operators(sent, { at, depth, type })
    // Paths inside it are the members' own.
    const inner = new Parser({ ...this.#options, model: { fields: {} } })
    return inner.#within(this, () => inner.filter(sent, at, depth + 1))
  }

  /** With what another one has counted, and its count afterwards. */
  #within<T>(outer: Parser, parse: () => T): T {
    this.#nodes = outer.#nodes
    const parsed = parse()
    outer.#nodes = this.#nodes
    return parsed
  }

  /** A value to compare with, as its field holds it. */
  #value(sent: unknown, context: Context): Value {
    this.#count(context.at, context.depth)
    const value = this.#converted(sent, context)
    return context.type === undefined ? value : cast(value, context.type, context.at)
  }

  #converted(sent: unknown, { at, depth }: Place): Value {
    const within = (part: unknown): Value => this.#inner(part, { at, depth: depth + 1 })
    if (Array.isArray(sent)) return sent.map(within)
    if (!isDocument(sent)) return sent as Value
    const [[name, value] = [], ...others] = Object.entries(sent)
    if (name === '$oid' && others.length === 0) return oidOf(value, at)
    if (name === '$dte' && others.length === 0) return dateOf(value, at)
    const operator = Object.keys(sent).find((key) => key.startsWith('$'))
    if (operator !== undefined) throw badQuery(`${at}.${operator}`, 'an operator is not accepted inside a value')
    return Object.fromEntries(Object.entries(sent).map(([key, part]) => [key, within(part)]))
  }

  #inner(sent: unknown, place: Place): Value {
    this.#count(place.at, place.depth)
    return this.#converted(sent, place)
  }

  #count(place: string, depth: number): void {
    if (depth > mostDepth) throw badQuery(place, `nothing is looked at deeper than ${mostDepth} levels`)
    this.#nodes += 1
    if (this.#nodes > mostNodes) throw badQuery(place, `more than ${mostNodes} conditions and values are not accepted`)
  }
}

interface Place {
  readonly at: string
  readonly depth: number
}

interface Context extends Place {
  readonly type: FieldType | undefined
}

const shortcuts = [
  ['>=', 'gte'],
  ['>', 'gt'],
  ['<=', 'lte'],
  ['<', 'lt'],
  ['!=', 'ne'],
] as const

const known =
  '$and, $or, $nor, $not, $eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $elemMatch, $regex, $options, $oid, $dte, $comment'

function unknownOperator(name: string): string {
  return `${name.slice(0, 100)} is not offered; these are: ${known}`
}

function allOf(tests: readonly Test[]): Test {
  return tests.length === 1 && tests[0] ? tests[0] : { kind: 'all', tests }
}

/** As MongoDB decides: by the first name. `$oid` and `$dte` make values. */
function isOperators(sent: unknown): sent is Document {
  if (!isDocument(sent)) return false
  const [first] = Object.keys(sent)
  return first?.startsWith('$') === true && first !== '$oid' && first !== '$dte'
}

function isLogical(sent: Document): boolean {
  return ['$and', '$or', '$nor', '$comment'].some((name) => Object.hasOwn(sent, name))
}

function isPatternText(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('~')
}

function listOf(value: unknown, at: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw badQuery(at, 'this takes an array')
}

/** MongoDB takes any number or boolean. */
function flagOf(value: unknown, at: string): boolean {
  if (typeof value === 'boolean' || typeof value === 'number') return Boolean(value)
  throw badQuery(at, '$exists is true or false')
}

function oidOf(value: unknown, at: string): string {
  if (typeof value === 'string' && /^[0-9a-f]{24}$/i.test(value)) return value.toLowerCase()
  throw badQuery(at, 'an id is 24 hexadecimal digits')
}

function dateOf(value: unknown, at: string): Date {
  const date = typeof value === 'string' || typeof value === 'number' ? new Date(value) : undefined
  if (date === undefined || Number.isNaN(date.getTime())) throw badQuery(at, 'a time is ISO 8601, or milliseconds')
  return date
}

function cast(value: Value, type: FieldType, at: string): Value {
  // An array is compared as a whole, and with null whatever is missing.
  if (value === null || typeof value === 'object') return value
  switch (type) {
    case 'oid':
      return oidOf(value, at)
    case 'date':
      return dateOf(value, at)
    case 'string':
      return String(value)
    case 'boolean':
      if (['true', '1'].includes(String(value))) return true
      if (['false', '0'].includes(String(value))) return false
      throw badQuery(at, 'this field is true or false')
    case 'number':
      if (typeof value === 'number') return value
      if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value)
      throw badQuery(at, 'this field is a number')
  }
}

function ownOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}
