import { describe, expect, it, vi } from 'vitest'
import { isLanguageTag, oneLanguage } from './language-map.ts'

describe('language tags', () => {
  it.each([
    'en',
    'EN-us',
    'cmn',
    'ase',
    'zh-Hans-CN',
    'sr-Latn-RS',
    'sr-Cyrl',
    'zh-Hant',
    'es-MX',
    'es-419',
    'fr-CA',
    'zh-cmn-Hans-CN',
    'sl-rozaj-biske',
    'de-CH-1901',
    'de-CH-x-phonebk',
    'en-a-bbb-x-a-ccc',
    'en-u-ca-gregory-t-de',
    'x-whatever',
    'i-klingon',
    'sgn-BE-FR',
    'art-lojban',
    'abcdefgh',
    // Equal subtags inside an extension or after x are no repetition.
    'en-a-bbbbb-bbbbb-x-1-1',
  ])('XAPI-00121 %s is accepted', (tag) => {
    expect(isLanguageTag(tag)).toBe(true)
  })

  it.each([
    '',
    'e',
    'something',
    'a12345',
    'a12345678',
    'zh-something-ccc',
    'zh-z-aaa-z-bbb-c-ccc',
    'de-1901-1901',
    'en-',
    'en--US',
    '-en',
    'en_US',
    'en-a',
    'x',
    'en-x',
    'en us',
    'é',
    'en\n',
    `en-${'x-'.repeat(200)}x`,
  ])('XAPI-00013 XAPI-00121 %j is refused', (tag) => {
    expect(isLanguageTag(tag)).toBe(false)
  })
})

describe('choosing one language', () => {
  const map = { 'en-US': 'color', 'en-GB': 'colour', fr: 'couleur', 'zh-Hant-TW': '顏色' }

  it.each([
    [['en-GB'], 'en-GB'],
    [['EN-gb'], 'en-GB'],
    [['en'], 'en-US'],
    [['zh'], 'zh-Hant-TW'],
    [['fr-CA', 'en-GB'], 'fr'],
    [['de', 'fr'], 'fr'],
    [['de'], 'en-US'],
    [['e'], 'en-US'],
    [['*'], 'en-US'],
    [['-', '', 'fr'], 'fr'],
    [[], 'en-US'],
  ])('XAPI-00172 wanting %j picks %s', (languages, tag) => {
    expect(Object.keys(oneLanguage(map, { wanted: languages }))).toEqual([tag])
  })

  it.each([
    [{ wanted: ['en'], refused: ['en-US'] }, 'en-GB'],
    [{ wanted: ['en'], refused: ['EN'] }, 'fr'],
    [{ wanted: [], refused: ['en'] }, 'fr'],
    [{ wanted: ['de'], refused: ['en', 'fr'] }, 'zh-Hant-TW'],
    [{ wanted: ['zh-Hant'], refused: ['zh-Hant-TW'] }, 'en-US'],
    [{ wanted: [], refused: ['en', 'fr', 'zh'] }, 'en-US'],
    // An asterisk is what no other range matches.
    [{ wanted: ['*', 'en'] }, 'fr'],
    [{ wanted: ['*', 'en', 'fr', 'zh'] }, 'en-US'],
    [{ wanted: ['*'], refused: ['en'] }, 'fr'],
    [{ wanted: ['de', '*', 'en-US'], refused: ['fr'] }, 'en-GB'],
  ])('XAPI-00172 %j picks %s', (languages, tag) => {
    expect(Object.keys(oneLanguage(map, languages))).toEqual([tag])
  })

  it('XAPI-00172 an undetermined language is one like others', () => {
    const undetermined = { de: 'Farbe', und: '#f00' }
    expect(Object.keys(oneLanguage(undetermined, { wanted: ['und', 'de'] }))).toEqual(['und'])
    expect(Object.keys(oneLanguage(undetermined, { wanted: ['fr'] }))).toEqual(['de'])
    expect(Object.keys(oneLanguage(undetermined, { wanted: ['fr', '*'], refused: ['de'] }))).toEqual(['und'])
  })

  it('looks at each tag and each range once, however many there are', () => {
    const tags = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`en-x-${index}`, 'x']))
    const ranges = Array.from({ length: 300 }, (_, index) => `de-x-${index}`)
    const lowerCase = vi.spyOn(String.prototype, 'toLowerCase')
    const found = oneLanguage(tags, { wanted: ranges })
    const calls = lowerCase.mock.calls.length
    lowerCase.mockRestore()
    expect(Object.keys(found)).toEqual(['en-x-0'])
    expect(calls).toBeLessThanOrEqual(1300)
  })

  it('an empty map stays empty, a single entry stays', () => {
    expect(oneLanguage({}, { wanted: ['en'] })).toEqual({})
    expect(oneLanguage({ de: 'Farbe' }, { wanted: ['en'], refused: ['de'] })).toEqual({ de: 'Farbe' })
  })
})
