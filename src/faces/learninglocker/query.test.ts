// The query language on its own: what each operator and shortcut means of values, arrays, paths and what is missing; what is refused,
// and where; and that a plan for the store leaves nothing out.

import { describe, expect, it } from 'vitest'
import { parseFilter, readParameter } from './query.ts'
import { matches } from './query-match.ts'
import { Work } from './query-value.ts'
import type { Document } from './query-value.ts'
import { parseProjection, project, projecting, readSelect } from './select.ts'
import { compareKeys, keyOf, readSort, sortingAll } from './sort.ts'
import { planOf } from './statement-plan.ts'
import { statementId, statementPlace, storedFrom, storedUpTo } from './statement-id.ts'
import type { LrsId, Oid, Seq } from '../../core/ids.ts'
import { atOnce } from '../../core/slices.ts'

const model = {
  fields: { _id: 'oid', at: 'date', isOn: 'boolean', title: 'string', n: 'number' },
  aliases: { 'statement.at': 'at' },
} as const

const document: Document = {
  _id: '59c2371616bc715f83c34506',
  title: 'Course 7',
  isOn: true,
  n: 5,
  at: new Date('2026-01-02T03:04:05.678Z'),
  tags: ['b', 'a'],
  empty: [],
  nothing: null,
  list: [
    { a: 1, b: 2, c: [{ d: 1 }] },
    { a: 3, b: 4, c: [{ d: 2 }, { d: 3 }] },
  ],
  grid: [[1, 2], [3]],
  deep: { er: { est: 'x' }, dotted: 1 },
}

function meets(query: unknown, hasShortcuts = true): boolean {
  const sent = typeof query === 'string' ? readParameter(query, 'query') : query
  return matches(parseFilter(sent, { model, name: 'query', hasShortcuts }), document, new Work())
}

