// Composition root: the only file that sees configuration, storage and faces together. Decides which face a path belongs
// to and hands it the request; everything after that is the face's.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import pino from 'pino'
import type { Config, DatabaseConfig } from './config.ts'
import { createCore, systemClock } from './core/core.ts'
import type { Core, Log } from './core/core.ts'
import { DomainError, invalid, isDomainError } from './core/errors.ts'
import { Gate } from './core/gate.ts'
import { noOutbound } from './core/outbound.ts'
import type { Outbound } from './core/outbound.ts'
import { ReadinessProbe } from './core/readiness.ts'
import type { RemoteLrsDoor } from './core/remote-lrs.ts'
import type { Sealed, Storage } from './core/storage.ts'
import type { Face, FaceEnv, Mount } from './faces/face.ts'
import { addressReader, newRequestId } from './faces/http.ts'
import type { Noted, Refusal, RequestContext } from './faces/http.ts'
import { Load } from './faces/load.ts'
import type { Stay } from './faces/load.ts'
import { answerOperations, answerStarting, answerUnclaimed, isPublic } from './faces/unclaimed.ts'
import type { Operations } from './faces/unclaimed.ts'
import { itslearning as itslearningFace } from './faces/itslearning/index.ts'
import { launch } from './faces/launch/index.ts'
import { learninglocker } from './faces/learninglocker/index.ts'
import { management } from './faces/management/index.ts'
import { scormcloudV1 } from './faces/scormcloud-v1/index.ts'
import { scormcloudV2 } from './faces/scormcloud-v2/index.ts'
import { callbackProtocol } from './faces/scormcloud-xapi/callback-protocol.ts'
import { scormcloudXapi } from './faces/scormcloud-xapi/index.ts'
import { watershed } from './faces/watershed/index.ts'
import { presentError } from './faces/xapi/errors.ts'
import { xapiFace } from './faces/xapi/index.ts'
import { OutboundClient } from './outbound/client.ts'
import { remoteLrsDoor } from './outbound/remote-lrs.ts'
import type { BucketOptions } from './storage/blobs/bucket.ts'
import { BlobDirectory } from './storage/blobs/directory.ts'
import type { BlobPlace } from './storage/blobs/place.ts'
import { refuseBackup } from './storage/copy/backup-directory.ts'
import type { Integrity, OnChecked } from './storage/integrity.ts'
import { openPostgres } from './storage/postgres/index.ts'
import { checkIntegrity as checkPostgres } from './storage/postgres/integrity.ts'
import { Metrics } from './metrics.ts'
import { ConnectionLog } from './connection-log.ts'
import { OverloadLog } from './overload-log.ts'
import { Pace } from './pace.ts'
import { openSqlite } from './storage/sqlite/index.ts'
import type { Threads } from './storage/sqlite/index.ts'
import { checkIntegrity as checkSqlite } from './storage/sqlite/integrity.ts'
import { findTraces } from './traces.ts'
import type { Traces } from './traces.ts'
import { readBoundsWithin, watchStorage } from './watched-storage.ts'

/** For who asks what a request would meet (`claviger ask`). */
export type { AskedRequest, Judgement } from './faces/face.ts'
/** For who registers platforms (`claviger platform`). */
export type { Face, PlatformProtocol, PlatformSetting } from './faces/face.ts'
/** For who looks at itslearning's launches, or signs one (`claviger launch`). */
export * as itslearning from './faces/itslearning/by-hand.ts'
/** For who touches a data directory before it is opened. */
export { refuseBackup } from './storage/copy/backup-directory.ts'
/** For who looks after the data directory (`claviger doctor`). */
export type { Integrity, OnChecked } from './storage/integrity.ts'

/** What delivers a request: Node's message from the server; from a test, if anything, the peer's address. */
export interface Delivery {
  readonly incoming?: IncomingMessage
  readonly outgoing?: ServerResponse
  readonly peer?: string
}

export interface HttpApp {
  fetch(request: Request, delivery?: Delivery): Promise<Response>
  /** For tests: a path or URL instead of a Request. */
  request(input: string, init?: RequestInit, delivery?: Delivery): Promise<Response>
}

export interface App {
  readonly app: HttpApp
  readonly core: Core
  readonly faces: readonly Face[]
  readonly log: Log
  /** For commands that ask others: through the same client, under the same policy. */
  readonly remote: Remote
  readonly operations?: AppOperations
  /** Finishes what was accepted, flushes usage, closes storage. Idempotent. */
  close(): Promise<void>
}

