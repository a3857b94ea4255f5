// The documents that a launcher leaves for the unit: LMS.LaunchData (cmi5 section 10) and the learner's preferences (section
// 11). Pure; where they are kept is not its matter.

import type { ContentSettings } from '../content-settings.ts'
import type { Json, LaunchMode } from '../storage.ts'
import { contextTemplate } from './unit.ts'
import type { Unit } from './unit.ts'

/** Section 10.2.2. */
export const launchModeWords: Readonly<Record<LaunchMode, string>> = {
  normal: 'Normal',
  browse: 'Browse',
  review: 'Review',
}

/** What else a launch hands over. */
export interface Handed {
  /** Where the learner goes at the end, unless the content has a place of its own for that. */
  readonly returnUrl: string
  /** What the platform said; content that has no launchParameters gets it as those, in JSON. */
  readonly given: Json
}

export function launchData(unit: Unit, settings: ContentSettings, handed: Handed): Json {
  const { masteryScore, moveOn } = unit
  const { entitlementKey, returnUrl = handed.returnUrl } = settings
  const launchParameters = launchParametersOf(settings, handed)
  return {
    contextTemplate: contextTemplate(unit),
    launchMode: launchModeWords[unit.mode],
    moveOn,
    returnURL: returnUrl,
    ...(masteryScore !== undefined && { masteryScore }),
    ...(launchParameters !== undefined && { launchParameters }),
    ...(entitlementKey !== undefined && { entitlementKey: { courseStructure: entitlementKey } }),
  }
}

/** Section 10.2.3; the launcher may choose what stands here where the course does not say. */
export function launchParametersOf(
  { launchParameters }: Pick<ContentSettings, 'launchParameters'>,
  { given }: Pick<Handed, 'given'>,
): string | undefined {
  if (launchParameters !== undefined) return launchParameters
  const isNothing = given === null || (typeof given === 'object' && Object.keys(given).length === 0)
  return isNothing ? undefined : JSON.stringify(given)
}

/** Section 11.1: one language tag is a list of one. Undefined where nobody knows what the learner prefers. */
export function learnerPreferences(language: string | null): Json | undefined {
  return language === null ? undefined : { languagePreference: language }
}
