import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { refusedBy } from '../../../test/support/statement.ts'
import { maxDepth, maxTokens, parseJson } from './json.ts'
import { maxFailures } from './rule.ts'

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

describe('JSON text', () => {
  it('any JSON is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1), (text, indent) => {
        const value: unknown = JSON.parse(text)
        expect(parseJson(JSON.stringify(value, null, indent))).toEqual(value)
      }),
    )
  })

  it.each(['', '{', '{"a":}', '[1,]', '"\\"', '{"a":1}}', 'undefined', "{'a':1}", '"a\n"', '\u{feff}{}', '{"a"'])(
    'XAPI-00014 %j is not JSON',
    (text) => {
      expect(refusedBy(() => parseJson(text))).toEqual([' XAPI-00014'])
    },
  )

  it('a syntax error is not answered with a quotation of the body', () => {
    expect(() => parseJson('{"secret": nope}')).toThrow(/^This is not valid JSON( at position \d+)?\.$/)
  })

  it.each([
    ['', 'This is not valid JSON: it is empty.'],
    ['{"a":', 'This is not valid JSON: it ends too early.'],
    ['["a', 'This is not valid JSON: it ends too early.'],
    ['{"a":1,}', 'This is not valid JSON at position 7.'],
  ])('%j is told where it breaks off', (text, message) => {
    expect(() => parseJson(text)).toThrow(message)
  })

  it.each([
    ['{"a":1,"a":1}', ['/a']],
    ['{"a":{"b":1,"\\u0062":{"c":1,"d":2}}}', ['/a/b']],
    ['[{"a":1},{"x/y~":[],"x/y~":"\\"}{"}]', ['/1/x~1y~0']],
    ['{"__proto__":1,"__proto__":2}', ['/__proto__']],
    ['{ "a" : [1, {"b" : 1 , "b"\n: 2}], "a": 3}', ['/a/1/b', '/a']],
    ['{"":0,"":0}', ['/']],
  ])('XAPI-00021 a name twice in %s', (text, pointers) => {
    expect(refusedBy(() => parseJson(text))).toEqual(pointers.map((pointer) => `${pointer} XAPI-00021`))
  })

  it('the same name in different objects is fine, also where values look like members', () => {
    expect(parseJson('[{"a":{"a":":"}},{"a":"\\\\","b":"a\\":{[,"}]')).toEqual([
      { a: { a: ':' } },
      { a: '\\', b: 'a":{[,' },
    ])
  })

  it('__proto__ stays a member and changes no prototype', () => {
    const value = parseJson('{"__proto__":{"polluted":true}}') as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(value['polluted']).toBeUndefined()
  })

  it('nesting up to the limit is read, one more is refused, however deep it goes on', () => {
    expect(refusedBy(() => parseJson(nested(maxDepth)))).toBeUndefined()
    expect(refusedBy(() => parseJson(nested(maxDepth + 1)))).toEqual([' claviger/depth'])
    expect(refusedBy(() => parseJson(nested(1_000_000)))).toEqual([' claviger/depth'])
    expect(refusedBy(() => parseJson('{"a":'.repeat(1_000_000)))).toEqual([' claviger/depth'])
  })

  it.each([
    ['items', (count: number) => `[${'0,'.repeat(count - 2)}0]`, maxTokens],
    ['members', (count: number) => `{${'"a":0,'.repeat(count)}"b":0}`, maxTokens / 2],
    ['empty arrays', (count: number) => `[${'[],'.repeat(count)}0]`, maxTokens / 2],
  ])('more %s than are worth their parsing are refused before it', (_, make, count) => {
    expect(refusedBy(() => parseJson(make(count - 2))) ?? []).not.toContain(' claviger/too-many-values')
    // Broken at the end: what is refused for its number is never read to there.
    expect(refusedBy(() => parseJson(`${make(count + 2)}]`))).toEqual([' claviger/too-many-values'])
  })

  it('colons, commas and brackets in strings are no values', () => {
    const text = ':,[{'.repeat(maxTokens)
    expect(parseJson(JSON.stringify({ text }))).toEqual({ text })
  })

  it('brackets in strings are not nesting', () => {
    expect(parseJson(JSON.stringify(nested(500)))).toBe(nested(500))
  })

  it('numbers beyond a double are refused where they stand', () => {
    expect(refusedBy(() => parseJson('{"a":[1,1e400,-1e999]}'))).toEqual([
      '/a/1 claviger/number-range',
      '/a/2 claviger/number-range',
    ])
    expect(parseJson('[1.7e308,-0.0,1e21]')).toEqual([1.7e308, -0, 1e21])
  })

  it('the list of failures is bounded, and so is each of them', () => {
    const name = JSON.stringify('n'.repeat(10_000))
    const text = `${`{${name}:`.repeat(100)}[${'{"a":0,"a":0},'.repeat(1000)}1e999]${'}'.repeat(100)}`
    try {
      parseJson(text)
      expect.unreachable()
    } catch (error) {
      const size = JSON.stringify(error).length
      expect(size).toBeLessThan(200_000)
      expect((error as { detail: { failures: unknown[] } }).detail.failures).toHaveLength(maxFailures + 1)
    }
  })
})
