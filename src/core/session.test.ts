import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { IssuedCredential } from './credential.ts'
import type { Principal } from './principal.ts'
import type { NewSessionInput } from './session.ts'

let world: OpenCore
let issued: IssuedCredential
let parent: Principal

beforeAll(async () => {
  world = await openCore()
  issued = await world.issue('isolated', { pins: { actor: [{ accountName: 'ada' }] } })
  parent = await world.signIn(issued)
})
afterAll(() => world.close())

const slice = { offset: 0, limit: 10 }
const create = (input?: NewSessionInput) => world.core.sessions.create(parent, issued.credential.id, input)

async function refusedWithout(attempt: () => Promise<unknown>, refusal: object) {
  const before = (await world.core.sessions.list(world.operator, issued.credential.id, slice)).total
  const events = (await world.events()).length
  await expect(attempt()).rejects.toMatchObject(refusal)
  expect((await world.core.sessions.list(world.operator, issued.credential.id, slice)).total).toBe(before)
  expect((await world.events()).length).toBe(events)
}

describe('a session', () => {
  it('signs in as its parent, with its own key', async () => {
    const { session, key, secret } = await create()
    const principal = await world.signIn({ key, secret })
    expect(principal).toMatchObject({
      credentialId: issued.credential.id,
      sessionId: session.id,
      key,
      name: parent.name,
      rights: parent.rights,
      pins: parent.pins,
      authority: parent.authority,
      notAfter: world.clock.now() + 3_600_000,
    })
    expect(principal.secretId).toBeUndefined()
    expect((await world.events()).at(-1)).toMatchObject({
      action: 'session.create',
      actor: { kind: 'credential', id: issued.credential.id },
      target: { noun: 'session', id: session.id },
    })
  })

  it('may be narrower in rights and pins', async () => {
    const rights = presetRights('write-only')
    const made = await create({ rights, pins: { actor: [{ accountName: 'ada', homePage: 'https://x.example' }] } })
    expect(await world.signIn(made)).toMatchObject({
      rights,
      pins: { actor: [{ accountName: 'ada', homePage: 'https://x.example' }] },
    })
  })

  it('is never wider than its parent', async () => {
    await refusedWithout(() => create({ rights: presetRights('xapi') }), { code: 'forbidden' })
    await refusedWithout(() => create({ pins: { actor: [{ accountName: 'bob' }] } }), { code: 'invalid' })
    await expect(create({ rights: presetRights('xapi') })).rejects.toThrow('lacks statements/read any')
  })

  it('may do nothing on the xAPI once its pins contradict those its parent got', async () => {
    const own = await world.issue('xapi')
    const made = await world.core.sessions.create(world.operator, own.credential.id, { pins: { activity: 'urn:a' } })
    await world.core.credentials.update(world.operator, own.credential.id, { pins: { activity: 'urn:b' } })
    expect((await world.signIn(made)).rights.xapi).toEqual({})
  })

  it('cannot create sessions, of itself or of anybody', async () => {
    const own = await world.issue('xapi-and-management')
    const child = await world.signIn(await world.core.sessions.create(world.operator, own.credential.id))
    const attempt = (id: typeof own.credential.id) => world.core.sessions.create(child, id)
    await expect(attempt(own.credential.id)).rejects.toMatchObject({ code: 'forbidden' })
    await refusedWithout(() => attempt(issued.credential.id), { code: 'forbidden', detail: { decidedBy: 'session' } })
  })

  it.each([0, -1, 1.5, 30 * 86_400 + 1, Number.NaN])('does not live %s seconds', async (expireSeconds) => {
    await refusedWithout(() => create({ expireSeconds }), { code: 'invalid' })
  })

  it('made with a token ends with the token', async () => {
    const own = await world.issue('isolated')
    const { token, expiresAt } = await world.core.tokens.issue(await world.signIn(own), {
      expireSeconds: 60,
      rights: presetRights('write-only'),
    })
    const bearer = await world.core.signIn.bearer({ token })
    const { session } = await world.core.sessions.create(bearer, own.credential.id, { expireSeconds: 3600 })
    expect(session.expiresAt).toBe(expiresAt)
    expect(session.rights).toEqual(presetRights('write-only'))
  })
})

