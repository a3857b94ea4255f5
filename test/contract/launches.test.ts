// Platforms, content, placements and launches: what the port promises, on every engine.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createApplication,
  createContent,
  createCredential,
  createPlatform,
  createTenant,
  event,
  fresh,
  launch,
  session,
} from './samples.ts'
import { platform, secret } from './samples.ts'
import { engines } from './engines.ts'
import type { CredentialId, LaunchId, LrsId, Oid, PlatformId, SessionId } from '../../src/core/ids.ts'
import type {
  DirectoryStore,
  LapsedPosition,
  LaunchRecord,
  LaunchStore,
  PlatformRecord,
} from '../../src/core/storage.ts'
import type { Store } from './engines.ts'
import type { MadeLaunch, Tenant } from './samples.ts'

const own = event('x.y')
const everything = { offset: 0, limit: 100 }
const start = 1_700_000_000_000
const none = {} as const

describe.each(engines)('launches on $name', ({ name, open }) => {
  let store: Store
  let tenant: Tenant
  let other: Tenant
  let launches: LaunchStore
  let directory: DirectoryStore
  let told: (number | undefined)[]
  beforeAll(async () => {
    store = await open()
    store.storage.onDirectoryChange((id) => void told.push(id))
    ;({ launches, directory } = store.storage)
  })
  afterAll(() => store.end())
  beforeEach(async () => {
    told = []
    tenant = await createTenant(store.storage)
    other = await createTenant(store.storage)
    told.length = 0
  })

  /** PostgreSQL may tell of what went before once more, late: test/contract/several-nodes.test.ts shows there what is not told. */
  const expectTold = (ids: readonly number[]) => {
    if (name.startsWith('PostgreSQL')) expect(told).toEqual(expect.arrayContaining([...ids]))
    else expect(told).toEqual(ids)
  }
  const refused = async (attempt: Promise<unknown>, code: string) =>
    expect(await attempt.then(String, (error: { code: string }) => error.code)).toBe(code)
  const audited = async ({ id } = tenant) => (await directory.listAudit(id, 0, 1_000)).length
  const nothing = async (attempt: () => Promise<unknown>, code: string) => {
    const before = await audited()
    await refused(attempt(), code)
    expect(await audited()).toBe(before)
  }
  const hasAudit = async (calls: () => Promise<unknown>, count: number) => {
    const before = await audited()
    await calls()
    expect((await audited()) - before).toBe(count)
  }

  describe('platforms', () => {
    it('are made with their credential, found by whom they are, and by anybody who knows the id', async () => {
      const sample = platform(tenant)
      const made = await launches.createPlatform(tenant.id, sample, own)
      const { credential, ...given } = sample
      expect(made).toEqual({
        ...given,
        organisationId: tenant.id,
        credentialId: made.credentialId,
        version: 1,
        updatedAt: start,
      })
      expect(await launches.findPlatform(tenant.id, made.id)).toEqual(made)
      expect(await launches.findPlatformAnywhere(made.id)).toEqual(made)
      expect(await launches.findPlatform(other.id, made.id)).toBeUndefined()
      expect(await launches.findPlatformAnywhere('nobody' as PlatformId)).toBeUndefined()
      const of = await directory.findCredential(tenant.id, made.credentialId)
      expect(of).toMatchObject({ kind: 'client', key: credential.key, name: 'School', isEnabled: true })
      expectTold([tenant.id])
    })

    it('have an id that nobody else has, and leave nothing of one that is refused', async () => {
      const { id } = await createPlatform(store.storage, tenant)
      const before = await directory.listCredentials(tenant.id, {}, everything)
      await nothing(() => createPlatform(store.storage, tenant, { id }), 'conflict')
      await refused(createPlatform(store.storage, other, { id }), 'conflict')
      const sample = platform(tenant)
      const taken = { ...sample.credential, key: before.items[0]!.key }
      await nothing(() => launches.createPlatform(tenant.id, { ...sample, credential: taken }, own), 'conflict')
      expect(await launches.findPlatformAnywhere(sample.id)).toBeUndefined()
      expect(await directory.listCredentials(tenant.id, {}, everything)).toEqual(before)
      expect((await directory.listCredentials(other.id, {}, everything)).total).toBe(0)
    })

    it('are listed by id', async () => {
      const ids = ['b-2', 'a-1', 'c-3'].map((name) => `${name}-${fresh.key()}` as PlatformId)
      for (const id of ids) await createPlatform(store.storage, tenant, { id })
      await createPlatform(store.storage, other)
      const { items, total } = await launches.listPlatforms(tenant.id, { offset: 1, limit: 5 })
      expect([items.map(({ id }) => id), total]).toEqual([[ids[0], ids[2]], 3])
    })

    it('change as far as is said, from what they were, with their credential', async () => {
      const made = await createPlatform(store.storage, tenant)
      const secrets = [
        { ...made.secrets[0]!, id: fresh.secretId() },
        { ...made.secrets[0]!, expiresAt: start + 5 },
      ]
      told.length = 0
      const turned = await launches.updatePlatform(
        tenant.id,
        made.id,
        { secrets, isEnabled: false, at: start + 1 },
        own,
      )
      expect(turned).toEqual({ ...made, secrets, isEnabled: false, version: 2, updatedAt: start + 1 })
      expectTold([tenant.id])
      const patch = { name: 'Academy', settings: { a: [1] }, from: 2, at: start + 2 }
      const named = await launches.updatePlatform(tenant.id, made.id, patch, own)
      expect(named).toEqual({ ...turned, name: 'Academy', settings: { a: [1] }, version: 3, updatedAt: start + 2 })
      expect(await directory.findCredential(tenant.id, made.credentialId)).toMatchObject({
        name: 'Academy',
        isEnabled: false,
        version: 3,
      })
      await nothing(() => launches.updatePlatform(tenant.id, made.id, { ...patch, name: 'Late' }, own), 'conflict')
      await refused(launches.updatePlatform(other.id, made.id, { ...patch, from: 3 }, own), 'not_found')
      expect(await launches.findPlatform(tenant.id, made.id)).toEqual(named)
    })

    it('go with credential, sessions and placements, and leave their launches', async () => {
      const made = await createPlatform(store.storage, tenant)
      const { id: contentId } = await createContent(store.storage, tenant)
      await launches.putPlacement(tenant.id, { platformId: made.id, resource: '1', contentId, at: start }, own)
      const { launch: running } = await launches.createLaunch(
        tenant.id,
        launch(tenant, made.credentialId, { platformId: made.id }),
        own,
      )
      await refused(launches.deletePlatform(other.id, made.id, own), 'not_found')
      await nothing(() => directory.deleteCredential(tenant.id, made.credentialId, own), 'conflict')
      told.length = 0
      expect(await launches.deletePlatform(tenant.id, made.id, own)).toEqual(made)
      expectTold([tenant.id])
      expect(await launches.findPlatformAnywhere(made.id)).toBeUndefined()
      expect(await directory.findCredential(tenant.id, made.credentialId)).toBeUndefined()
      expect((await launches.listPlacements(tenant.id, {}, everything)).total).toBe(0)
      expect(await launches.findLaunch(tenant.id, running.id)).toEqual({ ...running, sessionId: null })
      expect((await launches.listLapsed(0, { limit: 1_000 })).items.map(({ id }) => id)).toContain(running.id)
      await nothing(() => launches.deletePlatform(tenant.id, made.id, own), 'not_found')
    })
  })

  it('a platform goes with the application whose Lrs are all that it reaches', async () => {
    const { id, liveLrsId } = await createApplication(store.storage, tenant)
    const reaching = (lrsIds: readonly LrsId[]) => ({ credential: { ...platform(tenant).credential, lrsIds } })
    const one = await createPlatform(store.storage, tenant, reaching([liveLrsId]))
    const both = await createPlatform(store.storage, tenant, reaching([liveLrsId, tenant.lrsId]))
    await directory.deleteApplication(tenant.id, id, own)
    expect(await launches.listPlatforms(tenant.id, everything)).toEqual({ items: [both], total: 1 })
    expect(await directory.findCredential(tenant.id, one.credentialId)).toBeUndefined()
  })

  describe('content and placements', () => {
    it('are made, listed, changed from what they were, and removed', async () => {
      const ids = [fresh.oid(), fresh.oid()].toSorted() as [Oid, Oid]
      const second = await createContent(store.storage, tenant, { id: ids[1] })
      const first = await createContent(store.storage, tenant, { id: ids[0], name: 'First' })
      expect(first).toMatchObject({ organisationId: tenant.id, version: 1, createdAt: start, updatedAt: start })
      expect(await launches.listContents(tenant.id, everything)).toEqual({ items: [first, second], total: 2 })
      expect(await launches.listContents(other.id, everything)).toEqual({ items: [], total: 0 })
      expect(await launches.findContent(other.id, first.id)).toBeUndefined()
      await refused(createContent(store.storage, other, { id: first.id }), 'conflict')
      const patch = { name: 'Now', settings: { url: 'b' }, from: 1, at: start + 1 }
      const changed = await launches.updateContent(tenant.id, first.id, patch, own)
      expect(changed).toEqual({ ...first, name: 'Now', settings: { url: 'b' }, version: 2, updatedAt: start + 1 })
      await nothing(() => launches.updateContent(tenant.id, first.id, patch, own), 'conflict')
      await refused(launches.updateContent(other.id, first.id, { at: 1 }, own), 'not_found')
      await refused(launches.deleteContent(other.id, first.id, own), 'not_found')
      expect(await launches.deleteContent(tenant.id, first.id, own)).toEqual(changed)
      expect(await launches.findContent(tenant.id, first.id)).toBeUndefined()
    })

    it('are put where a platform launches them, one after the other', async () => {
      const { id: platformId } = await createPlatform(store.storage, tenant)
      const [one, two] = [await createContent(store.storage, tenant), await createContent(store.storage, tenant)]
      const put = (resource: string, contentId: Oid | null, at: number) =>
        launches.putPlacement(tenant.id, { platformId, resource, contentId, at }, own)
      expect(await put('14/2', one.id, 5)).toEqual({
        ...{ platformId, resource: '14/2', contentId: one.id },
        ...{ createdAt: 5, updatedAt: 5 },
      })
      const moved = await put('14/2', two.id, 6)
      expect(moved).toMatchObject({ contentId: two.id, createdAt: 5, updatedAt: 6 })
      expect(await launches.findPlacement(tenant.id, platformId, '14/2')).toEqual(moved)
      expect(await launches.findPlacement(other.id, platformId, '14/2')).toBeUndefined()
      const earlier = await put('14/1', one.id, 7)
      const list = (filter: Parameters<LaunchStore['listPlacements']>[1], { id } = tenant) =>
        launches.listPlacements(id, filter, everything)
      expect(await list({})).toEqual({ items: [earlier, moved], total: 2 })
      expect(await list({ platformId, contentId: one.id })).toEqual({ items: [earlier], total: 1 })
      expect(await list({ contentId: two.id }, other)).toEqual({ items: [], total: 0 })
      await nothing(() => launches.deleteContent(tenant.id, one.id, own), 'conflict')
      expect(await put('14/1', null, 8)).toMatchObject({ contentId: null })
      expect(await launches.deleteContent(tenant.id, one.id, own)).toMatchObject({ id: one.id })
      await refused(launches.deletePlacement(other.id, platformId, '14/2', own), 'not_found')
      await nothing(() => launches.deletePlacement(tenant.id, platformId, '14/3', own), 'not_found')
      expect(await launches.deletePlacement(tenant.id, platformId, '14/2', own)).toEqual(moved)
      expect(await launches.findPlacement(tenant.id, platformId, '14/2')).toBeUndefined()
      expect((await list({})).items.map(({ resource }) => resource)).toEqual(['14/1'])
    })

    it('are there as long as a platform opens them where nothing was chosen', async () => {
      const [{ id }, { id: foreign }] = [
        await createContent(store.storage, tenant),
        await createContent(store.storage, other),
      ]
      const absent = '0'.repeat(24)
      const settings = { customers: [14], content: id }
      for (const content of [absent, foreign]) {
        await nothing(() => createPlatform(store.storage, tenant, { settings: { content } }), 'not_found')
      }
      const made = await createPlatform(store.storage, tenant, { settings })
      await nothing(() => launches.deleteContent(tenant.id, id, own), 'conflict')
      const update = (more: object) => launches.updatePlatform(tenant.id, made.id, { at: start, ...more }, own)
      await nothing(() => update({ settings: { content: absent } }), 'not_found')
      expect((await launches.findPlatform(tenant.id, made.id))?.settings).toEqual(settings)
      // As another setting it says nothing of content.
      await update({ settings: { content: null, publicUrl: `https://x.example/${id}` } })
      expect((await launches.deleteContent(tenant.id, id, own)).id).toBe(id)
    })

    it('are those of one organisation', async () => {
      const theirs = await createPlatform(store.storage, other)
      const content = await createContent(store.storage, other)
      const mine = await createPlatform(store.storage, tenant)
      const put = (platformId: PlatformId, contentId: Oid | null) =>
        nothing(
          () => launches.putPlacement(tenant.id, { platformId, resource: '1', contentId, at: 1 }, own),
          'not_found',
        )
      await put(theirs.id, null)
      await put(mine.id, content.id)
      await put(mine.id, fresh.oid())
      for (const { id } of [tenant, other]) expect((await launches.listPlacements(id, {}, everything)).total).toBe(0)
    })
  })

  describe('a launch', () => {
    let by: PlatformRecord
    let credentialId: CredentialId
    beforeEach(async () => {
      by = await createPlatform(store.storage, tenant)
      ;({ credentialId } = by)
      told.length = 0
    })

    const begin = (part: Parameters<typeof launch>[2] = none, credential = credentialId) =>
      launches.createLaunch(tenant.id, launch(tenant, credential, part), own)
    const endOf = ({ id }: Pick<LaunchRecord, 'id'>, { id: of } = tenant, end = { by: 'terminated', at: 7 } as const) =>
      launches.endLaunch(of, id, end, own)
    const isThere = async (id: SessionId) => (await directory.findSession(tenant.id, credentialId, id)) !== undefined

    it('begins with its session, which sign-in finds with what it needs to know', async () => {
      const made = launch(tenant, credentialId, {
        platformId: by.id,
        resource: '14/2',
        cookie: 'c',
        progress: { a: 1 },
      })
      const { session: begun, launch: running, superseded } = await launches.createLaunch(tenant.id, made, own)
      const { launch: ofSession, ...given } = made.session
      const organisationId = tenant.id
      expect(begun).toEqual({ ...given, id: begun.id, organisationId, launch: ofSession, boundTo: null })
      expect(running).toEqual({
        ...made.launch,
        ...{ organisationId, credentialId, number: running.number, sessionId: begun.id, version: 1 },
        ...{ createdAt: made.at, endedAt: null, endedBy: null, owes: null },
      })
      expect(superseded).toEqual([])
      const [found] = await store.storage.platform.findSignInCandidates(begun.key)
      expect(found?.session).toEqual(begun)
      expect(await launches.findLaunch(tenant.id, running.id)).toEqual(running)
      expect(await launches.findLaunch(other.id, running.id)).toBeUndefined()
      // Nobody's sign-in changed.
      expectTold([])
    })

    it('is refused whole', async () => {
      const { launch: running, session: begun } = await begin()
      const another = { registration: randomUUID() }
      const once = { hash: fresh.pair(), kind: 'fetch', until: start } as const
      const theirs = await createCredential(store.storage, other)
      await nothing(() => begin(another, theirs.id), 'not_found')
      await nothing(() => begin({ ...another, id: running.id }), 'conflict')
      await nothing(() => begin({ ...another, tickets: [once, once] }), 'conflict')
      const sample = launch(tenant, credentialId)
      const sameKey: MadeLaunch = { ...sample, session: { ...sample.session, key: by.id } }
      await createCredential(store.storage, tenant, { key: by.id })
      await nothing(() => launches.createLaunch(tenant.id, sameKey, own), 'conflict')
      await refused(launches.createLaunch(other.id, sample, own), 'not_found')
      expect(await launches.listLaunches(tenant.id, {}, { limit: 10 })).toEqual([running])
      expect(await isThere(begun.id)).toBe(true)
    })

    it('ends the one before of the same registration, and goes on from what that registration had reached', async () => {
      const first = await begin({ progress: { registration: { passed: true }, session: 1 } })
      const apart = [
        await begin({ registration: randomUUID() }),
        await begin({ activityId: 'https://example.com/other' }),
        await begin(none, (await createCredential(store.storage, tenant)).id),
      ]
      told.length = 0
      const second = await begin({ progress: { registration: {}, session: 2 }, at: start + 9 })
      const by = { endedAt: start + 9, endedBy: 'superseded', owes: 'word' }
      const ended = { ...first.launch, sessionId: null, sealed: null, ...by }
      expect(second.superseded).toEqual([ended])
      expectTold([tenant.id])
      expect(second.launch.progress).toEqual({ registration: { passed: true }, session: 2 })
      expect(await launches.findLaunch(tenant.id, first.launch.id)).toEqual(ended)
      expect(await isThere(first.session.id)).toBe(false)
      expect(await isThere(second.session.id)).toBe(true)
      for (const { launch: running } of apart) {
        expect(await launches.findLaunch(tenant.id, running.id)).toEqual(running)
      }
      // Also from one that had ended by itself.
      await endOf(second.launch)
      told.length = 0
      const third = await begin()
      expect([third.superseded, third.launch.progress]).toEqual([[], { registration: { passed: true } }])
      expectTold([])
    })

    it('is one of many that begin at the same time, and one of them runs', async () => {
      const made = await Promise.all(Array.from({ length: 12 }, () => begin()))
      const running = await launches.listLaunches(tenant.id, { isRunning: true }, { limit: 100 })
      expect(running).toHaveLength(1)
      expect(made.flatMap(({ superseded }) => superseded)).toHaveLength(11)
      const { total } = await directory.listSessions(tenant.id, credentialId, everything)
      expect(total).toBe(1)
    })

    it('is listed, newest first, by whatever is asked for', async () => {
      const { id: contentId } = await createContent(store.storage, tenant)
      const of = (name: string) => ({ registration: randomUUID(), actorKey: `account https://school.example ${name}` })
      const [ann, bob] = [of('ann'), of('bob')]
      const a = (await begin({ ...ann, platformId: by.id })).launch
      const b = (await begin({ ...bob, platformId: by.id, contentId })).launch
      const c = (await begin({ ...ann, contentId, activityId: 'https://example.com/other' })).launch
      await endOf(a)
      await launches.createLaunch(
        other.id,
        launch(other, (await createPlatform(store.storage, other)).credentialId),
        own,
      )
      const ids = async (filter: Parameters<LaunchStore['listLaunches']>[1], part = { limit: 10 }) =>
        (await launches.listLaunches(tenant.id, filter, part)).map(({ id }) => id)
      expect(await ids({})).toEqual([c.id, b.id, a.id])
      expect(await ids({ platformId: by.id })).toEqual([b.id, a.id])
      expect(await ids({ contentId })).toEqual([c.id, b.id])
      expect(await ids({ credentialId })).toEqual([c.id, b.id, a.id])
      expect(await ids({ registration: ann.registration })).toEqual([c.id, a.id])
      expect(await ids({ actorKey: bob.actorKey })).toEqual([b.id])
      expect(await ids({ registration: ann.registration, contentId, lrsIds: [tenant.lrsId] })).toEqual([c.id])
      expect(await ids({ registration: ann.registration, credentialId, isRunning: false })).toEqual([a.id])
      expect(await ids({ actorKey: ann.actorKey, platformId: by.id, contentId })).toEqual([])
      expect(await ids({ isRunning: false })).toEqual([a.id])
      expect(await ids({ isRunning: true, platformId: by.id })).toEqual([b.id])
      expect(await ids({ lrsIds: [tenant.lrsId] })).toEqual([c.id, b.id, a.id])
      for (const lrsIds of [[], [other.lrsId]]) expect(await ids({ lrsIds })).toEqual([])
      const before = (number: number) => launches.listLaunches(tenant.id, {}, { before: number, limit: 1 })
      expect(
        [await before(c.number), await before(b.number), await before(a.number)].map((them) => them[0]?.id),
      ).toEqual([b.id, a.id, undefined])
    })

    it('tells which registrations were launched at a place, by which key, about what', async () => {
      const [here, there, nowhere, never] = Array.from({ length: 4 }, () => randomUUID())
      const of = (registration: string | undefined, resource: string | null) =>
        begin({ registration: registration!, resource })
      const { launch: first } = await of(here, 'room')
      await of(there, 'other room')
      await of(nowhere, null)
      await endOf((await of(here, 'room')).launch)
      const registrations = [here!, there!, nowhere!, never!]
      const list = (place: object = {}) => launches.listRegistrations(tenant.id, { ...first, ...place }, registrations)
      expect(await list()).toEqual([here])
      expect(await list({ resource: 'other room' })).toEqual([there])
      expect(await list({ resource: null })).toEqual([nowhere])
      const { id: otherKey } = await createCredential(store.storage, tenant)
      for (const place of [
        { resource: 'r' },
        { activityId: 'https://example.com/other' },
        { credentialId: otherKey },
      ]) {
        expect(await list(place)).toEqual([])
      }
      expect(await launches.listRegistrations(tenant.id, first, [])).toEqual([])
    })

    it('goes on from the version it is at, and from no other', async () => {
      const { launch: running } = await begin({ cookie: 'c' })
      const step = (from: number, progress: object, more = {}, { id } = tenant) =>
        launches.advanceLaunch(id, running.id, { from, progress: progress as LaunchRecord['progress'], ...more })
      await hasAudit(async () => {
        expect(await step(1, { a: 1 })).toEqual({ ...running, progress: { a: 1 }, version: 2 })
        const ticket = { hash: fresh.pair(), kind: 'fetch', until: 50 } as const
        for (const [from, of] of [
          [1, tenant],
          [3, tenant],
          [2, other],
        ] as const) {
          expect(await step(from, { b: 2 }, { tickets: [ticket] }, of)).toBeUndefined()
        }
        expect(await launches.useTicket(ticket.hash, 'fetch', 1)).toBeUndefined()
        expect(await step(2, { c: 3 }, { tickets: [ticket], cookie: 'd' })).toMatchObject({ cookie: 'd', version: 3 })
        expect(await launches.useTicket(ticket.hash, 'fetch', 1)).toMatchObject({ isFirst: true })
      }, 0)
      // Of many at once, one.
      const tries = await Promise.all([1, 2, 3, 4].map((n) => step(3, { n })))
      expect(tries.filter((one) => one !== undefined)).toHaveLength(1)
      await endOf(running)
      expect(await step(4, { late: true })).toBeUndefined()
    })

    it('ends once, with its session', async () => {
      const { launch: running, session: begun } = await begin()
      await refused(endOf(running, { ...tenant, id: 999_999 as Tenant['id'] }), 'not_found')
      expect(await endOf(running, other)).toBeUndefined()
      expect(await isThere(begun.id)).toBe(true)
      told.length = 0
      await hasAudit(async () => {
        const ended = { ...running, sessionId: null, sealed: null, endedAt: 7, endedBy: 'terminated' }
        const answers = await Promise.all([endOf(running), endOf(running), endOf(running)])
        expect(answers.filter((answer) => answer !== undefined)).toEqual([ended])
        expect(await launches.findLaunch(tenant.id, running.id)).toEqual(ended)
      }, 1)
      expectTold([tenant.id])
      expect(await isThere(begun.id)).toBe(false)
      expect(
        await launches.endLaunch(tenant.id, randomUUID() as LaunchId, { by: 'revoked', at: 8 }, own),
      ).toBeUndefined()
      const { length } = await directory.listAudit(tenant.id, 0, 1_000)
      expect((await directory.listAudit(tenant.id, length - 1, 1))[0]?.number).toBe(length)
    })

    it('is entered by tickets, each of which is first used once', async () => {
      const [entrance, fetch] = [fresh.pair(), fresh.pair()]
      const tickets = [
        { hash: entrance, kind: 'entrance', until: 100 },
        { hash: fetch, kind: 'fetch', until: 200 },
      ] as const
      const { launch: running } = await begin({ tickets })
      const use = (hash: string, kind: 'entrance' | 'fetch', at = 50) => launches.useTicket(hash, kind, at)
      expect(await use(entrance, 'fetch')).toBeUndefined()
      expect(await use(fresh.pair(), 'entrance')).toBeUndefined()
      expect(await use(entrance, 'entrance', 100)).toBeUndefined()
      const uses = await Promise.all(Array.from({ length: 5 }, () => use(entrance, 'entrance')))
      expect(uses.filter((answer) => answer?.isFirst)).toEqual([{ launch: running, isFirst: true }])
      expect(uses.filter((answer) => answer?.isFirst === false)).toHaveLength(4)
      const ended = await endOf(running)
      expect(await use(fetch, 'fetch', 199)).toEqual({ launch: ended, isFirst: true })
      expect(await use(fetch, 'fetch', 199)).toEqual({ launch: ended, isFirst: false })
    })

    it('hands over with a ticket what goes with it, to the first and to whom it knows', async () => {
      const [entrance, first, second, third] = [fresh.pair(), fresh.pair(), fresh.pair(), fresh.pair()]
      const { launch: running } = await begin({ tickets: [{ hash: entrance, kind: 'entrance', until: 100 }] })
      const handed = (cookie: string, hash: string) =>
        ({ cookie, tickets: [{ hash, kind: 'fetch', until: 100 }] }) as const
      const use = (cookie: string, hash: string) => launches.useTicket(entrance, 'entrance', 1, handed(cookie, hash))
      const find = (hash: string, kind: 'entrance' | 'fetch' = 'fetch', at = 1) => launches.findTicket(hash, kind, at)
      expect(await find(entrance, 'entrance')).toEqual({ launch: running, isUsed: false })
      expect(await find(entrance, 'entrance', 100)).toBeUndefined()
      expect(await find(entrance)).toBeUndefined()
      const known = { ...running, cookie: 'mine' }
      expect(await use('mine', first)).toEqual({ launch: known, isFirst: true })
      expect(await find(entrance, 'entrance')).toEqual({ launch: known, isUsed: true })
      expect(await use('another', second)).toEqual({ launch: known, isFirst: false })
      expect(await find(second)).toBeUndefined()
      expect(await find(first)).toEqual({ launch: known, isUsed: false })
      // Unused, it makes room; used, it stays known.
      expect(await use('mine', second)).toEqual({ launch: known, isFirst: false })
      expect(await find(first)).toBeUndefined()
      await launches.useTicket(second, 'fetch', 1)
      await use('mine', third)
      expect(await find(second)).toEqual({ launch: known, isUsed: true })
      const ended = await endOf(running)
      expect(await use('mine', first)).toEqual({ launch: ended, isFirst: false })
      expect(await find(first)).toBeUndefined()
    })

    it('is not begun with a ticket that was issued before: nothing else happens', async () => {
      const tickets = [{ hash: fresh.pair(), kind: 'entrance', until: 100 }] as const
      const { launch: running } = await begin({ tickets })
      await hasAudit(async () => {
        await expect(begin({ tickets })).rejects.toMatchObject({ code: 'conflict' })
      }, 0)
      expect(await launches.findLaunch(tenant.id, running.id)).toEqual(running)
    })

    it('has a session whose end moves on, as far as the launch goes, and that is bound once', async () => {
      const { session: begun, launch: running } = await begin()
      const extend = (by: number, id = begun.id, { id: of } = tenant) =>
        launches.extendSession(of, id, begun.expiresAt + by)
      told.length = 0
      await hasAudit(async () => {
        expect(await extend(10)).toBe(begun.expiresAt + 10)
        expect(await extend(5)).toBe(begun.expiresAt + 10)
        expect(await extend(1e9)).toBe(running.expiresAt)
        const plain = await directory.createSession(tenant.id, session(credentialId), own)
        expect(await extend(10, plain.id)).toBeUndefined()
        expect(await extend(10, 999_999 as SessionId)).toBeUndefined()
        expect(await extend(10, begun.id, other)).toBeUndefined()
        expect(await launches.bindSession(other.id, begun.id, 'x')).toBeUndefined()
        const bound = await Promise.all(['a', 'b', 'c'].map((to) => launches.bindSession(tenant.id, begun.id, to)))
        expect(new Set(bound).size).toBe(1)
        expect(await launches.bindSession(tenant.id, begun.id, 'd')).toBe(bound[0])
        expect(await directory.findSession(tenant.id, credentialId, begun.id)).toEqual({
          ...{ ...begun, expiresAt: running.expiresAt, boundTo: bound[0] },
        })
      }, 1)
      expectTold([])
    })

    it('lapses with its session, for whatever reason that is gone', async () => {
      const lapsed = async (at: number, limit = 1_000) =>
        (await launches.listLapsed(at, { limit })).items.filter(({ organisationId }) => organisationId === tenant.id)
      const idle = await begin({ registration: randomUUID() })
      const removed = await begin({ registration: randomUUID(), at: start + 50_000_000 })
      const { expiresAt } = idle.session
      expect(await lapsed(expiresAt - 1)).toEqual([])
      expect(await lapsed(expiresAt)).toEqual([idle.launch])
      await launches.extendSession(tenant.id, idle.session.id, expiresAt + 10)
      expect(await lapsed(expiresAt)).toEqual([])
      await directory.deleteSession(tenant.id, credentialId, removed.session.id, own)
      expect(await lapsed(expiresAt + 10)).toEqual([{ ...removed.launch, sessionId: null }, idle.launch])
      // Page by page it is the same list, whatever becomes of those on the pages before.
      const paged: LaunchRecord[] = []
      for (let after: LapsedPosition | undefined, isMore = true; isMore; isMore = after !== undefined) {
        const page = await launches.listLapsed(expiresAt + 10, { after, limit: 1 })
        paged.push(...page.items)
        after = page.next
      }
      expect(paged).toEqual((await launches.listLapsed(expiresAt + 10, { limit: 1_000 })).items)
      for (const { launch: one } of [idle, removed]) await endOf(one)
      expect(await lapsed(expiresAt + 10)).toEqual([])
    })

    it('owes a word when cmi5 ends otherwise than by its own, and an end when it said so, until that is done', async () => {
      const owing = async (after = 0, limit = 1_000) =>
        (await launches.listOwing({ after, limit }))
          .filter(({ organisationId }) => organisationId === tenant.id)
          .map(({ id, owes }) => [id, owes])
      const style = 'cmi5'
      const [first, said] = [await begin({ style }), await begin({ style, registration: randomUUID() })]
      const { launch: latest } = await begin({ style })
      expect((await launches.findLaunch(tenant.id, first.launch.id))?.owes).toBe('word')
      const step = { from: 1, progress: { a: 1 } }
      expect(await launches.advanceLaunch(tenant.id, said.launch.id, { ...step, owes: 'end' })).toMatchObject({
        ...{ owes: 'end', mode: 'normal' },
      })
      const { id: tincan } = (await begin({ style: 'tincan', registration: randomUUID() })).launch
      await launches.endLaunch(tenant.id, tincan, { by: 'idle', at: start }, own)
      expect(await owing()).toEqual([
        [first.launch.id, 'word'],
        [said.launch.id, 'end'],
      ])
      expect(await owing(first.launch.number)).toEqual([[said.launch.id, 'end']])
      // One that runs owes what its progress says.
      await launches.settleLaunch(tenant.id, said.launch.id)
      expect(await owing(first.launch.number)).toEqual([[said.launch.id, 'end']])
      const reviewed = await launches.advanceLaunch(tenant.id, said.launch.id, { ...step, from: 2, mode: 'review' })
      expect(reviewed).toMatchObject({ owes: null, mode: 'review' })
      await launches.settleLaunch(tenant.id, first.launch.id)
      expect(await owing()).toEqual([])
      for (const [{ id }, by, owes] of [
        [latest, 'terminated', null],
        [said.launch, 'idle', 'word'],
      ] as const) {
        const ended = await launches.endLaunch(tenant.id, id, { by, at: start }, own)
        expect(ended).toMatchObject({ owes, mode: id === latest.id ? 'normal' : 'review' })
      }
    })

    it('keeps its content from being deleted while it runs', async () => {
      const { id: contentId } = await createContent(store.storage, tenant)
      const { launch: running } = await begin({ contentId })
      await nothing(() => launches.deleteContent(tenant.id, contentId, own), 'conflict')
      await endOf(running)
      await launches.deleteContent(tenant.id, contentId, own)
      expect(await launches.findLaunch(tenant.id, running.id)).toMatchObject({ contentId })
    })

    it('is swept when it has ended: what it knew goes, and all but the latest of a registration', async () => {
      const ticket = { hash: fresh.pair(), kind: 'entrance', until: start } as const
      const account = { objectType: 'Agent', account: { homePage: 'https://school.example', name: 'a1' } }
      const actor = { ...account, name: 'Ada Byron' }
      const first = await begin({ at: 10, actor })
      const second = await begin({ at: 20, actor, tickets: [ticket], progress: { registration: { a: 1 } } })
      const running = await begin({ at: 30, registration: randomUUID() })
      await endOf(second.launch, tenant, { by: 'terminated', at: 25 } as never)
      expect(await launches.sweepLaunches(other.id, 1_000)).toBe(0)
      expect(await launches.sweepLaunches(tenant.id, 20)).toBe(0)
      expect(await launches.sweepLaunches(tenant.id, 26)).toBe(2)
      expect(await launches.sweepLaunches(tenant.id, 26)).toBe(0)
      expect(await launches.findLaunch(tenant.id, first.launch.id)).toBeUndefined()
      expect(await launches.findLaunch(tenant.id, second.launch.id)).toMatchObject({
        ...{ data: null, sealed: null, progress: second.launch.progress, endedAt: 25 },
        actorKey: second.launch.actorKey,
      })
      expect((await launches.findLaunch(tenant.id, second.launch.id))?.actor).toEqual(account)
      expect(await launches.useTicket(ticket.hash, 'entrance', 1)).toBeUndefined()
      expect(await launches.findLaunch(tenant.id, running.launch.id)).toEqual(running.launch)
      // The next one goes on from it, and when that is swept, it is not the latest any more.
      const third = await begin({ at: 40 })
      expect(third.launch.progress.registration).toEqual(second.launch.progress.registration)
      await endOf(third.launch, tenant, { by: 'terminated', at: 45 } as never)
      expect(await launches.sweepLaunches(tenant.id, 46)).toBe(1)
      const left = await launches.listLaunches(tenant.id, {}, { limit: 10 })
      expect(left.map(({ id }) => id)).toEqual([third.launch.id, running.launch.id])
    })

    it('loses its session with its credential', async () => {
      const plain = await createCredential(store.storage, tenant, { secrets: [secret()] })
      const { launch: running, session: begun } = await begin(none, plain.id)
      await directory.deleteCredential(tenant.id, plain.id, own)
      expect(await store.storage.platform.findSignInCandidates(begun.key)).toEqual([])
      expect(await launches.findLaunch(tenant.id, running.id)).toEqual({ ...running, sessionId: null })
    })
  })
})
