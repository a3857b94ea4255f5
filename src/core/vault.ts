// Seals secrets at rest: AES-256-GCM under one data key per organisation, each wrapped by the master key.
// Knows nothing of what a secret is for; storage sees only what comes out of here.

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { DomainError, invalid } from './errors.ts'
import type { Oid, SecretId } from './ids.ts'
import { takeRandom } from './random.ts'
import type { PlatformStore, Sealed } from './storage.ts'

/** What the vault needs to know of an organisation. */
export interface KeyHolder {
  readonly oid: Oid
  readonly wrappedKey: Sealed
}

/** Where a sealed value lives; it opens nowhere else. */
export interface Place {
  readonly row: string
  readonly column: string
}

const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
/** First characters of every sealed value, so that another algorithm can follow one day. */
const format = 'g1.'
const checkPlace = ['master key check']
/** Unwrapped data keys in memory. */
const cachedKeys = 1000

export function isOtherKey(): DomainError {
  return invalid('The master key is not the one this data was sealed with. Nothing was changed; give the right key.')
}

export class Vault {
  #masterKey: Buffer
  /** Replaced while this process ran; records read before a rotation still open. */
  readonly #formerKeys: Buffer[] = []
  readonly #dataKeys = new LRUCache<string, Buffer>({ max: cachedKeys })
  /** Sealed in the store's check value; known once that was checked. Outlives every master key. */
  #platformKey: Buffer | undefined

  constructor(masterKey: Buffer) {
    if (masterKey.length !== keyBytes) throw invalid(`The master key must be ${keyBytes} bytes long.`)
    this.#masterKey = masterKey
  }

