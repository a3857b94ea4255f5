// Lists compared with a naive model that knows statements, owners and references and nothing of postings: random statements,
// references both ways and in circles, voiding, owners, filters, bounds, paging in both directions.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTenant, query, saying } from './samples.ts'
import { engines } from './engines.ts'
import fc from 'fast-check'
import type { BatchOutcome, PreparedStatement, StatementBatch, StatementQuery, Term } from '../../src/core/storage.ts'
import type { CredentialId, LrsId, Seq } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'

interface Known {
  readonly statement: PreparedStatement
  readonly batch: StatementBatch
  readonly seq: Seq
}

/** What the port's comments say, as directly as it can be written down. */
class Model {
  readonly known: Known[] = []

  expectedOutcome(batch: StatementBatch): 'stored' | number {
    const index = batch.statements.findIndex((statement) => {
      const other = this.byId(statement.id)
      return other !== undefined && !this.isAlreadyThere(other, statement, batch)
    })
    return index < 0 ? 'stored' : index
  }

  isAlreadyThere(other: Known, statement: PreparedStatement, batch: StatementBatch): boolean {
    if (other.batch.owner !== batch.owner && batch.readReach !== 'any') return false
    if (other.statement.openBody !== statement.openBody) return false
    return statement.timestamp === undefined || statement.timestamp === (other.statement.timestamp ?? other.seq)
  }

  accept(batch: StatementBatch, outcome: BatchOutcome): void {
    const expected = this.expectedOutcome(batch)
    if (outcome.kind === 'conflict') {
      expect(outcome.index).toBe(expected)
      return
    }
    expect(expected).toBe('stored')
    for (const [index, { seq, wasThere }] of outcome.statements.entries()) {
      const statement = batch.statements[index] as PreparedStatement
      const other = this.byId(statement.id)
      expect(wasThere).toBe(other !== undefined)
      if (other !== undefined) expect(seq).toBe(other.seq)
      else {
        expect(seq).toBeGreaterThan(this.known.at(-1)?.seq ?? 0)
        this.known.push({ statement, batch, seq })
      }
    }
  }

  byId(id: string | undefined): Known | undefined {
    return this.known.find(({ statement }) => statement.id === id)
  }

  isVoided({ statement, batch }: Known): boolean {
    if (statement.isVoiding) return false
    return this.known.some(
      (voider) =>
        voider.statement.isVoiding &&
        voider.statement.refersTo === statement.id &&
        (voider.batch.voidReach === 'any' || (voider.batch.voidReach === 'mine' && voider.batch.owner === batch.owner)),
    )
  }

  /** Its own terms and those of all it refers to, directly or not; with `owner` only along statements of that owner. */
  termsOf(known: Known, owner: CredentialId | undefined, seen = new Set<string>()): Term[] {
    if (seen.has(known.statement.id)) return []
    seen.add(known.statement.id)
    const target = this.byId(known.statement.refersTo)
    if (target === undefined || (owner !== undefined && target.batch.owner !== owner)) return [...known.statement.terms]
    return [...known.statement.terms, ...this.termsOf(target, owner, seen)]
  }

  list({ filters, owner, since, until, isAscending, cursor }: StatementQuery): Seq[] {
    const found = this.known.filter((known) => {
      if (this.isVoided(known) || (owner !== undefined && known.batch.owner !== owner)) return false
      if (since !== undefined && known.seq <= since) return false
      if (until !== undefined && known.seq > until) return false
      if (cursor !== undefined && (isAscending ? known.seq <= cursor : known.seq >= cursor)) return false
      const terms = this.termsOf(known, owner)
      return filters.every(({ kind, value, includeRelated }) =>
        terms.some((one) => one.kind === kind && one.value === value && (includeRelated || !one.isRelated)),
      )
    })
    const seqs = found.map(({ seq }) => seq)
    return isAscending ? seqs : seqs.toReversed()
  }
}

const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const ids = fc.integer({ min: 1, max: 14 }).map(uuid)
const kinds = fc.constantFrom('agent' as const, 'verb' as const, 'activity' as const, 'registration' as const)
const values = fc.constantFrom('x', 'y', 'z')
const reach = fc.constantFrom('any' as const, 'mine' as const, undefined)
const owner = fc.constantFrom(1, 2, 3).map((id) => id as CredentialId)

const terms = fc.uniqueArray(fc.record({ kind: kinds, value: values, isRelated: fc.boolean() }), {
  maxLength: 5,
  selector: ({ kind, value }) => `${kind} ${value}`,
})

