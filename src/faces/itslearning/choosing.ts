// The choice of content, by authors: from the signed address to a page of ours, where they choose as long as they like, and open
// what they chose.

import type { Context } from 'hono'
import type { Core } from '../../core/core.ts'
import type { Oid } from '../../core/ids.ts'
import type { PlatformRecord } from '../../core/storage.ts'
import { findBrowser, newBrowser } from '../browser-cookie.ts'
import type { FaceEnv } from '../face.ts'
import { logOf, readText, requestIdOf, respond } from '../http.ts'
import { openAuthor, sealAuthor } from './author.ts'
import { isFirst, knownPlatform } from './incoming.ts'
import type { Known } from './incoming.ts'
import { findChosen, givesOf, open, redirect } from './into-content.ts'
import { isAuthor, masterOf, openingOf, placeOf } from './opening.ts'
import { choicePage } from './pages.ts'
import type { SignedLaunch } from './parameters.ts'
import { LaunchRefused } from './refusal.ts'
import { rootOf } from './settings.ts'
import type { Verified } from './verification.ts'

/** Away from the signed address, which holds who they are, and is good for one use. */
export async function toChoice(
  c: Context<FaceEnv>,
  core: Core,
  verified: Known & Verified<SignedLaunch>,
): Promise<Response> {
  if (!(await isFirst(core, verified))) throw new LaunchRefused('replay', 'It was used before.')
  const browser = findBrowser(c, core.baseUrl) ?? newBrowser()
  const sealed = await sealAuthor(core, verified, browser)
  return redirect(core, choiceAddress(core, verified, sealed), browser)
}

/** On the host that the browser came to: its cookie is of that one. */
function choiceAddress(
  { baseUrl }: Core,
  { platform: { id }, settings: { publicUrl } }: Known,
  sealed: string,
): string {
  return `${rootOf({ id, baseUrl, publicUrl })}/author/${sealed}`
}

interface Author extends Known {
  readonly launch: SignedLaunch
  readonly sealed: string
  readonly browser: string
}

async function author(c: Context<FaceEnv>, core: Core): Promise<Author> {
  const known = await knownPlatform(c, core)
  const sealed = c.req.param('sealed') ?? ''
  const browser = findBrowser(c, core.baseUrl)
  const launch = await openAuthor(core, known, { sealed, browser })
  if (launch !== undefined && browser !== undefined) return { ...known, launch, sealed, browser }
  throw new LaunchRefused('author', 'This choice is over, or another browser’s; or who vouched for it does no more.')
}

const partSize = 50

export async function showChoice(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const asked = await author(c, core)
  const { platform, settings, launch, sealed } = asked
  const number = /^[1-9]\d{0,5}$/.test(c.req.query('part') ?? '') ? Number(c.req.query('part')) : 1
  const slice = { offset: (number - 1) * partSize, limit: partSize }
  const { items, total } = await core.contents.listFor(platform.organisationId, slice)
  const chosen = await findChosen(core, asked, launch)
  const { body, headers } = choicePage({
    ...{ address: choiceAddress(core, asked, sealed), chosen, contents: items },
    part: { number, isLast: slice.offset + items.length >= total },
    mayOpen: chosen !== undefined && openingOf(launch, chosen.settings.gives) !== undefined,
    embeddedBy: settings.frameAncestors,
  })
  return respond(body, { headers })
}

const formLimitBytes = 4 * 1024

export async function choose(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const asked = await author(c, core)
  const { platform, launch, sealed, browser } = asked
  const chosen = new URLSearchParams(await readText(c, formLimitBytes)).get('content') ?? ''
  const content = await core.contents.find(platform.organisationId, chosen)
  if (content === undefined) throw new LaunchRefused('unset', 'The content that was chosen is gone.')
  if (!isAuthor(launch, givesOf(await findChosen(core, asked, launch)))) {
    throw new LaunchRefused('permission', 'What is chosen by now does not let them choose.')
  }
  await place(core, platform, launch, content.id)
  const fields = {
    requestId: requestIdOf(c),
    platform: platform.id,
    place: placeOf(launch),
    content: content.id,
    user: launch.userId,
  }
  logOf(c)?.info(fields, 'content was chosen')
  return redirect(core, choiceAddress(core, asked, sealed), browser)
}

/** Who may change the learning object itself chooses for all its uses that have nothing of their own. */
async function place(core: Core, platform: PlatformRecord, launch: SignedLaunch, contentId: Oid): Promise<void> {
  const isMaster = launch.permissions.includes('Modify')
  for (const resource of [placeOf(launch), ...(isMaster ? [masterOf(launch)] : [])]) {
    await core.placements.put(platform, resource, contentId)
  }
}

export async function openChosen(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const asked = await author(c, core)
  const content = await findChosen(core, asked, asked.launch)
  if (content === undefined) throw new LaunchRefused('unset', 'Nothing was chosen for this instance.')
  return open(core, { ...asked, content })
}
