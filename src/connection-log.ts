// Says in the log that connections to the database were lost, in one plain line each and not many of them: a database that
// restarts ends all of them at once, and while it is gone every try to connect fails.

import type { Log } from './core/core.ts'

const quietMs = 10_000

export class ConnectionLog {
  readonly #log: Log
  readonly #pooled = new Throttle()
  readonly #listening = new Throttle()
  readonly #full = new Throttle()
  #isToldCutOff = false

  constructor(log: Log) {
    this.#log = log
  }

  /** One of those that requests share. */
  lost(error: unknown): void {
    const times = this.#pooled.count()
    if (times === undefined) return
    this.#log.warn(
      { times, reason: wordsOf(error) },
      'connections to the database were lost; others are opened as needed',
    )
  }

  /** None is lost: all are at work. */
  full(): void {
    const times = this.#full.count()
    if (times === undefined) return
    this.#log.warn({ times }, 'calls waited in vain for a connection to the database: all are in use')
  }

  /** The one over which this node is told what others change. */
  cutOff(error: unknown): void {
    const times = this.#listening.count()
    if (times === undefined) return
    this.#isToldCutOff = true
    this.#log.warn(
      { times, reason: wordsOf(error) },
      'the connection that listens to the other nodes is lost; it is opened again',
    )
  }

  back(): void {
    if (!this.#isToldCutOff) return
    this.#isToldCutOff = false
    this.#log.info({}, 'the connection that listens to the other nodes is back')
  }
}

class Throttle {
  #times = 0
  #toldAt = -Infinity

  /** How many since the last line; undefined where that was just before. */
  count(): number | undefined {
    this.#times += 1
    const now = performance.now()
    if (now - this.#toldAt < quietMs) return undefined
    const times = this.#times
    this.#times = 0
    this.#toldAt = now
    return times
  }
}

/** Of a host with several addresses the error has no message, only a code. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error ? String(error.code) : error.name)
}
