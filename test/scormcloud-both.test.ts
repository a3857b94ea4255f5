// SCORM Cloud's two management APIs over the same keys: what one makes, the other shows in its own words, changes and deletes, and
// neither widens what it has no word for.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { openWorld } from './support/scormcloud.ts'
import type { World } from './support/scormcloud.ts'

let world: World

beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const path = '/xapi/credentials'
const secret = 'a-secret-long-enough'
const v2 = async (method: string, at: string, json?: unknown) => {
  const answer = await world.v2(method, at, { as: world.application.login, ...(json !== undefined && { json }) })
  expect([method, at, answer.status < 300]).toEqual([method, at, true])
  return answer.json
}
const v1 = async (method: string, parameters: Record<string, string> = {}): Promise<string> => {
  const { error, inside } = await world.v1(`lrsaccount.${method}`, parameters, world.application.login)
  expect([method, error]).toEqual([method, undefined])
  return inside
}
const inV1 = async (key: string): Promise<Record<string, string>> => {
  const [found = ''] = (await v1('listActivityProviders'))
    .split('<activityProvider>')
    .filter((one) => one.includes(key))
  const members = [...found.matchAll(/<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))<\/\1>/g)]
  return Object.fromEntries(members.map(([, name, inside, plain]) => [name, inside ?? plain ?? '']))
}
const inV2 = (key: string) => v2('GET', `${path}/${key}`)

it('a provider of the first is a credential of the second', async () => {
  const made = await v1('createActivityProvider')
  const key = /<accountKey><!\[CDATA\[(.*?)\]\]>/.exec(made)?.[1] ?? ''
  expect(await inV2(key)).toMatchObject({
    ...{ id: key, name: 'Unnamed Account', isEnabled: true, secret: expect.stringMatching(/^[\w-]{19}$/) },
    permissionsLevel: { xapiCredentialPermissionsLevel: 'DEFAULT' },
  })
  for (const [word, other] of [
    ['READ_ANY', { xapiCredentialPermissionsLevel: 'READONLY' }],
    ['WRITE_ONLY', { xapiCredentialPermissionsLevel: 'WRITEONLY' }],
    // Its own data, read only: the second has no word as narrow.
    ['READ_ONLY', {}],
  ] as const) {
    await v1('editActivityProvider', { accountkey: key, permissionslevel: word })
    const shown = await inV2(key)
    expect(shown.permissionsLevel).toEqual(other)
    await v2('PUT', `${path}/${key}`, shown)
    expect((await inV1(key))['permissionsLevel']).toBe(word)
  }
  await v2('PUT', `${path}/${key}`, { name: 'Renamed', isEnabled: false, auth: 'OAUTH' })
  expect(await inV1(key)).toMatchObject({ accountLabel: 'Renamed', accountEnabled: 'false', accountAuthType: 'oauth' })
  await v2('DELETE', `${path}/${key}`)
  expect(await inV1(key)).toEqual({})
})

it('a credential of the second is a provider of the first', async () => {
  const body = { name: 'Course', secret, isEnabled: true, auth: 'BASICAUTH', info: 'mine' }
  for (const [word, other] of [
    ['USER', 'DEFAULT'],
    ['ROOT', 'DEFAULT'],
    ['READONLY', 'READ_ANY'],
    ['WRITEONLY', 'WRITE_ONLY'],
  ]) {
    const { result: key } = await v2('POST', path, { ...body, permissionsLevel: word })
    expect(await inV1(key)).toMatchObject({ accountKey: key, accountSecret: secret, permissionsLevel: other })
    await v1('editActivityProvider', { accountkey: key, label: 'By the first', isactive: 'true' })
    expect(await inV2(key)).toMatchObject({
      ...{ name: 'By the first', info: 'mine' },
      permissionsLevel: { xapiCredentialPermissionsLevel: word },
    })
    await v1('deleteActivityProvider', { accountkey: key })
    expect((await world.v2('GET', `${path}/${key}`, { as: world.application.login })).status).toBe(404)
  }
})
