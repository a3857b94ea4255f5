// With a protocol of its own, a remote endpoint that is a function, and the clock in hand. That a real one is asked over TLS is
// tested with the face whose protocol it is.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeApplication } from '../../test/support/application.ts'
import type { MadeApplication } from '../../test/support/application.ts'
import { baseUrl, openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { CallbackPermission, CallbackProtocol, CallbackVerdict } from './callback-verdict.ts'
import { createCore } from './core.ts'
import type { Core, Log } from './core.ts'
import { OutboundError } from './outbound.ts'
import type { Outbound } from './outbound.ts'

const protocol: CallbackProtocol = {
  ask: (user, password) => ({ method: 'GET', headers: { 'x-user': user, 'x-password': password } }),
  read: ({ body }) => JSON.parse(Buffer.from(body).toString()) as CallbackVerdict,
}
const verified = (permission: CallbackPermission): CallbackVerdict => ({ kind: 'verified', permission })
const minute = 60_000
const url = 'https://lms.example.org/ask?token=hush'

/** What it answers to a user and password; throws as an outage would. */
type Endpoint = (user: string, password: string) => CallbackVerdict | Promise<CallbackVerdict>

let endpoint: Endpoint
/** Who was asked about, in order. */
let asked: string[]
let world: OpenCore
let made: MadeApplication

const outbound: Outbound = {
  problemWith: (text) => (text.includes('//127.') ? '127.0.0.1 is no public address' : undefined),
  async request({ headers = {}, url: at }) {
    const [user = '', password = ''] = [headers['x-user'], headers['x-password']]
    asked.push(`${user}:${password} ${new URL(at).pathname}`)
    const verdict = await endpoint(user, password)
    return { status: 200, headers: new Map(), body: Buffer.from(JSON.stringify(verdict)) }
  },
}
const away: Endpoint = () => {
  throw new OutboundError('timeout', 'lms.example.org did not answer within 8 seconds.')
}
const annOnly: Endpoint = (user, password) =>
  user === 'ann' && password === 'right' ? verified('own') : { kind: 'unverified' }

beforeEach(async () => {
  asked = []
  endpoint = annOnly
  world = await openCore({ outbound, callbackProtocol: protocol })
  made = await makeApplication(world.core, world.operator)
  await world.core.callbacks.set(made.principal, made.id, { url })
})
afterEach(() => world.close())

/** As a path of the application signs in. */
async function signIn(
  key: string,
  secret: string,
  { address, core = world.core }: { address?: string; core?: Core } = {},
) {
  const application = (await core.applications.find(made.id))!
  const presented = { key, secret, address }
  const elsewhere = core.callbacks.elsewhere(application, presented)
  return core.signIn.basic({ ...presented, within: application.organisationId, elsewhere })
}

const refusal = (code: string) => expect.objectContaining({ code }) as unknown
const refused = (...of: Parameters<typeof signIn>) => expect(signIn(...of)).rejects.toEqual(refusal('unauthenticated'))

async function refusals(): Promise<Readonly<Record<string, number>>> {
  const usage = await world.core.usage.list(world.operator, made.application.credentialId)
  return Object.assign({}, ...usage.map((it) => it.refusals)) as Record<string, number>
}

describe('who a verified user is', () => {
  it('S1.16 themselves, on the application’s own account, in its Lrs', async () => {
    const { liveLrsId, sandboxLrsId, credentialId, organisationId } = made.application
    expect(await signIn('ann', 'right', { address: '192.0.2.1' })).toMatchObject({
      ...{ organisationId, credentialId, key: 'ann', kind: 'client', signedInBy: 'callback', address: '192.0.2.1' },
      lrsIds: [liveLrsId, sandboxLrsId],
      pins: { actor: [{ accountName: 'ann', homePage: `${baseUrl}/lrs/${made.id}` }] },
      rights: {
        xapi: { 'statements/read': 'any', 'statements/write': 'any', 'state/write': 'any' },
        management: [],
      },
      authority: { objectType: 'Agent', name: 'Courses', account: { homePage: baseUrl } },
      notAfter: world.clock.now() + 30 * minute,
    })
    const { rights } = await signIn('ann', 'right')
    expect(Object.keys(rights.xapi)).not.toContain('statements/void')
    expect(Object.keys(rights.xapi)).not.toContain('define')
  })

  it('S1.16 on the home page that was configured, or their address where that is so', async () => {
    endpoint = () => verified('own')
    const actorOf = async (user: string) => (await signIn(user, 'x')).pins.actor
    await world.core.callbacks.set(made.principal, made.id, { url, homePage: 'https://lms.example.org' })
    expect(await actorOf('ann')).toEqual([{ accountName: 'ann', homePage: 'https://lms.example.org' }])
    await world.core.callbacks.set(made.principal, made.id, { url, usesMbox: true })
    expect(await actorOf('ann')).toEqual([{ accountName: 'ann', homePage: 'https://lms.example.org' }])
    expect(await actorOf('ann@example.org')).toEqual([{ mbox: 'mailto:ann@example.org' }])
    await world.core.callbacks.set(made.principal, made.id, { url, homePage: null, usesMbox: false })
    expect(await actorOf('ann@example.org')).toEqual([
      { accountName: 'ann@example.org', homePage: `${baseUrl}/lrs/${made.id}` },
    ])
  })

  it('S1.17 unpinned with the other two, and no writer where they may only read', async () => {
    endpoint = (user) => verified(user === 'root' ? 'everything' : 'reading')
    const [root, reader] = [await signIn('root', 'x'), await signIn('reader', 'x')]
    expect([root.pins, reader.pins]).toEqual([{}, {}])
    expect(root.rights.xapi).toMatchObject({ 'statements/write': 'any', 'statements/void': 'any' })
    expect(reader.rights.xapi).toMatchObject({ 'statements/read': 'any' })
    expect(Object.keys(reader.rights.xapi).filter((right) => /write|void|define/.test(right))).toEqual([])
  })

  it('S1.18 only where no key of ours fits', async () => {
    const local = await world.issue('isolated', { key: 'ann', secret: 'a secret of ours' })
    expect((await signIn('ann', 'a secret of ours')).credentialId).toBe(local.credential.id)
    expect(asked).toEqual([])
    expect((await signIn('ann', 'right')).signedInBy).toBe('callback')
  })

  it('nobody, once the application’s own key is switched off', async () => {
    await signIn('ann', 'right')
    await world.core.credentials.disable(world.operator, made.application.credentialId)
    await refused('ann', 'right')
    expect(await refusals()).toMatchObject({ disabled: 1 })
  })

  it('nobody, once their organisation has ended; and nobody is asked about', async () => {
    await signIn('ann', 'right')
    await world.core.organisations.update(world.operator, {
      expiresAt: world.clock.now() + minute,
    })
    expect((await signIn('ann', 'right')).signedInBy).toBe('callback')
    world.clock.pass(minute)
    const [before, questions] = [(await world.events()).length, asked.length]
    // Who was verified in time, and who never was.
    for (const [user, password] of [
      ['ann', 'right'],
      ['bob', 'x'],
    ] as const) {
      const attempt = signIn(user, password)
      await expect(attempt).rejects.toMatchObject({ code: 'forbidden', detail: { decidedBy: 'organisation expired' } })
    }
    expect(asked).toHaveLength(questions)
    expect(await world.events()).toHaveLength(before)
    await world.core.organisations.update(world.operator, { expiresAt: null })
    expect((await signIn('ann', 'right')).signedInBy).toBe('callback')
  })

  it.each(['', 'a:b', 'a\u0000b', 'a\nb', 'a\ud800b', 'a'.repeat(256)])('nobody is asked about %j', async (user) => {
    endpoint = () => verified('everything')
    // Where U+0000 cannot even be looked up, that is what is said.
    await expect(signIn(user, 'x')).rejects.toThrow(/not accepted|U\+0000/)
    await refused('ann', 'x'.repeat(1001))
    expect(asked).toEqual([])
  })
})

describe('how seldom it is asked', () => {
  it('S1.15 verified: once in 30 minutes, whatever else of the organisation changes', async () => {
    await signIn('ann', 'right')
    world.clock.pass(20 * minute)
    await world.issue('isolated')
    await signIn('ann', 'right')
    world.clock.pass(10 * minute - 1)
    await signIn('ann', 'right')
    expect(asked).toHaveLength(1)
    world.clock.pass(1)
    await signIn('ann', 'right')
    expect(asked).toHaveLength(2)
  })

  it('S1.15 unverified: once in 60 seconds for a user and a password', async () => {
    await refused('ann', 'wrong')
    world.clock.pass(minute - 1)
    await refused('ann', 'wrong')
    expect(asked).toHaveLength(1)
    await refused('ann', 'also wrong')
    await signIn('ann', 'right')
    expect(asked).toHaveLength(3)
    world.clock.pass(1)
    await refused('ann', 'wrong')
    expect(asked).toHaveLength(4)
  })

  it('S1.14 out of reach: once in 60 seconds for a user, whatever the password', async () => {
    endpoint = away
    await refused('ann', 'right')
    endpoint = annOnly
    await refused('ann', 'right')
    await refused('ann', 'another')
    expect(asked).toHaveLength(1)
    await refused('bob', 'x')
    expect(asked).toHaveLength(2)
    world.clock.pass(minute)
    await signIn('ann', 'right')
    expect(asked).toHaveLength(3)
  })

  it('who is verified already stays so while it is out of reach', async () => {
    await signIn('ann', 'right')
    endpoint = away
    await refused('ann', 'wrong')
    await signIn('ann', 'right')
    await world.issue('isolated')
    await signIn('ann', 'right')
    expect(asked).toHaveLength(2)
  })

  it('once for many who come together', async () => {
    let answer = (): void => {}
    endpoint = () => new Promise((resolve) => (answer = () => resolve(verified('own'))))
    const all = Promise.all(
      Array.from({ length: 50 }, (_, index) => signIn('ann', 'right', { address: `192.0.2.${index}` })),
    )
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    answer()
    expect(await all).toHaveLength(50)
    expect(asked).toHaveLength(1)
  })

  it('S1.19 as seldom by two nodes', async () => {
    const { storage, clock, masterKey } = world
    const limits = { batch: 10, bodyBytes: 1000, documentBytes: 1000, xapiRatePerMinute: undefined }
    const core = await createCore({
      ...{ storage, clock, masterKey, limits, baseUrl, outbound },
      callbackProtocol: protocol,
    })
    await signIn('ann', 'right')
    await refused('ann', 'wrong')
    endpoint = away
    await refused('bob', 'x')
    const other = { core }
    expect((await signIn('ann', 'right', other)).notAfter).toBe(clock.now() + 30 * minute)
    await refused('ann', 'wrong', other)
    await refused('bob', 'y', other)
    expect(asked).toHaveLength(3)
    endpoint = annOnly
    await core.callbacks.forget(world.operator, made.id)
    for (const node of [core, world.core]) await signIn('ann', 'right', { core: node })
    expect(asked).toHaveLength(4)
    core.signIn.close()
  })

  it('S1.15 anew once it was forgotten, or asks elsewhere', async () => {
    await signIn('ann', 'right')
    await refused('ann', 'wrong')
    await world.core.callbacks.forget(made.principal, made.id)
    await signIn('ann', 'right')
    await refused('ann', 'wrong')
    expect(asked).toHaveLength(4)
    await world.core.callbacks.set(made.principal, made.id, { url: 'https://lms.example.org/other' })
    await signIn('ann', 'right')
    expect(asked.at(-1)).toBe('ann:right /other')
    await world.core.callbacks.reset(made.principal, made.id)
    await refused('ann', 'right')
    expect(asked).toHaveLength(5)
  })

  it('S1.15 anew for another application that was given the same id', async () => {
    await signIn('ann', 'right')
    await world.core.applications.remove(world.operator, made.id)
    world.clock.pass(1)
    await world.core.applications.create(world.operator, { id: made.id, name: 'Another' })
    await world.core.callbacks.set(world.operator, made.id, { url })
    endpoint = () => ({ kind: 'unverified' })
    await refused('ann', 'right')
    expect(asked).toHaveLength(2)
  })

  it('what nodes share tells neither user nor password', async () => {
    await signIn('ann', 'right')
    const remember = vi.spyOn(world.storage.platform, 'remember')
    await refused('ann', 'wrong')
    expect(remember).toHaveBeenCalledTimes(1)
    const [[note]] = remember.mock.calls[0]!
    expect(JSON.stringify(note)).not.toMatch(/ann|wrong/)
    expect(note!.name).toMatch(/^[\w-]{43}$/)
  })

  it('costs one look at what nodes share, and none once it is known', async () => {
    const [recall, remember] = [
      vi.spyOn(world.storage.platform, 'recall'),
      vi.spyOn(world.storage.platform, 'remember'),
    ]
    for (let times = 0; times < 3; times++) await signIn('ann', 'right')
    expect([recall.mock.calls.length, remember.mock.calls.length]).toEqual([1, 1])
  })
})

describe('guessing, and outages', () => {
  const address = '192.0.2.7'

  it('guesses count, as for keys of ours', async () => {
    for (let times = 0; times < 10; times++) await refused('ann', `wrong ${times}`, { address })
    await expect(signIn('ann', 'right', { address })).rejects.toEqual(refusal('rate_limited'))
    expect(asked).toHaveLength(10)
    await signIn('ann', 'right', { address: '192.0.2.8' })
  })

  it('so do answers that say nothing', async () => {
    endpoint = () => ({ kind: 'unreadable', because: 'nothing' })
    for (let times = 0; times < 10; times++) await refused('ann', `wrong ${times}`, { address })
    await expect(signIn('ann', 'right', { address })).rejects.toEqual(refusal('rate_limited'))
  })

  it('an outage counts nobody as guessing', async () => {
    endpoint = away
    for (let times = 0; times < 30; times++) await refused('ann', 'right', { address })
    endpoint = annOnly
    world.clock.pass(minute)
    await signIn('ann', 'right', { address })
    expect(asked).toHaveLength(2)
    expect(await refusals()).toMatchObject({ callback_unreachable: 30 })
  })

  it('from an address of many failures nobody new is asked about; who is known comes in', async () => {
    await signIn('ann', 'right', { address })
    await world.issue('isolated')
    for (let times = 0; times < 200; times++) await refused(`user ${times}`, 'x', { address })
    const before = asked.length
    await expect(signIn('user 0', 'y', { address })).rejects.toEqual(refusal('rate_limited'))
    await expect(signIn('carl', 'y', { address })).rejects.toEqual(refusal('rate_limited'))
    expect((await signIn('ann', 'right', { address })).key).toBe('ann')
    expect(asked).toHaveLength(before)
  })

  it('a slow endpoint holds so many, and turns the next away without asking', async () => {
    const waiting: (() => void)[] = []
    endpoint = () => new Promise((resolve) => void waiting.push(() => resolve(verified('own'))))
    const outcomes: string[] = []
    const all = Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        outcomes.push(await signIn(`user ${index}`, 'x').then(() => 'in', codeOf))
      }),
    )
    await vi.waitFor(() => expect(outcomes).toHaveLength(28), 5000)
    expect(new Set(outcomes)).toEqual(new Set(['unavailable']))
    expect(asked).toHaveLength(8)
    // Others are not held up by it.
    const local = await world.issue('isolated')
    await signIn(local.key, local.secret)
    while (outcomes.length < 100) {
      for (const answer of waiting.splice(0)) answer()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await all
    expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(72)
    expect(await refusals()).toMatchObject({ callback_busy: 28 })
  })

  it('reasons are counted on the application’s own key', async () => {
    await refused('ann', 'wrong')
    endpoint = () => ({ kind: 'unreadable', because: 'nothing' })
    await refused('bob', 'x')
    await refused('bob', 'x')
    expect(await refusals()).toEqual({ callback_unverified: 1, callback_unreadable: 2 })
  })

  it('an outage is said once a minute', async () => {
    const warn = vi.fn<Log['warn']>()
    const other = await openCore({
      ...{ outbound, callbackProtocol: protocol },
      log: { info: () => {}, warn, error: () => {} },
    })
    const { id, principal } = await makeApplication(other.core, other.operator)
    await other.core.callbacks.set(principal, id, { url })
    endpoint = away
    const application = (await other.core.applications.find(id))!
    for (const user of ['a', 'b', 'c']) {
      const presented = { key: user, secret: 'hidden' }
      const elsewhere = other.core.callbacks.elsewhere(application, presented)
      await expect(other.core.signIn.basic({ ...presented, elsewhere })).rejects.toThrow()
    }
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn).toHaveBeenCalledWith(
      { application: id, reason: 'lms.example.org did not answer within 8 seconds.' },
      expect.any(String),
    )
    await other.close()
  })
})

