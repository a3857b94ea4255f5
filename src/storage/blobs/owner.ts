// Whose a place of bytes is: one store's, for whatever a place holds that its store has no row for is removed as left over. The place
// has a marker with the id of its store, which is looked at before anything else is done there and before anything is removed.
// See docs/decisions/0018.

import { randomUUID } from 'node:crypto'
import { DomainError } from '../../core/errors.ts'
import { ownerMarker } from './place.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Arrived, Blob, BlobPlace, Found, Names, Opened } from './place.ts'

/** The platform value with a store's id. A copy has one of its own. */
export const storeId = 'store'

export function newStoreId(): string {
  return randomUUID()
}

export interface Store {
  readonly id: string
  /** For people; names no password. */
  readonly name: string
  /** False: it was just made, so whatever lies in a place is somebody else's. */
  readonly hasData: boolean
}

/** What a marker can be read from and written to. */
export type Markable = Pick<BlobPlace, 'name' | 'findOwner' | 'setOwner' | 'isEmpty'>

/** The place, as long as it is this store's; made its own when it is nobody's. Throws `unavailable` when it is another's. */
export async function claimPlace(place: BlobPlace, store: Store): Promise<BlobPlace> {
  const owner = await place.findOwner()
  if (owner === undefined) {
    // Of a version before there were markers, a store with data is what they are the data of.
    if (!store.hasData && !(await place.isEmpty())) throw isFull(place, store.name)
    await takePlace(place, store)
  } else if (owner !== store.id) throw isAnothers(place, store.name)
  place.prepare()
  return new OwnPlace(place, store)
}

/** Before a store is made: throws when it would have no place. */
export async function refuseTaken(place: Markable, name: string): Promise<void> {
  if ((await place.findOwner()) !== undefined) throw isAnothers(place, name)
  if (!(await place.isEmpty())) throw isFull(place, name)
}

/** For the first time. Others may be at it, too: who was first has it. */
export async function takePlace(place: Markable, { id, name }: Pick<Store, 'id' | 'name'>): Promise<void> {
  await place.setOwner(id, undefined)
  if ((await place.findOwner()) !== id) throw isAnothers(place, name)
}

const slips =
  'Is CLAVIGER_DATABASE_URL missing or wrong, or is CLAVIGER_DATA or CLAVIGER_S3_PREFIX that of another installation?'
const instead =
  'Correct that, or give this store a place of its own: another CLAVIGER_DATA, another CLAVIGER_S3_BUCKET or CLAVIGER_S3_PREFIX. Nothing was changed there.'

function isAnothers(place: Markable, name: string): DomainError {
  return new DomainError(
    'unavailable',
    `${place.name} has the attachments and long documents of another store than ${name}, which would remove them as left over. ${slips} Where claviger copy has passed them on, the copy is served from now. ${instead} Only if they are this store's own after all, its database put back from before it had a mark: delete "${ownerMarker}" there.`,
  )
}

function isFull(place: Markable, name: string): DomainError {
  return new DomainError(
    'unavailable',
    `${place.name} has attachments and long documents, and ${name} is new: they belong to another store, and this one would remove them as left over. ${slips} ${instead}`,
  )
}

/** Refuses to remove, or to list for that, once the place has become another's. */
class OwnPlace implements BlobPlace {
  readonly name: string
  readonly #place: BlobPlace
  readonly #store: Store

  constructor(place: BlobPlace, store: Store) {
    this.name = place.name
    this.#place = place
    this.#store = store
  }

  prepare(): void {
    this.#place.prepare()
  }

  receive(bytes: AsyncIterable<Uint8Array>): Promise<Arrived> {
    return this.#place.receive(bytes)
  }

  open(blob: Blob): Promise<Opened | undefined> {
    return this.#place.open(blob)
  }

  find(blob: Blob): Promise<Found | undefined> {
    return this.#place.find(blob)
  }

  async list(lrsId: LrsId, after?: string): ReturnType<BlobPlace['list']> {
    await this.#check()
    return this.#place.list(lrsId, after)
  }

  async *listOld(before: number): AsyncGenerator<Names> {
    await this.#check()
    yield* this.#place.listOld(before)
  }

  async remove(lrsId: LrsId, sha2s: readonly string[]): Promise<void> {
    await this.#check()
    await this.#place.remove(lrsId, sha2s)
  }

  async sweepArriving(): Promise<void> {
    await this.#check()
    await this.#place.sweepArriving()
  }

  isEmpty(): Promise<boolean> {
    return this.#place.isEmpty()
  }

  findOwner(): Promise<string | undefined> {
    return this.#place.findOwner()
  }

  setOwner(id: string, before: string | undefined): Promise<void> {
    return this.#place.setOwner(id, before)
  }

  close(): void {
    this.#place.close()
  }

  async #check(): Promise<void> {
    if ((await this.#place.findOwner()) !== this.#store.id) throw isAnothers(this.#place, this.#store.name)
  }
}
