// The words in which the command line takes rights, pins, limits and times, and how they become the core's values.
// Every mistake is a `UsageError` that names what would be accepted.

import { leastSecretLength } from '../config.ts'
import type { LrsId } from '../core/ids.ts'
import { maxId } from '../core/ids.ts'
import type { Limits } from '../core/limits.ts'
import { nearest } from '../core/nearest.ts'
import type { ActorPin, Pins } from '../core/pins.ts'
import { managementActions, managementAreas, xapiRights } from '../core/rights.ts'
import type {
  Bound,
  ManagementAction,
  ManagementArea,
  ManagementGrant,
  Reach,
  Rights,
  XapiRight,
} from '../core/rights.ts'
import { UsageError } from './outcome.ts'

/** For an option that may be given several times. Not variadic: such an option would swallow what follows it. */
export function repeated(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** A whole number from `least` up. */
export function parseNumber(text: string, what: string, least = 1, most = maxId): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`${what} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`)
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** `90s`, `15m`, `24h`, `30d`, `2w`, or plain seconds. */
export function parseDuration(
  text: string,
  what: string,
  bounds?: { readonly min: number; readonly max: number },
): number {
  const match = /^(\d{1,9})([smhdw]?)$/.exec(text)
  const seconds = match ? Number(match[1]) * secondsOf[match[2] || 's']! : Number.NaN
  if (bounds && (seconds < bounds.min || seconds > bounds.max)) {
    throw new UsageError(`${what} must be from ${inUnits(bounds.min)} to ${inUnits(bounds.max)}, not ${text}`)
  }
  if (match) return seconds
  throw new UsageError(`${what} must be a time such as 90s, 15m, 24h, 30d or 2w, not ${JSON.stringify(text)}`)
}

/** The same in the largest unit that holds it whole. */
function inUnits(seconds: number): string {
  const unit = ['d', 'h', 'm'].find((name) => seconds > 0 && seconds % secondsOf[name]! === 0) ?? 's'
  return `${seconds / secondsOf[unit]!}${unit}`
}

/** A date, a timestamp, a duration from `now`, or `never`; Unix milliseconds. */
export function parseExpiry(text: string, now: number): number | null {
  if (text === 'never') return null
  if (/^\d{1,9}[smhdw]$/.test(text)) return now + parseDuration(text, '--expires') * 1000
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:T.*)?$/.exec(text) ?? []
  const at = day === undefined ? Number.NaN : Date.parse(text)
  if (day === undefined || Number.isNaN(at)) {
    throw new UsageError(`--expires must be a date such as 2027-01-31, a time such as 30d, or never, not ${text}`)
  }
  // Date.parse takes 30 February for 2 March.
  if (!new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) {
    throw new UsageError(`--expires ${text}: there is no such day`)
  }
  if (at <= now) throw new UsageError(`--expires ${text} is in the past`)
  return at
}

export interface RightsOptions {
  readonly right?: readonly string[]
  readonly manage?: readonly string[]
  /** Marks management of credentials as delegated. */
  readonly within?: boolean
}

/** The Lrs of applications, by the applications' ids. */
export type LrsOfApplications = ReadonlyMap<string, readonly LrsId[]>

/** The applications that bounds of management name. */
export function applicationsIn({ manage = [] }: RightsOptions): readonly string[] {
  return manage.flatMap((text) => /@application\/([^/]+)$/.exec(text)?.[1] ?? [])
}

/** `start` plus what the options add; a right given again takes the reach given here. */
export function addRights(start: Rights, options: RightsOptions, lrsOf: LrsOfApplications = new Map()): Rights {
  const xapi: Partial<Record<XapiRight, Reach>> = { ...start.xapi }
  for (const text of options.right ?? []) Object.assign(xapi, parseRight(text))
  const management = (options.manage ?? []).flatMap((text) => parseManage(text, options.within ?? false, lrsOf))
  if (options.within && !management.some((grant) => grant.within)) {
    throw new UsageError('--within belongs to --manage credentials')
  }
  return { xapi, management: [...start.management, ...management] }
}

function parseRight(text: string): Partial<Record<XapiRight, Reach>> {
  const [name = '', reach = 'any', ...rest] = text.split(':')
  if ((reach !== 'any' && reach !== 'mine') || rest.length > 0) {
    throw new UsageError(`--right ${text}: the reach is :any or :mine, as in statements/read:mine`)
  }
  return { [oneOf(name, xapiRights, '--right')]: reach }
}

// AREA[:ACTION[,ACTION…]][@lrs/ID or @application/ID], where AREA may be all
function parseManage(text: string, within: boolean, lrsOf: LrsOfApplications): readonly ManagementGrant[] {
  const [, areaText = '', actionsText, boundText] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/.exec(text) ?? []
  const area = oneOf(areaText, ['all', ...managementAreas] as const, '--manage')
  const areas: readonly ManagementArea[] = area === 'all' ? managementAreas : [area]
  const actions: readonly ManagementAction[] =
    actionsText === undefined
      ? managementActions
      : actionsText.split(',').map((action) => oneOf(action, managementActions, `--manage ${areaText}`))
  const bound = parseBound(boundText, lrsOf)
  return areas.map((each) => delegated({ area: each, actions, bound }, within))
}

