// The queue in front of the store: what it joins, what it refuses, whom a defect hits.

import { describe, expect, it } from 'vitest'
import { DomainError } from './errors.ts'
import type { CredentialId, LrsId, Seq } from './ids.ts'
import { Ingest } from './ingest.ts'
import { noMeter } from './meter.ts'
import type { BatchOutcome, PreparedStatement, StatementBatch } from './storage.ts'

const says = { descriptions: [], attachments: [] }

function batchOf(...ids: string[]): StatementBatch {
  return batchIn(1, ...ids)
}

function batchIn(lrsId: number, ...ids: string[]): StatementBatch {
  const statements = ids.map((id): PreparedStatement => {
    return { id, timestamp: 0, openBody: '{"1234567"', terms: [], refersTo: undefined, isVoiding: false, ...says }
  })
  return {
    lrsId: lrsId as LrsId,
    owner: 1 as CredentialId,
    readReach: 'any',
    voidReach: 'any',
    defineReach: 'any',
    statements,
  }
}

function outcomeOf(batch: StatementBatch): BatchOutcome {
  return { kind: 'stored', statements: batch.statements.map((_, index) => ({ seq: index as Seq, wasThere: false })) }
}

/** A store whose calls end when the test says so. */
function heldStore() {
  const calls: { batches: readonly StatementBatch[]; end(): void; fail(error: unknown): void }[] = []
  const store = (batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]> =>
    new Promise((resolve, reject) => {
      calls.push({ batches, end: () => resolve(batches.map(outcomeOf)), fail: reject })
    })
  return { calls, store }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const idsOf = (batches: readonly StatementBatch[]): string[][] =>
  batches.map(({ statements }) => statements.map(({ id }) => id))

describe('Ingest', () => {
  it('stores the first request at once and joins those that arrive meanwhile', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1 })
    const answers = ['a', 'b', 'c'].map((id) => ingest.submit(batchOf(id)))
    expect(calls.map(({ batches }) => idsOf(batches))).toEqual([[['a']]])
    calls[0]!.end()
    await answers[0]
    await settle()
    expect(calls.map(({ batches }) => idsOf(batches))).toEqual([[['a']], [['b'], ['c']]])
    calls[1]!.end()
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored'])
  })

  it('gives each Lrs calls of its own, so that one that is slow or fails holds up or hits no other', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1 })
    const slow = [ingest.submit(batchIn(1, 'a')), ingest.submit(batchIn(1, 'b'))]
    const quick = [ingest.submit(batchIn(2, 'c')), ingest.submit(batchIn(2, 'd')), ingest.submit(batchIn(2, 'e'))]
    expect(calls.map(({ batches }) => idsOf(batches))).toEqual([[['a']], [['c']]])
    calls[1]!.end()
    await settle()
    expect(idsOf(calls[2]!.batches)).toEqual([['d'], ['e']])
    calls[2]!.end()
    expect((await Promise.all(quick)).map(({ kind }) => kind)).toEqual(['stored', 'stored', 'stored'])
    calls[0]!.fail(new DomainError('unavailable', 'lost'))
    await expect(slow[0]).rejects.toMatchObject({ code: 'unavailable' })
    calls[3]!.end()
    expect((await slow[1])!.kind).toBe('stored')
    await ingest.close()
  })

  it('answers nobody before the store has', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store)
    let answered = false
    const answer = ingest.submit(batchOf('a')).then(() => (answered = true))
    await settle()
    expect(answered).toBe(false)
    calls[0]!.end()
    await answer
    expect(answered).toBe(true)
  })

  it('keeps as many calls in flight as it may, and no more statements in one than it may', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 2, statementsPerCall: 3 })
    const answers = [batchOf('a'), batchOf('b'), batchOf('c', 'd'), batchOf('e', 'f'), batchOf('g')].map((batch) =>
      ingest.submit(batch),
    )
    expect(calls).toHaveLength(2)
    calls[0]!.end()
    await settle()
    expect(idsOf(calls[2]!.batches)).toEqual([['c', 'd']])
    for (const call of calls) call.end()
    await settle()
    expect(idsOf(calls[3]!.batches)).toEqual([['e', 'f'], ['g']])
    calls[3]!.end()
    await Promise.all(answers)
  })

  it('refuses what exceeds its bounds at once, and accepts again when there is room', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1, statements: 2 })
    const first = ingest.submit(batchOf('a'))
    const second = ingest.submit(batchOf('b'))
    await expect(ingest.submit(batchOf('c'))).rejects.toMatchObject({
      code: 'unavailable',
      detail: { retryAfterSeconds: 1 },
    })
    calls[0]!.end()
    await first
    await settle()
    const third = ingest.submit(batchOf('c'))
    calls[1]!.end()
    await second
    await settle()
    calls[2]!.end()
    expect((await third).kind).toBe('stored')
  })

  it('bounds bytes, too, but never refuses a batch because it alone is large', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1, bytes: 15 })
    const large = ingest.submit(batchOf('a', 'b'))
    await expect(ingest.submit(batchOf('c'))).rejects.toMatchObject({ code: 'unavailable' })
    calls[0]!.end()
    await large
  })

  it('lets a defect hit only the batch that causes it', async () => {
    const store = async (batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]> => {
      if (idsOf(batches).flat().includes('bad')) throw new Error('a defect')
      return batches.map(outcomeOf)
    }
    const ingest = new Ingest(store, { callsInFlight: 1 })
    const [first, bad, last] = [batchOf('a'), batchOf('bad'), batchOf('c')].map((batch) => ingest.submit(batch))
    await expect(bad).rejects.toThrow('a defect')
    expect([(await first)!.kind, (await last)!.kind]).toEqual(['stored', 'stored'])
  })

  it('takes a conflict that the store throws for a defect: nothing tells a client that its statement is there', async () => {
    const ingest = new Ingest(() => Promise.reject(new DomainError('conflict', 'This id or key is already taken.')))
    await expect(ingest.submit(batchOf('a'))).rejects.toMatchObject({ code: 'internal', cause: { code: 'conflict' } })
  })

  it('does not retry a store that is out of reach', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1 })
    const answers = ['a', 'b', 'c'].map((id) => ingest.submit(batchOf(id)))
    const settled = Promise.allSettled(answers)
    calls[0]!.end()
    await settle()
    calls[1]!.fail(new DomainError('unavailable', 'closing'))
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(calls).toHaveLength(2)
  })

  it('finishes what was accepted when it closes, and refuses the rest', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1 })
    const answers = ['a', 'b'].map((id) => ingest.submit(batchOf(id)))
    let isClosed = false
    const closing = ingest.close().then(() => (isClosed = true))
    await expect(ingest.submit(batchOf('c'))).rejects.toMatchObject({ code: 'unavailable' })
    calls[0]!.end()
    await settle()
    expect(isClosed).toBe(false)
    calls[1]!.end()
    await closing
    expect((await Promise.all(answers)).map(({ kind }) => kind)).toEqual(['stored', 'stored'])
  })

  it('refuses what would wait too long as fast as its Lrs is being stored into, and nobody else', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1, statementsPerCall: 200, longestWaitMs: 1 })
    const many = (prefix: string) => batchOf(...Array.from({ length: 200 }, (_, index) => `${prefix}${index}`))
    const answers = ['a', 'b', 'c'].map((prefix) => ingest.submit(many(prefix)))
    await new Promise((resolve) => setTimeout(resolve, 20))
    // Nothing is known before a call has told; then, that the 400 which wait take some 40 ms.
    answers.push(ingest.submit(batchOf('d')))
    calls[0]!.end()
    await answers[0]
    await settle()
    await expect(ingest.submit(batchOf('e'))).rejects.toMatchObject({
      code: 'unavailable',
      detail: { decidedBy: 'overload', retryAfterSeconds: 1 },
    })
    const beside = ingest.submit(batchIn(2, 'f'))
    for (let index = 1; index < 5; index++) {
      calls[index]!.end()
      await settle()
    }
    expect((await Promise.all([...answers, beside])).map(({ kind }) => kind)).toEqual(Array(5).fill('stored'))
    // Nothing waits: what was known is known no more.
    const later = ingest.submit(many('g'))
    calls[5]!.end()
    expect((await later).kind).toBe('stored')
    await settle()
    expect(ingest.state).toMatchObject({ statements: 0, bytes: 0 })
  })

  it('refuses what is new while a call of the store takes too long, and takes it again afterwards', async () => {
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1, slowMs: 20 })
    const stuck = ingest.submit(batchOf('a'))
    const waiting = ingest.submit(batchOf('b'))
    await new Promise((resolve) => setTimeout(resolve, 40))
    await expect(ingest.submit(batchOf('c'))).rejects.toMatchObject({
      code: 'unavailable',
      detail: { decidedBy: 'overload', retryAfterSeconds: 5 },
    })
    expect(ingest.state).toMatchObject({ statements: 2, bytes: 20 })
    calls[0]!.end()
    await stuck
    await settle()
    const next = ingest.submit(batchOf('d'))
    calls[1]!.end()
    await waiting
    await settle()
    calls[2]!.end()
    await next
    await settle()
    expect(calls.flatMap(({ batches }) => idsOf(batches).flat())).toEqual(['a', 'b', 'd'])
    expect(ingest.state).toMatchObject({ statements: 0, bytes: 0 })
  })

  it('tells a meter how much each call stored', async () => {
    const committed: number[] = []
    const meter = { ...noMeter, committed: (statements: number) => void committed.push(statements) }
    const { calls, store } = heldStore()
    const ingest = new Ingest(store, { callsInFlight: 1 }, meter)
    const answers = [ingest.submit(batchOf('a', 'b')), ingest.submit(batchOf('c')), ingest.submit(batchOf('d'))]
    calls[0]!.end()
    await answers[0]
    await settle()
    calls[1]!.fail(new DomainError('unavailable', 'full'))
    await Promise.allSettled(answers)
    expect(committed).toEqual([2])
  })
})
