// `npm run bench`: the started program under load, beside the ceilings of the same machine in the same minutes.
// Writes a table, and JSON to bench/results/. What each number is: bench/README.md.

import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { root, type StartedProgram } from '../scripts/started-program.ts'
import type { CredentialFigures } from './credentials.ts'
import type { LaunchFigures } from './launches.ts'
import { openBenchStore } from './database.ts'
import type { Job, LatencyJob, LatencyResult, LoadJob, LoadResult, PreloadJob } from './generator.ts'
import { activityId, learner, learnerCount, verbId } from './statement.ts'

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    keys: { type: 'string', default: '50000' },
    launches: { type: 'string', default: '50000' },
    only: { type: 'string', default: 'write,read,credentials,launches' },
    database: { type: 'string', default: 'sqlite' },
    peers: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const seconds = Number(options.seconds)
const rounds = Number(options.rounds)
const size = Number(options.size)
const parts = new Set(options.only.split(','))
const connections = 64
const batchConnections = 8
const batchSize = 50
const smallSize = 100_000
const pageLimit = 20
const peerSeconds = 10
/** As in core/usage.ts. */
const secondsBetweenFlushes = 9

interface Figure {
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly note?: string
}

interface Verdict {
  readonly what: string
  readonly value: number
  readonly target: string
  readonly isMet: boolean
}

const store = await openBenchStore(options.database)
const isPostgres = store.serverUrl !== undefined
const engine = isPostgres ? 'PostgreSQL' : 'SQLite'

const figures: Figure[] = []
const verdicts: Verdict[] = []

function record(what: string, value: number, unit: string, note?: string): void {
  figures.push({ what, value, unit, ...(note !== undefined && { note }) })
  const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
  console.log(`${what.padEnd(58)} ${shown.padStart(10)} ${unit}${note === undefined ? '' : `  (${note})`}`)
}

function judge(what: string, value: number, isMet: boolean, target: string): void {
  verdicts.push({ what, value, target, isMet })
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

// ---------------------------------------------------------------------------------------------------------------------
// Processes

function forkScript(file: string, options: { cwd?: string; isTypeScript?: boolean } = {}): ChildProcess {
  const execArgv = options.isTypeScript === false ? [] : ['--import', 'tsx']
  return fork(path.join(root, 'bench', file), [], { execArgv, ...(options.cwd !== undefined && { cwd: options.cwd }) })
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T))
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.at(-1)} ended with ${code}`)))
  })
}

async function generate<T>(job: Job): Promise<T> {
  const child = forkScript('generator.ts')
  const answer = nextMessage<{ result?: T; error?: string }>(child)
  child.send(job)
  const { result, error } = await answer
  await end(child)
  if (result === undefined) throw new Error(error)
  return result
}

const load = (job: Omit<LoadJob, 'kind'>) => generate<LoadResult>({ kind: 'load', ...job })
const latency = (job: Omit<LatencyJob, 'kind'>) => generate<LatencyResult>({ kind: 'latency', ...job })
const preload = (job: Omit<PreloadJob, 'kind'>) => generate<{ seconds: number }>({ kind: 'preload', ...job })

async function printedJson<T>(file: string, args: readonly string[]): Promise<T> {
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(root, 'bench', file), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${file} ended with ${code}`)
  return JSON.parse(output) as T
}

async function inTemporaryDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'claviger-bench-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Ends a forked script and waits until it is gone. */
async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.disconnect()
  await gone
}

function clean(result: LoadResult, what: string): LoadResult {
  if (result.failures > 0) console.log(`  ! ${what}: ${result.failures} failures beside ${result.answers} answers`)
  return result
}

// ---------------------------------------------------------------------------------------------------------------------
// Writes beside their ceilings, one round after the other so that noise meets both alike

interface WriteRound {
  readonly ceilingSingle: number
  readonly ceilingBatch: number
  readonly diskRows: number
  readonly diskRowsSingly: number
  /** PostgreSQL only: 64 rows a transaction over one connection. */
  readonly diskRowsGrouped: number
  readonly single: LoadResult
  readonly singleCpuUs: number
  readonly batch: LoadResult
}

async function ceilings(
  directory: string,
): Promise<{ url: string; end(): Promise<void>; disk(way: 'bulk' | 'single' | 'grouped'): Promise<number> }> {
  const child = forkScript('http-ceiling.ts')
  const { url } = await nextMessage<{ url: string }>(child)
  return {
    url: `${url}/xapi/statements`,
    end: () => end(child),
    disk: async (way) => {
      if (isPostgres) {
        const args = [await store.createDatabase(), String(seconds), way]
        return (await printedJson<{ rowsPerSecond: number }>('postgres-ceiling.ts', args)).rowsPerSecond
      }
      const run = path.join(directory, `disk-${Date.now()}`)
      await mkdir(run)
      const args = [run, String(seconds), String(way === 'bulk' ? batchSize : 1)]
      const result = await printedJson<{ rowsPerSecond: number }>('disk-ceiling.ts', args)
      await rm(run, { recursive: true })
      return result.rowsPerSecond
    },
  }
}

