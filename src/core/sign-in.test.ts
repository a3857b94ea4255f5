import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { IssuedCredential } from './credential.ts'
import { DomainError } from './errors.ts'
import type { SecretId } from './ids.ts'
import type { Principal } from './principal.ts'
import { secretPlace } from './secret.ts'
import type { Storage } from './storage.ts'

let world: OpenCore
let calls: string[] = []
/** When set, reads of sign-in candidates wait for it after they were made. */
let held: Promise<void> | undefined

// Counts every call of the port, and can hold an answer back. What it answers is the real store's.
function watched(storage: Storage): Storage {
  const watch = <T extends object>(store: T): T =>
    new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown
        if (typeof member !== 'function') return member
        return async (...args: unknown[]) => {
          calls.push(String(name))
          const answer = await (member as (...a: unknown[]) => Promise<unknown>).apply(target, args)
          if (name === 'findSignInCandidates') await held
          return answer
        }
      },
    })
  return {
    platform: watch(storage.platform),
    directory: watch(storage.directory),
    launches: watch(storage.launches),
    statements: watch(storage.statements),
    documents: watch(storage.documents),
    erasures: watch(storage.erasures),
    exports: watch(storage.exports),
    imports: watch(storage.imports),
    blobs: watch(storage.blobs),
    nodes: watchedNodes(storage.nodes),
    onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
    load: () => storage.load(),
    close: () => storage.close(),
  }
}

let isInTouch: boolean | undefined

