// The operations on launches: letting somebody into content, whoever vouches for them; seeing what became of it; ending it.

import { DomainError, invalid } from '../../core/errors.ts'
import type { Content } from '../../core/content.ts'
import type { LaunchId } from '../../core/ids.ts'
import { entranceSeconds } from '../../core/launch-ticket.ts'
import { HttpError, mediaTypeOf, readJson } from '../http.ts'
import type { Call } from './auth.ts'
import { presentLaunch, readLaunch, readLaunchId, readLaunchList } from './wire.ts'

/** The longest data, in escapes, and the rest. */
const mostBytes = 256 * 1024
const mostTokens = 20_000

export const launchesPath = '/management/v1/launches'

/** Any key launches as itself; management of keys as those it covers. */
export async function createLaunch({ c, core, principal }: Call): Promise<Response> {
  const { contentId, credentialId = principal.credentialId, input } = readLaunch(await readBody(c))
  const content = await contentOf({ core, principal }, contentId)
  const { launch, entranceUrl } = await core.launches.open({ caller: principal, credentialId }, { ...input, content })
  const until = new Date(launch.createdAt + entranceSeconds * 1000).toISOString()
  c.header('Location', `${launchesPath}/${launch.id}`)
  return c.json({ ...presentLaunch(launch), url: entranceUrl, urlExpiresAt: until }, 201)
}

/** JSON in UTF-8; who names no type means that. */
function readBody(c: Call['c']): Promise<unknown> {
  const { type, isUtf8 } = mediaTypeOf(c)
  if (isUtf8 && (type === '' || type === 'application/json')) return readJson(c, mostBytes, mostTokens)
  throw new HttpError('unsupported', 415, 'The body is JSON in UTF-8: Content-Type: application/json')
}

async function contentOf({ core, principal }: Pick<Call, 'core' | 'principal'>, id: string): Promise<Content> {
  const content = await core.contents.find(principal.organisationId, id)
  if (content !== undefined) return content
  const message = `there is no content ${JSON.stringify(id.slice(0, 40))}`
  throw invalid('The launch was refused', [{ pointer: '/content', rule: 'claviger/management', message }])
}

export async function listLaunches({ c, core, principal }: Call): Promise<Response> {
  const { filter, before, limit } = readLaunchList(new URL(c.req.url).searchParams)
  const { items, next } = await core.launches.list(principal, filter, { before, limit })
  return c.json({ launches: items.map(presentLaunch), next: next ?? null })
}

export async function readOneLaunch({ c, core, principal }: Call): Promise<Response> {
  return c.json(presentLaunch(await core.launches.get(principal, launchIn(c.req.param('id')))))
}

/** Answers the launch, which stays to be read. */
export async function endLaunch({ c, core, principal }: Call): Promise<Response> {
  return c.json(presentLaunch(await core.launches.end(principal, launchIn(c.req.param('id')))))
}

export function launchIn(segment = ''): LaunchId {
  const id = readLaunchId(segment)
  if (id === undefined) throw new DomainError('not_found', 'There is no such launch.')
  return id
}
