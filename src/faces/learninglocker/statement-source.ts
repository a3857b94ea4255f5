// The statements a caller may read, in the order they were stored, of one Lrs or several: page by page, in slices, within a
// budget. Knows nothing of queries but what the store answers of them by itself.

import { isDomainError } from '../../core/errors.ts'
import type { CredentialId, LrsId, Oid, Seq } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import { nextSlice } from '../../core/slices.ts'
import type { LrsRecord, StatementQuery, StoredStatement } from '../../core/storage.ts'
import type { Call } from './auth.ts'
import { badQuery } from './query-error.ts'
import type { StatementRow } from './statement-document.ts'
import type { Plan } from './statement-plan.ts'
import { hasAll } from './words.ts'

/** What is looked at for one request. */
export interface ReadBounds {
  readonly rows: number
  readonly characters: number
  /** Statements looked through for one whose clock is wrong, when there are enough of the others. */
  readonly beyond: number
}

export const readBounds: ReadBounds = { rows: 50_000, characters: 64_000_000, beyond: 5_000 }

/** What a page counts for that ends before it is full: it cost the store many seeks. */
const leastPerShortPage = 200
/** Of each Lrs; more, the more is asked for. */
const smallestPage = 20
const largestPage = 500
/** Then others get their turn. */
const sliceMs = 5

const tooMany = (what: string): string =>
  `one request looks at ${what} at most, and they did not answer it; ask for a range of stored, or a verb, activity, agent or registration`

/** Who reads where. */
export interface Readership {
  readonly call: Call
  readonly reader: Principal
  readonly organisation: Oid
  readonly lrs: readonly LrsRecord[]
  /** Of statements, as far as they were looked up; undefined: gone. */
  readonly owners: Map<CredentialId, Oid | undefined>
}

/**
 * The stores of a client. One without a store reads the whole organisation, as in the product, if it has the scope `all`: it could
 * give itself any store.
 */
export async function readershipOf(call: Call): Promise<Readership> {
  const { core, principal } = call
  const { oid: organisation } = await core.organisations.get(principal)
  const all = await core.lrs.list(principal)
  const isOpen = ({ id }: LrsRecord): boolean => !principal.closedLrsIds.includes(id)
  if (principal.lrsIds.length === 0 && hasAll(principal.rights)) {
    const lrs = all.filter(isOpen)
    return { call, organisation, lrs, owners: new Map(), reader: { ...principal, lrsIds: lrs.map(({ id }) => id) } }
  }
  const lrs = all.filter((one) => principal.lrsIds.includes(one.id))
  return { call, organisation, lrs: lrs.length > 1 ? lrs.filter(isOpen) : lrs, owners: new Map(), reader: principal }
}

/** In which of them the plan finds anything at all. */
export function lrsOf({ lrs }: Readership, plan: Pick<Plan, 'lrs' | 'lrsId'>): readonly LrsRecord[] {
  const { lrs: oid, lrsId } = plan
  return lrs.filter((one) => (oid === undefined || one.oid === oid) && (lrsId === undefined || one.id === lrsId))
}

interface Reading {
  readonly isAscending: boolean
  readonly expected: number
  readonly bounds?: ReadBounds | undefined
}

/** Newest first unless ascending; those of one moment by Lrs. Throws `QueryError` when the budget is spent. */
export async function* statementRows(
  readership: Readership,
  plan: Plan,
  { isAscending, expected, bounds = readBounds }: Reading,
): AsyncGenerator<StatementRow> {
  const query = queryOf(plan, isAscending)
  const budget = new Budget(bounds)
  const lrs = lrsOf(readership, plan)
  // Of many each brings a part.
  const size = Math.max(smallestPage, Math.ceil(expected / Math.max(lrs.length, 1)))
  const strands = lrs.map((one) => new Strand(readership, one, { plan, query, budget, size }))
  let end = performance.now() + sliceMs
  for (;;) {
    const first = await firstOf(strands, isAscending)
    if (first === undefined) return
    yield first.take()
    if (performance.now() < end) continue
    await nextSlice()
    end = performance.now() + sliceMs
  }
}

type PlainQuery = Omit<StatementQuery, 'owner' | 'limit' | 'cursor'>

function queryOf({ filters, since, until }: Plan, isAscending: boolean): PlainQuery {
  return {
    filters,
    isAscending,
    // As the product shows them.
    withVoided: true,
    ...(since > 0 && { since }),
    ...(until < Number.MAX_SAFE_INTEGER && { until }),
  }
}

class Budget {
  readonly #most: ReadBounds
  #rows = 0
  #characters = 0

