// Works on pipes: one node at a time on each, several side by side, in order, each batch until the target has acknowledged it. The
// source is the queue; only the position is written, after the acknowledgement. A crash in between repeats a batch, which a
// store of statements takes as known. Knows no HTTP.

import { isDomainError } from './errors.ts'
import type { LrsId, OrganisationId, PipeId } from './ids.ts'
import type { Leases } from './jobs.ts'
import type { Log } from './core.ts'
import type { Meter } from './meter.ts'
import { openEndpoints } from './pipe.ts'
import { readProgress } from './pipe-progress.ts'
import { LrsSource, RemoteSource } from './pipe-source.ts'
import { PipeTurn } from './pipe-turn.ts'
import type { Turn } from './pipe-turn.ts'
import type { RemoteLrsDoor } from './remote-lrs.ts'
import type { Clock, PipeRecord, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

export interface ForwardingTiming {
  /** How often a node asks whether there is something to forward. */
  readonly lookEveryMs: number
  /** How often a store elsewhere is asked for what is new. */
  readonly pollEveryMs: number
  /** After so long a pipe with much to do makes room for others. */
  readonly turnMs: number
  /** Another node works on it, or this one could not: not asked again before. */
  readonly restMs: number
}

const forwardingTiming: ForwardingTiming = { lookEveryMs: 1_000, pollEveryMs: 10_000, turnMs: 30_000, restMs: 5_000 }

/** Pipes a node works on at once, and those of one organisation: each holds a batch, and may wait for a target that hangs. */
const mostSideBySide = 32
const mostOfOne = 8
/** Looking for what changed takes at most this part of the time, however many pipes there are. */
const lookShare = 0.05
/** As long ago as the last statement it delivered may be stored. */
const keepingUpMs = 10_000
/** As many rows as the store gives at once. */
const pageSize = 1_000

/** A pipe that runs, as far as this node knows: what it is at may be older than what another node has come to. */
interface Known {
  readonly organisationId: OrganisationId
  readonly lrsId: LrsId | null
  at: number
  retryAt: number
  failures: number
  /** By this process's own time. */
  notBefore: number
}

export interface ForwardingState {
  readonly pipes: number
  readonly working: number
  readonly failing: number
  /** Seconds for which the one furthest behind has not delivered all that is stored. */
  readonly lagSeconds: number
}

export interface ForwardingParts {
  readonly storage: Storage
  readonly vault: Vault
  readonly clock: Clock
  readonly leases: Leases
  readonly remote: RemoteLrsDoor
  readonly meter: Meter
  readonly log?: Log | undefined
  readonly timing?: ForwardingTiming | undefined
  /** From 0 to 1. */
  readonly random?: () => number
}

/** One per node. */
export class Forwarding {
  readonly #parts: ForwardingParts
  readonly #timing: ForwardingTiming
  readonly #random: () => number
  readonly #known = new Map<PipeId, Known>()
  readonly #working = new Map<PipeId, Promise<void>>()
  /** Since when each has something that is not delivered. */
  readonly #behindSince = new Map<PipeId, number>()
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #refreshAt = 0
  #isWoken = false

  constructor(parts: ForwardingParts) {
    this.#parts = parts
    this.#timing = parts.timing ?? forwardingTiming
    this.#random = parts.random ?? Math.random
    this.#lookAgain(this.#timing.lookEveryMs)
  }

  get state(): ForwardingState {
    const failing = [...this.#known.values()].filter(({ failures }) => failures > 0).length
    const first = Math.min(...this.#behindSince.values())
    const lagSeconds = Number.isFinite(first) ? (performance.now() - first) / 1000 : 0
    return { pipes: this.#known.size, working: this.#working.size, failing, lagSeconds }
  }

  /** There may be another pipe, or an old one that runs again. */
  wake(): void {
    this.#refreshAt = 0
    if (this.#looking === undefined) this.#lookAgain(0)
    else this.#isWoken = true
  }

  /** What is under way ends at its next step, and is repeated by who goes on with it. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#closing.abort()
    await this.#looking
    await Promise.allSettled(this.#working.values())
  }

  #lookAgain(afterMs: number): void {
    if (this.#closing.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined
        this.#lookAgain(this.#isWoken ? 0 : this.#timing.lookEveryMs)
        this.#isWoken = false
      })
    }, afterMs).unref()
  }

  async #look(): Promise<void> {
    try {
      if (performance.now() >= this.#refreshAt) await this.#refresh()
      for (const id of await this.#listDue()) this.#start(id)
    } catch (error) {
      // The store is out of reach, as everybody notices.
      if (!isDomainError(error)) this.#parts.log?.error({ err: error }, 'Looking for what to forward broke off.')
    }
  }

  async #refresh(): Promise<void> {
    const start = performance.now()
    const seen = new Set<PipeId>()
    for (let after: PipeId | undefined; ;) {
      const page = await this.#parts.storage.platform.listRunningPipes(after)
      for (const record of page) {
        seen.add(record.id)
        this.#learn(record)
      }
      after = page.at(-1)?.id
      if (page.length < pageSize) break
    }
    for (const id of this.#known.keys()) if (!seen.has(id)) this.#forget(id)
    const took = performance.now() - start
    this.#refreshAt = performance.now() + Math.max(this.#timing.lookEveryMs, took / lookShare) - 1
  }

  #learn({ id, organisationId, lrsId, progress }: PipeRecord): void {
    if (this.#working.has(id)) return
    const { at = 0, retryAt = 0, failures } = readProgress(progress)
    const known = this.#known.get(id)
    // Where it is idle the position in memory may be further than what was worth writing; it begins anew where it was changed.
    const isSame = known !== undefined && known.lrsId === lrsId && (at > 0 || known.at === 0)
    const notBefore = known?.notBefore ?? 0
    this.#known.set(id, {
      ...{ organisationId, lrsId, retryAt, failures },
      at: isSame ? Math.max(at, known.at) : at,
      notBefore: retryAt === 0 && known !== undefined && known.retryAt > 0 ? 0 : notBefore,
    })
  }

  #forget(id: PipeId): void {
    this.#known.delete(id)
    this.#behindSince.delete(id)
  }

  /** Those with something to do, whoever waits longest first. */
  async #listDue(): Promise<readonly PipeId[]> {
    const now = performance.now()
    const ready = [...this.#known].filter(
      ([id, { notBefore, retryAt }]) =>
        !this.#working.has(id) && notBefore <= now && retryAt <= this.#parts.clock.now(),
    )
    const lrsIds = [...new Set(ready.flatMap(([, { lrsId }]) => (lrsId === null ? [] : [lrsId])))]
    const latest = new Map<LrsId, number>()
    for (let from = 0; from < lrsIds.length; from += pageSize) {
      const some = lrsIds.slice(from, from + pageSize)
      const found = await this.#parts.storage.statements.listLatest(some)
      some.forEach((lrsId, index) => latest.set(lrsId, found[index] ?? 0))
    }
    const due = ready.filter(([, { lrsId, at }]) => lrsId === null || (latest.get(lrsId) ?? 0) > at)
    for (const [id] of due) if (!this.#behindSince.has(id)) this.#behindSince.set(id, now)
    return due.toSorted(([, one], [, other]) => one.notBefore - other.notBefore).map(([id]) => id)
  }

  #start(id: PipeId): void {
    const known = this.#known.get(id)
    if (known === undefined || this.#closing.signal.aborted || this.#working.has(id)) return
    const ofSame = [...this.#working.keys()].filter(
      (one) => this.#known.get(one)?.organisationId === known.organisationId,
    )
    if (this.#working.size >= mostSideBySide || ofSame.length >= mostOfOne) return
    const work = this.#takeTurn(id, known).finally(() => {
      this.#working.delete(id)
      // Others wait for its place, or it has more to do.
      if (this.#looking === undefined) this.#lookAgain(0)
      else this.#isWoken = true
    })
    this.#working.set(id, work)
  }

  async #takeTurn(id: PipeId, known: Known): Promise<void> {
    try {
      const { leases } = this.#parts
      const work = (signal: AbortSignal): Promise<Turn> => this.#work(id, known.organisationId, signal)
      const held = await leases.hold(`pipe ${id}`, work)
      if (held === undefined) known.notBefore = performance.now() + this.#timing.restMs
      else this.#note(id, known, held.result)
    } catch (error) {
      // The store is out of reach, or another node goes on with it.
      const isPassing = this.#closing.signal.aborted || (isDomainError(error) && error.code === 'unavailable')
      known.notBefore = performance.now() + this.#timing.restMs * (isPassing ? 1 : 12)
      if (!isPassing) this.#parts.log?.error({ err: error, pipe: id }, 'Forwarding broke off; it is tried again.')
    }
  }

  #note(id: PipeId, known: Known, turn: Turn): void {
    if (turn.kind === 'over') return this.#forget(id)
    known.at = turn.at
    known.failures = turn.kind === 'failing' ? turn.failures : 0
    known.retryAt = turn.kind === 'failing' ? turn.retryAt : 0
    const { lookEveryMs, pollEveryMs } = this.#timing
    const restsMs = known.lrsId === null ? pollEveryMs : lookEveryMs / 2
    known.notBefore = performance.now() + (turn.kind === 'idle' ? restsMs : 0)
    // Under constant load a pipe that keeps up may never find nothing.
    const keepsUp = turn.kind === 'busy' && this.#parts.clock.now() - turn.at / 1000 < keepingUpMs
    if (turn.kind === 'idle' || keepsUp) this.#behindSince.delete(id)
  }

  async #work(id: PipeId, organisationId: OrganisationId, lost: AbortSignal): Promise<Turn> {
    const { storage, vault, remote, clock } = this.#parts
    const signal = AbortSignal.any([lost, this.#closing.signal])
    const record = await storage.directory.findPipe(organisationId, id)
    const organisation = await storage.directory.findOrganisation(organisationId)
    if (record === undefined || organisation === undefined || record.pausedBecause !== null) return { kind: 'over' }
    const progress = readProgress(record.progress)
    const { at = 0, retryAt = 0, failures, isBare } = progress
    // Another node has tried meanwhile.
    if (retryAt > clock.now()) return { kind: 'failing', retryAt, failures, at }
    const { source, target } = openEndpoints(record, (place, sealed) => vault.open(organisation, place, sealed))
    const { lrsId } = record
    const from = lrsId === null ? source && new RemoteSource(remote.open(source)) : new LrsSource(storage, lrsId)
    if (from === undefined) return { kind: 'over' }
    const pipe = { record, source: from, target: remote.open(target, { isBare }) }
    return new PipeTurn(this.#parts, pipe, { signal, random: this.#random, turnMs: this.#timing.turnMs }).run(progress)
  }
}
