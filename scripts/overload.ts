// Ten times as many requests at once as are let in, for minutes, with clients beside them that send or take too slowly, against a
// started program: `npm run build && tsx scripts/overload.ts [--minutes 10] [--engine sqlite|postgres]`. Says whether memory and the
// latency of what was accepted stayed bounded, whether everything else was 429 or 503, and whether every acknowledged statement is there.

import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import type { Request as LoadRequest } from 'autocannon'
import { openStorage } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import type { LrsId } from '../src/core/ids.ts'
import { createDatabase, startPostgres } from '../test/support/postgres.ts'
import { temporaryDirectory } from '../test/support/program.ts'
import { startProgram } from './started-program.ts'
import type { StartedProgram } from './started-program.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    engine: { type: 'string', default: 'sqlite' },
    /** Requests that the server lets in at once. */
    requests: { type: 'string', default: '200' },
  },
})
const minutes = Number(values.minutes)
const letIn = Number(values.requests)
const connections = letIn * 10
const slowEach = 50
const bounds = { residentMiB: 1200, p99Ms: 5_000 }

const database = values.engine === 'postgres' ? await openDatabase() : undefined
const dataDirectory = temporaryDirectory()
const env: Record<string, string> = {
  CLAVIGER_MAX_REQUESTS: String(letIn),
  CLAVIGER_MAX_ANSWERS: '64m',
  CLAVIGER_MAX_BODIES: '64m',
  CLAVIGER_METRICS_PORT: '0',
  ...(database && { CLAVIGER_DATABASE_URL: database.url, CLAVIGER_MASTER_KEY: randomBytes(32).toString('hex') }),
}
const program = await startProgram({ dataDirectory, env })
const metricsUrl = /^ *metrics +(\S+)$/m.exec(program.output().stdout)?.[1] ?? ''
console.log(`${values.engine}, ${letIn} let in, ${connections} connections, ${minutes} minutes`)

const acknowledged: string[] = []
const accepted: number[] = []
const statuses = new Map<number, number>()
const resident: number[] = []

await fill(program)
const before = await program.residentMiB()
const slow = slowClients(program)
const sampling = setInterval(() => void sample(), 1000)
const run = autocannon({
  url: program.url,
  connections,
  duration: minutes * 60,
  timeout: 60,
  headers: { ...program.headers, 'content-type': 'application/json' },
  requests: [
    ...Array.from({ length: 6 }, () => post(1)),
    post(50),
    get('verb=http://example.com/did&limit=10'),
    get('verb=http://example.com/did&limit=500'),
    get('agent=%7B%22mbox%22%3A%22mailto%3Awho%40example.com%22%7D&verb=http://example.com/did&limit=50'),
  ],
})
run.on('response', (_client, status, _bytes, milliseconds) => {
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  if (status < 300) accepted.push(milliseconds)
})
const result = await run
clearInterval(sampling)
slow.close()
await wait(3_000)
const after = await fetch(metricsUrl).then((answer) => answer.text())
const alive = await fetch(`${program.url}/readyz`).then(({ status }) => status)
program.process.kill('SIGTERM')
await new Promise((resolve) => program.process.once('close', resolve))
const missing = await countMissing()
await database?.close()
report()

// ---------------------------------------------------------------------------------------------------------------------

function statement(verb = 'did', text = 'x'.repeat(200)): string {
  const object = { id: `http://example.com/activity/${text.length}`, definition: { description: { en: text } } }
  return JSON.stringify({
    actor: { mbox: 'mailto:who@example.com' },
    verb: { id: `http://example.com/${verb}` },
    object,
  })
}

function post(count: number): LoadRequest {
  const one = statement()
  const body = count === 1 ? one : `[${Array.from({ length: count }, () => one).join(',')}]`
  const onResponse = (status: number, answer: string): void => {
    if (status === 200) acknowledged.push(...(JSON.parse(answer) as string[]))
  }
  return { method: 'POST', path: '/xapi/statements', body, onResponse }
}

function get(query: string): LoadRequest {
  return { method: 'GET', path: `/xapi/statements?${query}` }
}

