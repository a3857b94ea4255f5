// What this API shows of an activity provider. Knows nothing of methods.

import { isLive } from '../../core/secret.ts'
import type { CredentialRecord } from '../../core/storage.ts'
import type { Endpoints } from './endpoints.ts'
import { cdata } from './wire.ts'
import type { Element } from './wire.ts'
import { levelOf } from './words.ts'
import type { ShownLevel } from './words.ts'

export interface Provider {
  readonly key: string
  readonly label: string
  /** Empty where there is none to show. */
  readonly secret: string
  readonly authType: 'basic' | 'oauth'
  readonly isEnabled: boolean
  /** As `allowedendpoints` has it. */
  readonly endpoints: string
  readonly level: ShownLevel
}

export interface Describing {
  readonly credential: CredentialRecord
  readonly secret: string | undefined
  /** Of whoever it is shown to. */
  readonly endpoints: Endpoints
  /** Unix milliseconds: a credential that has expired is not enabled. */
  readonly now: number
}

export function describeProvider({ credential, secret = '', endpoints, now }: Describing): Provider {
  return {
    key: credential.key,
    label: credential.name,
    secret,
    authType: credential.oauth === null ? 'basic' : 'oauth',
    isEnabled: isLive(credential, now),
    endpoints: endpoints.present(credential.lrsIds),
    level: levelOf(credential),
  }
}

/** In the order of the reference; Python needs each of them. */
export function presentProvider(provider: Provider): Record<string, Element> {
  const { endpoints, level } = provider
  return {
    ...presentNewProvider(provider),
    allowedEndpoints: endpoints === '' ? '' : cdata(endpoints),
    permissionsLevel: cdata(level),
  }
}

/** As the answer to its creation has it, without the last two. */
export function presentNewProvider({ key, label, secret, authType, isEnabled }: Provider): Record<string, Element> {
  return {
    id: cdata(key),
    accountLabel: cdata(label),
    accountKey: cdata(key),
    accountSecret: cdata(secret),
    accountAuthType: cdata(authType),
    accountEnabled: String(isEnabled),
  }
}
