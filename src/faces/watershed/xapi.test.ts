// Watershed's xAPI path: who reaches what at which level of lrsAccess, and errors in Watershed's shape.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/watershed.ts'
import type { Answer, Login, World } from '../../../test/support/watershed.ts'
import { lrsAccesses } from './words.ts'
import type { LrsAccess } from './words.ts'

let world: World
beforeEach(async () => {
  world = await openWorld()
})
afterEach(() => world.close())

const version = { 'X-Experience-API-Version': '1.0.3' }
const statement = {
  actor: { mbox: 'mailto:learner@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/attempted' },
  object: { id: 'https://example.org/course' },
}
const level = (lrsAccess: LrsAccess): Promise<Login> => world.credential({ lrsAccess }, { name: `Level ${lrsAccess}` })
const store = (as: Login, json: unknown = statement): Promise<Answer> =>
  world.ask('POST', '/lrs/statements', { as, json, headers: version })
const read = (as: Login, query = ''): Promise<Answer> =>
  world.ask('GET', `/lrs/statements${query}`, { as, headers: version })

describe('levels', () => {
  it('S2.11 store and read what their word says', async () => {
    const author = await level('global')
    await store(author)
    const seen: Record<string, unknown> = {}
    for (const word of lrsAccesses) {
      const as = await level(word)
      const [stored, listed] = [await store(as), await read(as)]
      seen[word] = [stored.status, listed.status, listed.json.statements?.length]
    }
    expect(seen).toEqual({
      disabled: [401, 401, undefined],
      isolated: [200, 200, 1],
      global: [200, 200, 3],
      globalReadOnly: [403, 200, 3],
      writeOnly: [200, 403, undefined],
    })
  })

  it('S2.12 isolated does not see another credential’s statement, not even by its id', async () => {
    const [one, two] = [await level('isolated'), await level('isolated')]
    const id = (await store(one)).json[0]
    expect((await read(one, `?statementId=${id}`)).status).toBe(200)
    const { status, json } = await read(two, `?statementId=${id}`)
    expect([status, json.status]).toEqual([404, 404])
    expect((await read(two)).json.statements).toEqual([])
  })

  it('lrsAccess disabled is refused by 401 in Watershed’s shape', async () => {
    const { status, json, headers } = await read(await level('disabled'))
    expect([status, json]).toEqual([
      401,
      { message: 'HTTP 401 Unauthorized: these credentials have no LRS access', status: 401 },
    ])
    expect(headers.get('WWW-Authenticate')).toBe('Unauthorized')
  })
})

describe('authority', () => {
  it('S2.9 holds the name at the time of storing', async () => {
    const { credential, key, secret } = await world.credential({ lrsAccess: 'isolated' }, { name: 'Before' })
    const as = { key, secret }
    await store(as)
    await world.core.credentials.update(world.operator(), credential.id, { name: 'After' })
    await store(as)
    const { json } = await read(as)
    const authorities = json.statements.map((one: { authority: { name: string; account: object } }) => one.authority)
    expect(authorities.map(({ name }: { name: string }) => name)).toEqual(['After', 'Before'])
    expect(authorities[0].account).toEqual(authorities[1].account)
    expect(authorities[0].account.homePage).toBe('https://lrs.example.org')
  })

  it('sent along counts under global only', async () => {
    const authority = { objectType: 'Agent', mbox: 'mailto:somebody@example.org' }
    for (const [word, isKept] of [
      ['global', true],
      ['isolated', false],
    ] as const) {
      const as = await level(word)
      const id = (await store(as, { ...statement, authority })).json[0]
      const kept = (await read(as, `?statementId=${id}`)).json.authority
      expect([word, kept.mbox === authority.mbox]).toEqual([word, isKept])
    }
  })
})

describe('the path', () => {
  it('S2.15 names the organisation: another one is 401', async () => {
    const as = await level('global')
    for (const organisation of ['2', '33', '99999999999']) {
      const path = `/api/organizations/${organisation}/lrs/statements`
      const { status, json } = await world.ask('GET', path, { as, headers: version })
      expect([status, json]).toEqual([401, { message: 'HTTP 401 Unauthorized', status: 401 }])
    }
    const odd = await world.ask('GET', '/api/organizations/first/lrs/statements', { as, headers: version })
    expect([odd.status, odd.json.status]).toEqual([odd.status, odd.status])
    expect([401, 404]).toContain(odd.status)
  })

  it('leads to the organisation’s default Lrs', async () => {
    const as = await level('global')
    await store(as)
    const native = await world.ask('GET', '/api/organizations/1/lrs/about', { headers: version })
    expect(native.json.version).toContain('2.0.0')
    const { json } = await world.ask('GET', '/api/organizations/1/lrs/statements?limit=1', { as, headers: version })
    expect(json.statements).toHaveLength(1)
  })
})

describe('errors', () => {
  it('hold every broken rule with its place', async () => {
    const broken = [
      { ...statement, actor: { mbox: 'learner' } },
      { ...statement, verb: { id: 7 }, object: undefined },
    ]
    const { status, json, headers } = await store(await level('isolated'), broken)
    expect([status, json.status, Object.keys(json)]).toEqual([400, 400, ['message', 'status']])
    expect(headers.get('Content-Type')).toMatch(/^application\/json/)
    for (const place of ['/0/actor/mbox: ', '/1/verb/id: ', '/1: "object"']) expect(json.message).toContain(place)
  })

  it('are bounded', async () => {
    const many = Array.from({ length: 90 }, () => ({ actor: 1, verb: 2, object: 3 }))
    const { status, json } = await store(await level('isolated'), many)
    expect(status).toBe(400)
    expect(json.message.length).toBeLessThan(10_000)
    expect(json.message).toMatch(/; and \d+ more/)
  })
})
