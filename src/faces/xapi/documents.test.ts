// State, Agent Profile and Activity Profile over HTTP, in both versions: parameters, content, conditions, merging, limits,
// rights and pins. Every refusal is checked for having written nothing.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { entityTag } from '../../core/xapi/document.ts'
import { clientOf, openStage } from '../../../test/support/xapi.ts'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'

let stage: Stage
let client: Client
let old: Client
beforeAll(async () => {
  stage = await openStage({ bodyBytes: 2000, documentBytes: 300_000 })
  client = await stage.as('xapi')
  old = clientOf(stage.app, client, '1.0.3')
})
afterAll(() => stage.close())

type Query = Readonly<Record<string, string>>
const ann = JSON.stringify({ mbox: 'mailto:ann@example.org' })
const activityId = 'https://example.org/course'

interface Resource {
  readonly path: string
  /** Without stateId or profileId. */
  readonly scope: Query
  readonly idName: 'stateId' | 'profileId'
}
const state: Resource = { path: 'activities/state', scope: { activityId, agent: ann }, idName: 'stateId' }
const agentProfile: Resource = { path: 'agents/profile', scope: { agent: ann }, idName: 'profileId' }
const activityProfile: Resource = { path: 'activities/profile', scope: { activityId }, idName: 'profileId' }
const resources = [state, agentProfile, activityProfile].map((resource) => [resource.path, resource] as const)
const versions = ['1.0.3', '2.0.0'] as const
const everywhere = resources.flatMap(([path, resource]) =>
  versions.map((version) => [path, version, resource] as const),
)
const as = (version: string): Client => (version === '2.0.0' ? client : old)

const pathOf = ({ path }: Resource, query: Query): string => `${path}?${new URLSearchParams(query).toString()}`
/** The path of one document. */
const at = (resource: Resource, id = 'one', more: Query = {}): string =>
  pathOf(resource, { ...resource.scope, [resource.idName]: id, ...more })
const tagOf = (text: string): string => `"${entityTag(Buffer.from(text))}"`

type Headers = Readonly<Record<string, string | null>>
const put = (path: string, body: unknown, headers: Headers = {}, by = client) => by.send('PUT', path, { body, headers })
/** As 1.0.3 demands of profiles (XAPI-00273, XAPI-00287). */
const create = (path: string, body: unknown, headers: Headers = {}, by = client) =>
  put(path, body, { 'If-None-Match': '*', ...headers }, by)
const post = (path: string, body: unknown, headers: Headers = {}, by = client) =>
  by.send('POST', path, { body, headers })
const remove = (path: string, headers: Headers = {}, by = client) => by.send('DELETE', path, { headers })
const statusOf = async (answer: Promise<Answer>): Promise<number> => (await answer).status
const failuresOf = ({ json }: Answer): string[] =>
  json.failures.map(({ pointer, rule }: { pointer: string; rule: string }) => `${pointer} ${rule}`)

/** Nothing of a test reaches the next. */
beforeEach(async () => {
  for (const [, resource] of resources) {
    const { json } = await client.get(pathOf(resource, resource.scope))
    for (const id of json) await remove(at(resource, id))
  }
  await remove(pathOf(state, state.scope))
})

