// Changes documents inside a transaction that the caller begins, commits or rolls back, under the lock of the scope: what was
// checked is still so when it is written, on any number of nodes. Everything is checked before the first write.

import { createHash } from 'node:crypto'
import { activityOf, agentOf, ownersOf, registrationOf, scopeHash } from '../documents/scope.ts'
import { atOnce, inSlices } from '../../core/slices.ts'
import { idHash } from './document-reader.ts'
import { isFull, mostMergedAtOnce, refusalOf } from '../documents/change.ts'
import { lockClass } from './locks.ts'
import { mergedOf } from '../documents/merge.ts'
import type { ChangeOptions, ChangeOutcome, Existing } from '../documents/change.ts'
import type { DocumentAccess, DocumentChange, DocumentKey, DocumentScope } from '../../core/storage.ts'
import type { Draft } from '../documents/merge.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Transaction } from './database.ts'

export interface Options extends ChangeOptions {
  /** Microseconds; null: the clock of the database. */
  readonly now: number | null
}

/** What is known before anything is decided; the columns of the document are null where there is none. */
interface Standing {
  /** Microseconds: what is changed now is this or later. */
  readonly now: number
  readonly owner: number | null
  readonly content_type: string
  readonly etag: string
  readonly updated_at: number
  readonly length: number
  readonly content: Buffer | null
  /** Of the owner that would have a new one, in the scope; only where there is none. */
  readonly documents: number | null
  readonly id_text: number | null
}

// The content only of what may be merged in here; counted is only where a document would be new.
const stand = `select clock.now, d.owner, d.content_type, d.etag, d.updated_at, d.length,
    case when $8 = 'merge' and (d.length <= ${mostMergedAtOnce} or $9) then d.content end as content, n.documents, n.id_text
  from (select greatest(coalesce($7::bigint, (extract(epoch from clock_timestamp()) * 1000000)::bigint),
          coalesce((select changed_through + 1 from document_floor where lrs_id = $1), 0)) as now) as clock
    left join (select * from document
      where lrs_id = $1 and scope = $2 and owner in ($3, $4) and registration = $5 and id_sha256 = $6
      order by owner limit 1) as d on true
    left join lateral (select count(*) as documents, coalesce(sum(length(id)), 0) as id_text from document
      where lrs_id = $1 and scope = $2 and owner = $3 and d.owner is null and $8 <> 'delete') as n on true`

const put = `insert into document
    (lrs_id, scope, owner, registration, id, kind, activity, agent, content_type, etag, updated_at, content, sha2, length)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
  on conflict (lrs_id, scope, owner, registration, id_sha256) do update set content_type = excluded.content_type,
    etag = excluded.etag, updated_at = excluded.updated_at, content = excluded.content, sha2 = excluded.sha2,
    length = excluded.length`

const remove = `delete from document
  where lrs_id = $1 and scope = $2 and owner in ($3, $4) and registration = $5 and id_sha256 = $6`

const removeAll = `with gone as (delete from document where lrs_id = $1 and scope = $2 and owner in ($3, $4)
    and registration = coalesce($5, registration) returning 1)
  select count(*) as documents from gone`

/**
 * The statement that a change begins with. Whoever removes documents, or fixes a time after which all changes are, waits for
 * those under way (`lockDocuments`). Let go at the commit.
 */
export function lockScope(lrsId: LrsId, scope: DocumentScope): string {
  // Two scopes whose 32 bits are the same only wait for each other.
  const number = createHash('sha256').update(`${lrsId} `).update(scopeHash(scope)).digest().readInt32BE()
  return `select pg_advisory_xact_lock(${lockClass.documentScope}, ${number}),
    pg_advisory_xact_lock_shared(${lockClass.documentTime}, ${lrsId})`
}