describe('whose sessions', () => {
  it('are one’s own, or those of what one manages', async () => {
    const stranger = await world.signIn(await world.issue('xapi'))
    await refusedWithout(() => world.core.sessions.create(stranger, issued.credential.id), { code: 'forbidden' })
    await expect(world.core.sessions.list(stranger, issued.credential.id, slice)).rejects.toMatchObject({
      code: 'forbidden',
    })
    const manager = await world.signIn(await world.issue('management'))
    const { session } = await world.core.sessions.create(manager, issued.credential.id)
    expect(await world.core.sessions.get(parent, issued.credential.id, session.id)).toEqual(session)
  })

  it('are hidden from their siblings', async () => {
    const [one, two] = [await create(), await create()]
    const child = await world.signIn(one)
    const { credentialId, id } = two.session
    await expect(world.core.sessions.list(child, credentialId, slice)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(world.core.sessions.get(child, credentialId, id)).rejects.toMatchObject({ code: 'forbidden' })
    await expect(world.core.sessions.remove(child, credentialId, id)).rejects.toMatchObject({ code: 'forbidden' })
    await world.signIn(two)
    await world.core.sessions.remove(child, credentialId, one.session.id)
    await expect(world.signIn(one)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('of another organisation are not found', async () => {
    const other = await world.addOrganisation()
    const attempt = world.core.sessions.create(other.operator, issued.credential.id)
    await expect(attempt).rejects.toMatchObject({ code: 'not_found' })
  })

  it('of a stronger key are out of reach for delegated management', async () => {
    const delegate = await world.signIn(await world.issue('delegated-management'))
    const strong = await world.issue('everything')
    await expect(world.core.sessions.create(delegate, strong.credential.id)).rejects.toMatchObject({
      code: 'forbidden',
    })
    await world.core.sessions.create(delegate, (await world.issue('xapi')).credential.id)
  })

  it('of an isolated key too, for a delegate that is isolated itself: their data is not its own', async () => {
    const { management } = presetRights('delegated-management')
    const delegate = await world.signIn(
      await world.issue('isolated', { rights: { ...presetRights('isolated'), management } }),
    )
    const isolated = await world.issue('isolated')
    const attempt = world.core.sessions.create(delegate, isolated.credential.id)
    await expect(attempt).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('the end of sessions', () => {
  it('stands under the secret that made it, or else the current one', async () => {
    const own = await world.issue('isolated')
    const self = await world.signIn(own)
    const byOld = await world.core.sessions.create(self, own.credential.id)
    await world.core.credentials.rotate(world.operator, own.credential.id, { overlapSeconds: 60 })
    const byOldAgain = await world.core.sessions.create(self, own.credential.id)
    const byOperator = await world.core.sessions.create(world.operator, own.credential.id)
    for (const session of [byOld, byOldAgain, byOperator]) await world.signIn(session)
    world.clock.pass(60_000)
    for (const session of [byOld, byOldAgain]) {
      await expect(world.signIn(session)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    await world.signIn(byOperator)
  })

  it('is not made where no secret is usable', async () => {
    const own = await world.issue('isolated')
    const { id, secrets } = own.credential
    for (const secret of secrets)
      await world.core.credentials.updateSecret(world.operator, id, secret.id, { isEnabled: false })
    await expect(world.core.sessions.create(world.operator, id)).rejects.toMatchObject({ code: 'conflict' })
    expect((await world.core.sessions.list(world.operator, id, slice)).total).toBe(0)
  })

  it('is swept a day after', async () => {
    const own = await world.issue('isolated')
    await world.core.sessions.create(world.operator, own.credential.id, { expireSeconds: 10 })
    world.clock.pass(86_400_000)
    await world.core.sessions.sweep()
    expect((await world.core.sessions.list(world.operator, own.credential.id, slice)).total).toBe(1)
    world.clock.pass(10_001)
    expect(await world.core.sessions.sweep()).toBeGreaterThan(0)
    expect((await world.core.sessions.list(world.operator, own.credential.id, slice)).total).toBe(0)
  })
})