function refusal(query: unknown): string {
  try {
    parseFilter(query, { model, name: 'query', hasShortcuts: true })
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('a filter', () => {
  it.each<[unknown, boolean]>([
    [{}, true],
    [{ $comment: 'anything' }, true],
    [{ title: 'Course 7' }, true],
    [{ title: 'course 7' }, false],
    [{ title: 7 }, false],
    [{ n: 5 }, true],
    [{ n: '5' }, true],
    [{ n: { $gt: 4, $lt: 6 } }, true],
    [{ n: { $gt: 5 } }, false],
    [{ n: { $gte: 5, $lte: 5 } }, true],
    [{ n: { $ne: 5 } }, false],
    [{ n: { $in: [4, 5] } }, true],
    [{ n: { $nin: [4, 5] } }, false],
    [{ n: { $not: { $gt: 4, $lt: 6 } } }, false],
    [{ n: { $not: { $gt: 5 } } }, true],
    // Only what is of one type is compared by size.
    [{ tags: { $gt: 0 } }, false],
    [{ nothing: { $gte: null } }, true],
    [{ isOn: 'true' }, true],
    [{ isOn: { $ne: true } }, false],
    [{ _id: '59C2371616BC715F83C34506' }, true],
    [{ _id: { $oid: '59c2371616bc715f83c34506' } }, true],
    [{ _id: { $in: [{ $oid: '59c2371616bc715f83c34506' }] } }, true],
    [{ _id: { $lt: { $oid: '59c2371700000000000000' + '00' } } }, true],
    [{ at: { $gte: { $dte: '2026-01-02' }, $lt: '2026-01-03' } }, true],
    [{ 'statement.at': { $gt: { $dte: '2026-01-02T03:04:05.678Z' } } }, false],
    [{ at: { $dte: 1767323045678 } }, true],
    // Arrays: the whole or any of its members; negation means none.
    [{ tags: 'a' }, true],
    [{ tags: { $eq: ['b', 'a'] } }, true],
    [{ tags: { $eq: ['a', 'b'] } }, false],
    [{ tags: { $ne: 'a' } }, false],
    [{ tags: { $ne: 'c' } }, true],
    [{ tags: { $nin: ['c', 'a'] } }, false],
    [{ tags: ['c', 'a'] }, true],
    [{ 'tags.1': 'a' }, true],
    [{ 'tags.0': 'a' }, false],
    [{ empty: { $eq: [] } }, true],
    [{ empty: { $exists: true } }, true],
    [{ 'list.a': 3 }, true],
    [{ 'list.a': 1, 'list.b': 4 }, true],
    [{ list: { $elemMatch: { a: 1, b: 4 } } }, false],
    [{ list: { $elemMatch: { a: 3, b: { $gt: 3 } } } }, true],
    [{ list: { $elemMatch: { $or: [{ a: 9 }, { b: 2 }] } } }, true],
    [{ list: { $elemMatch: { c: { $elemMatch: { d: 3 } } } } }, true],
    [{ 'list.c.d': 3 }, true],
    [{ 'list.1.c.0.d': 2 }, true],
    [{ tags: { $elemMatch: { $gt: 'a', $lt: 'c' } } }, true],
    [{ tags: { $elemMatch: { $in: ['c'] } } }, false],
    [{ title: { $elemMatch: { $exists: true } } }, false],
    [{ grid: { $elemMatch: { $elemMatch: { $gt: 2 } } } }, true],
    [{ 'list.a': { $gt: 2, $lt: 2 } }, true],
    [{ list: { a: 1, b: 2, c: [{ d: 1 }] } }, true],
    [{ list: { b: 2, a: 1, c: [{ d: 1 }] } }, false],
    [{ 'deep.er.est': 'x' }, true],
    [{ deep: { er: { est: 'x' }, dotted: 1 } }, true],
    // What is missing is null, and exists not.
    [{ missing: null }, true],
    [{ missing: { $exists: false } }, true],
    [{ missing: { $exists: 0 } }, true],
    [{ missing: { $ne: 1 } }, true],
    [{ missing: { $nin: [1] } }, true],
    [{ missing: { $in: [null] } }, true],
    [{ missing: { $gt: 1 } }, false],
    [{ nothing: null }, true],
    [{ nothing: { $exists: true } }, true],
    [{ 'title.length': { $exists: true } }, false],
    [{ 'deep.er.missing': null }, true],
    [{ 'empty.a': null }, false],
    [{ 'list.missing': null }, true],
    [{ $and: [{ n: 5 }, { isOn: true }] }, true],
    [{ $or: [{ n: 6 }, { isOn: true }] }, true],
    [{ $nor: [{ n: 6 }, { isOn: false }] }, true],
    [{ $or: [] }, false],
    [{ $and: [], $nor: [] }, true],
    // Patterns.
    [{ title: { $regex: '^Course \\d$' } }, true],
    [{ title: { $regex: '^course', $options: 'i' } }, true],
    [{ title: { $regex: '^course' } }, false],
    [{ title: { $not: { $regex: 'x' } } }, true],
    [{ tags: { $regex: '^[ab]$' } }, true],
    [{ n: { $regex: '5' } }, false],
    // Shortcuts.
    [{ title: '~COURSE' }, true],
    [{ tags: ['~^A$'] }, true],
    [{ tags: { $in: ['c', '~^A$'] } }, true],
    [{ tags: { $nin: ['~^A$'] } }, false],
    [{ title: { $not: '~COURSE' } }, false],
    [{ n: '>4' }, true],
    [{ n: '>=5' }, true],
    [{ n: '<5' }, false],
    [{ n: '<=5' }, true],
    [{ n: '!=5' }, false],
    [{ title: { $eq: '~COURSE' } }, false],
    // Names like any other, which no document has.
    ['{"__proto__":{"$exists":true}}', false],
    ['{"__proto__":null}', true],
    [{ constructor: { $exists: true } }, false],
    [{ 'deep.toString': { $exists: true } }, false],
    ['{"deep":{"__proto__":1}}', false],
  ])('%j: %s', (query, expected) => expect(meets(query)).toBe(expected))

  it('knows no shortcuts on the connection API', () => {
    expect(meets({ title: '~COURSE' }, false)).toBe(false)
    expect(meets({ tags: ['b', 'a'] }, false)).toBe(true)
    expect(meets({ tags: ['a'] }, false)).toBe(false)
  })

  it.each<[unknown, string]>([
    [[], 'query: a filter is an object'],
    [{ $where: '1' }, 'query.$where: $where is not offered; these are: $and'],
    [{ $and: [{ n: 1 }, { $expr: {} }] }, 'query.$and.1.$expr: $expr'],
    [{ tags: { $size: 1 } }, 'query.tags.$size: $size'],
    [{ tags: { $all: [1] } }, 'query.tags.$all: $all'],
    [{ tags: { $gt: 1, x: 1 } }, 'query.tags.x: x is not offered'],
    [{ tags: { $in: 1 } }, 'query.tags.$in: this takes an array'],
    [{ $or: {} }, 'query.$or: this takes an array'],
    [{ $or: [1] }, 'query.$or.0: a filter is an object'],
    [{ n: { $not: 5 } }, 'query.n.$not: $not takes an object of operators'],
    [{ n: { $exists: 'yes' } }, 'query.n.$exists: $exists is true or false'],
    [{ n: 'many' }, 'query.n: this field is a number'],
    [{ isOn: 'on' }, 'query.isOn: this field is true or false'],
    [{ at: 'soon' }, 'query.at: a time is ISO 8601'],
    [{ x: { $dte: 'soon' } }, 'query.x: a time is ISO 8601'],
    [{ x: { $oid: 'x' } }, 'query.x: an id is 24 hexadecimal digits'],
    [{ _id: { $gt: 'x' } }, 'query._id.$gt: an id is'],
    [{ x: { $gt: { $where: 1 } } }, 'query.x.$gt.$where: an operator is not accepted inside a value'],
    [{ x: { $options: 'i' } }, 'query.x.$options: $options is not offered'],
    [{ x: { $regex: 1 } }, 'query.x.$regex: $regex is a text'],
    [{ x: { $regex: '(' } }, 'query.x.$regex: error parsing regexp'],
    [{ x: { $regex: '(?=a)' } }, 'patterns are those of RE2'],
    [{ x: { $regex: 'a', $options: 'x' } }, '$options knows i, m and s, not "x"'],
    [{ x: { $regex: 'a', $options: '__proto__' } }, '$options knows i, m and s, not "_"'],
    [{ x: { $regex: 'a'.repeat(501) } }, 'query.x.$regex: a pattern of more than 500'],
    [
      { $or: Array.from({ length: 9 }, () => ({ x: { $regex: 'a{900}' } })) },
      'the patterns of the query are too large',
    ],
    [{ ['a.'.repeat(20) + 'a']: 1 }, 'a path has at most 20 names'],
    [{ a: { $not: { a: { $gt: 1 } } } }, 'query.a.$not: $not takes an object of operators'],
    [JSON.parse(`{"a":${'{"$not":'.repeat(25)}{"$gt":1}${'}'.repeat(25)}}`), 'nothing is looked at deeper than 20'],
    [JSON.parse(`${'{"$and":['.repeat(25)}{}${']}'.repeat(25)}`), 'nothing is looked at deeper than 20 levels'],
    [{ a: { $eq: JSON.parse('['.repeat(30) + ']'.repeat(30)) } }, 'nothing is looked at deeper'],
    [{ a: { $in: Array.from({ length: 2_001 }, () => 1) } }, 'more than 2000 conditions and values'],
  ])('%j is refused', (query, words) => expect(refusal(query)).toContain(words))

  it('is refused where it is no JSON, or says a thing twice', () => {
    expect(() => readParameter('{', 'query')).toThrow('query must be a valid JSON string')
    expect(() => readParameter('{"a":1,"a":2}', 'query')).toThrow(/query: .*a/)
    expect(() => readParameter(`"${'x'.repeat(70_000)}"`, 'query')).toThrow('more than 65536 characters')
  })

  it('gives up where a single document is too much, rather than to hold up everybody', () => {
    const large = { text: 'ab'.repeat(100_000), list: Array.from({ length: 100_000 }, (_, n) => ({ n })) }
    const tooMuch = (query: unknown): void => {
      const filter = parseFilter(query, { model, name: 'query', hasShortcuts: false })
      expect(() => matches(filter, large, new Work())).toThrow('one document is too large for what is asked')
    }
    tooMuch({ text: { $regex: '(a|b)*a(a|b){400}c' } })
    tooMuch(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`list.${'x'.repeat(n + 1)}`, { $ne: 1 }])))
    // A value costs as much as several steps of a pattern.
    tooMuch({ 'list.n': { $in: [-1, -2] } })
    tooMuch({ 'list.n': { $in: Array.from({ length: 100 }, (_, n) => -n - 1) } })
  })
})

