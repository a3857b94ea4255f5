// Merging by text, entity tags and preconditions, as values.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entityTag, failedPrecondition, isJsonType, membersOf, merge } from './document.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

function merged(stored: string, sent: string): string {
  const [one, two] = [membersOf(bytes(stored)), membersOf(bytes(sent))]
  if (!one || !two) throw new Error('not an object')
  return Buffer.from(merge(one, two)).toString()
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

  it.each(['[1]', '"a"', '1', 'null', 'true', '{', '', '{"a":1}{', 'abc', "{'a':1}"])('is not for %s', (text) => {
    expect(membersOf(bytes(text))).toBeUndefined()
  })

  it('is not for what is not UTF-8', () => {
    expect(membersOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d))).toBeUndefined()
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