describe('a document', () => {
  it.each(everywhere)('of %s in %s is put, got, headed, listed and deleted', async (_, version, resource) => {
    const by = as(version)
    const path = at(resource)
    expect(await statusOf(by.get(path))).toBe(404)
    const stored = await create(path, '{"a": 1}', {}, by)
    expect([stored.status, stored.text, stored.headers.get('ETag')]).toEqual([204, '', tagOf('{"a": 1}')])
    const got = await by.get(path)
    expect([got.status, got.text]).toEqual([200, '{"a": 1}'])
    expect(got.headers.get('Content-Type')).toBe('application/json')
    expect(got.headers.get('ETag')).toMatch(/^"[0-9a-f]{40}"$/)
    expect(got.headers.get('ETag')).toBe(tagOf('{"a": 1}'))
    expect(got.headers.get('Last-Modified')).toMatch(/ GMT$/)
    expect(got.headers.get('X-Experience-API-Version')).toBe(version)
    const head = await by.send('HEAD', path)
    expect([head.status, head.text]).toEqual([200, ''])
    for (const name of ['Content-Type', 'Content-Length', 'ETag', 'Last-Modified']) {
      expect(head.headers.get(name)).toBe(got.headers.get(name))
    }
    expect(head.headers.get('Content-Length')).toBe('8')
    const listed = await by.get(pathOf(resource, resource.scope))
    expect([listed.status, listed.json]).toEqual([200, ['one']])
    expect(listed.headers.get('Last-Modified')).toBe(got.headers.get('Last-Modified'))
    expect(await statusOf(remove(path, {}, by))).toBe(204)
    expect(await statusOf(by.get(path))).toBe(404)
    expect(await statusOf(by.send('HEAD', path))).toBe(404)
    expect(await statusOf(remove(path, {}, by))).toBe(204)
    const none = await by.get(pathOf(resource, resource.scope))
    expect([none.json, none.headers.get('Last-Modified')]).toEqual([[], null])
  })

  it.each([
    'text/plain',
    'Text/HTML; charset="ISO-8859-1"',
    'application/octet-stream',
    'APPLICATION/JSON ; charset=utf-8',
    'image/jpeg',
    'multipart/form-data; boundary=x',
  ])('keeps its Content-Type as sent: %s', async (type) => {
    expect(await statusOf(put(at(state), 'text', { 'Content-Type': type }))).toBe(204)
    const { headers, text } = await client.get(at(state))
    expect([headers.get('Content-Type'), text]).toEqual([type, 'text'])
    expect(headers.get('Content-Security-Policy')).toContain('sandbox')
  })

  it('without a Content-Type is bytes', async () => {
    await put(at(state), new Uint8Array([0, 255, 10]), { 'Content-Type': null })
    const { headers } = await client.get(at(state))
    expect(headers.get('Content-Type')).toBe('application/octet-stream')
    expect(headers.get('ETag')).toBe(`"${entityTag(Uint8Array.of(0, 255, 10))}"`)
    expect(headers.get('Content-Length')).toBe('3')
  })

  it('may be empty, and is kept by a PUT even where it is not the JSON it is said to be', async () => {
    for (const body of ['', '{"a"', '\ufeff{}', 'bookmark=3']) {
      await remove(at(state))
      expect(await statusOf(put(at(state), Buffer.from(body)))).toBe(204)
      expect((await client.get(at(state))).headers.get('ETag')).toBe(tagOf(body))
    }
  })

  it('is the same for every way to write its agent and registration', async () => {
    const registration = randomUUID()
    await put(at(state, 'one', { registration: registration.toUpperCase() }), 'x')
    const agent = JSON.stringify({ objectType: 'Agent', name: 'Ann', mbox: 'mailto:ann@EXAMPLE.org' })
    expect((await client.get(at(state, 'one', { registration, agent }))).text).toBe('x')
    expect(await statusOf(client.get(at(state)))).toBe(404)
  })

  it.each(['a b', 'ä/?&=+%', '__proto__', '漢', ' ', '.', 'x'.repeat(8192)])('may have any id: %j', async (id) => {
    await put(at(activityProfile, id), 'x')
    expect((await client.get(pathOf(activityProfile, activityProfile.scope))).json).toEqual([id])
    expect((await client.get(at(activityProfile, id))).text).toBe('x')
  })

  it('has a Last-Modified that moves', async () => {
    await put(at(state), 'x')
    const before = (await client.get(at(state))).headers.get('Last-Modified')
    stage.clock.pass(1500)
    await put(at(state), 'y', { 'If-Match': '*' })
    expect(Date.parse((await client.get(at(state))).headers.get('Last-Modified')!)).toBeGreaterThan(Date.parse(before!))
  })

  it('is reached on a lent path, too', async () => {
    await put(at(state), 'x')
    const path = `/api/organizations/${stage.organisationId}/lrs/${at(state)}`
    expect((await client.get(path)).text).toBe('x')
  })

  it.each(['PATCH', 'TRACE2'])('is not for %s', async (method) => {
    const { status, headers } = await client.send(method, at(state))
    expect([status, headers.get('Allow')]).toEqual([405, 'GET, HEAD, PUT, POST, DELETE, OPTIONS'])
  })
})

