// What every face needs of HTTP: bodies, credentials in headers, addresses, request ids, CORS, errors, usage.
// Knows no vendor and no xAPI; speaks of errors through the face's own presenter.

import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { validateHeaderValue } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { routePath } from 'hono/route'
import { getPath } from 'hono/utils/url'
import ipaddr from 'ipaddr.js'
import type { Core, Log } from '../core/core.ts'
import { DomainError, invalid, isDomainError, overload } from '../core/errors.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { OrganisationId } from '../core/ids.ts'
import { beyond } from '../core/limits.ts'
import type { SizeLimit } from '../core/limits.ts'
import type { Principal } from '../core/principal.ts'
import { parseJson } from '../core/xapi/json.ts'
import { capped } from '../core/xapi/rule.ts'
import type { ErrorAnswer, ErrorContext, FaceEnv, XapiPlace } from './face.ts'
import { ByteBudget, smallSize } from './load.ts'
import type { Moving, Stay } from './load.ts'

/** What app.ts knows about a request before any face sees it. */
export interface RequestContext {
  readonly requestId: string
  /** The client's address, seen through trusted proxies only. */
  readonly address: string | undefined
  /** The path as the mount tolerates it (slashes, case); routes match on this. */
  readonly path?: string
  /** Node's own request, when the server and not a test delivers it. */
  readonly incoming?: IncomingMessage | undefined
  readonly log?: Log | undefined
  /** Filled on the way. */
  readonly noted?: Noted | undefined
  /** Its part of what is under way. */
  readonly stay?: Stay | undefined
  /** Why it is to be refused before anything else: too much is under way. */
  readonly refused?: DomainError | undefined
}

/** What is found out about a request on its way, for whoever counts and logs. */
export interface Noted {
  principal?: Principal
  /** A pattern, never a path with ids: `/xapi/statements`. */
  route?: string
  refusal?: Refusal
  /** Acknowledged. */
  statements?: number
}

/** Why requests are refused: one of few words. */
export type Refusal = ErrorCode | 'quota' | 'overload'

/** A refusal that exists in HTTP only (405, 415, …): a domain code for the presenter plus the status that shall win. */
export class HttpError extends DomainError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

export function methodNotAllowed(method: string, allowed: readonly string[]): HttpError {
  const allow = allowed.join(', ')
  return new HttpError('unsupported', 405, `${method} is not offered here; these are: ${allow}`, { Allow: allow })
}

/** Throws for what a browser looks at before anybody decides to go there: an address may be good for one use. */
export function refuseLookAhead(c: Context<FaceEnv>): void {
  if (c.req.method === 'HEAD') throw methodNotAllowed('HEAD', ['GET', 'OPTIONS'])
  const purpose = c.req.header('Sec-Purpose') ?? c.req.header('Purpose') ?? ''
  if (!/prefetch|prerender|preview/i.test(purpose)) return
  throw new DomainError('unavailable', 'This is not fetched before somebody wants it.')
}

/** The status of an error: its own if it is an `HttpError`, else the face's. */
export function statusOf(error: DomainError, table: Readonly<Record<ErrorCode, number>>): number {
  return error instanceof HttpError ? error.status : table[error.code]
}