function watchedNodes(nodes: Storage['nodes']): Storage['nodes'] {
  return new Proxy(nodes, {
    get: (target, name) => {
      if (name === 'isInTouch') return () => isInTouch ?? target.isInTouch()
      const member = Reflect.get(target, name) as unknown
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}

beforeAll(async () => void (world = await openCore({ wrap: watched })))
beforeEach(() => {
  isInTouch = undefined
  calls = []
  held = undefined
})
afterAll(() => world.close())

const unauthenticated = { code: 'unauthenticated', message: 'The credentials were not accepted.' }

function refuses(issued: { key: string; secret: string }, within?: Parameters<OpenCore['signIn']>[1]) {
  return expect(world.signIn(issued, within)).rejects.toMatchObject(unauthenticated)
}

describe('a principal', () => {
  it('is what the credential is', async () => {
    const issued = await world.issue('isolated', { name: 'Course', pins: { activity: 'urn:course' }, expiresAt: 9e12 })
    const { key, credential } = issued
    expect(await world.signIn(issued)).toEqual({
      organisationId: world.organisationId,
      credentialId: credential.id,
      name: 'Course',
      key,
      kind: 'client',
      closedLrsIds: [],
      signedInBy: 'basic',
      rights: presetRights('isolated'),
      pins: { activity: 'urn:course' },
      limits: {},
      lrsIds: [world.lrsId],
      defaultLrsId: world.lrsId,
      authority: {
        objectType: 'Agent',
        name: 'Course',
        account: { homePage: 'https://lrs.example.org', name: credential.oid },
      },
      secretId: credential.secrets[0]?.id,
      notAfter: 9e12,
    })
  })

  it('carries the address of each request, whoever signed in first', async () => {
    const { key, secret } = await world.issue('isolated')
    const from = (address: string | undefined) => world.core.signIn.basic({ key, secret, address })
    expect((await from('192.0.2.1')).address).toBe('192.0.2.1')
    expect((await from('192.0.2.2')).address).toBe('192.0.2.2')
    expect((await from(undefined)).address).toBeUndefined()
    expect((await from('192.0.2.1')).address).toBe('192.0.2.1')
  })

  it('has the fixed authority of its credential', async () => {
    const authority = { objectType: 'Agent', mbox: 'mailto:lms@example.org' }
    expect((await world.signIn(await world.issue('isolated', { authority }))).authority).toEqual(authority)
  })
})

describe('a warm sign-in', () => {
  it('asks storage nothing', async () => {
    const issued = await world.issue('isolated')
    const { session: _, ...session } = await world.core.sessions.create(world.operator, issued.credential.id)
    const principal = await world.signIn(issued)
    const { token } = await world.core.tokens.issue(principal)
    await world.signIn(session)
    await world.core.signIn.bearer({ token })
    calls = []
    expect(await world.signIn(issued)).toBe(principal)
    await world.signIn(session)
    await world.core.signIn.bearer({ token })
    expect(calls).toEqual([])
  })

  it('is none while this node may miss what others change, and remembers nothing of then', async () => {
    const issued = await world.issue('isolated')
    await world.signIn(issued)
    isInTouch = false
    calls = []
    await world.signIn(issued)
    await world.signIn(issued)
    expect(calls).toEqual(['findSignInCandidates', 'findSignInCandidates'])
    isInTouch = true
    calls = []
    await world.signIn(issued)
    await world.signIn(issued)
    expect(calls).toEqual(['findSignInCandidates'])
  })

  it('is verified once when presented many times at once', async () => {
    const issued = await world.issue('isolated')
    calls = []
    await Promise.all(Array.from({ length: 50 }, () => world.signIn(issued)))
    expect(calls).toEqual(['findSignInCandidates'])
  })

  it('ends by the clock', async () => {
    const issued = await world.issue('isolated', { expiresAt: world.clock.now() + 1000 })
    await world.signIn(issued)
    world.clock.pass(999)
    await world.signIn(issued)
    world.clock.pass(1)
    await refuses(issued)
  })

  it('is not shared between paths of different organisations', async () => {
    const issued = await world.issue('isolated')
    const other = await world.addOrganisation()
    await world.signIn(issued)
    await world.signIn(issued, world.organisationId)
    await refuses(issued, other.organisationId)
  })

  it('is not found by a key and secret that run together the same', async () => {
    await world.issue('isolated', { key: 'key', secret: 'one:two' })
    await world.signIn({ key: 'key', secret: 'one:two' })
    await refuses({ key: 'key:one', secret: 'two' })
    await refuses({ key: 'ke', secret: 'yone:two' })
  })
})

describe('whatever ends a key, ends it on the very next sign-in', () => {
  let issued: IssuedCredential
  let session: { key: string; secret: string }
  let token: string

  beforeEach(async () => {
    issued = await world.issue('isolated')
    session = await world.core.sessions.create(world.operator, issued.credential.id, { expireSeconds: 86_400 })
    token = (await world.core.tokens.issue(await world.signIn(issued), { expireSeconds: 86_400 })).token
    await allSignIn()
  })

  const bearer = () => world.core.signIn.bearer({ token })

  async function allSignIn() {
    await world.signIn(issued)
    await world.signIn(session)
    await bearer()
  }

  async function nobodySignsIn() {
    await refuses(issued)
    await refuses(session)
    await expect(bearer()).rejects.toMatchObject(unauthenticated)
  }

  it('disabled, and back again', async () => {
    await world.core.credentials.disable(world.operator, issued.credential.id)
    await nobodySignsIn()
    await world.core.credentials.enable(world.operator, issued.credential.id)
    await allSignIn()
  })

  it('deleted', async () => {
    await world.core.credentials.remove(world.operator, issued.credential.id)
    await nobodySignsIn()
  })

  it('expired by an edit', async () => {
    await world.core.credentials.update(world.operator, issued.credential.id, { expiresAt: world.clock.now() })
    await nobodySignsIn()
  })

  it('expired by the clock', async () => {
    await world.core.credentials.update(world.operator, issued.credential.id, { expiresAt: world.clock.now() + 5000 })
    await allSignIn()
    world.clock.pass(5000)
    await nobodySignsIn()
  })

  it('rotated past its overlap: the old secret, its sessions and tokens, not the new one', async () => {
    const id = issued.credential.id
    const { secret } = await world.core.credentials.rotate(world.operator, id, { overlapSeconds: 60 })
    await allSignIn()
    await world.signIn({ key: issued.key, secret })
    world.clock.pass(60_000)
    await nobodySignsIn()
    await world.signIn({ key: issued.key, secret })
  })

  it('rotated without overlap', async () => {
    await world.core.credentials.rotate(world.operator, issued.credential.id, { overlapSeconds: 0 })
    await nobodySignsIn()
  })

  it('a changed secret', async () => {
    await world.core.credentials.update(world.operator, issued.credential.id, { secret: 'another secret of mine' })
    await nobodySignsIn()
    await world.signIn({ key: issued.key, secret: 'another secret of mine' })
  })

  it('a secret that is disabled, then dropped', async () => {
    const { id, secrets } = issued.credential
    const secretId = secrets[0]?.id as SecretId
    await world.core.credentials.updateSecret(world.operator, id, secretId, { isEnabled: false })
    await nobodySignsIn()
    await world.core.credentials.updateSecret(world.operator, id, secretId, { isEnabled: true })
    await allSignIn()
    await world.core.credentials.dropSecret(world.operator, id, secretId)
    await nobodySignsIn()
  })

  it('a changed key: its old name, not its sessions and tokens', async () => {
    await world.core.credentials.update(world.operator, issued.credential.id, { key: 'renamed' })
    await refuses(issued)
    await world.signIn({ key: 'renamed', secret: issued.secret })
    await world.signIn(session)
    await bearer()
  })

  it('a session that is removed or over', async () => {
    const more = await world.core.sessions.create(world.operator, issued.credential.id, { expireSeconds: 10 })
    await world.signIn(more)
    world.clock.pass(10_000)
    await refuses(more)
    const { id, credentialId } = (await world.core.sessions.list(world.operator, issued.credential.id, slice)).items[0]!
    await world.core.sessions.remove(world.operator, credentialId, id)
    await refuses(session)
    await world.signIn(issued)
  })

  it('narrowed rights narrow all three', async () => {
    const rights = presetRights('write-only')
    await world.core.credentials.update(world.operator, issued.credential.id, { rights })
    expect((await world.signIn(issued)).rights).toEqual(rights)
    expect((await world.signIn(session)).rights).toEqual(rights)
    expect((await bearer()).rights).toEqual(rights)
  })
})

const slice = { offset: 0, limit: 10 }

describe('a sign-in that a change overtakes', () => {
  it('never leaves a stale entry behind', async () => {
    const issued = await world.issue('isolated')
    let release = (): void => {}
    held = new Promise((resolve) => (release = resolve))
    const overtaken = world.signIn(issued)
    await expect.poll(() => calls.at(-1)).toBe('findSignInCandidates')
    // Let the read of the candidates finish before the change is committed.
    await world.storage.directory.findOrganisation(world.organisationId)
    await world.core.credentials.disable(world.operator, issued.credential.id)
    // Presented again after the change: must not join what began before it.
    const next = world.signIn(issued)
    release()
    await overtaken.catch(() => undefined)
    await expect(next).rejects.toMatchObject(unauthenticated)
    held = undefined
    await refuses(issued)
  })

  it('never leaves one behind in many races', async () => {
    const issued = await world.issue('isolated')
    const { id } = issued.credential
    for (let round = 0; round < 40; round += 1) {
      const racing = Array.from({ length: 3 }, () => world.signIn(issued).catch(() => undefined))
      await Promise.all([world.core.credentials.disable(world.operator, id), ...racing.slice(0, round % 3)])
      await refuses(issued)
      await Promise.all(racing)
      await refuses(issued)
      await world.core.credentials.enable(world.operator, id)
    }
  })
})

describe('the same key in several organisations', () => {
  let key: string
  let round = 0
  beforeEach(() => void (key = `shared-key-${(round += 1)}`))

  it('is decided by the secret', async () => {
    const other = await world.addOrganisation()
    const mine = await world.issue('isolated', { key })
    const theirs = await world.core.credentials.create(other.operator, {
      name: 'Theirs',
      rights: presetRights('xapi'),
      key,
    })
    expect((await world.signIn(mine)).organisationId).toBe(world.organisationId)
    expect((await world.signIn(theirs)).organisationId).toBe(other.organisationId)
    await refuses(theirs, world.organisationId)
    await refuses({ key, secret: 'neither of them' })
  })

  const pairHeld = { code: 'conflict', message: 'This key and secret are already in use.' }

  /** Another organisation with a credential older than all that follow. */
  async function stranger() {
    const { operator, organisationId } = await world.addOrganisation('Stranger')
    const { credential } = await world.core.credentials.create(operator, { name: 'Old', rights: presetRights('xapi') })
    world.clock.pass(1000)
    const take = (change: { key?: string; secret?: string }) =>
      world.core.credentials.update(operator, credential.id, change)
    const copy = (pair: { key: string; secret: string }) =>
      world.core.credentials.create(operator, { name: 'Copy', rights: presetRights('xapi'), ...pair })
    const state = async () => [
      await world.core.credentials.get(operator, credential.id),
      (await world.core.credentials.list(operator, {}, slice)).total,
      (await world.events(organisationId)).length,
    ]
    return { operator, organisationId, credential, take, copy, state }
  }

  it('does not take over a pair by an older credential that is given it later', async () => {
    const thief = await stranger()
    const mine = await world.issue('isolated', { key, secret: 'known from a page' })
    const { secret } = mine
    const before = await thief.state()
    await expect(thief.take({ key, secret })).rejects.toMatchObject(pairHeld)
    await expect(thief.copy({ key, secret })).rejects.toMatchObject(pairHeld)
    expect(await thief.state()).toEqual(before)
    // In two steps either: the key first, then the secret by each way there is; the secret first, then the key.
    await thief.take({ key })
    const { credentials } = world.core
    await expect(thief.take({ secret })).rejects.toMatchObject(pairHeld)
    await expect(credentials.addSecret(thief.operator, thief.credential.id, { secret })).rejects.toMatchObject(pairHeld)
    const rotation = { overlapSeconds: 0, secret }
    await expect(credentials.rotate(thief.operator, thief.credential.id, rotation)).rejects.toMatchObject(pairHeld)
    await thief.take({ key: `${key}-away` })
    const { secretId } = await credentials.addSecret(thief.operator, thief.credential.id, { secret })
    // Not even where the secret is asleep while the key is changed.
    await credentials.updateSecret(thief.operator, thief.credential.id, secretId, { isEnabled: false })
    await expect(thief.take({ key })).rejects.toMatchObject(pairHeld)
    await credentials.update(world.operator, mine.credential.id, { name: 'any edit' })
    expect((await world.signIn(mine)).organisationId).toBe(world.organisationId)
    await refuses(mine, thief.organisationId)
  })

  it('does not lock its holder out, however many organisations take the key', async () => {
    const thieves = []
    for (let n = 0; n < 17; n += 1) thieves.push(await stranger())
    const mine = await world.issue('isolated', { key })
    for (const thief of thieves) await thief.take({ key })
    expect((await world.signIn(mine)).organisationId).toBe(world.organisationId)
  })

  it.each<[string, (mine: IssuedCredential) => Promise<unknown>]>([
    ['switches it off', (mine) => world.core.credentials.disable(world.operator, mine.credential.id)],
    ['deletes it', (mine) => world.core.credentials.remove(world.operator, mine.credential.id)],
    ['renames it', (mine) => world.core.credentials.update(world.operator, mine.credential.id, { key: `${key}-new` })],
    [
      'changes the secret',
      (mine) => world.core.credentials.update(world.operator, mine.credential.id, { secret: 'another one now' }),
    ],
    [
      'rotates it twice',
      async (mine) => {
        await world.core.credentials.rotate(world.operator, mine.credential.id, { overlapSeconds: 0 })
        await world.core.credentials.rotate(world.operator, mine.credential.id, { overlapSeconds: 0 })
      },
    ],
  ])('does not move to a copy elsewhere when its owner %s', async (_, end) => {
    const thief = await stranger()
    const mine = await world.issue('isolated', { key, secret: `a secret that somebody copied ${round}` })
    await world.signIn(mine)
    await end(mine)
    await refuses(mine)
    await expect(thief.copy({ key, secret: mine.secret })).rejects.toMatchObject(pairHeld)
    await refuses(mine)
    await refuses(mine, thief.organisationId)
  })

  it('of a session is nobody’s to take', async () => {
    const thief = await stranger()
    const { credential } = await world.issue('isolated')
    const { session: _, ...session } = await world.core.sessions.create(world.operator, credential.id)
    expect(session.key).toMatch(/^ses_[0-9a-f]{24}$/)
    const before = await thief.state()
    await expect(thief.take(session)).rejects.toMatchObject({ code: 'invalid' })
    await expect(thief.copy(session)).rejects.toMatchObject({ code: 'invalid' })
    const imported = { name: 'Import', rights: presetRights('xapi'), ...session, allowDuplicateKey: true }
    await expect(world.core.credentials.create(thief.operator, imported)).rejects.toMatchObject({ code: 'invalid' })
    expect(await thief.state()).toEqual(before)
    expect((await world.signIn(session)).organisationId).toBe(world.organisationId)
  })

  it('is guessed through conflicts no faster than by signing in, and not at all once that was too often', async () => {
    const thief = await stranger()
    const mine = await world.issue('isolated', { key, secret: 'guessable' })
    for (let n = 0; n < 10; n += 1)
      await expect(thief.take({ key, secret: 'guessable' })).rejects.toMatchObject(pairHeld)
    const before = await thief.state()
    const limited = { code: 'rate_limited', detail: { retryAfterSeconds: expect.any(Number) } }
    await expect(thief.take({ key, secret: 'guessable' })).rejects.toMatchObject(limited)
    // A wrong guess is refused in the same words: nothing is learned any more.
    await expect(thief.take({ key, secret: 'not it' })).rejects.toMatchObject(limited)
    await expect(thief.copy({ key, secret: 'not it' })).rejects.toMatchObject(limited)
    expect(await thief.state()).toEqual(before)
    // Other keys, and the owner of this one, are left alone.
    await thief.take({ secret: 'something else' })
    await world.core.credentials.update(world.operator, mine.credential.id, { secret: 'no longer guessable' })
    for (let n = 0; n < 20; n += 1) await thief.take({ secret: `as often as one likes ${n}` })
  })

  it('never signs in with a credential whose pair nobody claimed', async () => {
    const mine = await world.issue('isolated', { key })
    const secret = 'put behind the back of the core'
    const event = {
      at: 0,
      actor: { kind: 'system', name: 't' },
      action: 't',
      target: { noun: 't', id: 1 },
      detail: {},
    } as const
    const put = { at: 0, putSecrets: [await sealedFor(mine, secret)] }
    await world.storage.directory.updateCredential(world.organisationId, mine.credential.id, put, event)
    await refuses({ key, secret })
    await world.signIn(mine)
  })

  it('twice in one organisation signs in with whichever is live', async () => {
    const secret = 'an imported secret, twice'
    const first = await world.issue('isolated', { key, secret })
    const second = await world.issue('xapi', { key, secret, allowDuplicateKey: true })
    expect((await world.signIn({ key, secret })).credentialId).toBe(first.credential.id)
    await world.core.credentials.disable(world.operator, first.credential.id)
    expect((await world.signIn({ key, secret })).credentialId).toBe(second.credential.id)
  })
})

async function sealedFor({ credential }: IssuedCredential, secret: string) {
  const id = randomUUID() as SecretId
  const organisation = (await world.storage.directory.findOrganisation(credential.organisationId))!
  return { ...credential.secrets[0]!, id, sealed: world.core.vault.seal(organisation, secretPlace(id), secret) }
}

describe('failures', () => {
  it('are the same for an unknown key, a wrong secret, a disabled and an expired key', async () => {
    const issued = await world.issue('isolated')
    const disabled = await world.issue('isolated', { isEnabled: false })
    const expired = await world.issue('isolated', { expiresAt: 1 })
    const answers = await Promise.all(
      [
        { ...issued, secret: 'wrong' },
        { key: 'nobody', secret: 'wrong' },
        { key: '', secret: '' },
        disabled,
        expired,
      ].map((presented) => world.signIn(presented).catch((error: DomainError) => [error.code, error.message])),
    )
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  })

  it('tell faces that pass it on why the right secret was refused, and of a wrong one nothing', async () => {
    const disabled = await world.issue('isolated', { isEnabled: false })
    const expired = await world.issue('isolated', { expiresAt: 1 })
    const { token } = await world.core.tokens.issue(await world.signIn(await world.issue('isolated')))
    await expect(world.signIn(disabled)).rejects.toMatchObject({
      ...unauthenticated,
      detail: { decidedBy: 'disabled' },
    })
    await expect(world.signIn(expired)).rejects.toMatchObject({ ...unauthenticated, detail: { decidedBy: 'expired' } })
    for (const presented of [
      { ...disabled, secret: 'wrong' },
      { key: 'nobody', secret: disabled.secret },
    ]) {
      const refused = await world.signIn(presented).catch((error: unknown) => error)
      expect(refused).toMatchObject({ ...unauthenticated, detail: {} })
      expect(refused).not.toHaveProperty('detail.decidedBy')
    }
    const refused = await world.core.signIn.bearer({ token: `${token}x` }).catch((error: unknown) => error)
    expect(refused).not.toHaveProperty('detail.decidedBy')
  })

  it('do the same queries for an unknown key and a wrong secret', async () => {
    const issued = await world.issue('isolated')
    calls = []
    await refuses({ ...issued, secret: 'wrong' })
    await refuses({ key: 'nobody', secret: 'wrong' })
    await refuses({ key: 'x'.repeat(5000), secret: 'wrong' })
    expect(calls).toEqual(Array.from({ length: 3 }, () => 'findSignInCandidates'))
  })

  it('are limited per key and address, and leave other keys and other addresses alone', async () => {
    const issued = await world.issue('isolated')
    const another = await world.issue('isolated')
    const attempt = (secret: string, address: string, key = issued.key) => {
      return world.core.signIn.basic({ key, secret, address })
    }
    for (let n = 0; n < 10; n += 1) {
      await expect(attempt(`wrong ${n}`, '192.0.2.1')).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    // Even the right one, or guessing would go on.
    await expect(attempt(issued.secret, '192.0.2.1')).rejects.toMatchObject({
      code: 'rate_limited',
      detail: { retryAfterSeconds: expect.any(Number) },
    })
    await attempt(another.secret, '192.0.2.1', another.key)
    await attempt(issued.secret, '192.0.2.2')
  })

  it('of one guesser do not lock out the others behind the same address, whatever their keys', async () => {
    const issued = await world.issue('isolated')
    const address = '192.0.2.77'
    const attempt = (key: string, secret: string) => world.core.signIn.basic({ key, secret, address })
    for (let n = 0; n < 200; n += 1) await attempt(`nobody ${n}`, 'x').catch(() => undefined)
    await expect(attempt('nobody else', 'x')).rejects.toMatchObject({ code: 'rate_limited' })
    await expect(attempt(issued.key, 'x')).rejects.toMatchObject({ code: 'rate_limited' })
    expect((await attempt(issued.key, issued.secret)).credentialId).toBe(issued.credential.id)
    const { token } = await world.core.tokens.issue(await world.signIn(issued))
    await world.core.signIn.bearer({ token, address })
    await expect(world.core.signIn.bearer({ token: 'x', address })).rejects.toMatchObject({ code: 'rate_limited' })
  })

  it('count also when they are many at once', async () => {
    const issued = await world.issue('isolated')
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        world.core.signIn
          .basic({ key: issued.key, secret: `wrong ${n}`, address: '192.0.2.1' })
          .catch(({ code }: { code: string }) => code),
      ),
    )
    expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(10)
    expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(20)
  })

  it('are not what a store that is out of reach counts as', async () => {
    const issued = await world.issue('isolated')
    const attempt = { ...issued, address: '192.0.2.78' }
    held = Promise.reject(new DomainError('unavailable', 'down'))
    held.catch(() => {})
    for (let n = 0; n < 300; n += 1) {
      await expect(world.core.signIn.basic(attempt)).rejects.toMatchObject({ code: 'unavailable' })
    }
    held = undefined
    expect((await world.core.signIn.basic(attempt)).credentialId).toBe(issued.credential.id)
    await expect(world.core.signIn.basic({ ...attempt, secret: 'wrong' })).rejects.toMatchObject(unauthenticated)
  })

  it('are not what the right secret of a key that is switched off counts as', async () => {
    const issued = await world.issue('isolated')
    const { id } = issued.credential
    await world.core.credentials.disable(world.operator, id)
    for (let n = 0; n < 30; n += 1) await refuses(issued)
    await world.core.credentials.enable(world.operator, id)
    await world.signIn(issued)
  })

  it('do not hold up who is already in', async () => {
    const { key, secret } = await world.issue('isolated')
    const address = '192.0.2.1'
    await world.core.signIn.basic({ key, secret, address })
    for (let n = 0; n < 15; n += 1) {
      await world.core.signIn.basic({ key, secret: `wrong ${n}`, address }).catch(() => undefined)
    }
    await world.core.signIn.basic({ key, secret, address })
  })

  it('are counted with their reason for the credential they concern', async () => {
    const issued = await world.issue('isolated')
    await refuses({ ...issued, secret: 'wrong' })
    await world.core.credentials.disable(world.operator, issued.credential.id)
    await refuses(issued)
    const usage = await world.core.usage.list(world.operator, issued.credential.id)
    const reasons = Object.assign({}, ...usage.map(({ refusals }) => refusals)) as object
    expect(reasons).toEqual({ wrong_secret: 1, disabled: 1 })
  })

  it('leave a damaged row to itself', async () => {
    const other = await world.addOrganisation()
    const damaged = await world.issue('isolated', { key: 'one-key' })
    const sound = await world.core.credentials.create(other.operator, {
      name: 'Sound',
      rights: presetRights('xapi'),
      key: 'one-key',
    })
    // As if somebody had copied the sealed value of one row into another.
    const [theirs] = sound.credential.secrets
    const [mine] = damaged.credential.secrets
    await world.storage.directory.updateCredential(
      world.organisationId,
      damaged.credential.id,
      { at: 0, putSecrets: [{ ...mine!, sealed: theirs!.sealed }] },
      {
        at: 0,
        actor: { kind: 'system', name: 'test' },
        action: 'test',
        target: { noun: 'credential', id: 1 },
        detail: {},
      },
    )
    expect((await world.signIn(sound)).organisationId).toBe(other.organisationId)
    await refuses(damaged)
    await refuses({ key: 'one-key', secret: sound.secret }, world.organisationId)
  })
})

describe('a signed request', () => {
  const address = '192.0.2.7'
  /** Signed with `secret`, the way that is no way to sign. */
  const signed = (key: string, secret: string) =>
    world.core.signIn.signed({ key, address, accepts: () => true, fits: (own) => own === secret })

  it('signs in by any secret that lives, and costs no query when warm', async () => {
    const { key, secret, credential } = await world.issue('isolated')
    const second = await world.core.credentials.addSecret(world.operator, credential.id, {})
    const principal = await signed(key, second.secret)
    expect(principal).toMatchObject({ signedInBy: 'signed', key, secretId: second.secretId, address })
    calls = []
    expect((await signed(key, secret)).secretId).not.toBe(second.secretId)
    expect(calls).toEqual([])
    await world.core.credentials.dropSecret(world.operator, credential.id, second.secretId)
    await expect(signed(key, second.secret)).rejects.toMatchObject({ detail: { decidedBy: 'signature' } })
  })

  it('tells an unknown key from a wrong signature and from what has ended', async () => {
    const { key, secret, credential } = await world.issue('isolated')
    await expect(signed('nobody', secret)).rejects.toMatchObject({ ...unauthenticated, detail: { decidedBy: 'key' } })
    await expect(signed(key, 'x')).rejects.toMatchObject({ ...unauthenticated, detail: { decidedBy: 'signature' } })
    await world.core.credentials.disable(world.operator, credential.id)
    await expect(signed(key, secret)).rejects.toMatchObject({ ...unauthenticated, detail: { decidedBy: 'disabled' } })
  })

  it('is no guess when it is right, however many come at once', async () => {
    const { key, secret } = await world.issue('isolated')
    await Promise.all(Array.from({ length: 200 }, () => signed(key, secret)))
    expect((await signed(key, secret)).key).toBe(key)
  })

  it('is limited when it is wrong, and then the right one waits too: guesses are not tried all at once', async () => {
    const { key, secret } = await world.issue('isolated')
    await signed(key, secret)
    const guesses = Array.from({ length: 30 }, () => signed(key, 'x'))
    const codes = (await Promise.allSettled([...guesses, signed(key, secret)])).map((tried) =>
      tried.status === 'rejected' ? (tried.reason as DomainError).code : 'let in',
    )
    const [wrong, refused] = [Array(10).fill('unauthenticated'), Array(20).fill('rate_limited')]
    expect(codes).toEqual([...wrong, ...refused, 'rate_limited'])
  })
})

describe('an organisation that has ended', () => {
  const ended = { code: 'forbidden', detail: { decidedBy: 'organisation expired' } }
  let other: Awaited<ReturnType<OpenCore['addOrganisation']>>
  let issued: IssuedCredential
  let ways: (() => Promise<Principal>)[]
  beforeEach(async () => {
    other = await world.addOrganisation()
    const { credentials, sessions, tokens, signIn } = world.core
    issued = await credentials.create(other.operator, { name: 'Theirs', rights: presetRights('global') })
    const { key, secret, credential } = issued
    const session = await sessions.create(other.operator, credential.id, { expireSeconds: 86_400 })
    const { token } = await tokens.issue(await world.signIn(issued), { expireSeconds: 86_400 })
    ways = [
      () => world.signIn(issued),
      () => world.signIn(session),
      () => signIn.bearer({ token }),
      () => signIn.signed({ key, accepts: () => true, fits: (own) => own === secret }),
    ]
  })
  const end = (expiresAt: number | null) => world.core.organisations.update(other.operator, { expiresAt })
  const letIn = async () => {
    for (const way of ways) expect((await way()).organisationId).toBe(other.organisationId)
  }
  const keptOut = async () => {
    for (const way of ways) await expect(way()).rejects.toMatchObject(ended)
  }

  it('lets nobody in any more, warm or not, whichever way; put off, all again', async () => {
    await letIn()
    await end(world.clock.now() + 1000)
    await letIn()
    world.clock.pass(999)
    await letIn()
    world.clock.pass(1)
    await keptOut()
    await end(null)
    await letIn()
    await end(world.clock.now())
    await keptOut()
    await refuses({ ...issued, secret: 'wrong' })
    await world.signIn(await world.issue('isolated'))
  })

  it('ends what is under way', async () => {
    const since = world.core.signIn.changes
    await end(world.clock.now() + 1000)
    const { changes } = world.core.signIn
    const principal = await world.signIn(issued)
    expect(world.core.signIn.isCurrent(principal, changes)).toBe(true)
    expect(world.core.signIn.isCurrent(principal, since)).toBe(false)
    world.clock.pass(1000)
    expect(world.core.signIn.isCurrent(principal, changes)).toBe(false)
  })

  it('is no guess, and counted for the key', async () => {
    await end(world.clock.now())
    for (let times = 0; times < 30; times++) await expect(world.signIn(issued)).rejects.toMatchObject(ended)
    await world.core.usage.flush()
    const [usage] = await world.storage.directory.listUsage(other.organisationId, issued.credential.id)
    expect(usage?.refusals).toMatchObject({ organisation_expired: 30 })
  })

  it('is no end of what its keys make, which may be put off with it', async () => {
    await end(world.clock.now() + 1000)
    const made = await world.core.sessions.create(await world.signIn(issued), issued.credential.id, {
      expireSeconds: 60,
    })
    expect(made.session.expiresAt).toBe(world.clock.now() + 60_000)
  })
})

describe('the operator', () => {
  it('has every right in one organisation', () => {
    expect(world.operator).toEqual({
      organisationId: world.organisationId,
      name: 'test',
      rights: presetRights('everything'),
    })
  })

  it('does not exist for another organisation’s credentials', async () => {
    const other = await world.addOrganisation()
    const issued = await world.issue('isolated')
    await expect(world.core.credentials.get(other.operator, issued.credential.id)).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})

it('keeps no secret in clear in what it hands out or stores', async () => {
  const issued = await world.issue('isolated', { secret: 'a secret nobody may read' })
  const session = await world.core.sessions.create(world.operator, issued.credential.id)
  await world.signIn(issued)
  const digest = createHash('sha256').update(issued.secret).digest('hex')
  const seen = JSON.stringify([
    await world.core.credentials.get(world.operator, issued.credential.id),
    await world.core.sessions.list(world.operator, issued.credential.id, slice),
    await world.events(),
    await world.signIn(issued),
    await world.core.credentials.list(world.operator, {}, slice),
  ])
  for (const secret of [issued.secret, session.secret, digest]) expect(seen).not.toContain(secret)
})
