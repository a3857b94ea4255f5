// How far references pass postings on: the bounds of `StatementStore`, and that each owner has its own.
// test/contract/statements.test.ts has what they pass on, test/contract/list-model.test.ts compares the whole with a model.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { batch, createTenant, filter, idsOf, owners, statement, store as put, term } from './samples.ts'
import { engines } from './engines.ts'
import type { LrsId } from '../../src/core/ids.ts'
import type { PreparedStatement, StatementBatch } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'

const { ann, bob } = owners

describe.each(engines)('references, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (lrsId = (await createTenant(store.storage)).lrsId))

  const save = (statements: readonly PreparedStatement[], part: Partial<StatementBatch> = {}) =>
    put(store.storage, lrsId, statements, part)
  const found = (verb: string, part: Parameters<typeof idsOf>[2] = {}) =>
    idsOf(store.storage, lrsId, { filters: [filter(verb)], limit: 1_000, ...part })
  const referring = (count: number, { id }: PreparedStatement) =>
    Array.from({ length: count }, () => statement({ refersTo: id }))

  it.each([
    ['before', 1_003],
    ['after', 1_001],
  ] as const)('of 1,002 statements to a target that comes %s them: %i have its postings', async (when, count) => {
    const one = statement({ terms: [term('v')] })
    if (when === 'before') await save([one])
    await save(referring(1_002, one))
    if (when === 'after') await save([one])
    expect(await found('v')).toHaveLength(count)
  })

  it.each(['before', 'after'] as const)('of one owner take no room of another’s, target %s', async (when) => {
    const one = statement({ terms: [term('v')] })
    const [early, late] = [statement({ refersTo: one.id }), statement({ refersTo: one.id })]
    if (when === 'before') await save([one])
    await save(referring(1_000, one), { owner: bob })
    await save([early])
    if (when === 'after') await save([one])
    await save([late])
    expect(new Set(await found('v', { owner: ann }))).toEqual(new Set([one.id, early.id, late.id]))
  })

  it('reach 2,000 statements of each owner from one that arrives', async () => {
    const one = statement({ terms: [term('v')] })
    const middles = referring(3, one)
    const mine = [statement({ refersTo: one.id })]
    for (let depth = 0; depth < 5; depth++) mine.push(...referring(1, mine.at(-1) as PreparedStatement))
    await save([...middles, ...middles.flatMap((middle) => referring(900, middle))], { owner: bob })
    await save(mine)
    await save([one])
    expect((await found('v', { owner: ann })).toSorted()).toEqual([one, ...mine].map(({ id }) => id).toSorted())
    expect(await found('v')).toHaveLength(1 + mine.length + 2_000)
  })

  it('reach 5,000 statements of an owner in one transaction, and as many in the next', async () => {
    // Each statement of the chain passes its verb on to all the leaves: 10 × 1,000 statements reached.
    const chain = Array.from({ length: 10 }, (_, n) => statement({ terms: [term(`v${n}`)] }))
    const linked = chain.map((one, n) => ({ ...one, refersTo: chain[n + 1]?.id }))
    await save(referring(999, chain[0] as PreparedStatement), { owner: bob })
    const [one, waiting] = [statement({ terms: [term('v')] }), statement()]
    await save([{ ...waiting, refersTo: one.id }])
    await store.storage.statements.store([batch(lrsId, linked, { owner: bob }), batch(lrsId, [one])])
    const gained = await Promise.all(linked.map(async (_, n) => (await found(`v${n}`)).length - 1))
    const sum = gained.reduce((total, count) => total + count, 0)
    expect(sum).toBeLessThanOrEqual(5_000)
    expect(sum).toBeGreaterThan(4_900)
    expect(await found('v', { owner: ann })).toEqual([one.id, waiting.id])

    const root = statement({ terms: [term('next')] })
    await save(referring(900, root), { owner: bob })
    await save([root], { owner: bob })
    expect(await found('next')).toHaveLength(901)
  })

  it.each(['before', 'after'] as const)('inherit 256 postings, target %s', async (when) => {
    const terms = Array.from({ length: 300 }, (_, n) => term(`v${n}`))
    const [one, source] = [statement({ terms }), statement()]
    const refers = { ...source, refersTo: one.id, terms: [term('own'), term('v0')] }
    for (const next of when === 'before' ? [one, refers] : [refers, one]) await save([next])
    let count = 0
    for (const { value } of terms) if ((await found(value)).includes(refers.id)) count++
    // v0 is its own and takes no room.
    expect(count).toBe(257)
  })

  it('inherit 50,000 postings of an owner in one transaction on arrival', async () => {
    const wide = statement({ terms: Array.from({ length: 250 }, (_, n) => term(`v${n}`)) })
    await save([wide], { owner: bob })
    const late = statement({ refersTo: wide.id })
    await store.storage.statements.store([
      batch(lrsId, referring(201, wide), { owner: bob }),
      batch(lrsId, [late], { owner: ann }),
    ])
    expect(await found('v249', { owner: bob })).toHaveLength(201)
    expect(await found('v249')).toContain(late.id)
    const next = statement({ refersTo: wide.id })
    await save([next], { owner: bob })
    expect(await found('v249', { owner: bob })).toContain(next.id)
  })
})
