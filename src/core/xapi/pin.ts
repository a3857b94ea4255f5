// Whether a statement lies inside what a credential is pinned to.

import type { ActorPin, Pins, RegistrationPin } from '../pins.ts'
import { foldMailbox } from './agent.ts'
import { isObject } from './rule.ts'
import type { Statement } from './statement.ts'

/** The name of the first pin that decides against the statement. */
export function pinViolation(statement: Statement, pins: Pins): keyof Pins | undefined {
  if (pins.actor && !pins.actor.some((pin) => isActor(statement['actor'], pin))) return 'actor'
  if (pins.registration && !isRegistration(statement['context'], pins.registration)) return 'registration'
  if (pins.activity !== undefined && !isUnderActivity(statement, pins.activity)) return 'activity'
  return undefined
}

/** The actor by its own identifier. A Group with members would file the statement under them too. */
function isActor(actor: unknown, pin: ActorPin): boolean {
  if (!isObject(actor) || actor['member'] !== undefined) return false
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
  const id = value['id']
  return typeof id === 'string' && (id === pinned || id.startsWith(`${pinned}/`))
}
