// The parameters of a launch: the 21 that are documented, and the few beside them that decide something; what each must look like,
// and the launch they come to. Knows neither signature nor settings nor what becomes of it.

import { readLicences, readSchools } from './lists.ts'
import type { Licence, School } from './lists.ts'
import { LaunchRefused } from './refusal.ts'

/** What came, decoded: by the name in lower case, as they are spelled differently in the reference and on the wire. */
export type Parameters = ReadonlyMap<string, string>

interface Parameter {
  /** As on the wire. */
  readonly name: string
  readonly describes: string
  /**
   * `identity`: says who, where, or what is allowed; must be there, so that a copy that somebody wrote into their own name would be
   * the second one, which is refused. `checked`: may be absent, never wrong. `hint`: a wish that decides nothing; left out where it
   * is none. `proof`: read by verification.ts.
   */
  readonly is: 'identity' | 'checked' | 'hint' | 'proof'
  readonly grammar: RegExp
}

const id = /^(?:0|[1-9]\d{0,9})$/
const yesOrNo = /^(?:True|False)$/
const words = /^[^\p{Cc}\p{Zl}\p{Zp}]{1,255}$/u
const culture = /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/
const list = /^[^\p{Cc}]{0,8000}$/u

export const parameters = [
  {
    name: 'ApiSessionId',
    describes: 'names the session at itslearning’s REST API; kept sealed for as long as the launch lives',
    is: 'identity',
    grammar: /^[A-Za-z0-9_-]{8,128}$/,
  },
  {
    name: 'LearningObjectId',
    describes: 'the learning object: a master in the library, or the one of a course',
    is: 'identity',
    grammar: id,
  },
  {
    name: 'LearningObjectInstanceId',
    describes: 'one use of the learning object, such as in a course',
    is: 'identity',
    grammar: id,
  },
  {
    name: 'Version',
    describes: 'of the learning object, a number or LatestOrDraft; not sent today',
    is: 'hint',
    grammar: /^(?:\d{1,10}|LatestOrDraft)$/,
  },
  { name: 'UserId', describes: 'the person: the name of the actor’s account', is: 'identity', grammar: id },
  {
    name: 'WindowsTimeZoneId',
    describes: 'the person’s time zone, as .NET names it',
    is: 'hint',
    grammar: words,
  },
  {
    name: 'OlsonTimeZoneId',
    describes: 'the person’s time zone, as everybody else names it',
    is: 'hint',
    grammar: /^[A-Za-z0-9_+\-/]{1,64}$/,
  },
  { name: 'FirstName', describes: 'reaches content that is set to get names', is: 'hint', grammar: words },
  { name: 'LastName', describes: 'reaches content that is set to get names', is: 'hint', grammar: words },
  { name: 'Locale', describes: 'the person’s formats of dates and numbers, xx-YY', is: 'hint', grammar: culture },
  { name: 'Language', describes: 'the person’s language, xx-YY', is: 'hint', grammar: culture },
  { name: 'Use12HTimeFormat', describes: 'whether the person reads 7:00 PM', is: 'hint', grammar: yesOrNo },
  { name: 'Accessibility', describes: 'whether the person asked for it', is: 'hint', grammar: yesOrNo },
  {
    name: 'Permissions',
    describes: 'what the person may do with this instance; what each gives is set for the content',
    is: 'identity',
    grammar: /^[A-Za-z]{1,32}(?:, ?[A-Za-z]{1,32}){0,19}$/,
  },
  {
    name: 'LicenseIds',
    describes: 'the person’s licences; sent, and then demanded, where the application is licensed',
    is: 'checked',
    grammar: list,
  },
  {
    name: 'ExternalLicenseIds',
    describes: 'the same licences in a system of one’s own, one for each',
    is: 'checked',
    grammar: list,
  },
  {
    name: 'SchoolId',
    describes: 'the person’s schools; demanded where only some schools are allowed',
    is: 'checked',
    grammar: list,
  },
  { name: 'CustomerId', describes: 'the site the person comes from; an allowed one', is: 'identity', grammar: id },
  {
    name: 'Role',
    describes: 'Staff, Learner or Guest: chooses words, never a right',
    is: 'identity',
    grammar: /^(?:Staff|Learner|Guest)$/,
  },
  {
    name: 'Timestamp',
    describes: 'when it was signed, in UTC',
    is: 'proof',
    grammar: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/,
  },
  {
    name: 'Signature',
    describes: 'over all the others, the address and the secret',
    is: 'proof',
    grammar: /^[0-9a-f]{32}$/,
  },
  // What the reference does not have.
  { name: 'Encoding', describes: 'utf8; what is signed in another one is refused', is: 'proof', grammar: /^utf8$/ },
  {
    name: 'ReadOnly',
    describes: 'True: nothing may be changed; narrows, never widens',
    is: 'checked',
    grammar: yesOrNo,
  },
  {
    name: 'SafeToDeleteLearningObject',
    describes: 'when an instance is deleted: whether none is left of its learning object',
    is: 'checked',
    grammar: yesOrNo,
  },
] as const satisfies readonly Parameter[]

export type ParameterName = (typeof parameters)[number]['name']

export const permissions = ['Read', 'Participate', 'Evaluate', 'Modify', 'ModifyInstance'] as const
export type Permission = (typeof permissions)[number]

/** One use of the application at a customer’s. */
export interface Instance {
  readonly customerId: string
  readonly learningObjectId: string
  readonly instanceId: string
}

