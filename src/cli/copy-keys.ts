// Which master key a store that nobody has opened is sealed with, of those that are at hand; and putting it beside a copy.

import { Vault } from '../core/vault.ts'
import { DomainError } from '../core/errors.ts'
import type { Config } from '../config.ts'
import { PlainError } from './outcome.ts'
import { keyFiles, readKey, writeKey } from './master-key.ts'

export interface Keys {
  /** Throws unless one of them opens it. */
  check(check: string): void
  /** The one that does. */
  readonly fitting: () => { readonly key: Buffer; readonly directory: string | undefined } | undefined
}

/** The one that a setting gives, else those in these directories, in this order. */
export function keysFor(config: Config, directories: readonly (string | undefined)[]): Keys {
  const found = config.masterKey
    ? [{ key: config.masterKey, directory: undefined }]
    : directories.flatMap((directory) => {
        const key = directory === undefined ? undefined : readKey(keyFiles(directory).present)
        return key === undefined ? [] : [{ key, directory }]
      })
  if (found.length === 0) {
    throw new PlainError(
      'the master key is missing: give CLAVIGER_MASTER_KEY or CLAVIGER_MASTER_KEY_FILE. Nothing was changed',
    )
  }
  let fitting: (typeof found)[number] | undefined
  return {
    check(check) {
      fitting = found.find(({ key }) => new Vault(key).fitsCheck(check))
      if (fitting !== undefined) return
      const which = config.masterKey
        ? 'given by the setting'
        : `in ${found.map(({ directory }) => directory).join(' or ')}`
      throw new DomainError(
        'invalid',
        `The master key ${which} is not the one this store is sealed with. Nothing was changed.`,
      )
    },
    fitting: () => fitting,
  }
}

export function keyOf(keys: Keys): Buffer {
  const fitting = keys.fitting()
  if (fitting === undefined) throw new Error('no key was checked')
  return fitting.key
}

/** Before anything is written: what the directory has opens nothing of what is about to come. */
export function refuseOtherKey(directory: string, key: Buffer): void {
  const { present } = keyFiles(directory)
  const there = readKey(present)
  if (there === undefined || there.equals(key)) return
  throw new DomainError('conflict', `${present} holds another key: move it away first. Nothing was changed.`)
}

/** As `master.key`, where it is not yet. */
export function putKey(directory: string, key: Buffer): void {
  const { present } = keyFiles(directory)
  if (readKey(present) === undefined) writeKey(present, key)
}
