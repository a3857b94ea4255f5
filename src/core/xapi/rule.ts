// How the rules of the data model are written down: tables of members, each with the rule its value must keep.
// A check walks one value, knows where it is, and collects every failure. Knows no noun of xAPI.

import type { DomainError, Failure } from '../errors.ts'
import { inWords, invalid } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { XapiVersion } from './version.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** Refuses what is wrong with `value` through `check`; says nothing when all is well. Never throws. */
export type Rule = (value: unknown, check: Check) => void

/** A hostile request must not buy a huge answer: this many failures are listed, then one more says there are others. */
export const maxFailures = 100

/** Code units of an IRI, an account name or another identifier. Longer ones are refused. */
export const maxIdentifierLength = 8192

/** Longest piece of the caller's own text that a message or a step of a pointer repeats. */
const maxEcho = 120
const maxPointer = 1000

export class Check {
  readonly version: XapiVersion
  /** The bytes of attachments come behind the statements: whether they do is known later. */
  readonly partsFollow: boolean
  readonly failures: Failure[]
  /** Agents and Activities seen in the statement at hand: each may become a term. */
  mentions = 0
  private readonly base: string
  private readonly path: (string | number)[] = []

  constructor(options: { version: XapiVersion; pointer?: string; partsFollow?: boolean; failures: Failure[] }) {
    this.version = options.version
    this.partsFollow = options.partsFollow ?? false
    this.failures = options.failures
    this.base = options.pointer ?? ''
  }

  /** Applies `rule` to the member or item `step` of the value at hand. */
  at(step: string | number, value: unknown, rule: Rule): void {
    this.path.push(step)
    rule(value, this)
    this.path.pop()
  }

  refuse(rule: string, message: string): void {
    if (this.failures.length < maxFailures) this.failures.push({ pointer: this.pointer(), rule, message })
    else if (this.failures.length === maxFailures) this.failures.push(tooMany)
  }

  /** Nothing further would be listed: whoever walks on through a large value only burns time. */
  get isFull(): boolean {
    return this.failures.length > maxFailures
  }

  refuseAt(step: string | number, rule: string, message: string): void {
    this.at(step, undefined, () => this.refuse(rule, message))
  }

  private pointer(): string {
    return this.base + toPointer(this.path)
  }
}

/** At most `maxFailures` of them, then one that says there are more. */
export function capped(failures: readonly Failure[]): readonly Failure[] {
  return failures.length <= maxFailures + 1 ? failures : [...failures.slice(0, maxFailures), tooMany]
}

const tooMany: Failure = {
  pointer: '',
  rule: 'claviger/too-many-failures',
  message: `More rules are broken; only the first ${maxFailures} are listed.`,
}

/** Member names and indexes as an RFC 6901 JSON pointer, cut when it is absurdly long. */
export function toPointer(path: readonly (string | number)[]): string {
  const steps = path.map((step) => `/${cut(String(step)).replaceAll('~', '~0').replaceAll('/', '~1')}`)
  return cut(steps.join(''), maxPointer)
}

/** The error that carries all failures of a request. */
export function refusal(failures: readonly Failure[]): DomainError {
  const first = failures[0]
  if (first === undefined) return invalid('The request breaks a rule.')
  const others = failures.length === 1 ? '' : ` (${failures.length - 1} more)`
  return invalid(`${inWords(first)}${others}`, failures)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as a message names it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `"${cut(value)}"`
  if (Array.isArray(value)) return 'an array'
  if (isObject(value)) return 'an object'
  return String(value)
}