  constructor(most: ReadBounds) {
    this.#most = most
  }

  spend(rows: readonly StoredStatement[], isShort: boolean): void {
    this.#rows += isShort ? Math.max(rows.length, leastPerShortPage) : rows.length
    for (const { body } of rows) this.#characters += body.length
  }

  /** Before more is read. */
  check(): void {
    const { rows, characters } = this.#most
    if (this.#rows >= rows) throw badQuery('query', tooMany(`${rows} statements`))
    if (this.#characters >= characters) throw badQuery('query', tooMany(`${characters} characters of statements`))
  }
}

async function firstOf(strands: readonly Strand[], isAscending: boolean): Promise<Strand | undefined> {
  let best: Strand | undefined
  for (const strand of strands) {
    if (!strand.hasRow && !(await strand.fill())) continue
    // Strands stand in the order of their Lrs.
    const order = best === undefined ? -1 : strand.seq - best.seq
    if (isAscending ? order < 0 : best === undefined || order >= 0) best = strand
  }
  return best
}

interface StrandParts {
  readonly plan: Plan
  readonly query: PlainQuery
  readonly budget: Budget
  readonly size: number
}

/** One Lrs, page by page. */
class Strand {
  readonly #readership: Readership
  readonly #lrs: LrsRecord
  readonly #parts: StrandParts
  #size: number
  #rows: readonly StatementRow[] = []
  #at = 0
  #owner: CredentialId | undefined
  #cursor: Seq | undefined
  #isDone = false

  constructor(readership: Readership, lrs: LrsRecord, parts: StrandParts) {
    this.#readership = readership
    this.#lrs = lrs
    this.#parts = parts
    this.#size = Math.min(parts.size, largestPage)
  }

  get hasRow(): boolean {
    return this.#at < this.#rows.length
  }

  get seq(): number {
    return this.#rows[this.#at]?.seq ?? 0
  }

  take(): StatementRow {
    const row = this.#rows[this.#at]
    if (row === undefined) throw new Error('There is no statement to take.')
    this.#at += 1
    return row
  }

  /** False at the end. */
  async fill(): Promise<boolean> {
    while (!this.#isDone) {
      this.#parts.budget.check()
      const asked = this.#size
      const found = await this.#read()
      this.#parts.budget.spend(found, !this.#isDone && found.length < asked)
      this.#rows = await this.#shown(found)
      this.#at = 0
      if (this.#rows.length > 0) return true
    }
    return false
  }

  async #read(): Promise<readonly StoredStatement[]> {
    const { plan, query } = this.#parts
    const { call, reader } = this.#readership
    if (plan.statementId !== undefined) {
      this.#isDone = true
      return this.#find(plan.statementId)
    }
    if (plan.client !== undefined && this.#owner === undefined) {
      this.#owner = await call.core.statements.findOwner(reader, this.#lrs.id, plan.client)
      this.#isDone = this.#owner === undefined
      if (this.#isDone) return []
    }
    const owner = this.#owner === undefined ? {} : { owner: this.#owner }
    const cursor = this.#cursor === undefined ? {} : { cursor: this.#cursor }
    const page = { ...query, ...owner, ...cursor, limit: this.#size }
    const { statements, next } = await call.core.statements.list(reader, this.#lrs.id, page)
    this.#cursor = next
    this.#isDone = next === undefined
    this.#size = Math.min(this.#size * 4, largestPage)
    return statements
  }

  async #find(id: string): Promise<readonly StoredStatement[]> {
    const { call, reader } = this.#readership
    for (const isVoided of [false, true]) {
      try {
        const { statement } = await call.core.statements.get(reader, this.#lrs.id, id, { isVoided })
        return [{ ...statement, isVoided }]
      } catch (error) {
        if (!isDomainError(error) || error.code !== 'not_found') throw error
      }
    }
    return []
  }

  async #shown(rows: readonly StoredStatement[]): Promise<readonly StatementRow[]> {
    const { call, reader, organisation, owners } = this.#readership
    const unknown = ownersIn(rows).filter((owner) => !owners.has(owner))
    const found = await call.core.statements.listOwners(reader, this.#lrs.id, unknown)
    for (const owner of unknown) owners.set(owner, found.get(owner))
    const where = { organisation, lrs: this.#lrs.oid, lrsId: this.#lrs.id as LrsId }
    return rows.map(({ seq, body, owner, isVoided = false }) => {
      return { ...where, seq, body, isVoided, client: owners.get(owner) }
    })
  }
}

function ownersIn(rows: readonly StoredStatement[]): readonly CredentialId[] {
  return [...new Set(rows.map(({ owner }) => owner))]
}