export interface FaceAppOptions {
  /** For the log. */
  readonly name: string
  presentError(error: DomainError, context: ErrorContext): ErrorAnswer
  /** Of paths that have another shape, for refusals that come before their route. */
  readonly presentAt?: (path: string) => FaceAppOptions['presentError'] | undefined
  /** Offer cross-origin use (no cookies, so any origin). Default true. */
  readonly cors?: boolean
  /** On every answer, in place of what every face says. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * A Hono app with errors, unknown paths and methods, request ids, CORS, security headers and usage counting taken care of.
 * Routes are absolute. Methods other than the registered ones answer 405 with Allow.
 */
export function faceApp(core: Core, options: FaceAppOptions): Hono<FaceEnv> {
  const app = new Hono<FaceEnv>({ getPath: pathOf })
  const hasCors = options.cors ?? true
  app.use(async (c, next) => {
    if (hasCors && isPreflight(c)) return preflight(c)
    const refused = refusedBefore(c)
    if (refused) c.res = answerError(c, refused, { ...options, ...presenterAt(c.req.path, options) })
    else await next()
    noteRoute(c, routePath(c, -1))
    const headers = c.res.headers
    const common = { ...commonHeaders(c, hasCors), ...options.headers }
    for (const [name, value] of Object.entries(common)) headers.set(name, value)
    countUsage(c, core)
    return undefined
  })
  app.notFound((c) => {
    const allowed = allowedMethods(app, c.req.path)
    const error =
      allowed.length > 0
        ? methodNotAllowed(c.req.method, allowed)
        : new DomainError('not_found', 'There is nothing at this path')
    return answerError(c, error, options)
  })
  app.onError((error, c) => answerError(c, error, options))
  return app
}

function presenterAt(path: string, { presentAt }: FaceAppOptions): Partial<FaceAppOptions> {
  const presentError = presentAt?.(path)
  return presentError ? { presentError } : {}
}

/** Hono's `getPath` for apps behind app.ts: the tolerated path, decoded once. */
export function pathOf(request: Request, options?: { env?: Partial<RequestContext> | undefined }): string {
  return options?.env?.path ?? getPath(request)
}

/** What a path has in the places of a pattern's `:params`; undefined where it does not fit. For who asks instead of requests. */
export function paramsIn(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, given] = [pattern.split('/'), path.split('/')]
  const fits = wanted.length === given.length && wanted.every((part, at) => part.startsWith(':') || part === given[at])
  if (!fits) return undefined
  const names = wanted.flatMap((part, at) => (part.startsWith(':') ? [[part.slice(1), given[at] ?? '']] : []))
  return Object.fromEntries(names) as Record<string, string>
}

/** Everything in it is absent when a test calls a face's Hono app without app.ts in front. */
function contextOf(c: Context<FaceEnv>): Partial<RequestContext> {
  return (c.env as Partial<RequestContext> | undefined) ?? {}
}

export function requestIdOf(c: Context<FaceEnv>): string {
  return contextOf(c).requestId ?? '-'
}

export function logOf(c: Context<FaceEnv>): Log | undefined {
  return contextOf(c).log
}

/** Why the request is to be refused in the face's shape, before anything of it is looked at. */
export function refusedBefore(c: Context<FaceEnv>): DomainError | undefined {
  return contextOf(c).refused
}

/** Under which pattern the request is counted. */
export function noteRoute(c: Context<FaceEnv>, route: string): void {
  const { noted } = contextOf(c)
  if (noted) noted.route = route
}

const exposedHeaders = [
  'ETag',
  'Last-Modified',
  'Location',
  'Retry-After',
  'WWW-Authenticate',
  'X-Experience-API-Consistent-Through',
  'X-Experience-API-Version',
  'X-Request-Id',
  'X-Total-Count',
].join(', ')
const allowedHeaders = [
  'Accept',
  'Accept-Language',
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'X-Experience-API-Version',
].join(', ')

/** On every answer of a face. Whatever a face serves is somebody's data or secret: nothing of it belongs into a cache. */
export function commonHeaders(c: Context<FaceEnv>, hasCors = true): Record<string, string> {
  const headers: Record<string, string> = {
    'X-Request-Id': requestIdOf(c),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  }
  if (hasCors) {
    headers['Access-Control-Allow-Origin'] = '*'
    headers['Access-Control-Expose-Headers'] = exposedHeaders
  }
  return headers
}

export function isPreflight(c: Context<FaceEnv>): boolean {
  return c.req.method === 'OPTIONS'
}

