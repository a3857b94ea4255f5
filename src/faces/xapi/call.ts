// One xAPI request on one mount: which version it speaks, who asks, which Lrs it reaches, and what every answer carries.
// Handlers read method, parameters, headers and body from the call only, never from `c`: in the alternate request syntax
// they all stand in a form (alternate.ts), and no handler needs to know.

import type { Context } from 'hono'
import type { Core } from '../../core/core.ts'
import type { LrsId } from '../../core/ids.ts'
import type { SizeLimit } from '../../core/limits.ts'
import type { Principal } from '../../core/principal.ts'
import { latestVersion, parseVersion } from '../../core/xapi/version.ts'
import type { XapiVersion } from '../../core/xapi/version.ts'
import type { FaceEnv, XapiMount, XapiPlace } from '../face.ts'
import {
  ChunkCount,
  addressOf,
  answerError,
  beginReceiving,
  commonHeaders,
  countUsage,
  holdAnswer,
  incomingOf,
  logFailure,
  parseMediaType,
  readBytes,
  readText,
  respond,
  textOf,
  tooLarge,
} from '../http.ts'
import type { MediaType } from '../http.ts'
import type { SignedRequest } from '../oauth.ts'
import { placeOf, signIn } from './caller.ts'
import { isSignedCall, readSigned } from './signed.ts'
import type { SpokenVersions } from './spoken.ts'

/** What 1.0.x readers get of 2.0 statements: as they are stored, or without what 1.0.x does not know. */
export type Downgrade = 'as-stored' | 'strip'

/** What all calls of a running face share. */
export interface Service {
  readonly core: Core
  readonly spoken: SpokenVersions
  readonly downgrade: Downgrade
}

export interface Call {
  readonly c: Context<FaceEnv>
  readonly core: Core
  readonly service: Service
  readonly mount: XapiMount
  /** What is asked for. */
  readonly method: string
  /** Decoded parameters. */
  readonly params: URLSearchParams
  /** A header of the request, by its name in any case. */
  readonly header: (name: string) => string | undefined
  /** The body where it came in a form; absent: it is still to be read from the connection. See `readBody`. */
  readonly content?: Uint8Array
  /** What signs it, read and not yet judged; absent where it is not signed, and as long as nobody has looked. */
  readonly signed?: SignedRequest
  /** Whose credentials stand in a header beside a form; admitted before the form was read. */
  readonly admitted?: Admitted
  /** Headers of the answer, whatever it becomes, a refusal included: those of a content go beside them, at the very end. */
  readonly headers: Record<string, string>
}

export interface Admitted {
  readonly principal: Principal
  /** `SignIn.changes` before the caller signed in. */
  readonly since: number
  readonly place: XapiPlace
}

/** A call whose caller is known and admitted. */
export interface AdmittedCall extends Call {
  readonly principal: Principal
  readonly since: number
  readonly lrsId: LrsId
  readonly version: XapiVersion
}

export const versionHeader = 'X-Experience-API-Version'

export function newCall(c: Context<FaceEnv>, service: Service, mount: XapiMount): Call {
  const headers = commonHeaders(c)
  const version = c.req.header(versionHeader)
  headers[versionHeader] = latestVersion[(version === undefined && mount.assumedVersion) || likelyVersion(version)]
  const { url } = c.req.raw
  const question = url.indexOf('?')
  const params = new URLSearchParams(question < 0 ? '' : url.slice(question))
  for (const name of mount.ignoredParams ?? []) params.delete(name)
  const header: Call['header'] = (name) => c.req.header(name)
  return { c, core: service.core, service, mount, method: c.req.method, params, header, headers }
}

/** Signs in, then settles the version: both the version's errors and the limits depend on who asks. */
export async function admitCall(call: Call): Promise<AdmittedCall> {
  const { core, service, headers, signed } = call
  const authorization = call.header('Authorization')
  if (!signed && !call.admitted && isSignedCall(call, authorization)) return admitCall(await readSigned(call))
  const found = call.admitted?.place ?? placeOf(call)
  // Mostly the path says it all, and there is nothing to wait for.
  const place = found instanceof Promise ? await found : found
  if (asksVersionFirst(call)) parseVersion(call.header(versionHeader))
  const since = call.admitted?.since ?? core.signIn.changes
  const principal = call.admitted?.principal ?? (await signIn(call, place))
  const sent = call.header(versionHeader)
  // Who names none is told the one they most likely speak (docs/decisions/0010).
  if (sent === undefined || !/^\s*[12]\./.test(sent))
    headers[versionHeader] = latestVersion[service.spoken.likelyOf(principal, call.mount.assumedVersion)]
  const version = parseVersion(sent)
  service.spoken.note(principal, version)
  const lrsId = place.lrs(principal)
  const admission = call.admitted ? undefined : admit(call, principal, version)
  // Mostly there is nothing to wait for.
  if (admission) await admission
  return { ...call, params: meantParams(principal, call.params), principal, lrsId, version, since }
}

/** Without those that launched content sends with every request, because they stand in its own address (TinCanJS); any others are refused. */
export function meantParams({ launch }: Principal, params: URLSearchParams): URLSearchParams {
  if (launch === undefined || launch.ignoredParams.length === 0) return params
  const meant = new URLSearchParams(params)
  for (const name of launch.ignoredParams) meant.delete(name)
  return meant
}

