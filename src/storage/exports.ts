// Reads all that an Lrs holds, part by part, whoever owns it. The same SQL for every engine; a part is asked in one snapshot, which
// the caller holds.

import { hash } from 'node:crypto'
import { everybody } from './statements/references.ts'
import { listOf } from './erasure/sql.ts'
import { mostRows } from './statements/page-bounds.ts'
import { targetOf } from './erasure/work.ts'
import { toDocument } from './documents/row.ts'
import type { AttachmentClaim, DocumentKey, DocumentPosition, ExportedDocument } from '../core/storage.ts'
import type { CredentialId, LrsId, Seq } from '../core/ids.ts'
import type { Dialect, Sql, Value } from './erasure/sql.ts'
import type { DocumentRow } from './documents/row.ts'
import type { ExportedStatement, ExportStore } from '../core/storage.ts'
import type { Reach } from '../core/rights.ts'

type StatementPart = Parameters<ExportStore['listStatements']>[1]
type DocumentPart = Parameters<ExportStore['listDocuments']>[1]
type DocumentPage = Awaited<ReturnType<ExportStore['listDocuments']>>

interface Row {
  readonly seq: Seq
  readonly owner: CredentialId
  readonly is_voided: number
  readonly is_voiding: number
  readonly body: string
}

/** What is known of the statement that a voiding one names. */
interface Target {
  readonly seq: Seq
  /** Null: it is not there. */
  readonly owner: number | null
  readonly is_voided: number | null
  /** For whom it is waited for: everybody, else the voiding one's owner; null: it is not. */
  readonly waiting: number | null
}

interface FullDocumentRow extends DocumentRow {
  readonly scope: Buffer
  readonly owner: CredentialId
  readonly registration: string
  readonly id: string
  readonly kind: DocumentKey['kind']
  readonly activity: string | null
  readonly agent: string | null
}

export class ExportReader {
  readonly #sql: Sql
  readonly #text

  constructor(sql: Sql) {
    this.#sql = sql
    this.#text = textsFor(sql.dialect)
  }

  async listStatements(
    lrsId: LrsId,
    { after, through, isAscending, limit, mostText }: StatementPart,
  ): Promise<readonly ExportedStatement[]> {
    const text = isAscending ? this.#text.ascending : this.#text.descending
    const values = [lrsId, after, through, Math.min(limit, mostRows), mostText]
    const rows = await this.#sql.all<Row>(text, values)
    const reaches = await this.#reachesOf(lrsId, rows)
    const claims = await this.#claimsOf(lrsId, rows)
    return rows.map(({ seq, owner, body, is_voided: isVoided }) => ({
      ...{ seq, owner, body, isVoided: isVoided === 1 },
      ...{ voidReach: reaches.get(seq), attachments: claims.get(seq) ?? [] },
    }))
  }

  async #reachesOf(lrsId: LrsId, rows: readonly Row[]): Promise<ReadonlyMap<Seq, Reach | undefined>> {
    const voiding = rows.filter((row) => row.is_voiding === 1)
    const named = voiding.flatMap(({ seq, owner, body }) => {
      const target = targetOf(body)
      return target === undefined ? [] : [[seq, owner, target] as const]
    })
    if (named.length === 0) return new Map()
    const targets = await this.#sql.all<Target>(this.#text.targets, [lrsId, listOf(named)])
    const owners = new Map(voiding.map(({ seq, owner }) => [seq, owner]))
    return new Map(targets.map((target) => [target.seq, reachFor(target, owners.get(target.seq))]))
  }

  async #claimsOf(lrsId: LrsId, rows: readonly Row[]): Promise<ReadonlyMap<Seq, readonly AttachmentClaim[]>> {
    const claims = new Map<Seq, AttachmentClaim[]>()
    const seqs = rows.map(({ seq }) => seq)
    const bounds = [Math.min(...seqs), Math.max(...seqs)]
    const found = seqs.length === 0 ? [] : await this.#sql.all<ClaimRow>(this.#text.claims, [lrsId, ...bounds])
    for (const { seq, sha2, content_type: contentType } of found) {
      claims.set(seq, [...(claims.get(seq) ?? []), { sha2, contentType }])
    }
    return claims
  }

  async listDocuments(lrsId: LrsId, { after, limit, mostBytes }: DocumentPart): Promise<DocumentPage> {
    const most = Math.min(limit, mostRows)
    const position = positionOf(this.#sql.dialect, after)
    const rows = await this.#sql.all<FullDocumentRow>(this.#text.documents, [lrsId, ...position, most, mostBytes])
    const last = rows.at(-1)
    return { documents: rows.map(toExported), next: last && behind(last) }
  }
}

