// The way into the content: what was chosen for a place, what a launch gives there, and where the browser goes next.

import { contentSettingsSchema } from '../../core/content-settings.ts'
import type { Content } from '../../core/content.ts'
import type { Core } from '../../core/core.ts'
import { browserCookie } from '../browser-cookie.ts'
import { respond } from '../http.ts'
import type { Known } from './incoming.ts'
import { actorOf, dataFor, masterOf, openingOf, placeOf } from './opening.ts'
import type { SignedLaunch } from './parameters.ts'
import { LaunchRefused } from './refusal.ts'

export interface Opening extends Known {
  /** That opens once. Undefined where somebody comes from a page of ours. */
  readonly signature?: string
  readonly launch: SignedLaunch
  readonly content: Content
  /** What it presents, from now on. */
  readonly browser: string
}

/** The same signed address again is a double click, where the browser is the same. */
export async function open(core: Core, opening: Opening): Promise<Response> {
  const { platform, settings, signature, launch, content, browser } = opening
  const input = {
    ...{ content, actor: actorOf(launch, settings), resource: placeOf(launch), cookie: browser },
    ...demandOpening(launch, content),
    ...{ data: dataFor(launch, content.settings), sealed: launch.apiSessionId, language: launch.language ?? null },
  }
  const opened =
    signature === undefined
      ? await core.launches.open({ platform }, input)
      : await core.launches.openOnce({ platform, word: signature }, input)
  if (opened === undefined)
    throw new LaunchRefused('replay', 'It was used before, and this browser has no launch of it that runs.')
  return redirect(core, opened.entranceUrl, browser)
}

export function demandOpening(launch: SignedLaunch, { settings }: Content) {
  const opening = openingOf(launch, settings.gives)
  if (opening !== undefined) return opening
  throw new LaunchRefused(
    'permission',
    `Its permissions give nothing here: ${launch.permissions.join(', ') || 'none'}.`,
  )
}

export function redirect(core: Core, address: string, browser: string): Response {
  return respond(null, {
    status: 303,
    headers: { Location: address, 'Set-Cookie': browserCookie(browser, core.baseUrl) },
  })
}

/** For this instance, else for its learning object, else for the platform. What was deleted is chosen no more. */
export async function findChosen(
  core: Core,
  { platform, settings }: Known,
  launch: SignedLaunch,
): Promise<Content | undefined> {
  const placed =
    (await core.placements.find(platform, placeOf(launch))) ?? (await core.placements.find(platform, masterOf(launch)))
  if (placed !== undefined) return placed.content
  return settings.content === null ? undefined : core.contents.find(platform.organisationId, settings.content)
}

/** Before there is content, permissions give what they do unless set otherwise. */
const usualGives = contentSettingsSchema.shape.gives.parse(undefined)

export function givesOf(content: Content | undefined) {
  return content?.settings.gives ?? usualGives
}
