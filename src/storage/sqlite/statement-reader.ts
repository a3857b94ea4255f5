// Reads statements: by id, in stored order, and by filters over postings; and what they say of activities and agents. Each
// read sees one snapshot. Consistent-Through is the caller's: it only gets the highest stored time of the snapshot here.

import { answerOf, mostDescriptions, mostSayings } from '../statements/known-descriptions.ts'
import { Budget, BudgetSpent, Range, Union, meet } from './posting-ranges.ts'
import { dictionaryId, ownerTerm, readable } from '../posting.ts'
import { mostRows, mostText, seekBudget, windowOf } from '../statements/page-bounds.ts'
import { prepareLastSeq } from './last-seq.ts'
import { prepareTermLookup } from './terms.ts'
import type { CredentialId, LrsId, Seq } from '../../core/ids.ts'
import type { Handle } from './handle.ts'
import type { PostingTerm } from '../posting.ts'
import type { Ranged } from './posting-ranges.ts'
import type {
  AttachmentClaim,
  Description,
  KnownDescription,
  StatementQuery,
  StatementStore,
  StoredStatement,
} from '../../core/storage.ts'

export interface PageRead {
  readonly rows: readonly StoredStatement[]
  readonly next: Seq | undefined
  /** Highest stored time of the Lrs in this snapshot, 0 when empty; only where asked for. */
  readonly last: number | undefined
}

export interface FindRead {
  readonly statement: StoredStatement | undefined
  readonly last: number | undefined
}

interface Row {
  readonly seq: number
  readonly owner: number
  /** Null where it is not asked for, as it is voided. */
  readonly body: string | null
  readonly is_voided?: number
}

/** Bounds of a query in key space, both inclusive. */
interface Bounds {
  readonly from: number
  readonly to: number
  readonly sign: 1 | -1
}

/** Filters to meet; the first range is that of the owner, where there is one. */
interface Meeting {
  readonly ranges: readonly Ranged[]
  readonly bounds: Bounds
  readonly budget: Budget
  readonly owner: CredentialId | undefined
}

export class StatementReader {
  readonly #begin
  readonly #end
  readonly #last
  readonly #count
  readonly #byId
  readonly #bySeq
  readonly #scan
  readonly #follow
  readonly #postings
  readonly #attachments
  readonly #descriptions
  readonly #ownDescriptions
  readonly #describing
  readonly #termOf

