// Says in the log that requests are being refused because too much is under way, once when that begins and once when it has
// ended: whoever refuses thousands a second must not write as many lines.

import type { Log } from './core/core.ts'

const quietMs = 10_000

export class OverloadLog {
  readonly #log: Log
  readonly #describe: () => object
  readonly #quietMs: number
  #timer: NodeJS.Timeout | undefined
  #refused = 0
  #refusedLately = 0

  /** `describe`: what is under way, for the line that says that it began. */
  constructor(log: Log, describe: () => object, quiet = quietMs) {
    this.#log = log
    this.#describe = describe
    this.#quietMs = quiet
  }

  refused(): void {
    this.#refused += 1
    this.#refusedLately += 1
    if (this.#timer !== undefined) return
    this.#log.warn(this.#describe(), 'overload begins: requests are refused')
    this.#timer = setInterval(() => this.#look(), this.#quietMs).unref()
  }

  #look(): void {
    if (this.#refusedLately > 0) {
      this.#refusedLately = 0
      return
    }
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#log.warn({ refused: this.#refused }, 'overload has ended')
    this.#refused = 0
  }
}
