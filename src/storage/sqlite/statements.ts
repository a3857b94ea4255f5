// The main side of the statement port: stored times and Consistent-Through, which need the clock and the pending writes of
// this process, and which descriptions need no writing. The rows themselves are read and written in the engine.

import { DescriptionCache } from '../statements/description-cache.ts'
import { isDomainError } from '../../core/errors.ts'
import { lowOf } from '../statements/free-times.ts'
import { packBatches, unpackOutcomes } from './batch-message.ts'
import type {
  BatchOutcome,
  Clock,
  Description,
  ImportOutcome,
  Json,
  KnownDescription,
  StatementBatch,
  StatementPage,
  StatementQuery,
  StatementStore,
} from '../../core/storage.ts'
import type { CredentialId, LrsId, Oid } from '../../core/ids.ts'
import type { Holds } from './holds.ts'
import type { Speaker } from '../statements/description-cache.ts'
import type { FindRead, PageRead } from './statement-reader.ts'
import type { EngineClient } from './engine-client.ts'
import type { ImportPart } from '../directory/import.ts'
import type { PackedPart, PackedStatements, Said } from './packed-part.ts'
import type { TimedBatch } from '../statements/storing.ts'

/** Lrs whose announcements are held one by one. */
const mostLrs = 50_000

const none: readonly Description[] = []

/** A description on its way into the store, and of which statement. */
interface News {
  readonly batch: TimedBatch
  readonly at: number
  readonly description: Description
}

function speakerOf(lrsId: LrsId, { owner, defineReach }: Pick<StatementBatch, 'owner' | 'defineReach'>): Speaker {
  return { lrsId, owner, isShared: defineReach === 'any' }
}

interface Horizon {
  /** Certain before the read. */
  readonly through: number
  readonly needsLast: boolean
}

export class Statements implements StatementStore {
  readonly #write: EngineClient['call']
  readonly #read: EngineClient['call']
  readonly #clock: Clock
  /** Stores under way per Lrs. */
  readonly #pending = new Map<LrsId, number>()
  /** The highest Consistent-Through ever given out per Lrs: nothing may be stored at or before it any more. */
  readonly #announced = new Map<LrsId, number>()
  /** At least every announcement that is no longer held, and those of the process before. */
  #floor: number
  readonly #known = new DescriptionCache()
  /** What an import says once and for all must not wash out what is said every day. */
  readonly #knownToImports = new DescriptionCache(1024 * 1024)
  readonly #holds: Holds

  constructor(
    calls: { readonly write: EngineClient['call']; readonly read: EngineClient['call'] },
    clock: Clock,
    { floor, holds }: { readonly floor: number; readonly holds: Holds },
  ) {
    this.#write = calls.write
    this.#read = calls.read
    this.#clock = clock
    this.#floor = floor
    this.#holds = holds
  }

