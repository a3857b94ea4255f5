// The queue of calls in front of an engine: takes what has come as one group, one group at a time. Runs in the engine's thread.

import type { Answer, Call, Engine } from './engine.ts'

/** Bounds how long the first call of a group waits for the last: some thousand statements, some ten milliseconds. */
const mostWeight = 32_768

export class CallQueue {
  readonly #engine: Engine
  readonly #answer: (answers: readonly Answer[]) => void
  /** Fetches what has arrived meanwhile, so that it joins the group about to start. */
  readonly #refill: (queue: CallQueue) => void
  #calls: Call[] = []
  #isRunning = false

  constructor(
    engine: Engine,
    answer: (answers: readonly Answer[]) => void,
    refill: (queue: CallQueue) => void = () => {},
  ) {
    this.#engine = engine
    this.#answer = answer
    this.#refill = refill
  }

  add(calls: readonly Call[]): void {
    this.#calls.push(...calls)
  }

  #takeGroup(): Call[] {
    let weight = 0
    let count = 0
    for (const call of this.#calls) {
      weight += weightOf(call)
      // What fills a group by itself keeps nobody waiting who was there before.
      if (count > 0 && weight > mostWeight) break
      count++
    }
    return this.#calls.splice(0, count)
  }

  async run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (;;) {
        this.#refill(this)
        const group = this.#takeGroup()
        if (group.length === 0) return
        const answers = await this.#engine.run(group)
        if (answers.length < group.length) this.#calls = [...group.slice(answers.length), ...this.#calls]
        this.#answer(answers)
        this.#engine.tend()
      }
    } finally {
      this.#isRunning = false
    }
  }
}

/** A packed batch weighs its entries, what is named in `weights` what stands there, everything else what a statement of a few terms weighs. */
function weightOf({ method, args }: Call): number {
  return weights[method] ?? 32 + (Array.isArray(args[0]) ? args[0].length : 0)
}

/**
 * What takes long is stored in smaller groups: those who are answered have their next call ready while the others' are stored. One group
 * of all who wait would leave the thread that asks and the one that stores with nothing to do in turn.
 */
const weights: Readonly<Record<string, number>> = {
  // 32 of them are some ten milliseconds.
  'launches.createLaunch': mostWeight / 32,
  'imports.storeStatements': mostWeight,
}
