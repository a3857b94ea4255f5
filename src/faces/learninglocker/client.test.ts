// Rows of the fact sheet's sections 1.1 to 1.4 as far as REST has them, through the whole app.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, World } from '../../../test/support/learninglocker.ts'
import type { CredentialId } from '../../core/ids.ts'
import { scopes } from './words.ts'

const path = '/api/v2/client'
const hex40 = /^[\da-f]{40}$/
const agent = { objectType: 'Agent', account: { homePage: 'https://lms.example', name: 'course-7' } }

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())
beforeEach(() => world.events())

const create = (json: object = {}): Promise<Answer> => world.ask('POST', path, { json })
const patch = (id: string, json: object): Promise<Answer> => world.ask('PATCH', `${path}/${id}`, { json })
const made = async (json: object = {}): Promise<any> => {
  const answer = await create(json)
  expect(answer.status, answer.text).toBe(201)
  await world.events()
  return answer.json
}

/** Its paths, and that nothing was written. */
async function refusedPaths({ status, json, text }: Answer): Promise<string[]> {
  expect([status, json?.name, json?.statusCode], text).toEqual([400, 'ValidationError', 400])
  expect(json._message).toBe('Client validation failed')
  expect(await world.events()).toEqual([])
  return Object.keys(json.errors)
}

describe('a client', () => {
  it('S0.1 S0.2 S0.16 is made as the documentation’s example, and answered whole, with its key and secret', async () => {
    const sent = {
      ...{ title: 'Course 7', lrs_id: world.lrs.oid, scopes: ['xapi/all'] },
      authority: JSON.stringify(agent),
    }
    const { status, json, headers } = await create(sent)
    expect(status).toBe(201)
    expect(headers.get('Location')).toBe(null)
    expect(json).toEqual({
      _id: expect.stringMatching(/^[\da-f]{24}$/),
      id: json._id,
      __v: 0,
      title: 'Course 7',
      organisation: world.organisation.oid,
      lrs_id: world.lrs.oid,
      scopes: ['xapi/all'],
      isTrusted: true,
      authority: agent,
      api: { basic_key: expect.stringMatching(hex40), basic_secret: expect.stringMatching(hex40) },
      createdAt: '2026-01-02T03:04:05.000Z',
      updatedAt: '2026-01-02T03:04:05.000Z',
    })
    expect((await world.ask('GET', `${path}/${json._id}`)).json).toEqual(json)
    expect((await world.ask('GET', path)).json).toContainEqual(json)
    expect(await world.events()).toEqual([expect.stringMatching(/^credential\.create \d+$/)])
  })

  it('S0.5 S0.6 has no title, no store and no scope where nothing is sent, and the product’s authority', async () => {
    const { title, lrs_id: store, scopes: given, isTrusted, authority } = await made()
    expect([title, store, given, isTrusted]).toEqual([undefined, undefined, [], true])
    expect(authority).toEqual({ objectType: 'Agent', name: 'New Client', mbox: 'mailto:hello@learninglocker.net' })
  })

  it('S0.3 chooses neither its ids nor its organisation nor when it was changed; what is unknown is dropped', async () => {
    const client = await made({
      ...{ _id: 'f'.repeat(24), id: 'f'.repeat(24), __v: 7, owner: 'x', isExpanded: true },
      ...{ organisation: world.neighbour.organisation.oid, updatedAt: '2001-01-01T00:00:00Z' },
    })
    expect(client._id).not.toBe('f'.repeat(24))
    expect(client).toMatchObject({
      __v: 0,
      organisation: world.organisation.oid,
      updatedAt: '2026-01-02T03:04:05.000Z',
    })
    expect(client).not.toHaveProperty('owner')
    const { json } = await patch(client._id, { _id: 'f'.repeat(24), organisation: 'nonsense', updatedAt: 'nonsense' })
    expect([json._id, json.organisation]).toEqual([client._id, world.organisation.oid])
  })

  it('S0.4 keeps the time of its making that is sent, on create and update; updatedAt is the time of the save', async () => {
    const client = await made({ createdAt: '2017-09-20T09:40:44.962Z' })
    expect([client.createdAt, client.updatedAt]).toEqual(['2017-09-20T09:40:44.962Z', '2026-01-02T03:04:05.000Z'])
    world.clock.pass(1000)
    const { json } = await patch(client._id, { createdAt: 1_400_000_000_000 })
    expect(json.createdAt).toBe('2014-05-13T16:53:20.000Z')
    expect(Date.parse(json.updatedAt)).toBe(world.clock.now())
    await world.events()
    expect(await refusedPaths(await patch(client._id, { createdAt: 'yesterday' }))).toEqual(['createdAt'])
  })

  it('takes any key and secret, a colon in the secret, too; each alone', async () => {
    const client = await made({ api: { basic_key: 'my-key', basic_secret: 'my:secret:with colons' }, scopes: ['all'] })
    expect(client.api).toEqual({ basic_key: 'my-key', basic_secret: 'my:secret:with colons' })
    const as = { key: 'my-key', secret: 'my:secret:with colons' }
    expect((await world.ask('GET', `${path}/count`, { as })).status).toBe(200)
    const { api } = await made({ api: { basic_key: 'my-other-key' } })
    expect(api).toEqual({ basic_key: 'my-other-key', basic_secret: expect.stringMatching(hex40) })
    expect(await refusedPaths(await create({ api: { basic_key: 'a:b' } }))).toEqual(['api.basic_key'])
  })

  it('is not made with the key of another, nor given it: 400, as MongoDB says it', async () => {
    const first = await made({ api: { basic_key: 'taken', basic_secret: 'x' } })
    for (const secret of ['x', 'y']) {
      const { status, json } = await create({ api: { basic_key: 'taken', basic_secret: secret } })
      expect([status, json]).toMatchObject([400, { name: 'MongoError', code: 11000, statusCode: 400 }])
    }
    const second = await made()
    expect((await patch(second._id, { api: { basic_key: 'taken' } })).status).toBe(400)
    expect(await world.events()).toEqual([])
    expect((await patch(first._id, { api: { basic_key: 'taken' } })).status).toBe(200)
  })

  it.each<[path: string, value: unknown]>([
    ['api.basic_key', ''],
    ['api.basic_key', null],
    ['api.basic_secret', ''],
    ['api.basic_secret', null],
  ])('S0.6 %s = %j makes a new one, and leaves the other', async (leaf, value) => {
    const { _id: id, api } = await made()
    const [, name = ''] = leaf.split('.')
    const { status, json } = await patch(id, { api: { [name]: value } })
    expect([status, json.api[name]]).toEqual([200, expect.stringMatching(hex40)])
    const other = name === 'basic_key' ? 'basic_secret' : 'basic_key'
    expect([json.api[name] === api[name], json.api[other] === api[other]]).toEqual([false, true])
  })
})

