import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeApplication } from '../../test/support/application.ts'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { Applications } from './application.ts'
import type { ApplicationId, SecretId } from './ids.ts'
import type { Caller, Principal } from './principal.ts'
import type { ApplicationRecord, Storage } from './storage.ts'

const query = { by: 'createdAt', isDescending: false, limit: 100 } as const

let world: OpenCore
let elsewhere: Awaited<ReturnType<OpenCore['addOrganisation']>>
let applications: Applications
/** Look-ups of applications by id alone, as they are made. */
let lookUps: string[] = []
/** What the store says of how many there are, where a test says so. */
let total: number | undefined

function watched(storage: Storage): Storage {
  const platform = new Proxy(storage.platform, {
    get(target, name) {
      if (name === 'findApplication') {
        return (id: ApplicationId) => {
          lookUps.push(id)
          return target.findApplication(id)
        }
      }
      return Reflect.get(target, name) as unknown
    },
  })
  const directory = new Proxy(storage.directory, {
    get(target, name) {
      if (name === 'listApplications' && total !== undefined) return () => Promise.resolve({ items: [], total })
      return Reflect.get(target, name) as unknown
    },
  })
  return {
    ...{ ...storage, platform, directory },
    onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
    load: () => storage.load(),
    close: () => storage.close(),
  }
}

beforeAll(async () => {
  world = await openCore({ wrap: watched })
  elsewhere = await world.addOrganisation()
  applications = world.core.applications
})
afterAll(() => world.close())

const make = (name?: string) => makeApplication(world.core, world.operator, name)
const refused = async (attempt: Promise<unknown>, code: string): Promise<void> => {
  expect(
    await attempt.then(
      () => 'done',
      (error: { code?: string }) => error.code ?? String(error),
    ),
  ).toBe(code)
}
/** Runs an attempt that is refused, and asserts that nothing was written but, at most, that it was tried. */
async function leavesNothing(attempt: () => Promise<unknown>, code: string): Promise<void> {
  const before = await world.events()
  await refused(attempt(), code)
  const after = await world.events()
  const written = after.slice(before.length).map(({ action }) => action)
  expect(written.filter((action) => action !== 'credential.grant-refused')).toEqual([])
}

describe('a new application', () => {
  it('has two Lrs and a key of its own, which manages it and reaches no xAPI', async () => {
    const { application, id, principal } = await make('Courses')
    const { liveLrsId, sandboxLrsId } = application
    expect(id).toMatch(/^[A-Z0-9]{10}$/)
    expect(application).toMatchObject({ name: 'Courses', isDeletable: true, callback: null })
    const names = (await world.core.lrs.list(world.operator)).map((lrs) => [lrs.id, lrs.name])
    expect(names.slice(-2)).toEqual([
      [liveLrsId, `${id} live`],
      [sandboxLrsId, `${id} sandbox`],
    ])
    const bound = { kind: 'application', id, lrsIds: [liveLrsId, sandboxLrsId] }
    const actions = ['read', 'write', 'delete']
    expect(principal).toMatchObject({ kind: 'application', key: id, lrsIds: [liveLrsId, sandboxLrsId] })
    expect(principal.rights).toEqual({
      xapi: {},
      management: ['credentials', 'settings', 'forwarding'].map((area) => ({ area, actions, bound })),
    })
  })

  it('lets nobody sign in before it has a secret', async () => {
    const { id } = await applications.create(world.operator, { name: 'Fresh' })
    expect(await applications.reveal(world.operator, id)).toMatchObject({ secrets: [], secret: undefined })
    await refused(world.core.signIn.basic({ key: id, secret: '' }), 'unauthenticated')
  })

  it('has the id that an operator chooses, once on the whole platform', async () => {
    const id = 'CHOSEN0001' as ApplicationId
    expect((await applications.create(world.operator, { name: 'C', id })).id).toBe(id)
    await leavesNothing(() => applications.create(world.operator, { name: 'C', id }), 'conflict')
    const before = await world.events(elsewhere.organisationId)
    await refused(applications.create(elsewhere.operator, { name: 'C', id }), 'conflict')
    expect(await world.events(elsewhere.organisationId)).toEqual(before)
    const { key } = await world.issue('isolated', { key: 'CHOSEN0002' })
    await leavesNothing(() => applications.create(world.operator, { name: 'C', id: key as ApplicationId }), 'conflict')
  })

  it.each(['short', 'abcdefghij', 'ABCDEFGHIJK', 'ABCDEFGHI\u0000', 'ABCDE/GHIJ', ''])(
    'is not called %j',
    async (id) => {
      await leavesNothing(() => applications.create(world.operator, { name: 'C', id: id as ApplicationId }), 'invalid')
    },
  )

  it.each(['x'.repeat(256), 'a\u0000b', '\ud800'])('does not bear the name %j', async (name) => {
    await leavesNothing(() => applications.create(world.operator, { name }), 'invalid')
    const { id } = await make()
    await leavesNothing(() => applications.update(world.operator, id, { name }), 'invalid')
  })

  it('is one of 4,000 at most', async () => {
    total = 4000
    await leavesNothing(() => applications.create(world.operator, { name: 'C' }), 'conflict')
    total = 3999
    await applications.create(world.operator, { name: 'C' }).finally(() => (total = undefined))
  })
})

