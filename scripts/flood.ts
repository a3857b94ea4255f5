// A flood of requests over bare connections: each sends its next request as soon as the last is answered. Costs far less than the
// server spends on a refusal, so that on a machine they share it is the server that is measured. Knows HTTP only as far as it is needed.

import { connect } from 'node:net'
import type { Socket } from 'node:net'

export interface FloodRequest {
  readonly kind: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

export interface FloodAnswer {
  readonly kind: string
  readonly status: number
  readonly ms: number
  readonly hasRetryAfter: boolean
  /** Only of accepted POSTs. */
  readonly body: string
}

export interface FloodOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** In turn; every connection begins with another. */
  readonly requests: readonly FloodRequest[]
  readonly connections: number
  /** How many are opened in a second. */
  readonly openedPerSecond?: number
  readonly onAnswer: (answer: FloodAnswer) => void
}

/** Requests that got no answer, by what happened to them. */
export interface Unanswered {
  /** The connection was not made. */
  refused: number
  /** It ended under a request that had been sent. */
  broken: number
  /** Nothing came for a minute, or by the end. */
  hanging: number
}

export interface Flood {
  readonly unanswered: Unanswered
  /** The longest a connection waited for its first answer, which the kernel has it do until the server takes it. */
  readonly slowestFirstMs: () => number
  /** Sends nothing new; resolves when everything has its answer, or half a minute later. */
  end(): Promise<void>
}

const hangingMs = 60_000
const lastMs = 30_000

interface Prepared {
  readonly kind: string
  readonly isPost: boolean
  readonly bytes: Buffer
}

export function startFlood(options: FloodOptions): Flood {
  const { url, headers, connections, openedPerSecond = 500, onAnswer } = options
  const { port, hostname, host } = new URL(url)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const prepared = options.requests.map((request) => prepare(request, lines.join('')))
  const unanswered: Unanswered = { refused: 0, broken: 0, hanging: 0 }
  const clients = new Set<Client>()
  let slowestFirstMs = 0
  let turn = 0
  let isOver = false
  let ended: (() => void) | undefined

  const open = (): void => {
    if (isOver) return
    const socket = connect({ port: Number(port), host: hostname, noDelay: true })
    const next = (): Prepared | undefined => (isOver ? undefined : prepared[turn++ % prepared.length])
    const client = new Client(socket, next, (answer, isFirst) => {
      if (isFirst) slowestFirstMs = Math.max(slowestFirstMs, answer.ms)
      onAnswer(answer)
    })
    clients.add(client)
    socket.once('connect', () => client.send())
    socket.on('error', () => {})
    socket.once('close', () => {
      clients.delete(client)
      if (client.isConnecting) unanswered.refused += 1
      else if (client.isHanging) unanswered.hanging += 1
      else if (client.isWaiting) unanswered.broken += 1
      if (isOver && clients.size === 0) ended?.()
      setTimeout(open, client.isConnecting ? 1_000 : 0)
    })
  }
  let opened = 0
  const opening = setInterval(() => {
    for (const until = opened + Math.ceil(openedPerSecond / 20); opened < Math.min(until, connections); opened++) open()
    if (opened >= connections) clearInterval(opening)
  }, 50)
  const looking = setInterval(() => {
    for (const client of clients) client.look(hangingMs)
  }, 1_000)
  const end = async (): Promise<void> => {
    isOver = true
    clearInterval(opening)
    const over = new Promise<void>((resolve) => (ended = resolve))
    for (const client of clients) client.closeIfIdle()
    const cut = setTimeout(() => {
      for (const client of clients) client.look(0)
    }, lastMs)
    if (clients.size > 0) await over
    clearTimeout(cut)
    clearInterval(looking)
  }
  return { unanswered, slowestFirstMs: () => slowestFirstMs, end }
}

function prepare({ kind, method, path, body }: FloodRequest, lines: string): Prepared {
  const bytes = Buffer.from(body ?? '')
  const length = method === 'POST' ? `content-type: application/json\r\ncontent-length: ${bytes.length}\r\n` : ''
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines}${length}\r\n`)
  return { kind, isPost: method === 'POST', bytes: Buffer.concat([head, bytes]) }
}

const headEnd = Buffer.from('\r\n\r\n')

type OnAnswer = (answer: FloodAnswer, isFirst: boolean) => void

class Client {
  readonly #socket: Socket
  readonly #next: () => Prepared | undefined
  readonly #onAnswer: OnAnswer
  #sent: { readonly kind: string; readonly isPost: boolean; readonly at: number } | undefined
  #answers = 0
  #head: Buffer = Buffer.alloc(0)
  #body: Buffer[] = []
  /** Of the body that is arriving; undefined while there is no whole head. */
  #missing: number | undefined
  #status = 0
  #hasRetryAfter = false
  #isLast = false
  isHanging = false

  constructor(socket: Socket, next: () => Prepared | undefined, onAnswer: OnAnswer) {
    this.#socket = socket
    this.#next = next
    this.#onAnswer = onAnswer
    socket.on('data', (chunk) => this.#take(chunk))
  }

  get isConnecting(): boolean {
    return this.#sent === undefined && this.#answers === 0
  }

  get isWaiting(): boolean {
    return this.#sent !== undefined
  }

  send(): void {
    const request = this.#next()
    if (request === undefined) return void this.#socket.end()
    this.#sent = { kind: request.kind, isPost: request.isPost, at: performance.now() }
    this.#socket.write(request.bytes)
  }

  look(mostMs: number): void {
    if (this.#sent === undefined || performance.now() - this.#sent.at < mostMs) return
    this.isHanging = true
    this.#socket.destroy()
  }

  closeIfIdle(): void {
    if (this.#sent === undefined) this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    if (this.#missing === undefined) {
      this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk])
      const end = this.#head.indexOf(headEnd)
      if (end < 0) return
      const rest = this.#head.subarray(end + headEnd.length)
      this.#readHead(this.#head.toString('latin1', 0, end))
      this.#head = Buffer.alloc(0)
      return this.#takeBody(rest)
    }
    this.#takeBody(chunk)
  }

  #readHead(head: string): void {
    this.#status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    if (length === undefined && this.#status !== 204) throw new Error(`an answer without a length:\n${head}`)
    this.#missing = Number(length ?? 0)
    this.#hasRetryAfter = /\r\nretry-after: *\d/i.test(head)
    this.#isLast = /\r\nconnection: *close/i.test(head)
  }

  #takeBody(bytes: Buffer): void {
    const isKept = this.#sent?.isPost && this.#status === 200
    if (isKept && bytes.length > 0) this.#body.push(bytes)
    this.#missing = (this.#missing ?? 0) - bytes.length
    if (this.#missing > 0) return
    const { kind = '', at = 0 } = this.#sent ?? {}
    const body = isKept ? Buffer.concat(this.#body).toString() : ''
    this.#sent = undefined
    this.#missing = undefined
    this.#body = []
    this.#answers += 1
    const answer = { kind, status: this.#status, ms: performance.now() - at, hasRetryAfter: this.#hasRetryAfter, body }
    this.#onAnswer(answer, this.#answers === 1)
    if (this.#isLast) this.#socket.end()
    else this.send()
  }
}
