// Ten times as many clients as are let in, each sending as soon as it is answered, for minutes, with clients beside them that send or take
// too slowly, against a started program: `npm run build && npx tsx scripts/overload.ts [--minutes 10] [--engine sqlite|postgres]`. Says
// whether memory and the latency of what is accepted stay bounded, how much of what an unloaded server does it still does, whether
// everything else was 429 or 503, and whether what was acknowledged is there.

import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openStorage } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import type { LrsId } from '../src/core/ids.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { temporaryDirectory } from '../test/support/program.ts'
import { startFlood } from './flood.ts'
import type { Flood, FloodAnswer, FloodRequest } from './flood.ts'
import { startProgram } from './started-program.ts'
import type { StartedProgram } from './started-program.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    engine: { type: 'string', default: 'sqlite' },
    /** Requests that the server lets in at once. */
    requests: { type: 'string', default: '64' },
  },
})
const minutes = Number(values.minutes)
const letIn = Number(values.requests)
const connections = letIn * 10
const openedPerSecond = 100
const slowEach = Math.ceil(letIn / 4)
const unloadedSeconds = 15
const bounds = { residentMiB: 1200, p99Ms: 5_000, mostMs: 20_000, shareOfUnloaded: 0.5 }
const mostChecked = 50_000

const database = values.engine === 'postgres' ? await openDatabase() : undefined
const dataDirectory = temporaryDirectory()
const env: Record<string, string> = {
  CLAVIGER_MAX_REQUESTS: String(letIn),
  CLAVIGER_MAX_ANSWERS: '64m',
  CLAVIGER_MAX_BODIES: '64m',
  CLAVIGER_METRICS_PORT: '0',
  ...(database && { CLAVIGER_DATABASE_URL: database.url, CLAVIGER_MASTER_KEY: randomBytes(32).toString('base64') }),
}
const program = await startProgram({ dataDirectory, env })
const metricsUrl = /^ *metrics +(\S+)$/m.exec(program.output().stdout)?.[1] ?? ''
console.log(`${values.engine}, ${letIn} let in, ${connections} connections, ${minutes} minutes`)

/** Of everything that was acknowledged, every so many-th. */
const acknowledged: string[] = []
let acknowledgedCount = 0
let keepEvery = 1
await fill(program)

const unloaded = await measure(unloadedSeconds, { connections: Math.ceil(letIn / 4) })
const before = await program.residentMiB()
const slow = slowClients(program)
const run = await measure(minutes * 60, { connections, openedPerSecond })
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

function post(count: number): FloodRequest {
  const one = statement()
  const body = count === 1 ? one : `[${Array.from({ length: count }, () => one).join(',')}]`
  return { kind: `POST of ${count}`, method: 'POST', path: '/xapi/statements', body }
}

function get(query: string): FloodRequest {
  return { kind: 'GET', method: 'GET', path: `/xapi/statements?${query}` }
}

interface Measured {
  readonly seconds: number
  readonly accepted: ReadonlyMap<string, readonly number[]>
  readonly statuses: ReadonlyMap<number, number>
  readonly withoutRetryAfter: number
  readonly flood: Flood
  readonly residentMiB: readonly number[]
  /** How many processors' worth of time the server got. */
  readonly processors: number
  /** How late this process itself was, at most: it adds to every latency. */
  readonly lateMs: number
}

async function measure(
  seconds: number,
  load: { readonly connections: number; readonly openedPerSecond?: number },
): Promise<Measured> {
  const accepted = new Map<string, number[]>()
  const statuses = new Map<number, number>()
  const resident: number[] = []
  let withoutRetryAfter = 0
  const onAnswer = ({ kind, status, ms, hasRetryAfter, body }: FloodAnswer): void => {
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    if (status >= 400 && !hasRetryAfter) withoutRetryAfter += 1
    if (status !== 200) return
    const times = accepted.get(kind) ?? []
    times.push(ms)
    accepted.set(kind, times)
    if (body !== '' && kind !== 'GET') keep(JSON.parse(body) as string[])
  }
  const requests = [
    ...Array.from({ length: 6 }, () => post(1)),
    post(50),
    get('verb=http://example.com/did&limit=10'),
    get('verb=http://example.com/did&limit=500'),
    get('agent=%7B%22mbox%22%3A%22mailto%3Awho%40example.com%22%7D&verb=http://example.com/did&limit=50'),
  ]
  const sample = async (): Promise<void> => void resident.push(await program.residentMiB().catch(() => Number.NaN))
  const sampling = setInterval(() => void sample(), 1000)
  const late = monitorEventLoopDelay({ resolution: 10 })
  late.enable()
  const cpuBefore = await program.cpuSeconds()
  const flood = startFlood({ url: program.url, headers: program.headers, requests, ...load, onAnswer })
  await wait(seconds * 1000)
  const processors = ((await program.cpuSeconds()) - cpuBefore) / seconds
  await flood.end()
  late.disable()
  clearInterval(sampling)
  const own = { processors, lateMs: late.max / 1e6 }
  return { seconds, accepted, statuses, withoutRetryAfter, flood, residentMiB: resident, ...own }
}

