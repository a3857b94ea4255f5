import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import type { BulkChange } from './credential-bulk.ts'
import type { CredentialId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Rights } from './rights.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

const signedIn = async (preset: string, input = {}) => world.signIn(await world.issue(preset, input))
const some = { name: 'One of many', rights: presetRights('isolated') }
const creating = (input = {}): BulkChange => ({ create: { ...some, ...input } })
const apply = (changes: readonly BulkChange[], caller: Caller = world.operator) =>
  world.core.credentialBulk.apply(caller, changes)
const everything = async () => {
  const { items } = await world.core.credentials.list(world.operator, {}, { offset: 0, limit: 10_000 })
  return JSON.stringify(items)
}
const actions = async (from: number) => (await world.events()).slice(from).map(({ action }) => action)
const failing = (...pointers: string[]) => ({
  detail: { failures: pointers.map((pointer) => expect.objectContaining({ pointer })) },
})

/** Refused by `check` and by `apply`, and nothing is written but the attempts. */
async function refused(changes: readonly BulkChange[], refusal: object, caller: Caller = world.operator) {
  const [before, events] = [await everything(), (await world.events()).length]
  await expect(world.core.credentialBulk.check(caller, changes)).rejects.toMatchObject(refusal)
  await expect(apply(changes, caller)).rejects.toMatchObject(refusal)
  expect(await everything()).toBe(before)
  expect((await actions(events)).filter((action) => action !== 'credential.grant-refused')).toEqual([])
}

describe('what is done', () => {
  it('makes, changes, switches, rotates and removes, an event each, and every key works or does not', async () => {
    const [a, b, c, d, e] = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => world.issue('isolated', { name })),
    )
    const off = await world.issue('isolated', { isEnabled: false })
    const events = (await world.events()).length
    const answers = await apply([
      creating({ key: 'bulk-made', secret: 'a secret of its own' }),
      { update: a!.credential.id, change: ({ name }) => ({ name: `${name}!`, expiresAt: null }) },
      { disable: b!.credential.id },
      { rotate: c!.credential.id, overlapSeconds: 60 },
      { remove: d!.credential.id },
      { enable: off.credential.id },
      { update: e!.credential.id, change: { secret: 'another secret of its own' } },
    ])
    expect(await actions(events)).toEqual([
      'credential.create',
      'credential.update',
      'credential.disable',
      'secret.rotate',
      'credential.delete',
      'credential.enable',
      'credential.update',
    ])
    expect(answers.map(({ before }) => before?.name)).toEqual([undefined, 'a', 'b', 'c', 'd', 'isolated', 'e'])
    expect(answers[1]!.credential).toMatchObject({ name: 'a!', version: 2 })
    expect(answers.map(({ secret }) => secret !== undefined)).toEqual([true, false, false, true, false, false, false])
    await world.signIn({ key: 'bulk-made', secret: 'a secret of its own' })
    await world.signIn(c!)
    await world.signIn({ key: c!.key, secret: answers[3]!.secret! })
    await world.signIn(off)
    await world.signIn({ key: e!.key, secret: 'another secret of its own' })
    for (const gone of [b!, d!]) await expect(world.signIn(gone)).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(JSON.stringify(await world.events())).not.toContain('secret of its own')
    expect((await world.core.audit.verify(world.operator)).brokenAt).toBeUndefined()
  })

  it('does nothing, and says so of nothing', async () => {
    const events = (await world.events()).length
    expect(await apply([])).toEqual([])
    expect(await actions(events)).toEqual([])
  })

  it('checks without a trace', async () => {
    const [before, events] = [await everything(), (await world.events()).length]
    await world.core.credentialBulk.check(world.operator, [creating(), creating()])
    expect([await everything(), (await world.events()).length]).toEqual([before, events])
  })

  it('does it again from what there is where others were faster', async () => {
    const made = await apply([creating(), creating(), creating()])
    const ids = made.map(({ credential }) => credential.id)
    await Promise.all([
      ...ids.map((id) => world.core.credentials.update(world.operator, id, { name: 'renamed' })),
      apply(ids.map((id) => ({ disable: id }))),
      apply(ids.map((id) => ({ update: id, change: { limits: { ratePerMinute: 5 } } }))),
    ])
    for (const id of ids) {
      const found = await world.core.credentials.get(world.operator, id)
      expect(found).toMatchObject({ name: 'renamed', isEnabled: false, limits: { ratePerMinute: 5 } })
    }
  })
})

