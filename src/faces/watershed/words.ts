// Watershed's words for rights: what lrsAccess, watershedApiAccess and the scopes stand for, and which word to show for
// rights that were given elsewhere. Knows nothing of HTTP.

import { getPreset } from '../../core/presets.ts'
import { allManagement, fingerprint, intersect, isWithin } from '../../core/rights.ts'
import type { ManagementGrant, Rights } from '../../core/rights.ts'
import type { CredentialRecord, Json, OrganisationRecord } from '../../core/storage.ts'
import type { FacePreset } from '../face.ts'

type XapiRights = Rights['xapi']

/** From wide to narrow, so that the first that fits is the nearest. The rights themselves are core's presets. */
const lrsRights = {
  global: getPreset('global').rights.xapi,
  isolated: getPreset('isolated').rights.xapi,
  globalReadOnly: getPreset('read-only').rights.xapi,
  writeOnly: getPreset('write-only').rights.xapi,
  disabled: {},
} as const satisfies Record<string, XapiRights>

export type LrsAccess = keyof typeof lrsRights
/** In the order of the article, ours last. */
export const lrsAccesses = ['disabled', 'isolated', 'global', 'globalReadOnly', 'writeOnly'] as const

export const apiAccesses = ['enabled', 'disabled'] as const
export type ApiAccess = (typeof apiAccesses)[number]

export interface Words {
  readonly lrsAccess: LrsAccess
  readonly watershedApiAccess: ApiAccess
}

/** What somebody gets who asks for nothing in particular. */
export const defaultWords: Words = { lrsAccess: 'isolated', watershedApiAccess: 'disabled' }

export function rightsOf(words: Words): Rights {
  return { xapi: xapiOf(words.lrsAccess), management: managementOf(words.watershedApiAccess) }
}

function xapiOf(word: LrsAccess): XapiRights {
  return lrsRights[word]
}

function managementOf(word: ApiAccess): readonly ManagementGrant[] {
  return word === 'enabled' ? allManagement : []
}

/** What is shown: the remembered words while they still hold, else the nearest that are not wider than the truth. */
export function wordsOf(credential: CredentialRecord, organisation: OrganisationRecord): Words {
  const words = wordsOfRights(credential)
  return reachesDefaultLrs(credential, organisation) ? words : { ...words, lrsAccess: 'disabled' }
}

/** This API knows one Lrs: the organisation's default. */
export function reachesDefaultLrs(credential: CredentialRecord, organisation: OrganisationRecord): boolean {
  return credential.lrsIds.some((lrsId) => lrsId === organisation.defaultLrsId)
}

/** Replaces the rights of the words that change and leaves everything else as it is. */
export function changeWords(
  credential: CredentialRecord,
  change: Partial<Words>,
): Pick<CredentialRecord, 'rights' | 'words'> {
  const { lrsAccess, watershedApiAccess } = change
  const rights: Rights = {
    xapi: lrsAccess === undefined ? credential.rights.xapi : xapiOf(lrsAccess),
    management: watershedApiAccess === undefined ? credential.rights.management : managementOf(watershedApiAccess),
  }
  const words = { ...wordsOfRights(credential), ...change }
  return { rights, words: { ...credential.words, watershed: rememberWords(words, rights) } }
}

/** The words as `CredentialRecord.words.watershed` keeps them, bound to the rights they stand for. */
export function rememberWords(words: Words, rights: Rights = rightsOf(words)): Json {
  return { lrsAccess: words.lrsAccess, watershedApiAccess: words.watershedApiAccess, rights: fingerprint(rights) }
}

function wordsOfRights(credential: CredentialRecord): Words {
  return rememberedWords(credential) ?? nearestWords(credential.rights)
}

