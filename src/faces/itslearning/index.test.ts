import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { baseUrl } from '../../../test/support/core.ts'
import { launchOf, signedAddress } from '../../../test/support/itslearning-signer.ts'
import type { LaunchParameters } from '../../../test/support/itslearning-signer.ts'
import { browser, openLaunchWorld, otherBrowser, sharedSecret } from '../../../test/support/launch.ts'
import type { Answer, LaunchWorld } from '../../../test/support/launch.ts'
import { DomainError } from '../../core/errors.ts'
import type { LaunchRecord } from '../../core/storage.ts'
import { endpoints } from './index.ts'
import { parameters } from './parameters.ts'
import { rules } from './refusal.ts'
import { settings } from './settings.ts'
import { writeTimestamp } from './verification.ts'

let world: LaunchWorld
/** Each test has a learning object of its own. */
let learningObject = 100

beforeAll(async () => {
  world = await openLaunchWorld({ platform: { settings: { customers: [14, 15] } } })
  await world.core.placements.put(world.platform, '14/100', world.contents.tincan.id)
})
afterAll(() => world.close())
beforeEach(() => void (learningObject += 1))

const root = '/launch/itslearning/school'
type Page = 'view' | 'add' | 'delete'

/** As itslearning signs it now. */
function signed(change: LaunchParameters = {}, page: Page = 'view', secret = sharedSecret): string {
  const Timestamp = writeTimestamp(world.clock.now())
  const parameters = launchOf({ LearningObjectId: String(learningObject), Timestamp, ...change })
  return signedAddress(`${baseUrl}${root}/${page}`, parameters, secret)
}

