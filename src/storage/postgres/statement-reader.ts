// Reads statements: by id, in stored order, and by filters over postings; and what they say of activities and agents. A page is
// one call of a function in the database (migration 007), as it may take thousands of seeks.

import { answerOf, mostDescribing, mostDescriptions, mostSayings } from '../statements/known-descriptions.ts'
import { hash } from 'node:crypto'
import { mostRows, mostText, seekBudget, windowOf } from '../statements/page-bounds.ts'
import { ownerTerm, readableBits, registrationTerm } from '../posting.ts'
import type { AttachmentClaim, Description, KnownDescription } from '../../core/storage.ts'
import type { CredentialId, LrsId, Seq } from '../../core/ids.ts'
import type { Database } from './database.ts'
import type { Horizon } from './horizon.ts'
import type { PostingTerm } from '../posting.ts'
import type { StatementPage, StatementQuery, StatementStore, StoredStatement } from '../../core/storage.ts'

/** The statements, and last a row without a seq. */
interface Row {
  readonly seq: Seq | null
  readonly owner: CredentialId
  readonly body: string
  readonly attachments: readonly AttachmentClaim[] | null
  readonly next: Seq | null
  readonly through: number
  /** Absent where voided ones were not asked for, or are all there are. */
  readonly voided?: number | null
}

interface Answer {
  readonly statements: readonly StoredStatement[]
  readonly next: Seq | undefined
  readonly through: number
}

/** A filter as the function takes it: looked up in the dictionary by kind and digest, or the term itself. */
interface Side {
  readonly kind: string | null
  readonly digest: Buffer | null
  readonly hashed: PostingTerm | null
  readonly mask: number
}

const page = 'select * from claviger_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)'
const find = 'select * from claviger_find($1, $2, $3, $4, $5, $6)'

// Only of so many as may fit is the text read.
const follow = `with
  part as materialized (
    select seq, owner, body, octet_length(body) as length from statement
    where lrs_id = $1 and seq > $2 and seq <= $3 order by seq limit $4),
  measured as (select part.*, sum(length) over (order by seq rows between unbounded preceding and current row) as text,
      row_number() over (order by seq) as place from part)
  select seq, owner, body, null as next, 0 as through,
    coalesce((select json_agg(json_build_object('sha2', a.sha2, 'contentType', a.content_type) order by a.sha2)
        from attachment a where a.lrs_id = $1 and a.seq = measured.seq), '[]') as attachments
  from measured where text <= $5 or place = 1 order by seq`
const count = 'select statements from lrs_state where lrs_id = $1'

const latest = `select lrs_id, (select max(seq) from statement where statement.lrs_id = asked.lrs_id) as last
  from unnest($1::integer[]) as asked (lrs_id)`

// What several owners say alike counts as said once: of those who share it, where any does. Texts may be long: no more of them
// are read than may fit, whatever their characters take.
const describe = `with
  said as materialized (
    select subject, sha256, min(owner) as owner, max(is_shared) as is_shared,
      coalesce(min(first_at) filter (where is_shared = 1), min(first_at)) as first_at
    from (select subject, sha256, owner, is_shared, first_at from description
        where lrs_id = $1 and subject = (select id from term where lrs_id = $1 and kind = $2 and sha256 = $3)
          and owner = coalesce($4, owner)
        order by is_shared desc, first_at desc limit ${mostSayings}) as latest
    group by subject, sha256 order by is_shared desc, first_at desc, sha256 limit ${mostDescriptions}),
  told as materialized (
    select sha256, is_shared, first_at, (select d.text from description d where d.lrs_id = $1 and d.subject = said.subject
        and d.owner = said.owner and d.sha256 = said.sha256) as text
    from said)
  select text, is_shared, first_at from (
    select told.*, sum(octet_length(text)) over (order by is_shared desc, first_at desc, sha256
      rows between unbounded preceding and 1 preceding) as before from told) as measured
  where coalesce(before, 0) <= ${mostDescribing * 4} order by is_shared desc, first_at desc, sha256`

export class StatementReader {
  readonly #database: Database
  readonly #horizon: Horizon

  constructor(database: Database, horizon: Horizon) {
    this.#database = database
    this.#horizon = horizon
  }

