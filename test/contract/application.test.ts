// Applications, their settings, pipes, and notes: what the port promises, on every engine.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { application, batch, createApplication, createCredential, createTenant, event, fresh, pipe } from './samples.ts'
import { statement } from './samples.ts'
import { engines } from './engines.ts'
import type { ApplicationId, LrsId, PipeId } from '../../src/core/ids.ts'
import type { ApplicationQuery, DirectoryStore, PlatformStore } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

const own = event('x.y')

describe.each(engines)('applications on $name', ({ open }) => {
  let store: Store
  let tenant: Tenant
  let directory: DirectoryStore
  let platform: PlatformStore
  beforeEach(async () => {
    store = await open()
    tenant = await createTenant(store.storage)
    ;({ directory, platform } = store.storage)
  })
  afterEach(() => store.end())

  const make = (part = {}) => createApplication(store.storage, tenant, part)
  const refused = async (attempt: Promise<unknown>, code: string) =>
    expect(await attempt.then(String, (error: { code: string }) => error.code)).toBe(code)

  it('makes both Lrs and a credential that reaches and manages them', async () => {
    const made = await make()
    const { id, liveLrsId, sandboxLrsId, credentialId } = made
    const lrs = await directory.listLrs(tenant.id)
    expect(lrs.map((it) => it.id)).toEqual([tenant.lrsId, liveLrsId, sandboxLrsId])
    const credential = await directory.findCredential(tenant.id, credentialId)
    expect(credential).toMatchObject({ kind: 'application', key: id, lrsIds: [liveLrsId, sandboxLrsId] })
    expect(credential?.rights.management[0]?.bound).toEqual({
      kind: 'application',
      id,
      lrsIds: [liveLrsId, sandboxLrsId],
    })
    expect(await platform.findApplication(id)).toEqual(made)
    expect(await platform.findApplication('NONE' as ApplicationId)).toBeUndefined()
  })

  it('leaves nothing of one that is refused', async () => {
    const { id } = await make()
    const before = await directory.listLrs(tenant.id)
    await refused(make({ id }), 'conflict')
    const sample = application()
    await createCredential(store.storage, tenant, { key: sample.id })
    await refused(directory.createApplication(tenant.id, sample, own), 'conflict')
    expect(await directory.listLrs(tenant.id)).toEqual(before)
    expect(await platform.findApplication(sample.id)).toBeUndefined()
  })

  it('lists by either time, filtered, page by page', async () => {
    const ids = ['AAAAAAAAAA', 'BBBBBBBBBB', 'CCCCCCCCCC'] as ApplicationId[]
    for (const [index, id] of ids.entries()) await make({ id, name: `100%_${'xyZ'[index]}`, createdAt: 1000 + index })
    await directory.updateApplication(tenant.id, ids[0]!, { name: 'later', at: 5000 }, own)
    const list = async (asked: Partial<ApplicationQuery>) => {
      const query = { by: 'createdAt', isDescending: false, limit: 100, ...asked } as const
      const { items, total } = await directory.listApplications(tenant.id, query)
      return [items.map(({ id }) => id[0]).join(''), total]
    }
    expect(await list({})).toEqual(['ABC', 3])
    expect(await list({ by: 'updatedAt' })).toEqual(['BCA', 3])
    expect(await list({ isDescending: true, limit: 2 })).toEqual(['CB', 3])
    expect(await list({ isDescending: true, after: { at: 1001, id: ids[1]! } })).toEqual(['A', 3])
    expect(await list({ since: 1001, until: 1001 })).toEqual(['B', 1])
    expect(await list({ by: 'updatedAt', since: 5000 })).toEqual(['A', 1])
    expect(await list({ by: 'updatedAt', rangeBy: 'createdAt', until: 1001 })).toEqual(['BA', 2])
    expect(await list({ filter: { by: 'name', text: '100%_X' } })).toEqual(['', 0])
    expect(await list({ filter: { by: 'name', text: '%_Z' } })).toEqual(['C', 1])
    expect(await list({ filter: { by: 'id', text: 'bbb' } })).toEqual(['B', 1])
  })

  it('finds names in any case, those of other letters than ASCII, too', async () => {
    await make({ name: 'ÄRZTE der Straße' })
    const totals = ['ÄRZTE', 'ärzte', 'STRAßE', 'Arzte'].map(async (text) => {
      const query = { by: 'createdAt', isDescending: false, limit: 1, filter: { by: 'name', text } } as const
      return (await directory.listApplications(tenant.id, query)).total
    })
    expect(await Promise.all(totals)).toEqual([1, 1, 1, 0])
  })

  it('counts the generation up with each callback, and when asked', async () => {
    const { id } = await make()
    const change = async (patch: object) =>
      (await directory.updateApplication(tenant.id, id, { at: 9, ...patch }, own)).callbackGeneration
    expect([await change({ name: 'n' }), await change({ callback: 'sealed' })]).toEqual([1, 2])
    expect([await change({ forgetsVerdicts: true }), await change({ callback: null })]).toEqual([3, 4])
    expect(await directory.findApplication(tenant.id, id)).toMatchObject({ name: 'n', callback: null, updatedAt: 9 })
  })

  it('gives its name to its credential', async () => {
    const { id, credentialId } = await make()
    const before = await directory.findCredential(tenant.id, credentialId)
    await directory.updateApplication(tenant.id, id, { isDeletable: false, at: 8 }, own)
    expect(await directory.findCredential(tenant.id, credentialId)).toEqual(before)
    await directory.updateApplication(tenant.id, id, { name: 'other', at: 9 }, own)
    const renamed = { ...before, name: 'other', version: before!.version + 1, updatedAt: 9 }
    expect(await directory.findCredential(tenant.id, credentialId)).toEqual(renamed)
  })

  it('refuses to delete while there is a statement, then takes all keys of it along', async () => {
    const { id, liveLrsId, sandboxLrsId, credentialId } = await make()
    const one = await createCredential(store.storage, tenant, { lrsIds: [sandboxLrsId] })
    const more = await createCredential(store.storage, tenant, { lrsIds: [tenant.lrsId, liveLrsId] })
    await directory.createPipe(tenant.id, pipe({ applicationId: id }), own)
    await store.storage.statements.store([batch(sandboxLrsId, [statement()])])
    await refused(directory.deleteApplication(tenant.id, id, own), 'conflict')
    expect(await directory.findApplication(tenant.id, id)).toBeDefined()
    const other = await make()
    const kept = await directory.createPipe(tenant.id, pipe({ applicationId: other.id }), own)
    await directory.deleteApplication(tenant.id, other.id, own)
    expect(await directory.findPipe(tenant.id, kept.id)).toBeUndefined()
    expect(await directory.findCredential(tenant.id, other.credentialId)).toBeUndefined()
    expect(await directory.findCredential(tenant.id, credentialId)).toBeDefined()
    expect(await directory.findCredential(tenant.id, one.id)).toBeDefined()
    expect((await directory.findCredential(tenant.id, more.id))?.lrsIds).toEqual([tenant.lrsId, liveLrsId])
  })

  it('takes the Lrs of a deleted one from whoever reached more', async () => {
    const { id, liveLrsId } = await make()
    const only = await createCredential(store.storage, tenant, { lrsIds: [liveLrsId] })
    const more = await createCredential(store.storage, tenant, { lrsIds: [liveLrsId, tenant.lrsId] })
    const endingAlike = Number(`1${String(liveLrsId).padStart(8, '9')}`) as LrsId
    const lrs = { oid: fresh.oid(), name: 'l', createdAt: 1, id: endingAlike }
    const { id: alike } = await directory.createLrs(tenant.id, lrs, own)
    const other = await createCredential(store.storage, tenant, { lrsIds: [alike] })
    await directory.putSettings(tenant.id, id, { level: '', values: {}, isOpen: false, at: 1 }, own)
    await directory.deleteApplication(tenant.id, id, own)
    expect(await directory.findCredential(tenant.id, only.id)).toBeUndefined()
    expect((await directory.findCredential(tenant.id, more.id))?.lrsIds).toEqual([tenant.lrsId])
    expect((await directory.findCredential(tenant.id, other.id))?.lrsIds).toEqual([alike])
    expect((await directory.findOrganisation(tenant.id))?.closedLrsIds).toEqual([])
  })

  it('lists credentials by exactly which Lrs they reach', async () => {
    const { liveLrsId, sandboxLrsId } = await make()
    const both = await createCredential(store.storage, tenant, { lrsIds: [sandboxLrsId, liveLrsId] })
    const lists = [[liveLrsId], [sandboxLrsId, liveLrsId]]
    const { items, total } = await directory.listCredentials(
      tenant.id,
      { kind: 'client', lrsIds: lists },
      { offset: 0, limit: 10 },
    )
    expect([items.map(({ id }) => id), total]).toEqual([[both.id], 1])
  })

  it('keeps settings by level, removes with null, and says which Lrs are closed', async () => {
    const { id, liveLrsId, sandboxLrsId } = await make()
    const put = (level: string, values: Record<string, string | null>, isOpen?: boolean) => {
      const change = { level, values, at: 77, ...(isOpen !== undefined && { isOpen }) }
      return directory.putSettings(tenant.id, id, change, own)
    }
    await put('', { b: '1', a: '' })
    await put('X/true', { a: '2' })
    await put('', { b: null, none: null, a: '3' }, false)
    expect(await directory.listSettings(tenant.id, id)).toEqual([
      { level: '', name: 'a', value: '3' },
      { level: 'X/true', name: 'a', value: '2' },
    ])
    expect((await directory.findApplication(tenant.id, id))?.updatedAt).toBe(77)
    const closed = async () => (await directory.findOrganisation(tenant.id))?.closedLrsIds
    expect(await closed()).toEqual([liveLrsId, sandboxLrsId])
    const { key } = await createCredential(store.storage, tenant, { lrsIds: [liveLrsId] })
    const [candidate] = await platform.findSignInCandidates(key)
    expect(candidate?.organisation.closedLrsIds).toEqual([liveLrsId, sandboxLrsId])
    await put('', {}, true)
    expect(await closed()).toEqual([])
  })

  it('takes progress of the standing version of a pipe only', async () => {
    const { id: applicationId, liveLrsId } = await make()
    const made = await directory.createPipe(tenant.id, pipe({ applicationId, lrsId: liveLrsId }), own)
    expect(made).toMatchObject({ applicationId, lrsId: liveLrsId, version: 1, progress: { through: 0 } })
    const save = (version: number, through: number, pausedBecause: string | null = null) =>
      directory.savePipeProgress(tenant.id, made.id, version, { progress: { through }, pausedBecause })
    expect(await save(1, 5)).toBe(true)
    const changed = await directory.updatePipe(tenant.id, made.id, { target: 'other', at: 99 }, own)
    expect(changed).toMatchObject({ target: 'other', version: 2, progress: { through: 5 }, updatedAt: 99 })
    expect(await save(1, 6)).toBe(false)
    expect((await platform.listRunningPipes()).map(({ id }) => id)).toContain(made.id)
    expect(await save(2, 7, 'refused')).toBe(true)
    expect(await platform.listRunningPipes()).toEqual([])
    expect(await directory.findPipe(tenant.id, made.id)).toMatchObject({
      progress: { through: 7 },
      pausedBecause: 'refused',
    })
    const second = await directory.createPipe(tenant.id, pipe({ createdAt: 1_700_000_000_001 }), own)
    expect((await directory.listPipes(tenant.id)).map(({ id }) => id)).toEqual([made.id, second.id])
    expect(await directory.listPipes(tenant.id, null)).toEqual([second])
    expect(await platform.listRunningPipes(second.id)).toEqual([])
    await directory.deletePipe(tenant.id, made.id, own)
    expect(await save(2, 8)).toBe(false)
    await refused(directory.updatePipe(tenant.id, 'none' as PipeId, { at: 1 }, own), 'not_found')
  })

  it('enters a note once, tells what stood before, and forgets what is over', async () => {
    const [one, two] = [fresh.pair(), fresh.pair()]
    const note = (name: string, value: string, until: number) => ({ name, value, until })
    expect(await platform.remember([note(one, 'a', 2000), note(two, 'b', 1500)], 1000)).toEqual([undefined, undefined])
    expect(await platform.remember([note(two, 'c', 9000), note(one, 'c', 9000)], 1499)).toEqual(['b', 'a'])
    expect(await platform.recall([two, one, 'none'], 1499)).toEqual(['b', 'a', undefined])
    expect(await platform.recall([one, two], 1500)).toEqual(['a', undefined])
    expect(await platform.remember([note(two, 'd', 3000)], 1500)).toEqual([undefined])
    expect(await platform.recall([one, two], 1600)).toEqual(['a', 'd'])
    expect(await platform.recall([], 1)).toEqual([])
  })

  it('finds a note new once, however many enter it at the same time', async () => {
    const name = fresh.pair()
    const entering = Array.from({ length: 20 }, (_, index) =>
      platform.remember([{ name, value: String(index), until: 2000 }], 1000),
    )
    const before = (await Promise.all(entering)).flat()
    expect(before.filter((value) => value === undefined)).toHaveLength(1)
  })
})
