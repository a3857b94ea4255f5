import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore, presetRights } from '../../test/support/core.ts'
import type { OpenCore } from '../../test/support/core.ts'
import { explain, homeOf } from './access.ts'
import type { CredentialId, LrsId, SecretId } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Rights } from './rights.ts'

let world: OpenCore
beforeAll(async () => void (world = await openCore()))
afterAll(() => world.close())

const slice = { offset: 0, limit: 100 }
const signedIn = async (preset: string, input = {}) => world.signIn(await world.issue(preset, input))

/** Everything that would show a write. */
async function everything() {
  const credentials = await world.core.credentials.list(world.operator, {}, { offset: 0, limit: 10_000 })
  return JSON.stringify(credentials.items)
}

async function refused(attempt: () => Promise<unknown>, refusal: object, audited: readonly string[] = []) {
  const [before, events] = [await everything(), (await world.events()).length]
  await expect(attempt()).rejects.toMatchObject(refusal)
  expect(await everything()).toBe(before)
  expect((await world.events()).slice(events).map(({ action }) => action)).toEqual(audited)
}

describe('creating', () => {
  it('claims a registered public key with its key, however it is written', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const key = 'signs'
    const { credential } = await world.issue('xapi', { key, oauth: { publicKey: pem } })
    const other = await world.addOrganisation()
    const copy = { name: 'Copy', rights: presetRights('xapi'), key, oauth: { publicKey: `\n${pem}\n` } }
    const refused = { code: 'conflict', detail: { decidedBy: 'pair' } }
    await expect(world.core.credentials.create(other.operator, copy)).rejects.toMatchObject(refused)
    const made = await world.core.credentials.create(other.operator, { ...copy, oauth: {} })
    const change = { oauth: copy.oauth }
    await expect(world.core.credentials.update(other.operator, made.credential.id, change)).rejects.toMatchObject(
      refused,
    )
    await world.core.credentials.remove(other.operator, made.credential.id)
    const renamed = await world.core.credentials.create(other.operator, { ...copy, key: 'another' })
    await expect(world.core.credentials.update(other.operator, renamed.credential.id, { key })).rejects.toMatchObject(
      refused,
    )
    await world.core.credentials.update(world.operator, credential.id, change)
  })

  it('makes a key and a secret that sign in, and audits it without the secret', async () => {
    const issued = await world.issue('isolated', { name: 'Course A' })
    expect(issued.key).toMatch(/^[0-9a-f]{24}$/)
    expect(issued.secret).toMatch(/^[0-9a-f]{40}$/)
    expect(issued.credential).toMatchObject({ kind: 'client', version: 1, isEnabled: true, lrsIds: [world.lrsId] })
    await world.signIn(issued)
    const event = (await world.events()).at(-1)
    expect(event).toMatchObject({
      action: 'credential.create',
      actor: { kind: 'operator', name: 'test' },
      target: { noun: 'credential', id: issued.credential.id },
      detail: { name: 'Course A', key: issued.key },
    })
    expect(event?.detail).not.toHaveProperty('flagged')
    expect(JSON.stringify(event)).not.toContain(issued.secret)
  })

  it('flags management in the audit log (S2.14)', async () => {
    await world.issue('management')
    expect((await world.events()).at(-1)?.detail).toMatchObject({ flagged: 'management granted' })
    const plain = await world.issue('isolated')
    const rights = presetRights('management')
    await world.core.credentials.update(world.operator, plain.credential.id, { rights })
    expect((await world.events()).at(-1)?.detail).toMatchObject({ flagged: 'management granted' })
    await world.core.credentials.update(world.operator, plain.credential.id, { rights, name: 'Same' })
    expect((await world.events()).at(-1)?.detail).not.toHaveProperty('flagged')
  })

  it('refuses management bound to an Lrs that the organisation does not have', async () => {
    const theirs = await world.addOrganisation()
    const bound = (id: LrsId): Rights => ({
      xapi: {},
      management: [{ area: 'credentials', actions: ['read'], bound: { kind: 'lrs', id } }],
    })
    const plain = await world.issue('isolated')
    for (const id of [4711 as LrsId, theirs.lrsId]) {
      const failures = [{ pointer: '/rights/management/0/bound', message: `The organisation has no Lrs ${id}.` }]
      const refusal = { code: 'invalid', detail: { failures: [expect.objectContaining(failures[0]!)] } }
      await refused(() => world.issue('none', { rights: bound(id) }), refusal)
      await refused(
        () => world.core.credentials.update(world.operator, plain.credential.id, { rights: bound(id) }),
        refusal,
      )
    }
    expect((await world.issue('none', { rights: bound(world.lrsId) })).credential.rights).toEqual(bound(world.lrsId))
  })

  it('refuses a key the organisation has, and leaves other organisations out of it', async () => {
    const { key } = await world.issue('isolated')
    await refused(() => world.issue('isolated', { key }), { code: 'conflict' })
    const other = await world.addOrganisation()
    await world.core.credentials.create(other.operator, { name: 'Theirs', rights: presetRights('none'), key })
  })

  it.each([
    [{ key: 'a:b' }, '/key'],
    [{ key: '' }, '/key'],
    [{ secret: '' }, '/secret'],
    [{ name: 'a\u0000' }, '/name'],
    [{ lrsIds: [1, 1] }, '/lrsIds'],
    [{ lrsIds: [], kind: 'management', rights: presetRights('applications') }, '/lrsIds'],
    [{ createdAt: -1 }, '/createdAt'],
    [{ updatedAt: 1.5 }, '/updatedAt'],
    [{ rights: { xapi: { 'statements/fly': 'any' }, management: [] } }, '/rights/xapi'],
    [{ rights: { xapi: { 'statements/read': 'all' }, management: [] } }, '/rights/xapi/statements~1read'],
    [{ pins: { activity: 'course' } }, '/pins/activity'],
    [{ limits: { batch: 0 } }, '/limits/batch'],
    [{ authority: { objectType: 'Agent', name: 'nobody' } }, '/authority'],
    [{ expiresAt: 1.5 }, '/expiresAt'],
    [{ oid: 'short' }, '/oid'],
    [{ id: 0 }, '/id'],
  ])('refuses %o with a pointer', async (input, pointer) => {
    await refused(() => world.issue('isolated', input as object), {
      code: 'invalid',
      detail: { failures: [expect.objectContaining({ pointer: expect.stringContaining(pointer) })] },
    })
  })

  it('keeps when it was made elsewhere, and takes another time later on', async () => {
    const { credential } = await world.issue('isolated', { createdAt: 5, updatedAt: 6 })
    expect(credential).toMatchObject({ createdAt: 5, updatedAt: 6 })
    const updated = await world.core.credentials.update(world.operator, credential.id, { createdAt: 7 })
    expect(updated).toMatchObject({ createdAt: 7, updatedAt: world.clock.now() })
    const manager = await signedIn('management')
    const input = { name: 'Theirs', rights: presetRights('none'), createdAt: 8 }
    const made = await world.core.credentials.create(manager, input)
    expect(made.credential).toMatchObject({ createdAt: 8, updatedAt: world.clock.now() })
    const attempt = () => world.core.credentials.create(manager, { ...input, updatedAt: 9 })
    await refused(attempt, { code: 'forbidden', detail: { decidedBy: 'operator' } })
  })

  it('may be without any Lrs: signs in, and has no xAPI', async () => {
    const issued = await world.issue('global', { lrsIds: [] })
    expect(issued.credential.lrsIds).toEqual([])
    const principal = await world.signIn(issued)
    expect(() => homeOf(principal)).toThrow(expect.objectContaining({ code: 'forbidden' }))
    const access = { kind: 'xapi', right: 'statements/read', lrsId: world.lrsId } as const
    expect(explain(principal, access)).toMatchObject({ allowed: false, decidedBy: 'lrs' })
    const given = await world.core.credentials.update(world.operator, issued.credential.id, { lrsIds: [world.lrsId] })
    expect(given.lrsIds).toEqual([world.lrsId])
    expect(homeOf(await world.signIn(issued))).toBe(world.lrsId)
  })

  it('without any Lrs is outside every bound but the organisation', async () => {
    const { credentials, lrs } = world.core
    const { credential } = await world.issue('isolated', { lrsIds: [] })
    const { id } = await lrs.create(world.operator, { name: 'Bound' })
    const bounds = [
      { kind: 'lrs', id } as const,
      { kind: 'applications' } as const,
      { kind: 'application', id: 'ANY', lrsIds: [id] } as const,
    ]
    for (const bound of bounds) {
      const management = [{ area: 'credentials', actions: ['read', 'write', 'delete'], bound } as const]
      const manager = { ...(await signedIn('none')), rights: { xapi: {}, management } }
      const outside = { code: 'forbidden' }
      await refused(() => credentials.get(manager, credential.id), outside)
      await refused(() => credentials.remove(manager, credential.id), outside)
      await refused(() => credentials.update(manager, credential.id, { name: 'x' }), outside)
      const { items } = await credentials.list(manager, {}, { offset: 0, limit: 1_000 })
      expect(items.filter(({ lrsIds }) => lrsIds.length === 0)).toEqual([])
      const input = { name: 'None', rights: presetRights('none'), lrsIds: [] }
      await expect(credentials.create(manager, input)).rejects.toMatchObject(outside)
      if (bound.kind === 'applications') continue
      const made = await credentials.create(manager, { ...input, lrsIds: [id] })
      const empty = () => credentials.update(manager, made.credential.id, { lrsIds: [] })
      await expect(empty()).rejects.toMatchObject(outside)
      expect((await credentials.get(world.operator, made.credential.id)).lrsIds).toEqual([id])
    }
  })

  it('refuses the Lrs of another organisation, or none', async () => {
    const other = await world.addOrganisation()
    await refused(() => world.issue('isolated', { lrsIds: [other.lrsId] }), { code: 'invalid' })
    await refused(() => world.issue('isolated', { lrsIds: [world.lrsId, 999_999 as LrsId] }), { code: 'invalid' })
  })

  it('lets operators choose identifiers, nobody else', async () => {
    const issued = await world.issue('isolated', { id: 4711 as CredentialId })
    expect(issued.credential.id).toBe(4711)
    const manager = await signedIn('management')
    const input = { name: 'Chosen', rights: presetRights('none') }
    await refused(() => world.core.credentials.create(manager, { ...input, id: 4712 as CredentialId }), {
      code: 'forbidden',
    })
    await refused(
      () => world.core.credentials.create(manager, { ...input, key: issued.key, allowDuplicateKey: true }),
      {
        code: 'forbidden',
      },
    )
  })
})

