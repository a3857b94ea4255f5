// xAPI credentials: made, shown, changed, deleted; what each permissions level may do; and nobody else's.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, Ask, Login, World } from '../../../test/support/scormcloud.ts'
import { findPreset } from '../../core/presets.ts'
import type { CredentialId } from '../../core/ids.ts'

let world: World

beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const path = '/xapi/credentials'
const secret = 'a-secret-long-enough'
const basic = { xapiCredentialAuthType: 'BASICAUTH' }
const level = (word: string) => ({ xapiCredentialPermissionsLevel: word })
const whole = { name: 'Course', secret, isEnabled: true, auth: basic, permissionsLevel: level('DEFAULT') }

const ask = (method: string, at: string, json?: unknown, as: Ask['as'] = world.application.login): Promise<Answer> =>
  world.v2(method, at, { ...(as !== undefined && { as }), ...(json !== undefined && { json }) })
const make = async (part: object = {}): Promise<string> => {
  const { status, json } = await ask('POST', path, { ...whole, ...part })
  expect(status).toBe(200)
  return json.result
}
const read = async (id: string) => (await ask('GET', `${path}/${encodeURIComponent(id)}`)).json
const record = async (key: string) => {
  const { items } = await world.core.credentials.list(world.operator(), { key }, { offset: 0, limit: 2 })
  expect(items).toHaveLength(1)
  return items[0]!
}

describe('createXapiCredential', () => {
  it('answers an id that is the user name, for both Lrs of the application', async () => {
    const { status, json } = await ask('POST', path, { ...whole, info: 'for the course' })
    expect([status, json]).toEqual([200, { result: expect.stringMatching(/^[\w-]{19}$/) }])
    expect(await world.events()).toEqual([expect.stringMatching(/^credential\.create /)])
    expect(await read(json.result)).toEqual({
      ...{ id: json.result, name: 'Course', info: 'for the course', secret, isEnabled: true },
      ...{ auth: basic, permissionsLevel: level('DEFAULT') },
    })
    const { liveLrsId, sandboxLrsId } = world.application.record
    expect((await record(json.result)).lrsIds).toEqual([liveLrsId, sandboxLrsId])
  })

  it('takes the words alone as well as in their objects', async () => {
    const id = await make({ auth: 'OAUTH', permissionsLevel: 'USER' })
    expect(await read(id)).toMatchObject({
      auth: { xapiCredentialAuthType: 'OAUTH' },
      permissionsLevel: level('USER'),
    })
  })

  it.each([
    ['nothing', {}, /\/name: must be given/],
    ['no secret', { ...whole, secret: undefined }, /\/secret: must be given/],
    ['no switch', { ...whole, isEnabled: null }, /\/isEnabled: must be given/],
    ['an empty object for auth', { ...whole, auth: {} }, /\/auth: must be given/],
    [
      'an unknown auth',
      { ...whole, auth: { xapiCredentialAuthType: 'DIGEST' } },
      /\/auth: must be one of BASICAUTH, OAUTH, not "DIGEST"/,
    ],
    ['a list for auth', { ...whole, auth: ['OAUTH'] }, /\/auth: must be one of/],
    [
      'a level of the other API',
      { ...whole, permissionsLevel: 'READ_ANY' },
      /\/permissionsLevel: must be one of DEFAULT, USER, ROOT/,
    ],
    ['a number for a level', { ...whole, permissionsLevel: level(7 as never) }, /\/permissionsLevel: must be one of/],
    ['an empty secret', { ...whole, secret: '' }, /\/secret: .*empty/],
    ['a secret with a line break', { ...whole, secret: 'a\nb' }, /\/secret: .*control/],
    ['a number for a name', { ...whole, name: 1 }, /\/name: must be a string/],
    ['text for a switch', { ...whole, isEnabled: 'true' }, /\/isEnabled: must be true or false/],
    ['info of 3,000 characters', { ...whole, info: 'x'.repeat(3000) }, /\/info: must have at most 2000/],
    ['a list', [whole], /must be a JSON object/],
  ])('refuses %s', async (_what, json, message) => {
    for (const [method, at] of [
      ['POST', path],
      ['PUT', `${path}/new-one`],
    ] as const) {
      const { status, json: answer } = await ask(method, at, json)
      expect([status, answer]).toEqual([400, { message: expect.stringMatching(message) }])
      expect(JSON.stringify(answer)).not.toContain(secret)
    }
    expect(await world.events()).toEqual([])
  })
})