describe('who may do what', () => {
  const callers = {
    'the operator': () => world.operator,
    'a management key': () => managementKey(),
    'a token of a management key': async () => tokenOf(await managementKey()),
    'a key that manages the organisation': async () => world.signIn(await world.issue('management')),
    'its own key': async ({ principal }) => principal,
    'a token of its own key': ({ principal }) => tokenOf(principal),
    'the key of another application': async () => (await make('Other')).principal,
    'a client key inside it': async ({ application: { liveLrsId } }) =>
      world.signIn(await world.issue('xapi', { lrsIds: [liveLrsId] })),
    'delegated management': async () => world.signIn(await world.issue('delegated-management')),
    'whoever manages keys alone': async () => {
      const bound = { kind: 'organisation' } as const
      const management = [{ area: 'credentials', actions: ['read', 'write', 'delete'], bound }] as const
      return world.signIn(await world.issue('none', { rights: { xapi: {}, management } }))
    },
    'another organisation’s operator': async () => elsewhere.operator,
    'another organisation’s management key': async () => {
      return world.signIn(await applications.createManagementKey(elsewhere.operator, { name: 'M' }))
    },
  } as const satisfies Record<string, (of: Awaited<ReturnType<typeof make>>) => Promise<Caller> | Caller>

  const managers = [
    'the operator',
    'a management key',
    'a token of a management key',
    'a key that manages the organisation',
  ]
  const strangers = ['another organisation’s operator', 'another organisation’s management key']

  const cases: Record<string, (caller: Caller, of: Awaited<ReturnType<typeof make>>) => Promise<unknown>> = {
    get: (caller, { id }) => applications.get(caller, id),
    update: (caller, { id }) => applications.update(caller, id, { name: 'changed', isDeletable: false }),
    remove: (caller, { id }) => applications.remove(caller, id),
    reveal: (caller, { id }) => applications.reveal(caller, id),
    addSecret: (caller, { id }) => applications.addSecret(caller, id, { name: 'more' }),
    updateSecret: (caller, { id, secretId }) => applications.updateSecret(caller, id, secretId, { isEnabled: false }),
    dropSecret: (caller, { id, secretId }) => applications.dropSecret(caller, id, secretId),
  }

  let choices = 0
  describe.each(Object.keys(callers) as (keyof typeof callers)[])('%s', (name) => {
    it.each(Object.keys(cases))('%s', async (use) => {
      const of = await make()
      const caller = await callers[name](of)
      const attempt = () => cases[use]!(caller, of)
      if (managers.includes(name)) await attempt()
      else await leavesNothing(attempt, strangers.includes(name) ? 'not_found' : 'forbidden')
    })

    it('create and list', async () => {
      const of = await make()
      const caller = await callers[name](of)
      const isAllowed = managers.includes(name) || strangers.includes(name)
      if (!isAllowed) {
        await leavesNothing(() => applications.create(caller, { name: 'mine' }), 'forbidden')
        await leavesNothing(() => applications.list(caller, query), 'forbidden')
        return
      }
      const made = await applications.create(caller, { name: 'mine' })
      expect(made.organisationId).toBe(caller.organisationId)
      const ids = (await applications.list(caller, { ...query, limit: 1000 })).items.map(({ id }) => id)
      expect([ids.includes(made.id), ids.includes(of.id)]).toEqual([true, managers.includes(name)])
    })

    it('chooses an id', async () => {
      const of = await make()
      const caller = await callers[name](of)
      const chosen = `CHOICE${String((choices += 1)).padStart(4, '0')}` as ApplicationId
      const attempt = () => applications.create(caller, { name: 'mine', id: chosen })
      if (caller.credentialId === undefined) expect((await attempt()).id).toBe(chosen)
      else await leavesNothing(attempt, 'forbidden')
    })
  })

  it('a management key manages applications and their keys, and nothing inside them', async () => {
    const { id, principal } = await make()
    const caller = await managementKey()
    const { credentialId } = await applications.get(caller, id)
    const { settings, credentials } = world.core
    await leavesNothing(() => settings.list(caller, id), 'forbidden')
    await leavesNothing(() => settings.put(caller, id, { level: '', values: { a: '1' } }), 'forbidden')
    for (const area of ['settings', 'forwarding', 'credentials'] as const) {
      await leavesNothing(() => applications.manage(caller, area, 'read', id), 'forbidden')
    }
    await leavesNothing(() => credentials.list(caller, {}, { offset: 0, limit: 10 }), 'forbidden')
    await leavesNothing(() => credentials.get(caller, credentialId), 'forbidden')
    await leavesNothing(() => credentials.reveal(caller, credentialId), 'forbidden')
    await leavesNothing(() => applications.createManagementKey(caller, { name: 'another' }), 'forbidden')
    await leavesNothing(() => applications.createManagementKey(principal, { name: 'another' }), 'forbidden')
  })

  it('who may read alone sees secrets’ names, not secrets', async () => {
    const { id, secretId, secret } = await make()
    const grant = (actions: readonly ('read' | 'write' | 'delete')[]) =>
      ({ xapi: {}, management: [{ area: 'applications', actions, bound: { kind: 'applications' } }] }) as const
    const looking = await tokenOf(await managementKey(), grant(['read']))
    const shown = await applications.reveal(looking, id)
    expect([shown.secrets, shown.secret, shown.credential.secrets.map((one) => one.id)]).toEqual([
      [],
      undefined,
      [secretId],
    ])
    expect((await applications.reveal(await managementKey(), id)).secret).toBe(secret)
    await leavesNothing(() => applications.addSecret(looking, id, {}), 'forbidden')
    await leavesNothing(() => applications.dropSecret(looking, id, secretId), 'forbidden')
    const deleting = await tokenOf(await managementKey(), grant(['delete']))
    await leavesNothing(() => applications.reveal(deleting, id), 'forbidden')
    await leavesNothing(() => applications.updateSecret(deleting, id, secretId, { isEnabled: false }), 'forbidden')
    await applications.dropSecret(deleting, id, secretId)
    await applications.remove(deleting, id)
  })

  async function managementKey(): Promise<Principal> {
    return world.signIn(await applications.createManagementKey(world.operator, { name: 'M' }))
  }

  async function tokenOf(principal: Principal, rights?: Principal['rights']): Promise<Principal> {
    const { token } = await world.core.tokens.issue(principal, rights === undefined ? {} : { rights })
    return world.core.signIn.bearer({ token })
  }
})

