import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import { makeApplication } from '../../test/support/application.ts'
import { authorise } from './access.ts'
import type { LrsId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { ManagementAction, ManagementArea } from './rights.ts'
import type { LrsRecord } from './storage.ts'

let world: OpenCore
let lrs: LrsRecord
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())
beforeEach(async () => void (lrs = await world.core.lrs.create(world.operator, { name: 'Second' })))

const all = () => world.storage.directory.listLrs(world.organisationId)
const lastEvents = async (count: number) => (await world.events()).slice(-count)

/** A key that manages this one Lrs. */
async function managerOf(id: LrsId, ...actions: readonly ManagementAction[]): Promise<Caller> {
  const grants = (['data', 'credentials'] as const).map((area: ManagementArea) => {
    return { area, actions, bound: { kind: 'lrs', id } as const }
  })
  const rights = { xapi: {}, management: grants }
  return world.signIn(await world.issue('none', { rights, lrsIds: [id] }))
}

async function refused(attempt: () => Promise<unknown>, error: object): Promise<void> {
  const before = [await all(), await world.events()]
  await expect(attempt()).rejects.toMatchObject(error)
  expect([await all(), await world.events()]).toEqual(before)
}

describe('creating', () => {
  it('takes a description, words and the time of another system, and audits without the words', async () => {
    const given = { name: 'Described', description: 'Two\nlines\t漢字', words: { face: { a: 1 } }, createdAt: 5 }
    const created = await world.core.lrs.create(world.operator, { ...given, updatedAt: 6 })
    expect(created).toMatchObject({ ...given, updatedAt: 6, deletedAt: null })
    const [event] = await lastEvents(1)
    expect(event).toMatchObject({
      action: 'lrs.create',
      at: world.clock.now(),
      target: { noun: 'lrs', id: created.id },
    })
    expect(JSON.stringify(event)).not.toContain('face')
  })

  it.each([
    [{ name: 'a\u0000' }, '/name'],
    [{ description: 'a\u0000' }, '/description'],
    [{ description: '\ud800' }, '/description'],
    [{ description: 'x'.repeat(10_001) }, '/description'],
    [{ words: { face: 'x'.repeat(20_001) } }, '/words'],
    [{ createdAt: -1 }, '/createdAt'],
    [{ updatedAt: 1.5 }, '/updatedAt'],
    [{ oid: 'short' }, '/oid'],
  ])('refuses %o with a pointer', async (input, pointer) => {
    const failures = [expect.objectContaining({ pointer })]
    await refused(() => world.core.lrs.create(world.operator, { name: 'x', ...(input as object) }), {
      code: 'invalid',
      detail: { failures },
    })
  })

  it('lets operators choose identifiers and the time of the last change, nobody else', async () => {
    const manager = await world.signIn(await world.issue('management'))
    for (const chosen of [{ id: 4_711 as LrsId }, { oid: 'a'.repeat(24) as LrsRecord['oid'] }, { updatedAt: 1 }]) {
      const attempt = () => world.core.lrs.create(manager, { name: 'x', ...chosen })
      await refused(attempt, { code: 'forbidden', detail: { decidedBy: 'operator' } })
    }
    expect((await world.core.lrs.create(manager, { name: 'Theirs', createdAt: 9 })).createdAt).toBe(9)
  })
})

describe('updating', () => {
  it('changes what is named, and audits without the words', async () => {
    world.clock.pass(1000)
    const change = { name: 'Renamed', description: 'About it', words: { face: 1 }, createdAt: 3 }
    const updated = await world.core.lrs.update(world.operator, lrs.id, change)
    expect(updated).toEqual({ ...lrs, ...change, updatedAt: world.clock.now() })
    const detail = { name: 'Renamed', description: 'About it', createdAt: 3 }
    expect(await lastEvents(1)).toMatchObject([{ action: 'lrs.update', target: { noun: 'lrs', id: lrs.id }, detail }])
    expect(JSON.stringify(await lastEvents(1))).not.toContain('face')
  })

  it('needs management of the data of this Lrs', async () => {
    const [own, reader] = [await managerOf(lrs.id, 'write'), await managerOf(lrs.id, 'read')]
    expect((await world.core.lrs.update(own, lrs.id, { name: 'Own' })).name).toBe('Own')
    for (const caller of [own, reader]) {
      const id = caller === own ? world.lrsId : lrs.id
      await refused(() => world.core.lrs.update(caller, id, { name: 'x' }), { code: 'forbidden' })
    }
    await refused(() => world.core.lrs.update(world.operator, lrs.id, { name: '\u0000' }), { code: 'invalid' })
  })

  it('finds nothing of another organisation, nothing that is deleted', async () => {
    const other = await world.addOrganisation()
    const { core } = world
    await core.lrs.remove(world.operator, lrs.id)
    for (const id of [other.lrsId, lrs.id, 99_999 as LrsId]) {
      await refused(() => core.lrs.update(world.operator, id, { name: 'x' }), { code: 'not_found' })
      await refused(() => core.lrs.remove(world.operator, id), { code: 'not_found' })
    }
    await refused(() => core.lrs.restore(world.operator, other.lrsId), { code: 'not_found' })
    await refused(() => core.lrs.restore(world.operator, world.lrsId), { code: 'conflict' })
    expect((await world.storage.directory.listLrs(other.organisationId))[0]?.name).toBe('Default')
  })
})

