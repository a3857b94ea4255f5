// What an author carries from the signed address, which is good for one use, to the page where content is chosen: sealed, for the
// browser that brought the address, for half an hour. Knows no request.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Core } from '../../core/core.ts'
import { isDomainError } from '../../core/errors.ts'
import { callerOf } from '../../core/platform.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import type { Known } from './incoming.ts'
import type { SignedLaunch } from './parameters.ts'
import { checkCustomer, markOf } from './verification.ts'
import type { Verified } from './verification.ts'

/** Unix milliseconds from when it was signed for. */
const authorMs = 30 * 60_000

const schema = z.object({
  browser: z.string(),
  until: z.number(),
  launch: z.custom<SignedLaunch>(),
  /** The secret that vouched for it, and the schools it was held against: who they let in is out when they change. */
  ...{ signedWith: z.string(), schools: z.string() },
})

/** Lists stay behind: an address has room for so much, and who looks at their own choice needs none. */
export async function sealAuthor(
  core: Core,
  { platform, settings, what, signedWith }: Known & Verified<SignedLaunch>,
  browser: string,
): Promise<string> {
  const { licences: _, schools: __, ...launch } = what
  const until = core.clock.now() + authorMs
  const carried = { launch, browser: hashOf(browser), until, signedWith, schools: hashOfSchools(settings) }
  const holder = await core.organisations.get(callerOf(platform))
  return core.vault.seal(holder, placeIn(platform), JSON.stringify(carried))
}

/**
 * Undefined for what was changed, is over, or is another platform's or browser's; and for what would not be let in again: its secret
 * counts no more, or other schools are allowed. Throws `LaunchRefused` where their customer is not.
 */
export async function openAuthor(
  core: Core,
  { platform, settings }: Known,
  { sealed, browser }: { readonly sealed: string; readonly browser: string | undefined },
): Promise<SignedLaunch | undefined> {
  const holder = await core.organisations.get(callerOf(platform))
  const clear = opened(() => core.vault.open(holder, placeIn(platform), sealed))
  const carried = clear === undefined ? undefined : schema.parse(JSON.parse(clear))
  const isTheirs = browser !== undefined && carried?.browser === hashOf(browser)
  if (!isTheirs || core.clock.now() >= carried.until || carried.schools !== hashOfSchools(settings)) return undefined
  const secrets = await core.platforms.openSecrets(platform)
  if (!secrets.some((secret) => markOf(secret) === carried.signedWith)) return undefined
  checkCustomer(carried.launch, settings)
  return carried.launch
}

function opened(open: () => string): string | undefined {
  try {
    return open()
  } catch (error) {
    if (isDomainError(error)) return undefined
    throw error
  }
}

function placeIn({ id }: PlatformRecord) {
  return { row: id, column: 'itslearning.author' }
}

function hashOfSchools({ schools }: Known['settings']): string {
  return hashOf(schools.toSorted((one, other) => one - other).join())
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
