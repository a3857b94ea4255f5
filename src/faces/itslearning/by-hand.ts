// What an operator does by hand with this protocol: looks at a launch that is refused, signs one, speaks to itslearning's REST API.
// For the command line, which gets it through app.ts. Knows no request.

import type { PlatformRecord } from '../../core/storage.ts'
import type { KnownPlatform } from './diagnosis.ts'
import { protocol } from './platform.ts'
import { addressOf, readSettings } from './settings.ts'
import type { Page } from './settings.ts'

export { diagnose } from './diagnosis.ts'
export type { Diagnosis } from './diagnosis.ts'
export { rules } from './refusal.ts'
export { pages } from './settings.ts'
export type { Page } from './settings.ts'
export { restAuthorization, signLaunch } from './signing.ts'
export { writeTimestamp } from './verification.ts'

export function speaks(platform: Pick<PlatformRecord, 'protocol'>): boolean {
  return platform.protocol === protocol
}

export function knownPlatform({ id, settings }: PlatformRecord, baseUrl: string): KnownPlatform {
  return { id, baseUrl, settings: readSettings(settings) }
}

export function addressAt(page: Page, { id, baseUrl, settings }: KnownPlatform): string {
  return addressOf(page, { id, baseUrl, publicUrl: settings.publicUrl })
}

/** What a launch must bring so that this platform's settings let it in, beside what all bring. */
export function demandedParameters({ settings }: KnownPlatform): Readonly<Record<string, string>> {
  const [school] = settings.schools
  return {
    ...(settings.licensed && { LicenseIds: '1', ExternalLicenseIds: '' }),
    ...(school !== undefined && { SchoolId: `${school}|` }),
  }
}
