import { describe, expect, it } from 'vitest'
import { aStatement, brokenRules, inBoth, someone, something } from '../../../test/support/statement.ts'

const group = { objectType: 'Group', member: [someone] }
const ref = { objectType: 'StatementRef', id: '8f87ccde-bb56-4c2e-ab83-44982ef22df0' }

describe('Contexts', () => {
  it('may be empty', () => {
    expect(brokenRules(aStatement({ context: {} }))).toEqual([])
  })

  it.each([
    ['registration', 'AA97B177-9383-4934-8543-0F91A7A028368', 'XAPI-00087'],
    ['registration', 12345, 'XAPI-00087'],
    ['instructor', 'me', 'XAPI-00087'],
    ['team', 'us', 'XAPI-00088'],
    ['contextActivities', [], 'XAPI-00086'],
    ['revision', 1, 'XAPI-00089'],
    ['platform', {}, 'XAPI-00090'],
    ['language', 'something', 'XAPI-00091'],
    ['language', 5, 'XAPI-00091'],
    ['statement', ref.id, 'XAPI-00092'],
    ['extensions', 'text', 'XAPI-00120'],
  ])('%s must not be %j: %s', (name, value, rule) => {
    for (const [, prefix, statement] of inBoth({ context: { [name]: value } })) {
      expect(brokenRules(statement)).toEqual([`${prefix}/context/${name} ${rule}`])
    }
  })

  it('XAPI-00087 the instructor may be a Group', () => {
    expect(brokenRules(aStatement({ context: { instructor: group } }))).toEqual([])
  })

  it('XAPI-00088 the team must be a Group', () => {
    expect(brokenRules(aStatement({ context: { team: group } }))).toEqual([])
    expect(brokenRules(aStatement({ context: { team: someone } }))).toEqual(['/context/team XAPI-00088'])
    expect(brokenRules(aStatement({ context: { team: { ...someone, objectType: 'Agent' } } }))).toEqual([
      '/context/team/objectType XAPI-00088',
    ])
  })

  it.each(['cmn', 'fr-CA', 'zh-Hans-CN'])('XAPI-00091 language %s is accepted', (language) => {
    expect(brokenRules(aStatement({ context: { language } }))).toEqual([])
  })

  it.each([
    ['revision', 'XAPI-00084'],
    ['platform', 'XAPI-00085'],
  ])('%s goes with an Activity only: %s', (name, rule) => {
    const context = { [name]: 'x' }
    expect(brokenRules(aStatement({ context }))).toEqual([])
    expect(brokenRules(aStatement({ context, object: { ...something, objectType: 'Activity' } }))).toEqual([])
    for (const object of [{ ...someone, objectType: 'Agent' }, group, ref]) {
      for (const [, prefix, statement] of inBoth({ context, object })) {
        expect(brokenRules(statement)).toEqual([`${prefix}/context/${name} ${rule}`])
      }
    }
    const object = { objectType: 'SubStatement', ...aStatement() }
    expect(brokenRules(aStatement({ context, object }))).toEqual([`/context/${name} ${rule}`])
  })
})

describe('contextActivities', () => {
  it.each(['parent', 'grouping', 'category', 'other'])('XAPI-00093 XAPI-00094 %s takes one or many', (kind) => {
    for (const value of [something, [something], [], [something, { id: 'urn:x:y' }]]) {
      expect(brokenRules(aStatement({ context: { contextActivities: { [kind]: value } } }))).toEqual([])
    }
  })

  it('XAPI-00093 no other kind', () => {
    expect(brokenRules(aStatement({ context: { contextActivities: { sibling: something } } }))).toEqual([
      '/context/contextActivities/sibling XAPI-00093',
    ])
    expect(brokenRules(aStatement({ context: { contextActivities: { Parent: something } } }))).toEqual([
      '/context/contextActivities/Parent XAPI-00008',
    ])
  })

  it('XAPI-00094 Activities only', () => {
    const contextActivities = { parent: 'x', grouping: [{ ...someone, objectType: 'Agent' }], other: [[something]] }
    expect(brokenRules(aStatement({ context: { contextActivities } }))).toEqual([
      '/context/contextActivities/parent XAPI-00094',
      '/context/contextActivities/grouping/0/mbox XAPI-00010',
      '/context/contextActivities/grouping/0/objectType XAPI-00094',
      '/context/contextActivities/grouping/0 XAPI-00047',
      '/context/contextActivities/other/0 XAPI-00094',
    ])
  })
})

describe('StatementRefs in a context', () => {
  it.each([
    [{ id: ref.id }, ['/context/statement XAPI-00073']],
    [{ ...ref, objectType: 'statementref' }, ['/context/statement/objectType XAPI-00009']],
    [{ ...ref, objectType: 'Statement' }, ['/context/statement/objectType XAPI-00073']],
    [{ objectType: 'StatementRef' }, ['/context/statement XAPI-00072']],
    [{ ...ref, id: 'x' }, ['/context/statement/id XAPI-00072']],
    [ref, []],
  ])('%j', (statement, rules) => {
    expect(brokenRules(aStatement({ context: { statement } }))).toEqual(rules)
  })
})

describe('contextAgents and contextGroups of 2.0', () => {
  const contextAgent = { objectType: 'contextAgent', agent: someone, relevantTypes: ['https://example.com/coach'] }
  const contextGroup = { objectType: 'contextGroup', group }

  it.each(inBoth({ context: { contextAgents: [contextAgent], contextGroups: [contextGroup] } }))(
    'are accepted under 2.0 and refused under 1.0.x in %s',
    (_, prefix, statement) => {
      expect(brokenRules(statement, '2.0')).toEqual([])
      expect(brokenRules(statement, '1.0')).toEqual([
        `${prefix}/context/contextAgents XAPI-00010`,
        `${prefix}/context/contextGroups XAPI-00010`,
      ])
    },
  )

  it.each([
    [contextAgent, ' claviger/context-agents'],
    [[{ ...contextAgent, objectType: 'Should fail' }], '/0/objectType claviger/context-agents'],
    [[{ agent: someone }], '/0 claviger/context-agents'],
    [[{ objectType: 'contextAgent' }], '/0 claviger/context-agents'],
    [[{ ...contextAgent, agent: { ...group } }], '/0/agent/objectType claviger/context-agents'],
    [[{ ...contextAgent, relevantTypes: [] }], '/0/relevantTypes claviger/relevant-types'],
    [[{ ...contextAgent, relevantTypes: ['abc'] }], '/0/relevantTypes/0 claviger/relevant-types'],
    [[{ ...contextAgent, relevantTypes: 'https://example.com' }], '/0/relevantTypes claviger/relevant-types'],
    [[{ ...contextAgent, member: [] }], '/0/member XAPI-00010'],
  ])('contextAgents %j are refused', (contextAgents, rule) => {
    expect(brokenRules(aStatement({ context: { contextAgents } }), '2.0')).toContain(`/context/contextAgents${rule}`)
  })

  it.each([
    ['x', ' claviger/context-groups'],
    [[{ ...contextGroup, objectType: 'contextAgent' }], '/0/objectType claviger/context-groups'],
    [[{ objectType: 'contextGroup' }], '/0 claviger/context-groups'],
    [[{ ...contextGroup, group: someone }], '/0/group claviger/context-groups'],
    [[{ ...contextGroup, relevantTypes: [] }], '/0/relevantTypes claviger/relevant-types'],
  ])('contextGroups %j are refused', (contextGroups, rule) => {
    expect(brokenRules(aStatement({ context: { contextGroups } }), '2.0')).toContain(`/context/contextGroups${rule}`)
  })
})
