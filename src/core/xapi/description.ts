// What a statement says of the Activities and Agents in it: definitions and names, each where an identifier tells of whom.

import type { AgentIdentity } from '../authority.ts'
import type { Pins } from '../pins.ts'
import type { Description } from '../storage.ts'
import { agentTerm } from './agent.ts'
import { contextActivityKinds } from './context.ts'
import { isActivityInside, isAgentInside } from './pin.ts'
import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'

/** Code units of a definition or a name. A longer one is stored with its statement and describes nothing. */
export const maxDescriptionLength = 16 * 1024

/** Whoever may define: nothing outside its pins, and the authority that is stamped on all it stores says nothing. */
export interface Author {
  readonly authority: AgentIdentity
  readonly pins: Pins
}

/** Each (kind, value, text) once. */
export function listDescriptions(statement: Statement, author: Author): Description[] {
  const found = new Descriptions(author.pins)
  addEvent(found, statement)
  if (statement['authority'] !== author.authority) found.addAgent(statement['authority'])
  return found.list()
}

class Descriptions {
  private readonly found: Description[] = []
  private readonly pins: Pins

  constructor(pins: Pins) {
    this.pins = pins
  }

  addActivity(value: unknown): void {
    if (!isObject(value) || typeof value['id'] !== 'string' || !isObject(value['definition'])) return
    if (!isActivityInside(value['id'], this.pins)) return
    const text = JSON.stringify(value['definition'])
    if (text !== '{}') this.add({ kind: 'activity', value: value['id'], text })
  }

  /** An Agent, or a Group and its members. */
  addAgent(value: unknown): void {
    if (!isObject(value)) return
    const { name, member } = value
    const identifier = typeof name === 'string' && name !== '' ? agentTerm(value) : undefined
    if (identifier !== undefined && isAgentInside(value, this.pins))
      this.add({ kind: 'agent', value: identifier, text: JSON.stringify(name) })
    if (Array.isArray(member)) for (const one of member) this.addAgent(one)
  }

  private add(description: Description): void {
    const { kind, value, text } = description
    if (text.length > maxDescriptionLength) return
    // Mostly there are one or two, and never more than a statement may mention: comparing is cheaper than hashing long texts.
    const isSame = (other: Description) => other.value === value && other.kind === kind && other.text === text
    if (!this.found.some(isSame)) this.found.push(description)
  }

  list(): Description[] {
    return this.found
  }
}

/** A statement or a SubStatement. */
function addEvent(found: Descriptions, { actor, object, context }: JsonObject): void {
  found.addAgent(actor)
  addObject(found, object)
  if (isObject(context)) addContext(found, context)
}

function addObject(found: Descriptions, object: unknown): void {
  if (!isObject(object)) return
  const kind = object['objectType'] ?? 'Activity'
  if (kind === 'Activity') found.addActivity(object)
  else if (kind === 'Agent' || kind === 'Group') found.addAgent(object)
  else if (kind === 'SubStatement') addEvent(found, object)
}

function addContext(found: Descriptions, context: JsonObject): void {
  found.addAgent(context['instructor'])
  found.addAgent(context['team'])
  for (const one of listOf(context['contextAgents'])) if (isObject(one)) found.addAgent(one['agent'])
  for (const one of listOf(context['contextGroups'])) if (isObject(one)) found.addAgent(one['group'])
  const activities = context['contextActivities']
  if (!isObject(activities)) return
  for (const kind of contextActivityKinds) for (const one of listOf(activities[kind])) found.addActivity(one)
}

/** Of one or of many. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
