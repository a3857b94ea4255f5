import { describe, expect, it } from 'vitest'
import { aStatement } from '../../test/support/statement.ts'
import { compareLists, compareStatement } from './statements.ts'

const id = '0e1c3f6a-3a4d-4c55-9d5b-6f0a3a1d2c4b'
const authority = { account: { homePage: 'https://a.example', name: 'a' } }
const stored = '2026-01-02T03:04:05.123Z'
const one = aStatement({ id, stored, timestamp: stored, version: '1.0.0', authority })
const object = { objectType: 'Activity', id: 'urn:a', definition: { name: { en: 'A' } } }

const table: readonly (readonly [string, object, boolean, string])[] = [
  [
    'stored with six digits',
    { stored: '2026-01-02T03:04:05.123456Z' },
    false,
    'stored: right has 6 digits of a second, left 3',
  ],
  [
    'stored in another zone',
    { stored: '2026-01-02T04:04:05.123+01:00' },
    false,
    'stored is the same time, written differently',
  ],
  ['stored later', { stored: '2026-01-02T03:04:06.123Z' }, true, 'stored is another time'],
  ['a stored time cut wrongly', { stored: '2026-01-02T03:04:05.124456Z' }, true, 'stored is another time'],
  ['no stored time', { stored: undefined }, true, 'only one of them has stored'],
  ['another timestamp', { timestamp: '2026-01-02T03:04:05.999Z' }, true, 'timestamp is another time'],
  ['version 1.0.3', { version: '1.0.3' }, false, 'version: left "1.0.0", right "1.0.3"'],
  ['version 2.0.0', { version: '2.0.0' }, true, 'version: left "1.0.0", right "2.0.0"'],
  [
    'an authority with a name',
    { authority: { ...authority, name: 'A', objectType: 'Agent' } },
    false,
    'the authority has another name, and is the same',
  ],
  ['another authority', { authority: { mbox: 'mailto:a@example.org' } }, true, 'the authority is another'],
  [
    'an actor’s type',
    { actor: { ...(one.actor as object), objectType: 'Agent' } },
    false,
    'one of them writes out what the other implies (objectType, lists of one activity)',
  ],
  ['one more member', { result: { success: true } }, true, 'only right has /result'],
  ['another verb', { verb: { id: 'urn:other' } }, true, '/verb/id differs'],
]

describe('one statement', () => {
  it.each(table)('%s', (_, change, matters, what) => {
    const [found, ...others] = compareStatement(one, { ...one, ...change })
    expect(found).toMatchObject({ what, matters })
    expect(others).toEqual([])
  })

  it('is equal whatever the order of members', () => {
    expect(compareStatement(one, Object.fromEntries(Object.entries(one).reverse()))).toEqual([])
  })

  it('takes one context activity for a list of it, but not in extensions', () => {
    const context = (parent: unknown) => ({
      ...one,
      context: { contextActivities: { parent }, extensions: { 'urn:x': 1 } },
    })
    const [found] = compareStatement(context({ id: 'urn:p' }), context([{ id: 'urn:p', objectType: 'Activity' }]))
    expect(found).toMatchObject({ matters: false })
    const extended = (value: unknown) => ({ ...one, context: { extensions: { 'urn:x': value } } })
    const [other] = compareStatement(extended({ objectType: 'Agent' }), extended({}))
    expect(other).toMatchObject({ matters: true })
  })

  it('explains definitions by what was asked for', () => {
    const [left, right] = [
      { ...one, object },
      { ...one, object: { ...object, definition: { name: { en: 'A', de: 'A' } } } },
    ]
    expect(compareStatement(left, right)).toMatchObject([
      { matters: true, what: expect.stringContaining('definitions') },
    ])
    expect(compareStatement(left, right, true)).toMatchObject([
      { matters: false, what: expect.stringContaining('merged differently') },
    ])
  })

  it('survives what is nested deeply', () => {
    let deep: unknown = 1
    for (let depth = 0; depth < 150; depth++) deep = { a: deep }
    expect(compareStatement({ ...one, result: deep }, { ...one, result: deep })).toEqual([])
  })
})

describe('lists', () => {
  const at = (number: number, time = stored) => {
    return { ...one, id: `0e1c3f6a-3a4d-4c55-9d5b-${String(number).padStart(12, '0')}`, stored: time }
  }
  const list = (statements: readonly Record<string, unknown>[], isCut = false) => ({ statements, isCut })
  const [a, b, c, d] = [at(1), at(2), at(3), at(4, '2026-01-02T03:04:06.000Z')] as const

  it('names what is missing, and on which side', () => {
    expect(compareLists(list([a, b, c, d]), list([a]))).toEqual([
      {
        what: 'statements are missing on the right',
        matters: true,
        detail: `3 statements, the first ${b.id}, ${c.id}, ${d.id}`,
      },
    ])
    expect(compareLists(list([a]), list([a, b]))).toMatchObject([{ what: 'statements are missing on the left' }])
  })

  it('takes nothing for missing that was not read', () => {
    expect(compareLists(list([a, b, c, d]), list([a, b], true))).toEqual([])
    expect(compareLists(list([a, b], true), list([a, b, c, d]))).toEqual([])
    expect(compareLists(list([a, b], true), list([a, c, d]))).toMatchObject([
      { what: 'statements are missing on the right', detail: expect.stringContaining(b.id) },
    ])
    // A window that moved: what is new at its end was behind the end of the other.
    expect(compareLists(list([a, b, c], true), list([b, c, d], true))).toMatchObject([
      { what: 'statements are missing on the right', detail: `1 statement, the first ${a.id}` },
    ])
    expect(compareLists(list([a], true), list([d], true))).toHaveLength(2)
  })

  it('tells an order that is open from one that is wrong', () => {
    const open = { what: 'the order differs among equal stored times', matters: false }
    expect(compareLists(list([a, b, c, d]), list([b, a, c, d]))).toMatchObject([open])
    const micros = { ...b, stored: '2026-01-02T03:04:05.123456Z' }
    expect(compareLists(list([a, b]), list([micros, a]))[0]).toMatchObject(open)
    expect(compareLists(list([a, d]), list([d, a]))).toMatchObject([
      { what: 'the order of statements differs', matters: true },
    ])
  })

  it('says of each statement what differs', () => {
    const [found] = compareLists(list([a]), list([{ ...a, verb: { id: 'urn:other' } }]))
    expect(found).toMatchObject({
      what: '/verb/id differs',
      detail: expect.stringContaining(`statement ${a.id}: /verb/id: left`),
    })
  })
})
