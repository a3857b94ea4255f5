// The main side of an engine: hands calls over, in this thread or to a worker, and settles them when they are answered.

import { DomainError } from '../../core/errors.ts'
import { CallQueue } from './call-queue.ts'
import { Worker } from 'node:worker_threads'
import { closeMethod, methodsAsText } from './engine.ts'
import { fromMessage, toMessage } from './driver-error.ts'
import type { Answer, Call, Engine, SentCall, WorkerSetup } from './engine.ts'

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Calls that wait for their answers. Those of one turn of the event loop leave as one message. */
class Waits {
  readonly #send: (calls: readonly Call[]) => void
  readonly #waiting = new Map<number, Waiting>()
  #unsent: Call[] = []
  #lastId = 0
  /** Why nothing can be asked any more. */
  #end: DomainError | undefined

  constructor(send: (calls: readonly Call[]) => void) {
    this.#send = send
  }

  get size(): number {
    return this.#waiting.size
  }

  add(method: string, args: readonly unknown[]): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    const id = ++this.#lastId
    if (this.#unsent.push({ id, method, args }) === 1) queueMicrotask(() => this.#flush())
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  #flush(): void {
    const calls = this.#unsent
    this.#unsent = []
    if (this.#end !== undefined) return
    try {
      this.#send(calls)
    } catch (cause) {
      // Arguments that cannot be cloned: a defect of the caller's, told to the caller.
      this.settle(calls.map(({ id }) => ({ id, error: toMessage(cause) })))
    }
  }

  settle(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('error' in answer) waiting?.reject(fromMessage(answer.error))
      else waiting?.resolve(answer.value)
    }
  }

  end(cause: unknown): void {
    this.#end ??= new DomainError('unavailable', 'The store has stopped.', { cause })
    for (const { reject } of this.#waiting.values()) reject(this.#end)
    this.#waiting.clear()
  }
}

export interface EngineClient {
  /** Calls without an answer. */
  readonly waiting: number
  call(method: string, args: readonly unknown[]): Promise<unknown>
  /** After the last call was answered. */
  close(): Promise<void>
}

/** Told, with the cause, when an engine has ended that nobody closed: it answers nothing any more. */
export type OnFailure = (cause: unknown) => void

export class InlineClient implements EngineClient {
  readonly #engine: Engine
  readonly #waits: Waits

  constructor(engine: Engine, onFailure: OnFailure = () => {}) {
    const queue = new CallQueue(engine, (answers) => waits.settle(answers))
    const waits = new Waits((calls) => {
      queue.add(calls)
      queue.run().catch((error: unknown) => {
        waits.end(error)
        onFailure(error)
      })
    })
    this.#engine = engine
    this.#waits = waits
  }

  get waiting(): number {
    return this.#waits.size
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    return this.#waits.add(method, args)
  }

  async close(): Promise<void> {
    this.#waits.end(undefined)
    this.#engine.close()
  }
}

export class WorkerClient implements EngineClient {
  readonly #worker: Worker
  readonly #waits: Waits
  readonly #exit: Promise<void>
  #isClosing = false

  constructor(setup: WorkerSetup, onFailure: OnFailure = () => {}) {
    this.#worker = startThread(new URL('./worker.ts', import.meta.url), setup)
    this.#waits = new Waits((calls) => this.#worker.postMessage(calls.map(toSent)))
    this.#worker.on('message', (answers: Answer[]) => {
      this.#waits.settle(answers)
      if (this.#waits.size === 0) this.#worker.unref()
    })
    let cause: unknown
    this.#worker.on('error', (error) => {
      cause = error
      this.#waits.end(error)
    })
    this.#exit = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        cause ??= new Error(`The ${setup.role} thread of the store exited with ${code}.`)
        this.#waits.end(cause)
        resolve()
        if (!this.#isClosing) onFailure(cause)
      })
    })
    // An idle store keeps no process alive; one that owes an answer does.
    this.#worker.unref()
  }

  get waiting(): number {
    return this.#waits.size
  }

  call(method: string, args: readonly unknown[]): Promise<unknown> {
    const answer = this.#waits.add(method, args)
    if (this.#waits.size === 1) this.#worker.ref()
    return answer
  }

  async close(): Promise<void> {
    this.#isClosing = true
    // A thread that died has closed its files.
    await this.call(closeMethod, []).catch(() => {})
    this.#worker.ref()
    await this.#exit
  }
}

function toSent(call: Call): SentCall {
  return methodsAsText.has(call.method) ? { ...call, args: JSON.stringify(call.args) } : call
}

/** Runs a source file of this folder, or what it was built into, in a thread. */
export function startThread(source: URL, workerData: unknown): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(source.href.replace(/ts$/, 'js')), { workerData })
  // Source mode (tsx, vitest): Node 20 runs `--import tsx` in a thread without effect, so the thread registers it itself.
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const start = `import(${tsx}).then((tsx) => (tsx.register(), import(${JSON.stringify(source.href)})))`
  return new Worker(start, { eval: true, execArgv: [], workerData })
}
