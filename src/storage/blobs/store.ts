// The blob store of the port: what becomes of bytes from their arrival to their removal, wherever they lie. Hashes and limits on
// the way in, holds, the sweep. Asks rows and holds of the store that has them; knows nothing of statements or documents.

import { createHash, randomUUID } from 'node:crypto'
import { DomainError, invalid, lostBytes } from '../../core/errors.ts'
import { algorithmOf, inParts, mostTogether, storeIsClosing } from './place.ts'
import type { LrsId } from '../../core/ids.ts'
import type { BlobHold, BlobStore, Clock } from '../../core/storage.ts'
import type { BlobHolds, Removal } from './holds.ts'
import type { Arrived, Blob, BlobPlace, Opened } from './place.ts'

/** What a blob store asks of the store that has the rows. */
export interface BlobRows {
  /** Those of the blobs that a row of the Lrs refers to. */
  findReferenced(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]>
  /** Kept where every process sees them that stores in the same place. */
  readonly holds: BlobHolds
}

export interface BlobsOptions {
  readonly place: BlobPlace
  readonly rows: BlobRows
  readonly clock: Clock
}

type PutOptions = Parameters<BlobStore['put']>[2]
type Stored = Awaited<ReturnType<BlobStore['put']>>
type Swept = Awaited<ReturnType<BlobStore['sweep']>>
type Removed = Awaited<ReturnType<BlobStore['removeUnused']>>

/** Marked, looked at and removed together: who puts one of them waits no longer than that takes. */
const mostMarked = 100
/** Asked of the place side by side. */
const mostAsked = 16

/** A hash that nothing has. */
const nothing = '0'.repeat(64)

class Hold implements BlobHold {
  readonly holder = randomUUID()
  /** By name; resolves when it is taken. */
  readonly taken = new Map<string, { readonly blob: Blob; readonly done: Promise<void> }>()
  isReleased = false
  readonly release: () => void
  readonly leave: () => void
  readonly confirm: () => Promise<void>

  constructor(release: (hold: Hold) => void, holds: BlobHolds) {
    this.release = () => release(this)
    this.leave = () => {
      if (holds.leave === undefined || this.isReleased) return release(this)
      this.isReleased = true
      holds.leave(this.holder)
    }
    this.confirm = () => (this.taken.size === 0 ? Promise.resolve() : holds.confirm(this.holder))
  }
}

export class Blobs implements BlobStore {
  readonly #place: BlobPlace
  readonly #rows: BlobRows
  readonly #holds: BlobHolds
  readonly #clock: Clock
  /** What must come to its end before the store closes. */
  readonly #underWay = new Set<Promise<unknown>>()
  #isClosed = false

  constructor({ place, rows, clock }: BlobsOptions) {
    this.#place = place
    this.#rows = rows
    this.#holds = rows.holds
    this.#clock = clock
  }

  hold(): BlobHold {
    return this.#newHold()
  }

