// The rules of a Statement as a whole and of a request that holds one or many. What it is made of has files of its own.

import type { Failure } from '../errors.ts'
import { activity } from './activity.ts'
import { agent, agentOrGroup, authority, group } from './agent.ts'
import { attachments } from './attachment.ts'
import { context } from './context.ts'
import { result } from './result.ts'
import type { JsonObject, Rule } from './rule.ts'
import { Check, inOtherCase, isObject, never, oneOf, record, refusal, shown } from './rule.ts'
import { statementRef } from './statement-ref.ts'
import { timestamp } from './time.ts'
import { isUuid, uuid } from './uuid.ts'
import { verb, voidedVerb } from './verb.ts'
import type { XapiVersion } from './version.ts'
import { statementVersion } from './version.ts'

/** A validated statement: plain JSON. */
export type Statement = Readonly<Record<string, unknown>>

export interface CheckOptions {
  readonly version: XapiVersion
  /** Where the value is, as a JSON pointer; the root when absent. */
  readonly pointer?: string
  /** The bytes of attachments come behind the statements. */
  readonly partsFollow?: boolean
  /** What is found is added here, at most `maxFailures` and a summary. */
  readonly failures: Failure[]
}

/** Agents and Activities one statement may name, members of Groups included: each costs a row of the index. */
export const maxMentions = 1000

/** As many all statements of one request may name together: ten each in a full batch. */
export const maxRequestMentions = 20_000

const common = {
  actor: agentOrGroup('XAPI-00031'),
  verb,
  result,
  context,
  timestamp: timestamp('XAPI-00022'),
  attachments,
}

const required = { actor: 'XAPI-00003', verb: 'XAPI-00004', object: 'XAPI-00005' }

// ---------------------------------------------------------------------------------------------------------------------
// Object

const anActivity = activity('XAPI-00046')
const objectType = oneOf(['Activity', 'Agent', 'Group', 'SubStatement', 'StatementRef'], 'XAPI-00046')

const simpleObjects: readonly (readonly [unknown, Rule])[] = [
  [undefined, anActivity],
  ['Activity', anActivity],
  ['Agent', agent('XAPI-00046')],
  ['Group', group('XAPI-00046')],
  ['StatementRef', statementRef],
]

/** By `objectType`, without which it is an Activity. */
function objectOf(kinds: ReadonlyMap<unknown, Rule>): Rule {
  return (value, check) => {
    if (!isObject(value)) return anActivity(value, check)
    const kind = value['objectType']
    if (kind === undefined && refuseUntyped(value, check)) return
    const rule = kinds.get(kind)
    if (rule === undefined) check.at('objectType', kind, objectType)
    else rule(value, check)
  }
}

/** XAPI-00065, XAPI-00073: every kind but an Activity must say what it is. */
function refuseUntyped(value: JsonObject, check: Check): boolean {
  const kind = guessKind(value)
  if (kind === undefined) return false
  const rule = kind === 'Agent' || kind === 'Group' ? 'XAPI-00065' : 'XAPI-00073'
  const meant = inOtherCase('objectType', Object.keys(value))
  if (meant !== undefined) check.refuseAt(meant, 'XAPI-00008', 'Names are case-sensitive: write "objectType".')
  else check.refuse(rule, `Without "objectType" this is an Activity; if it is not one, add "objectType": "${kind}".`)
  return true
}

function guessKind(value: JsonObject): string | undefined {
  const { id, actor, member, mbox, mbox_sha1sum: hash, openid, account } = value
  if (typeof id === 'string') return isUuid(id) ? 'StatementRef' : undefined
  if (actor !== undefined) return 'SubStatement'
  if (member !== undefined) return 'Group'
  return (mbox ?? hash ?? openid ?? account) === undefined ? undefined : 'Agent'
}

// ---------------------------------------------------------------------------------------------------------------------
// Statement and SubStatement

function notInSubStatement(rule: string): Rule {
  return never(rule, 'A SubStatement does not have this member.')
}

