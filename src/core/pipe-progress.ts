// How far a pipe has come, and what a failure or a success makes of that: values only. Stored as JSON beside the pipe.

import type { Json } from './storage.ts'

export interface PipePosition {
  /** Of a local source: everything stored at or before this was delivered. Microseconds. */
  readonly at?: number | undefined
  /** Of a remote one: where to ask from, and the ids of what came from there already. */
  readonly since?: string | undefined
  readonly more?: string | undefined
  readonly recent?: readonly string[] | undefined
}

export interface PipeProgress extends PipePosition {
  /** Acknowledged by the target since the pipe was made; of those, had been there before. */
  readonly delivered: number
  readonly alreadyThere: number
  /** The stored time of the last one delivered. */
  readonly lastStored?: string
  /** Unix milliseconds. */
  readonly lastDeliveredAt?: number
  /** In a row, until something was delivered. */
  readonly failures: number
  readonly failure?: string
  /** Unix milliseconds: not before. */
  readonly retryAt?: number
  /** Statements at a time, since the target refused more. */
  readonly most?: number
  readonly isBare?: boolean
}

export const atTheBeginning: PipeProgress = { delivered: 0, alreadyThere: 0, failures: 0 }

/** Statements of one request, unless the target takes fewer. */
export const mostAtOnce = 200

const firstDelayMs = 1_000
const longestDelayMs = 5 * 60_000
/** Whatever the target asks for. */
const longestWaitMs = 3_600_000
/** Of what a target says of a failure. */
const longestReason = 1_000

export function readProgress(stored: Json): PipeProgress {
  return { ...atTheBeginning, ...(stored as Partial<PipeProgress> | null) }
}

export function toJson(progress: PipeProgress): Json {
  return progress as unknown as Json
}

/** Doubles with each failure; half of it is chance, so that pipes to one target do not come back together. */
export function delayMs(failures: number, random: number): number {
  const whole = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 20))
  return Math.round(whole * (0.5 + random / 2))
}

export function afterFailure(
  progress: PipeProgress,
  { reason, afterMs = 0 }: { readonly reason: string; readonly afterMs?: number },
  { now, random }: { readonly now: number; readonly random: number },
): PipeProgress {
  const failures = progress.failures + 1
  const wait = Math.max(delayMs(failures, random), Math.min(afterMs, longestWaitMs))
  return { ...progress, failures, failure: shortened(reason), retryAt: now + wait }
}

/** `most` grows again by one: what the target refused may have been the length of those few. */
export function afterDelivery(
  { failure: _failure, retryAt: _retryAt, most, ...progress }: PipeProgress,
  done: { readonly statements: number; readonly alreadyThere: number; readonly lastStored: string | undefined },
  now: number,
): PipeProgress {
  return {
    ...progress,
    ...(most !== undefined && most + 1 < mostAtOnce && { most: most + 1 }),
    ...(done.lastStored !== undefined && { lastStored: done.lastStored }),
    delivered: progress.delivered + done.statements,
    alreadyThere: progress.alreadyThere + done.alreadyThere,
    lastDeliveredAt: now,
    failures: 0,
  }
}

export function movedTo(
  { at: _at, since: _since, more: _more, recent: _recent, ...progress }: PipeProgress,
  position: PipePosition,
): PipeProgress {
  return { ...progress, ...position }
}

/** Goes on at once, whatever went wrong before. */
export function afterResumption({ failure: _failure, retryAt: _retryAt, ...progress }: PipeProgress): PipeProgress {
  return { ...progress, failures: 0 }
}

/** What somebody elsewhere said, as text that any store keeps. */
export function shortened(reason: string): string {
  const text = reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason
  return text.replaceAll(/[\p{Cc}\p{Surrogate}]/gu, ' ')
}
