// What statements say of activities and agents, and which attachments they brought along.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { batch, createTenant, owners, query, statement, store as put, term } from './samples.ts'
import { engines } from './engines.ts'
import type { CredentialId, LrsId } from '../../src/core/ids.ts'
import type { Description, KnownDescription, PreparedStatement } from '../../src/core/storage.ts'
import type { Reach } from '../../src/core/rights.ts'
import type { Store } from './engines.ts'

const about = { kind: 'activity', value: 'https://example.org/a' } as const
const says = (text: string, timestamp?: number, part: Partial<Description> = {}): PreparedStatement =>
  statement({ timestamp, descriptions: [{ ...about, text, ...part }] })

describe.each(engines)('descriptions, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void ({ lrsId } = await createTenant(store.storage)))

  const list = (owner?: CredentialId, of: Pick<Description, 'kind' | 'value'> = about) =>
    store.storage.statements.listDescriptions(lrsId, of, owner)
  const texts = async (...args: Parameters<typeof list>) => (await list(...args)).map(({ text }) => text)
  const known = (text: string, firstAt: number, isShared = true): KnownDescription => ({ text, isShared, firstAt })
  const by = (owner: CredentialId, defineReach: Reach | undefined = 'mine') => ({ owner, defineReach })

  it('are none of what nobody described', async () => {
    await put(store.storage, lrsId, [statement({ terms: [term(about.value, 'activity')] })])
    expect(await list()).toEqual([])
    expect(await list(undefined, { kind: 'activity', value: 'urn:never' })).toEqual([])
  })

  it('are distinct texts with the earliest time, the latest of them first', async () => {
    await put(store.storage, lrsId, [says('"old"', 10), says('"new"', 30), says('"old"', 40), says('"new"', 20)])
    expect(await list()).toEqual([known('"new"', 20), known('"old"', 10)])
    await put(store.storage, lrsId, [says('"new"', 5)])
    expect(await list()).toEqual([known('"old"', 10), known('"new"', 5)])
  })

  it('take the stored time where a statement has none of its own', async () => {
    const [seq] = await put(store.storage, lrsId, [says('"a"')])
    await put(store.storage, lrsId, [says('"a"')])
    expect(await list()).toEqual([known('"a"', seq!)])
  })

  it('are of one kind and value', async () => {
    await put(store.storage, lrsId, [
      says('"activity"', 1),
      says('"agent"', 2, { kind: 'agent' }),
      says('"other"', 3, { value: 'https://example.org/b' }),
    ])
    expect(await texts()).toEqual(['"activity"'])
    expect(await texts(undefined, { ...about, kind: 'agent' })).toEqual(['"agent"'])
  })

  it('of an owner are those it said itself, shared or not', async () => {
    await put(store.storage, lrsId, [says('"ann"', 10), says('"both"', 20)], by(owners.ann, 'any'))
    await put(store.storage, lrsId, [says('"bob"', 50), says('"both"', 5)], by(owners.bob))
    // Bob, who shares nothing, does not move what Ann shares.
    expect(await list()).toEqual([known('"both"', 20), known('"ann"', 10), known('"bob"', 50, false)])
    expect(await list(owners.ann)).toEqual([known('"both"', 20), known('"ann"', 10)])
    expect(await list(owners.bob)).toEqual([known('"bob"', 50, false), known('"both"', 5, false)])
    expect(await list(owners.cyd)).toEqual([])
  })

  it('become shared with the right and stay so', async () => {
    await put(store.storage, lrsId, [says('"a"', 10)], by(owners.ann))
    await put(store.storage, lrsId, [says('"a"', 20)], by(owners.ann, 'any'))
    await put(store.storage, lrsId, [says('"a"', 30)], by(owners.ann))
    expect(await list()).toEqual([known('"a"', 10)])
  })

  it('of a statement that was there already, or that conflicts, count for nothing', async () => {
    const first = statement({ timestamp: 10 })
    await put(store.storage, lrsId, [first])
    const again = { ...first, descriptions: [{ ...about, text: '"again"' }] }
    await put(store.storage, lrsId, [again])
    const [outcome] = await store.storage.statements.store([
      batch(lrsId, [says('"beside"', 10), { ...again, openBody: `{"id":"${first.id}"` }]),
    ])
    expect(outcome?.kind).toBe('conflict')
    expect(await list()).toEqual([])
    // Nor does the process believe to know them now.
    await put(store.storage, lrsId, [says('"again"', 10), says('"beside"', 10)])
    expect(await texts()).toEqual(['"again"', '"beside"'])
  })

  it('stay the same when everything is sent again, and after a restart', async () => {
    const all = [says('"a"', 10), says('"b"', 20)]
    await put(store.storage, lrsId, all)
    const before = await list()
    await put(store.storage, lrsId, all)
    expect(await list()).toEqual(before)
    await store.restart()
    await put(store.storage, lrsId, [...all, says('"a"', 30)])
    expect(await list()).toEqual(before)
  })

  it('do not depend on the order of arrival, nor on what came together', { timeout: 60_000 }, async () => {
    const saying = fc.record({
      text: fc.constantFrom('"a"', '"b"', '"c"', '"d"'),
      at: fc.integer({ min: 1, max: 6 }),
      owner: fc.constantFrom(owners.ann, owners.bob),
      defineReach: fc.constantFrom('any' as const, 'mine' as const),
    })
    const story = fc.array(saying, { minLength: 1, maxLength: 8 })
    const orders = story.chain((one) => fc.tuple(fc.constant(one), fc.shuffledSubarray(one, { minLength: one.length })))
    const told = async (sayings: readonly SayingOf<typeof saying>[], apart: boolean) => {
      const tenant = await createTenant(store.storage)
      const batches = sayings.map(({ text, at, owner, defineReach }) =>
        batch(tenant.lrsId, [says(text, at)], by(owner, defineReach)),
      )
      if (apart) for (const one of batches) await store.storage.statements.store([one])
      else await store.storage.statements.store(batches)
      const sights = [undefined, owners.ann, owners.bob].map((owner) =>
        store.storage.statements.listDescriptions(tenant.lrsId, about, owner),
      )
      return Promise.all(sights)
    }
    const property = fc.asyncProperty(orders, async ([one, other]) => {
      expect(await told(other, true)).toEqual(await told(one, false))
    })
    await fc.assert(property, { numRuns: engine.name.endsWith('inline') ? 60 : 15 })
  })

  it('are bounded per owner: the latest thousand are kept, others keep theirs', async () => {
    const some = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => says(`"${from + index}"`, from + index))
    await put(store.storage, lrsId, [says('"of bob"', 1)], by(owners.bob))
    for (let from = 2; from < 1602; from += 200) await put(store.storage, lrsId, some(from, from + 200))
    const found = await texts(owners.ann)
    expect(found).toHaveLength(1000)
    expect([found[0], found[999]]).toEqual(['"1601"', '"602"'])
    expect(await texts(owners.bob)).toEqual(['"of bob"'])
    expect(await texts()).toHaveLength(1000)
  })

  it('are listed within a million characters, one of them always', async () => {
    const long = (name: string) => `"${name.repeat(700_000)}"`
    await put(store.storage, lrsId, [says(long('a'), 10), says(long('b'), 20)])
    expect(await texts()).toEqual([long('b')])
  })
})

