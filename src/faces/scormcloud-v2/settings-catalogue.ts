// The settings this API knows: what each may be, what it is unless set, where it may be set, and what it is for. What is not here
// is refused. Names and words are the vendor's (facts 2.4); defaults are its public ones where there are any, else our reading.

import { notThis, refuse } from './wire.ts'

export const learningStandards = [
  'SCORM_11',
  'SCORM_12',
  'SCORM_2004_2ND_EDITION',
  'SCORM_2004_3RD_EDITION',
  'SCORM_2004_4TH_EDITION',
  'AICC',
  'XAPI',
  'CMI5',
] as const
export type LearningStandard = (typeof learningStandards)[number]

export interface SettingDefinition {
  readonly id: string
  readonly dataType: 'Boolean' | 'Integer' | 'Decimal' | 'String' | 'Enum'
  readonly default: string
  readonly description: string
  /** The most specific level it may be set at. */
  readonly level: 'application' | 'registration'
  readonly learningStandards: readonly LearningStandard[]
  readonly learningStandardVariant: 'singleScoOnly' | 'multiScoOnly' | 'either'
  /** Of an Enum, all of them. */
  readonly validValues: readonly string[]
  /** Of numbers, both inclusive. */
  readonly min?: number
  readonly max?: number
  /** Shown only to who may set it. */
  readonly isSecret?: boolean
}

type Part = Partial<Omit<SettingDefinition, 'id'>>

const scorm2004 = learningStandards.filter((standard) => standard.startsWith('SCORM_2004'))
const packaged = learningStandards.filter((standard) => standard.startsWith('SCORM') || standard === 'AICC')

/** Of the player, for packaged content of whatever standard. */
function setting(
  id: string,
  part: Part & Pick<SettingDefinition, 'default' | 'description' | 'dataType'>,
): SettingDefinition {
  return { id, level: 'registration', learningStandards, learningStandardVariant: 'either', validValues: [], ...part }
}

function yesNo(id: string, isOn: boolean, description: string, part: Part = {}): SettingDefinition {
  return setting(id, {
    dataType: 'Boolean',
    default: String(isOn),
    description,
    validValues: ['true', 'false'],
    ...part,
  })
}

function number(id: string, value: number, description: string, part: Part = {}): SettingDefinition {
  return setting(id, { dataType: 'Integer', default: String(value), description, min: 0, max: 2 ** 31 - 1, ...part })
}

/** The first is the default unless `part` says otherwise. */
function words(id: string, validValues: readonly string[], description: string, part: Part = {}): SettingDefinition {
  return setting(id, { dataType: 'Enum', default: validValues[0] ?? '', validValues, description, ...part })
}

function words2004(
  id: string,
  validValues: readonly string[],
  description: string,
  part: Part = {},
): SettingDefinition {
  return words(id, validValues, description, { learningStandards: scorm2004, ...part })
}

function free(id: string, value: string, description: string, part: Part = {}): SettingDefinition {
  return setting(id, { dataType: 'String', default: value, description, ...part })
}

