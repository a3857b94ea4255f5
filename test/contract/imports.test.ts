// Imports: what was stored elsewhere before keeps its stored times, while others store; how far an import is goes with what it
// stored; Consistent-Through waits for its end.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createTenant,
  filter,
  fresh,
  idsOf,
  owners,
  partOf,
  query,
  saying,
  statement,
  store as put,
  term,
} from './samples.ts'
import { engines } from './engines.ts'
import type { CredentialId, LrsId, Oid } from '../../src/core/ids.ts'
import type { ImportedDocument, ImportedStatement, PreparedStatement, StoredStatement } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'

const at = 1_500_000_000_962_000
const text = '2017-07-14T02:40:00.962Z'
const none = { low: 0 }

function imported(part: Partial<ImportedStatement> = {}): ImportedStatement {
  const { timestamp, ...prepared } = statement(part)
  return {
    ...{ ...prepared, timestamp: timestamp ?? 1_400_000_000_000_000 },
    ...{ owner: owners.ann, storedAt: at, storedText: text, isVoided: false, voidReach: 'any', defineReach: 'any' },
    ...part,
  }
}

function document(part: Partial<ImportedDocument> = {}): ImportedDocument {
  const bytes = new TextEncoder().encode('{"page":1}')
  return {
    key: { kind: 'state', activityId: 'https://example.com/a', agent: 'mbox mailto:ann@example.com', id: 'resume' },
    owner: 0 as CredentialId,
    content: { kind: 'inline', bytes },
    contentType: 'application/json',
    etag: 'f'.repeat(40),
    updatedAt: at,
    ...part,
  }
}

const idOf = ({ body }: StoredStatement) => (JSON.parse(body) as { id: string }).id
const ids = (statements: readonly PreparedStatement[]) => statements.map(({ id }) => id)

