// Two cores over one database, as two nodes have them.

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCore } from './core.ts'
import type { Core, CoreOptions } from './core.ts'
import type { ApplicationId, LrsId } from './ids.ts'
import type { Caller } from './principal.ts'
import { presetRights } from '../../test/support/core.ts'
import type { Storage } from './storage.ts'
import { createPlace } from '../../test/support/store.ts'
import type { Place } from '../../test/support/store.ts'

const limits = { batch: 1000, bodyBytes: 10_000_000, documentBytes: 10_000_000, xapiRatePerMinute: undefined }
const masterKey = Buffer.alloc(32, 7)

let place: Place
const cores: Core[] = []

async function openNode(options: Partial<CoreOptions> = {}): Promise<Core> {
  const { storage = await place.open() } = options
  const core = await createCore({ masterKey, baseUrl: 'https://lrs.example.org', limits, ...options, storage })
  cores.push(core)
  return core
}

beforeAll(async () => void (place = await createPlace('postgres')))
afterEach(async () => void (await Promise.all(cores.splice(0).map((core) => core.close()))))
afterAll(() => place.remove())

async function addOrganisation(core: Core): Promise<Caller> {
  const { organisation } = await core.organisations.create({ operator: 'test' }, { name: 'One' })
  return core.signIn.operator(organisation.id, 'test')
}

const noRights = { xapi: {}, management: [] }
const soon = { timeout: 1_000, interval: 5 }

describe('what one node changes about a key is so on the other within a second', () => {
  it('rights, a rotation, a disabling, many times', async () => {
    const [a, b] = [await openNode(), await openNode()]
    const operator = await addOrganisation(a)
    for (let times = 0; times < 15; times++) {
      const issued = await a.credentials.create(operator, { name: 'x', rights: noRights })
      const { id } = issued.credential
      const signIn = (secret = issued.secret) => b.signIn.basic({ key: issued.key, secret })
      const refused = (secret?: string) =>
        vi.waitFor(() => expect(signIn(secret)).rejects.toMatchObject({ code: 'unauthenticated' }), soon)
      expect((await signIn()).rights.xapi['statements/write']).toBeUndefined()
      await a.credentials.update(operator, id, { rights: presetRights('isolated') })
      const mayWrite = async () => (await signIn()).rights.xapi['statements/write'] !== undefined
      await vi.waitFor(async () => expect(await mayWrite()).toBe(true), soon)
      const { secret } = await a.credentials.rotate(operator, id, { overlapSeconds: 0 })
      await refused()
      await signIn(secret)
      await a.credentials.disable(operator, id)
      await refused(secret)
    }
  })
})

describe('what one node changes about an application is so on the other within a second', () => {
  it('that there is one, its name, whether it answers, a secret, that there is none', async () => {
    const [a, b] = [await openNode(), await openNode()]
    const operator = await addOrganisation(a)
    for (let times = 0; times < 5; times++) {
      const id = `NODES${String(times).padStart(5, '0')}` as ApplicationId
      expect(await b.applications.find(id)).toBeUndefined()
      await a.applications.create(operator, { name: 'One', id })
      const shows = async (part: object) => expect(await b.applications.find(id)).toMatchObject(part)
      await vi.waitFor(() => shows({ name: 'One' }), soon)
      await a.applications.update(operator, id, { name: 'Two' })
      await vi.waitFor(() => shows({ name: 'Two' }), soon)
      const { secret, secretId } = await a.applications.addSecret(operator, id, {})
      const signedBy = () => b.signIn.signed({ key: id, accepts: () => true, fits: (clear) => clear === secret })
      const principal = await vi.waitFor(signedBy, soon)
      await a.settings.put(operator, id, { level: '', values: {}, isOpen: false })
      const closed = async () => expect((await signedBy()).closedLrsIds).toEqual(principal.lrsIds)
      await vi.waitFor(closed, soon)
      await a.applications.dropSecret(operator, id, secretId)
      const refused = () => expect(signedBy()).rejects.toMatchObject({ code: 'unauthenticated' })
      await vi.waitFor(refused, soon)
      await a.applications.remove(operator, id)
      await vi.waitFor(async () => expect(await b.applications.find(id)).toBeUndefined(), soon)
    }
  })
})

