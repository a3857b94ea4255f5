// Communication 2.2, 2.3, 2.6, 2.7 and 3.1: State, Agent Profile and Activity Profile, whose rules are mostly the same.

import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, openStage } from '../support/xapi.ts'
import type { Answer, Client, SendOptions, Stage } from '../support/xapi.ts'

let stage: Stage
let signIn: Client

beforeAll(async () => {
  stage = await openStage()
  signIn = await stage.as('xapi')
})
afterAll(() => stage.close())

type Params = Readonly<Record<string, string>>

interface Resource {
  readonly path: string
  readonly id: 'stateId' | 'profileId'
  /** Fresh for each test. */
  readonly scope: () => Params
  /** The requirements behind each rule below. */
  readonly rules: Readonly<Record<Rule, string>>
  /** What a method cannot do without. */
  readonly missing: readonly (readonly [rule: string, method: string, name: string])[]
  /** What a method refuses. */
  readonly wrong: readonly (readonly [rule: string, method: string, name: string])[]
}
type Rule = 'put' | 'post' | 'get' | 'delete' | 'list' | 'since' | 'merge' | 'types' | 'objects' | 'broken'

const anAgent = (): string => JSON.stringify({ mbox: `mailto:${randomUUID()}@example.org` })
const anActivity = (): string => `http://example.org/activities/${randomUUID()}`

const state: Resource = {
  path: 'activities/state',
  id: 'stateId',
  scope: () => ({ activityId: anActivity(), agent: anAgent() }),
  rules: {
    put: 'XAPI-00230 XAPI-00190',
    post: 'XAPI-00189 XAPI-00231 XAPI-00233',
    get: 'XAPI-00188 XAPI-00192 XAPI-00217',
    delete: 'XAPI-00187 XAPI-00191 XAPI-00216',
    list: 'XAPI-00193',
    since: 'XAPI-00195 XAPI-00221',
    merge: 'XAPI-00234',
    types: 'XAPI-00232',
    objects: 'XAPI-00229',
    broken: 'XAPI-00235',
  },
  missing: [
    ['XAPI-00206', 'PUT', 'stateId'],
    ['XAPI-00207', 'DELETE', 'activityId'],
    ['XAPI-00208', 'GET', 'activityId'],
    ['XAPI-00209', 'POST', 'activityId'],
    ['XAPI-00210', 'PUT', 'activityId'],
    ['XAPI-00211', 'POST', 'stateId'],
    ['XAPI-00212', 'DELETE', 'agent'],
    ['XAPI-00213', 'GET', 'agent'],
    ['XAPI-00214', 'POST', 'agent'],
    ['XAPI-00215', 'PUT', 'agent'],
  ],
  wrong: [
    ['XAPI-00196', 'DELETE', 'agent'],
    ['XAPI-00197', 'GET', 'agent'],
    ['XAPI-00198', 'POST', 'agent'],
    ['XAPI-00199', 'PUT', 'agent'],
    ['XAPI-00200', 'DELETE', 'registration'],
    ['XAPI-00201', 'GET', 'registration'],
    ['XAPI-00202', 'POST', 'registration'],
    ['XAPI-00203', 'PUT', 'registration'],
    ['XAPI-00204', 'GET', 'since'],
  ],
}

const agentProfile: Resource = {
  path: 'agents/profile',
  id: 'profileId',
  scope: () => ({ agent: anAgent() }),
  rules: {
    put: 'XAPI-00282 XAPI-00273',
    post: 'XAPI-00283 XAPI-00272 XAPI-00280',
    get: 'XAPI-00274 XAPI-00269 XAPI-00259',
    delete: 'XAPI-00271',
    list: 'XAPI-00270 XAPI-00259',
    since: 'XAPI-00268 XAPI-00275',
    merge: 'XAPI-00279',
    types: 'XAPI-00278',
    objects: 'XAPI-00281',
    broken: 'XAPI-00284',
  },
  missing: [
    ['XAPI-00261', 'GET', 'agent'],
    ['XAPI-00262', 'DELETE', 'agent'],
    ['XAPI-00263', 'POST', 'agent'],
    ['XAPI-00264', 'PUT', 'agent'],
    ['XAPI-00265', 'DELETE', 'profileId'],
    ['XAPI-00266', 'POST', 'profileId'],
    ['XAPI-00267', 'PUT', 'profileId'],
  ],
  wrong: [
    ['XAPI-00255', 'DELETE', 'agent'],
    ['XAPI-00256', 'POST', 'agent'],
    ['XAPI-00257', 'PUT', 'agent'],
    ['XAPI-00258', 'GET', 'agent'],
    ['XAPI-00260', 'GET', 'since'],
  ],
}