describe('granting (S2.13)', () => {
  const grants = (area: Rights['management'][number]['area'], more: object = {}): Rights['management'] => [
    { area, actions: ['read', 'write', 'delete'], bound: { kind: 'organisation' }, ...more },
  ]

  it('management of credentials gives itself xAPI rights it lacks', async () => {
    const caller = await signedIn('management')
    expect(caller.rights.xapi).toEqual({})
    const rights: Rights = { ...presetRights('global'), management: caller.rights.management }
    await world.core.credentials.update(caller, caller.credentialId, { rights })
    const updated = await world.core.credentials.get(caller, caller.credentialId)
    expect(updated.rights).toEqual(rights)
  })

  it('delegated management does not, and the attempt is recorded', async () => {
    const rights: Rights = { xapi: {}, management: grants('credentials', { within: true }) }
    const caller = await signedIn('none', { rights })
    await refused(
      () =>
        world.core.credentials.update(caller, caller.credentialId, { rights: { ...rights, xapi: { define: 'any' } } }),
      {
        code: 'forbidden',
        message: expect.stringContaining('define any'),
        detail: { decidedBy: 'manage/credentials/write' },
      },
      ['credential.grant-refused'],
    )
    expect((await world.events()).at(-1)).toMatchObject({
      actor: { kind: 'credential', id: caller.credentialId },
      target: { noun: 'credential', id: caller.credentialId },
    })
  })

  it('delegated management grants what it has, as delegated', async () => {
    const caller = await signedIn('delegated-management')
    await world.core.credentials.create(caller, { name: 'Child', rights: presetRights('xapi') })
    await world.core.credentials.create(caller, { name: 'Delegate', rights: caller.rights })
    await refused(
      () => world.core.credentials.create(caller, { name: 'Full', rights: presetRights('management') }),
      { code: 'forbidden' },
      ['credential.grant-refused'],
    )
  })

  it('delegated management hands on its pins, limits and Lrs', async () => {
    const second = await world.core.lrs.create(world.operator, { name: 'Second' })
    const pins = { activity: 'urn:course' }
    const limits = { ratePerMinute: 10 }
    const caller = await signedIn('delegated-management', { pins, limits })
    const input = { name: 'Child', rights: presetRights('xapi'), pins, limits }
    await world.core.credentials.create(caller, input)
    for (const wider of [{ pins: {} }, { limits: {} }, { lrsIds: [second.id] }]) {
      const attempt = () => world.core.credentials.create(caller, { ...input, ...wider })
      await refused(attempt, { code: 'forbidden' }, ['credential.grant-refused'])
    }
  })

  it('delegated management sets no authority without the right to', async () => {
    const caller = await signedIn('delegated-management')
    const authority = { objectType: 'Agent', mbox: 'mailto:ceo@example.org' }
    const input = { name: 'Mask', rights: presetRights('xapi'), authority }
    await refused(() => world.core.credentials.create(caller, input), { code: 'forbidden' })
    await world.core.credentials.create(await signedIn('management'), input)
  })

  it('delegated management takes nothing from a stronger key: not its secrets, not its switch', async () => {
    const caller = await signedIn('delegated-management')
    const { credential } = await world.issue('management')
    const { id } = credential
    const secretId = credential.secrets[0]!.id
    const { credentials } = world.core
    for (const attempt of [
      () => credentials.reveal(caller, id),
      () => credentials.update(caller, id, { secret: 'known to the delegate' }),
      () => credentials.update(caller, id, { name: 'Renamed' }),
      () => credentials.rotate(caller, id, { overlapSeconds: 0 }),
      () => credentials.addSecret(caller, id, {}),
      () => credentials.updateSecret(caller, id, secretId, { isEnabled: false }),
      () => credentials.dropSecret(caller, id, secretId),
      () => credentials.disable(caller, id),
      () => credentials.remove(caller, id),
    ]) {
      await refused(attempt, { code: 'forbidden' })
    }
    expect((await credentials.get(caller, id)).name).toBe('management')
    const listed = await credentials.listRevealed(caller, { key: credential.key }, slice)
    expect(listed.items[0]).toMatchObject({ secrets: [], secret: undefined })
  })

  it('an isolated delegate does not learn the secrets of other isolated keys, whose data is not its own', async () => {
    const rights: Rights = { ...presetRights('isolated'), management: grants('credentials', { within: true }) }
    const caller = await signedIn('isolated', { rights })
    const { credential } = await world.issue('isolated')
    await refused(() => world.core.credentials.reveal(caller, credential.id), { code: 'forbidden' })
    await refused(() => world.core.credentials.rotate(caller, credential.id, { overlapSeconds: 0 }), {
      code: 'forbidden',
    })
    await world.core.credentials.reveal(caller, caller.credentialId)
    await world.core.credentials.create(caller, { name: 'New', rights: presetRights('isolated') })
  })

  it('nobody grants management beyond their own bound, nor reaches past it', async () => {
    const second = await world.core.lrs.create(world.operator, { name: 'Bounded' })
    const bound = { kind: 'lrs' as const, id: second.id }
    const rights: Rights = { xapi: {}, management: grants('credentials', { bound }) }
    const caller = await signedIn('none', { rights, lrsIds: [second.id] })
    const inside = { lrsIds: [second.id] }
    const child = await world.core.credentials.create(caller, { name: 'In', rights: presetRights('global'), ...inside })
    const audited = ['credential.grant-refused']
    const create = (input: object) => () =>
      world.core.credentials.create(caller, { name: 'Out', rights: presetRights('xapi'), ...inside, ...input })
    await refused(create({ lrsIds: [world.lrsId] }), { code: 'forbidden' }, audited)
    await refused(create({ rights: presetRights('management') }), { code: 'forbidden' }, audited)
    const outside = await world.issue('isolated')
    await refused(() => world.core.credentials.get(caller, outside.credential.id), { code: 'forbidden' })
    await refused(() => world.core.credentials.disable(caller, outside.credential.id), { code: 'forbidden' })
    await refused(
      () => world.core.credentials.update(caller, child.credential.id, { lrsIds: [second.id, world.lrsId] }),
      { code: 'forbidden' },
      audited,
    )
    // An organisation's manager that happens to live in this Lrs is not the bounded manager's to take.
    const strong = await world.issue('management', { lrsIds: [second.id] })
    await refused(() => world.core.credentials.reveal(caller, strong.credential.id), { code: 'forbidden' })
    const listed = await world.core.credentials.list(caller, {}, slice)
    expect(listed.items.map(({ id }) => id)).toEqual([caller.credentialId, child.credential.id])
    expect(listed.total).toBe(2)
  })

  it('a key without management sees itself and changes nothing', async () => {
    const caller = await signedIn('global')
    const other = await world.issue('isolated')
    expect((await world.core.credentials.get(caller, caller.credentialId)).key).toBe(caller.key)
    const { credentials } = world.core
    for (const attempt of [
      () => credentials.get(caller, other.credential.id),
      () => credentials.get(caller, 999_999 as CredentialId),
      () => credentials.list(caller, {}, slice),
      () => credentials.reveal(caller, caller.credentialId),
      () => credentials.update(caller, caller.credentialId, { name: 'Me' }),
      () => credentials.create(caller, { name: 'New', rights: presetRights('none') }),
      () => credentials.remove(caller, caller.credentialId),
    ]) {
      await refused(attempt, { code: 'forbidden' })
    }
  })

  it('reading is not writing is not deleting', async () => {
    const { id } = (await world.issue('isolated')).credential
    const only = (...actions: Rights['management'][number]['actions']): Promise<Caller> =>
      signedIn('none', { rights: { xapi: {}, management: [{ ...grants('credentials')[0]!, actions }] } })
    const [reader, writer, deleter] = [await only('read'), await only('write'), await only('delete')]
    expect((await world.core.credentials.get(reader, id)).id).toBe(id)
    await refused(() => world.core.credentials.update(reader, id, { name: 'x' }), { code: 'forbidden' })
    await refused(() => world.core.credentials.remove(writer, id), { code: 'forbidden' })
    await world.core.credentials.update(writer, id, { name: 'x' })
    await refused(() => world.core.credentials.update(deleter, id, { name: 'x' }), { code: 'forbidden' })
    expect((await world.core.credentials.remove(deleter, id)).secret).toBeUndefined()
  })
})

