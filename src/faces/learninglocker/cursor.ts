// Cursors of the connection API: base64 of the JSON of a document's sort keys. They carry no right and nothing is remembered.

import { readOid } from './model.ts'
import { badQuery } from './query-error.ts'
import type { QueryModel } from './query.ts'
import { isDocument } from './query-value.ts'
import type { Value } from './query-value.ts'
import type { Sort } from './sort.ts'

const longestCursor = 16 * 1024

/** Without a key: of an empty page. */
export function writeCursor(sort: Sort, key: readonly Value[] = []): string {
  const members = sort.flatMap(({ path }, at): (readonly [string, Value])[] =>
    at < key.length ? [[path, key[at]]] : [],
  )
  return Buffer.from(JSON.stringify(Object.fromEntries(members))).toString('base64')
}

/** What `writeCursor` was given, where it was given the same sort. `name`: the parameter. */
export function readCursor(
  text: string,
  sort: Sort,
  { model, name }: { readonly model: QueryModel; readonly name: string },
): readonly Value[] {
  const members = membersIn(text)
  if (members === undefined) throw badQuery(name, 'this is no cursor of a page')
  return sort.map(({ path }) => {
    const value = Object.hasOwn(members, path) ? members[path] : undefined
    if (value === undefined) throw badQuery(name, `this cursor is of another sort: it has no ${path}`)
    const type = Object.hasOwn(model.fields, path) ? model.fields[path] : undefined
    if (type === 'date') return dateIn(value, name)
    return type === 'oid' ? oidIn(value, name) : value
  })
}

function membersIn(text: string): Record<string, Value> | undefined {
  if (text.length > longestCursor) return undefined
  try {
    const members = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Value
    return isDocument(members) ? members : undefined
  } catch {
    return undefined
  }
}

function dateIn(value: Value, name: string): Value {
  if (value === null) return null
  const date = new Date(typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(date.getTime())) throw badQuery(name, 'this is no cursor of a page')
  return date
}

/** Null is what is missing. */
function oidIn(value: Value, name: string): Value {
  const id = readOid(value)
  if (value !== null && id === undefined) throw badQuery(name, 'this is no cursor of a page')
  return id ?? null
}
