// What the key of one application, its token, and a key inside it, come to with the ids of another: every use case of the core
// that a face can call, as one table. Whatever is refused leaves nothing but, at most, the record that it was tried.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEvent } from '../src/core/audit.ts'
import type { IssuedCredential } from '../src/core/credential.ts'
import type { LrsId, PipeId } from '../src/core/ids.ts'
import type { Principal } from '../src/core/principal.ts'
import { makeApplication } from './support/application.ts'
import type { MadeApplication } from './support/application.ts'
import { openCore, presetRights } from './support/core.ts'
import type { OpenCore } from './support/core.ts'

interface Side extends MadeApplication {
  readonly live: LrsId
  readonly client: IssuedCredential
  readonly pipe: PipeId
  readonly statementId: string
}

let world: OpenCore
let own: Side
let other: Side
let foreign: Side
const actor = { mbox: 'mailto:ann@example.org' }
const target = { url: 'https://elsewhere.example.org/xapi', user: 'u', password: 'elsewhere-secret' }

async function makeSide(operator: OpenCore['operator']): Promise<Side> {
  const { core } = world
  const made = await makeApplication(core, operator)
  const live = made.application.liveLrsId
  const rights = presetRights('xapi')
  const client = await core.credentials.create(made.principal, { name: 'inside', rights, lrsIds: [live] })
  const pipe = (await core.pipes.create(made.principal, { applicationId: made.id, target })).id
  await core.pipes.pause(operator, pipe)
  const text = JSON.stringify({ actor, verb: { id: 'http://example.org/v' }, object: { id: 'http://example.org/a' } })
  const inside = await world.signIn(client)
  const { ids } = await core.statements.store(inside, live, { text, version: '1.0' })
  await core.settings.put(made.principal, made.id, { level: '', values: { kept: 'value' } })
  await core.callbacks.set(made.principal, made.id, { url: 'https://users.example.org/check' })
  return { ...made, live, client, pipe, statementId: ids[0]! }
}

beforeAll(async () => {
  world = await openCore()
  own = await makeSide(world.operator)
  other = await makeSide(world.operator)
  foreign = await makeSide((await world.addOrganisation()).operator)
})
afterAll(() => world.close())

const callers: Readonly<Record<string, () => Promise<Principal>>> = {
  'an application’s key': () => world.core.signIn.basic({ key: own.id, secret: own.secret }),
  'its token': async () => world.core.signIn.bearer(await world.core.tokens.issue(own.principal)),
  'its signature': () => {
    return world.core.signIn.signed({ key: own.id, accepts: () => true, fits: (clear) => clear === own.secret })
  },
  'a client key inside it': () => world.signIn(own.client),
  'a session of that': async () => {
    return world.signIn(await world.core.sessions.create(own.principal, own.client.credential.id))
  },
}

type Use = (caller: Principal, side: Side) => Promise<unknown>
const slice = { offset: 0, limit: 10 }
const query = { filters: [], isAscending: false, limit: 10 }

