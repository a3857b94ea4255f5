// The methods on activity providers, which is what this API calls an application's keys for xAPI.

import { mostApplications } from '../../core/application.ts'
import { checkName } from '../../core/check.ts'
import type { CredentialChange } from '../../core/credential.ts'
import { isDomainError } from '../../core/errors.ts'
import type { CredentialId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import { checkKey, hasExpired, newShortText } from '../../core/secret.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import type { Call } from './auth.ts'
import { Endpoints } from './endpoints.ts'
import { CallError } from './errors.ts'
import { required, single } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import { describeProvider, presentNewProvider, presentProvider } from './provider.ts'
import type { Provider } from './provider.ts'
import { isRealmWide } from './switches.ts'
import { changeLevel, newWorth, permissionsLevels } from './words.ts'
import { elements, isXmlText, listOf } from './wire.ts'

const defaultLabel = 'Unnamed Account'
/** Of one list; the API has no pages. */
const longestList = 10_000
/** Two keys of 114 random bits in a row that are taken are no chance any more. */
const mostTries = 2

/** Whose providers a call is about, and as whom it reaches them. */
export interface Realm {
  readonly caller: Caller
  readonly endpoints: Endpoints
}

export async function realmOf({ core, principal, application }: Omit<Call, 'parameters'>): Promise<Realm> {
  if (!isRealmWide(await core.organisations.get(principal))) {
    return { caller: principal, endpoints: new Endpoints([application]) }
  }
  const caller = await core.applications.callerForAll(principal)
  const all = await core.applications.list(caller, { by: 'createdAt', isDescending: false, limit: mostApplications })
  const others = all.items.filter(({ id }) => id !== application.id)
  return { caller, endpoints: new Endpoints([application, ...others]) }
}

export async function createActivityProvider(call: Call): Promise<string> {
  const { core } = call
  const { caller, endpoints } = await realmOf(call)
  const input = { name: defaultLabel, ...newWorth(), lrsIds: endpoints.all }
  for (let tries = 1; ; tries++) {
    try {
      const key = newShortText(core.ids)
      const issued = await core.credentials.create(caller, { ...input, key, secret: newShortText(core.ids) })
      return elements({ activityProvider: presentNewProvider(describe(call, endpoints, issued)) })
    } catch (error) {
      if (!isDomainError(error) || error.code !== 'conflict' || tries >= mostTries) throw error
    }
  }
}

export async function listActivityProviders(call: Call): Promise<string> {
  const { caller, endpoints } = await realmOf(call)
  const slice = { offset: 0, limit: longestList }
  const { items } = await call.core.credentials.listRevealed(caller, { kind: 'client' }, slice)
  const present = (item: Revealed) => ({ activityProvider: presentProvider(describe(call, endpoints, item)) })
  return listOf('activityProviderList', items, present)
}

export async function editActivityProvider(call: Call): Promise<string> {
  const { core, parameters } = call
  const realm = await realmOf(call)
  const { id } = await findProvider(call, realm)
  await core.credentials.update(realm.caller, id, (credential) => {
    const shown = describe(call, realm.endpoints, { credential, secret: undefined })
    return changeOf({ shown, credential, endpoints: realm.endpoints, now: core.clock.now() }, parameters)
  })
  const revealed = await core.credentials.reveal(realm.caller, id)
  return elements({ activityProvider: presentProvider(describe(call, realm.endpoints, revealed)) })
}

export async function deleteActivityProvider(call: Call): Promise<string> {
  const realm = await realmOf(call)
  const { id } = await findProvider(call, realm)
  await call.core.credentials.remove(realm.caller, id)
  return elements({ success: '' })
}

/** By `accountkey`. One of another application is as unknown as one of nobody. */
export async function findProvider(
  { core, parameters }: Pick<Call, 'core' | 'parameters'>,
  { caller }: Realm,
): Promise<{ readonly id: CredentialId }> {
  const key = required(parameters, 'accountkey')
  const unknown = new CallError(205, 'accountkey: there is no activity provider with this key')
  if (checkKey(key).length > 0) throw unknown
  const { items } = await core.credentials.list(caller, { kind: 'client', key }, { offset: 0, limit: 2 })
  const [found, other] = items
  if (found === undefined) throw unknown
  // After an import; a deletion cannot be undone.
  if (other !== undefined) throw new CallError(205, 'accountkey: more than one activity provider has this key')
  return found
}

interface Revealed {
  readonly credential: CredentialRecord
  readonly secret: string | undefined
}

function describe({ core }: Pick<Call, 'core'>, endpoints: Endpoints, revealed: Revealed): Provider {
  return describeProvider({ ...revealed, endpoints, now: core.clock.now() })
}

interface Editing {
  readonly shown: Provider
  readonly credential: CredentialRecord
  readonly endpoints: Endpoints
  readonly now: number
}

/** Only what was sent, and of that what differs from what is shown. */
function changeOf({ shown, credential, endpoints, now }: Editing, parameters: Parameters): CredentialChange {
  const sent = (name: string): string | undefined => single(parameters, name)
  const isactive = sent('isactive')
  const isEnabled = isactive === undefined ? shown.isEnabled : readBoolean('isactive', isactive)
  const authType = readWord('authtype', ['basic', 'oauth'], sent('authtype')) ?? shown.authType
  const label = readLabel(sent('label')) ?? shown.label
  const allowed = sent('allowedendpoints')
  const level = readLevel(sent('permissionslevel'), shown)
  if (isEnabled && hasExpired(credential, now)) {
    throw new CallError(205, 'isactive: this activity provider has expired; it takes an operator to prolong it')
  }
  return {
    ...(isEnabled !== shown.isEnabled && { isEnabled }),
    ...(authType !== shown.authType && { oauth: authType === 'oauth' ? {} : null }),
    ...(label !== shown.label && { name: label }),
    ...(allowed !== undefined && allowed !== shown.endpoints && { lrsIds: endpoints.read(allowed) }),
    ...(level !== undefined && changeLevel(credential, level)),
  }
}

/** Java sends true and false, PHP 1 and nothing at all. */
function readBoolean(name: string, text: string): boolean {
  const word = text.toLowerCase()
  if (['true', '1', 'yes'].includes(word)) return true
  if (['false', '0', 'no', ''].includes(word)) return false
  throw new CallError(205, `${name}: must be true or false`)
}

function readLabel(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const [failure] = checkName(text)
  if (failure === undefined && isXmlText(text)) return text
  const rule = failure?.message ?? 'It must not contain characters that XML cannot hold.'
  throw new CallError(205, `label: ${rule}`)
}

function readLevel(text: string | undefined, { level }: Provider) {
  if (text === undefined || text === level) return undefined
  const read = readWord('permissionslevel', permissionsLevels, text)
  return read === level ? undefined : read
}

/** In any case. */
function readWord<Word extends string>(
  name: string,
  words: readonly Word[],
  text: string | undefined,
): Word | undefined {
  if (text === undefined) return undefined
  const found = words.find((word) => word.toLowerCase() === text.toLowerCase())
  if (found !== undefined) return found
  throw new CallError(205, `${name}: must be one of ${words.join(', ')}`)
}
