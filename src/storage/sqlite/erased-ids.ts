// The ids of statements that were erased for a person and must not come back, as keyed hashes with one salt per Lrs. In an
// Lrs without any, asking costs a look into an empty map. Works inside the writer's transaction.

import { createHmac, randomBytes } from 'node:crypto'
import type { Handle } from './connection.ts'
import type { LrsId } from '../../core/ids.ts'

const saltBytes = 32
const hashBytes = 16

export class ErasedIds {
  readonly #readSalts
  readonly #saveSalt
  readonly #find
  readonly #insert
  #salts = new Map<LrsId, Buffer>()

  constructor(handle: Handle) {
    this.#readSalts = handle.prepare<[], { readonly lrs_id: LrsId; readonly salt: Buffer }>(
      'select lrs_id, salt from erased_lrs where salt is not null',
    )
    this.#saveSalt = handle.prepare(
      `insert into erased_lrs (lrs_id, salt, last_seq) values (?, ?, 0)
       on conflict (lrs_id) do update set salt = excluded.salt`,
    )
    this.#find = handle
      .prepare<[number, Buffer], number>('select 1 from erased_statement where lrs_id = ? and hash = ?')
      .pluck()
    this.#insert = handle.prepare('insert or ignore into erased_statement (lrs_id, hash) values (?, ?)')
    this.#read()
  }

  has(lrsId: LrsId, id: Buffer): boolean {
    const salt = this.#salts.get(lrsId)
    return salt !== undefined && this.#find.get(lrsId, hashOf(salt, id)) !== undefined
  }

  add(lrsId: LrsId, id: Buffer): void {
    this.#insert.run(lrsId, hashOf(this.#saltOf(lrsId), id))
  }

  /** The salt may have been new. */
  rolledBack(): void {
    this.#read()
  }

  #saltOf(lrsId: LrsId): Buffer {
    const known = this.#salts.get(lrsId)
    if (known !== undefined) return known
    const salt = randomBytes(saltBytes)
    this.#saveSalt.run(lrsId, salt)
    this.#salts.set(lrsId, salt)
    return salt
  }

  #read(): void {
    this.#salts = new Map(this.#readSalts.all().map(({ lrs_id, salt }) => [lrs_id, salt]))
  }
}

/** As who only reads asks; what the writer adds in between is seen. */
export function prepareErasedLookup(handle: Handle): (lrsId: LrsId, id: string) => boolean {
  const salt = handle.prepare<[number], Buffer | null>('select salt from erased_lrs where lrs_id = ?').pluck()
  const find = handle.prepare('select 1 from erased_statement where lrs_id = ? and hash = ?')
  return (lrsId, id) => {
    const known = salt.get(lrsId)
    if (known === undefined || known === null) return false
    return find.get(lrsId, hashOf(known, Buffer.from(id.replaceAll('-', ''), 'hex'))) !== undefined
  }
}

function hashOf(salt: Buffer, id: Buffer): Buffer {
  return createHmac('sha256', salt).update(id).digest().subarray(0, hashBytes)
}