const corsMethods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Answers OPTIONS without asking for credentials: browsers send none with a preflight. `methods` are those of the path. */
export function preflight(c: Context<FaceEnv>, methods = corsMethods): Response {
  const asked = c.req.header('Access-Control-Request-Headers')
  const headers = {
    ...commonHeaders(c),
    // All of them: whatever a page asks for, the refusal it gets says more than a failed preflight would.
    'Access-Control-Allow-Methods': [...corsMethods, 'OPTIONS'].join(', '),
    'Access-Control-Allow-Headers': asked && /^[\w\-, ]{1,1000}$/.test(asked) ? asked : allowedHeaders,
    'Access-Control-Max-Age': '86400',
    Allow: [...methods, 'OPTIONS'].join(', '),
  }
  return new Response(null, { status: 204, headers })
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

function allowedMethods(app: Hono<FaceEnv>, path: string): string[] {
  // One match is the middleware above; a second one is a route.
  const offered: string[] = methods.filter((method) => app.router.match(method, path)[0].length > 1)
  if (offered[0] === 'GET') offered.splice(1, 0, 'HEAD')
  return offered.length > 0 ? [...offered, 'OPTIONS'] : []
}

/** Counts the request for whoever signed in; requests of nobody are counted by nobody. */
export function countUsage(c: Context<FaceEnv>, core: Core): void {
  const { noted } = contextOf(c)
  const statements = c.get('statements')
  if (noted && statements !== undefined) noted.statements = statements
  const principal = c.get('principal')
  if (!principal) return
  const refusal = c.get('refusal')
  const userAgent = c.req.header('User-Agent')
  core.usage.count(principal, {
    statements: statements ?? 0,
    ...(refusal !== undefined && { refusal }),
    ...(userAgent !== undefined && { userAgent }),
  })
}

// ---------------------------------------------------------------------------------------------------------------------
// Errors

/** Any thrown value as the face's answer. What is not a `DomainError` is logged once, here, and answered as internal. */
export function answerError(
  c: Context<FaceEnv>,
  thrown: unknown,
  face: Pick<FaceAppOptions, 'name' | 'presentError'>,
  extraHeaders: Readonly<Record<string, string>> = {},
): Response {
  const error = domainErrorOf(c, thrown, face.name)
  if (error.detail.isRefusal !== false) {
    c.set('refusal', error.detail.decidedBy ?? error.code)
    const { noted } = contextOf(c)
    if (noted) noted.refusal = refusalIn(error)
  }
  const answer = face.presentError(error, { requestId: requestIdOf(c), path: c.req.path })
  // One of them may be what was thrown about.
  const headers = Object.fromEntries(Object.entries(extraHeaders).filter(isSendable))
  if (typeof answer.body === 'object' && answer.body !== null) headers['Content-Type'] = 'application/json'
  if (answer.status === 401) headers['WWW-Authenticate'] = 'Basic realm="Claviger", charset="UTF-8"'
  if (error.detail.retryAfterSeconds !== undefined) {
    headers['Retry-After'] = String(Math.max(1, Math.ceil(error.detail.retryAfterSeconds)))
  }
  if (error instanceof HttpError) Object.assign(headers, error.headers)
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (value === null) delete headers[name]
    else headers[name] = value
  }
  const body = typeof answer.body === 'object' && answer.body !== null ? JSON.stringify(answer.body) : answer.body
  // Hono drops the body of a HEAD; its length is still the GET's (RFC 9110 section 9.3.2).
  if (c.req.method === 'HEAD' && typeof body === 'string') headers['Content-Length'] = String(Buffer.byteLength(body))
  return respond(body, { status: answer.status, headers })
}

function refusalIn({ code, detail }: DomainError): Refusal {
  if (detail.decidedBy === overload) return 'overload'
  return code === 'rate_limited' && detail.decidedBy === 'limit dailyQuota' ? 'quota' : code
}

/**
 * A Response whose headers can be sent; throws what becomes our 500. The server's own kind of Response looks at them only while
 * it writes them, when all that is left to say is Node's bare 500.
 */
export function respond(
  body: ConstructorParameters<typeof Response>[0],
  init: { readonly status?: number; readonly headers: Readonly<Record<string, string>> },
): Response {
  for (const [name, value] of Object.entries(init.headers)) validateHeaderValue(name, value)
  return new Response(body, init)
}

