// What is removed, what stays, and what others see of it, step by step as the core asks for it.

import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  batch,
  createPlatform,
  createTenant,
  event,
  filter,
  fresh,
  idsOf,
  launch,
  owners,
  query,
  statement,
  store as put,
  term,
} from './samples.ts'
import { engines } from './engines.ts'
import { openSqlite } from '../../src/storage/sqlite/index.ts'
import type {
  AlikePart,
  AlikePosition,
  Clock,
  DocumentKey,
  ErasureCounts,
  ErasurePosition,
  ErasureTarget,
  PreparedStatement,
  Storage,
} from '../../src/core/storage.ts'
import type { LrsId, Oid, Seq } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

const ann = 'mbox mailto:ann@example.org'
const annToo = 'openid https://ann.example.org/'
const bob = 'mbox mailto:bob@example.org'
const person: ErasureTarget = { kind: 'person', agents: [ann, annToo], onlyDirect: false }
const agent = (value: string, isRelated = false) => term(value, 'agent', isRelated)
const everything = (through = Number.MAX_SAFE_INTEGER): ErasureTarget => ({ kind: 'empty', through })

/** With the reference in its body, as a real one has it. */
function referring(target: { readonly id: string }, part: Partial<PreparedStatement> = {}): PreparedStatement {
  const { id = randomUUID() } = part
  const object = JSON.stringify({ objectType: 'StatementRef', id: target.id })
  return statement({ refersTo: target.id, openBody: `{"id":"${id}","object":${object}`, ...part, id })
}

const voiding = (target: { readonly id: string }) => referring(target, { isVoiding: true })

/** All steps, then the blobs; the counts at the end. */
async function erase(
  storage: Storage,
  tenant: Tenant,
  target: ErasureTarget,
  { lrsId = tenant.lrsId, onStep }: { lrsId?: LrsId; onStep?: (position?: ErasurePosition) => Promise<void> } = {},
): Promise<ErasureCounts> {
  const id = await begin(storage, tenant)
  let position: ErasurePosition | undefined
  do {
    position = (await storage.erasures.step(tenant.id, id, lrsId, target, position)).next
    await onStep?.(position)
  } while (position !== undefined)
  let after: string | undefined
  do {
    const { removed, left, next } = await storage.blobs.removeUnused(lrsId, after)
    await storage.erasures.countBlobs(tenant.id, id, lrsId, { removed, left })
    after = next
  } while (after !== undefined)
  const found = await storage.erasures.find(tenant.id, id)
  await storage.erasures.finish(tenant.id, id, { done: true }, event('erasure.finish'))
  return found!.counts
}

const sha1Of = (text: string): string => createHash('sha1').update(text).digest('hex')

/** All parts, sorted, each once. */
async function alike(storage: Storage, lrsId: LrsId, agents: readonly string[]) {
  const all = new Map<string, string>()
  let position: AlikePosition | undefined = { term: 0 }
  while (position !== undefined) {
    const part: AlikePart = await storage.erasures.findAlike(lrsId, agents, position)
    for (const one of part.found) all.set(one.agent, one.likeness)
    position = part.next
  }
  return [...all].toSorted(([one], [two]) => (one < two ? -1 : 1))
}

async function putProfile({ documents }: Storage, lrsId: LrsId, value: string): Promise<void> {
  const content = { kind: 'inline', bytes: Buffer.from('{}') } as const
  const change = { kind: 'replace', content, contentType: 'application/json', etag: 'e' } as const
  const key = { kind: 'agent-profile', agent: value, id: 'p' } as const
  await documents.change(lrsId, key, { owner: owners.ann, reach: 'any' }, change, { preconditions: {}, mostBytes: 99 })
}

async function begin(storage: Storage, tenant: Tenant): Promise<Oid> {
  const id = fresh.oid()
  const erasure = { id, plan: {}, sealed: 'whom', startedAt: 1 }
  await storage.erasures.create(tenant.id, erasure, event('erasure.start', 'erasure', id))
  return id
}