  async find(
    lrsId: LrsId,
    id: string,
    { isVoided, owner, withAttachments = false }: Parameters<StatementStore['find']>[2],
  ): ReturnType<StatementStore['find']> {
    const mark = await this.#horizon.before(lrsId)
    const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
    const values = [lrsId, mark.raised, bytes, isVoided ? 1 : 0, owner ?? null, withAttachments]
    const { statements, through } = toAnswer(await this.#database.query<Row>(find, values, 'statement-find'))
    return { statement: statements[0], consistentThrough: this.#horizon.announce(lrsId, mark, through) }
  }

  async list(lrsId: LrsId, query: StatementQuery): Promise<StatementPage> {
    const mark = await this.#horizon.before(lrsId)
    const { from, to, sign } = windowOf(query)
    const sides = sidesOf(query)
    const values = [
      lrsId,
      mark.raised,
      sides.map(({ kind }) => kind),
      sides.map(({ digest }) => digest),
      sides.map(({ hashed }) => hashed),
      sides.map(({ mask }) => mask),
      query.owner !== undefined,
      from,
      to,
      query.isAscending,
      Math.min(query.limit, mostRows),
      mostText,
      seekBudget,
      query.withAttachments ?? false,
      query.withVoided ?? false,
    ]
    const answer = toAnswer(await this.#database.query<Row>(page, values, 'statement-page'))
    const rows = answer.statements.toSorted((one, other) => (one.seq - other.seq) * sign)
    return { rows, next: answer.next, consistentThrough: this.#horizon.announce(lrsId, mark, answer.through) }
  }

  /** The horizon is a statement of its own before the one that reads: all up to it is visible then. */
  async follow(
    lrsId: LrsId,
    { after, limit, mostText: most }: Parameters<StatementStore['follow']>[1],
  ): ReturnType<StatementStore['follow']> {
    const consistentThrough = await this.#horizon.through(lrsId)
    const values = [lrsId, after, consistentThrough, Math.min(limit, mostRows), most]
    const rows = await this.#database.query<Row>(follow, values, 'statement-follow')
    return { rows: toAnswer(rows).statements, consistentThrough }
  }

  async listLatest(lrsIds: readonly LrsId[]): Promise<readonly number[]> {
    type Last = { readonly lrs_id: LrsId; readonly last: number | null }
    const rows = await this.#database.query<Last>(latest, [lrsIds], 'statement-latest')
    const known = new Map(rows.map((row) => [row.lrs_id, row.last]))
    return lrsIds.map((lrsId) => known.get(lrsId) ?? 0)
  }

  async count(lrsId: LrsId): Promise<number> {
    const [row] = await this.#database.query<{ readonly statements: number }>(count, [lrsId], 'statement-count')
    return row?.statements ?? 0
  }

  async listDescriptions(
    lrsId: LrsId,
    { kind, value }: Pick<Description, 'kind' | 'value'>,
    owner?: CredentialId,
  ): Promise<readonly KnownDescription[]> {
    type Told = { readonly text: string; readonly is_shared: number; readonly first_at: number }
    const values = [lrsId, kind, hash('sha256', value, 'buffer'), owner ?? null]
    const rows = await this.#database.query<Told>(describe, values, 'statement-describe')
    return answerOf(rows.map((row) => ({ text: row.text, isShared: row.is_shared === 1, firstAt: row.first_at })))
  }
}

/** The owner's first, where there is one: the function goes by it. */
function sidesOf({ filters, owner }: StatementQuery): readonly Side[] {
  const isOwnOnly = owner !== undefined
  const sides = filters.map(({ kind, value, includeRelated }): Side => {
    const mask = readableBits({ includeRelated, isOwnOnly })
    if (kind === 'registration') return { kind: null, digest: null, hashed: registrationTerm(value), mask }
    return { kind, digest: hash('sha256', value, 'buffer'), hashed: null, mask }
  })
  if (owner === undefined) return sides
  return [{ kind: null, digest: null, hashed: ownerTerm(owner), mask: 0 }, ...sides]
}

function toAnswer(rows: readonly Row[]): Answer {
  const last = rows.at(-1)
  const statements = rows.flatMap(({ seq, owner, body, attachments, voided = null }) => {
    if (seq === null) return []
    return [
      { seq, owner, body, ...(attachments && { attachments }), ...(voided !== null && { isVoided: voided === 1 }) },
    ]
  })
  return { statements, next: last?.next ?? undefined, through: last?.through ?? 0 }
}
