// What the contract cannot see of pages made in the database: what their cursors tell, what they cost, how much they hold.

import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { Database } from './database.ts'
import { Horizon } from './horizon.ts'
import { StatementReader } from './statement-reader.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { dictionaryTerm, ownerTerm } from '../posting.ts'
import { hash } from 'node:crypto'
import type { CredentialId, LrsId, Seq } from '../../core/ids.ts'
import type { StatementQuery } from '../../core/storage.ts'

const lrsId = 1 as LrsId
const owner = 7 as CredentialId
const verb = (value: string, includeRelated = false) => ({ kind: 'verb', value, includeRelated }) as const

describe('a reader of statements on PostgreSQL', () => {
  let base: Awaited<ReturnType<typeof createDatabase>>
  let database: Database
  let reader: StatementReader
  beforeEach(async () => {
    base = await createDatabase(inject('postgresUrl'))
    database = new Database({ url: base.url, connections: 1 })
    reader = new StatementReader(database, new Horizon(database))
    for (const [index, value] of ['v', 'w'].entries()) {
      const row = [index + 1, hash('sha256', value, 'buffer'), value]
      await database.query(`insert into term (lrs_id, id, kind, sha256, value) values (1, $1, 'verb', $2, $3)`, row)
    }
  })
  afterEach(async () => {
    await database.close()
    await base.drop()
  })

  /** Statements with the seqs from..to, bodies of this many characters. */
  const putStatements = (from: number, to: number, length = 10) =>
    database.query(
      `insert into statement (lrs_id, is_voiding, seq, timestamp, owner, id, terms, body)
       select 1, 0, n, n, 7, decode(lpad(to_hex(n), 32, '0'), 'hex'), '', repeat('x', $3)
       from generate_series($1::integer, $2::integer) n`,
      [from, to, length],
    )
  /** Postings at every n * `step` + `offset` below `most`, where `run` says so of n. */
  const post = (term: bigint | number, { step = 1, offset = 0, most = 100_000, run = 'true' }) =>
    database.query(
      `insert into posting select 1, $1, n * $2::integer + $3::integer from generate_series(0, $4::integer - 1) n where ${run}`,
      [term, step, offset, most / step],
    )
  const query = (part: Partial<StatementQuery>) => ({ filters: [], isAscending: false, limit: 100, ...part })

  it('gives who reads its own only a cursor that tells nothing of others', async () => {
    // Runs of ten, in turn: the owner's postings at seqs ending on 3, the others' postings of the verb on 8.
    const runs = { step: 10, most: 1_000_000 }
    await post(ownerTerm(owner), { ...runs, offset: 3, run: '(n / 10) % 2 = 0' })
    await post(dictionaryTerm(1), { ...runs, offset: 8, run: '(n / 10) % 2 = 1' })
    for (const [isAscending, includeRelated] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      const asked = query({ filters: [verb('v', includeRelated)], isAscending, owner })
      let { next } = await reader.list(lrsId, asked)
      expect(next).toBeDefined()
      for (let pages = 0; next !== undefined; pages++) {
        expect(pages).toBeLessThan(60)
        // Just short of a posting of the owner's.
        expect((next + (isAscending ? 1 : -1)) % 10).toBe(3)
        next = (await reader.list(lrsId, { ...asked, cursor: next })).next
      }
    }
  })

  it('ends a page when its seeks are spent, and goes on there, until all that meets is found', async () => {
    await putStatements(60_000, 60_000)
    await putStatements(90_000, 90_000)
    await post(dictionaryTerm(1), { run: 'n % 2 = 0' })
    await post(dictionaryTerm(2), { run: 'n % 2 = 1 or n in (60000, 90000)' })
    for (const isAscending of [true, false]) {
      const asked = query({ filters: [verb('v'), verb('w')], isAscending })
      const found: Seq[] = []
      let pages = 0
      for (let next: Seq | undefined; pages === 0 || next !== undefined; pages++) {
        const page = await reader.list(lrsId, { ...asked, ...(next !== undefined && { cursor: next }) })
        found.push(...page.rows.map(({ seq }) => seq))
        next = page.next
      }
      expect(found).toEqual(isAscending ? [60_000, 90_000] : [90_000, 60_000])
      expect(pages).toBeGreaterThan(3)
      expect(pages).toBeLessThan(20)
    }
  })

  it('jumps over what another filter does not have', async () => {
    await putStatements(99_999, 99_999)
    await post(dictionaryTerm(1), {})
    await post(dictionaryTerm(2), { run: 'n = 3 or n = 99999' })
    await putStatements(3, 3)
    for (const isAscending of [true, false]) {
      const page = await reader.list(lrsId, query({ filters: [verb('v'), verb('w')], isAscending }))
      expect(page.rows.map(({ seq }) => seq)).toEqual(isAscending ? [3, 99_999] : [99_999, 3])
      expect(page.next).toBeUndefined()
    }
  })

  it('goes through long runs of voided statements within its seeks', async () => {
    await putStatements(1, 20_000)
    await database.query('update statement set is_voided = 1 where seq > 1')
    await post(dictionaryTerm(1), { offset: 1, most: 20_000 })
    for (const filters of [[], [verb('v')]]) {
      const asked = query({ filters })
      let pages = 1
      let page = await reader.list(lrsId, asked)
      for (; page.next !== undefined; pages++) {
        expect(page.rows).toEqual([])
        page = await reader.list(lrsId, { ...asked, cursor: page.next })
      }
      expect(page.rows.map(({ seq }) => seq)).toEqual([1])
      expect(pages).toBe(3)
    }
  })

  it('answers no more than a page of bodies at a time, however large they are, and one always', async () => {
    await putStatements(1, 30, 2_000_000)
    await putStatements(31, 31, 20_000_000)
    const lengths: number[] = []
    for (let next: Seq | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
      const page = await reader.list(lrsId, query(next === undefined ? {} : { cursor: next }))
      lengths.push(page.rows.length)
      next = page.next
    }
    expect(lengths).toEqual([1, 8, 8, 8, 6])
  })

  it(
    'reads little for a page, also right after very many came and nothing is known of them',
    { timeout: 60_000 },
    async () => {
      const shapes: readonly Partial<StatementQuery>[] = [true, false].flatMap((isAscending) => [
        { isAscending },
        { isAscending, filters: [verb('v')] },
        { isAscending, filters: [verb('v', true)] },
        { isAscending, filters: [verb('v'), verb('w', true)] },
        { isAscending, owner },
        { isAscending, owner, filters: [verb('w')] },
      ])
      const readAll = async () => {
        for (const shape of shapes) await reader.list(lrsId, query({ ...shape, limit: 10 }))
      }
      // Plans are made while there is nearly nothing, and kept.
      await putStatements(0, 3)
      for (const term of [dictionaryTerm(1), dictionaryTerm(2), ownerTerm(owner)]) await post(term, { most: 4 })
      await database.query('analyze statement, posting')
      for (let times = 0; times < 6; times++) await readAll()
      await putStatements(4, 50_000)
      for (const term of [dictionaryTerm(1), dictionaryTerm(2), ownerTerm(owner)]) {
        await post(term, { offset: 4, most: 50_000 })
      }
      for (const shape of shapes) {
        const blocks = await blocksOf(query({ ...shape, limit: 10 }))
        expect(blocks, JSON.stringify(shape)).toBeLessThan(400)
      }
    },
  )

  /** Pages of tables and indexes that a list looks at: a table here has a thousand and more. */
  async function blocksOf(asked: StatementQuery): Promise<number> {
    let blocks = 0
    const watching = {
      query: async (text: string, values: readonly unknown[], name: string) => {
        if (name === 'statement-page') {
          const [row] = await database.query<{ 'QUERY PLAN': readonly [{ Plan: Record<string, number> }] }>(
            `explain (analyze, buffers, format json) ${text}`,
            values,
          )
          const plan = row?.['QUERY PLAN'][0].Plan
          blocks = (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0)
        }
        return database.query(text, values, name)
      },
    } as Database
    const page = await new StatementReader(watching, new Horizon(database)).list(lrsId, asked)
    expect(page.rows).toHaveLength(asked.limit)
    return blocks
  }
})
