import { describe, expect, it } from 'vitest'
import { refusedBy } from '../../../test/support/statement.ts'
import type { Seq } from '../ids.ts'
import { agentTerm } from './agent.ts'
import type { StatementsRequest } from './query.ts'
import { formatCursor, parseStatementsQuery } from './query.ts'
import { parseTimestamp } from './time.ts'
import type { XapiVersion } from './version.ts'

const limits = { defaultLimit: 100, maxLimit: 500 }
const id = '8F87CCDE-BB56-4C2E-AB83-44982EF22DF0'
const agent = { mbox: 'mailto:a@Example.com' }

function parse(params: Record<string, string | string[]>, version: XapiVersion = '1.0'): StatementsRequest {
  const entries = Object.entries(params).map(([name, value]) => [name, [value].flat()] as const)
  return parseStatementsQuery(new Map(entries), version, limits)
}

function rulesFor(params: Record<string, string | string[]>, version?: XapiVersion): string[] | undefined {
  return refusedBy(() => parse(params, version))
}

describe('a request for many', () => {
  it('without parameters: the newest, as stored', () => {
    expect(parse({})).toEqual({
      query: { filters: [], isAscending: false, limit: 100 },
      format: 'exact',
      attachments: false,
    })
  })

  it('with all of them', () => {
    const since = '2020-01-01T00:00:00.123Z'
    const until = '2020-01-02T00:00:00+01:00'
    const params = {
      agent: JSON.stringify(agent),
      verb: 'urn:x:verb',
      activity: 'https://example.com/ä',
      registration: id,
      related_agents: 'true',
      related_activities: 'true',
      since,
      until,
      limit: '7',
      format: 'ids',
      attachments: 'true',
      ascending: 'true',
      cursor: formatCursor(1_767_312_245_123_456 as Seq),
    }
    expect(parse(params)).toEqual({
      query: {
        filters: [
          { kind: 'agent', value: agentTerm(agent), includeRelated: true },
          { kind: 'verb', value: 'urn:x:verb', includeRelated: false },
          { kind: 'activity', value: 'https://example.com/ä', includeRelated: true },
          { kind: 'registration', value: id.toLowerCase(), includeRelated: false },
        ],
        since: parseTimestamp(since),
        until: parseTimestamp(until),
        isAscending: true,
        limit: 7,
        cursor: 1_767_312_245_123_456,
      },
      format: 'ids',
      attachments: true,
    })
  })

  it.each([
    ['0', 500],
    ['1', 1],
    ['500', 500],
    ['501', 500],
    ['999999999999999', 500],
  ])('XAPI-00173 limit=%s means %i', (limit, meant) => {
    expect(parse({ limit }).query.limit).toBe(meant)
  })

  it('filters match directly unless related ones are asked for', () => {
    const params = { agent: JSON.stringify(agent), activity: 'urn:x:y', related_agents: 'false' }
    expect(parse(params).query.filters.map((filter) => filter.includeRelated)).toEqual([false, false])
  })

  it('an identified Group may be asked for', () => {
    const group = { objectType: 'Group', openid: 'https://example.com/team' }
    expect(parse({ agent: JSON.stringify(group) }).query.filters).toEqual([
      { kind: 'agent', value: agentTerm(group), includeRelated: false },
    ])
  })
})

describe('a request for one', () => {
  it.each(['statementId', 'voidedStatementId'])('%s with format and attachments', (name) => {
    expect(parse({ [name]: id, format: 'canonical', attachments: 'false' })).toMatchObject({
      [name]: id.toLowerCase(),
      format: 'canonical',
      attachments: false,
    })
  })

  const others = {
    agent: JSON.stringify(agent),
    verb: 'urn:x:y',
    activity: 'urn:x:y',
    registration: id,
    related_agents: 'true',
    related_activities: 'true',
    since: '2020-01-01T00:00:00Z',
    until: '2020-01-01T00:00:00Z',
    limit: '1',
    ascending: 'true',
    cursor: '1',
  }

  it.each(Object.entries(others))('XAPI-00150 XAPI-00151 not with %s', (name, value) => {
    expect(rulesFor({ statementId: id, [name]: value })).toEqual(['?statementId XAPI-00151'])
    expect(rulesFor({ voidedStatementId: id, [name]: value })).toEqual(['?voidedStatementId XAPI-00150'])
  })

  it('XAPI-00150 XAPI-00151 not both', () => {
    expect(rulesFor({ statementId: id, voidedStatementId: id })).toEqual([
      '?statementId XAPI-00151',
      '?voidedStatementId XAPI-00150',
    ])
  })
})

