// One port method as one message: what is asked, what is answered. Shared by both threads.

import type { ErrorMessage } from './driver-error.ts'

export interface Call {
  readonly id: number
  /** `directory.findCredential`, `statements.store`, … */
  readonly method: string
  readonly args: readonly unknown[]
}

/** As it crosses a thread boundary. */
export type SentCall = Omit<Call, 'args'> & { readonly args: Call['args'] | string }

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

/**
 * Called often, with arguments of nothing but JSON: they cross the thread boundary as text, which costs half of what a graph of small
 * objects does.
 */
export const methodsAsText: ReadonlySet<string> = new Set(['launches.createLaunch'])