const uses: Readonly<Record<string, Use>> = {
  'applications.get': (caller, { id }) => world.core.applications.get(caller, id),
  'applications.update': (caller, { id }) => world.core.applications.update(caller, id, { name: 'taken' }),
  'applications.remove': (caller, { id }) => world.core.applications.remove(caller, id),
  'applications.reveal': (caller, { id }) => world.core.applications.reveal(caller, id),
  'applications.addSecret': (caller, { id }) => world.core.applications.addSecret(caller, id, {}),
  'applications.updateSecret': (caller, { id, secretId }) => {
    return world.core.applications.updateSecret(caller, id, secretId, { isEnabled: false })
  },
  'applications.dropSecret': (caller, { id, secretId }) => world.core.applications.dropSecret(caller, id, secretId),
  'settings.list': (caller, { id }) => world.core.settings.list(caller, id),
  'settings.put': (caller, { id }) => world.core.settings.put(caller, id, { level: '', values: { kept: null } }),
  'settings.put, closing': (caller, { id }) => {
    return world.core.settings.put(caller, id, { level: '', values: {}, isOpen: false })
  },
  'callbacks.get': (caller, { id }) => world.core.callbacks.get(caller, id),
  'callbacks.set': (caller, { id }) => world.core.callbacks.set(caller, id, { url: 'https://evil.example.org/' }),
  'callbacks.reset': (caller, { id }) => world.core.callbacks.reset(caller, id),
  'callbacks.forget': (caller, { id }) => world.core.callbacks.forget(caller, id),
  'pipes.list': (caller, { id }) => world.core.pipes.list(caller, id),
  'pipes.create': (caller, { id }) => world.core.pipes.create(caller, { applicationId: id, target }),
  'pipes.create, from its Lrs': (caller, { live }) => {
    return world.core.pipes.create(caller, { applicationId: own.id, source: { lrsId: live }, target })
  },
  'pipes.create, of the organisation': (caller, { live }) => {
    return world.core.pipes.create(caller, { source: { lrsId: live }, target })
  },
  'pipes.get': (caller, { pipe }) => world.core.pipes.get(caller, pipe),
  'pipes.update': (caller, { pipe }) => world.core.pipes.update(caller, pipe, { target }),
  'pipes.pause': (caller, { pipe }) => world.core.pipes.pause(caller, pipe),
  'pipes.resume': (caller, { pipe }) => world.core.pipes.resume(caller, pipe),
  'pipes.remove': (caller, { pipe }) => world.core.pipes.remove(caller, pipe),
  'credentials.get': (caller, { client }) => world.core.credentials.get(caller, client.credential.id),
  'credentials.get, its own key': (caller, { application }) => {
    return world.core.credentials.get(caller, application.credentialId)
  },
  'credentials.reveal': (caller, { client }) => world.core.credentials.reveal(caller, client.credential.id),
  'credentials.update': (caller, { client }) => {
    return world.core.credentials.update(caller, client.credential.id, { name: 'taken' })
  },
  'credentials.remove': (caller, { client }) => world.core.credentials.remove(caller, client.credential.id),
  'credentials.create, for its Lrs': (caller, { live }) => {
    return world.core.credentials.create(caller, { name: 'x', rights: presetRights('xapi'), lrsIds: [live] })
  },
  'sessions.create': (caller, { client }) => world.core.sessions.create(caller, client.credential.id),
  'sessions.list': (caller, { client }) => world.core.sessions.list(caller, client.credential.id, slice),
  'tokens.issue, for it': (caller, { id, application }) => {
    const bound = { kind: 'application', id, lrsIds: [application.liveLrsId, application.sandboxLrsId] } as const
    const management = [{ area: 'settings', actions: ['read'], bound }] as const
    return world.core.tokens.issue(caller, { rights: { xapi: {}, management } })
  },
  'usage.list': (caller, { client }) => world.core.usage.list(caller, client.credential.id),
  'lrs.get': (caller, { live }) => world.core.lrs.get(caller, live),
  'statements.store': (caller, { live }) => world.core.statements.store(caller, live, { text: '[]', version: '1.0' }),
  'statements.list': (caller, { live }) => world.core.statements.list(caller, live, query),
  'activities.get': (caller, { live }) => world.core.activities.get(caller, live, 'http://example.org/a'),
  'agents.getPerson': (caller, { live }) => world.core.agents.getPerson(caller, live, actor),
  'erasures.previewEmpty': (caller, { live }) => world.core.erasures.previewEmpty(caller, live),
  'erasures.empty': (caller, { live }) => world.core.erasures.empty(caller, live),
  'retention.set': (caller, { live }) => world.core.retention.set(caller, live, 1),
}