describe('configuring', () => {
  it('S1.11 shows what counts, and stays what was not named', async () => {
    const { callbacks } = world.core
    const homePage = 'https://lms.example.org'
    await callbacks.set(made.principal, made.id, { url, homePage, usesMbox: true })
    await callbacks.set(made.principal, made.id, { url: 'https://lms.example.org/b' })
    expect(await callbacks.get(made.principal, made.id)).toEqual({
      ...{ url: 'https://lms.example.org/b', homePage, usesMbox: true },
    })
    await callbacks.reset(made.principal, made.id)
    await callbacks.reset(made.principal, made.id)
    expect(await callbacks.get(made.principal, made.id)).toBeUndefined()
    const events = (await world.events()).filter(({ action }) => action.startsWith('callback.'))
    expect(events.map(({ action }) => action)).toEqual([...Array(3).fill('callback.set'), 'callback.reset'])
    expect(JSON.stringify(events)).not.toContain('hush')
    expect(events[0]!.detail).toEqual({ host: 'lms.example.org', usesMbox: false, homePage: null })
  })

  it.each([
    'http://lms.example.org/',
    'https://127.0.0.1/',
    'lms.example.org',
    '',
    ' https://lms.example.org/',
    'https://lms.example.org/\n',
    'https://lms.example.org/\ud800',
    'ftp://lms.example.org',
    `https://lms.example.org/${'a'.repeat(2000)}`,
  ])('S1.11 %j is refused, and nothing written', async (bad) => {
    const before = await world.events()
    await expect(world.core.callbacks.set(made.principal, made.id, { url: bad })).rejects.toEqual(refusal('invalid'))
    expect(await world.events()).toEqual(before)
    expect((await world.core.callbacks.get(made.principal, made.id))!.url).toBe(url)
  })

  it.each(['no URL', 'https://a.example.org/\u0000', `https://${'a'.repeat(2000)}`])(
    'a home page is refused that is none: %.40j',
    async (homePage) => {
      const set = world.core.callbacks.set(made.principal, made.id, { url, homePage })
      await expect(set).rejects.toEqual(refusal('invalid'))
    },
  )

  it('is for the application’s own key and the operator, and for nobody else', async () => {
    const other = await makeApplication(world.core, world.operator, 'Other')
    const stranger = await world.addOrganisation()
    const client = await world.signIn(await world.issue('isolated'))
    const { callbacks } = world.core
    for (const caller of [other.principal, stranger.operator, client]) {
      const before = await world.events()
      for (const act of [
        () => callbacks.set(caller, made.id, { url: 'https://evil.example.org' }),
        () => callbacks.get(caller, made.id),
        () => callbacks.reset(caller, made.id),
        () => callbacks.forget(caller, made.id),
        () => callbacks.test(caller, made.id, { user: 'ann', password: 'x' }),
      ]) {
        await expect(act()).rejects.toThrow()
      }
      expect(await world.events()).toEqual(before)
    }
    expect(asked).toEqual([])
    expect((await callbacks.get(world.operator, made.id))!.url).toBe(url)
  })

  it('is sealed where it is stored', async () => {
    const stored = await world.storage.platform.findApplication(made.id)
    expect(stored!.callback).not.toContain('lms.example.org')
  })
})