describe('what ends', () => {
  const past = (end: number) => [null, end + 1]
  const xapi = (name: string) => ({ name, rights: presetRights('xapi') })
  const refusal = { code: 'forbidden', detail: { decidedBy: 'end of the caller' } }

  it.each<[string, () => Promise<Caller>]>([
    [
      'a session of a manager',
      async () => {
        const { credential } = await world.issue('xapi-and-management')
        return world.signIn(await world.core.sessions.create(world.operator, credential.id, { expireSeconds: 60 }))
      },
    ],
    [
      'delegated management with an end',
      async () => world.signIn(await world.issue('delegated-management', { expiresAt: world.clock.now() + 60_000 })),
    ],
  ])('%s makes and prolongs nothing that outlasts it', async (_, signIn) => {
    const caller = await signIn()
    const end = caller.notAfter!
    expect(end).toBe(world.clock.now() + 60_000)
    const { credentials, sessions } = world.core
    const made = await credentials.create(caller, xapi('Child'))
    expect(made.credential.expiresAt).toBe(end)
    const { id } = made.credential
    const lasting = (await world.issue('xapi')).credential
    for (const expiresAt of past(end)) {
      await refused(() => credentials.create(caller, { ...xapi('Lasting'), expiresAt }), refusal)
      await refused(() => credentials.update(caller, id, { expiresAt }), refusal)
      await refused(() => credentials.addSecret(caller, id, { expiresAt }), refusal)
      await refused(() => credentials.rotate(caller, id, { overlapSeconds: 60, expiresAt }), refusal)
    }
    const added = await credentials.addSecret(caller, lasting.id, {})
    const endOf = ({ credential, secretId }: typeof added) =>
      credential.secrets.find((it) => it.id === secretId)?.expiresAt
    expect(endOf(added)).toBe(end)
    await refused(() => credentials.updateSecret(caller, lasting.id, added.secretId, { expiresAt: null }), refusal)
    // Its own value for a secret that lasts would be such a secret.
    const other = (await world.issue('xapi')).credential
    await refused(() => credentials.update(caller, other.id, { secret: 'known to the caller' }), refusal)
    expect(endOf(await credentials.rotate(caller, other.id, { overlapSeconds: 60 }))).toBe(end)
    // What it does not prolong is its to change.
    expect((await credentials.update(caller, lasting.id, { name: 'Renamed' })).expiresAt).toBeNull()
    await credentials.update(caller, lasting.id, { expiresAt: end + 5 })
    if (caller.sessionId !== undefined) return
    expect((await sessions.create(caller, lasting.id)).session.expiresAt).toBe(end)
  })

  it('a token does not prolong its own key, and makes lasting keys for others (S2.13)', async () => {
    const issued = await world.issue('xapi-and-management', { expiresAt: world.clock.now() + 120_000 })
    const { id } = issued.credential
    const { token, expiresAt: end } = await world.core.tokens.issue(await world.signIn(issued), { expireSeconds: 60 })
    const caller = await world.core.signIn.bearer({ token })
    const { credentials } = world.core
    await refused(() => credentials.update(caller, id, { expiresAt: null }), refusal)
    await refused(() => credentials.update(caller, id, { secret: 'known to the token' }), refusal)
    const { credential, secretId } = await credentials.addSecret(caller, id, {})
    expect(credential.secrets.find((it) => it.id === secretId)?.expiresAt).toBe(end)
    expect((await credentials.create(caller, xapi('Lasting'))).credential.expiresAt).toBeNull()
  })

  it('management that is not delegated may prolong itself, being able to make another key as well', async () => {
    const caller = await signedIn('management', { expiresAt: world.clock.now() + 60_000 })
    expect(
      (await world.core.credentials.update(caller, caller.credentialId!, { expiresAt: null })).expiresAt,
    ).toBeNull()
    expect((await world.core.credentials.create(caller, xapi('Lasting'))).credential.expiresAt).toBeNull()
  })
})

