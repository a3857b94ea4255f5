// Stored times and Consistent-Through: whoever follows with since = the last Consistent-Through misses nothing, whatever
// writers and the clock do.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { batch, createTenant, filter, owners, query, saying, statement, store as put, term } from './samples.ts'
import { engines } from './engines.ts'
import type { LrsId, Seq } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'

const hour = 3_600_000

describe.each(engines)('stored times, $name', (engine) => {
  const start = 1_750_000_000_000
  let time: number
  let store: Store
  let lrsId: LrsId
  beforeEach(async () => {
    time = start
    store = await engine.open({ now: () => time })
    lrsId = (await createTenant(store.storage)).lrsId
  })
  afterEach(() => store.end())

  const through = (of = lrsId) => store.storage.statements.consistentThrough(of)
  const save = async (of = lrsId) => (await put(store.storage, of, [statement()]))[0] as Seq

  it('is the clock in microseconds', async () => {
    expect(await save()).toBe(start * 1_000)
    time += 5
    expect(await save()).toBe((start + 5) * 1_000)
  })

  it('rises when the clock stands still or goes back an hour', async () => {
    const seqs = [await save(), await save()]
    time -= hour
    seqs.push(await save(), await save())
    expect(seqs).toEqual([0, 1, 2, 3].map((n) => start * 1_000 + n))
  })

  it('rises over a restart with the clock set back', async () => {
    const last = await save()
    time -= hour
    await store.restart()
    expect(await through()).toBe(last)
    expect(await save()).toBe(last + 1)
  })

  it('is later than any Consistent-Through given out, also after a restart with the clock set back', async () => {
    await save()
    time += hour
    const announced = await through()
    expect(announced).toBe(time * 1_000)
    time -= hour
    expect(await save()).toBe(announced + 1)
    const other = (await createTenant(store.storage)).lrsId
    time += 2 * hour
    const elsewhere = await through(other)
    time -= 2 * hour
    await store.restart()
    expect(await save(other)).toBeGreaterThan(elsewhere)
  })

  it('is later than one given out by a read of any kind', async () => {
    const { statements } = store.storage
    const reads = [
      () => statements.list(lrsId, query()),
      () => statements.list(lrsId, query({ filters: [filter('v')] })),
      () => statements.find(lrsId, statement().id, { isVoided: false }),
    ]
    for (const read of reads) {
      time += 10
      const { consistentThrough } = await read()
      expect(consistentThrough).toBe(time * 1_000)
      expect(await save()).toBe(consistentThrough + 1)
    }
  })

  it('covers what is stored, and does not fall behind it or itself when the clock goes back', async () => {
    time -= hour
    await save()
    time += hour
    const first = await through()
    const seq = await save()
    expect(seq).toBeGreaterThan(first)
    time -= hour
    expect(await through()).toBeGreaterThanOrEqual(seq)
  })

  it('passes the wall clock when idle, also of an Lrs nobody wrote to', async () => {
    expect(await through()).toBe(start * 1_000)
    time += 100
    expect(await through()).toBe((start + 100) * 1_000)
    await save()
    time += 100
    expect(await through()).toBe((start + 200) * 1_000)
  })

  it('is held while a store is under way, for its Lrs only', async () => {
    const other = (await createTenant(store.storage)).lrsId
    const before = await through()
    const stored = store.storage.statements.store([batch(lrsId, [statement()])])
    time += 10
    const [held, free] = await Promise.all([through(), through(other)])
    const [outcome] = await stored
    const seq = outcome?.kind === 'stored' ? (outcome.statements[0]?.seq as number) : 0
    // Either the commit was seen or it was not; never the clock.
    expect([before, seq]).toContain(held)
    expect(free).toBe(time * 1_000)
  })

  it('is released when a store fails as a conflict', async () => {
    const one = statement()
    await put(store.storage, lrsId, [one])
    time += 10
    await store.storage.statements.store([batch(lrsId, [{ ...one, openBody: saying(one.id, 'other') }])])
    expect(await through()).toBe(time * 1_000)
  })
})

describe.each(engines)('a follower, $name', (engine) => {
  it('misses nothing and sees nothing twice while writers run and the clock jumps', { timeout: 60_000 }, async () => {
    let jump = 0
    const store = await engine.open({ now: () => Date.now() + jump })
    const { statements } = store.storage
    const { lrsId } = await createTenant(store.storage)
    const written = new Set<Seq>()
    let writing = 6

    const write = async (writer: number) => {
      for (let n = 0; n < 60; n++) {
        const some = Array.from({ length: 1 + ((n + writer) % 4) }, () => statement({ terms: [term('v')] }))
        const owner = writer % 2 === 0 ? owners.ann : owners.bob
        for (const seq of await put(store.storage, lrsId, some, { owner })) written.add(seq)
        if (n % 20 === 19) jump += writer % 2 === 0 ? -3_600_000 : 60_000
        if (n % 7 === writer) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      writing--
    }

    /** Reads what is new since its last Consistent-Through; afterwards once more, for the rest. */
    const follow = async (part: Parameters<typeof query>[0]) => {
      const seen: Seq[] = []
      let since = 0
      for (let isLast = false; ;) {
        const page = await statements.list(lrsId, query({ ...part, isAscending: true, since, limit: 1_000 }))
        expect(page.consistentThrough).toBeGreaterThanOrEqual(since)
        expect(page.next).toBeUndefined()
        seen.push(...page.rows.map(({ seq }) => seq).filter((seq) => seq <= page.consistentThrough))
        since = page.consistentThrough
        if (isLast) return seen
        isLast = writing === 0
        await new Promise((resolve) => setImmediate(resolve))
      }
    }

    const followers = [follow({}), follow({ filters: [filter('v')] }), follow({ filters: [filter('v')] })]
    await Promise.all([0, 1, 2, 3, 4, 5].map(write))
    const expected = [...written].toSorted((a, b) => a - b)
    expect(expected).toHaveLength(6 * 150)
    for (const seen of await Promise.all(followers)) expect(seen).toEqual(expected)
    await store.end()
  })
})

describe.each(engines)('closing, $name', (engine) => {
  it('finishes what was accepted, refuses the rest, and may be asked twice', async () => {
    const store = await engine.open()
    const { lrsId, id } = await createTenant(store.storage)
    const one = statement()
    const { storage } = store
    const accepted = storage.statements.store([batch(lrsId, [one])])
    const read = storage.directory.findOrganisation(id)
    const closed = [storage.close(), storage.close()]
    const late = [
      storage.statements.store([batch(lrsId, [statement()])]),
      storage.statements.list(lrsId, query()),
      storage.directory.findOrganisation(id),
      storage.directory.sweepSessions(id, 1),
    ]
    for (const call of late) await expect(call).rejects.toMatchObject({ code: 'unavailable' })
    expect(await accepted).toMatchObject([{ kind: 'stored' }])
    expect((await read)?.id).toBe(id)
    await Promise.all(closed)
    await store.restart()
    const found = await store.storage.statements.list(lrsId, query())
    expect(found.rows.map(({ body }) => (JSON.parse(body) as { id: string }).id)).toEqual([one.id])
    await store.end()
  })
})
