// What an author carries from the signed address, which is good for one use, to the page where content is chosen: sealed, for the
// browser that brought the address, for half an hour. Knows no request.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Core } from '../../core/core.ts'
import { isDomainError } from '../../core/errors.ts'
import { callerOf } from '../../core/platform.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import type { SignedLaunch } from './parameters.ts'

/** Unix milliseconds from when it was signed for. */
const authorMs = 30 * 60_000

const schema = z.object({ browser: z.string(), until: z.number(), launch: z.custom<SignedLaunch>() })

/** Lists stay behind: an address has room for so much, and who looks at their own choice needs none. */
export async function sealAuthor(
  core: Core,
  platform: PlatformRecord,
  { launch, browser }: { readonly launch: SignedLaunch; readonly browser: string },
): Promise<string> {
  const { licences: _, schools: __, ...rest } = launch
  const carried = { launch: rest, browser: hashOf(browser), until: core.clock.now() + authorMs }
  const holder = await core.organisations.get(callerOf(platform))
  return core.vault.seal(holder, placeIn(platform), JSON.stringify(carried))
}

/** Undefined for what was changed, is over, or is another platform's or browser's. */
export async function openAuthor(
  core: Core,
  platform: PlatformRecord,
  { sealed, browser }: { readonly sealed: string; readonly browser: string | undefined },
): Promise<SignedLaunch | undefined> {
  const holder = await core.organisations.get(callerOf(platform))
  const clear = opened(() => core.vault.open(holder, placeIn(platform), sealed))
  const carried = clear === undefined ? undefined : schema.parse(JSON.parse(clear))
  const isTheirs = browser !== undefined && carried?.browser === hashOf(browser)
  return isTheirs && core.clock.now() < carried.until ? carried.launch : undefined
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

function hashOf(browser: string): string {
  return createHash('sha256').update(browser).digest('base64url')
}