describe('revealing', () => {
  const manager = (management: Rights['management']): Promise<Caller> =>
    signedIn('none', { rights: { xapi: {}, management } })
  const all = { kind: 'organisation' } as const

  it('takes management that may write: who may only look at keys learns no secret, not even its own again', async () => {
    const { credential, secret } = await world.issue('global', { secret: 'short one' })
    const { credentials } = world.core
    for (const actions of [['read'], ['read', 'delete']] as const) {
      const reader = await manager([{ area: 'credentials', actions, bound: all }])
      for (const id of [credential.id, reader.credentialId!]) {
        await refused(() => credentials.reveal(reader, id), {
          code: 'forbidden',
          detail: { decidedBy: 'manage/credentials/write' },
        })
      }
      const listed = await credentials.listRevealed(reader, {}, { offset: 0, limit: 10_000 })
      expect(listed.items.length).toBeGreaterThan(2)
      for (const item of listed.items) expect(item).toMatchObject({ secrets: [], secret: undefined })
      expect((await credentials.describe(reader, credential.id)).warnings).toEqual([])
      expect((await credentials.get(reader, credential.id)).key).toBe(credential.key)
    }
    const writer = await manager([{ area: 'credentials', actions: ['read', 'write'], bound: all }])
    expect((await credentials.reveal(writer, credential.id)).secret).toBe(secret)
  })

  it('removing shows no secret to who may only remove', async () => {
    const { credential } = await world.issue('isolated')
    const deleter = await manager([{ area: 'credentials', actions: ['read', 'delete'], bound: all }])
    expect(await world.core.credentials.remove(deleter, credential.id)).toMatchObject({ secrets: [] })
  })

  it('goes as far as the writing does, not as far as the looking', async () => {
    const second = await world.core.lrs.create(world.operator, { name: 'Written' })
    const caller = await manager([
      { area: 'credentials', actions: ['read'], bound: all },
      { area: 'credentials', actions: ['write'], bound: { kind: 'lrs', id: second.id } },
    ])
    const inside = await world.issue('isolated', { lrsIds: [second.id] })
    const outside = await world.issue('isolated')
    const { credentials } = world.core
    expect((await credentials.reveal(caller, inside.credential.id)).secret).toBe(inside.secret)
    await refused(() => credentials.reveal(caller, outside.credential.id), { code: 'forbidden' })
    const shown = (await credentials.listRevealed(caller, {}, { offset: 0, limit: 10_000 })).items
    const secretOf = (id: CredentialId) => shown.find(({ credential }) => credential.id === id)?.secret
    expect([secretOf(inside.credential.id), secretOf(outside.credential.id)]).toEqual([inside.secret, undefined])
  })
})

