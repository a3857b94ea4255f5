// What keys and secrets look like, how they are made and sealed, and which of several is current.

import { createPublicKey } from 'node:crypto'
import { checkText } from './check.ts'
import type { Failure } from './errors.ts'
import type { SecretId } from './ids.ts'
import type { Ids, SecretRecord } from './storage.ts'
import type { KeyHolder, Place, Vault } from './vault.ts'

/** A secret in clear, for the one answer that shows it. */
export interface ClearSecret {
  readonly id: SecretId
  readonly name: string
  readonly value: string
  readonly isEnabled: boolean
  readonly createdAt: number
  readonly expiresAt: number | null
}

export interface NewSecret {
  readonly name?: string
  readonly secret?: string
  /** True unless given. */
  readonly isEnabled?: boolean
  readonly expiresAt?: number | null
}

/** How long a secret that was replaced may count still, in seconds. */
export const overlapSpan = { min: 0, max: 365 * 86_400 } as const
/** Secrets of one credential that may exist at once. */
export const maxSecrets = 16
/** Fewer characters than this are worth a warning: `newShortText` has as many. */
const strongLength = 19

/** Keys of sessions begin with it and no others do: so nobody can give a credential of theirs the key of a session. */
const sessionPrefix = 'ses_'

/** 24 hex digits. */
export function newKey(ids: Ids): string {
  return ids.hex(12)
}

/** `ses_` and 24 hex digits. */
export function newSessionKey(ids: Ids): string {
  return `${sessionPrefix}${ids.hex(12)}`
}

/** 40 hex digits, 160 random bits. */
export function newSecretValue(ids: Ids): string {
  return ids.hex(20)
}

/**
 * 19 of A to Z, a to z, 0 to 9, - and _, 114 random bits: a key or secret for protocols that know them in this shape. Never the key
 * of a session.
 */
export function newShortText(ids: Ids): string {
  const text = Buffer.from(ids.hex(15), 'hex').toString('base64url').slice(0, 19)
  return text.startsWith(sessionPrefix) ? newShortText(ids) : text
}

export function secretPlace(id: SecretId): Place {
  return { row: id, column: 'secret.sealed' }
}

/** The same for every way to write the same key in PEM, and no secret: those have no line ends. */
export function publicKeyName(pem: string): string {
  return `public key\n${createPublicKey(pem).export({ type: 'spki', format: 'der' }).toString('base64')}`
}

/** Seals `value` as a new secret. */
export function sealSecret(
  { vault, ids, at }: { vault: Vault; ids: Ids; at: number },
  holder: KeyHolder,
  { name = 'Secret', secret, isEnabled = true, expiresAt = null }: NewSecret,
): { readonly record: SecretRecord; readonly clear: string } {
  const id = ids.uuid() as SecretId
  const clear = secret ?? newSecretValue(ids)
  const sealed = vault.seal(holder, secretPlace(id), clear)
  return { record: { id, name, sealed, generation: 1, isEnabled, createdAt: at, expiresAt }, clear }
}

export function openSecrets(vault: Vault, holder: KeyHolder, secrets: readonly SecretRecord[]): readonly ClearSecret[] {
  return secrets.map(({ id, name, sealed, isEnabled, createdAt, expiresAt }) => {
    return { id, name, value: vault.open(holder, secretPlace(id), sealed), isEnabled, createdAt, expiresAt }
  })
}

export function isLive(
  thing: { readonly isEnabled: boolean; readonly expiresAt: number | null },
  now: number,
): boolean {
  return thing.isEnabled && !hasExpired(thing, now)
}

export function hasExpired({ expiresAt }: { readonly expiresAt: number | null }, now: number): boolean {
  return expiresAt !== null && expiresAt <= now
}

/**
 * The secret to show where a protocol knows only one: the newest that is live and has no end, else the newest that is
 * live, else the newest.
 */
export function currentSecret<T extends { readonly isEnabled: boolean; readonly expiresAt: number | null }>(
  secrets: readonly T[],
  now: number,
): T | undefined {
  const live = secrets.filter((secret) => isLive(secret, now))
  return live.findLast((secret) => secret.expiresAt === null) ?? live.at(-1) ?? secrets.at(-1)
}

/** Basic authentication splits at the first colon and forbids control characters (RFC 7617 section 2). */
export function checkKey(key: string, pointer = '/key'): readonly Failure[] {
  const rule = 'claviger/key'
  if (key === '') return [{ pointer, rule, message: 'A key must not be empty.' }]
  if (key.includes(':')) return [{ pointer, rule, message: 'A key must not contain a colon: Basic splits there.' }]
  if (key.startsWith(sessionPrefix)) {
    return [{ pointer, rule, message: `A key must not begin with ${sessionPrefix}: those of sessions do.` }]
  }
  return checkText(key, { pointer, rule, noun: 'A key' })
}

export function checkSecretValue(secret: string, pointer = '/secret'): readonly Failure[] {
  const rule = 'claviger/secret'
  if (secret === '') return [{ pointer, rule, message: 'A secret must not be empty.' }]
  return checkText(secret, { pointer, rule, noun: 'A secret' })
}

/** Why the secret is worth a warning; undefined when it is not. */
export function weakness(value: string, key?: string): string | undefined {
  if (value === key) return 'The secret equals the key.'
  if (value.length < strongLength)
    return `The secret has ${value.length} of the ${strongLength} characters that are safe.`
  if (new Set(value).size < 8) return 'The secret repeats very few characters.'
  return undefined
}
