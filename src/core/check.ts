// Shapes of what comes from outside the domain: text, identifiers, structured values. Says what would be accepted.

import type { ZodType } from 'zod'
import { DomainError, inWords } from './errors.ts'
import type { Failure } from './errors.ts'
import { maxId } from './ids.ts'
import type { Json } from './storage.ts'

/** Characters of a name, key or secret. */
export const maxTextLength = 255

const control = /[\u0000-\u001f\u007f]/
const unpaired = /\p{Surrogate}/u

/** Throws `invalid` naming every failure. */
export function refuse(failures: readonly Failure[]): void {
  if (failures.length === 0) return
  throw new DomainError('invalid', failures.map(inWords).join(' '), { detail: { failures } })
}

export function checkText(
  text: string,
  { pointer, rule, noun }: { readonly pointer: string; readonly rule: string; readonly noun: string },
): readonly Failure[] {
  if (text.length > maxTextLength) {
    return [{ pointer, rule, message: `${noun} must have at most ${maxTextLength} characters.` }]
  }
  if (control.test(text) || unpaired.test(text)) {
    return [{ pointer, rule, message: `${noun} must not contain control characters or unpaired surrogates.` }]
  }
  return []
}

/** Several lines, for people. */
export function checkProse(
  text: string,
  { pointer, noun, most = 10_000 }: { readonly pointer: string; readonly noun: string; readonly most?: number },
): readonly Failure[] {
  const rule = 'claviger/text'
  if (text.length > most) return [{ pointer, rule, message: `${noun} has at most ${most} characters.` }]
  if (/[^\P{Cc}\t\n\r]/u.test(text) || unpaired.test(text)) {
    return [{ pointer, rule, message: `${noun} must not contain control characters or unpaired surrogates.` }]
  }
  return []
}

export function checkName(name: string, pointer = '/name'): readonly Failure[] {
  return checkText(name, { pointer, rule: 'claviger/name', noun: 'A name' })
}

/** Chosen identifiers: integers of a sensible size, 24 lower-case hex digits. */
export function checkIds(
  { id, oid }: { readonly id?: number | undefined; readonly oid?: string | undefined },
  pointer = '',
): readonly Failure[] {
  const failures: Failure[] = []
  if (id !== undefined && !(Number.isInteger(id) && id >= 1 && id <= maxId)) {
    failures.push({ pointer: `${pointer}/id`, rule: 'claviger/id', message: `An id is an integer from 1 to ${maxId}.` })
  }
  if (oid !== undefined && !/^[0-9a-f]{24}$/.test(oid)) {
    failures.push({ pointer: `${pointer}/oid`, rule: 'claviger/oid', message: 'An oid is 24 lower-case hex digits.' })
  }
  return failures
}

export function checkWhole(
  value: number,
  {
    min,
    max,
    pointer,
    noun,
  }: { readonly min: number; readonly max: number; readonly pointer: string; readonly noun: string },
): readonly Failure[] {
  if (Number.isInteger(value) && value >= min && value <= max) return []
  return [{ pointer, rule: 'claviger/range', message: `${noun} is a whole number from ${min} to ${max}.` }]
}

/** The last instant of a Date. */
const maxTime = 8.64e15

/** Unix milliseconds. */
export function checkTime(
  time: number | null | undefined,
  { pointer, noun }: { readonly pointer: string; readonly noun: string },
): readonly Failure[] {
  if (time === undefined || time === null) return []
  return checkWhole(time, { min: 0, max: maxTime, pointer, noun })
}

const maxWordsLength = 20_000

/** What a face remembers. */
export function checkWords(words: Readonly<Record<string, Json>>): readonly Failure[] {
  const text = JSON.stringify(words)
  if (text.length > maxWordsLength) {
    const message = `Words take at most ${maxWordsLength} characters.`
    return [{ pointer: '/words', rule: 'claviger/words', message }]
  }
  return []
}

/** A structured value against its schema, each problem with a pointer below `pointer`. */
export function checkShape(schema: ZodType, value: unknown, pointer: string): readonly Failure[] {
  const result = schema.safeParse(value)
  if (result.success) return []
  return result.error.issues.map(({ path, message }) => {
    const place = [pointer, ...path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/')
    return { pointer: place, rule: 'claviger/shape', message }
  })
}
