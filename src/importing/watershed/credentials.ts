// Watershed's credentials ("activity providers") as its API lists them, read into keys. Nothing it answers is taken on trust.

import { DomainError } from '../../core/errors.ts'
import type { CredentialId, LrsId, OrganisationId } from '../../core/ids.ts'
import { maxId } from '../../core/ids.ts'
import type { JsonObject } from '../../core/xapi/rule.ts'
import { apiAccesses, lrsAccesses, rememberWords, rightsOf } from '../../faces/watershed/words.ts'
import type { Words } from '../../faces/watershed/words.ts'
import { objectsIn, textIn } from '../json-api.ts'
import type { JsonApi } from '../json-api.ts'
import type { FoundKey } from '../keys.ts'
import { oidFor } from '../owners.ts'

/** As an entry of the list, or why it is none. */
export interface Provider {
  readonly entry: JsonObject
  readonly id: number
  readonly name: string
  readonly key: string
  readonly secret: string
  readonly isActive: boolean
  readonly words: Words
  readonly createdAt: number | undefined
}

export interface Unreadable {
  readonly entry: JsonObject
  readonly why: string
}

/** The most that a page may have there (facts: UsingAPI). */
const pageLength = 1_000
/** More are no organisation's; somebody leads us in a circle. */
const mostProviders = 30_000

/** Every page of them, each once, by the order of their ids there. */
export async function* listProviders(api: JsonApi): AsyncGenerator<JsonObject> {
  const seen = new Set<unknown>()
  for (let offset = 0; ; offset += pageLength) {
    const { results } = await api.get(`/activity-providers?_limit=${pageLength}&_offset=${offset}`)
    if (!Array.isArray(results)) throw new DomainError('invalid', 'The list of credentials has no results.')
    const entries = objectsIn(results).filter(({ id }) => !seen.has(id))
    for (const { id } of entries) seen.add(id)
    yield* entries
    // A server without pages answers with all of them each time.
    if (results.length < pageLength || entries.length === 0) return
    if (seen.size > mostProviders) throw new DomainError('invalid', 'The list of credentials does not end.')
  }
}

export function readProvider(entry: JsonObject): Provider | Unreadable {
  const { id, active, lrsAccess = 'disabled', watershedApiAccess = 'disabled', created } = entry
  const [key, secret] = [textIn(entry['key']), textIn(entry['secret'])]
  const access = lrsAccesses.find((word) => word === lrsAccess)
  const api = apiAccesses.find((word) => word === watershedApiAccess)
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1) return { entry, why: 'It has no integer id.' }
  if (key === undefined) return { entry, why: 'It has no key.' }
  if (secret === undefined)
    return { entry, why: 'Its secret is not shown: make a key with claviger credential create.' }
  if (access === undefined)
    return { entry, why: `lrsAccess is none that is known: ${JSON.stringify(lrsAccess)?.slice(0, 60)}` }
  if (api === undefined)
    return {
      entry,
      why: `watershedApiAccess is none that is known: ${JSON.stringify(watershedApiAccess)?.slice(0, 60)}`,
    }
  const at = typeof created === 'string' ? Date.parse(created) : Number.NaN
  return {
    ...{ entry, id, key, secret, name: textIn(entry['name']) ?? 'Unnamed Provider', isActive: active !== false },
    words: { lrsAccess: access, watershedApiAccess: api },
    createdAt: at > 0 && at <= Date.now() ? at : undefined,
  }
}

/** What it becomes here: the same id, key and secret, and what its words stand for. */
export function keyOf(
  { entry, id, name, key, secret, isActive, words, createdAt }: Provider,
  {
    organisationId,
    lrsId,
    address,
  }: { readonly organisationId: OrganisationId; readonly lrsId: LrsId; readonly address: string },
): FoundKey {
  const { secret: _, ...shown } = entry
  return {
    ...{
      oid: oidFor(`watershed ${organisationId} ${id}`),
      key,
      secret,
      name,
      isEnabled: isActive,
      rights: rightsOf(words),
    },
    ...{ lrsIds: [lrsId], words: { watershed: rememberWords(words) } },
    ...(id <= maxId && { id: id as CredentialId }),
    ...(createdAt !== undefined && { createdAt }),
    place: { file: address, line: 0, id: String(id), record: () => shown },
  }
}
