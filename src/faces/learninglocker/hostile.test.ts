// Whatever stands in a field, a path or a parameter: answered in the vendor's shape, never as our fault, and what is refused is
// not written. The query language has tests of its own.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { World } from '../../../test/support/learninglocker.ts'

let world: World
beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world.close())

const values: readonly unknown[] = [
  ...[null, true, -1, 8.64e15 + 1, '', 'a\u0000b', '\ud800', '"', '9'.repeat(400), 'f'.repeat(24), '[[[['],
  ...[[[]], ['\u0000'], { _id: {} }, { $gt: '' }, { toString: 1, length: -1 }],
]

const fields = {
  client: [
    'title',
    'authority',
    'isTrusted',
    'lrs_id',
    'scopes',
    'createdAt',
    'api',
    'api.basic_key',
    'api.basic_secret',
  ],
  lrs: ['title', 'description', 'owner_id', 'createdAt', 'statementCount', 'organisation'],
  organisation: [
    'name',
    'timezone',
    'parent',
    'settings',
    'settings.LOCKOUT_ATTEMPS',
    'settings.PASSWORD_CUSTOM_REGEX',
  ],
} as const

describe.each(Object.entries(fields))('%s', (model, names) => {
  it.each(names)('%s takes, or refuses by name, whatever it is', async (name) => {
    const path = `/api/v2/${model}`
    const id =
      model === 'organisation' ? world.organisation.oid : (await world.ask('POST', path, { json: {} })).json._id
    await world.events()
    for (const value of values) {
      const what = `${name}: ${JSON.stringify(value)}`
      const { status, json, text } = await world.ask('PATCH', `${path}/${id}`, { json: { [name]: value } })
      expect([200, 400], `${what} ${text}`).toContain(status)
      const written = await world.events()
      if (status === 200) continue
      expect(
        Object.keys(json.errors).every((key) => key.startsWith(name.split('.')[0]!)),
        what,
      ).toBe(true)
      expect(written, what).toEqual([])
    }
  })
})

it.each(['%00', '%2e%2e', '%ff', '..;', '{}', '[object Object]', "'", 'x'.repeat(3000), '\u{1f600}', '%'])(
  'the _id %s is there for nobody',
  async (id) => {
    for (const model of ['client', 'lrs', 'organisation']) {
      const { status } = await world.ask('GET', `/api/v2/${model}/${id}`)
      expect([400, 404]).toContain(status)
    }
  },
)

it.each([
  'select=__proto__',
  'select=-constructor',
  'select={"__proto__":1}',
  'sort=__proto__',
  'populate=__proto__',
  'populate={"path":"constructor"}',
  'distinct=__proto__',
  'distinct=constructor.prototype',
  'limit=1e400',
  'limit=99999999999999999999',
  'skip=0x10',
  'query={"__proto__":{"x":1}}',
  'query={"constructor":"x"}',
  `query=${'['.repeat(500)}`,
  'query=%ff',
])('the parameters %s cost little, and nothing of ours', async (query) => {
  for (const path of ['/api/v2/client', '/api/v2/client/count', '/api/v2/lrs', '/api/v2/organisation']) {
    const { status, text } = await world.ask('GET', `${path}?${query}`)
    expect([200, 400], `${path} ${text}`).toContain(status)
  }
})

it('nothing of all that was our fault', () => {
  expect(world.log()).not.toContain('request failed')
})