const launchTypes = [
  'FRAMESET',
  'NEW_WINDOW',
  'NEW_WINDOW_AFTER_CLICK',
  'NEW_WINDOW_WITHOUT_BROWSER_TOOLBAR',
  'NEW_WINDOW_AFTER_CLICK_WITHOUT_BROWSER_TOOLBAR',
] as const
const restarts = [
  'NEVER',
  'WHEN_EXISTING_REG_IS_COMPLETE_AND_NEWER_PACKAGE_VERSION_EXISTS',
  'WHEN_NEWER_PACKAGE_VERSION_EXISTS',
  'WHEN_EXISTING_REG_IS_COMPLETE',
  'WHEN_EXISTING_REG_IS_SATISFIED',
  'WHEN_EXISTING_REG_IS_SATISFIED_AND_NEWER_PACKAGE_VERSION_EXISTS',
  'WHEN_EXISTING_REG_IS_INCOMPLETE_AND_NEWER_PACKAGE_VERSION_EXISTS',
] as const
const scoreRollups = [
  'SCORE_PROVIDED_BY_COURSE',
  'AVERAGE_SCORE_OF_ALL_UNITS',
  'AVERAGE_SCORE_OF_ALL_UNITS_WITH_SCORES',
  'FIXED_AVERAGE',
  'AVERAGE_SCORE_OF_ALL_UNITS_WITH_NONZERO_SCORES',
  'LAST_SCO_SCORE',
] as const
const statusRollups = [
  'STATUS_PROVIDED_BY_COURSE',
  'COMPLETE_WHEN_ALL_UNITS_COMPLETE',
  'COMPLETE_WHEN_ALL_UNITS_COMPLETE_AND_NOT_FAILED',
  'COMPLETE_WHEN_THRESHOLD_SCORE_IS_MET',
  'COMPLETE_WHEN_ALL_UNITS_COMPLETE_AND_THRESHOLD_SCORE_IS_MET',
  'COMPLETE_WHEN_ALL_UNITS_ARE_PASSED',
] as const
const exits = ['EXIT', 'EXIT_CONFIRMATION', 'GOTO_NEXT_SCO', 'DISPLAY_MESSAGE', 'DO_NOTHING', 'REFRESH_PAGE'] as const

/** What the player does when content ends in one of four ways, in one of four places. */
const exitActions = (
  [
    ['IntermediateScoSatisfied', 'a content object that is not the last, and satisfied'],
    ['IntermediateScoNotSatisfied', 'a content object that is not the last, and not satisfied'],
    ['FinalScoCourseSatisfied', 'the last content object of a satisfied course'],
    ['FinalScoCourseNotSatisfied', 'the last content object of a course that is not satisfied'],
  ] as const
).flatMap(([place, inWords]) =>
  (['Normal', 'Suspend', 'Timeout', 'Logout'] as const).map((way) => {
    const isNext = place.startsWith('Intermediate') && way === 'Normal'
    const description = `What the player does when ${inWords} is left by exit type ${way.toLowerCase()}.`
    return words(`Player${place}${way}ExitAction`, exits, description, {
      learningStandards: packaged,
      learningStandardVariant: place.startsWith('Intermediate') ? 'multiScoOnly' : 'either',
      default: isNext ? 'GOTO_NEXT_SCO' : 'EXIT',
    })
  }),
)

const debug = (
  [
    ['Control', 'the control of the player'],
    ['Rte', 'calls of the content'],
    ['Sequencing', 'sequencing'],
    ['LookAhead', 'looking ahead'],
  ] as const
).flatMap(([part, inWords]) => [
  yesNo(`PlayerDebug${part}Audit`, false, `Write a log of ${inWords}.`),
  yesNo(`PlayerDebug${part}Detailed`, false, `Write a detailed log of ${inWords}.`),
])

const behaviour: readonly SettingDefinition[] = [
  words('PlayerLaunchType', launchTypes, 'How the player itself is opened.'),
  words('PlayerScoLaunchType', launchTypes, 'How the player opens a content object.'),
  words(
    'PlayerResetRunTimeData',
    ['NEVER', 'WHEN_EXIT_IS_NOT_SUSPEND', 'ON_EACH_NEW_SEQUENCING_ATTEMPT'],
    'When what content stored is cleared.',
    { learningStandards: packaged },
  ),
  words('WhenToRestartRegistration', restarts, 'When a launch begins a new instance of the registration.'),
  words('LaunchAuthType', ['cookies', 'vault'], 'How a launched player shows that it may act.'),
  number('PlayerSuspendDataMaxLength', 64_000, 'Characters of suspend data that are kept.', {
    learningStandards: packaged,
  }),
  number('PlayerCommCommitFrequency', 60_000, 'Milliseconds between two reports of the player.'),
  number('PlayerCommMaxFailedSubmissions', 1, 'Reports that may fail in a row before the learner is told.'),
  yesNo('PlayerFinishCausesImmediateCommit', false, 'Report at once when a content object ends.'),
  yesNo('PlayerLogoutCausesPlayerExit', true, 'A logout of the content ends the player.'),
  yesNo('PlayerLaunchCompletedRegsAsNoCredit', false, 'A completed registration is launched without credit.'),
  yesNo('PlayerWrapScoWindowWithApi', false, 'Put the API into the window of the content object.'),
  yesNo('PlayerPreventRightClick', false, 'Prevent the context menu in the player.'),
  yesNo('PlayerPreventWindowResize', false, 'Prevent that the window is resized.'),
  yesNo('PlayerValidateInteractionResponses', true, 'Refuse responses to interactions that break the standard.', {
    learningStandards: packaged,
  }),
  words(
    'PlayerOfflineSynchMode',
    ['MostRecent', 'Simple', 'MostComplete', 'MostSatisfied', 'MostDone', 'BestDone'],
    'Which of two states counts after work offline.',
  ),
]