interface ClaimRow {
  readonly seq: Seq
  readonly sha2: string
  readonly content_type: string
}

function reachFor(
  { owner, is_voided: isVoided, waiting }: Target,
  voider: CredentialId | undefined,
): Reach | undefined {
  if (owner !== null) {
    if (isVoided !== 1) return undefined
    return owner === voider ? 'mine' : 'any'
  }
  if (waiting === null) return undefined
  return waiting === everybody ? 'any' : 'mine'
}

/** As the columns of a document's key. Before the first: no digest is empty. */
function positionOf({ documentId }: Dialect, after: DocumentPosition | undefined): readonly Value[] {
  const { scope = '', owner = 0, registration = '', id = '' } = after ?? {}
  return [
    Buffer.from(scope, 'hex'),
    owner,
    registration,
    documentId.kind === 'text' ? id : hash('sha256', id, 'buffer'),
  ]
}

function behind({ scope, owner, registration, id }: FullDocumentRow): DocumentPosition {
  return { scope: scope.toString('hex'), owner, registration, id }
}

function toExported(row: FullDocumentRow): ExportedDocument {
  return { key: keyOf(row), owner: row.owner, ...toDocument(row) }
}

function keyOf({ kind, id, activity, agent, registration }: FullDocumentRow): DocumentKey {
  const [activityId, person] = [activity ?? '', agent ?? '']
  if (kind === 'activity-profile') return { kind, id, activityId }
  if (kind === 'agent-profile') return { kind, id, agent: person }
  return { kind, id, activityId, agent: person, ...(registration !== '' && { registration }) }
}

// Only of so many as may fit is the text read.
function statementsText(direction: 'asc' | 'desc'): string {
  return `with
    part as materialized (
      select seq, octet_length(body) as length from statement
      where lrs_id = $1 and seq > $2 and seq <= $3 order by seq ${direction} limit $4),
    measured as (select seq, row_number() over (order by seq ${direction}) as place,
        sum(length) over (order by seq ${direction} rows between unbounded preceding and current row) as text
      from part)
    select s.seq, s.owner, s.is_voided, s.is_voiding, s.body
    from measured m join statement s on s.lrs_id = $1 and s.seq = m.seq
    where m.text <= $5 or m.place = 1 order by s.seq ${direction}`
}

function textsFor({ list, documentId }: Dialect) {
  const id = documentId.column
  const key = `scope, owner, registration, ${id}`
  const target = 'statement t where t.lrs_id = $1 and t.id = named.target_id'
  const columns = { seq: 'integer', owner: 'integer', target_id: 'bytes' } as const
  return {
    ascending: statementsText('asc'),
    descending: statementsText('desc'),
    targets: `select named.seq, (select t.owner from ${target}) as owner, (select t.is_voided from ${target}) as is_voided,
        (select min(w.owner) from waiting_void w where w.lrs_id = $1 and w.target_id = named.target_id
          and w.owner in (${everybody}, named.owner)) as waiting
      from ${list('$2', columns)} as named`,
    claims: `select seq, sha2, content_type from attachment where lrs_id = $1 and seq >= $2 and seq <= $3
      order by seq, sha2`,
    documents: `with
      part as materialized (
        select ${key}, coalesce(octet_length(content), 0) as bytes from document
        where lrs_id = $1 and (${key}) > ($2, $3, $4, $5) order by ${key} limit $6),
      measured as (select ${key}, row_number() over (order by ${key}) as place,
          sum(bytes) over (order by ${key} rows between unbounded preceding and current row) as total
        from part)
      select d.scope, d.owner, d.registration, d.id, d.kind, d.activity, d.agent,
        d.content_type, d.etag, d.updated_at, d.content, d.sha2, d.length
      from measured m join document d on d.lrs_id = $1 and d.scope = m.scope and d.owner = m.owner
        and d.registration = m.registration and d.${id} = m.${id}
      where m.total <= $7 or m.place = 1 order by d.scope, d.owner, d.registration, d.${id}`,
  }
}
