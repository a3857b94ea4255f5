// One tenant tries to receive what another's clients send, over HTTP: with a key and secret read from a page, an API key
// of its own, and a credential older than the victim's.

import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { authorization, credentialOf, openWorld } from './support/watershed.ts'
import type { Answer, Login, World } from './support/watershed.ts'

let world: World
let owner: Login
let thief: Login
/** The thief's own credential, made before anything of the victim's. */
let bait: Login & { id: number }

beforeEach(async () => {
  world = await openWorld()
  const api = credentialOf({ watershedApiAccess: 'enabled' })
  thief = await world.core.credentials.create(world.operator(world.neighbour), api)
  bait = (await asThief('POST', '', { name: 'Bait', lrsAccess: 'global' })).json
  world.clock.pass(1000)
  owner = await world.core.credentials.create(world.operator(), api)
})
afterEach(() => world.close())

const asOwner = (method: string, path: string, json?: object): Promise<Answer> =>
  world.ask(method, `/activity-providers${path}`, { as: owner, ...(json && { json }) })
const asThief = (method: string, path: string, json?: object): Promise<Answer> =>
  world.ask(method, `/api/organizations/${world.neighbour}/activity-providers${path}`, {
    as: thief,
    ...(json && { json }),
  })

/** On the path that names no organisation. */
async function store(as: Login): Promise<number> {
  const body = JSON.stringify({
    id: randomUUID(),
    actor: { mbox: 'mailto:learner@example.org' },
    verb: { id: 'http://example.org/answered' },
    object: { id: 'http://example.org/course' },
    result: { response: 'a private answer' },
  })
  const headers = { Authorization: authorization(as), 'X-Experience-API-Version': '2.0.0' }
  const response = await world.app.request('/xapi/statements', {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body,
  })
  return response.status
}

async function storedIn(organisation: number, as: Login): Promise<number> {
  const path = `/api/organizations/${organisation}/lrs/statements`
  const { json } = await world.ask('GET', path, { as, headers: { 'X-Experience-API-Version': '2.0.0' } })
  return json.statements?.length ?? 0
}

it('an older key of another organisation does not get the traffic of a pair read from a page', async () => {
  const course = (await asOwner('POST', '', { name: 'Course', lrsAccess: 'isolated' })).json
  expect(await store(course)).toBe(200)
  const { key, secret } = course
  const entity = (await asThief('GET', `/${bait.id}`)).json
  await world.events(world.neighbour)
  expect((await asThief('PUT', `/${bait.id}`, { key, secret })).status).toBe(409)
  expect((await asThief('POST', '', { name: 'Copy', key, secret })).status).toBe(409)
  expect((await asThief('GET', `/${bait.id}`)).json).toEqual(entity)
  expect(await world.events(world.neighbour)).toEqual([])
  // With the key alone, and after something that makes the server look again.
  expect((await asThief('PUT', `/${bait.id}`, { key })).status).toBe(204)
  await asOwner('POST', '', { name: 'Any other' })
  expect(await store(course)).toBe(200)
  expect(await storedIn(world.organisation, course)).toBe(2)
  expect(await storedIn(world.neighbour, { ...bait, key })).toBe(0)
  expect(await storedIn(world.neighbour, course)).toBe(0)
})

it('nor what clients still send with a pair that was rotated or deleted', async () => {
  for (const end of [
    (id: number) => asOwner('PUT', `/${id}`, { secret: `another one for ${id}` }),
    (id: number) => asOwner('DELETE', `/${id}`),
  ]) {
    const { id, key, secret } = (await asOwner('POST', '', { name: 'Course', lrsAccess: 'isolated' })).json
    expect(await store({ key, secret })).toBe(200)
    expect((await end(id)).status).toBeLessThan(300)
    expect((await asThief('PUT', `/${bait.id}`, { key, secret })).status).toBe(409)
    expect(await store({ key, secret })).toBe(401)
  }
  expect(await storedIn(world.neighbour, bait)).toBe(0)
})