const windows: readonly SettingDefinition[] = [
  yesNo('PlayerDesiredFullScreen', false, 'Open the window over the whole screen if possible.'),
  number('PlayerDesiredHeight', 0, 'Height of the window in pixels; 0: as it comes.'),
  number('PlayerDesiredWidth', 0, 'Width of the window in pixels; 0: as it comes.'),
  yesNo('PlayerRequiredFullScreen', false, 'The window must cover the whole screen.'),
  number('PlayerRequiredHeight', 0, 'Least height of the window in pixels; 0: any.'),
  number('PlayerRequiredWidth', 0, 'Least width of the window in pixels; 0: any.'),
]

const controls: readonly SettingDefinition[] = [
  yesNo('PlayerCourseStructureStartsOpen', true, 'The table of contents is open at first.'),
  number('PlayerCourseStructureWidth', 100, 'Width of the table of contents in pixels.'),
  yesNo('PlayerShowCloseItem', false, 'Show a button that closes the content object.'),
  yesNo('PlayerShowCourseStructure', false, 'Show the table of contents.'),
  yesNo('PlayerShowFinishButton', false, 'Show a button that ends the course.'),
  yesNo('PlayerShowHelp', false, 'Show help.'),
  yesNo('PlayerShowNavBar', false, 'Show the bar of navigation.'),
  yesNo('PlayerShowProgressBar', false, 'Show how far the learner has come.'),
  yesNo('PlayerShowTitleBar', false, 'Show the title.'),
  yesNo('PlayerEnableChoiceNav', true, 'Content objects may be chosen from the table of contents.'),
  yesNo('PlayerEnableFlowNav', false, 'Show buttons for the next and the previous content object.'),
  words2004(
    'PlayerInvalidMenuItemAction',
    ['SHOW', 'HIDE', 'DISABLE'],
    'What becomes of entries that must not be chosen.',
  ),
  words(
    'PlayerStatusDisplayPreference',
    ['SUCCESS_ONLY', 'COMPLETION_ONLY', 'SEPARATE', 'COMBINED', 'NONE'],
    'Which status is shown.',
  ),
]

const rollups: readonly SettingDefinition[] = [
  yesNo('PlayerAllowCompleteStatusChange', false, 'A completed content object may become incomplete again.', {
    learningStandards: packaged,
  }),
  yesNo('PlayerAlwaysFlowToFirstSco', false, 'Begin with the first content object.', { learningStandards: scorm2004 }),
  yesNo('PlayerApplyRollupStatusToSuccess', false, 'Use the status of completion for success, too.', {
    learningStandards: packaged,
  }),
  yesNo('PlayerFirstScoIsPretest', false, 'The first content object is a test that may complete the others.', {
    learningStandards: packaged,
    learningStandardVariant: 'multiScoOnly',
  }),
  words2004(
    'PlayerLookaheadSequencerMode',
    ['DISABLE', 'ENABLE', 'REALTIME'],
    'Whether the player finds out beforehand what may be chosen.',
    { default: 'ENABLE' },
  ),
  yesNo('PlayerRollupEmptySetToUnknown', false, 'Nothing that counts makes a status unknown.', {
    learningStandards: scorm2004,
  }),
  yesNo('PlayerScaleRawScore', false, 'Compute a scaled score from the raw one.', { learningStandards: packaged }),
  yesNo('PlayerScoreOverridesStatus', false, 'A score that reaches the mastery score decides over the status.', {
    learningStandards: packaged,
  }),
  words('PlayerScoreRollupModeValue', scoreRollups, 'How the score of the course comes about.', {
    learningStandards: packaged,
  }),
  number('PlayerScoreRollupModeNumberOfScoringObjects', 1, 'By how many a fixed average is divided.', {
    learningStandards: packaged,
  }),
  words('PlayerStatusRollupModeValue', statusRollups, 'How the status of the course comes about.', {
    learningStandards: packaged,
  }),
  number('PlayerStatusRollupModeThresholdScore', 0.8, 'The score at which a course is complete.', {
    learningStandards: packaged,
    dataType: 'Decimal',
    max: 1,
  }),
  number('PlayerTimeLimit', 0, 'Minutes a course may take; 0: any.'),
]