describe('parameters that are refused', () => {
  it.each(['foo', '', '__proto__', 'constructor', 'statementid ', 'owner'])('XAPI-00324 unknown: %j', (name) => {
    expect(rulesFor({ [`${name}`]: '1' } as Record<string, string>) ?? rulesForProto(name)).toEqual([
      `?${name} XAPI-00324`,
    ])
  })

  function rulesForProto(name: string): string[] | undefined {
    return refusedBy(() => parseStatementsQuery(new Map([[name, ['1']]]), '1.0', limits))
  }

  it.each([
    'StatementId',
    'VoidedStatementId',
    'Agent',
    'VERB',
    'Activity',
    'Registration',
    'Related_activities',
    'related_Agents',
    'Since',
    'Until',
    'Limit',
    'Format',
    'Attachments',
    'ascendinG',
  ])('XAPI-00325 in the wrong case: %s', (name) => {
    expect(rulesFor({ [name]: '1' })).toEqual([`?${name} XAPI-00325`])
  })

  it('repeated', () => {
    expect(rulesFor({ verb: ['urn:x:y', 'urn:x:y'] })).toEqual(['?verb claviger/repeated-parameter'])
  })

  it.each([
    ['statementId', 'wrong'],
    ['voidedStatementId', `${id}0`],
    ['verb', 'not.a.valid.iri.com/verb'],
    ['verb', ''],
    ['activity', 'true'],
    ['registration', 'wrong'],
    ['related_agents', 'TRUE'],
    ['related_activities', '1'],
    ['since', '01/011/2015'],
    ['since', '2008-09-15T15:53:00-00:00'],
    ['until', 'yesterday'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', ''],
    ['limit', '1e3'],
    ['format', 'Exact'],
    ['format', 'full'],
    ['attachments', ''],
    ['ascending', 'yes'],
  ])('XAPI-00012 %s=%s', (name, value) => {
    expect(rulesFor({ [name]: value })).toEqual([expect.stringMatching(`^\\?${name} XAPI-000(12|09)$`)])
  })

  it.each([
    ['wrong', '?agent XAPI-00012'],
    ['{"mbox":"mailto:a@b","mbox":"mailto:c@d"}', '?agent XAPI-00012'],
    ['"text"', '?agent XAPI-00031'],
    ['{}', '?agent XAPI-00034'],
    ['{"mbox":"a@b"}', '?agent/mbox XAPI-00038'],
    ['{"objectType":"Group","member":[{"mbox":"mailto:a@b"}]}', '?agent XAPI-00012'],
    ['{"mbox":"mailto:a@b","extra":1}', '?agent/extra XAPI-00010'],
  ])('XAPI-00012 agent=%s', (value, rule) => {
    expect(rulesFor({ agent: value })).toEqual([rule])
  })

  it.each(['', '0', '-1', 'A', '1.5', 'zzzzzzzzzzzz', '2gosa7pa2gw'])('a cursor we never gave: %j', (cursor) => {
    expect(rulesFor({ cursor })).toEqual(['?cursor claviger/cursor'])
  })

  it('all at once, and no endless list of them', () => {
    expect(rulesFor({ limit: 'x', foo: '1', since: 'y' })).toEqual([
      '?limit XAPI-00012',
      '?foo XAPI-00324',
      '?since XAPI-00012',
    ])
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`p${index}`, 'x']))
    expect(rulesFor(many)?.length).toBeLessThan(110)
  })

  it('2.0 wants RFC 3339 times', () => {
    expect(rulesFor({ since: '2020-01-01T00:00:00' }, '1.0')).toBeUndefined()
    expect(rulesFor({ since: '2020-01-01T00:00:00' }, '2.0')).toEqual(['?since XAPI-00012'])
  })
})
