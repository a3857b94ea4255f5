// Pins narrow what a principal reaches to one actor, registration or activity. They are never dropped by a change of rights.

import { z } from 'zod'

export interface Pins {
  /** Any one of these identities. An account without `homePage` matches any homePage. */
  readonly actor?: readonly ActorPin[]
  readonly registration?: RegistrationPin
  /** The object, or a parent or grouping activity, is this id or begins with it + `/`. */
  readonly activity?: string
  /** Reads of statements are held to the activity alone: who evaluates sees what others did. */
  readonly readsOthers?: true
}

/** A pin that decides; `readsOthers` only says about what. */
export type PinName = Exclude<keyof Pins, 'readsOthers'>

export type ActorPin = { readonly mbox: string } | { readonly accountName: string; readonly homePage?: string }

export interface RegistrationPin {
  readonly id: string
  /** `required`: every statement must carry it (cmi5). `whenPresent`: a statement without a registration passes (Tin Can). */
  readonly mode: 'required' | 'whenPresent'
}

export const noPins: Pins = {}

const actorPin = z.union(
  [
    z.strictObject({
      mbox: z
        .string()
        .regex(/^mailto:[^@\s]+@[^@\s]+$/, 'An mbox is mailto: and an e-mail address, such as mailto:ann@example.org.'),
    }),
    z.strictObject({
      accountName: z
        .string()
        .min(1, 'The name of an account must not be empty.')
        .max(1000, 'The name of an account has at most 1000 characters.'),
      homePage: z
        .url('The homePage of an account is an absolute URL.')
        .max(2000, 'The homePage of an account has at most 2000 characters.')
        .exactOptional(),
    }),
  ],
  'An actor pin is {"mbox": "mailto:…"} or {"accountName": "…", "homePage": "https://…"}; homePage may be left out.',
)

const pinMembers = z.strictObject({
  actor: z
    .array(actorPin)
    .min(1, 'An actor pin names at least one identity.')
    .max(100, 'An actor pin names at most 100 identities.')
    .exactOptional(),
  registration: z
    .strictObject({
      id: z
        .string()
        .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'A pinned registration is a lower-case UUID.'),
      mode: z.enum(['required', 'whenPresent'], 'The mode is required or whenPresent.'),
    })
    .exactOptional(),
  activity: z
    .string()
    .max(2000, 'A pinned activity has at most 2000 characters.')
    .regex(/^[a-z][a-z0-9+.-]*:\S+$/i, 'A pinned activity is an absolute IRI, such as https://example.org/course.')
    .exactOptional(),
  readsOthers: z.literal(true, 'Only true can be set.').exactOptional(),
})

export const pinsSchema: z.ZodType<Pins> = pinMembers.refine(
  ({ activity, readsOthers }) => readsOthers === undefined || activity !== undefined,
  { path: ['readsOthers'], message: 'Reading what others did goes with a pinned activity.' },
)

/** Pins that hold both sets at once; undefined when nothing could ever satisfy both. */
export function combinePins(a: Pins, b: Pins): Pins | undefined {
  const actor = combineActors(a.actor, b.actor)
  const registration = combineRegistrations(a.registration, b.registration)
  const activity = combineActivities(a.activity, b.activity)
  if (actor === 'never' || registration === 'never' || activity === 'never') return undefined
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(registration === undefined ? {} : { registration }),
    ...(activity === undefined ? {} : { activity: activity.id }),
    ...((a.readsOthers || b.readsOthers) && readsAll(a) && readsAll(b) && { readsOthers: true as const }),
  }
}

/** What reads of statements are held to. */
export function readingPins(pins: Pins): Pins {
  if (pins.readsOthers === undefined) return pins
  return pins.activity === undefined ? noPins : { activity: pins.activity }
}

/** No actor and no registration of it stands before what is read. */
function readsAll({ actor, registration, readsOthers }: Pins): boolean {
  return readsOthers === true || (actor === undefined && registration === undefined)
}

/** True when whatever `a` lets pass, `b` does too. */
export function arePinsWithin(a: Pins, b: Pins): boolean {
  const { actor, registration, activity } = b
  return (
    (a.readsOthers === undefined || readsAll(b)) &&
    (actor === undefined || a.actor?.every((pin) => actor.some((wider) => isActorWithin(pin, wider))) === true) &&
    (registration === undefined ||
      (a.registration?.id === registration.id &&
        (registration.mode === 'whenPresent' || a.registration.mode === 'required'))) &&
    (activity === undefined || (a.activity !== undefined && isActivityWithin(a.activity, activity)))
  )
}

function combineActors(a: Pins['actor'], b: Pins['actor']): Pins['actor'] | 'never' {
  if (a === undefined || b === undefined) return a ?? b
  const shared = a.flatMap((one) =>
    b.flatMap((two) => (isActorWithin(one, two) ? [one] : isActorWithin(two, one) ? [two] : [])),
  )
  return shared.length === 0 ? 'never' : shared
}

function isActorWithin(a: ActorPin, b: ActorPin): boolean {
  if ('mbox' in a || 'mbox' in b) return 'mbox' in a && 'mbox' in b && a.mbox === b.mbox
  return a.accountName === b.accountName && (b.homePage === undefined || a.homePage === b.homePage)
}

function combineRegistrations(a: Pins['registration'], b: Pins['registration']): Pins['registration'] | 'never' {
  if (a === undefined || b === undefined) return a ?? b
  if (a.id !== b.id) return 'never'
  return a.mode === 'required' ? a : b
}

function combineActivities(a: string | undefined, b: string | undefined): { id: string } | 'never' | undefined {
  if (a === undefined || b === undefined) {
    const id = a ?? b
    return id === undefined ? undefined : { id }
  }
  if (isActivityWithin(a, b)) return { id: a }
  return isActivityWithin(b, a) ? { id: b } : 'never'
}

function isActivityWithin(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`)
}