describe('what belongs to one application', () => {
  it('is managed by its key, whatever the area; another’s does not exist', async () => {
    const [one, other] = [await make(), await make()]
    for (const area of ['settings', 'forwarding', 'credentials'] as const) {
      for (const action of ['read', 'write', 'delete'] as const) {
        const found = await applications.manage(one.principal, area, action, one.id)
        expect(found.id).toBe(one.id)
        await leavesNothing(() => applications.manage(one.principal, area, action, other.id), 'not_found')
        await leavesNothing(() => applications.manage(elsewhere.operator, area, action, one.id), 'not_found')
      }
    }
    await leavesNothing(
      () => applications.manage(one.principal, 'settings', 'read', 'NONE000000' as ApplicationId),
      'not_found',
    )
  })
})

describe('renaming', () => {
  it('renames its key, too, and says from what to what', async () => {
    const { id, application } = await make('Before')
    world.clock.pass(1000)
    const after = await applications.update(world.operator, id, { name: 'After' })
    expect(after).toEqual({ ...application, name: 'After', updatedAt: world.clock.now() })
    const { name } = await world.core.credentials.get(world.operator, application.credentialId)
    expect(name).toBe('After')
    const event = (await world.events()).at(-1)
    expect(event).toMatchObject({
      action: 'application.update',
      target: { noun: 'application', id },
      detail: { name: { from: 'Before', to: 'After' } },
    })
  })

  it('to no name is possible, and leaves the rest', async () => {
    const { id } = await make()
    expect(await applications.update(world.operator, id, { name: '' })).toMatchObject({ name: '', isDeletable: true })
    expect(await applications.update(world.operator, id, { isDeletable: false })).toMatchObject({ name: '' })
  })
})

