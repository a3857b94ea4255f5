// An application's secret keys: made, shown, switched off, deleted; each of them is enough, and none outlives that.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, World } from '../../../test/support/scormcloud.ts'

let world: World
let keys: string

beforeEach(async () => {
  world = await openWorld()
  keys = `/appManagement/${world.application.record.id}/credentials`
})
afterEach(() => world.close())

const ask = (method: string, path: string, json?: unknown): Promise<Answer> =>
  world.v2(method, path, { as: world.management, ...(json !== undefined && { json }) })
const ping = async (secret: string): Promise<number> => {
  const as = { key: world.application.record.id, secret }
  return (await world.v2('GET', '/ping', { as })).status
}

it('S4.4 makes one that works at once, beside the others', async () => {
  const { status, json } = await ask('POST', keys, { name: 'Deploy', active: true })
  expect([status, json]).toEqual([
    200,
    {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      ...{ name: 'Deploy', credential: expect.stringMatching(/^[0-9a-f]{40}$/), pensCredential: '', status: 'enabled' },
      created: '2026-01-02T03:04:05.000Z',
    },
  ])
  expect([await ping(json.credential), await ping(world.application.login.secret)]).toEqual([200, 200])
  const listed = await ask('GET', keys)
  expect(listed.json.credentials).toEqual([
    expect.objectContaining({ name: 'First', credential: world.application.login.secret, status: 'enabled' }),
    json,
  ])
})

it('makes one that is off, without a name', async () => {
  const { json } = await ask('POST', keys, { active: false })
  expect(json).toMatchObject({ name: '', status: 'disabled' })
  expect(await ping(json.credential)).toBe(401)
  expect((await ask('PUT', `${keys}/${json.id}`, { active: true })).status).toBe(204)
  expect(await ping(json.credential)).toBe(200)
})

it('S4.4 S4.5 changes name and status, each alone', async () => {
  const [before] = (await ask('GET', keys)).json.credentials
  const one = `${keys}/${before.id}`
  expect(await ask('PUT', one, { active: false })).toMatchObject({ status: 204, text: '' })
  expect(await ping(world.application.login.secret)).toBe(401)
  expect(
    (
      await ask(
        'PUT',
        one.toUpperCase().replace('/APPMANAGEMENT', '/appManagement').replace('/CREDENTIALS', '/credentials'),
        { name: 'Old' },
      )
    ).status,
  ).toBe(204)
  expect((await ask('GET', keys)).json.credentials).toEqual([{ ...before, name: 'Old', status: 'disabled' }])
})

it('S4.5 lets the last one go: then no API until there is another', async () => {
  const [{ id }] = (await ask('GET', keys)).json.credentials
  expect(await ask('DELETE', `${keys}/${id}`)).toMatchObject({ status: 204, text: '' })
  expect(await ping(world.application.login.secret)).toBe(401)
  expect((await ask('GET', keys)).json).toEqual({ credentials: [] })
  expect((await ask('DELETE', `${keys}/${id}`)).status).toBe(404)
  const { json } = await ask('POST', keys, {})
  expect(await ping(json.credential)).toBe(200)
})

it('holds at most sixteen', async () => {
  for (let n = 1; n < 16; n++) expect((await ask('POST', keys, { name: `${n}` })).status).toBe(200)
  await world.events()
  const { status, json } = await ask('POST', keys, { name: 'one more' })
  expect([status, json]).toEqual([409, { message: expect.stringContaining('at most 16') }])
  expect(await world.events()).toEqual([])
})

it('revives none that has expired', async () => {
  const { core, clock, application } = world
  const expiresAt = clock.now() + 1000
  const { secretId } = await core.applications.addSecret(world.operator(), application.record.id, { expiresAt })
  clock.pass(2000)
  await world.events()
  expect((await ask('GET', keys)).json.credentials[1]).toMatchObject({ id: secretId, status: 'disabled' })
  expect((await ask('PUT', `${keys}/${secretId}`, { active: true })).status).toBe(409)
  expect(await world.events()).toEqual([])
})

describe('refusals', () => {
  it.each([
    ['a name of a number', { name: 1 }, /\/name: must be a string/],
    ['a word for a switch', { active: 'true' }, /\/active: must be true or false/],
    ['a list', [], /must be a JSON object/],
    ['a name of 300 characters', { name: 'x'.repeat(300) }, /\/name: .*255/],
  ])('%s', async (_what, json, message) => {
    const [{ id }] = (await ask('GET', keys)).json.credentials
    for (const [method, path] of [
      ['POST', keys],
      ['PUT', `${keys}/${id}`],
    ] as const) {
      const answer = await ask(method, path, json)
      expect([answer.status, answer.json]).toEqual([400, { message: expect.stringMatching(message) }])
    }
    expect(await world.events()).toEqual([])
  })

  it.each([
    ['GET', '/appManagement/ZZZZZZZZZZ/credentials'],
    ['POST', '/appManagement/ZZZZZZZZZZ/credentials'],
    ['PUT', '/appManagement/ZZZZZZZZZZ/credentials/3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    ['DELETE', '/appManagement/ZZZZZZZZZZ/credentials/3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    ['PUT', ':keys/3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    ['DELETE', ':keys/3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
    ['DELETE', ':keys/not-a-uuid'],
    ['DELETE', ':keys/%00'],
    ['DELETE', ':keys/%ED%A0%80'],
  ])('%s %s is 404', async (method, path) => {
    const answer = await ask(method, path.replace(':keys', keys), method === 'GET' ? undefined : {})
    expect([answer.status, Object.keys(answer.json)]).toEqual([404, ['message']])
    expect(await world.events()).toEqual([])
  })
})

it('a token that may only read sees no secret key, and one that may only delete deletes', async () => {
  const token = async (scope: string): Promise<string> => {
    const json = { permissions: { scopes: [scope] }, expiry: '2026-01-02T04:00:00Z' }
    return (await ask('POST', '/appManagement/token', json)).json.result
  }
  const read = await world.v2('GET', keys, { as: await token('read:appmgmt') })
  expect(read.json.credentials).toEqual([expect.not.objectContaining({ credential: expect.anything() })])
  const { id } = read.json.credentials[0]
  const remove = await token('delete:appmgmt')
  expect((await world.v2('PUT', `${keys}/${id}`, { as: remove, json: { active: false } })).status).toBe(401)
  expect((await world.v2('DELETE', `${keys}/${id}`, { as: remove })).status).toBe(204)
})
