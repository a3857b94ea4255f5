// Asked for every statement that arrives: whether its id went for a person and must not come back. In an Lrs without any,
// asking costs a look into an empty map. Works inside the writer's transaction.

import { erasedHash } from '../erasure/erased-ids.ts'
import type { Handle } from './handle.ts'
import type { LrsId } from '../../core/ids.ts'

export class ErasedIds {
  readonly #readSalts
  readonly #find
  #salts: ReadonlyMap<LrsId, Buffer> = new Map()

  constructor(handle: Handle) {
    this.#readSalts = handle.prepare<[], { readonly lrs_id: LrsId; readonly salt: Buffer }>(
      'select lrs_id, salt from erased_lrs where salt is not null',
    )
    this.#find = handle
      .prepare<[number, Buffer], number>('select 1 from erased_statement where lrs_id = ? and hash = ?')
      .pluck()
    this.read()
  }

  has(lrsId: LrsId, id: Buffer): boolean {
    const salt = this.#salts.get(lrsId)
    return salt !== undefined && this.#find.get(lrsId, erasedHash(salt, id)) !== undefined
  }

  /** Anew, where a salt may have come or gone. */
  read(): void {
    this.#salts = new Map(this.#readSalts.all().map(({ lrs_id, salt }) => [lrs_id, salt]))
  }
}
