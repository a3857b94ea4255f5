// What a document of State, Agent Profile or Activity Profile is: when it counts as JSON, its entity tag, whether a change may
// go ahead, and how one is merged into another. Knows neither who may nor where it is kept.

import { hash } from 'node:crypto'
import type { Failure } from '../errors.ts'
import type { Preconditions } from '../storage.ts'
import type { Sliceable } from '../slices.ts'
import { endOfString, findExcess } from './json.ts'

/** `application/json`, whatever its parameters. */
export function isJsonType(contentType: string): boolean {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() === 'application/json'
}

/** Communication 3.1: the SHA-1 of the content in lower-case hex. 2.0 leaves the choice. */
export function entityTag(content: Uint8Array): string {
  return hash('sha1', content)
}

/** RFC 9110 section 13.2.2. `etag` is that of the document as it stands, undefined when there is none. */
export function failedPrecondition(
  { ifMatch, ifNoneMatch, mustBeConditional }: Preconditions,
  etag: string | undefined,
): 'precondition_failed' | 'exists' | undefined {
  if (ifMatch !== undefined && !isMatch(ifMatch, etag)) return 'precondition_failed'
  if (ifNoneMatch !== undefined && isMatch(ifNoneMatch, etag)) return 'precondition_failed'
  const isConditional = ifMatch !== undefined || ifNoneMatch !== undefined
  return mustBeConditional && !isConditional && etag !== undefined ? 'exists' : undefined
}

export function isMatch(tags: 'any' | readonly string[], etag: string | undefined): boolean {
  return etag !== undefined && (tags === 'any' || tags.includes(etag))
}

/** The content as text, without a byte order mark; undefined when it is not UTF-8. */
function decode(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return undefined
  }
}

/** Why the content is no JSON that can be merged; undefined when it is. `broken` is the rule of what is none at all. */
export function* findJsonFailure(content: Uint8Array, broken: string): Sliceable<Failure | undefined> {
  const text = decode(content)
  const excess = text === undefined ? undefined : findExcess(text)
  if (excess !== undefined) return excess
  yield
  if (text !== undefined && (/^\s*\{/.test(text) ? yield* readMembers(text, () => {}) : isJson(text))) return undefined
  const message = 'The content is not JSON, which its Content-Type says it is; nothing was changed.'
  return { pointer: '', rule: broken, message }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The members of a JSON object as they are written, by name; undefined when the content is none, or too much to parse. */
export function* membersOf(content: Uint8Array): Sliceable<ReadonlyMap<string, string> | undefined> {
  const text = decode(content)
  if (text === undefined || findExcess(text) !== undefined) return undefined
  yield
  const members = new Map<string, string>()
  return (yield* readMembers(text, (name, value) => members.set(name, value))) ? members : undefined
}

/** So many are written between two places where a merge may be interrupted. */
const membersAtOnce = 1_000

/**
 * Communication 2.2: each member of `sent` replaces that of `stored`, whole. Texts and not values are merged, so that what
 * JavaScript would round (12345678901234567890) or take for something else (__proto__) stays what it is.
 */
export function* merge(stored: ReadonlyMap<string, string>, sent: ReadonlyMap<string, string>): Sliceable<Uint8Array> {
  const members = new Map(stored)
  yield
  for (const [name, text] of sent) members.set(name, text)
  const pieces: Buffer[] = []
  let some: string[] = []
  const finish = (): void => {
    pieces.push(Buffer.from((pieces.length === 0 ? '{' : ',') + some.join(',')))
    some = []
  }
  for (const [name, text] of members) {
    if (some.length === membersAtOnce) {
      finish()
      yield
    }
    some.push(`${JSON.stringify(name)}:${text}`)
  }
  finish()
  return Buffer.concat([...pieces, Buffer.from('}')])
}

/** Characters that are parsed at once: where a reading may be interrupted, and an object of very many names is slow to make. */
const textAtOnce = 16 * 1024

/**
 * Tells the members of a JSON object; a name that occurs twice is what it is said to be last, as for JSON.parse. False when the
 * text is none: then what was told means nothing. What is parsed are runs of members, cut at commas of the outermost level.
 * When each run is an object inside braces of its own, so is the whole; and when the whole is one, the cuts are right.
 */
function* readMembers(text: string, tell: (name: string, value: string) => void): Sliceable<boolean> {
  const [first, last] = [text.search(/\S/), text.trimEnd().length - 1]
  if (text[first] !== '{' || text[last] !== '}') return false
  // \S is more than what JSON takes for blank.
  if (!isBlank(text.slice(0, first)) || !isBlank(text.slice(last + 1))) return false
  let from = first + 1
  for (let run = nextRun(text, from, last); ; run = nextRun(text, from, last)) {
    // Only what has no member at all has none between two marks.
    const isEmpty = run.members.length === 0
    if (isEmpty && !(from === first + 1 && run.end === last)) return false
    if (!isJson(`{${text.slice(from, run.end)}}`)) return false
    for (const { name, value } of run.members) tell(nameOf(name), value)
    if (run.end === last) return true
    from = run.end + 1
    yield
  }
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text)
}

interface Run {
  readonly members: readonly { readonly name: string; readonly value: string }[]
  /** Where the comma behind it stands, or the brace that closes the object. */
  readonly end: number
}

/** From `from` to the brace at `last` or to the first comma of that level that is far enough away. */
function nextRun(text: string, from: number, last: number): Run {
  const members: Run['members'][number][] = []
  let depth = 0
  let start = from
  let name: string | undefined
  const finish = (end: number): void => {
    if (name !== undefined) members.push({ name, value: text.slice(start, end).trim() })
    name = undefined
  }
  for (let at = from; at < last; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at)
        if (depth === 0) name ??= text.slice(at, end + 1)
        at = end
        break
      }
      case 0x3a: // :
        if (depth === 0) start = at + 1
        break
      case 0x2c: // ,
        if (depth === 0) finish(at)
        if (depth === 0 && at - from >= textAtOnce) return { members, end: at }
        break
      case 0x7b: // {
      case 0x5b: // [
        depth++
        break
      case 0x7d: // }
      case 0x5d: // ]
        depth--
    }
  }
  finish(last)
  return { members, end: last }
}

/** `quoted` is a valid JSON string. */
function nameOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
}