  constructor(handle: Handle) {
    this.#begin = handle.prepare('begin')
    this.#end = handle.prepare('commit')
    this.#last = prepareLastSeq(handle)
    this.#count = handle.prepare<[number], number>('select statements from lrs_state where lrs_id = ?').pluck()
    this.#byId = handle.prepare<[number, Buffer, number], Row>(
      'select seq, owner, body from statement where lrs_id = ? and id = ? and is_voided = ?',
    )
    // Voided rows that are not asked for come along without their body, so that a run of them is bounded by the limit too.
    const scan =
      'select seq, owner, case when is_voided <= ? then body end as body, is_voided from statement where lrs_id = ?'
    this.#bySeq = handle.prepare<[number, number, number], Row>(`${scan} and seq = ?`)
    const postings = 'select seq from posting where lrs_id = ? and term = ?'
    type Window = [number, number, number, number, number]
    type TermWindow = [number, PostingTerm, number, number, number]
    this.#scan = {
      [1]: handle.prepare<Window, Row>(`${scan} and seq >= ? and seq <= ? order by seq limit ?`),
      [-1]: handle.prepare<Window, Row>(`${scan} and seq <= ? and seq >= ? order by seq desc limit ?`),
    }
    this.#follow = handle.prepare<[number, number, number, number], Row>(
      'select seq, owner, body from statement where lrs_id = ? and seq > ? and seq <= ? order by seq limit ?',
    )
    this.#postings = {
      [1]: handle.prepare<TermWindow, number>(`${postings} and seq >= ? and seq <= ? order by seq limit ?`).pluck(),
      [-1]: handle
        .prepare<TermWindow, number>(`${postings} and seq <= ? and seq >= ? order by seq desc limit ?`)
        .pluck(),
    }
    this.#attachments = handle.prepare<[number, number], AttachmentClaim>(
      'select sha2, content_type as contentType from attachment where lrs_id = ? and seq = ? order by sha2',
    )
    this.#descriptions = handle.prepare<[number, number], DescriptionRow>(descriptionsOf(''))
    this.#ownDescriptions = handle.prepare<[number, number, number], DescriptionRow>(descriptionsOf('and owner = ?'))
    this.#describing = handle
      .prepare<[number, number, number, Buffer], string>(
        'select text from description where lrs_id = ? and subject = ? and owner = ? and sha256 = ?',
      )
      .pluck()
    this.#termOf = prepareTermLookup(handle)
  }

  last(lrsId: LrsId): number {
    return this.#last(lrsId)
  }

  find(
    lrsId: LrsId,
    id: string,
    { isVoided, owner, withAttachments = false }: Parameters<StatementStore['find']>[2],
    withLast: boolean,
  ): FindRead {
    return this.#snapshot(() => {
      const last = withLast ? this.last(lrsId) : undefined
      const row = this.#byId.get(lrsId, Buffer.from(id.replaceAll('-', ''), 'hex'), isVoided ? 1 : 0)
      const isVisible = row !== undefined && (owner === undefined || row.owner === owner)
      if (!isVisible) return { statement: undefined, last }
      const statement = toStatement(row, row.body ?? '')
      return { statement: withAttachments ? this.#attach(lrsId, statement) : statement, last }
    })
  }

  list(lrsId: LrsId, query: StatementQuery, withLast: boolean): PageRead {
    return this.#snapshot(() => {
      const last = withLast ? this.last(lrsId) : undefined
      const bounds = boundsOf(query)
      const page = new Page(query, bounds.sign)
      const budget = new Budget(seekBudget)
      const ranges = this.#rangesOf(lrsId, query, bounds, budget)
      if (bounds.from > bounds.to || ranges === undefined) return { rows: [], next: undefined, last }
      if (ranges.length === 0) this.#scanInto(page, lrsId, bounds)
      else this.#meetInto(page, lrsId, { ranges, bounds, budget, owner: query.owner })
      const rows = query.withAttachments ? page.rows.map((row) => this.#attach(lrsId, row)) : page.rows
      return { rows, next: page.next, last }
    })
  }

  /** `through`: certain before the read. */
  follow(
    lrsId: LrsId,
    { after, limit, mostText: most }: Parameters<StatementStore['follow']>[1],
    { through, needsLast }: { readonly through: number; readonly needsLast: boolean },
  ): PageRead {
    return this.#snapshot(() => {
      const last = needsLast ? this.last(lrsId) : undefined
      const rows: StoredStatement[] = []
      let text = 0
      for (const row of this.#follow.iterate(lrsId, after, Math.max(through, last ?? 0), Math.min(limit, mostRows))) {
        const body = row.body ?? ''
        text += body.length
        if (rows.length > 0 && text > most) break
        rows.push(toStatement(row, body))
      }
      return { rows: rows.map((row) => this.#attach(lrsId, row)), next: undefined, last }
    })
  }

  count(lrsId: LrsId): number {
    return this.#count.get(lrsId) ?? 0
  }

  listLatest(lrsIds: readonly LrsId[]): readonly number[] {
    return lrsIds.map((lrsId) => this.last(lrsId))
  }

  #attach(lrsId: LrsId, statement: StoredStatement): StoredStatement {
    return { ...statement, attachments: this.#attachments.all(lrsId, statement.seq) }
  }

  listDescriptions(
    lrsId: LrsId,
    { kind, value }: Pick<Description, 'kind' | 'value'>,
    owner: CredentialId | undefined,
  ): KnownDescription[] {
    return this.#snapshot(() => {
      const term = this.#termOf(lrsId, kind, value)
      if (term === undefined) return []
      const subject = dictionaryId(term)
      const rows =
        owner === undefined ? this.#descriptions.all(lrsId, subject) : this.#ownDescriptions.all(lrsId, subject, owner)
      return answerOf(this.#describe(lrsId, subject, rows))
    })
  }

  /** Texts may be long: one after the other, as long as there is room. */
  *#describe(lrsId: LrsId, subject: number, rows: readonly DescriptionRow[]): Generator<KnownDescription> {
    for (const row of rows) {
      const text = this.#describing.get(lrsId, subject, row.owner, row.sha256) ?? ''
      yield { text, isShared: row.is_shared === 1, firstAt: row.first_at }
    }
  }

  #snapshot<T>(read: () => T): T {
    this.#begin.run()
    try {
      return read()
    } finally {
      this.#end.run()
    }
  }

  /** One range per filter; undefined when a value never occurred. */
  #rangesOf(lrsId: LrsId, query: StatementQuery, bounds: Bounds, budget: Budget): Ranged[] | undefined {
    const range = (term: PostingTerm) =>
      new Range((key, count) => this.#keys(lrsId, term, { key, count, bounds }), budget)
    const ranges: Ranged[] = query.owner === undefined ? [] : [range(ownerTerm(query.owner))]
    for (const { kind, value, includeRelated } of query.filters) {
      const term = this.#termOf(lrsId, kind, value)
      if (term === undefined) return undefined
      const variants = readable(term, { includeRelated, isOwnOnly: query.owner !== undefined })
      ranges.push(variants.length === 1 ? range(term) : new Union(variants.map(range)))
    }
    return ranges
  }

  #keys(
    lrsId: LrsId,
    term: PostingTerm,
    { key, count, bounds }: { readonly key: number; readonly count: number; readonly bounds: Bounds },
  ): readonly number[] {
    const { sign, to } = bounds
    const seqs = this.#postings[sign].all(lrsId, term, key * sign, to * sign, count)
    return sign === 1 ? seqs : seqs.map((seq) => -seq)
  }

  /** Row by row: a hundred bodies at once may be more than fits into memory. */
  #scanInto(page: Page, lrsId: LrsId, { from, to, sign }: Bounds): void {
    let key = from
    let left = seekBudget
    for (const row of this.#scan[sign].iterate(page.mostVoided, lrsId, from * sign, to * sign, seekBudget)) {
      if (!page.add(row)) return
      key = row.seq * sign + 1
      left--
    }
    if (left === 0) page.stopBefore(key)
  }

  #meetInto(page: Page, lrsId: LrsId, { ranges, bounds, budget, owner }: Meeting): void {
    const progress = { key: bounds.from }
    try {
      for (let key = bounds.from; ; key++) {
        const found = meet(ranges, key, progress)
        if (found === undefined) return
        key = found
        const row = this.#bySeq.get(page.mostVoided, lrsId, found * bounds.sign)
        if (row?.body === null) budget.spend(1)
        if (row !== undefined && !page.add(row)) return
      }
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error
      const key = owner === undefined ? progress.key : this.#ownKey(lrsId, owner, progress.key, bounds)
      if (key !== undefined) page.stopBefore(key)
    }
  }

  /**
   * Where the owner's own statements go on from `key`. The place where a search broke off may be another owner's posting;
   * who reads its own only must not learn from the cursor when others stored something.
   */
  #ownKey(lrsId: LrsId, owner: CredentialId, key: number, bounds: Bounds): number | undefined {
    return this.#keys(lrsId, ownerTerm(owner), { key, count: 1, bounds })[0]
  }
}

