// Pages of the connection API, of every model: forwards, backwards, sorted, filtered, projected; and what the product answered
// with 500.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/learninglocker.ts'
import type { Client, World } from '../../../test/support/learninglocker.ts'

interface Page {
  readonly edges: readonly { readonly cursor: string; readonly node: Record<string, unknown> }[]
  readonly pageInfo: Readonly<Record<'hasNextPage' | 'hasPreviousPage', boolean> & Record<string, string>>
}

let world: World
let reader: Client
const verb = { id: 'http://adlnet.gov/expapi/verbs/experienced' }
/** Of statements, in the order they are stored; some say they are older, two say the same. */
const minutes = [5, 4, 8, 8, 1, 9]

beforeAll(async () => {
  world = await openWorld()
  for (let n = 1; n <= 24; n += 1) await world.client(['state'], { name: `T${String(n % 12).padStart(2, '0')}` })
  const writer = await world.client(['statements/write'], { name: 'Writer' })
  reader = await world.client(['statements/read'], { name: 'Reader' })
  for (const [index, minute] of minutes.entries()) {
    const timestamp = new Date(Date.UTC(2026, 0, 2, 3, minute)).toISOString()
    const object = { id: `https://example.org/${index}` }
    await world.store(writer.login, [{ actor: { mbox: 'mailto:a@example.org' }, verb, object, timestamp }])
    world.clock.pass(1_000)
  }
})
afterAll(() => world.close())

type Asked = Readonly<Record<string, unknown>>

/** Texts as they are, anything else as JSON. */
function queryOf(asked: Asked): string {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
  return new URLSearchParams(
    Object.entries(asked).map(([name, value]): [string, string] => [name, text(value)]),
  ).toString()
}

async function page(model: string, asked: Asked = {}, as: Client = world.admin): Promise<Page> {
  const answer = await world.ask('GET', `/api/connection/${model}?${queryOf(asked)}`, { as: as.login })
  expect([answer.status, answer.status === 200 ? '' : answer.text]).toEqual([200, ''])
  return answer.json
}

const titlesIn = ({ edges }: Page) => edges.map(({ node }) => node['title'])
const objectsIn = ({ edges }: Page) =>
  edges.map(({ node }) => {
    const { object } = node['statement'] as { readonly object: { readonly id: string } }
    return Number(object.id.slice('https://example.org/'.length))
  })
const flagsOf = ({ pageInfo }: Page) => [pageInfo['hasNextPage'], pageInfo['hasPreviousPage']]
const decoded = (cursor: string | undefined): unknown => JSON.parse(Buffer.from(cursor ?? '', 'base64').toString())

