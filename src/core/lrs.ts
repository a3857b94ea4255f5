// The bodies of xAPI data an organisation owns: created, listed, found.

import type { LrsId, Oid } from './ids.ts'
import type { Caller } from './principal.ts'
import type { LrsRecord } from './storage.ts'

export interface NewLrsInput {
  readonly name: string
  readonly id?: LrsId
  readonly oid?: Oid
}

export class LrsDirectory {
  async create(caller: Caller, input: NewLrsInput): Promise<LrsRecord> {
    void [caller, input]
    throw new Error('not written yet')
  }

  /** By id; without management only those the caller's credential names. */
  async list(caller: Caller): Promise<readonly LrsRecord[]> {
    void caller
    throw new Error('not written yet')
  }

  async get(caller: Caller, id: LrsId): Promise<LrsRecord> {
    void [caller, id]
    throw new Error('not written yet')
  }
}
