// Putting back what was elsewhere: who has identifiers that are given once, and records with the ids and times they had.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { application, createTenant, event, fresh, pipe } from './samples.ts'
import { createApplication, createCredential } from './samples.ts'
import { engines } from './engines.ts'
import type { ApplicationId, CredentialId, LrsId, OrganisationId, PipeId } from '../../src/core/ids.ts'
import type { Holder, Identifiers } from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { Tenant } from './samples.ts'

const nothing: Identifiers = { organisations: [], lrs: [], credentials: [], applications: [], pipes: [], pairs: [] }
const own = event('x.y')
let unused = 1_000_000
const freeId = () => (unused += 1_000) as CredentialId & LrsId & OrganisationId

describe.each(engines)('identifiers, $name', (engine) => {
  let store: Store
  let tenant: Tenant
  beforeAll(async () => {
    store = await engine.open()
    tenant = await createTenant(store.storage)
  })
  afterAll(() => store.end())

  const holders = async (wanted: Partial<Identifiers>) => {
    const found = await store.storage.platform.findHolders({ ...nothing, ...wanted })
    return found.toSorted((a, b) => (a.noun + a.id < b.noun + b.id ? -1 : 1))
  }
  const held = (noun: Holder['noun'], id: number | string, oid: string | null = null) => {
    return { noun, id, oid, organisationId: tenant.id }
  }

  it('are nobody’s where there are none', async () => {
    expect(await holders({})).toEqual([])
    const absent = { id: freeId(), oid: fresh.oid() }
    const wanted = { organisations: [absent], lrs: [absent], credentials: [absent], pairs: [fresh.pair()] }
    expect(await holders({ ...wanted, applications: ['ABCDEFGHIJ' as ApplicationId] })).toEqual([])
  })

  it('are told by id or oid, whoever has them', async () => {
    const { organisation, lrs } = tenant
    const pair = fresh.pair()
    const one = await createCredential(store.storage, tenant, { pairs: [pair] })
    const made = await createApplication(store.storage, tenant)
    const laid = await store.storage.directory.createPipe(tenant.id, pipe(), own)
    await createTenant(store.storage)
    const whole = {
      organisations: [{ id: tenant.id }],
      lrs: [{ id: lrs.id }],
      credentials: [{ id: one.id }],
      applications: [made.id],
      pipes: [laid.id],
      pairs: [pair],
    }
    const expected = [
      held('application', made.id),
      held('credential', one.id, one.oid),
      held('lrs', lrs.id, lrs.oid),
      held('organisation', tenant.id, organisation.oid),
      held('pair', pair),
      held('pipe', laid.id),
    ]
    expect(await holders(whole)).toEqual(expected)
    const byOid = {
      organisations: [{ id: freeId(), oid: organisation.oid }],
      lrs: [{ id: freeId(), oid: lrs.oid }],
      credentials: [{ id: freeId(), oid: one.oid }],
    }
    expect(await holders(byOid)).toEqual([expected[1], expected[2], expected[3]])
    await store.storage.directory.deleteCredential(tenant.id, one.id, own)
    expect(await holders({ credentials: [{ id: one.id, oid: one.oid }], pairs: [pair] })).toEqual([
      held('credential', one.id),
      held('pair', pair),
    ])
  })

  it('of credentials that are gone elsewhere are given to nobody any more', async () => {
    const { directory } = store.storage
    const [first, second] = [freeId(), freeId()]
    await directory.reserveCredentialIds(tenant.id, [first, second], own)
    await directory.reserveCredentialIds(tenant.id, [second], own)
    expect(await holders({ credentials: [{ id: first }] })).toEqual([held('credential', first)])
    const chosen = createCredential(store.storage, tenant, { id: first })
    expect(await chosen.then(String, (error: { code: string }) => error.code)).toBe('conflict')
    const next = await createCredential(store.storage, tenant)
    expect(next.id).toBeGreaterThan(second)
    const other = await createTenant(store.storage)
    const free = freeId()
    const stolen = directory.reserveCredentialIds(other.id, [free, second], own)
    expect(await stolen.then(String, (error: { code: string }) => error.code)).toBe('conflict')
    expect(await holders({ credentials: [{ id: free }] })).toEqual([])
    const absent = directory.reserveCredentialIds(freeId(), [], own)
    expect(await absent.then(String, (error: { code: string }) => error.code)).toBe('not_found')
  })

  it('stay with credentials, applications and pipes, with their times and versions', async () => {
    const { directory } = store.storage
    const times = { createdAt: 1_600_000_000_000, updatedAt: 1_650_000_000_000 }
    const id = freeId()
    const kept = await createCredential(store.storage, tenant, { id, version: 7, ...times })
    expect(kept).toMatchObject({ id, version: 7, ...times })
    expect(await directory.findCredential(tenant.id, id)).toEqual(kept)

    const sample = application()
    const [live, sandbox, key] = [freeId(), freeId(), freeId()]
    const settings = [
      { level: '', name: 'a', value: 'sealed a' },
      { level: 'part', name: 'a', value: 'sealed b' },
    ]
    const made = await directory.createApplication(
      tenant.id,
      {
        ...{ ...sample, ...times, isDeletable: false, callback: 'sealed callback', settings },
        live: { ...sample.live, id: live },
        sandbox: { ...sample.sandbox, id: sandbox },
        credential: { ...sample.credential, id: key },
      },
      own,
    )
    expect(made).toMatchObject({
      ...{ ...times, isDeletable: false, callback: 'sealed callback' },
      ...{ liveLrsId: live, sandboxLrsId: sandbox, credentialId: key },
    })
    expect(await directory.findApplication(tenant.id, made.id)).toEqual(made)
    expect(await directory.listSettings(tenant.id, made.id)).toEqual(settings)
    expect((await directory.findCredential(tenant.id, key))?.lrsIds).toEqual([live, sandbox])

    const laid = await directory.createPipe(tenant.id, pipe({ version: 3, ...times }), own)
    expect(laid).toMatchObject({ version: 3, ...times })
    expect(await directory.findPipe(tenant.id, laid.id as PipeId)).toEqual(laid)
  })

  it('of an application that are taken leave nothing of it', async () => {
    const { directory } = store.storage
    const taken = await createCredential(store.storage, tenant)
    const before = await directory.listLrs(tenant.id)
    const sample = application()
    const again = { ...sample, credential: { ...sample.credential, id: taken.id } }
    const attempt = directory.createApplication(tenant.id, again, own)
    expect(await attempt.then(String, (error: { code: string }) => error.code)).toBe('conflict')
    expect(await directory.listLrs(tenant.id)).toEqual(before)
    expect(await directory.findApplication(tenant.id, sample.id)).toBeUndefined()
  })
})