describe.each(engines)('imports, $name', (engine) => {
  let store: Store
  let lrsId: LrsId
  let id: Oid
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => {
    lrsId = (await createTenant(store.storage)).lrsId
    id = await begin()
  })

  const begin = async (source: string = fresh.key(), progress = {}) =>
    (await store.storage.imports.begin({ id: fresh.oid(), source, startedAt: 1_700_000_000_000, progress })).id
  const bring = (statements: readonly ImportedStatement[], progress = {}) =>
    store.storage.imports.storeStatements(id, lrsId, { statements: partOf(store.storage, statements), progress })
  const finish = () => store.storage.imports.finish(id, { at: 1_700_000_000_001, report: { read: 1 } })
  const through = () => store.storage.statements.consistentThrough(lrsId)
  const now = () => Date.now() * 1_000

  it('keep the text, its stored time and the owner', async () => {
    const one = imported({ owner: owners.bob })
    expect(await bring([one])).toEqual(['stored'])
    const { statement: found } = await store.storage.statements.find(lrsId, one.id, { isVoided: false })
    expect(found).toMatchObject({ owner: owners.bob, body: `${one.openBody},"stored":"${text}"}` })
    expect(await idsOf(store.storage, lrsId, { owner: owners.ann })).toEqual([])
    expect(await idsOf(store.storage, lrsId, { owner: owners.bob })).toEqual([one.id])
  })

  it('tell apart what shares a stored time: until has all of them, since none, in the order they came in', async () => {
    const [first, second, third, later] = [imported(), imported(), imported(), imported({ storedAt: at + 1_000 })]
    expect(await bring([first, later, second])).toEqual(['stored', 'stored', 'stored'])
    expect(await bring([third])).toEqual(['stored'])
    expect(new Set(await idsOf(store.storage, lrsId, { until: at }))).toEqual(new Set(ids([first, second, third])))
    expect(await idsOf(store.storage, lrsId, { since: at })).toEqual([later.id])
    expect(await idsOf(store.storage, lrsId, { until: at - 1_000 })).toEqual([])
    const inOrder = await idsOf(store.storage, lrsId, { isAscending: true })
    expect(inOrder.indexOf(first.id)).toBeLessThan(inOrder.indexOf(second.id))
  })

  it('find room among thousands of one stored time', async () => {
    const many = Array.from({ length: 1_500 }, () => imported())
    expect(new Set(await bring(many))).toEqual(new Set(['stored']))
    // Where what was remembered is gone, it is looked for.
    await store.restart()
    expect(new Set(await bring([imported(), imported()]))).toEqual(new Set(['stored']))
    const found = await idsOf(store.storage, lrsId, { since: at - 1_502, until: at })
    expect(new Set(found).size).toBe(1_502)
    expect(await idsOf(store.storage, lrsId, { until: at - 1_502 })).toEqual([])
  })

  it('acknowledge what is there, refuse another statement of the id, one by one', async () => {
    const one = imported()
    await bring([one])
    const other = imported({ id: one.id, openBody: saying(one.id, 'something else') })
    const another = imported()
    expect(await bring([one, other, another, { ...another, storedAt: at + 5 }])).toEqual([
      'there',
      'conflict',
      'stored',
      'there',
    ])
    expect((await idsOf(store.storage, lrsId)).length).toBe(2)
  })

  it('void what was voided, by its statement in either order or by its mark, and no voiding statement', async () => {
    const [early, late, marked] = [imported(), imported(), imported({ isVoided: true })]
    const voids = ({ id: refersTo }: PreparedStatement, part: Partial<ImportedStatement> = {}) =>
      imported({ refersTo, isVoiding: true, ...part })
    const voiding = voids(late, { isVoided: true })
    await bring([early, marked, voids(early), voiding])
    await bring([late])
    expect(await idsOf(store.storage, lrsId)).toHaveLength(2)
    for (const { id: gone } of [early, late, marked]) {
      expect((await store.storage.statements.find(lrsId, gone, { isVoided: true })).statement).toBeDefined()
    }
    const kept = imported()
    await bring([kept, voids(kept, { voidReach: undefined }), voids(kept, { voidReach: 'mine', owner: owners.bob })])
    expect(await idsOf(store.storage, lrsId)).toContain(kept.id)
    // Met again with the mark, it goes as well.
    expect(await bring([{ ...kept, isVoided: true }])).toEqual(['there'])
    expect(await idsOf(store.storage, lrsId)).not.toContain(kept.id)
  })

  it('are found by what they say, and by what refers to them', async () => {
    const verb = term(`https://example.com/${fresh.key()}`)
    const said = imported({ terms: [verb] })
    const referring = imported({ refersTo: said.id, storedAt: at - 60_000 })
    await bring([referring])
    await bring([said])
    const found = await idsOf(store.storage, lrsId, { filters: [filter(verb.value)] })
    expect(new Set(found)).toEqual(new Set([said.id, referring.id]))
  })

  it('share what they define where their owner may, and keep it to the owner where not', async () => {
    const value = `https://example.com/${fresh.key()}`
    const says = (name: string) => [{ kind: 'activity' as const, value, text: `{"name":{"en":"${name}"}}` }]
    await bring([
      imported({ descriptions: says('shared'), terms: [term(value, 'activity')] }),
      imported({ descriptions: says('own'), defineReach: 'mine', owner: owners.bob, terms: [term(value, 'activity')] }),
    ])
    const known = await store.storage.statements.listDescriptions(lrsId, { kind: 'activity', value })
    expect(known.map(({ isShared }) => isShared)).toEqual([true, false])
  })

  it('hold Consistent-Through before what they bring, and what follows, until they are finished', async () => {
    const [before] = await put(store.storage, lrsId, [statement()])
    expect(await through()).toBeGreaterThanOrEqual(before!)
    await bring([imported({ storedAt: at + 5_000_000 })])
    expect(await through()).toBeLessThan(at + 5_000_000)
    await bring([imported()])
    const held = await through()
    expect(held).toBeLessThan(at)
    const [live = 0] = await put(store.storage, lrsId, [statement()])
    expect(live).toBeGreaterThan(before!)
    const page = await store.storage.statements.list(lrsId, query())
    expect(page.rows[0]?.seq).toBe(live)
    expect(page.consistentThrough).toBe(held)
    const found = await store.storage.statements.find(lrsId, idOf(page.rows[0]!), { isVoided: false })
    expect(found.consistentThrough).toBe(held)
    expect((await store.storage.statements.follow(lrsId, { after: 0, limit: 10, mostText: 1_000 })).rows).toEqual([])
    await store.restart()
    expect(await through()).toBe(held)
    await finish()
    expect(await through()).toBeGreaterThanOrEqual(live)
    expect((await store.storage.statements.follow(lrsId, { after: 0, limit: 10, mostText: 1e6 })).rows).toHaveLength(4)
  })

  it('hold no other Lrs, and go on holding one that two write to', async () => {
    const other = (await createTenant(store.storage)).lrsId
    await bring([imported()])
    const second = await begin()
    await store.storage.imports.storeStatements(second, lrsId, {
      statements: partOf(store.storage, [imported()]),
      progress: none,
    })
    expect(await store.storage.statements.consistentThrough(other)).toBeGreaterThan(at)
    await finish()
    expect(await through()).toBeLessThan(at)
    await store.storage.imports.finish(second, { at: 2, report: null })
    expect(await through()).toBeGreaterThan(at)
  })

  it('leave what is stored live later than all of it', async () => {
    await bring([imported({ storedAt: now() - 1_000_000 })])
    const [live] = await put(store.storage, lrsId, [statement()])
    expect(live).toBeGreaterThan(now() - 60_000_000)
    await bring([imported()])
    const [next] = await put(store.storage, lrsId, [statement()])
    expect(next).toBeGreaterThan(live!)
  })

  it('know how far they are in each Lrs, and are found again by their source until they are finished', async () => {
    const source = `elsewhere ${fresh.key()}`
    id = await begin(source, { file: 1 })
    const first = imported()
    await bring([first], { line: 1 })
    const other = imported({ id: first.id, openBody: saying(first.id, 'something else') })
    await bring([imported(), first, other], { line: 2 })
    // Handed over before the interruption, and once more: counted once.
    const handedAgain = await store.storage.imports.storeStatements(id, lrsId, {
      statements: partOf(store.storage, [first, other]),
    })
    expect(handedAgain).toEqual(['there', 'conflict'])
    await store.storage.imports.save(id, { file: 2 })
    await store.restart()
    const again = { id: fresh.oid(), source, startedAt: 3, progress: {} }
    const none = { stored: 0, there: 0, refused: 0 }
    const counts = { statements: { stored: 2, there: 1, refused: 1 }, documents: none }
    const open = {
      id,
      source,
      progress: { file: 2 },
      lrs: [{ lrsId, progress: { line: 2 }, counts }],
      finishedAt: null,
    }
    expect(await store.storage.imports.begin(again)).toMatchObject(open)
    expect(await store.storage.imports.find(id)).toMatchObject(open)
    await finish()
    expect(await store.storage.imports.find(id)).toMatchObject({
      lrs: [],
      report: { read: 1 },
      finishedAt: 1_700_000_000_001,
    })
    expect((await store.storage.imports.begin(again)).id).toBe(again.id)
    expect((await store.storage.imports.list()).map((one) => one.id)).toContain(id)
  })

  it('store nothing once they are finished, or were never begun', async () => {
    await finish()
    await expect(bring([imported()])).rejects.toMatchObject({ code: 'not_found' })
    await expect(finish()).rejects.toMatchObject({ code: 'not_found' })
    await expect(store.storage.imports.save(id, {})).rejects.toMatchObject({ code: 'not_found' })
    id = fresh.oid()
    await expect(bring([imported()])).rejects.toMatchObject({ code: 'not_found' })
    const part = { documents: [document()], progress: {} }
    await expect(store.storage.imports.storeDocuments(id, lrsId, part)).rejects.toMatchObject({ code: 'not_found' })
    expect(await idsOf(store.storage, lrsId)).toEqual([])
    expect(await store.storage.imports.find(id)).toBeUndefined()
    expect(await through()).toBeGreaterThan(at)
  })

  it('bring documents as they were, and leave later ones', async () => {
    const access = { owner: owners.ann, reach: 'any' } as const
    const part = (...documents: ImportedDocument[]) => ({ documents, progress: {} })
    const own = document({ owner: owners.ann, key: { kind: 'agent-profile', agent: 'mbox mailto:a@b.c', id: 'own' } })
    const bringing = part(document(), own)
    expect(await store.storage.imports.storeDocuments(id, lrsId, bringing)).toEqual(['stored', 'stored'])
    expect(await store.storage.documents.find(lrsId, document().key, access)).toMatchObject({
      ...{ etag: 'f'.repeat(40), updatedAt: at, contentType: 'application/json' },
    })
    const bob = { owner: owners.bob, reach: 'any' } as const
    expect(await store.storage.documents.find(lrsId, own.key, bob)).toBeUndefined()
    expect(await store.storage.documents.find(lrsId, own.key, access)).toMatchObject({ updatedAt: at })
    const later = document({ updatedAt: at + 1, etag: 'e'.repeat(40) })
    expect(await store.storage.imports.storeDocuments(id, lrsId, part(document(), later, document()))).toEqual([
      'there',
      'stored',
      'there',
    ])
    expect(await store.storage.documents.find(lrsId, later.key, access)).toMatchObject({ etag: 'e'.repeat(40) })
    // Documents hold nothing back.
    expect(await through()).toBeGreaterThan(at)
  })
})
