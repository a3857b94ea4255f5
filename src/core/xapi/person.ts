// The Person that stands for an Agent: every name known of it, and its identifiers, each in an array (1.0.3 Communication 2.4).

import type { KnownDescription } from '../storage.ts'
import { identifierNames } from './agent.ts'
import type { JsonObject } from './rule.ts'

/**
 * `known` in the order of `StatementStore.listDescriptions`. An Agent has one identifier and nothing links it to another,
 * so the Person has that one. The name it was asked by comes last, unless it is known: of an Agent that nobody named it is
 * all there is to tell (XAPI-00247).
 */
export function toPerson(agent: JsonObject, known: readonly KnownDescription[]): JsonObject {
  const names = new Set(known.map(({ text }) => JSON.parse(text) as unknown))
  if (typeof agent['name'] === 'string') names.add(agent['name'])
  const identifiers = identifierNames.filter((name) => agent[name] !== undefined)
  return {
    objectType: 'Person',
    ...(names.size > 0 && { name: [...names] }),
    ...Object.fromEntries(identifiers.map((name) => [name, [agent[name]]])),
  }
}