describe('the authority', () => {
  const member = { objectType: 'Agent', account: { homePage: 'https://lms.example', name: 'app' } }
  const person = { objectType: 'Agent', mbox: 'mailto:a@example.org' }

  it.each<[what: string, authority: object]>([
    ['mbox', { name: 'N', mbox: 'mailto:a@example.org' }],
    ['mbox_sha1sum', { objectType: 'Agent', mbox_sha1sum: 'a'.repeat(40) }],
    ['openid', { objectType: 'Agent', openid: 'https://a.example.org/' }],
    ['account', agent],
    ['two of a Group', { objectType: 'Group', member: [member, person] }],
  ])('S0.7 S0.9 %s is taken as text and as an object, on every write', async (_, authority) => {
    const client = await made({ authority: JSON.stringify(authority) })
    expect(client.authority).toEqual(authority)
    expect((await made({ authority })).authority).toEqual(authority)
    await patch(client._id, { authority: agent })
    expect((await patch(client._id, { authority: JSON.stringify(authority) })).json.authority).toEqual(authority)
  })

  it.each<[what: string, authority: unknown, said?: RegExp]>([
    ['no identifier', { objectType: 'Agent', name: 'N' }],
    ['two identifiers', { ...agent, mbox: 'mailto:a@example.org' }],
    ['an identified Group', { objectType: 'Group', mbox: 'mailto:a@example.org' }],
    ['a Group of one', { objectType: 'Group', member: [member] }],
    [
      'a Group of two without an account',
      { objectType: 'Group', member: [person, person] },
      /identified by an account/,
    ],
    ['a Group of three', { objectType: 'Group', member: [member, person, { openid: 'https://a.example.org/' }] }],
    ['an unknown member', { ...agent, role: 'x' }],
    [
      'a homePage beside account',
      { objectType: 'Agent', homePage: 'https://lms.example', name: 'x' },
      /inside account/,
    ],
    ['mbox_sha1', { objectType: 'Agent', mbox_sha1: 'a'.repeat(40) }, /mbox_sha1sum/],
    ['the empty mbox of the documentation', { objectType: 'Agent', name: 'New Client', mbox: '' }],
    ['{}', '{}'],
    ['nothing', ''],
    ['null', null],
    ['no JSON', '{objectType:Agent}'],
    ['a number', 5],
    ['more than any Agent has', `{"mbox":"mailto:a@example.org","name":[${'0,'.repeat(200)}0]}`, /^This is an Agent/],
    ['a member twice', '{"mbox":"mailto:a@example.org","mbox":"mailto:b@example.org"}'],
    ['a member of the prototype', '{"__proto__":{"mbox":"mailto:a@example.org"}}'],
  ])('S0.9 S0.10 %s is refused, and nothing written', async (_, authority, said = /./) => {
    const answer = await create({ authority })
    expect(await refusedPaths(answer)).toEqual(['authority'])
    const [error] = Object.values<any>(answer.json.errors)
    expect(error).toMatchObject({ name: 'ValidatorError', kind: 'user defined', path: 'authority' })
    expect(error.message).toMatch(said)
    const { _id: id } = await made()
    expect(await refusedPaths(await patch(id, { authority }))).toEqual(['authority'])
  })

  it('S0.8 replaces what statements bring, and says nothing of those before', async () => {
    const client = await made({ lrs_id: world.lrs.oid, scopes: ['xapi/all'], authority: agent })
    const as = { key: client.api.basic_key, secret: client.api.basic_secret }
    const statement = {
      actor: { mbox: 'mailto:a@example.org' },
      verb: { id: 'https://example.org/did' },
      object: { id: 'https://example.org/it' },
      authority: { objectType: 'Agent', mbox: 'mailto:forged@example.org' },
    }
    const [before] = await world.store(as, [statement])
    const other = { objectType: 'Agent', mbox: 'mailto:b@example.org' }
    await patch(client._id, { authority: other })
    const [after] = await world.store(as, [statement])
    const authorityOf = async (id?: string): Promise<unknown> => {
      const headers = { 'X-Experience-API-Version': '1.0.3' }
      return (await world.ask('GET', `/xapi/statements?statementId=${id}`, { as, headers })).json.authority
    }
    expect([await authorityOf(before), await authorityOf(after)]).toEqual([agent, other])
  })
})

