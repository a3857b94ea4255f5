import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KnownDescription } from '../storage.ts'
import { mergeDefinitions } from './activity-merge.ts'

const said = (definition: object): KnownDescription => ({
  text: JSON.stringify(definition),
  isShared: true,
  firstAt: 0,
})
const merged = (...definitions: object[]) => mergeDefinitions(definitions.map(said))

describe('merged definitions', () => {
  it('are none of nothing', () => {
    expect(merged()).toBeUndefined()
  })

  it('are what one statement says, whole', () => {
    const whole = {
      name: { en: 'Name' },
      description: {},
      type: 'urn:type',
      moreInfo: 'urn:info',
      interactionType: 'choice',
      correctResponsesPattern: ['a'],
      choices: [{ id: 'a', description: { en: 'A' } }],
      extensions: { 'urn:x': { deep: [null] } },
    }
    expect(merged(whole)).toEqual(whole)
  })

  it('have the first text of each language and the first value of each extension', () => {
    expect(
      merged(
        { name: { en: 'new' }, extensions: { 'urn:x': { a: 1 } } },
        { name: { en: 'old', de: 'alt' }, description: { fr: 'vieux' }, extensions: { 'urn:x': { b: 2 }, 'urn:y': 3 } },
      ),
    ).toEqual({
      name: { en: 'new', de: 'alt' },
      description: { fr: 'vieux' },
      extensions: { 'urn:x': { a: 1 }, 'urn:y': 3 },
    })
  })

  it('have the first type and the first moreInfo, each for itself', () => {
    expect(merged({ moreInfo: 'urn:1' }, { type: 'urn:2', moreInfo: 'urn:2' })).toEqual({
      type: 'urn:2',
      moreInfo: 'urn:1',
    })
  })

  it('have all of one interaction and nothing of another', () => {
    const first = { interactionType: 'true-false' }
    const second = { interactionType: 'choice', correctResponsesPattern: ['a'], choices: [{ id: 'a' }] }
    expect(merged({ type: 'urn:t' }, first, second)).toEqual({ type: 'urn:t', ...first })
    expect(merged(second, first)).toEqual(second)
  })

  it('take names for names, also those that objects are born with', () => {
    const text = '{"extensions":{"__proto__":1,"constructor":2},"name":{"__proto__":"x"}}'
    expect(JSON.stringify(mergeDefinitions([{ text, isShared: true, firstAt: 0 }]))).toBe(
      '{"name":{"__proto__":"x"},"extensions":{"__proto__":1,"constructor":2}}',
    )
  })

  it('say for each member what the first one says that has it', () => {
    const languages = fc.dictionary(fc.constantFrom('en', 'de', 'fr'), fc.constantFrom('a', 'b'))
    const definition = fc.record(
      { name: languages, description: languages, type: fc.constantFrom('urn:a', 'urn:b'), extensions: languages },
      { requiredKeys: [] },
    )
    const property = fc.property(fc.array(definition, { minLength: 1 }), (definitions) => {
      const whole = merged(...definitions) ?? {}
      expect(whole['type']).toBe(definitions.find(({ type }) => type !== undefined)?.type)
      for (const name of ['name', 'description', 'extensions'] as const) {
        for (const language of ['en', 'de', 'fr']) {
          const first = definitions.find((one) => one[name]?.[language] !== undefined)?.[name]?.[language]
          expect((whole[name] as Record<string, string> | undefined)?.[language]).toBe(first)
        }
      }
      // What is merged says all there is to say: merging it with its parts again adds nothing.
      expect(merged(whole, ...definitions) ?? {}).toEqual(whole)
    })
    fc.assert(property)
  })
})