describe('what is refused', () => {
  it('tells of every change that is wrong, and of each thing in it', async () => {
    const taken = await world.issue('isolated', { key: 'bulk-taken' })
    const nobody = 77_777 as CredentialId
    await refused(
      [
        creating(),
        creating({ key: 'a:b', secret: '' }),
        creating({ key: taken.key }),
        creating({ key: 'bulk-twice' }),
        creating({ key: 'bulk-twice' }),
        { disable: nobody },
        creating({ limits: { ratePerMinute: -1 } }),
        creating({ kind: 'application' }),
        { rotate: taken.credential.id, overlapSeconds: -1 },
      ],
      {
        code: 'invalid',
        message: expect.stringContaining('7 of 9 changes are refused'),
        ...failing(
          '/1/key',
          '/1/secret',
          '/2/key',
          '/4/key',
          '/5',
          '/6/limits/ratePerMinute',
          '/7',
          '/8/overlapSeconds',
        ),
      },
    )
  })

  it('refuses one key twice, and more than it takes', async () => {
    const { credential } = await world.issue('isolated')
    await refused([{ disable: credential.id }, { enable: credential.id }], { code: 'invalid', ...failing('/1') })
    await refused(
      Array.from({ length: 10_001 }, () => creating()),
      { code: 'invalid', message: expect.stringContaining('10000') },
    )
  })

  it('says which one the store refused, with its place', async () => {
    const id = 900_001 as CredentialId
    const before = await everything()
    await expect(apply([creating({ id }), creating({ id })])).rejects.toMatchObject({
      code: 'conflict',
      ...failing('/1'),
    })
    expect(await everything()).toBe(before)
  })

  it('tells an operator of every Lrs, id and pair that is not to be had, before anything is written', async () => {
    const other = await world.addOrganisation()
    const pair = { key: 'bulk-elsewhere', secret: 'a secret from elsewhere' }
    await world.core.credentials.create(other.operator, { ...some, ...pair })
    const { credential } = await world.issue('isolated')
    const gone = await world.issue('isolated')
    await world.core.credentials.remove(world.operator, gone.credential.id)
    await refused(
      [
        creating(),
        creating({ lrsIds: [other.lrsId] }),
        creating(pair),
        creating({ id: gone.credential.id }),
        creating({ oid: credential.oid, key: 'bulk-of-nobody' }),
        creating({ ...pair, key: 'bulk-elsewhere-2' }),
        { update: credential.id, change: pair },
        { disable: 77_777 as CredentialId },
      ],
      { code: 'invalid', ...failing('/1/lrsIds', '/2/secret', '/3/id', '/4/oid', '/6/secret', '/7') },
    )
    const { key } = await world.core.credentials.get(world.operator, credential.id)
    expect(key).toBe(credential.key)
  })

  it('limits how often pairs of others are guessed, by the key that was guessed', async () => {
    const other = await world.addOrganisation()
    const theirs = await world.core.credentials.create(other.operator, { ...some, key: 'bulk-theirs' })
    // An operator is told of all of them at once.
    const caller = await signedIn('management')
    const guess = () =>
      apply([creating({ key: 'bulk-mine' }), creating({ key: 'bulk-theirs', secret: theirs.secret })], caller)
    for (let times = 0; times < 10; times++) {
      await expect(guess()).rejects.toMatchObject({ code: 'conflict', detail: { decidedBy: 'pair', index: 1 } })
    }
    await expect(guess()).rejects.toMatchObject({ code: 'rate_limited' })
    // The limit is the single change's, too; a key that was nobody's is not counted.
    const one = { ...some, key: 'bulk-theirs' }
    await expect(world.core.credentials.create(world.operator, one)).rejects.toMatchObject({ code: 'rate_limited' })
    await world.core.credentials.create(world.operator, { ...some, key: 'bulk-mine' })
    // Imports bring many keys alike along.
    const alike = { ...one, allowDuplicateKey: true }
    await Promise.all(Array.from({ length: 12 }, () => world.core.credentials.create(world.operator, alike)))
  })
})