describe('its own key', () => {
  it('is neither made, renamed nor removed without it', async () => {
    const { id, application } = await make()
    const { credentials } = world.core
    const { credentialId } = application
    await leavesNothing(() => credentials.remove(world.operator, credentialId), 'conflict')
    await leavesNothing(() => credentials.update(world.operator, credentialId, { key: 'another' }), 'conflict')
    const made = { name: 'x', kind: 'application', rights: presetRights('none') } as const
    await leavesNothing(() => credentials.create(world.operator, made), 'conflict')
    expect(
      (await credentials.update(world.operator, credentialId, { key: id, limits: { ratePerMinute: 5 } })).key,
    ).toBe(id)
  })

  it('and a management key reach no statements, whatever they are given', async () => {
    const { principal, application } = await make()
    const management = await world.signIn(await applications.createManagementKey(world.operator, { name: 'M' }))
    const { credentials, access } = world.core
    const xapi = { 'statements/read': 'mine' } as const
    for (const { credentialId, ...caller } of [principal, management]) {
      const rights = { ...caller.rights, xapi }
      await leavesNothing(() => credentials.update(world.operator, credentialId, { rights }), 'invalid')
      const lrsIds = [application.sandboxLrsId]
      await leavesNothing(() => credentials.update(world.operator, credentialId, { lrsIds }), 'invalid')
      // What it was given before this was refused.
      const asked = access.explain({ ...caller, rights }, { kind: 'xapi', right: 'statements/read' })
      expect(asked).toMatchObject({ allowed: false, decidedBy: 'kind', remedy: expect.stringContaining('Make a key') })
      const same = { rights: caller.rights, lrsIds: caller.lrsIds, name: 'Same' }
      expect(await credentials.update(world.operator, credentialId, same)).toMatchObject(same)
    }
    const made = { name: 'x', kind: 'management', rights: { xapi, management: [] } } as const
    await leavesNothing(() => credentials.create(world.operator, made), 'invalid')
  })

  it('and a management key have tokens, no sessions', async () => {
    const { principal } = await make()
    const management = await world.signIn(await applications.createManagementKey(world.operator, { name: 'M' }))
    for (const { credentialId, ...caller } of [principal, management]) {
      await leavesNothing(() => world.core.sessions.create({ ...caller, credentialId }, credentialId), 'forbidden')
      await leavesNothing(() => world.core.sessions.create(world.operator, credentialId), 'forbidden')
    }
  })
})