  async store(batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]> {
    const lrsIds = [...new Set(batches.map(({ lrsId }) => lrsId))]
    for (const lrsId of lrsIds) this.#pending.set(lrsId, (this.#pending.get(lrsId) ?? 0) + 1)
    try {
      const news: News[] = []
      const timed = batches.map((batch) => ({ ...batch, floor: this.#firstSeq(batch.lrsId) }))
      const packed = packBatches(timed, (batch, at) => this.#newsOf(batch, at, news))
      const answer = await this.#write('statements.store', [packed])
      const outcomes = unpackOutcomes(answer as readonly number[])
      for (const [index, outcome] of outcomes.entries()) this.#noteStored(batches[index]?.lrsId, outcome)
      if (news.length > 0) this.#learn(news, timed, outcomes)
      return outcomes
    } finally {
      for (const lrsId of lrsIds) this.#settle(lrsId)
    }
  }

  /** The descriptions that are not known to stand already; they go into `news`, too. */
  #newsOf(batch: TimedBatch, at: number, news: News[]): readonly Description[] {
    const { descriptions = none, timestamp } = batch.statements[at] ?? {}
    if (descriptions.length === 0) return none
    const speaker = speakerOf(batch.lrsId, batch)
    const unknown = descriptions.filter((one) => !this.#known.isKnown(speaker, one, timestamp ?? batch.floor))
    for (const description of unknown) news.push({ batch, at, description })
    return unknown
  }

  /** A statement that was there already said nothing now. */
  #learn(news: readonly News[], batches: readonly TimedBatch[], outcomes: readonly BatchOutcome[]): void {
    const outcomeOf = new Map(batches.map((batch, index) => [batch, outcomes[index]]))
    for (const { batch, at, description } of news) {
      const outcome = outcomeOf.get(batch)
      const stored = outcome?.kind === 'stored' ? outcome.statements[at] : undefined
      if (stored === undefined || stored.wasThere) continue
      this.#known.learn(speakerOf(batch.lrsId, batch), description, batch.statements[at]?.timestamp ?? stored.seq)
    }
  }

  /** As `ImportStore.storeStatements`. */
  import(
    id: Oid,
    lrsId: LrsId,
    { part, progress }: { readonly part: PackedPart; readonly progress?: Json },
  ): Promise<readonly ImportOutcome[]> {
    const low = lowOf(part.earliest)
    // Before anything of it can be seen, and for as long as the row says so.
    if (low !== null) this.#holds.hold(id, lrsId, low)
    const news = part.said.filter(
      (said) => !this.#knownToImports.isKnown(speakerOf(lrsId, said), said.description, said.timestamp),
    )
    return this.#import({ id, lrsId, low, progress }, part.packed(news), news)
  }

  async #import(part: ImportPart, packed: PackedStatements, news: readonly Said[]): Promise<readonly ImportOutcome[]> {
    const writing = this.#write('imports.storeStatements', [part, packed]) as Promise<readonly ImportOutcome[]>
    const outcomes = await writing.catch((error: unknown) => {
      // There is none under way that would ever let go.
      if (isDomainError(error) && error.code === 'not_found') this.#holds.release(part.id)
      throw error
    })
    const { lrsId } = part
    for (const said of news) {
      if (outcomes[said.at] !== 'stored') continue
      this.#knownToImports.learn(speakerOf(lrsId, said), said.description, said.timestamp)
    }
    return outcomes
  }

  /** Runs what removes descriptions of the Lrs from the store: what is known of them holds no longer. */
  whileRemoving<T>(lrsId: LrsId, remove: () => Promise<T>): Promise<T> {
    return this.#known.suspend(lrsId, () => this.#knownToImports.suspend(lrsId, remove))
  }

  /** Later than what was ever announced, also when the clock was set back. */
  #firstSeq(lrsId: LrsId): number {
    return Math.max(this.#micros(), (this.#announced.get(lrsId) ?? this.#floor) + 1)
  }

  #micros(): number {
    return Math.floor(this.#clock.now() * 1000)
  }

  #settle(lrsId: LrsId): void {
    const left = (this.#pending.get(lrsId) ?? 1) - 1
    if (left === 0) this.#pending.delete(lrsId)
    else this.#pending.set(lrsId, left)
  }

  /** What is committed may be announced: all that follows is stored later. */
  #noteStored(lrsId: LrsId | undefined, outcome: BatchOutcome): void {
    if (lrsId === undefined || outcome.kind !== 'stored') return
    const last = outcome.statements.reduce((most, { seq }) => Math.max(most, seq), 0)
    this.#announce(lrsId, last)
  }

  #announce(lrsId: LrsId, through: number): number {
    const announced = Math.max(through, this.#announced.get(lrsId) ?? this.#floor)
    this.#announced.delete(lrsId)
    this.#announced.set(lrsId, announced)
    if (this.#announced.size > mostLrs) this.#forgetOldest()
    return announced
  }

  #forgetOldest(): void {
    for (const [lrsId, announced] of this.#announced) {
      this.#announced.delete(lrsId)
      this.#floor = Math.max(this.#floor, announced)
      return
    }
  }

  /**
   * The clock is read first, then the pending stores are looked at, and both before the snapshot is taken: whatever is stored
   * after that gets a later time. With a store under way only what the snapshot has is certain, and what was certain before.
   */
  #horizon(lrsId: LrsId): Horizon {
    const now = this.#micros()
    const before = this.#announced.get(lrsId)
    if (this.#pending.has(lrsId)) return { through: before ?? this.#floor, needsLast: true }
    // The first time, the file may know a later stored time than the clock does.
    return { through: this.#announce(lrsId, now), needsLast: before === undefined }
  }

  /** Not more than the horizon before the read and the read itself vouch for, whatever was announced meanwhile. */
  #through(lrsId: LrsId, { through }: Horizon, last: number | undefined): number {
    const certain = Math.max(through, last ?? 0)
    this.#announce(lrsId, certain)
    return this.#holds.within(lrsId, certain)
  }

  async find(
    lrsId: LrsId,
    id: string,
    options: Parameters<StatementStore['find']>[2],
  ): ReturnType<StatementStore['find']> {
    const horizon = this.#horizon(lrsId)
    const read = (await this.#read('statements.find', [lrsId, id, options, horizon.needsLast])) as FindRead
    return { statement: read.statement, consistentThrough: this.#through(lrsId, horizon, read.last) }
  }

  async list(lrsId: LrsId, query: StatementQuery): Promise<StatementPage> {
    const horizon = this.#horizon(lrsId)
    const read = (await this.#read('statements.list', [lrsId, query, horizon.needsLast])) as PageRead
    return { rows: read.rows, next: read.next, consistentThrough: this.#through(lrsId, horizon, read.last) }
  }

  async follow(lrsId: LrsId, part: Parameters<StatementStore['follow']>[1]): ReturnType<StatementStore['follow']> {
    const free = this.#horizon(lrsId)
    const through = this.#holds.within(lrsId, Infinity)
    const horizon = through === Infinity ? free : { through: Math.min(free.through, through), needsLast: false }
    const read = (await this.#read('statements.follow', [lrsId, part, horizon])) as PageRead
    return { rows: read.rows, consistentThrough: this.#through(lrsId, horizon, read.last) }
  }

  async listLatest(lrsIds: readonly LrsId[]): Promise<readonly number[]> {
    return (await this.#read('statements.listLatest', [lrsIds])) as readonly number[]
  }

  async countStatements(lrsId: LrsId): Promise<number> {
    return (await this.#read('statements.count', [lrsId])) as number
  }

  async listDescriptions(
    lrsId: LrsId,
    about: Pick<Description, 'kind' | 'value'>,
    owner?: CredentialId,
  ): Promise<readonly KnownDescription[]> {
    return (await this.#read('statements.listDescriptions', [lrsId, about, owner])) as readonly KnownDescription[]
  }

  async consistentThrough(lrsId: LrsId): Promise<number> {
    const horizon = this.#horizon(lrsId)
    if (!horizon.needsLast) return this.#holds.within(lrsId, horizon.through)
    return this.#through(lrsId, horizon, (await this.#read('statements.last', [lrsId])) as number)
  }

  /** The highest announcement of this process, for the next one. */
  get highestAnnounced(): number {
    let highest = this.#floor
    for (const announced of this.#announced.values()) highest = Math.max(highest, announced)
    return highest
  }
}