function rememberedWords(credential: CredentialRecord): Words | undefined {
  const kept = credential.words['watershed']
  if (typeof kept !== 'object' || kept === null || !('rights' in kept)) return undefined
  if (kept['rights'] !== fingerprint(credential.rights)) return undefined
  const lrsAccess = lrsAccesses.find((word) => word === kept['lrsAccess'])
  const watershedApiAccess = apiAccesses.find((word) => word === kept['watershedApiAccess'])
  return lrsAccess && watershedApiAccess && { lrsAccess, watershedApiAccess }
}

function nearestWords(rights: Rights): Words {
  const fits = (word: LrsAccess): boolean => isWithin({ xapi: xapiOf(word), management: [] }, rights)
  return {
    lrsAccess: (Object.keys(lrsRights) as LrsAccess[]).find(fits) ?? 'disabled',
    watershedApiAccess: hasApiAccess(rights) ? 'enabled' : 'disabled',
  }
}

export function hasApiAccess(rights: Rights): boolean {
  return isWithin({ xapi: {}, management: allManagement }, rights)
}

export function hasLrsAccess(rights: Rights): boolean {
  return Object.keys(rights.xapi).length > 0
}

const summaries: Readonly<Record<LrsAccess, string>> = {
  disabled: 'No xAPI data at all.',
  isolated: 'Stores everything, reads what was stored with it.',
  global: 'Stores and reads everything, may name the authority.',
  globalReadOnly: 'Reads everything, stores nothing.',
  writeOnly: 'Stores statements, reads nothing.',
}

function preset(name: string, summary: string, words: Words): FacePreset {
  return { name, summary, rights: rightsOf(words), words: rememberWords(words) }
}

/** For the command line: each level of lrsAccess, and API access alone. */
export const presets: readonly FacePreset[] = [
  ...lrsAccesses.map((word) => preset(word, summaries[word], { ...defaultWords, lrsAccess: word })),
  preset('api', 'Manages every credential of the organisation, and so can give itself any access.', {
    lrsAccess: 'disabled',
    watershedApiAccess: 'enabled',
  }),
]

// ---------------------------------------------------------------------------------------------------------------------
// Scopes of sessions and tokens

export const scopes = ['xapi:read', 'xapi:write', 'xapi:all', 'wsapi:all'] as const
export type Scope = (typeof scopes)[number]

const { global: everything, globalReadOnly: reading } = lrsRights
const writing = Object.fromEntries(Object.entries(everything).filter(([right]) => !(right in reading)))

const scopeRights: Readonly<Record<Scope, Rights>> = {
  'xapi:read': { xapi: reading, management: [] },
  'xapi:write': { xapi: writing, management: [] },
  'xapi:all': { xapi: everything, management: [] },
  'wsapi:all': { xapi: {}, management: allManagement },
}

/** The part of a credential's rights that the scopes ask for; without scopes, all of them. */
export function scopedRights(rights: Rights, asked: readonly Scope[]): Rights {
  if (asked.length === 0) return rights
  return intersect(rights, {
    xapi: Object.assign({}, ...asked.map((scope) => scopeRights[scope].xapi)),
    management: asked.flatMap((scope) => scopeRights[scope].management),
  })
}

/** Whether a credential may hand out a scope: it needs the right the scope is named after. */
export function coversScope(rights: Rights, scope: Scope): boolean {
  const mayRead = rights.xapi['statements/read'] !== undefined
  const mayWrite = rights.xapi['statements/write'] !== undefined
  if (scope === 'wsapi:all') return hasApiAccess(rights)
  if (scope === 'xapi:all') return mayRead && mayWrite
  return scope === 'xapi:read' ? mayRead : mayWrite
}

/** The scopes that say what rights amount to, for showing. */
export function scopesOf(rights: Rights): readonly Scope[] {
  const xapi = coversScope(rights, 'xapi:all') ? ['xapi:all' as const] : (['xapi:read', 'xapi:write'] as const)
  return [...xapi, 'wsapi:all' as const].filter((scope) => coversScope(rights, scope))
}