describe('secrets', () => {
  const signIn = ({ id }: { id: string }, secret: string) => world.core.signIn.basic({ key: id, secret })

  it('several live at once, and each tells its own', async () => {
    const made = await make()
    const second = await applications.addSecret(world.operator, made.id, { name: 'second' })
    expect((await signIn(made, made.secret)).secretId).toBe(made.secretId)
    expect((await signIn(made, second.secret)).secretId).toBe(second.secretId)
    const { secrets } = await applications.reveal(world.operator, made.id)
    expect(secrets.map(({ name, value }) => [name, value])).toEqual([
      ['Secret', made.secret],
      ['second', second.secret],
    ])
  })

  it('disabled is not valid, and its tokens are not either; enabled again, both are', async () => {
    const made = await make()
    const second = await applications.addSecret(world.operator, made.id, {})
    const { token } = await world.core.tokens.issue(made.principal)
    const set = (isEnabled: boolean) => applications.updateSecret(world.operator, made.id, made.secretId, { isEnabled })
    await set(false)
    await refused(signIn(made, made.secret), 'unauthenticated')
    await refused(world.core.signIn.bearer({ token }), 'unauthenticated')
    await signIn(made, second.secret)
    await set(true)
    await signIn(made, made.secret)
    await world.core.signIn.bearer({ token })
  })

  it('made disabled works once it is enabled', async () => {
    const made = await make()
    const later = await applications.addSecret(world.operator, made.id, { isEnabled: false })
    await refused(signIn(made, later.secret), 'unauthenticated')
    await applications.updateSecret(world.operator, made.id, later.secretId, { isEnabled: true })
    await signIn(made, later.secret)
  })

  it('dropped, the last one too: nobody signs in, tokens are dead, until there is another', async () => {
    const made = await make()
    const { token } = await world.core.tokens.issue(made.principal)
    await world.core.signIn.bearer({ token })
    await applications.dropSecret(world.operator, made.id, made.secretId)
    await refused(signIn(made, made.secret), 'unauthenticated')
    await refused(world.core.signIn.bearer({ token }), 'unauthenticated')
    const next = await applications.addSecret(world.operator, made.id, {})
    await signIn(made, next.secret)
    await refused(world.core.signIn.bearer({ token }), 'unauthenticated')
  })

  it('of another application, or of nobody, are not found', async () => {
    const [one, other] = [await make(), await make()]
    const nobodys = crypto.randomUUID() as SecretId
    for (const secretId of [other.secretId, nobodys]) {
      await leavesNothing(() => applications.dropSecret(world.operator, one.id, secretId), 'not_found')
      await leavesNothing(() => applications.updateSecret(world.operator, one.id, secretId, {}), 'not_found')
    }
    await signIn(other, other.secret)
  })

  it('are 16 at most', async () => {
    const made = await make()
    for (let count = 1; count < 16; count++) await applications.addSecret(world.operator, made.id, {})
    await leavesNothing(() => applications.addSecret(world.operator, made.id, {}), 'conflict')
  })
})

