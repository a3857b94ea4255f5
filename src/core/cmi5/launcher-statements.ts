// The statements that whoever launches a unit stores about it: launched, abandoned, satisfied (cmi5 section 9.3), each as the
// learner's, with an id made of the launch, so that saying it twice says it once. Pure.

import type { ContentSettings } from '../content-settings.ts'
import type { JsonObject } from '../xapi/rule.ts'
import { uuid5 } from '../uuid5.ts'
import { launchModeWords } from './launch-data.ts'
import type { Unit } from './unit.ts'
import { categories, contextExtensions, courseType, launcherVerbs } from './vocabulary.ts'
import type { LauncherVerb } from './vocabulary.ts'

export interface Occasion {
  readonly unit: Unit
  readonly settings: ContentSettings
  readonly actor: JsonObject
  readonly registration: string
  /** Unix milliseconds. */
  readonly at: number
  /**
   * Of the statement that says this of the session: always the same UUID, and one that nobody else works out. The unit could store
   * something else under it otherwise, and nothing would be said.
   */
  idOf(sessionId: string, verb: LauncherVerb): string
}

/** Section 9.3.1, with the extensions of sections 9.6.3.2 to 9.6.3.7. */
export function launchedStatement(occasion: Occasion, launchParameters: string | undefined): JsonObject {
  const { unit, settings } = occasion
  return statementOf(occasion, 'launched', {
    object: unitActivity(occasion),
    extensions: {
      [contextExtensions.launchMode]: launchModeWords[unit.mode],
      [contextExtensions.launchUrl]: settings.url,
      [contextExtensions.moveOn]: unit.moveOn,
      ...(unit.masteryScore !== undefined && { [contextExtensions.masteryScore]: unit.masteryScore }),
      ...(launchParameters !== undefined && { [contextExtensions.launchParameters]: launchParameters }),
    },
  })
}

/**
 * Sections 9.3.6 and 9.5.4.2. `seconds`: from `launched` until the unit said something last, both by our clock: a learner's may
 * be wrong.
 */
export function abandonedStatement(occasion: Occasion, seconds: number): JsonObject {
  return statementOf(occasion, 'abandoned', {
    object: unitActivity(occasion),
    result: { duration: `PT${Math.max(seconds, 0)}S` },
  })
}

/**
 * Sections 9.3.9 and 9.4: the course of which the unit is all there is, so it is satisfied when the unit is. `isOutside`: said at
 * the time of registration (section 9.6.1), so it has a session id of its own.
 */
export function satisfiedStatement(occasion: Occasion, { isOutside }: { readonly isOutside: boolean }): JsonObject {
  const { unit, settings } = occasion
  return statementOf(occasion, 'satisfied', {
    object: { objectType: 'Activity', id: `${unit.activityId}/course`, definition: { type: courseType } },
    publisherIds: settings.courseId === undefined ? [unit.publisherId] : [settings.courseId, unit.publisherId],
    ...(isOutside && { sessionId: uuid5([unit.sessionId, 'registration']) }),
  })
}

interface Said {
  readonly object: JsonObject
  readonly result?: JsonObject
  /** Section 9.6.2.3. */
  readonly publisherIds?: readonly string[]
  readonly sessionId?: string
  readonly extensions?: JsonObject
}

function statementOf({ unit, actor, registration, at, idOf }: Occasion, verb: LauncherVerb, said: Said): JsonObject {
  const { object, result, publisherIds = [unit.publisherId], sessionId = unit.sessionId, extensions } = said
  return {
    id: idOf(unit.sessionId, verb),
    actor,
    verb: { id: launcherVerbs[verb], display: { en: verb } },
    object,
    ...(result && { result }),
    context: {
      registration,
      contextActivities: { category: [activity(categories.cmi5)], grouping: publisherIds.map(activity) },
      extensions: { [contextExtensions.sessionId]: sessionId, ...extensions },
    },
    timestamp: new Date(at).toISOString(),
  }
}

function unitActivity({ unit, settings: { activityType } }: Occasion): JsonObject {
  return { ...activity(unit.activityId), ...(activityType !== undefined && { definition: { type: activityType } }) }
}

function activity(id: string): JsonObject {
  return { objectType: 'Activity', id }
}
