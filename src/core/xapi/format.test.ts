import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { statementArbitrary } from '../../../test/support/statement-arbitrary.ts'
import { aStatement, someone, someVerb, something } from '../../../test/support/statement.ts'
import { toCanonical, toIds } from './format.ts'

const names = { 'en-GB': 'colour', 'en-US': 'color', de: 'Farbe' }
const account = { homePage: 'https://example.com', name: 'x' }
const group = { objectType: 'Group', name: 'Team', account, member: [{ ...someone, name: 'One' }] }
const extensions = { 'urn:x:y': { name: names, definition: { name: names }, id: 1 } }

const activity = {
  objectType: 'Activity',
  id: 'https://example.com/a',
  definition: {
    name: names,
    description: names,
    moreInfo: 'https://example.com/more',
    interactionType: 'choice',
    correctResponsesPattern: ['a'],
    choices: [{ id: 'a', description: names }, { id: 'b' }],
    extensions,
  },
}
const verb = { ...someVerb, display: names }
const context = {
  instructor: { ...someone, objectType: 'Agent', name: 'One' },
  team: { objectType: 'Group', name: 'Team', member: [{ ...someone, name: 'One' }, { account }] },
  contextActivities: { parent: [activity], category: [activity, something] },
  contextAgents: [{ objectType: 'contextAgent', agent: { ...someone, name: 'One' }, relevantTypes: ['urn:x:y'] }],
  contextGroups: [{ objectType: 'contextGroup', group }],
  statement: { objectType: 'StatementRef', id: '8f87ccde-bb56-4c2e-ab83-44982ef22df0' },
  extensions,
}
const attachments = [{ display: names, description: names }]
const inner = { actor: group, verb, object: activity, context, result: { extensions }, attachments }
const statement = {
  ...inner,
  id: 'x',
  actor: { ...someone, name: 'One' },
  authority: { ...someone, objectType: 'Agent', name: 'One' },
  object: { objectType: 'SubStatement', ...inner },
}

const contextIds = {
  ...context,
  instructor: { objectType: 'Agent', ...someone },
  team: { objectType: 'Group', member: [someone, { account }] },
  contextActivities: { parent: [{ id: activity.id }], category: [{ id: activity.id }, something] },
  contextAgents: [{ objectType: 'contextAgent', agent: someone, relevantTypes: ['urn:x:y'] }],
  contextGroups: [{ objectType: 'contextGroup', group: { objectType: 'Group', account } }],
}

describe('ids', () => {
  it('XAPI-00171 keeps what identifies Agents, Activities and Verbs, and all else, in SubStatements too', () => {
    const ids = { verb: { id: someVerb.id }, object: { id: activity.id }, context: contextIds }
    expect(toIds(statement)).toEqual({
      ...statement,
      actor: someone,
      verb: ids.verb,
      context: contextIds,
      authority: { objectType: 'Agent', ...someone },
      object: { objectType: 'SubStatement', ...inner, ...ids, actor: { objectType: 'Group', account } },
    })
  })

  it('XAPI-00171 an Agent as object keeps its objectType, a StatementRef everything', () => {
    const object = { objectType: 'Agent', ...someone, name: 'One' }
    expect(toIds(aStatement({ object }))['object']).toEqual({ objectType: 'Agent', ...someone })
    expect(toIds(aStatement({ object: context.statement }))['object']).toEqual(context.statement)
  })
})

describe('canonical', () => {
  it('XAPI-00169 XAPI-00172 keeps one language of Verbs and Activities, and all else, in SubStatements too', () => {
    const one = { 'en-GB': 'colour' }
    const choices = [{ id: 'a', description: one }, { id: 'b' }]
    const trimmed = { ...activity, definition: { ...activity.definition, name: one, description: one, choices } }
    const changed = {
      verb: { ...someVerb, display: one },
      context: { ...context, contextActivities: { parent: [trimmed], category: [trimmed, something] } },
    }
    expect(toCanonical(statement, { wanted: ['fr', 'en-GB', 'de'] })).toEqual({
      ...statement,
      ...changed,
      object: { objectType: 'SubStatement', ...inner, ...changed, object: trimmed },
    })
  })

  it('XAPI-00172 each map on its own', () => {
    const object = {
      ...something,
      definition: { name: { de: 'Farbe', fr: 'couleur' }, description: { de: 'Eine Farbe' } },
    }
    expect(toCanonical(aStatement({ object }), { wanted: ['fr', 'de'] })['object']).toEqual({
      ...something,
      definition: { name: { fr: 'couleur' }, description: { de: 'Eine Farbe' } },
    })
  })

  it('Agents as objects and StatementRefs stay', () => {
    const object = { objectType: 'Group', name: 'x', member: [someone] }
    expect(toCanonical(aStatement({ object }), { wanted: ['en'] })['object']).toEqual(object)
  })
})

describe('any statement', () => {
  it('is not changed by being shown, and shown twice looks the same', () => {
    fc.assert(
      fc.property(statementArbitrary('2.0'), (any) => {
        const before = structuredClone(any)
        const ids = toIds(any)
        const canonical = toCanonical(any, { wanted: ['en'] })
        expect(toIds(ids)).toEqual(ids)
        expect(toCanonical(canonical, { wanted: ['de'] })).toEqual(canonical)
        expect(any).toEqual(before)
      }),
    )
  })
})
