// Who may make, see, change and delete pipes, and what of them is written down.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { ApplicationId, LrsId, PipeId } from './ids.ts'
import type { NewPipeInput } from './pipe.ts'
import type { Caller, Principal } from './principal.ts'
import { managementActions } from './rights.ts'
import type { Bound, ManagementAction } from './rights.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

const password = 'the password of the target'
const target = { url: 'https://lrs.example.net/xapi', user: 'ann', password }
const create = (caller: Caller, input: Partial<NewPipeInput> = {}) =>
  world.core.pipes.create(caller, { source: { lrsId: world.lrsId }, target, ...input })

async function key(bound: Bound, actions: readonly ManagementAction[] = managementActions): Promise<Principal> {
  const rights = { xapi: {}, management: [{ area: 'forwarding', actions, bound }] } as const
  return world.signIn(await world.core.credentials.create(world.operator, { name: 'k', rights }))
}

async function addApplication(caller = world.operator) {
  const { id, liveLrsId, sandboxLrsId } = await world.core.applications.create(caller, { name: 'A' })
  const { secret } = await world.core.applications.addSecret(caller, id, { name: 's' })
  return { id, liveLrsId, sandboxLrsId, principal: await world.signIn({ key: id, secret }) }
}

const refused = async (promise: Promise<unknown>, code: string) => {
  promise.catch(() => {})
  const before = (await world.events()).length
  await expect(promise).rejects.toMatchObject({ code })
  expect(await world.events()).toHaveLength(before)
}

describe('an application’s key', () => {
  it('manages pipes from its own two Lrs, and from elsewhere', async () => {
    const { id: applicationId, liveLrsId, sandboxLrsId, principal } = await addApplication()
    const sources = [undefined, { lrsId: sandboxLrsId }, { endpoint: { ...target, url: 'https://a.example/x' } }]
    const made = await Promise.all(
      sources.map((source) => world.core.pipes.create(principal, { applicationId, target, ...(source && { source }) })),
    )
    expect(made.map(({ lrsId }) => lrsId)).toEqual([liveLrsId, sandboxLrsId, null])
    expect(await world.core.pipes.list(principal, applicationId)).toHaveLength(3)
    for (const { id } of made) await world.core.pipes.remove(principal, id)
  })

  it('reaches no other Lrs, no other application’s pipe and none of the organisation', async () => {
    const [one, other] = [await addApplication(), await addApplication()]
    const { pipes } = world.core
    const theirs = await pipes.create(other.principal, { applicationId: other.id, target })
    const own = await pipes.create(one.principal, { applicationId: one.id, target })
    const organisations = await create(world.operator)
    const fromItsOwn = await create(world.operator, { source: { lrsId: one.liveLrsId } })
    await refused(create(one.principal, { source: { lrsId: one.liveLrsId } }), 'forbidden')
    for (const lrsId of [other.liveLrsId, world.lrsId]) {
      await refused(create(one.principal, { applicationId: one.id, source: { lrsId } }), 'invalid')
      await refused(pipes.update(one.principal, own.id, { source: { lrsId } }), 'invalid')
      await refused(create(one.principal, { source: { lrsId } }), 'forbidden')
    }
    await refused(pipes.create(one.principal, { applicationId: other.id, target }), 'not_found')
    await refused(pipes.list(one.principal), 'forbidden')
    await refused(pipes.list(one.principal, other.id), 'not_found')
    for (const { id } of [theirs, organisations, fromItsOwn]) {
      await refused(pipes.get(one.principal, id), 'not_found')
      await refused(pipes.update(one.principal, id, { target }), 'not_found')
      await refused(pipes.pause(one.principal, id), 'not_found')
      await refused(pipes.resume(one.principal, id), 'not_found')
      await refused(pipes.remove(one.principal, id), 'not_found')
    }
  })
})

