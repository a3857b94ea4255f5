import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { LrsId, PlatformId } from './ids.ts'
import type { NewPlatformInput } from './platform.ts'
import type { Caller } from './principal.ts'
import type { ManagementGrant, Rights } from './rights.ts'
import type { PlatformRecord } from './storage.ts'

let world: OpenCore
let neighbour: Awaited<ReturnType<OpenCore['addOrganisation']>>

beforeAll(async () => {
  world = await openCore()
  neighbour = await world.addOrganisation()
})
afterAll(() => world.close())

const secret = '0f8fad5b-d9cb-469f-a165-70867728950e'
const hour = 3_600_000
const slice = { offset: 0, limit: 100 }

let made = 0
const input = (more: Partial<NewPlatformInput> = {}): NewPlatformInput => ({
  ...{ id: `platform-${++made}`, name: 'School', protocol: 'signed-links', settings: { applicationKey: 'k-e-y' } },
  ...more,
})
const create = (more: Partial<NewPlatformInput> = {}, caller: Caller = world.operator) =>
  world.core.platforms.create(caller, input(more))
const secretsOf = (platform: PlatformRecord) => world.core.platforms.openSecrets(platform)

async function manager(lrsId: LrsId, actions: ManagementGrant['actions'], more: Partial<ManagementGrant> = {}) {
  const grant = { area: 'credentials', actions, bound: { kind: 'lrs', id: lrsId }, ...more } as const
  const rights: Rights = { ...presetRights('launch'), management: [grant] }
  return world.signIn(await world.issue('none', { rights }))
}

/** Fails, and nothing is written but, at most, that a grant was refused. */
async function refusedWithout(attempt: () => Promise<unknown>, refusal: object) {
  const look = async () => ({
    platforms: await world.core.platforms.list(world.operator, slice),
    credentials: (await world.core.credentials.list(world.operator, {}, slice)).items.map(({ id, version }) => [
      id,
      version,
    ]),
    events: (await world.events()).filter(({ action }) => action !== 'credential.grant-refused').length,
  })
  const before = await look()
  await expect(attempt()).rejects.toMatchObject(refusal)
  expect(await look()).toEqual(before)
}

describe('a platform', () => {
  it('is made with a key of its own, and a secret that is shown', async () => {
    const { platform, secret: shown } = await create({ id: 'school' })
    expect(platform).toMatchObject({ id: 'school', protocol: 'signed-links', isEnabled: true, version: 1 })
    expect(shown).toMatch(/^[0-9a-f]{40}$/)
    expect(await secretsOf(platform)).toEqual([shown])
    const credential = await world.core.credentials.get(world.operator, platform.credentialId)
    expect(credential).toMatchObject({ kind: 'client', name: 'School', lrsIds: [world.lrsId], pins: {} })
    expect(credential.rights).toEqual(presetRights('launch'))
    expect((await world.events()).at(-1)).toMatchObject({ action: 'platform.create', target: { id: 'school' } })
  })

  it('is found by its path by whoever asks; by nobody else’s management', async () => {
    const { platform } = await create()
    expect(await world.core.platforms.findByPath(platform.id)).toEqual(platform)
    for (const id of ['', 'nowhere', 'A'.repeat(64), 'x\0y', "x'--"]) {
      expect(await world.core.platforms.findByPath(id)).toBeUndefined()
    }
    const { operator } = neighbour
    const { platforms } = world.core
    const absent = { code: 'not_found' }
    expect(await platforms.list(operator, slice)).toEqual({ items: [], total: 0 })
    await refusedWithout(() => platforms.get(operator, platform.id), absent)
    await refusedWithout(() => platforms.reveal(operator, platform.id), absent)
    await refusedWithout(() => platforms.update(operator, platform.id, { name: 'Taken' }), absent)
    await refusedWithout(() => platforms.rotateSecret(operator, platform.id), absent)
    await refusedWithout(() => platforms.remove(operator, platform.id), absent)
    await refusedWithout(() => create({ id: platform.id }, operator), { code: 'conflict' })
    await refusedWithout(() => create({ id: platform.id }), { code: 'conflict' })
  })

  it.each<[string, Partial<NewPlatformInput>, string]>([
    ['an id that stands in no address', { id: 'A school' }, '/id'],
    ['an id of one character', { id: 'a' }, '/id'],
    ['no name', { name: '' }, '/name'],
    ['a name that cannot be stored', { name: 'a\0b' }, '/name'],
    ['no protocol', { protocol: '' }, '/protocol'],
    ['a short secret', { secret: 'x1y2z3'.repeat(5) }, '/secret'],
    ['a secret of few characters', { secret: 'ab'.repeat(16) }, '/secret'],
    ['a secret that cannot be stored', { secret: `${secret}\0` }, '/secret'],
    ['a secret that only looks long', { secret: '😀'.repeat(20) + '12345678' }, '/secret'],
    ['more settings than it needs', { settings: { x: 'x'.repeat(20_000) } }, '/settings'],
    ['rights to manage', { rights: presetRights('everything') }, '/rights'],
  ])('is not made with %s', async (_, wrong, pointer) => {
    const failures = expect.arrayContaining([expect.objectContaining({ pointer })])
    await refusedWithout(() => create(wrong), { code: 'invalid', detail: { failures } })
  })

  it('is not made for an Lrs of others', async () => {
    await refusedWithout(() => create({ lrsId: neighbour.lrsId }), { code: 'invalid' })
  })

  it('never tells its secret or its settings to the audit log', async () => {
    const { platform } = await create({ secret })
    await world.core.platforms.update(world.operator, platform.id, { settings: { applicationKey: 'another k-e-y' } })
    const next = await world.core.platforms.rotateSecret(world.operator, platform.id)
    const events = JSON.stringify(await world.events())
    for (const hidden of [secret, next.secret, 'k-e-y']) expect(events).not.toContain(hidden)
    expect((await world.events()).at(-2)).toMatchObject({ detail: { settings: ['applicationKey'] } })
  })

  it('is changed from what it is, its key with it', async () => {
    const { platform } = await create()
    const changed = await world.core.platforms.update(world.operator, platform.id, {
      name: 'College',
      isEnabled: false,
    })
    expect(changed).toMatchObject({ name: 'College', isEnabled: false, version: 2, settings: platform.settings })
    const credential = await world.core.credentials.get(world.operator, platform.credentialId)
    expect(credential).toMatchObject({ name: 'College', isEnabled: false })
    await refusedWithout(() => world.core.platforms.update(world.operator, platform.id, { name: '' }), {
      code: 'invalid',
    })
  })

  it('goes with its key, and that with nothing else', async () => {
    const { platform } = await create()
    const { credentialId, id } = platform
    await refusedWithout(() => world.core.credentials.remove(world.operator, credentialId), { code: 'conflict' })
    await world.core.platforms.remove(world.operator, id)
    await refusedWithout(() => world.core.platforms.get(world.operator, id), { code: 'not_found' })
    await refusedWithout(() => world.core.credentials.get(world.operator, credentialId), { code: 'not_found' })
  })
})

