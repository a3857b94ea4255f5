// Contexts: where, with whom and under which activities it happened.

import { activity } from './activity.ts'
import { agent, agentOrGroup, group } from './agent.ts'
import { extensions } from './extensions.ts'
import { iri } from './iri.ts'
import { isLanguageTag } from './language-map.ts'
import type { Rule } from './rule.ts'
import { format, list, oneOf, record, text } from './rule.ts'
import { statementRef } from './statement-ref.ts'
import { uuid } from './uuid.ts'

export const contextActivityKinds = ['parent', 'grouping', 'category', 'other'] as const

const oneActivity = activity('XAPI-00094')
const activities = list('Activities', 'XAPI-00094', oneActivity)

/** An array; a single Activity is taken too, for the sake of clients from before 1.0. */
const activityOrList: Rule = (value, check) => (Array.isArray(value) ? activities : oneActivity)(value, check)

const contextActivities = record({
  what: 'contextActivities',
  rule: 'XAPI-00086',
  others: 'XAPI-00093',
  members: { parent: activityOrList, grouping: activityOrList, category: activityOrList, other: activityOrList },
})

// IEEE 9274.1.1, contextAgents and contextGroups: no requirement ids exist, hence our own names.
const types = list('IRIs of Activity types', 'claviger/relevant-types', iri('claviger/relevant-types'))
const relevantTypes: Rule = (value, check) => {
  types(value, check)
  if (Array.isArray(value) && value.length === 0) {
    check.refuse('claviger/relevant-types', 'Leave "relevantTypes" out rather than empty.')
  }
}

const contextAgents = list(
  'contextAgent objects',
  'claviger/context-agents',
  record({
    what: 'a contextAgent',
    rule: 'claviger/context-agents',
    members: {
      objectType: oneOf(['contextAgent'], 'claviger/context-agents'),
      agent: agent('claviger/context-agents'),
      relevantTypes,
    },
    required: { objectType: 'claviger/context-agents', agent: 'claviger/context-agents' },
  }),
)

const contextGroups = list(
  'contextGroup objects',
  'claviger/context-groups',
  record({
    what: 'a contextGroup',
    rule: 'claviger/context-groups',
    members: {
      objectType: oneOf(['contextGroup'], 'claviger/context-groups'),
      group: group('claviger/context-groups'),
      relevantTypes,
    },
    required: { objectType: 'claviger/context-groups', group: 'claviger/context-groups' },
  }),
)

function since2(rule: Rule): Rule {
  return (value, check) => {
    if (check.version === '2.0') rule(value, check)
    else check.refuse('XAPI-00010', 'Not a member of a Context in xAPI 1.0.x; send the request with version 2.0.0.')
  }
}

export const context = record({
  what: 'a Context',
  rule: 'XAPI-00006',
  members: {
    registration: uuid('XAPI-00087'),
    instructor: agentOrGroup('XAPI-00087'),
    team: group('XAPI-00088'),
    contextActivities,
    contextAgents: since2(contextAgents),
    contextGroups: since2(contextGroups),
    revision: text('XAPI-00089'),
    platform: text('XAPI-00090'),
    language: format('a language tag (RFC 5646) such as en-US', 'XAPI-00091', isLanguageTag),
    statement: statementRef,
    extensions: extensions('XAPI-00120'),
  },
})