describe('deleting', () => {
  it('closes it for every key at once, leaves it out of lists, and keeps what it holds until it is restored', async () => {
    const { core, operator } = world
    const issued = await world.issue('global', { lrsIds: [lrs.id] })
    const access = { kind: 'xapi', right: 'statements/read', lrsId: lrs.id } as const
    const mayRead = async () => authorise(await world.signIn(issued), access)
    expect(await mayRead()).toBe('any')
    world.clock.pass(1000)
    const removed = await core.lrs.remove(operator, lrs.id)
    const deletedAt = world.clock.now()
    expect(removed).toEqual({ ...lrs, deletedAt, updatedAt: deletedAt })
    const closed = { code: 'forbidden', detail: { decidedBy: 'lrs closed' } }
    await expect(mayRead()).rejects.toMatchObject(closed)
    expect((await core.lrs.list(operator)).map(({ id }) => id)).not.toContain(lrs.id)
    expect(await core.lrs.list(operator, { withDeleted: true })).toContainEqual(removed)
    await expect(core.lrs.get(operator, lrs.id)).rejects.toMatchObject({ code: 'not_found' })
    expect(await core.lrs.get(operator, lrs.id, { withDeleted: true })).toEqual(removed)
    world.clock.pass(1000)
    expect(await core.lrs.restore(operator, lrs.id)).toEqual({ ...lrs, updatedAt: world.clock.now() })
    expect(await mayRead()).toBe('any')
    const detail = { name: 'Second' }
    expect(await lastEvents(2)).toMatchObject([
      { action: 'lrs.delete', target: { noun: 'lrs', id: lrs.id }, detail },
      { action: 'lrs.restore', target: { noun: 'lrs', id: lrs.id }, detail },
    ])
  })

  it('leaves out whatever paths lead to', async () => {
    const { id } = await makeApplication(world.core, world.operator)
    const { liveLrsId, sandboxLrsId } = (await world.storage.directory.findApplication(world.organisationId, id))!
    for (const needed of [world.lrsId, liveLrsId, sandboxLrsId]) {
      await refused(() => world.core.lrs.remove(world.operator, needed), { code: 'conflict' })
    }
  })

  it('needs the right to delete, there and back', async () => {
    const [remover, writer] = [await managerOf(lrs.id, 'delete'), await managerOf(lrs.id, 'read', 'write')]
    await refused(() => world.core.lrs.remove(writer, lrs.id), { code: 'forbidden' })
    await world.core.lrs.remove(remover, lrs.id)
    await refused(() => world.core.lrs.restore(writer, lrs.id), { code: 'forbidden' })
    expect((await world.core.lrs.restore(remover, lrs.id)).deletedAt).toBeNull()
  })

  it('makes it nobody’s default', async () => {
    await world.core.lrs.remove(world.operator, lrs.id)
    const attempt = () => world.core.organisations.update(world.operator, { defaultLrsId: lrs.id })
    await refused(attempt, { code: 'invalid' })
  })
})

describe('an organisation', () => {
  it('has its end from an operator, and from none of its own keys', async () => {
    const { core, operator } = world
    const other = await world.addOrganisation()
    const at = world.clock.now() + 1000
    const updated = await core.organisations.update(other.operator, { expiresAt: at, words: { face: 1 } })
    expect(updated).toMatchObject({ expiresAt: at, words: { face: 1 }, updatedAt: world.clock.now() })
    const [event] = (await world.events(other.organisationId)).slice(-1)
    expect(event).toMatchObject({ action: 'organisation.update', detail: { expiresAt: at } })
    expect(JSON.stringify(event)).not.toContain('face')
    const manager = await world.signIn(await world.issue('management'))
    const putOff = () => core.organisations.update(manager, { expiresAt: null })
    await refused(putOff, { code: 'forbidden', detail: { decidedBy: 'operator' } })
    await refused(() => core.organisations.update(operator, { expiresAt: -1 }), { code: 'invalid' })
    expect((await core.organisations.update(manager, { words: { face: 2 } })).words).toEqual({ face: 2 })
  })

  it('is created as it was elsewhere', async () => {
    const lrsGiven = { description: 'First', words: { a: 1 }, createdAt: 3, updatedAt: 4 }
    const given = { name: 'Moved', expiresAt: 9e12, words: { face: 1 }, createdAt: 1, updatedAt: 2 }
    const made = await world.core.organisations.create({ operator: 'test' }, { ...given, lrs: lrsGiven })
    expect(made.organisation).toMatchObject(given)
    expect(made.lrs).toMatchObject({ ...lrsGiven, name: 'Default' })
    const [event] = await world.events(made.organisation.id)
    expect(event).toMatchObject({ action: 'organisation.create', at: world.clock.now() })
  })
})