async function writeRound(directory: string): Promise<WriteRound> {
  const ceiling = await ceilings(directory)
  const single = { workload: 'single', connections, seconds } as const
  const batch = { workload: 'batch', batchSize, connections: batchConnections, seconds } as const
  await load({ ...single, url: ceiling.url, headers: {}, seconds: 2 })
  const ceilingSingle = (await load({ ...single, url: ceiling.url, headers: {} })).perSecond
  const ceilingBatch = (await load({ ...batch, url: ceiling.url, headers: {} })).perSecond * batchSize
  await ceiling.end()

  const program = await store.startProgram(path.join(directory, `data-${Date.now()}`))
  const target = { url: `${program.url}/xapi/statements`, headers: program.headers }
  await load({ ...single, ...target, seconds: 2 })
  const cpuBefore = await program.cpuSeconds()
  const singleResult = clean(await load({ ...single, ...target }), 'single')
  const singleCpuUs = (((await program.cpuSeconds()) - cpuBefore) * 1e6) / Math.max(1, singleResult.answers)
  await load({ ...batch, ...target, seconds: 2 })
  const batchResult = clean(await load({ ...batch, ...target }), 'batches')
  await program.stop()
  // Each beside what it is compared with: HTTP before, the disk after.
  const diskRows = await ceiling.disk('bulk')
  const diskRowsSingly = await ceiling.disk('single')
  const diskRowsGrouped = isPostgres ? await ceiling.disk('grouped') : Number.NaN
  return {
    ceilingSingle,
    ceilingBatch,
    diskRows,
    diskRowsSingly,
    diskRowsGrouped,
    single: singleResult,
    singleCpuUs,
    batch: batchResult,
  }
}

interface WriteFigures {
  readonly single: number
  readonly batch: number
  readonly cpuUs: number
}

async function measureWrites(): Promise<WriteFigures> {
  const all: WriteRound[] = []
  for (let round = 0; round < rounds; round++) all.push(await inTemporaryDirectory(writeRound))
  const over = (pick: (round: WriteRound) => number) => median(all.map(pick))
  const single = over((round) => round.single.perSecond)
  const batch = over((round) => round.batch.perSecond * batchSize)
  const cpuUs = over((round) => round.singleCpuUs)
  record(
    'HTTP ceiling, single POST, 64 connections',
    over((round) => round.ceilingSingle),
    'req/s',
  )
  record(
    'HTTP ceiling, POST of 50, 8 connections',
    over((round) => round.ceilingBatch),
    'statements/s',
  )
  record(
    `disk ceiling, 50 rows a transaction${isPostgres ? ', 8 connections' : ''}`,
    over((round) => round.diskRows),
    'rows/s',
  )
  record(
    `disk ceiling, row by row${isPostgres ? ', 64 connections' : ''}`,
    over((round) => round.diskRowsSingly),
    'rows/s',
  )
  if (isPostgres) {
    const grouped = over((round) => round.diskRowsGrouped)
    record('disk ceiling, 64 rows a transaction, 1 connection', grouped, 'rows/s')
    record('  single POST of that', single / grouped, 'parts')
  }
  record('Claviger, single POST, 64 connections', single, 'req/s')
  record(
    '  median answer',
    over((round) => round.single.p50Ms),
    'ms',
  )
  record(
    '  99 % answered within',
    over((round) => round.single.p99Ms),
    'ms',
  )
  record('  processor time of the program, all threads', cpuUs, 'µs/req')
  record('Claviger, POST of 50, 8 connections', batch, 'statements/s')
  record(
    '  99 % answered within',
    over((round) => round.batch.p99Ms),
    'ms',
  )
  const ofDisk = over((round) => (round.batch.perSecond * batchSize) / round.diskRows)
  if (isPostgres) {
    const ofSingle = over((round) => round.single.perSecond / round.diskRowsSingly)
    judge('single POST / raw pg, row by row, 64 connections', ofSingle, ofSingle >= 0.4, 'at least 0.40')
    judge('POST of 50 / raw pg, 50 rows a transaction', ofDisk, ofDisk >= 0.35, 'at least 0.35')
  } else {
    const ofHttp = over((round) => round.single.perSecond / round.ceilingSingle)
    judge('single POST / HTTP ceiling', ofHttp, ofHttp >= 0.25, 'at least 0.25')
    judge('POST of 50 / disk ceiling', ofDisk, ofDisk >= 0.3, 'at least 0.30')
  }
  const failures = all.reduce((sum, round) => sum + round.single.failures + round.batch.failures, 0)
  judge('failed requests', failures, failures === 0, '0')
  return { single, batch, cpuUs }
}

