// Asking somebody elsewhere politely: not too often, again after a while where it did not work, and not for ever. Knows nothing of
// what is asked.

import { setTimeout as sleep } from 'node:timers/promises'
import { DomainError } from '../core/errors.ts'
import type { Later, Refused } from '../core/remote-lrs.ts'

export interface PatienceSettings {
  readonly signal: AbortSignal
  /** How often it is asked at most. */
  readonly perMinute: number
  /** For tests. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** Of what did not work, one after the other: some twelve minutes, unless whoever refuses asks for more. */
const mostTries = 16
const shortestMs = 1_000
const longestMs = 60_000
/** What somebody asks for who wants to be asked again. */
const longestAskedMs = 3_600_000

export class Patience {
  readonly #settings: Required<PatienceSettings>
  #nextAt = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor({ wait = waitFor, ...settings }: PatienceSettings) {
    this.#settings = { ...settings, wait }
  }

  get signal(): AbortSignal {
    return this.#settings.signal
  }

  /** What no retry mends comes back, and an answer that was too long. Throws `unavailable` when it has been tried often enough. */
  async ask<T extends { readonly kind: string }>(
    attempt: () => Promise<T | Later | Refused>,
  ): Promise<T | Later | Refused> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#inTurn(attempt)
      if (!isLater(answer) || answer.isTooLong === true) return answer
      if (tries >= mostTries) {
        const message = `${answer.reason} (asked ${tries} times). The same command goes on where this one stopped.`
        throw new DomainError('unavailable', message)
      }
      const backOffMs = Math.min(shortestMs * 2 ** (tries - 1), longestMs)
      this.#pause(Math.min(Math.max(answer.afterMs ?? 0, backOffMs), longestAskedMs))
    }
  }

  /** One after the other, whoever asks. */
  async #inTurn<T>(attempt: () => Promise<T>): Promise<T> {
    const before = this.#last
    const turn = before.then(async () => {
      await this.#wait(Math.ceil(this.#nextAt - performance.now()))
      this.#pause(60_000 / this.#settings.perMinute)
      return attempt()
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  #pause(ms: number): void {
    this.#nextAt = performance.now() + ms
  }

  async #wait(ms: number): Promise<void> {
    const { signal, wait } = this.#settings
    signal.throwIfAborted()
    if (ms <= 0) return
    await wait(ms, signal).catch((error: unknown) => {
      signal.throwIfAborted()
      throw error
    })
  }
}

function waitFor(ms: number, signal: AbortSignal): Promise<unknown> {
  return sleep(ms, undefined, { signal })
}

function isLater(answer: { readonly kind: string }): answer is Later {
  return answer.kind === 'later'
}
