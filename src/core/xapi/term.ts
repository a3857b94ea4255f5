// The values a statement can be found by, in canonical text: what the filters of a query mean, stated once.

import type { Term, TermKind } from '../storage.ts'
import { agentTerm, isGroup } from './agent.ts'
import { contextActivityKinds } from './context.ts'
import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'

/** Each value once, as not related when it is both: what matches directly is added first. */
export function listTerms(statement: Statement): Term[] {
  const terms = new Terms()
  const { actor, verb, object, context, authority } = statement
  terms.addAgents(actor, false)
  terms.add('verb', memberText(verb, 'id'), false)
  addObject(terms, object, false)
  terms.add('registration', memberText(context, 'registration')?.toLowerCase(), false)
  terms.addAgents(authority, true)
  addContext(terms, context)
  if (hasType(object, 'SubStatement')) addSubStatement(terms, object)
  return terms.list()
}

class Terms {
  private readonly found = new Map<string, Term>()

  add(kind: TermKind, value: string | undefined, isRelated: boolean): void {
    const key = `${kind} ${value}`
    if (value !== undefined && !this.found.has(key)) this.found.set(key, { kind, value, isRelated })
  }

  /** An Agent; a Group with its members, which "are considered a match" (1.0.3 Communication 2.1.3, `agent`). */
  addAgents(value: unknown, isRelated: boolean): void {
    this.add('agent', agentTerm(value), isRelated)
    if (isGroup(value)) for (const member of listOf(value['member'])) this.add('agent', agentTerm(member), isRelated)
  }

  addActivity(value: unknown, isRelated: boolean): void {
    this.add('activity', memberText(value, 'id'), isRelated)
  }

  list(): Term[] {
    return [...this.found.values()]
  }
}

/** XAPI-00179, XAPI-00181: the object itself. */
function addObject(terms: Terms, object: unknown, isRelated: boolean): void {
  if (!isObject(object)) return
  const kind = object['objectType'] ?? 'Activity'
  if (kind === 'Activity') terms.addActivity(object, isRelated)
  else if (kind === 'Agent' || kind === 'Group') terms.addAgents(object, isRelated)
}

/** XAPI-00176, XAPI-00177: what only related_agents and related_activities reach. */
function addContext(terms: Terms, context: unknown): void {
  if (!isObject(context)) return
  terms.addAgents(context['instructor'], true)
  terms.addAgents(context['team'], true)
  for (const one of listOf(context['contextAgents'])) if (isObject(one)) terms.addAgents(one['agent'], true)
  for (const one of listOf(context['contextGroups'])) if (isObject(one)) terms.addAgents(one['group'], true)
  const activities = context['contextActivities']
  if (!isObject(activities)) return
  for (const kind of contextActivityKinds) for (const one of oneOrMany(activities[kind])) terms.addActivity(one, true)
}

function addSubStatement(terms: Terms, { actor, object, context }: JsonObject): void {
  terms.addAgents(actor, true)
  addObject(terms, object, true)
  addContext(terms, context)
}

/** The id of the statement that `statement` targets, in lower case. A StatementRef in the context targets nothing. */
export function findTarget(statement: Statement): string | undefined {
  const { object } = statement
  return hasType(object, 'StatementRef') ? memberText(object, 'id')?.toLowerCase() : undefined
}

function hasType(value: unknown, kind: string): value is JsonObject {
  return isObject(value) && value['objectType'] === kind
}

function memberText(value: unknown, name: string): string | undefined {
  const member = isObject(value) ? value[name] : undefined
  return typeof member === 'string' ? member : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function oneOrMany(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}