// ---------------------------------------------------------------------------------------------------------------------
// The peer, from empty

async function measurePeer(own: WriteFigures | undefined): Promise<void> {
  const folder = path.join(root, 'bench/peers')
  if (!existsSync(path.join(folder, 'node_modules')))
    await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], folder)
  const run = (workload: 'single' | 'batch') =>
    inTemporaryDirectory(async (directory) => {
      const child = forkScript('peers/host.cjs', { cwd: directory, isTypeScript: false })
      const { url } = await nextMessage<{ url: string }>(child)
      const headers = { authorization: 'Basic YmVuY2g6YmVuY2g=', 'x-experience-api-version': '1.0.3' }
      const shape = workload === 'single' ? { connections } : { connections: batchConnections, batchSize }
      const result = clean(await load({ workload, url, headers, seconds: peerSeconds, ...shape }), `peer ${workload}`)
      await end(child)
      return result.perSecond
    })
  const single = await run('single')
  const batch = (await run('batch')) * batchSize
  record('xapi-statements 5.0.1 in memory, single, first 10 s', single, 'req/s')
  record('xapi-statements 5.0.1 in memory, POST of 50, first 10 s', batch, 'statements/s')
  if (own === undefined) return
  judge('single POST / peer', own.single / single, own.single / single >= 12, 'at least 12')
  judge('POST of 50 / peer', own.batch / batch, own.batch / batch >= 6, 'at least 6')
}

