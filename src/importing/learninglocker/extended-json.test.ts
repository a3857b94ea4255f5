import { Binary, Decimal128, Double, Int32, Long, MinKey, ObjectId, Timestamp } from 'bson'
import { describe, expect, it } from 'vitest'
import { findRounded, oidOf, plain, timeOf } from './extended-json.ts'

const oid = '59c2371616bc715f83c34506'
const at = Date.UTC(2017, 8, 20, 9, 40, 44, 962)

describe('an id', () => {
  it.each([
    [{ $oid: oid }, oid],
    [{ $oid: oid.toUpperCase() }, oid],
    [oid, oid],
    [new ObjectId(oid), oid],
    [{ $oid: '12' }, undefined],
    [{ _bsontype: 'ObjectId' }, undefined],
    [17, undefined],
    [null, undefined],
    [[oid], undefined],
  ])('%j', (value, expected) => {
    expect(oidOf(value)).toBe(expected)
  })
})

describe('a time', () => {
  it.each([
    [{ $date: '2017-09-20T09:40:44.962Z' }, at],
    [{ $date: '2017-09-20T09:40:44.962+0000' }, at],
    [{ $date: '2017-09-20T11:40:44.962+0200' }, at],
    [{ $date: at }, at],
    [{ $date: { $numberLong: String(at) } }, at],
    [new Date(at), at],
    ['2017-09-20T09:40:44.962Z', at],
    [{ $date: 'soon' }, undefined],
    [{ $date: {} }, undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('%j', (value, expected) => {
    expect(timeOf(value)).toBe(expected)
  })
})

describe('plain JSON', () => {
  const decode = (value: unknown) => {
    const rounded: string[] = []
    return { value: plain(value, (text) => rounded.push(text)), rounded }
  }

  it.each([
    [{ $numberInt: '5' }, 5],
    [{ $numberLong: '-5' }, -5],
    [{ $numberDouble: '5.25' }, 5.25],
    [{ $numberDouble: '1.0' }, 1],
    [{ $numberDecimal: '0.1' }, 0.1],
    [{ $date: { $numberLong: String(at) } }, '2017-09-20T09:40:44.962Z'],
    [{ $oid: oid }, oid],
    [{ $symbol: 'a' }, 'a'],
    [
      { a: [{ b: { $numberInt: '5' } }], c: 'd' },
      { a: [{ b: 5 }], c: 'd' },
    ],
    [{ a: { $undefined: true }, b: 1 }, { b: 1 }],
    // What only looks like one.
    [
      { $numberInt: '5', other: 1 },
      { $numberInt: '5', other: 1 },
    ],
    [{ $where: '5' }, { $where: '5' }],
    [Long.fromNumber(7), 7],
    [new Int32(7), 7],
    [new Double(7.5), 7.5],
    [Decimal128.fromString('7.5'), 7.5],
    [
      { a: new Date(at), b: new ObjectId(oid) },
      { a: '2017-09-20T09:40:44.962Z', b: oid },
    ],
  ])('%j', (value, expected) => {
    expect(decode(value)).toEqual({ value: expected, rounded: [] })
  })

  it('is the same object where there is nothing to change', () => {
    const value = { a: [1, 'b', { c: null }], d: { e: true } }
    expect(decode(value).value).toBe(value)
  })

  it('takes no name for anything else', () => {
    const value = JSON.parse(
      '{"__proto__":{"a":1},"constructor":{"$numberInt":"5"},"hasOwnProperty":{"$oid":"x"}}',
    ) as object
    expect(JSON.stringify(decode(value).value)).toBe('{"__proto__":{"a":1},"constructor":5,"hasOwnProperty":"x"}')
  })

  it.each([['$oid'], ['$symbol'], ['$uuid'], ['$numberLong'], ['$numberDouble'], ['$undefined']])(
    'takes an object in %s for an object, whatever its toString is',
    (name) => {
      const value = { [name]: { toString: 1, valueOf: 1 } }
      expect(decode(value).value).toBe(value)
    },
  )

  it('takes an object for no time, whatever its toString is', () => {
    expect(() => decode({ $date: { $numberLong: { toString: 1, valueOf: 1 } } })).toThrow('no time')
    expect(() => decode({ $date: { toString: 1 } })).toThrow('no time')
  })

  it('tells which integers cannot be held', () => {
    expect(decode([{ $numberLong: '9007199254740993' }, Long.fromString('9007199254740993')]).rounded).toHaveLength(2)
    expect(decode([{ $numberLong: '9007199254740992' }, { $numberLong: '18014398509481984' }]).rounded).toEqual([])
  })

  it.each([
    [{ $numberDouble: 'Infinity' }],
    [{ $numberDouble: 'NaN' }],
    [{ $numberInt: 'five' }],
    [{ $date: 'soon' }],
    [{ a: Number.POSITIVE_INFINITY }],
    [new Binary(Buffer.from('a'))],
    [new MinKey()],
    [new Timestamp(1n)],
  ])('has no words for %j', (value) => {
    expect(() => decode(value)).toThrow(/no words|no number|no time|JSON has no/)
  })

  it('goes only so deep', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`) as object
    expect(() => decode(deep)).toThrow('nested deeper')
  })
})

describe('rounded numbers in a text', () => {
  it.each([
    ['{"a":9007199254740993}', ['9007199254740993']],
    ['{"a": [1, -9007199254740993 ]}', ['-9007199254740993']],
    ['{"a":9007199254740992}', []],
    ['{"a":"b:9007199254740993,"}', []],
    ['{"a":"\\":9007199254740993,","c":9007199254740995}', ['9007199254740995']],
    ['{"a":0.1234567890123456789}', []],
    ['{"a":1e400}', []],
  ])('%s', (text, expected) => {
    const found: string[] = []
    findRounded(text, (one) => found.push(one))
    expect(found).toEqual(expected)
  })

  it('are looked for in time that grows with the text alone', () => {
    const begun = performance.now()
    findRounded(`{"a":1234567890123456,${' '.repeat(1_000_000)}"b":1}`, () => {})
    expect(performance.now() - begun).toBeLessThan(1_000)
  })
})