describe('clients', () => {
  it('come ten at a time by _id, each as the REST API shows it, from cursor to cursor', async () => {
    const everything = (await world.ask('GET', '/api/v2/client')).json as readonly { readonly _id: string }[]
    const found: unknown[] = []
    let after: string | undefined
    const sizes: number[] = []
    do {
      const one: Page = await page('client', after === undefined ? {} : { after })
      expect(flagsOf(one)).toEqual([found.length + one.edges.length < everything.length, after !== undefined])
      expect(one.pageInfo['startCursor']).toBe(one.edges[0]?.cursor)
      expect(one.pageInfo['endCursor']).toBe(one.edges.at(-1)?.cursor)
      for (const { cursor, node } of one.edges) expect(decoded(cursor)).toEqual({ _id: node['_id'] })
      found.push(...one.edges.map(({ node }) => node))
      sizes.push(one.edges.length)
      after = one.pageInfo['hasNextPage'] === true ? one.pageInfo['endCursor'] : undefined
    } while (after !== undefined)
    expect(sizes).toEqual([10, 10, 7])
    expect(found).toEqual(everything.toSorted((one, two) => (one._id < two._id ? -1 : 1)))
  })

  it('before a cursor are those just before it, in the order of the sort', async () => {
    const sort = { title: -1, _id: 1 }
    const whole = await page('client', { sort, first: '30' })
    const at = whole.edges[12]!
    expect(decoded(at.cursor)).toEqual({ title: at.node['title'], _id: at.node['_id'] })
    const before = await page('client', { sort, first: '5', before: at.cursor })
    expect(before.edges).toEqual(whole.edges.slice(7, 12))
    expect(flagsOf(before)).toEqual([true, true])
    const first = await page('client', { sort, first: '7', before: before.edges[0]!.cursor })
    expect(first.edges).toEqual(whole.edges.slice(0, 7))
    expect(flagsOf(first)).toEqual([true, false])
    const after = await page('client', { sort, first: '5', after: at.cursor })
    expect(after.edges).toEqual(whole.edges.slice(13, 18))
    expect(titlesIn(whole)).toEqual(titlesIn(whole).toSorted().toReversed())
  })

  it.each([
    [{ first: '3' }, 3],
    [{ first: '3', last: '2' }, 3],
    [{ first: '0', last: '2' }, 2],
    [{ first: 'x', last: '2' }, 2],
    [{ first: 'x' }, 27],
    [{ last: '2' }, 10],
    [{ first: '1000000' }, 27],
  ])('%j are %i', async (asked, expected) => {
    expect((await page('client', asked)).edges).toHaveLength(expected)
  })

  it('are filtered, sorted by words, too, and projected; a hint decides nothing', async () => {
    const filter = { $or: [{ title: { $in: ['T01', 'T02'] } }, { scopes: 'all' }], $comment: 'here' }
    const asked = { filter, sort: { title: 'desc' }, project: { title: 1 }, hint: { nothing: 1 } }
    const found = await page('client', asked)
    expect(found.edges.map(({ node }) => node)).toEqual(
      ['T02', 'T02', 'T01', 'T01', 'Admin'].map((title) => ({
        ...{ _id: expect.any(String), title },
        ...{ id: expect.any(String) },
      })),
    )
    // No shortcuts here: a text is a text.
    expect((await page('client', { filter: { title: '~T01' } })).edges).toEqual([])
    const without = await page('client', { project: { api: 0, _id: 0 }, first: '1' })
    expect(Object.keys(without.edges[0]!.node)).toEqual(expect.not.arrayContaining(['api', '_id']))
  })

  it('that are none have cursors of nothing', async () => {
    const pageInfo = { hasNextPage: false, hasPreviousPage: false, startCursor: 'e30=', endCursor: 'e30=' }
    expect(await page('client', { filter: { title: 'nobody' } })).toEqual({ edges: [], pageInfo })
  })

  it.each(['/api/connection/client/', '/API/Connection/Client', '/api/connection/client/?first=1'])(
    'are at %s, too',
    async (path) => expect((await world.ask('GET', path)).status).toBe(200),
  )
})

describe('the other models', () => {
  it('are the same as on the REST API', async () => {
    for (const model of ['lrs', 'organisation']) {
      const { json } = await world.ask('GET', `/api/v2/${model}?sort=_id`)
      expect((await page(model)).edges.map(({ node }) => node)).toEqual(json)
    }
  })
})

