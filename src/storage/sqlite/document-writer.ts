// Changes documents inside a transaction that the caller begins, commits or rolls back. Everything is checked before the first
// write, so a refusal needs no undoing; and one writer means that what was checked is still so when it is written.

import { activityOf, agentOf, ownersOf, registrationOf, scopeHash } from './document-reader.ts'
import { atOnce } from '../../core/slices.ts'
import { failedPrecondition, isJsonType } from '../../core/xapi/document.ts'
import { mergedOf } from './document-merge.ts'
import type { Draft, Write } from './document-merge.ts'
import type {
  DocumentAccess,
  DocumentChange,
  DocumentKey,
  DocumentOutcome,
  DocumentScope,
  DocumentStore,
  StoredDocument,
} from '../../core/storage.ts'
import type { Handle } from './connection.ts'
import type { LrsId } from '../../core/ids.ts'

/** Per scope and owner, and characters of their ids, which a list answers all at once. Counting them is what a creation costs most. */
const mostDocuments = 10_000
const mostIdText = 1_000_000

/** Bytes of both documents together that are merged in here, where everybody who writes waits for it. */
const mostMergedHere = 64 * 1024

export type Options = Parameters<DocumentStore['change']>[4] & {
  /** Microseconds. */
  readonly now: number
  /** The change was made from this one: what stands there now must say the same. */
  readonly madeFrom?: Pick<StoredDocument, 'contentType' | 'etag'>
}

export type WriterOutcome =
  | DocumentOutcome
  /** Too large to be merged in here: nothing was changed. */
  | { readonly kind: 'large' }
  /** Something else stands there than what the change was made from. */
  | { readonly kind: 'moved' }

type Key = [lrsId: number, scope: Buffer, owner: number, registration: string, id: string]

interface Count {
  readonly documents: number
  readonly idText: number
}

interface Existing {
  readonly owner: number
  readonly contentType: string
  readonly etag: string
  readonly updatedAt: number
  readonly length: number
}

export class DocumentWriter {
  readonly #find
  readonly #content
  readonly #count
  readonly #put
  readonly #delete
  readonly #deleteAll

  constructor(handle: Handle) {
    const one = 'lrs_id = ? and scope = ? and owner = ? and registration = ? and id = ?'
    this.#find = handle.prepare<[number, Buffer, number, number, string, string], Existing>(
      `select owner, content_type as contentType, etag, updated_at as updatedAt, length from document
       where lrs_id = ? and scope = ? and owner in (?, ?) and registration = ? and id = ? order by owner limit 1`,
    )
    this.#content = handle.prepare<Key, Buffer | null>(`select content from document where ${one}`).pluck()
    this.#count = handle.prepare<[number, Buffer, number], Count>(
      'select count(*) as documents, total(length(id)) as idText from document where lrs_id = ? and scope = ? and owner = ?',
    )
    this.#put = handle.prepare(
      `insert into document
       (lrs_id, scope, owner, registration, id, kind, activity, agent, content_type, etag, updated_at, content, sha2, length)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (lrs_id, scope, owner, registration, id) do update set content_type = excluded.content_type,
         etag = excluded.etag, updated_at = excluded.updated_at, content = excluded.content, sha2 = excluded.sha2,
         length = excluded.length`,
    )
    this.#delete = handle.prepare<Key>(`delete from document where ${one}`)
    this.#deleteAll = handle.prepare<[number, Buffer, number, number, string | null]>(
      `delete from document
       where lrs_id = ? and scope = ? and owner in (?, ?) and registration = coalesce(?, registration)`,
    )
  }

  change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: Options,
  ): WriterOutcome {
    const scope = scopeHash(key)
    const registration = registrationOf(key) ?? ''
    const owners = ownersOf(access)
    const existing = this.#find.get(lrsId, scope, ...owners, registration, key.id)
    const failure = failedPrecondition(options.preconditions, existing?.etag)
    if (failure !== undefined) return { kind: failure }
    const { madeFrom } = options
    if (madeFrom !== undefined && !isSame(existing, madeFrom)) return { kind: 'moved' }
    if (change.kind === 'delete') {
      for (const owner of new Set(owners)) this.#delete.run(lrsId, scope, owner, registration, key.id)
      return { kind: 'done', etag: undefined }
    }
    const at: Key = [lrsId, scope, existing?.owner ?? owners[0], registration, key.id]
    const draft = existing && change.kind === 'merge' ? this.#merge(at, existing, change, options) : change
    if (!('content' in draft)) return draft
    if (existing === undefined && this.#isFull(at)) return { kind: 'full' }
    this.#write(at, key, draft, Math.max(options.now, (existing?.updatedAt ?? 0) + 1))
    return { kind: 'done', etag: draft.etag }
  }

  #isFull([lrsId, scope, owner, , id]: Key): boolean {
    const { documents, idText } = this.#count.get(lrsId, scope, owner) ?? { documents: 0, idText: 0 }
    return documents >= mostDocuments || idText + id.length > mostIdText
  }

  #merge(at: Key, existing: Existing, change: Write, { mostBytes }: Options): Draft | WriterOutcome {
    const { content } = change
    const isOfTwoJson = isJsonType(change.contentType) && isJsonType(existing.contentType)
    if (isOfTwoJson && content.kind === 'inline' && content.bytes.byteLength + existing.length > mostMergedHere) {
      return { kind: 'large' }
    }
    const stored = { contentType: existing.contentType, bytes: this.#content.get(...at) ?? undefined }
    return atOnce(mergedOf(stored, change, mostBytes))
  }

  #write(at: Key, key: DocumentKey, { content, contentType, etag }: Draft, updatedAt: number): void {
    const held =
      content.kind === 'inline' ? [content.bytes, null, content.bytes.byteLength] : [null, content.sha2, content.length]
    this.#put.run(...at, key.kind, activityOf(key), agentOf(key), contentType, etag, updatedAt, ...held)
  }

  deleteAll(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess): number {
    const registration = registrationOf(scope) ?? null
    return this.#deleteAll.run(lrsId, scopeHash(scope), ...ownersOf(access), registration).changes
  }
}

/** The same bytes of the same type, whenever they were written. */
function isSame(existing: Existing | undefined, { contentType, etag }: NonNullable<Options['madeFrom']>): boolean {
  return existing?.etag === etag && existing.contentType === contentType
}
