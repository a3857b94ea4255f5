// The addresses that content is opened with, exactly as the clients inside it read them (cmi5 section 8.1; for Tin Can
// RusticiSoftware/launch lms_lrs.md and the sources of TinCanJS and ADL's xAPIWrapper). Pure; knows nothing of launches.

import type { Json } from '../../core/storage.ts'

interface Opened {
  /** Of the content, as it was registered. */
  readonly url: string
  /** Of xAPI, ending in a slash: ADL's xAPIWrapper puts the resource right behind it. */
  readonly endpoint: string
  readonly actor: Json
  readonly registration: string
  readonly activityId: string
}

export interface TincanAddress extends Opened {
  readonly key: string
  readonly secret: string
}

export interface Cmi5Address extends Opened {
  readonly fetchUrl: string
}

export function tincanAddress({ url, endpoint, key, secret, actor, registration, activityId }: TincanAddress): string {
  return withParameters(url, {
    endpoint,
    auth: `Basic ${basicToken({ key, secret })}`,
    actor: JSON.stringify(actor),
    registration,
    activity_id: activityId,
  })
}

export function cmi5Address({ url, endpoint, fetchUrl, actor, registration, activityId }: Cmi5Address): string {
  return withParameters(url, { endpoint, fetch: fetchUrl, actor: JSON.stringify(actor), registration, activityId })
}

/** What stands behind `Basic` in an Authorization header; cmi5's auth-token, too (section 8.2.2). */
export function basicToken({ key, secret }: { readonly key: string; readonly secret: string }): string {
  return Buffer.from(`${key}:${secret}`).toString('base64')
}

/**
 * `encodeURIComponent` for each name and value, never `+` for a space: ADL's xAPIWrapper would leave it as it is, and drops
 * whatever has a bare `=` inside its value. Nothing is added that no client reads: TinCanJS repeats it with every request.
 */
function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  const hash = url.indexOf('#')
  const [resource, fragment] = hash < 0 ? [url, ''] : [url.slice(0, hash), url.slice(hash)]
  const question = resource.indexOf('?')
  const [path, query] = question < 0 ? [resource, ''] : [resource.slice(0, question), resource.slice(question + 1)]
  // Of two with one name some clients take the first, others the last: the content's own must not be the one.
  const own = query.split('&').filter((piece) => piece !== '' && !Object.hasOwn(parameters, nameOf(piece)))
  const ours = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return `${path}?${[...own, ...ours].join('&')}${fragment}`
}

/** As the most lenient of the clients would read it. */
function nameOf(piece: string): string {
  return [...new URLSearchParams(piece).keys()][0] ?? ''
}