describe('setXapiCredential', () => {
  it('makes one with the id of the path, and the next time changes it', async () => {
    expect(await ask('PUT', `${path}/moodle_key-1`, whole)).toMatchObject({ status: 204, text: '' })
    expect(await read('moodle_key-1')).toMatchObject({ id: 'moodle_key-1', name: 'Course' })
    expect((await ask('PUT', `${path}/moodle_key-1`, { ...whole, name: 'Other' })).status).toBe(204)
    expect(await read('moodle_key-1')).toMatchObject({ name: 'Other', secret })
    expect((await ask('GET', path)).json.xapiCredentials).toHaveLength(1)
  })

  it('changes what is sent and differs, and nothing else', async () => {
    const id = await make({ permissionsLevel: 'USER', info: 'mine' })
    for (const [part, expected] of [
      [{ name: 'New' }, { name: 'New' }],
      [{ isEnabled: false }, { isEnabled: false }],
      [{ secret: 'another-secret-as-long' }, { secret: 'another-secret-as-long' }],
      [{ auth: 'OAUTH' }, { auth: { xapiCredentialAuthType: 'OAUTH' } }],
      [{ permissionsLevel: 'ROOT' }, { permissionsLevel: level('ROOT') }],
      [{ info: 'yours' }, { info: 'yours' }],
      [{ id: 'ignored' }, {}],
    ] as const) {
      const before = await read(id)
      expect((await ask('PUT', `${path}/${id}`, part)).status).toBe(204)
      expect(await read(id)).toEqual({ ...before, ...expected })
    }
  })

  it('echoed whole, changes nothing: pins, other Lrs and rights without a word stay', async () => {
    const { core } = world
    const { liveLrsId } = world.application.record
    const rights = { xapi: { 'statements/read': 'mine' }, management: [] } as const
    const pins = { actor: [{ mbox: 'mailto:a@example.org' }] }
    const { key, credential } = await core.credentials.create(world.operator(), {
      ...{ name: 'Narrow', rights, pins, secret, lrsIds: [liveLrsId] },
      words: { 'scormcloud-v1': { permissionsLevel: 'READ_ONLY' } },
    })
    const shown = await read(key)
    expect(shown).toEqual({
      ...{ id: key, name: 'Narrow', secret, isEnabled: true, auth: basic, permissionsLevel: {} },
    })
    expect((await ask('PUT', `${path}/${key}`, shown)).status).toBe(204)
    const kept = ({ rights, pins, lrsIds, words, secrets }: typeof credential) => ({
      rights,
      pins,
      lrsIds,
      words,
      secrets,
    })
    expect(kept(await record(key))).toEqual(kept(credential))
    await ask('PUT', `${path}/${key}`, { ...shown, permissionsLevel: 'READONLY' })
    expect(await record(key)).toMatchObject({ pins, lrsIds: [liveLrsId], words: credential.words })
    expect((await record(key)).rights.xapi).toEqual(findPreset('read-only')?.rights.xapi)
  })

  it.each(['a:b', 'a b', 'ü', 'x'.repeat(65), 'a/b', "a'b"])('makes none called %.20s', async (id) => {
    const { status, json } = await ask('PUT', `${path}/${encodeURIComponent(id)}`, whole)
    expect([status, json.message]).toEqual([400, expect.stringMatching(/xapiCredentialId: must be 1 to 64/)])
    expect(await world.events()).toEqual([])
  })

  it('makes none whose key the realm has: of another application, an application, management', async () => {
    const other = await world.addApplication('Other')
    const theirs = await ask('POST', path, whole, other.login)
    await world.events()
    for (const id of [theirs.json.result, other.record.id, world.application.record.id, world.management.key]) {
      const { status, json } = await ask('PUT', `${path}/${id}`, whole)
      expect([status, Object.keys(json)]).toEqual([409, ['message']])
    }
    expect(await world.events()).toEqual([])
    expect((await ask('GET', `${path}/${theirs.json.result}`, undefined, other.login)).json.secret).toBe(secret)
  })

  it('makes none whose key and secret are another realm’s, but takes the key with another secret', async () => {
    const foreign = await world.addApplication('Foreign', world.neighbour)
    await ask('PUT', `${path}/shared`, whole, foreign.login)
    const { status, json } = await ask('PUT', `${path}/shared`, whole)
    expect([status, Object.keys(json)]).toEqual([409, ['message']])
    expect((await ask('PUT', `${path}/shared`, { ...whole, secret: 'another-secret-as-long' })).status).toBe(204)
    expect(await read('shared')).toMatchObject({ secret: 'another-secret-as-long' })
    expect((await ask('GET', `${path}/shared`, undefined, foreign.login)).json.secret).toBe(secret)
  })

  it('does not enable what has expired', async () => {
    const id = await make()
    const { id: credentialId } = await record(id)
    await world.core.credentials.update(world.operator(), credentialId, { expiresAt: world.clock.now() + 1000 })
    world.clock.pass(2000)
    await world.events()
    expect(await read(id)).toMatchObject({ isEnabled: false })
    expect((await ask('PUT', `${path}/${id}`, { isEnabled: true })).status).toBe(409)
    expect(await world.events()).toEqual([])
  })
})

