// What the directory closes is closed on every path of every face: an organisation that has ended, an Lrs that is deleted, a key
// without any Lrs. Others go on, nothing is stored, and nobody without the right secret is told.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IssuedCredential, NewCredentialInput } from '../src/core/credential.ts'
import type { LrsId, OrganisationId } from '../src/core/ids.ts'
import { everyRight } from '../src/core/rights.ts'
import { openWorld } from './support/scormcloud.ts'
import type { Login, World } from './support/scormcloud.ts'

let world: World
/** Keys that may everything in their organisation; of an Lrs beside the default; of none. */
let keys: Record<'first' | 'application' | 'second' | 'none' | 'neighbour', IssuedCredential>
let second: LrsId
beforeAll(async () => {
  world = await openWorld()
  const issue = (more: Partial<NewCredentialInput>, organisation?: OrganisationId) =>
    world.core.credentials.create(world.operator(organisation), { name: 'Key', rights: everyRight, ...more })
  const { id } = await world.core.lrs.create(world.operator(), { name: 'Second' })
  second = id
  const { liveLrsId, sandboxLrsId } = world.application.record
  keys = {
    first: await issue({}),
    application: await issue({ lrsIds: [liveLrsId, sandboxLrsId] }),
    second: await issue({ lrsIds: [second] }),
    none: await issue({ lrsIds: [] }),
    neighbour: await issue({}, world.neighbour),
  }
})
afterAll(() => world.close())

type Key = keyof typeof keys | 'management' | 'application itself'
const login = (key: Key): Login => {
  if (key === 'management') return world.management
  return key === 'application itself' ? world.application.login : keys[key]
}

const headers = { 'X-Experience-API-Version': '1.0.3' }
const get = (path: string, as: Login) => {
  const asked = path.replace('{appId}', world.application.record.id)
  return world.ask('GET', asked, { as, headers })
}
const post = (path: string, as: Login) => {
  const actor = { mbox: 'mailto:ann@example.org' }
  const json = { id: randomUUID(), actor, verb: { id: 'urn:verb' }, object: { id: 'urn:object' } }
  return world.ask('POST', path.replace('{appId}', world.application.record.id), { as, headers, json })
}
const counts = async () => {
  const all = await world.storage.directory.listLrs(world.organisation)
  return Promise.all(all.map(({ id }) => world.storage.statements.countStatements(id)))
}

/** Every mount of xAPI, and a key that reaches something there. */
const xapi: readonly (readonly [path: string, key: Key])[] = [
  ['/xapi/statements', 'first'],
  ['/data/xAPI/statements', 'first'],
  ['/api/organizations/1/lrs/statements', 'first'],
  ['/lrs/{appId}/statements', 'application'],
  ['/lrs/{appId}/sandbox/statements', 'application'],
  ['/tc/{appId}/statements', 'application'],
  ['/RusticiEngine/lrs/{appId}/statements', 'application'],
]

/** The management APIs. */
const managed: readonly (readonly [path: string, key: Key])[] = [
  ['/api/organizations/1/activity-providers', 'first'],
  ['/api/v2/client', 'first'],
  ['/api/v2/lrs', 'first'],
  ['/api/v2/organisation', 'first'],
  ['/api/v2/statement', 'first'],
  ['/api/connection/client', 'first'],
  ['/api/connection/lrs', 'first'],
  ['/api/auth/client/info', 'first'],
  ['/api/v2/appManagement/applications', 'management'],
  ['/api/v2/xapi/credentials', 'application itself'],
]

