import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/watershed.ts'
import type { Login, World } from '../../../test/support/watershed.ts'

let world: World
let admin: Login
let provider: Login & { id: number }

beforeEach(async () => {
  world = await openWorld()
  admin = await world.credential({ watershedApiAccess: 'enabled' }, { name: 'Admin' })
  const { credential, key, secret } = await world.credential({ lrsAccess: 'isolated' }, { name: 'Course' })
  provider = { id: credential.id, key, secret }
  await world.events()
})
afterEach(() => world.close())

const self = '/activity-providers/self/sessions'
const base = (): string => `/activity-providers/${provider.id}/sessions`
const version = { 'X-Experience-API-Version': '1.0.3' }
const statement = {
  actor: { mbox: 'mailto:learner@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/attempted' },
  object: { id: 'https://example.org/course' },
}

describe('create', () => {
  it('as self answers exactly 200 with key and secret, without API access', async () => {
    const json = { expireSeconds: 600, scope: 'xapi:all' }
    const answer = await world.ask('POST', self, { as: provider, json })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(['id', 'created', 'expires', 'scope', 'key', 'secret'])
    expect(answer.json).toMatchObject({
      created: '2026-01-02T03:04:05.000Z',
      expires: '2026-01-02T03:14:05.000Z',
      scope: 'xapi:all',
    })
    expect(await world.events()).toEqual([`session.create ${answer.json.id}`])
    expect((await world.ask('POST', base(), { as: provider, json })).status).toBe(200)
  })

  it('by whoever has API access, under any provider', async () => {
    const { status, json } = await world.ask('POST', base(), { as: admin, json: { scope: 'xapi:write' } })
    expect(status).toBe(200)
    expect((await world.ask('GET', base(), { as: provider })).json.results).toMatchObject([{ id: json.id }])
  })

  it('takes its parameters from the query too, and none at all', async () => {
    const queried = await world.ask('POST', `${self}?expireSeconds=60&scope=xapi:read`, { as: provider })
    expect(queried.json).toMatchObject({ expires: '2026-01-02T03:05:05.000Z', scope: 'xapi:read' })
    const plain = await world.ask('POST', self, { as: provider })
    expect(plain.json).toMatchObject({ expires: '2026-01-02T04:04:05.000Z', scope: 'xapi:all' })
    const empty = await world.ask('POST', self, { as: provider, body: '' })
    expect(empty.status).toBe(200)
  })

  it.each([
    ['wsapi:all', /wsapi:all is more than/],
    ['xapi:read,wsapi:all', /wsapi:all is more than/],
    ['statements/read', /must be one or more of xapi:read, xapi:write, xapi:all, wsapi:all/],
  ])('refuses the scope %s', async (scope, message) => {
    const { status, json } = await world.ask('POST', self, { as: provider, json: { scope } })
    expect([status, json]).toEqual([400, { status: 400, message: expect.stringMatching(message) }])
    expect(await world.events()).toEqual([])
    expect((await world.ask('GET', self, { as: provider })).json.count).toBe(0)
  })

  it('refuses scopes of xAPI under a provider without LRS access', async () => {
    for (const scope of ['xapi:read', 'xapi:write', 'xapi:all']) {
      expect((await world.ask('POST', self, { as: admin, json: { scope } })).status).toBe(400)
    }
    expect(await world.events()).toEqual([])
    expect((await world.ask('POST', self, { as: admin, json: { scope: 'wsapi:all' } })).status).toBe(200)
  })

  it('a session has no children and does not read its parent', async () => {
    const { json: session } = await world.ask('POST', self, { as: provider, json: {} })
    await world.events()
    const asked = [
      ['POST', self],
      ['GET', self],
      ['DELETE', `${self}/${session.id}`],
      ['GET', '/activity-providers/self'],
      ['GET', `/activity-providers/${provider.id}`],
    ] as const
    for (const [method, path] of asked) {
      const { status, text } = await world.ask(method, path, { as: session })
      expect([method, path, status]).toEqual([method, path, 401])
      expect(text).not.toContain(provider.secret)
    }
    const { json: mighty } = await world.ask('POST', self, { as: admin, json: { scope: 'wsapi:all' } })
    await world.events()
    expect((await world.ask('POST', self, { as: mighty, json: {} })).status).toBe(403)
    expect(await world.events()).toEqual([])
  })
})