describe('deleteXapiCredential', () => {
  it('deletes, and the key signs in no more', async () => {
    const id = await make()
    const as = { key: id, secret }
    expect(await statements(as)).toBe(200)
    expect(await ask('DELETE', `${path}/${id}`)).toMatchObject({ status: 204, text: '' })
    expect(await statements(as)).toBe(401)
    expect((await ask('DELETE', `${path}/${id}`)).status).toBe(404)
  })
})

describe('what is somebody else’s', () => {
  it('is not seen, changed or deleted', async () => {
    const other = await world.addApplication('Other')
    const foreign = await world.addApplication('Foreign', world.neighbour)
    const both = await world.core.credentials.create(world.operator(), {
      name: 'Both',
      rights: findPreset('xapi')!.rights,
      lrsIds: [world.application.record.liveLrsId, other.record.liveLrsId],
    })
    const plain = await world.core.credentials.create(world.operator(), {
      name: 'P',
      rights: findPreset('xapi')!.rights,
    })
    const theirs = (await ask('POST', path, whole, other.login)).json.result
    const foreigners = (await ask('POST', path, whole, foreign.login)).json.result
    await world.events()
    for (const id of [theirs, foreigners, both.key, plain.key, world.application.record.id, world.management.key]) {
      for (const method of ['GET', 'DELETE']) {
        const { status, json } = await ask(method, `${path}/${id}`)
        expect([id, method, status, Object.keys(json)]).toEqual([id, method, 404, ['message']])
      }
    }
    expect((await ask('GET', path)).json).toEqual({ xapiCredentials: [] })
    expect(await world.events()).toEqual([])
    expect((await ask('GET', path, undefined, other.login)).json.xapiCredentials).toHaveLength(1)
  })

  it('no id in odd shapes', async () => {
    for (const id of ['%', '%00', '%ED%A0%80', '__proto__', 'constructor', '%2e%2e%2f', 'x'.repeat(3000)]) {
      const { status } = await ask('GET', `${path}/${id}`)
      expect([id, status]).toEqual([id, id.startsWith('%2e') ? 400 : 404])
    }
  })
})