function isSendable([name, value]: readonly [string, string]): boolean {
  try {
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}

function domainErrorOf(c: Context<FaceEnv>, thrown: unknown, face: string): DomainError {
  const error = isDomainError(thrown)
    ? withCappedFailures(thrown)
    : new DomainError('internal', 'Something went wrong on our side; the request id finds it in the log', {
        cause: thrown,
      })
  if (error.code === 'internal') logFailure(c, error, face)
  return error
}

/**
 * One line at level error, with the pattern of the path alone: a path may hold what lets somebody in. Called by whoever fails behind
 * `answerError`: when the status has left already.
 */
export function logFailure(c: Context<FaceEnv>, error: unknown, face: string): void {
  const fields = {
    err: isDomainError(error) ? (error.cause ?? error) : error,
    requestId: requestIdOf(c),
    face,
    organisation: c.get('principal')?.organisationId,
    method: c.req.method,
    route: routePath(c, -1),
  }
  contextOf(c).log?.error(fields, 'request failed')
}

/** Whoever collected them: no answer lists more than `maxFailures`. */
function withCappedFailures(error: DomainError): DomainError {
  const { failures = [] } = error.detail
  const listed = capped(failures)
  if (listed === failures) return error
  return new DomainError(error.code, error.message, { detail: { ...error.detail, failures: listed } })
}

// ---------------------------------------------------------------------------------------------------------------------
// Who asks

export type PresentedCredentials =
  | { readonly kind: 'basic'; readonly key: string; readonly secret: string }
  | { readonly kind: 'bearer'; readonly token: string }

const malformed =
  'The Authorization header is malformed; send `Basic` with base64 of key:secret, or `Bearer` with a token'

/** Reads an Authorization header. Undefined when absent; throws `unauthenticated` when malformed or of another scheme. */
export function parseAuthorization(header: string | undefined): PresentedCredentials | undefined {
  if (header === undefined || header === '') return undefined
  const space = header.indexOf(' ')
  const scheme = header.slice(0, Math.max(space, 0)).toLowerCase()
  const value = space < 0 ? '' : header.slice(space + 1).trim()
  if (scheme === 'bearer' && /^[\w.~+/-]+=*$/.test(value)) return { kind: 'bearer', token: value }
  if (scheme === 'basic' && /^[\w+/-]+={0,2}$/.test(value)) {
    const bytes = Buffer.from(value, 'base64')
    // RFC 7617 leaves the charset to us; old clients send ISO 8859-1.
    const pair = isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1')
    // At the first colon: a key holds none, a secret may (RFC 7617 section 2).
    const colon = pair.indexOf(':')
    if (colon >= 0) return { kind: 'basic', key: pair.slice(0, colon), secret: pair.slice(colon + 1) }
  }
  throw new DomainError('unauthenticated', malformed)
}

export const credentialsMissing = 'Credentials are missing: send an Authorization header'

/** Signs in by the Authorization header and remembers the principal for usage. `core.limits.admit` is still to be asked. */
export async function authenticate(
  c: Context<FaceEnv>,
  core: Core,
  options: {
    readonly within?: OrganisationId | undefined
    /** Where it stands in no header. */
    readonly authorization?: string | undefined
    /** Whom to ask about a key and secret that nobody here knows. */
    readonly elsewhere?: XapiPlace['elsewhere']
  } = {},
): Promise<Principal> {
  const presented = parseAuthorization(options.authorization ?? c.req.header('Authorization'))
  if (!presented) throw new DomainError('unauthenticated', credentialsMissing)
  const { within, elsewhere } = options
  const { address } = contextOf(c)
  const where = { within, address }
  if (presented.kind === 'bearer') return noteSignIn(c, await core.signIn.bearer({ token: presented.token, ...where }))
  const { key, secret } = presented
  const asked = elsewhere?.({ key, secret, address })
  // Without the header it is a client all the same, and another one than those that have it.
  const browser = c.req.header('User-Agent') ?? ''
  return noteSignIn(c, await core.signIn.basic({ key, secret, ...where, browser, elsewhere: asked }))
}

/** Remembers who it was for usage, metrics and the log. */
export function noteSignIn(c: Context<FaceEnv>, principal: Principal): Principal {
  c.set('principal', principal)
  const { noted } = contextOf(c)
  if (noted) noted.principal = principal
  return principal
}

export function addressOf(c: Context<FaceEnv>): { address?: string } {
  const { address } = contextOf(c)
  return address === undefined ? {} : { address }
}

/** Says from which address a request came: the peer's, or, if that is a trusted proxy, what X-Forwarded-For says. */
export function addressReader(
  trustedProxies: readonly string[],
): (peer: string | undefined, forwarded: string | undefined) => { address: string | undefined; isTrusted: boolean } {
  const trusted = trustedProxies.map((text) =>
    text.includes('/') ? ipaddr.parseCIDR(text) : ([ipaddr.process(text), undefined] as const),
  )
  const isTrusted = (text: string): boolean => {
    const address = ipaddr.process(text)
    return trusted.some(([range, bits]) => {
      if (range.kind() !== address.kind()) return false
      return address.match(range, bits ?? (range.kind() === 'ipv4' ? 32 : 128))
    })
  }
  // Peers come again and again; parsing each anew is most of what this costs.
  const peers = new Map<string, string | undefined>()
  const readPeer = (peer: string): string | undefined => {
    if (!peers.has(peer)) {
      if (peers.size >= 1000) peers.clear()
      peers.set(peer, readAddress(peer))
    }
    return peers.get(peer)
  }
  return (peer, forwarded) => {
    const address = peer === undefined ? undefined : readPeer(peer)
    if (address === undefined || trusted.length === 0 || !isTrusted(address)) return { address, isTrusted: false }
    // From the right: each hop was written by the one before it, so the first we do not trust is the client.
    let client = address
    for (const hop of (forwarded ?? '').split(',').toReversed()) {
      const next = readAddress(hop.trim())
      if (next === undefined) break
      client = next
      if (!isTrusted(next)) break
    }
    return { address: client, isTrusted: true }
  }
}

/** With brackets, zone and port. Longer texts are not worth trying patterns on. */
const longestAddress = 100

/** An address without port, brackets, zone or IPv4-in-IPv6 wrapping; undefined when it is none. */
function readAddress(text: string): string | undefined {
  if (text.length > longestAddress) return undefined
  if (/^\d+\.\d+\.\d+\.\d+$/.test(text)) return ipaddr.isValid(text) ? text : undefined
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined
}

/** A request id from outside counts only when a trusted proxy sent it; otherwise anybody could forge log lines. */
export function newRequestId(sent: string | undefined, isTrusted: boolean): string {
  return isTrusted && sent !== undefined && /^[\w.:-]{1,128}$/.test(sent) ? sent : randomUUID()
}

// ---------------------------------------------------------------------------------------------------------------------
// Bodies

/** The most bytes of a body; one of a limit that can be changed says so when it is reached. */
export type BodyLimit = number | SizeLimit

function mostOf(limit: BodyLimit): number {
  return typeof limit === 'number' ? limit : limit.most
}

/**
 * The body as text: at most `limit` (`too_large`), valid UTF-8 (`invalid`), a leading BOM dropped. `unavailable` when
 * the bodies of others fill the budget. Sign in first, or keep the limit small.
 */
export async function readText(c: Context<FaceEnv>, limit: BodyLimit, budget = bodyBudgetOf(c)): Promise<string> {
  return decode(await readBytes(c, limit, budget))
}

/** The body whole, whatever it is. Otherwise as `readText`. */
export async function readBytes(c: Context<FaceEnv>, limit: BodyLimit, budget = bodyBudgetOf(c)): Promise<Buffer> {
  refuseEncoding(c)
  const declared = Number(c.req.header('Content-Length') ?? 0) || 0
  if (declared > mostOf(limit)) throw tooLarge(limit)
  const body = new GrowingBody(limit, declared, budget)
  const incoming = incomingOf(c)
  const received = beginReceiving(c, body)
  try {
    const bytes = await (incoming ? readIncoming(incoming, body) : readStream(c.req.raw.body, body))
    contextOf(c).stay?.keepBody(bytes.length)
    return bytes
  } finally {
    received()
  }
}

/** Counts a body that begins to be read; call what it returns at its end. Throws `unavailable` when there are too many. */
export function beginReceiving(c: Context<FaceEnv>, arriving: Moving): () => void {
  return contextOf(c).stay?.load.receive(arriving) ?? (() => {})
}

/** Counts a large answer until the client has taken it. Throws `unavailable` when there are too many. */
export function holdAnswer(c: Context<FaceEnv>, bytes: number): void {
  contextOf(c).stay?.holdAnswer(bytes)
}

/** Throws 415 unless the body stands there as it is meant. */
export function refuseEncoding(c: Context<FaceEnv>): void {
  const encoding = c.req.header('Content-Encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpError(
      'unsupported',
      415,
      `Content-Encoding ${encoding.slice(0, 40)} is not offered; send the body as it is`,
    )
  }
}

