// Listening and stopping: http or https, timeouts, graceful drain. Knows nothing of what is served.

import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { App } from './app.ts'
import { atPort } from './config.ts'
import type { Config } from './config.ts'

export interface Listening {
  readonly app: App
  /** The configuration as it came true: the actual port, also when 0 was asked for. */
  readonly config: Config
  readonly port: number
  /** As bound: `http://127.0.0.1:8080`. */
  readonly url: string
  /** Stops accepting, waits at most `graceSeconds` for what is in flight, then closes the app. Idempotent. */
  stop(graceSeconds?: number): Promise<void>
}

/**
 * Binds the port, then opens the app with the configuration that names it: the base URL may depend on the port. Requests
 * that arrive in between wait. Rejects, with nothing left open, when either fails.
 */
export async function listen(config: Config, open: (config: Config) => Promise<App>): Promise<Listening> {
  let opened: (app: Promise<App>) => void = () => {}
  const opening = new Promise<App>((resolve) => {
    opened = resolve
  })
  let isStopping = false
  const answer = getRequestListener(
    async (request, delivery) => {
      const { app } = await opening
      return app.fetch(request, { incoming: delivery.incoming as IncomingMessage })
    },
    { errorHandler: refuse },
  )
  const server = newServer(config, (incoming, outgoing) => {
    // A connection that stays busy would otherwise keep a stopping server open.
    if (isStopping) outgoing.shouldKeepAlive = false
    void answer(incoming, outgoing)
  })
  await bind(server, config)
  const bound = atPort(config, (server.address() as AddressInfo).port)
  const attempt = open(bound)
  // Requests that waited learn of a failure, too; with none waiting, it is not an unhandled rejection.
  opened(attempt)
  opening.catch(() => {})
  const app = await attempt.catch(async (error: unknown) => {
    await close(server, 1)
    throw error
  })
  let stopping: Promise<void> | undefined
  const stop = (graceSeconds = 30): Promise<void> => {
    isStopping = true
    return (stopping ??= close(server, graceSeconds).then(() => app.close()))
  }
  return { app, config: bound, port: bound.port, url: urlOf(server, bound), stop }
}

function newServer(config: Config, answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Server {
  const options = {
    // Slow clients may take their time with a large body, not with headers.
    headersTimeout: 20_000,
    requestTimeout: 300_000,
    // Longer than the 60 s common load balancers keep a connection, so that they and not we close it.
    keepAliveTimeout: 65_000,
    noDelay: true,
  }
  return config.tls ? createSecureServer({ ...options, ...config.tls }, answer) : createServer(options, answer)
}

function bind(server: Server, config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: config.port, host: config.host }, () => {
      server.off('error', reject)
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
    headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' },
  })
}

function urlOf(server: Server, config: Config): string {
  const { address, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return `${config.tls ? 'https' : 'http'}://${host}:${config.port}`
}
