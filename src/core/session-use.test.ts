import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentOf, learner, openLaunchWorld } from '../../test/support/launch.ts'
import type { LaunchWorld, Login } from '../../test/support/launch.ts'
import type { ContentSettingsInput } from './content-settings.ts'
import type { SessionId } from './ids.ts'
import type { SessionRecord, Storage } from './storage.ts'

let world: LaunchWorld
/** How often an end was moved. */
let moved = 0
/** When set, moving an end fails. */
let isAway = false

function watched(storage: Storage): Storage {
  const launches = new Proxy(storage.launches, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (name !== 'extendSession') return typeof member === 'function' ? (member.bind(target) as unknown) : member
      return async (...args: Parameters<typeof target.extendSession>) => {
        if (isAway) throw new Error('away')
        moved += 1
        return target.extendSession(...args)
      }
    },
  })
  return new Proxy(storage, {
    get(target, name) {
      if (name === 'launches') return launches
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

beforeAll(async () => void (world = await openLaunchWorld({ wrap: watched })))
afterAll(() => world.close())

const minute = 60_000
let learners = 0

async function keyWith(settings: Partial<ContentSettingsInput>) {
  const content = await world.core.contents.create(world.operator, contentOf('tincan', settings))
  const key = await world.keyOf('tincan', { content, actor: learner(`learner ${++learners}`) })
  moved = 0
  return key
}

const use = ({ key, secret }: Login, browser?: string) => world.core.signIn.basic({ key, secret, browser })
/** Through the whole app. */
const ask = async (key: Login, userAgent?: string) =>
  (await world.xapi(key, 'GET', '/statements', { headers: userAgent === undefined ? {} : { 'User-Agent': userAgent } }))
    .status
const refused = { code: 'unauthenticated', message: 'The credentials were not accepted.' }

async function sessionOf({ key }: Login): Promise<SessionRecord> {
  const [found] = await world.storage.platform.findSignInCandidates(key)
  return found?.session ?? expect.fail('no session')
}

describe('the session of a launch', () => {
  it('lasts while it is used, and ends when it is not', async () => {
    const key = await keyWith({ idleSeconds: 600 })
    for (let minutes = 0; minutes < 60; minutes += 9) {
      await use(key)
      world.clock.pass(9 * minute)
    }
    world.clock.pass(minute + 1)
    await expect(use(key)).rejects.toMatchObject({ ...refused, detail: { decidedBy: 'session_expired' } })
  })

  it('ends at the longest it may last, however much it is used', async () => {
    const key = await keyWith({ idleSeconds: 600, absoluteSeconds: 1800 })
    for (let minutes = 0; minutes < 30; minutes += 5) {
      await use(key)
      world.clock.pass(5 * minute)
    }
    await expect(use(key)).rejects.toMatchObject(refused)
  })

  it('moves its end rarely: once an eighth of the time is over', async () => {
    const key = await keyWith({ idleSeconds: 800 })
    const { expiresAt } = await sessionOf(key)
    for (let seconds = 0; seconds <= 110; seconds += 10) {
      await Promise.all(Array.from({ length: 5 }, () => use(key)))
      world.clock.pass(10_000)
    }
    expect(moved).toBe(1)
    await expect.poll(async () => (await sessionOf(key)).expiresAt).toBeGreaterThan(expiresAt)
  })

  it('is tried again where moving the end failed; nobody is refused for that', async () => {
    const key = await keyWith({ idleSeconds: 800 })
    world.clock.pass(400_000)
    isAway = true
    await use(key)
    await use(key)
    isAway = false
    await expect.poll(async () => (await use(key)) && moved).toBe(1)
  })

  it('is not revived: once over, no use of it moves its end', async () => {
    const key = await keyWith({ idleSeconds: 60 })
    world.clock.pass(300_000)
    await expect(use(key)).rejects.toMatchObject(refused)
    expect(moved).toBe(0)
  })

  it('is of no concern to other sessions', async () => {
    const issued = await world.issue('isolated')
    const made = await world.core.sessions.create(world.operator, issued.credential.id, { expireSeconds: 600 })
    moved = 0
    await use(made, 'a browser')
    world.clock.pass(500_000)
    await use(made, 'another')
    world.clock.pass(100_000)
    await expect(use(made)).rejects.toMatchObject(refused)
    expect([moved, (await world.storage.directory.findSession(...placeOf(made.session)))?.boundTo]).toEqual([0, null])
  })
})

describe('a key that is bound', () => {
  it('works in the browser that used it first, warm and cold, and in no other', async () => {
    const key = await keyWith({})
    expect(await ask(key, 'First/1.0')).toBe(200)
    for (const other of ['Second/1.0', '', undefined]) expect(await ask(key, other)).toBe(401)
    expect(await ask(key, 'First/1.0')).toBe(200)
    // Another node, or this one started anew, remembers nothing.
    await world.core.credentials.update(world.operator, world.platform.credentialId, { limits: {} })
    expect(await ask(key, 'Second/1.0')).toBe(401)
    expect(await ask(key, 'First/1.0')).toBe(200)
  })

  it('is bound once, of many browsers that come at once', async () => {
    const key = await keyWith({})
    const statuses = await Promise.all(Array.from({ length: 8 }, (_, index) => ask(key, `Browser/${index}`)))
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 401)])
  })

  it('says why to nobody but the operator, and is no guess', async () => {
    const key = await keyWith({})
    await use(key, 'First/1.0')
    for (let tries = 0; tries < 30; tries++) {
      await expect(use(key, 'Second/1.0')).rejects.toMatchObject({ ...refused, detail: { decidedBy: 'bound' } })
    }
    await use(key, 'First/1.0')
    await world.core.usage.flush()
    const usage = await world.core.usage.list(world.operator, world.platform.credentialId)
    expect(usage.reduce((sum, { refusals }) => sum + (refusals['bound'] ?? 0), 0)).toBeGreaterThanOrEqual(30)
  })

  it('stands where nothing of the browser can be read', async () => {
    const key = await keyWith({})
    await use(key, 'First/1.0 (Ada)')
    const { boundTo } = await sessionOf(key)
    expect(boundTo).toMatch(/^[\w-]{43}$/)
    const other = await keyWith({})
    await use(other, 'First/1.0 (Ada)')
    expect((await sessionOf(other)).boundTo).not.toBe(boundTo)
  })

  it('is not bound where the content says so', async () => {
    const key = await keyWith({ bindsBrowser: false })
    for (const browser of ['First/1.0', 'Second/1.0', undefined]) expect(await ask(key, browser)).toBe(200)
    expect((await sessionOf(key)).boundTo).toBeNull()
  })
})

function placeOf({ organisationId, credentialId, id }: SessionRecord) {
  return [organisationId, credentialId, id as SessionId] as const
}
