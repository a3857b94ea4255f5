// One port method as one message: what is asked, what is answered. Shared by both threads.

import type { ErrorMessage } from './driver-error.ts'

export interface Call {
  readonly id: number
  /** `directory.findCredential`, `statements.store`, … */
  readonly method: string
  readonly args: readonly unknown[]
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: ErrorMessage }

/** What a thread needs to open its half. */
export interface WorkerSetup {
  readonly role: 'writer' | 'reader'
  readonly path: string
}

/** The half of the engine that runs calls: all of a group are answered together, after the commit. */
export interface Engine {
  /** Answers the first call and as many more, in order, as it likes; the rest is asked again. */
  run(calls: readonly Call[]): Promise<readonly Answer[]>
  /** Work for after the answers are out. */
  tend(): void
  close(): void
}

/** Asks a thread to close its half; answered when done. */
export const closeMethod = 'engine.close'
