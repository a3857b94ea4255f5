// Reads documents: one, or the ids of a scope.

import { toDocument } from '../documents/row.ts'
import { ownersOf, registrationOf, scopeHash } from '../documents/scope.ts'
import type { DocumentRow } from '../documents/row.ts'
import type { DocumentAccess, DocumentKey, DocumentScope, DocumentStore, StoredDocument } from '../../core/storage.ts'
import type { Handle } from './handle.ts'
import type { LrsId } from '../../core/ids.ts'

export type ListedIds = Awaited<ReturnType<DocumentStore['listIds']>>

interface ListParameters {
  readonly lrsId: number
  readonly scope: Buffer
  readonly first: number
  readonly second: number
  readonly registration: string | null
  readonly since: number
}

interface IdRow {
  readonly id: string
  readonly updated_at: number
}

export class DocumentReader {
  readonly #find
  readonly #listIds
  readonly #latest

  constructor(handle: Handle) {
    this.#find = handle.prepare<[number, Buffer, number, number, string, string], DocumentRow>(
      `select content_type, etag, updated_at, content, sha2, length from document
       where lrs_id = ? and scope = ? and owner in (?, ?) and registration = ? and id = ? order by owner limit 1`,
    )
    // One's own behind a shared one is not seen, so it counts neither as there nor as changed.
    this.#listIds = handle.prepare<[ListParameters], IdRow>(
      `select id, max(updated_at) as updated_at from document
       where lrs_id = @lrsId and scope = @scope and owner in (@first, @second)
         and registration = coalesce(@registration, registration) and updated_at > @since
         and (owner = @first or not exists (
           select 1 from document as before where before.lrs_id = @lrsId and before.scope = @scope
             and before.owner = @first and before.registration = document.registration and before.id = document.id))
       group by id order by id`,
    )
    this.#latest = handle
      .prepare<[number], number>('select coalesce(max(updated_at), 0) from document where lrs_id = ?')
      .pluck()
  }

  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): StoredDocument | undefined {
    const row = this.#find.get(lrsId, scopeHash(key), ...ownersOf(access), registrationOf(key) ?? '', key.id)
    return row && toDocument(row)
  }

  listIds(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess, since?: number): ListedIds {
    const [first, second] = ownersOf(access)
    const registration = registrationOf(scope) ?? null
    const rows = this.#listIds.all({ lrsId, scope: scopeHash(scope), first, second, registration, since: since ?? -1 })
    const updatedAt = rows.length === 0 ? undefined : Math.max(...rows.map((row) => row.updated_at))
    return { ids: rows.map(({ id }) => id), updatedAt }
  }

  /** Of the latest change in an Lrs; 0 where there is no document. */
  latest(lrsId: LrsId): number {
    return this.#latest.get(lrsId) ?? 0
  }
}
