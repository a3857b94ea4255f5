// What an application's own key may hand out, see and change among keys, and what it may not reach by any of the ways there are.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeApplication } from '../../test/support/application.ts'
import type { MadeApplication } from '../../test/support/application.ts'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { Credentials, IssuedCredential, NewCredentialInput } from './credential.ts'
import type { LrsId } from './ids.ts'
import type { Principal } from './principal.ts'
import type { Bound, ManagementGrant, Rights } from './rights.ts'

const slice = { offset: 0, limit: 100 }

let world: OpenCore
let credentials: Credentials
let own: MadeApplication
let other: MadeApplication
let elsewhere: Awaited<ReturnType<OpenCore['addOrganisation']>>
let foreign: MadeApplication
beforeAll(async () => {
  world = await openCore()
  credentials = world.core.credentials
  own = await makeApplication(world.core, world.operator, 'Own')
  other = await makeApplication(world.core, world.operator, 'Other')
  elsewhere = await world.addOrganisation()
  foreign = await makeApplication(world.core, elsewhere.operator, 'Foreign')
})
afterAll(() => world.close())

const rights = presetRights('isolated')
const lrsOf = ({ application }: MadeApplication): readonly LrsId[] => [application.liveLrsId, application.sandboxLrsId]
const boundOf = (made: MadeApplication): Bound => ({ kind: 'application', id: made.id, lrsIds: lrsOf(made) })
const managing = (bound: Bound, area: ManagementGrant['area'] = 'credentials'): Rights => {
  return { xapi: {}, management: [{ area, actions: ['read', 'write', 'delete'], bound }] }
}
const create = (caller: Principal, part: Partial<NewCredentialInput> = {}): Promise<IssuedCredential> =>
  credentials.create(caller, { name: 'x', rights, lrsIds: lrsOf(own), ...part })

/** Refused, with nothing written but, at most, that it was tried. */
async function refused(attempt: () => Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  const before = (await world.events()).length
  const result = await attempt().then(
    () => 'done',
    (error: { code?: string }) => error.code ?? String(error),
  )
  expect(codes).toContain(result)
  const written = (await world.events()).slice(before).map(({ action }) => action)
  expect(written.filter((action) => action !== 'credential.grant-refused')).toEqual([])
}

