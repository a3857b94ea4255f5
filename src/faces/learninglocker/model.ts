// What the REST and the connection API ask of clients, stores and the organisation: each is a model, whose documents look as
// MongoDB's would. Knows nothing of HTTP but who calls.

import type { Oid } from '../../core/ids.ts'
import type { Asker } from './auth.ts'
import type { Filter, QueryModel } from './query.ts'
import type { Document } from './query-value.ts'

/** What a request sends for one document. Only own members count: `memberOf`. */
export type Body = Readonly<Record<string, unknown>>

export interface Model extends QueryModel {
  /** As the product calls it in errors. */
  readonly name: 'Client' | 'Lrs' | 'Organisation'
  /** Fields that hold the `_id` of another document, for `populate`: the path of its model. */
  readonly references: Readonly<Record<string, ModelPath>>
  /** Of all that the caller may see at least those that are wanted, page by page, for who stops when there are enough. */
  pages(asker: Asker, wanted: Wanted): AsyncIterable<readonly Document[]>
  /** Whether pages come by `_id` where that is wanted. */
  readonly isOrdered?: boolean
  /** How many the caller may see. */
  count(asker: Asker): Promise<number>
  find(asker: Asker, id: Oid): Promise<Document | undefined>
  /** All of them, or none. */
  create(asker: Asker, bodies: readonly Body[]): Promise<readonly Document[]>
  /** Merges; `undefined` where there is no such document. */
  modify(asker: Asker, id: Oid, body: Body): Promise<Document | undefined>
  /** False where there is no such document. */
  remove(asker: Asker, id: Oid): Promise<boolean>
}

/** What a request looks for. */
export interface Wanted {
  /** What does not meet it may be left out. */
  readonly filter: Filter
  /** How many will do, unless the filter refuses some; from 1 to 1,000. */
  readonly expected: number
  /** In the order of `_id`, and only behind this one, if the model can; else in the order of their making. */
  readonly byId?: { readonly isDescending: boolean; readonly after?: Oid }
}

export type ModelPath = 'client' | 'lrs' | 'organisation'

/** 24 hex digits in any case, as MongoDB takes them. */
export function readOid(text: unknown): Oid | undefined {
  return typeof text === 'string' && /^[\da-f]{24}$/i.test(text) ? (text.toLowerCase() as Oid) : undefined
}

export function isOid(value: unknown): value is Oid {
  return typeof value === 'string' && readOid(value) === value
}

/** A member by its path, with dots as in MongoDB's own updates: `{"api":{"basic_key":1}}` or `{"api.basic_key":1}`. */
export function memberOf(body: Body, path: string): unknown {
  if (Object.hasOwn(body, path)) return body[path]
  const [name = '', ...rest] = path.split('.')
  const inner = rest.length > 0 && Object.hasOwn(body, name) ? body[name] : undefined
  return isBody(inner) ? memberOf(inner, rest.join('.')) : undefined
}

export function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
