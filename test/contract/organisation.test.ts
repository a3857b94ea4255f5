// Organisations, their Lrs, and the values of the platform.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApplication, createTenant, event, fresh } from './samples.ts'
import { engines } from './engines.ts'
import type { LrsId, OrganisationId } from '../../src/core/ids.ts'
import type { LrsPatch } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

const lrs = (id?: LrsId) => ({ ...(id !== undefined && { id }), oid: fresh.oid(), name: 'Lrs', createdAt: 5 })
/** What is not given. */
const plainLrs = { description: null, words: {}, updatedAt: 5, deletedAt: null }
const closing = { level: '', values: {}, isOpen: false, at: 1 }
const organisation = (id?: OrganisationId) => ({
  ...(id !== undefined && { id }),
  oid: fresh.oid(),
  name: 'Organisation',
  wrappedKey: 'wrapped',
  switches: { 'face.status': 201 },
  createdAt: 7,
})

describe.each(engines)('organisations, $name', (engine) => {
  let store: Store
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())

  describe('createOrganisation', () => {
    it('creates the organisation with its first Lrs as default', async () => {
      const [given, first] = [organisation(), lrs()]
      const created = await store.storage.platform.createOrganisation(given, first, event('organisation.create'))
      const made = { id: created.organisation.id, defaultLrsId: created.lrs.id, closedLrsIds: [] }
      expect(created.organisation).toEqual({ ...given, ...made, expiresAt: null, words: {}, updatedAt: 7 })
      const { id: organisationId } = created.organisation
      expect(created.lrs).toEqual({ ...first, ...plainLrs, id: created.lrs.id, organisationId })
      const { directory } = store.storage
      expect(await directory.findOrganisation(created.organisation.id)).toEqual(created.organisation)
      expect(await directory.listLrs(created.organisation.id)).toEqual([created.lrs])
    })

    it('takes an end, words and times as they were elsewhere', async () => {
      const given = { ...organisation(), expiresAt: 9_000, words: { face: { a: [1] } }, updatedAt: 8 }
      const first = { ...lrs(), description: 'About\nit', words: { face: 2 }, updatedAt: 6, retentionDays: 3 }
      const created = await store.storage.platform.createOrganisation(given, first, event('organisation.create'))
      expect(created.organisation).toMatchObject(given)
      expect(created.lrs).toMatchObject({ ...first, deletedAt: null })
      expect(await store.storage.directory.findOrganisation(created.organisation.id)).toEqual(created.organisation)
      expect(await store.storage.directory.listLrs(created.organisation.id)).toEqual([created.lrs])
    })

    it('takes chosen ids and refuses taken ones, writing nothing', async () => {
      const { platform, directory } = store.storage
      const [organisationId, lrsId] = [90_001 as OrganisationId, 90_002 as LrsId]
      await platform.createOrganisation(organisation(organisationId), lrs(lrsId), event('organisation.create'))
      const before = await platform.listOrganisations({ offset: 0, limit: 1_000 })
      const again = platform.createOrganisation(organisation(organisationId), lrs(), event('organisation.create'))
      await expect(again).rejects.toMatchObject({ code: 'conflict' })
      const sameLrs = platform.createOrganisation(organisation(), lrs(lrsId), event('organisation.create'))
      await expect(sameLrs).rejects.toMatchObject({ code: 'conflict' })
      expect(await platform.listOrganisations({ offset: 0, limit: 1_000 })).toEqual(before)
      expect(await directory.listLrs(organisationId)).toHaveLength(1)
    })
  })

  describe('listOrganisations', () => {
    it('pages by id and counts all', async () => {
      const own = await engine.open()
      const tenants = [
        await createTenant(own.storage),
        await createTenant(own.storage),
        await createTenant(own.storage),
      ]
      const all = tenants.map((tenant) => tenant.organisation)
      const list = (offset: number, limit: number) => own.storage.platform.listOrganisations({ offset, limit })
      expect(await list(0, 10)).toEqual({ items: all, total: 3 })
      expect(await list(1, 1)).toEqual({ items: all.slice(1, 2), total: 3 })
      expect(await list(0, 0)).toEqual({ items: [], total: 3 })
      expect(await list(3, 1)).toEqual({ items: [], total: 3 })
      await own.end()
    })
  })

  describe('updateOrganisation', () => {
    it('changes the named fields only', async () => {
      const { directory } = store.storage
      const tenant = await createTenant(store.storage)
      const other = await directory.createLrs(tenant.id, lrs(), event('lrs.create'))
      const update = (patch: Parameters<typeof directory.updateOrganisation>[1]) =>
        directory.updateOrganisation(tenant.id, patch, event('organisation.update', 'organisation', tenant.id))
      const renamed = { ...tenant.organisation, name: 'New', updatedAt: 11 }
      expect(await update({ name: 'New', at: 11 })).toEqual(renamed)
      const switches = { 'a.x': 1, 'a.y': [true] }
      expect(await update({ switches, at: 12 })).toEqual({ ...renamed, switches, updatedAt: 12 })
      const removed = await update({ switches: { 'a.x': null }, defaultLrsId: other.id, at: 13 })
      expect(removed).toEqual({ ...renamed, switches: { 'a.y': [true] }, defaultLrsId: other.id, updatedAt: 13 })
      const worded = await update({ words: { face: { a: 1 }, other: 'x' }, expiresAt: 99, at: 14 })
      expect(worded).toEqual({ ...removed, words: { face: { a: 1 }, other: 'x' }, expiresAt: 99, updatedAt: 14 })
      const forgotten = await update({ words: { face: 2, other: null }, expiresAt: null, at: 15 })
      expect(forgotten).toEqual({ ...removed, words: { face: 2 }, updatedAt: 15 })
      expect(await directory.findOrganisation(tenant.id)).toEqual(forgotten)
    })

    it('refuses an unknown organisation and an Lrs of another', async () => {
      const { directory } = store.storage
      const [tenant, other] = [await createTenant(store.storage), await createTenant(store.storage)]
      const unknown = directory.updateOrganisation(
        77_777 as OrganisationId,
        { name: 'x', at: 1 },
        event('organisation.update'),
      )
      await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
      const foreign = directory.updateOrganisation(
        tenant.id,
        { name: 'x', defaultLrsId: other.lrsId, at: 1 },
        event('organisation.update'),
      )
      await expect(foreign).rejects.toMatchObject({ code: 'invalid' })
      expect(await directory.findOrganisation(tenant.id)).toEqual(tenant.organisation)
      expect(await directory.listAudit(tenant.id, 0, 10)).toHaveLength(1)
    })
  })

  describe('createLrs', () => {
    it('adds to the organisation, in order of id', async () => {
      const { directory } = store.storage
      const tenant = await createTenant(store.storage)
      const given = lrs()
      const created = await directory.createLrs(tenant.id, given, event('lrs.create'))
      expect(created).toEqual({ ...given, ...plainLrs, id: created.id, organisationId: tenant.id })
      expect(await directory.listLrs(tenant.id)).toEqual([tenant.lrs, created])
    })

    it('refuses a taken id and an unknown organisation', async () => {
      const { directory } = store.storage
      const [tenant, other] = [await createTenant(store.storage), await createTenant(store.storage)]
      const taken = directory.createLrs(tenant.id, lrs(other.lrsId), event('lrs.create'))
      await expect(taken).rejects.toMatchObject({ code: 'conflict' })
      const unknown = directory.createLrs(77_777 as OrganisationId, lrs(), event('lrs.create'))
      await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
      expect(await directory.listLrs(tenant.id)).toEqual([tenant.lrs])
      expect(await directory.listAudit(tenant.id, 0, 10)).toHaveLength(1)
    })
  })

  describe('updateLrs', () => {
    const updates = (tenant: Tenant, id: LrsId) => (patch: LrsPatch) =>
      store.storage.directory.updateLrs(tenant.id, id, patch, event('lrs.update', 'lrs', id))

    it('changes the named fields only', async () => {
      const tenant = await createTenant(store.storage)
      const update = updates(tenant, tenant.lrsId)
      const described = { ...tenant.lrs, description: 'About it', createdAt: 3, updatedAt: 21 }
      expect(await update({ description: 'About it', createdAt: 3, at: 21 })).toEqual(described)
      const worded = { ...described, name: 'Renamed', words: { face: { a: 1 }, other: 'x' }, updatedAt: 22 }
      expect(await update({ name: 'Renamed', words: { face: { a: 1 }, other: 'x' }, at: 22 })).toEqual(worded)
      const last = { ...worded, description: null, words: { face: 2 }, updatedAt: 23, retentionDays: 5 }
      const changed = await update({ description: null, words: { face: 2, other: null }, retentionDays: 5, at: 23 })
      expect(changed).toEqual(last)
      expect(await store.storage.directory.listLrs(tenant.id)).toEqual([last])
      expect(await update({ retentionDays: null, at: 24 })).not.toHaveProperty('retentionDays')
    })

    it('closes what is deleted until it is restored, and nothing else', async () => {
      const { directory } = store.storage
      const tenant = await createTenant(store.storage)
      const { liveLrsId, id: applicationId } = await createApplication(store.storage, tenant)
      await directory.putSettings(tenant.id, applicationId, closing, event('setting.put'))
      const other = await directory.createLrs(tenant.id, lrs(), event('lrs.create'))
      const update = updates(tenant, other.id)
      const closed = async () => (await directory.findOrganisation(tenant.id))?.closedLrsIds
      const before = await closed()
      expect(before).toContain(liveLrsId)
      expect(await update({ deletedAt: 30, at: 30 })).toEqual({ ...other, deletedAt: 30, updatedAt: 30 })
      expect(await closed()).toEqual([...before!, other.id])
      expect((await directory.listLrs(tenant.id)).at(-1)).toMatchObject({ id: other.id, deletedAt: 30 })
      const asDefault = { defaultLrsId: other.id, at: 1 }
      const refusal = directory.updateOrganisation(tenant.id, asDefault, event('organisation.update'))
      await expect(refusal).rejects.toMatchObject({ code: 'invalid' })
      await update({ name: 'Still deleted', at: 31 })
      expect(await closed()).toEqual([...before!, other.id])
      expect((await update({ deletedAt: null, at: 32 })).deletedAt).toBeNull()
      expect(await closed()).toEqual(before)
      // Of one that is not deleted it opens nothing that is closed.
      await updates(tenant, liveLrsId)({ deletedAt: null, at: 33 })
      expect(await closed()).toEqual(before)
    })

    it('deletes neither the default nor what an application has', async () => {
      const { directory } = store.storage
      const tenant = await createTenant(store.storage)
      const { liveLrsId, sandboxLrsId } = await createApplication(store.storage, tenant)
      const [all, events] = [await directory.listLrs(tenant.id), await directory.listAudit(tenant.id, 0, 100)]
      for (const id of [tenant.lrsId, liveLrsId, sandboxLrsId]) {
        await expect(updates(tenant, id)({ deletedAt: 1, at: 1 })).rejects.toMatchObject({ code: 'conflict' })
      }
      expect(await directory.listLrs(tenant.id)).toEqual(all)
      expect((await directory.findOrganisation(tenant.id))?.closedLrsIds).toEqual([])
      expect(await directory.listAudit(tenant.id, 0, 100)).toEqual(events)
    })
  })

  it('finds nothing where there is nothing', async () => {
    expect(await store.storage.directory.findOrganisation(77_777 as OrganisationId)).toBeUndefined()
    expect(await store.storage.directory.listLrs(77_777 as OrganisationId)).toEqual([])
  })

  describe('key check and wrapped keys', () => {
    it('keeps the first check value', async () => {
      const own = await engine.open()
      expect(await own.storage.platform.findKeyCheck()).toBeUndefined()
      expect(await own.storage.platform.putKeyCheck('first')).toBe('first')
      expect(await own.storage.platform.putKeyCheck('second')).toBe('first')
      await own.restart()
      expect(await own.storage.platform.findKeyCheck()).toBe('first')
      await own.end()
    })

    it('makes no organisation under a master key that stands no more', async () => {
      const own = await engine.open()
      const { platform } = own.storage
      await platform.putKeyCheck('old')
      await platform.createOrganisation({ ...organisation(), keyCheck: 'old' }, lrs(), event('organisation.create'))
      const { items } = await platform.listOrganisations({ offset: 0, limit: 10 })
      await platform.rewrapKeys(
        'new',
        items.map(({ id }) => ({ id, wrappedKey: 'k' })),
      )
      const late = platform.createOrganisation(
        { ...organisation(), keyCheck: 'old' },
        lrs(),
        event('organisation.create'),
      )
      await expect(late).rejects.toMatchObject({ code: 'conflict' })
      expect((await platform.listOrganisations({ offset: 0, limit: 10 })).total).toBe(1)
      await own.end()
    })

    it('rewraps all or nothing', async () => {
      const own = await engine.open()
      const { platform, directory } = own.storage
      const [one, two] = [await createTenant(own.storage), await createTenant(own.storage)]
      await platform.putKeyCheck('old')
      const wrap = (...ids: OrganisationId[]) =>
        platform.rewrapKeys(
          'new',
          ids.map((id) => ({ id, wrappedKey: `k${id}` })),
        )
      for (const named of [[one.id], [one.id, one.id], [one.id, 77_777 as OrganisationId], [one.id, two.id, two.id]]) {
        await expect(wrap(...named)).rejects.toMatchObject({ code: 'conflict' })
      }
      expect(await platform.findKeyCheck()).toBe('old')
      expect((await directory.findOrganisation(one.id))?.wrappedKey).toBe('wrapped')
      await wrap(two.id, one.id)
      expect(await platform.findKeyCheck()).toBe('new')
      expect((await directory.findOrganisation(one.id))?.wrappedKey).toBe(`k${one.id}`)
      expect((await directory.findOrganisation(two.id))?.wrappedKey).toBe(`k${two.id}`)
      await own.end()
    })
  })
})