describe('deleting', () => {
  it('takes its keys and settings along, tokens too', async () => {
    const { id, application, secret, principal } = await make()
    const client = await world.core.credentials.create(principal, {
      ...{ name: 'inside', rights: presetRights('isolated'), lrsIds: [application.liveLrsId] },
    })
    const { token } = await world.core.tokens.issue(principal)
    await world.core.settings.put(principal, id, { level: '', values: { a: '1' }, isOpen: false })
    const { liveLrsId, sandboxLrsId, credentialId } = application
    expect((await applications.remove(world.operator, id)).id).toBe(id)
    await refused(applications.get(world.operator, id), 'not_found')
    await refused(applications.remove(world.operator, id), 'not_found')
    await refused(world.core.signIn.basic({ key: id, secret }), 'unauthenticated')
    await refused(world.signIn(client), 'unauthenticated')
    await refused(world.core.signIn.bearer({ token }), 'unauthenticated')
    expect((await world.core.organisations.get(world.operator)).closedLrsIds).toEqual([])
    expect((await world.events()).at(-1)).toMatchObject({
      action: 'application.delete',
      detail: { name: 'Courses', liveLrsId, sandboxLrsId, credential: credentialId },
    })
  })

  it('is refused where it is undeletable, until it is allowed', async () => {
    const { id } = await make()
    await applications.update(world.operator, id, { isDeletable: false })
    await leavesNothing(() => applications.remove(world.operator, id), 'forbidden')
    await expect(applications.remove(world.operator, id)).rejects.toMatchObject({
      detail: { decidedBy: 'application' },
    })
    await applications.update(world.operator, id, { isDeletable: true })
    await applications.remove(world.operator, id)
  })

  it('is refused where one of its Lrs is the organisation’s default', async () => {
    const { id, application } = await make()
    await world.core.organisations.update(world.operator, { defaultLrsId: application.liveLrsId })
    const management = await applications.createManagementKey(world.operator, { name: 'Console' })
    await leavesNothing(() => applications.remove(world.operator, id), 'conflict')
    await world.core.organisations.update(world.operator, { defaultLrsId: world.lrsId })
    await world.core.credentials.remove(world.operator, management.credential.id)
    await applications.remove(world.operator, id)
  })
})

describe('finding one by its id alone', () => {
  const find = (id: string) => applications.find(id)
  const counting = async (work: () => Promise<unknown>): Promise<number> => {
    lookUps = []
    await work()
    return lookUps.length
  }

  it('costs nothing once it is known, also that there is none', async () => {
    const { id, application } = await make()
    expect(await find(id)).toEqual(application)
    expect(await counting(async () => expect(await find(id)).toEqual(application))).toBe(0)
    expect(await counting(() => find('NONE000001'))).toBe(1)
    expect(await counting(async () => expect(await find('NONE000001')).toBeUndefined())).toBe(0)
    expect(await counting(() => find('no id at all'))).toBe(0)
  })

  it('sees every change at once, of its own organisation', async () => {
    const { id } = await make()
    await find(id)
    await applications.update(world.operator, id, { name: 'New' })
    expect((await find(id))?.name).toBe('New')
    await world.core.credentials.create(elsewhere.operator, { name: 'x', rights: presetRights('none') })
    expect(await counting(() => find(id))).toBe(0)
    await applications.remove(world.operator, id)
    expect(await find(id)).toBeUndefined()
  })

  it('sees one that was not there before', async () => {
    const id = 'LATER00001' as ApplicationId
    expect(await find(id)).toBeUndefined()
    const made = await applications.create(elsewhere.operator, { name: 'later', id })
    expect(await find(id)).toEqual(made)
  })
})

