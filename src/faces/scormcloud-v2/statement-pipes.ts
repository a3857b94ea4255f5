// The operations on statement pipes: what is forwarded from the application that asks, or from a store elsewhere, to one elsewhere.
// An address of ours is read directly, after the pair given with it was tried; what a pipe does is core's.

import { z } from 'zod'
import type { Core } from '../../core/core.ts'
import { checkText } from '../../core/check.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import type { LrsId, PipeId } from '../../core/ids.ts'
import type { Pipe, SourceInput } from '../../core/pipe.ts'
import type { Endpoint } from '../../core/remote-lrs.ts'
import type { ApplicationRecord, Json } from '../../core/storage.ts'
import { bodyOf, ownApplication } from './auth.ts'
import type { Call } from './auth.ts'
import { readBody, refuse, text } from './wire.ts'

const word = text((value) => checkText(value, { pointer: '', rule: '', noun: 'It' }))
const endpoint = z.object({ url: word, userName: word, password: word }).partial()
const shape = z.object({ source: endpoint, target: endpoint }).partial()
type EndpointInput = z.output<typeof endpoint>

/** The vendor's names of the paths of an application (facts 1.8), behind whatever path this server is reached at. */
const ownPath = /\/(?:RusticiEngine\/lrs|lrs|tc)\/([A-Z0-9]{10})(\/sandbox)?$/

export async function createStatementPipe(call: Call): Promise<Response> {
  const { source, target } = readBody(shape, await bodyOf(call))
  if (target?.url === undefined) throw refuse('/target/url', 'must be given')
  const application = await getApplication(call)
  const { id } = await call.core.pipes.create(call.principal, {
    applicationId: application.id,
    ...(source?.url !== undefined && { source: await sourceOf(call, application, source) }),
    ...targetOf(call, application, target),
  })
  return call.c.json({ result: id })
}

export async function getStatementPipes(call: Call): Promise<Response> {
  const pipes = await call.core.pipes.list(call.principal, ownApplication(call))
  return call.c.json({ xapiStatementPipes: pipes.map((pipe) => presentPipe(pipe, call.core)) })
}

export async function getStatementPipe(call: Call): Promise<Response> {
  return call.c.json(presentPipe(await call.core.pipes.get(call.principal, idOf(call)), call.core))
}

/** Members that are not sent stay. A change takes effect at the pipe's next step, so that it is never in the way of its work. */
export async function setStatementPipe(call: Call): Promise<Response> {
  const input = readBody(shape, await bodyOf(call))
  const application = await getApplication(call)
  const { id } = await call.core.pipes.update(call.principal, idOf(call), async (before) => {
    const shown = shownSource(before, call.core)
    const source = merged(shown, input.source)
    // Clients echo whole entities: what is as it was asks for nothing, also where its key is gone by now.
    const isOther = (['url', 'userName', 'password'] as const).some((name) => source[name] !== shown[name])
    return {
      ...(isOther && { source: await sourceOf(call, application, source) }),
      ...targetOf(call, application, merged(presentEndpoint(before.target), input.target)),
    }
  })
  return call.c.json({ result: id })
}

export async function deleteStatementPipe(call: Call): Promise<Response> {
  await call.core.pipes.remove(call.principal, idOf(call))
  return call.c.body(null, 204)
}

async function getApplication(call: Call): Promise<ApplicationRecord> {
  const found = await call.core.applications.find(ownApplication(call))
  if (found === undefined) throw new DomainError('unauthenticated', 'The application is gone')
  return found
}

function idOf({ c }: Pick<Call, 'c'>): PipeId {
  const { id = '' } = c.req.param() as { id?: string }
  return id as PipeId
}

/** What is not sent stays; but the pair that lets in at one server is not told another one. */
function merged(before: ShownEndpoint, input: EndpointInput = {}): EndpointInput {
  return { ...(originOf(input.url ?? before.url) === originOf(before.url) && before), ...input }
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined
}

function toEndpoint({ url = '', userName = '', password = '' }: EndpointInput): Endpoint {
  return { url, user: userName, password }
}

async function sourceOf(call: Call, application: ApplicationRecord, input: EndpointInput): Promise<SourceInput> {
  const { url = '' } = input
  const bare = url.replace(/\/statements\/*$/, '')
  if (bare === url) throw refuse('/source/url', 'must end in /statements')
  const shown = { ...toEndpoint(input), url }
  const own = findOwn(call.core, application, bare)
  if (own === undefined) return { endpoint: { ...shown, url: bare } }
  if (own === 'foreign') throw refuse('/source/url', 'is the address of another application')
  await tryPair(call, own, shown)
  return { lrsId: own, shown }
}

function targetOf({ core }: Call, application: ApplicationRecord, input: EndpointInput) {
  const target = toEndpoint(input)
  const own = findOwn(core, application, target.url.replace(/\/+$/, ''))
  return { target, ...(typeof own === 'number' && { targetLrsId: own }) }
}

/** The Lrs that an address of ours names; `foreign`: of an application that is not the caller's. */
function findOwn(
  core: Core,
  { id, liveLrsId, sandboxLrsId }: ApplicationRecord,
  url: string,
): LrsId | 'foreign' | undefined {
  if (!URL.canParse(url)) return undefined
  const { origin, pathname } = new URL(url)
  const [, named, sandbox] = ownPath.exec(pathname) ?? []
  if (origin !== new URL(core.baseUrl).origin || named === undefined) return undefined
  if (named !== id) return 'foreign'
  return sandbox === undefined ? liveLrsId : sandboxLrsId
}

/** Whoever manages the application may forward all of it; a pair that is given must fit all the same, as it would elsewhere. */
async function tryPair({ core, principal: { organisationId } }: Call, lrsId: LrsId, { user, password }: Endpoint) {
  if (user === '' && password === '') return
  const tried = await core.signIn
    .basic({ key: user, secret: password, within: organisationId })
    .catch((error: unknown) => {
      if (isDomainError(error) && error.code === 'unauthenticated') return undefined
      throw error
    })
  if (tried?.kind === 'client' && tried.lrsIds.includes(lrsId) && tried.rights.xapi['statements/read'] !== undefined)
    return
  throw refuse('/source', 'userName and password do not let anybody read there')
}

interface ShownEndpoint {
  readonly url: string
  readonly userName?: string
  readonly password?: string
}

function presentEndpoint({ url, user, password }: Endpoint): ShownEndpoint {
  return { url, ...(user !== '' && { userName: user }), ...(password !== '' && { password }) }
}

/** As it was given; where nothing was, the address of the application's live Lrs. */
function shownSource({ source, lrsId, applicationId }: Pipe, core: Core): ShownEndpoint {
  if (source === undefined) return { url: `${core.baseUrl}/lrs/${applicationId}/statements` }
  return presentEndpoint(lrsId === null ? { ...source, url: `${source.url}/statements` } : source)
}

export function presentPipe(pipe: Pipe, core: Core): { readonly [name: string]: Json } {
  const { id, target, progress } = pipe
  const { failures, lastStored, more, retryAt } = progress
  return {
    id,
    source: { ...shownSource(pipe, core) },
    target: { ...presentEndpoint(target) },
    attempts: failures,
    ...(lastStored !== undefined && { lastForwardedStatementDate: new Date(lastStored).toISOString() }),
    ...(more !== undefined && { moreUrl: more }),
    ...(retryAt !== undefined && { visibleAfter: new Date(retryAt).toISOString() }),
  }
}
