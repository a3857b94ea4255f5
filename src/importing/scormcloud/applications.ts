// Applications of SCORM Cloud as its API v2 shows them: with their secret keys, xAPI credentials and settings. Nothing it answers is
// taken on trust, and what it does not show is said.

import { DomainError } from '../../core/errors.ts'
import { isObject } from '../../core/xapi/rule.ts'
import type { JsonObject } from '../../core/xapi/rule.ts'
import { learningStandards } from '../../faces/scormcloud-v2/settings-catalogue.ts'
import type { JsonApi, Login } from '../json-api.ts'
import { objectsIn, textIn } from '../json-api.ts'

export interface FoundApplication {
  readonly id: string
  readonly name: string
  readonly isDeletable: boolean
}

export interface FoundSecret {
  readonly name: string
  readonly secret: string
  readonly isEnabled: boolean
}

/** A value of its own, at its own level (empty) or at one for a part of it. */
export interface FoundSetting {
  readonly level: string
  readonly id: string
  readonly value: string
}

/** What an application's own key was shown, and what it was not. */
export interface Shown<T> {
  readonly items: readonly T[]
  /** In words; undefined where everything was shown. */
  readonly missing: string | undefined
}

/** More are no realm's; somebody leads us in a circle. */
const mostPages = 1_000

export async function listApplications(api: JsonApi): Promise<readonly FoundApplication[]> {
  const found = new Map<string, FoundApplication>()
  for await (const { id, name, allowDelete } of pagesOf(api, '/appManagement/applicationList', 'applications')) {
    if (typeof id !== 'string') throw new DomainError('invalid', 'The list of applications has one without an id.')
    found.set(id, { id, name: textIn(name) ?? id, isDeletable: allowDelete !== false })
  }
  return [...found.values()]
}

/** Its secret keys, through the key that manages applications. */
export async function listSecrets(api: JsonApi, { id }: FoundApplication): Promise<Shown<FoundSecret>> {
  const answer = await api.ask(`/appManagement/${encodeURIComponent(id)}/credentials`)
  if (answer.kind === 'refused') return { items: [], missing: `Secret keys were not shown (${answer.reason})` }
  const entries = objectsIn(answer.body['credentials'])
  const items = entries.flatMap(({ credential, name, status }) => {
    const secret = textIn(credential)
    if (secret === undefined) return []
    return [{ secret, name: textIn(name) ?? 'Imported', isEnabled: status !== 'disabled' }]
  })
  const hidden = entries.length - items.length
  const missing = 'Secret keys were listed without the keys themselves'
  return { items, missing: hidden === 0 ? undefined : missing }
}

/** As the application itself. */
export async function listXapiCredentials(api: JsonApi): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = []
  for await (const entry of pagesOf(api, '/xapi/credentials', 'xapiCredentials')) found.push(entry)
  return found
}

/** As the application itself: values of its own alone, for everything else is inherited. */
export async function listSettings(api: JsonApi): Promise<Shown<FoundSetting>> {
  const levels = learningStandards.flatMap((standard) => [true, false].map((isSingle) => ({ standard, isSingle })))
  const queries = levels.map(({ standard, isSingle }) => ({
    level: `${standard}/${isSingle}`,
    query: `?learningStandard=${standard}&singleSco=${isSingle}`,
  }))
  const items: FoundSetting[] = []
  for (const { level, query } of [{ level: '', query: '' }, ...queries]) {
    const answer = await api.ask(`/appManagement/configuration${query}`)
    if (answer.kind === 'refused') return { items, missing: `Not all settings were shown (${answer.reason})` }
    for (const { id, explicitValue } of objectsIn(answer.body['settingItems'])) {
      if (typeof id === 'string' && typeof explicitValue === 'string') items.push({ level, id, value: explicitValue })
    }
  }
  return { items, missing: undefined }
}

/** `more` of one page leads to the next, alone. */
async function* pagesOf(api: JsonApi, path: string, list: string): AsyncGenerator<JsonObject> {
  const seen = new Set<string>()
  for (let more: string | undefined; ;) {
    const body = await api.get(more === undefined ? path : `${path}?more=${encodeURIComponent(more)}`)
    if (!Array.isArray(body[list])) throw new DomainError('invalid', `${path} does not answer with ${list}.`)
    yield* objectsIn(body[list])
    more = textIn(body['more'])
    if (more === undefined) return
    if (seen.has(more) || seen.size >= mostPages) throw new DomainError('invalid', `The list ${path} does not end.`)
    seen.add(more)
  }
}

/** One of one member, as the models have it, or the word alone. */
export function wordIn(value: unknown, member: string): unknown {
  return isObject(value) ? value[member] : value
}

/** The secret to sign in with as the application. */
export function loginOf({ id }: FoundApplication, secrets: readonly FoundSecret[]): Login | undefined {
  const enabled = secrets.find(({ isEnabled }) => isEnabled)
  return enabled && { key: id, secret: enabled.secret }
}
