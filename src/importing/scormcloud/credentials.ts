// xAPI credentials of an application of SCORM Cloud, read into keys.

import { checkName } from '../../core/check.ts'
import type { LrsId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/xapi/rule.ts'
import { auths, levels, rememberWords, rightsOf } from '../../faces/scormcloud-v2/words.ts'
import type { Level } from '../../faces/scormcloud-v2/words.ts'
import { textIn } from '../json-api.ts'
import type { FoundKey } from '../keys.ts'
import { oidFor } from '../owners.ts'
import { wordIn } from './applications.ts'

export interface Unreadable {
  readonly why: string
}

/** `level`: undefined where it has none, and may do nothing. */
export type FoundCredential = { readonly key: FoundKey; readonly level: Level | undefined }

export function readCredential(
  entry: JsonObject,
  {
    applicationId,
    lrsIds,
    address,
  }: { readonly applicationId: string; readonly lrsIds: readonly LrsId[]; readonly address: string },
): FoundCredential | Unreadable {
  const [id, secret] = [textIn(entry['id']), textIn(entry['secret'])]
  const auth = wordIn(entry['auth'], 'xapiCredentialAuthType') ?? 'BASICAUTH'
  const said = wordIn(entry['permissionsLevel'], 'xapiCredentialPermissionsLevel')
  const level = levels.find((word) => word === said)
  if (id === undefined) return { why: 'It has no id.' }
  if (secret === undefined) return { why: 'Its secret is not shown: make a key with claviger credential create.' }
  if (!auths.some((word) => word === auth)) return { why: `auth is none that is known: ${shown(auth)}` }
  if (said !== undefined && level === undefined)
    return { why: `permissionsLevel is none that is known: ${shown(said)}` }
  const rights = level === undefined ? { xapi: {}, management: [] } : rightsOf(level)
  const name = textIn(entry['name']) ?? 'Unnamed Account'
  const { secret: _, ...record } = entry
  const key: FoundKey = {
    ...{ oid: oidFor(`scormcloud ${applicationId} ${id}`), key: id, secret, rights, lrsIds },
    name: checkName(name).length === 0 ? name : id,
    isEnabled: entry['isEnabled'] !== false,
    oauth: auth === 'OAUTH' ? {} : null,
    words: rememberWords({}, { level, info: textIn(entry['info']) }, rights),
    place: { file: address, line: 0, id, record: () => record },
  }
  return { key, level }
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 60) ?? 'undefined'
}
