// Reads documents: one, or the ids of a scope.

import { hash } from 'node:crypto'
import { toDocument } from '../documents/row.ts'
import { ownersOf, registrationOf, scopeHash } from '../documents/scope.ts'
import type { DocumentRow } from '../documents/row.ts'
import type { DocumentAccess, DocumentKey, DocumentScope, DocumentStore, StoredDocument } from '../../core/storage.ts'
import type { Database } from './database.ts'
import type { LrsId } from '../../core/ids.ts'

interface IdRow {
  readonly id: string
  readonly updated_at: number
}

/** The `id_sha256` column: an id may be longer than what an index holds. */
export function idHash(id: string): Buffer {
  return hash('sha256', id, 'buffer')
}

const findOne = `select content_type, etag, updated_at, content, sha2, length from document
  where lrs_id = $1 and scope = $2 and owner in ($3, $4) and registration = $5 and id_sha256 = $6 order by owner limit 1`

// One's own behind a shared one is not seen, so it counts neither as there nor as changed.
const listThem = `select id, max(updated_at) as updated_at from document
  where lrs_id = $1 and scope = $2 and owner in ($3, $4) and registration = coalesce($5, registration) and updated_at > $6
    and (owner = $3 or not exists (
      select 1 from document as before where before.lrs_id = $1 and before.scope = $2 and before.owner = $3
        and before.registration = document.registration and before.id_sha256 = document.id_sha256))
  group by id order by id`

export async function findDocument(
  database: Database,
  lrsId: LrsId,
  key: DocumentKey,
  access: DocumentAccess,
): Promise<StoredDocument | undefined> {
  const values = [lrsId, scopeHash(key), ...ownersOf(access), registrationOf(key) ?? '', idHash(key.id)]
  const [row] = await database.query<DocumentRow>(findOne, values, 'document-find')
  return row && toDocument(row)
}

export async function listDocumentIds(
  database: Database,
  lrsId: LrsId,
  scope: DocumentScope,
  access: DocumentAccess,
  since = -1,
): ReturnType<DocumentStore['listIds']> {
  const values = [lrsId, scopeHash(scope), ...ownersOf(access), registrationOf(scope) ?? null, since]
  const rows = await database.query<IdRow>(listThem, values, 'document-list')
  const updatedAt = rows.length === 0 ? undefined : Math.max(...rows.map((row) => row.updated_at))
  return { ids: rows.map(({ id }) => id), updatedAt }
}