describe('an order', () => {
  const sorted = (text: string, documents: readonly Document[]): readonly unknown[] => {
    const sort = readSort(text, model)
    const work = new Work()
    const compare = (one: Document, two: Document): number =>
      compareKeys(sort, keyOf(sort, one, work), keyOf(sort, two, work), work)
    return documents.toSorted(compare).map(({ id }) => id)
  }
  const mixed: readonly Document[] = [
    { id: 'date', a: new Date(5) },
    { id: 'true', a: true },
    { id: 'list', a: [9, 'x'] },
    { id: 'object', a: { b: 1 } },
    { id: 'text', a: 'b' },
    { id: 'two', a: 2 },
    { id: 'null', a: null },
    { id: 'missing' },
  ]

  it('of mixed values is MongoDB’s', () => {
    expect(sorted('a', mixed)).toEqual(['null', 'missing', 'two', 'list', 'text', 'object', 'true', 'date'])
    expect(sorted('-a', mixed).slice(0, 4)).toEqual(['date', 'true', 'object', 'list'])
  })

  it.each(['a,-b', 'a -b', '{"a":1,"b":-1}', '{"a":"asc","b":"desc"}'])('of several fields: %s', (text) => {
    const documents = [1, 2, 3].map((n) => ({ id: n, a: n === 3 ? 0 : 1, b: n }))
    expect(sorted(text, documents)).toEqual([3, 2, 1])
  })

  it('of many is made in slices, and leaves what is equal as it came', () => {
    const items = Array.from({ length: 1_234 }, (_, at) => ({ at, n: (at * 7919) % 100 }))
    const byN = (one: { n: number }, two: { n: number }): number => one.n - two.n
    const work = sortingAll(items, byN, new Work())
    let turns = 0
    let step = work.next()
    for (; step.done !== true; step = work.next()) turns += 1
    expect([turns > 40, step.value]).toEqual([true, items.toSorted(byN)])
    for (const some of [[], [1], [2, 1]]) {
      expect(atOnce(sortingAll(some, (one, two) => one - two, new Work()))).toEqual(some.toSorted())
    }
  })

  it('is of what an alias means', () =>
    expect(readSort('-statement.at', model)).toEqual([{ path: 'at', isDescending: true }]))
})