describe('changing', () => {
  it('counts every accepted update, also one that changes nothing (S2.8)', async () => {
    const { credential } = await world.issue('isolated')
    expect((await world.core.credentials.update(world.operator, credential.id, {})).version).toBe(2)
    expect((await world.core.credentials.update(world.operator, credential.id, { name: 'isolated' })).version).toBe(3)
  })

  it('never drops a pin, a limit or an authority it does not name', async () => {
    const kept = {
      pins: { actor: [{ accountName: 'ada' }] },
      limits: { batch: 5 },
      authority: { objectType: 'Agent', mbox: 'mailto:lms@example.org' },
    }
    const { credential } = await world.issue('isolated', kept)
    const rights = presetRights('xapi')
    expect(await world.core.credentials.update(world.operator, credential.id, { rights })).toMatchObject({
      ...kept,
      rights,
    })
  })

  it('keeps secret, generation and tokens when the same secret is sent again', async () => {
    const { credential, secret } = await world.issue('isolated')
    const updated = await world.core.credentials.update(world.operator, credential.id, { secret })
    expect(updated.secrets).toEqual(credential.secrets)
  })

  it('replaces the current secret in place, and revives it if it was dead', async () => {
    const { credential, key } = await world.issue('isolated')
    const { id } = credential
    const secretId = credential.secrets[0]!.id
    await world.core.credentials.updateSecret(world.operator, id, secretId, { isEnabled: false })
    const updated = await world.core.credentials.update(world.operator, id, { secret: 'replaced by its owner' })
    expect(updated.secrets).toMatchObject([{ id: secretId, generation: 2, isEnabled: true, expiresAt: null }])
    await world.signIn({ key, secret: 'replaced by its owner' })
  })

  it('gives a credential without secrets one again', async () => {
    const { credential, key } = await world.issue('isolated')
    await world.core.credentials.dropSecret(world.operator, credential.id, credential.secrets[0]!.id)
    await world.core.credentials.update(world.operator, credential.id, { secret: 'a new beginning here' })
    await world.signIn({ key, secret: 'a new beginning here' })
  })

  it('records what changed, from what to what', async () => {
    const { credential } = await world.issue('isolated', { name: 'Before' })
    await world.core.credentials.update(world.operator, credential.id, { name: 'After', secret: 'another secret here' })
    const event = (await world.events()).at(-1)
    expect(event).toMatchObject({
      action: 'credential.update',
      detail: { name: { from: 'Before', to: 'After' }, secretsReplaced: [credential.secrets[0]!.id] },
    })
    expect(JSON.stringify(event)).not.toContain('another secret here')
  })

  it('is not found in another organisation', async () => {
    const other = await world.addOrganisation()
    const { id } = (await world.issue('isolated')).credential
    await refused(() => world.core.credentials.update(other.operator, id, { name: 'x' }), { code: 'not_found' })
    await refused(() => world.core.credentials.remove(other.operator, id), { code: 'not_found' })
  })
})

