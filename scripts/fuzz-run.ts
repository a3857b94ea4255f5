// Sends malformed requests to a started program and collects what must not happen: an answer of class 5xx, a lost
// connection, a success where a rule was broken, anything stored.

import http from 'node:http'
import net from 'node:net'
import { baseline, type FuzzCase, malformedCase, perhapsValidCase } from './fuzz-requests.ts'

/** The program under fire. It must trust 127.0.0.1 as a proxy, or failed sign-ins lock out everything else. */
export interface Target {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface FuzzOptions {
  readonly seed: number
  readonly from: number
  /** Exclusive. */
  readonly to: number
  readonly connections: number
  /** Requests that may be valid, sent after the malformed ones. */
  readonly perhapsValid: number
  /** Called after every thousand, and when all malformed ones were sent. */
  readonly tell?: (done: number) => void | Promise<void>
}

export interface FuzzReport {
  readonly requests: number
  /** Answers by status, over all families. */
  readonly statuses: Readonly<Record<string, number>>
  /** The same by family. */
  readonly families: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly problems: readonly string[]
}

const answerTimeoutMs = 30_000
const ignore = (): void => undefined

export async function runFuzz(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const problems: string[] = []
  const families: Record<string, Record<string, number>> = {}
  const agent = new http.Agent({ keepAlive: true, maxSockets: options.connections })
  const attempt = async (request: FuzzCase, number: number): Promise<void> => {
    const outcome = await send(target, agent, request)
    const counts = (families[request.name] ??= {})
    counts[outcome] = (counts[outcome] ?? 0) + 1
    const problem = problemOf(request, outcome)
    if (problem !== undefined) problems.push(`${request.name} ${number}: ${problem} (${summary(request)})`)
  }

  await storeBaseline(target)
  const before = await inventory(target)
  let next = options.from
  const lane = async (): Promise<void> => {
    while (next < options.to) {
      const number = next++
      if (number % 1000 === 0) await options.tell?.(number - options.from)
      await attempt(malformedCase(options.seed, number), number)
    }
  }
  await Promise.all(Array.from({ length: options.connections }, lane))
  await options.tell?.(options.to - options.from)
  const after = await inventory(target)
  if (after !== before) problems.push(`something was stored: ${before} before, ${after} after`)

  for (let number = 0; number < options.perhapsValid; number++) {
    await attempt(perhapsValidCase(options.seed, number), number)
  }
  if (options.perhapsValid > 0) await inventory(target)
  agent.destroy()

  const statuses: Record<string, number> = {}
  for (const counts of Object.values(families))
    for (const [outcome, count] of Object.entries(counts)) statuses[outcome] = (statuses[outcome] ?? 0) + count
  const requests = options.to - options.from + options.perhapsValid
  return { requests, statuses, families, problems }
}

function problemOf(request: FuzzCase, outcome: string): string | undefined {
  const status = Number(outcome)
  if (Number.isNaN(status)) return request.mayHangUp === true && outcome !== 'no answer' ? undefined : outcome
  if (status >= 500) return `answered ${status}`
  if (request.mustRefuse && status < 400) return `accepted with ${status}`
  return undefined
}

function summary({ method, path, headers, body }: FuzzCase): string {
  const text = JSON.stringify(body?.toString('utf8') ?? '').slice(0, 300)
  return `${method} ${path.slice(0, 120)} ${JSON.stringify(headers).slice(0, 200)} ${text}`
}

/** The status, or in words why there is none. */
function send(target: Target, agent: http.Agent, request: FuzzCase): Promise<string> {
  return request.raw === undefined ? sendRequest(target, agent, request) : sendRaw(target, request.raw)
}

function sendRequest(target: Target, agent: http.Agent, request: FuzzCase, isRetry = false): Promise<string> {
  const { method, path, headers, body } = request
  const defaults = { ...target.headers, 'content-type': 'application/json' }
  const all = Object.entries({ ...defaults, ...headers }).filter(
    (header): header is [string, string] => header[1] !== null,
  )
  const { hostname, port } = new URL(target.url)
  const content = Buffer.from(body ?? '')
  const withLength = { ...Object.fromEntries(all), 'content-length': String(content.length) }
  return new Promise((resolve) => {
    const sent = http.request(
      { hostname, port, method, path, headers: withLength, agent, timeout: answerTimeoutMs },
      (response) => {
        response.resume()
        response.once('end', () => resolve(String(response.statusCode)))
        response.on('error', () => resolve('answer cut off'))
      },
    )
    sent.once('timeout', () => {
      resolve('no answer')
      sent.destroy()
    })
    sent.once('socket', (socket) => {
      // A socket that fails after its answer came, or idle in the pool, is of no interest and must not end the run.
      if (socket.listenerCount('error', ignore) === 0) socket.on('error', ignore)
    })
    sent.on('error', (error) => {
      // A kept connection that the server closed after an earlier request: any client sends again.
      if (sent.reusedSocket && !isRetry) resolve(sendRequest(target, agent, request, true))
      else resolve(`hung up: ${(error as NodeJS.ErrnoException).code ?? error.message}`)
    })
    sent.end(content)
  })
}

/** Bytes on a connection of its own; half closed, so that a server waiting for more learns that none will come. */
function sendRaw(target: Target, raw: Buffer): Promise<string> {
  const { hostname, port } = new URL(target.url)
  const bytes = Buffer.from(
    raw.toString('latin1').replace('@@AUTHORIZATION@@', target.headers['authorization'] ?? ''),
    'latin1',
  )
  return new Promise((resolve) => {
    let answer = ''
    const socket = net.connect({ host: hostname, port: Number(port) }, () => socket.end(bytes))
    const done = (): void => {
      socket.destroy()
      resolve(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'hung up')
    }
    socket.setTimeout(3000, done)
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (/^HTTP\/1\.1 [2-5]\d\d[\s\S]*\r\n\r\n/.test(answer)) done()
    })
    socket.once('close', done)
    socket.on('error', done)
  })
}

async function storeBaseline(target: Target): Promise<void> {
  const headers = { ...target.headers, 'content-type': 'application/json' }
  const response = await fetch(`${target.url}/xapi/statements`, { method: 'POST', headers, body: baseline() })
  if (response.status !== 200) throw new Error(`baseline: ${response.status} ${await response.text()}`)
}

/** What is stored: ids of all statements, in order, and how many credentials there are. */
async function inventory(target: Target): Promise<string> {
  const ids: string[] = []
  let next = '/xapi/statements?limit=0&ascending=true'
  while (next !== '') {
    const response = await fetch(new URL(next, target.url), { headers: target.headers })
    if (response.status !== 200) throw new Error(`list: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as { statements: { id: string }[]; more?: string }
    ids.push(...page.statements.map(({ id }) => id))
    next = page.more ?? ''
  }
  const url = `${target.url}/api/organizations/1/activity-providers?_limit=1`
  const credentials = (await (await fetch(url, { headers: target.headers })).json()) as { count: number }
  return `statements ${ids.length <= 10 ? ids.join(' ') : ids.length}, ${credentials.count} credentials`
}
