import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import { createCore } from './core.ts'
import { DomainError } from './errors.ts'
import type { LrsId, OrganisationId } from './ids.ts'
import { rotateMasterKey } from './vault.ts'

let world: OpenCore
beforeEach(async () => void (world = await openCore()))
afterEach(() => world.close())

const limits = { batch: 10, bodyBytes: 1000, documentBytes: 1000, xapiRatePerMinute: undefined }
const [otherKey, thirdKey] = [Buffer.alloc(32, 8), Buffer.alloc(32, 9)]

/** A second core over the same store, as after a restart. */
function restart(masterKey: Buffer, masterKeyPrevious?: Buffer) {
  const { storage, clock } = world
  return createCore({ storage, clock, baseUrl: 'https://lrs.example.org', limits, masterKey, masterKeyPrevious })
}

describe('closing', () => {
  it.each([
    [new DomainError('unavailable', 'gone'), [['warn', { reason: 'gone' }]]],
    [new Error('a defect'), [['error', { err: new Error('a defect') }]]],
  ])('while counters cannot be written (%s) says so once, plainly unless it is a defect', async (error, said) => {
    const lines: unknown[] = []
    const note = (level: string) => (fields: object) => void lines.push([level, fields])
    const log = { info: note('info'), warn: note('warn'), error: note('error') }
    const { storage, clock, masterKey } = world
    vi.spyOn(storage.platform, 'addUsage').mockRejectedValue(error)
    const core = await createCore({ storage, clock, baseUrl: 'https://lrs.example.org', limits, masterKey, log })
    core.usage.count(await world.signIn(await world.issue('isolated')))
    await core.close()
    expect(lines).toEqual(said)
  })
})

describe('the master key', () => {
  it('must be the one the store was made with', async () => {
    await expect(restart(otherKey)).rejects.toMatchObject({ code: 'invalid' })
    await expect(restart(otherKey)).rejects.toThrow('master key is not the one')
  })

  it('is rotated at start when the previous one is given, for every organisation', async () => {
    const other = await world.addOrganisation()
    const issued = await world.issue('isolated')
    const { token } = await world.core.tokens.issue(await world.signIn(issued))
    const core = await restart(otherKey, world.masterKey)
    for (const id of [world.organisationId, other.organisationId]) {
      const event = { action: 'master-key.rotate', actor: { kind: 'system' }, target: { noun: 'master-key' } }
      expect((await world.events(id)).at(-1)).toMatchObject(event)
    }
    await core.signIn.basic(issued)
    await core.signIn.bearer({ token })
    await core.credentials.create(core.signIn.operator(other.organisationId, 'test'), {
      name: 'After',
      rights: { xapi: {}, management: [] },
    })
    await expect(restart(world.masterKey)).rejects.toMatchObject({ code: 'invalid' })
    await (await restart(otherKey, world.masterKey)).signIn.basic(issued)
  })

  it('leaves every pair with whoever has it when it is rotated', async () => {
    const other = await world.addOrganisation()
    const issued = await world.issue('isolated')
    const gone = await world.issue('isolated')
    await world.core.credentials.remove(world.operator, gone.credential.id)
    const core = await restart(otherKey, world.masterKey)
    expect((await core.signIn.basic(issued)).organisationId).toBe(world.organisationId)
    for (const { key, secret } of [issued, gone]) {
      const copy = { name: 'Copy', rights: { xapi: {}, management: [] }, key, secret }
      const attempt = core.credentials.create(core.signIn.operator(other.organisationId, 'test'), copy)
      await expect(attempt).rejects.toMatchObject({
        code: 'conflict',
        message: 'This key and secret are already in use.',
      })
    }
  })

  it('is not rotated from a wrong one', async () => {
    await expect(rotateMasterKey(world.storage.platform, otherKey, thirdKey)).rejects.toMatchObject({ code: 'invalid' })
    await expect(restart(thirdKey, otherKey)).rejects.toMatchObject({ code: 'invalid' })
    await restart(world.masterKey)
  })

  it('opens nothing when wrapped keys were swapped between organisations', async () => {
    const other = await world.addOrganisation()
    const issued = await world.issue('isolated')
    const mine = await world.core.organisations.get(world.operator)
    const theirs = await world.core.organisations.get(other.operator)
    await world.storage.platform.rewrapKeys(world.core.vault.newCheck(), [
      { id: mine.id, wrappedKey: theirs.wrappedKey },
      { id: theirs.id, wrappedKey: mine.wrappedKey },
    ])
    const core = await restart(world.masterKey)
    await expect(core.signIn.basic(issued)).rejects.toMatchObject({ code: 'unauthenticated' })
  })
})

describe('organisations', () => {
  it('keep chosen identifiers, once', async () => {
    const id = 4711 as OrganisationId
    const made = await world.core.organisations.create(
      { operator: 'test' },
      { name: 'Moved', id, lrs: { id: 9 as LrsId } },
    )
    expect(made).toMatchObject({ organisation: { id, defaultLrsId: 9 }, lrs: { id: 9, name: 'Default' } })
    const again = world.core.organisations.create({ operator: 'test' }, { name: 'Twice', id })
    await expect(again).rejects.toMatchObject({ code: 'conflict' })
  })

  it('are changed by who manages their settings', async () => {
    const manager = await world.signIn(await world.issue('management'))
    const second = await world.core.lrs.create(manager, { name: 'Second' })
    const change = { name: 'Renamed', defaultLrsId: second.id, switches: { 'a.b': 201 } }
    expect(await world.core.organisations.update(manager, change)).toMatchObject(change)
    expect((await world.events()).at(-1)).toMatchObject({ action: 'organisation.update', detail: change })
    // Takes effect on who is signed in already.
    const plain = await world.issue('isolated')
    expect((await world.signIn(plain)).defaultLrsId).toBe(second.id)
    await world.core.organisations.update(manager, { defaultLrsId: world.lrsId })
    expect((await world.signIn(plain)).defaultLrsId).toBe(world.lrsId)
  })

  it('are not changed by others, nor towards a foreign Lrs', async () => {
    const other = await world.addOrganisation()
    const before = await world.core.organisations.get(world.operator)
    const plain = await world.signIn(await world.issue('global'))
    await expect(world.core.organisations.update(plain, { name: 'x' })).rejects.toMatchObject({ code: 'forbidden' })
    const foreign = world.core.organisations.update(world.operator, { defaultLrsId: other.lrsId })
    await expect(foreign).rejects.toMatchObject({ code: 'invalid' })
    expect(await world.core.organisations.get(world.operator)).toEqual(before)
  })
})

describe('Lrs', () => {
  it('are listed as far as the caller reaches', async () => {
    const second = await world.core.lrs.create(world.operator, { name: 'Second' })
    const other = await world.addOrganisation()
    const plain = await world.signIn(await world.issue('global'))
    expect((await world.core.lrs.list(world.operator)).map(({ id }) => id)).toEqual([world.lrsId, second.id])
    expect((await world.core.lrs.list(plain)).map(({ id }) => id)).toEqual([world.lrsId])
    await expect(world.core.lrs.get(plain, second.id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(world.core.lrs.get(world.operator, other.lrsId)).rejects.toMatchObject({ code: 'not_found' })
    await expect(world.core.lrs.create(plain, { name: 'Mine' })).rejects.toMatchObject({ code: 'forbidden' })
  })
})

it('closes once, however often it is asked', async () => {
  await Promise.all([world.core.close(), world.core.close()])
  await world.core.close()
})