describe('secrets', () => {
  it('overlap while they rotate, with one of them current', async () => {
    const { credential, key, secret } = await world.issue('isolated')
    const rotated = await world.core.credentials.rotate(world.operator, credential.id, {
      overlapSeconds: 60,
      name: 'Spring',
    })
    const revealed = await world.core.credentials.reveal(world.operator, credential.id)
    expect(revealed.secrets.map(({ value, name }) => [name, value])).toEqual([
      ['Secret', secret],
      ['Spring', rotated.secret],
    ])
    expect(revealed.secret).toBe(rotated.secret)
    expect(rotated.credential.version).toBe(1)
    await world.signIn({ key, secret })
    await world.signIn({ key, secret: rotated.secret })
    expect((await world.events()).at(-1)).toMatchObject({ action: 'secret.rotate', detail: { overlapSeconds: 60 } })
  })

  it('never end later for being rotated', async () => {
    const { credential } = await world.issue('isolated')
    const end = world.clock.now() + 1000
    const [first] = credential.secrets
    await world.core.credentials.updateSecret(world.operator, credential.id, first!.id, { expiresAt: end })
    const rotated = await world.core.credentials.rotate(world.operator, credential.id, { overlapSeconds: 60 })
    expect(rotated.credential.secrets[0]?.expiresAt).toBe(end)
  })

  it('that are over are cleared away by the next rotation', async () => {
    const { credential } = await world.issue('isolated')
    for (let n = 0; n < 20; n += 1)
      await world.core.credentials.rotate(world.operator, credential.id, { overlapSeconds: 0 })
    const { secrets } = await world.core.credentials.get(world.operator, credential.id)
    expect(secrets).toHaveLength(2)
  })

  it('are at most sixteen', async () => {
    const { credential } = await world.issue('isolated')
    for (let n = 1; n < 16; n += 1) await world.core.credentials.addSecret(world.operator, credential.id, {})
    await refused(() => world.core.credentials.addSecret(world.operator, credential.id, {}), { code: 'conflict' })
  })

  it('stay disabled when a rotation runs at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { credential, key, secret } = await world.issue('isolated')
      const secretId = credential.secrets[0]!.id
      await Promise.all([
        world.core.credentials.rotate(world.operator, credential.id, { overlapSeconds: 60 }),
        world.core.credentials.updateSecret(world.operator, credential.id, secretId, { isEnabled: false }),
        world.core.credentials.rotate(world.operator, credential.id, { overlapSeconds: 60 }),
      ])
      await expect(world.signIn({ key, secret })).rejects.toMatchObject({ code: 'unauthenticated' })
    }
  })

  it('of another credential are not found', async () => {
    const [one, two] = [await world.issue('isolated'), await world.issue('isolated')]
    const foreign = two.credential.secrets[0]!.id as SecretId
    await refused(() => world.core.credentials.dropSecret(world.operator, one.credential.id, foreign), {
      code: 'not_found',
    })
  })

  it.each([-1, 0.5, 365 * 86_400 + 1])('do not overlap %s seconds', async (overlapSeconds) => {
    const { credential } = await world.issue('isolated')
    await refused(async () => world.core.credentials.rotate(world.operator, credential.id, { overlapSeconds }), {
      code: 'invalid',
    })
  })
})