describe('a projection', () => {
  const shown = (text: string) => project(document, readSelect(text))

  it.each<[string, object]>([
    ['title', { _id: document['_id'], title: 'Course 7' }],
    ['title,deep.er', { _id: document['_id'], title: 'Course 7', deep: { er: { est: 'x' } } }],
    ['list.a', { _id: document['_id'], list: [{ a: 1 }, { a: 3 }] }],
    ['tags.x', { _id: document['_id'], tags: [] }],
    ['{"title":1}', { _id: document['_id'], title: 'Course 7' }],
    ['["title"]', { _id: document['_id'], title: 'Course 7' }],
    ['missing', { _id: document['_id'] }],
    ['_id', { _id: document['_id'] }],
    ['__proto__,constructor', { _id: document['_id'] }],
  ])('of %s', (text, expected) => expect(shown(text)).toEqual(expected))

  it('leaves out what is named, never the ids but where it may', () => {
    expect(Object.keys(shown('-title,-_id'))).toEqual(Object.keys(document).filter((name) => name !== 'title'))
    expect(shown('-list.a,-list.c')).toMatchObject({ list: [{ b: 2 }, { b: 4 }] })
    expect(project(document, parseProjection({ _id: 0, title: 1 }, 'project'))).toEqual({ title: 'Course 7' })
    expect(shown('')).toBe(document)
  })

  it.each(['title,-n', '{"title":1,"n":0}', '{"title":"x"}', '{"a":{"$slice":1}}', '{"$a":1}', '[1]'])(
    '%s is refused',
    (text) => expect(() => shown(text)).toThrow(/^select/),
  )

  it('of many lets others have their turn after each', () => {
    const work = projecting([document, document], readSelect('n'))
    expect([work.next().done, work.next().done]).toEqual([false, false])
    const shown = { _id: document['_id'], n: 5 }
    expect(work.next()).toEqual({ done: true, value: [shown, shown] })
  })
})

