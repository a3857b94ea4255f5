// What cmi5 asks of a single statement of an assignable unit, as a table: each rule with its section, whom it is about, and
// what is wrong. Pure; the order of statements is judge.ts's matter. Whose statement it may be at all, in which registration
// and about which activity, decide the pins of the session (sections 9.2 and 9.6.1).

import type { Failure } from '../errors.ts'
import { isObject, shown } from '../xapi/rule.ts'
import type { JsonObject } from '../xapi/rule.ts'
import type { Statement } from '../xapi/statement.ts'
import { contextTemplate } from './unit.ts'
import type { Unit } from './unit.ts'
import { categories, contextExtensions, launcherVerbs, progressExtension, unitVerbs } from './vocabulary.ts'
import type { UnitVerb } from './vocabulary.ts'

/** A statement as it will be stored, and what is no longer seen of how it was sent. */
export interface SentStatement {
  readonly id: string
  readonly statement: Statement
  /** Where it stands in the request. */
  readonly pointer: string
  /** The sender gave it its id. */
  readonly hasOwnId: boolean
  /** Its timestamp in Unix microseconds; undefined without one. */
  readonly at: number | undefined
}

/** What the rules look at, found once. */
interface Seen extends SentStatement {
  readonly unit: Unit
  /** Section 7.1.3: cmi5 defined, else cmi5 allowed. */
  readonly isDefined: boolean
  readonly verbId: unknown
  /** Of a cmi5 defined statement. */
  readonly verb: UnitVerb | undefined
  readonly result: JsonObject
  readonly context: JsonObject
  readonly extensions: JsonObject
  readonly hasMoveOn: boolean
}

/** Where it is wrong, as a pointer inside the statement, and what would be accepted. */
type Complaint = readonly [pointer: string, message: string]

interface Rule {
  readonly section: string
  /** `defined`: every cmi5 defined statement; `all`: cmi5 allowed ones, too. */
  readonly of: 'all' | 'defined' | readonly UnitVerb[]
  readonly broken: (seen: Seen) => Complaint | undefined
}

const rules: readonly Rule[] = [
  { section: '9.1', of: 'all', broken: withoutId },
  { section: '9.7', of: 'all', broken: withoutUtcTimestamp },
  { section: '9.6.3.1', of: 'all', broken: ofAnotherSession },
  { section: '10.2.1', of: 'all', broken: besideTheTemplate },
  { section: '9.6.2.2', of: 'all', broken: wronglyJudged },
  { section: '9.5.5.1', of: 'all', broken: withoutPercentage },
  { section: '9.3', of: 'defined', broken: withAnotherVerb },
  { section: '10.2.2', of: 'defined', broken: outsideItsMode },
  { section: '9.2', of: 'defined', broken: byNoAccount },
  { section: '9.4', of: 'defined', broken: aboutSomethingElse },
  { section: '9.5.1', of: ['initialized', 'completed', 'terminated'], broken: withScore },
  { section: '9.5.1', of: ['passed', 'failed'], broken: withHalfAScore },
  { section: '9.3.4', of: ['passed'], broken: belowMastery },
  { section: '9.3.5', of: ['failed'], broken: aboveMastery },
  { section: '9.6.3.2', of: ['passed', 'failed'], broken: withoutMastery },
  { section: '9.5.2', of: ['passed'], broken: unless('success', true) },
  { section: '9.5.2', of: ['failed'], broken: unless('success', false) },
  { section: '9.5.2', of: ['initialized', 'completed', 'terminated'], broken: unless('success', undefined) },
  { section: '9.5.3', of: ['completed'], broken: unless('completion', true) },
  { section: '9.5.3', of: ['initialized', 'passed', 'failed', 'terminated'], broken: unless('completion', undefined) },
  { section: '9.5.4.1', of: ['completed', 'passed', 'failed', 'terminated'], broken: withoutDuration },
]

/** All rules that the statement breaks. */
export function findBroken(sent: SentStatement, unit: Unit): readonly Failure[] {
  const seen = look(sent, unit)
  return rules.flatMap(({ section, of, broken }) => {
    const complaint = isOf(seen, of) ? broken(seen) : undefined
    return complaint === undefined ? [] : [failure(sent, section, ...complaint)]
  })
}

export function failure(sent: SentStatement, section: string, pointer: string, message: string): Failure {
  return { pointer: sent.pointer + pointer, rule: `cmi5/${section}`, message }
}