export function cut(text: string, length = maxEcho): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`
}

// ---------------------------------------------------------------------------------------------------------------------
// Kinds of rule

export interface Shape {
  /** With its article, for messages: `an Agent`. */
  readonly what: string
  /** Broken when the value is no object at all. */
  readonly rule: string
  /** Every member that may occur. Names are case-sensitive (XAPI-00008). */
  readonly members: Readonly<Record<string, Rule>>
  /** Broken by any other member; XAPI-00010 unless there is a more specific rule. */
  readonly others?: string
  /** Members that must occur, each with the rule that says so. */
  readonly required?: Readonly<Record<string, string>>
  /** Rules that look at several members. */
  readonly whole?: (value: JsonObject, check: Check) => void
}

export function record(shape: Shape): Rule {
  const members = new Map(Object.entries(shape.members))
  const required = Object.entries(shape.required ?? {})
  const refuseOther = otherMember(shape)
  return (value, check) => {
    if (!isObject(value)) return check.refuse(typeRule(value, shape.rule), expected(shape.what, value))
    for (const name of Object.keys(value)) {
      if (check.isFull) return
      const rule = members.get(name)
      if (rule === undefined) check.at(name, value[name], refuseOther(name))
      else check.at(name, value[name], rule)
    }
    for (const [name, rule] of required) {
      if (value[name] === undefined) check.refuse(rule, `"${name}" is missing: ${shape.what} must have it.`)
    }
    shape.whole?.(value, check)
  }
}

function otherMember({ what, members, others = 'XAPI-00010' }: Shape): (name: string) => Rule {
  const known = Object.keys(members)
  return (name) => (_, check) => {
    const meant = inOtherCase(name, known)
    if (meant !== undefined) check.refuse('XAPI-00008', `Names are case-sensitive: write "${meant}".`)
    else check.refuse(others, `Not a member of ${what}${suggestion(name, known)}, which may have: ${known.join(', ')}.`)
  }
}

/** ` (did you mean "object"?)`, or nothing. */
export function suggestion(text: string, known: readonly string[]): string {
  const meant = nearest(text, known)
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`
}

/** The word that `text` would be, were it not for upper and lower case. */
export function inOtherCase(text: string, words: readonly string[]): string | undefined {
  const lower = text.toLowerCase()
  return words.find((word) => word.toLowerCase() === lower)
}

export function list(what: string, rule: string, item: Rule): Rule {
  return (value, check) => {
    if (!Array.isArray(value)) return check.refuse(typeRule(value, rule), expected(`an array of ${what}`, value))
    for (let index = 0; index < value.length && !check.isFull; index++) check.at(index, value[index], item)
  }
}

/** A string in a particular format: `isValid` decides. `type` is broken by what is no string. */
export function format(what: string, rule: string, isValid: (text: string) => boolean, type = rule): Rule {
  return (value, check) => {
    if (typeof value !== 'string') check.refuse(typeRule(value, type), expected(what, value))
    else if (!isValid(value)) check.refuse(rule, expected(what, value))
  }
}

export function text(rule: string): Rule {
  return (value, check) => {
    if (typeof value !== 'string') check.refuse(typeRule(value, rule), expected('a string', value))
  }
}

export function truth(rule: string): Rule {
  return (value, check) => {
    if (typeof value !== 'boolean') check.refuse(typeRule(value, rule), expected('true or false, unquoted', value))
  }
}

/** One of a few words, exactly as spelled: another case breaks XAPI-00009. */
export function oneOf(words: readonly string[], rule: string): Rule {
  const what = words.map((word) => `"${word}"`).join(' or ')
  return (value, check) => {
    if (typeof value !== 'string') check.refuse(typeRule(value, rule), expected(what, value))
    else if (!words.includes(value))
      check.refuse(inOtherCase(value, words) ? 'XAPI-00009' : rule, expected(what, value))
  }
}

/** A member that exists in the model but not here. */
export function never(rule: string, message: string): Rule {
  return (_, check) => check.refuse(rule, message)
}

function expected(what: string, value: unknown): string {
  return `Expected ${what}, got ${shown(value)}.`
}

/** null is refused everywhere outside extensions, whatever the type should be. */
function typeRule(value: unknown, rule: string): string {
  return value === null ? 'XAPI-00001' : rule
}