describe('an organisation that has ended', () => {
  beforeAll(async () => {
    for (const [path, key] of [...xapi, ...managed])
      expect([path, (await get(path, login(key))).status]).toEqual([path, 200])
    expect((await world.v1('debug.authPing')).error).toBeUndefined()
    await world.core.organisations.update(world.operator(), { expiresAt: world.clock.now() + 1 })
    world.clock.pass(1)
  })
  afterAll(() => world.core.organisations.update(world.operator(), { expiresAt: null }))

  it.each([...xapi, ...managed])('%s refuses %s, and says why', async (path, key) => {
    const answer = await get(path, login(key))
    expect([401, 403]).toContain(answer.status)
    expect(answer.text).toMatch(/organisation has expired/)
  })

  it('is told to nobody who guesses', async () => {
    for (const [path, key] of [xapi[0]!, xapi[3]!, managed[0]!, managed[1]!]) {
      const guessed = await get(path, { ...login(key), secret: 'a guess' })
      expect(guessed.status).toBe(401)
      expect(guessed.text).not.toMatch(/expired/)
    }
  })

  it.each(xapi)('%s stores nothing for %s', async (path, key) => {
    const before = await counts()
    expect([401, 403]).toContain((await post(path, login(key))).status)
    expect(await counts()).toEqual(before)
  })

  it('is refused by the API that signs its calls, and gets no tokens', async () => {
    expect((await world.v1('debug.authPing')).text).toMatch(/organisation has expired/)
    const { key: client_id, secret: client_secret } = keys.first
    for (const path of ['/api/oauth2/token', '/api/organizations/1/oauth2/token']) {
      const json = { grant_type: 'client_credentials', client_id, client_secret }
      const answer = await world.ask('POST', path, { json, as: keys.first })
      expect([400, 401, 403]).toContain(answer.status)
      expect(answer.text).not.toContain('access_token')
    }
  })

  it('leaves its neighbour alone', async () => {
    expect((await get('/xapi/statements', keys.neighbour)).status).toBe(200)
    expect((await get('/api/v2/lrs', keys.neighbour)).status).toBe(200)
  })
})

describe('an Lrs that is deleted', () => {
  const paths = ['/xapi/statements', '/data/xAPI/statements']

  it('answers nobody, stores nothing, is in no list; restored, it has what it had', async () => {
    for (const path of paths) expect((await post(path, keys.second)).status).toBe(200)
    const before = await counts()
    await world.core.lrs.remove(world.operator(), second)
    for (const path of paths) {
      for (const ask of [get, post]) {
        const answer = await ask(path, keys.second)
        expect([401, 403]).toContain(answer.status)
        expect(answer.text).toMatch(/deleted/)
      }
      // Its organisation goes on.
      expect((await get(path, keys.first)).status).toBe(200)
    }
    expect(await counts()).toEqual(before)
    const titles = async (as: Login) =>
      ((await get('/api/v2/lrs', as)).json as readonly { readonly title: string }[]).map(({ title }) => title)
    expect(await titles(keys.first)).not.toContain('Second')
    await world.core.lrs.restore(world.operator(), second)
    expect(await titles(keys.first)).toContain('Second')
    for (const path of paths) expect((await get(path, keys.second)).json.statements).toHaveLength(2)
  })

  it('is deleted and restored by nobody from elsewhere', async () => {
    const before = await world.storage.directory.listLrs(world.organisation)
    const stranger = world.operator(world.neighbour)
    for (const attempt of [
      () => world.core.lrs.remove(stranger, second),
      () => world.core.lrs.restore(stranger, second),
      () => world.core.lrs.update(stranger, second, { name: 'Mine now' }),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'not_found' })
    }
    expect(await world.storage.directory.listLrs(world.organisation)).toEqual(before)
  })
})

describe('a key without any Lrs', () => {
  it.each(xapi)('is refused at %s, where it reads and stores nothing', async (path) => {
    const before = await counts()
    for (const ask of [get, post]) {
      const answer = await ask(path, keys.none)
      expect([401, 403]).toContain(answer.status)
      expect(answer.text).toMatch(/Lrs/)
    }
    expect(await counts()).toEqual(before)
  })

  it('manages what it may', async () => {
    expect((await get('/api/organizations/1/activity-providers', keys.none)).status).toBe(200)
  })
})
