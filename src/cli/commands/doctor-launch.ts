// What doctor says of platforms and content: what keeps learners from being launched, or what they store from being stored.

import type { Config } from '../../config.ts'
import { isDomainError } from '../../core/errors.ts'
import type { Caller } from '../../core/principal.ts'
import type { ContentRecord, CredentialRecord, PlatformRecord } from '../../core/storage.ts'
import type { Opened } from '../context.ts'
import { stateOf } from '../key-state.ts'
import { time } from '../outcome.ts'
import { protocolsOf } from '../platform-settings.ts'
import type { Settings } from '../platform-settings.ts'
import type { Finding } from './doctor.ts'

const everything = { offset: 0, limit: 10_000 }

interface Launching {
  readonly config: Config
  /** All of the organisation. */
  readonly keys: readonly CredentialRecord[]
  readonly platforms: readonly PlatformRecord[]
}

export async function platformsOf({ core }: Opened, caller: Caller): Promise<readonly PlatformRecord[]> {
  return (await core.platforms.list(caller, everything)).items
}

export async function checkLaunching(
  opened: Opened,
  caller: Caller,
  { config, keys, platforms }: Launching,
): Promise<readonly Finding[]> {
  const { items: contents } = await opened.core.contents.list(caller, everything)
  const now = opened.core.clock.now()
  return [
    ...platforms.flatMap((platform): Finding[] => {
      const check = `platform ${platform.id} (${platform.name})`
      if (!platform.isEnabled) return [{ check, state: 'ok', message: 'switched off' }]
      const key = keys.find(({ id }) => id === platform.credentialId)
      const found = [
        ...checkAddress(config),
        ...checkProtocol(opened, platform),
        ...(key === undefined ? [] : checkKey(key, now)),
      ]
      if (found.length > 0) return found.map((one) => ({ ...one, check }))
      return [{ check, state: 'ok', message: describeSecrets(platform, now) }]
    }),
    ...contents.flatMap((content) => checkContent(config, content)),
  ]
}

type Found = Omit<Finding, 'check'>

/** What a platform signs has the address in it, and its learners' browsers come through a frame. */
function checkAddress({ baseUrl, isBaseUrlSet, host }: Config): readonly Found[] {
  if (!isBaseUrlSet && !isLocal(host)) {
    const message = `what it signs and opens has this server's address in it, and ${baseUrl} is a guess: set CLAVIGER_BASE_URL`
    return [{ state: 'problem', message }]
  }
  const { protocol, hostname } = new URL(baseUrl)
  if (protocol === 'https:' || isLocal(hostname)) return []
  const message = `in a frame of its pages browsers open nothing that comes by http: serve ${baseUrl} by https`
  return [{ state: 'warning', message }]
}

function checkProtocol({ faces }: Opened, { protocol, settings }: PlatformRecord): readonly Found[] {
  const spoken = protocolsOf(faces).find((one) => one.protocol === protocol)
  if (spoken === undefined) {
    return [{ state: 'problem', message: `it speaks ${protocol}, and no face that is switched on does` }]
  }
  const given = settings as Settings
  const wrong = spoken.settings.flatMap(({ name, schema, default: fallback }) => {
    const value = given[name] ?? fallback
    return value !== undefined && schema.safeParse(value).success ? [] : [name]
  })
  if (wrong.length > 0) {
    const message = `not valid as it stands: ${wrong.join(', ')}; claviger platform update sets it`
    return [{ state: 'problem', message }]
  }
  try {
    spoken.check?.(given)
    return []
  } catch (error) {
    if (!isDomainError(error)) throw error
    return [{ state: 'problem', message: error.message }]
  }
}

function checkKey(key: CredentialRecord, now: number): readonly Found[] {
  const state = stateOf(key, now)
  if (state !== 'active') {
    return [{ state: 'problem', message: `its key ${key.id} is ${state}: whoever is launched is refused` }]
  }
  if (key.lrsIds.length > 0) return []
  return [{ state: 'problem', message: `its key ${key.id} reaches no Lrs: nobody can be launched` }]
}

function describeSecrets({ secrets: [, previous] }: PlatformRecord, now: number): string {
  if (previous === undefined || (previous.expiresAt ?? Infinity) <= now) return 'launches'
  return `launches; the secret before the last rotation counts until ${time(previous.expiresAt)}`
}

function checkContent({ baseUrl }: Config, { id, name, settings }: ContentRecord): readonly Finding[] {
  const { url } = settings as { readonly url: string }
  const isMixed = baseUrl.startsWith('https:') && url.startsWith('http:') && !isLocal(new URL(url).hostname)
  if (!isMixed) return []
  const message = `browsers that come by https open nothing by http in a frame: ${url}`
  return [{ check: `content ${id} (${name})`, state: 'warning', message }]
}

function isLocal(host: string): boolean {
  return ['127.0.0.1', '::1', '[::1]', 'localhost'].includes(host)
}