/** The verb of a cmi5 defined statement; undefined for one that is cmi5 allowed. */
export function definedVerb(statement: Statement): UnitVerb | undefined {
  if (!hasCategory(statement, categories.cmi5)) return undefined
  const verb = isObject(statement['verb']) ? statement['verb']['id'] : undefined
  return unitVerbNames.find((name) => unitVerbs[name] === verb)
}

const unitVerbNames = Object.keys(unitVerbs) as UnitVerb[]

function isOf({ isDefined, verb }: Seen, of: Rule['of']): boolean {
  if (typeof of === 'string') return of === 'all' || isDefined
  return verb !== undefined && of.includes(verb)
}

function look(sent: SentStatement, unit: Unit): Seen {
  const { statement } = sent
  const context = member(statement, 'context')
  return {
    ...sent,
    unit,
    isDefined: hasCategory(statement, categories.cmi5),
    verbId: member(statement, 'verb')['id'],
    verb: definedVerb(statement),
    result: member(statement, 'result'),
    context,
    extensions: member(context, 'extensions'),
    hasMoveOn: hasCategory(statement, categories.moveOn),
  }
}

function member(value: JsonObject, name: string): JsonObject {
  const found = value[name]
  return isObject(found) ? found : {}
}

function hasCategory(statement: Statement, id: string): boolean {
  return listed(member(member(statement, 'context'), 'contextActivities')['category']).includes(id)
}

/** Ids of context activities, which may stand alone. */
function listed(activities: unknown): readonly unknown[] {
  return [activities].flat().map((activity) => (isObject(activity) ? activity['id'] : undefined))
}

// ---------------------------------------------------------------------------------------------------------------------
// Every statement of the session

function withoutId({ hasOwnId }: Seen): Complaint | undefined {
  if (hasOwnId) return undefined
  return [
    '/id',
    'A unit gives its statements an id itself, so that one that is sent again is known: add a UUID as "id".',
  ]
}

function withoutUtcTimestamp({ statement }: Seen): Complaint | undefined {
  const { timestamp } = statement
  const message = '"timestamp" must be there, and in UTC, such as 2026-01-31T12:00:00.000Z: it orders the statements.'
  return typeof timestamp === 'string' && /(?:Z|\+00(?::?00)?)$/i.test(timestamp) ? undefined : ['/timestamp', message]
}

function ofAnotherSession({ extensions, unit }: Seen): Complaint | undefined {
  const said = extensions[contextExtensions.sessionId]
  if (said === unit.sessionId) return undefined
  const message = `The session of this key is ${unit.sessionId}, as "contextTemplate" of LMS.LaunchData has it; got ${said === undefined ? 'none' : shown(said)}.`
  return [inExtensions(contextExtensions.sessionId), message]
}

function besideTheTemplate({ context, unit }: Seen): Complaint | undefined {
  const there = member(context, 'contextActivities')
  for (const { id } of contextTemplate(unit).contextActivities.grouping) {
    if (listed(there['grouping']).includes(id)) continue
    const message = `Everything in "contextTemplate" of LMS.LaunchData belongs into each statement: the activity ${id} is missing.`
    return ['/context/contextActivities/grouping', message]
  }
  return undefined
}

function wronglyJudged({ isDefined, result, hasMoveOn }: Seen): Complaint | undefined {
  const isJudged = isDefined && (result['success'] !== undefined || result['completion'] !== undefined)
  if (isJudged === hasMoveOn) return undefined
  const message = isJudged
    ? `A cmi5 defined statement with "success" or "completion" has the category ${categories.moveOn}.`
    : `Only cmi5 defined statements with "success" or "completion" have the category ${categories.moveOn}.`
  return ['/context/contextActivities/category', message]
}

function withoutPercentage({ result }: Seen): Complaint | undefined {
  const progress = member(result, 'extensions')[progressExtension]
  const isPercentage = Number.isInteger(progress) && Number(progress) >= 0 && Number(progress) <= 100
  if (progress === undefined || isPercentage) return undefined
  const message = `Progress is a whole number from 0 to 100, got ${shown(progress)}.`
  return [`/result/extensions/${escaped(progressExtension)}`, message]
}

// ---------------------------------------------------------------------------------------------------------------------
// cmi5 defined statements