/** In a browser that holds what it was given before; null: that holds nothing. */
function visit(address: string, cookie: string | null = null, method = 'GET', body?: string): Promise<Answer> {
  const headers = {
    ...(cookie !== null && { Cookie: `__Host-claviger-launch=${cookie}` }),
    ...(body !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
  }
  return world.ask(method, address.replace(baseUrl, ''), { headers, ...(body !== undefined && { body }) })
}

async function choose(place: string, style: 'cmi5' | 'tincan' = 'tincan'): Promise<void> {
  await world.core.placements.put(world.platform, place, world.contents[style].id)
}

async function launches(running = true): Promise<readonly LaunchRecord[]> {
  const found = await world.core.launches.list(world.operator, { isRunning: running }, { limit: 1000 })
  return found.items.filter(({ resource }) => resource?.startsWith(`14/${learningObject}/`))
}

const cookieOf = ({ headers }: Answer): string => /launch=([^;]+)/.exec(headers.get('Set-Cookie') ?? '')?.[1] ?? ''
const locationOf = ({ headers }: Answer): string => headers.get('Location') ?? ''

/** Refused with the one page; the reason is in the log, by its reference. */
function reasonOf(answer: Answer): string {
  expect(answer.text).toContain('could not be opened')
  expect(answer.headers.get('Location')).toBeNull()
  const reference = /Reference: <code>([^<]+)/.exec(answer.text)?.[1] ?? 'none'
  const line = world
    .log()
    .split('\n')
    .find((one) => one.includes(reference))
  return (JSON.parse(line ?? '[{}]') as [{ rule?: string }])[0].rule ?? 'not logged'
}

describe('a launch', () => {
  it('S3.1 S3.2 S3.4 S3.5 S3.9 leads to a clean address, with a launch behind it', async () => {
    await choose(`14/${learningObject}/200`)
    const more = { SchoolId: '3|HullPrimary,2|', ApiSessionId: 'session-at-itslearning' }
    const answer = await visit(signed(more))
    expect(answer.status).toBe(303)
    expect(locationOf(answer)).toMatch(/^https:\/\/lrs\.example\.org\/launch\/s\/[\w-]{43}$/)
    expect(answer.headers.get('Cache-Control')).toBe('no-store')
    expect(answer.headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBeNull()
    expect(answer.headers.get('Set-Cookie')).toMatch(/; HttpOnly; Secure; SameSite=None; Partitioned$/)
    const [launch] = await launches()
    expect(launch).toMatchObject({
      ...{ platformId: 'school', resource: `14/${learningObject}/200`, mode: 'normal', style: 'tincan' },
      actor: {
        objectType: 'Agent',
        account: { homePage: 'https://www.itslearning.com/customers/14', name: '556660' },
      },
      data: {
        language: 'en-GB',
        given: {
          ...{ customerId: '14', learningObjectId: String(learningObject), instanceId: '200', userId: '556660' },
          ...{ role: 'Learner', permissions: ['Read', 'Participate'], isReadOnly: false },
          ...{ locale: 'en-GB', language: 'en-GB', timeZone: 'Europe/London', uses12Hours: false },
          ...{ windowsTimeZone: 'GMT Standard Time', needsAccessibility: false },
          schools: [{ id: '3', legalId: 'HullPrimary' }, { id: '2' }],
        },
      },
    })
    expect(JSON.stringify(launch?.data)).not.toMatch(/session-at|Zoë|zoe@/)
    expect(await world.core.launches.unseal(launch!)).toBe('session-at-itslearning')
    expect(world.log()).not.toMatch(/session-at-itslearning|Zoë/)
  })

  it('goes on into the content, and what it stores is the learner’s', async () => {
    await choose(`14/${learningObject}`)
    const answer = await visit(signed())
    const entered = await visit(locationOf(answer), cookieOf(answer))
    expect(entered.status).toBe(303)
    const content = new URL(locationOf(entered))
    expect(content.origin).toBe('https://content.example.org')
    expect(JSON.parse(content.searchParams.get('actor') ?? '')).toMatchObject({ account: { name: '556660' } })
    const [key = '', secret = ''] = Buffer.from(content.searchParams.get('auth')!.slice(6), 'base64')
      .toString()
      .split(':')
    const stored = await world.xapi({ key, secret }, 'POST', '/statements', {
      json: {
        actor: JSON.parse(content.searchParams.get('actor')!),
        verb: { id: 'http://adlnet.gov/expapi/verbs/experienced' },
        object: { id: content.searchParams.get('activity_id') },
      },
    })
    expect(stored.status).toBe(200)
  })

  it('S3.4 names the learner where the content is set to get names', async () => {
    const { core, operator, contents } = world
    const { id } = await core.contents.create(operator, {
      name: 'Named',
      settings: { ...contents.tincan.settings, sendsNames: true },
    })
    await core.placements.put(world.platform, `14/${learningObject}/200`, id)
    await visit(signed())
    const [launch] = await launches()
    expect(launch?.actor).toMatchObject({ name: 'Zoë Šč & Sons' })
    expect(launch?.data).toMatchObject({ given: { firstName: 'Zoë', lastName: 'Šč & Sons' } })
  })

  it('of the same learner there goes on in the same registration, at another customer in another', async () => {
    await choose(`14/${learningObject}/200`)
    await choose(`15/${learningObject}/200`)
    await visit(signed())
    const [first] = await launches()
    await visit(signed())
    const [second] = await launches()
    expect(second?.registration).toBe(first?.registration)
    expect(second?.id).not.toBe(first?.id)
    await visit(signed({ CustomerId: '15' }))
    const { items } = await world.core.launches.list(world.operator, {}, { limit: 1 })
    expect(items[0]).toMatchObject({ resource: `15/${learningObject}/200` })
    expect(items[0]?.registration).not.toBe(first?.registration)
    expect(items[0]?.actorKey).not.toBe(first?.actorKey)
  })

  it.each([
    ['Read', { mode: 'browse' }, undefined],
    ['Read, Participate', { mode: 'normal' }, undefined],
    ['Read, Participate, Evaluate', { mode: 'normal' }, true],
  ])('with %s', async (Permissions, expected, readsOthers) => {
    await choose(`14/${learningObject}/200`)
    const answer = await visit(signed({ Permissions }))
    const [launch] = await launches()
    expect(launch).toMatchObject(expected)
    const content = new URL(locationOf(await visit(locationOf(answer), cookieOf(answer))))
    const [key = '', secret = ''] = Buffer.from(content.searchParams.get('auth')!.slice(6), 'base64')
      .toString()
      .split(':')
    expect((await world.core.signIn.basic({ key, secret })).pins.readsOthers).toBe(readsOthers)
  })

  it('that may change nothing is a review, whoever it is', async () => {
    await choose(`14/${learningObject}/200`)
    await visit(signed({ ReadOnly: 'True', Permissions: 'Read, Participate, Evaluate, Modify' }))
    expect(await launches()).toEqual([expect.objectContaining({ mode: 'review' })])
  })
})

describe('the same address again', () => {
  it('is refused to another browser, and to none', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed()
    expect((await visit(address, browser)).status).toBe(303)
    expect(reasonOf(await visit(address, otherBrowser))).toBe('replay')
    expect(reasonOf(await visit(address))).toBe('replay')
    expect(await launches()).toHaveLength(1)
  })

  it('leads the same browser to the same launch: a double click', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed()
    const first = await visit(address)
    const again = await visit(address, cookieOf(first))
    expect(again.status).toBe(303)
    const [launch, ...more] = await launches()
    expect(more).toEqual([])
    expect((await visit(locationOf(again), cookieOf(first))).status).toBe(303)
    expect((await launches()).map(({ id }) => id)).toEqual([launch?.id])
  })

  it('leads in after all where it broke off, whoever comes', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed()
    const store = world.storage.launches
    const create = store.createLaunch
    store.createLaunch = () => Promise.reject(new DomainError('unavailable', 'The store is away.'))
    const broken = await visit(address).finally(() => {
      store.createLaunch = create
    })
    expect([broken.status, await launches()]).toEqual([503, []])
    expect((await visit(address)).status).toBe(303)
    expect(reasonOf(await visit(address))).toBe('replay')
  })

  it('never leads into a later launch, that may do more', async () => {
    await choose(`14/${learningObject}/200`)
    const reading = signed({ Permissions: 'Read' })
    await visit(locationOf(await visit(reading, browser)), browser)
    world.clock.pass(1000)
    const evaluating = await visit(signed({ Permissions: 'Read,Participate,Evaluate' }), browser)
    await visit(locationOf(evaluating), browser)
    const again = await visit(reading, browser)
    expect((await visit(locationOf(again), browser)).status).toBe(403)
    expect(await launches()).toHaveLength(1)
  })

  it('that led to the choice of content opens nothing, whatever its permissions give by then', async () => {
    const { core, operator, contents, platform } = world
    const address = signed({ Permissions: 'Modify' })
    expect(locationOf(await visit(address, browser))).toContain('/author/')
    const gives = { ...contents.tincan.settings.gives, modify: 'normal' } as const
    const { id } = await core.contents.create(operator, {
      name: 'Modified',
      settings: { ...contents.tincan.settings, gives },
    })
    await core.placements.put(platform, `14/${learningObject}/200`, id)
    expect(reasonOf(await visit(address, browser))).toBe('replay')
    const opening = signed({ Permissions: 'Modify', UserId: '2' })
    expect((await visit(opening, browser)).status).toBe(303)
    await choose(`14/${learningObject}/200`)
    expect(reasonOf(await visit(opening, otherBrowser))).toBe('replay')
  })

  it('is refused however it is written', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed()
    expect((await visit(address, browser)).status).toBe(303)
    for (const other of [address.replace('%c3%ab', '%C3%AB'), address.replace('+%26', '%20%26')]) {
      expect(other).not.toBe(address)
      expect(reasonOf(await visit(other, otherBrowser))).toBe('replay')
    }
  })

  it('is refused to the same browser, too, once the launch is over', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed()
    await visit(address, browser)
    const [launch] = await launches()
    await world.core.launches.end(world.operator, launch!.id)
    expect(reasonOf(await visit(address, browser))).toBe('replay')
    expect(await launches()).toEqual([])
  })

  it('is remembered for as long as its time could be taken for right', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed({ Timestamp: writeTimestamp(world.clock.now() + 300_000) })
    expect((await visit(address, browser)).status).toBe(303)
    world.clock.pass(599_000)
    expect(reasonOf(await visit(address, otherBrowser))).toBe('replay')
    world.clock.pass(2_000)
    expect(reasonOf(await visit(address, otherBrowser))).toBe('time')
  })

  it('is not used up by who only looks at it', async () => {
    await choose(`14/${learningObject}/200`)
    const address = signed()
    expect((await visit(address, browser, 'HEAD')).status).toBe(405)
    const headers = { 'Sec-Purpose': 'prefetch;prerender' }
    expect((await world.ask('GET', address.replace(baseUrl, ''), { headers })).status).toBe(503)
    expect((await visit(address, browser)).status).toBe(303)
  })
})