/** Kept for whoever asks; nothing here posts back. */
const postbacks: readonly SettingDefinition[] = [
  free('ApiRollupRegistrationPostBackUrl', '', 'Where results of registrations are sent.'),
  words('ApiRollupRegistrationPostBackAuthType', ['httpbasic', 'form'], 'How the sender of results authenticates.'),
  free('ApiRollupRegistrationPostBackAuthUser', '', 'With which user name.'),
  free('ApiRollupRegistrationPostBackAuthPassword', '', 'With which password.', { isSecret: true }),
  words('ApiRollupRegistrationPostBackFormat', ['course', 'activity', 'full'], 'How much of the results is sent.', {
    default: 'activity',
  }),
  yesNo('ApiRollupRegistrationPostBackIsJson', true, 'Send results as JSON.'),
]

/** The one that acts here: whether the Lrs of the application answer xAPI. */
export const xapiEnabled = 'xAPIEnabled'

const catalogue: readonly SettingDefinition[] = [
  yesNo(xapiEnabled, true, 'Whether the application’s LRS answers.', { level: 'application' }),
  ...behaviour,
  ...windows,
  ...controls,
  ...rollups,
  ...exitActions,
  ...debug,
  yesNo('PlayerDebugIncludeTimestamps', false, 'Write the time beside each line of a log.'),
  ...postbacks,
]

/** By id, in the order of the alphabet. */
export const settings: ReadonlyMap<string, SettingDefinition> = new Map(
  catalogue.map((each) => [each.id, each] as const).toSorted(([one], [other]) => (one < other ? -1 : 1)),
)

/** Throws `invalid` for what is none of them. */
export function findSetting(id: string, pointer: string): SettingDefinition {
  const found = settings.get(id)
  if (found === undefined) throw refuse(pointer, `must be a setting of this API${notThis(id)}`)
  return found
}

/** The value as it is kept, or what it must be. `YES` and `NO` are what older clients write. */
export function readValue(
  definition: SettingDefinition,
  value: string,
): { readonly value: string } | { readonly must: string } {
  const { dataType, validValues, min = -Infinity, max = Infinity } = definition
  if (dataType === 'Boolean') {
    const found = { true: 'true', yes: 'true', false: 'false', no: 'false' }[value.toLowerCase()]
    return found === undefined ? { must: 'must be true or false' } : { value: found }
  }
  if (dataType === 'Enum') {
    const found = validValues.find((word) => word.toLowerCase() === value.toLowerCase())
    return found === undefined ? { must: `must be one of ${validValues.join(', ')}` } : { value: found }
  }
  if (dataType === 'String') return { value }
  const isNumber = dataType === 'Integer' ? /^-?\d{1,10}$/.test(value) : /^-?\d{1,10}(\.\d{1,10})?$/.test(value)
  if (isNumber && Number(value) >= min && Number(value) <= max) return { value }
  return { must: `must be a ${dataType === 'Integer' ? 'whole number' : 'number'} from ${min} to ${max}` }
}