describe('long content', () => {
  const long = new Uint8Array(200_000).map((_, index) => index % 251)

  it.each([65_536, 65_537, 200_000, 300_000])('of %i bytes that is not JSON comes back as it was', async (length) => {
    const bytes = Buffer.alloc(length, long)
    expect(await statusOf(put(at(state), bytes, { 'Content-Type': 'video/mp4' }))).toBe(204)
    const response = await stage.app.request(`/xapi/${at(state)}`, { headers: await authorised() })
    expect(response.headers.get('ETag')).toBe(`"${entityTag(bytes)}"`)
    expect(response.headers.get('Content-Length')).toBe(String(length))
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes)).toBe(0)
    const head = await client.send('HEAD', at(state))
    expect([head.status, head.text, head.headers.get('Content-Length')]).toEqual([200, '', String(length)])
  })

  async function authorised(): Promise<Record<string, string>> {
    const authorization = `Basic ${Buffer.from(`${client.key}:${client.secret}`).toString('base64')}`
    return { authorization, 'x-experience-api-version': '2.0.0' }
  }

  it('is not merged with', async () => {
    await put(at(state), Buffer.from(long), { 'Content-Type': 'video/mp4' })
    const refused = await post(at(state), { a: 1 })
    expect([refused.status, failuresOf(refused)]).toEqual([400, [' XAPI-00232']])
    expect((await client.get(at(state))).headers.get('ETag')).toBe(`"${entityTag(long)}"`)
  })

  it.each([
    ['application/octet-stream', 300_001],
    ['application/json', 2001],
  ])('beyond its limit is refused and not stored: %s', async (type, length) => {
    const headers = { 'Content-Type': type }
    await put(at(state), 'before')
    for (const declared of [null, String(length)]) {
      const body = Buffer.alloc(length, 0x20)
      const sent = { ...headers, 'Content-Length': declared, 'If-Match': '*' }
      const refused = await put(at(state), body, sent)
      expect([refused.status, refused.json.message]).toEqual([413, expect.stringContaining(`${length - 1} bytes`)])
      expect((await client.get(at(state))).text).toBe('before')
    }
    expect(await statusOf(put(at(state), Buffer.alloc(length - 1, 0x20), { ...headers, 'If-Match': '*' }))).toBe(204)
  })

  it('is held to the limit of the key', async () => {
    const small = await stage.as('xapi', { limits: { bodyBytes: 10 } })
    expect(await statusOf(put(at(state), 'x'.repeat(11), { 'Content-Type': 'text/plain' }, small))).toBe(413)
    expect(await statusOf(client.get(at(state)))).toBe(404)
    expect(await statusOf(put(at(state), 'x'.repeat(10), { 'Content-Type': 'text/plain' }, small))).toBe(204)
  })

  it('that a merge would make too long is refused', async () => {
    await put(at(state), { a: 'x'.repeat(1500) })
    const refused = await post(at(state), { b: 'x'.repeat(1500) })
    expect([refused.status, refused.json.message]).toEqual([413, expect.stringContaining('Merged')])
    expect((await client.get(at(state))).json).toEqual({ a: 'x'.repeat(1500) })
  })

  it('may not be compressed', async () => {
    for (const type of ['text/plain', 'application/json']) {
      const headers = { 'Content-Type': type, 'Content-Encoding': 'gzip' }
      expect(await statusOf(put(at(state), 'x', headers))).toBe(415)
    }
    expect(await statusOf(client.get(at(state)))).toBe(404)
  })
})

