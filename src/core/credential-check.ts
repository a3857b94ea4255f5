// What may stand in the fields of a credential, whoever sends it. Knows nothing of who asks or what they may grant.

import { createPublicKey } from 'node:crypto'
import { noStatements } from './access.ts'
import { checkAuthority } from './authority.ts'
import { checkIds, checkName, checkShape, checkTime, checkWords } from './check.ts'
import type { NewCredentialInput } from './credential.ts'
import type { Failure } from './errors.ts'
import type { LrsId } from './ids.ts'
import { limitsSchema } from './limits.ts'
import { pinsSchema } from './pins.ts'
import { missingFrom, noRights, rightsSchema } from './rights.ts'
import type { Rights } from './rights.ts'
import { checkKey, checkSecretValue } from './secret.ts'
import type { NewSecret } from './secret.ts'
import type { OauthSigning } from './storage.ts'

const longestPem = 4_000

export function checkFields(input: Partial<NewCredentialInput>): readonly Failure[] {
  const { name, key, secret, rights, pins, limits, lrsIds, authority, oauth, words, expiresAt, createdAt, updatedAt } =
    input
  return [
    ...(name === undefined ? [] : checkName(name)),
    ...(key === undefined ? [] : checkKey(key)),
    ...(secret === undefined ? [] : checkSecretValue(secret)),
    ...(rights === undefined ? [] : checkShape(rightsSchema, rights, '/rights')),
    ...(pins === undefined ? [] : checkShape(pinsSchema, pins, '/pins')),
    ...(limits === undefined ? [] : checkShape(limitsSchema, limits, '/limits')),
    ...(lrsIds === undefined ? [] : checkLrsIds(lrsIds)),
    ...checkTime(createdAt, { pointer: '/createdAt', noun: 'The time it was made' }),
    ...checkTime(updatedAt, { pointer: '/updatedAt', noun: 'The time it was last changed' }),
    ...(authority === undefined || authority === null ? [] : checkAuthority(authority)),
    ...(oauth ? checkOauth(oauth) : []),
    ...(words === undefined ? [] : checkWords(words)),
    ...checkExpiry(expiresAt),
    ...checkIds(input),
  ]
}

/** Whoever holds the key of an application makes keys for xAPI with it: it is none itself. What it should not have may be taken away. */
export function checkReach(
  { kind, rights, lrsIds }: Partial<NewCredentialInput>,
  before: { readonly rights: Rights; readonly lrsIds?: readonly LrsId[] } = { rights: noRights },
): readonly Failure[] {
  if (kind === undefined || kind === 'client') return []
  const message = `${noStatements} Make a key for it.`
  const added = missingFrom({ xapi: rights?.xapi ?? {}, management: [] }, before.rights)
  const hasNone = lrsIds?.length === 0
  const isMoved = lrsIds !== undefined && before.lrsIds !== undefined && lrsIds.join() !== before.lrsIds.join()
  return [
    ...(added.length > 0 ? [{ pointer: '/rights/xapi', rule: 'claviger/kind', message }] : []),
    ...(hasNone ? [{ pointer: '/lrsIds', rule: 'claviger/lrs', message: 'Such a key is for at least one Lrs.' }] : []),
    ...(isMoved ? [{ pointer: '/lrsIds', rule: 'claviger/kind', message }] : []),
  ]
}

export function checkNewSecret({ name, secret, expiresAt }: NewSecret): readonly Failure[] {
  return [
    ...(name === undefined ? [] : checkName(name)),
    ...(secret === undefined ? [] : checkSecretValue(secret)),
    ...checkExpiry(expiresAt),
  ]
}

function checkLrsIds(lrsIds: readonly LrsId[]): readonly Failure[] {
  if (new Set(lrsIds).size === lrsIds.length) return []
  const message = 'A key names each Lrs once.'
  return [{ pointer: '/lrsIds', rule: 'claviger/lrs', message }]
}

function checkOauth({ publicKey }: OauthSigning): readonly Failure[] {
  if (publicKey === undefined || isRsa(publicKey)) return []
  const message = 'The key that signs is an RSA public key of 1024 to 8192 bits in PEM (-----BEGIN PUBLIC KEY-----).'
  return [{ pointer: '/oauth/publicKey', rule: 'claviger/public-key', message }]
}

function isRsa(pem: string): boolean {
  if (pem.length > longestPem || !pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) return false
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey(pem)
    const { modulusLength = 0 } = asymmetricKeyDetails ?? {}
    return asymmetricKeyType === 'rsa' && modulusLength >= 1024 && modulusLength <= 8192
  } catch {
    return false
  }
}

export function checkExpiry(expiresAt: number | null | undefined): readonly Failure[] {
  return checkTime(expiresAt, { pointer: '/expiresAt', noun: 'An end' })
}