describe('an application’s key', () => {
  it('makes client keys for its live Lrs, its sandbox, or both, of any xAPI right', async () => {
    const [live, sandbox] = lrsOf(own)
    for (const lrsIds of [[live!], [sandbox!], [live!, sandbox!], [sandbox!, live!]]) {
      const made = await create(own.principal, { lrsIds, rights: presetRights('global') })
      expect(await world.signIn(made)).toMatchObject({ lrsIds, kind: 'client', rights: presetRights('global') })
    }
  })

  it('makes them for nothing else', async () => {
    const [live] = lrsOf(own)
    const outside = [
      ...lrsOf(other).map((id) => [id]),
      ...lrsOf(foreign).map((id) => [id]),
      [world.lrsId],
      [live!, lrsOf(other)[0]!],
      [lrsOf(other)[0]!, live!],
    ]
    for (const lrsIds of outside) await refused(() => create(own.principal, { lrsIds }), 'forbidden')
    // Without any named it would be the organisation's own.
    await refused(() => credentials.create(own.principal, { name: 'x', rights }), 'forbidden')
  })

  it('makes no key of an application and none that manages applications', async () => {
    await refused(() => create(own.principal, { kind: 'application' }), 'conflict')
    await refused(() => create(own.principal, { kind: 'management' }), 'forbidden')
    for (const kind of ['client', 'management'] as const) {
      const wanted = { kind, rights: presetRights('applications') }
      await refused(() => create(own.principal, wanted), 'forbidden')
    }
  })

  it.each([
    ['the organisation', { kind: 'organisation' }],
    ['all applications', { kind: 'applications' }],
    ['another application', () => boundOf(other)],
    ['another application, its Lrs aside', () => ({ ...boundOf(other), lrsIds: [] })],
    ['its own with another’s Lrs', () => ({ ...boundOf(own), lrsIds: [...lrsOf(own), ...lrsOf(other)] })],
    ['an Lrs outside', () => ({ kind: 'lrs', id: world.lrsId })],
    ['an Lrs of another', () => ({ kind: 'lrs', id: lrsOf(other)[0] })],
    ['another organisation’s', () => boundOf(foreign)],
  ] as const)('grants no management of %s', async (_, of) => {
    const bound = (typeof of === 'function' ? of() : of) as Bound
    const { credential } = await create(own.principal)
    for (const area of ['credentials', 'settings', 'forwarding', 'applications', 'data', 'operators'] as const) {
      const wanted = { rights: managing(bound, area) }
      await refused(() => create(own.principal, wanted), 'forbidden', 'invalid')
      await refused(() => credentials.update(own.principal, credential.id, wanted), 'forbidden', 'invalid')
      await refused(() => world.core.tokens.issue(own.principal, wanted), 'forbidden')
    }
  })

  it('sees in lists exactly the client keys inside it', async () => {
    const fresh = await makeApplication(world.core, world.operator)
    const inside = await create(fresh.principal, { lrsIds: lrsOf(fresh) })
    const live = await create(fresh.principal, { lrsIds: [lrsOf(fresh)[1]!] })
    await credentials.create(world.operator, { name: 'wide', rights, lrsIds: [...lrsOf(fresh), world.lrsId] })
    await credentials.create(world.operator, {
      name: 'manager',
      rights: managing({ kind: 'organisation' }),
      lrsIds: lrsOf(fresh),
    })
    for (const filter of [{}, { kind: 'client' as const }]) {
      const { items, total } = await credentials.list(fresh.principal, filter, slice)
      expect([items.map(({ id }) => id), total]).toEqual([[inside.credential.id, live.credential.id], 2])
    }
    for (const kind of ['application', 'management'] as const) {
      expect(await credentials.list(fresh.principal, { kind }, slice)).toEqual({ items: [], total: 0 })
    }
    const revealed = await credentials.listRevealed(fresh.principal, {}, slice)
    expect(revealed.items.map(({ secret }) => secret)).toEqual([inside.secret, live.secret])
    const keyed = await credentials.list(fresh.principal, { key: other.id }, slice)
    expect(keyed.items).toEqual([])
  })

  it('knows itself, and changes nothing of itself', async () => {
    const { principal } = own
    const id = principal.credentialId
    expect((await credentials.get(principal, id)).key).toBe(own.id)
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => credentials.reveal(principal, id),
      () => credentials.update(principal, id, { name: 'y' }),
      () => credentials.update(principal, id, { rights: managing({ kind: 'organisation' }) }),
      () => credentials.update(principal, id, { lrsIds: [world.lrsId] }),
      () => credentials.disable(principal, id),
      () => credentials.remove(principal, id),
      () => credentials.rotate(principal, id, { overlapSeconds: 0 }),
      () => credentials.addSecret(principal, id, {}),
      () => credentials.updateSecret(principal, id, own.secretId, { isEnabled: false }),
      () => credentials.dropSecret(principal, id, own.secretId),
      () => world.core.sessions.create(principal, id),
    ]
    for (const attempt of attempts) await refused(attempt, 'forbidden')
  })

  it('makes sessions of its client keys, and of no others', async () => {
    const inside = await create(own.principal)
    const { session } = await world.core.sessions.create(own.principal, inside.credential.id)
    await world.core.sessions.remove(own.principal, inside.credential.id, session.id)
    const outside = await world.issue('isolated')
    const theirs = await create(other.principal, { lrsIds: lrsOf(other) })
    for (const { credential } of [outside, theirs]) {
      await refused(() => world.core.sessions.create(own.principal, credential.id), 'forbidden')
      await refused(() => world.core.sessions.list(own.principal, credential.id, slice), 'forbidden')
    }
  })

  it('moves no key of its own out of itself, nor another’s in', async () => {
    const inside = await create(own.principal)
    await refused(() => credentials.update(own.principal, inside.credential.id, { lrsIds: lrsOf(other) }), 'forbidden')
    const theirs = await create(other.principal, { lrsIds: lrsOf(other) })
    await refused(() => credentials.update(own.principal, theirs.credential.id, { lrsIds: lrsOf(own) }), 'forbidden')
    expect((await credentials.get(world.operator, theirs.credential.id)).lrsIds).toEqual(lrsOf(other))
  })
})

// ---------------------------------------------------------------------------------------------------------------------
// Every use case on a credential, with what is not one's own

type Use = (
  caller: Principal,
  target: IssuedCredential,
  made: Awaited<ReturnType<typeof sessionOf>>,
) => Promise<unknown>