describe('describing', () => {
  it('says what it may, may not, and what deserves a second look', async () => {
    const { credential } = await world.issue('write-only', { secret: 'short', isEnabled: false })
    const { may, mayNot, warnings } = await world.core.credentials.describe(world.operator, credential.id)
    expect(may).toEqual(['store statements'])
    expect(mayNot).toContain('manage anything')
    expect(warnings).toEqual([
      'It cannot read back what it stores.',
      'It is disabled.',
      'Secret "Secret": The secret has 5 of the 19 characters that are safe.',
    ])
    expect(JSON.stringify({ may, mayNot, warnings })).not.toContain('short')
  })

  it('warns of management', async () => {
    const { credential } = await world.issue('management')
    const { warnings } = await world.core.credentials.describe(world.operator, credential.id)
    expect(warnings).toEqual([expect.stringMatching(/^It administers: .*in the whole organisation.*with care/)])
  })

  it('names no more of its management than there is', async () => {
    const management: Rights['management'] = [
      { area: 'credentials', actions: ['read'], bound: { kind: 'lrs', id: world.lrsId } },
    ]
    const { credential } = await world.issue('none', { rights: { xapi: {}, management } })
    const { warnings } = await world.core.credentials.describe(world.operator, credential.id)
    expect(warnings).toEqual([
      `It administers: it may see keys and what they may do, not their secrets, in Lrs ${world.lrsId}. ` +
        'Handle it with care: keep it on servers, never in content.',
    ])
  })
})