/** Under `lockScope`. */
export async function changeDocument(
  transaction: Transaction,
  lrsId: LrsId,
  key: DocumentKey,
  access: DocumentAccess,
  change: DocumentChange,
  options: Options,
): Promise<ChangeOutcome> {
  const scope = scopeHash(key)
  const owners = ownersOf(access)
  const at = [lrsId, scope, ...owners, registrationOf(key) ?? '', idHash(key.id)]
  const asked = [...at, options.now, change.kind, options.mayBeLarge ?? false]
  const [standing] = (await transaction.query<Standing>(stand, asked, 'document-stand')) as [Standing]
  const existing = existingOf(standing)
  const refusal = refusalOf(existing, change, options)
  if (refusal !== undefined) return refusal
  if (change.kind === 'delete') {
    await transaction.query(remove, at, 'document-remove')
    return { kind: 'done', etag: undefined }
  }
  const draft = existing && change.kind === 'merge' ? await merge(standing, change, options) : change
  if (!('content' in draft)) return draft
  if (existing === undefined && isFull(countOf(standing), key.id)) return { kind: 'full' }
  const updatedAt = Math.max(standing.now, (existing?.updatedAt ?? 0) + 1)
  const owner = existing?.owner ?? owners[0]
  const row = [lrsId, scope, owner, registrationOf(key) ?? '', key.id, ...rowOf(key, draft, updatedAt)]
  await transaction.query(put, row, 'document-put')
  return { kind: 'done', etag: draft.etag }
}

/** Under `lockScope`; how many there were. */
export async function deleteDocuments(
  transaction: Transaction,
  lrsId: LrsId,
  scope: DocumentScope,
  access: DocumentAccess,
): Promise<number> {
  const values = [lrsId, scopeHash(scope), ...ownersOf(access), registrationOf(scope) ?? null]
  const [gone] = await transaction.query<{ readonly documents: number }>(removeAll, values, 'document-remove-all')
  return gone?.documents ?? 0
}

function existingOf({ owner, content_type, etag, updated_at, length }: Standing): Existing | undefined {
  if (owner === null) return undefined
  return { owner, contentType: content_type, etag, updatedAt: updated_at, length }
}

async function merge(
  { content_type: contentType, content }: Standing,
  change: Exclude<DocumentChange, { readonly kind: 'delete' }>,
  { mostBytes, mayBeLarge = false }: Options,
): Promise<Draft | ChangeOutcome> {
  const merging = mergedOf({ contentType, bytes: content ?? undefined }, change, mostBytes)
  return mayBeLarge ? inSlices(merging) : atOnce(merging)
}

function countOf({ documents, id_text: idText }: Standing): Parameters<typeof isFull>[0] {
  return { documents: documents ?? 0, idText: idText ?? 0 }
}

function rowOf(key: DocumentKey, { content, contentType, etag }: Draft, updatedAt: number): readonly unknown[] {
  const held =
    content.kind === 'inline' ? [content.bytes, null, content.bytes.byteLength] : [null, content.sha2, content.length]
  return [key.kind, activityOf(key), agentOf(key), contentType, etag, updatedAt, ...held]
}

const latest = 'select coalesce(max(updated_at), 0) as through from document where lrs_id = $1'

const keep = `insert into document_floor (lrs_id, changed_through) values ($1, $2)
  on conflict (lrs_id) do update set changed_through = greatest(document_floor.changed_through, excluded.changed_through)`

/**
 * No document of the Lrs is later than what this resolves to, in microseconds (0: there is none); what is changed after the
 * commit is, on every node and whatever clocks say.
 */
export async function fixLatest(transaction: Transaction, lrsId: LrsId): Promise<number> {
  await lockDocuments(transaction, lrsId)
  const [row] = await transaction.query<{ readonly through: number }>(latest, [lrsId], 'document-latest')
  const through = row?.through ?? 0
  if (through > 0) await transaction.query(keep, [lrsId, through], 'document-keep')
  return through
}

/** Once it is taken, changes that read what was there before are committed; those behind it read what is there at the commit. */
export async function lockDocuments(transaction: Transaction, lrsId: LrsId): Promise<void> {
  await transaction.query('select pg_advisory_xact_lock($1, $2)', [lockClass.documentTime, lrsId])
}