describe('merging (Communication 2.2)', () => {
  it.each(everywhere)(
    'POST to %s in %s creates, then replaces members one level deep',
    async (_, version, resource) => {
      const by = as(version)
      expect(
        await statusOf(post(at(resource), { car: { make: 'Ford', model: 'Escape' }, driver: 'Dale' }, {}, by)),
      ).toBe(204)
      const merged = await post(at(resource), { car: { make: 'Dodge' }, series: 1 }, {}, by)
      const got = await by.get(at(resource))
      expect([merged.status, got.json]).toEqual([204, { car: { make: 'Dodge' }, driver: 'Dale', series: 1 }])
      expect(merged.headers.get('ETag')).toBe(got.headers.get('ETag'))
      expect(got.headers.get('ETag')).toBe(tagOf(got.text))
    },
  )

  it('of 32 at once loses no member', async () => {
    const names = Array.from({ length: 32 }, (_, index) => `key${index}`)
    const answers = await Promise.all(names.map((name) => post(at(state), { [name]: 1 })))
    expect(answers.every(({ status }) => status === 204)).toBe(true)
    expect(Object.keys((await client.get(at(state))).json).toSorted()).toEqual(names.toSorted())
  })

  it.each([
    ['claviger/depth', '['.repeat(200) + ']'.repeat(200)],
    ['claviger/depth', `{"a":${'['.repeat(200)}${']'.repeat(200)}}`],
  ])('that would hold up everything else is refused: %s', async (rule, body) => {
    await put(at(state), '{}')
    for (const id of ['one', 'none']) {
      const refused = await post(at(state, id), body)
      expect([refused.status, failuresOf(refused)]).toEqual([400, [` ${rule}`]])
    }
    expect((await client.get(at(state))).text).toBe('{}')
    // A PUT keeps it unread; then there is nothing to merge with.
    await put(at(state), body, { 'If-Match': '*' })
    expect(failuresOf(await post(at(state), '{}'))).toEqual([' XAPI-00229'])
  })

  it('creates whatever is sent, as a PUT does', async () => {
    await post(at(state), 'text', { 'Content-Type': 'text/plain' })
    await post(at(state, 'two'), '[1]')
    expect((await client.get(at(state))).text).toBe('text')
    expect((await client.get(at(state, 'two'))).text).toBe('[1]')
  })

  const types: Query = { 'activities/state': '00232', 'agents/profile': '00278', 'activities/profile': '00309' }
  const objects: Query = { 'activities/state': '00229', 'agents/profile': '00281', 'activities/profile': '00313' }
  const refusals = [
    ['{"a":1}', 'application/json', 'abc', 'not/json', 'Content-Type:', types],
    ['{"a":1}', 'application/json', '{"b":2}', 'text/plain', 'Content-Type:', types],
    ['{"a":1}', 'application/json', '[1]', 'application/json', '', objects],
    ['{"a":1}', 'application/json', '"b"', 'application/json', '', objects],
    ['{"a":1}', 'application/json', 'null', 'application/json', '', objects],
    ['abc', 'text/plain', '{"b":2}', 'application/json', '', types],
    ['[1]', 'application/json', '{"b":2}', 'application/json', '', objects],
    ['{"a"', 'application/json', '{"b":2}', 'application/json', '', objects],
  ] as const
  it.each(
    refusals.flatMap(([stored, storedType, sent, sentType, pointer, rules]) =>
      everywhere.map(([path, version, resource]) => ({
        title: `${stored} (${storedType}) with ${sent} (${sentType}) is refused: ${path}, ${version}`,
        ...{ stored, storedType, sent, sentType, version, resource },
        failure: `${pointer} XAPI-${rules[resource.path]}`,
      })),
    ),
  )('$title', async ({ stored, storedType, sent, sentType, version, resource, failure }) => {
    const by = as(version)
    await create(at(resource), stored, { 'Content-Type': storedType }, by)
    const refused = await post(at(resource), sent, { 'Content-Type': sentType }, by)
    expect([refused.status, failuresOf(refused)]).toEqual([400, [failure]])
    const got = await by.get(at(resource))
    expect([got.text, got.headers.get('Content-Type')]).toEqual([stored, storedType])
  })

  it.each(resources)('of broken JSON is refused, whether there is a document or not: %s', async (_, resource) => {
    const rule = { 'activities/state': '00235', 'agents/profile': '00284', 'activities/profile': '00314' }[
      resource.path
    ]
    for (const body of ['{"a":1}{', 'a=1', '', '{"a":1']) {
      const refused = await post(at(resource, 'none'), Buffer.from(body))
      expect([refused.status, failuresOf(refused)]).toEqual([400, [` XAPI-${rule}`]])
      expect(await statusOf(client.get(at(resource, 'none')))).toBe(404)
    }
  })
})

