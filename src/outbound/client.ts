// The one client for requests to places that a tenant names. Looks the name up, judges every address it leads to, and connects
// to none but those: what the name says a moment later does not matter. Knows nothing of what is asked or forwarded.

import { lookup, Resolver } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import { isIPv6 } from 'node:net'
import { Readable } from 'node:stream'
import { createSecureContext, rootCertificates } from 'node:tls'
import { isDomainError } from '../core/errors.ts'
import { Gate } from '../core/gate.ts'
import { OutboundError } from '../core/outbound.ts'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../core/outbound.ts'
import { failureOf } from './failure.ts'
import type { Phase } from './failure.ts'
import { OutboundPolicy } from './policy.ts'
import type { Exception, Target } from './policy.ts'

export interface OutboundOptions {
  /** What may be reached beside public addresses. */
  readonly exceptions?: readonly Exception[]
  /** PEM, beside the authorities that Node knows. */
  readonly ca?: string
  /** Addresses of a name; DNS unless given. `isNamed`: the operator's own. */
  readonly resolve?: Resolve
}

export type Resolve = (host: string, isNamed: boolean, signal: AbortSignal) => Promise<readonly string[]>

const atOnce = { atOnce: 256, waiting: 512, waitMs: 5000 }
/** To one host and port; further requests wait for a connection within their own time. */
const connectionsPerHost = 32
const longestHeaders = 16 * 1024
const agentOptions = { keepAlive: true, maxSockets: connectionsPerHost, maxFreeSockets: 4, timeout: 10_000 }

/** Headers that are this client's alone. */
const ownHeaders = new Set([
  ...['host', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'expect'],
  'accept-encoding',
])

export class OutboundClient implements Outbound {
  readonly #policy: OutboundPolicy
  readonly #resolve: Resolve
  readonly #gate = new Gate(atOnce, 'Too many outgoing requests are under way')
  readonly #plain = new http.Agent(agentOptions)
  readonly #secure: https.Agent

  constructor({ exceptions = [], ca, resolve = resolveName }: OutboundOptions = {}) {
    this.#policy = new OutboundPolicy(exceptions)
    this.#resolve = resolve
    // Made once: it takes milliseconds.
    const secureContext = createSecureContext(ca === undefined ? {} : { ca: [...rootCertificates, ca] })
    this.#secure = new https.Agent({ ...agentOptions, secureContext })
  }

  problemWith(url: string): string | undefined {
    const target = this.#policy.targetOf(url)
    return typeof target === 'string' ? target : undefined
  }

