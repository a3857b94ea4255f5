// Activities and their definitions. Whether component lists and response patterns fit the interactionType is left
// unjudged, as the specification allows.

import { extensions } from './extensions.ts'
import { iri } from './iri.ts'
import { languageMap } from './language-map.ts'
import type { Check, JsonObject, Rule } from './rule.ts'
import { isObject, list, oneOf, record, text } from './rule.ts'

export const interactionTypes = [
  'true-false',
  'choice',
  'fill-in',
  'long-fill-in',
  'matching',
  'performance',
  'sequencing',
  'likert',
  'numeric',
  'other',
] as const

/** The lists of interaction components. */
export const componentLists = ['choices', 'scale', 'source', 'target', 'steps'] as const

const component = record({
  what: 'an interaction component',
  rule: 'XAPI-00063',
  members: { id: text('XAPI-00058'), description: languageMap('XAPI-00062') },
  required: { id: 'XAPI-00058' },
})

function components(rule: string): Rule {
  const items = list('interaction components', rule, component)
  return (value, check) => {
    items(value, check)
    if (Array.isArray(value)) checkDistinct(value, check)
  }
}

function checkDistinct(items: readonly unknown[], check: Check): void {
  const seen = new Set<unknown>()
  items.forEach((item, index) => {
    if (check.isFull || !isObject(item) || item['id'] === undefined) return
    if (seen.has(item['id'])) check.refuseAt(index, 'XAPI-00058', 'Another component of the list has the same id.')
    seen.add(item['id'])
  })
}

const definition = record({
  what: 'an Activity Definition',
  rule: 'XAPI-00048',
  members: {
    name: languageMap('XAPI-00056'),
    description: languageMap('XAPI-00059'),
    type: iri('XAPI-00060'),
    moreInfo: iri('XAPI-00061'),
    interactionType: oneOf(interactionTypes, 'XAPI-00049'),
    correctResponsesPattern: list('strings', 'XAPI-00050', text('XAPI-00050')),
    choices: components('XAPI-00055'),
    scale: components('XAPI-00054'),
    source: components('XAPI-00053'),
    target: components('XAPI-00052'),
    steps: components('XAPI-00051'),
    extensions: extensions('XAPI-00057'),
  },
  whole: checkInteraction,
})

function checkInteraction(value: JsonObject, check: Check): void {
  if (value['interactionType'] !== undefined) return
  const found = ['correctResponsesPattern', ...componentLists].filter((name) => value[name] !== undefined)
  if (found.length === 0) return
  check.refuse('XAPI-00064', `A definition with ${found.join(', ')} must have an interactionType.`)
}

/** `rule` is broken by a value of another kind. */
export function activity(rule: string): Rule {
  return record({
    what: 'an Activity',
    rule,
    members: { objectType: oneOf(['Activity'], rule), id: iri('XAPI-00047'), definition },
    required: { id: 'XAPI-00047' },
    whole: (_, check) => check.mentions++,
  })
}