/** Who sends neither version nor credentials is no client of ours: the version is what the specification asks for first. */
function asksVersionFirst({ c, mount, method, header, signed }: Call): boolean {
  if (mount.asksVersionFirst) return mount.asksVersionFirst(method, c.req.path)
  return !signed && header('Authorization') === undefined && header(versionHeader) === undefined
}

/** Once per request. */
export function admit({ c, core }: Call, principal: Principal, version: XapiVersion): Promise<void> | undefined {
  return core.limits.admit(principal, { ...addressOf(c), origin: c.req.header('Origin'), version })
}

/** Every value of each parameter, as the rules of core take them. */
export function paramsOf(query: URLSearchParams): Map<string, string[]> {
  const params = new Map<string, string[]>()
  for (const [name, value] of query) {
    const values = params.get(name)
    if (values) values.push(value)
    else params.set(name, [value])
  }
  return params
}

/** The body as text, within `limit`. As `readText` of http.ts. */
export function readBody(call: Call, limit: SizeLimit): Promise<string> {
  if (call.content === undefined && call.signed === undefined) return readText(call.c, limit)
  return readContent(call, limit).then((content) => textOf(content, limit))
}

/** The body whole, within `limit`. As `readBytes` of http.ts. */
export async function readContent(call: Call, limit: SizeLimit): Promise<Uint8Array> {
  if (call.content !== undefined) {
    if (call.content.byteLength > limit.most) throw tooLarge(limit)
    return call.content
  }
  const bytes = await readBytes(call.c, limit)
  const check = call.signed?.bodyCheck()
  check?.add(bytes)
  check?.end()
  return bytes
}

/** The body as it arrives, wherever it stands. Whoever reads it counts its bytes and keeps to a limit; chunks are counted here. */
export async function* bodyStream(call: Call): AsyncGenerator<Uint8Array, undefined> {
  const { content, c } = call
  if (content !== undefined) return void (yield content)
  const count = new ChunkCount()
  const check = call.signed?.bodyCheck()
  const incoming = incomingOf(c)
  const arriving = { length: 0, abort: (error: Error) => void incoming?.destroy(error) }
  const received = beginReceiving(c, arriving)
  try {
    // Whoever stops reading refuses the request: the answer still needs the connection.
    for await (const chunk of incoming?.iterator({ destroyOnReturn: false }) ?? c.req.raw.body ?? []) {
      count.add(chunk)
      check?.add(chunk)
      arriving.length += chunk.byteLength
      yield chunk
    }
    check?.end()
  } finally {
    received()
  }
}

export function mediaTypeOf(call: Call): MediaType {
  return parseMediaType(call.header('Content-Type'))
}

export function answer(call: Call, status: number, body: string | null, headers?: Record<string, string>): Response {
  if (headers) Object.assign(call.headers, headers)
  if (body !== null) holdAnswer(call.c, body.length)
  // Hono drops the body of a HEAD; its length is still the GET's (RFC 9110 section 9.3.2).
  if (body !== null && call.method === 'HEAD') call.headers['Content-Length'] = String(Buffer.byteLength(body))
  return respond(body, { status, headers: call.headers })
}

export function answerJson(call: Call, body: string, headers?: Record<string, string>): Response {
  call.headers['Content-Type'] = 'application/json'
  return answer(call, 200, body, headers)
}

/** Runs a handler: errors in the mount's shape, usage counted once, whatever happens. */
export async function run(call: Call, handle: (call: Call) => Promise<Response>): Promise<Response> {
  try {
    return await handle(call)
  } catch (error) {
    const { c, mount, headers } = call
    return answerError(c, error, { name: nameOf(mount), presentError: mount.presentError }, headers)
  } finally {
    countUsage(call.c, call.core)
  }
}

/** In the log. */
function nameOf(mount: XapiMount): string {
  return `xapi (${mount.name})`
}

/** The family to name in answers before the version is known to be right. */
export function likelyVersion(header: string | undefined): XapiVersion {
  return header?.startsWith('1.') ? '1.0' : '2.0'
}

/** Microseconds, as a header says them. */
export function httpDate(micros: number): string {
  return new Date(Math.floor(micros / 1000)).toUTCString()
}

/** A body out of pieces: the next is asked for when the last one was taken, and none any more when the client has gone. */
export function streamOf(
  call: Call,
  pieces: AsyncIterable<Uint8Array>,
  cancel: () => void = () => {},
): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await iterator.next()
          if (next.done) controller.close()
          else controller.enqueue(next.value)
        } catch (error) {
          logFailure(call.c, error, nameOf(call.mount))
          breakOff(call, controller, error)
        }
      },
      async cancel() {
        cancel()
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/** The status has left: a body without an end is all that can still be said. */
function breakOff({ c }: Call, controller: ReadableStreamDefaultController, error: unknown): void {
  const incoming = incomingOf(c)
  if (incoming === undefined) return controller.error(error)
  // Of an error the server would make a last piece, and the body would look whole.
  incoming.destroy()
  controller.close()
}
