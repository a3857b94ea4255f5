import { expect, it } from 'vitest'
import { decodeDots } from './dots.ts'

const encoded = { 'https://ext&46;example/a': { 'b&46;c': 1, list: [{ 'd&46;e': 2 }] } }
// Not through arrays (facts 4).
const decoded = { 'https://ext.example/a': { 'b.c': 1, list: [{ 'd&46;e': 2 }] } }

const with_ = (extensions: object) => ({
  result: { extensions, response: 'a&46;b' },
  context: {
    extensions,
    contextActivities: {
      parent: [{ id: 'urn:a', definition: { extensions } }, { id: 'urn:b' }],
      other: { id: 'urn:c', definition: { extensions } },
    },
  },
})

it('decodes names where extensions are, and nowhere else', () => {
  const statement = (extensions: object) => ({
    id: '1',
    ...with_(extensions),
    actor: { 'name&46;': 'stays' },
    object: { id: 'urn:o', definition: { extensions, name: { 'en&46;': 'stays' } } },
  })
  expect(decodeDots(statement(encoded))).toEqual(statement(decoded))
})

it('decodes the same inside a SubStatement', () => {
  const statement = (extensions: object) => ({
    object: { objectType: 'SubStatement', ...with_(extensions), object: { definition: { extensions } } },
  })
  expect(decodeDots(statement(encoded))).toEqual(statement(decoded))
})

it('gives back the same object where there is nothing to decode', () => {
  const statement = { ...with_(decoded), object: { objectType: 'SubStatement', object: null } }
  expect(decodeDots(statement)).toBe(statement)
})

it('takes no name for anything else', () => {
  const text = '{"result":{"extensions":{"__proto__":{"a&46;b":1},"c&46;d":2}}}'
  const statement = decodeDots(JSON.parse(text) as Record<string, unknown>)
  expect(JSON.stringify(statement)).toBe('{"result":{"extensions":{"__proto__":{"a.b":1},"c.d":2}}}')
})