const activityProfile: Resource = {
  path: 'activities/profile',
  id: 'profileId',
  scope: () => ({ activityId: anActivity() }),
  rules: {
    put: 'XAPI-00311 XAPI-00287 XAPI-00293',
    post: 'XAPI-00312 XAPI-00286 XAPI-00292 XAPI-00310',
    get: 'XAPI-00290 XAPI-00288',
    delete: 'XAPI-00285 XAPI-00291',
    list: 'XAPI-00289',
    since: 'XAPI-00294 XAPI-00303',
    merge: 'XAPI-00308',
    types: 'XAPI-00309',
    objects: 'XAPI-00313',
    broken: 'XAPI-00314',
  },
  missing: [
    ['XAPI-00296', 'GET', 'activityId'],
    ['XAPI-00297', 'DELETE', 'activityId'],
    ['XAPI-00298', 'POST', 'activityId'],
    ['XAPI-00299', 'PUT', 'activityId'],
    ['XAPI-00300', 'DELETE', 'profileId'],
    ['XAPI-00301', 'POST', 'profileId'],
    ['XAPI-00302', 'PUT', 'profileId'],
  ],
  wrong: [
    ['XAPI-00012', 'PUT', 'activityId'],
    ['XAPI-00295', 'GET', 'since'],
  ],
}

const badValues: Params = { agent: '{"mbox":"nobody"}', registration: 'none', since: 'yesterday', activityId: 'here' }

const kinds = [
  ['State', state],
  ['Agent Profile', agentProfile],
  ['Activity Profile', activityProfile],
] as const

