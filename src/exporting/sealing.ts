// Secrets on their way, sealed for whoever has the passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM seals, and what is sealed
// says where it belongs. Knows no file.

import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'
import { DomainError, invalid } from '../core/errors.ts'
import type { Sealing } from './format.ts'

/** What OWASP's password storage sheet has for 64 MiB. */
const cost = { n: 2 ** 16, r: 8, p: 2 } as const
/** Of an export that somebody else wrote: more memory than this is no passphrase's worth. */
const mostMemory = 512 * 1024 * 1024
const mostParallel = 16
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
const checkPlace = ['check']
const checkText = 'claviger-export'
export const shortestPassphrase = 12

export class Sealer {
  readonly sealing: Sealing
  readonly #key: Buffer

  private constructor(sealing: Sealing, key: Buffer) {
    this.sealing = sealing
    this.#key = key
  }

  /** For a new export. */
  static async create(passphrase: string): Promise<Sealer> {
    if (passphrase.length < shortestPassphrase) {
      throw invalid(`A passphrase has at least ${shortestPassphrase} characters: whoever guesses it has every secret.`)
    }
    const salt = randomBytes(16).toString('base64')
    const sealing = { kdf: 'scrypt', ...cost, salt, cipher: 'aes-256-gcm', check: '' } as const
    const key = await keyOf(passphrase, sealing)
    const check = new Sealer(sealing, key).seal(checkPlace, checkText)
    return new Sealer({ ...sealing, check }, key)
  }

  /** Throws `invalid` for another passphrase. */
  static async open(sealing: Sealing, passphrase: string): Promise<Sealer> {
    const sealer = new Sealer(sealing, await keyOf(passphrase, sealing))
    if (decrypt(sealer.#key, checkPlace, sealing.check) === checkText) return sealer
    throw invalid('This is not the passphrase that the secrets of the export were sealed with. Nothing was changed.')
  }

  seal(place: readonly (number | string)[], clear: string): string {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(additional(place))
    return Buffer.concat([iv, cipher.update(clear), cipher.final(), cipher.getAuthTag()]).toString('base64')
  }

  /** Throws `invalid` where it was changed or moved. */
  unseal(place: readonly (number | string)[], sealed: string): string {
    const clear = decrypt(this.#key, place, sealed)
    if (clear === undefined) throw invalid('A sealed value of the export was changed, or moved: it does not open.')
    return clear
  }
}

async function keyOf(passphrase: string, { n, r, p, salt }: Sealing): Promise<Buffer> {
  const isSane = [n, r, p].every((value) => Number.isSafeInteger(value) && value > 0) && (n & (n - 1)) === 0 && n > 1
  if (!isSane || 128 * n * r > mostMemory || p > mostParallel) {
    throw invalid('The export names a cost of its passphrase that is no cost for a passphrase.')
  }
  return new Promise((resolve, reject) => {
    const options = { N: n, r, p, maxmem: 128 * n * r + 64 * 1024 * 1024 }
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), keyBytes, options, (cause, key) => {
      if (cause) reject(new DomainError('internal', 'The passphrase could not be made a key.', { cause }))
      else resolve(key)
    })
  })
}

function decrypt(key: Buffer, place: readonly (number | string)[], sealed: string): string | undefined {
  const body = Buffer.from(sealed, 'base64')
  if (body.length < ivBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, ivBytes), { authTagLength: tagBytes })
  decipher.setAAD(additional(place)).setAuthTag(body.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(body.subarray(ivBytes, -tagBytes)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

function additional(place: readonly (number | string)[]): Buffer {
  return Buffer.from(JSON.stringify(place))
}