/** As `readText`, of bytes that come out of a body: one part of several. */
export async function streamText(
  bytes: AsyncIterable<Uint8Array>,
  limit: BodyLimit,
  budget: ByteBudget,
): Promise<string> {
  return decode(await readStream(bytes, new GrowingBody(limit, 0, budget)))
}

/** Counts bytes that stay in memory after they were read, until they are given back. Throws `unavailable`. */
export function holdBytes(bytes: number, budget: ByteBudget): () => void {
  budget.take(bytes, bytes <= smallSize)
  return () => budget.give(bytes)
}

/** Node's own request, when the server and not a test delivers it. */
export function incomingOf(c: Context<FaceEnv>): IncomingMessage | undefined {
  return contextOf(c).incoming
}

/** As `readText`, of bytes that are there already. */
export async function textOf(bytes: Uint8Array, limit: BodyLimit): Promise<string> {
  if (bytes.byteLength > mostOf(limit)) throw tooLarge(limit)
  return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    const failure = { pointer: '', rule: 'claviger/utf-8', message: 'the body is not valid UTF-8' }
    throw invalid('The body is not valid UTF-8', [failure])
  }
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/**
 * The body as JSON, as strictly as a statement: a member name twice would mean what the caller cannot know. An absent body is
 * undefined. Whatever media type it claims: see `mediaTypeOf`. `mostTokens`: names and values.
 */
