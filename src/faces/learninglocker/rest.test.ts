// Rows of the fact sheet's sections 2.1 and 2.2, and what is hostile, through the whole app. What a client holds: client.test.ts.

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Answer, AskAs, Client, World } from '../../../test/support/learninglocker.ts'
import type { Scope } from './words.ts'

let world: World
/** Of the neighbour. */
let stranger: Client
beforeAll(async () => {
  world = await openWorld()
  const { organisation } = world.neighbour
  stranger = await world.client(['all'], { name: 'Stranger' }, organisation.id)
})
afterAll(() => world.close())
beforeEach(() => world.events())

const oid = 'f'.repeat(24)
const get = (path: string, ask: AskAs = {}): Promise<Answer> => world.ask('GET', `/api/v2${path}`, ask)
const post = (path: string, json: unknown): Promise<Answer> => world.ask('POST', `/api/v2${path}`, { json })
const patch = (path: string, json: unknown): Promise<Answer> => world.ask('PATCH', `/api/v2${path}`, { json })
const titles = async (query: string): Promise<unknown[]> => {
  const { status, json, text } = await get(`/client?${query}`)
  expect(status, text).toBe(200)
  return json.map(({ title }: { title: string }) => title)
}
const enc = (value: unknown): string => encodeURIComponent(JSON.stringify(value))

describe('who may', () => {
  it.each(['/api/v2/client', '/api/v2/Client', '/API/V2/CLIENT/', '/api/v2/client/', '/api/v2/client/Count/'])(
    '%s is taken in any case, with a slash at its end or without',
    async (path) => {
      expect((await world.ask('GET', path)).status).toBe(200)
    },
  )

  it.each<[who: string, ask: () => AskAs]>([
    ['nobody', () => ({ as: null })],
    ['an unknown key', () => ({ as: { key: 'x', secret: 'y' } })],
    ['a wrong secret', () => ({ as: { key: world.admin.login.key, secret: 'y' } })],
    ['a bearer token', () => ({ as: 'a.b.c' })],
    ['another scheme', () => ({ as: null, headers: { Authorization: 'Digest x' } })],
  ])('%s is answered 401 in plain text, without a challenge', async (_, ask) => {
    const { status, text, headers } = await get('/client', ask())
    expect([status, text]).toEqual([401, 'Unauthorized'])
    expect(headers.get('Content-Type')).toMatch(/^text\/plain/)
    expect(headers.get('WWW-Authenticate')).toBe(null)
  })

  it('S0.15 a client that is not trusted is answered 401', async () => {
    const { login } = await world.client(['all'], { isEnabled: false })
    expect((await get('/client', { as: login })).status).toBe(401)
  })

  it('a token of the xAPI, and the key of a session, are unknown', async () => {
    const form = {
      grant_type: 'client_credentials',
      client_id: world.admin.login.key,
      client_secret: world.admin.login.secret,
    }
    const { json } = await world.ask('POST', '/api/oauth2/token', { as: null, json: form })
    expect((await get('/client', { as: json.access_token })).status).toBe(401)
    const { core } = world
    const principal = await core.signIn.basic(world.admin.login)
    const session = await core.sessions.create(principal, world.admin.record.id, { expireSeconds: 60 })
    expect((await get('/client', { as: { key: session.session.key, secret: session.secret } })).status).toBe(401)
  })

  it.each<[scope: Scope]>([
    ['xapi/all'],
    ['xapi/read'],
    ['all/read'],
    ['statements/read'],
    ['statements/write'],
    ['statements/read/mine'],
    ['state'],
    ['profile'],
    ['statements/delete'],
  ])('0.8 %s alone is refused everywhere with 403 in the product’s words, and writes nothing', async (scope) => {
    const { login: as } = await world.client([scope])
    await world.events()
    for (const model of ['client', 'lrs', 'organisation']) {
      for (const [method, path] of [
        ['GET', `/${model}`],
        ['GET', `/${model}/count`],
        ['GET', `/${model}/${oid}`],
        ['POST', `/${model}`],
        ['PATCH', `/${model}/${oid}`],
        ['DELETE', `/${model}/${oid}`],
      ] as const) {
        const answer = await world.ask(method, `/api/v2${path}`, { as, ...(/P/.test(method) && { json: {} }) })
        expect([method, path, answer.status]).toEqual([method, path, 403])
        expect(answer.json).toMatchObject({
          errorId: answer.headers.get('X-Request-Id'),
          message: 'Priviliges not sufficient for this operation',
        })
      }
    }
    expect(await world.events()).toEqual([])
  })

  it('the neighbour’s documents are not there', async () => {
    const { neighbour } = world
    for (const path of [
      `/client/${stranger.record.oid}`,
      `/lrs/${neighbour.lrs.oid}`,
      `/organisation/${neighbour.organisation.oid}`,
    ]) {
      expect((await get(path)).json, path).toEqual({ statusCode: 404 })
      expect((await patch(path, {})).json, path).toEqual({ statusCode: 404 })
    }
    for (const path of [`/client/${stranger.record.oid}`, `/lrs/${neighbour.lrs.oid}`]) {
      expect((await world.ask('DELETE', `/api/v2${path}`)).json, path).toEqual({ statusCode: 404 })
    }
    expect(JSON.stringify((await get('/client')).json)).not.toContain(stranger.record.oid)
    expect((await get('/client', { as: stranger.login })).json).toHaveLength(1)
    expect(await world.events()).toEqual([])
  })
})