describe('conditions (Communication 3.1, RFC 9110)', () => {
  const other = '"1111111111111111111111111111111111111111"'
  const one = tagOf('{"n":1}')

  it.each(everywhere)('a PUT over a document needs one: %s in %s', async (path, version, resource) => {
    const by = as(version)
    await create(at(resource), '{"n":1}', {}, by)
    const second = await put(at(resource), '{"n":2}', {}, by)
    const isFree = version === '1.0.3' && path === 'activities/state'
    expect(second.status).toBe(isFree ? 204 : 409)
    expect((await by.get(at(resource))).json).toEqual({ n: isFree ? 2 : 1 })
    if (isFree) return
    expect(failuresOf(second)).toEqual(['If-Match: XAPI-00322'])
    expect(second.json.message).toMatch(/current state[\s\S]*If-Match/)
  })

  it.each([
    ['agents/profile', agentProfile, 'XAPI-00273'],
    ['activities/profile', activityProfile, 'XAPI-00287'],
  ] as const)('a PUT of a new profile needs one in 1.0.3, not before and not in 2.0: %s', async (_, resource, rule) => {
    const refused = await put(at(resource), 'x', {}, clientOf(stage.app, client, '1.0.3'))
    expect([refused.status, failuresOf(refused)]).toEqual([400, [`If-None-Match: ${rule}`]])
    expect(await statusOf(client.get(at(resource)))).toBe(404)
    for (const version of ['1.0', '1.0.2', '2.0.0']) {
      const by = clientOf(stage.app, client, version)
      expect(await statusOf(put(at(resource, version), 'x', {}, by))).toBe(204)
      expect(await statusOf(put(at(resource, version), 'y', {}, by))).toBe(409)
      expect((await client.get(at(resource, version))).text).toBe('x')
    }
  })

  const cases: readonly (readonly [Headers, boolean, boolean])[] = [
    [{ 'If-Match': one }, true, false],
    [{ 'If-Match': other }, false, false],
    [{ 'If-Match': `${other}, ${one}` }, true, false],
    [{ 'If-Match': `W/${one}` }, true, false],
    [{ 'If-Match': one.slice(1, -1) }, true, false],
    [{ 'If-Match': one.slice(1, -1).toUpperCase() }, true, false],
    [{ 'If-Match': '*' }, true, false],
    [{ 'If-None-Match': '*' }, false, true],
    [{ 'If-None-Match': one }, false, true],
    [{ 'If-None-Match': other }, true, true],
    [{ 'If-Match': one, 'If-None-Match': other }, true, false],
  ]
  const methods = ['PUT', 'POST', 'DELETE'] as const
  it.each(
    cases.flatMap((row) => everywhere.map(([path, version, resource]) => [...row, path, version, resource] as const)),
  )('%j holds with a document: %s, without: %s (%s, %s)', async (headers, present, absent, _, version, resource) => {
    const by = as(version)
    for (const method of methods) {
      const options = { headers, ...(method !== 'DELETE' && { body: '{"n":2}' }) }
      await remove(at(resource), {}, by)
      await create(at(resource), '{"n":1}', {}, by)
      const changed = await by.send(method, at(resource), options)
      expect([method, changed.status]).toEqual([method, present ? 204 : 412])
      if (!present) expect((await by.get(at(resource))).text).toBe('{"n":1}')
      const created = await by.send(method, at(resource, 'none'), options)
      expect([method, created.status]).toEqual([method, absent ? 204 : 412])
      const isThere = absent && method !== 'DELETE'
      expect([method, await statusOf(by.get(at(resource, 'none')))]).toEqual([method, isThere ? 200 : 404])
      await remove(at(resource, 'none'), {}, by)
    }
  })

  it.each([['"', 'abc', '"a', 'a"b"', '"a" "b"', '', ',', '*, "a"', '"a""b"', 'W/a', '"a\u0080', one.slice(1, 30)]])(
    'that nobody can read are refused',
    async (...texts) => {
      await put(at(state), '{"n":1}')
      for (const text of texts) {
        for (const name of ['If-Match', 'If-None-Match']) {
          for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
            const body = method === 'PUT' || method === 'POST' ? { body: '{"n":2}' } : {}
            const refused = await client.send(method, at(state), { headers: { [name]: text }, ...body })
            expect([text, refused.status, failuresOf(refused)]).toEqual([text, 400, [`${name}: claviger/entity-tag`]])
          }
        }
      }
      expect((await client.get(at(state))).json).toEqual({ n: 1 })
    },
  )

  it.each(everywhere)('two PUTs with one If-Match: one 204, one 412 (%s, %s)', async (_, version, resource) => {
    const by = as(version)
    await create(at(resource), '{"n":1}', {}, by)
    const answers = await Promise.all(
      ['{"n":2}', '{"n":3}'].map((body) => put(at(resource), body, { 'If-Match': one }, by)),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 412])
  })

  it('of a GET answer 304 and 412', async () => {
    await put(at(state), '{"n":1}')
    const same = await client.get(at(state), { 'If-None-Match': one })
    expect([same.status, same.text, same.headers.get('ETag')]).toEqual([304, '', one])
    expect(await statusOf(client.send('HEAD', at(state), { headers: { 'If-None-Match': '*' } }))).toBe(304)
    expect(await statusOf(client.get(at(state), { 'If-None-Match': other }))).toBe(200)
    expect(await statusOf(client.get(at(state), { 'If-Match': other }))).toBe(412)
    expect(await statusOf(client.get(at(state), { 'If-Match': one }))).toBe(200)
  })

  it('name one document: with all of a scope they are refused', async () => {
    await put(at(state), '{"n":1}')
    for (const name of ['If-Match', 'If-None-Match']) {
      const refused = await remove(pathOf(state, state.scope), { [name]: other })
      expect([refused.status, failuresOf(refused)]).toEqual([400, [`${name}: claviger/condition-on-all`]])
    }
    expect(await statusOf(client.get(at(state)))).toBe(200)
  })
})

