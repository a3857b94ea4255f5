// The `ids` and `canonical` forms of a stored statement. `exact` is the stored text itself.

import { componentLists } from './activity.ts'
import { isGroup } from './agent.ts'
import { contextActivityKinds } from './context.ts'
import { oneLanguage } from './language-map.ts'
import type { Languages } from './language-map.ts'
import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { listTerms } from './term.ts'

type Change = (value: JsonObject) => JsonObject

/** A copy with the named members changed, each where it is an object, or in every object of its list. */
function change(value: JsonObject, changes: Readonly<Record<string, Change>>): JsonObject {
  const copy: Record<string, unknown> = { ...value }
  for (const [name, apply] of Object.entries(changes)) {
    const member = value[name]
    if (Array.isArray(member)) copy[name] = member.map((item: unknown) => (isObject(item) ? apply(item) : item))
    else if (isObject(member)) copy[name] = apply(member)
  }
  return copy
}

function pick(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => value[name] !== undefined).map((name) => [name, value[name]]))
}

/** By kind of object; StatementRefs stay as they are. */
function changeObject(of: { agent: Change; activity: Change; subStatement: Change }): Change {
  const kinds = new Map<unknown, Change>([
    [undefined, of.activity],
    ['Activity', of.activity],
    ['Agent', of.agent],
    ['Group', of.agent],
    ['SubStatement', of.subStatement],
  ])
  return (value) => kinds.get(value['objectType'])?.(value) ?? value
}

function eachContextActivity(apply: Change): Change {
  const kinds = Object.fromEntries(contextActivityKinds.map((kind) => [kind, apply]))
  return (activities) => change(activities, kinds)
}

// ---------------------------------------------------------------------------------------------------------------------
// ids: of Agents, Groups, Activities and Verbs only what identifies them

const identifying = ['objectType', 'mbox', 'mbox_sha1sum', 'openid', 'account']

const agentId: Change = (agent) => {
  const found = pick(agent, identifying)
  const isAnonymous = isGroup(agent) && Object.keys(found).length === 1
  return isAnonymous ? change(pick(agent, ['objectType', 'member']), { member: agentId }) : found
}
const onlyId: Change = (value) => pick(value, ['id'])

const contextIds: Change = (context) =>
  change(context, {
    instructor: agentId,
    team: agentId,
    contextActivities: eachContextActivity(onlyId),
    contextAgents: (item) => change(item, { agent: agentId }),
    contextGroups: (item) => change(item, { group: agentId }),
  })

const eventIds = { actor: agentId, verb: onlyId, context: contextIds }
const objectIds: Change = changeObject({
  agent: agentId,
  activity: onlyId,
  subStatement: (value) => change(value, { ...eventIds, object: objectIds }),
})

/** XAPI-00171. */
export function toIds(statement: Statement): Statement {
  return change(statement, { ...eventIds, object: objectIds, authority: agentId })
}

// ---------------------------------------------------------------------------------------------------------------------
// canonical: of every language map of Verbs and Activities one language

/** The Activities whose definition the canonical form shows. */
export function listActivityIds(statement: Statement): string[] {
  return listTerms(statement).flatMap(({ kind, value }) => (kind === 'activity' ? [value] : []))
}

/**
 * XAPI-00169, XAPI-00172. `definitions`: the canonical ones by
 * id of the Activity; one that has none keeps what the statement says. Agents, attachments, extensions and response patterns
 * stay as they are.
 */
export function toCanonical(
  statement: Statement,
  languages: Languages,
  definitions: ReadonlyMap<string, JsonObject> = new Map(),
): Statement {
  const map: Change = (value) => oneLanguage(value, languages)
  const component: Change = (value) => change(value, { description: map })
  const components = Object.fromEntries(componentLists.map((name) => [name, component]))
  const definition: Change = (value) => change(value, { name: map, description: map, ...components })
  const activity: Change = (value) => {
    const canonical = definitions.get(String(value['id']))
    return change(canonical === undefined ? value : { ...value, definition: canonical }, { definition })
  }
  const event = {
    verb: (value: JsonObject) => change(value, { display: map }),
    context: (value: JsonObject) => change(value, { contextActivities: eachContextActivity(activity) }),
  }
  const object: Change = changeObject({
    agent: (value) => value,
    activity,
    subStatement: (value) => change(value, { ...event, object }),
  })
  return change(statement, { ...event, object })
}
