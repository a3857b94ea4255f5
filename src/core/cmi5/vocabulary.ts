// The words of cmi5: verbs, categories, extensions, documents. Section numbers are those of its specification (Quartz, first
// edition with its errata, AICC/CMI-5_Spec_Current). Knows no rule.

/** Section 9.3: what an assignable unit says of itself. */
export const unitVerbs = {
  initialized: 'http://adlnet.gov/expapi/verbs/initialized',
  completed: 'http://adlnet.gov/expapi/verbs/completed',
  passed: 'http://adlnet.gov/expapi/verbs/passed',
  failed: 'http://adlnet.gov/expapi/verbs/failed',
  terminated: 'http://adlnet.gov/expapi/verbs/terminated',
} as const
export type UnitVerb = keyof typeof unitVerbs

/** Section 9.3: what only whoever launches it says. */
export const launcherVerbs = {
  launched: 'http://adlnet.gov/expapi/verbs/launched',
  abandoned: 'https://w3id.org/xapi/adl/verbs/abandoned',
  waived: 'https://w3id.org/xapi/adl/verbs/waived',
  satisfied: 'https://w3id.org/xapi/adl/verbs/satisfied',
} as const
export type LauncherVerb = keyof typeof launcherVerbs

/** Sections 9.6.2.1 and 9.6.2.2. */
export const categories = {
  cmi5: 'https://w3id.org/xapi/cmi5/context/categories/cmi5',
  moveOn: 'https://w3id.org/xapi/cmi5/context/categories/moveon',
} as const

/** Section 9.6.3, of a context. */
export const contextExtensions = {
  sessionId: 'https://w3id.org/xapi/cmi5/context/extensions/sessionid',
  masteryScore: 'https://w3id.org/xapi/cmi5/context/extensions/masteryscore',
  launchMode: 'https://w3id.org/xapi/cmi5/context/extensions/launchmode',
  launchUrl: 'https://w3id.org/xapi/cmi5/context/extensions/launchurl',
  moveOn: 'https://w3id.org/xapi/cmi5/context/extensions/moveon',
  launchParameters: 'https://w3id.org/xapi/cmi5/context/extensions/launchparameters',
} as const

/** Section 9.5.5.1, of a result. */
export const progressExtension = 'https://w3id.org/xapi/cmi5/result/extensions/progress'

/** Section 9.4. */
export const courseType = 'https://w3id.org/xapi/cmi5/activitytype/course'

/** Section 10.1: the State document that tells a unit what it is launched for. */
export const launchDataId = 'LMS.LaunchData'
/** Section 11: the Agent Profile that tells it what the learner prefers. */
export const preferencesId = 'cmi5LearnerPreferences'

/** Section 13.1.4: what it takes until a unit counts as done. */
export const moveOns = ['Passed', 'Completed', 'CompletedAndPassed', 'CompletedOrPassed', 'NotApplicable'] as const
export type MoveOn = (typeof moveOns)[number]