export async function readJson(c: Context<FaceEnv>, limit: BodyLimit, mostTokens?: number): Promise<unknown> {
  const text = await readText(c, limit)
  return text.trim() === '' ? undefined : parseJson(text, mostTokens)
}

export interface MediaType {
  /** `application/json`, lower case, without parameters; empty when there is no Content-Type. */
  readonly type: string
  /** No charset but UTF-8 is named. */
  readonly isUtf8: boolean
}

export function mediaTypeOf(c: Context<FaceEnv>): MediaType {
  return parseMediaType(c.req.header('Content-Type'))
}

export function parseMediaType(header = ''): MediaType {
  // What nearly every request sends needs no parsing.
  if (header === 'application/json') return { type: header, isUtf8: true }
  const [type = '', ...parameters] = header.split(';')
  const charset = parameters.map(charsetIn).find(Boolean)
  return { type: type.trim().toLowerCase(), isUtf8: charset === undefined || /^utf-?8$/i.test(charset) }
}

// Trimmed, not matched: a pattern with white space at several places tries every way to share it among them.
function charsetIn(parameter: string): string | undefined {
  const equals = parameter.indexOf('=')
  if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== 'charset') return undefined
  const value = parameter.slice(equals + 1).trim()
  return value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
}

export function tooLarge(limit: BodyLimit): DomainError {
  const message = `The body is larger than ${mostOf(limit)} bytes`
  return typeof limit === 'number' ? new DomainError('too_large', message) : beyond(limit, message)
}

/** Beyond so many, chunks are not smaller than this on average. */
const mostSmallChunks = 200_000
const smallChunk = 256