describe('refused, with one page, and nothing written', () => {
  const cases: Readonly<Record<string, readonly [rule: string, address: () => string]>> = {
    'another secret': ['signature-wrong', () => signed({}, 'view', 'x'.repeat(36))],
    'another page': ['signature-wrong', () => signed({}, 'add').replace('/add?', '/view?')],
    'no query': ['signature-missing', () => `${root}/view`],
    'no platform': ['platform', () => signed().replace('/school/', '/nobody/')],
    'a platform that cannot be': ['platform', () => signed().replace('/school/', '/No%00body/')],
    'another customer': ['customer', () => signed({ CustomerId: '16' })],
    'an old one': ['time', () => signed({ Timestamp: '2020-01-01T00:00:00' })],
    'a user that is none': ['parameter-wrong', () => signed({ UserId: "9'--" })],
    'permissions that give nothing': ['permission', () => signed({ Permissions: 'NONE' })],
    'who may not add': ['permission', () => signed({}, 'add')],
    'an ambiguous name': ['value-ambiguous', () => signed({ FirstName: 'Bob&Role=Staff' })],
    'a forged one': [
      'parameter-twice',
      () => signed({ FirstName: 'Bob&Role=Staff' }).replace('Bob%26Role%3d', 'Bob&Role='),
    ],
    'a choice nobody was let into': ['author', () => `${root}/author/g1.${'A'.repeat(60)}`],
    'a choice of rubbish': ['author', () => `${root}/author/%00%ff`],
  }

  it.each(Object.entries(cases))('%s', async (_, [rule, address]) => {
    await choose(`14/${learningObject}/200`)
    const before = await world.events()
    const answer = await visit(address(), browser)
    expect(answer.status).toBe(403)
    expect(reasonOf(answer)).toBe(rule)
    expect(answer.text.replaceAll(/<code>[^<]+/g, '')).not.toMatch(/Bob|customer|signature/)
    expect(await launches()).toEqual([])
    expect(await world.events()).toEqual(before)
  })

  it('a platform that is switched off, or set to nonsense', async () => {
    const { core, operator, platform } = world
    await core.platforms.update(operator, platform.id, { isEnabled: false })
    expect(reasonOf(await visit(signed()))).toBe('platform')
    await core.platforms.update(operator, platform.id, { isEnabled: true, settings: { customers: 'all' } })
    const answer = await visit(signed())
    expect(answer.status).toBe(400)
    expect(reasonOf(answer)).toBe('invalid')
    await core.platforms.update(operator, platform.id, { settings: { customers: [14, 15] } })
    await choose(`14/${learningObject}/200`)
    expect((await visit(signed())).status).toBe(303)
  })

  it('says to learners, and to teachers, that nothing was chosen', async () => {
    const answer = await visit(signed())
    expect(answer.status).toBe(404)
    expect(answer.text).toContain('your teacher has yet to choose')
    expect(await launches()).toEqual([])
    // Nobody was let in, so the address still counts.
    const address = signed()
    await visit(address, browser)
    await choose(`14/${learningObject}/200`)
    expect((await visit(address, browser)).status).toBe(303)
  })

  it('a secret from the moment it ends', async () => {
    const { core, operator, platform } = world
    await choose(`14/${learningObject}/200`)
    const { secret } = await core.platforms.rotateSecret(operator, platform.id, { overlapSeconds: 60 })
    expect((await visit(signed({}, 'view', secret))).status).toBe(303)
    expect((await visit(signed())).status).toBe(303)
    world.clock.pass(61_000)
    expect(reasonOf(await visit(signed()))).toBe('signature-wrong')
    await core.platforms.rotateSecret(operator, platform.id, { secret: sharedSecret, overlapSeconds: 0 })
    expect(reasonOf(await visit(signed({}, 'view', secret)))).toBe('signature-wrong')
    expect((await visit(signed())).status).toBe(303)
  })
})