type SayingOf<T> = T extends fc.Arbitrary<infer S> ? S : never

describe.each(engines)('attachments that came along, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void ({ lrsId } = await createTenant(store.storage)))

  const claims = [
    { sha2: 'aa', contentType: 'text/plain' },
    { sha2: 'bb', contentType: 'image/png' },
  ]
  const find = async (id: string, withAttachments?: boolean) => {
    const options = { isVoided: false, ...(withAttachments !== undefined && { withAttachments }) }
    return (await store.storage.statements.find(lrsId, id, options)).statement?.attachments
  }

  it('are told where asked for, of lists and of single statements', async () => {
    const [bare, full] = [statement(), statement({ attachments: claims })]
    await put(store.storage, lrsId, [bare, full])
    expect([await find(full.id, true), await find(bare.id, true)]).toEqual([claims, []])
    expect([await find(full.id), await find(full.id, false)]).toEqual([undefined, undefined])
    const { list } = store.storage.statements
    const attachments = async (part: object) => {
      const page = await list.call(store.storage.statements, lrsId, query({ isAscending: true, ...part }))
      return page.rows.map((row) => row.attachments)
    }
    expect(await attachments({ withAttachments: true })).toEqual([[], claims])
    expect(await attachments({})).toEqual([undefined, undefined])
  })

  it('of an equal statement that comes again are added, whoever sends it and may know of it', async () => {
    const one = statement()
    await put(store.storage, lrsId, [one])
    await put(store.storage, lrsId, [{ ...one, attachments: claims.slice(0, 1) }])
    expect(await find(one.id, true)).toEqual(claims.slice(0, 1))
    await put(store.storage, lrsId, [{ ...one, attachments: claims }], { owner: owners.bob, readReach: 'any' })
    expect(await find(one.id, true)).toEqual(claims)
    await put(store.storage, lrsId, [one])
    expect(await find(one.id, true)).toEqual(claims)
  })

  it('of a statement that conflicts are not added, nor those beside it', async () => {
    const [one, two] = [statement(), statement()]
    await put(store.storage, lrsId, [one, two])
    const again = [
      { ...two, attachments: claims },
      { ...one, attachments: claims },
    ]
    const byBob = batch(lrsId, again, { owner: owners.bob, readReach: 'mine' })
    expect((await store.storage.statements.store([byBob]))[0]?.kind).toBe('conflict')
    expect([await find(one.id, true), await find(two.id, true)]).toEqual([[], []])
  })
})
