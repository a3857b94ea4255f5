// What `launch` commands name: a launch; for those that look at itslearning's, a platform with what is shared with it in clear.

import { itslearning } from '../../app.ts'
import type { LaunchId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { LaunchRecord, PlatformRecord } from '../../core/storage.ts'
import { callerIn, organisationsOf, unlessAbsent } from '../context.ts'
import type { CommandContext, GlobalOptions, Opened } from '../context.ts'
import { PlainError, UsageError } from '../outcome.ts'
import { locatePlatform } from './platform.ts'

/** In the organisation given, or in whichever has it: no two ids are the same. */
export async function locateLaunch(
  opened: Opened,
  options: GlobalOptions,
  word: string,
): Promise<{ readonly caller: Caller; readonly launch: LaunchRecord }> {
  for await (const { id } of organisationsOf(opened, options)) {
    const caller = callerIn(opened, id)
    const launch = await opened.core.launches.get(caller, word.toLowerCase() as LaunchId).catch(unlessAbsent)
    if (launch) return { caller, launch }
  }
  throw new PlainError(`there is no launch ${word}; claviger launch list shows them`)
}

export interface OpenPlatform {
  readonly opened: Opened
  readonly platform: PlatformRecord
  readonly known: ReturnType<typeof itslearning.knownPlatform>
  /** Those that count now, the current one first. */
  readonly secrets: readonly string[]
  /** Unix milliseconds. */
  readonly now: number
}

export async function openPlatform(context: CommandContext, options: GlobalOptions, id: string): Promise<OpenPlatform> {
  const opened = await context.open()
  const { platform } = await locatePlatform(opened, options, id)
  if (!itslearning.speaks(platform)) {
    throw new UsageError(`platform ${id} speaks ${platform.protocol}, and this is about itslearning’s launches`)
  }
  const secrets = await opened.core.platforms.openSecrets(platform)
  const known = itslearning.knownPlatform(platform, context.config.baseUrl)
  return { opened, platform, known, secrets, now: opened.core.clock.now() }
}

/** For trying out what was signed, or is to be, at another time. Unix milliseconds. */
export function parseAt(text: string | undefined, now: number): number {
  if (text === undefined) return now
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?$/.test(text) ? Date.parse(text.replace(/Z?$/, 'Z')) : NaN
  if (Number.isNaN(time)) throw new UsageError(`--at takes a time in UTC, such as 2026-01-02T03:04:05, not ${text}`)
  return time
}