it('lets through no more guesses where many come at once', async () => {
  const other = await world.addOrganisation()
  const theirs = await world.core.credentials.create(other.operator, { ...some, key: 'bulk-at-once' })
  const caller = await signedIn('management')
  const guess = () => apply([creating({ key: 'bulk-at-once', secret: theirs.secret })], caller)
  const guesses = Array.from({ length: 30 }, guess)
  const codes = (await Promise.allSettled(guesses)).map((one) => one.status === 'rejected' && one.reason.code)
  expect(codes.filter((code) => code === 'conflict')).toHaveLength(10)
  expect(codes.filter((code) => code === 'rate_limited')).toHaveLength(20)
})

describe('who may', () => {
  const delegate = { area: 'credentials', actions: ['read', 'write', 'delete'], within: true } as const

  it('nobody without management, and nobody learns which there are', async () => {
    const caller = await signedIn('xapi')
    for (const changes of [[creating()], [{ remove: 77_777 as CredentialId }], [{ disable: caller.credentialId }]]) {
      await refused(changes, { code: 'forbidden' }, caller)
    }
  })

  it('a delegate what it may one by one: the attempts are recorded, nothing is done', async () => {
    const rights: Rights = {
      ...presetRights('isolated'),
      management: [{ ...delegate, bound: { kind: 'organisation' } }],
    }
    const caller = await signedIn('isolated', { rights })
    const strong = await world.issue('management')
    const weak = await world.issue('write-only')
    const events = (await world.events()).length
    await refused(
      [
        creating(),
        creating({ rights: presetRights('management') }),
        { disable: strong.credential.id },
        { rotate: strong.credential.id, overlapSeconds: 0 },
      ].slice(0, 3),
      { code: 'forbidden', ...failing('/1', '/2') },
      caller,
    )
    expect(await actions(events)).toEqual(['credential.grant-refused', 'credential.grant-refused'])
    await refused([{ rotate: strong.credential.id, overlapSeconds: 0 }], { code: 'forbidden' }, caller)
    await apply([creating(), { disable: weak.credential.id }], caller)
  })

  it('only inside its bound; another organisation is not there at all', async () => {
    const second = await world.core.lrs.create(world.operator, { name: 'Bounded' })
    const bound = { kind: 'lrs' as const, id: second.id }
    const rights: Rights = {
      xapi: {},
      management: [{ area: 'credentials', actions: ['read', 'write', 'delete'], bound }],
    }
    const caller = await signedIn('none', { rights, lrsIds: [second.id] })
    const outside = await world.issue('isolated')
    const other = await world.addOrganisation()
    const theirs = await world.core.credentials.create(other.operator, some)
    await refused(
      [creating({ lrsIds: [second.id] }), creating(), { remove: outside.credential.id }],
      { code: 'forbidden', ...failing('/1', '/2') },
      caller,
    )
    await refused([{ remove: theirs.credential.id }], { code: 'not_found', ...failing('/0') })
    await refused([{ disable: outside.credential.id }, { remove: theirs.credential.id }], failing('/1'))
    await apply([creating({ lrsIds: [second.id] })], caller)
  })

  it('an operator alone chooses identifiers', async () => {
    const caller = await signedIn('management')
    await refused([creating({ id: 900_500 as CredentialId })], { code: 'forbidden', ...failing('/0') }, caller)
  })
})
