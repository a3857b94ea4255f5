import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browser, contentOf, homePage, keyIn, learner, openLaunchWorld } from '../../test/support/launch.ts'
import { otherBrowser, statementOf, ticketOf } from '../../test/support/launch.ts'
import type { LaunchWorld, Login } from '../../test/support/launch.ts'
import { presetRights } from '../../test/support/core.ts'
import type { IssuedCredential } from './credential.ts'
import { DomainError } from './errors.ts'
import { Launches } from './launch.ts'
import type { LaunchScribe } from './launch-ending.ts'
import type { OpenedLaunch } from './launch.ts'
import type { NewLaunchInput } from './launch-plan.ts'
import { entranceSeconds, fetchSeconds, hashOf } from './launch-ticket.ts'
import type { Caller } from './principal.ts'
import type { LaunchRecord } from './storage.ts'

let world: LaunchWorld
let lms: IssuedCredential

beforeAll(async () => {
  world = await openLaunchWorld()
  lms = await world.issue('isolated', { name: 'LMS' })
})
afterAll(() => world.close())

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[457][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const hour = 3_600_000

/** A learner of one test alone. */
let learners = 0
const somebody = () => learner(`learner ${++learners}`)

/** Fails, and neither launch nor event is more than before. */
async function refusedWithout(attempt: () => Promise<unknown>, refusal: object) {
  await changesNothing(() => expect(attempt()).rejects.toMatchObject(refusal))
}

async function changesNothing(attempt: () => Promise<unknown>) {
  const look = async () => {
    const { items } = await world.core.launches.list(world.operator, {}, { limit: 1000 })
    return { launches: items.map(({ id, endedAt }) => [id, endedAt]), events: (await world.events()).length }
  }
  const before = await look()
  await attempt()
  expect(await look()).toEqual(before)
}

const now = async ({ launch }: Pick<OpenedLaunch, 'launch'>) => world.core.launches.get(world.operator, launch.id)
const isLive = async (key: Login) => (await world.xapi(key, 'GET', '/statements')).status === 200

describe('opening', () => {
  it('makes one launch, its session, and a way in', async () => {
    const actor = somebody()
    const data = { locale: 'nb-NO', schools: [1, 2] }
    const { launch, entranceUrl } = await world.launch('tincan', {
      actor,
      data,
      language: 'nb-NO',
      sealed: 'their key',
    })
    expect(entranceUrl).toMatch(/^https:\/\/lrs\.example\.org\/launch\/s\/[\w-]{43}$/)
    expect(launch).toMatchObject({
      ...{ platformId: 'school', contentId: world.contents.tincan.id, resource: 'room', style: 'tincan' },
      ...{ mode: 'normal', actor, actorKey: `account ${homePage} ${actor.account.name}`, lrsId: world.lrsId },
      ...{ activityId: 'https://content.example.org/tincan', registration: expect.stringMatching(uuid) },
      ...{ endedAt: null, endedBy: null, cookie: null, expiresAt: world.clock.now() + 8 * hour },
      data: { language: 'nb-NO', given: data, settings: { url: 'https://content.example.org/tincan/index.html' } },
    })
    expect(launch.id).toMatch(uuid)
    expect(launch.sealed).not.toContain('their key')
    expect(await world.core.launches.unseal(launch)).toBe('their key')
  })

  it('tells the audit log who launched what, and names no learner', async () => {
    const { launch } = await world.launch('tincan', { actor: learner('Unforgettable'), sealed: 'their key' })
    const events = await world.events()
    expect(events.at(-1)).toMatchObject({
      action: 'launch.create',
      actor: { kind: 'credential', id: world.platform.credentialId, name: 'School' },
      target: { noun: 'launch', id: launch.id },
      detail: { platform: 'school', content: world.contents.tincan.id, style: 'tincan', mode: 'normal' },
    })
    expect(JSON.stringify(events)).not.toMatch(/Unforgettable|their key/)
  })

  it('gives a learner at one place the same registration again, and nobody else', async () => {
    const actor = somebody()
    const registrationOf = async (input: Partial<NewLaunchInput>) => {
      const { launch } = await world.launch('cmi5', { actor, ...input })
      return launch.registration
    }
    const first = await registrationOf({})
    expect(await registrationOf({})).toBe(first)
    expect(await registrationOf({ actor: { ...actor, name: 'By another name' } })).toBe(first)
    const others = [{ actor: somebody() }, { resource: 'next door' }, { resource: null }]
    for (const other of others) expect(await registrationOf(other)).not.toBe(first)
    const chosen = '11111111-2222-4333-8444-555555555555'
    expect(await registrationOf({ registration: chosen })).toBe(chosen)
  })

  it('is about the publisher’s activity in Tin Can, about one of its own in cmi5', async () => {
    const activityOf = async (input: Partial<NewLaunchInput>, style: 'cmi5' | 'tincan' = 'cmi5') =>
      (await world.launch(style, { actor: somebody(), ...input })).launch.activityId
    const own = await activityOf({})
    expect(own).toMatch(/^https:\/\/lrs\.example\.org\/launch\/activities\/[0-9a-f-]{36}$/)
    expect(await activityOf({})).toBe(own)
    expect(await activityOf({ resource: 'next door' })).not.toBe(own)
    expect(await activityOf({}, 'tincan')).toBe('https://content.example.org/tincan')
    expect(await activityOf({ activityId: 'urn:chosen' })).toBe('urn:chosen')
  })

  it('sends names only where the content is told', async () => {
    const actor = { ...somebody(), name: 'Ada Lovelace' }
    const named = await world.core.contents.create(world.operator, contentOf('tincan', { sendsNames: true }))
    expect((await world.launch('tincan', { actor })).launch.actor).not.toHaveProperty('name')
    expect((await world.launch('tincan', { actor, content: named })).launch.actor).toHaveProperty(
      'name',
      'Ada Lovelace',
    )
  })

  it.each<[string, object, string]>([
    ['a Group', { actor: { objectType: 'Group', mbox: 'mailto:a@b.example' } }, '/actor/objectType'],
    ['nobody', { actor: { objectType: 'Agent' } }, '/actor'],
    ['somebody by an openid', { actor: { openid: 'https://ada.example' } }, '/actor'],
    ['an account no one can write down', { actor: learner('a\0b') }, '/actor/account/name'],
    ['a registration in capitals', { registration: '11111111-2222-4333-8444-55555555555A' }, '/registration'],
    ['an activity that is no IRI', { activityId: 'somewhere' }, '/activityId'],
    ['a mode of its own', { mode: 'evaluate' }, '/mode'],
    ['no language', { language: 'nb_NO"' }, '/language'],
    ['a place without name', { resource: '' }, '/resource'],
    ['a place with a line end', { resource: 'a\nb' }, '/resource'],
    ['more than a page of data', { data: { text: 'x'.repeat(20_000) } }, '/data'],
  ])('refuses %s', async (_, input, pointer) => {
    const refusal = { code: 'invalid', detail: { failures: [expect.objectContaining({ pointer })] } }
    await refusedWithout(() => world.launch('tincan', input), refusal)
  })

  it.each<[string, object, string]>([
    ['somebody without an account (9.2)', { actor: { mbox: 'mailto:ada@school.example' } }, '/actor'],
    ['the publisher’s activity id (8.1.5)', { activityId: 'https://content.example.org/cmi5' }, '/activityId'],
  ])('refuses in cmi5 %s', async (_, input, pointer) => {
    const refusal = { code: 'invalid', detail: { failures: [expect.objectContaining({ pointer })] } }
    await refusedWithout(() => world.launch('cmi5', input), refusal)
  })

  it('refuses a platform that is switched off, and ends what that one had launched', async () => {
    const { platform: other } = await world.core.platforms.create(world.operator, platformInput('switched-off'))
    const by = { platform: other }
    const input = { content: world.contents.tincan, actor: somebody(), mode: 'normal' } as const
    const key = await keyIn(world, await world.enter(await world.core.launches.open(by, input)))
    expect(await isLive(key)).toBe(true)
    const off = await world.core.platforms.update(world.operator, other.id, { isEnabled: false })
    expect(await isLive(key)).toBe(false)
    const refusal = { code: 'forbidden', detail: { decidedBy: 'platform disabled' } }
    await refusedWithout(() => world.core.launches.open({ platform: off }, input), refusal)
  })
})

describe('opening by a key', () => {
  const input = () => ({ content: world.contents.tincan, actor: somebody(), mode: 'normal' }) as const
  const openBy = (caller: Caller, more: Partial<NewLaunchInput> = {}) =>
    world.core.launches.open({ caller, credentialId: lms.credential.id }, { ...input(), ...more })

  it('is for that key itself, and for management that may hand it out', async () => {
    for (const caller of [await world.signIn(lms), world.operator]) {
      const opened = await openBy(caller)
      expect(opened.launch).toMatchObject({ platformId: null, credentialId: lms.credential.id })
      const key = await keyIn(world, await world.enter(opened))
      expect((await world.xapi(key, 'POST', '/statements', { json: statementOf(opened) })).status).toBe(200)
    }
  })

  it('is for nobody else: no other key, no session, no launch, no other organisation', async () => {
    const other = await world.signIn(await world.issue('xapi'))
    const session = await world.signIn(await world.core.sessions.create(world.operator, lms.credential.id))
    const launched = await world.signIn(await world.keyOf('tincan', { actor: somebody() }))
    for (const caller of [other, session, launched]) await refusedWithout(() => openBy(caller), { code: 'forbidden' })
    const { operator } = await world.addOrganisation()
    await refusedWithout(() => openBy(operator), { code: 'not_found' })
  })

  it('never makes more than that key is: its pins stay, its rights bound, its end counts', async () => {
    const rights = presetRights('write-only')
    const narrow = await world.issue('write-only', {
      pins: { activity: 'urn:course' },
      expiresAt: world.clock.now() + hour,
    })
    const by = { caller: world.operator, credentialId: narrow.credential.id }
    await refusedWithout(() => world.core.launches.open(by, input()), { code: 'invalid' })
    const opened = await world.core.launches.open(by, { ...input(), activityId: 'urn:course/1' })
    const key = await keyIn(world, await world.enter(opened))
    expect(await world.signIn(key)).toMatchObject({ rights, pins: { activity: 'urn:course/1' } })
    world.clock.pass(hour)
    await expect(world.signIn(key)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('lasts no longer than the token that asked for it', async () => {
    const { token, expiresAt } = await world.core.tokens.issue(await world.signIn(lms), { expireSeconds: 600 })
    expect((await openBy(await world.core.signIn.bearer({ token }))).launch.expiresAt).toBe(expiresAt)
  })
})

describe('an account that names no homePage', () => {
  const account = { name: 'homeless' }

  it('is of the content’s, or refused', async () => {
    const home = 'https://home.example.org'
    const content = await world.core.contents.create(world.operator, contentOf('tincan', { homePage: home }))
    const { launch } = await world.launch('tincan', { content, actor: { account } })
    expect(launch.actor).toEqual({ objectType: 'Agent', account: { homePage: home, name: 'homeless' } })
    const named = await world.launch('tincan', { content, actor: { account: { ...account, homePage } } })
    expect(named.launch.actor).toMatchObject({ account: { homePage } })
    await expect(world.launch('tincan', { actor: { account } })).rejects.toMatchObject({ code: 'invalid' })
  })
})

describe('the key of a launch', () => {
  it.each([
    ['cmi5', 'normal'],
    ['tincan', 'normal'],
  ] as const)('of %s in mode %s has all its parent has but voiding', async (style, mode) => {
    const principal = await world.signIn(await world.keyOf(style, { actor: somebody(), mode }))
    expect(principal.rights).toEqual(presetRights('launch'))
    expect(principal.launch).toMatchObject({ style, idleSeconds: 7200 })
  })

  it.each(['browse', 'review'] as const)('of cmi5 in mode %s writes no profile besides', async (mode) => {
    const { rights } = await world.signIn(await world.keyOf('cmi5', { actor: somebody(), mode }))
    const { 'profile/write': _, ...others } = presetRights('launch').xapi
    expect(rights).toEqual({ xapi: others, management: [] })
  })

  it.each(['browse', 'review'] as const)('of Tin Can in mode %s only looks, and keeps its place', async (mode) => {
    const { rights } = await world.signIn(await world.keyOf('tincan', { actor: somebody(), mode }))
    const looking = ['statements/read', 'state/read', 'state/write', 'profile/read', 'agents/read', 'activities/read']
    expect(Object.keys(rights.xapi).toSorted()).toEqual(looking.toSorted())
  })

  it('is never given voiding, erasing, a name of its own or management', async () => {
    const mighty = await world.issue('everything')
    const by = { caller: world.operator, credentialId: mighty.credential.id }
    const opened = await world.core.launches.open(by, {
      content: world.contents.cmi5,
      actor: somebody(),
      mode: 'normal',
    })
    const { rights } = await world.signIn(await keyIn(world, await world.enter(opened)))
    expect(rights.management).toEqual([])
    expect(Object.keys(rights.xapi)).not.toEqual(expect.arrayContaining(['statements/void']))
    for (const right of ['statements/void', 'statements/delete', 'authority/set'])
      expect(rights.xapi).not.toHaveProperty(right)
    expect(rights.xapi['statements/write']).toBe('any')
  })

  it('is pinned to learner, registration and activity; strictly in cmi5', async () => {
    const mbox = 'mailto:ada@school.example'
    for (const [style, mode, actor, pin] of [
      ['cmi5', 'required', learner('Grace'), { accountName: 'Grace', homePage }],
      ['tincan', 'whenPresent', { mbox }, { mbox }],
    ] as const) {
      const key = await world.keyOf(style, { actor, readsOthers: style === 'cmi5' })
      const { registration, activityId } = key.opened.launch
      expect((await world.signIn(key)).pins).toEqual({
        ...{ actor: [pin], registration: { id: registration, mode }, activity: activityId },
        ...(style === 'cmi5' && { readsOthers: true }),
      })
    }
  })
})

describe('entering', () => {
  const refusal = (decidedBy: string) => ({ code: 'forbidden', detail: { decidedBy } })

  it('is for the first who comes, and for their browser again', async () => {
    const opened = await world.launch('tincan', { actor: somebody() })
    const { opening, launch } = await world.enter(opened)
    expect((await world.enter(opened)).opening).toEqual(opening)
    await expect(world.enter(opened, otherBrowser)).rejects.toMatchObject(refusal('ticket used'))
    expect(launch.cookie).not.toBe(browser)
    expect((await world.enter(opened)).opening).toEqual(opening)
  })

  it('is one browser’s, of many that come at once', async () => {
    const opened = await world.launch('tincan', { actor: somebody() })
    const browsers = Array.from({ length: 8 }, (_, index) => String(index).repeat(43))
    const outcomes = await Promise.allSettled(browsers.map((cookie) => world.enter(opened, cookie)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('knows the browser that the platform was asked from, and lets one in that keeps no cookies there', async () => {
    const actor = somebody()
    const opened = await world.launch('tincan', { actor, cookie: browser })
    await world.enter(opened, otherBrowser)
    await expect(world.enter(opened, browser)).rejects.toMatchObject(refusal('ticket used'))
    await world.enter(opened, otherBrowser)
  })

  it('takes nothing that was not given out', async () => {
    for (const ticket of ['', 'x', 'x'.repeat(43), 'x'.repeat(10_000), '\0']) {
      await refusedWithout(() => world.core.launches.enter(ticket, { cookie: browser }), refusal('ticket'))
    }
    const { opening } = await world.enter(await world.launch('cmi5', { actor: somebody() }))
    const fetchTicket = opening.style === 'cmi5' ? opening.fetchTicket : ''
    await expect(world.core.launches.enter(fetchTicket, { cookie: browser })).rejects.toMatchObject(refusal('ticket'))
  })

  it('comes soon; whoever was in comes back as long as it runs', async () => {
    const [late, timely] = [
      await world.launch('tincan', { actor: somebody() }),
      await world.launch('tincan', { actor: somebody() }),
    ]
    await world.enter(timely)
    world.clock.pass(entranceSeconds * 1000 + 1)
    await expect(world.enter(late)).rejects.toMatchObject(refusal('ticket late'))
    await expect(world.enter(late)).rejects.toMatchObject(refusal('ticket late'))
    await world.enter(timely)
    world.clock.pass(3 * hour)
    await expect(world.enter(timely)).rejects.toMatchObject({ code: 'forbidden' })
  })

  it('finds nobody written down as launched once its session is over', async () => {
    const told: string[] = []
    const { launches, actor } = scribed({ launched: ({ id }) => told.push(id) })
    const input = { content: world.contents.cmi5, actor, mode: 'normal' } as const
    const opened = await launches.open({ platform: world.platform }, { ...input, cookie: browser })
    world.clock.pass(3 * hour)
    const entering = launches.enter(ticketOf(opened), { cookie: browser })
    await expect(entering).rejects.toMatchObject(refusal('launch over'))
    expect(told).toEqual([])
  })

  it('ends with the launch', async () => {
    const opened = await world.launch('tincan', { actor: somebody() })
    await world.enter(opened)
    await world.core.launches.end(world.operator, opened.launch.id)
    await expect(world.enter(opened)).rejects.toMatchObject(refusal('launch revoked'))
  })

  it('lets nobody into content whose key would be refused: its platform is off, or its organisation has ended', async () => {
    const { platform: other } = await world.core.platforms.create(world.operator, platformInput('off-and-on'))
    const open = (style: 'cmi5' | 'tincan') =>
      world.core.launches.open(
        { platform: other },
        { content: world.contents[style], actor: somebody(), mode: 'normal', cookie: browser },
      )
    const waiting = await open('cmi5')
    const { opening } = await world.enter(waiting)
    const opened = [await open('cmi5'), await open('tincan')]
    const turn = (isEnabled: boolean) => world.core.platforms.update(world.operator, other.id, { isEnabled })
    await turn(false)
    for (const one of opened) await expect(world.enter(one)).rejects.toMatchObject(refusal('launch over'))
    const ticket = opening.style === 'cmi5' ? opening.fetchTicket : ''
    expect(await world.core.launches.fetchToken(ticket)).toMatchObject({ code: '1' })
    await turn(true)
    const end = (expiresAt: number | null) => world.core.organisations.update(world.operator, { expiresAt })
    await end(world.clock.now())
    for (const one of opened) await expect(world.enter(one)).rejects.toMatchObject(refusal('organisation expired'))
    await expect(open('tincan')).rejects.toMatchObject(refusal('organisation expired'))
    await end(null)
    for (const one of opened) await world.enter(one)
  })

  it('says nothing of the learner, the content or the platform to who is refused', async () => {
    const opened = await world.launch('tincan', { actor: learner('Secretive') })
    await world.enter(opened)
    const error: unknown = await world.enter(opened, otherBrowser).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DomainError)
    expect(JSON.stringify([(error as Error).message, error])).not.toMatch(/Secretive|School|content\.example/)
  })

  it('gives cmi5 content a ticket for its key: again, until one was used', async () => {
    const opened = await world.launch('cmi5', { actor: somebody() })
    const [first, second] = [await world.enter(opened), await world.enter(opened)]
    expect(second.launch.id).toBe(first.launch.id)
    const key = await keyIn(world, second)
    expect(await isLive(key)).toBe(true)
    await expect(keyIn(world, first)).rejects.toThrow('used before')
  })

  it('begins a new session of the registration where cmi5 content had its key', async () => {
    const opened = await world.launch('cmi5', {
      actor: somebody(),
      readsOthers: true,
      sealed: 'their key',
      data: { a: 1 },
    })
    const key = await keyIn(world, await world.enter(opened))
    world.clock.pass(60_000)
    const again = await world.enter(opened)
    const [{ launch: before }, { launch }] = [opened, again]
    const { registration, activityId, expiresAt, mode, resource, actor, data } = before
    expect(launch).toMatchObject({ registration, activityId, expiresAt, mode, resource, actor, data })
    expect(launch.id).not.toBe(before.id)
    expect(await world.core.launches.unseal(launch)).toBe('their key')
    expect(await now(opened)).toMatchObject({ endedBy: 'superseded' })
    expect(await isLive(key)).toBe(false)
    const newKey = await keyIn(world, again)
    expect((await world.signIn(newKey)).pins).toMatchObject({ readsOthers: true, registration: { id: registration } })
    // The address of the first leads on to the latest, for this browser alone.
    const third = await world.enter(opened)
    expect([before.id, launch.id]).not.toContain(third.launch.id)
    await expect(world.enter(opened, otherBrowser)).rejects.toMatchObject({ code: 'forbidden' })
    expect(await isLive(newKey)).toBe(false)
  })

  it.each(['tincan', 'cmi5'] as const)('of %s that broke off may be tried again, without any cookie', async (style) => {
    const { opened, broken } = await brokenOff(style)
    await expect(broken.enter(ticketOf(opened), { cookie: otherBrowser })).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect((await now(opened)).cookie).toBeNull()
    const { opening } = await world.enter(opened)
    expect(opening.style).toBe(style)
    await expect(world.enter(opened, otherBrowser)).rejects.toMatchObject(refusal('ticket used'))
  })

  /** Launches that find nobody's way in written down, although all is well. */
  async function brokenOff(style: 'tincan' | 'cmi5') {
    const unavailable = () => {
      throw new DomainError('unavailable', 'The store is away.')
    }
    return {
      opened: await world.launch(style, { actor: somebody() }),
      broken: scribed({ launched: unavailable }).launches,
    }
  }

  it('leaves one way to the token, however often the page is loaded before it is fetched', async () => {
    const opened = await world.launch('cmi5', { actor: somebody() })
    const all = [await world.enter(opened), await world.enter(opened), await world.enter(opened)]
    const tickets = all.flatMap(({ opening }) => (opening.style === 'cmi5' ? [opening.fetchTicket] : []))
    const known = await Promise.all(
      tickets.map((ticket) => world.storage.launches.findTicket(hashOf(ticket), 'fetch', world.clock.now())),
    )
    expect(known.map((one) => one !== undefined)).toEqual([false, false, true])
  })

  it('begins ten sessions of a registration per minute, and no more', async () => {
    const opened = await world.launch('cmi5', { actor: somebody() })
    const reload = async () => keyIn(world, await world.enter(opened))
    for (let count = 0; count < 10; count++) await reload()
    const limited = { code: 'rate_limited', detail: { retryAfterSeconds: 60 } }
    await refusedWithout(() => world.enter(opened), limited)
    world.clock.pass(60_000)
    await reload()
  })

  it('by the address of a launch that another took the place of is for no browser', async () => {
    const actor = somebody()
    const looking = await world.launch('tincan', { actor, mode: 'browse', cookie: browser })
    await world.enter(looking)
    const evaluating = await world.launch('tincan', { actor, readsOthers: true, cookie: browser })
    await world.enter(evaluating)
    await expect(world.enter(looking)).rejects.toMatchObject(refusal('launch superseded'))
  })
})

describe('a word that opens once', () => {
  let words = 0
  const newWord = () => `word ${++words}`
  const openBy = (word: string, cookie = browser, more: Partial<NewLaunchInput> = {}) =>
    world.core.launches.openOnce(
      { platform: world.platform, word },
      { content: world.contents.tincan, actor: somebody(), resource: 'room', mode: 'normal', ...more, cookie },
    )

  it('leads the same browser to the launch that it made, and no other', async () => {
    const [actor, word] = [somebody(), newWord()]
    const opened = (await openBy(word, browser, { actor }))!
    const later = (await openBy(newWord(), browser, { actor, resource: 'next door' }))!
    const again = await openBy(word, browser, { actor })
    expect(again).toMatchObject({ launch: { id: opened.launch.id }, entranceUrl: opened.entranceUrl })
    expect(later.entranceUrl).not.toBe(opened.entranceUrl)
    await changesNothing(async () => expect(await openBy(word, otherBrowser, { actor })).toBeUndefined())
    expect(await world.core.launches.wasOpened({ platform: world.platform, word })).toBe(true)
    expect(await world.core.launches.wasOpened({ platform: world.platform, word: newWord() })).toBe(false)
    await world.core.launches.end(world.operator, opened.launch.id)
    await changesNothing(async () => expect(await openBy(word, browser, { actor })).toBeUndefined())
  })

  it('stays used where its launch did not last as long', async () => {
    const content = await world.core.contents.create(world.operator, contentOf('tincan', { absoluteSeconds: 300 }))
    const word = newWord()
    await openBy(word, browser, { content })
    world.clock.pass(301_000)
    await changesNothing(async () => expect(await openBy(word, otherBrowser, { content })).toBeUndefined())
    expect(await world.core.launches.wasOpened({ platform: world.platform, word })).toBe(true)
  })

  it('opens once, of many at once', async () => {
    const word = newWord()
    const browsers = Array.from({ length: 8 }, (_, index) => String(index).repeat(43))
    const opened = await Promise.all(browsers.map((cookie) => openBy(word, cookie)))
    expect(opened.filter((one) => one !== undefined)).toHaveLength(1)
  })

  it('is good for another try where nothing was opened', async () => {
    const word = newWord()
    const { storage } = world
    const create = storage.launches.createLaunch
    storage.launches.createLaunch = () => Promise.reject(new DomainError('unavailable', 'The store is away.'))
    await expect(openBy(word)).rejects.toMatchObject({ code: 'unavailable' })
    storage.launches.createLaunch = create
    await expect(openBy(word, browser, { language: '?' })).rejects.toMatchObject({ code: 'invalid' })
    expect(await openBy(word, otherBrowser)).toBeDefined()
  })

  it('is its platform’s', async () => {
    const word = newWord()
    await openBy(word)
    const { platform } = await world.core.platforms.create(world.operator, platformInput('words'))
    const by = { platform, word }
    expect(await world.core.launches.wasOpened(by)).toBe(false)
    const input = { content: world.contents.tincan, actor: somebody(), mode: 'normal', cookie: otherBrowser } as const
    expect(await world.core.launches.openOnce(by, input)).toBeDefined()
  })
})

describe('the token of cmi5 content', () => {
  const gone = { code: '1', text: expect.stringContaining('used before') }
  const ticketFor = async () => {
    const opened = await world.launch('cmi5', { actor: somebody() })
    const { opening } = await world.enter(opened)
    return { opened, ticket: opening.style === 'cmi5' ? opening.fetchTicket : '' }
  }
  const fetch = (ticket: string) => world.core.launches.fetchToken(ticket)

  it('is handed out once, of many who ask at once', async () => {
    const { ticket } = await ticketFor()
    const fetched = await Promise.all(Array.from({ length: 8 }, () => fetch(ticket)))
    expect(fetched.filter((one) => 'authToken' in one)).toHaveLength(1)
    for (const one of fetched) if (!('authToken' in one)) expect(one).toEqual(gone)
    expect(await fetch(ticket)).toEqual(gone)
  })

  it('is handed out for no other text', async () => {
    const { ticket } = await ticketFor()
    for (const text of ['', ticket.slice(1), `${ticket}=`, `${ticket}a`, '/'.repeat(43)]) {
      expect(await fetch(text)).toMatchObject({ code: '2' })
    }
    expect(await fetch('x'.repeat(43))).toEqual(gone)
    expect(await fetch(ticket)).toHaveProperty('authToken')
  })

  it('is handed out in time, while the launch runs, for its own ticket', async () => {
    const [late, over] = [await ticketFor(), await ticketFor()]
    await world.core.launches.end(world.operator, over.opened.launch.id)
    expect(await fetch(over.ticket)).toEqual(gone)
    expect(await fetch(ticketOf(late.opened))).toEqual(gone)
    world.clock.pass(fetchSeconds * 1000)
    expect(await fetch(late.ticket)).toEqual(gone)
  })
})

describe('a newer launch of the same registration', () => {
  it.each(['cmi5', 'tincan'] as const)('ends the one before: %s', async (style) => {
    const actor = somebody()
    const first = await world.keyOf(style, { actor, sealed: 'their key' })
    const elsewhere = await world.keyOf(style, { actor, resource: 'next door' })
    const second = await world.keyOf(style, { actor })
    expect([await isLive(first), await isLive(second), await isLive(elsewhere)]).toEqual([false, true, true])
    expect(await now(first.opened)).toMatchObject({
      ...{ endedBy: 'superseded', endedAt: world.clock.now(), sealed: null },
    })
  })

  it('is one of many that are made at once', async () => {
    const actor = somebody()
    await Promise.all(Array.from({ length: 8 }, () => world.launch('tincan', { actor })))
    const filter = { actorKey: `account ${homePage} ${actor.account.name}`, isRunning: true }
    expect((await world.core.launches.list(world.operator, filter, { limit: 100 })).items).toHaveLength(1)
  })
})

describe('a launch that is looked at', () => {
  it('is its key’s own, and whoever’s management covers that; nobody else’s', async () => {
    const opened = await world.core.launches.open(
      { caller: world.operator, credentialId: lms.credential.id },
      { content: world.contents.tincan, actor: somebody(), mode: 'normal' },
    )
    const { id } = opened.launch
    const { get, list } = { get: (as: Caller) => world.core.launches.get(as, id), list: listed }
    const own = await world.signIn(lms)
    expect((await get(own)).id).toBe(id)
    expect(new Set((await list(own)).map(({ credentialId }) => credentialId))).toEqual(new Set([lms.credential.id]))
    const stranger = await world.signIn(await world.issue('everything', { rights: presetRights('xapi') }))
    const launched = await world.signIn(await keyIn(world, await world.enter(opened)))
    for (const caller of [stranger, launched]) {
      await refusedWithout(() => get(caller), { code: 'forbidden' })
      await refusedWithout(() => world.core.launches.end(caller, id), { code: 'forbidden' })
    }
    expect(await list(stranger)).toEqual([])
    await refusedWithout(() => list(launched), { code: 'forbidden' })
    const { operator } = await world.addOrganisation()
    await refusedWithout(() => get(operator), { code: 'not_found' })
    await refusedWithout(() => world.core.launches.end(operator, id), { code: 'not_found' })
    expect(await list(operator)).toEqual([])
  })

  it('is seen from inside its Lrs, not from inside another', async () => {
    const lrs = await world.core.lrs.create(world.operator, { name: 'Elsewhere' })
    const boundTo = async (lrsId: typeof world.lrsId) => {
      const management = [
        { area: 'credentials', actions: ['read', 'delete'], bound: { kind: 'lrs', id: lrsId } },
      ] as const
      return world.signIn(await world.issue('none', { rights: { xapi: {}, management } }))
    }
    const { launch } = await world.launch('tincan', { actor: somebody() })
    const [inside, outside] = [await boundTo(world.lrsId), await boundTo(lrs.id)]
    expect((await listed(inside)).map(({ id }) => id)).toContain(launch.id)
    expect(await listed(outside)).toEqual([])
    await refusedWithout(() => world.core.launches.end(outside, launch.id), { code: 'forbidden' })
    expect(await world.core.launches.end(inside, launch.id)).toMatchObject({ endedBy: 'revoked' })
  })

  it('is listed newest first, part by part', async () => {
    const actor = somebody()
    const made: string[] = []
    for (const resource of ['a', 'b', 'c']) made.unshift((await world.launch('tincan', { actor, resource })).launch.id)
    const filter = { actorKey: `account ${homePage} ${actor.account.name}` }
    const first = await world.core.launches.list(world.operator, filter, { limit: 2 })
    const rest = await world.core.launches.list(world.operator, filter, { limit: 2, before: first.next })
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made)
    expect(rest.next).toBeUndefined()
  })

  it('knows itself by its key, and only itself', async () => {
    const key = await world.keyOf('cmi5', { actor: somebody(), data: { a: 1 } })
    const { launch, data } = await world.core.launches.ofPrincipal(await world.signIn(key))
    expect([launch.id, data.given]).toEqual([key.opened.launch.id, { a: 1 }])
    const attempt = async () => world.core.launches.ofPrincipal(await world.signIn(lms))
    await expect(attempt()).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('ending', () => {
  it('is once, and stops the key at once; what it stored stays', async () => {
    const key = await world.keyOf('tincan', { actor: somebody(), sealed: 'their key' })
    const { launch } = key.opened
    const stored = await world.xapi(key, 'POST', '/statements', { json: statementOf(key.opened) })
    expect(await world.core.launches.end(world.operator, launch.id)).toMatchObject({ endedBy: 'revoked', sealed: null })
    expect(await isLive(key)).toBe(false)
    expect((await world.events()).at(-1)).toMatchObject({
      ...{ action: 'launch.end', target: { id: launch.id }, detail: { by: 'revoked' } },
      actor: { kind: 'operator', name: 'test' },
    })
    const events = (await world.events()).length
    expect(await world.core.launches.end(world.operator, launch.id)).toMatchObject({ endedBy: 'revoked' })
    expect((await world.events()).length).toBe(events)
    const all = await world.signIn(await world.issue('xapi'))
    const [id] = stored.json as [string]
    expect((await world.core.statements.get(all, world.lrsId, id, { isVoided: false })).statement.body).toContain(id)
  })

  it('comes by itself: not used, lasted its longest, lost its key', async () => {
    const brief = await world.core.contents.create(
      world.operator,
      contentOf('tincan', { idleSeconds: 60, absoluteSeconds: 300 }),
    )
    const gone = await world.issue('isolated')
    const openBy = ({ credential }: IssuedCredential) =>
      world.core.launches.open(
        { caller: world.operator, credentialId: credential.id },
        { content: world.contents.tincan, actor: somebody(), mode: 'normal' },
      )
    const parentless = await openBy(gone)
    await world.core.credentials.remove(world.operator, gone.credential.id)
    const idle = await world.launch('tincan', { actor: somebody() })
    world.clock.pass(2 * hour - 301_000)
    const longest = await world.launch('tincan', { actor: somebody(), content: brief })
    const running = await world.launch('tincan', { actor: somebody() })
    world.clock.pass(301_000)
    await world.core.launches.lapse()
    const ends = await Promise.all([idle, longest, parentless, running].map(now))
    expect(ends.map(({ endedBy }) => endedBy)).toEqual(['idle', 'expired', 'parent', null])
    const events = await world.events()
    expect(events.find(({ target }) => target.id === idle.launch.id && target.noun === 'launch')).toBeDefined()
    expect(events.at(-1)).toMatchObject({ action: 'launch.end', actor: { kind: 'system', name: 'launches' } })
    expect(await world.core.launches.lapse()).toBe(0)
  })

  it('forgets, after a month, who was launched with what', async () => {
    const actor = somebody()
    const first = await world.launch('tincan', { actor, sealed: 'their key' })
    const second = await world.launch('tincan', { actor, sealed: 'their key' })
    world.clock.pass(24 * hour)
    await world.core.launches.lapse()
    expect(await world.core.launches.sweep()).toBe(0)
    world.clock.pass(31 * 24 * hour)
    expect(await world.core.launches.sweep()).toBeGreaterThan(0)
    await expect(now(first)).rejects.toMatchObject({ code: 'not_found' })
    expect(await now(second)).toMatchObject({ data: null, sealed: null })
    await expect(world.enter(second)).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('what the launcher writes down', () => {
  it('is before cmi5 content opens, and when it ends otherwise than by its own word', async () => {
    const told: string[] = []
    const { launches, actor } = scribed({
      launched: ({ id, endedAt }) => told.push(`launched ${id} ${endedAt}`),
      abandoned: ({ id, endedBy }) => told.push(`abandoned ${id} ${endedBy}`),
    })
    const open = (style: 'cmi5' | 'tincan') =>
      launches.open(
        { platform: world.platform },
        { content: world.contents[style], actor, resource: 'room', mode: 'normal' },
      )
    const first = await open('cmi5')
    expect(told).toEqual([])
    await launches.enter(ticketOf(first), { cookie: browser })
    expect(told).toEqual([`launched ${first.launch.id} null`])
    const second = await open('cmi5')
    expect(told.splice(0).slice(1)).toEqual([`abandoned ${first.launch.id} superseded`])
    await launches.end(world.operator, second.launch.id)
    expect(told.splice(0)).toEqual([`abandoned ${second.launch.id} revoked`])
    const tincan = await open('tincan')
    await launches.enter(ticketOf(tincan), { cookie: browser })
    await launches.end(world.operator, tincan.launch.id)
    const third = await open('cmi5')
    await launches.enter(ticketOf(third), { cookie: browser })
    await launches.terminate(
      await world.signIn(await keyIn(world, await launches.enter(ticketOf(third), { cookie: browser }))),
    )
    expect(told.filter((line) => line.startsWith('abandoned'))).toEqual([])
    expect(await now(third)).toMatchObject({ endedBy: 'terminated' })
  })

  it('where it cannot be written now, it is tried again, once, and holds up no other', async () => {
    const stuck = new Set<string>()
    const said: string[] = []
    const { launches, errors } = scribed({
      abandoned: ({ id }) => {
        if (stuck.has(id)) throw new DomainError('unavailable', 'The store is away.')
        said.push(id)
      },
    })
    const open = (style: 'cmi5' | 'tincan') =>
      launches.open({ platform: world.platform }, { content: world.contents[style], actor: somebody(), mode: 'normal' })
    const [one, other] = [await open('cmi5'), await open('cmi5')]
    stuck.add(one.launch.id)
    world.clock.pass(3 * hour)
    await launches.lapse()
    expect([(await now(one)).endedBy, (await now(other)).endedBy]).toEqual(['idle', 'idle'])
    expect([(await now(one)).owes, (await now(other)).owes]).toEqual(['word', null])
    expect(errors.length).toBeGreaterThan(0)
    expect(said).toEqual([other.launch.id])
    stuck.clear()
    for (let time = 0; time < 2; time++) await launches.lapse()
    expect(said).toEqual([other.launch.id, one.launch.id])
    expect((await now(one)).owes).toBeNull()
  })

  it('is left out where it may not be written, and holds up nobody for good', async () => {
    const { launches, errors, actor } = scribed({
      abandoned: () => {
        throw new DomainError('forbidden', 'This Lrs answers no xAPI.')
      },
    })
    const opened = await launches.open(
      { platform: world.platform },
      { content: world.contents.cmi5, actor, mode: 'normal' },
    )
    world.clock.pass(3 * hour)
    await launches.lapse()
    expect((await now(opened)).endedBy).toBe('idle')
    expect(errors).toEqual([expect.objectContaining({ code: 'forbidden' })])
  })

  it('does not hold up whoever takes a key away', async () => {
    const { launches, errors, actor } = scribed({
      abandoned: () => {
        throw new Error('no room')
      },
    })
    const input = { content: world.contents.cmi5, actor, mode: 'normal' } as const
    const { launch } = await launches.open({ platform: world.platform }, input)
    expect((await launches.end(world.operator, launch.id)).endedBy).toBe('revoked')
    expect(errors).toHaveLength(1)
  })
})

type Told = { readonly [Name in keyof LaunchScribe]?: (launch: LaunchRecord) => unknown }

function scribed({ launched = () => {}, abandoned = () => {}, hasTerminated = () => {} }: Told) {
  const errors: unknown[] = []
  const { storage, clock, core } = world
  const launches = new Launches({
    ...{ storage, clock, sessions: core.sessions, vault: core.vault, ids: core.ids, baseUrl: core.baseUrl },
    scribe: {
      launched: async (launch) => (launched(launch), launch),
      abandoned: async (launch) => void abandoned(launch),
      hasTerminated: async (launch) => hasTerminated(launch) === true,
    },
    onError: (error) => errors.push(error),
  })
  return { launches, errors, actor: somebody() }
}

async function listed(caller: Caller) {
  return (await world.core.launches.list(caller, {}, { limit: 1000 })).items
}

function platformInput(id: string) {
  return { id, name: id, protocol: 'signed-links', settings: {} }
}
