// Finds the statements that mention a person themselves, which is not all that their postings find: a statement that refers to
// such a one has inherited them. For who counts and for who erases. Reads only.

import { dictionaryTerm, asRelated, parseTerms } from '../posting.ts'
import { hash } from 'node:crypto'
import { isOneOf, listOf } from './sql.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Sql } from './sql.ts'

export interface Mention {
  readonly seq: number
  /** Neither as actor nor as object. */
  readonly isElsewhere: boolean
}

/** Behind which term of the person, and which stored time of it, to go on. */
export type MentionPosition = readonly [term: number, seq: number]

interface Row {
  readonly seq: number
  readonly terms: string
}

export class Mentions {
  readonly #sql: Sql
  readonly #ids: string
  readonly #withTerm: string

  constructor(sql: Sql) {
    this.#sql = sql
    this.#ids = `select id, sha256 from term where lrs_id = $1 and kind = 'agent'
      and ${isOneOf(sql.dialect, 'sha256', '$2', 'bytes')}`
    this.#withTerm = `select p.seq, s.terms from posting p join statement s on s.lrs_id = p.lrs_id and s.seq = p.seq
      where p.lrs_id = $1 and p.term = $2 and p.seq > $3 order by p.seq limit $4`
  }

  /** The dictionary id of each identifier; undefined where the Lrs does not know it. */
  async idsOf(lrsId: LrsId, agents: readonly string[]): Promise<readonly (number | undefined)[]> {
    const digests = agents.map((agent) => hash('sha256', agent, 'buffer'))
    const rows = await this.#sql.all<{ readonly id: number; readonly sha256: Buffer }>(this.#ids, [
      lrsId,
      listOf(digests.map((digest) => [digest])),
    ])
    const ids = new Map(rows.map(({ id, sha256 }) => [sha256.toString('hex'), id]))
    return digests.map((digest) => ids.get(digest.toString('hex')))
  }

  /** Of the next `most` postings those that are mentions, each statement once; where to go on, undefined at the end. */
  async after(
    lrsId: LrsId,
    { ids, onlyDirect }: { readonly ids: readonly (number | undefined)[]; readonly onlyDirect: boolean },
    [index, seq]: MentionPosition,
    most: number,
  ): Promise<{ readonly found: readonly Mention[]; readonly next: MentionPosition | undefined }> {
    // Places stay the same while identifiers come and go.
    const direct = ids.map((id) => (id === undefined ? undefined : dictionaryTerm(id)))
    const related = direct.map((term) => (term === undefined ? undefined : (asRelated(term) as number)))
    const terms = onlyDirect ? direct : [...direct, ...related]
    if (index >= terms.length) return { found: [], next: undefined }
    const term = terms[index]
    if (term === undefined) return { found: [], next: [index + 1, 0] }
    const rows = await this.#sql.all<Row>(this.#withTerm, [lrsId, term, seq, most])
    const found = rows.flatMap((row) => {
      const own = new Set(parseTerms(row.terms))
      // Those with an earlier term were met there.
      const isFirst =
        own.has(term) && !terms.slice(0, index).some((earlier) => earlier !== undefined && own.has(earlier))
      return isFirst ? [{ seq: row.seq, isElsewhere: !direct.some((one) => one !== undefined && own.has(one)) }] : []
    })
    const last = rows.at(-1)
    return { found, next: last !== undefined && rows.length === most ? [index, last.seq] : [index + 1, 0] }
  }
}
