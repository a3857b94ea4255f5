// One step of an erasure, as its parts hand it to each other: which statements it can afford, and their postings.

import { dictionaryIds } from '../posting.ts'
import { findTarget } from '../../core/xapi/term.ts'
import { isOneOf, listOf } from './sql.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { ErasureCounts, ErasureTarget, TermKind } from '../../core/storage.ts'
import type { PostingTerm } from '../posting.ts'
import type { Sql } from './sql.ts'
import type { Statement } from '../../core/xapi/statement.ts'

/** Statements, documents or other rows of one step: some ten milliseconds, about what a group of stores takes. */
export const mostRows = 200
/** What the rows of one step may cost: characters, those of printed postings counted more. A statement may have millions. */
const mostCost = 2 * 1024 * 1024
const postingCost = 40

export type Counts = { -readonly [Kind in keyof ErasureCounts]?: number }

/** What a process may remember of an Lrs and holds no longer. */
export interface Forgotten {
  readonly terms: { readonly kind: TermKind; readonly value: string }[]
  /** From now on ids are looked for among those that must not come back. */
  hasNewSalt: boolean
}

/** Where, what for, what it removed. */
export interface Work {
  readonly lrsId: LrsId
  readonly target: ErasureTarget
  readonly counts: Counts
  /** Dictionary ids that lost a posting. */
  readonly lost: Set<number>
  readonly forgotten: Forgotten
}

export interface StatementRow {
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly is_voided: number
  readonly is_voiding: number
  readonly terms: string
  readonly inherited: string
  /** Empty where it refers to nothing, or nobody asked. */
  readonly body: string
}

export interface Posting {
  readonly term: PostingTerm
  readonly seq: number
}

export function add(counts: Counts, kind: keyof Counts, count: number): void {
  if (count > 0) counts[kind] = (counts[kind] ?? 0) + count
}

/** The id a stored statement refers to. Most refer to none, and need no parsing to say so. */
export function targetOf(body: string): Buffer | undefined {
  if (!body.includes('"StatementRef"')) return undefined
  const target = findTarget(JSON.parse(body) as Statement)
  return target === undefined ? undefined : Buffer.from(target.replaceAll('-', ''), 'hex')
}

const inheritance = 'left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq'

/** A `StatementRow` of an Lrs ($1), to be narrowed down. */
export function statementRow(body = `''`): string {
  return `select s.seq, s.id, s.owner, s.is_voided, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited, ${body} as body
    from statement s ${inheritance} where s.lrs_id = $1`
}

export class StatementRows {
  readonly #sql: Sql
  readonly #costs: string
  readonly #rows: string
  readonly #referring: string
  readonly #unpost: string

  constructor(sql: Sql) {
    this.#sql = sql
    const { dialect } = sql
    const isListed = `and ${isOneOf(dialect, 's.seq', '$2', 'integer')}`
    this.#costs = `select s.seq,
        octet_length(s.body) + ${postingCost} * (length(s.terms) + length(coalesce(i.terms, ''))) as cost
      from statement s ${inheritance} where s.lrs_id = $1 ${isListed}`
    this.#rows = `${statementRow()} ${isListed}`
    this.#referring = `${statementRow(`case when s.body like '%"StatementRef"%' then s.body else '' end`)} ${isListed}`
    this.#unpost = `delete from posting where lrs_id = $1
      and ${dialect.isListed('posting', '$2', { term: 'integer', seq: 'integer' })}`
  }

  /** As many of them, in order, as one step may cost; at least one. */
  async affordable(lrsId: LrsId, seqs: readonly number[]): Promise<readonly number[]> {
    if (seqs.length === 0) return seqs
    const rows = await this.#sql.all<{ readonly seq: number; readonly cost: number }>(this.#costs, [
      lrsId,
      listOf(seqs.map((seq) => [seq])),
    ])
    const costs = new Map(rows.map(({ seq, cost }) => [seq, cost]))
    let cost = 0
    const tooMany = seqs.findIndex((seq) => {
      if (cost > mostCost) return true
      cost += costs.get(seq) ?? 0
      return false
    })
    return tooMany < 0 ? seqs : seqs.slice(0, tooMany)
  }

  /** Those that are there; with the bodies of those that may refer to something where that is asked. */
  async read(
    lrsId: LrsId,
    seqs: readonly number[],
    { withBodies = false }: { readonly withBodies?: boolean } = {},
  ): Promise<readonly StatementRow[]> {
    if (seqs.length === 0) return []
    const text = withBodies ? this.#referring : this.#rows
    return this.#sql.all<StatementRow>(text, [lrsId, listOf(seqs.map((seq) => [seq]))])
  }

  /** Takes statements out of the index. */
  async unpost({ lrsId, lost }: Work, postings: readonly Posting[]): Promise<void> {
    if (postings.length === 0) return
    await this.#sql.run(this.#unpost, [lrsId, listOf(postings.map(({ term, seq }) => [term, seq]))])
    for (const id of dictionaryIds(postings.map(({ term }) => term))) lost.add(id)
  }
}
