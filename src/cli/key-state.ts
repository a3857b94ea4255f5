// Whether a key works, who it is once it signs in, and which command would change what was decided about it.

import type { Decision } from '../core/access.ts'
import type { LrsId } from '../core/ids.ts'
import { hasExpired } from '../core/organisation.ts'
import type { Principal } from '../core/principal.ts'
import { xapiRights } from '../core/rights.ts'
import { isLive } from '../core/secret.ts'
import type { CredentialRecord } from '../core/storage.ts'
import type { Located, Opened } from './context.ts'
import { PlainError } from './outcome.ts'

/** Why the key works, or does not. */
export function stateOf(credential: CredentialRecord, now: number): 'active' | 'disabled' | 'expired' | 'no secret' {
  if (!credential.isEnabled) return 'disabled'
  if (!isLive(credential, now)) return 'expired'
  return credential.secrets.some((secret) => isLive(secret, now)) ? 'active' : 'no secret'
}

/** Why the key cannot even sign in. */
export function signInRefusal(opened: Opened, { credential, organisation }: Located): Decision | undefined {
  const now = opened.core.clock.now()
  const state = stateOf(credential, now)
  if (state === 'active') {
    if (!hasExpired(organisation, now)) return undefined
    const remedy = `claviger organisation update ${organisation.id} --no-expires`
    return { allowed: false, decidedBy: 'organisation expired', reason: 'The organisation has expired.', remedy }
  }
  const remedies = {
    disabled: `claviger credential enable ${credential.id}`,
    expired: `claviger credential set ${credential.id} --no-expires`,
    'no secret': `claviger credential rotate ${credential.id}`,
  }
  const reason = state === 'no secret' ? 'The key has no secret that works.' : `The key is ${state}.`
  return { allowed: false, decidedBy: 'credential', reason, remedy: remedies[state] }
}

/** Who the key is when it signs in, by signing in. */
export async function principalOf(opened: Opened, { caller, organisation, credential }: Located): Promise<Principal> {
  const { secrets } = await opened.core.credentials.reveal(caller, credential.id)
  const secret = secrets.findLast((item) => isLive(item, opened.core.clock.now()))
  if (!secret) throw new PlainError('the key has no secret that works')
  const attempt = { key: credential.key, within: organisation.id }
  if (credential.oauth === null) return opened.core.signIn.basic({ ...attempt, secret: secret.value })
  return opened.core.signIn.signed({
    ...attempt,
    accepts: ({ id }) => id === credential.id,
    fits: (clear) => clear === secret.value,
  })
}

/** What was asked, as far as a command that would allow it has to name it. */
export interface Wanted {
  readonly lrsId?: LrsId | undefined
  readonly address?: string | undefined
  readonly origin?: string | undefined
  /** The family: `1.0`, `2.0`. */
  readonly version?: string | undefined
}

/** The command that would change the decision; undefined where none is known. */
export function commandFor(decidedBy: string, credential: CredentialRecord, wanted: Wanted): string | undefined {
  const options = optionsFor(decidedBy, credential, wanted)
  return options && `claviger credential set ${credential.id} ${options}`
}

function optionsFor(decidedBy: string, { limits, lrsIds }: CredentialRecord, wanted: Wanted): string | undefined {
  if (xapiRights.some((right) => right === decidedBy)) return `--right ${decidedBy}`
  const [, area, action] = /^manage\/(\w+)\/(\w+)$/.exec(decidedBy) ?? []
  if (area !== undefined) return `--manage ${area}${action === 'write' ? '' : `:${action}`}`
  const all = (option: string, values: readonly (string | number | undefined)[]): string | undefined =>
    values.includes(undefined) ? undefined : values.map((value) => `${option} ${value}`).join(' ')
  switch (decidedBy) {
    case 'lrs':
      return all('--lrs', [...lrsIds, wanted.lrsId])
    case 'limit addresses':
      return all('--limit-address', [...(limits.addresses ?? []), wanted.address])
    case 'limit origins':
      return all('--limit-origin', [...(limits.origins ?? []), wanted.origin])
    case 'limit xapiVersions':
      return all('--limit-xapi-version', [...(limits.xapiVersions ?? []), wanted.version])
    case 'limit batch':
      return '--no-limit-batch'
    case 'limit bodyBytes':
      return '--no-limit-body'
    case 'pin actor':
    case 'pin registration':
    case 'pin activity':
      return `--no-${decidedBy.replace(' ', '-')}`
    default:
      return undefined
  }
}