async function command(name: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(name, args, { cwd, stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}`)
}

// ---------------------------------------------------------------------------------------------------------------------
// Reads

const statements = '/xapi/statements'
const query = (filter: Record<string, string>) =>
  `${statements}?${new URLSearchParams({ limit: String(pageLimit), attachments: 'false', ...filter }).toString()}`

const reads: Readonly<Record<string, readonly string[]>> = {
  'floor: GET /xapi/about': ['/xapi/about'],
  'newest, no filter': [query({})],
  'by agent': Array.from({ length: 200 }, (_, index) =>
    query({ agent: JSON.stringify(learner((index * 7919) % learnerCount)) }),
  ),
  'by verb': [query({ verb: verbId(0) }), query({ verb: verbId(1) })],
  'by activity': Array.from({ length: 200 }, (_, index) => query({ activity: activityId(2 + ((index * 7) % 998)) })),
  'by agent and verb': Array.from({ length: 200 }, (_, index) =>
    query({ agent: JSON.stringify(learner((index * 7919) % learnerCount)), verb: verbId(0) }),
  ),
  // Half of all statements have the verb, a quarter the activity, none both.
  'disjoint pair (verb and activity that never meet)': [
    query({ verb: verbId(0), activity: activityId(1) }),
    query({ verb: verbId(1), activity: activityId(0) }),
  ],
}

async function measureReadsAt(program: StartedProgram, count: number): Promise<Map<string, LatencyResult>> {
  const results = new Map<string, LatencyResult>()
  for (const [what, paths] of Object.entries(reads)) {
    const job = { url: program.url, headers: program.headers, paths }
    await latency({ ...job, count: 200 })
    const result = await latency({ ...job, count: what.startsWith('disjoint') ? 400 : 2000 })
    if (result.failures > 0) console.log(`  ! ${what}: ${result.failures} failures`)
    results.set(what, result)
    const at = `at ${count.toLocaleString('en')}`
    record(`read ${what}, median`, result.p50Us, 'µs', at)
    record(`read ${what}, 99 %`, result.p99Us, 'µs', at)
  }
  return results
}

async function measureReads(): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const program = await store.startProgram(path.join(directory, 'data'))
    const target = { url: `${program.url}${statements}`, headers: program.headers, batchSize: 250 }
    const first = Math.min(size, smallSize)
    const loaded = await preload({ ...target, from: 0, to: first })
    record(`preload of ${first.toLocaleString('en')}`, first / loaded.seconds, 'statements/s')
    const small = await measureReadsAt(program, first)
    if (size > first) {
      const rest = await preload({ ...target, from: first, to: size })
      record(`preload up to ${size.toLocaleString('en')}`, (size - first) / rest.seconds, 'statements/s')
      const large = await measureReadsAt(program, size)
      for (const [what, result] of large) {
        const before = small.get(what)
        if (before === undefined || what.startsWith('floor')) continue
        const ratio = result.p50Us / before.p50Us
        judge(
          `read ${what}, ${size.toLocaleString('en')} / ${first.toLocaleString('en')}`,
          ratio,
          ratio <= 1.5,
          'at most 1.5',
        )
      }
    }
    record('resident memory of the program after the reads', await program.residentMiB(), 'MiB')
    const json = await bytesOfJson(program)
    await program.stop()
    const onDisk = (await program.bytesOnDisk()) / size
    record(`a statement on disk, ${engine}`, onDisk, 'bytes')
    record('a statement as JSON, as it is stored', json, 'bytes')
    const most = isPostgres ? 2.2 : 1.7
    judge(`a statement on disk / its JSON, ${engine}`, onDisk / json, onDisk / json < most, `under ${most}`)
  })
}

/** A statement as `format=exact` serves it, on average. */
async function bytesOfJson({ url, headers }: StartedProgram): Promise<number> {
  const response = await fetch(`${url}${statements}?limit=500`, { headers })
  const page = (await response.json()) as { readonly statements: readonly unknown[] }
  const bytes = page.statements.reduce((sum: number, one) => sum + Buffer.byteLength(JSON.stringify(one)), 0)
  return bytes / page.statements.length
}

// ---------------------------------------------------------------------------------------------------------------------
// Credentials and usage

async function measureCredentials(own: WriteFigures | undefined): Promise<void> {
  const result = await inTemporaryDirectory(async (directory) => {
    const url = isPostgres ? [await store.createDatabase()] : []
    return printedJson<CredentialFigures>('credentials.ts', [directory, options.keys, ...url])
  })
  record(`creating ${result.keys.toLocaleString('en')} credentials`, result.createdPerSecond, 'credentials/s')
  record('credential check, warm, one key', result.warmUs, 'µs')
  record('credential check, warm, 1,000 keys in turn', result.warmThousandUs, 'µs')
  record(`credential check, cold, ${result.keys.toLocaleString('en')} keys in turn`, result.coldUs, 'µs')
  record('credential check, cold, 64 at a time, organisation in the path', result.coldPerSecond, 'checks/s')
  record('memory taken by the cold keys', result.residentMiB.after - result.residentMiB.before, 'MiB')
  record('usage: one count, one key', result.countUs, 'µs')
  record('usage: one count, 1,000 keys in turn', result.countThousandUs, 'µs')
  record('usage: a flush of one key', result.flushMs, 'ms cpu')
  record('usage: a flush of 1,000 keys', result.flushThousandMs, 'ms cpu')
  if (own === undefined) return
  const requestsBetweenFlushes = own.single * secondsBetweenFlushes
  const perRequestUs = result.countThousandUs + (result.flushThousandMs * 1000) / requestsBetweenFlushes
  const share = perRequestUs / own.cpuUs
  judge('usage counting / processor time of a single POST', share, share < 0.01, 'under 0.01')
}

// ---------------------------------------------------------------------------------------------------------------------
// Launches

async function measureLaunches(): Promise<void> {
  const result = await inTemporaryDirectory(async (directory) => {
    const url = isPostgres ? [await store.createDatabase()] : []
    return printedJson<LaunchFigures>('launches.ts', [directory, options.launches, ...url])
  })
  const there = `with ${result.launches.toLocaleString('en')} there`
  record(`launches minted a second, ${result.lanes} at a time, at first`, result.perSecondAtFirst, 'launches/s')
  record(`launches minted a second, ${result.lanes} at a time`, result.perSecond, 'launches/s', there)
  record('  processor time of all threads', result.cpuUs, 'µs/launch')
  record('launches of learners who come again', result.againPerSecond, 'launches/s', there)
  if (!isPostgres) judge('launches minted a second', result.perSecond, result.perSecond >= 2_000, 'at least 2,000')
}

// ---------------------------------------------------------------------------------------------------------------------

function printVerdicts(): void {
  console.log('')
  for (const { what, value, target, isMet } of verdicts) {
    console.log(`${isMet ? 'met  ' : 'SHORT'}  ${what.padEnd(66)} ${value.toPrecision(3).padStart(8)}  ${target}`)
  }
}

async function main(): Promise<void> {
  if (options.help) {
    console.log(
      'npm run bench -- [--size 1000000] [--seconds 6] [--rounds 3] [--keys 50000] [--launches 50000] [--peers]',
    )
    console.log('                 [--only write,read,credentials,launches] [--database sqlite|postgres|postgres://…]')
    return
  }
  const startedAt = new Date().toISOString()
  const own = parts.has('write') ? await measureWrites() : undefined
  if (options.peers) await measurePeer(own)
  if (parts.has('read')) await measureReads()
  if (parts.has('credentials')) await measureCredentials(own)
  if (parts.has('launches')) await measureLaunches()
  printVerdicts()
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }
  const file = path.join(root, 'bench/results', `${startedAt.replaceAll(':', '-')}.json`)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify({ startedAt, options, machine, figures, verdicts }, undefined, 2)}\n`)
  console.log(`\n${path.relative(process.cwd(), file)}`)
}

try {
  await main()
} finally {
  await store.end()
}