/** What is no application's: refused to all of them, whoever's ids there are. */
const ofTheWhole: Readonly<Record<string, (caller: Principal) => Promise<unknown>>> = {
  'applications.create': (caller) => world.core.applications.create(caller, { name: 'x' }),
  'applications.list': (caller) => {
    return world.core.applications.list(caller, { by: 'createdAt', isDescending: false, limit: 10 })
  },
  'applications.createManagementKey': (caller) => world.core.applications.createManagementKey(caller, { name: 'x' }),
  'organisations.update': (caller) => world.core.organisations.update(caller, { switches: { x: true } }),
  'lrs.create': (caller) => world.core.lrs.create(caller, { name: 'x' }),
  'audit.list': (caller) => world.core.audit.list(caller),
  'audit.verify': (caller) => world.core.audit.verify(caller),
  'pipes.list, all': (caller) => world.core.pipes.list(caller),
  'erasures.erasePerson': (caller) => world.core.erasures.erasePerson(caller, { agents: [actor] }),
}

const refusals = ['forbidden', 'not_found']
/** It names the caller's own application with what is not of it. */
const codesOf = (use: string) => (use === 'pipes.create, from its Lrs' ? [...refusals, 'invalid'] : refusals)

const written = (events: readonly AuditEvent[]): readonly string[] =>
  events.map(({ action }) => action).filter((action) => action !== 'credential.grant-refused')

async function refused(attempt: () => Promise<unknown>, sides: readonly Side[], codes = refusals): Promise<void> {
  const stateOf = async () => ({
    events: await Promise.all(
      [world.organisationId, foreign.application.organisationId].map(async (id) => written(await world.events(id))),
    ),
    sides: await Promise.all(
      sides.map(({ application: { organisationId, id }, live }) =>
        Promise.all([
          world.storage.directory.findApplication(organisationId, id),
          world.storage.directory.listSettings(organisationId, id),
          world.storage.directory.listPipes(organisationId, id),
          world.storage.statements.listLatest([live]),
        ]),
      ),
    ),
  })
  const before = await stateOf()
  const code = await attempt().then(
    (value) => `done: ${JSON.stringify(value)}`,
    (error: { code?: string }) => error.code ?? String(error),
  )
  expect(codes).toContain(code)
  expect(await stateOf()).toEqual(before)
}

describe.each(Object.keys(callers))('%s', (name) => {
  it.each(Object.keys(uses))('does nothing to another application by %s', async (use) => {
    const caller = await callers[name]!()
    await refused(() => uses[use]!(caller, other), [own, other], codesOf(use))
  })

  it.each(Object.keys(uses))('does nothing to another organisation’s by %s', async (use) => {
    const caller = await callers[name]!()
    await refused(() => uses[use]!(caller, foreign), [own, foreign], codesOf(use))
  })

  it.each(Object.keys(ofTheWhole))('does not reach the whole by %s', async (use) => {
    const caller = await callers[name]!()
    await refused(() => ofTheWhole[use]!(caller), [own, other])
  })
})

describe('an application’s key on its own', () => {
  const isOwn = (use: string): boolean =>
    /^(settings|callbacks|pipes|credentials|sessions|usage|tokens)\./.test(use) &&
    !/from its Lrs|organisation$/.test(use)

  it.each(Object.keys(uses).filter(isOwn))('does %s', async (use) => {
    const side = await makeSide(world.operator)
    await uses[use]!(side.principal, side)
  })
})

describe('the application itself', () => {
  it('is still all there', async () => {
    for (const side of [own, other, foreign]) {
      const principal = await world.core.signIn.basic({ key: side.id, secret: side.secret })
      const settings = await world.core.settings.list(principal, side.id)
      expect(settings.map(({ name, value }) => [name, value])).toEqual([['kept', 'value']])
      expect((await world.core.callbacks.get(principal, side.id))?.url).toBe('https://users.example.org/check')
      expect((await world.core.pipes.list(principal, side.id)).map(({ id }) => id)).toEqual([side.pipe])
      const inside = await world.signIn(side.client)
      expect((await world.core.statements.list(inside, side.live, query)).statements).toHaveLength(1)
    }
  })
})
