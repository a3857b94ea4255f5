// Listening and stopping: http or https, timeouts, bounds of connections, graceful drain. Knows nothing of what is served.

import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { answerBeforeOpen } from './app.ts'
import type { App } from './app.ts'
import { atPort } from './config.ts'
import type { Config } from './config.ts'
import { SlowClients } from './slow-clients.ts'

/** What is served; whoever opened it may have more of it. */
export type Served = Omit<App, 'remote'>

export interface Listening<Opened extends Served = Served> {
  readonly app: Opened
  /** The configuration as it came true: the actual port, also when 0 was asked for. */
  readonly config: Config
  readonly port: number
  /** As bound: `http://127.0.0.1:8080`. */
  readonly url: string
  /** Where metrics are read, if on a port of their own. */
  readonly metricsUrl?: string
  /** Says to load balancers that it is about to stop; goes on as before. */
  drain(): void
  /** Stops accepting, waits at most `graceSeconds` for what is in flight, then closes the app. Idempotent. */
  stop(graceSeconds?: number): Promise<void>
}

/** One of the ports cannot be listened on; `cause` says why. */
export class ListenError extends Error {
  readonly where: { readonly port: number; readonly host: string }
  /** What the names of the settings begin with that say where. */
  readonly settings: 'CLAVIGER' | 'CLAVIGER_METRICS'

  constructor(cause: Error, where: ListenError['where'], settings: ListenError['settings']) {
    super(cause.message, { cause })
    this.where = where
    this.settings = settings
  }
}

/**
 * Binds the ports, then opens the app with the configuration that names it: the base URL may depend on the port. Requests
 * that arrive in between wait, as many as may be under way. Rejects, with nothing left open, when either fails.
 */
export async function listen<Opened extends Served>(
  config: Config,
  open: (config: Config) => Promise<Opened>,
): Promise<Listening<Opened>> {
  let opened: (app: Promise<Opened>) => void = () => {}
  const opening = new Promise<Opened>((resolve) => {
    opened = resolve
  })
  let isOpen = false
  let waiting = 0
  const onceOpen = async (): Promise<Opened> => {
    if (isOpen) return opening
    if (waiting >= config.load.requests) throw new Error('too many wait for the start')
    waiting += 1
    return opening.finally(() => (waiting -= 1))
  }
  const answer = getRequestListener(
    async (request, delivery) => {
      const early = isOpen ? undefined : answerBeforeOpen(request)
      if (early) return early
      const { app } = await onceOpen()
      const { incoming, outgoing } = delivery
      return app.fetch(request, { incoming: incoming as IncomingMessage, outgoing: outgoing as ServerResponse })
    },
    { errorHandler: refuse, autoCleanupIncoming: false },
  )
  const answerOperations = getRequestListener(
    async (request) => (isOpen ? undefined : answerBeforeOpen(request)) ?? operate(await opening, request),
    { errorHandler: refuse },
  )
  const slow = new SlowClients({ leastRate: config.load.leastRate })
  let isStopping = false
  const server = newServer(config, (incoming, outgoing) => {
    // A connection that stays busy would otherwise keep a stopping server open; near the bound, idle ones make room for others.
    if (isStopping || connectionsOf(server) > config.load.connections * 0.9) outgoing.shouldKeepAlive = false
    slow.watch(incoming, outgoing)
    if (incoming.method !== 'GET') outgoing.once('finish', () => takeTheRest(incoming))
    void answer(incoming, outgoing)
  })
  await bind(server, config, 'CLAVIGER')
  const beside =
    config.metrics.listen && createServer((incoming, outgoing) => void answerOperations(incoming, outgoing))
  const closeAll = async (graceSeconds: number): Promise<void> => {
    slow.close()
    await close(server, graceSeconds)
    // Until the very end it says that the process lives.
    if (beside?.listening) await close(beside, 1)
  }
  const bound = atPort(config, (server.address() as AddressInfo).port)
  const attempt = Promise.resolve(beside && bind(beside, config.metrics.listen!, 'CLAVIGER_METRICS')).then(() =>
    open(bound),
  )
  // Requests that waited learn of a failure, too; with none waiting, it is not an unhandled rejection.
  opened(attempt)
  opening.catch(() => {})
  const app = await attempt.catch(async (error: unknown) => {
    await closeAll(1)
    throw error
  })
  isOpen = true
  app.operations?.countConnections(() => connectionsOf(server))
  let stopping: Promise<void> | undefined
  const stop = (graceSeconds = 30): Promise<void> => {
    isStopping = true
    return (stopping ??= closeAll(graceSeconds).then(() => app.close()))
  }
  return {
    ...{ app, config: bound, port: bound.port, url: urlOf(server, bound), stop },
    ...(beside && { metricsUrl: `${urlOf(beside, { port: (beside.address() as AddressInfo).port })}/metrics` }),
    drain: () => app.operations?.drain(),
  }
}

