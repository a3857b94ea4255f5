import { describe, expect, it } from 'vitest'
import { brokenRules, inBoth, something } from '../../../test/support/statement.ts'

const places: [name: string, pointer: string, wrap: (extensions: unknown) => Record<string, unknown>][] = [
  ['a result', '/result/extensions', (extensions) => ({ result: { extensions } })],
  ['a context', '/context/extensions', (extensions) => ({ context: { extensions } })],
  [
    'a definition',
    '/object/definition/extensions',
    (extensions) => ({ object: { ...something, definition: { extensions } } }),
  ],
]

describe.each(places)('extensions of %s', (_place, pointer, wrap) => {
  it.each([
    {},
    { 'https://example.com/x': null },
    { 'https://example.com/x': '' },
    { 'https://example.com/x': {} },
    { 'https://example.com/x': [null, [null]] },
    { 'https://example.com/x': { null: null, '': 0, __proto__: null } },
    { 'https://example.com/x': '\0\ud800' },
    { 'urn:x:y': 5, 'https://example.com/ü': true },
  ])('XAPI-00119 XAPI-00120 %j are accepted', (extensions) => {
    for (const [, , statement] of inBoth(wrap(extensions))) expect(brokenRules(statement)).toEqual([])
  })

  it.each(['should fail', '', 'example.com/x', '__proto__'])('XAPI-00118 %j is no name', (name) => {
    const extensions = JSON.parse(`{${JSON.stringify(name)}:true}`) as unknown
    for (const [, prefix, statement] of inBoth(wrap(extensions))) {
      expect(brokenRules(statement)).toEqual([`${prefix}${pointer}/${name.replaceAll('/', '~1')} XAPI-00118`])
    }
  })

  it('XAPI-00001 extensions themselves are not null', () => {
    for (const [, prefix, statement] of inBoth(wrap(null))) {
      expect(brokenRules(statement)).toEqual([`${prefix}${pointer} XAPI-00001`])
    }
  })
})