/** Who opens what, and how they like it. */
export interface SignedLaunch extends Instance {
  readonly apiSessionId: string
  readonly userId: string
  readonly role: 'Staff' | 'Learner' | 'Guest'
  readonly permissions: readonly Permission[]
  readonly isReadOnly: boolean
  readonly licences?: readonly Licence[]
  readonly schools?: readonly School[]
  readonly firstName?: string
  readonly lastName?: string
  readonly version?: string
  readonly locale?: string
  readonly language?: string
  readonly windowsTimeZone?: string
  readonly timeZone?: string
  readonly uses12Hours?: boolean
  readonly needsAccessibility?: boolean
}

/** That an instance is gone. */
export interface SignedDeletion extends Instance {
  /** No other instance of the learning object is left. */
  readonly isLast: boolean
}

/** Those that every launch has to bring, `demanded` beside them. Throws `LaunchRefused`. */
export function readLaunch(given: Parameters, demanded: readonly string[] = []): SignedLaunch {
  demand(given, [...namesOf('identity'), ...demanded])
  checkGrammar(given)
  const licences = listOf(given, ['LicenseIds', 'ExternalLicenseIds'], readLicences)
  const schools = listOf(given, ['SchoolId'], readSchools)
  return {
    ...instanceOf(given),
    apiSessionId: valueOf(given, 'ApiSessionId'),
    userId: valueOf(given, 'UserId'),
    role: valueOf(given, 'Role') as SignedLaunch['role'],
    permissions: readPermissions(valueOf(given, 'Permissions')),
    isReadOnly: isTrue(given, 'ReadOnly'),
    ...(licences && { licences }),
    ...(schools && { schools }),
    ...hintsOf(given),
  }
}

/** A server tells of it, so it may be of nobody and bring no session. Throws `LaunchRefused`. */
export function readDeletion(given: Parameters): SignedDeletion {
  demand(given, ['CustomerId', 'LearningObjectId', 'LearningObjectInstanceId'])
  checkGrammar(given)
  return { ...instanceOf(given), isLast: isTrue(given, 'SafeToDeleteLearningObject') }
}

function instanceOf(given: Parameters): Instance {
  return {
    customerId: valueOf(given, 'CustomerId'),
    learningObjectId: valueOf(given, 'LearningObjectId'),
    instanceId: valueOf(given, 'LearningObjectInstanceId'),
  }
}

/** Throws `LaunchRefused` unless they are all there. */
export function demand(given: Parameters, names: readonly string[]): void {
  const missing = names.filter((name) => !given.has(name.toLowerCase()))
  if (missing.length > 0) throw new LaunchRefused('parameter-missing', `It lacks ${missing.join(', ')}.`)
}

function checkGrammar(given: Parameters): void {
  for (const { name, is, grammar } of parameters) {
    if (is === 'hint' || is === 'proof') continue
    const value = given.get(name.toLowerCase())
    if (value === undefined || grammar.test(value)) continue
    throw new LaunchRefused('parameter-wrong', `${name} does not look like one: ${grammar.source}`)
  }
}

/** The hints that are none: who looks for why content does not get them is told. */
export function unreadHints(given: Parameters): readonly string[] {
  return namesOf('hint').filter((name) => given.has(name.toLowerCase()) && hintOf(given, name) === undefined)
}

function namesOf(is: Parameter['is']): readonly ParameterName[] {
  return parameters.filter((parameter) => parameter.is === is).map(({ name }) => name)
}

function valueOf(given: Parameters, name: ParameterName): string {
  return given.get(name.toLowerCase()) ?? ''
}

function isTrue(given: Parameters, name: ParameterName): boolean {
  return valueOf(given, name) === 'True'
}

/** Whether they come is all or none; words that do not fit together are no list. */
function listOf<Item>(
  given: Parameters,
  names: readonly ParameterName[],
  read: (...texts: string[]) => readonly Item[] | undefined,
): readonly Item[] | undefined {
  const texts = names.flatMap((name) => given.get(name.toLowerCase()) ?? [])
  if (texts.length === 0) return undefined
  const items = texts.length === names.length ? read(...texts) : undefined
  if (items !== undefined) return items
  throw new LaunchRefused(
    'list',
    `${names.join(' and ')} are not the list${names.length > 1 ? 's' : ''} they should be.`,
  )
}

/** Words that nobody knows give nothing. */
function readPermissions(text: string): readonly Permission[] {
  const given = text.split(',').map((word) => word.trim())
  return permissions.filter((permission) => given.includes(permission))
}

function hintsOf(given: Parameters): Partial<SignedLaunch> {
  const hint = (name: ParameterName): string | undefined => hintOf(given, name)
  const flag = (name: ParameterName): boolean | undefined => {
    const value = hint(name)
    return value === undefined ? undefined : value === 'True'
  }
  const hints = {
    firstName: hint('FirstName'),
    lastName: hint('LastName'),
    version: hint('Version'),
    locale: hint('Locale'),
    language: hint('Language'),
    windowsTimeZone: hint('WindowsTimeZoneId'),
    timeZone: hint('OlsonTimeZoneId'),
    uses12Hours: flag('Use12HTimeFormat'),
    needsAccessibility: flag('Accessibility'),
  }
  return Object.fromEntries(Object.entries(hints).filter(([, value]) => value !== undefined))
}

function hintOf(given: Parameters, name: ParameterName): string | undefined {
  const value = given.get(name.toLowerCase())
  const { grammar } = parameters.find((parameter) => parameter.name === name)!
  return value !== undefined && grammar.test(value) ? value : undefined
}