describe('management of forwarding', () => {
  it('goes as far as its bound', async () => {
    const { id: secondLrs } = await world.core.lrs.create(world.operator, { name: 'Second' })
    const ofOne = await key({ kind: 'lrs', id: world.lrsId })
    const { id } = await create(ofOne)
    expect((await world.core.pipes.get(ofOne, id)).lrsId).toBe(world.lrsId)
    await refused(create(ofOne, { source: { lrsId: secondLrs } }), 'forbidden')
    await refused(create(ofOne, { source: { endpoint: { ...target, url: 'https://a.example/x' } } }), 'forbidden')
    const theirs = await create(world.operator, { source: { lrsId: secondLrs } })
    await refused(world.core.pipes.get(ofOne, theirs.id), 'not_found')
    await refused(world.core.pipes.update(ofOne, id, { source: { lrsId: secondLrs } }), 'forbidden')
    await create(await key({ kind: 'organisation' }), { source: { lrsId: secondLrs } })
  })

  it('that may read shows no password; each action is one of its own', async () => {
    const { id } = await create(world.operator)
    const { pipes } = world.core
    const [reader, writer, deleter] = await Promise.all(
      managementActions.map((action) => key({ kind: 'organisation' }, [action])),
    )
    const shown = [await pipes.get(reader!, id), ...(await pipes.list(reader!))]
    expect(JSON.stringify(shown)).not.toContain(password)
    expect((await pipes.get(world.operator, id)).target).toEqual(target)
    for (const caller of [writer!, deleter!]) await refused(pipes.get(caller, id), 'forbidden')
    for (const caller of [reader!, deleter!]) await refused(pipes.pause(caller, id), 'forbidden')
    for (const caller of [reader!, writer!]) await refused(pipes.remove(caller, id), 'forbidden')
    expect((await pipes.pause(writer!, id)).pausedBecause).toBe('Paused by k.')
    await pipes.remove(deleter!, id)
  })

  it('of another organisation finds nothing', async () => {
    const { id } = await create(world.operator)
    const { operator, lrsId } = await world.addOrganisation()
    await expect(world.core.pipes.get(operator, id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(world.core.pipes.remove(operator, id)).rejects.toMatchObject({ code: 'not_found' })
    await expect(create(operator, { source: { lrsId: world.lrsId } })).rejects.toMatchObject({ code: 'invalid' })
    expect(await world.core.pipes.list(operator)).toEqual([])
    expect((await create(operator, { source: { lrsId } })).lrsId).toBe(lrsId)
  })
})

it('what is written down holds no secret, sealed where it stands, and says who did what', async () => {
  const before = (await world.events()).length
  const { id } = await create(world.operator, {
    source: {
      lrsId: world.lrsId,
      shown: { url: 'https://lrs.example.org/x/statements', user: 'u', password: 'hidden' },
    },
  })
  await world.core.pipes.pause(world.operator, id)
  await world.core.pipes.pause(world.operator, id)
  await world.core.pipes.resume(world.operator, id)
  await world.core.pipes.update(world.operator, id, { target: { ...target, password: 'another password' } })
  await world.core.pipes.remove(world.operator, id)
  const events = (await world.events()).slice(before)
  const names = ['create', 'pause', 'resume', 'update', 'delete']
  expect(events.map(({ action, target: of }) => [action, of.id])).toEqual(names.map((name) => [`pipe.${name}`, id]))
  const record = JSON.stringify(events)
  for (const secret of [password, 'hidden', 'another password']) expect(record).not.toContain(secret)
  expect(events[0]?.detail).toEqual({ lrsId: world.lrsId, target: target.url, targetUser: 'ann' })
})

it('a sealed password opens in its own place only', async () => {
  const [one, other] = [await create(world.operator), await create(world.operator)]
  const { directory } = world.storage
  const sealed = (await directory.findPipe(world.organisationId, one.id))!.target
  expect(sealed).not.toContain('password')
  const event = {
    at: 1,
    actor: { kind: 'system', name: 't' },
    action: 'x.y',
    target: { noun: 'x', id: 1 },
    detail: null,
  } as const
  await directory.updatePipe(world.organisationId, other.id, { target: sealed, at: 1 }, event)
  await expect(world.core.pipes.get(world.operator, other.id)).rejects.toMatchObject({ code: 'internal' })
  await directory.deletePipe(world.organisationId, other.id, event)
})

describe('is refused', () => {
  const elsewhere = (url: string) => ({ source: { endpoint: { url, user: '', password: '' } } })
  it.each<[string, Partial<NewPipeInput>]>([
    ['a target that is no address', { target: { ...target, url: 'somewhere' } }],
    ['another scheme', { target: { ...target, url: 'file:///etc/passwd' } }],
    ['a password in the address', { target: { ...target, url: 'https://a:b@lrs.example.net/' } }],
    ['a query', { target: { ...target, url: 'https://lrs.example.net/?a=b' } }],
    ['an empty fragment', { target: { ...target, url: 'https://lrs.example.net/#' } }],
    ['/statements', { target: { ...target, url: 'https://lrs.example.net/statements/' } }],
    ['a line break in a name', { target: { ...target, user: 'a\r\nX-Evil: 1' } }],
    ['a colon in a name', { target: { ...target, user: 'a:b' } }],
    ['a source that is no address', elsewhere('nowhere')],
    ['a source that is the target', elsewhere(target.url)],
  ])('%s', async (_, input) => refused(create(world.operator, input), 'invalid'))

  it('a target known to be the source itself, an Lrs that is not there, no source at all', async () => {
    await refused(create(world.operator, { targetLrsId: world.lrsId }), 'invalid')
    await refused(create(world.operator, { source: { lrsId: 99_999 as LrsId } }), 'invalid')
    await refused(world.core.pipes.create(world.operator, { target }), 'invalid')
    await refused(create(world.operator, { applicationId: 'NOSUCHAPP0' as ApplicationId }), 'not_found')
    await refused(world.core.pipes.get(world.operator, 'x\0y' as PipeId), 'not_found')
  })
})
