import { describe, expect, it } from 'vitest'
import { aStatement, someVerb, something } from '../../../test/support/statement.ts'
import { agentTerm } from './agent.ts'
import { findTarget, listTerms } from './term.ts'

const uuid = '8F87CCDE-BB56-4C2E-AB83-44982EF22DF0'

function person(name: string): Record<string, unknown> {
  return { mbox: `mailto:${name}@example.com` }
}

function groupOf(...names: string[]): Record<string, unknown> {
  return { objectType: 'Group', member: names.map(person) }
}

/** `direct` and `related` values of one kind, agents by their local part. */
function terms(statement: Record<string, unknown>, kind: string): { direct: string[]; related: string[] } {
  const found = listTerms(statement).filter((term) => term.kind === kind)
  const values = (isRelated: boolean) =>
    found
      .filter((term) => term.isRelated === isRelated)
      .map(({ value }) => /^mbox mailto:(.*)@example.com$/.exec(value)?.[1] ?? value)
  return { direct: values(false), related: values(true) }
}

describe('the agent filter', () => {
  it('XAPI-00181 matches actor and object', () => {
    const statement = aStatement({ actor: person('a'), object: { ...person('b'), objectType: 'Agent' } })
    expect(terms(statement, 'agent')).toEqual({ direct: ['a', 'b'], related: [] })
  })

  it('XAPI-00181 matches a Group by its identifier and by its members', () => {
    const statement = aStatement({ actor: groupOf('a', 'b'), object: { ...person('team'), ...groupOf('c') } })
    expect(terms(statement, 'agent')).toEqual({ direct: ['a', 'b', 'team', 'c'], related: [] })
  })

  it('XAPI-00176 related: authority, instructor, team, and contextAgents and contextGroups of 2.0', () => {
    const statement = aStatement({
      actor: person('actor'),
      authority: groupOf('client', 'user'),
      context: {
        instructor: { ...person('instructor'), ...groupOf('assistant') },
        team: groupOf('mate'),
        contextAgents: [{ objectType: 'contextAgent', agent: person('agent') }],
        contextGroups: [{ objectType: 'contextGroup', group: { ...person('group'), ...groupOf('member') } }],
      },
    })
    expect(terms(statement, 'agent')).toEqual({
      direct: ['actor'],
      related: ['client', 'user', 'instructor', 'assistant', 'mate', 'agent', 'group', 'member'],
    })
  })

  it('XAPI-00176 related: the same in a SubStatement', () => {
    const object = {
      objectType: 'SubStatement',
      actor: groupOf('inner'),
      verb: someVerb,
      object: { ...person('object'), objectType: 'Agent' },
      context: { instructor: person('instructor'), team: groupOf('mate') },
    }
    expect(terms(aStatement({ actor: person('outer'), object }), 'agent')).toEqual({
      direct: ['outer'],
      related: ['inner', 'object', 'instructor', 'mate'],
    })
  })

  it('who is both is listed once, as not related', () => {
    const authority = person('a')
    const object = { objectType: 'Agent', ...person('b') }
    const context = { instructor: person('b'), team: groupOf('a', 'b') }
    const statement = aStatement({ authority, context, actor: person('a'), object })
    expect(terms(statement, 'agent')).toEqual({ direct: ['a', 'b'], related: [] })
  })

  it('the value is the text of the agent itself', () => {
    const account = { homePage: 'https://example.com', name: 'x' }
    expect(listTerms(aStatement({ actor: { account } }))[0]).toEqual({
      kind: 'agent',
      value: agentTerm({ account }),
      isRelated: false,
    })
  })
})

describe('the verb filter', () => {
  it("XAPI-00180 matches the statement's verb, not that of a SubStatement", () => {
    const object = { objectType: 'SubStatement', ...aStatement({ verb: { id: 'urn:x:inner' } }) }
    expect(terms(aStatement({ object }), 'verb')).toEqual({ direct: [someVerb.id], related: [] })
  })
})

describe('the activity filter', () => {
  it('XAPI-00179 matches the object; XAPI-00177 related: every kind of context Activity', () => {
    const contextActivities = {
      parent: { id: 'urn:x:single' },
      grouping: [{ id: 'urn:x:g1' }, { id: 'urn:x:g2' }],
      category: [{ id: 'urn:x:c' }],
      other: [{ id: 'urn:x:o' }, something],
    }
    expect(terms(aStatement({ context: { contextActivities } }), 'activity')).toEqual({
      direct: [something.id],
      related: ['urn:x:single', 'urn:x:g1', 'urn:x:g2', 'urn:x:c', 'urn:x:o'],
    })
  })

  it('XAPI-00177 related: the same in a SubStatement', () => {
    const context = { contextActivities: { parent: [{ id: 'urn:x:p' }] } }
    const object = { objectType: 'SubStatement', ...aStatement({ context }) }
    expect(terms(aStatement({ object }), 'activity')).toEqual({ direct: [], related: [something.id, 'urn:x:p'] })
  })
})

describe('the registration filter', () => {
  it("XAPI-00178 matches the statement's own registration, in lower case", () => {
    const context = { registration: uuid }
    expect(terms(aStatement({ context }), 'registration')).toEqual({ direct: [uuid.toLowerCase()], related: [] })
    const object = { objectType: 'SubStatement', ...aStatement({ context }) }
    expect(terms(aStatement({ object }), 'registration')).toEqual({ direct: [], related: [] })
  })
})

describe('the target of a statement', () => {
  const ref = { objectType: 'StatementRef', id: uuid }

  it('is what its object refers to', () => {
    expect(findTarget(aStatement({ object: ref }))).toBe(uuid.toLowerCase())
  })

  it('is nothing in its context or in a SubStatement', () => {
    expect(findTarget(aStatement({ context: { statement: ref } }))).toBeUndefined()
    expect(
      findTarget(aStatement({ object: { objectType: 'SubStatement', ...aStatement({ object: ref }) } })),
    ).toBeUndefined()
  })
})