const uses: Readonly<Record<string, Use>> = {
  get: (caller, { credential }) => credentials.get(caller, credential.id),
  describe: (caller, { credential }) => credentials.describe(caller, credential.id),
  reveal: (caller, { credential }) => credentials.reveal(caller, credential.id),
  update: (caller, { credential }) => credentials.update(caller, credential.id, { name: 'taken' }),
  'update to one’s own Lrs': (caller, { credential }) => {
    return credentials.update(caller, credential.id, { lrsIds: caller.lrsIds })
  },
  'update with a secret': (caller, { credential }) => {
    return credentials.update(caller, credential.id, { secret: 'taken-secret-0123456789' })
  },
  enable: (caller, { credential }) => credentials.enable(caller, credential.id),
  disable: (caller, { credential }) => credentials.disable(caller, credential.id),
  remove: (caller, { credential }) => credentials.remove(caller, credential.id),
  rotate: (caller, { credential }) => credentials.rotate(caller, credential.id, { overlapSeconds: 0 }),
  addSecret: (caller, { credential }) => credentials.addSecret(caller, credential.id, {}),
  updateSecret: (caller, { credential }) => {
    return credentials.updateSecret(caller, credential.id, credential.secrets[0]!.id, { isEnabled: false })
  },
  dropSecret: (caller, { credential }) => credentials.dropSecret(caller, credential.id, credential.secrets[0]!.id),
  'create a session': (caller, { credential }) => world.core.sessions.create(caller, credential.id),
  'list sessions': (caller, { credential }) => world.core.sessions.list(caller, credential.id, slice),
  'get a session': (caller, { credential }, session) => world.core.sessions.get(caller, credential.id, session.id),
  'end a session': (caller, { credential }, session) => world.core.sessions.remove(caller, credential.id, session.id),
}

async function sessionOf({ credential }: IssuedCredential, caller = world.operator) {
  return (await world.core.sessions.create(caller, credential.id)).session
}

/** Of the kind a key of an application is not, and where. */
const targets: Readonly<Record<string, () => Promise<IssuedCredential>>> = {
  'a key of another application': () => create(other.principal, { lrsIds: lrsOf(other) }),
  'a key outside applications': () => world.issue('isolated'),
  'a key of its own and another': () => {
    return credentials.create(world.operator, { name: 'x', rights, lrsIds: [lrsOf(own)[0]!, lrsOf(other)[0]!] })
  },
  'a key inside it that manages more': () => {
    return credentials.create(world.operator, {
      ...{ name: 'x', rights: managing({ kind: 'organisation' }), lrsIds: lrsOf(own) },
    })
  },
}

describe.each(Object.keys(targets))('%s', (target) => {
  it.each(Object.keys(uses))('is out of reach: %s', async (use) => {
    const issued = await targets[target]!()
    const session = await sessionOf(issued)
    await refused(() => uses[use]!(own.principal, issued, session), 'forbidden')
    const { token } = await world.core.tokens.issue(own.principal)
    await refused(async () => uses[use]!(await world.core.signIn.bearer({ token }), issued, session), 'forbidden')
    expect((await credentials.get(world.operator, issued.credential.id)).version).toBe(issued.credential.version)
    await world.signIn(issued)
  })
})

describe('a key of another organisation’s application', () => {
  it.each(Object.keys(uses))('does not exist: %s', async (use) => {
    const issued = await credentials.create(foreign.principal, { name: 'x', rights, lrsIds: lrsOf(foreign) })
    const session = await sessionOf(issued, elsewhere.operator)
    await refused(() => uses[use]!(own.principal, issued, session), 'not_found')
    await world.signIn(issued)
  })
})

describe('the same use cases', () => {
  it.each(Object.keys(uses))('on a key inside: %s', async (use) => {
    const inside = await create(own.principal)
    const session = await sessionOf(inside)
    await uses[use]!(own.principal, inside, session)
  })
})

describe('bounds that would manage nothing, or what is not there', () => {
  it.each(['credentials', 'forwarding', 'data'] as const)('%s of all applications', async (area) => {
    const attempt = () => world.issue('none', { rights: managing({ kind: 'applications' }, area) })
    await refused(attempt, 'invalid')
    await expect(attempt()).rejects.toThrow('reaches into Lrs')
  })

  it('an application that is not there, or Lrs that are not its own', async () => {
    const wrong: readonly Bound[] = [
      { ...boundOf(own), id: 'NONE000000' } as Bound,
      boundOf(foreign),
      { ...boundOf(own), lrsIds: [world.lrsId] } as Bound,
      { ...boundOf(own), lrsIds: lrsOf(other) } as Bound,
      { kind: 'lrs', id: lrsOf(foreign)[0]! },
    ]
    for (const bound of wrong) await refused(() => world.issue('none', { rights: managing(bound) }), 'invalid')
    await world.issue('none', { rights: managing(boundOf(own)) })
    await world.issue('none', { rights: managing({ kind: 'applications' }, 'settings') })
  })
})
