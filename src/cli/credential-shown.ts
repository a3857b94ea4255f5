// A key as the command line shows it: its record without secrets, its rights in words, and where it is used.

import { createHash, createPublicKey } from 'node:crypto'
import type { Described } from '../core/presets.ts'
import type { CredentialRecord } from '../core/storage.ts'
import type { Opened } from './context.ts'
import { bullets, time } from './outcome.ts'

/** What it may, within which pins and limits, and what it may not, each under its heading. */
export function inWords({ may, only, mayNot }: Described): string {
  const sections = [
    `It may${may.length === 0 ? ' do nothing.' : `\n${bullets(may)}`}`,
    ...(only.length === 0 ? [] : [`Only\n${bullets(only)}`]),
    ...(mayNot.length === 0 ? [] : [`It may not\n${bullets(mayNot)}`]),
  ]
  return sections.join('\n\n')
}

/** How its requests show that they are its own. */
export function signing({ oauth }: CredentialRecord): string {
  if (oauth === null) return 'present its secret'
  if (oauth.publicKey === undefined) return 'are signed with its secret (OAuth 1.0a, HMAC-SHA1)'
  const key = createPublicKey(oauth.publicKey).export({ type: 'spki', format: 'der' })
  const fingerprint = createHash('sha256').update(key).digest('base64').replace(/=+$/, '')
  return `are signed with the RSA key SHA256:${fingerprint} (OAuth 1.0a, RSA-SHA1)`
}

/** Everything but the sealed secrets. */
export function credentialJson(credential: CredentialRecord): object {
  const { createdAt, updatedAt, expiresAt, secrets, ...rest } = credential
  return {
    ...rest,
    createdAt: time(createdAt),
    updatedAt: time(updatedAt),
    expiresAt: expiresAt === null ? null : time(expiresAt),
    secrets: secrets.map((secret) => ({
      id: secret.id,
      name: secret.name,
      isEnabled: secret.isEnabled,
      createdAt: time(secret.createdAt),
      expiresAt: secret.expiresAt === null ? null : time(secret.expiresAt),
    })),
  }
}

/** The path that clients of a vendor's API are configured with. */
export function apiPathOf({ mounts }: Opened['faces'][number]): string | undefined {
  return (mounts.find(({ isBase }) => isBase) ?? mounts[0])?.path
}