/** How others are asked. */
export interface Remote {
  readonly outbound: Outbound
  readonly lrs: RemoteLrsDoor
}

/** What a server does with an app beside handing it requests. */
export interface AppOperations {
  /** Health, readiness and metrics, for a port of their own. */
  fetch(request: Request): Promise<Response>
  /** From now on it is not ready: it will stop soon. */
  drain(): void
  /** Says how many connections there are, whenever somebody asks. */
  countConnections(count: () => number): void
}

/** What the caller brings along instead of what the configuration would open. */
export interface AppParts {
  readonly core?: Core
  readonly storage?: Storage
  readonly log?: Log
}

export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const log = parts.log ?? newLog(config)
  const metrics = config.metrics.listen || config.metrics.token ? new Metrics() : undefined
  const traces = findTraces()
  const readBounds = readBoundsWithin(config.load.requests, config.database?.connections)
  const reads = new Gate(readBounds, 'Too many reads are waiting for the storage')
  const load = new Load(config.load)
  const watch = (storage: Storage): Storage =>
    watchStorage(storage, {
      reads,
      demandRoom: () => load.demandAnswerRoom(),
      onCall: metrics && metrics.call.bind(metrics),
      trace: traces?.call,
    })
  const opened = parts.core
    ? { core: parts.core, storage: parts.storage, outbound: undefined }
    : await openCore(config, parts, { watch, log, metrics })
  const { core, storage, outbound } = opened
  const faces = enabledFaces(config)
  const readiness = new ReadinessProbe({
    checks: storage ? checksOf(storage) : {},
    onChange: ({ isReady, checks }) => log.warn({ ...checks }, isReady ? 'ready again' : 'not ready'),
  })
  const operations: Operations = { look: () => readiness.look(), metrics, token: config.metrics.token }
  let connections = (): number => 0
  metrics?.watch({
    load,
    reads: () => ({ waiting: reads.waiting, bound: reads.bounds.waiting }),
    ingest: () => core.statements.waiting,
    storage: () => storage?.load() ?? {},
    connections: () => connections(),
    forwarding: () => core.forwarding,
    isReady: async () => (await readiness.look()).isReady,
  })
  const logsRequests = config.logLevel === 'debug' || config.logLevel === 'trace'
  const { trustedProxies } = config
  const pace = new Pace({ perSecond: 1000, longestMs: 1000, most: config.load.connections / 2 })
  const app = routeFaces(core, faces, { trustedProxies, log, logsRequests, load, pace, metrics, traces, operations })
  let closing: Promise<void> | undefined
  return {
    ...{ app, core, faces, log },
    remote: remoteOver(outbound ?? noOutbound),
    operations: {
      fetch: async (request) =>
        (await answerOperations(request, getPath(request), operations)) ?? nothingHere(newRequestId(undefined, false)),
      drain: () => readiness.drain(),
      countConnections: (count) => void (connections = count),
    },
    close: () => (closing ??= core.close().finally(() => outbound?.close())),
  }
}

/** For what asks others and has no data of its own. */
export function openRemote(config: Pick<Config, 'outbound'>): Remote & { close(): void } {
  const outbound = new OutboundClient(config.outbound)
  return { ...remoteOver(outbound), close: () => outbound.close() }
}

function remoteOver(outbound: Outbound): Remote {
  return { outbound, lrs: remoteLrsDoor(outbound) }
}

/** What must answer before a request can be served. Migrations are done, or there were no storage. */
function checksOf(storage: Storage): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    storage: () => storage.platform.findKeyCheck(),
    blobs: () => storage.blobs.look(),
  }
}

/** For a server whose app is being opened: only what can be said without one. */
export function answerBeforeOpen(request: Request): Response | undefined {
  return answerStarting(request, getPath(request))
}

/** Every face the configuration enables; the one list that grows with a vendor. */
export function enabledFaces({
  faces,
  xapiDowngrade = 'as-stored',
}: Partial<Pick<Config, 'xapiDowngrade'>> & { readonly faces: Partial<Config['faces']> }): readonly Face[] {
  const vendors: readonly Face[] = [
    ...(faces.itslearning ? [itslearningFace] : []),
    ...(faces.learninglocker ? [learninglocker] : []),
    ...(faces.scormcloudV1 ? [scormcloudV1] : []),
    ...(faces.scormcloudV2 ? [scormcloudV2] : []),
    ...(faces.scormcloudV1 || faces.scormcloudV2 ? [scormcloudXapi] : []),
    ...(faces.watershed ? [watershed] : []),
  ]
  const mounts = vendors.flatMap((face) => face.xapiMounts ?? [])
  return [xapiFace(mounts, { downgrade: xapiDowngrade }), launch, management, ...vendors]
}

