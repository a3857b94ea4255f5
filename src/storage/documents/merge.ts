// Merges a sent document into the stored one, wherever that is done: in the write, or outside of it in slices. Reads and
// writes nothing.

import { entityTag, isJsonType, membersOf, merge } from '../../core/xapi/document.ts'
import type { DocumentChange, DocumentContent, DocumentOutcome } from '../../core/storage.ts'
import type { Sliceable } from '../../core/slices.ts'

export type Write = Exclude<DocumentChange, { readonly kind: 'delete' }>

/** What is to be written, once nothing speaks against it. */
export interface Draft {
  readonly content: DocumentContent
  readonly contentType: string
  readonly etag: string
}

export interface Mergeable {
  readonly contentType: string
  /** Undefined in the blob store. */
  readonly bytes: Uint8Array | undefined
}

export function* mergedOf(
  stored: Mergeable,
  { contentType, content }: Write,
  mostBytes: number,
): Sliceable<Draft | DocumentOutcome> {
  if (!isJsonType(contentType)) return { kind: 'not_mergeable', stored: false, lacks: 'type' }
  if (!isJsonType(stored.contentType)) return { kind: 'not_mergeable', stored: true, lacks: 'type' }
  const sent = content.kind === 'inline' ? yield* membersOf(content.bytes) : undefined
  if (sent === undefined) return { kind: 'not_mergeable', stored: false, lacks: 'object' }
  yield
  const there = stored.bytes && (yield* membersOf(stored.bytes))
  if (there === undefined) return { kind: 'not_mergeable', stored: true, lacks: 'object' }
  yield
  const bytes = yield* merge(there, sent)
  if (bytes.byteLength > mostBytes) return { kind: 'too_large' }
  yield
  return { content: { kind: 'inline', bytes }, contentType, etag: entityTag(bytes) }
}
