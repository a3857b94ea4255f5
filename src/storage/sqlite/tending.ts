// The writer's side of the tender, a thread that copies the log back into the file while the writer goes on. Started when it is first
// needed: most stores never are. Where it cannot be started, or has ended, the writer copies by itself.

import { startThread } from './engine-client.ts'
import { tenderStates } from './tender-states.ts'
import type { TenderSetup } from './tender-states.ts'

/** For what it is doing when the store is closed. */
const closingMs = 10_000

export class Tending {
  readonly #path: string
  #state: Int32Array | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** It was asked, and has not done it yet. */
  get isBusy(): boolean {
    return this.#now === tenderStates.asked
  }

  /** It has done what it was asked for: said once. */
  takeDone(): boolean {
    if (this.#now !== tenderStates.done) return false
    this.#put(tenderStates.idle)
    return true
  }

  /** False where nobody does it. */
  ask(): boolean {
    this.#state ??= this.#start()
    if (this.#now === tenderStates.closed) return false
    this.#put(tenderStates.asked)
    return true
  }

  /** Its connection is closed when it returns: whoever closes the last one empties the log. */
  close(): void {
    if (this.#state === undefined || this.#now === tenderStates.closed) return
    this.#put(tenderStates.closing)
    Atomics.wait(this.#state, 0, tenderStates.closing, closingMs)
  }

  get #now(): number {
    return this.#state === undefined ? tenderStates.idle : Atomics.load(this.#state, 0)
  }

  /** Unless it has ended. */
  #put(state: number): void {
    if (this.#state === undefined) return
    for (let now = this.#now; now !== tenderStates.closed; now = this.#now) {
      if (Atomics.compareExchange(this.#state, 0, now, state) !== now) continue
      Atomics.notify(this.#state, 0)
      return
    }
  }

  #start(): Int32Array {
    const state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const leave = () => void Atomics.store(state, 0, tenderStates.closed)
    try {
      const setup: TenderSetup = { path: this.#path, state }
      const worker = startThread(new URL('./tender.ts', import.meta.url), setup)
      // Told sooner by the thread itself, but for one that never began.
      worker.on('error', leave)
      worker.on('exit', leave)
      worker.unref()
    } catch {
      // No thread to be had.
      leave()
    }
    return state
  }
}