describe('the fields', () => {
  it.each<[value: unknown, shown: boolean]>([
    [true, true],
    ['true', true],
    [1, true],
    ['yes', true],
    [false, false],
    ['false', false],
    [0, false],
    ['no', false],
  ])('S0.15 isTrusted %j is %j', async (value, shown) => {
    expect((await made({ isTrusted: value })).isTrusted).toBe(shown)
  })

  it.each(['maybe', '', {}, [], 2, null])('S0.15 isTrusted %j is refused', async (isTrusted) => {
    const answer = await create({ isTrusted })
    expect(await refusedPaths(answer)).toEqual(['isTrusted'])
    expect(answer.json.errors.isTrusted).toMatchObject({ name: 'CastError', kind: 'Boolean', path: 'isTrusted' })
  })

  it('S0.17 lrs_id is a store of the organisation that is there, or null for none', async () => {
    const client = await made({ lrs_id: world.lrs.oid.toUpperCase() })
    expect(client.lrs_id).toBe(world.lrs.oid)
    expect((await patch(client._id, { lrs_id: null })).json).not.toHaveProperty('lrs_id')
    expect((await patch(client._id, { lrs_id: { _id: world.lrs.oid } })).json.lrs_id).toBe(world.lrs.oid)
    await world.events()
    for (const store of [world.neighbour.lrs.oid, 'f'.repeat(24), 'nope', '', 5, [], true]) {
      expect(await refusedPaths(await create({ lrs_id: store })), String(store)).toEqual(['lrs_id'])
      expect(await refusedPaths(await patch(client._id, { lrs_id: store })), String(store)).toEqual(['lrs_id'])
    }
  })

  it('title is text; other scalars become it', async () => {
    expect((await made({ title: 5 })).title).toBe('5')
    expect(await made({ title: null })).not.toHaveProperty('title')
    for (const title of [{ a: 1 }, ['a']]) expect(await refusedPaths(await create({ title }))).toEqual(['title'])
    for (const title of ['x'.repeat(256), 'a\u0000b', '\ud800']) {
      expect(await refusedPaths(await create({ title }))).toEqual(['title'])
    }
  })

  it.each<[key: string, body: object]>([
    ['api', { api: 'x' }],
    ['api', { api: ['x'] }],
    ['api.basic_key', { api: { basic_key: {} } }],
    ['api.basic_secret', { 'api.basic_secret': [] }],
    ['scopes', { 'scopes.0': 'all' }],
  ])('%s is named where %j is refused', async (key, body) => {
    expect(await refusedPaths(await create(body))).toEqual([key])
  })

  it('are all named at once', async () => {
    const body = { title: {}, isTrusted: 'q', authority: 'x', lrs_id: 'y', createdAt: 'z', scopes: ['all', 'b', 'c'] }
    const answer = await create(body)
    const paths = ['authority', 'createdAt', 'isTrusted', 'lrs_id', 'scopes.1', 'scopes.2', 'title']
    expect((await refusedPaths(answer)).toSorted()).toEqual(paths)
    expect(answer.json.message).toMatch(/^Client validation failed: title: Cast to String failed/)
  })
})