  async request(request: OutboundRequest): Promise<OutboundAnswer> {
    const target = this.#policy.targetOf(request.url)
    if (typeof target === 'string') throw new OutboundError('refused-address', `Nobody is asked: ${target}.`)
    const time = new AbortController()
    const timer = setTimeout(() => time.abort(), request.timeoutMs)
    const signals = request.signal === undefined ? [time.signal] : [time.signal, request.signal]
    const signal = AbortSignal.any(signals)
    try {
      return await this.#gate.pass(() => this.#exchange(request, target, signal))
    } catch (error) {
      if (error instanceof OutboundError && error.kind !== 'aborted') throw error
      if (isDomainError(error)) throw new OutboundError('busy', error.message)
      throw this.#ended(error, { request, target, isLate: time.signal.aborted })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Closes connections that wait for a next request. */
  close(): void {
    this.#plain.destroy()
    this.#secure.destroy()
  }

  async #exchange(request: OutboundRequest, target: Target, signal: AbortSignal): Promise<OutboundAnswer> {
    signal.throwIfAborted()
    const addresses = await this.#addressesOf(target, signal)
    try {
      return await this.#send(request, target, { addresses, signal })
    } catch (error) {
      // The other side closed a waiting connection just as it was used again (RFC 9112 section 9.3.1).
      if (!(error instanceof Stale) || request.method === 'POST' || isStream(request.body)) throw unwrapped(error)
      return await this.#send(request, target, { addresses, signal }).catch((again: unknown) => {
        throw unwrapped(again)
      })
    }
  }

  /** All of them, each judged: one that must not be reached says enough of the name (docs/decisions/0024). */
  async #addressesOf(target: Target, signal: AbortSignal): Promise<readonly string[]> {
    if (target.isAddress) return [target.host]
    const { host, isNamed } = target
    let addresses: readonly string[]
    try {
      addresses = await orAborted(this.#resolve(host, isNamed, signal), signal)
    } catch (error) {
      if (signal.aborted) throw error
      // The hosts file counts for the operator's own names only.
      const hint = isNamed ? '' : ' by DNS, and CLAVIGER_OUTBOUND_ALLOW does not list it'
      throw new OutboundError('dns', `The name ${host} was not found${hint} (${codeOf(error)}).`, { cause: error })
    }
    if (addresses.length === 0) throw new OutboundError('dns', `The name ${host} has no address.`)
    for (const address of addresses) {
      const problem = this.#policy.problemWith(target, address)
      if (problem === undefined) continue
      throw new OutboundError('refused-address', `Nobody is asked at ${host}: ${problem}.`)
    }
    return addresses
  }

  #send(
    { method, headers = {}, body, mostBytes }: OutboundRequest,
    target: Target,
    { addresses, signal }: { readonly addresses: readonly string[]; readonly signal: AbortSignal },
  ): Promise<OutboundAnswer> {
    const { url, host, port, isPlain, isAddress } = target
    const source = isStream(body) ? Readable.from(body) : undefined
    return new Promise<OutboundAnswer>((resolve, reject) => {
      let phase: Phase = 'connecting'
      let isAnswered = false
      const fail = (error: unknown): void => {
        sent.destroy()
        reject(error as Error)
      }
      const sent = (isPlain ? http : https).request({
        ...{ method, host, port, path: url.pathname + url.search, signal },
        ...{ agent: isPlain ? this.#plain : this.#secure, lookup: pinned(addresses), maxHeaderSize: longestHeaders },
        // An address has no name to be told to the server; the certificate is checked against the address.
        ...(!isPlain && { servername: isAddress ? '' : host }),
        setHost: false,
        headers: { 'User-Agent': 'Claviger', ...foreign(headers), ...lengthOf(body), ...identity(url) },
      })
      sent.on('socket', (socket) => {
        // One that was used before does neither again, and what listens would pile up on it.
        if (sent.reusedSocket) return void (phase = 'exchanging')
        socket.once('connect', () => (phase = isPlain ? 'exchanging' : 'securing'))
        socket.once('secureConnect', () => (phase = 'exchanging'))
      })
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        const failure = signal.aborted ? error : failureOf(error, phase, target)
        fail(isStale && !signal.aborted ? new Stale(failure) : failure)
      })
      // Neither answered nor failed, and nothing more will come: so Node ends what was answered with another protocol (101).
      sent.on('close', () => {
        if (!isAnswered)
          fail(new OutboundError('protocol', `${host} port ${port} answered with another protocol than HTTP.`))
      })
      sent.on('response', (incoming) => {
        isAnswered = true
        const answered = (answer: OutboundAnswer): void => {
          // An answer that came before all was sent: nobody wants the rest.
          if (!sent.writableFinished) sent.destroy()
          resolve(answer)
        }
        readAnswer(incoming, { mostBytes, target }).then(answered, (error: unknown) => {
          fail(error instanceof OutboundError || signal.aborted ? error : failureOf(error, phase, target))
        })
      })
      if (isStream(body)) source!.on('error', fail).pipe(sent)
      else sent.end(body)
    }).finally(() => source?.destroy())
  }

  #ended(
    error: unknown,
    { request, target, isLate }: { request: OutboundRequest; target: Target; isLate: boolean },
  ): OutboundError {
    if (isLate) {
      const seconds = request.timeoutMs / 1000
      return new OutboundError('timeout', `${target.host} did not answer within ${seconds} seconds.`, { cause: error })
    }
    if (request.signal?.aborted) return new OutboundError('aborted', 'The request was given up.', { cause: error })
    return failureOf(error, 'exchanging', target)
  }
}

/** A kept connection turned out to be closed. */
class Stale {
  readonly failure: unknown

  constructor(failure: unknown) {
    this.failure = failure
  }
}

function unwrapped(error: unknown): unknown {
  return error instanceof Stale ? error.failure : error
}

async function readAnswer(
  incoming: http.IncomingMessage,
  { mostBytes, target }: { readonly mostBytes: number; readonly target: Target },
): Promise<OutboundAnswer> {
  const { host } = target
  const encoding = incoming.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new OutboundError('protocol', `${host} answered compressed, which it was not asked to.`)
  }
  const tooLarge = () => new OutboundError('too-large', `${host} answered more than ${mostBytes} bytes.`)
  if (Number(incoming.headers['content-length'] ?? 0) > mostBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.byteLength
    if (length > mostBytes) throw tooLarge()
    chunks.push(chunk)
  }
  const headers = new Map<string, string>()
  for (const [name, values = []] of Object.entries(incoming.headersDistinct)) headers.set(name, values.join(', '))
  return { status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks) }
}

/** Answers with the addresses that were judged, whatever is asked. */
function pinned(addresses: readonly string[]): LookupFunction {
  const entries = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  return (_, options, callback) => {
    if (options.all) return callback(null, entries)
    const [first] = entries
    callback(null, first!.address, first!.family)
  }
}

function foreign(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name.toLowerCase())))
}

function identity({ host }: URL): Record<string, string> {
  return { Host: host, 'Accept-Encoding': 'identity' }
}

function lengthOf(body: OutboundRequest['body']): Record<string, string> {
  if (body === undefined || isStream(body)) return {}
  return { 'Content-Length': String(Buffer.byteLength(body)) }
}

function isStream(body: OutboundRequest['body']): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body
}

/** What takes no signal must not outlast it. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'no answer'
}

// A stranger's name goes to DNS alone, without the system's lookup: that would read this machine's hosts file, and run in one of
// the few threads that reading files needs, too. The operator's own names are what the system says they are.
async function resolveName(host: string, isNamed: boolean, signal: AbortSignal): Promise<readonly string[]> {
  if (isNamed) return (await lookup(host, { all: true })).map(({ address }) => address)
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  const giveUp = (): void => resolver.cancel()
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const found = [four, six].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (found.length === 0 && four.status === 'rejected') throw four.reason
    return found
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
