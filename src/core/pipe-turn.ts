// One node's turn at one pipe, while it holds the lease: batch after batch until nothing is left, its time is over, or the target
// will not have it. Says what became of it; when it is the pipe's turn again is core/forwarding.ts's.

import type { Log } from './core.ts'
import type { Meter } from './meter.ts'
import { afterDelivery, afterFailure, mostAtOnce, movedTo, shortened, toJson } from './pipe-progress.ts'
import type { PipeProgress } from './pipe-progress.ts'
import type { Batch, PipeSource } from './pipe-source.ts'
import type { Later, Refused, RemoteLrs } from './remote-lrs.ts'
import type { Clock, PipeRecord, Storage } from './storage.ts'

/** What becomes of a pipe after a turn. */
export type Turn =
  /** Nothing is left up to there, or until a store elsewhere is asked again. */
  | { readonly kind: 'idle'; readonly at: number }
  /** There is more. */
  | { readonly kind: 'busy'; readonly at: number }
  | { readonly kind: 'failing'; readonly retryAt: number; readonly failures: number; readonly at: number }
  /** Paused, changed or deleted. */
  | { readonly kind: 'over' }

export interface OpenPipe {
  readonly record: PipeRecord
  readonly source: PipeSource
  readonly target: RemoteLrs
}

export interface TurnParts {
  readonly storage: Storage
  readonly clock: Clock
  readonly meter: Meter
  readonly log?: Log | undefined
}

export interface TurnBounds {
  readonly signal: AbortSignal
  /** From 0 to 1. */
  readonly random: () => number
  readonly turnMs: number
}

export class PipeTurn {
  readonly #parts: TurnParts
  readonly #pipe: OpenPipe
  readonly #bounds: TurnBounds

  constructor(parts: TurnParts, pipe: OpenPipe, bounds: TurnBounds) {
    this.#parts = parts
    this.#pipe = pipe
    this.#bounds = bounds
  }

  async run(progress: PipeProgress): Promise<Turn> {
    const { signal, turnMs } = this.#bounds
    const { source, target } = this.#pipe
    const until = performance.now() + turnMs
    for (;;) {
      signal.throwIfAborted()
      const most = progress.most ?? mostAtOnce
      const batch = await source.next(progress, most, signal)
      if (batch.kind !== 'batch') return this.#fail(progress, { ...batch, reason: `Source: ${batch.reason}` })
      const count = batch.statements.length
      const outcome = count === 0 ? nothing : await target.deliver(batch.statements, signal)
      if (outcome.kind === 'fewer') {
        if (count === 1) return this.#fail(progress, { kind: 'refused', reason: outcome.reason })
        progress = { ...progress, most: Math.max(1, Math.floor(count / 2)) }
      } else if (outcome.kind === 'delivered') {
        const next = await this.#advance(progress, batch, outcome.alreadyThere)
        if (next === undefined) return { kind: 'over' }
        progress = next
        if (batch.isEnd) return { kind: 'idle', at: progress.at ?? 0 }
        if (performance.now() > until) return { kind: 'busy', at: progress.at ?? 0 }
      } else return this.#fail(progress, outcome)
    }
  }

  /** Undefined when the pipe is another one by now. */
  async #advance(before: PipeProgress, batch: Batch, alreadyThere: number): Promise<PipeProgress | undefined> {
    const { clock, meter, log } = this.#parts
    const { record, target } = this.#pipe
    const statements = batch.statements.length
    const moved = { ...movedTo(before, batch.position), ...(target.isBare && { isBare: true }) }
    batch.done?.()
    // What nobody needs to know, as that there is nothing new, is not written.
    if (statements === 0 && batch.isEnd && before.failures === 0) return moved
    const after = afterDelivery(moved, { statements, alreadyThere, lastStored: batch.lastStored }, clock.now())
    if (!(await this.#save(after, null))) return undefined
    meter.forwarded(statements)
    if (before.failures > 0) log?.info({ pipe: record.id, failures: before.failures }, 'A pipe forwards again.')
    return after
  }

  async #fail(progress: PipeProgress, failure: Later | Refused): Promise<Turn> {
    const { clock, meter, log } = this.#parts
    const { id, organisationId } = this.#pipe.record
    const reason = shortened(failure.reason)
    const about = { pipe: id, organisation: organisationId, reason }
    if (failure.kind === 'refused') {
      if (await this.#save({ ...progress, failures: progress.failures + 1, failure: reason }, reason)) {
        meter.forwardingFailed('paused')
        log?.warn(about, 'A pipe is paused: somebody has to see to it, then resume it.')
      }
      return { kind: 'over' }
    }
    const after = afterFailure(progress, failure, { now: clock.now(), random: this.#bounds.random() })
    meter.forwardingFailed('later')
    if (progress.failures === 0) log?.warn(about, 'A pipe cannot forward for now; it tries again.')
    if (!(await this.#save(after, null))) return { kind: 'over' }
    return { kind: 'failing', retryAt: after.retryAt ?? 0, failures: after.failures, at: after.at ?? 0 }
  }

  #save(progress: PipeProgress, pausedBecause: string | null): Promise<boolean> {
    const { id, organisationId, version } = this.#pipe.record
    const state = { progress: toJson(progress), pausedBecause }
    return this.#parts.storage.directory.savePipeProgress(organisationId, id, version, state)
  }
}

const nothing = { kind: 'delivered', alreadyThere: 0 } as const