function keep(ids: readonly string[]): void {
  for (const id of ids) if (acknowledgedCount++ % keepEvery === 0) acknowledged.push(id)
  if (acknowledged.length < mostChecked * 2) return
  keepEvery *= 2
  const kept = acknowledged.filter((_, index) => index % 2 === 0)
  acknowledged.splice(0, acknowledged.length, ...kept)
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
    keep((await answer.json()) as string[])
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

async function openDatabase(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = await startPostgres({ isDurable: true })
  return { url: server.url, close: () => server.stop() }
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

function timesOf({ accepted }: Measured): readonly number[] {
  return [...accepted.values()].flat().toSorted((one, other) => one - other)
}

function perSecond({ seconds }: Measured, count: number): number {
  return Math.round(count / seconds)
}

function shownTimes(times: readonly number[]): string {
  return `p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, most ${Math.round(times.at(-1) ?? Number.NaN)} ms`
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.floor(sorted.length * share)] ?? Number.NaN)
}

function report(): void {
  const [calm, times] = [timesOf(unloaded), timesOf(run)]
  const { statuses, flood, residentMiB, withoutRetryAfter } = run
  const half = Math.floor(residentMiB.length / 2)
  const [first, second] = [Math.max(...residentMiB.slice(0, half)), Math.max(...residentMiB.slice(half))]
  const answers = [...statuses.values()].reduce((sum, count) => sum + count, 0)
  const others = [...statuses.keys()].filter((status) => status !== 200 && status !== 429 && status !== 503)
  const { refused, broken, hanging } = flood.unanswered
  const [calmRate, rate] = [perSecond(unloaded, calm.length), perSecond(run, times.length)]
  const held = after
    .split('\n')
    .filter((line) =>
      /^claviger_(requests_in_flight|bodies_receiving|body_bytes|answer_bytes|reads_waiting) /.test(line),
    )
  console.log(`unloaded         ${calmRate} requests/s, ${shownTimes(calm)}; ${shownOwn(unloaded)}`)
  // What the clients would send if each were answered as soon as one is that is alone with few.
  const demand = Math.round((connections * 1000) / (calm.reduce((sum, ms) => sum + ms, 0) / calm.length))
  console.log(`demand           ${demand} requests/s, ${(demand / calmRate).toFixed(0)} times as much`)
  console.log(`offered          ${perSecond(run, answers)} requests/s, as refusals are held back; ${shownOwn(run)}`)
  console.log(`accepted         ${rate} requests/s, ${shownTimes(times)}`)
  for (const [kind, all] of run.accepted) {
    const sorted = all.toSorted((one, other) => one - other)
    console.log(`  ${kind.padEnd(14)} ${perSecond(run, all.length)}/s, ${shownTimes(sorted)}`)
  }
  console.log(`answers          ${[...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`)
  console.log(`no answer        ${refused} not connected, ${broken} broken off, ${hanging} hanging`)
  console.log(`first answer     of a connection after ${Math.round(flood.slowestFirstMs())} ms at most`)
  console.log(
    `resident memory  ${Math.round(before)} MiB before, at most ${Math.round(first)} in the first half, ${Math.round(second)} in the second`,
  )
  console.log(
    `statements       ${acknowledgedCount} acknowledged; of ${acknowledged.length} looked for, ${missing} missing`,
  )
  console.log(`afterwards       /readyz ${alive}; ${held.join(', ')}`)
  const verdicts = {
    'memory is bounded': Math.max(first, second) < bounds.residentMiB,
    [`latency of what is accepted is bounded (p99 ${bounds.p99Ms} ms, most ${bounds.mostMs} ms)`]:
      at(times, 0.99) < bounds.p99Ms && (times.at(-1) ?? Infinity) < bounds.mostMs,
    'what is accepted is at least half of what is answered unloaded': rate >= calmRate * bounds.shareOfUnloaded,
    'everything refused is 429 or 503 with Retry-After': others.length === 0 && withoutRetryAfter === 0,
    'everything has an answer': refused + broken + hanging === 0,
    'something was refused': (statuses.get(503) ?? 0) > 0,
    'every acknowledged statement is there': missing === 0,
  }
  for (const [words, isTrue] of Object.entries(verdicts)) console.log(`${isTrue ? 'PASS' : 'FAIL'}  ${words}`)
  if (Object.values(verdicts).includes(false)) process.exitCode = 1
}

/** A machine that others use, too, slows both down. */
function shownOwn({ processors, lateMs }: Measured): string {
  return `the server had ${processors.toFixed(2)} processors, this script was ${Math.round(lateMs)} ms late at most`
}
