// Storing, finding and listing statements: the rules of `StatementStore` one by one. test/contract/list-model.test.ts
// compares lists as a whole with a model.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { batch, createTenant, filter, idsOf, owners, query, saying, statement, store as put, term } from './samples.ts'
import { engines } from './engines.ts'
import { formatStored } from '../../src/core/xapi/time.ts'
import type { LrsId, Seq } from '../../src/core/ids.ts'
import type { PreparedStatement, StatementBatch } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'

const { ann, bob, cyd } = owners
const mine = { readReach: 'mine', voidReach: 'mine' } as const
const voiding = (target: PreparedStatement) => statement({ refersTo: target.id, isVoiding: true })

describe.each(engines)('statements, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (lrsId = (await createTenant(store.storage)).lrsId))

  const save = (statements: readonly PreparedStatement[], part: Partial<StatementBatch> = {}) =>
    put(store.storage, lrsId, statements, part)
  const list = (part: Parameters<typeof query>[0] = {}) => idsOf(store.storage, lrsId, part)
  const find = async (id: string, isVoided = false) =>
    (await store.storage.statements.find(lrsId, id, { isVoided })).statement
  const outcomesOf = (...batches: readonly StatementBatch[]) => store.storage.statements.store(batches)

  describe('what is stored', () => {
    it('is the text with its stored time, and a timestamp when none was sent', async () => {
      const [plain, timed] = [statement(), statement({ timestamp: 1_600_000_000_000_000 })]
      const [one, two] = (await save([plain, timed])) as [Seq, Seq]
      const [first, second] = [formatStored(one), formatStored(two)]
      expect(await find(plain.id)).toEqual({
        seq: one,
        owner: ann,
        body: `${plain.openBody},"timestamp":"${first}","stored":"${first}"}`,
      })
      expect((await find(timed.id))?.body).toBe(`${timed.openBody},"stored":"${second}"}`)
      const { rows } = await store.storage.statements.list(lrsId, query({ isAscending: true }))
      expect(rows).toEqual([await find(plain.id), await find(timed.id)])
    })

    it('keeps any text', async () => {
      const odd = statement({ openBody: `{"id":"x","t":"\\u0000 \\ud800 é 漢 😀 ${'x'.repeat(100_000)}"` })
      await save([odd])
      expect((await find(odd.id))?.body.startsWith(odd.openBody)).toBe(true)
    })

    it('gets a stored time of its own, rising within and over batches', async () => {
      const outcomes = await outcomesOf(
        batch(lrsId, [statement(), statement(), statement()]),
        batch(lrsId, [statement()]),
      )
      const seqs = outcomes.flatMap((outcome) => (outcome.kind === 'stored' ? outcome.statements : []))
      const later = await save([statement()])
      const all = [...seqs.map(({ seq }) => seq), ...later]
      expect(all).toHaveLength(5)
      expect(all.every((seq, index) => index === 0 || seq > (all[index - 1] as number))).toBe(true)
    })

    it('is there after a restart', async () => {
      const one = statement({ terms: [term('a')] })
      const [seq] = await save([one])
      await store.restart()
      expect((await find(one.id))?.seq).toBe(seq)
      expect(await list({ filters: [filter('a')] })).toEqual([one.id])
      const [next] = await save([statement({ terms: [term('a')] })])
      expect(next).toBeGreaterThan(seq as number)
      expect(await list({ filters: [filter('a')] })).toHaveLength(2)
    })

    it('may be nothing', async () => {
      expect(await outcomesOf()).toEqual([])
      expect(await outcomesOf(batch(lrsId, []))).toEqual([{ kind: 'stored', statements: [] }])
    })
  })

  describe('an id that exists', () => {
    const again = async (
      first: PreparedStatement,
      part: Partial<PreparedStatement>,
      as: Partial<StatementBatch> = {},
    ) => {
      const [seq] = await save([first])
      const bystander = statement()
      const [outcome] = await outcomesOf(batch(lrsId, [bystander, { ...first, ...part }], as))
      return { seq, outcome, bystander }
    }
    const there = (seq: Seq | undefined) => ({
      kind: 'stored',
      statements: [expect.objectContaining({ wasThere: false }), { seq, wasThere: true }],
    })
    const conflict = { kind: 'conflict', index: 1 }

    it('is acknowledged when it is the same statement', async () => {
      const { seq, outcome } = await again(statement(), {})
      expect(outcome).toEqual(there(seq))
      expect(await list()).toHaveLength(2)
    })

    it('conflicts when the statement differs, and nothing of the batch is stored', async () => {
      const { outcome, bystander } = await again(statement(), { openBody: saying('', 'other') })
      expect(outcome).toEqual(conflict)
      expect(await find(bystander.id)).toBeUndefined()
      expect(await list()).toHaveLength(1)
    })

    it('conflicts when another timestamp was sent, not when none or the same was', async () => {
      const timed = { timestamp: 1_600_000_000_000_000 }
      expect((await again(statement(timed), { timestamp: 1_600_000_000_000_001 })).outcome).toEqual(conflict)
      const same = await again(statement(timed), {})
      expect(same.outcome).toEqual(there(same.seq))
      const none = await again(statement(timed), { timestamp: undefined })
      expect(none.outcome).toEqual(there(none.seq))
      expect((await again(statement(), timed)).outcome).toEqual(conflict)
    })

    it('counts the stored time as timestamp where none was sent', async () => {
      const first = statement()
      const [seq] = await save([first])
      const [outcome] = await outcomesOf(batch(lrsId, [{ ...first, timestamp: seq }]))
      expect(outcome).toMatchObject({ kind: 'stored', statements: [{ wasThere: true }] })
    })

    it('conflicts for another owner who cannot read it, even when equal', async () => {
      for (const readReach of ['mine', undefined] as const) {
        expect((await again(statement(), {}, { owner: bob, readReach })).outcome).toEqual(conflict)
      }
      const reader = await again(statement(), {}, { owner: bob, readReach: 'any' })
      expect(reader.outcome).toEqual(there(reader.seq))
      expect((await find((await list()).at(-1) as string))?.owner).toBe(ann)
      const own = await again(statement(), {}, { readReach: undefined })
      expect(own.outcome).toEqual(there(own.seq))
    })

    it('is judged batch by batch, in order, also within one call', async () => {
      const [one, other] = [statement(), statement()]
      const outcomes = await outcomesOf(
        batch(lrsId, [one]),
        batch(lrsId, [other, { ...one, openBody: saying('', 'other') }]),
        batch(lrsId, [one, statement()]),
      )
      expect(outcomes.map(({ kind }) => kind)).toEqual(['stored', 'conflict', 'stored'])
      expect(outcomes[2]).toMatchObject({ statements: [{ wasThere: true }, { wasThere: false }] })
      expect(await list()).toHaveLength(2)
      expect(await find(other.id)).toBeUndefined()
    })

    it('is judged the same when calls come at once', async () => {
      const id = statement().id
      const calls = Array.from({ length: 20 }, (_, n) =>
        outcomesOf(batch(lrsId, [statement({ id, openBody: saying(id, n % 2 === 0 ? 'a' : 'b') })])),
      )
      const outcomes = (await Promise.all(calls)).flat()
      expect(outcomes.filter(({ kind }) => kind === 'stored')).toHaveLength(10)
      const news = outcomes.filter((one) => one.kind === 'stored' && one.statements[0]?.wasThere === false)
      expect(news).toHaveLength(1)
      expect(await list()).toEqual([id])
    })

    it('stays as it was when it was voided', async () => {
      const first = statement()
      await save([first, voiding(first)])
      const [outcome] = await outcomesOf(batch(lrsId, [first]))
      expect(outcome).toMatchObject({ kind: 'stored', statements: [{ wasThere: true }] })
      expect(await find(first.id)).toBeUndefined()
    })
  })

  describe('voiding', () => {
    it('hides the target from lists, moves it to the voided ones', async () => {
      const [target, other] = [statement({ terms: [term('a')] }), statement({ terms: [term('a')] })]
      await save([target, other])
      const voider = voiding(target)
      await save([voider])
      expect(await list()).toEqual([voider.id, other.id])
      expect(await list({ filters: [filter('a')] })).toEqual([voider.id, other.id])
      expect(await find(target.id)).toBeUndefined()
      expect((await find(target.id, true))?.owner).toBe(ann)
      expect(await find(other.id, true)).toBeUndefined()
    })

    it('tells which of them are voided to who asks for these, too, in whichever order', async () => {
      const [target, other] = [statement({ terms: [term('a')] }), statement({ terms: [term('a')] })]
      await save([target, other])
      const voider = voiding(target)
      await save([voider])
      for (const filters of [[], [filter('a')]]) {
        for (const isAscending of [true, false]) {
          const asked = { filters, isAscending, limit: 1, withVoided: true }
          const first = await store.storage.statements.list(lrsId, query(asked))
          const cursor = first.next
          const rest = await store.storage.statements.list(lrsId, query({ ...asked, limit: 5, cursor: cursor! }))
          const rows = [...first.rows, ...rest.rows].map(({ body, isVoided }) => [
            (JSON.parse(body) as { id: string }).id,
            isVoided,
          ])
          const expected = [
            [target.id, true],
            [other.id, false],
            [voider.id, false],
          ]
          expect(rows).toEqual(isAscending ? expected : expected.toReversed())
        }
      }
      const { rows } = await store.storage.statements.list(lrsId, query({ limit: 5 }))
      expect(rows.map((row) => 'isVoided' in row && row.isVoided !== undefined)).toEqual([false, false])
    })

    it.each(['before', 'with', 'after'] as const)('takes effect when it comes %s its target', async (when) => {
      const target = statement()
      const voider = voiding(target)
      if (when === 'with') await save([voider, target])
      else for (const one of when === 'before' ? [voider, target] : [target, voider]) await save([one])
      expect(await list()).toEqual([voider.id])
      expect(await find(target.id, true)).toBeDefined()
    })

    it.each(['before', 'after'] as const)('never takes effect on a voiding statement, %s it', async (when) => {
      const target = voiding(statement())
      const voider = voiding(target)
      for (const one of when === 'before' ? [voider, target] : [target, voider]) await save([one])
      expect(await find(target.id)).toBeDefined()
      expect(await find(target.id, true)).toBeUndefined()
      expect(await find(voider.id)).toBeDefined()
    })

    it.each(['before', 'after'] as const)('with reach mine leaves others’ statements alone, %s them', async (when) => {
      const [theirs, own] = [statement(), statement()]
      const targets = () => Promise.all([save([theirs], { owner: bob }), save([own])])
      if (when === 'after') await targets()
      await save([voiding(theirs), voiding(own)], mine)
      if (when === 'before') await targets()
      expect(await find(theirs.id)).toBeDefined()
      expect(await find(own.id)).toBeUndefined()
    })

    it.each(['before', 'after'] as const)('has no effect without a reach, %s its target', async (when) => {
      const target = statement()
      const save2 = () => save([voiding(target)], { voidReach: undefined })
      if (when === 'before') await save2()
      await save([target])
      if (when === 'after') await save2()
      expect(await find(target.id)).toBeDefined()
    })

    it('waits behind any number of referring statements', async () => {
      const target = statement()
      await save(Array.from({ length: 1_001 }, () => statement({ refersTo: target.id })))
      await save([voiding(target)])
      await save([target])
      expect(await find(target.id)).toBeUndefined()
    })
  })

  describe('lists', () => {
    it('hold 16 million characters a page at most, whatever the limit', { timeout: 60_000 }, async () => {
      const large = () => {
        const one = statement({ terms: [term('large')] })
        return { ...one, openBody: `${one.openBody},"x":"${'x'.repeat(6_000_000)}"` }
      }
      const all = [large(), large(), large(), large(), large()]
      for (const one of all) await save([one])
      const ids = all.map(({ id }) => id).toReversed()
      for (const part of [{}, { filters: [filter('large')] }, { owner: ann }]) {
        const { rows, next } = await store.storage.statements.list(lrsId, query(part))
        expect(rows).toHaveLength(2)
        expect(next).toBe(rows.at(-1)?.seq)
        expect(await list(part)).toEqual(ids)
      }
    })

    it('are newest first, or oldest first', async () => {
      const all = [statement(), statement(), statement()]
      await save(all)
      const ids = all.map(({ id }) => id)
      expect(await list({ isAscending: true })).toEqual(ids)
      expect(await list()).toEqual(ids.toReversed())
    })

    it('are bounded: since is exclusive, until inclusive', async () => {
      const all = [statement(), statement(), statement()]
      const seqs = (await save(all)) as [Seq, Seq, Seq]
      const ids = all.map(({ id }) => id)
      for (const filters of [[], [filter('nothing')]]) {
        const expected = (some: string[]) => (filters.length === 0 ? some : [])
        expect(await list({ filters, isAscending: true, since: seqs[0] })).toEqual(expected(ids.slice(1)))
        expect(await list({ filters, isAscending: true, until: seqs[1] })).toEqual(expected(ids.slice(0, 2)))
        expect(await list({ filters, since: seqs[0], until: seqs[1] })).toEqual(expected(ids.slice(1, 2)))
        expect(await list({ filters, since: seqs[1], until: seqs[1] })).toEqual([])
      }
    })

    it('say where to go on exactly when there is more', async () => {
      await save([1, 2, 3, 4].map(() => statement({ terms: [term('a')] })))
      for (const filters of [[], [filter('a')]]) {
        for (const isAscending of [true, false]) {
          const page = await store.storage.statements.list(lrsId, query({ filters, isAscending, limit: 2 }))
          expect(page.rows).toHaveLength(2)
          expect(page.next).toBe(page.rows[1]?.seq)
          const rest = { filters, isAscending, limit: 2, ...(page.next !== undefined && { cursor: page.next }) }
          const second = await store.storage.statements.list(lrsId, query(rest))
          expect(second.rows).toHaveLength(2)
          expect(second.next).toBeUndefined()
        }
      }
    })

    it('go on undisturbed by what is stored meanwhile', async () => {
      for (const filters of [[], [filter('a')]]) {
        const old = [1, 2, 3, 4].map(() => statement({ terms: [term('a')] }))
        await save(old)
        const ids = old.map(({ id }) => id).toReversed()
        const page = await store.storage.statements.list(lrsId, query({ filters, limit: 2 }))
        expect(page.rows.map(({ body }) => (JSON.parse(body) as { id: string }).id)).toEqual(ids.slice(0, 2))
        const newer = statement({ terms: [term('a')] })
        await save([newer])
        const rest = await list({ filters, limit: 2, cursor: page.next as Seq })
        expect(rest.slice(0, 2)).toEqual(ids.slice(2))
        expect(rest).not.toContain(newer.id)
      }
    })

    it('match every kind of term apart', async () => {
      const kinds = ['agent', 'verb', 'activity', 'registration'] as const
      const all = kinds.map((kind) => statement({ terms: [term('same', kind)] }))
      await save(all)
      for (const [index, kind] of kinds.entries()) {
        expect(await list({ filters: [filter('same', kind)] })).toEqual([all[index]?.id])
      }
    })

    it('reach related terms only where asked', async () => {
      const direct = statement({ terms: [term('a', 'agent')] })
      const related = statement({ terms: [term('a', 'agent', true), term('r', 'registration', true)] })
      await save([direct, related])
      expect(await list({ filters: [filter('a', 'agent')] })).toEqual([direct.id])
      expect(await list({ filters: [filter('a', 'agent', true)] })).toEqual([related.id, direct.id])
      expect(await list({ filters: [filter('r', 'registration')] })).toEqual([])
      expect(await list({ filters: [filter('r', 'registration', true)] })).toEqual([related.id])
    })

    it('tell long and strange values apart', async () => {
      const values = ['x'.repeat(5_000), `${'x'.repeat(4_999)}y`, 'ü', 'Ü', "'; drop table term", ' ', '%']
      const all = values.map((value) => statement({ terms: [term(value)] }))
      await save(all)
      for (const [index, value] of values.entries()) {
        expect(await list({ filters: [filter(value)] })).toEqual([all[index]?.id])
      }
      expect(await list({ filters: [filter('X'.repeat(5_000))] })).toEqual([])
    })

    it('need all filters to match', async () => {
      const both = statement({ terms: [term('a', 'agent'), term('v')] })
      await save([both, statement({ terms: [term('a', 'agent')] }), statement({ terms: [term('v')] })])
      expect(await list({ filters: [filter('a', 'agent'), filter('v')] })).toEqual([both.id])
      expect(await list({ filters: [filter('a', 'agent'), filter('other')] })).toEqual([])
    })

    it('with an owner show that owner’s only', async () => {
      const [one, two] = [statement({ terms: [term('a')] }), statement({ terms: [term('a')] })]
      await save([one])
      await save([two], { owner: bob })
      expect(await list({ owner: ann })).toEqual([one.id])
      expect(await list({ owner: bob, filters: [filter('a')] })).toEqual([two.id])
      expect(await list({ owner: cyd })).toEqual([])
      expect(await list({ filters: [filter('a')] })).toEqual([two.id, one.id])
    })

    it('page through more rows than one chunk holds, in both directions, filtered and not', async () => {
      const all = Array.from({ length: 1_500 }, (_, n) =>
        statement({ terms: [term('a'), term(`odd ${n % 2}`), term(`r${n % 3}`, 'agent', true)] }),
      )
      await save(all)
      const ids = all.map(({ id }) => id)
      const shown = (some: PreparedStatement[]) => some.map(({ id }) => id)
      for (const isAscending of [true, false]) {
        const turned = (list: string[]) => (isAscending ? list : list.toReversed())
        expect(await list({ isAscending, limit: 333 })).toEqual(turned(ids))
        expect(await list({ isAscending, limit: 333, filters: [filter('a')] })).toEqual(turned(ids))
        const filters = [filter('odd 1'), filter('r2', 'agent', true)]
        const matching = shown(all.filter((_, n) => n % 2 === 1 && n % 3 === 2))
        expect(await list({ isAscending, limit: 7, filters })).toEqual(turned(matching))
        expect(await list({ isAscending, limit: 333, filters, owner: ann })).toEqual(turned(matching))
      }
    })

    it(
      'answer a short page that goes on when ranges meet too rarely, and miss nothing',
      { timeout: 60_000 },
      async () => {
        // Two terms take turns, so that every step is a seek; the one statement with both is the oldest.
        const both = statement({ terms: [term('a'), term('b')] })
        await save([both])
        for (let part = 0; part < 25; part++) {
          await save(Array.from({ length: 1_000 }, (_, n) => statement({ terms: [term(n % 2 === 0 ? 'a' : 'b')] })))
        }
        const filters = [filter('a'), filter('b')]
        const first = await store.storage.statements.list(lrsId, query({ filters }))
        expect(await list({ filters })).toEqual([both.id])
        if (first.rows.length === 0) expect(first.next).toBeDefined()
        expect(await list({ filters, isAscending: true })).toEqual([both.id])
      },
    )

    it('walk past a run of voided statements', async () => {
      const gone = Array.from({ length: 300 }, () => statement({ terms: [term('a')] }))
      const kept = statement({ terms: [term('a')] })
      await save([kept, ...gone])
      await save(gone.map((target) => ({ ...voiding(target), terms: [term('v')] })))
      const voiders = filter('v')
      expect(await list({ filters: [voiders], limit: 500 })).toHaveLength(300)
      const ids = await list({ limit: 1 })
      expect(ids).toHaveLength(301)
      expect(ids.at(-1)).toBe(kept.id)
      expect((await list({ filters: [filter('a')], limit: 10 })).at(-1)).toBe(kept.id)
    })
  })

  describe('references', () => {
    const verb = [filter('v')]
    const target = () => statement({ terms: [term('v'), term('a', 'agent', true)] })

    it.each(['before', 'after'] as const)('inherit from a target that comes %s', async (when) => {
      const one = target()
      const referring = statement({ refersTo: one.id })
      const further = statement({ refersTo: referring.id })
      const order = when === 'before' ? [one, referring, further] : [further, referring, one]
      for (const next of order) await save([next])
      const ids = order.map(({ id }) => id).toReversed()
      expect(await list({ filters: verb })).toEqual(ids)
      expect(await list({ filters: verb, owner: ann })).toEqual(ids)
      expect(await list({ filters: [filter('a', 'agent', true)] })).toEqual(ids)
      expect(await list({ filters: [filter('a', 'agent')] })).toEqual([])
    })

    it.each(['before', 'after'] as const)('inherit foreign postings for reach any only, target %s', async (when) => {
      const one = target()
      const referring = statement({ refersTo: one.id })
      const further = statement({ refersTo: referring.id, terms: [term('own')] })
      // ann → bob → ann: what comes through bob is foreign for ann, though it is her own at the far end.
      const saves = [() => save([one]), () => save([referring], { owner: bob }), () => save([further])]
      for (const next of when === 'before' ? saves : saves.toReversed()) await next()
      expect(new Set(await list({ filters: verb }))).toEqual(new Set([one.id, referring.id, further.id]))
      expect(await list({ filters: verb, owner: ann })).toEqual([one.id])
      expect(await list({ filters: verb, owner: bob })).toEqual([])
      expect(await list({ filters: [filter('own')], owner: ann })).toEqual([further.id])
      expect(await list({ filters: [filter('own')], owner: bob })).toEqual([])
    })

    it('inherit nothing of the target’s owner', async () => {
      const one = target()
      await save([one], { owner: bob })
      await save([statement({ refersTo: one.id })])
      expect(await list({ owner: bob })).toEqual([one.id])
    })

    it('may be circular, or to itself', async () => {
      const [one, two, self] = [statement(), statement(), statement()]
      await save([
        { ...one, refersTo: two.id, terms: [term('one')] },
        { ...two, refersTo: one.id, terms: [term('two')] },
        { ...self, refersTo: self.id, terms: [term('self')] },
      ])
      expect(await list({ filters: [filter('one')] })).toEqual([two.id, one.id])
      expect(await list({ filters: [filter('two')] })).toEqual([two.id, one.id])
      expect(await list({ filters: [filter('self')] })).toEqual([self.id])
    })

    it('still find the voiding statement by what it voided', async () => {
      const one = target()
      const voider = voiding(one)
      await save([one, voider])
      expect(await list({ filters: verb })).toEqual([voider.id])
    })
  })

  describe('find', () => {
    it('finds nothing where there is nothing, and only the owner’s own', async () => {
      const one = statement()
      await save([one])
      const { statements } = store.storage
      const as = async (id: string, owner?: typeof ann) =>
        (await statements.find(lrsId, id, { isVoided: false, ...(owner !== undefined && { owner }) })).statement
      expect(await as(statement().id)).toBeUndefined()
      expect((await as(one.id, ann))?.owner).toBe(ann)
      expect(await as(one.id, bob)).toBeUndefined()
    })
  })
})