describe('a caller for all applications', () => {
  it('manages the credentials of each, and nothing else anywhere', async () => {
    const [one, two] = [await make(), await make()]
    const theirs = await makeApplication(world.core, elsewhere.operator)
    const all = await applications.callerForAll(one.principal)
    const { credentials } = world.core
    const rights = presetRights('isolated')
    const lrsIds = [one.application.liveLrsId, two.application.sandboxLrsId]
    const made = await credentials.create(all, { name: 'both', rights, lrsIds })
    expect(made.credential.lrsIds).toEqual(lrsIds)
    expect((await credentials.reveal(all, made.credential.id)).secret).toBe(made.secret)
    const { items } = await credentials.list(all, { kind: 'client' }, { offset: 0, limit: 1000 })
    expect(items.map(({ id }) => id)).toContain(made.credential.id)
    expect(await applications.manage(all, 'credentials', 'write', two.id)).toEqual(two.application)
    await leavesNothing(() => applications.manage(all, 'credentials', 'write', theirs.id), 'not_found')
    for (const id of [one.id, two.id]) {
      await leavesNothing(() => applications.manage(all, 'forwarding', 'read', id), 'forbidden')
      await leavesNothing(() => applications.manage(all, 'settings', 'read', id), 'forbidden')
      await leavesNothing(() => applications.addSecret(all, id, {}), 'forbidden')
      expect(await applications.reveal(all, id)).toMatchObject({ secrets: [], secret: undefined })
    }
    const outside = [
      { lrsIds: [world.lrsId] },
      { lrsIds: [theirs.application.liveLrsId] },
      { kind: 'management' as const },
    ]
    for (const part of outside) {
      const attempt = () => credentials.create(all, { name: 'x', rights, lrsIds, ...part })
      await leavesNothing(attempt, 'forbidden')
    }
    await leavesNothing(() => credentials.reveal(all, two.application.credentialId), 'forbidden')
    await credentials.remove(all, made.credential.id)
  })

  it('may no more than whoever it is made from', async () => {
    const { principal, id } = await make()
    const bound = principal.rights.management[0]!.bound
    const rights = { xapi: {}, management: [{ area: 'credentials', actions: ['read'], bound }] } as const
    const { token } = await world.core.tokens.issue(principal, { rights })
    const looking = await applications.callerForAll(await world.core.signIn.bearer({ token }))
    expect((await applications.manage(looking, 'credentials', 'read', id)).id).toBe(id)
    await leavesNothing(() => applications.manage(looking, 'credentials', 'write', id), 'forbidden')
    const client = await world.signIn(await world.issue('xapi-and-management'))
    expect((await applications.callerForAll(client)).rights).toEqual({ xapi: {}, management: [] })
  })

  it('knows those that are there at the time', async () => {
    const one = await make()
    const all = await applications.callerForAll(one.principal)
    const later: ApplicationRecord = (await make()).application
    await leavesNothing(() => applications.manage(all, 'credentials', 'read', later.id), 'forbidden')
    const again = await applications.callerForAll(one.principal)
    expect((await applications.manage(again, 'credentials', 'read', later.id)).id).toBe(later.id)
  })
})

describe('the audit log', () => {
  it('has every change and no secret', async () => {
    const { id, secret, secretId } = await make()
    const start = (await world.events()).length - 2
    const management = await applications.createManagementKey(world.operator, { name: 'M' })
    const caller = await world.signIn(management)
    const more = await applications.addSecret(caller, id, { secret: 'chosen-secret-0123456789' })
    await applications.updateSecret(caller, id, secretId, { isEnabled: false })
    await applications.dropSecret(caller, id, more.secretId)
    await applications.update(caller, id, { name: 'N' })
    await applications.remove(caller, id)
    const events = (await world.events()).slice(start)
    expect(events.map(({ action, target, actor }) => [action, target.noun, actor.name])).toEqual([
      ['application.create', 'application', 'test'],
      ['secret.create', 'credential', 'test'],
      ['credential.create', 'credential', 'test'],
      ['secret.create', 'credential', 'M'],
      ['secret.update', 'credential', 'M'],
      ['secret.delete', 'credential', 'M'],
      ['application.update', 'application', 'M'],
      ['application.delete', 'application', 'M'],
    ])
    const text = JSON.stringify(await world.events())
    for (const clear of [secret, more.secret, management.secret]) expect(text).not.toContain(clear)
    expect((await world.core.audit.verify(world.operator)).brokenAt).toBeUndefined()
  })
})