for (const version of ['1.0.2', '2.0.0']) {
  describe.each(kinds)(`%s under ${version}`, (_, { path, id, scope, rules, missing, wrong }) => {
    let client: Client
    let here: Params

    beforeEach(() => {
      client = clientOf(stage.app, signIn, version)
      here = scope()
    })

    const send = (method: string, params: Params, options?: SendOptions): Promise<Answer> =>
      client.send(method, `${path}?${new URLSearchParams({ ...here, ...params }).toString()}`, options)
    const get = (name = 'one') => send('GET', { [id]: name })
    const put = (name: string, body: unknown, headers: Record<string, string> = {}) =>
      send('PUT', { [id]: name }, { body, headers })
    const post = (name: string, body: unknown, headers: Record<string, string> = {}) =>
      send('POST', { [id]: name }, { body, headers })
    const list = async (params: Params = {}) => (await send('GET', params)).json
    const seen = async (): Promise<unknown> => {
      const { status, text, headers } = await get()
      return status === 200 ? { status, text, tag: headers.get('etag') } : { status }
    }
    /** What a refused change must leave as it was. */
    const unchanged = async (change: () => Promise<Answer>): Promise<number> => {
      const before = await seen()
      const { status } = await change()
      expect(await seen()).toEqual(before)
      return status
    }

    /** Of a change that is 400 and leaves everything as it was. */
    const brokenRule = async (change: () => Promise<Answer>): Promise<unknown> => {
      let answer: Answer | undefined
      expect(await unchanged(async () => (answer = await change()))).toBe(400)
      return answer?.json.failures[0].rule
    }

    it(`${rules.put} PUT stores a document, 204`, async () => {
      const { status, text } = await put('one', { a: 1 })
      expect([status, text]).toEqual([204, ''])
      expect((await get()).json).toEqual({ a: 1 })
    })

    it(`${rules.post} POST of what is not there stores it, 204`, async () => {
      const { status, text } = await post('one', { a: 1 })
      expect([status, text]).toEqual([204, ''])
      expect((await get()).json).toEqual({ a: 1 })
    })

    it(`${rules.get} GET answers the document, 200, and 404 where there is none`, async () => {
      expect((await get()).status).toBe(404)
      await put('one', { a: 1 })
      const { status, json, headers } = await get()
      expect([status, json, headers.get('content-type')]).toEqual([200, { a: 1 }, 'application/json'])
    })

    it.each([
      ['text/plain; charset=utf-8', Buffer.from('Grüße')],
      ['application/octet-stream', Buffer.from([0, 255, 10, 13, 128])],
      ['application/json', Buffer.from('{ "b":1,\n"a" : 2 }')],
      ['image/png', Buffer.alloc(100_000, 7)],
    ])('XAPI-00182 any content comes back as it went: %s', async (type, content) => {
      expect((await put('one', new Uint8Array(content), { 'content-type': type })).status).toBe(204)
      const url = `/xapi/${path}?${new URLSearchParams({ ...here, [id]: 'one' }).toString()}`
      const authorization = `Basic ${Buffer.from(`${client.key}:${client.secret}`).toString('base64')}`
      const headers = { authorization, 'x-experience-api-version': version }
      const response = await stage.app.request(url, { headers }, { peer: '10.9.9.9' })
      expect(response.headers.get('content-type')).toBe(type)
      expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true)
    })

    it(`${rules.delete} DELETE removes the document and no other, 204`, async () => {
      await put('one', { a: 1 })
      await put('two', { a: 2 })
      expect((await send('DELETE', { [id]: 'one' })).status).toBe(204)
      expect([(await get('one')).status, (await get('two')).status]).toEqual([404, 200])
    })

    it(`${rules.list} GET without ${id} answers the ids of the scope`, async () => {
      expect(await list()).toEqual([])
      await put('one', { a: 1 })
      await put('two', 'text', { 'content-type': 'text/plain' })
      const elsewhere = scope()
      await client.send('PUT', `${path}?${new URLSearchParams({ ...elsewhere, [id]: 'three' }).toString()}`, {
        body: {},
      })
      expect((await list()).toSorted()).toEqual(['one', 'two'])
    })

    it(`${rules.since} since leaves what changed later`, async () => {
      await put('one', { a: 1 })
      await put('two', { a: 1 })
      stage.clock.pass(1000)
      const since = new Date(stage.clock.now()).toISOString()
      stage.clock.pass(1000)
      expect(await list({ since })).toEqual([])
      await post('two', { b: 2 })
      await put('three', { a: 1 })
      expect((await list({ since })).toSorted()).toEqual(['three', 'two'])
      expect((await list()).toSorted()).toEqual(['one', 'three', 'two'])
    })

    it(`${rules.merge} XAPI-00183 XAPI-00184 POST merges two JSON objects, one level deep`, async () => {
      await put('one', { kept: 1, replaced: { a: 1, b: 2 }, list: [1, 2] })
      expect((await post('one', { replaced: { c: 3 }, added: null, list: [3] })).status).toBe(204)
      expect((await get()).json).toEqual({ kept: 1, replaced: { c: 3 }, added: null, list: [3] })
    })

    it.each([
      ['text into JSON', { a: 1 }, 'application/json', 'text', 'text/plain'],
      ['JSON into text', 'text', 'text/plain', { a: 1 }, 'application/json'],
      ['text into text', 'text', 'text/plain', 'more', 'text/plain'],
    ])(
      `${rules.types} a merge of %s is refused and changes nothing`,
      async (_name, there, thereType, sent, sentType) => {
        await put('one', there, { 'content-type': thereType })
        expect(await brokenRule(() => post('one', sent, { 'content-type': sentType }))).toBe(rules.types)
      },
    )

    it.each([
      ['an array into an object', { a: 1 }, [1]],
      ['an object into an array', [1], { a: 1 }],
      ['a number into an object', { a: 1 }, 5],
      ['null into an object', { a: 1 }, 'null'],
    ])(`${rules.objects} a merge of %s is refused and changes nothing`, async (_name, there, sent) => {
      await put('one', there)
      expect(await brokenRule(() => post('one', sent))).toBe(rules.objects)
    })

    it.each([false, true])(
      `${rules.broken} a POST of broken JSON is refused; something was there: %s`,
      async (isThere) => {
        if (isThere) await put('one', { a: 1 })
        expect(await unchanged(() => post('one', '{"a":'))).toBe(400)
      },
    )

    it.each(missing)('%s %s needs %s', async (_rule, method, name) => {
      const params = { ...here, [id]: 'one' } as Record<string, string>
      delete params[name]
      const body = method === 'PUT' || method === 'POST' ? { body: { a: 1 } } : {}
      const answer = await client.send(method, `${path}?${new URLSearchParams(params).toString()}`, body)
      expect([answer.status, answer.json.failures.map(({ pointer }: { pointer: string }) => pointer)]).toEqual([
        400,
        [`?${name}`],
      ])
      expect((await get()).status).toBe(404)
    })

    it.each(wrong)('%s %s refuses a wrong %s', async (_rule, method, name) => {
      const body = method === 'PUT' || method === 'POST' ? { body: { a: 1 } } : {}
      const params = { ...(name !== 'since' && { [id]: 'one' }), [name]: badValues[name]! }
      const answer = await send(method, params, body)
      expect(answer.status).toBe(400)
      expect(answer.json.failures[0].pointer).toMatch(new RegExp(`^\\?${name}`))
      expect((await get()).status).toBe(404)
    })

    it('XAPI-00324 XAPI-00325 unknown parameters, and known ones in another case, are refused', async () => {
      const answers = [await send('GET', { foo: 'bar' }), await send('GET', { [id.toUpperCase()]: 'one' })]
      expect(answers.map(({ status, json }) => [status, json.failures[0].rule])).toEqual([
        [400, 'XAPI-00324'],
        [400, 'XAPI-00325'],
      ])
    })

    it('XAPI-00125 XAPI-00126 HEAD answers as GET does, without the body', async () => {
      await put('one', { a: 1 })
      const [head, full] = [await send('HEAD', { [id]: 'one' }), await get()]
      expect([head.status, head.text]).toEqual([200, ''])
      for (const name of ['etag', 'content-type', 'last-modified', 'x-experience-api-version']) {
        expect(head.headers.get(name)).toBe(full.headers.get(name))
      }
      expect((await send('HEAD', { [id]: 'none' })).status).toBe(404)
    })

    it('XAPI-00322 a document has a quoted entity tag, the SHA-1 of its content', async () => {
      await put('one', '{"a":1}')
      const tag = createHash('sha1').update('{"a":1}').digest('hex')
      expect((await get()).headers.get('etag')).toBe(`"${tag}"`)
    })

    it('XAPI-00322 XAPI2-06 a write that depends on another tag is 412 and changes nothing', async () => {
      await put('one', { a: 1 })
      const stale = { 'if-match': '"0000000000000000000000000000000000000000"' }
      expect(await unchanged(() => put('one', { a: 2 }, stale))).toBe(412)
      expect(await unchanged(() => post('one', { b: 2 }, stale))).toBe(412)
      expect(await unchanged(() => send('DELETE', { [id]: 'one' }, { headers: stale }))).toBe(412)
      expect(await unchanged(() => put('one', { a: 2 }, { 'if-none-match': '*' }))).toBe(412)
    })

    it('XAPI-00322 XAPI2-06 a write that depends on the right tag is done', async () => {
      expect((await put('one', { a: 1 }, { 'if-none-match': '*' })).status).toBe(204)
      const tag = async () => ({ 'if-match': (await get()).headers.get('etag')! })
      expect((await put('one', { a: 2 }, await tag())).status).toBe(204)
      expect((await post('one', { b: 2 }, await tag())).status).toBe(204)
      expect((await get()).json).toEqual({ a: 2, b: 2 })
      expect((await send('DELETE', { [id]: 'one' }, { headers: await tag() })).status).toBe(204)
    })

    const isFree = path === state.path && version === '1.0.2'

    it(`XAPI-00322 XAPI2-05 a PUT on what exists without a condition is ${isFree ? 'done, as State of 1.0.3 is' : '409, with the reason'}`, async () => {
      await put('one', { a: 1 })
      if (isFree) {
        expect((await put('one', { a: 2 })).status).toBe(204)
        expect((await get()).json).toEqual({ a: 2 })
        return
      }
      expect(await unchanged(() => put('one', { a: 2 }))).toBe(409)
      expect((await put('one', { a: 2 })).json.message).toMatch(/If-Match/)
    })

    it('XAPI2-04 Last-Modified moves with every change', async () => {
      const modified = async () => Date.parse((await get()).headers.get('last-modified')!)
      await put('one', { a: 1 })
      const first = await modified()
      stage.clock.pass(2000)
      await post('one', { b: 1 })
      expect((await modified()) - first).toBe(2000)
    })
  })
}