/** JSON lines on standard error, so that standard output stays the program's. */
export function newLog(config: Pick<Config, 'logLevel'>): Log {
  return pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }))
}

export interface StorageOptions {
  /** `inline` for commands, which end before a worker pays off; `writer` for those that import. */
  readonly threads: Threads
  /** The storage has broken for good: the process should end. */
  readonly onStorageFailure?: (cause: unknown) => void
  /** False: a PostgreSQL that is not set up for this version is refused. True unless given. */
  readonly mayMigrate?: boolean
  /** Throws when the store with this check value is sealed with another master key; then nothing was changed in it. */
  readonly checkKey?: (check: Sealed) => void
  readonly log?: Log
}

/** The storage the configuration names. */
export function openStorage(config: Config, options: StorageOptions): Promise<Storage> {
  const { threads, onStorageFailure, mayMigrate = true, checkKey } = options
  // Also where only files go there.
  refuseBackup(config.dataDirectory)
  if (config.database) return openDatabase(config, config.database, { mayMigrate, ...options })
  const onFailure = onStorageFailure && { onFailure: onStorageFailure }
  const inBucket = config.bucket && { openPlace: () => openPlace(config) }
  const directory = config.dataDirectory
  return openSqlite({ directory, threads, ...(checkKey && { checkKey }), ...inBucket, ...onFailure })
}

/** Where the settings say that bytes are kept. */
export async function openPlace(config: Config): Promise<BlobPlace> {
  const bucket = bucketOptions(config)
  // Loaded by who has a bucket only: it takes longer than the rest of a command.
  if (bucket !== undefined) return (await import('./storage/blobs/bucket.ts')).openBucket(bucket)
  const { dataDirectory, database } = config
  return new BlobDirectory({ path: join(dataDirectory, 'blobs'), clock: systemClock, isShared: database !== undefined })
}

function bucketOptions({ bucket, dataDirectory, database }: Config): BucketOptions | undefined {
  return bucket && { ...bucket, arrivals: join(dataDirectory, 'arriving'), isShared: database !== undefined }
}

function openDatabase(
  config: Config,
  { url, connections, statementTimeoutSeconds }: DatabaseConfig,
  { mayMigrate, checkKey, log }: Pick<StorageOptions, 'mayMigrate' | 'checkKey' | 'log'>,
): Promise<Storage> {
  const connectionLog = log && new ConnectionLog(log)
  return openPostgres({
    ...{ url, connections, statementTimeoutMs: statementTimeoutSeconds * 1000 },
    ...(mayMigrate !== undefined && { mayMigrate }),
    ...(checkKey && { checkKey }),
    onError: (error) => connectionLog?.lost(error),
    onFull: () => connectionLog?.full(),
    onRisk: (risk) => log?.warn({}, risk),
    onCutOff: (error) => connectionLog?.cutOff(error),
    onBack: () => connectionLog?.back(),
    openPlace: () => openPlace(config),
  })
}

/** What is wrong with the database, and with the files it refers to. Takes long on large ones, and holds nobody up. */
export async function checkStored(config: Config, onChecked?: OnChecked): Promise<Integrity> {
  if (config.database === undefined) return checkSqlite(config.dataDirectory, bucketOptions(config))
  const place = await openPlace(config)
  try {
    return await checkPostgres({ url: config.database.url, place, onChecked })
  } finally {
    place.close()
  }
}

interface Watching {
  readonly watch: (storage: Storage) => Storage
  readonly log: Log
  readonly metrics: Metrics | undefined
}

