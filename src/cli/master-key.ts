// The master key's file in the data directory: made on the first start, changed so that a crash at any point loses
// nothing. Which key a database stands on is for its check value to say.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { masterKeyFrom } from '../config.ts'
import type { Config } from '../config.ts'
import { DomainError } from '../core/errors.ts'
import type { PlatformStore, Sealed } from '../core/storage.ts'
import { isOtherKey, rotateMasterKey, Vault } from '../core/vault.ts'
import { PlainError } from './outcome.ts'

export interface MasterKey {
  readonly key: Buffer
  readonly source: 'file' | 'configuration'
}

export function keyFiles(dataDirectory: string): { readonly present: string; readonly next: string } {
  return { present: join(dataDirectory, 'master.key'), next: join(dataDirectory, 'master.key.next') }
}

/** For before a store is opened: throws, when no key that is at hand fits its check value. Then nothing was changed in it. */
export function keyCheckOf({ masterKey, masterKeyPrevious, dataDirectory }: Config): (check: Sealed) => void {
  const { present, next } = keyFiles(dataDirectory)
  const atHand = masterKey ? [masterKey, masterKeyPrevious] : [readKey(present), readKey(next)]
  const keys = atHand.filter((key) => key !== undefined)
  return (check) => {
    if (keys.length === 0) throw isMissing(dataDirectory)
    if (!keys.some((key) => new Vault(key).fitsCheck(check))) throw isOtherKey()
  }
}

function isMissing(dataDirectory: string): DomainError {
  const { present } = keyFiles(dataDirectory)
  return new DomainError(
    'invalid',
    `the master key is missing: the database in ${dataDirectory} is sealed with one, but ${present} is not there. ` +
      'Put it back from a backup, or set CLAVIGER_MASTER_KEY. Nothing was changed',
  )
}

/**
 * The master key to open the data with: the configured one, else the file's. Finishes an interrupted rotation. A new key
 * is made only for a database without secrets: anywhere else it would open nothing and hide that a key is missing.
 */
export async function settleMasterKey(config: Config, platform: PlatformStore): Promise<MasterKey> {
  if (config.masterKey) return { key: config.masterKey, source: 'configuration' }
  const { present, next } = keyFiles(config.dataDirectory)
  const check = await platform.findKeyCheck()
  const key = readKey(present)
  const following = readKey(next)
  if (following) {
    if (check !== undefined && new Vault(following).fitsCheck(check)) {
      renameSync(next, present)
      syncDirectory(config.dataDirectory)
      return { key: following, source: 'file' }
    }
    // Interrupted before the database changed over. Only removed where the present key is known to be right.
    if (key && (check === undefined || new Vault(key).fitsCheck(check))) rmSync(next)
  }
  if (key) return { key, source: 'file' }
  if (check !== undefined) throw isMissing(config.dataDirectory)
  const made = randomBytes(32)
  writeKey(present, made)
  return { key: made, source: 'file' }
}

/**
 * Makes a new key, puts everything under it, then puts it in the present one's place. `adopt` hands it to the running
 * core as soon as the database stands on it.
 */
export async function rotateKeyFile(
  dataDirectory: string,
  from: Buffer,
  { platform, adopt }: { readonly platform: PlatformStore; adopt(key: Buffer): void },
): Promise<{ readonly key: Buffer; readonly organisations: number }> {
  const { present, next } = keyFiles(dataDirectory)
  const key = randomBytes(32)
  writeKey(next, key)
  // When this fails the file stays: whether the database changed over may be unknown, and then it is the only copy.
  const organisations = await rotateMasterKey(platform, from, key)
  adopt(key)
  renameSync(next, present)
  syncDirectory(dataDirectory)
  return { key, organisations }
}

export function readKey(file: string): Buffer | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new PlainError(`cannot read the master key ${file} (${code})`)
  }
  const key = masterKeyFrom(text.trim())
  if (key) return key
  throw new PlainError(`${file} does not hold a master key: 32 bytes as base64 or hex`)
}

/** Readable by its owner only, and on disk before anything depends on it. */
export function writeKey(file: string, key: Buffer): void {
  // A file that is there is a rotation's that never came true (`settleMasterKey` looked); its mode may not be trusted.
  rmSync(file, { force: true })
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${key.toString('base64')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  syncDirectory(join(file, '..'))
}

function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
