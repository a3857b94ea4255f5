// The words of xAPI credentials for rights: what a permissions level stands for, and which one to show for rights that were
// given elsewhere. Knows nothing of HTTP.

import { getPreset } from '../../core/presets.ts'
import { fingerprint, isWithin } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { CredentialRecord, Json } from '../../core/storage.ts'
import type { FacePreset } from '../face.ts'

/** From wide to narrow, so that the first that fits is the nearest. The rights themselves are core's presets. */
const levelRights = {
  ROOT: getPreset('xapi').rights.xapi,
  DEFAULT: getPreset('isolated').rights.xapi,
  USER: getPreset('isolated').rights.xapi,
  READONLY: getPreset('read-only').rights.xapi,
  WRITEONLY: getPreset('write-only').rights.xapi,
} as const satisfies Record<string, Rights['xapi']>

export type Level = keyof typeof levelRights
/** In the order of the vendor's model. */
export const levels = ['DEFAULT', 'USER', 'ROOT', 'READONLY', 'WRITEONLY'] as const

export const auths = ['BASICAUTH', 'OAUTH'] as const
export type Auth = (typeof auths)[number]

const own = 'scormcloud-v2'

/** What is kept beside the rights: the exact word, bound to the rights it stands for, and the caller's own text. */
export interface Words {
  readonly level?: Level | undefined
  readonly info?: string | undefined
}

/** The rights of a level, beside management that the credential has. */
export function rightsOf(level: Level, management: Rights['management'] = []): Rights {
  return { xapi: levelRights[level], management }
}

/** The remembered level while it still holds, else the nearest that is not wider than the truth; undefined where none is as narrow. */
export function levelOf({ words, rights }: Pick<CredentialRecord, 'words' | 'rights'>): Level | undefined {
  const { level, rights: print } = membersOf(words)
  const remembered = print === fingerprint(rights) ? levels.find((word) => word === level) : undefined
  if (remembered !== undefined) return remembered
  const found = Object.keys(levelRights) as Level[]
  return found.find((word) => isWithin({ xapi: levelRights[word], management: [] }, rights))
}

export function infoOf({ words }: Pick<CredentialRecord, 'words'>): string | undefined {
  const { info } = membersOf(words)
  return typeof info === 'string' ? info : undefined
}

/** The words of a credential with these of ours in place of the ones before. */
export function rememberWords(
  before: CredentialRecord['words'],
  { level, info }: Words,
  rights: Rights,
): CredentialRecord['words'] {
  const kept: Json = {
    ...(level !== undefined && { level, rights: fingerprint(rights) }),
    ...(info !== undefined && { info }),
  }
  return { ...before, [own]: kept }
}

function membersOf(words: CredentialRecord['words']): Readonly<Record<string, Json>> {
  const kept = words[own]
  return typeof kept === 'object' && kept !== null && !Array.isArray(kept) ? (kept as Record<string, Json>) : {}
}

const summaries: Readonly<Record<Level, string>> = {
  DEFAULT: 'Stores everything, reads what was stored with it.',
  USER: 'As DEFAULT.',
  ROOT: 'Stores and reads everything.',
  READONLY: 'Reads everything, stores nothing.',
  WRITEONLY: 'Stores statements, reads nothing.',
}

/** For the command line: each permissions level. */
export const presets: readonly FacePreset[] = levels.map((level) => {
  const rights = rightsOf(level)
  return { name: level, summary: summaries[level], rights, words: rememberWords({}, { level }, rights)[own] ?? null }
})
