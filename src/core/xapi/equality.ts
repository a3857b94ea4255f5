// When two statements say the same. Left out, with the specification's section on immutability (2.3.1): what the LRS sets,
// verb displays, Activity definitions, the order of members and of unordered lists, and of durations what lies beyond
// 0.01 s. All else counts, extensions included.

import type { CredentialId } from '../ids.ts'
import type { PreparedStatement, StatementBatch } from '../storage.ts'
import { foldMailbox } from './agent.ts'
import { contextActivityKinds } from './context.ts'
import { canonicalDuration } from './duration.ts'
import { isObject } from './rule.ts'
import type { JsonObject } from './rule.ts'
import type { Statement } from './statement.ts'
import { canonicalTimestamp } from './time.ts'

/** Timestamps do not count here: one of the two may not have been sent. */
export function saySame(one: Statement, other: Statement): boolean {
  return meaningOf(one) === meaningOf(other)
}

/**
 * Whether a stored statement is the same one sent again, which `by` may be told. The timestamps (microseconds) count when
 * the second one came with any. `whole`: the second one as it would be stored in place of the first; the same text needs
 * no parsing.
 */
export function isSentAgain(
  stored: { readonly owner: CredentialId; readonly timestamp: number | undefined; readonly body: string },
  sent: Pick<PreparedStatement, 'openBody' | 'timestamp'>,
  by: Pick<StatementBatch, 'owner' | 'readReach'>,
  whole?: string,
): boolean {
  if (stored.owner !== by.owner && by.readReach !== 'any') return false
  if (sent.timestamp !== undefined && sent.timestamp !== stored.timestamp) return false
  if (stored.body === whole) return true
  return saySame(JSON.parse(stored.body) as Statement, JSON.parse(`${sent.openBody}}`) as Statement)
}

/** What the client meant as canonical text: equal exactly for statements that say the same. */
export function meaningOf(statement: Statement): string {
  return statementText(statement)
}

/** A value as canonical text: equal values, equal text. */
type Writer = (value: unknown) => string

const leftOut = null

/** An object with its members in order of name, each by its own writer; `anything` writes those the table lacks. */
function shaped(members: Readonly<Record<string, Writer | null>>, defaults: JsonObject = {}): Writer {
  const writers = new Map(Object.entries(members))
  const labels = new Map(Object.keys(members).map((name) => [name, label(name)]))
  const standards = new Map(Object.entries(defaults))
  return (value) => {
    if (!isObject(value)) return anything(value)
    const names = Object.keys(value)
    for (const name of standards.keys()) if (value[name] === undefined) names.push(name)
    let text = '{'
    for (const name of names.sort()) {
      const writer = writers.get(name)
      if (writer === leftOut) continue
      text += (labels.get(name) ?? label(name)) + (writer ?? anything)(value[name] ?? standards.get(name)) + ','
    }
    return `${text}}`
  }
}

function label(name: string): string {
  return `${JSON.stringify(name)}:`
}

/** Duplicates count, order does not. */
function unordered(item: Writer): Writer {
  return (value) => (Array.isArray(value) ? `[${value.map(item).sort().join()}]` : anything(value))
}

function ordered(item: Writer): Writer {
  return (value) => (Array.isArray(value) ? `[${value.map(item).join()}]` : anything(value))
}

function folded(fold: (text: string) => string): Writer {
  return (value) => JSON.stringify(typeof value === 'string' ? fold(value) : value)
}

function anything(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(anything).join()}]`
  if (!isObject(value)) return JSON.stringify(value)
  let text = '{'
  for (const name of Object.keys(value).sort()) text += `${label(name)}${anything(value[name])},`
  return `${text}}`
}

const lowerCase = folded((text) => text.toLowerCase())
const instant = folded(canonicalTimestamp)

const identifiers = { mbox: folded(foldMailbox), mbox_sha1sum: lowerCase }
const agent = shaped(identifiers, { objectType: 'Agent' })
const agentOrGroup = shaped({ ...identifiers, member: unordered(agent) }, { objectType: 'Agent' })
const activity = shaped({ definition: leftOut }, { objectType: 'Activity' })
const activities = unordered(activity)
/** A single Activity means a list of one. */
const activityOrList: Writer = (value) => activities(Array.isArray(value) ? value : [value])
const statementRef = shaped({ id: lowerCase })

const event = {
  actor: agentOrGroup,
  verb: shaped({ display: leftOut }),
  result: shaped({ duration: folded(canonicalDuration) }),
  context: shaped({
    registration: lowerCase,
    instructor: agentOrGroup,
    team: agentOrGroup,
    contextActivities: shaped(Object.fromEntries(contextActivityKinds.map((kind) => [kind, activityOrList]))),
    contextAgents: ordered(shaped({ agent })),
    contextGroups: ordered(shaped({ group: agentOrGroup })),
    statement: statementRef,
  }),
  attachments: ordered(shaped({ sha2: lowerCase })),
}

const subStatement = shaped({ ...event, timestamp: instant, object: objectText })

function objectText(value: unknown): string {
  switch (isObject(value) ? value['objectType'] : undefined) {
    case 'Agent':
    case 'Group':
      return agentOrGroup(value)
    case 'StatementRef':
      return statementRef(value)
    case 'SubStatement':
      return subStatement(value)
    default:
      return activity(value)
  }
}

const statementText = shaped({
  ...event,
  object: objectText,
  id: leftOut,
  stored: leftOut,
  timestamp: leftOut,
  authority: leftOut,
  version: leftOut,
})
