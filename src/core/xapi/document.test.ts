// Merging by text, entity tags and preconditions, as values.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atOnce, inSlices } from '../slices.ts'
import { entityTag, failedPrecondition, findJsonFailure, isJsonType, membersOf, merge } from './document.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

function merged(stored: string, sent: string): string {
  const [one, two] = [atOnce(membersOf(bytes(stored))), atOnce(membersOf(bytes(sent)))]
  if (!one || !two) throw new Error('not an object')
  return Buffer.from(atOnce(merge(one, two))).toString()
}

function byName(members: readonly [string, unknown][]): readonly [string, unknown][] {
  return members.toSorted(([one], [other]) => (one < other ? -1 : 1))
}

describe('a merge (Communication 2.2, XAPI-00183, XAPI-00184)', () => {
  it.each([
    ['{"x":"foo","y":"bar"}', '{"x":"bash","z":"faz"}', '{"x":"bash","y":"bar","z":"faz"}'],
    ['{"car":{"make":"Ford","model":"Escape"}}', '{"car":{"make":"Dodge"}}', '{"car":{"make":"Dodge"}}'],
    ['{}', '{}', '{}'],
    [' { } ', '{"a" : [1, {"b":2}, "}"] }', '{"a":[1, {"b":2}, "}"]}'],
    ['{"a":1}', '{"a":null}', '{"a":null}'],
    ['{"__proto__":{"a":1}}', '{"__proto__":{"b":2},"constructor":3}', '{"__proto__":{"b":2},"constructor":3}'],
    ['{"n":12345678901234567890}', '{"m":1e400}', '{"n":12345678901234567890,"m":1e400}'],
    ['{"a\\"b":1}', '{"a\\u0022b":2}', '{"a\\"b":2}'],
    ['{"a":"x:y,{\\\\"}', '{"b":"\\"}"}', '{"a":"x:y,{\\\\","b":"\\"}"}'],
    ['\ufeff{"a":1}', '{"b":2}', '{"a":1,"b":2}'],
    ['{"a":1,"a":2}', '{"b":3}', '{"a":2,"b":3}'],
  ])('of %s with %s is %s', (stored, sent, result) => {
    expect(merged(stored, sent)).toBe(result)
  })

  it('says what merging the values would, whatever they are and however they are written', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(
      fc.property(object, object, fc.constantFrom(0, 1, 4), (stored, sent, space) => {
        const text = merged(JSON.stringify(stored, null, space), JSON.stringify(sent, null, space))
        const values = [...new Map([...Object.entries(stored), ...Object.entries(sent)])]
        const expected = JSON.parse(JSON.stringify(values)) as [string, unknown][]
        expect(byName(Object.entries(JSON.parse(text) as object))).toEqual(byName(expected))
      }),
    )
  })

  it.each([
    '[1]',
    '"a"',
    '1',
    'null',
    'true',
    '{',
    '',
    '{"a":1}{',
    'abc',
    "{'a':1}",
    '\u00a0{"a":1}',
    '{"a":1}\ufeff',
    '{"a":1\u00a0}',
    '{\u00a0}',
  ])('is not for %s', (text) => {
    expect(atOnce(membersOf(bytes(text)))).toBeUndefined()
  })

  it('is not for what is not UTF-8', () => {
    expect(atOnce(membersOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)))).toBeUndefined()
  })
})

