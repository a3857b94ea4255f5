// What a document of State, Agent Profile or Activity Profile is: when it counts as JSON, its entity tag, whether a change may
// go ahead, and how one is merged into another. Knows neither who may nor where it is kept.

import { hash } from 'node:crypto'
import type { Failure } from '../errors.ts'
import type { Preconditions } from '../storage.ts'
import { endOfString, findExcess } from './json.ts'
import { isObject } from './rule.ts'

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
export function findJsonFailure(content: Uint8Array, broken: string): Failure | undefined {
  const parsed = parse(content)
  if (parsed !== 'excess') {
    const message = 'The content is not JSON, which its Content-Type says it is; nothing was changed.'
    return parsed === undefined ? { pointer: '', rule: broken, message } : undefined
  }
  return findExcess(decode(content) ?? '')
}

interface Parsed {
  readonly text: string
  readonly value: unknown
}

function parse(content: Uint8Array): Parsed | 'excess' | undefined {
  const text = decode(content)
  if (text === undefined) return undefined
  if (findExcess(text) !== undefined) return 'excess'
  try {
    return { text, value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** The members of a JSON object as they are written, by name; undefined when the content is none, or too much to parse. */
export function membersOf(content: Uint8Array): ReadonlyMap<string, string> | undefined {
  const parsed = parse(content)
  if (parsed === undefined || parsed === 'excess' || !isObject(parsed.value)) return undefined
  return listMembers(parsed.text)
}

/**
 * Communication 2.2: each member of `sent` replaces that of `stored`, whole. Texts and not values are merged, so that what
 * JavaScript would round (12345678901234567890) or take for something else (__proto__) stays what it is.
 */
export function merge(stored: ReadonlyMap<string, string>, sent: ReadonlyMap<string, string>): Uint8Array {
  const members = [...new Map([...stored, ...sent])].map(([name, text]) => `${JSON.stringify(name)}:${text}`)
  return Buffer.from(`{${members.join(',')}}`)
}

/** `text` is a valid JSON object. A name that occurs twice is what it is said to be last, as for JSON.parse. */
function listMembers(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let depth = 0
  let start = 0
  let name: string | undefined
  const finish = (end: number): void => {
    if (name !== undefined) members.set(name, text.slice(start, end).trim())
    name = undefined
  }
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at)
        if (depth === 1) name ??= JSON.parse(text.slice(at, end + 1)) as string
        at = end
        break
      }
      case ':':
        if (depth === 1) start = at + 1
        break
      case ',':
        if (depth === 1) finish(at)
        break
      case '{':
      case '[':
        depth++
        break
      case '}':
      case ']':
        if (--depth === 0) finish(at)
        break
      default: // numbers, words, white space
    }
  }
  return members
}