describe('statements', () => {
  const ask = (asked: Asked) => page('statement', asked, reader)

  it('come by the latest timestamp, as dashboards ask for them, without a unique key', async () => {
    const first = await ask({ sort: { timestamp: -1 }, first: '1' })
    expect(objectsIn(first)).toEqual([5])
    expect(decoded(first.pageInfo['endCursor'])).toEqual({ timestamp: '2026-01-02T03:09:00.000Z' })
    const next = await ask({ sort: { timestamp: -1 }, first: '2', after: first.pageInfo['endCursor'] })
    expect(objectsIn(next).toSorted()).toEqual([2, 3])
  })

  it.each([
    [{ timestamp: -1, _id: 1 }, [5, 2, 3, 0, 1, 4]],
    [{ timestamp: 1, _id: -1 }, [4, 1, 0, 3, 2, 5]],
    [{ _id: 1 }, [0, 1, 2, 3, 4, 5]],
    [{ _id: -1 }, [5, 4, 3, 2, 1, 0]],
    [{ stored: -1, _id: 1 }, [5, 4, 3, 2, 1, 0]],
    [{ 'statement.stored': 1, _id: 1 }, [0, 1, 2, 3, 4, 5]],
    [{ 'statement.object.id': -1, _id: 1 }, [5, 4, 3, 2, 1, 0]],
  ])('by %j go from page to page, there and back', async (sort, expected) => {
    const whole = await ask({ sort })
    expect(objectsIn(whole)).toEqual(expected)
    const cursors = whole.edges.map(({ cursor }) => cursor)
    for (const [index, cursor] of cursors.entries()) {
      const after = await ask({ sort, first: '2', after: cursor })
      expect(objectsIn(after)).toEqual(expected.slice(index + 1, index + 3))
      expect(flagsOf(after)).toEqual([index + 3 < expected.length, true])
      const before = await ask({ sort, first: '2', before: cursor })
      expect(objectsIn(before)).toEqual(expected.slice(Math.max(0, index - 2), index))
      expect(flagsOf(before)).toEqual([true, index > 2])
    }
  })

  it('are found by what dashboards send', async () => {
    const range = { 'statement.timestamp': { $gte: { $dte: '2026-01-02T03:05Z' }, $lt: { $dte: '2026-01-02T03:09Z' } } }
    const filter = { $and: [{ $comment: '{"range":1}', ...range }, { 'statement.verb.id': verb.id }], voided: false }
    expect(objectsIn(await ask({ filter, sort: { 'statement.timestamp': -1, _id: 1 } }))).toEqual([2, 3, 0])
  })
})

describe('who asks', () => {
  it('is answered as on the REST API', async () => {
    const nobody = await world.ask('GET', '/api/connection/client', { as: null })
    expect([nobody.status, nobody.text]).toEqual([401, 'Unauthorized'])
    for (const model of ['client', 'lrs', 'organisation']) {
      const answer = await world.ask('GET', `/api/connection/${model}`, { as: reader.login })
      expect([answer.status, answer.json.message]).toEqual([403, 'Priviliges not sufficient for this operation'])
    }
    const writer = await world.client(['statements/write'])
    expect((await world.ask('GET', '/api/connection/statement', { as: writer.login })).status).toBe(403)
    expect((await world.ask('GET', '/api/connection/dashboard')).status).toBe(404)
  })

  it.each([
    [{ filter: '{' }, 'filter must be a valid JSON string'],
    [{ sort: 'x' }, 'sort must be a valid JSON string'],
    [{ sort: { title: 'up' } }, 'sort.title: a direction is 1 or -1'],
    [{ project: '[' }, 'project must be'],
    [{ project: { title: { $slice: 1 } } }, 'project.title: this is 1 or 0'],
    [{ filter: { $where: '1' } }, 'filter.$where: $where is not offered'],
    [{ after: 'nonsense' }, 'after: this is no cursor'],
    [{ before: 'e30=' }, 'before: this cursor is of another sort: it has no _id'],
    [{ after: btoa('{"_id":"zzz"}') }, 'after: this is no cursor'],
    [{ before: btoa('{"_id":5}') }, 'before: this is no cursor'],
    [{ sort: { lrs_id: 1 }, after: btoa('{"lrs_id":"zzz"}') }, 'after: this is no cursor'],
    [
      { after: btoa(`{"_id":"${'a'.repeat(24)}"}`), before: btoa(`{"_id":"${'a'.repeat(24)}"}`) },
      'before: send either',
    ],
    [{ first: '-1' }, 'first: this is a whole number'],
  ])('with %j is told by 400 what the product answered with 500', async (asked, words) => {
    for (const model of ['client', 'statement']) {
      const answer = await world.ask('GET', `/api/connection/${model}?${queryOf(asked)}`)
      expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining(words)])
      expect(Object.keys(answer.json).toSorted()).toEqual(['errorId', 'message'])
    }
  })

  it('is told of indexes, which decide nothing', async () => {
    const answer = await world.ask('GET', '/api/indexes/client')
    expect([answer.status, answer.json[0]]).toEqual([200, { key: { _id: 1 }, name: '_id_' }])
    expect((await world.ask('GET', '/api/indexes/client', { as: reader.login })).status).toBe(403)
  })
})