describe('a document', () => {
  it.each(['PUT', 'PATCH', 'POST'])('0.9 %s merges by leaf, answers it whole, and makes none', async (method) => {
    const { json: made } = await post('/client', { title: 'A', scopes: ['state'], api: { basic_secret: 'old' } })
    const path = `/api/v2/client/${made._id}`
    world.clock.pass(1000)
    const { status, json } = await world.ask(method, path, { json: { api: { basic_secret: 'new' } } })
    const updatedAt = new Date(world.clock.now()).toISOString()
    expect([status, json]).toEqual([200, { ...made, api: { ...made.api, basic_secret: 'new' }, updatedAt }])
    await world.events()
    const none = await world.ask(method, `/api/v2/client/${oid}`, { json: { title: 'B' } })
    expect([none.status, none.json]).toEqual([404, { statusCode: 404 }])
    expect(await world.events()).toEqual([])
  })

  it('is deleted once', async () => {
    const { json } = await post('/client', { title: 'A' })
    const path = `/api/v2/client/${json._id}`
    const gone = await world.ask('DELETE', path)
    expect([gone.status, gone.text]).toEqual([204, ''])
    expect((await world.ask('DELETE', path)).json).toEqual({ statusCode: 404 })
    expect((await world.ask('GET', path)).json).toEqual({ statusCode: 404 })
  })

  it.each(['client', 'lrs', 'organisation'])('all of %s are deleted by nobody', async (model) => {
    const { status, text, headers } = await world.ask('DELETE', `/api/v2/${model}`)
    expect([status, text]).toEqual([400, 'API does not allow bulk deletions'])
    expect(headers.get('Content-Type')).toMatch(/^text\/plain/)
    expect(await world.events()).toEqual([])
  })

  it('many are made by an array: all of them, or none', async () => {
    const { status, json } = await post('/client', [{ title: 'M1', organisation: oid }, { title: 'M2' }])
    expect([status, json.map(({ title }: any) => title)]).toEqual([201, ['M1', 'M2']])
    expect(json.map(({ organisation }: any) => organisation)).toEqual([world.organisation.oid, world.organisation.oid])
    expect((await post('/client', [])).json).toEqual([])
    await world.events()
    expect((await post('/client', [{ title: 'M3' }, { scopes: ['nope'] }])).json.errors).toHaveProperty(['scopes.0'])
    const twice = await post('/client', [{ api: { basic_key: 'same' } }, { api: { basic_key: 'same' } }])
    expect([twice.status, twice.json.code]).toEqual([400, 11000])
    expect((await post('/client', Array(1001).fill({}))).status).toBe(413)
    expect(await world.events()).toEqual([])
  })

  it.each(['zzz', '123', 'g'.repeat(24), `${oid}f`, '__proto__'])('_id %s is a CastError', async (id) => {
    for (const method of ['GET', 'DELETE', 'PATCH']) {
      const answer = await world.ask(method, `/api/v2/client/${id}`, method === 'PATCH' ? { json: {} } : {})
      expect([answer.status, answer.json]).toEqual([
        404,
        {
          ...{ stringValue: `"${id}"`, kind: 'ObjectId', value: id, path: '_id' },
          message: `Cast to ObjectId failed for value "${id}" at path "_id" for model "Client"`,
          ...{ name: 'CastError', statusCode: 404 },
        },
      ])
    }
  })
})

