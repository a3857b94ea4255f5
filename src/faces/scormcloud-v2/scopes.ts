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

/** What a word reaches of what an application's key manages; of what it manages applications with, `appmgmt` alone. */
const reached: Readonly<Record<'xapicredential' | 'xapipipe' | 'appmgmt', readonly ManagementArea[]>> = {
  xapicredential: ['credentials'],
  xapipipe: ['forwarding'],
  appmgmt: ['settings', 'applications'],
}

/** Words that will do for a verb on a thing: its own, `admin`, and the plain verb, which does not reach `appmgmt` (S4.7). */
export function scopesFor(verb: Verb, thing: keyof typeof reached): readonly Scope[] {
  return thing === 'appmgmt' ? [`${verb}:${thing}`, 'admin'] : [verb, `${verb}:${thing}`, 'admin']
}

/** The part of a key's rights that the words stand for; never more than the key has. */
export function rightsOf(held: Rights, asked: readonly Scope[]): Rights {
  const management = held.management.flatMap((grant) => {
    const actions = grant.actions.filter((action) =>
      (Object.keys(reached) as (keyof typeof reached)[]).some(
        (thing) => reached[thing].includes(grant.area) && scopesFor(action, thing).some((word) => asked.includes(word)),
      ),
    )
    return actions.length === 0 ? [] : [{ ...grant, actions }]
  })
  return { xapi: {}, management }
}