describe('all of a scope', () => {
  const [first, second] = [randomUUID(), randomUUID()]
  beforeEach(async () => {
    await put(at(state, 'none'), 'x')
    await put(at(state, 'first', { registration: first }), 'x')
    await put(at(state, 'both', { registration: first }), 'x')
    await put(at(state, 'both', { registration: second }), 'x')
  })
  const list = async (more: Query = {}) => (await client.get(pathOf(state, { ...state.scope, ...more }))).json

  it('with a registration is listed and deleted by it alone; without one all are', async () => {
    expect(await list()).toEqual(['both', 'first', 'none'])
    expect(await list({ registration: first })).toEqual(['both', 'first'])
    expect(await statusOf(remove(pathOf(state, { ...state.scope, registration: first })))).toBe(204)
    expect(await list()).toEqual(['both', 'none'])
    expect(await list({ registration: second })).toEqual(['both'])
    expect(await statusOf(remove(pathOf(state, state.scope)))).toBe(204)
    expect(await list()).toEqual([])
    expect(await statusOf(remove(pathOf(state, state.scope)))).toBe(204)
  })

  it('leaves other activities and agents alone', async () => {
    const others = [{ activityId: `${activityId}/2` }, { agent: JSON.stringify({ mbox: 'mailto:ben@example.org' }) }]
    for (const other of others) await put(at(state, 'other', other), 'x')
    await remove(pathOf(state, state.scope))
    for (const other of others) expect((await client.get(at(state, 'other', other))).text).toBe('x')
    for (const other of others) await remove(pathOf(state, { ...state.scope, ...other }))
  })

  it('is listed since a time, exclusive', async () => {
    stage.clock.pass(10_000)
    const since = new Date(stage.clock.now()).toISOString()
    expect(await list({ since })).toEqual([])
    await put(at(state, 'none'), 'y', { 'If-Match': '*' })
    expect(await list({ since })).toEqual([])
    stage.clock.pass(1)
    await put(at(state, 'none'), 'z', { 'If-Match': '*' })
    expect(await list({ since })).toEqual(['none'])
    expect(await list({ since: since.replace('Z', '+00:00') })).toEqual(['none'])
  })

  it('of profiles cannot be deleted at once', async () => {
    for (const resource of [agentProfile, activityProfile]) {
      await put(at(resource), 'x')
      expect(await statusOf(remove(pathOf(resource, resource.scope)))).toBe(400)
      expect(await statusOf(client.get(at(resource)))).toBe(200)
    }
  })
})

describe('parameters', () => {
  const methods = ['PUT', 'POST', 'GET', 'DELETE'] as const
  const send = (method: string, path: string, by = client) =>
    by.send(method, path, method === 'PUT' || method === 'POST' ? { body: '{}' } : {})

  const missing: readonly (readonly [Resource, string, string[]])[] = [
    [state, 'activityId', ['210', '209', '208', '207']],
    [state, 'agent', ['215', '214', '213', '212']],
    [state, 'stateId', ['206', '211', '', '']],
    [agentProfile, 'agent', ['264', '263', '261', '262']],
    [agentProfile, 'profileId', ['267', '266', '', '265']],
    [activityProfile, 'activityId', ['299', '298', '296', '297']],
    [activityProfile, 'profileId', ['302', '301', '', '300']],
  ]
  it.each(
    missing.flatMap(([resource, name, ids]) => versions.map((v) => [resource.path, name, v, resource, ids] as const)),
  )('%s without %s, %s', async (_, name, version, resource, ids) => {
    const path = at(resource).replace(new RegExp(`([?&])${name}=[^&]*&?`), '$1')
    for (const [index, method] of methods.entries()) {
      const answer = await send(method, path, as(version))
      if (ids[index] === '') expect([method, answer.status]).toEqual([method, method === 'GET' ? 200 : 204])
      else expect([answer.status, failuresOf(answer)]).toEqual([400, [`?${name} XAPI-00${ids[index]}`]])
    }
    expect((await client.get(pathOf(resource, resource.scope))).json).toEqual([])
  })

  const bad: readonly (readonly [Resource, Query, string[]])[] = [
    [state, { activityId: 'course' }, ['?activityId XAPI-00012']],
    [state, { agent: 'ann' }, ['?agent XAPI-00199']],
    [state, { agent: '{"mbox":"ann"}' }, ['?agent/mbox XAPI-00038']],
    [state, { agent: '{"objectType":"Group","member":[]}' }, ['?agent/member XAPI-00035', '?agent XAPI-00012']],
    [state, { registration: 'one' }, ['?registration XAPI-00203']],
    [state, { registration: '' }, ['?registration XAPI-00203']],
    [state, { stateId: '' }, ['?stateId XAPI-00012']],
    [state, { stateId: 'x'.repeat(8193) }, ['?stateId XAPI-00012']],
    [state, { stateId: 'a\0b' }, ['?stateId XAPI-00012']],
    [state, { since: '2020-01-01T00:00:00Z' }, ['?since XAPI-00324']],
    [state, { StateId: 'x' }, ['?StateId XAPI-00325']],
    [state, { profileId: 'x' }, ['?profileId XAPI-00324']],
    [
      state,
      { activityId: 'course', agent: 'x', more: '1' },
      ['?activityId XAPI-00012', '?agent XAPI-00199', '?more XAPI-00324'],
    ],
    [agentProfile, { agent: '{}' }, ['?agent XAPI-00034']],
    [agentProfile, { agent: '[' }, ['?agent XAPI-00257']],
    [agentProfile, { activityId }, ['?activityId XAPI-00324']],
    [activityProfile, { activityId: ' ' }, ['?activityId XAPI-00012']],
    [activityProfile, { registration: randomUUID() }, ['?registration XAPI-00324']],
  ]
  it.each(
    bad.flatMap(([resource, query, failures]) =>
      versions.map((v) => [resource.path, query, v, resource, failures] as const),
    ),
  )('PUT %s with %j, %s', async (_, query, version, resource, failures) => {
    const refused = await put(at(resource, 'one', query), 'x', {}, as(version))
    expect([refused.status, failuresOf(refused)]).toEqual([400, failures])
    expect((await client.get(pathOf(resource, resource.scope))).json).toEqual([])
  })

  it('are suggested where they are nearly right, and may be given once', async () => {
    const refused = await client.get(`${at(state)}&registraton=x&stateId=two`)
    expect(failuresOf(refused)).toEqual(['?stateId claviger/repeated-parameter', '?registraton XAPI-00324'])
    expect(refused.text).toContain('did you mean \\"registration\\"')
  })

  it.each(resources)('since is a time, and only for lists: %s', async (path, resource) => {
    const rule = { 'activities/state': '00204', 'agents/profile': '00260', 'activities/profile': '00295' }[path]
    const wrong = await client.get(pathOf(resource, { ...resource.scope, since: 'yesterday' }))
    expect([wrong.status, failuresOf(wrong)]).toEqual([400, [`?since XAPI-${rule}`]])
    const since = '2020-01-01T00:00:00Z'
    const both = await client.get(at(resource, 'one', { since }))
    expect([both.status, failuresOf(both)]).toEqual([400, ['?since claviger/since-with-id']])
    expect(await statusOf(remove(pathOf(resource, { ...resource.scope, since })))).toBe(400)
  })
})