  /** Throws `invalid` when the store was made with another master key; an empty store takes this one. Comes first. */
  async checkMasterKey(platform: PlatformStore): Promise<void> {
    const check = (await platform.findKeyCheck()) ?? (await platform.putKeyCheck(this.newCheck()))
    this.#platformKey = this.#openCheck(check)
    if (this.#platformKey !== undefined) return
    throw isOtherKey()
  }

  /** From now on wraps with this key: the store stands on it since `rotateMasterKey`. */
  adoptMasterKey(masterKey: Buffer): void {
    if (masterKey.length !== keyBytes) throw invalid(`The master key must be ${keyBytes} bytes long.`)
    this.#formerKeys.unshift(this.#masterKey)
    this.#masterKey = masterKey
  }

  /** This vault under another master key: the same platform key, other data keys. Needs `checkMasterKey` before. */
  underMasterKey(masterKey: Buffer): Vault {
    const other = new Vault(masterKey)
    other.#platformKey = this.#knownPlatformKey()
    return other
  }

  /** A value that only this master key opens, and that holds the platform key: a fresh one where none is known. */
  newCheck(): Sealed {
    return encrypt(this.#masterKey, checkPlace, this.#platformKey ?? randomBytes(keyBytes))
  }

  fitsCheck(check: Sealed): boolean {
    return this.#openCheck(check) !== undefined
  }

  /**
   * By what a key and a secret together are known on the whole platform (`NewCredential.pairs`). Keyed, so that a copy of
   * the database does not let anybody try guesses against it.
   */
  pairOf(key: string, secret: string): string {
    const text = `claviger pair\n${Buffer.byteLength(key)}:${key}${secret}`
    return createHmac('sha256', this.#knownPlatformKey()).update(text).digest('base64url')
  }

  /** Of a note that all nodes share (`Note.name`): tells nothing of what it is about to who reads the database. */
  noteName(kind: string, ...about: readonly string[]): string {
    const text = `claviger note\n${JSON.stringify([kind, ...about])}`
    return createHmac('sha256', this.#knownPlatformKey()).update(text).digest('base64url')
  }

  #knownPlatformKey(): Buffer {
    if (this.#platformKey !== undefined) return this.#platformKey
    throw new DomainError('internal', 'The master key was not checked yet.')
  }

  #openCheck(check: Sealed): Buffer | undefined {
    const opened = decrypt(this.#masterKey, checkPlace, check)
    return opened?.length === keyBytes ? opened : undefined
  }

  /** A fresh data key for a new organisation, wrapped. */
  newDataKey(oid: Oid): Sealed {
    return this.wrap(oid, randomBytes(keyBytes))
  }

  wrap(oid: Oid, dataKey: Buffer): Sealed {
    return encrypt(this.#masterKey, ['data key', oid], dataKey)
  }

  unwrap(holder: KeyHolder): Buffer {
    const name = `${holder.oid} ${holder.wrappedKey}`
    const cached = this.#dataKeys.get(name)
    if (cached !== undefined) return cached
    const dataKey = [this.#masterKey, ...this.#formerKeys]
      .map((key) => decrypt(key, ['data key', holder.oid], holder.wrappedKey))
      .find((opened) => opened !== undefined)
    if (dataKey === undefined) throw new DomainError('internal', "The organisation's data key does not open.")
    this.#dataKeys.set(name, dataKey)
    return dataKey
  }

  seal(holder: KeyHolder, place: Place, clear: string): Sealed {
    return encrypt(this.unwrap(holder), [holder.oid, place.row, place.column], Buffer.from(clear))
  }

  /** Throws `internal` when the value was changed, moved, or sealed for another organisation. */
  open(holder: KeyHolder, place: Place, sealed: Sealed): string {
    const clear = decrypt(this.unwrap(holder), [holder.oid, place.row, place.column], sealed)
    if (clear === undefined) throw new DomainError('internal', 'A sealed value does not open.')
    return clear.toString()
  }

  /**
   * By what a person's identifier is known after they were erased: tells nothing to who does not know the identifier, nor to
   * who does but has no key.
   */
  traceOf(holder: KeyHolder, agent: string): string {
    return createHmac('sha256', this.unwrap(holder)).update(`claviger person\n${agent}`).digest('hex')
  }

  /** What signs the tokens of one secret; another generation of it signs with another key. */
  tokenKey(holder: KeyHolder, secret: { readonly id: SecretId; readonly generation: number }): Uint8Array {
    const info = JSON.stringify(['claviger token', secret.id, secret.generation])
    return new Uint8Array(hkdfSync('sha256', this.unwrap(holder), Buffer.alloc(0), info, keyBytes))
  }
}

/** Rewraps the platform key and every organisation's data key in one transaction; `invalid` when `from` is not the standing key. */
export async function rotateMasterKey(platform: PlatformStore, from: Buffer, to: Buffer): Promise<number> {
  const before = new Vault(from)
  await before.checkMasterKey(platform)
  const after = before.underMasterKey(to)
  const wrapped: { id: RewrappedId; wrappedKey: Sealed }[] = []
  for (;;) {
    const { items, total } = await platform.listOrganisations({ offset: wrapped.length, limit: 500 })
    wrapped.push(...items.map((it) => ({ id: it.id, wrappedKey: after.wrap(it.oid, before.unwrap(it)) })))
    if (items.length === 0 || wrapped.length >= total) break
  }
  await platform.rewrapKeys(after.newCheck(), wrapped)
  return wrapped.length
}

type RewrappedId = Parameters<PlatformStore['rewrapKeys']>[1][number]['id']

function encrypt(key: Buffer, place: readonly string[], clear: Buffer): Sealed {
  const iv = takeRandom(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(additional(place))
  const body = Buffer.concat([iv, cipher.update(clear), cipher.final(), cipher.getAuthTag()])
  return format + body.toString('base64url')
}

function decrypt(key: Buffer, place: readonly string[], sealed: Sealed): Buffer | undefined {
  if (!sealed.startsWith(format)) return undefined
  const body = Buffer.from(sealed.slice(format.length), 'base64url')
  if (body.length < ivBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, ivBytes), { authTagLength: tagBytes })
  decipher.setAAD(additional(place)).setAuthTag(body.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(body.subarray(ivBytes, -tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}

// JSON, so that no two lists of names run together into the same bytes.
function additional(place: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(place))
}
