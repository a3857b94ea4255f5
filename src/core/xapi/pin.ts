// Whether a statement, or what a request names by its parameters, lies inside what a credential is pinned to; and how it would.

import type { ActorPin, PinName, Pins, RegistrationPin } from '../pins.ts'
import { foldMailbox } from './agent.ts'
import { isObject } from './rule.ts'
import type { Statement } from './statement.ts'

/** The name of the first pin that decides against the statement. */
export function pinViolation(statement: Statement, pins: Pins): PinName | undefined {
  if (pins.actor && !pins.actor.some((pin) => isActor(statement['actor'], pin))) return 'actor'
  if (pins.registration && !isRegistration(statement['context'], pins.registration)) return 'registration'
  if (pins.activity !== undefined && !isUnderActivity(statement, pins.activity)) return 'activity'
  return undefined
}

/** What a request without a statement is about. A member that is there and undefined was not given but could have been. */
export interface Subject {
  readonly agent?: unknown
  readonly activityId?: string
  /** Null: all of them, which is outside of any one. */
  readonly registration?: string | null | undefined
}

/** The name of the first pin that decides against it. A pin on what the resource does not have decides nothing. */
export function subjectViolation(subject: Subject, pins: Pins): PinName | undefined {
  if ('agent' in subject && !isAgentInside(subject.agent, pins)) return 'actor'
  if ('registration' in subject && pins.registration && !isRegistration(subject, pins.registration)) {
    return 'registration'
  }
  if (subject.activityId !== undefined && !isActivityInside(subject.activityId, pins)) return 'activity'
  return undefined
}

/** Pointers to what a pin is about. */
const places = {
  statement: { actor: '/actor', registration: '/context/registration', activity: '/object' },
  request: { actor: '?agent', registration: '?registration', activity: '?activityId' },
} as const satisfies Record<string, Record<PinName, string>>

/**
 * Why it is refused, and what would be let pass: said to who holds the key, whose own restriction the pin is.
 * `what`: a statement, or a request by its parameters.
 */
export function outsidePin(
  pin: PinName,
  pins: Pins,
  what: 'statement' | 'request',
): { readonly decidedBy: string; readonly reason: string; readonly remedy: string; readonly pointer: string } {
  return {
    decidedBy: `pin ${pin}`,
    reason: `This key is pinned to one ${pin}, and the ${what} lies outside that pin.`,
    remedy: `Make ${members[what][pin]} ${pinText(pin, pins)}${alternative(pin, pins, what)}.`,
    pointer: places[what][pin],
  }
}

const members = {
  statement: {
    actor: '"actor"',
    registration: '"context.registration"',
    activity: '"object", or a parent or grouping activity,',
  },
  request: { actor: '"agent"', registration: '"registration"', activity: '"activityId"' },
}

/** Identities that a message lists. */
const mostListed = 3

/** What lies inside the pin, in words. */
export function pinText(pin: PinName, { actor = [], registration, activity }: Pins): string {
  switch (pin) {
    case 'actor': {
      const others = actor.length - mostListed
      const listed = actor.slice(0, mostListed).map(identityText)
      return [...listed, ...(others > 0 ? [`one of ${others} more identities`] : [])].join(' or ')
    }
    case 'registration':
      return registration?.id ?? ''
    case 'activity':
      return `${activity} or one that begins with ${activity}/`
  }
}

function identityText(identity: ActorPin): string {
  if ('mbox' in identity) return identity.mbox
  const name = JSON.stringify(identity.accountName)
  return identity.homePage === undefined ? `the account ${name}` : `the account ${name} of ${identity.homePage}`
}

function alternative(pin: PinName, { registration }: Pins, what: 'statement' | 'request'): string {
  if (pin !== 'registration' || registration?.mode !== 'whenPresent') return ''
  return what === 'statement' ? ', or leave it out' : ', or leave it out and name one document'
}

export function isAgentInside(agent: unknown, { actor }: Pins): boolean {
  return actor === undefined || actor.some((pin) => isActor(agent, pin))
}

export function isActivityInside(id: string, { activity }: Pins): boolean {
  return activity === undefined || id === activity || id.startsWith(`${activity}/`)
}

/** The Agent by its own identifier. A Group is nobody's own, whatever it is known by. */
function isActor(actor: unknown, pin: ActorPin): boolean {
  if (!isObject(actor) || (actor['objectType'] ?? 'Agent') !== 'Agent' || actor['member'] !== undefined) return false
  if ('mbox' in pin) return typeof actor['mbox'] === 'string' && foldMailbox(actor['mbox']) === foldMailbox(pin.mbox)
  const account = actor['account']
  if (!isObject(account) || account['name'] !== pin.accountName) return false
  return pin.homePage === undefined || account['homePage'] === pin.homePage
}

function isRegistration(context: unknown, pin: RegistrationPin): boolean {
  const registration = isObject(context) ? context['registration'] : undefined
  if (registration === undefined) return pin.mode === 'whenPresent'
  return typeof registration === 'string' && registration.toLowerCase() === pin.id.toLowerCase()
}

function isUnderActivity({ object, context }: Statement, pinned: string): boolean {
  const activities = isObject(context) && isObject(context['contextActivities']) ? context['contextActivities'] : {}
  const candidates = [object, activities['parent'], activities['grouping']].flat()
  return candidates.some((candidate) => isActivity(candidate, pinned))
}

function isActivity(value: unknown, pinned: string): boolean {
  if (!isObject(value) || (value['objectType'] ?? 'Activity') !== 'Activity') return false
  return typeof value['id'] === 'string' && isActivityInside(value['id'], { activity: pinned })
}
