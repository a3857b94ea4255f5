// Organisations, their Lrs, and the values of the platform.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTenant, event, fresh } from './samples.ts'
import { engines } from './engines.ts'
import type { LrsId, OrganisationId } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'

const lrs = (id?: LrsId) => ({ ...(id !== undefined && { id }), oid: fresh.oid(), name: 'Lrs', createdAt: 5 })
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
      expect(created.organisation).toEqual({ ...given, ...made })
      expect(created.lrs).toEqual({ ...first, id: created.lrs.id, organisationId: created.organisation.id })
      const { directory } = store.storage
      expect(await directory.findOrganisation(created.organisation.id)).toEqual(created.organisation)
      expect(await directory.listLrs(created.organisation.id)).toEqual([created.lrs])
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
      expect(await update({ name: 'New' })).toEqual({ ...tenant.organisation, name: 'New' })
      const switched = await update({ switches: { 'a.x': 1, 'a.y': [true] } })
      expect(switched).toEqual({ ...tenant.organisation, name: 'New', switches: { 'a.x': 1, 'a.y': [true] } })
      const removed = await update({ switches: { 'a.x': null }, defaultLrsId: other.id })
      expect(removed.switches).toEqual({ 'a.y': [true] })
      expect(removed.defaultLrsId).toBe(other.id)
      expect(await directory.findOrganisation(tenant.id)).toEqual(removed)
    })

    it('refuses an unknown organisation and an Lrs of another', async () => {
      const { directory } = store.storage
      const [tenant, other] = [await createTenant(store.storage), await createTenant(store.storage)]
      const unknown = directory.updateOrganisation(
        77_777 as OrganisationId,
        { name: 'x' },
        event('organisation.update'),
      )
      await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
      const foreign = directory.updateOrganisation(
        tenant.id,
        { name: 'x', defaultLrsId: other.lrsId },
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
      expect(created).toEqual({ ...given, id: created.id, organisationId: tenant.id })
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