/** Rests of refused bodies up to this are taken, so that the connection goes on; of longer ones as much as comes in a while. */
const smallRest = 1024 * 1024
const restMs = 5_000

/**
 * Of a body that nobody read to its end. To close at once would reset the connection, and the client might never see why. The
 * library's own way closes after half a second, which is no time for a process that is overloaded.
 */
function takeTheRest(incoming: IncomingMessage): void {
  if (incoming.complete) return
  incoming.resume()
  if (Number(incoming.headers['content-length'] ?? Infinity) <= smallRest) return
  setTimeout(() => {
    if (!incoming.complete) incoming.socket.destroySoon()
  }, restMs).unref()
}

async function operate({ operations }: Served, request: Request): Promise<Response> {
  return (await operations?.fetch(request)) ?? new Response(null, { status: 404 })
}

/** Node counts them for `maxConnections`; asking for the number in the documented way takes a turn of the event loop. */
function connectionsOf(server: Server): number {
  return (server as Server & { readonly _connections: number })._connections
}

function newServer(config: Config, answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Server {
  const options = {
    // Slow clients may take their time with a large body, not with headers.
    headersTimeout: Math.min(20_000, config.load.requestTimeoutSeconds * 1000),
    requestTimeout: config.load.requestTimeoutSeconds * 1000,
    connectionsCheckingInterval: 5_000,
    // Longer than the 60 s common load balancers keep a connection, so that they and not we close it.
    keepAliveTimeout: 65_000,
    noDelay: true,
  }
  const server = config.tls ? createSecureServer({ ...options, ...config.tls }, answer) : createServer(options, answer)
  server.maxConnections = config.load.connections
  // Nothing moves at all, in neither direction: no request takes so long to answer.
  server.timeout = 120_000
  return server
}

function bind(server: Server, { port, host }: ListenError['where'], settings: ListenError['settings']): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new ListenError(error, { port, host }, settings))
    server.once('error', fail)
    // Who finds no room in this queue waits for seconds, and for ever more seconds, before the kernel tries again.
    server.listen({ port, host, backlog: 4096 }, () => {
      server.off('error', fail)
      resolve()
    })
  })
}

async function close(server: Server, graceSeconds: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // `close` ends connections that are idle now; those that become idle later are ended here.
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  const cut = setTimeout(() => server.closeAllConnections(), graceSeconds * 1000)
  await closed
  clearInterval(sweep)
  clearTimeout(cut)
}

/** What never became a request (a Host header that is none, a path with a backslash) or broke outside every face. */
function refuse(error: unknown): Response {
  const isTheirs = error instanceof Error && error.name === 'RequestError'
  const body = isTheirs
    ? { code: 'invalid', message: error.message, failures: [] }
    : { code: 'unavailable', message: 'The server is not ready', failures: [] }
  return new Response(JSON.stringify(body), {
    status: isTheirs ? 400 : 503,
    headers: {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      ...(!isTheirs && { 'Retry-After': '5' }),
    },
  })
}

function urlOf(server: Server, config: Pick<Config, 'port' | 'tls'>): string {
  const { address, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return `${config.tls ? 'https' : 'http'}://${host}:${config.port}`
}
