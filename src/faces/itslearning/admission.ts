// Whether a launch that is signed as it must be is let in, and where to: by its platform, by what was chosen, by what that gives. The
// face asks, and who diagnoses a launch. Knows no request, and changes nothing.

import type { Content } from '../../core/content.ts'
import type { Core } from '../../core/core.ts'
import { hasExpired } from '../../core/organisation.ts'
import { callerOf } from '../../core/platform.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import type { Known } from './incoming.ts'
import { demandOpening, findChosen, givesOf } from './into-content.ts'
import { isAuthor } from './opening.ts'
import type { SignedLaunch } from './parameters.ts'
import { protocol } from './platform.ts'
import { LaunchRefused } from './refusal.ts'
import { readSettings } from './settings.ts'

/** Throws `LaunchRefused` for one that launches nobody. */
export async function admitPlatform(core: Core, platform: PlatformRecord | undefined): Promise<Known> {
  if (platform === undefined || platform.protocol !== protocol || !platform.isEnabled) {
    throw new LaunchRefused('platform', 'There is no such platform, or it is switched off.')
  }
  const organisation = await core.organisations.get(callerOf(platform))
  if (hasExpired(organisation, core.clock.now())) throw new LaunchRefused('platform', 'Its organisation has ended.')
  return { platform, settings: readSettings(platform.settings) }
}

/** What opens; undefined: the choice of it. Throws `LaunchRefused`. */
export async function admit(
  core: Core,
  known: Known,
  { page, launch }: { readonly page: 'view' | 'add'; readonly launch: SignedLaunch },
): Promise<Content | undefined> {
  const content = await findChosen(core, known, launch)
  if (isAuthor(launch, givesOf(content))) return undefined
  if (page === 'add') throw new LaunchRefused('permission', 'Who adds an instance must be allowed to change it.')
  if (content === undefined) throw new LaunchRefused('unset', 'Nothing was chosen for this instance.')
  demandOpening(launch, content)
  return content
}
