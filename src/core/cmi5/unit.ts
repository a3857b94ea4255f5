// What is known of the assignable unit (AU) that a session launched, and of how far it has come in the session and in the
// registration. Plain values: read from what is stored of a launch, and written back.

import type { ContentSettings } from '../content-settings.ts'
import type { Json, LaunchMode, LaunchProgress, LaunchRecord } from '../storage.ts'
import { contextExtensions } from './vocabulary.ts'
import type { MoveOn, UnitVerb } from './vocabulary.ts'

/** An assignable unit in one session. It is held to what it was launched with, whatever becomes of the content meanwhile. */
export interface Unit {
  readonly sessionId: string
  readonly activityId: string
  /** Section 9.6.2.3. */
  readonly publisherId: string
  readonly mode: LaunchMode
  readonly moveOn: MoveOn
  readonly masteryScore?: number
}

/** A statement that was accepted. */
export interface Noted {
  readonly id: string
  /** Its timestamp in Unix microseconds. */
  readonly at: number
  /** When it was noted, by our clock, and about to be stored. Unix milliseconds. */
  readonly since: number
}

export interface SessionProgress extends Readonly<Partial<Record<UnitVerb, Noted>>> {
  /** When `launched` was stored, by our clock. Unix milliseconds. */
  readonly launchedAt?: number
  /** When the unit said something last, by our clock. Unix milliseconds. */
  readonly heardAt?: number
  /** Of its statements the one with the latest timestamp. */
  readonly latest?: Noted
}

/** Goes over to the next launch of the registration. */
export interface RegistrationProgress {
  readonly completed?: Noted
  readonly passed?: Noted
  /** The latest of them. */
  readonly failed?: Noted
  /** That the course is satisfied is said. */
  readonly isSatisfied?: true
}

export interface Progress {
  readonly session: SessionProgress
  readonly registration: RegistrationProgress
}

export function progressOf({ progress }: Pick<LaunchRecord, 'progress'>): Progress {
  const { session = {}, registration = {} } = progress as unknown as Partial<Progress>
  return { session, registration }
}

export function progressToStore({ session, registration }: Progress): LaunchProgress {
  return { session: session as unknown as Json, registration: registration as unknown as Json }
}

export function unitOf(
  { id, activityId, mode }: Pick<LaunchRecord, 'id' | 'activityId' | 'mode'>,
  settings: Pick<ContentSettings, 'activityId' | 'moveOn' | 'masteryScore'>,
): Unit {
  const { activityId: publisherId, moveOn, masteryScore } = settings
  return { sessionId: id, activityId, publisherId, mode, moveOn, ...(masteryScore !== undefined && { masteryScore }) }
}

/**
 * Section 10.2.1: what each statement of the session has in its context. The activity itself stands in it, besides the
 * publisher's: by it the key of the session is held to what belongs to the activity.
 */
export function contextTemplate({ sessionId, publisherId, activityId }: Unit) {
  return {
    contextActivities: { grouping: [publisherId, activityId].map((id) => ({ objectType: 'Activity', id })) },
    extensions: { [contextExtensions.sessionId]: sessionId },
  } satisfies Json
}

/** What was noted so recently may be on its way into the store, through another node. */
export const storingMs = 10_000

/**
 * What was said of the unit did what its moveOn asks for, or all that can be done: launched again, it is there to be looked at
 * (section 10.2.2). Where moveOn asks for nothing, nobody said that it is done.
 */
export function isFinished(unit: Pick<Unit, 'moveOn'>, reached: RegistrationProgress): boolean {
  if (reached.completed !== undefined && reached.passed !== undefined) return true
  return unit.moveOn !== 'NotApplicable' && isDone(unit, reached)
}

/** Section 13.1.4, `moveOn`. */
export function isDone({ moveOn }: Pick<Unit, 'moveOn'>, { completed, passed }: RegistrationProgress): boolean {
  switch (moveOn) {
    case 'Passed':
      return passed !== undefined
    case 'Completed':
      return completed !== undefined
    case 'CompletedAndPassed':
      return completed !== undefined && passed !== undefined
    case 'CompletedOrPassed':
      return completed !== undefined || passed !== undefined
    case 'NotApplicable':
      return true
  }
}