describe('rights and pins', () => {
  const benPin = JSON.stringify({ mbox: 'mailto:ben@example.org' })
  const registration = randomUUID()

  it.each([
    ['read-only', 200, 403],
    ['write-only', 403, 403],
    ['statements-read', 403, 403],
    ['none', 403, 403],
    ['xapi', 200, 204],
  ] as const)('%s reads with %i and writes with %i', async (preset, reading, writing) => {
    const by = await stage.as(preset)
    for (const [, resource] of resources) {
      await put(at(resource), '{"n":1}')
      expect(await statusOf(by.get(at(resource)))).toBe(reading)
      expect(await statusOf(by.get(pathOf(resource, resource.scope)))).toBe(reading)
      expect(await statusOf(post(at(resource), '{"n":2}', {}, by))).toBe(writing)
      expect((await client.get(at(resource))).json).toEqual({ n: writing === 204 ? 2 : 1 })
      expect(await statusOf(put(at(resource), '{"n":3}', { 'If-Match': '*' }, by))).toBe(writing)
      expect(await statusOf(remove(at(resource), {}, by))).toBe(writing)
      expect(await statusOf(client.get(at(resource)))).toBe(writing === 204 ? 404 : 200)
    }
  })

  it('state and profile are two rights', async () => {
    const [states, profiles] = [await stage.as('state'), await stage.as('profile')]
    expect(await statusOf(put(at(state), 'x', {}, states))).toBe(204)
    expect(await statusOf(put(at(state, 'two'), 'x', {}, profiles))).toBe(403)
    for (const resource of [agentProfile, activityProfile]) {
      expect(await statusOf(put(at(resource), 'x', {}, profiles))).toBe(204)
      expect(await statusOf(put(at(resource, 'two'), 'x', {}, states))).toBe(403)
    }
  })

  it('a content is not read when the key may not store it', async () => {
    const by = await stage.as('read-only')
    const refused = await put(at(state), 'x'.repeat(400_000), { 'Content-Type': 'text/plain' }, by)
    expect([refused.status, refused.json.decidedBy]).toEqual([403, 'state/write'])
  })

  const inside: Query = { activityId: `${activityId}/part`, agent: benPin, registration }
  const pinned: readonly (readonly [string, object, Query])[] = [
    ['actor', { actor: [{ mbox: 'mailto:ben@example.org' }] }, { agent: ann }],
    ['activity', { activity: activityId }, { activityId: `${activityId}2` }],
    ['registration', { registration: { id: registration, mode: 'required' } }, { registration: randomUUID() }],
    ['registration', { registration: { id: registration, mode: 'whenPresent' } }, { registration: randomUUID() }],
  ]
  it.each(pinned)('a pin on the %s holds for every method', async (pin, pins, outside) => {
    const by = await stage.as('xapi', { pins })
    const [within, beyond] = [at(state, 'one', inside), at(state, 'one', { ...inside, ...outside })]
    await put(beyond, '{"n":1}')
    expect(await statusOf(put(within, '{"n":1}', {}, by))).toBe(204)
    expect(await statusOf(post(within, '{"n":2}', {}, by))).toBe(204)
    expect((await by.get(within)).json).toEqual({ n: 2 })
    expect((await by.get(pathOf(state, { ...state.scope, ...inside }))).json).toEqual(['one'])
    for (const path of [beyond, pathOf(state, { ...state.scope, ...inside, ...outside })]) {
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']) {
        if (path !== beyond && (method === 'PUT' || method === 'POST')) continue
        const body = method === 'PUT' || method === 'POST' ? { body: '{"n":3}' } : {}
        const refused = await by.send(method, path, body)
        expect([method, refused.status]).toEqual([method, 403])
        if (method !== 'HEAD') expect(refused.json.decidedBy).toBe(`pin ${pin}`)
      }
    }
    expect((await client.get(beyond)).json).toEqual({ n: 1 })
    for (const path of [within, beyond]) await remove(path)
  })

  it('a pin on what a resource does not have decides nothing', async () => {
    const actor = await stage.as('xapi', { pins: { actor: [{ mbox: 'mailto:ben@example.org' }] } })
    expect(await statusOf(put(at(activityProfile), 'x', {}, actor))).toBe(204)
    expect(await statusOf(actor.get(at(agentProfile)))).toBe(403)
    const activity = await stage.as('xapi', { pins: { activity: activityId } })
    expect(await statusOf(put(at(agentProfile), 'x', {}, activity))).toBe(204)
  })

  it('a required registration must be given; whenPresent may be missing, but not for all documents at once', async () => {
    const required = await stage.as('xapi', { pins: { registration: { id: registration, mode: 'required' } } })
    const whenPresent = await stage.as('xapi', { pins: { registration: { id: registration, mode: 'whenPresent' } } })
    await put(at(state, 'other', { registration: randomUUID() }), 'x')
    expect(await statusOf(put(at(state), 'x', {}, required))).toBe(403)
    expect(await statusOf(put(at(state), 'x', {}, whenPresent))).toBe(204)
    for (const by of [required, whenPresent]) {
      expect(await statusOf(by.get(pathOf(state, state.scope)))).toBe(403)
      expect(await statusOf(remove(pathOf(state, state.scope), {}, by))).toBe(403)
      expect(await statusOf(by.get(pathOf(state, { ...state.scope, registration })))).toBe(200)
    }
    expect((await client.get(pathOf(state, state.scope))).json).toEqual(['one', 'other'])
  })
})

