// The audit chain, usage counters, and the signal that a tenant's directory changed.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { chainHash, firstPreviousHash } from '../../src/core/audit.ts'
import { createCredential, createTenant, credential, event, fresh, secret, session, usage } from './samples.ts'
import { engines } from './engines.ts'
import type { AuditEvent } from '../../src/core/audit.ts'
import type { CredentialId, OrganisationId } from '../../src/core/ids.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

describe.each(engines)('audit and usage, $name', (engine) => {
  let store: Store
  let tenant: Tenant
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (tenant = await createTenant(store.storage)))

  const all = () => store.storage.directory.listAudit(tenant.id, 0, 1_000)

  function expectChain(events: readonly AuditEvent[]): void {
    let previousHash = firstPreviousHash
    for (const [index, one] of events.entries()) {
      expect(one.number).toBe(index + 1)
      expect(one.previousHash).toBe(previousHash)
      expect(one.hash).toBe(chainHash(previousHash, one, one.number))
      previousHash = one.hash
    }
  }

  describe('the chain', () => {
    it('has one event per write, with the id of what was created', async () => {
      const { directory } = store.storage
      const made = await createCredential(store.storage, tenant)
      const lrs = await directory.createLrs(
        tenant.id,
        { oid: fresh.oid(), name: 'l', createdAt: 1 },
        event('lrs.create'),
      )
      const open = await directory.createSession(tenant.id, session(made.id), event('session.create'))
      await directory.updateOrganisation(
        tenant.id,
        { name: 'n', at: 1 },
        event('organisation.update', 'organisation', tenant.id),
      )
      await directory.updateCredential(tenant.id, made.id, { at: 1 }, event('credential.update', 'credential', made.id))
      await directory.deleteSession(tenant.id, made.id, open.id, event('session.delete', 'session', open.id))
      await directory.deleteCredential(tenant.id, made.id, event('credential.delete', 'credential', made.id))
      const events = await all()
      expect(events.map(({ action, target }) => [action, target.id])).toEqual([
        ['organisation.create', tenant.id],
        ['credential.create', made.id],
        ['lrs.create', lrs.id],
        ['session.create', open.id],
        ['organisation.update', tenant.id],
        ['credential.update', made.id],
        ['session.delete', open.id],
        ['credential.delete', made.id],
      ])
      expectChain(events)
    })

    it('stays whole when writes come at once and some are refused', async () => {
      const given = credential(tenant)
      const writes = Array.from({ length: 20 }, (_, index) =>
        store.storage.directory.createCredential(
          tenant.id,
          index % 2 === 0 ? credential(tenant) : given,
          event('credential.create'),
        ),
      )
      const results = await Promise.allSettled(writes)
      const created = results.filter(({ status }) => status === 'fulfilled').length
      expect(created).toBe(11)
      const events = await all()
      expect(events).toHaveLength(1 + created)
      expectChain(events)
    })

    it('takes events of their own, and keeps all their members', async () => {
      const given = {
        ...event('grant.refuse', 'credential', 'key-1'),
        actor: { kind: 'session' as const, id: 3, name: 'ü', address: '::1' },
        detail: { list: [1, null, { a: 'b' }] },
      }
      const appended = await store.storage.directory.appendAudit(tenant.id, given)
      expect(appended).toMatchObject({ ...given, organisationId: tenant.id, number: 2 })
      expect((await all())[1]).toEqual(appended)
      expectChain(await all())
      const unknown = store.storage.directory.appendAudit(77_777 as OrganisationId, given)
      await expect(unknown).rejects.toMatchObject({ code: 'not_found' })
    })

    it('is read in pages', async () => {
      for (let n = 0; n < 4; n++) await store.storage.directory.appendAudit(tenant.id, event('x.y'))
      const numbers = async (after: number, limit: number) =>
        (await store.storage.directory.listAudit(tenant.id, after, limit)).map((one) => one.number)
      expect(await numbers(0, 2)).toEqual([1, 2])
      expect(await numbers(2, 2)).toEqual([3, 4])
      expect(await numbers(4, 2)).toEqual([5])
      expect(await numbers(5, 2)).toEqual([])
    })

    it('goes on after a restart', async () => {
      await store.restart()
      await store.storage.directory.appendAudit(tenant.id, event('x.y'))
      expectChain(await all())
      expect(await all()).toHaveLength(2)
    })
  })

  describe('usage', () => {
    it('adds up per credential and secret', async () => {
      const { platform, directory } = store.storage
      const made = await createCredential(store.storage, tenant, { secrets: [secret()] })
      const secretId = made.secrets[0]!.id
      const of = { organisationId: tenant.id, credentialId: made.id }
      await platform.addUsage([
        usage({
          ...of,
          requests: 2,
          statements: 5,
          refusals: { expired: 1 },
          firstAt: 10,
          lastAt: 20,
          lastAddress: 'a',
        }),
        usage({ ...of, secretId, requests: 1, lastUserAgent: 'u' }),
      ])
      await platform.addUsage([
        usage({
          ...of,
          requests: 3,
          statements: 1,
          refusals: { expired: 1, pin: 4 },
          firstAt: 5,
          lastAt: 15,
          lastAddress: 'b',
        }),
      ])
      const total = usage({
        ...of,
        requests: 5,
        statements: 6,
        refusals: { expired: 2, pin: 4 },
        firstAt: 5,
        lastAt: 20,
        lastAddress: 'a',
      })
      const listed = await directory.listUsage(tenant.id, made.id)
      expect(listed).toHaveLength(2)
      expect(listed).toEqual(expect.arrayContaining([total, usage({ ...of, secretId, lastUserAgent: 'u' })]))
    })

    it('drops rows of credentials that are gone or another organisation’s, and keeps the rest', async () => {
      const { platform, directory } = store.storage
      const other = await createTenant(store.storage)
      const made = await createCredential(store.storage, tenant)
      await platform.addUsage([
        usage({ organisationId: tenant.id, credentialId: 77_777 as CredentialId }),
        usage({ organisationId: other.id, credentialId: made.id }),
        usage({ organisationId: tenant.id, credentialId: made.id, requests: 9 }),
      ])
      expect((await directory.listUsage(tenant.id, made.id)).map(({ requests }) => requests)).toEqual([9])
      expect(await directory.listUsage(other.id, made.id)).toEqual([])
    })
  })

  describe('onDirectoryChange', () => {
    it('tells of each committed change before the promise resolves, of nothing else', async () => {
      const { platform, directory } = store.storage
      const heard: (OrganisationId | undefined)[] = []
      const stop = store.storage.onDirectoryChange((organisationId) => heard.push(organisationId))
      const hears = async <T>(work: () => Promise<T>, ...expected: OrganisationId[]) => {
        heard.length = 0
        const result = await work().then((value) => (expect(heard).toEqual(expected), value))
        return result
      }
      const own = event('x.y')
      const made = await hears(() => createCredential(store.storage, tenant), tenant.id)
      await hears(() => directory.updateCredential(tenant.id, made.id, { at: 1 }, own), tenant.id)
      await hears(() => directory.updateOrganisation(tenant.id, { name: 'x', at: 1 }, own), tenant.id)
      await hears(() => directory.createLrs(tenant.id, { oid: fresh.oid(), name: 'l', createdAt: 1 }, own), tenant.id)
      await hears(() => directory.updateLrs(tenant.id, tenant.lrsId, { name: 'x', at: 1 }, own), tenant.id)
      const open = await hears(() => directory.createSession(tenant.id, session(made.id), own))
      await hears(() => directory.deleteSession(tenant.id, made.id, open.id, own), tenant.id)
      await directory.createSession(tenant.id, session(made.id, { expiresAt: 1 }), own)
      await hears(() => directory.sweepSessions(tenant.id, 2))
      await hears(() => platform.addUsage([usage({ organisationId: tenant.id, credentialId: made.id })]))
      await hears(() => directory.appendAudit(tenant.id, own))
      await hears(() => directory.deleteCredential(tenant.id, made.id, own), tenant.id)
      await hears(() => directory.deleteCredential(tenant.id, made.id, own).catch(() => {}))
      heard.length = 0
      const another = await createTenant(store.storage)
      expect(heard).toEqual([another.id])
      stop()
      await createTenant(store.storage)
      expect(heard).toEqual([another.id])
    })
  })
})
