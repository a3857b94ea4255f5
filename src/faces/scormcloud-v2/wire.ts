// What every operation of this API shares on the wire: JSON bodies, query parameters, times as any client writes them.
// Knows nothing of Hono, storage or who is asking.

import { z } from 'zod'
import { invalid } from '../../core/errors.ts'
import type { Failure } from '../../core/errors.ts'

const rule = 'claviger/scormcloud-v2'

// ---------------------------------------------------------------------------------------------------------------------
// Bodies

export function text(check: (value: string) => readonly Failure[] = () => []): z.ZodType<string> {
  return z.string('must be a string').superRefine((value, context) => {
    for (const { message } of check(value)) context.addIssue(message)
  })
}

export const flag = z.boolean('must be true or false')

export function oneOf<const Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  return z.enum(words, { error: ({ input }) => `must be one of ${words.join(', ')}${notThis(input)}` })
}

export function notThis(input: unknown): string {
  return typeof input === 'string' && input.length <= 40 ? `, not ${JSON.stringify(input)}` : ''
}

/** The members of an object that the schema knows; null stands for a member that is not there, as some clients write it. */
export function readBody<Output>(schema: z.ZodType<Output>, body: unknown): Output {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid('The request body must be a JSON object')
  }
  const parsed = schema.safeParse(withoutNulls(body))
  if (parsed.success) return parsed.data
  throw invalid('The request body was refused', parsed.error.issues.map(toFailure))
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]))
}

function toFailure({ path, message }: z.core.$ZodIssue): Failure {
  return { pointer: `/${path.join('/')}`, rule, message }
}

/** One broken rule, as the error that says so. */
export function refuse(pointer: string, message: string): Error {
  return invalid('The request was refused', [{ pointer, rule, message }])
}

// ---------------------------------------------------------------------------------------------------------------------
// Queries

/** Undefined when it is not there, or empty as some clients send what they do not mean. */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name)
  if (values.length > 1) throw refuse(`?${name}`, 'must be given once')
  return values[0] === '' ? undefined : values[0]
}

/** `True` is Python's. */
export function flagIn(query: URLSearchParams, name: string): boolean | undefined {
  const value = parameter(query, name)?.toLowerCase()
  if (value === undefined || value === 'true' || value === 'false')
    return value === undefined ? value : value === 'true'
  throw refuse(`?${name}`, `must be true or false${notThis(value)}`)
}

export function wordIn<const Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const value = parameter(query, name)
  const found = words.find((word) => word === value?.toLowerCase())
  if (value === undefined || found !== undefined) return found
  throw refuse(`?${name}`, `must be one of ${words.join(', ')}${notThis(value)}`)
}

export function timeIn(query: URLSearchParams, name: string): number | undefined {
  const value = parameter(query, name)
  const found = value === undefined ? undefined : readTime(value)
  if (value === undefined || found !== undefined) return found
  throw refuse(`?${name}`, `must be an ISO 8601 time such as 2024-01-02T03:04:05Z${notThis(value)}`)
}

// ---------------------------------------------------------------------------------------------------------------------
// Times

// JavaScript writes 2024-01-02T03:04:05.000Z, PHP +00:00 (whose plus a query may have turned into a space), Python microseconds
// without a zone, .NET seven digits, Java no seconds where there are none, Ruby `2024-01-02 03:04:05 UTC`.
const time =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|UTC)| ?([+-]| )(\d\d):?(\d\d))?)?$/i

/** Unix milliseconds, rounded down; without a zone it is UTC. Undefined for anything else, and for days there are not. */
export function readTime(written: string): number | undefined {
  const found = time.exec(written)
  if (!found) return undefined
  const [year = 0, month = 0, day = 0, ...clock] = found.slice(1, 7).map((part) => Number(part ?? 0))
  const [hours = 0, minutes = 0, seconds = 0] = clock
  const utc = Date.UTC(year, month - 1, day, hours, minutes, seconds, Math.floor(Number(`0.${found[7] ?? 0}`) * 1000))
  const date = new Date(utc)
  const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isDay || hours > 23 || minutes > 59 || seconds > 59) return undefined
  const [zoneHours, zoneMinutes] = [Number(found[10] ?? 0), Number(found[11] ?? 0)]
  if (zoneHours > 23 || zoneMinutes > 59) return undefined
  return utc - (found[9] === '-' ? -1 : 1) * (zoneHours * 60 + zoneMinutes) * 60_000
}

export function writeTime(at: number): string {
  return new Date(at).toISOString()
}
