// What an operator does by hand with this protocol: looks at a launch that is refused, signs one, speaks to itslearning's REST API.
// For the command line, which gets it through app.ts. Knows no request.

import type { Core } from '../../core/core.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import { admit, admitPlatform } from './admission.ts'
import { diagnose, faultOf } from './diagnosis.ts'
import type { Asked, Diagnosis, Fault } from './diagnosis.ts'
import type { KnownPlatform } from './diagnosis.ts'
import { protocol } from './platform.ts'
import { LaunchRefused } from './refusal.ts'
import { addressOf, readSettings } from './settings.ts'
import type { Page } from './settings.ts'

export { diagnose } from './diagnosis.ts'
export type { Diagnosis } from './diagnosis.ts'
export { rules } from './refusal.ts'
export { pages } from './settings.ts'
export type { Page } from './settings.ts'
export { restAuthorization, signLaunch } from './signing.ts'

export function speaks(platform: Pick<PlatformRecord, 'protocol'>): boolean {
  return platform.protocol === protocol
}

export function knownPlatform({ id, settings }: PlatformRecord, baseUrl: string): KnownPlatform {
  return { id, baseUrl, settings: readSettings(settings) }
}

export function addressAt(page: Page, { id, baseUrl, settings }: KnownPlatform): string {
  return addressOf(page, { id, baseUrl, publicUrl: settings.publicUrl })
}

/** As `diagnose`; and what this platform makes of a launch that is signed as it must be. */
export async function diagnoseAt(
  core: Core,
  platform: PlatformRecord,
  asked: Omit<Asked, 'platform'>,
): Promise<Diagnosis> {
  const known = { platform, settings: readSettings(platform.settings) }
  const found = diagnose({ ...asked, platform: knownPlatform(platform, core.baseUrl) })
  const { page, launch } = found
  const closed = await faultsOf(admitPlatform(core, platform))
  const unfit =
    launch && 'role' in launch && page !== 'delete' ? await faultsOf(admit(core, known, { page, launch })) : []
  const faults = [...closed, ...found.faults, ...unfit]
  return { ...found, faults, isAccepted: faults.length === 0 }
}

async function faultsOf(admission: Promise<unknown>): Promise<readonly Fault[]> {
  try {
    await admission
    return []
  } catch (error) {
    if (error instanceof LaunchRefused) return [faultOf(error)]
    throw error
  }
}

/** What a launch must bring so that this platform's settings let it in, beside what all bring. */
export function demandedParameters({ settings }: KnownPlatform): Readonly<Record<string, string>> {
  const [school] = settings.schools
  return {
    ...(settings.licensed && { LicenseIds: '1', ExternalLicenseIds: '' }),
    ...(school !== undefined && { SchoolId: `${school}|` }),
  }
}
