// What the command line takes about content, and how its words become settings. What is right or wrong about them, core says.

import type { Command } from 'commander'
import { absoluteSpan, givings, idleSpan, permissions } from '../core/content-settings.ts'
import type { ContentChange } from '../core/content.ts'
import { parseDuration, repeated, unknownWord } from './credential-options.ts'
import { UsageError } from './outcome.ts'

export interface ContentOptions {
  readonly url?: string
  readonly style?: string
  readonly activityId?: string
  readonly activityType?: string
  readonly homePage?: string
  readonly idle?: string
  readonly absolute?: string
  readonly gives?: readonly string[]
  readonly ignoreParam?: readonly string[]
  readonly masteryScore?: string
  readonly moveOn?: string
  readonly launchParameters?: string
  readonly entitlementKey?: string
  readonly courseId?: string
  readonly returnUrl?: string
  readonly sendNames?: boolean
  readonly writeActivityProfiles?: boolean
  readonly bindBrowser?: boolean
}

/** Takes back what need not be there. */
const nothing = 'none'

export function takeContentOptions(command: Command): Command {
  return command
    .option('--url <url>', 'where it is opened; it may have a query of its own')
    .option('--style <style>', 'cmi5, or tincan: the key stands in its address')
    .option('--activity-id <iri>', 'its id, as its publisher has it')
    .option('--activity-type <iri>', 'what kind of activity it is')
    .option('--home-page <url>', 'of the learners’ accounts, where whoever launches names none')
    .option(
      '--idle <time>',
      'a key that is not used for so long ends, 5m after the launch at the earliest: 1m to 1d; 2h unless given',
    )
    .option('--absolute <time>', 'no key lasts longer, however much it is used: 5m to 7d; 8h unless given')
    .option('--gives <permission=what>', givesHelp, repeated)
    .option(
      '--ignore-param <name>',
      'a parameter that its client repeats to the LRS, beside those of its own address',
      repeated,
    )
    .option('--mastery-score <number>', 'cmi5: from this scaled score on it is passed, 0 to 1')
    .option('--move-on <criterion>', 'cmi5: Passed, Completed, CompletedAndPassed, CompletedOrPassed, NotApplicable')
    .option('--launch-parameters <text>', 'cmi5: handed to it as they are')
    .option('--entitlement-key <text>', 'cmi5: handed to it as it is')
    .option('--course-id <iri>', 'of the course that it is a part of')
    .option('--return-url <url>', 'where the learner goes at the end')
    .option('--send-names', 'tell it how the learner is called')
    .option('--no-send-names', 'do not (unless given)')
    .option('--write-activity-profiles', 'its keys write profiles of the activity, which all learners share')
    .option('--no-write-activity-profiles', 'they read them (unless given)')
    .option('--bind-browser', 'its key works in the browser that used it first only (unless given)')
    .option('--no-bind-browser', 'its key works in any; for content whose requests come from several programs')
}

const givesHelp = `what a permission of the platform gives (${permissions.join(', ')}): ${givings.join(', ')}; may be repeated`

type Change = NonNullable<ContentChange['settings']>

/** Those alone that the options name; null: as if it had never been set. Texts are as they were typed: core refuses what is none. */
export function contentSettingsIn(options: ContentOptions): Change {
  const { url, style, activityId, activityType, homePage, moveOn, courseId, returnUrl } = options
  const { launchParameters, entitlementKey, sendNames, writeActivityProfiles, bindBrowser } = options
  const flags = { sendsNames: sendNames, writesActivityProfiles: writeActivityProfiles, bindsBrowser: bindBrowser }
  const plain = { url, style, activityId, ...flags }
  const optional = { activityType, homePage, moveOn, launchParameters, entitlementKey, courseId, returnUrl }
  const settings: Record<string, unknown> = {
    ...given(plain),
    ...Object.fromEntries(Object.entries(given(optional)).map(([name, value]) => [name, unlessNothing(value)])),
    ...(options.idle !== undefined && { idleSeconds: parseTime(options.idle, '--idle', idleSpan) }),
    ...(options.absolute !== undefined && { absoluteSeconds: parseTime(options.absolute, '--absolute', absoluteSpan) }),
    ...(options.gives && { gives: parseGives(options.gives) }),
    ...(options.ignoreParam && { ignoredParams: options.ignoreParam.filter((name) => name !== nothing) }),
    ...(options.masteryScore !== undefined && { masteryScore: parseScore(options.masteryScore) }),
  }
  return settings as Change
}

function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function unlessNothing(value: unknown): unknown {
  return value === nothing ? null : value
}

function parseTime(text: string, what: string, span: typeof idleSpan | typeof absoluteSpan): number | null {
  return text === nothing ? null : parseDuration(text, what, span)
}

/** The options that are typed, and mean nothing to content of this style. */
export function withoutEffect(options: ContentOptions, style: string): readonly string[] {
  if (style === 'cmi5') return []
  const { masteryScore, moveOn, launchParameters, entitlementKey } = options
  const ofCmi5 = [
    ['--mastery-score', masteryScore],
    ['--move-on', moveOn],
    ['--launch-parameters', launchParameters],
    ['--entitlement-key', entitlementKey],
  ] as const
  const typed = ofCmi5.filter(([, value]) => value !== undefined && value !== nothing).map(([flag]) => flag)
  return typed.length === 0 ? [] : [`${typed.join(', ')}: kept, but of no effect in a launch in the style ${style}`]
}

function parseGives(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const [permission = '', what = '', ...rest] = word.split('=')
      if (rest.length > 0 || what === '') {
        throw new UsageError(`--gives is PERMISSION=WHAT, such as read=normal, not ${JSON.stringify(word)}`)
      }
      const isKnown = permissions.some((known) => known === permission)
      if (!isKnown) throw new UsageError(unknownWord(permission, permissions, 'the permission of --gives'))
      if (!givings.some((known) => known === what)) throw new UsageError(unknownWord(what, givings, '--gives'))
      return [permission, what]
    }),
  )
}

function parseScore(text: string): number | null {
  if (text === nothing) return null
  const score = /^[01]?(\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN
  if (score >= 0 && score <= 1) return score
  throw new UsageError(`--mastery-score is a number from 0 to 1, not ${JSON.stringify(text)}`)
}
