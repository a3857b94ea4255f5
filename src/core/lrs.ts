// The bodies of xAPI data an organisation owns: created, listed, found.

import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkIds, checkName, refuse } from './check.ts'
import { DomainError } from './errors.ts'
import type { LrsId, Oid } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Clock, DirectoryStore, Ids, LrsRecord, Storage } from './storage.ts'

export interface NewLrsInput {
  readonly name: string
  readonly id?: LrsId
  readonly oid?: Oid
}

export class LrsDirectory {
  readonly #directory: DirectoryStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ storage, clock, ids }: { storage: Storage; clock: Clock; ids: Ids }) {
    this.#directory = storage.directory
    this.#clock = clock
    this.#ids = ids
  }

  async create(caller: Caller, { name, id, oid = this.#ids.oid() }: NewLrsInput): Promise<LrsRecord> {
    authorise(caller, { kind: 'manage', area: 'data', action: 'write' })
    refuse([...checkName(name), ...checkIds({ id, oid })])
    return this.#directory.createLrs(
      caller.organisationId,
      { oid, name, createdAt: this.#clock.now(), ...(id === undefined ? {} : { id }) },
      eventBy(caller, this.#clock, 'lrs.create', { noun: 'lrs', id: null }, { name, oid }),
    )
  }

  /** By id; without management of the whole organisation only those the caller's credential names. */
  async list(caller: Caller): Promise<readonly LrsRecord[]> {
    const all = await this.#directory.listLrs(caller.organisationId)
    if (caller.rights.management.some(({ bound }) => bound.kind === 'organisation')) return all
    return all.filter(({ id }) => caller.lrsIds?.includes(id))
  }

  async get(caller: Caller, id: LrsId): Promise<LrsRecord> {
    const found = (await this.list(caller)).find((lrs) => lrs.id === id)
    if (found === undefined) throw new DomainError('not_found', `There is no Lrs ${id}.`)
    return found
  }
}