const subStatement = record({
  what: 'a SubStatement',
  rule: 'XAPI-00066',
  members: {
    objectType: oneOf(['SubStatement'], 'XAPI-00073'),
    ...common,
    object: objectOf(
      new Map([
        ...simpleObjects,
        ['SubStatement', never('XAPI-00071', 'A SubStatement cannot hold another one; use a StatementRef.')],
      ]),
    ),
    id: notInSubStatement('XAPI-00070'),
    stored: notInSubStatement('XAPI-00069'),
    version: notInSubStatement('XAPI-00068'),
    authority: notInSubStatement('XAPI-00067'),
  },
  required,
  whole: checkJointly,
})

const statement = record({
  what: 'a Statement',
  rule: 'XAPI-00006',
  members: {
    id: uuid('XAPI-00027', 'XAPI-00028'),
    ...common,
    object: objectOf(new Map([...simpleObjects, ['SubStatement', subStatement]])),
    stored: timestamp('XAPI-00023'),
    authority,
    version: statementVersion,
  },
  required,
  whole: checkJointly,
})

function checkJointly(value: JsonObject, check: Check): void {
  const { verb: did, object, context: where } = value
  if (isObject(did) && did['id'] === voidedVerb && !hasType(object, 'StatementRef')) {
    check.refuseAt(
      'object',
      'XAPI-00017',
      `A statement with the verb ${voidedVerb} must have a StatementRef as object.`,
    )
  }
  if (!isObject(where) || !isObject(object) || hasType(object, 'Activity') || object['objectType'] === undefined) return
  for (const [name, rule] of onlyWithActivity) {
    if (where[name] === undefined) continue
    check.at('context', where, () => check.refuseAt(name, rule, 'Only allowed when the object is an Activity.'))
  }
}

const onlyWithActivity = [
  ['revision', 'XAPI-00084'],
  ['platform', 'XAPI-00085'],
] as const

function hasType(value: unknown, kind: string): boolean {
  return isObject(value) && value['objectType'] === kind
}

/** One statement, limits included. */
const limitedStatement: Rule = (value, check) => {
  check.mentions = 0
  statement(value, check)
  if (check.mentions <= maxMentions) return
  const message = `Names ${check.mentions} Agents and Activities; at most ${maxMentions} are accepted in one statement.`
  check.refuse('claviger/too-many-terms', message)
}

/** Adds every broken rule to `options.failures`. The value must come from `parseJson`, which bounds its depth. */
export function checkStatement(value: unknown, options: CheckOptions): void {
  limitedStatement(value, new Check(options))
}

// ---------------------------------------------------------------------------------------------------------------------
// Request

export interface CheckedStatements {
  readonly statements: Statement[]
  /** Whether the body was an array. */
  readonly isBatch: boolean
}

/** A body with one statement or an array of them. Throws `invalid` with all failures of all statements. */
export function checkStatements(
  body: unknown,
  version: XapiVersion,
  options: Pick<CheckOptions, 'partsFollow'> = {},
): CheckedStatements {
  const failures: Failure[] = []
  const check = new Check({ version, failures, ...options })
  const isBatch = Array.isArray(body)
  if (isBatch) checkBatch(body, check)
  else if (isObject(body)) limitedStatement(body, check)
  else check.refuse('XAPI-00006', `Expected a Statement or an array of Statements, got ${shown(body)}.`)
  if (failures.length > 0) throw refusal(failures)
  return { statements: (isBatch ? body : [body]) as Statement[], isBatch }
}

function checkBatch(items: readonly unknown[], check: Check): void {
  const seen = new Map<string, number>()
  let mentions = 0
  for (const [index, item] of items.entries()) {
    if (check.isFull) return
    check.at(index, item, limitedStatement)
    mentions += check.mentions
    if (mentions > maxRequestMentions) return refuseMentions(check)
    const id = isObject(item) && typeof item['id'] === 'string' ? item['id'].toLowerCase() : undefined
    if (id === undefined) continue
    const first = seen.get(id)
    if (first === undefined) seen.set(id, index)
    else check.refuseAt(index, 'claviger/repeated-id', `Statement ${first} of the batch has the same id.`)
  }
}

function refuseMentions(check: Check): void {
  const message = `Names more than ${maxRequestMentions} Agents and Activities; send fewer statements in one request.`
  check.refuse('claviger/too-many-terms', message)
}