/** Counts the chunks of a body: their sizes are the sender's choice, and each costs, whatever it holds. */
export class ChunkCount {
  #chunks = 0
  #bytes = 0

  /** Throws `too_large`. */
  add(chunk: Uint8Array): void {
    this.#chunks += 1
    this.#bytes += chunk.byteLength
    if (this.#chunks <= mostSmallChunks || this.#bytes / this.#chunks >= smallChunk) return
    const message = `The body comes in more than ${mostSmallChunks} chunks; send larger ones`
    throw new DomainError('too_large', message, { detail: { decidedBy: 'limit chunks' } })
  }
}

/** Where no app stands in front, which has the process' own. */
const bodiesInTests = new ByteBudget(256 * 1024 * 1024)

/** What all bodies may take together, so that many at once, or slow ones, do not exhaust the memory. */
export function bodyBudgetOf(c: Context<FaceEnv>): ByteBudget {
  return contextOf(c).stay?.load.bodies ?? bodiesInTests
}

/**
 * A body as it arrives, in one buffer that doubles as it fills: chunks are the sender's choice, and to keep each of them
 * costs hundreds of bytes for a chunk of one.
 */
class GrowingBody implements Moving {
  readonly #limit: BodyLimit
  readonly #declared: number
  readonly #budget: ByteBudget
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  readonly #chunks = new ChunkCount()

  constructor(limit: BodyLimit, declared: number, budget: ByteBudget) {
    this.#limit = limit
    this.#declared = declared
    this.#budget = budget
  }

  get length(): number {
    return this.#length
  }

  /** Set by whoever reads. */
  abort: (error: Error) => void = () => {}

  /** Throws `too_large` or `unavailable`. */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.byteLength
    if (length > mostOf(this.#limit)) throw tooLarge(this.#limit)
    this.#chunks.add(chunk)
    if (this.#length === 0) {
      // Mostly the one there is: not copied unless another follows.
      this.#budget.take(length, length <= smallSize)
      this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, length)
    } else {
      if (length > this.#bytes.length) this.#grow(length)
      this.#bytes.set(chunk, this.#length)
    }
    this.#length = length
  }

  /** The whole, which is held no more. */
  finish(): Buffer {
    const whole = this.#bytes.subarray(0, this.#length)
    this.release()
    return whole
  }

  release(): void {
    this.#budget.give(this.#bytes.length)
    this.#bytes = this.#bytes.subarray(0, 0)
  }

  /** Only a small length is believed before it has come: to declare a large one costs a sender nothing. */
  #grow(least: number): void {
    const doubled = Math.max(least, this.#bytes.length * 2, Math.min(this.#declared, smallSize))
    const size = Math.min(doubled, Math.max(least, this.#declared || mostOf(this.#limit)))
    this.#budget.take(size - this.#bytes.length, size <= smallSize)
    const bytes = Buffer.allocUnsafe(size)
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}

// Reads Node's stream itself: neither a web stream nor a second Request is made for the one thing every write does.
function readIncoming(incoming: IncomingMessage, body: GrowingBody): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      incoming.off('data', onData).off('end', onEnd).off('error', onFailure).off('close', onFailure)
    }
    const refuse = (error: unknown): void => {
      stop()
      body.release()
      reject(error as Error)
    }
    const onData = (chunk: Buffer): void => {
      try {
        body.add(chunk)
      } catch (error) {
        refuse(error)
      }
    }
    body.abort = refuse
    const onEnd = (): void => {
      stop()
      resolve(body.finish())
    }
    const onFailure = (): void => refuse(invalid('The request ended before its body did'))
    if (incoming.readableEnded) return onEnd()
    if (incoming.destroyed) return onFailure()
    incoming.on('data', onData).on('end', onEnd).on('error', onFailure).on('close', onFailure)
  })
}

async function readStream(stream: AsyncIterable<Uint8Array> | null, body: GrowingBody): Promise<Buffer> {
  try {
    if (stream) for await (const chunk of stream) body.add(chunk)
    return body.finish()
  } catch (error) {
    body.release()
    throw error
  }
}