describe('the _id of a statement', () => {
  it.each([
    [1_767_323_045_678_901, 1, '695735a5a5bf500000000001'],
    [1_767_323_045_000_000, 2 ** 31 - 1, '695735a5000000007fffffff'],
    [0, 7, '000000000000000000000007'],
  ])('of %i in Lrs %i is %s, and leads back', (seq, lrsId, id) => {
    const place = { seq: seq as Seq, lrsId: lrsId as LrsId }
    expect(statementId(place)).toBe(id)
    expect(statementPlace(id as Oid)).toEqual(place)
    expect([storedFrom(id as Oid), storedUpTo(id as Oid)]).toEqual([seq, seq])
  })

  it('is none where it says more microseconds than a second has, or no Lrs', () => {
    for (const id of ['695735a5f424000000000001', '695735a5000000000000000', 'ffffffffffffffffffffffff']) {
      expect(statementPlace(id.padEnd(24, '0') as Oid)).toBeUndefined()
    }
    const any = '695735a5ffffffffffffffff' as Oid
    expect([storedFrom(any), storedUpTo(any)]).toEqual([1_767_323_046_000_000, 1_767_323_045_999_999])
  })
})

describe('a plan', () => {
  const plan = (query: unknown) => {
    const fields = { _id: 'oid', stored: 'date', timestamp: 'date', lrs_id: 'oid', client: 'oid' } as const
    return planOf(parseFilter(query, { model: { fields }, name: 'query', hasShortcuts: false }))
  }

  it.each<[unknown, object]>([
    [{ verbs: 'v:1' }, { kind: 'verb', value: 'v:1', includeRelated: false }],
    [{ verbs: { $in: ['v:1'] } }, { kind: 'verb', value: 'v:1' }],
    [{ $and: [{ x: 1 }, { $or: [{ 'statement.verb.id': 'v:1' }] }] }, { kind: 'verb', value: 'v:1' }],
    [{ 'statement.object.id': 'a:1' }, { kind: 'activity', value: 'a:1', includeRelated: false }],
    [{ relatedActivities: 'a:1' }, { kind: 'activity', includeRelated: true }],
    [{ registrations: 'AB' }, { kind: 'registration', value: 'ab' }],
    [{ agents: 'mailto:A@B.ORG' }, { kind: 'agent', value: 'mbox mailto:A@b.org' }],
    [{ agents: 'https://a.b|c|d' }, { kind: 'agent', value: 'account https://a.b c|d' }],
    [{ agents: 'https://a.b/' }, { kind: 'agent', value: 'openid https://a.b/' }],
    [
      { relatedAgents: 'A'.repeat(40) },
      { kind: 'agent', value: `mbox_sha1sum ${'a'.repeat(40)}`, includeRelated: true },
    ],
    [{ 'statement.authority.openid': 'o:1' }, { kind: 'agent', value: 'openid o:1', includeRelated: true }],
  ])('of %j asks the store for it', (query, filter) =>
    expect(plan(query).filters).toEqual([expect.objectContaining(filter)]),
  )

  it.each<[unknown]>([
    [{ $or: [{ verbs: 'v:1' }, { verbs: 'v:2' }] }],
    [{ $nor: [{ verbs: 'v:1' }] }],
    [{ verbs: { $ne: 'v:1' } }],
    [{ verbs: { $not: { $eq: 'v:1' } } }],
    [{ verbs: { $in: ['v:1', 'v:2'] } }],
    [{ 'statement.object.id': 'ec531277-b57b-4c15-8d91-d292c5b2b8f7' }],
    [{ 'statement.actor.account.name': 'x' }],
    [{ stored: { $ne: { $dte: '2026-01-01' } } }],
    [{ timestamp: { $lt: { $dte: '2026-01-01' } } }],
  ])('of %j asks for nothing', (query) => {
    expect(plan(query)).toMatchObject({ filters: [], since: 0, until: Number.MAX_SAFE_INTEGER })
  })

  it('has the range that stored times must lie in', () => {
    const ms = Date.UTC(2026, 0, 1)
    const at = { $dte: '2026-01-01' }
    expect(plan({ stored: { $gte: at } }).since).toBe(ms * 1000 - 1)
    expect(plan({ stored: { $lte: at } }).until).toBe(ms * 1000 + 999)
    expect(plan({ stored: at })).toMatchObject({ since: ms * 1000 - 1, until: ms * 1000 + 999 })
    expect(plan({ timestamp: { $gte: at } }).since).toBe((ms - 3_600_000) * 1000 - 1)
    const id = { $oid: statementId({ seq: (ms * 1000) as Seq, lrsId: 3 as LrsId }) }
    expect(plan({ _id: id })).toMatchObject({ since: ms * 1000 - 1, until: ms * 1000, lrsId: 3 })
    expect(plan({ _id: { $gte: id, $lt: id } })).toMatchObject({ since: ms * 1000 - 1, until: ms * 1000 })
  })
})
