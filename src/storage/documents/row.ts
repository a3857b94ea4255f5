// A document as both engines read it, and what the port makes of it. No SQL.

import type { StoredDocument } from '../../core/storage.ts'

export interface DocumentRow {
  readonly content_type: string
  readonly etag: string
  readonly updated_at: number
  readonly content: Buffer | null
  readonly sha2: string | null
  readonly length: number
}

export function toDocument(row: DocumentRow): StoredDocument {
  const { content_type: contentType, etag, updated_at: updatedAt, sha2, length } = row
  const content =
    sha2 === null
      ? ({ kind: 'inline', bytes: row.content ?? new Uint8Array() } as const)
      : ({ kind: 'blob', sha2, length } as const)
  return { content, contentType, etag, updatedAt }
}
