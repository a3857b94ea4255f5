// The line of calls in front of an engine: takes what has come as one group, one group at a time. Runs in the engine's thread.

import type { Answer, Call, Engine } from './call.ts'

/** Bounds how long the first call of a group waits for the last. */
const mostCalls = 256

export class Line {
  readonly #engine: Engine
  readonly #answer: (answers: readonly Answer[]) => void
  /** Fetches what has arrived meanwhile, so that it joins the group about to start. */
  readonly #refill: (line: Line) => void
  #calls: Call[] = []
  #isRunning = false

  constructor(engine: Engine, answer: (answers: readonly Answer[]) => void, refill: (line: Line) => void = () => {}) {
    this.#engine = engine
    this.#answer = answer
    this.#refill = refill
  }

  add(calls: readonly Call[]): void {
    this.#calls.push(...calls)
  }

  async run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (;;) {
        this.#refill(this)
        const group = this.#calls.splice(0, mostCalls)
        if (group.length === 0) return
        this.#answer(await this.#engine.run(group))
        this.#engine.tend()
      }
    } finally {
      this.#isRunning = false
    }
  }
}
