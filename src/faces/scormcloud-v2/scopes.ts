// The words of tokens, and which rights of a key each of them stands for.
// Knows nothing of HTTP; that an operation takes one of several words is its route's to say.

import type { ManagementArea, Rights } from '../../core/rights.ts'

const verbs = ['read', 'write', 'delete'] as const
type Verb = (typeof verbs)[number]
const things = ['course', 'dispatch', 'invitation', 'registration', 'xapicredential', 'xapipipe', 'appmgmt'] as const

/** Facts 2.2: every word that the vendor's pages name. */
export type Scope =
  | Verb
  | 'admin'
  | `${Verb}:${(typeof things)[number]}`
  | 'read:ping'
  | 'read:about'
  | 'read:reporting'
  | 'read:learner'
  | 'write:learner'

export const scopes: readonly Scope[] = [
  ...verbs,
  'admin',
  ...things.flatMap((thing) => verbs.map((verb) => `${verb}:${thing}` as const)),
  ...(['read:ping', 'read:about', 'read:reporting', 'read:learner', 'write:learner'] as const),
]

/** What is offered here. */
export type Thing = 'xapicredential' | 'xapipipe' | 'appmgmt'

/** Of the areas that keys of this API manage, the thing that scopes call it. */
const thingOf: Readonly<Partial<Record<ManagementArea, Thing>>> = {
  applications: 'appmgmt',
  credentials: 'xapicredential',
  forwarding: 'xapipipe',
  settings: 'appmgmt',
}

/** Words that will do for a verb on a thing: its own, `admin`, and the plain verb, which does not reach `appmgmt` (S4.7). */
export function scopesFor(verb: Verb, thing: Thing): readonly Scope[] {
  return thing === 'appmgmt' ? [`${verb}:${thing}`, 'admin'] : [verb, `${verb}:${thing}`, 'admin']
}

/** The part of a key's rights that the words stand for; never more than the key has. */
export function rightsOf(held: Rights, asked: readonly Scope[]): Rights {
  const management = held.management.flatMap((grant) => {
    const thing = thingOf[grant.area]
    const isAsked = (action: Verb): boolean =>
      thing !== undefined && scopesFor(action, thing).some((word) => asked.includes(word))
    const actions = grant.actions.filter(isAsked)
    return actions.length === 0 ? [] : [{ ...grant, actions }]
  })
  return { xapi: {}, management }
}
