// What comes with a request: which platform it is about, and what that has signed. Knows not what becomes of it.

import type { Context } from 'hono'
import type { Core } from '../../core/core.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import type { FaceEnv } from '../face.ts'
import { incomingOf } from '../http.ts'
import { admitPlatform } from './admission.ts'
import { protocol } from './platform.ts'
import { addressOf } from './settings.ts'
import type { Page, Settings } from './settings.ts'
import { replayEnd } from './verification.ts'
import type { Received, Standard, Verified } from './verification.ts'

export interface Known {
  readonly platform: PlatformRecord
  readonly settings: Settings
}

export async function knownPlatform(c: Context<FaceEnv>, core: Core): Promise<Known> {
  return admitPlatform(core, await core.platforms.findByPath(c.req.param('platform') ?? ''))
}

export async function verify<What>(
  c: Context<FaceEnv>,
  core: Core,
  { page, by }: { readonly page: Page; readonly by: (received: Received, standard: Standard) => Verified<What> },
): Promise<Known & Verified<What>> {
  const known = await knownPlatform(c, core)
  const { platform, settings } = known
  const address = addressOf(page, { id: platform.id, baseUrl: core.baseUrl, publicUrl: settings.publicUrl })
  const secrets = await core.platforms.openSecrets(platform)
  return { ...known, ...by({ address, query: queryOf(c) }, { secrets, settings, now: core.clock.now() }) }
}

/** As it stands in the request line: what was parsed and written anew is signed by nobody. */
function queryOf(c: Context<FaceEnv>): string {
  const target = incomingOf(c)?.url ?? c.req.raw.url
  const question = target.indexOf('?')
  return question < 0 ? '' : target.slice(question + 1)
}

type Signed = Known & Verified<unknown>

/** Whether nobody came with it before, to open or to choose; from now on somebody did. A launch remembers by itself what opened it. */
export async function isFirst(core: Core, signed: Signed): Promise<boolean> {
  const { platform, signature, signedAt } = signed
  if (await core.launches.wasOpened({ platform, word: signature })) return false
  return core.replays.isFirst(platform.organisationId, presentedBy(signed), replayEnd(signedAt))
}

/** Whether an author came with it already. */
export function isAuthors(core: Core, signed: Signed): Promise<boolean> {
  return core.replays.wasThere(signed.platform.organisationId, presentedBy(signed))
}

function presentedBy({ platform, signature }: Signed): readonly string[] {
  return [protocol, platform.id, signature]
}