async function openCore(
  config: Config,
  { storage: given }: AppParts,
  { watch, log, metrics }: Watching,
): Promise<{ readonly core: Core; readonly storage: Storage; readonly outbound: OutboundClient }> {
  if (!config.masterKey) throw new Error('createApp needs a master key in the configuration, or an open core')
  const unwatched = given ?? (await openStorage(config, { threads: 'workers', log }))
  const storage = watch(unwatched)
  const outbound = new OutboundClient(config.outbound)
  try {
    const core = await createCore({
      storage,
      masterKey: config.masterKey,
      masterKeyPrevious: config.masterKeyPrevious,
      baseUrl: config.baseUrl,
      limits: {
        batch: config.maxBatch,
        bodyBytes: config.maxBodyBytes,
        documentBytes: config.maxDocumentBytes,
        attachmentBytes: config.maxAttachmentBytes,
        attachmentsBytes: config.maxUploadBytes,
        xapiRatePerMinute: config.rateLimitPerMinute,
      },
      log,
      outbound,
      remoteLrs: remoteLrsDoor(outbound),
      isForwarding: config.isForwarding,
      callbackProtocol,
      ...(metrics && { meter: metrics }),
    })
    return { core, storage, outbound }
  } catch (error) {
    if (!given) await unwatched.close()
    throw error
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Dispatch. Not Hono's: a sub-app mounted there loses its notFound, and a catch-all swallows what comes after it.

interface Prefix {
  readonly face: Face
  readonly mount: Mount
  readonly segments: readonly string[]
  readonly pattern: RegExp
}

interface Route extends Prefix {
  readonly app: Hono<FaceEnv>
  /** What a request is counted under that no route of the face takes. */
  readonly rest: string
}

interface RoutingOptions {
  readonly trustedProxies: readonly string[]
  readonly log: Log
  /** One line a request, at level debug. */
  readonly logsRequests?: boolean
  readonly load?: Load
  /** Of refusals that cost whoever is refused nothing. */
  readonly pace?: Pace
  readonly metrics?: Metrics | undefined
  readonly traces?: Traces | undefined
  readonly operations?: Operations
}

/** Why clients are refused who may come back as they were, and do. */
const comeBack: ReadonlySet<Refusal | undefined> = new Set<Refusal>(['overload', 'rate_limited', 'quota'])

/** Bounds that no test reaches. */
const unbounded = { requests: Infinity, bodyBytes: Infinity, answerBytes: Infinity }

/** A request on its way through. */
interface Passing extends RequestContext {
  readonly noted: Noted & { face: string; route: string }
}

/** One handler over exact prefixes. Throws when two faces claim overlapping ones, or one routes outside its own. */
export function routeFaces(core: Core, faces: readonly Face[], options: RoutingOptions): HttpApp {
  const { trustedProxies, log, load = new Load(unbounded), pace, metrics, traces, operations } = options
  const routes = faces.flatMap((face) => routesOf(core, face))
  refuseOverlaps(routes)
  const ordered = bySpecificity(routes)
  const readAddress = addressReader(trustedProxies)
  const overload = new OverloadLog(log, () => stateOf(load))

  const answer = async (
    request: Request,
    sentPath: string,
    context: Passing,
    delivery: Delivery,
  ): Promise<Response> => {
    const { requestId, noted } = context
    for (const route of ordered) {
      const match = route.pattern.exec(sentPath)
      if (!match) continue
      const path = tidyPath(route, match)
      noted.face = route.face.name
      noted.route = route.rest
      const entered = enter(load)
      try {
        return await route.app.fetch(request, { ...context, path, ...entered })
      } catch (error) {
        log.error({ err: error, requestId, method: request.method, path }, 'request failed outside its face')
        return plainAnswer(new DomainError('internal', 'Something went wrong on our side'), requestId)
      } finally {
        if (entered.stay) leave(entered.stay, delivery.outgoing)
      }
    }
    return answerUnclaimed(request, sentPath, { faces, operations }) ?? nothingHere(requestId)
  }

  const fetch = async (request: Request, delivery: Delivery = {}): Promise<Response> => {
    const { headers } = request
    const peer = delivery.peer ?? delivery.incoming?.socket.remoteAddress
    const forwarded = headers.get('X-Forwarded-For') ?? undefined
    const { address, isTrusted } = readAddress(peer, forwarded)
    if (forwarded !== undefined && !isTrusted) warnOfForwarded(peer)
    const requestId = newRequestId(isTrusted ? (headers.get('X-Request-Id') ?? undefined) : undefined, isTrusted)
    const refused = targetRefusal(delivery.incoming?.url ?? request.url)
    if (refused) return plainAnswer(refused, requestId)
    const noted = { face: 'none', route: 'none' }
    const context: Passing = { requestId, address, incoming: delivery.incoming, log, noted }
    const path = getPath(request)
    if (traces === undefined) return observed(request, path, context, delivery)
    let response: Response | undefined
    await traces.request({ method: request.method, headers, requestId }, async () => {
      response = await observed(request, path, context, delivery)
      return { status: response.status, ...noted }
    })
    return response!
  }

  let hasWarned = false
  const warnOfForwarded = (peer: string | undefined): void => {
    if (hasWarned) return
    hasWarned = true
    log.warn({ peer }, 'X-Forwarded-For is ignored: this peer is not among CLAVIGER_TRUSTED_PROXIES (said once)')
  }

  const observed = async (request: Request, path: string, context: Passing, delivery: Delivery): Promise<Response> => {
    const start = performance.now()
    const response = await answer(request, path, context, delivery)
    const { noted } = context
    if (noted.refusal === 'overload') overload.refused()
    if (comeBack.has(noted.refusal)) await pace?.turn()
    if (metrics || options.logsRequests) {
      const ms = performance.now() - start
      const { method } = request
      metrics?.request({ ...noted, method, status: response.status, seconds: ms / 1000 })
      if (options.logsRequests) logRequest({ method, path, status: response.status, ms }, context)
    }
    return response
  }

  /** Never the query, which may hold what is personal, nor any header. */
  const logRequest = (
    { method, path, status, ms }: { method: string; path: string; status: number; ms: number },
    { requestId, address, noted: { principal } }: Passing,
  ): void => {
    const who = principal && { organisation: principal.organisationId, credential: principal.credentialId }
    log.debug?.({ requestId, method, path, status, ms: Math.round(ms * 10) / 10, address, ...who }, 'request')
  }
  const request: HttpApp['request'] = (input, init, delivery) =>
    fetch(new Request(input.startsWith('/') ? `http://localhost${input}` : input, init), delivery)
  return { fetch, request }
}

/** Its place, or why there is none. A face refuses in its own words, before it reads anything. */
function enter(load: Load): { readonly stay?: Stay; readonly refused?: DomainError } {
  try {
    return { stay: load.enter() }
  } catch (error) {
    if (isDomainError(error)) return { refused: error }
    throw error
  }
}

/** What the client has yet to take is held on. */
function leave(stay: Stay, outgoing: ServerResponse | undefined): void {
  stay.leave()
  if (!stay.holdsAnswer) return
  if (outgoing === undefined || outgoing.destroyed) return stay.end()
  const delivered = stay.load.deliver({
    get length() {
      return takenOver(outgoing)
    },
    abort: () => void outgoing.destroy(),
  })
  outgoing.once('close', () => {
    delivered()
    stay.end()
  })
}

/** Bytes that the kernel has taken of what goes over its connection. Node keeps the number of those it has not, without a public name. */
function takenOver({ socket }: ServerResponse): number {
  const handle = (socket as { _handle?: { writeQueueSize?: number } | null } | null)?._handle
  return (socket?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0)
}

function stateOf({ requests, receiving, bodies, answers }: Load): object {
  return { requests, receiving, bodyBytes: bodies.held, answerBytes: answers.held }
}

function nothingHere(requestId: string): Response {
  return plainAnswer(new DomainError('not_found', 'There is nothing at this path'), requestId)
}

/** Parameters of one query. The one that has most, a GET of statements, has fifteen. */
const mostParameters = 100

// Where they are resolved differs between servers: in front of a proxy that lets only /xapi through, /xapi/../api must not
// be the other one. So none is resolved, neither plain nor encoded, and none reaches a face.
const dotSegment = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?=[/\\?#]|%2f|%5c|$)/i

/** Why no face gets to see the request. `target` is as the request line has it. */
function targetRefusal(target: string): DomainError | undefined {
  const question = target.indexOf('?')
  if (dotSegment.test(question < 0 ? target : target.slice(0, question))) {
    return refusalOf('dot-segments', 'A path with the segments . or .. is not accepted.')
  }
  if (question < 0 || target.slice(question).split('&', mostParameters + 1).length <= mostParameters) return undefined
  return refusalOf('too-many-parameters', `More than ${mostParameters} query parameters are not accepted.`)
}

function refusalOf(rule: string, message: string): DomainError {
  return invalid(message, [{ pointer: '', rule: `claviger/${rule}`, message }])
}

/** Which face a path belongs to, and the path as its routes see it: for who asks instead of requests. Throws `invalid`. */
export function locatePath(faces: readonly Face[], sent: string): { face: Face; path: string } | undefined {
  const refused = targetRefusal(sent)
  if (refused) throw refused
  const sentPath = getPath(new Request(`http://localhost${sent}`))
  for (const prefix of bySpecificity(faces.flatMap(prefixesOf))) {
    const match = prefix.pattern.exec(sentPath)
    if (match) return { face: prefix.face, path: tidyPath(prefix, match) }
  }
  return undefined
}

export { lrsAt, pathOfLrs } from './faces/places.ts'

/** Whether a path outside every face is answered all the same, to everybody. */
export function isAnsweredUnclaimed(method: string, path: string): boolean {
  return isPublic(method, path)
}

/** The longer prefix of one face is the more specific one. */
function bySpecificity<Item extends Prefix>(prefixes: readonly Item[]): Item[] {
  return prefixes.toSorted((one, other) => other.segments.length - one.segments.length)
}

function routesOf(core: Core, face: Face): Route[] {
  const app = face.routes(core)
  for (const { path } of app.routes) {
    const isOwn = path === '/*' || face.mounts.some((mount) => path === mount.path || path.startsWith(`${mount.path}/`))
    if (!isOwn) throw new Error(`face ${face.name} routes ${path}, which is outside its mounts`)
  }
  return prefixesOf(face).map((prefix) => ({ ...prefix, app, rest: `${prefix.mount.path}/*` }))
}

function prefixesOf(face: Face): Prefix[] {
  return face.mounts.map((mount) => {
    const segments = mount.path.split('/').slice(1)
    const slash = mount.toleratesSlashes ? '/+' : '/'
    const prefix = segments.map((segment) => slash + (segment.startsWith(':') ? '([^/]+)' : escapeForPattern(segment)))
    const rest = mount.isExact ? (mount.toleratesSlashes ? '/*' : '/?') : '(?:/.*)?'
    const pattern = new RegExp(`^${prefix.join('')}(${rest})$`, mount.toleratesCase ? 'is' : 's')
    return { face, mount, segments, pattern }
  })
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The path as routes expect it: the prefix as declared, slashes as tolerated, none at the end. */
function tidyPath({ mount, segments }: Prefix, match: RegExpExecArray): string {
  let parameter = 0
  const prefix = segments.map((segment) => (segment.startsWith(':') ? match[++parameter] : segment)).join('/')
  const rest = match.at(-1) ?? ''
  const tidied = mount.toleratesSlashes ? rest.replaceAll(/\/{2,}/g, '/') : rest
  return `/${prefix}${tidied.endsWith('/') ? tidied.slice(0, -1) : tidied}`
}

function refuseOverlaps(routes: readonly Prefix[]): void {
  for (const [index, one] of routes.entries()) {
    for (const other of routes.slice(index + 1)) {
      if (one.face !== other.face && !isBehind(one, other) && !isBehind(other, one) && doOverlap(one, other)) {
        throw new Error(
          `faces ${one.face.name} and ${other.face.name} both claim ${one.mount.path} and ${other.mount.path}`,
        )
      }
    }
  }
}

/** A fallback comes after every longer prefix, so those may lie inside it. */
function isBehind(one: Prefix, other: Prefix): boolean {
  return one.mount.isFallback === true && one.segments.length < other.segments.length
}

/** True when one prefix matches the beginning of the other, and has what lies below it. */
function doOverlap(one: Prefix, other: Prefix): boolean {
  const [shorter, longer] = one.segments.length < other.segments.length ? [one, other] : [other, one]
  if (shorter.mount.isExact && shorter.segments.length < longer.segments.length) return false
  const length = Math.min(one.segments.length, other.segments.length)
  const ignoresCase = one.mount.toleratesCase || other.mount.toleratesCase
  const pairs = one.segments.slice(0, length).map((segment, index) => [segment, other.segments[index]!] as const)
  return pairs.every(([left, right]) => {
    if (left.startsWith(':') || right.startsWith(':')) return true
    return ignoresCase ? left.toLowerCase() === right.toLowerCase() : left === right
  })
}

function plainAnswer(error: DomainError, requestId: string): Response {
  const { status, body } = presentError(error, { requestId })
  const headers = { 'Content-Type': 'application/json', 'X-Request-Id': requestId, 'X-Content-Type-Options': 'nosniff' }
  return new Response(JSON.stringify(body), { status, headers })
}