describe('the scopes', () => {
  it.each(scopes.map((scope) => [scope]))('S0.12 %s is taken, and shown back as given', async (scope) => {
    const client = await made({ scopes: [scope] })
    expect(client.scopes).toEqual([scope])
    expect((await patch(client._id, { scopes: scope })).json.scopes).toEqual([scope])
  })

  it('keep their order and those that are twice; a list replaced counts as a version', async () => {
    const client = await made({ scopes: ['state', 'profile', 'state'] })
    expect([client.scopes, client.__v]).toEqual([['state', 'profile', 'state'], 0])
    const echoed = await patch(client._id, { scopes: ['state', 'profile', 'state'] })
    expect(echoed.json.__v).toBe(0)
    const replaced = await patch(client._id, { scopes: ['profile', 'state'] })
    expect([replaced.json.scopes, replaced.json.__v]).toEqual([['profile', 'state'], 1])
    expect((await patch(client._id, { scopes: [] })).json).toMatchObject({ scopes: [], __v: 2 })
  })

  it.each<[sent: unknown, key: string, kind: string]>([
    [['all', 'nope'], 'scopes.1', 'enum'],
    ['nope', 'scopes.0', 'enum'],
    [[null], 'scopes.0', 'enum'],
    [['All'], 'scopes.0', 'enum'],
    [['__proto__'], 'scopes.0', 'enum'],
    [[{}], 'scopes', 'Array'],
    [[['all']], 'scopes', 'Array'],
    [{ a: 1 }, 'scopes', 'Array'],
    [Array(101).fill('all'), 'scopes', 'user defined'],
  ])('%j is refused at %s', async (sent, key, kind) => {
    const answer = await create({ scopes: sent })
    expect(await refusedPaths(answer)).toEqual([key])
    expect(answer.json.errors[key]).toMatchObject({ kind, path: key })
  })

  it('S0.13 statements/write alone is taken', async () => {
    const client = await made({ scopes: ['statements/write'], lrs_id: world.lrs.oid })
    const as = { key: client.api.basic_key, secret: client.api.basic_secret }
    const statement = { actor: { mbox: 'mailto:a@example.org' }, verb: { id: 'x:did' }, object: { id: 'x:it' } }
    expect(await world.store(as, [statement])).toHaveLength(1)
  })
})

describe('keys that others made', () => {
  it('are clients, with the nearest scopes, and keep what this API knows nothing of', async () => {
    const pins = { registration: { id: '0b8b4ea2-6b1f-4f5e-9a0c-3e3a6f9a1c11', mode: 'required' } } as const
    const operator = world.operator()
    const { credential } = await world.core.credentials.create(operator, {
      ...{ name: 'Elsewhere', rights: { xapi: { 'statements/read': 'any' }, management: [] }, pins },
    })
    const shown = (await world.ask('GET', `${path}/${credential.oid}`)).json
    expect(shown).toMatchObject({ title: 'Elsewhere', scopes: ['statements/read'], lrs_id: world.lrs.oid })
    expect(shown.authority.account).toEqual({ homePage: 'https://lrs.example.org', name: credential.oid })
    // As read, and one field beside it.
    expect((await world.ask('PUT', `${path}/${credential.oid}`, { json: { ...shown, title: 'New' } })).status).toBe(200)
    const after = await world.core.credentials.get(operator, credential.id)
    expect(after).toMatchObject({ name: 'New', authority: null, pins, rights: credential.rights, key: credential.key })
    await patch(credential.oid, { scopes: ['statements/read', 'state'] })
    expect((await world.core.credentials.get(operator, credential.id)).pins).toEqual(pins)
  })

  it('that have expired are not trusted, and this API does not prolong them', async () => {
    const { record } = await world.client(['xapi/all'], { expiresAt: world.clock.now() - 1 })
    const { json } = await world.ask('GET', `${path}/${record.oid}`)
    expect(json.isTrusted).toBe(false)
    await world.events()
    expect(await refusedPaths(await patch(record.oid, { isTrusted: true }))).toEqual(['isTrusted'])
    expect((await patch(record.oid, { ...json, title: 'Echoed' })).status).toBe(200)
    expect((await world.core.credentials.get(world.operator(), record.id)).isEnabled).toBe(true)
  })

  it('of applications, and those that manage them, are none', async () => {
    const { id } = await world.core.applications.create(world.operator(), { name: 'App' })
    const own = await world.core.credentials.findByKey(world.operator(), 'read', { kind: 'application', key: id })
    for (const method of ['GET', 'DELETE']) {
      expect((await world.ask(method, `${path}/${own?.oid}`)).json).toEqual({ statusCode: 404 })
    }
    expect((await world.ask('PATCH', `${path}/${own?.oid}`, { json: { title: 'x' } })).status).toBe(404)
    expect(await world.core.credentials.get(world.operator(), own?.id as CredentialId)).toBeDefined()
  })
})
