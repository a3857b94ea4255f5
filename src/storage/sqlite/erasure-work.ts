// One step of an erasure, as its parts hand it to each other, and what each of them does to a statement's rows.

import { dictionaryIds } from '../posting.ts'
import { findTarget } from '../../core/xapi/term.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { ErasureCounts, ErasureTarget } from '../../core/storage.ts'
import type { Handle } from './connection.ts'
import type { PostingTerm } from '../posting.ts'
import type { Statement } from '../../core/xapi/statement.ts'

/** Statements, documents or other rows of one step: some ten milliseconds, about what a group of stores takes. */
export const mostRows = 200

export type Counts = { -readonly [Kind in keyof ErasureCounts]?: number }

/** Where, what for, what it removed. */
export interface Work {
  readonly lrsId: LrsId
  readonly target: ErasureTarget
  readonly counts: Counts
  /** Dictionary ids that lost a posting. */
  readonly lost: Set<number>
}

export interface StatementRow {
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly is_voiding: number
  readonly terms: string
  readonly inherited: string
  readonly body: string
}

/** A `StatementRow` of an Lrs, to be narrowed down. */
export const statementRow = `select s.seq, s.id, s.owner, s.is_voiding, s.terms, coalesce(i.terms, '') as inherited, s.body
  from statement s left join inheritance i on i.lrs_id = s.lrs_id and i.seq = s.seq where s.lrs_id = ?`

export function add(counts: Counts, kind: keyof Counts, count: number): void {
  if (count > 0) counts[kind] = (counts[kind] ?? 0) + count
}

/** The id a stored statement refers to. Most refer to none, and need no parsing to say so. */
export function targetOf(body: string): Buffer | undefined {
  if (!body.includes('"StatementRef"')) return undefined
  const target = findTarget(JSON.parse(body) as Statement)
  return target === undefined ? undefined : Buffer.from(target.replaceAll('-', ''), 'hex')
}

/** Takes a statement out of the index under these terms. */
export function prepareUnpost(handle: Handle): (work: Work, seq: number, terms: readonly PostingTerm[]) => void {
  const unpost = handle.prepare<[number, PostingTerm, number]>(
    'delete from posting where lrs_id = ? and term = ? and seq = ?',
  )
  return ({ lrsId, lost }, seq, terms) => {
    for (const term of terms) unpost.run(lrsId, term, seq)
    for (const id of dictionaryIds(terms)) lost.add(id)
  }
}
