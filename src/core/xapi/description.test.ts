import { describe, expect, it } from 'vitest'
import { aStatement, someone } from '../../../test/support/statement.ts'
import type { Pins } from '../pins.ts'
import { listDescriptions, maxDescriptionLength } from './description.ts'
import { normalise } from './normalise.ts'
import { prepare } from './prepare.ts'

const author = { authority: { mbox: 'mailto:stamped@example.com' as const }, pins: {} }
const named = (name: string) => ({ name, mbox: `mailto:${name}@example.com` })
const agent = (name: string) => `agent mbox mailto:${name}@example.com "${name}"`
const defined = (id: string, definition: object = { name: { en: id } }) => ({ id: `urn:${id}`, definition })
const activity = (id: string, definition: object = { name: { en: id } }) =>
  `activity urn:${id} ${JSON.stringify(definition)}`

function said(changes: Record<string, unknown>, pins: Pins = {}): string[] {
  const stamp = { authority: author.authority, mayChooseAuthority: true, version: '2.0', uuid: () => 'x' } as const
  const statement = normalise(aStatement(changes), stamp)
  return listDescriptions(statement, { ...author, pins }).map(({ kind, value, text }) => `${kind} ${value} ${text}`)
}

describe('what a statement describes', () => {
  it('is nothing where it only names ids', () => {
    expect(said({})).toEqual([])
    expect(said({ object: { id: 'urn:a', definition: {} }, actor: { ...someone, name: '' } })).toEqual([])
  })

  const context = {
    instructor: named('teacher'),
    team: { objectType: 'Group', ...named('team'), member: [named('member')] },
    contextAgents: [{ objectType: 'contextAgent', agent: named('witness') }],
    contextGroups: [{ objectType: 'contextGroup', group: { objectType: 'Group', ...named('class') } }],
    contextActivities: {
      parent: defined('parent'),
      grouping: [defined('grouping')],
      category: [defined('category')],
      other: [defined('other'), { id: 'urn:bare' }],
    },
  }
  const inContext = ['teacher', 'team', 'member', 'witness', 'class'].map(agent)
  const activities = ['parent', 'grouping', 'category', 'other'].map((id) => activity(id))

  it('is every definition and every name with an identifier, wherever it stands', () => {
    const event = { actor: named('actor'), object: defined('object'), context }
    const found = [agent('actor'), activity('object'), ...inContext, ...activities]
    expect(said(event).toSorted()).toEqual(found.toSorted())
    const subStatement = { objectType: 'SubStatement', ...aStatement(event) }
    expect(said({ object: subStatement }).toSorted()).toEqual(found.toSorted())
  })

  it('is an Agent or a Group as the object, and each member of an anonymous Group', () => {
    expect(said({ object: { objectType: 'Agent', ...named('object') } })).toEqual([agent('object')])
    expect(said({ actor: { objectType: 'Group', name: 'nobody', member: [named('one'), someone] } })).toEqual([
      agent('one'),
    ])
  })

  it('is each thing once', () => {
    expect(said({ actor: named('one'), authority: named('one'), context: { instructor: named('one') } })).toEqual([
      agent('one'),
    ])
  })

  it('is an authority that the client chose, not the one stamped', () => {
    expect(said({ authority: named('chosen') })).toEqual([agent('chosen')])
    const stamped = { ...author, authority: { ...author.authority, name: 'Stamped' } }
    expect(listDescriptions({ ...aStatement(), authority: stamped.authority }, stamped)).toEqual([])
  })

  it('is nothing that is longer than the bound', () => {
    const at = (length: number) => ({ name: { en: 'x'.repeat(length - '{"name":{"en":""}}'.length) } })
    expect(said({ object: defined('a', at(maxDescriptionLength)) })).toHaveLength(1)
    expect(said({ object: defined('a', at(maxDescriptionLength + 1)) })).toEqual([])
  })

  it('is nothing outside the pins of its author', () => {
    const event = { actor: named('actor'), object: defined('course/1'), context: { ...context, team: undefined } }
    expect(said(event, { activity: 'urn:course' }).filter((one) => one.startsWith('activity'))).toEqual([
      activity('course/1'),
    ])
    expect(said(event, { actor: [{ mbox: named('actor').mbox }] }).filter((one) => one.startsWith('agent'))).toEqual([
      agent('actor'),
    ])
  })

  it('is prepared for an author who may define, for nobody else', () => {
    const statement = aStatement({ id: 'x', object: defined('a') })
    expect(prepare(statement, author).descriptions).toHaveLength(1)
    expect(prepare(statement).descriptions).toEqual([])
  })
})
