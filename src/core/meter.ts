// What core tells whoever counts, as events of the domain. Knows no metrics library; nobody need listen.

/** Work that comes again by itself. */
export type JobName = 'sessions' | 'launches' | 'launches swept' | 'blobs' | 'erasures' | 'retention'

/** Called on the hot path: an implementation returns at once and never throws. No argument names a tenant or a key. */
export interface Meter {
  /** A verified sign-in, answered from memory or after a question to the store. */
  signedIn(from: 'memory' | 'store'): void
  /** One call of the store that joined the statements of many requests. */
  committed(statements: number, seconds: number): void
  jobEnded(job: JobName, isDone: boolean): void
  /** Statements that a target acknowledged. */
  forwarded(statements: number): void
  /** A pipe that tries again later, or is paused until somebody sees to it. */
  forwardingFailed(outcome: 'later' | 'paused'): void
}

export const noMeter: Meter = {
  signedIn() {},
  committed() {},
  jobEnded() {},
  forwarded() {},
  forwardingFailed() {},
}