/** Long statements, so that a page of them is long, too. */
async function fill({ url, headers }: StartedProgram): Promise<void> {
  for (let index = 0; index < 8; index++) {
    const body = statement('wrote', 'y'.repeat(2_000_000 + index))
    const answer = await fetch(`${url}/xapi/statements`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
    if (answer.status !== 200) throw new Error(`the server refused to be filled: ${answer.status}`)
    acknowledged.push(...((await answer.json()) as string[]))
  }
}

/** Half of them send a byte now and then, half ask for the longest page and take nothing. They come again when they are cut off. */
function slowClients({ url, headers }: StartedProgram): { close(): void } {
  const port = Number(new URL(url).port)
  const lines = Object.entries({ host: 'x', ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const sockets = new Set<Socket>()
  let isOver = false
  const open = (begin: (socket: Socket) => void): void => {
    if (isOver) return
    const socket = connect(port, '127.0.0.1', () => begin(socket))
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      setTimeout(() => open(begin), 1000).unref()
    })
  }
  for (let index = 0; index < slowEach; index++) {
    open((socket) => {
      socket.resume()
      socket.write(
        `POST /xapi/statements HTTP/1.1\r\n${lines}content-type: application/json\r\ncontent-length: 3000000\r\n\r\n`,
      )
      const timer = setInterval(() => socket.write(' '), 500)
      socket.on('close', () => clearInterval(timer))
    })
    open((socket) => {
      socket.pause()
      socket.write(`GET /xapi/statements?verb=http://example.com/wrote HTTP/1.1\r\n${lines}\r\n`)
    })
  }
  return {
    close() {
      isOver = true
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function sample(): Promise<void> {
  resident.push(await program.residentMiB().catch(() => Number.NaN))
}

async function openDatabase(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = await startPostgres()
  const { url } = await createDatabase(server.url)
  return { url, close: () => server.stop() }
}

async function countMissing(): Promise<number> {
  const storage = await openStorage(loadConfig({ ...env, CLAVIGER_DATA: dataDirectory }), { threads: 'inline' })
  let absent = 0
  for (const id of acknowledged) {
    const { statement: found } = await storage.statements.find(1 as LrsId, id, { isVoided: false })
    if (found === undefined) absent += 1
  }
  await storage.close()
  return absent
}

function report(): void {
  const sorted = accepted.toSorted((one, other) => one - other)
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
  const half = Math.floor(resident.length / 2)
  const [first, second] = [Math.max(...resident.slice(0, half)), Math.max(...resident.slice(half))]
  const others = [...statuses.keys()].filter((status) => status >= 300 && status !== 429 && status !== 503)
  console.log(`answers          ${[...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`)
  console.log(`no answer        ${result.errors} (timeouts ${result.timeouts})`)
  console.log(`accepted         p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${Math.round(sorted.at(-1) ?? 0)} ms`)
  console.log(
    `resident memory  ${Math.round(before)} MiB before, at most ${Math.round(first)} in the first half, ${Math.round(second)} in the second`,
  )
  console.log(`statements       ${acknowledged.length} acknowledged, ${missing} missing`)
  console.log(
    `afterwards       /readyz ${alive}; ${after
      .split('\n')
      .filter((line) =>
        /^claviger_(requests_in_flight|bodies_receiving|body_bytes|answer_bytes|reads_waiting) /.test(line),
      )
      .join(', ')}`,
  )
  const verdicts = {
    'memory is bounded': Math.max(first, second) < bounds.residentMiB,
    'latency of what is accepted is bounded': at(0.99) < bounds.p99Ms,
    'everything refused is 429 or 503': others.length === 0 && result.errors === 0,
    'something was refused': (statuses.get(503) ?? 0) > 0,
    'every acknowledged statement is there': missing === 0,
  }
  for (const [words, isTrue] of Object.entries(verdicts)) console.log(`${isTrue ? 'yes' : 'NO '}  ${words}`)
  if (Object.values(verdicts).includes(false)) process.exitCode = 1
}
