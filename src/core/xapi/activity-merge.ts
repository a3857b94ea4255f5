// One Activity Definition out of everything that is said of an Activity. What stands first in the list decides, member by
// member; what stands later adds what is missing. Pure: the same list gives the same text.

import type { KnownDescription } from '../storage.ts'
import { componentLists } from './activity.ts'
import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'

/** Belong together: a pattern means nothing without the choices it was written for. */
const interaction = ['interactionType', 'correctResponsesPattern', ...componentLists] as const

/**
 * In the order of `StatementStore.listDescriptions`: shared ones first, the latest first. Of a name or description the first
 * per language, of type and moreInfo the first, of extensions the first per key, of an interaction all of the first that is
 * one. Undefined when nothing is said.
 */
export function mergeDefinitions(known: readonly KnownDescription[]): JsonObject | undefined {
  const definitions = known.map(({ text }) => JSON.parse(text) as unknown).filter(isObject)
  const firstInteraction = definitions.find(({ interactionType }) => interactionType !== undefined)
  const merged: readonly (readonly [string, unknown])[] = [
    ['name', mergeMaps(definitions, 'name')],
    ['description', mergeMaps(definitions, 'description')],
    ['type', first(definitions, 'type')],
    ['moreInfo', first(definitions, 'moreInfo')],
    ...interaction.map((name) => [name, firstInteraction?.[name]] as const),
    ['extensions', mergeMaps(definitions, 'extensions')],
  ]
  const members = merged.filter(([, value]) => value !== undefined)
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

function first(definitions: readonly JsonObject[], name: string): unknown {
  return definitions.find((definition) => definition[name] !== undefined)?.[name]
}

function mergeMaps(definitions: readonly JsonObject[], name: string): JsonObject | undefined {
  const members = new Map<string, unknown>()
  let isGiven = false
  for (const { [name]: map } of definitions) {
    if (!isObject(map)) continue
    isGiven = true
    for (const [key, value] of Object.entries(map)) if (!members.has(key)) members.set(key, value)
  }
  return isGiven ? Object.fromEntries(members) : undefined
}