describe('the alternate request syntax (Communication 1.3)', () => {
  const form = (method: string, fields: Query) =>
    old.send('POST', `${state.path}?method=${method}`, {
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  const named = { ...state.scope, stateId: 'one' }

  it('puts, gets, merges and deletes with the headers of the form', async () => {
    const content = { 'Content-Type': 'application/json', content: '{"n":1}' }
    expect(await statusOf(form('PUT', { ...named, ...content, 'If-None-Match': '*' }))).toBe(204)
    expect(await statusOf(form('PUT', { ...named, ...content, 'If-None-Match': '*' }))).toBe(412)
    expect(await statusOf(form('POST', { ...named, ...content, content: '{"m":2}' }))).toBe(204)
    const got = await form('GET', named)
    expect([got.json, got.headers.get('Content-Type')]).toEqual([{ n: 1, m: 2 }, 'application/json'])
    expect(await statusOf(form('DELETE', { ...named, 'If-Match': '"x"' }))).toBe(412)
    expect(await statusOf(form('DELETE', named))).toBe(204)
    expect(await statusOf(form('GET', named))).toBe(404)
  })

  it('streams longer content, too', async () => {
    const content = 'x'.repeat(66_000)
    const sent = await form('PUT', { ...named, 'Content-Type': 'text/plain', content })
    expect([sent.status, sent.text]).toEqual([204, ''])
    expect((await form('GET', named)).text).toBe(content)
  })
})
