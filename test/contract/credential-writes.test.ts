// Several changes of credentials at once: all of them or none, in order, and who was refused.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCredential, createTenant, credential, event, fresh, secret, session, usage } from './samples.ts'
import { engines } from './engines.ts'
import { chainHash } from '../../src/core/audit.ts'
import type { CredentialId } from '../../src/core/ids.ts'
import { mostCredentialWrites } from '../../src/core/storage.ts'
import type { CredentialPatch, CredentialRecord, CredentialWrite, NewCredential } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

describe.each(engines)('many credentials at once, $name', (engine) => {
  let store: Store
  let tenant: Tenant
  beforeAll(async () => void (store = await engine.open()))
  afterAll(() => store.end())
  beforeEach(async () => void (tenant = await createTenant(store.storage)))

  const change = (writes: readonly CredentialWrite[], who = tenant) =>
    store.storage.directory.changeCredentials(who.id, writes)
  const creating = (part: Partial<NewCredential> = {}): CredentialWrite => ({
    create: credential(tenant, part),
    event: event('credential.create', 'credential'),
  })
  const updating = ({ id }: CredentialRecord, patch: Partial<CredentialPatch>): CredentialWrite => ({
    update: { id, patch: { at: 9, ...patch } },
    event: event('credential.update', 'credential', id),
  })
  const deleting = ({ id }: Pick<CredentialRecord, 'id'>): CredentialWrite => ({
    delete: id,
    event: event('credential.delete', 'credential', id),
  })
  const list = async () => {
    return (await store.storage.directory.listCredentials(tenant.id, {}, { offset: 0, limit: 100 })).items
  }
  const audits = async () => store.storage.directory.listAudit(tenant.id, 0, 10_000)

  it('creates, updates and deletes, each with its event, in order', async () => {
    const first = await createCredential(store.storage, tenant)
    const second = await createCredential(store.storage, tenant)
    const third = await createCredential(store.storage, tenant)
    const put = secret({ id: second.secrets[0]!.id, sealed: 'sealed anew', generation: 2 })
    const made = credential(tenant, { secrets: [secret({ name: 'b' }), secret({ name: 'a' })] })
    const answer = await change([
      { create: made, event: event('credential.create', 'credential') },
      updating(second, { name: 'Second', expiresAt: 5, putSecrets: [put, secret({ createdAt: 1_800_000_000_000 })] }),
      deleting(first),
      updating(third, { dropSecrets: [third.secrets[0]!.id], countsAsEdit: false }),
    ])
    const { pairs: _, ...stored } = made
    const [created, updated, removed, patched] = answer
    expect(created).toEqual({
      ...stored,
      id: created!.id,
      organisationId: tenant.id,
      version: 1,
      updatedAt: made.createdAt,
    })
    expect(updated).toMatchObject({
      ...second,
      name: 'Second',
      expiresAt: 5,
      version: 2,
      updatedAt: 9,
      secrets: [put, {}],
    })
    expect(removed).toEqual(first)
    expect(patched).toEqual({ ...third, secrets: [] })
    expect(await list()).toEqual([updated, patched, created])
    const events = (await audits()).slice(-4)
    expect(events.map(({ action, target }) => [action, target.id])).toEqual([
      ['credential.create', created!.id],
      ['credential.update', second.id],
      ['credential.delete', first.id],
      ['credential.update', third.id],
    ])
  })

  it('chains the events to what was before and to what comes after', async () => {
    await createCredential(store.storage, tenant)
    await change([creating(), creating(), creating()])
    await createCredential(store.storage, tenant)
    const events = await audits()
    expect(events.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6])
    for (const [at, one] of events.entries()) {
      expect(one.previousHash).toBe(at === 0 ? '0'.repeat(64) : events[at - 1]!.hash)
      expect(one.hash).toBe(chainHash(one.previousHash, one, one.number))
    }
  })

  it('gives ids in their order, chosen ones among them', async () => {
    const id = (700_000 + tenant.id) as CredentialId
    const [a, b, c] = await change([creating(), creating({ id }), creating()])
    expect(b!.id).toBe(id)
    expect(a!.id).toBeLessThan(c!.id)
    expect(await createCredential(store.storage, tenant)).toMatchObject({ name: 'Client' })
  })

  it('lets the next have the key that one of them gave up', async () => {
    const [a, b] = [await createCredential(store.storage, tenant), await createCredential(store.storage, tenant)]
    const [, renamed, made] = await change([deleting(a), updating(b, { key: a.key }), creating({ key: b.key })])
    expect([renamed!.key, made!.key]).toEqual([a.key, b.key])
    // The other way round it was taken when its turn came.
    await expect(change([creating({ key: a.key }), deleting(renamed!)])).rejects.toMatchObject({
      code: 'conflict',
      detail: { index: 0 },
    })
  })

  it('claims the pairs of all, for ever', async () => {
    const other = await createTenant(store.storage)
    const [one, two] = [fresh.pair(), fresh.pair()]
    const kept = await createCredential(store.storage, tenant)
    await change([creating({ pairs: [one] }), updating(kept, { pairs: [two, one] })])
    for (const pairs of [[one], [two]]) {
      await expect(createCredential(store.storage, other, { pairs })).rejects.toMatchObject({
        detail: { decidedBy: 'pair' },
      })
    }
  })

  describe('is all or nothing', () => {
    const nobody = { id: 77_777 as CredentialId }
    const scenes: readonly (readonly [string, () => Promise<readonly CredentialWrite[]>, object])[] = [
      [
        'a key that is taken',
        async () => [creating(), creating({ key: (await createCredential(store.storage, tenant)).key })],
        { code: 'conflict', detail: { index: 1 } },
      ],
      [
        'the key of a session',
        async () => {
          const parent = await createCredential(store.storage, tenant)
          const { key } = await store.storage.directory.createSession(
            tenant.id,
            session(parent.id),
            event('session.create'),
          )
          return [creating(), creating(), creating({ key })]
        },
        { code: 'conflict', detail: { index: 2 } },
      ],
      [
        'one key twice',
        async () => [creating({ key: 'k' }), creating(), creating({ key: 'k' })],
        { code: 'conflict', detail: { index: 2 } },
      ],
      [
        'an Lrs of somebody else',
        async () => [creating(), creating({ lrsIds: [(await createTenant(store.storage)).lrsId] })],
        { code: 'invalid', detail: { index: 1 } },
      ],
      [
        'one that is not there',
        async () => [creating(), deleting(nobody)],
        { code: 'not_found', detail: { index: 1 } },
      ],
      [
        'one that another organisation has',
        async () => {
          const theirs = await createCredential(store.storage, await createTenant(store.storage))
          return [creating(), updating(theirs, { name: 'mine' })]
        },
        { code: 'not_found', detail: { index: 1 } },
      ],
      [
        'one twice',
        async () => {
          const one = await createCredential(store.storage, tenant)
          return [updating(one, { name: 'a' }), deleting(one)]
        },
        { code: 'invalid', detail: { index: 1 } },
      ],
      [
        'a version that is over',
        async () => {
          const from = await createCredential(store.storage, tenant)
          await change([updating(from, { name: 'meanwhile' })])
          return [creating(), updating(from, { name: 'later', from })]
        },
        { code: 'conflict', detail: { index: 1, decidedBy: 'version' } },
      ],
      [
        'an id that was given before',
        async () => {
          const { id } = await createCredential(store.storage, tenant)
          return [creating(), deleting({ id }), creating({ id })]
        },
        { code: 'conflict', detail: { index: 2 } },
      ],
      [
        'one id twice',
        async () => {
          const id = (800_000 + tenant.id) as CredentialId
          return [creating({ id }), creating(), creating({ id })]
        },
        { code: 'conflict', detail: { index: 2 } },
      ],
      [
        'an oid that is taken',
        async () => [creating(), creating({ oid: (await createCredential(store.storage, tenant)).oid })],
        { code: 'conflict', detail: { index: 1 } },
      ],
      [
        'one oid twice',
        async () => {
          const oid = fresh.oid()
          return [creating({ oid }), creating({ oid })]
        },
        { code: 'conflict', detail: { index: 1 } },
      ],
      [
        'the id of a secret that another has',
        async () => [creating(), creating({ secrets: (await createCredential(store.storage, tenant)).secrets })],
        { code: 'conflict', detail: { index: 1 } },
      ],
      [
        'a pair that another organisation holds',
        async () => {
          const pairs = [fresh.pair()]
          await createCredential(store.storage, await createTenant(store.storage), { pairs })
          return [creating({ pairs: [fresh.pair()] }), creating({ pairs: [fresh.pair(), ...pairs] })]
        },
        { code: 'conflict', detail: { index: 1, decidedBy: 'pair' } },
      ],
    ]
    it.each(scenes)('%s', async (_, prepare, refusal) => {
      const writes = await prepare()
      const before = [await list(), await audits()]
      await expect(change(writes)).rejects.toMatchObject(refusal)
      expect([await list(), await audits()]).toEqual(before)
      // Nothing that was claimed on the way is kept.
      await change(writes.filter((write) => 'create' in write).slice(0, 1))
    })
  })

  it('refuses more than it takes, and takes none at all', async () => {
    const one = creating()
    await expect(change(Array.from({ length: mostCredentialWrites + 1 }, () => one))).rejects.toMatchObject({
      code: 'invalid',
    })
    expect(await change([])).toEqual([])
    expect([await list(), (await audits()).length]).toEqual([[], 1])
  })

  it('tells listeners of the organisation before it answers', async () => {
    const told: unknown[] = []
    const stop = store.storage.onDirectoryChange((id) => told.push(id))
    await change([creating(), creating()])
    stop()
    expect(told).toEqual([tenant.id])
  })

  it('takes more than fit into one statement', async () => {
    const keys = Array.from({ length: 1_203 }, (_, at) => `k-${at}`)
    const made = await change(keys.map((key) => creating({ key, pairs: [fresh.pair()] })))
    expect(made.map(({ key }) => key)).toEqual(keys)
    expect(made.every(({ id }, at) => at === 0 || id > made[at - 1]!.id)).toBe(true)
    const renamed = await change(made.map((one, at) => updating(one, { name: `n-${at}`, from: one })))
    expect(renamed.map(({ name }) => name)).toEqual(keys.map((_, at) => `n-${at}`))
    await change(renamed.map(deleting))
    expect(await list()).toEqual([])
    expect((await audits()).at(-1)!.number).toBe(1 + 3 * keys.length)
  }, 60_000)

  it('finds some by id, oid or key, and when they were last used', async () => {
    const made = await change([creating(), creating(), creating()])
    const slice = { offset: 0, limit: 10 }
    const [a, b, c] = made as readonly [CredentialRecord, CredentialRecord, CredentialRecord]
    const { directory, platform } = store.storage
    expect((await directory.listCredentials(tenant.id, { ids: [c.id, a.id] }, slice)).items).toEqual([a, c])
    expect(await directory.listCredentials(tenant.id, { keys: [b.key] }, slice)).toEqual({ items: [b], total: 1 })
    expect((await directory.listCredentials(tenant.id, { oids: [c.oid, a.oid] }, slice)).items).toEqual([a, c])
    expect((await directory.listCredentials(tenant.id, { ids: [] }, slice)).items).toEqual([])
    expect((await directory.listCredentials(tenant.id, { oids: [] }, slice)).items).toEqual([])
    expect((await directory.listCredentials(tenant.id, { keys: [] }, slice)).items).toEqual([])
    await platform.addUsage([
      usage({ organisationId: tenant.id, credentialId: a.id, secretId: a.secrets[0]!.id, lastAt: 7_000 }),
      usage({ organisationId: tenant.id, credentialId: a.id, secretId: null, lastAt: 9_000 }),
      usage({ organisationId: tenant.id, credentialId: b.id, lastAt: 1_700_000_000_000 }),
    ])
    const uses = await directory.listLastUses(tenant.id, [a.id, b.id, c.id])
    expect(new Map(uses.map(({ credentialId, at }) => [credentialId, at]))).toEqual(
      new Map([
        [a.id, 9_000],
        [b.id, 1_700_000_000_000],
      ]),
    )
    expect(await directory.listLastUses(tenant.id, [])).toEqual([])
  })
})
