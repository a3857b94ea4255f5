// Credentials, secrets, sessions, and what sign-in reads.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCredential, createTenant, credential, event, fresh, secret, session } from './samples.ts'
import { engines } from './engines.ts'
import type { CredentialId, SessionId } from '../../src/core/ids.ts'
import type { CredentialPatch, CredentialRecord, NewSession } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

const nobody = 77_777 as CredentialId
const pairHeld = { code: 'conflict', detail: { decidedBy: 'pair' } }

describe.each(engines)('credentials, $name', (engine) => {
  let store: Store
  let tenant: Tenant
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (tenant = await createTenant(store.storage)))

  const update = ({ id }: CredentialRecord, patch: Partial<CredentialPatch>) =>
    store.storage.directory.updateCredential(
      tenant.id,
      id,
      { at: 9, ...patch },
      event('credential.update', 'credential', id),
    )
  const openSession = (parent: CredentialRecord, part: Partial<NewSession> = {}) =>
    store.storage.directory.createSession(tenant.id, session(parent.id, part), event('session.create'))
  const count = async () =>
    (await store.storage.directory.listCredentials(tenant.id, {}, { offset: 0, limit: 0 })).total
  const audits = async () => (await store.storage.directory.listAudit(tenant.id, 0, 1_000)).length

  describe('createCredential', () => {
    it('stores every member', async () => {
      const expiring = secret({
        name: 'b',
        isEnabled: false,
        createdAt: 1_700_000_000_001,
        expiresAt: 1_800_000_000_000,
      })
      const given = credential(tenant, {
        kind: 'management',
        isEnabled: false,
        authority: { mbox: 'mailto:a@example.com' },
        expiresAt: 1_800_000_000_000,
        secrets: [expiring, secret({ name: 'a', generation: 3 })],
      })
      const created = await store.storage.directory.createCredential(tenant.id, given, event('credential.create'))
      const { pairs: _, ...stored } = given
      expect(created).toEqual({
        ...stored,
        id: created.id,
        organisationId: tenant.id,
        version: 1,
        updatedAt: given.createdAt,
        secrets: [given.secrets[1], expiring],
      })
      expect(await store.storage.directory.findCredential(tenant.id, created.id)).toEqual(created)
    })

    it('keeps when it was last changed elsewhere, and takes another time of its making later', async () => {
      const made = await createCredential(store.storage, tenant, { createdAt: 3, updatedAt: 4 })
      expect(made).toMatchObject({ createdAt: 3, updatedAt: 4 })
      expect(await update(made, { createdAt: 2 })).toMatchObject({ createdAt: 2, updatedAt: 9 })
    })

    it('may be for no Lrs when it is a client, and is refused otherwise', async () => {
      const made = await createCredential(store.storage, tenant, { lrsIds: [] })
      expect(made.lrsIds).toEqual([])
      expect((await update(made, { lrsIds: [tenant.lrsId] })).lrsIds).toEqual([tenant.lrsId])
      expect((await update(made, { lrsIds: [] })).lrsIds).toEqual([])
      const [candidate] = await store.storage.platform.findSignInCandidates(made.key)
      expect(candidate?.credential).toMatchObject({ id: made.id, lrsIds: [] })
      const management = await createCredential(store.storage, tenant, { kind: 'management' })
      const before = [await count(), await audits()]
      const refusals = [
        () => createCredential(store.storage, tenant, { kind: 'management', lrsIds: [] }),
        () => update(management, { lrsIds: [] }),
      ]
      for (const refusal of refusals) await expect(refusal()).rejects.toMatchObject({ code: 'invalid' })
      expect([await count(), await audits()]).toEqual(before)
    })

    it('keeps the order of its Lrs', async () => {
      const second = await store.storage.directory.createLrs(
        tenant.id,
        { oid: fresh.oid(), name: 'Second', createdAt: 1 },
        event('lrs.create'),
      )
      const created = await createCredential(store.storage, tenant, { lrsIds: [second.id, tenant.lrsId] })
      expect(created.lrsIds).toEqual([second.id, tenant.lrsId])
    })

    it('refuses a key that a credential of the organisation has, unless imported', async () => {
      const { key } = await createCredential(store.storage, tenant)
      await expect(createCredential(store.storage, tenant, { key })).rejects.toMatchObject({ code: 'conflict' })
      expect(await count()).toBe(1)
      expect(await audits()).toBe(2)
      await createCredential(store.storage, tenant, { key, allowDuplicateKey: true })
      expect(await count()).toBe(2)
    })

    it('refuses a key that a session of the organisation has', async () => {
      const { key } = await openSession(await createCredential(store.storage, tenant))
      await expect(createCredential(store.storage, tenant, { key })).rejects.toMatchObject({ code: 'conflict' })
    })

    it('accepts a key that another organisation has', async () => {
      const other = await createTenant(store.storage)
      const { key } = await createCredential(store.storage, other)
      expect((await createCredential(store.storage, tenant, { key })).key).toBe(key)
    })

    it('claims its pairs for ever: another organisation conflicts, in this one they may repeat', async () => {
      const other = await createTenant(store.storage)
      const [held, more, free] = [fresh.pair(), fresh.pair(), fresh.pair()]
      const first = await createCredential(store.storage, other, { pairs: [held, more] })
      await expect(createCredential(store.storage, tenant, { pairs: [free, held] })).rejects.toMatchObject(pairHeld)
      await store.storage.directory.deleteCredential(other.id, first.id, event('credential.delete'))
      await expect(createCredential(store.storage, tenant, { pairs: [more] })).rejects.toMatchObject(pairHeld)
      expect(await count()).toBe(0)
      expect(await audits()).toBe(1)
      // The one that was free was not claimed by what failed.
      await createCredential(store.storage, other, { pairs: [free, held] })
      await store.restart()
      await expect(createCredential(store.storage, tenant, { pairs: [held] })).rejects.toMatchObject(pairHeld)
    })

    it('gives a pair that two organisations claim at once to one of them', async () => {
      const other = await createTenant(store.storage)
      const pairs = [fresh.pair()]
      const claims = [tenant, other, tenant, other].map((who) => createCredential(store.storage, who, { pairs }))
      const made = (await Promise.allSettled(claims)).flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []))
      expect(made).toHaveLength(2)
      expect(new Set(made.map(({ organisationId }) => organisationId)).size).toBe(1)
    })

    it('takes a chosen id once, not even again after its deletion', async () => {
      const id = (500_000 + tenant.id) as CredentialId
      const other = await createTenant(store.storage)
      expect((await createCredential(store.storage, tenant, { id })).id).toBe(id)
      await expect(createCredential(store.storage, other, { id })).rejects.toMatchObject({ code: 'conflict' })
      await store.storage.directory.deleteCredential(tenant.id, id, event('credential.delete'))
      await expect(createCredential(store.storage, tenant, { id })).rejects.toMatchObject({ code: 'conflict' })
      expect(await count()).toBe(0)
      expect((await createCredential(store.storage, tenant)).id).toBeGreaterThan(id)
    })

    it('refuses an Lrs of another organisation', async () => {
      const other = await createTenant(store.storage)
      for (const lrsIds of [[other.lrsId], [tenant.lrsId, other.lrsId]]) {
        await expect(createCredential(store.storage, tenant, { lrsIds })).rejects.toMatchObject({ code: 'invalid' })
      }
      expect(await count()).toBe(0)
    })

    it('refuses the id of a secret that exists', async () => {
      const taken = secret()
      await createCredential(store.storage, tenant, { secrets: [taken] })
      await expect(createCredential(store.storage, tenant, { secrets: [taken] })).rejects.toMatchObject({
        code: 'conflict',
      })
      expect(await count()).toBe(1)
    })
  })

  describe('listCredentials', () => {
    it('filters exactly, pages by id, counts all matches', async () => {
      const made = [
        await createCredential(store.storage, tenant),
        await createCredential(store.storage, tenant, { kind: 'application' }),
        await createCredential(store.storage, tenant),
      ] as const
      const { directory } = store.storage
      const list = (filter: Parameters<typeof directory.listCredentials>[1], offset = 0, limit = 10) =>
        directory.listCredentials(tenant.id, filter, { offset, limit })
      expect(await list({})).toEqual({ items: made, total: 3 })
      expect(await list({ kind: 'client' })).toEqual({ items: [made[0], made[2]], total: 2 })
      expect(await list({ kind: 'client' }, 1, 1)).toEqual({ items: [made[2]], total: 2 })
      expect(await list({ key: made[1].key })).toEqual({ items: [made[1]], total: 1 })
      expect(await list({ key: made[1].key, kind: 'client' })).toEqual({ items: [], total: 0 })
      expect(await list({ key: made[1].key.slice(1) })).toEqual({ items: [], total: 0 })
      expect(await list({}, 0, 0)).toEqual({ items: [], total: 3 })
      expect(await list({ after: made[0].id })).toEqual({ items: [made[1], made[2]], total: 2 })
      expect(await list({ kind: 'client', after: made[0].id }, 0, 1)).toEqual({ items: [made[2]], total: 1 })
      expect(await list({ after: made[2].id })).toEqual({ items: [], total: 0 })
    })

    it('finds by the first Lrs, and goes by oid', async () => {
      const { directory } = store.storage
      const [first, second, third] = await Promise.all(
        [[], [tenant.lrsId], []].map((lrsIds) => createCredential(store.storage, tenant, { kind: 'client', lrsIds })),
      )
      const lrs = { oid: fresh.oid(), name: 'B', createdAt: 1 }
      const { id: other } = await directory.createLrs(tenant.id, lrs, event('lrs.create'))
      const fourth = await createCredential(store.storage, tenant, { lrsIds: [other, tenant.lrsId] })
      const list = async (filter: Parameters<typeof directory.listCredentials>[1], limit = 10) =>
        (await directory.listCredentials(tenant.id, filter, { offset: 0, limit })).items.map(({ oid }) => oid)
      expect(await list({ homes: [tenant.lrsId] })).toEqual([second!.oid])
      expect(await list({ homes: [other] })).toEqual([fourth.oid])
      expect(await list({ homes: [tenant.lrsId, other] })).toHaveLength(2)
      expect(await list({ homes: [] })).toEqual([])
      const byOid = [first!, second!, third!, fourth].map(({ oid }) => oid).toSorted()
      expect(await list({ byOid: { isDescending: false } })).toEqual(byOid)
      expect(await list({ byOid: { isDescending: true } }, 3)).toEqual(byOid.toReversed().slice(0, 3))
      expect(await list({ byOid: { isDescending: false, after: byOid[1]! } })).toEqual(byOid.slice(2))
      expect(await list({ byOid: { isDescending: true, after: byOid[1]! } })).toEqual(byOid.slice(0, 1))
    })
  })

  describe('findCredentialBySecret', () => {
    it('finds by any secret', async () => {
      const made = await createCredential(store.storage, tenant, { secrets: [secret(), secret()] })
      for (const { id } of made.secrets) {
        expect(await store.storage.directory.findCredentialBySecret(tenant.id, id)).toEqual(made)
      }
      expect(await store.storage.directory.findCredentialBySecret(tenant.id, fresh.secretId())).toBeUndefined()
    })
  })

  describe('updateCredential', () => {
    it('changes nothing that is not any more what the change was made from', async () => {
      const before = await createCredential(store.storage, tenant)
      const edited = await update(before, { name: 'Edited', from: before })
      const refused = { code: 'conflict', detail: { decidedBy: 'version' } }
      const events = await audits()
      await expect(update(before, { name: 'Late', from: before })).rejects.toMatchObject(refused)
      const off = { ...edited.secrets[0]!, isEnabled: false }
      const disabled = await update(before, { putSecrets: [off], countsAsEdit: false, from: edited })
      await expect(update(before, { name: 'Late', from: edited })).rejects.toMatchObject(refused)
      expect(await store.storage.directory.findCredential(tenant.id, before.id)).toEqual(disabled)
      expect(await audits()).toBe(events + 1)
      expect(await update(before, { name: 'In time', from: disabled })).toMatchObject({ name: 'In time' })
    })

    it('changes the named members, counts the version', async () => {
      const before = await createCredential(store.storage, tenant)
      const patch = {
        name: 'New',
        isEnabled: false,
        pins: {},
        authority: { mbox: 'mailto:b@example.com' },
        expiresAt: 5,
      }
      const after = await update(before, { ...patch, at: 1_700_000_000_009 })
      expect(after).toEqual({ ...before, ...patch, version: 2, updatedAt: 1_700_000_000_009 })
      expect(await store.storage.directory.findCredential(tenant.id, before.id)).toEqual(after)
      const cleared = await update(after, { authority: null, expiresAt: null, words: { a: 1 }, limits: {} })
      expect(cleared).toMatchObject({ authority: null, expiresAt: null, words: { a: 1 }, limits: {}, version: 3 })
    })

    it('inserts, replaces and drops secrets', async () => {
      const [kept, dropped] = [secret(), secret({ createdAt: 1_700_000_000_001 })]
      const before = await createCredential(store.storage, tenant, { secrets: [kept, dropped] })
      const replaced = { ...kept, sealed: 'other', generation: 2, isEnabled: false }
      const added = secret({ createdAt: 1_700_000_000_002 })
      const after = await update(before, {
        putSecrets: [added, replaced],
        dropSecrets: [dropped.id, fresh.secretId()],
        countsAsEdit: false,
      })
      expect(after).toEqual({ ...before, secrets: [replaced, added] })
    })

    it('never touches a secret of another credential', async () => {
      const other = await createCredential(store.storage, tenant)
      const mine = await createCredential(store.storage, tenant)
      const theirs = other.secrets[0]!
      await expect(update(mine, { putSecrets: [{ ...theirs, sealed: 'stolen' }] })).rejects.toMatchObject({
        code: 'conflict',
      })
      await update(mine, { dropSecrets: [theirs.id] })
      expect(await store.storage.directory.findCredential(tenant.id, other.id)).toEqual(other)
    })

    it('refuses a key of the organisation, an unknown credential, a foreign Lrs, leaving all as it was', async () => {
      const other = await createTenant(store.storage)
      const [before, neighbour] = [
        await createCredential(store.storage, tenant),
        await createCredential(store.storage, tenant),
      ]
      const { key } = await openSession(neighbour)
      const events = await audits()
      for (const taken of [neighbour.key, key]) {
        await expect(update(before, { name: 'x', key: taken })).rejects.toMatchObject({ code: 'conflict' })
      }
      await expect(update(before, { name: 'x', lrsIds: [other.lrsId] })).rejects.toMatchObject({ code: 'invalid' })
      await expect(update({ ...before, id: nobody }, { name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
      expect(await store.storage.directory.findCredential(tenant.id, before.id)).toEqual(before)
      expect(await audits()).toBe(events)
    })

    it('claims the pairs it brings about, or changes nothing', async () => {
      const other = await createTenant(store.storage)
      const [held, mine] = [fresh.pair(), fresh.pair()]
      await createCredential(store.storage, other, { pairs: [held] })
      const before = await createCredential(store.storage, tenant)
      const events = await audits()
      const change = { name: 'x', key: fresh.key(), putSecrets: [secret()], pairs: [mine, held] }
      await expect(update(before, change)).rejects.toMatchObject(pairHeld)
      expect(await store.storage.directory.findCredential(tenant.id, before.id)).toEqual(before)
      expect(await audits()).toBe(events)
      await update(before, { pairs: [mine] })
      await update(before, { pairs: [mine] })
      await expect(createCredential(store.storage, other, { pairs: [mine] })).rejects.toMatchObject(pairHeld)
    })

    it('accepts its own key again, also where it is a duplicate', async () => {
      const first = await createCredential(store.storage, tenant)
      const twin = await createCredential(store.storage, tenant, { key: first.key, allowDuplicateKey: true })
      expect((await update(twin, { key: first.key, name: 'Twin' })).name).toBe('Twin')
    })
  })

  describe('deleteCredential', () => {
    it('removes it with secrets and sessions and says what it was', async () => {
      const { directory, platform } = store.storage
      const before = await createCredential(store.storage, tenant)
      const open = await openSession(before)
      expect(await directory.deleteCredential(tenant.id, before.id, event('credential.delete'))).toEqual(before)
      expect(await directory.findCredential(tenant.id, before.id)).toBeUndefined()
      expect(await directory.findCredentialBySecret(tenant.id, before.secrets[0]!.id)).toBeUndefined()
      expect(await directory.findSession(tenant.id, before.id, open.id)).toBeUndefined()
      expect(await platform.findSignInCandidates(before.key)).toEqual([])
      expect(await platform.findSignInCandidates(open.key)).toEqual([])
      const again = directory.deleteCredential(tenant.id, before.id, event('credential.delete'))
      await expect(again).rejects.toMatchObject({ code: 'not_found' })
    })

    it('never gives its id again', async () => {
      const { id } = await createCredential(store.storage, tenant)
      await store.storage.directory.deleteCredential(tenant.id, id, event('credential.delete'))
      expect((await createCredential(store.storage, tenant)).id).toBeGreaterThan(id)
    })
  })

  describe('sessions', () => {
    let parent: CredentialRecord
    beforeEach(async () => void (parent = await createCredential(store.storage, tenant)))

    it('stores every member', async () => {
      const given = session(parent.id, { pins: { registration: { id: 'r', mode: 'required' } }, words: { a: [1] } })
      const created = await store.storage.directory.createSession(tenant.id, given, event('session.create'))
      expect(created).toEqual({ ...given, launch: null, boundTo: null, id: created.id, organisationId: tenant.id })
      expect(await store.storage.directory.findSession(tenant.id, parent.id, created.id)).toEqual(created)
    })

    it('refuses a parent that is not there and a key that is', async () => {
      const { key } = await openSession(parent)
      const events = await audits()
      await expect(openSession({ ...parent, id: nobody })).rejects.toMatchObject({ code: 'not_found' })
      for (const taken of [key, parent.key]) {
        await expect(openSession(parent, { key: taken })).rejects.toMatchObject({ code: 'conflict' })
      }
      expect(await audits()).toBe(events)
      const { directory } = store.storage
      expect((await directory.listSessions(tenant.id, parent.id, { offset: 0, limit: 10 })).total).toBe(1)
    })

    it('lists those of one credential by id, expired ones too', async () => {
      const other = await createCredential(store.storage, tenant)
      const made = [await openSession(parent, { expiresAt: 1 }), await openSession(parent), await openSession(parent)]
      await openSession(other)
      const list = (offset: number, limit: number) =>
        store.storage.directory.listSessions(tenant.id, parent.id, { offset, limit })
      expect(await list(0, 10)).toEqual({ items: made, total: 3 })
      expect(await list(1, 1)).toEqual({ items: made.slice(1, 2), total: 3 })
    })

    it('is found and deleted under its own parent only', async () => {
      const { directory } = store.storage
      const other = await createCredential(store.storage, tenant)
      const made = await openSession(parent)
      expect(await directory.findSession(tenant.id, other.id, made.id)).toBeUndefined()
      const drop = (credentialId: CredentialId, id: SessionId) =>
        directory.deleteSession(tenant.id, credentialId, id, event('session.delete'))
      await expect(drop(other.id, made.id)).rejects.toMatchObject({ code: 'not_found' })
      expect(await drop(parent.id, made.id)).toEqual(made)
      await expect(drop(parent.id, made.id)).rejects.toMatchObject({ code: 'not_found' })
      expect((await openSession(parent)).id).toBeGreaterThan(made.id)
    })

    it('sweeps what expired before', async () => {
      const { directory } = store.storage
      await openSession(parent, { expiresAt: 99 })
      const left = await openSession(parent, { expiresAt: 100 })
      expect(await directory.sweepSessions(tenant.id, 100)).toBe(1)
      expect(await directory.sweepSessions(tenant.id, 100)).toBe(0)
      expect((await directory.listSessions(tenant.id, parent.id, { offset: 0, limit: 10 })).items).toEqual([left])
    })
  })

  describe('findSignInCandidates', () => {
    it('finds credentials and sessions with all that sign-in needs, by creation', async () => {
      const key = fresh.key()
      const other = await createTenant(store.storage)
      const [one, two] = [secret({ createdAt: 1 }), secret({ createdAt: 2, isEnabled: false })]
      const late = await createCredential(store.storage, tenant, { key, createdAt: 30, secrets: [two, one] })
      const early = await createCredential(store.storage, other, { key, createdAt: 10, isEnabled: false, secrets: [] })
      const parent = await createCredential(store.storage, await createTenant(store.storage))
      const between = await store.storage.directory.createSession(
        parent.organisationId,
        session(parent.id, { key, createdAt: 20, expiresAt: 21 }),
        event('session.create'),
      )
      const { platform, directory } = store.storage
      expect(await platform.findSignInCandidates(key)).toEqual([
        { organisation: other.organisation, credential: early, holdsPair: false },
        {
          organisation: await directory.findOrganisation(parent.organisationId),
          credential: parent,
          session: between,
          holdsPair: false,
        },
        { organisation: tenant.organisation, credential: late, holdsPair: false },
      ])
      expect(late.secrets).toEqual([one, two])
      expect(await platform.findSignInCandidates(key, fresh.pair(), tenant.id)).toEqual([
        { organisation: tenant.organisation, credential: late, holdsPair: false },
      ])
      expect(await platform.findSignInCandidates(key.toUpperCase())).toEqual([])
      expect(await platform.findSignInCandidates(key.slice(1))).toEqual([])
    })

    it('gives only credentials of the organisation that holds the pair, however many others have the key', async () => {
      const { platform } = store.storage
      const [key, pair] = [fresh.key(), fresh.pair()]
      const other = await createTenant(store.storage)
      for (let createdAt = 1; createdAt <= 17; createdAt += 1) {
        await createCredential(store.storage, other, { key, createdAt, allowDuplicateKey: true, pairs: [fresh.pair()] })
      }
      const mine = await createCredential(store.storage, tenant, { key, createdAt: 20, pairs: [pair] })
      const found = [{ organisation: tenant.organisation, credential: mine, holdsPair: true }]
      expect(await platform.findSignInCandidates(key, pair)).toEqual(found)
      expect(await platform.findSignInCandidates(key, pair, tenant.id)).toEqual(found)
      expect(await platform.findSignInCandidates(key, pair, other.id)).toEqual([])
      await store.storage.directory.deleteCredential(tenant.id, mine.id, event('credential.delete'))
      expect(await platform.findSignInCandidates(key, pair)).toEqual([])
      expect(await platform.findSignInCandidates(key, fresh.pair())).toHaveLength(16)
    })

    it('gives the oldest sixteen at most', async () => {
      const key = fresh.key()
      for (let createdAt = 20; createdAt > 0; createdAt--) {
        await createCredential(store.storage, tenant, {
          key,
          createdAt,
          allowDuplicateKey: true,
          secrets: [secret(), secret()],
        })
      }
      const found = await store.storage.platform.findSignInCandidates(key)
      expect(found.map((candidate) => candidate.credential.createdAt)).toEqual([...Array(16).keys()].map((n) => n + 1))
      expect(found.every((candidate) => candidate.credential.secrets.length === 2)).toBe(true)
    })

    it('tells two sessions and their parent with one key apart', async () => {
      const parent = await createCredential(store.storage, tenant)
      const key = fresh.key()
      const made = await openSession(parent, { key })
      await createCredential(store.storage, tenant, { key, allowDuplicateKey: true, secrets: [] })
      const found = await store.storage.platform.findSignInCandidates(key)
      expect(found.map((candidate) => candidate.session?.id)).toEqual([made.id, undefined])
    })
  })

  it('keeps everything over a restart', async () => {
    const before = await createCredential(store.storage, tenant)
    const open = await openSession(before)
    await store.restart()
    expect(await store.storage.directory.findCredential(tenant.id, before.id)).toEqual(before)
    expect(await store.storage.directory.findSession(tenant.id, before.id, open.id)).toEqual(open)
  })
})