function withAnotherVerb({ verb, verbId }: Seen): Complaint | undefined {
  if (verb !== undefined) return undefined
  const reserved = Object.entries(launcherVerbs).find(([, id]) => id === verbId)
  const message = reserved
    ? `"${reserved[0]}" is said by whoever launches the unit, never by the unit.`
    : `A cmi5 defined statement has one of the verbs ${Object.values(unitVerbs).join(', ')}. With any other leave the category ${categories.cmi5} out.`
  return ['/verb/id', message]
}

function outsideItsMode({ verb, unit }: Seen): Complaint | undefined {
  if (unit.mode === 'normal' || verb === undefined || verb === 'initialized' || verb === 'terminated') return undefined
  const message = `This is a launch to ${unit.mode}, which is not judged: beside "initialized" and "terminated" no cmi5 defined statement is accepted.`
  return ['/verb/id', message]
}

function byNoAccount({ statement }: Seen): Complaint | undefined {
  const actor = member(statement, 'actor')
  const isAgent = (actor['objectType'] ?? 'Agent') === 'Agent'
  if (isAgent && actor['account'] !== undefined) return undefined
  return ['/actor', 'The actor is the Agent of the launch, with its account.']
}

function aboutSomethingElse({ statement, unit }: Seen): Complaint | undefined {
  if (member(statement, 'object')['id'] === unit.activityId) return undefined
  return ['/object/id', `A cmi5 defined statement is about the unit as it was launched: ${unit.activityId}.`]
}

function withScore({ result, verb }: Seen): Complaint | undefined {
  if (result['score'] === undefined) return undefined
  return ['/result/score', `Only "passed" and "failed" have a score, "${verb}" does not.`]
}

/** xAPI's own rules have seen to it that `raw` lies between `min` and `max`, and that all of them are numbers. */
function withHalfAScore({ result }: Seen): Complaint | undefined {
  const { scaled, raw, min, max } = member(result, 'score')
  if (typeof scaled === 'number' && scaled < 0) return ['/result/score/scaled', '"scaled" is from 0 to 1 in cmi5.']
  if (raw === undefined || (min !== undefined && max !== undefined)) return undefined
  return ['/result/score/raw', 'With "raw" come "min" and "max".']
}

function belowMastery({ result, unit: { masteryScore } }: Seen): Complaint | undefined {
  const { scaled } = member(result, 'score')
  if (masteryScore === undefined || typeof scaled !== 'number' || scaled >= masteryScore) return undefined
  return ['/result/score/scaled', `"passed" has at least the masteryScore ${masteryScore}, got ${scaled}.`]
}

function aboveMastery({ result, unit: { masteryScore } }: Seen): Complaint | undefined {
  const { scaled } = member(result, 'score')
  if (masteryScore === undefined || typeof scaled !== 'number' || scaled < masteryScore) return undefined
  return ['/result/score/scaled', `"failed" has less than the masteryScore ${masteryScore}, got ${scaled}.`]
}

/** Who scored was measured by the masteryScore, and says so. Without a score it may be left out, but is never another one. */
function withoutMastery({ extensions, result, unit: { masteryScore } }: Seen): Complaint | undefined {
  const said = extensions[contextExtensions.masteryScore]
  const isMeasured = masteryScore !== undefined && member(result, 'score')['scaled'] !== undefined
  if (said === undefined ? !isMeasured : said === masteryScore) return undefined
  const message =
    masteryScore === undefined
      ? 'This launch has no masteryScore: leave this out.'
      : `The masteryScore of this launch is ${masteryScore}; got ${said === undefined ? 'none' : shown(said)}.`
  return [inExtensions(contextExtensions.masteryScore), message]
}

function unless(name: 'success' | 'completion', wanted: boolean | undefined): Rule['broken'] {
  return ({ result, verb }) => {
    if (result[name] === wanted) return undefined
    const message =
      wanted === undefined ? `"${verb}" has no "${name}".` : `"${verb}" has "${name}": ${wanted} in its result.`
    return [`/result/${name}`, message]
  }
}

function withoutDuration({ result, verb }: Seen): Complaint | undefined {
  return result['duration'] === undefined ? ['/result/duration', `"${verb}" has a duration.`] : undefined
}

function inExtensions(id: string): string {
  return `/context/extensions/${escaped(id)}`
}

/** As a step of a JSON pointer. */
function escaped(id: string): string {
  return id.replaceAll('~', '~0').replaceAll('/', '~1')
}