describe('what one node changes about an organisation is so on the other within a second', () => {
  it('that an Lrs is deleted, and restored; that it has ended, and has not', async () => {
    const [a, b] = [await openNode(), await openNode()]
    const operator = await addOrganisation(a)
    const { id } = await a.lrs.create(operator, { name: 'Second' })
    const { key, secret } = await a.credentials.create(operator, { name: 'x', rights: noRights, lrsIds: [id] })
    const signIn = () => b.signIn.basic({ key, secret })
    const closes = async (lrsIds: readonly LrsId[]) => expect((await signIn()).closedLrsIds).toEqual(lrsIds)
    for (let times = 0; times < 5; times++) {
      await closes([])
      await a.lrs.remove(operator, id)
      await vi.waitFor(() => closes([id]), soon)
      await a.lrs.restore(operator, id)
      await vi.waitFor(() => closes([]), soon)
      await a.organisations.update(operator, { expiresAt: 1 })
      await vi.waitFor(() => expect(signIn()).rejects.toMatchObject({ code: 'forbidden' }), soon)
      await a.organisations.update(operator, { expiresAt: null })
      await vi.waitFor(signIn, soon)
    }
  })
})

describe('failed sign-ins', () => {
  it('count on all nodes together', async () => {
    const [a, b] = [await openNode(), await openNode()]
    const guess = (core: Core) => core.signIn.basic({ key: 'guessed', secret: 'wrong', address: '192.0.2.9' })
    for (let times = 0; times < 10; times++) {
      await expect(guess(a)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    const onOther = { timeout: 10_000, interval: 1_500 }
    // At most six of its own: too few to be refused for.
    await vi.waitFor(() => expect(guess(b)).rejects.toMatchObject({ code: 'rate_limited' }), onOther)
  })
})

describe('changes of one credential on two nodes at once', () => {
  it('none is lost: each names what the others made', async () => {
    const [a, b] = [await openNode(), await openNode()]
    const operator = await addOrganisation(a)
    const { credential } = await a.credentials.create(operator, { name: 'x', rights: presetRights('isolated') })
    const add = (core: Core, word: string) =>
      core.credentials.update(operator, credential.id, ({ words }) => ({ words: { ...words, [word]: true } }))
    const named = Array.from({ length: 30 }, (_, index) => `word ${index}`)
    await Promise.all(named.map((word, index) => add(index % 2 ? a : b, word)))
    const after = await a.credentials.get(operator, credential.id)
    expect(Object.keys(after.words).toSorted()).toEqual(named.toSorted())
    expect(after.version).toBe(credential.version + named.length)
  })

  it('a rotation never revives a secret that is disabled at the same time', async () => {
    const [a, b] = [await openNode(), await openNode()]
    const operator = await addOrganisation(a)
    for (let times = 0; times < 15; times++) {
      const { credential } = await a.credentials.create(operator, { name: 'x', rights: presetRights('isolated') })
      const [secret] = credential.secrets
      await Promise.all([
        a.credentials.updateSecret(operator, credential.id, secret!.id, { isEnabled: false }),
        b.credentials.rotate(operator, credential.id, { overlapSeconds: 600 }),
      ])
      const after = await b.credentials.get(operator, credential.id)
      expect(after.secrets.find(({ id }) => id === secret!.id)).toMatchObject({ isEnabled: false })
      expect(after.secrets.find(({ id }) => id === secret!.id)?.expiresAt).not.toBeNull()
    }
  })
})

describe('an erasure whose node is gone', () => {
  it('is finished by another, once', async () => {
    const leaseTiming = { ttlMs: 300, askEveryMs: 50 }
    const storage = await place.open()
    // As far as anybody else can see it was killed: no step it takes arrives any more, and it releases nothing.
    const step = vi.fn<() => Promise<never>>(() => new Promise(() => {}))
    const erasures = new Proxy(storage.erasures, {
      get: (target, name) => (name === 'step' ? step : Reflect.get(target, name)) as unknown,
    })
    const killed: Storage = {
      ...{ ...storage, erasures },
      onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
      load: () => storage.load(),
      close: () => storage.close(),
    }
    const a = await openNode({ storage: killed, leaseTiming })
    cores.pop()
    const operator = await addOrganisation(a)
    const begun = await new Promise<string>((resolve) => {
      const agents = [{ mbox: 'mailto:ann@example.org' }]
      void a.erasures.erasePerson(operator, { agents }, resolve).catch(() => {})
    })
    await vi.waitFor(() => expect(step).toHaveBeenCalled())
    await storage.close()
    const [b, c] = [await openNode({ leaseTiming }), await openNode({ leaseTiming })]
    const receipt = async (core: Core) => (await core.erasures.get(operator, begun)).receipt
    await vi.waitFor(async () => expect(await receipt(b)).toBeDefined(), { timeout: 5_000, interval: 20 })
    expect(await receipt(c)).toEqual(await receipt(b))
    const { events } = await b.audit.list(operator, { limit: 100 })
    expect(events.filter(({ action }) => action === 'erasure.finish')).toHaveLength(1)
  })
})
