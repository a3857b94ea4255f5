// Changes documents inside a transaction that the caller begins, commits or rolls back. Everything is checked before the first
// write, so a refusal needs no undoing; and one writer means that what was checked is still so when it is written.

import { activityOf, agentOf, ownersOf, registrationOf, scopeHash } from '../documents/scope.ts'
import { atOnce } from '../../core/slices.ts'
import { isFull, refusalOf } from '../documents/change.ts'
import { mergedOf } from '../documents/merge.ts'
import type { ChangeOptions, ChangeOutcome, Existing } from '../documents/change.ts'
import type { Draft, Write } from '../documents/merge.ts'
import type { DocumentAccess, DocumentChange, DocumentKey, DocumentOutcome, DocumentScope } from '../../core/storage.ts'
import type { Handle } from './handle.ts'
import type { LrsId } from '../../core/ids.ts'

export type Options = ChangeOptions & {
  /** Microseconds. */
  readonly now: number
}

type Key = [lrsId: number, scope: Buffer, owner: number, registration: string, id: string]

interface Count {
  readonly documents: number
  readonly idText: number
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
  ): ChangeOutcome {
    const scope = scopeHash(key)
    const registration = registrationOf(key) ?? ''
    const owners = ownersOf(access)
    const existing = this.#find.get(lrsId, scope, ...owners, registration, key.id)
    const refusal = refusalOf(existing, change, options)
    if (refusal !== undefined) return refusal
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
    return isFull(this.#count.get(lrsId, scope, owner) ?? { documents: 0, idText: 0 }, id)
  }

  #merge(at: Key, existing: Existing, change: Write, { mostBytes }: Options): Draft | DocumentOutcome {
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