describe.each(['1.0.2', '2.0.0'])('State and registrations under %s', (version) => {
  const [one, two] = [randomUUID(), randomUUID()]
  let here: Params

  const send = (method: string, params: Params, body?: unknown) =>
    clientOf(stage.app, signIn, version).send(
      method,
      `activities/state?${new URLSearchParams({ ...here, ...params }).toString()}`,
      body === undefined ? {} : { body },
    )
  const ids = async (params: Params = {}): Promise<string[]> => (await send('GET', params)).json.toSorted()

  beforeEach(async () => {
    here = state.scope()
    for (const [stateId, registration] of [['plain'], ['a', one], ['b', one], ['a', two]]) {
      const params = { stateId: stateId!, ...(registration && { registration }) }
      expect((await send('PUT', params, { registration: registration ?? 'none' })).status).toBe(204)
    }
  })

  it('XAPI-00218 XAPI-00220 the same stateId is another document in another registration', async () => {
    const of = async (params: Params) => (await send('GET', { stateId: 'a', ...params })).json
    expect(await of({ registration: one })).toEqual({ registration: one })
    expect(await of({ registration: two.toUpperCase() })).toEqual({ registration: two })
    expect((await send('GET', { stateId: 'a' })).status).toBe(404)
  })

  it('XAPI-00220 a list with a registration holds those in it only', async () => {
    expect(await ids({ registration: one })).toEqual(['a', 'b'])
    expect(await ids({ registration: two })).toEqual(['a'])
    expect(await ids({ registration: randomUUID() })).toEqual([])
  })

  it('XAPI-00227 POST merges within its registration', async () => {
    expect((await send('POST', { stateId: 'a', registration: one }, { more: 1 })).status).toBe(204)
    expect((await send('GET', { stateId: 'a', registration: one })).json).toEqual({ registration: one, more: 1 })
    expect((await send('GET', { stateId: 'a', registration: two })).json).toEqual({ registration: two })
  })

  it('XAPI-00219 DELETE with a registration touches nothing outside it', async () => {
    expect((await send('DELETE', { stateId: 'a', registration: one })).status).toBe(204)
    expect([await ids({ registration: one }), await ids({ registration: two })]).toEqual([['b'], ['a']])
  })

  it('XAPI-00194 XAPI-00219 DELETE without stateId removes all in the registration, and nothing else', async () => {
    expect((await send('DELETE', { registration: one })).status).toBe(204)
    expect([await ids({ registration: one }), await ids({ registration: two })]).toEqual([[], ['a']])
    expect((await send('GET', { stateId: 'plain' })).status).toBe(200)
  })

  it('XAPI-00194 DELETE without stateId and registration removes all in the scope', async () => {
    expect((await send('DELETE', {})).status).toBe(204)
    expect(await ids()).toEqual([])
    expect(await ids({ registration: one })).toEqual([])
  })
})

describe.each([agentProfile, activityProfile])('a PUT of $path without a condition', (resource) => {
  const putTwice = async (version: string): Promise<unknown[]> => {
    const client = clientOf(stage.app, signIn, version)
    const path = `${resource.path}?${new URLSearchParams({ ...resource.scope(), [resource.id]: 'one' }).toString()}`
    const first = await client.send('PUT', path, { body: { a: 1 } })
    const created = await client.send('PUT', path, { body: { a: 1 }, headers: { 'if-none-match': '*' } })
    const second = await client.send('PUT', path, { body: { a: 2 } })
    return [first.status, created.status, second.status, (await client.get(path)).json]
  }

  it('XAPI-00273 XAPI-00287 is refused since 1.0.3, whether there is one or not', async () => {
    expect(await putTwice('1.0.3')).toEqual([400, 204, 409, { a: 1 }])
  })

  it.each(['1.0.2', '2.0.0'])('XAPI-00322 creates one in %s, and replaces none', async (version) => {
    expect(await putTwice(version)).toEqual([204, 412, 409, { a: 1 }])
  })
})