describe('a trial', () => {
  it('says what was answered and who the user would be, and is remembered by nobody', async () => {
    const { callbacks } = world.core
    const ann = await callbacks.test(made.principal, made.id, { user: 'ann', password: 'right' })
    expect(ann).toMatchObject({
      verdict: verified('own'),
      answer: { status: 200 },
      user: { pins: { actor: [{ accountName: 'ann' }] } },
    })
    expect(await callbacks.test(made.principal, made.id, { user: 'ann', password: 'x' })).toMatchObject({
      verdict: { kind: 'unverified' },
    })
    endpoint = away
    const outage = await callbacks.test(made.principal, made.id, { user: 'ann', password: 'right' })
    expect(outage).toMatchObject({ verdict: { kind: 'unreachable', because: expect.stringContaining('8 seconds') } })
    expect(outage.answer).toBeUndefined()
    endpoint = annOnly
    await signIn('ann', 'right')
    expect(asked).toHaveLength(4)
  })

  it('needs a callback', async () => {
    const other = await makeApplication(world.core, world.operator, 'Other')
    const { callbacks } = world.core
    const trial = callbacks.test(world.operator, other.id, { user: 'ann', password: 'x' })
    await expect(trial).rejects.toEqual(refusal('not_found'))
    await expect(callbacks.forget(world.operator, other.id)).rejects.toEqual(refusal('not_found'))
  })
})

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? 'no code'
}
