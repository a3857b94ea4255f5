// Which documents valid parameters name. What is refused, by method and version, is in faces/xapi/documents.test.ts.

import { describe, expect, it } from 'vitest'
import { isDomainError } from '../errors.ts'
import { parseDocumentQuery } from './document-query.ts'
import type { DocumentKind, DocumentMethod } from './document-query.ts'

const activityId = 'https://example.org/course'
const agent = '{"objectType":"Agent","name":"Ann","mbox":"mailto:Ann@EXAMPLE.org"}'
const registration = 'C0FFEE00-0000-4000-8000-000000000001'

type Query = Readonly<Record<string, string>>
function parse(kind: DocumentKind, method: DocumentMethod, query: Query) {
  return parseDocumentQuery(kind, method, new Map(Object.entries(query).map(([name, text]) => [name, [text]])), '2.0')
}

function failuresOf(kind: DocumentKind, method: DocumentMethod, query: Query): readonly string[] {
  try {
    parse(kind, method, query)
    return []
  } catch (error) {
    if (!isDomainError(error)) throw error
    return (error.detail.failures ?? []).map(({ pointer, rule }) => `${pointer} ${rule}`)
  }
}

describe('the target', () => {
  const about = { agent: JSON.parse(agent) as unknown }

  it('of a state is its activity, agent and registration in canonical text', () => {
    expect(parse('state', 'PUT', { activityId, agent, registration, stateId: ' a ' })).toEqual({
      scope: {
        kind: 'state',
        activityId,
        agent: 'mbox mailto:Ann@example.org',
        registration: registration.toLowerCase(),
      },
      id: ' a ',
      since: undefined,
      about: { activityId, registration: registration.toLowerCase(), ...about },
    })
  })

  it('of all states without a registration is those of any, to a pin on one', () => {
    const target = parse('state', 'GET', { activityId, agent, since: '2020-01-01T00:00:00.000001Z' })
    expect(target).toMatchObject({ id: undefined, since: 1_577_836_800_000_001, about: { registration: null } })
    expect(target.scope).not.toHaveProperty('registration')
    expect(parse('state', 'GET', { activityId, agent, stateId: 'a' }).about).toHaveProperty('registration', undefined)
  })

  it('of a profile is its agent or its activity', () => {
    expect(parse('agent-profile', 'DELETE', { agent, profileId: 'p' })).toEqual({
      scope: { kind: 'agent-profile', agent: 'mbox mailto:Ann@example.org' },
      id: 'p',
      since: undefined,
      about,
    })
    expect(parse('activity-profile', 'GET', { activityId })).toEqual({
      scope: { kind: 'activity-profile', activityId },
      id: undefined,
      since: undefined,
      about: { activityId },
    })
  })

  it('may be an identified Group’s', () => {
    const group = '{"objectType":"Group","account":{"homePage":"https://example.org","name":"a b"}}'
    expect(parse('agent-profile', 'GET', { agent: group }).scope).toMatchObject({
      agent: 'account https://example.org a b',
    })
  })
})

describe('what is refused', () => {
  it('is told all at once', () => {
    expect(failuresOf('state', 'POST', { activityId: 'x', registration: 'y', stateID: 'z' })).toEqual([
      '?activityId XAPI-00012',
      '?registration XAPI-00202',
      '?stateID XAPI-00325',
      '?agent XAPI-00214',
      '?stateId XAPI-00211',
    ])
  })

  it.each(['\0', 'a\ud800', '', 'x'.repeat(8193)])('is an id that cannot be kept: %j', (profileId) => {
    expect(failuresOf('activity-profile', 'GET', { activityId, profileId })).toEqual(['?profileId XAPI-00012'])
  })

  it('is a time beside an id, and anywhere but in a list', () => {
    const since = '2020-01-01T00:00:00Z'
    expect(failuresOf('state', 'GET', { activityId, agent, stateId: 'a', since })).toEqual([
      '?since claviger/since-with-id',
    ])
    expect(failuresOf('state', 'DELETE', { activityId, agent, since })).toEqual(['?since XAPI-00324'])
    expect(failuresOf('activity-profile', 'GET', { activityId, since: '2020' })).toEqual(['?since XAPI-00295'])
  })
})