async function count(storage: Storage, lrsId: LrsId, target: ErasureTarget): Promise<Partial<ErasureCounts>> {
  const sum: Record<string, number> = {}
  let position: ErasurePosition | undefined
  do {
    const { counts, next } = await storage.erasures.count(lrsId, target, position)
    for (const [kind, some] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + some
    position = next
  } while (position !== undefined)
  return sum
}

const mentioning = (value: string) => ({ filters: [filter(value, 'agent', true)] })

describe.each(engines)('an erasure, $name', (engine) => {
  let store: Store
  let storage: Storage
  let tenant: Tenant
  let lrsId: LrsId
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => {
    storage = store.storage
    tenant = await createTenant(storage)
    lrsId = tenant.lrsId
  })
  const ids = (part: Parameters<typeof idsOf>[2] = {}) => idsOf(storage, lrsId, part)

  it('takes every statement that mentions the person, by any of their identifiers, and no other', async () => {
    const gone = [
      statement({ terms: [agent(ann)] }),
      statement({ terms: [agent(annToo)] }),
      statement({ terms: [agent(bob), agent(ann, true)] }),
      statement({ terms: [agent(ann), agent(annToo, true)] }),
    ]
    const stays = [statement({ terms: [agent(bob)] }), statement({ terms: [term('v')] })]
    await put(storage, lrsId, [...gone, ...stays])
    expect(await count(storage, lrsId, person)).toMatchObject({ statements: 4, elsewhere: 1 })
    expect(await erase(storage, tenant, person)).toMatchObject({ statements: 4, elsewhere: 1, inherited: 0 })
    expect((await ids()).toSorted()).toEqual(stays.map(({ id }) => id).toSorted())
    for (const value of [ann, annToo]) expect(await ids(mentioning(value))).toEqual([])
    expect(await ids(mentioning(bob))).toEqual([stays[0]!.id])
    for (const { id } of gone) {
      expect((await storage.statements.find(lrsId, id, { isVoided: false })).statement).toBeUndefined()
    }
    expect(await count(storage, lrsId, person)).toMatchObject({ statements: 0 })
  })

  it('takes only those with the person as actor or object where that was asked', async () => {
    const [direct, related] = [statement({ terms: [agent(ann)] }), statement({ terms: [agent(ann, true)] })]
    await put(storage, lrsId, [direct, related, statement({ terms: [agent(bob), agent(ann, true)] })])
    const target = { ...person, onlyDirect: true }
    expect(await count(storage, lrsId, target)).toMatchObject({ statements: 1 })
    expect(await erase(storage, tenant, target)).toMatchObject({ statements: 1 })
    expect(await ids(mentioning(ann))).toHaveLength(2)
  })

  it('finds identifiers that are like one of the person, of statements and of documents, and not the person', async () => {
    const wanted = [
      'mbox mailto:Ann@example.org',
      'account https://lms.example.org Ann',
      `mbox_sha1sum ${sha1Of('mailto:cyd@a.b')}`,
    ]
    const like = [
      ann,
      'account https://LMS.example.org ann',
      'mbox mailto:cyd@a.b',
      `mbox_sha1sum ${sha1Of('mailto:ann@example.org')}`,
    ]
    const terms = [...like, ...wanted, bob].map((value) => agent(value))
    await put(storage, lrsId, [statement({ terms: [...terms, term('MBOX MAILTO:ANN@EXAMPLE.ORG')] })])
    for (const value of ['mbox mailto:ANN@example.org', bob, ann]) await putProfile(storage, lrsId, value)
    expect(await alike(storage, lrsId, wanted)).toEqual([
      ['account https://LMS.example.org ann', 'other case'],
      ['mbox mailto:ANN@example.org', 'other case'],
      [ann, 'other case'],
      ['mbox mailto:cyd@a.b', 'address of the hash'],
      [like[3], 'other case'],
    ])
    await erase(storage, tenant, {
      kind: 'person',
      agents: [...like, 'mbox mailto:ANN@example.org'],
      onlyDirect: false,
    })
    expect(await alike(storage, lrsId, wanted)).toEqual([])
  })

  it('finds them behind many others', async () => {
    for (let from = 0; from < 6_000; from += 1_000) {
      const many = Array.from({ length: 1_000 }, (_, index) => agent(`mbox mailto:${from + index}@example.org`))
      await put(storage, lrsId, [statement({ terms: many })])
    }
    await put(storage, lrsId, [statement({ terms: [agent('mbox mailto:ANN@example.org')] })])
    const part = await storage.erasures.findAlike(lrsId, [ann])
    expect(part).toMatchObject({ found: [], next: { term: expect.any(Number) } })
    expect(await alike(storage, lrsId, [ann])).toEqual([['mbox mailto:ANN@example.org', 'other case']])
  })

  it('goes through many statements, in bounded steps', async () => {
    const many = Array.from({ length: 450 }, (_, index) => statement({ terms: [agent(index % 3 === 0 ? bob : ann)] }))
    await put(storage, lrsId, many)
    let steps = 0
    expect(await erase(storage, tenant, person, { onStep: async () => void steps++ })).toMatchObject({
      statements: 300,
    })
    expect(steps).toBeGreaterThan(5)
    expect(await ids()).toHaveLength(150)
  })

  it('goes through long ones, a few at a time', async () => {
    const long = Array.from({ length: 12 }, () => {
      const id = randomUUID()
      return statement({ id, terms: [agent(ann)], openBody: `{"id":"${id}","x":"${'x'.repeat(700_000)}"` })
    })
    for (const one of long) await put(storage, lrsId, [one])
    let most = 0
    let before = long.length
    await erase(storage, tenant, person, {
      onStep: async () => {
        const left = (await ids()).length
        most = Math.max(most, before - left)
        before = left
      },
    })
    expect(before).toBe(0)
    expect(most).toBeLessThan(6)
    for (const one of long) await put(storage, lrsId, [statement({ ...one, id: randomUUID(), terms: [] })])
    expect(await erase(storage, tenant, everything())).toMatchObject({ statements: 12 })
  })

  it('leaves another Lrs and another organisation as they are', async () => {
    const other = await storage.directory.createLrs(
      tenant.id,
      { oid: fresh.oid(), name: 'x', createdAt: 1 },
      event('x'),
    )
    const stranger = await createTenant(storage)
    const sent = statement({ terms: [agent(ann)] })
    for (const one of [lrsId, other.id, stranger.lrsId]) await put(storage, one, [sent])
    await erase(storage, tenant, person)
    expect(await ids()).toEqual([])
    for (const one of [other.id, stranger.lrsId]) expect(await idsOf(storage, one, mentioning(ann))).toEqual([sent.id])
    // Nor does what must not come back here stay away there.
    await erase(storage, tenant, person, { lrsId: other.id })
    expect(await idsOf(storage, stranger.lrsId)).toEqual([sent.id])
    const [outcome] = await storage.statements.store([batch(stranger.lrsId, [statement({ ...sent, id: sent.id })])])
    expect(outcome?.kind).toBe('stored')
  })

  it('knows of no erasure of another organisation, nor of one that is done, nor another’s Lrs', async () => {
    const stranger = await createTenant(storage)
    await put(storage, lrsId, [statement({ terms: [agent(ann)] })])
    const [mine, theirs] = [await begin(storage, tenant), await begin(storage, stranger)]
    const refused = async (attempt: Promise<unknown>) => expect(attempt).rejects.toMatchObject({ code: 'not_found' })
    await refused(storage.erasures.step(stranger.id, mine, lrsId, person))
    await refused(storage.erasures.step(stranger.id, theirs, lrsId, person))
    await refused(storage.erasures.step(tenant.id, theirs, lrsId, person))
    await refused(storage.erasures.countBlobs(stranger.id, mine, lrsId, { removed: 1, left: 0 }))
    await refused(storage.erasures.finish(stranger.id, mine, {}, event('erasure.finish')))
    expect(await storage.erasures.find(stranger.id, mine)).toBeUndefined()
    expect((await storage.erasures.list(stranger.id, { offset: 0, limit: 9 })).items.map(({ id }) => id)).toEqual([
      theirs,
    ])
    await storage.erasures.finish(tenant.id, mine, {}, event('erasure.finish'))
    await refused(storage.erasures.step(tenant.id, mine, lrsId, person))
    await refused(storage.erasures.finish(tenant.id, mine, {}, event('erasure.finish')))
    expect(await ids()).toHaveLength(1)
  })

  it('lists those that are not done, of all organisations, and drops whom they are about with the receipt', async () => {
    const id = await begin(storage, tenant)
    const open = async () => (await storage.platform.listOpenErasures()).find((one) => one.id === id)
    expect(await open()).toMatchObject({ organisationId: tenant.id, sealed: 'whom', receipt: null })
    await storage.erasures.finish(tenant.id, id, { done: 1 }, event('erasure.finish'))
    expect(await open()).toBeUndefined()
    expect(await storage.erasures.find(tenant.id, id)).toMatchObject({ sealed: null, receipt: { done: 1 } })
  })

  describe('of one statement', () => {
    const only = (seq: Seq | undefined): ErasureTarget => ({ kind: 'statement', seq: seq! })

    it('takes it with its postings, attachments, descriptions and the count, and nothing else', async () => {
      const claim = { sha2: 'a'.repeat(64), contentType: 'text/plain' }
      const said = { kind: 'activity', value: 'https://a.example/only', text: '{"name":{"en":"x"}}' } as const
      const terms = [agent(ann), term('v'), term(said.value, 'activity')]
      const gone = statement({ terms, attachments: [claim], descriptions: [said] })
      const [before, after] = [statement({ terms: [agent(ann)] }), statement({ terms: [term('v')] })]
      const [, seq] = await put(storage, lrsId, [before, gone, after])
      await putProfile(storage, lrsId, ann)
      expect(await count(storage, lrsId, only(seq))).toEqual({ statements: 1, attachments: 1 })
      expect(await erase(storage, tenant, only(seq))).toMatchObject({
        ...{ statements: 1, attachments: 1, descriptions: 1, documents: 0, terms: 1, inherited: 0 },
      })
      expect(await ids()).toEqual([after.id, before.id])
      expect(await ids(mentioning(ann))).toEqual([before.id])
      expect(await ids({ filters: [filter(said.value, 'activity')] })).toEqual([])
      expect(await storage.statements.listDescriptions(lrsId, said)).toEqual([])
      expect((await storage.statements.find(lrsId, gone.id, { isVoided: false })).statement).toBeUndefined()
      expect(await storage.statements.countStatements(lrsId)).toBe(2)
      expect(await count(storage, lrsId, only(seq))).toEqual({ statements: 0, attachments: 0 })
    })

    it('takes from others what they inherited from it', async () => {
      const gone = statement({ terms: [term('said')] })
      const first = referring(gone, { terms: [term('first')] })
      const second = referring(first)
      const [seq] = await put(storage, lrsId, [gone, first, second])
      expect(await erase(storage, tenant, only(seq))).toMatchObject({ statements: 1, inherited: 2 })
      expect(await ids({ filters: [filter('said')] })).toEqual([])
      expect(await ids({ filters: [filter('first')] })).toEqual([second.id, first.id])
    })

    it('lets it be stored again, as something else, at a time that was never given', async () => {
      const [other, gone] = [statement(), statement({ terms: [term('a')] })]
      const [, seq] = await put(storage, lrsId, [other, gone])
      await erase(storage, tenant, only(seq))
      expect(await storage.erasures.isErased(lrsId, gone.id)).toBe(false)
      const [again] = await put(storage, lrsId, [statement({ id: gone.id, terms: [term('b')] })])
      expect(again).toBeGreaterThan(seq!)
      expect(await ids({ filters: [filter('b')] })).toEqual([gone.id])
      expect(await ids({ filters: [filter('a')] })).toEqual([])
      expect(await storage.statements.countStatements(lrsId)).toBe(2)
    })

    it('takes one that is voided; of one that voids, the target stays voided, and one to come is not', async () => {
      const [target, coming] = [statement(), statement()]
      const [voider, waiting] = [voiding(target), voiding(coming)]
      const [targetSeq, voiderSeq, waitingSeq] = await put(storage, lrsId, [target, voider, waiting])
      await erase(storage, tenant, only(voiderSeq))
      await erase(storage, tenant, only(waitingSeq))
      expect((await storage.statements.find(lrsId, target.id, { isVoided: true })).statement).toBeDefined()
      await put(storage, lrsId, [coming])
      expect(await ids()).toEqual([coming.id])
      expect(await erase(storage, tenant, only(targetSeq))).toMatchObject({ statements: 1 })
      expect((await storage.statements.find(lrsId, target.id, { isVoided: true })).statement).toBeUndefined()
      expect(await storage.statements.countStatements(lrsId)).toBe(1)
    })

    it('leaves another Lrs, and another organisation’s, as they are', async () => {
      const stranger = await createTenant(storage)
      const sent = statement()
      const [seq] = await put(storage, lrsId, [sent])
      const id = await begin(storage, stranger)
      const attempt = storage.erasures.step(stranger.id, id, lrsId, only(seq))
      await expect(attempt).rejects.toMatchObject({ code: 'not_found' })
      // Whether there was one of that time or not.
      await erase(storage, stranger, only(seq), { lrsId: stranger.lrsId })
      expect(await ids()).toEqual([sent.id])
    })
  })

  describe('what refers', () => {
    it('loses what it inherited, directly and through others, and keeps its own', async () => {
      const gone = statement({ terms: [agent(ann), term('said')] })
      const first = referring(gone, { terms: [agent(bob), term('first')] })
      const second = referring(first, { terms: [term('second')] })
      await put(storage, lrsId, [gone, first])
      await put(storage, lrsId, [second], { owner: owners.bob })
      expect(await ids(mentioning(ann))).toHaveLength(3)
      expect(await erase(storage, tenant, person)).toMatchObject({ statements: 1, inherited: 2 })
      expect(await ids(mentioning(ann))).toEqual([])
      expect(await ids({ filters: [filter('said')] })).toEqual([])
      expect(await ids({ filters: [filter('first')] })).toEqual([second.id, first.id])
      expect(await ids({ filters: [filter('first')], owner: owners.bob })).toEqual([])
      expect(await ids(mentioning(bob))).toEqual([second.id, first.id])
    })

    it('is right again where references go in a circle', async () => {
      const [one, two] = [randomUUID(), randomUUID()]
      const gone = referring({ id: two }, { id: one, terms: [agent(ann), term('gone')] })
      const stays = referring({ id: one }, { id: two, terms: [agent(bob), term('stays')] })
      await put(storage, lrsId, [gone, stays])
      await erase(storage, tenant, person)
      expect(await ids({ filters: [filter('gone')] })).toEqual([])
      expect(await ids({ filters: [filter('stays')] })).toEqual([two])
    })

    it('loses it also where so many refer that not every one of them is known by its target', async () => {
      const gone = statement({ terms: [agent(ann), term('said')] })
      const many = Array.from({ length: 1_050 }, () => referring(gone))
      await put(storage, lrsId, [gone, ...many])
      const last = referring(many.at(-1)!)
      await put(storage, lrsId, [last])
      expect(await ids({ filters: [filter('said')] })).toHaveLength(1_052)
      expect(await erase(storage, tenant, person)).toMatchObject({ statements: 1, inherited: 1_051 })
      expect(await ids({ filters: [filter('said')] })).toEqual([])
      expect(await ids(mentioning(ann))).toEqual([])
    })

    it('inherits nothing new from it', async () => {
      const gone = statement({ terms: [agent(ann), term('said')] })
      await put(storage, lrsId, [gone])
      await erase(storage, tenant, person)
      await put(storage, lrsId, [referring(gone), gone])
      expect(await ids({ filters: [filter('said')] })).toEqual([])
    })

    it('that is voided stays so when who voided it is erased', async () => {
      const target = statement({ terms: [agent(bob)] })
      await put(storage, lrsId, [target, { ...voiding(target), terms: [agent(ann)] }])
      await erase(storage, tenant, person)
      expect(await ids()).toEqual([])
      expect((await storage.statements.find(lrsId, target.id, { isVoided: true })).statement).toBeDefined()
    })

    it('that waits to void waits no longer, unless another does', async () => {
      const [one, both] = [statement(), statement()]
      const by = (value: string, target: { id: string }) => ({ ...voiding(target), terms: [agent(value)] })
      await put(storage, lrsId, [by(ann, one), by(ann, both), by(bob, both)])
      await erase(storage, tenant, person)
      await put(storage, lrsId, [one, both])
      expect(await ids({ isAscending: true })).toContain(one.id)
      expect(await ids()).not.toContain(both.id)
    })

    it('keeps waiting where only age took the voiding statement', async () => {
      const target = statement()
      const seqs = await put(storage, lrsId, [voiding(target)])
      await erase(storage, tenant, { kind: 'retention', through: seqs[0]! })
      await put(storage, lrsId, [target])
      expect(await ids()).toEqual([])
    })
  })

  describe('what was voided, and is stored again', () => {
    const isVoided = async ({ id }: { readonly id: string }) =>
      (await storage.statements.find(lrsId, id, { isVoided: true })).statement !== undefined
    const only = (seq: Seq | undefined): ErasureTarget => ({ kind: 'statement', seq: seq! })
    const orders = ['void', 'target'] as const

    it.each(orders)('is voided while the voiding statement is there, the %s having come first', async (first) => {
      const target = statement()
      const voider = voiding(target)
      const [one, two] = await put(storage, lrsId, first === 'void' ? [voider, target] : [target, voider])
      const [voiderSeq, targetSeq] = first === 'void' ? [one, two] : [two, one]
      await erase(storage, tenant, only(targetSeq))
      expect(await isVoided(target)).toBe(false)
      const [again] = await put(storage, lrsId, [target])
      expect(await isVoided(target)).toBe(true)
      // And again, until the voiding statement has gone.
      await erase(storage, tenant, only(again))
      const [last] = await put(storage, lrsId, [target])
      expect(await isVoided(target)).toBe(true)
      await erase(storage, tenant, only(voiderSeq))
      expect(await isVoided(target)).toBe(true)
      await erase(storage, tenant, only(last))
      await put(storage, lrsId, [target])
      expect(await isVoided(target)).toBe(false)
    })

    it('is voided for everybody where somebody else had voided it, else for its owner', async () => {
      const [own, others] = [statement(), statement()]
      const seqs = await put(storage, lrsId, [own, others])
      await put(storage, lrsId, [voiding(own)])
      await put(storage, lrsId, [voiding(others)], { owner: owners.bob })
      for (const seq of seqs) await erase(storage, tenant, only(seq))
      await put(storage, lrsId, [own, others], { owner: owners.bob })
      expect([await isVoided(own), await isVoided(others)]).toEqual([false, true])
      for (const { id } of [own, others]) {
        const { statement: found } = await storage.statements.find(lrsId, id, { isVoided: id === others.id })
        await erase(storage, tenant, only(found?.seq))
      }
      await put(storage, lrsId, [own, others])
      expect([await isVoided(own), await isVoided(others)]).toEqual([true, true])
    })

    it('is not where no statement that voids it took effect', async () => {
      const [target, another] = [statement(), statement()]
      const [seq, anotherSeq] = await put(storage, lrsId, [target, another])
      await put(storage, lrsId, [voiding(target)], { owner: owners.bob, voidReach: 'mine' })
      await put(storage, lrsId, [referring(another)])
      await erase(storage, tenant, only(seq))
      await erase(storage, tenant, only(anotherSeq))
      await put(storage, lrsId, [target, another])
      expect((await ids()).slice(0, 2).toSorted()).toEqual([target.id, another.id].toSorted())
    })

    it.each(orders)('is voided where age took both, the %s having come first', async (first) => {
      const target = statement()
      const seqs = await put(storage, lrsId, first === 'void' ? [voiding(target), target] : [target, voiding(target)])
      await erase(storage, tenant, { kind: 'retention', through: seqs[1]! })
      await put(storage, lrsId, [target])
      expect(await isVoided(target)).toBe(true)
    })

    it.each(orders)('is voided where age or an emptying took it alone, the %s having come first', async (first) => {
      for (const kind of ['retention', 'empty'] as const) {
        const target = statement()
        if (first === 'void') await put(storage, lrsId, [voiding(target)])
        const [seq] = await put(storage, lrsId, [target])
        if (first === 'target') await put(storage, lrsId, [voiding(target)])
        await erase(storage, tenant, kind === 'empty' ? everything(seq) : { kind, through: seq! })
        await put(storage, lrsId, [target])
        // What voids and had come first went with the emptying.
        expect(await isVoided(target)).toBe(kind === 'retention' || first === 'target')
      }
    })

    it('waits for nobody where both went with a person or with everything, and where the voiding statement stays does', async () => {
      const [both, alone] = [statement({ terms: [agent(ann)] }), statement({ terms: [agent(ann)] })]
      const [gone, stays] = [{ ...voiding(both), terms: [agent(ann)] }, voiding(alone)]
      await put(storage, lrsId, [both, alone, gone, stays])
      await erase(storage, tenant, person)
      const listed = async () =>
        (
          await storage.exports.listStatements(lrsId, {
            ...{ after: 0 as Seq, through: Number.MAX_SAFE_INTEGER as Seq, isAscending: true, limit: 9, mostText: 1e6 },
          })
        ).map(({ voidReach }) => voidReach)
      // What an export takes along: it was voided, and would be elsewhere.
      expect(await listed()).toEqual(['mine'])
      const late = statement()
      const [lateSeq] = await put(storage, lrsId, [late, voiding(late)])
      await erase(storage, tenant, everything(lateSeq! + 1))
      await put(storage, lrsId, [late])
      expect(await isVoided(late)).toBe(false)
    })
  })

  describe('what is sent again', () => {
    it('is acknowledged to everybody, and not stored; what comes with it is', async () => {
      const gone = statement({ terms: [agent(ann)] })
      await put(storage, lrsId, [gone])
      expect(await storage.erasures.isErased(lrsId, gone.id)).toBe(false)
      await erase(storage, tenant, person)
      const other = statement()
      expect(await storage.erasures.isErased(lrsId, gone.id)).toBe(true)
      expect(await storage.erasures.isErased(lrsId, other.id)).toBe(false)
      const again = [gone, statement({ ...gone, openBody: '{"changed":true', terms: [] })]
      for (const [index, sent] of again.entries()) {
        const [outcome] = await storage.statements.store([
          batch(lrsId, [sent, ...(index === 0 ? [other] : [])], { owner: owners.bob, readReach: 'mine' }),
        ])
        expect(outcome).toMatchObject({ kind: 'stored' })
        if (outcome?.kind === 'stored') {
          expect(outcome.statements.map(({ wasThere }) => wasThere)).toEqual(index === 0 ? [true, false] : [true])
        }
      }
      expect(await ids()).toEqual([other.id])
      await store.restart()
      storage = store.storage
      await put(storage, lrsId, [gone])
      expect(await ids()).toEqual([other.id])
    })

    it('claims no bytes, however it comes', async () => {
      const gone = statement({ terms: [agent(ann)] })
      await put(storage, lrsId, [gone])
      await erase(storage, tenant, person)
      async function* bytes() {
        yield Buffer.from('sent again')
      }
      const { sha2 } = await storage.blobs.put(lrsId, bytes(), { mostBytes: 100 })
      await put(storage, lrsId, [{ ...gone, attachments: [{ sha2, contentType: 'text/plain' }] }])
      // What no row refers to can go.
      expect(await storage.blobs.sweep(-1e12)).toMatchObject({ removed: 1 })
    })

    it('is stored again where nobody was erased', async () => {
      const sent = statement({ terms: [agent(ann)] })
      await put(storage, lrsId, [sent])
      expect(await erase(storage, tenant, everything())).toMatchObject({ statements: 1 })
      expect(await ids()).toEqual([])
      expect(await storage.erasures.isErased(lrsId, sent.id)).toBe(false)
      expect(await count(storage, lrsId, everything())).toEqual({
        statements: 0,
        attachments: 0,
        documents: 0,
        launches: 0,
        descriptions: 0,
      })
      await put(storage, lrsId, [sent])
      expect(await ids(mentioning(ann))).toEqual([sent.id])
    })

    it('after all is somebody new', async () => {
      await put(storage, lrsId, [statement({ terms: [agent(ann)] })])
      await erase(storage, tenant, person)
      const later = statement({ terms: [agent(ann)] })
      await put(storage, lrsId, [later])
      expect(await ids(mentioning(ann))).toEqual([later.id])
    })
  })

  describe('launches', () => {
    const begun = async (part: Parameters<typeof launch>[2]) => {
      const { credentialId } = await createPlatform(storage, tenant)
      const made = launch(tenant, credentialId, { registration: randomUUID(), ...part })
      return (await storage.launches.createLaunch(tenant.id, made, event('launch.create'))).launch
    }
    const left = async () =>
      (await storage.launches.listLaunches(tenant.id, {}, { limit: 100 })).map(({ id }) => id).toReversed()

    it('of the person go, with sessions and tickets, and every node hears of it', async () => {
      const ticket = { hash: fresh.pair(), kind: 'fetch', until: 2e12 } as const
      const running = await begun({ actorKey: annToo, tickets: [ticket] })
      const ended = await begun({ actorKey: ann })
      await storage.launches.endLaunch(tenant.id, ended.id, { by: 'terminated', at: 1 }, event('launch.end'))
      const others = await begun({ actorKey: bob })
      const elsewhere = await createTenant(storage)
      const of = launch(elsewhere, (await createPlatform(storage, elsewhere)).credentialId, { actorKey: ann })
      const theirs = await storage.launches.createLaunch(elsewhere.id, of, event('launch.create'))
      expect(await count(storage, lrsId, person)).toMatchObject({ launches: 2 })
      const told: unknown[] = []
      const end = storage.onDirectoryChange((id) => void told.push(id))
      expect(await erase(storage, tenant, person)).toMatchObject({ launches: 2 })
      end()
      expect(told).toContain(tenant.id)
      expect(await left()).toEqual([others.id])
      expect(await storage.launches.useTicket(ticket.hash, 'fetch', 1)).toBeUndefined()
      const { credentialId, sessionId } = running
      expect(await storage.directory.findSession(tenant.id, credentialId, sessionId!)).toBeUndefined()
      expect(await storage.directory.findSession(tenant.id, others.credentialId, others.sessionId!)).toBeDefined()
      expect(await storage.launches.findLaunch(elsewhere.id, theirs.launch.id)).toEqual(theirs.launch)
    })

    it('that begin meanwhile go, too', async () => {
      await put(storage, lrsId, [statement({ terms: [agent(ann)] })])
      const late = async (position?: ErasurePosition) =>
        position?.phase === 'person' && (await left()).length === 0 ? void (await begun({ actorKey: ann })) : undefined
      let isDone = false
      await erase(storage, tenant, person, {
        onStep: async (position) => {
          if (!isDone) await late(position)
          isDone ||= (await left()).length > 0
        },
      })
      expect([isDone, await left()]).toEqual([true, []])
    })

    it('go with all of an Lrs, as far as it is emptied; age and single statements leave them', async () => {
      const at = 1_700_000_000_000
      await begun({ actorKey: ann, at })
      const later = await begun({ actorKey: ann, at: at + 1 })
      for (const target of [
        { kind: 'retention', through: Number.MAX_SAFE_INTEGER },
        { kind: 'statement', seq: 1 as Seq },
      ] as const) {
        expect(await erase(storage, tenant, target)).toMatchObject({ launches: 0 })
      }
      expect(await erase(storage, tenant, everything(at * 1000 + 999))).toMatchObject({ launches: 1 })
      expect(await left()).toEqual([later.id])
    })
  })

  it('takes what is stored while it goes on', async () => {
    await put(storage, lrsId, [statement({ terms: [agent(ann)] })])
    let late = 0
    await erase(storage, tenant, person, {
      onStep: async (position) => {
        if (position === undefined || late === 6) return
        late++
        await put(storage, lrsId, [statement({ terms: [agent(late % 2 === 0 ? ann : annToo, late > 3)] })])
      },
    })
    // What came after the step that ended it in the dictionary is of somebody new.
    const [left, all] = [await ids(mentioning(ann)), await ids()]
    expect(left.length + (await ids(mentioning(annToo))).length).toBe(all.length)
    expect(all.length).toBeLessThanOrEqual(1)
    await erase(storage, tenant, person)
    expect(await ids()).toEqual([])
  })

  it('never gives a stored time twice, also over a restart with the clock set back', async () => {
    const clock = { time: 1_700_000_000_000, now: () => clock.time }
    const mine = await engine.open(clock as Clock)
    try {
      const owner = await createTenant(mine.storage)
      const [seq] = await put(mine.storage, owner.lrsId, [statement({ terms: [agent(ann)] })])
      await erase(mine.storage, owner, person)
      expect(await mine.storage.statements.consistentThrough(owner.lrsId)).toBeGreaterThanOrEqual(seq!)
      clock.time -= 60_000
      await mine.restart()
      expect(await mine.storage.statements.consistentThrough(owner.lrsId)).toBeGreaterThanOrEqual(seq!)
      const [later] = await put(mine.storage, owner.lrsId, [statement()])
      expect(later).toBeGreaterThan(seq!)
    } finally {
      await mine.end()
    }
  })

  describe('documents and descriptions', () => {
    const keys: readonly DocumentKey[] = [
      { kind: 'state', activityId: 'https://example.org/a', agent: ann, id: 's' },
      { kind: 'agent-profile', agent: annToo, id: 'p' },
      { kind: 'state', activityId: 'https://example.org/a', agent: bob, id: 's' },
      { kind: 'activity-profile', activityId: 'https://example.org/a', id: 'p' },
    ]
    const access = { owner: owners.ann, reach: 'any' } as const
    const write = async (key: DocumentKey, content: Parameters<typeof storage.documents.change>[3]) =>
      storage.documents.change(lrsId, key, access, content, { preconditions: {}, mostBytes: 1000 })
    const inline = (text: string) => ({
      kind: 'replace' as const,
      content: { kind: 'inline' as const, bytes: Buffer.from(text) },
      contentType: 'text/plain',
      etag: createHash('sha1').update(text).digest('hex'),
    })
    const found = async () =>
      Promise.all(keys.map(async (key) => (await storage.documents.find(lrsId, key, access)) !== undefined))

    it('of the person go, those of others stay', async () => {
      for (const key of keys) await write(key, inline('x'))
      expect(await count(storage, lrsId, person)).toMatchObject({ documents: 2 })
      expect(await erase(storage, tenant, person)).toMatchObject({ documents: 2 })
      expect(await found()).toEqual([false, false, true, true])
      await write(keys[0]!, inline('new'))
      expect(await found()).toEqual([true, false, true, true])
    })

    it('what is said of the person goes, and of what nobody else mentions; it can be said anew', async () => {
      const saying = (value: string, kind: 'agent' | 'activity', text: string) => ({ kind, value, text })
      const activity = (value: string) => term(value, 'activity')
      const named = saying(ann, 'agent', '"Ann"')
      const [only, shared] = [saying('urn:only', 'activity', '{"a":1}'), saying('urn:both', 'activity', '{"b":1}')]
      const gone = statement({
        terms: [agent(ann), activity('urn:only'), activity('urn:both')],
        descriptions: [named, only, shared],
      })
      await put(storage, lrsId, [gone, statement({ terms: [agent(bob), activity('urn:both')] })])
      const said = async () =>
        Promise.all(
          [named, only, shared].map(async (one) =>
            (await storage.statements.listDescriptions(lrsId, one)).map(({ text }) => text),
          ),
        )
      expect(await said()).toEqual([['"Ann"'], ['{"a":1}'], ['{"b":1}']])
      expect(await erase(storage, tenant, person)).toMatchObject({ descriptions: 2, terms: 2 })
      expect(await said()).toEqual([[], [], ['{"b":1}']])
      await put(storage, lrsId, [statement({ terms: gone.terms, descriptions: gone.descriptions })])
      expect(await said()).toEqual([['"Ann"'], ['{"a":1}'], ['{"b":1}']])
    })

    it('and attachments take their blobs along, unless something else refers to them or a request under way has put them', async () => {
      async function* bytesOf(text: string) {
        yield Buffer.from(text)
      }
      const blob = async (text: string, hold = storage.blobs.hold()) => {
        const { sha2 } = await storage.blobs.put(lrsId, bytesOf(text), { mostBytes: 99, hold })
        return { sha2, hold }
      }
      const blobOf = async (text: string) => {
        const { sha2, hold } = await blob(text)
        hold.release()
        return sha2
      }
      const [mine, both, document, again] = [
        await blobOf('mine'),
        await blobOf('both'),
        await blobOf('doc'),
        await blobOf('new'),
      ]
      const claims = (...sha2s: string[]) => sha2s.map((sha2) => ({ sha2, contentType: 'text/plain' }))
      await put(storage, lrsId, [
        statement({ terms: [agent(ann)], attachments: claims(mine, both, again) }),
        statement({ terms: [agent(bob)], attachments: claims(both) }),
      ])
      const content = { kind: 'blob', sha2: document, length: 3 } as const
      await write(keys[0]!, { ...inline(''), content })
      const [{ hold }, fresh] = [await blob('new'), await blob('fresh')]
      expect(await count(storage, lrsId, person)).toMatchObject({ attachments: 3, documents: 1 })
      expect(await erase(storage, tenant, person)).toMatchObject({
        attachments: 3,
        documents: 1,
        blobs: 2,
        blobsLeft: 1,
      })
      const isThere = async (sha2: string) => {
        const opened = await storage.blobs.open(lrsId, sha2)
        opened?.cancel()
        return opened !== undefined
      }
      const isOneThere = async () => Promise.all([mine, both, document, again, fresh.sha2].map(isThere))
      expect(await isOneThere()).toEqual([false, true, false, true, true])
      // The one is refused, the other stored.
      hold.release()
      await put(storage, lrsId, [statement({ terms: [agent(bob)], attachments: claims(fresh.sha2) })])
      fresh.hold.release()
      await vi.waitFor(async () => expect(await isOneThere()).toEqual([false, true, false, false, true]))
    })

    it('takes the content of documents that were replaced or deleted, and bytes of refused requests', async () => {
      async function* bytesOf(text: string) {
        yield Buffer.from(text)
      }
      const blobOf = async (text: string) => (await storage.blobs.put(lrsId, bytesOf(text), { mostBytes: 99 })).sha2
      const all = await Promise.all(['first', 'second', 'deleted', 'refused'].map(blobOf))
      const [first, second, deleted] = all
      for (const sha2 of [first!, second!]) {
        await write(keys[0]!, { ...inline(''), content: { kind: 'blob', sha2, length: 9 } })
      }
      const gone = { ...keys[0]!, id: 'gone' }
      await write(gone, { ...inline(''), content: { kind: 'blob', sha2: deleted!, length: 9 } })
      await write(gone, { kind: 'delete' })
      expect(await erase(storage, tenant, person)).toMatchObject({ documents: 1, blobs: 4, blobsLeft: 0 })
      for (const sha2 of all) expect(await storage.blobs.open(lrsId, sha2)).toBeUndefined()
    })
  })

  describe('of age, and of everything', () => {
    it('goes by what is latest, statement or document, also after the clock was set back', async () => {
      let now = Date.parse('2030-01-02T03:04:05Z')
      const own = await engine.open({ now: () => now })
      try {
        const mine = await createTenant(own.storage)
        const all = async () => ({ kind: 'empty' as const, ...(await own.storage.erasures.latest(mine.lrsId)) })
        const profiles = async () =>
          Promise.all(
            [ann, bob].map(async (value) => {
              const key = { kind: 'agent-profile', agent: value, id: 'p' } as const
              return (
                (await own.storage.documents.find(mine.lrsId, key, { owner: owners.ann, reach: 'any' })) !== undefined
              )
            }),
          )
        await putProfile(own.storage, mine.lrsId, ann)
        now -= 3_600_000
        await own.restart()
        const target = await all()
        // Begun: what arrives from now on stays.
        const young = statement()
        await put(own.storage, mine.lrsId, [young])
        await putProfile(own.storage, mine.lrsId, bob)
        expect(await erase(own.storage, mine, target)).toMatchObject({ documents: 1 })
        expect(await profiles()).toEqual([false, true])
        expect(await idsOf(own.storage, mine.lrsId)).toEqual([young.id])
        expect(await erase(own.storage, mine, await all())).toMatchObject({
          statements: 1,
          documents: 1,
        })
        expect(await profiles()).toEqual([false, false])
      } finally {
        await own.end()
      }
    })

    it('ends where it was told to', async () => {
      const [old, young] = [statement({ terms: [agent(ann)] }), statement({ terms: [agent(ann)] })]
      const [seq] = await put(storage, lrsId, [old])
      await put(storage, lrsId, [young])
      const target: ErasureTarget = { kind: 'retention', through: seq! }
      expect(await count(storage, lrsId, target)).toMatchObject({ statements: 1 })
      expect(await erase(storage, tenant, target)).toMatchObject({ statements: 1, documents: 0 })
      expect(await ids(mentioning(ann))).toEqual([young.id])
    })

    it('takes from those that stay what they inherited from those that go', async () => {
      const old = statement({ terms: [agent(ann)] })
      const [seq] = await put(storage, lrsId, [old])
      const young = referring(old)
      await put(storage, lrsId, [young])
      await erase(storage, tenant, { kind: 'retention', through: seq! })
      expect(await ids(mentioning(ann))).toEqual([])
      // It may come again here.
      await put(storage, lrsId, [old])
      expect(await ids(mentioning(ann))).toEqual([old.id, young.id])
    })

    it('leaves an empty Lrs that works as a new one', async () => {
      const target = statement()
      const many = Array.from({ length: 250 }, (_, index) => statement({ terms: [term(`v${index}`), agent(ann)] }))
      await put(storage, lrsId, [...many, referring(many[0]!), voiding(target)])
      expect(await count(storage, lrsId, everything())).toMatchObject({ statements: 252 })
      await erase(storage, tenant, everything())
      expect(await ids()).toEqual([])
      await put(storage, lrsId, [target, many[0]!])
      expect(await ids({ filters: [filter('v0')] })).toEqual([many[0]!.id])
      expect((await ids()).toSorted()).toEqual([target.id, many[0]!.id].toSorted())
    })

    it('brings back nobody who was erased', async () => {
      const gone = statement({ terms: [agent(ann)] })
      await put(storage, lrsId, [gone])
      await erase(storage, tenant, person)
      await erase(storage, tenant, everything())
      await put(storage, lrsId, [gone])
      expect(await ids()).toEqual([])
    })
  })

  it('keeps how long an Lrs keeps statements', async () => {
    const set = (retentionDays: number | null) =>
      storage.directory.updateLrs(tenant.id, lrsId, { retentionDays, at: 1 }, event('lrs.retention'))
    expect((await set(30)).retentionDays).toBe(30)
    expect((await storage.directory.listLrs(tenant.id))[0]?.retentionDays).toBe(30)
    expect(await set(null)).toEqual({ ...tenant.lrs, updatedAt: 1 })
  })
})

