// What has become another thing at the source, or here, since a key was brought in: said and counted, never done, for who manages it here
// decides. No secret is said. Knows no vendor.

import type { NewCredentialInput, RevealedCredential } from '../core/credential.ts'
import { fingerprint } from '../core/rights.ts'
import { isLive } from '../core/secret.ts'
import type { ImportWork } from './work.ts'

/** As the source has it; a secret that it has none of is none that differs. */
export type KeyThere = Pick<NewCredentialInput, 'name' | 'key' | 'secret' | 'isEnabled' | 'rights'>

/** Of each kind. */
const mostTold = 5

export function tellDifferences(work: ImportWork, here: RevealedCredential, there: KeyThere): void {
  const { name, oid, isEnabled } = here.credential
  const differ = differencesOf(here, there, work.core.clock.now())
  if (differ.length === 0) return
  work.tally.differ('clients')
  const options = { shown: mostTold }
  const who = `${name === '' ? '' : `${name} `}(${oid})`.trim()
  if (isEnabled && there.isEnabled === false) {
    work.warn('DISABLED THERE, ACTIVE HERE; claviger credential disable ends that', who, options)
  }
  work.warn('clients that are not as there, and stay as they are here', `${who}: ${differ.join(', ')}`, options)
}

export function differencesOf(
  { credential, secrets }: RevealedCredential,
  { name, key, secret, isEnabled = true, rights }: KeyThere,
  now: number,
): readonly string[] {
  const hasSecret = secrets.some((one) => one.value === secret && isLive(one, now))
  return [
    ...(credential.isEnabled === isEnabled
      ? []
      : [isEnabled ? 'active there, disabled here' : 'disabled there, active here']),
    ...(credential.name === name ? [] : ['name']),
    ...(key === undefined || credential.key === key ? [] : ['key']),
    ...(secret === undefined || hasSecret ? [] : ['secret']),
    ...(fingerprint(credential.rights) === fingerprint(rights) ? [] : ['rights']),
  ]
}
