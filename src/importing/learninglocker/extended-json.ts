// What MongoDB's tools write for values that JSON has no words for: Extended JSON v1 (strict), v2 (relaxed and canonical), and the
// classes of BSON. Knows nothing of what the values mean.

import { Timestamp } from 'bson'
import { invalid } from '../../core/errors.ts'
import { maxDepth } from '../../core/xapi/json.ts'

export type Members = Readonly<Record<string, unknown>>

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** 24 lower-case hex digits; undefined where it is no ObjectId. v1 kept some ids as plain strings. */
export function oidOf(value: unknown): string | undefined {
  const text =
    typeof value === 'string'
      ? value
      : isMembers(value)
        ? bsonType(value) === 'ObjectId'
          ? String(value)
          : value['$oid']
        : undefined
  return typeof text === 'string' && /^[0-9a-f]{24}$/i.test(text) ? text.toLowerCase() : undefined
}

/** Unix milliseconds; undefined where it is no time. */
export function timeOf(value: unknown): number | undefined {
  const date = isMembers(value) && '$date' in value ? value['$date'] : value
  const time =
    date instanceof Date
      ? date.getTime()
      : typeof date === 'string'
        ? Date.parse(date)
        : isMembers(date)
          ? numberOf(date['$numberLong'])
          : date
  return typeof time === 'number' && Number.isFinite(time) ? Math.floor(time) : undefined
}

/** An object may have a toString that is none. */
function numberOf(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
}

/** Told of each number that JavaScript, and so JSON as LRS exchange it, cannot hold exactly. */
export type OnRounded = (text: string) => void

/**
 * The value in plain JSON: what an API that passed it on would have written. The same object where there is nothing to change, as in most.
 * Throws where there are no words for it: infinities, code, MinKey.
 */
export function plain(value: unknown, onRounded: OnRounded, depth = 0): unknown {
  if (depth > maxDepth) throw invalid(`It is nested deeper than ${maxDepth} levels.`)
  if (typeof value !== 'object' || value === null) return plainNumber(value)
  if (Array.isArray(value)) return plainArray(value, onRounded, depth)
  const type = bsonType(value)
  if (type !== undefined) return plainBson(type, value, onRounded)
  const names = Object.keys(value)
  if (names[0]?.startsWith('$') === true) {
    const special = plainSpecial(value as Members, names, onRounded)
    if (special !== undefined) return special.value
  }
  return plainObject(value as Members, names, onRounded, depth)
}

function plainNumber(value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value
  throw invalid(`JSON has no ${value}.`)
}

function plainArray(values: readonly unknown[], onRounded: OnRounded, depth: number): readonly unknown[] {
  let changed: unknown[] | undefined
  for (const [index, value] of values.entries()) {
    const decoded = plain(value, onRounded, depth + 1)
    if (decoded !== value) (changed ??= [...values])[index] = decoded
  }
  return changed ?? values
}

function plainObject(value: Members, names: readonly string[], onRounded: OnRounded, depth: number): Members {
  let changed: Map<string, unknown> | undefined
  for (const name of names) {
    const decoded = plain(value[name], onRounded, depth + 1)
    if (decoded !== value[name]) (changed ??= new Map(Object.entries(value))).set(name, decoded)
  }
  if (changed === undefined) return value
  // `undefined` was never sent; fromEntries keeps a __proto__ what it is.
  return Object.fromEntries([...changed].filter(([, member]) => member !== undefined))
}

/** `{"$numberLong": "5"}` and the like; undefined where it is an object that only looks so. */
function plainSpecial(
  value: Members,
  names: readonly string[],
  onRounded: OnRounded,
): { readonly value: unknown } | undefined {
  if (names.length !== 1) return undefined
  const [name] = names
  const inner = value[name!]
  // All but these are strings, and whatever holds an object is none of theirs.
  const isText = typeof inner !== 'object' || inner === null
  if (!isText && name !== '$date') return undefined
  switch (name) {
    case '$numberInt':
    case '$numberLong':
    case '$numberDouble':
    case '$numberDecimal':
      return { value: numberFrom(String(inner), onRounded) }
    case '$oid':
    case '$symbol':
    case '$uuid':
      return { value: String(inner) }
    case '$date': {
      const time = timeOf(value)
      if (time === undefined) throw invalid(`This is no time: ${JSON.stringify(value).slice(0, 100)}.`)
      return { value: new Date(time).toISOString() }
    }
    case '$undefined':
      return { value: undefined }
    default:
      return undefined
  }
}

function plainBson(type: string, value: object, onRounded: OnRounded): unknown {
  switch (type) {
    case 'Date':
      return (value as Date).toISOString()
    case 'ObjectId':
    case 'UUID':
    case 'BSONSymbol':
    case 'Symbol':
      return String(value)
    case 'Long':
    case 'Int32':
    case 'Double':
    case 'Decimal128':
      return numberFrom(String(value), onRounded)
    default:
      throw invalid(`JSON has no words for a BSON ${value instanceof Timestamp ? 'Timestamp' : type}.`)
  }
}

function numberFrom(text: string, onRounded: OnRounded): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number)) throw invalid(`JSON has no number ${text.slice(0, 40)}.`)
  if (isRounded(text, number)) onRounded(text)
  return number
}

/** Integers only: what a fraction loses, it lost when a double was made of it. */
function isRounded(text: string, number: number): boolean {
  return !Number.isSafeInteger(number) && /^-?\d{1,40}$/.test(text) && BigInt(text) !== BigInt(number)
}

const digits = /[:,[]\s*-?\d{16}/
const strings = /"(?:[^"\\]|\\.)*"/g
/** No lookbehind: that would go through a run of spaces again at each of them. */
const integers = /[:,[]\s*(-?\d{16,40})(?=\s*[,}\]])/g

/** Of JSON text: integers that JSON.parse cannot hold. Cheap where nothing looks like one. */
export function findRounded(text: string, onRounded: OnRounded): void {
  if (!digits.test(text)) return
  for (const [, integer = ''] of text.replaceAll(strings, '""').matchAll(integers)) {
    if (isRounded(integer, Number(integer))) onRounded(integer)
  }
}

function bsonType(value: object): string | undefined {
  if (value instanceof Date) return 'Date'
  const type = (value as { readonly _bsontype?: unknown })._bsontype
  // A class of bson's has it behind a getter of its prototype; in JSON it would be the object's own.
  return typeof type === 'string' && !Object.hasOwn(value, '_bsontype') ? type : undefined
}