  async put(lrsId: LrsId, bytes: AsyncIterable<Uint8Array>, { sha2, mostBytes, hold }: PutOptions): Promise<Stored> {
    const algorithm = sha2 === undefined ? 'sha256' : algorithmOf(sha2)
    if (algorithm === undefined) throw invalid('A blob is named by the hex digits of its SHA-2 hash')
    const hash = createHash(algorithm)
    let length = 0
    const arrived = await this.#place.receive(
      this.#whileOpen(bytes, (piece) => {
        length += piece.byteLength
        if (length > mostBytes) throw new DomainError('too_large', `More than ${mostBytes} bytes`)
        hash.update(piece)
      }),
    )
    try {
      const digest = hash.digest('hex')
      if (sha2 !== undefined && digest !== sha2) throw invalid(`The content has the hash ${digest}, not ${sha2}`)
      await this.#finish(this.#settle(arrived, { lrsId, sha2: digest }, hold))
      return { sha2: digest, length }
    } catch (error) {
      await arrived.discard()
      throw error
    }
  }

  async open(lrsId: LrsId, sha2: string): Promise<Opened | undefined> {
    if (algorithmOf(sha2) === undefined) return undefined
    const blob = { lrsId, sha2 }
    const opened = await this.#place.open(blob)
    if (opened !== undefined || !(await this.#isReferenced(blob))) return opened
    // Between the two looks it may have come.
    const come = await this.#place.open(blob)
    if (come !== undefined) return come
    throw lostBytes('The content is missing on the server: no retry helps, and the request id finds it in the log', {
      lrsId,
      sha2s: [sha2],
    })
  }

  async look(): Promise<void> {
    const found = await this.#place.open({ lrsId: 0 as LrsId, sha2: nothing })
    found?.cancel()
  }

  async listLost(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]> {
    const absent = await this.#listAbsent(lrsId, sha2s)
    if (absent.length === 0) return []
    // Rows go before bytes, and bytes come before rows: absent before and after a row was seen is lost.
    return this.#listAbsent(lrsId, await this.#rows.findReferenced(lrsId, absent))
  }

  async sweep(minAgeMs: number): Promise<Swept> {
    const before = this.#clock.now() - minAgeMs
    let removed = 0
    let bytes = 0
    try {
      await this.#place.sweepArriving()
      await this.#removeWanted(await this.#holds.dropExpired())
      for await (const { lrsId, sha2s } of this.#place.listOld(before)) {
        if (this.#isClosed) break
        const swept = await this.#removeUnreferenced(lrsId, sha2s, { before, isWanted: false })
        removed += swept.removed
        bytes += swept.bytes
      }
    } catch (error) {
      // The next process sweeps the rest.
      if (!this.#isClosed) throw error
    }
    return { removed, bytes }
  }

  async removeUnused(lrsId: LrsId, after?: string): Promise<Removed> {
    const { sha2s, next } = await this.#place.list(lrsId, after)
    const { removed, left } = await this.#removeUnreferenced(lrsId, sha2s, { before: Infinity, isWanted: true })
    return { removed, left, next }
  }

  /** Refuses what is new and what still arrives; what has arrived finds its place. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
    this.#holds.close()
    this.#place.close()
  }

  #newHold(): Hold {
    return new Hold((hold) => {
      if (hold.isReleased) return
      hold.isReleased = true
      // Whatever keeps it from being let go or removed now, it expires, and a sweep comes by.
      this.#finish(this.#letGo(hold)).catch(() => {})
    }, this.#holds)
  }

  async #letGo({ holder, taken }: Hold): Promise<void> {
    const all = [...taken.values()]
    if (all.length === 0) return
    const done = await Promise.allSettled(all.map((one) => one.done))
    const blobs = all.filter((_, index) => done[index]?.status === 'fulfilled').map(({ blob }) => blob)
    await this.#removeWanted(await this.#holds.drop(blobs, holder))
  }

  /** A put without a hold, or with one that is over, has its own as long as it takes: nobody removes what it is looking at. */
  async #settle(arrived: Arrived, blob: Blob, given: BlobHold | undefined): Promise<void> {
    const isHeld = given instanceof Hold && !given.isReleased
    const hold = isHeld ? given : this.#newHold()
    try {
      const isFirst = await this.#take(blob, hold)
      const wasThere = await arrived.settle(blob)
      if (isFirst && wasThere && isHeld) await this.#holds.noteThere(blob, hold.holder)
    } finally {
      if (!isHeld) hold.release()
    }
  }

  /** True the first time. */
  async #take(blob: Blob, hold: Hold): Promise<boolean> {
    const key = `${blob.lrsId}/${blob.sha2}`
    const known = hold.taken.get(key)
    if (known !== undefined) {
      await known.done
      return false
    }
    const done = this.#holds.take(blob, hold.holder)
    hold.taken.set(key, { blob, done })
    try {
      await done
      return true
    } catch (error) {
      hold.taken.delete(key)
      throw error
    }
  }

  async #removeWanted(blobs: readonly Blob[]): Promise<void> {
    for (const lrsId of new Set(blobs.map((blob) => blob.lrsId))) {
      const sha2s = blobs.filter((blob) => blob.lrsId === lrsId).map(({ sha2 }) => sha2)
      await this.#removeUnreferenced(lrsId, sha2s, { before: Infinity, isWanted: true })
    }
  }

  /** Those put at or before then that no row refers to and nobody holds. `isWanted`: the held ones go with their hold. */
  async #removeUnreferenced(
    lrsId: LrsId,
    sha2s: readonly string[],
    options: { readonly before: number; readonly isWanted: boolean },
  ): Promise<Removed & Swept> {
    let [removed, bytes, left] = [0, 0, 0]
    for (const some of inParts(sha2s, mostTogether)) {
      const referenced = new Set(await this.#rows.findReferenced(lrsId, some))
      const unreferenced = some.filter((sha2) => !referenced.has(sha2))
      for (const marked of inParts(unreferenced, mostMarked)) {
        const part = await this.#finish(this.#removeMarked(lrsId, marked, options))
        removed += part.removed
        bytes += part.bytes
        left += part.left
      }
    }
    return { removed, bytes, left, next: undefined }
  }

  async #removeMarked(
    lrsId: LrsId,
    sha2s: readonly string[],
    { before, isWanted }: { readonly before: number; readonly isWanted: boolean },
  ): Promise<{ readonly removed: number; readonly bytes: number; readonly left: number }> {
    const removal = await this.#holds.beginRemoval(lrsId, sha2s, isWanted)
    const found = await this.#findUnused(lrsId, removal.free, before).catch(async (error: unknown) => {
      await removal.end()
      throw error
    })
    await this.#removeSurely(lrsId, [...found.keys()], removal)
    const bytes = [...found.values()].reduce((sum, length) => sum + length, 0)
    return { removed: found.size, bytes, left: removal.held.length }
  }

  /**
   * Lengths, of those that nobody can take hold of. Who had put one held it until their row was there: neither held nor referred
   * to, looked up in this order, it is nobody's.
   */
  async #findUnused(lrsId: LrsId, free: readonly string[], before: number): Promise<ReadonlyMap<string, number>> {
    const unused = new Map<string, number>()
    if (free.length === 0) return unused
    const referenced = new Set(await this.#rows.findReferenced(lrsId, free))
    const wanted = free.filter((sha2) => !referenced.has(sha2))
    for (const some of inParts(wanted, mostAsked)) {
      const found = await Promise.all(some.map((sha2) => this.#place.find({ lrsId, sha2 })))
      for (const [index, one] of found.entries()) {
        if (one !== undefined && one.putAt <= before) unused.set(some[index]!, one.length)
      }
    }
    return unused
  }

  async #removeSurely(lrsId: LrsId, sha2s: readonly string[], removal: Removal): Promise<void> {
    try {
      if (performance.now() > removal.until) throw tookTooLong()
      if (sha2s.length > 0) await this.#place.remove(lrsId, sha2s)
    } catch (error) {
      removal.leave()
      throw error
    }
    await removal.end()
  }

  async #isReferenced({ lrsId, sha2 }: Blob): Promise<boolean> {
    return (await this.#rows.findReferenced(lrsId, [sha2])).length > 0
  }

  async #listAbsent(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]> {
    const absent: string[] = []
    for (const some of inParts(sha2s, mostAsked)) {
      const found = await Promise.all(some.map((sha2) => this.#place.find({ lrsId, sha2 })))
      absent.push(...some.filter((_, index) => found[index] === undefined))
    }
    return absent
  }

  async *#whileOpen(
    bytes: AsyncIterable<Uint8Array>,
    look: (piece: Uint8Array) => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#isClosed) throw storeIsClosing()
    for await (const piece of bytes) {
      if (this.#isClosed) throw storeIsClosing()
      look(piece)
      yield piece
    }
    if (this.#isClosed) throw storeIsClosing()
  }

  async #finish<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }
}

function tookTooLong(): DomainError {
  return new DomainError('unavailable', 'Removing took too long: the rest is left to the next time.', {
    detail: { retryAfterSeconds: 60 },
  })
}