function delegated(grant: ManagementGrant, within: boolean): ManagementGrant {
  return within && grant.area === 'credentials' ? { ...grant, within } : grant
}

function parseBound(text: string | undefined, lrsOf: LrsOfApplications): Bound {
  if (text === undefined || text === 'organisation') return { kind: 'organisation' }
  if (text === 'applications') return { kind: text }
  const [kind, id, ...rest] = text.split('/')
  if (rest.length === 0 && id && kind === 'lrs') return { kind, id: parseNumber(id, 'the Lrs of --manage') as LrsId }
  if (rest.length === 0 && id && kind === 'application') return { kind, id, lrsIds: lrsOf.get(id) ?? [] }
  throw new UsageError(`--manage …@${text}: the bound is organisation, applications, application/ID or lrs/ID`)
}

export function oneOf<T extends string>(text: string, allowed: readonly T[], what: string): T {
  const found = allowed.find((item) => item === text)
  if (found !== undefined) return found
  throw new UsageError(unknownWord(text, allowed, what))
}

/** `--right statments/read is not known; did you mean statements/read? There are: statements/read, …` */
export function unknownWord(text: string, allowed: readonly string[], what: string): string {
  const near = nearest(text, allowed)
  const words = allowed.length === 0 ? 'There are none' : `There are: ${allowed.join(', ')}`
  return `${what} ${text} is not known${near ? `; did you mean ${near}?` : '.'} ${words}`
}

export interface PinOptions {
  readonly pinActor?: readonly string[]
  readonly pinRegistration?: string
  readonly pinRegistrationWhenPresent?: string
  readonly pinActivity?: string
}

export function parsePins(options: PinOptions): Pins {
  if (options.pinRegistration !== undefined && options.pinRegistrationWhenPresent !== undefined) {
    throw new UsageError('give one of --pin-registration and --pin-registration-when-present')
  }
  const id = options.pinRegistration ?? options.pinRegistrationWhenPresent
  if (id !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    throw new UsageError(`a pinned registration is a UUID, not ${JSON.stringify(id)}`)
  }
  const mode = options.pinRegistration === undefined ? 'whenPresent' : 'required'
  return {
    ...(options.pinActor && { actor: options.pinActor.map((word) => parseActorPin(word, '--pin-actor')) }),
    ...(id !== undefined && { registration: { id: id.toLowerCase(), mode } }),
    ...(options.pinActivity !== undefined && { activity: options.pinActivity }),
  }
}

// mailto:NAME@HOST | NAME | NAME@http(s)://HOMEPAGE
export function parseActorPin(text: string, what: string): ActorPin {
  if (text.startsWith('mailto:')) return { mbox: text }
  const [, accountName = '', homePage] = /^(.*?)(?:@(https?:\/\/.*))?$/.exec(text) ?? []
  if (accountName === '') {
    throw new UsageError(
      `${what} is mailto:ANN@EXAMPLE.ORG, an account name, or NAME@https://HOME.PAGE, not ${JSON.stringify(text)}`,
    )
  }
  return homePage === undefined ? { accountName } : { accountName, homePage }
}

/** A secret somebody chose, not what we made: long enough not to be guessed by trying. */
export function checkChosenSecret(secret: string, what: string, least = leastSecretLength): void {
  if (Array.from(secret).length >= least) return
  throw new UsageError(`${what} must have at least ${least} characters`)
}

export interface LimitOptions {
  readonly limitRate?: string
  readonly limitBurst?: string
  readonly limitBatch?: string
  readonly limitBody?: string
  readonly limitDaily?: string
  readonly limitAddress?: readonly string[]
  readonly limitOrigin?: readonly string[]
  readonly limitXapiVersion?: readonly string[]
}

export function parseLimits(options: LimitOptions): Limits {
  const number = (text: string | undefined, name: string): number | undefined =>
    text === undefined ? undefined : parseNumber(text, name)
  const limits: { [Name in keyof Limits]: Limits[Name] | undefined } = {
    ratePerMinute: number(options.limitRate, '--limit-rate'),
    burst: number(options.limitBurst, '--limit-burst'),
    batch: number(options.limitBatch, '--limit-batch'),
    bodyBytes: number(options.limitBody, '--limit-body'),
    dailyQuota: number(options.limitDaily, '--limit-daily'),
    addresses: options.limitAddress,
    origins: options.limitOrigin,
    xapiVersions: options.limitXapiVersion?.map((text) => oneOf(text, ['1.0', '2.0'], '--limit-xapi-version')),
  }
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)) as Limits
}
