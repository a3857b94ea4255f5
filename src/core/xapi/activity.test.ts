import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules, inBoth, something } from '../../../test/support/statement.ts'
import { componentLists, interactionTypes } from './activity.ts'

function definitionRules(definition: unknown): string[] {
  return brokenRules(aStatement({ object: { ...something, definition } }))
}

describe('Activities', () => {
  it('a definition may be empty', () => {
    expect(definitionRules({})).toEqual([])
  })

  it.each(inBoth({ object: { objectType: 'Activity' } }))('XAPI-00047 need an id in %s', (_, prefix, statement) => {
    expect(brokenRules(statement)).toEqual([`${prefix}/object XAPI-00047`])
  })

  it.each(['ab=c://should.fail.com', 'activity', 5])('XAPI-00047 id is an IRI, not %j', (id) => {
    expect(brokenRules(aStatement({ object: { id } }))).toEqual(['/object/id XAPI-00047'])
  })

  it.each(['text', 5, []])('XAPI-00048 definition is an object, not %j', (definition) => {
    expect(definitionRules(definition)).toEqual(['/object/definition XAPI-00048'])
  })

  it.each([
    ['name', 12345, 'XAPI-00056'],
    ['description', 'text', 'XAPI-00059'],
    ['type', 'ab=c://should.fail.com', 'XAPI-00060'],
    ['moreInfo', 'ab=c://should.fail.com', 'XAPI-00061'],
    ['extensions', 'text', 'XAPI-00057'],
  ])('%s must not be %j: %s', (name, value, rule) => {
    expect(definitionRules({ [name]: value })).toEqual([`/object/definition/${name} ${rule}`])
    expect(definitionRules({ [name]: null })).toEqual([`/object/definition/${name} XAPI-00001`])
  })

  it('XAPI-00010 unknown members of a definition are refused', () => {
    expect(definitionRules({ title: 'x' })).toEqual(['/object/definition/title XAPI-00010'])
    expect(definitionRules({ moreinfo: 'https://a.example' })).toEqual(['/object/definition/moreinfo XAPI-00008'])
  })
})

describe('interactions', () => {
  it.each(interactionTypes)('XAPI-00049 interactionType %s is accepted', (interactionType) => {
    expect(definitionRules({ interactionType })).toEqual([])
  })

  it.each(['http://example.com/choice', 12345, {}, 'multiple-choice'])(
    'XAPI-00049 interactionType must not be %j',
    (interactionType) => {
      expect(definitionRules({ interactionType })).toEqual(['/object/definition/interactionType XAPI-00049'])
    },
  )

  it.each(interactionTypes)('XAPI-00009 interactionType %s is spelled exactly', (name) => {
    const interactionType = name.replace(/[a-z]$/, (letter) => letter.toUpperCase())
    expect(definitionRules({ interactionType })).toEqual(['/object/definition/interactionType XAPI-00009'])
  })

  it.each(['true', [5], [null], {}])('XAPI-00050 correctResponsesPattern is an array of strings, not %j', (pattern) => {
    const [broken] = definitionRules({ interactionType: 'other', correctResponsesPattern: pattern })
    expect(broken).toMatch(/^\/object\/definition\/correctResponsesPattern(\/0)? XAPI-000(50|01)$/)
  })

  it.each([
    ['steps', 'XAPI-00051'],
    ['target', 'XAPI-00052'],
    ['source', 'XAPI-00053'],
    ['scale', 'XAPI-00054'],
    ['choices', 'XAPI-00055'],
  ])('%s is an array of components: %s', (name, rule) => {
    const pointer = `/object/definition/${name}`
    expect(definitionRules({ interactionType: 'choice', [name]: [{ id: 'a', description: { en: 'A' } }] })).toEqual([])
    expect(definitionRules({ interactionType: 'choice', [name]: {} })).toEqual([`${pointer} ${rule}`])
    expect(definitionRules({ interactionType: 'choice', [name]: ['a'] })).toEqual([`${pointer}/0 XAPI-00063`])
    expect(definitionRules({ interactionType: 'choice', [name]: [{}] })).toEqual([`${pointer}/0 XAPI-00058`])
    expect(definitionRules({ interactionType: 'choice', [name]: [{ id: 5 }] })).toEqual([`${pointer}/0/id XAPI-00058`])
    expect(definitionRules({ interactionType: 'choice', [name]: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] })).toEqual([
      `${pointer}/2 XAPI-00058`,
    ])
    expect(definitionRules({ interactionType: 'choice', [name]: [{ id: 'a', description: 'A' }] })).toEqual([
      `${pointer}/0/description XAPI-00062`,
    ])
    expect(
      definitionRules({ interactionType: 'choice', [name]: [{ id: 'a', description: { something: 'A' } }] }),
    ).toEqual([`${pointer}/0/description/something XAPI-00121`])
  })

  it.each(['correctResponsesPattern', ...componentLists])('XAPI-00064 %s needs an interactionType', (name) => {
    for (const [, prefix, statement] of inBoth({ object: { ...something, definition: { [name]: [] } } })) {
      expect(brokenRules(statement)).toEqual([`${prefix}/object/definition XAPI-00064`])
    }
  })
})