describe('use', () => {
  it('S2.1 S2.12 stores in its parent’s name, and reads what its parent and its siblings stored', async () => {
    const [one, two] = await Promise.all([
      world.ask('POST', self, { as: provider, json: {} }),
      world.ask('POST', self, { as: provider, json: { scope: 'xapi:read' } }),
    ])
    const stored = await world.ask('POST', '/lrs/statements', { as: one.json, json: statement, headers: version })
    expect(stored.status).toBe(200)
    for (const as of [provider, one.json, two.json]) {
      const { json } = await world.ask('GET', '/lrs/statements', { as, headers: version })
      expect(json.statements).toHaveLength(1)
    }
    const other = await world.credential({ lrsAccess: 'isolated' })
    expect((await world.ask('GET', '/lrs/statements', { as: other, headers: version })).json.statements).toEqual([])
  })

  it('keeps to its scope', async () => {
    const { json: reader } = await world.ask('POST', self, { as: provider, json: { scope: 'xapi:read' } })
    const { json: writer } = await world.ask('POST', self, { as: provider, json: { scope: 'xapi:write' } })
    const write = (as: Login) => world.ask('POST', '/lrs/statements', { as, json: statement, headers: version })
    const read = (as: Login) => world.ask('GET', '/lrs/statements', { as, headers: version })
    expect((await write(reader)).status).toBe(403)
    expect((await read(writer)).status).toBe(403)
    expect((await read(reader)).json.statements).toEqual([])
    expect((await write(writer)).status).toBe(200)
  })

  it('ends when its time is over', async () => {
    const { json: session } = await world.ask('POST', self, { as: provider, json: { expireSeconds: 60 } })
    const status = async (): Promise<number> =>
      (await world.ask('GET', '/lrs/statements', { as: session, headers: version })).status
    expect(await status()).toBe(200)
    world.clock.pass(59_999)
    expect(await status()).toBe(200)
    world.clock.pass(1)
    expect(await status()).toBe(401)
  })

  it('dies with its parent at once, and when it is deleted', async () => {
    const make = async (): Promise<any> => (await world.ask('POST', self, { as: provider, json: {} })).json
    const works = async (as: Login): Promise<boolean> =>
      (await world.ask('GET', '/lrs/statements', { as, headers: version })).status === 200
    const [one, two] = [await make(), await make()]
    expect([await works(one), await works(two)]).toEqual([true, true])
    await world.ask('DELETE', `${self}/${one.id}`, { as: provider })
    expect([await works(one), await works(two)]).toEqual([false, true])
    const parent = `/activity-providers/${provider.id}`
    await world.ask('PUT', parent, { as: admin, json: { active: false } })
    expect(await works(two)).toBe(false)
    await world.ask('PUT', parent, { as: admin, json: { active: true } })
    expect(await works(two)).toBe(true)
    await world.ask('PUT', parent, { as: admin, json: { lrsAccess: 'disabled' } })
    expect(await works(two)).toBe(false)
    await world.ask('PUT', parent, { as: admin, json: { lrsAccess: 'isolated' } })
    expect(await works(two)).toBe(true)
    await world.ask('DELETE', parent, { as: admin })
    expect(await works(two)).toBe(false)
  })
})

it('dies with the secret of its parent, not with its name or key', async () => {
  const { json: session } = await world.ask('POST', self, { as: provider, json: {} })
  const parent = `/activity-providers/${provider.id}`
  const status = async (): Promise<number> =>
    (await world.ask('GET', '/lrs/statements', { as: session, headers: version })).status
  await world.ask('PUT', parent, { as: admin, json: { name: 'Other', key: 'other-key', secret: provider.secret } })
  expect(await status()).toBe(200)
  await world.ask('PUT', parent, { as: admin, json: { secret: 'another' } })
  expect(await status()).toBe(401)
})

describe('list, read, delete', () => {
  it('show everything but the secret', async () => {
    const { secret: first, ...one } = (await world.ask('POST', self, { as: provider, json: {} })).json
    const { secret: second, ...two } = (await world.ask('POST', self, { as: provider, json: {} })).json
    const list = await world.ask('GET', self, { as: provider })
    expect(list.json).toEqual({ count: 2, results: [one, two] })
    expect((await world.ask('GET', `${base()}?_limit=1&_offset=1`, { as: admin })).json).toEqual({
      count: 2,
      results: [two],
    })
    expect((await world.ask('GET', `${base()}/${one.id}`, { as: admin })).json).toEqual(one)
    await world.events()
    const gone = await world.ask('DELETE', `${self}/${two.id}`, { as: provider })
    expect([gone.status, gone.json]).toEqual([200, two])
    expect(await world.events()).toEqual([`session.delete ${two.id}`])
    const { events } = await world.core.audit.list(world.operator())
    expect(JSON.stringify(events) + world.log()).not.toMatch(new RegExp(`${first}|${second}`))
  })

  it('answer 404 for what is not there, or not this provider’s', async () => {
    const other = await world.credential({ lrsAccess: 'isolated' })
    const { json: theirs } = await world.ask('POST', self, { as: other, json: {} })
    await world.events()
    for (const id of [theirs.id, 99_999, 'x', '99999999999999999999']) {
      for (const method of ['GET', 'DELETE']) {
        expect((await world.ask(method, `${self}/${id}`, { as: provider })).status).toBe(404)
      }
    }
    expect(
      (await world.ask('GET', `/activity-providers/${other.credential.id}/sessions`, { as: provider })).status,
    ).toBe(401)
    expect((await world.ask('GET', '/activity-providers/99999/sessions', { as: admin })).status).toBe(404)
    expect((await world.ask('POST', '/activity-providers/99999/sessions', { as: admin })).status).toBe(404)
    expect(await world.events()).toEqual([])
  })
})
