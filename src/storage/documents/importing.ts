// Documents that stood elsewhere before, written as they were: entity tag, time and owner. What was changed here since, or then,
// stays. The same SQL for every engine, but for the column that an id is found by; inside the transaction of who calls.

import { activityOf, agentOf, registrationOf, scopeHash } from './scope.ts'
import { hash } from 'node:crypto'
import { isFull } from './change.ts'
import type { DocumentImportOutcome, ImportedDocument } from '../../core/storage.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Sql, Value } from '../erasure/sql.ts'

const key = 'lrs_id = $1 and scope = $2 and owner = $3 and registration = $4'
const count = `select count(*) as documents, coalesce(sum(length(id)), 0) as "idText" from document
  where lrs_id = $1 and scope = $2 and owner = $3`

/** In their order. */
export async function importDocuments(
  sql: Sql,
  lrsId: LrsId,
  documents: readonly ImportedDocument[],
): Promise<DocumentImportOutcome[]> {
  const outcomes: DocumentImportOutcome[] = []
  for (const document of documents) outcomes.push(await importOne(sql, lrsId, document))
  return outcomes
}

async function importOne(sql: Sql, lrsId: LrsId, document: ImportedDocument): Promise<DocumentImportOutcome> {
  const { column, kind } = sql.dialect.documentId
  const { key: of, owner, updatedAt } = document
  const scope: Value[] = [lrsId, scopeHash(of), owner]
  const at: Value[] = [...scope, registrationOf(of) ?? '']
  const id = kind === 'bytes' ? hash('sha256', of.id, 'buffer') : of.id
  const find = `select updated_at as "updatedAt" from document where ${key} and ${column} = $5`
  const [existing] = await sql.all<{ readonly updatedAt: number }>(find, [...at, id])
  if (existing !== undefined && existing.updatedAt >= updatedAt) return 'there'
  if (existing === undefined) {
    const [counted] = await sql.all<Parameters<typeof isFull>[0]>(count, scope)
    if (counted !== undefined && isFull(counted, of.id)) return 'full'
  }
  await sql.run(putText(column), [...at, of.id, ...rowOf(document)])
  return 'stored'
}

function putText(column: string): string {
  return `insert into document
    (lrs_id, scope, owner, registration, id, kind, activity, agent, content_type, etag, updated_at, content, sha2, length)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (lrs_id, scope, owner, registration, ${column}) do update set content_type = excluded.content_type,
      etag = excluded.etag, updated_at = excluded.updated_at, content = excluded.content, sha2 = excluded.sha2,
      length = excluded.length`
}

function rowOf({ key: of, content, contentType, etag, updatedAt }: ImportedDocument): Value[] {
  const held =
    content.kind === 'inline' ? [content.bytes, null, content.bytes.byteLength] : [null, content.sha2, content.length]
  return [of.kind, activityOf(of), agentOf(of), contentType, etag, updatedAt, ...held]
}