interface DescriptionRow {
  readonly sha256: Buffer
  readonly owner: number
  readonly is_shared: number
  readonly first_at: number
}

/** What several owners say alike counts as said once, by the first of them: of those who share it, where any does. */
function descriptionsOf(condition: string): string {
  return `
    select sha256, min(owner) as owner, max(is_shared) as is_shared,
      coalesce(min(case when is_shared = 1 then first_at end), min(first_at)) as first_at
    from (select sha256, owner, is_shared, first_at from description where lrs_id = ? and subject = ? ${condition}
          order by is_shared desc, first_at desc limit ${mostSayings})
    group by sha256 order by 3 desc, 4 desc, sha256 limit ${mostDescriptions}`
}

/** The rows of one answer until it is full. */
class Page {
  readonly rows: StoredStatement[] = []
  next: Seq | undefined
  /** 1: voided ones, too. */
  readonly mostVoided: 0 | 1
  readonly #limit: number
  readonly #sign: 1 | -1
  #text = 0

  constructor({ limit, withVoided = false }: StatementQuery, sign: 1 | -1) {
    this.mostVoided = withVoided ? 1 : 0
    this.#limit = Math.min(limit, mostRows)
    this.#sign = sign
  }

  /** False when the page is full and this row proves that there is a next one. */
  add(row: Row): boolean {
    if (row.body === null) return true
    if (this.rows.length >= this.#limit || (this.#text > 0 && this.#text + row.body.length > mostText)) {
      this.next = this.rows.at(-1)?.seq
      return false
    }
    this.#text += row.body.length
    const statement = toStatement(row, row.body)
    this.rows.push(this.mostVoided === 0 ? statement : { ...statement, isVoided: row.is_voided === 1 })
    return true
  }

  /** Everything before `key` was looked at: go on there. */
  stopBefore(key: number): void {
    this.next = ((key - 1) * this.#sign) as Seq
  }
}

function boundsOf(query: StatementQuery): Bounds {
  const { from, to, sign } = windowOf(query)
  return { from: from * sign, to: to * sign, sign }
}

function toStatement({ seq, owner }: Row, body: string): StoredStatement {
  return { seq: seq as Seq, owner: owner as CredentialId, body }
}
