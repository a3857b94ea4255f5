// What the REST and the connection API ask of clients, stores and the organisation: each is a model, whose documents look as
// MongoDB's would. Knows nothing of HTTP but who calls.

import type { Oid } from '../../core/ids.ts'
import type { Asker } from './auth.ts'
import type { QueryModel } from './query.ts'
import type { Document } from './query-value.ts'

/** What a request sends for one document. Only own members count: `memberOf`. */
export type Body = Readonly<Record<string, unknown>>

export interface Model extends QueryModel {
  /** As the product calls it in errors. */
  readonly name: 'Client' | 'Lrs' | 'Organisation'
  /** Fields that hold the `_id` of another document, for `populate`: the path of its model. */
  readonly references: Readonly<Record<string, ModelPath>>
  /** All that the caller may see, in the order of their making. */
  list(asker: Asker): Promise<readonly Document[]>
  find(asker: Asker, id: Oid): Promise<Document | undefined>
  /** All of them, or none. */
  create(asker: Asker, bodies: readonly Body[]): Promise<readonly Document[]>
  /** Merges; `undefined` where there is no such document. */
  modify(asker: Asker, id: Oid, body: Body): Promise<Document | undefined>
  /** False where there is no such document. */
  remove(asker: Asker, id: Oid): Promise<boolean>
}

export type ModelPath = 'client' | 'lrs' | 'organisation'

/** 24 hex digits in any case, as MongoDB takes them. */
export function readOid(text: unknown): Oid | undefined {
  return typeof text === 'string' && /^[\da-f]{24}$/i.test(text) ? (text.toLowerCase() as Oid) : undefined
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
