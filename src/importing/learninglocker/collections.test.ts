// What one line of an export is, before anybody knows what it means.

import { BSON } from 'bson'
import { describe, expect, it } from 'vitest'
import { parseDocument, RawPlace } from './collections.ts'
import { plain } from './extended-json.ts'

const parsed = (text: string) => parseDocument({ number: 1, line: 1, text })

describe('a line', () => {
  it('is read as MongoDB would keep it, without a look for names that are there twice', () => {
    expect(parsed('{"a":1,"b":{"c":2,"c":3}}')).toEqual({ a: 1, b: { c: 3 } })
  })

  it.each([
    ['{"cut', 'This is not valid JSON: it ends too early.'],
    ['', 'it is empty'],
    ['{"a":}', 'This is not valid JSON'],
    ['[]', 'no object of JSON'],
    ['7', 'no object of JSON'],
    [`{"a":[${'1,'.repeat(200_000)}1]}`, 'more than 200000 names and values'],
    [`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 'nested deeper'],
    ['['.repeat(150_000), 'nested deeper'],
  ])('%.20s is refused: %s', (text, message) => {
    expect(() => parsed(text)).toThrow(message)
  })

  it('goes no deeper than what it holds may', () => {
    const deep = parsed(`{"a":${'['.repeat(90_000)}${']'.repeat(90_000)},"b":1e400}`)
    expect(() => plain(deep['a'], () => {})).toThrow('nested deeper')
    expect(() => plain(deep['b'], () => {})).toThrow('no Infinity')
  })

  it('may be long', () => {
    const text = 'x'.repeat(300_000)
    expect(parsed(JSON.stringify({ text }))).toEqual({ text })
  })
})

describe('the place of a document', () => {
  it.each([
    ['JSON', { text: '{"a":1}' }, { a: 1 }],
    ['BSON', { text: undefined, bson: Buffer.from(BSON.serialize({ a: 1 })) }, { a: 1 }],
    ['JSON that is broken', { text: '{"a"' }, '{"a"'],
    ['nothing that could be read', { text: undefined, problem: 'It is not UTF-8.' }, null],
  ])('keeps file, line and %s, also by another name', (_, raw, record) => {
    const place = new RawPlace('statements.json', { number: 5, line: 7, ...raw })
    for (const [one, id] of [
      [place, undefined],
      [place.named('x'), 'x'],
    ] as const) {
      const { file, line } = one
      expect({ file, line, id: one.id, record: one.record() }).toEqual({ file: 'statements.json', line: 7, id, record })
    }
  })
})