describe('what is registered at itslearning', () => {
  it('is set, and never taken from a request', async () => {
    const { core, operator, platform } = world
    await choose(`14/${learningObject}/200`)
    const publicUrl = 'https://tools.example.org/its'
    await core.platforms.update(operator, platform.id, { settings: { customers: [14, 15], publicUrl } })
    const parameters = launchOf({
      LearningObjectId: String(learningObject),
      Timestamp: writeTimestamp(world.clock.now()),
    })
    const query = signedAddress(`${publicUrl}/view`, parameters, sharedSecret).split('?')[1]
    const headers = { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http' }
    expect((await world.ask('GET', `${root}/view?${query}`, { headers })).status).toBe(303)
    const other = signedAddress(`http://evil.example${root}/view`, parameters, sharedSecret).split('?')[1]
    expect(reasonOf(await world.ask('GET', `${root}/view?${other}`, { headers }))).toBe('signature-wrong')
    expect(reasonOf(await visit(signed()))).toBe('signature-wrong')
    const author = signedAddress(`${publicUrl}/add`, { ...parameters, Permissions: 'Modify' }, sharedSecret)
    const choice = await world.ask('GET', `${root}/add?${author.split('?')[1]}`)
    expect(locationOf(choice)).toMatch(/^https:\/\/tools\.example\.org\/its\/author\//)
    await core.platforms.update(operator, platform.id, { settings: { customers: [14, 15] } })
  })

  it('may have a query of its own', async () => {
    await choose(`14/${learningObject}/200`)
    const Timestamp = writeTimestamp(world.clock.now())
    const parameters = { mode: 'x', ...launchOf({ LearningObjectId: String(learningObject), Timestamp }) }
    expect((await visit(signedAddress(`${baseUrl}${root}/view`, parameters, sharedSecret))).status).toBe(303)
  })
})

describe('an author', () => {
  const teacher = { Permissions: 'Read, Participate, Evaluate, Modify', Role: 'Staff' }
  const chosen = (answer: Answer): string => /Learners open <strong>([^<]+)/.exec(answer.text)?.[1] ?? 'nothing'

  it('S3.6 S3.14 chooses where the instance was added, and opens it', async () => {
    const signedIn = await visit(signed(teacher, 'add'))
    expect(signedIn.status).toBe(303)
    const [address, cookie] = [locationOf(signedIn), cookieOf(signedIn)]
    expect(address).toMatch(/^https:\/\/lrs\.example\.org\/launch\/itslearning\/school\/author\/[\w.-]+$/)
    const page = await visit(address, cookie)
    expect(page.status).toBe(200)
    expect(page.text).toContain('Nothing was chosen yet')
    expect(page.headers.get('Content-Security-Policy')).toContain("frame-ancestors 'self' https://*.itslearning.com")
    expect(page.headers.get('Content-Security-Policy')).toContain("form-action 'self'")
    const picked = await visit(address, cookie, 'POST', `content=${world.contents.cmi5.id}`)
    expect([picked.status, locationOf(picked)]).toEqual([303, address])
    expect(chosen(await visit(address, cookie))).toBe('cmi5')
    expect(await launches()).toEqual([])
    expect((await visit(`${address}/open`, cookie)).status).toBe(303)
    expect(await launches()).toEqual([expect.objectContaining({ mode: 'normal', contentId: world.contents.cmi5.id })])
    const events = await world.events()
    expect(events.filter(({ action }) => action === 'placement.put').at(-1)?.detail).toEqual({
      ...{ resource: `14/${learningObject}`, content: world.contents.cmi5.id },
    })
    const learner = await visit(signed({ LearningObjectInstanceId: '201' }))
    expect(learner.status).toBe(303)
  })

  it('S3.7 of an instance alone chooses for that one', async () => {
    await choose(`14/${learningObject}`, 'tincan')
    const signedIn = await visit(signed({ Permissions: 'Read, ModifyInstance' }))
    const [address, cookie] = [locationOf(signedIn), cookieOf(signedIn)]
    expect(chosen(await visit(address, cookie))).toBe('tincan')
    await visit(address, cookie, 'POST', `content=${world.contents.cmi5.id}`)
    expect(chosen(await visit(address, cookie))).toBe('cmi5')
    await visit(signed({ LearningObjectInstanceId: '201' }))
    expect(await launches()).toEqual([expect.objectContaining({ contentId: world.contents.tincan.id })])
  })

  it('is known by the browser that was let in, for half an hour', async () => {
    const signedIn = await visit(signed(teacher))
    const [address, cookie] = [locationOf(signedIn), cookieOf(signedIn)]
    const body = `content=${world.contents.cmi5.id}`
    for (const other of [null, otherBrowser]) {
      expect(reasonOf(await visit(address, other))).toBe('author')
      expect(reasonOf(await visit(address, other, 'POST', body))).toBe('author')
      expect(reasonOf(await visit(`${address}/open`, other))).toBe('author')
    }
    expect(reasonOf(await visit(address.replace('/school/', '/nobody/'), cookie))).toBe('platform')
    expect(reasonOf(await visit(address.slice(0, -1), cookie))).toBe('author')
    world.clock.pass(29 * 60_000)
    expect((await visit(address, cookie)).status).toBe(200)
    world.clock.pass(2 * 60_000)
    expect(reasonOf(await visit(address, cookie, 'POST', body))).toBe('author')
    expect(await world.core.placements.find(world.platform, `14/${learningObject}/200`)).toBeUndefined()
  })

  it.each<[string, object, object, 'settings' | 'secret']>([
    ['their customer is let in no more', { customers: [14, 15] }, { customers: [15] }, 'settings'],
    ['other schools are let in', { schools: [3] }, { schools: [4] }, 'settings'],
    ['the secret that vouched for them counts no more', {}, {}, 'secret'],
  ])('is nobody any more where %s', async (_, before, after, change) => {
    const { core, operator, platform } = world
    const set = (more: object) =>
      core.platforms.update(operator, platform.id, { settings: { customers: [14, 15], ...more } })
    await set(before)
    const signedIn = await visit(signed({ ...teacher, SchoolId: '3|Hull' }))
    const [address, cookie] = [locationOf(signedIn), cookieOf(signedIn)]
    expect((await visit(address, cookie)).status).toBe(200)
    if (change === 'secret') await core.platforms.rotateSecret(operator, platform.id, { overlapSeconds: 0 })
    else await set(after)
    const rule = 'customers' in after ? 'customer' : 'author'
    for (const [path, method] of [
      ['', 'GET'],
      ['', 'POST'],
      ['/open', 'GET'],
    ] as const) {
      const body = method === 'POST' ? `content=${world.contents.cmi5.id}` : undefined
      expect(reasonOf(await visit(`${address}${path}`, cookie, method, body))).toBe(rule)
    }
    expect(await core.placements.find(platform, `14/${learningObject}/200`)).toBeUndefined()
    expect(await launches()).toEqual([])
    await set({})
    await core.platforms.rotateSecret(operator, platform.id, { secret: sharedSecret, overlapSeconds: 0 })
  })

  it('goes on while the secret before counts', async () => {
    const { core, operator, platform } = world
    const signedIn = await visit(signed(teacher))
    const [address, cookie] = [locationOf(signedIn), cookieOf(signedIn)]
    await core.platforms.rotateSecret(operator, platform.id, { overlapSeconds: 60 })
    expect((await visit(address, cookie)).status).toBe(200)
    world.clock.pass(61_000)
    expect(reasonOf(await visit(address, cookie))).toBe('author')
    await core.platforms.rotateSecret(operator, platform.id, { secret: sharedSecret, overlapSeconds: 0 })
  })

  it('chooses nothing that is not there', async () => {
    const signedIn = await visit(signed(teacher))
    const [address, cookie] = [locationOf(signedIn), cookieOf(signedIn)]
    const before = await world.events()
    for (const body of ['', 'content=', `content=${'0'.repeat(24)}`, 'content=%00', `content=${'x'.repeat(5000)}`]) {
      expect((await visit(address, cookie, 'POST', body)).status).toBeGreaterThanOrEqual(400)
    }
    expect(await world.events()).toEqual(before)
  })

  it('is signed in once', async () => {
    const address = signed(teacher)
    expect((await visit(address, browser)).status).toBe(303)
    expect(reasonOf(await visit(address, otherBrowser))).toBe('replay')
  })

  it('is nobody whose content gives Modify something else', async () => {
    const { core, operator, contents, platform } = world
    const settings = { ...contents.tincan.settings, gives: { modify: 'normal' } } as const
    const { id } = await core.contents.create(operator, { name: '<b>Locked</b>', settings })
    await core.placements.put(platform, `14/${learningObject}/200`, id)
    const answer = await visit(signed(teacher))
    expect(locationOf(answer)).toContain('/launch/s/')
    expect(reasonOf(await visit(signed(teacher, 'add'), browser))).toBe('permission')
    const other = await visit(signed({ ...teacher, LearningObjectInstanceId: '201' }), browser)
    const { text } = await visit(locationOf(other), browser)
    expect(text).toContain('&lt;b&gt;Locked')
    expect(text).not.toContain('<b>Locked')
  })
})

describe('a deletion', () => {
  const deleted = (change: Readonly<Record<string, string>> = {}): string => {
    const Timestamp = writeTimestamp(world.clock.now())
    const about = { CustomerId: '14', LearningObjectId: String(learningObject), LearningObjectInstanceId: '200' }
    return signedAddress(`${baseUrl}${root}/delete`, { ...about, Encoding: 'utf8', ...change, Timestamp }, sharedSecret)
  }
  const contentAt = async (place: string) =>
    (await world.core.placements.find(world.platform, place))?.placement.contentId

  it('S3.15 of an instance leaves the others, and may be told again', async () => {
    await choose(`14/${learningObject}`)
    await choose(`14/${learningObject}/200`)
    const address = deleted({ SafeToDeleteLearningObject: 'False' })
    for (let times = 0; times < 3; times++) {
      expect(await visit(address)).toMatchObject({ status: 200, text: 'OK' })
    }
    expect(await contentAt(`14/${learningObject}/200`)).toBeNull()
    expect(await contentAt(`14/${learningObject}`)).toBe(world.contents.tincan.id)
    expect((await visit(signed())).status).toBe(404)
    expect((await visit(signed({ LearningObjectInstanceId: '201' }))).status).toBe(303)
  })

  it('of the last instance takes its learning object along; of one that nobody set writes nothing', async () => {
    await choose(`14/${learningObject}`)
    const before = await world.events()
    expect((await visit(deleted({ SafeToDeleteLearningObject: 'True' }))).status).toBe(200)
    expect(await contentAt(`14/${learningObject}`)).toBeNull()
    expect((await world.events()).length).toBe(before.length + 1)
    learningObject += 1
    expect((await visit(deleted({ SafeToDeleteLearningObject: 'True' }))).status).toBe(200)
    expect((await world.events()).length).toBe(before.length + 1)
  })

  it('keeps what learners did, and is refused where it is not signed', async () => {
    await choose(`14/${learningObject}/200`)
    await visit(signed())
    expect(reasonOf(await visit(deleted().replace('=200&', '=201&')))).toBe('signature-wrong')
    expect(reasonOf(await visit(deleted({ CustomerId: '16' })))).toBe('customer')
    expect(await contentAt(`14/${learningObject}/200`)).toBe(world.contents.tincan.id)
    await visit(deleted())
    expect(await launches()).toHaveLength(1)
  })
})

describe('paths and methods', () => {
  it.each([
    ['POST', `${root}/view`, 405],
    ['DELETE', `${root}/delete`, 405],
    ['GET', root, 404],
    ['GET', `${root}/other`, 404],
    ['GET', '/launch/itslearning', 404],
  ])('%s %s', async (method, path, status) => {
    const answer = await visit(path, null, method)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain('could not be opened')
  })
})

describe('the README', () => {
  const readme = readFileSync(new URL('./README.md', import.meta.url), 'utf8')
  /** The first columns of the rows that begin with a pattern. */
  const rows = (pattern: RegExp): string[] => readme.split('\n').filter((line) => pattern.test(line))

  it('has every path', () => {
    const listed = rows(/^\| (?:GET|POST) \|/).map((line) =>
      line
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim()),
    )
    const routed = endpoints.map(({ method, path }) => [
      method,
      `\`${path.replace(/^.*:platform/, '').replace(':sealed', '{sealed}')}\``,
    ])
    expect(listed).toEqual(routed)
  })

  it('has every parameter, as it is', () => {
    const listed = rows(/^\| `\w+` \| (?:identity|checked|hint|proof) \|/)
    expect(listed).toEqual(parameters.map(({ name, is, describes }) => `| \`${name}\` | ${is} | ${describes} |`))
  })

  it('has every setting', () => {
    for (const { name } of settings) expect(readme).toContain(`\n| \`${name}\` |`)
  })

  it('has every rule of a launch', () => {
    const { author: _, ...ofLaunches } = rules
    for (const rule of Object.keys(ofLaunches)) expect(readme).toContain(`\`${rule}\``)
  })
})
