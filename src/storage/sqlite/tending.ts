// The writer's side of the tender, a thread that copies the log back into the file while the writer goes on. Started when it is first
// needed: most stores never are.

import { startThread } from './engine-client.ts'
import { tenderStates } from './tender-states.ts'
import type { TenderSetup } from './tender-states.ts'

/** For what it is doing when the store is closed. */
const closingMs = 10_000

export class Tending {
  readonly #path: string
  #state: Int32Array | undefined
  /** It could not be started, or has ended. */
  #isGone = false

  constructor(path: string) {
    this.#path = path
  }

  /** It was asked, and has not done it yet. */
  get isBusy(): boolean {
    return !this.#isGone && this.#now === tenderStates.asked
  }

  /** It has done what it was asked for: said once. */
  takeDone(): boolean {
    if (this.#isGone || this.#now !== tenderStates.done) return false
    this.#put(tenderStates.idle)
    return true
  }

  /** False where nobody does it. */
  ask(): boolean {
    if (this.#isGone) return false
    this.#state ??= this.#start()
    this.#put(tenderStates.asked)
    return true
  }

  /** Its connection is closed when it returns: whoever closes the last one empties the log. */
  close(): void {
    if (this.#state === undefined || this.#isGone) return
    this.#put(tenderStates.closing)
    Atomics.wait(this.#state, 0, tenderStates.closing, closingMs)
  }

  get #now(): number {
    return this.#state === undefined ? tenderStates.idle : Atomics.load(this.#state, 0)
  }

  #put(state: number): void {
    if (this.#state === undefined) return
    Atomics.store(this.#state, 0, state)
    Atomics.notify(this.#state, 0)
  }

  #start(): Int32Array {
    const state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const worker = startThread(new URL('./tender.ts', import.meta.url), {
      path: this.#path,
      state,
    } satisfies TenderSetup)
    const leave = () => void (this.#isGone = true)
    worker.on('error', leave)
    worker.on('exit', leave)
    worker.unref()
    return state
  }
}