describe('getXapiCredentials', () => {
  it('filters, orders, counts', async () => {
    for (const name of ['Alpha', 'Beta', 'Gamma']) {
      world.clock.pass(1000)
      await ask('PUT', `${path}/key-${name}`, { ...whole, name })
    }
    world.clock.pass(1000)
    await ask('PUT', `${path}/key-Alpha`, { info: 'later' })
    const list = async (query: string): Promise<string> =>
      (await ask('GET', `${path}?${query}`)).json.xapiCredentials.map((it: { name: string }) => it.name).join(' ')
    expect(await list('')).toBe('Beta Gamma Alpha')
    expect(await list('orderBy=created_asc')).toBe('Alpha Beta Gamma')
    expect(await list('filter=BETA')).toBe('Beta')
    expect(await list('filterBy=credential_name&filter=m')).toBe('Gamma')
    expect(await list('datetimeFilter=created&until=2026-01-02T03:04:07Z')).toBe('Beta Alpha')
    expect(await list('since=2026-01-02T03:04:08Z&orderBy=updated_desc')).toBe('Alpha Gamma')
    const counted = await ask('GET', `${path}?includeTotalCount=true`)
    expect(counted.headers.get('X-Total-Count')).toBe('3')
    for (const query of [
      'since=x',
      'filterBy=app_id',
      'orderBy=up',
      'more=x',
      'includeTotalCount=1',
      'filter=a&filter=b',
    ]) {
      const { status, json } = await ask('GET', `${path}?${query}`)
      expect([query, status, Object.keys(json)]).toEqual([query, 400, ['message']])
    }
  })

  it('goes on with more alone, each once, also where times are equal', async () => {
    for (let n = 0; n < 205; n++) await ask('PUT', `${path}/key-${n}`, { ...whole, name: `N${n}` })
    for (const order of ['created_asc', 'updated_desc']) {
      const ids: string[] = []
      let more = ''
      for (let page = 0; page < 3; page++) {
        const query = page === 0 ? `orderBy=${order}&filter=key` : `more=${more}`
        const { json } = await ask('GET', `${path}?${query}`)
        ids.push(...json.xapiCredentials.map((it: { id: string }) => it.id))
        more = json.more
      }
      expect(more).toBeUndefined()
      expect([ids.length, new Set(ids).size]).toEqual([205, 205])
    }
  })
})

const headers = { 'X-Experience-API-Version': '1.0.3' }
const statement = {
  actor: { mbox: 'mailto:a@example.org' },
  verb: { id: 'https://example.org/did' },
  object: { id: 'https://example.org/it' },
}
const at = (): string => `/lrs/${world.application.record.id}/statements`
const statements = async (as: Login): Promise<number> => (await world.ask('GET', at(), { as, headers })).status

describe('permission levels', () => {
  const seen = async (as: Login): Promise<number | string> => {
    const { status, json } = await world.ask('GET', at(), { as, headers })
    return status === 200 ? json.statements.length : status
  }

  it.each([
    ['DEFAULT', 200, 1],
    ['USER', 200, 1],
    ['ROOT', 200, 2],
    ['READONLY', 403, 1],
    ['WRITEONLY', 200, 403],
  ])('%s: stores %s, sees %s', async (permissionsLevel, stored, visible) => {
    const other = { key: await make({ permissionsLevel: 'ROOT' }), secret }
    expect((await world.ask('POST', at(), { as: other, json: statement, headers })).status).toBe(200)
    const as = { key: await make({ permissionsLevel }), secret }
    expect((await world.ask('POST', at(), { as, json: statement, headers })).status).toBe(stored)
    expect(await seen(as)).toBe(visible)
  })

  it('a disabled one and one that signs do not sign in with Basic', async () => {
    for (const part of [{ isEnabled: false }, { auth: 'OAUTH' }]) {
      expect(await statements({ key: await make(part), secret })).toBe(401)
    }
  })
})

it('a token shows secrets to who may write them only', async () => {
  const id = await make()
  const token = async (...scopes: string[]): Promise<string> => {
    const json = { permissions: { scopes }, expiry: '2026-01-03' }
    return (await ask('POST', '/appManagement/token', json)).json.result
  }
  const reading = await ask('GET', `${path}/${id}`, undefined, await token('read:xapicredential'))
  expect(reading.json).toEqual(expect.not.objectContaining({ secret: expect.anything() }))
  expect((await ask('GET', path, undefined, await token('read'))).text).not.toContain(secret)
  const writing = await token('write:xapicredential')
  expect((await ask('PUT', `${path}/${id}`, { name: 'W' }, writing)).status).toBe(204)
  expect((await ask('GET', `${path}/${id}`, undefined, writing)).status).toBe(401)
  expect((await ask('DELETE', `${path}/${id}`, undefined, await token('delete'))).status).toBe(204)
})

it('the other way of making them leaves its own words where they are', async () => {
  const id = await make({ permissionsLevel: 'DEFAULT' })
  const { id: credentialId } = await record(id)
  const rights = findPreset('read-only')!.rights
  await world.core.credentials.update(world.operator(), credentialId as CredentialId, { rights })
  expect(await read(id)).toMatchObject({ permissionsLevel: level('READONLY') })
})