describe('an object of many members, which is read in runs', () => {
  const entries = Array.from({ length: 20_000 }, (_, index) => [`k"${index}`, { a: [index, '},{'] }] as const)
  const text = JSON.stringify(Object.fromEntries(entries))
  const members = (it: string) => atOnce(membersOf(bytes(it)))
  const middle = text.indexOf(',"k', text.length / 2)
  const cut = (replacement: string) => text.slice(0, middle) + replacement + text.slice(middle + 1)

  it('has them all, each as it is written', () => {
    expect([...(members(` ${text}\n`) ?? [])]).toEqual(entries.map(([name, value]) => [name, JSON.stringify(value)]))
    expect(merged(text, text)).toBe(text)
  })

  it.each([
    [',,'],
    [`,${' '.repeat(40_000)},`],
    ['},{'],
    [','.repeat(3)],
    [',1,'],
    [',"a",'],
    [',"a":1:2,'],
    [',"a":[},'],
    [',"a":"\n",'],
    [',"a'],
    [' '],
  ])('is none with %j in its middle', (replacement) => {
    expect(() => JSON.parse(cut(replacement)) as unknown).toThrow()
    expect(members(cut(replacement))).toBeUndefined()
    expect(atOnce(findJsonFailure(bytes(cut(replacement)), 'x'))?.rule).toBe('x')
  })

  it.each([`{${' '.repeat(40_000)},"a":1}`, `{"a":1,${' '.repeat(40_000)}}`, `${text.slice(0, -1)},}`, `${text}}`])(
    'is none with a comma or brace too many',
    (broken) => expect(members(broken)).toBeUndefined(),
  )

  it('lets others go first while it is read, and while it is merged', async () => {
    let turns = 0
    const count = (): void => void (counting = setImmediate(() => (turns++, count())))
    let counting: NodeJS.Immediate
    count()
    const [one, two] = [await inSlices(membersOf(bytes(text))), await inSlices(membersOf(bytes('{"k":1}')))]
    const before = turns
    expect(before).toBeGreaterThan(2)
    await inSlices(merge(one!, two!))
    expect(turns).toBeGreaterThan(before)
    clearImmediate(counting!)
  })
})

describe('content that is sent to be merged', () => {
  const valid = fc.jsonValue().map((value) => JSON.stringify(value))
  const broken = fc
    .tuple(valid, fc.nat(), fc.constantFrom('', ',', '{', '}', '"', ':', 'x'))
    .map(([text, at, mark]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + mark + text.slice(place + 1)
    })
  it('is JSON exactly where JSON.parse says so', () => {
    fc.assert(
      fc.property(fc.oneof(valid, broken, fc.string()), (text) => {
        const isJson = (): boolean => {
          try {
            return (JSON.parse(text.replace(/^\ufeff/, '')), true)
          } catch {
            return false
          }
        }
        expect(atOnce(findJsonFailure(bytes(text), 'x')) === undefined).toBe(isJson())
      }),
    )
  })
})

describe('application/json', () => {
  it.each([
    ['application/json', true],
    ['Application/JSON; charset=utf-8', true],
    ['application/json ;x', true],
    ['application/jsonp', false],
    ['application/ld+json', false],
    ['text/plain', false],
    ['', false],
  ])('%s: %s', (type, isJson) => expect(isJsonType(type)).toBe(isJson))
})

it('an entity tag is the SHA-1 in lower-case hex (Communication 3.1)', () => {
  expect(entityTag(bytes('abc'))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
})

describe('preconditions (RFC 9110 section 13.2.2)', () => {
  it.each([
    [{}, 'a', undefined],
    [{}, undefined, undefined],
    [{ ifMatch: ['a', 'b'] }, 'a', undefined],
    [{ ifMatch: ['b'] }, 'a', 'precondition_failed'],
    [{ ifMatch: ['a'] }, undefined, 'precondition_failed'],
    [{ ifMatch: 'any' }, 'a', undefined],
    [{ ifMatch: 'any' }, undefined, 'precondition_failed'],
    [{ ifNoneMatch: 'any' }, 'a', 'precondition_failed'],
    [{ ifNoneMatch: 'any' }, undefined, undefined],
    [{ ifNoneMatch: ['a'] }, 'a', 'precondition_failed'],
    [{ ifNoneMatch: ['b'] }, 'a', undefined],
    [{ ifNoneMatch: ['b'] }, undefined, undefined],
    [{ ifMatch: ['a'], ifNoneMatch: ['a'] }, 'a', 'precondition_failed'],
    [{ mustBeConditional: true }, 'a', 'exists'],
    [{ mustBeConditional: true }, undefined, undefined],
    [{ mustBeConditional: true, ifMatch: ['a'] }, 'a', undefined],
    [{ mustBeConditional: true, ifNoneMatch: ['b'] }, 'a', undefined],
  ] as const)('%j against %s: %s', (preconditions, etag, failure) => {
    expect(failedPrecondition(preconditions, etag)).toBe(failure)
  })
})
