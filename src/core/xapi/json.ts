// Strict JSON text. What JSON.parse forgives is refused: a member name twice (XAPI-00021), numbers beyond a double,
// absurd depth. One pass over the characters finds depth and counts members; only when the count differs from that of the
// parsed tree, names were repeated, and a slower scan says where.

import type { Failure } from '../errors.ts'
import { Check, maxFailures, refusal, shown, toPointer } from './rule.ts'

/** Objects and arrays inside one another. Statements need about 12, extensions the rest. */
export const maxDepth = 128

/** Names and values in one text: a hundred for each statement of a full batch. Bytes alone hardly bound what they cost. */
export const maxTokens = 200_000

/** The rule that names which occur twice in one object break. */
export const repeatedName = 'XAPI-00021'

/** At most so many names and values: for who answers others meanwhile. Throws `invalid`. */
export function parseJson(text: string, mostTokens = maxTokens): unknown {
  const { value, failures } = readJson(text, mostTokens)
  if (failures.length > 0) throw refusal(failures)
  return value
}

/** The value also where it is refused for what lies inside it, so that who knows its nouns can say where. Throws `invalid`. */
export function readJson(
  text: string,
  mostTokens = maxTokens,
): { readonly value: unknown; readonly failures: readonly Failure[] } {
  const surveyed = survey(text)
  const excess = excessIn(surveyed, mostTokens)
  if (excess !== undefined) throw refusal([excess])
  const { members } = surveyed
  const value = parse(text)
  return { value, failures: countMembers(value) === members ? [] : locate(text, value) }
}

/** Why a text is not even parsed, JSON or not: it may hold up everything else for seconds. */
export function findExcess(text: string): Failure | undefined {
  return excessIn(survey(text), maxTokens)
}

function excessIn({ depth, tokens }: Survey, mostTokens: number): Failure | undefined {
  if (depth > maxDepth) {
    const message = `JSON nested deeper than ${maxDepth} levels is not accepted.`
    return { pointer: '', rule: 'claviger/depth', message }
  }
  if (tokens <= mostTokens) return undefined
  const message = `JSON of more than ${mostTokens} names and values is not accepted.`
  return { pointer: '', rule: 'claviger/too-many-values', message }
}

function refuse(rule: string, message: string): Error {
  return refusal([{ pointer: '', rule, message }])
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw refuse('XAPI-00014', `This is not valid JSON${whereBroken(text, error)}.`)
  }
}

// V8 names the place in words; the rest of its message quotes the body.
function whereBroken(text: string, error: unknown): string {
  if (text.trim() === '') return ': it is empty'
  const { message } = error as Error
  if (/^Unexpected end|^Unterminated string/.test(message)) return ': it ends too early'
  return / at position \d+/.exec(message)?.[0] ?? ''
}

const quote = 0x22
const backslash = 0x5c

interface Survey {
  /** Colons outside strings. */
  members: number
  /** Colons, openings and commas outside strings: one for each name and each value, and at most one more for a container. */
  tokens: number
  depth: number
}

/** Ends where a limit is exceeded. Says nothing useful about text that is not JSON. */
function survey(text: string): Survey {
  let members = 0
  let tokens = 0
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length && deepest <= maxDepth && tokens <= maxTokens; at++) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at)
        break
      case 0x3a: // :
        members++
        tokens++
        break
      case 0x2c: // ,
        tokens++
        break
      case 0x7b: // {
      case 0x5b: // [
        depth++
        tokens++
        if (depth > deepest) deepest = depth
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
    }
  }
  return { members, tokens, depth: deepest }
}

/** Index of the closing quote of the string that opens at `start`; the end of the text when there is none. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (before > start && text.charCodeAt(before) === backslash) before--
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

/** NaN, equal to no count, when some number is not finite (1e400). */
function countMembers(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) ? 0 : Number.NaN
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) {
    let count = 0
    for (const item of value) count += countMembers(item)
    return count
  }
  const names = Object.keys(value)
  let count = names.length
  for (const name of names) count += countMembers((value as Record<string, unknown>)[name])
  return count
}

// ---------------------------------------------------------------------------------------------------------------------
// Where it is wrong, once it is known that it is

function locate(text: string, value: unknown): Failure[] {
  const failures: Failure[] = []
  const check = new Check({ version: '2.0', failures })
  locateNumbers(value, check)
  for (const { pointer, name } of listRepeated(text)) {
    const here = new Check({ version: '2.0', pointer, failures })
    here.refuse(repeatedName, `The member ${shown(name)} occurs twice in one object: send it once.`)
  }
  return failures
}

function locateNumbers(value: unknown, check: Check): void {
  if (check.isFull) return
  if (typeof value === 'number' && !Number.isFinite(value)) {
    check.refuse('claviger/number-range', 'Numbers beyond about 1.8e308 are not accepted.')
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) check.at(name, member, locateNumbers)
}

interface Level {
  /** Names so far; undefined in an array. */
  readonly names: Set<string> | undefined
  step: string | number
}

interface Repeated {
  readonly pointer: string
  readonly name: string
}

/** The second occurrences of member names, as many as are listed. `text` is valid JSON. */
function listRepeated(text: string): Repeated[] {
  const found: Repeated[] = []
  const levels: Level[] = []
  for (let at = 0; at < text.length && found.length <= maxFailures; at++) {
    const level = levels.at(-1)
    switch (text[at]) {
      case '{':
        levels.push({ names: new Set(), step: '' })
        break
      case '[':
        levels.push({ names: undefined, step: 0 })
        break
      case '}':
      case ']':
        levels.pop()
        break
      case ',':
        if (typeof level?.step === 'number') level.step++
        break
      case '"': {
        const end = endOfString(text, at)
        if (isName(text, end)) {
          const name = nameIn(text, at, end)
          if (level !== undefined) level.step = name
          if (level?.names?.has(name)) found.push({ pointer: toPointer(levels.map(({ step }) => step)), name })
          level?.names?.add(name)
        }
        at = end
        break
      }
      default: // numbers, words, colons, white space
    }
  }
  return found
}

function isName(text: string, end: number): boolean {
  let next = end + 1
  while (isBlank(text.charCodeAt(next))) next++
  return text.charCodeAt(next) === 0x3a
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}

function nameIn(text: string, start: number, end: number): string {
  const name = text.slice(start + 1, end)
  return name.includes('\\') ? (JSON.parse(`"${name}"`) as string) : name
}