describe('the body', () => {
  it.each([
    [undefined, 'missing_content_type'],
    ['text/plain', 'invalid_content_type'],
    ['application/x-www-form-urlencoded', 'invalid_content_type'],
  ])('with the type %s is refused before anybody signs in: %s', async (type, description) => {
    const headers = type === undefined ? {} : { 'Content-Type': type }
    for (const [method, path] of [
      ['POST', '/api/v2/client'],
      ['PUT', `/api/v2/client/${oid}`],
      ['PATCH', `/api/v2/client/${oid}`],
      ['POST', `/api/v2/client/${oid}`],
    ] as const) {
      const { status, json } = await world.ask(method, path, { as: null, body: '{}', headers })
      expect([status, json]).toEqual([400, { description, statusCode: 400 }])
    }
  })

  const json = { 'Content-Type': 'application/json; charset=utf-8' }
  it.each([
    ['broken', '{"title":'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['an array of other things', '[1]'],
    ['a member twice', '{"title":"a","title":"b"}'],
    ['of too many values', `{"a":[${'0,'.repeat(20_000)}0]}`],
    ['of too many names', `{${Array.from({ length: 10_001 }, (_, n) => `"n${n}":0`).join()}}`],
    ['deep', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`],
  ])('that is %s is answered with a page', async (_, body) => {
    const { status, text, headers } = await world.ask('POST', '/api/v2/client', { body, headers: json })
    expect([status, headers.get('Content-Type')]).toEqual([400, 'text/html; charset=utf-8'])
    expect(text).toMatch(/^<!DOCTYPE html>\n.*<pre>/s)
    expect(await world.events()).toEqual([])
  })

  it('may have as many names and values as documents need', async () => {
    const body = `{"title":"Many","a":[${'0,'.repeat(19_990)}0]}`
    expect((await world.ask('POST', '/api/v2/client', { body, headers: json })).status).toBe(201)
  })

  it('says nothing back as markup', async () => {
    const { text } = await world.ask('POST', '/api/v2/client', { body: '{"<script>":1,"<script>":2}', headers: json })
    expect(text).not.toContain('<script>')
  })

  it('of more than 5 MB is 413, of less is read', async () => {
    const sized = (bytes: number): string => `{"ignored":"${'x'.repeat(bytes - 14)}"}`
    const large = await world.ask('POST', '/api/v2/client', { body: sized(5 * 1024 * 1024 + 1), headers: json })
    expect([large.status, large.headers.get('Content-Type')]).toEqual([413, 'text/html; charset=utf-8'])
    expect(await world.events()).toEqual([])
    expect((await world.ask('POST', '/api/v2/client', { body: sized(5 * 1024 * 1024), headers: json })).status).toBe(
      201,
    )
  })

  it('that is compressed is not offered', async () => {
    const { status } = await world.ask('POST', '/api/v2/client', {
      body: '{}',
      headers: { ...json, 'Content-Encoding': 'gzip' },
    })
    expect([status, await world.events()]).toEqual([415, []])
  })

  it('that is empty is one without members', async () => {
    expect((await world.ask('POST', '/api/v2/client', { body: '', headers: json })).status).toBe(201)
  })

  it('has members of its own only, and repeats nothing large', async () => {
    const hostile = '{"__proto__":{"title":"P","scopes":["all"]},"constructor":{"prototype":{"isTrusted":false}}}'
    const { json: made } = await world.ask('POST', '/api/v2/client', { body: hostile, headers: json })
    expect([made.title, made.scopes, made.isTrusted]).toEqual([undefined, [], true])
    expect(({} as any).title).toBe(undefined)
    const { text } = await post('/client', { title: { a: 'x'.repeat(1_000_000) }, scopes: Array(1_000).fill('nope') })
    expect(text.length).toBeLessThan(200_000)
  })
})

describe('a list', () => {
  beforeAll(async () => {
    await post('/client', [
      { title: 'List b', scopes: ['state'], lrs_id: world.lrs.oid },
      { title: 'List a', scopes: ['profile'], isTrusted: false },
      { title: 'List c', scopes: ['state', 'profile'], createdAt: '2020-01-01T00:00:00Z' },
    ])
  })
  const query = (filter: unknown): string => `query=${enc({ $and: [{ title: '~^list ' }, filter] })}&sort=title`

  it('is a bare array without a total', async () => {
    const { json, headers } = await get('/client')
    expect([Array.isArray(json), headers.get('X-Total-Count')]).toEqual([true, null])
    expect((await get('/client/count')).json).toEqual({ count: json.length })
  })

  it('of more than the store pages at once misses none while another is removed', async () => {
    const as = stranger.login
    expect((await world.ask('POST', '/api/v2/client', { as, json: Array(1000).fill({}) })).status).toBe(201)
    const ids = async () => (await get('/client', { as })).json.map(({ _id }: { _id: string }) => _id)
    const before = await ids()
    const { credentials } = world.core
    const list = credentials.list.bind(credentials)
    const spy = vi.spyOn(credentials, 'list').mockImplementationOnce(async (...asked) => {
      const page = await list(...asked)
      expect((await world.ask('DELETE', `/api/v2/client/${before[1]}`, { as })).status).toBe(204)
      return page
    })
    const meanwhile = await ids()
    spy.mockRestore()
    expect([before.length > 1000, meanwhile]).toEqual([true, before])
    expect(await ids()).toEqual(before.filter((id: string) => id !== before[1]))
  })

  it.each<[what: string, filter: unknown, expected: string[]]>([
    ['equal', { title: 'List a' }, ['List a']],
    ['a pattern', { title: '~LIST [AB]' }, ['List a', 'List b']],
    ['another', { title: '!=List a' }, ['List b', 'List c']],
    ['one of several', { title: ['List a', 'List c'] }, ['List a', 'List c']],
    ['an $oid', { lrs_id: { $oid: 'LRS' } }, ['List b']],
    ['a text for an id', { lrs_id: 'LRS' }, ['List b']],
    ['a time', { createdAt: { $lt: { $dte: '2021-01-01T00:00:00Z' } } }, ['List c']],
    ['a time as text', { createdAt: '<2021-01-01T00:00:00Z' }, ['List c']],
    ['a member of an array', { scopes: 'profile' }, ['List a', 'List c']],
    ['a boolean', { isTrusted: false }, ['List a']],
    ['what is missing', { lrs_id: { $exists: false } }, ['List a', 'List c']],
    ['a nested path', { 'api.basic_key': { $regex: '^[0-9a-f]{40}$' } }, ['List a', 'List b', 'List c']],
    ['no other operator', { $nor: [{ title: 'List a' }, { title: 'List b' }] }, ['List c']],
  ])('finds %s', async (_, filter, expected) => {
    const text = JSON.stringify(filter).replaceAll('LRS', world.lrs.oid)
    expect(await titles(query(JSON.parse(text)))).toEqual(expected)
    const { json } = await get(`/client/count?${query(JSON.parse(text))}`)
    expect(json).toEqual({ count: expected.length })
  })

  const ours = `query=${enc({ title: '~^list ' })}`
  it.each([
    ['sort=-title', ['List c', 'List b', 'List a']],
    [`sort=${enc({ title: -1 })}`, ['List c', 'List b', 'List a']],
    ['sort=title&skip=1', ['List b', 'List c']],
    ['sort=title&limit=2', ['List a', 'List b']],
    ['sort=title&skip=1&limit=1', ['List b']],
    ['sort=title&limit=0', ['List a', 'List b', 'List c']],
    ['sort=title&_nothing=known', ['List a', 'List b', 'List c']],
  ])('%s', async (parameters, expected) => {
    expect(await titles(`${ours}&${parameters}`)).toEqual(expected)
  })

  it('select answers some fields, with the ids; distinct values; populate what ids refer to', async () => {
    const one = `query=${enc({ title: 'List b' })}`
    const members = async (select: string): Promise<string[]> =>
      Object.keys((await get(`/client?${one}&${select}`)).json[0])
    expect(await members('select=title,scopes')).toEqual(['_id', 'id', 'title', 'scopes'])
    expect(await members('select=-api,-authority')).toEqual(expect.not.arrayContaining(['api', 'authority', 'nothing']))
    expect((await get(`/client?${one}&select=${enc({ 'api.basic_key': 1 })}`)).json[0].api).toEqual({
      basic_key: expect.any(String),
    })
    expect((await get(`/client?${ours}&distinct=scopes`)).json).toEqual(['profile', 'state'])
    const { json } = await get(`/client?${one}&populate=lrs_id,organisation,nothing`)
    expect(json[0]).toMatchObject({ lrs_id: { title: 'Default' }, organisation: { name: 'First' } })
    const some = enc([{ path: 'lrs_id', select: 'title' }])
    expect((await get(`/client/${json[0]._id}?populate=${some}`)).json.lrs_id).toEqual({
      _id: world.lrs.oid,
      title: 'Default',
    })
  })

  it.each([
    ['query={', { description: 'invalid_json', statusCode: 400 }],
    ['query=x', { description: 'invalid_json', statusCode: 400 }],
    [`query=${enc({ $where: '1' })}`, { description: 'invalid_query', statusCode: 400 }],
    [`query=${enc({ title: { $function: {} } })}`, { description: 'invalid_query', statusCode: 400 }],
    [`query=${enc({ title: '~(' })}`, { description: 'invalid_query', statusCode: 400 }],
    ['limit=many', { description: 'invalid_query', statusCode: 400 }],
    ['skip=-1', { description: 'invalid_query', statusCode: 400 }],
  ])('%s is refused', async (parameters, expected) => {
    for (const path of ['/client', '/client/count', `/client/${oid}`]) {
      const { status, json } = await get(`${path}?${parameters}`)
      expect([path, status, json]).toMatchObject([path, 400, expected])
    }
  })
})

describe('stores', () => {
  it.each([
    ['x'.repeat(248), ' client'],
    ['x'.repeat(249), ''],
    ['x'.repeat(255), ''],
  ])('have their client however long the title is: %s', async (title, more) => {
    const { status, json: store } = await post('/lrs', { title })
    expect([status, store.title]).toEqual([201, title])
    const { json: clients } = await get(`/client?query=${enc({ lrs_id: store._id })}`)
    expect(clients).toMatchObject([{ title: `${title}${more}` }])
  })

  it('are made with a client of their own, changed and found', async () => {
    const { status, json: store } = await post('/lrs', { description: 'For tests', owner_id: oid, statementCount: 9 })
    expect([status, store]).toEqual([
      201,
      {
        ...{ _id: expect.stringMatching(/^[\da-f]{24}$/), __v: 0, title: 'New xAPI store', description: 'For tests' },
        ...{ owner_id: oid, organisation: world.organisation.oid, statementCount: 0 },
        createdAt: new Date(world.clock.now()).toISOString(),
        updatedAt: new Date(world.clock.now()).toISOString(),
      },
    ])
    const { json: clients } = await get(`/client?query=${enc({ lrs_id: store._id })}`)
    expect(clients).toMatchObject([{ title: 'New xAPI store client', scopes: ['xapi/all'], isTrusted: true }])
    const as = { key: clients[0].api.basic_key, secret: clients[0].api.basic_secret }
    await world.store(as, [{ actor: { mbox: 'mailto:a@b.example' }, verb: { id: 'x:did' }, object: { id: 'x:it' } }])
    world.clock.pass(1000)
    const changed = await patch(`/lrs/${store._id}`, { title: 'Renamed', description: null, owner_id: null })
    const { description: _, owner_id: __, ...rest } = store
    const updatedAt = new Date(world.clock.now()).toISOString()
    expect(changed.json).toEqual({ ...rest, title: 'Renamed', statementCount: 1, updatedAt })
    expect((await get(`/lrs/${store._id}`)).json).toEqual(changed.json)
    expect((await get(`/lrs?query=${enc({ title: 'Renamed' })}`)).json).toEqual([changed.json])
  })

  it('0.7 that are deleted leave their clients, which are refused on the xAPI with the reason', async () => {
    const { json: store } = await post('/lrs', { title: 'Gone' })
    const { json: clients } = await get(`/client?query=${enc({ lrs_id: store._id })}`)
    const as = { key: clients[0].api.basic_key, secret: clients[0].api.basic_secret }
    const headers = { 'X-Experience-API-Version': '1.0.3' }
    const asked = (): Promise<Answer> => world.ask('GET', '/data/xAPI/statements', { as, headers })
    expect((await asked()).status).toBe(200)
    expect((await world.ask('DELETE', `/api/v2/lrs/${store._id}`)).status).toBe(204)
    const { status, json } = await asked()
    expect([status, json]).toMatchObject([401, { message: 'Unauthorised', reason: expect.stringMatching(/store/i) }])
    expect((await get(`/lrs/${store._id}`)).json).toEqual({ statusCode: 404 })
    const { json: left } = await get(`/client/${clients[0]._id}`)
    expect(left.lrs_id).toBe(store._id)
    // As it is, with another field: the store that is gone is no reason to refuse.
    expect((await patch(`/client/${left._id}`, { ...left, title: 'Left' })).status).toBe(200)
    await world.events()
    expect((await post('/client', { lrs_id: store._id })).json.errors).toHaveProperty('lrs_id')
    expect(await world.events()).toEqual([])
  })

  it('the organisation’s default stays', async () => {
    const { status, json } = await world.ask('DELETE', `/api/v2/lrs/${world.lrs.oid}`)
    expect([status, json.message]).toEqual([409, expect.stringMatching(/default/)])
    expect((await get(`/lrs/${world.lrs.oid}`)).status).toBe(200)
  })

  it.each([{ title: {} }, { description: [] }, { owner_id: 'x' }, { createdAt: 'x' }, { description: 'a\u0000b' }])(
    '%j is refused',
    async (body) => {
      const count = (await get('/lrs/count')).json
      for (const { status, json } of [await post('/lrs', body), await patch(`/lrs/${world.lrs.oid}`, body)]) {
        expect([status, Object.keys(json.errors), json._message]).toEqual([
          400,
          Object.keys(body),
          'Lrs validation failed',
        ])
      }
      expect(await world.events()).toEqual([])
      expect((await get('/lrs/count')).json).toEqual(count)
    },
  )
})

describe('the organisation', () => {
  const own = (): string => `/organisation/${world.organisation.oid}`

  it('is the client’s own, seen and edited', async () => {
    const { json } = await get('/organisation')
    expect(json).toMatchObject([{ _id: world.organisation.oid, name: 'First', settings: { LOCKOUT_ATTEMPS: 5 } }])
    const changed = await patch(own(), {
      name: 'Renamed',
      settings: { LOCKOUT_ATTEMPS: '7' },
      timezone: 'Europe/Berlin',
    })
    const settings = { ...json[0].settings, LOCKOUT_ATTEMPS: 7 }
    expect(changed.json).toMatchObject({ name: 'Renamed', settings, timezone: 'Europe/Berlin' })
    // A leaf more; the others stay.
    const again = await patch(own(), { 'settings.PASSWORD_CUSTOM_MESSAGE': 'Longer!' })
    expect(again.json.settings).toEqual({ ...settings, PASSWORD_CUSTOM_MESSAGE: 'Longer!' })
    expect((await get(own())).json).toEqual(again.json)
    expect((await get('/organisation/count')).json).toEqual({ count: 1 })
  })

  it.each([{ name: {} }, { settings: 5 }, { 'settings.LOCKOUT_ATTEMPS': 0 }, { parent: 'x' }, { expiration: 'soon' }])(
    '%j is refused',
    async (body) => {
      const { status, json } = await patch(own(), body)
      expect([status, Object.keys(json.errors)]).toEqual([400, Object.keys(body)])
      expect(await world.events()).toEqual([])
    },
  )

  it('is made and removed by the operator alone, who also says when it ends', async () => {
    const { status, json } = await post('/organisation', { name: 'Mine' })
    expect([status, json.message]).toEqual([403, 'Priviliges not sufficient for this operation'])
    expect((await world.ask('DELETE', `/api/v2${own()}`)).status).toBe(403)
    expect((await patch(own(), { expiration: '2030-01-01T00:00:00Z' })).status).toBe(403)
    expect(await world.events()).toEqual([])
    await world.core.organisations.update(world.operator(), { expiresAt: world.clock.now() + 60_000 })
    const shown = await get(own())
    expect(shown.json.expiration).toBe(new Date(world.clock.now() + 60_000).toISOString())
    expect((await patch(own(), { ...shown.json, name: 'Echoed' })).status).toBe(200)
    world.clock.pass(60_000)
    const ended = await get(own())
    expect([ended.status, ended.json.message]).toEqual([403, 'Priviliges not sufficient for this operation'])
    await world.core.organisations.update(world.operator(), { expiresAt: null })
  })
})
