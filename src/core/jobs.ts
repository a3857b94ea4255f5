// Work that one node at a time does, as long as it holds the lease of that name: renewed while it goes on, taken over by
// another node when it ends with its holder. Knows nothing of what is done.

import { DomainError, isDomainError } from './errors.ts'
import type { NodeStore } from './storage.ts'

export interface LeaseTiming {
  /** How long a node that was killed keeps others from its work. */
  readonly ttlMs: number
  /** How often a node asks whether there is work for it. */
  readonly askEveryMs: number
}

export const leaseTiming: LeaseTiming = { ttlMs: 30_000, askEveryMs: 10_000 }

export class Leases {
  readonly timing: LeaseTiming
  readonly #nodes: NodeStore
  readonly #node: string
  readonly #closing = new AbortController()
  #held = 0

  /** `node`: unlike any other's. */
  constructor({ nodes, node, timing = leaseTiming }: { nodes: NodeStore; node: string; timing?: LeaseTiming }) {
    this.#nodes = nodes
    this.#node = node
    this.timing = timing
  }

  /**
   * Undefined when somebody has the lease, also on this node, or it is not due. `work` ends at its next step when the signal
   * says that the lease is lost or the node stops, by throwing the signal's reason.
   */
  async hold<T>(
    name: string,
    work: (signal: AbortSignal) => Promise<T>,
    everyMs = 0,
  ): Promise<{ readonly result: T } | undefined> {
    if (this.#closing.signal.aborted) return undefined
    const { ttlMs } = this.timing
    const holder = `${this.#node} ${++this.#held}`
    const takenAt = performance.now()
    if (!(await this.#nodes.takeLease(name, holder, { ttlMs, everyMs }))) return undefined
    const { signal, stop } = this.#renewing(name, holder, takenAt)
    let isDone = false
    try {
      const result = await work(signal)
      isDone = !signal.aborted
      return { result }
    } finally {
      stop()
      // It ends by itself where this fails.
      await this.#nodes.releaseLease(name, holder, isDone).catch(() => {})
    }
  }

  /** As `hold`, after whoever has it; undefined when the node stops. */
  async holdNext<T>(
    name: string,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly result: T } | undefined> {
    for (;;) {
      const held = await this.hold(name, work)
      if (held !== undefined || !(await this.#pause(Math.min(200, this.timing.askEveryMs)))) return held
    }
  }

  /** What is held is given up at its next step. */
  close(): void {
    this.#closing.abort(new DomainError('unavailable', 'The node stops; another one, or its next start, goes on.'))
  }

  #renewing(name: string, holder: string, takenAt: number): { readonly signal: AbortSignal; stop(): void } {
    const lost = new AbortController()
    const { ttlMs } = this.timing
    let renewedAt = takenAt
    const lose = (): void => lost.abort(new DomainError('unavailable', 'Another node goes on with it.'))
    const renew = async (): Promise<void> => {
      const askedAt = performance.now()
      try {
        if (await this.#nodes.takeLease(name, holder, { ttlMs })) renewedAt = askedAt
        else lose()
      } catch {
        // Out of touch: given up well before another one may have it.
        if (askedAt - renewedAt >= ttlMs / 2) lose()
      }
    }
    const timer = setInterval(() => void renew(), ttlMs / 4).unref()
    return { signal: AbortSignal.any([lost.signal, this.#closing.signal]), stop: () => clearInterval(timer) }
  }

  /** False when the node stops meanwhile. */
  async #pause(milliseconds: number): Promise<boolean> {
    const { signal } = this.#closing
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        // Left behind, one would be added every time until the node stops.
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, milliseconds)
      signal.addEventListener('abort', end, { once: true })
    })
    return !signal.aborted
  }
}

/** Done regularly by one of the nodes. */
export interface Job<Name extends string = string> {
  readonly name: Name
  /** From the end of one run to the beginning of the next, on whichever node. */
  readonly everyMs: number
  /** Also when a node starts, whenever it was last done. */
  readonly isDueAtStart?: boolean
  /** Throws the signal's reason when it is told to stop. */
  run(signal: AbortSignal): Promise<void>
}

export interface JobRunnerParts<Name extends string> {
  readonly leases: Leases
  readonly jobs: readonly Job<Name>[]
  /** Not for a run that was given up because another node has it, or this one stops. */
  readonly onEnd: (job: Name, error?: unknown) => void
}

/** One per node. */
export class JobRunner<Name extends string> {
  readonly #parts: JobRunnerParts<Name>
  readonly #running = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout

  constructor(parts: JobRunnerParts<Name>) {
    this.#parts = parts
    const { jobs, leases } = parts
    for (const job of jobs) if (job.isDueAtStart === true) this.#try(job, 0)
    const askAll = (): void => jobs.forEach((job) => this.#try(job, job.everyMs))
    this.#timer = setInterval(askAll, leases.timing.askEveryMs).unref()
  }

  #try(job: Job<Name>, everyMs: number): void {
    const attempt = this.#attempt(job, everyMs).finally(() => this.#running.delete(attempt))
    this.#running.add(attempt)
  }

  async #attempt(job: Job<Name>, everyMs: number): Promise<void> {
    const { leases, onEnd } = this.#parts
    let given: AbortSignal | undefined
    const work = (signal: AbortSignal): Promise<void> => {
      given = signal
      return job.run(signal)
    }
    try {
      const held = await leases.hold(`job ${job.name}`, work, everyMs)
      if (held !== undefined && given?.aborted === false) onEnd(job.name)
    } catch (error) {
      // Before it had the lease: the store is out of reach, as everybody notices, and it is asked again soon.
      if (given?.aborted === false || (given === undefined && !isDomainError(error))) onEnd(job.name, error)
    }
  }

  /** Runs under way end at their next step; `Leases.close` tells them. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#parts.leases.close()
    await Promise.allSettled(this.#running)
  }
}