describe('what is shared with a platform', () => {
  it('is rotated: the one before counts for a day, the one before that no more', async () => {
    const { platform, secret: first } = await create({ secret })
    const rotate = (more = {}) => world.core.platforms.rotateSecret(world.operator, platform.id, more)
    const second = await rotate()
    expect(await secretsOf(second.platform)).toEqual([second.secret, first])
    world.clock.pass(24 * hour)
    expect(await secretsOf(second.platform)).toEqual([second.secret])
    const third = await rotate({ overlapSeconds: 60 })
    const fourth = await rotate({ overlapSeconds: 60 })
    expect(await secretsOf(fourth.platform)).toEqual([fourth.secret, third.secret])
    const fifth = await rotate({ secret: `${secret}-new`, overlapSeconds: 0 })
    expect(await secretsOf(fifth.platform)).toEqual([`${secret}-new`])
    await refusedWithout(() => rotate({ overlapSeconds: -1 }), { code: 'invalid' })
    await refusedWithout(() => rotate({ secret: 'short' }), { code: 'invalid' })
  })

  it('is shown to who may write, and to no one who may only look', async () => {
    const { platform } = await create({ secret })
    const [looks, writes] = [await manager(world.lrsId, ['read']), await manager(world.lrsId, ['read', 'write'])]
    expect((await world.core.platforms.get(looks, platform.id)).id).toBe(platform.id)
    await refusedWithout(() => world.core.platforms.reveal(looks, platform.id), { code: 'forbidden' })
    const revealed = await world.core.platforms.reveal(writes, platform.id)
    expect(revealed.secrets.map(({ value }) => value)).toEqual([secret])
  })
})

describe('management that is bound to an Lrs', () => {
  it('covers the platforms of that Lrs', async () => {
    const lrs = await world.core.lrs.create(world.operator, { name: 'Elsewhere' })
    const inside = await manager(lrs.id, ['read', 'write', 'delete'])
    await refusedWithout(() => create({}, inside), { code: 'forbidden' })
    const { platform } = await create({ lrsId: lrs.id }, inside)
    const { platform: other } = await create()
    expect((await world.core.platforms.list(inside, slice)).items.map(({ id }) => id)).toEqual([platform.id])
    await refusedWithout(() => world.core.platforms.get(inside, other.id), { code: 'forbidden' })
    await refusedWithout(() => world.core.platforms.rotateSecret(inside, other.id), { code: 'forbidden' })
    await refusedWithout(() => world.core.platforms.remove(inside, other.id), { code: 'forbidden' })
    await world.core.platforms.remove(inside, platform.id)
  })

  it('and to what it has itself makes none that may do more', async () => {
    const delegated = await manager(world.lrsId, ['read', 'write'], { within: true })
    await refusedWithout(() => create({ rights: presetRights('xapi') }, delegated), { code: 'forbidden' })
    const { platform } = await create({}, delegated)
    // What that one stores is not its own: it would read and write as somebody else.
    await refusedWithout(() => world.core.platforms.rotateSecret(delegated, platform.id), { code: 'forbidden' })
  })

  it('is needed at all: a key without it manages no platform', async () => {
    const { platform } = await create()
    const plain = await world.signIn(await world.issue('xapi'))
    for (const attempt of [
      () => create({}, plain),
      () => world.core.platforms.get(plain, platform.id),
      () => world.core.platforms.list(plain, slice),
      () => world.core.platforms.get(plain, 'nowhere' as PlatformId),
    ])
      await refusedWithout(attempt, { code: 'forbidden' })
  })
})
