// A session of an assignable unit, and statements that keep every rule of cmi5, to break one at a time.

import type { SentStatement } from '../../src/core/cmi5/rules.ts'
import { contextTemplate } from '../../src/core/cmi5/unit.ts'
import type { Unit } from '../../src/core/cmi5/unit.ts'
import { categories, contextExtensions, unitVerbs } from '../../src/core/cmi5/vocabulary.ts'
import type { UnitVerb } from '../../src/core/cmi5/vocabulary.ts'
import { parseTimestamp } from '../../src/core/xapi/time.ts'

type JsonObject = Record<string, unknown>

export const learner = { objectType: 'Agent', account: { homePage: 'https://lms.example.com', name: 'learner' } }

/** One that nobody measures by a score. */
export const anUnmeasuredUnit: Unit = {
  sessionId: '0f3a8a10-6a5f-4a51-9f3e-0c3f5d0a0001',
  activityId: 'https://lrs.example.com/launch/activities/1',
  publisherId: 'https://publisher.example.com/unit',
  mode: 'normal',
  moveOn: 'CompletedAndPassed',
}

export const aUnit: Unit = { ...anUnmeasuredUnit, masteryScore: 0.8 }

/** `minute`: of an hour of that day. */
export function atMinute(minute: number): string {
  return `2026-01-31T12:${String(minute).padStart(2, '0')}:00.000Z`
}

const results: Readonly<Record<UnitVerb, JsonObject | undefined>> = {
  initialized: undefined,
  completed: { completion: true, duration: 'PT5M' },
  passed: { success: true, duration: 'PT5M', score: { scaled: 0.9, raw: 9, min: 0, max: 10 } },
  failed: { success: false, duration: 'PT5M', score: { scaled: 0.3 } },
  terminated: { duration: 'PT10M' },
}

/** A cmi5 defined statement as a unit sends it that keeps to its template. */
export function definedStatement(verb: UnitVerb, unit: Unit = aUnit, changes: JsonObject = {}): JsonObject {
  const { contextActivities, extensions } = contextTemplate(unit)
  const isJudged = verb === 'completed' || verb === 'passed' || verb === 'failed'
  const isScored = unit.masteryScore !== undefined && (verb === 'passed' || verb === 'failed')
  const category = [categories.cmi5, ...(isJudged ? [categories.moveOn] : [])].map((id) => ({ id }))
  return {
    actor: learner,
    verb: { id: unitVerbs[verb] },
    object: { objectType: 'Activity', id: unit.activityId },
    ...(results[verb] && { result: results[verb] }),
    context: {
      contextActivities: { ...contextActivities, category },
      extensions: { ...extensions, ...(isScored && { [contextExtensions.masteryScore]: unit.masteryScore }) },
    },
    timestamp: atMinute(5),
    ...changes,
  }
}

/** A cmi5 allowed one. */
export function allowedStatement(unit: Unit = aUnit, changes: JsonObject = {}): JsonObject {
  return {
    actor: learner,
    verb: { id: 'http://adlnet.gov/expapi/verbs/experienced' },
    object: { id: 'https://publisher.example.com/page/3' },
    context: contextTemplate(unit),
    timestamp: atMinute(5),
    ...changes,
  }
}

let sentSoFar = 0

/** As the judge is handed it. */
export function sent(statement: JsonObject, given: Partial<SentStatement> = {}): SentStatement {
  const { timestamp } = statement
  const id = `00000000-0000-4000-8000-${String(++sentSoFar).padStart(12, '0')}`
  const at = typeof timestamp === 'string' ? parseTimestamp(timestamp) : undefined
  return { id, statement, pointer: '', hasOwnId: true, at, ...given }
}
