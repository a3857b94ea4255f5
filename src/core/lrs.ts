// The bodies of xAPI data an organisation owns: created, listed, described, deleted, restored. What they hold is none of this.

import { authorise } from './access.ts'
import { eventBy } from './audit.ts'
import { checkIds, checkName, checkProse, checkTime, checkWords, refuse } from './check.ts'
import type { Failure } from './errors.ts'
import { DomainError } from './errors.ts'
import type { LrsId, Oid } from './ids.ts'
import type { Caller } from './principal.ts'
import type { Clock, DirectoryStore, Ids, Json, LrsPatch, LrsRecord, StatementStore, Storage } from './storage.ts'

export interface NewLrsInput {
  readonly name: string
  /** None unless given. */
  readonly description?: string | null
  /** What a face remembers of it, by face. */
  readonly words?: Readonly<Record<string, Json>>
  /** Unix milliseconds; now unless given. */
  readonly createdAt?: number
  /** Now unless given. Operators only, as what follows, so that all of it survives a move. */
  readonly updatedAt?: number
  readonly id?: LrsId
  readonly oid?: Oid
}

/** Only what is present changes. */
export interface LrsChange {
  readonly name?: string
  readonly description?: string | null
  /** Merged; null removes what a face remembers. */
  readonly words?: Readonly<Record<string, Json>>
  /** Unix milliseconds. */
  readonly createdAt?: number
}

/** Which ones a list has: those that are deleted as well, where that is asked for. */
export interface LrsListing {
  readonly withDeleted?: boolean
}

export class LrsDirectory {
  readonly #directory: DirectoryStore
  readonly #statements: StatementStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor({ storage, clock, ids }: { storage: Storage; clock: Clock; ids: Ids }) {
    this.#directory = storage.directory
    this.#statements = storage.statements
    this.#clock = clock
    this.#ids = ids
  }

  async create(caller: Caller, input: NewLrsInput): Promise<LrsRecord> {
    authorise(caller, { kind: 'manage', area: 'data', action: 'write' })
    refuse(checkLrs(input))
    refuseChosen(caller, input)
    const { name, oid = this.#ids.oid() } = input
    const event = eventBy(caller, this.#clock, 'lrs.create', { noun: 'lrs', id: null }, { name, oid })
    return this.#directory.createLrs(
      caller.organisationId,
      { createdAt: event.at, updatedAt: event.at, ...input, oid },
      event,
    )
  }

  /** By id; without management of the whole organisation only those the caller's credential names. */
  async list(caller: Caller, { withDeleted = false }: LrsListing = {}): Promise<readonly LrsRecord[]> {
    const all = await this.#directory.listLrs(caller.organisationId)
    const asked = withDeleted ? all : all.filter(({ deletedAt }) => deletedAt === null)
    if (caller.rights.management.some(({ bound }) => bound.kind === 'organisation')) return asked
    return asked.filter(({ id }) => caller.lrsIds?.includes(id))
  }

  async get(caller: Caller, id: LrsId, listing: LrsListing = {}): Promise<LrsRecord> {
    const found = (await this.list(caller, listing)).find((lrs) => lrs.id === id)
    if (found === undefined) throw noLrs(id)
    return found
  }

  /** How many statements each of these holds, in their order: voided ones, and those that void, too. */
  async countStatements(caller: Caller, ids: readonly LrsId[]): Promise<readonly number[]> {
    const known = new Set((await this.list(caller, { withDeleted: true })).map(({ id }) => id))
    return Promise.all(
      ids.map((id) => {
        if (!known.has(id)) throw noLrs(id)
        return this.#statements.countStatements(id)
      }),
    )
  }

  /** Of one that is not deleted. */
  async update(caller: Caller, id: LrsId, change: LrsChange): Promise<LrsRecord> {
    this.#demand(caller, id, 'write')
    refuse(checkLrs(change))
    await this.#findLive(caller, id)
    const { words: _, ...detail } = change
    return this.#change(caller, id, change, { action: 'lrs.update', detail })
  }

  /**
   * From now on it answers no xAPI, on any path, and no list has it. What it holds stays, for `restore`, until it is erased.
   * `conflict` for the organisation's default and for those of an application.
   */
  async remove(caller: Caller, id: LrsId): Promise<LrsRecord> {
    this.#demand(caller, id, 'delete')
    const { name } = await this.#findLive(caller, id)
    return this.#change(caller, id, { deletedAt: this.#clock.now() }, { action: 'lrs.delete', detail: { name } })
  }

  /** As before it was deleted, with the keys that reached it, as far as they still do. */
  async restore(caller: Caller, id: LrsId): Promise<LrsRecord> {
    this.#demand(caller, id, 'delete')
    const { name, deletedAt } = await this.#find(caller, id)
    if (deletedAt === null) throw new DomainError('conflict', `Lrs ${id} is not deleted.`)
    return this.#change(caller, id, { deletedAt: null }, { action: 'lrs.restore', detail: { name } })
  }

  #demand(caller: Caller, id: LrsId, action: 'write' | 'delete'): void {
    authorise(caller, { kind: 'manage', area: 'data', action, bound: { kind: 'lrs', id } })
  }

  async #find(caller: Caller, id: LrsId): Promise<LrsRecord> {
    const found = (await this.#directory.listLrs(caller.organisationId)).find((lrs) => lrs.id === id)
    if (found === undefined) throw noLrs(id)
    return found
  }

  async #findLive(caller: Caller, id: LrsId): Promise<LrsRecord> {
    const found = await this.#find(caller, id)
    if (found.deletedAt !== null) throw new DomainError('not_found', `Lrs ${id} is deleted.`)
    return found
  }

  #change(
    caller: Caller,
    id: LrsId,
    patch: Omit<LrsPatch, 'at'>,
    { action, detail }: { readonly action: string; readonly detail: Json },
  ): Promise<LrsRecord> {
    const event = eventBy(caller, this.#clock, action, { noun: 'lrs', id }, detail)
    return this.#directory.updateLrs(caller.organisationId, id, { ...patch, at: event.at }, event)
  }
}

export function checkLrs(
  { name, description, words, createdAt, updatedAt, id, oid }: Partial<NewLrsInput>,
  pointer = '',
): readonly Failure[] {
  return [
    ...(name === undefined ? [] : checkName(name, `${pointer}/name`)),
    ...(typeof description === 'string'
      ? checkProse(description, { pointer: `${pointer}/description`, noun: 'A description' })
      : []),
    ...(words === undefined ? [] : checkWords(words)),
    ...checkTime(createdAt, { pointer: `${pointer}/createdAt`, noun: 'The time it was made' }),
    ...checkTime(updatedAt, { pointer: `${pointer}/updatedAt`, noun: 'The time it was last changed' }),
    ...checkIds({ id, oid }, pointer),
  ]
}

function refuseChosen(caller: Caller, { id, oid, updatedAt }: NewLrsInput): void {
  if (caller.credentialId === undefined) return
  if (id === undefined && oid === undefined && updatedAt === undefined) return
  throw new DomainError('forbidden', 'Only an operator chooses identifiers and times of change.', {
    detail: { decidedBy: 'operator' },
  })
}

function noLrs(id: LrsId): DomainError {
  return new DomainError('not_found', `There is no Lrs ${id}.`)
}