const statement = fc
  .record({
    id: ids,
    response: fc.constantFrom('a', 'b'),
    timestamp: fc.constantFrom(undefined, undefined, 1_600_000_000_000_000, 1_600_000_000_000_001),
    terms,
    refersTo: fc.option(ids, { nil: undefined }),
    voids: fc.boolean(),
  })
  .map(({ voids, response, ...one }): PreparedStatement => ({
    ...one,
    openBody: saying(one.id, response),
    isVoiding: voids && one.refersTo !== undefined,
    descriptions: [],
    attachments: [],
  }))

const batchOf = fc.record({
  owner,
  readReach: reach,
  voidReach: reach,
  defineReach: fc.constant(undefined),
  statements: fc.uniqueArray(statement, { minLength: 1, maxLength: 4, selector: ({ id }) => id }),
})

/** Bounds are picked among the stored times: by index, and one beside it. */
const bound = fc.option(fc.record({ index: fc.nat(13), beside: fc.constantFrom(-1, 0, 1) }), { nil: undefined })

const queries = fc.record({
  filters: fc.array(fc.record({ kind: kinds, value: values, includeRelated: fc.boolean() }), { maxLength: 3 }),
  owner: fc.option(owner, { nil: undefined }),
  isAscending: fc.boolean(),
  limit: fc.integer({ min: 1, max: 6 }),
  since: bound,
  until: bound,
  cursor: bound,
})

const scenario = fc.record({
  calls: fc.array(fc.array(batchOf, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 7 }),
  queries: fc.array(queries, { minLength: 5, maxLength: 12 }),
})

describe.each(engines)('lists against the model, $name', (engine) => {
  let store: Store
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())

  it('finds what the model finds, in its order, page by page', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(scenario, async ({ calls, queries: asked }) => {
      const { lrsId } = await createTenant(store.storage)
      const model = await play(store, lrsId, calls)
      for (const one of asked) await compare(store, lrsId, model, one)
      await compareFinds(store, lrsId, model)
    })
    await fc.assert(property, { numRuns: engine.name.endsWith('inline') ? 300 : 60 })
  })
})

type Play = Omit<StatementBatch, 'lrsId'>

async function play({ storage }: Store, lrsId: LrsId, calls: readonly (readonly Play[])[]): Promise<Model> {
  const model = new Model()
  for (const call of calls) {
    const batches = call.map((part) => ({ ...part, lrsId }))
    const outcomes = await storage.statements.store(batches)
    expect(outcomes).toHaveLength(batches.length)
    for (const [index, batch] of batches.entries()) model.accept(batch, outcomes[index] as BatchOutcome)
  }
  return model
}

type Asked = typeof queries extends fc.Arbitrary<infer T> ? T : never

async function compare({ storage }: Store, lrsId: LrsId, model: Model, asked: Asked): Promise<void> {
  const timeOf = (one: Asked['since']) => {
    const known = one && model.known[one.index % Math.max(model.known.length, 1)]
    return known && one && known.seq + one.beside
  }
  const [since, until, cursor] = [timeOf(asked.since), timeOf(asked.until), timeOf(asked.cursor)]
  const wanted = query({
    filters: asked.filters,
    isAscending: asked.isAscending,
    limit: asked.limit,
    ...(asked.owner !== undefined && { owner: asked.owner }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(cursor !== undefined && { cursor: cursor as Seq }),
  })
  const found: Seq[] = []
  let page = await storage.statements.list(lrsId, wanted)
  for (;;) {
    expect(page.rows.length).toBeLessThanOrEqual(wanted.limit)
    found.push(...page.rows.map(({ seq }) => seq))
    if (page.next === undefined) break
    expect(found.length, 'a page that goes on has rows as long as the budget lasts').toBeGreaterThan(0)
    page = await storage.statements.list(lrsId, { ...wanted, cursor: page.next })
  }
  expect(found).toEqual(model.list(wanted))
  for (const row of page.rows) {
    expect(row.owner).toBe(model.known.find(({ seq }) => seq === row.seq)?.batch.owner)
  }
}

async function compareFinds({ storage }: Store, lrsId: LrsId, model: Model): Promise<void> {
  for (const known of model.known) {
    const { id } = known.statement
    const isVoided = model.isVoided(known)
    const { owner } = known.batch
    const as = async (options: { isVoided: boolean; owner?: CredentialId }) =>
      (await storage.statements.find(lrsId, id, options)).statement?.seq
    expect(await as({ isVoided })).toBe(known.seq)
    expect(await as({ isVoided: !isVoided })).toBeUndefined()
    expect(await as({ isVoided, owner })).toBe(known.seq)
    expect(await as({ isVoided, owner: (owner + 1) as CredentialId })).toBeUndefined()
  }
}
