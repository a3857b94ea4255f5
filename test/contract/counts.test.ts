// How many statements an Lrs has is known without counting, and right whatever came and went, also in one transaction with others.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { batch, createTenant, event, fresh, owners, partOf, statement, store as put, term } from './samples.ts'
import { engines } from './engines.ts'
import type { ErasurePosition, ErasureTarget, ImportedStatement, PreparedStatement } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

const ann = 'mbox mailto:ann@example.com'
const everything = { kind: 'empty', through: 9_000_000_000_000_000 } as const

describe.each(engines)('how many statements there are, $name', (engine) => {
  let store: Store
  let tenant: Tenant
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (tenant = await createTenant(store.storage)))

  const count = () => store.storage.statements.countStatements(tenant.lrsId)
  const storeBatch = (...statements: readonly PreparedStatement[]) =>
    store.storage.statements.store([batch(tenant.lrsId, statements)])

  /** Step by step, with what `between` does after each. */
  async function erase(target: ErasureTarget, between?: () => Promise<unknown>): Promise<void> {
    const { erasures } = store.storage
    const id = fresh.oid()
    await erasures.create(tenant.id, { id, plan: {}, sealed: null, startedAt: 1 }, event('erasure.start'))
    let position: ErasurePosition | undefined
    do {
      position = (await erasures.step(tenant.id, id, tenant.lrsId, target, position)).next
      await between?.()
    } while (position !== undefined)
  }

  const imported = (part: Partial<ImportedStatement> = {}): ImportedStatement => ({
    ...{ ...statement(), timestamp: 1_400_000_000_000_000, owner: owners.ann, storedAt: 1_500_000_000_000_000 },
    ...{ storedText: '2017-07-14T02:40:00.000Z', isVoided: false, voidReach: 'any', defineReach: 'any' },
    ...part,
  })

  it('is none where nothing was ever stored, and in another Lrs of the organisation', async () => {
    expect(await count()).toBe(0)
    await storeBatch(statement())
    const given = { oid: fresh.oid(), name: 'Second', createdAt: 1 }
    const second = await store.storage.directory.createLrs(tenant.id, given, event('lrs.create'))
    expect(await store.storage.statements.countStatements(second.id)).toBe(0)
  })

  it('counts what is stored, voided and voiding ones, too, and nothing that was there, or conflicts', async () => {
    const [one, two] = [statement(), statement()]
    await storeBatch(one, two)
    await storeBatch(statement({ isVoiding: true, refersTo: one.id }))
    expect(await count()).toBe(3)
    await storeBatch(one, statement())
    expect(await count()).toBe(4)
    const [outcome] = await storeBatch(statement(), statement({ id: two.id }))
    expect(outcome).toMatchObject({ kind: 'conflict' })
    expect(await count()).toBe(4)
    await store.restart()
    expect(await count()).toBe(4)
  })

  it('counts what comes at once, in many calls and in one', async () => {
    const many = Array.from({ length: 20 }, () => [statement(), statement()])
    await Promise.all(many.map((statements) => storeBatch(...statements)))
    await store.storage.statements.store(many.map((statements) => batch(tenant.lrsId, [...statements, statement()])))
    expect(await count()).toBe(60)
  })

  it('counts what is imported as it counts what is stored', async () => {
    const { imports } = store.storage
    const { id } = await imports.begin({ id: fresh.oid(), source: fresh.key(), startedAt: 1, progress: {} })
    const [one, voided] = [imported(), imported({ isVoided: true })]
    const bring = (...statements: readonly ImportedStatement[]) =>
      imports.storeStatements(id, tenant.lrsId, { statements: partOf(store.storage, statements), progress: {} })
    expect(await bring(one, voided)).toEqual(['stored', 'stored'])
    await storeBatch(statement())
    expect(await bring(one, imported({ id: voided.id }), imported())).toEqual(['there', 'conflict', 'stored'])
    expect(await count()).toBe(4)
  })

  it('goes down with what is erased, step by step, while others store', async () => {
    const of = (agent: string) => statement({ terms: [term(agent, 'agent')] })
    await storeBatch(...Array.from({ length: 250 }, () => of(ann)), of('mbox mailto:bob@example.com'))
    await erase({ kind: 'person', agents: [ann], onlyDirect: false }, () => storeBatch(statement()))
    const left = await count()
    const { rows } = await store.storage.statements.list(tenant.lrsId, { filters: [], isAscending: true, limit: 1_000 })
    expect(left).toBe(rows.length)
    expect(left).toBeGreaterThan(1)
    await erase(everything)
    expect(await count()).toBe(0)
    const [stored] = await put(store.storage, tenant.lrsId, [statement(), statement()])
    await erase({ kind: 'retention', through: stored! })
    expect(await count()).toBe(1)
    await store.restart()
    expect(await count()).toBe(1)
  })
})
