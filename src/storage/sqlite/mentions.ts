// Finds the statements that mention a person themselves, which is not all that their postings find: a statement that refers to
// such a one has inherited them. For who counts and for who erases. Reads only.

import { dictionaryTerm, asRelated, parseTerms } from '../posting.ts'
import { hash } from 'node:crypto'
import type { Handle } from './connection.ts'
import type { LrsId } from '../../core/ids.ts'
import type { PostingTerm } from '../posting.ts'

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
  readonly #id
  readonly #withTerm

  constructor(handle: Handle) {
    this.#id = handle
      .prepare<[number, Buffer], number>(`select id from term where lrs_id = ? and kind = 'agent' and sha256 = ?`)
      .pluck()
    this.#withTerm = handle.prepare<[number, PostingTerm, number, number], Row>(
      `select p.seq, s.terms from posting p join statement s on s.lrs_id = p.lrs_id and s.seq = p.seq
       where p.lrs_id = ? and p.term = ? and p.seq > ? order by p.seq limit ?`,
    )
  }

  /** The dictionary id of each identifier; undefined where the Lrs does not know it. */
  idsOf(lrsId: LrsId, agents: readonly string[]): readonly (number | undefined)[] {
    return agents.map((agent) => this.#id.get(lrsId, hash('sha256', agent, 'buffer')))
  }

  /** Of the next `most` postings those that are mentions, each statement once; where to go on, undefined at the end. */
  after(
    lrsId: LrsId,
    { ids, onlyDirect }: { readonly ids: readonly (number | undefined)[]; readonly onlyDirect: boolean },
    [index, seq]: MentionPosition,
    most: number,
  ): { readonly found: readonly Mention[]; readonly next: MentionPosition | undefined } {
    // Places stay the same while identifiers come and go.
    const direct = ids.map((id) => (id === undefined ? undefined : dictionaryTerm(id)))
    const related = direct.map((term) => (term === undefined ? undefined : asRelated(term)))
    const terms = onlyDirect ? direct : [...direct, ...related]
    if (index >= terms.length) return { found: [], next: undefined }
    const term = terms[index]
    if (term === undefined) return { found: [], next: [index + 1, 0] }
    const rows = this.#withTerm.all(lrsId, term, seq, most)
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
