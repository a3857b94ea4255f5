// The words of permissionslevel: what they stand for, and which one to show for rights that were given elsewhere.
// Knows nothing of XML or HTTP.

import { getPreset } from '../../core/presets.ts'
import { fingerprint, isWithin } from '../../core/rights.ts'
import type { Rights } from '../../core/rights.ts'
import type { CredentialRecord, Json } from '../../core/storage.ts'
import type { FacePreset } from '../face.ts'

type XapiRights = Rights['xapi']

/** From wide to narrow, so that the first that fits is the nearest. The rights themselves are core's presets. */
const levelRights = {
  DEFAULT: getPreset('isolated').rights.xapi,
  READ_ANY: getPreset('read-only').rights.xapi,
  // Its own data only; "read only" of callbacks and of the second API reads everything (facts 1.8).
  READ_ONLY: getPreset('read-mine').rights.xapi,
  WRITE_ONLY: getPreset('write-only').rights.xapi,
} as const satisfies Record<string, XapiRights>

export type PermissionsLevel = keyof typeof levelRights
/** In the order of the reference. */
export const permissionsLevels = ['DEFAULT', 'READ_ONLY', 'READ_ANY', 'WRITE_ONLY'] as const
/** Empty: nobody has set one yet, which is as DEFAULT; or none of the words is as narrow as the truth. */
export type ShownLevel = PermissionsLevel | ''

/** Rights and words of a provider just made. */
export function newWorth(): { readonly rights: Rights; readonly words: Readonly<Record<string, Json>> } {
  const rights: Rights = { xapi: levelRights.DEFAULT, management: [] }
  return { rights, words: { 'scormcloud-v1': rememberLevel('', rights) } }
}

/** The word that was sent while it still holds, else the nearest that is not wider than the truth. */
export function levelOf({ rights, words }: Pick<CredentialRecord, 'rights' | 'words'>): ShownLevel {
  return rememberedLevel(rights, words['scormcloud-v1']) ?? nearestLevel(rights)
}

/** Replaces the rights on the xAPI and leaves everything else as it is. */
export function changeLevel(
  { rights: { management }, words }: CredentialRecord,
  level: PermissionsLevel,
): Pick<CredentialRecord, 'rights' | 'words'> {
  const rights: Rights = { xapi: levelRights[level], management }
  return { rights, words: { ...words, 'scormcloud-v1': rememberLevel(level, rights) } }
}

/** As `CredentialRecord.words` keeps it, bound to the rights it stands for. */
function rememberLevel(level: ShownLevel, rights: Rights): Json {
  return { permissionsLevel: level, rights: fingerprint(rights) }
}

function rememberedLevel(rights: Rights, kept: Json | undefined): ShownLevel | undefined {
  if (typeof kept !== 'object' || kept === null || !('rights' in kept)) return undefined
  if (kept['rights'] !== fingerprint(rights)) return undefined
  return (['', ...permissionsLevels] as const).find((level) => level === kept['permissionsLevel'])
}

function nearestLevel(rights: Rights): ShownLevel {
  const fits = (level: PermissionsLevel): boolean => isWithin({ xapi: levelRights[level], management: [] }, rights)
  return (Object.keys(levelRights) as PermissionsLevel[]).find(fits) ?? ''
}

const summaries: Readonly<Record<PermissionsLevel, string>> = {
  DEFAULT: 'Stores everything, reads what was stored with it.',
  READ_ONLY: 'Reads what was stored with it, stores nothing.',
  READ_ANY: 'Reads everything, stores nothing.',
  WRITE_ONLY: 'Stores statements, reads nothing.',
}

/** For the command line: `default`, `read-only`, … */
export const presets: readonly FacePreset[] = permissionsLevels.map((level) => {
  const rights: Rights = { xapi: levelRights[level], management: [] }
  const name = level.toLowerCase().replace('_', '-')
  return { name, summary: summaries[level], rights, words: rememberLevel(level, rights) }
})
