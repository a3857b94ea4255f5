// If-Match and If-None-Match of a request, and how an entity tag is written.

import type { DomainError } from '../../core/errors.ts'
import type { Preconditions } from '../../core/storage.ts'
import { refusal, shown } from '../../core/xapi/rule.ts'
import type { Call } from './call.ts'

export function quoted(etag: string): string {
  return `"${etag}"`
}

export function preconditionsOf(call: Call): Preconditions {
  const ifMatch = readTags(call, 'If-Match')
  const ifNoneMatch = readTags(call, 'If-None-Match')
  return { ...(ifMatch !== undefined && { ifMatch }), ...(ifNoneMatch !== undefined && { ifNoneMatch }) }
}

/** Blanks, a comma or a tag (RFC 9110 section 8.8.3): no two begin alike, so each character is looked at once. */
const token = /[\t ]+|(,)|(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y
/** TinCanJS sends a hash it was given (`lastSHA1`) without quotes. */
const bareHash = /^[0-9a-f]{40}$/i

function readTags(call: Call, name: 'If-Match' | 'If-None-Match'): 'any' | readonly string[] | undefined {
  const sent = call.header(name)?.trim()
  if (sent === undefined) return undefined
  if (sent === '*') return 'any'
  if (bareHash.test(sent)) return [sent.toLowerCase()]
  const tags = tagsIn(sent)
  if (tags === undefined || tags.length === 0) throw malformed(name, sent)
  return tags
}

/** Weakness is what proxies add that compress: it does not count. Undefined where something is no tag. */
function tagsIn(sent: string): readonly string[] | undefined {
  const tags: string[] = []
  let mayFollow = true
  token.lastIndex = 0
  while (token.lastIndex < sent.length) {
    const match = token.exec(sent)
    if (match === null) return undefined
    const [, comma, tag] = match
    if (comma !== undefined) mayFollow = true
    if (tag === undefined) continue
    if (!mayFollow) return undefined
    tags.push(tag)
    mayFollow = false
  }
  return tags
}

function malformed(name: string, sent: string): DomainError {
  const got = shown(sent.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?'))
  const message = `Expected * or entity tags in quotes, such as "0a4d55a8d778e5022fab701977c5d840bbc486d0"; got ${got}.`
  return refusal([{ pointer: `${name}:`, rule: 'claviger/entity-tag', message }])
}
