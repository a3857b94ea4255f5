// Learning Locker's scopes: which rights each stands for, and which to show for rights that were given elsewhere.
// Knows nothing of HTTP; which scope an address takes follows from the rights it asks for.

import { getPreset } from '../../core/presets.ts'
import { allManagement, fingerprint, isWithin, xapiRights } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { CredentialRecord, Json } from '../../core/storage.ts'
import type { FacePreset } from '../face.ts'

type Words = CredentialRecord['words']

/**
 * From wide to narrow, so that what others include comes after them. Of two that mean the same the first is shown: the product
 * renamed `all/read` to `xapi/read` itself (facts 0.2). The rights are core's presets.
 */
const scopeRights = {
  all: getPreset('xapi-and-management').rights,
  'xapi/all': getPreset('xapi').rights,
  'xapi/read': getPreset('read-only').rights,
  'all/read': getPreset('read-only').rights,
  'statements/write': getPreset('statements-write').rights,
  'statements/read': getPreset('statements-read').rights,
  'statements/read/mine': getPreset('statements-read-mine').rights,
  state: getPreset('state').rights,
  profile: getPreset('profile').rights,
  // Not part of `all` (facts 0.3).
  'statements/delete': getPreset('statements-delete').rights,
} as const satisfies Record<string, Rights>

export type Scope = keyof typeof scopeRights
export const scopes = Object.keys(scopeRights) as readonly Scope[]

export function isScope(word: unknown): word is Scope {
  return scopes.some((scope) => scope === word)
}

/** Any one scope is enough for what it lets through (facts 1.4), so several are worth all of theirs together. */
export function rightsOf(given: readonly Scope[]): Rights {
  const reaches = xapiRights.flatMap((right) => {
    const each = given.map((scope) => scopeRights[scope].xapi[right])
    return each.includes('any') ? [[right, 'any']] : each.includes('mine') ? [[right, 'mine']] : []
  })
  return { xapi: Object.fromEntries(reaches) as Rights['xapi'], management: given.includes('all') ? allManagement : [] }
}

/** What the API asks of who manages clients, stores and the organisation (facts 2.1): everything `all` stands for. */
export function hasAll(rights: Rights): boolean {
  return isWithin(scopeRights.all, rights)
}

/** The scopes that were sent while they still hold, else the nearest that are not wider than the truth; none where none is as narrow. */
export function scopesOf({ rights, words }: Pick<CredentialRecord, 'rights' | 'words'>): readonly Scope[] {
  return rememberedScopes(rights, words) ?? nearestScopes(rights)
}

/**
 * The same scopes as are shown, in whatever order, change no right. Others replace the rights on the xAPI and the management that
 * `all` stands for; narrower management stays, for no scope says anything of it.
 */
export function changeScopes(
  credential: Pick<CredentialRecord, 'rights' | 'words'>,
  given: readonly Scope[],
): Pick<CredentialRecord, 'rights' | 'words'> {
  const shown = scopesOf(credential)
  const rights = isSameSet(shown, given) ? credential.rights : replaceRights(credential.rights, given)
  return { rights, words: rememberWords(credential.words, given, rights) }
}

/** The words of a credential with these scopes in place of the ones before, bound to the rights they stand for. */
export function rememberWords(before: Words, given: readonly Scope[], rights: Rights = rightsOf(given)): Words {
  return { ...before, [own]: { ...membersOf(before), scopes: [...given], rights: fingerprint(rights) } }
}

const own = 'learninglocker'

function replaceRights(before: Rights, given: readonly Scope[]): Rights {
  const managesAll = isWithin({ xapi: {}, management: allManagement }, before)
  const rights = rightsOf(given)
  return managesAll || given.includes('all') ? rights : { ...rights, management: before.management }
}

function rememberedScopes(rights: Rights, words: Words): readonly Scope[] | undefined {
  const { scopes: kept, rights: print } = membersOf(words)
  return print === fingerprint(rights) && Array.isArray(kept) && kept.every(isScope) ? kept : undefined
}

function nearestScopes(rights: Rights): readonly Scope[] {
  const shown: Scope[] = []
  for (const scope of scopes) {
    const isMore = !isWithin(scopeRights[scope], rightsOf(shown))
    if (isMore && isWithin(scopeRights[scope], rights)) shown.push(scope)
  }
  return shown
}

function isSameSet(one: readonly Scope[], other: readonly Scope[]): boolean {
  return scopes.every((scope) => one.includes(scope) === other.includes(scope))
}

function membersOf(words: Words): Readonly<Record<string, Json>> {
  const kept = words[own]
  return typeof kept === 'object' && kept !== null && !Array.isArray(kept) ? (kept as Record<string, Json>) : {}
}

const summaries: Readonly<Record<Scope, string>> = {
  all: 'Stores and reads everything, manages the whole organisation.',
  'xapi/all': 'Stores and reads everything.',
  'xapi/read': 'Reads everything, stores nothing.',
  'all/read': 'As xapi/read.',
  'statements/write': 'Stores statements, reads nothing.',
  'statements/read': 'Reads all statements, no documents.',
  'statements/read/mine': 'Reads the statements stored with it, no documents.',
  state: 'Reads and writes state documents.',
  profile: 'Reads and writes profiles, reads agents and activities.',
  'statements/delete': 'Erases statements; no other scope includes it.',
}

/** For the command line: each scope alone. */
export const presets: readonly FacePreset[] = scopes.map((scope) => {
  const words = rememberWords({}, [scope])[own] ?? null
  return { name: scope, summary: summaries[scope], rights: rightsOf([scope]), words }
})