describe('the files', () => {
  const name = 'Ann Unmistakable'
  const email = 'ann.unmistakable@example.org'

  /** Every byte below the directory. */
  function holds(directory: string, needle: string | Buffer): string[] {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path).includes(needle))
  }

  it.each(['inline', 'workers'] as const)('have nothing left of the person, %s', async (threads) => {
    const directory = mkdtempSync(join(tmpdir(), 'claviger-erased-'))
    const storage = await openSqlite({ directory, threads })
    try {
      const tenant = await createTenant(storage)
      const other = await createTenant(storage)
      const launcher = await createPlatform(storage, tenant)
      const value = `mbox mailto:${email}`
      const target: ErasureTarget = { kind: 'person', agents: [value], onlyDirect: false }
      const long = (text: string) => `${text} `.repeat(400)
      // Several Lrs at a time and bodies of all lengths, so that pages are split in the middle and rows move about.
      for (let round = 0; round < 60; round++) {
        const mine = Array.from({ length: 12 }, (_, index) => {
          const isAnn = (round + index) % 5 === 0
          const id = randomUUID()
          const who = isAnn ? `${name} ${email}` : `somebody ${randomUUID()}`
          return statement({
            id,
            openBody: `{"id":"${id}","actor":${JSON.stringify(index % 4 === 0 ? long(who) : who)}`,
            terms: isAnn
              ? [agent(value), term(`urn:of:${email}:${round}`, 'activity')]
              : [agent(`mbox mailto:${randomUUID()}@example.org`), term(`urn:${randomUUID()}`, 'activity')],
            descriptions: isAnn ? [{ kind: 'agent', value, text: JSON.stringify(`${name} ${round}`) }] : [],
          })
        })
        await put(storage, tenant.lrsId, mine)
        await put(
          storage,
          other.lrsId,
          mine.filter((one) => !one.openBody.includes(email)),
        )
        const key = { kind: 'state', activityId: 'urn:a', agent: value, id: `s${round % 7}` } as const
        const content = { kind: 'inline', bytes: Buffer.from(long(`${name} ${round}`)) } as const
        const change = { kind: 'replace', content, contentType: 'text/plain', etag: '0' } as const
        const access = { owner: owners.ann, reach: 'any' } as const
        await storage.documents.change(tenant.lrsId, key, access, change, { preconditions: {}, mostBytes: 1e6 })
        if (round % 4 > 0) continue
        const actor = { objectType: 'Agent', mbox: `mailto:${email}`, name }
        const made = launch(tenant, launcher.credentialId, { actor, actorKey: value, data: { name: long(name) } })
        await storage.launches.createLaunch(tenant.id, made, event('launch.create'))
      }
      const before = await idsOf(storage, other.lrsId)
      const stays = (await storage.statements.list(tenant.lrsId, query({ limit: 1000 }))).rows.filter(
        ({ body }) => !body.includes(email),
      )
      const digest = createHash('sha256').update(value).digest()
      expect(holds(directory, email)).not.toEqual([])
      expect(holds(directory, digest)).not.toEqual([])
      await erase(storage, tenant, target)
      for (let next: number | undefined = 0; next !== undefined;) next = (await storage.erasures.scrub(next)).next
      // With the server running, and after it has ended.
      for (const needle of [email, name, digest, digest.toString('base64url')])
        expect(holds(directory, needle)).toEqual([])
      expect(await idsOf(storage, other.lrsId)).toEqual(before)
      expect((await storage.statements.list(tenant.lrsId, query({ limit: 1000 }))).rows).toEqual(stays)
      await put(storage, tenant.lrsId, [statement({ terms: [agent('mbox mailto:later@example.org')] })])
      await storage.close()
      for (const needle of [email, name, digest, digest.toString('base64url')])
        expect(holds(directory, needle)).toEqual([])
      const again = await openSqlite({ directory, threads })
      expect(await idsOf(again, other.lrsId)).toEqual(before)
      await again.close()
    } finally {
      await storage.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
