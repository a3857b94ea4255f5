// `npm run build && npx tsx scripts/outages.ts [--only stopped,full-postgres,full-sqlite,clock-postgres,clock-sqlite,lease,kill]
// [--seconds 20] [--kills 20]`: what goes wrong around nodes, one thing after the other, under load; and what must hold meanwhile
// and afterwards. A full disk needs root (it mounts a small tmpfs); a clock set back needs libfaketime (Debian: libfaketime).

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import Sqlite from 'better-sqlite3'
import { startProgram, type StartedProgram } from './started-program.ts'
import type { StartedNodes } from './started-nodes.ts'
import { run } from '../test/support/postgres.ts'
import { keepingOutput, type Proof, runProofs, withNodes } from './proofs.ts'
import { removeAtExit } from './leftovers.ts'
import { type Load, listProblems, shownAnswers, startStatementLoad } from './statement-load.ts'

const everyName = 'stopped,full-postgres,full-sqlite,clock-postgres,clock-sqlite,lease,kill'
const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: everyName },
    seconds: { type: 'string', default: '20' },
    kills: { type: 'string', default: '20' },
  },
})
const seconds = Number(options.seconds)

/** What a load may be answered, and all of it there. */
async function problemsOf(load: Load, node: StartedProgram, allowed: readonly number[]): Promise<string[]> {
  const problems = [...load.problems, ...(await listProblems(node, load.acknowledged))]
  for (const [status, count] of load.answers)
    if (!allowed.includes(status)) problems.push(`${count} × ${status === 0 ? 'no answer' : status}`)
  if (!allowed.includes(503)) for (const words of load.refusals.keys()) problems.push(words)
  return problems
}

async function firstAfter(load: Load, start: number): Promise<number> {
  while (load.lastAt() <= start && performance.now() - start < 60_000) await sleep(5)
  return Math.round(performance.now() - start)
}

// ---------------------------------------------------------------------------------------------------------------------
// The database is gone for a while

async function stopped({ server, nodes }: StartedNodes): Promise<readonly string[]> {
  const load = startStatementLoad({ targets: () => nodes, writers: 32 })
  await sleep(3_000)
  await server.halt()
  await sleep(500)
  const readWhileStopped = await fetch(`${nodes[0]!.url}/xapi/statements?limit=1`, { headers: nodes[0]!.headers })
  await readWhileStopped.arrayBuffer()
  await sleep(seconds * 1000)
  const before = load.acknowledged.size
  await server.resume()
  const back = await firstAfter(load, performance.now())
  await sleep(3_000)
  await load.end()
  console.log(
    `stopped for ${seconds} s: ${before} acknowledged before, ${load.acknowledged.size - before} after, the first ${back} ms after the database was back; a read meanwhile: ${readWhileStopped.status}; ${shownAnswers(load.answers)}`,
  )
  const problems = await problemsOf(load, nodes[0]!, [200, 503])
  if (readWhileStopped.status !== 503) problems.push(`a read meanwhile was answered ${readWhileStopped.status}`)
  if (readWhileStopped.headers.get('retry-after') === null) problems.push('a read was refused without Retry-After')
  if (!load.answers.has(503)) problems.push('nothing was refused')
  if (load.acknowledged.size === before) problems.push('nothing was stored afterwards')
  return problems
}

// ---------------------------------------------------------------------------------------------------------------------
// The disk is full

async function onSmallDisk(
  megabytes: number,
  prove: (directory: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'claviger-small-disk-'))
  const remove = (): void => {
    spawnSync('umount', ['--lazy', directory])
    rmSync(directory, { recursive: true, force: true })
  }
  const isGone = removeAtExit(remove)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', directory])
    return await prove(directory)
  } finally {
    remove()
    isGone()
  }
}

/** Takes all room but a little, until removed. */
function fill(directory: string, leave: number): { remove(): void } {
  const file = path.join(directory, 'ballast')
  const { bavail, bsize } = statfsSync(directory)
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - leave)))
  return { remove: () => rmSync(file) }
}

async function refusedFor(load: Load, milliseconds: number): Promise<void> {
  const start = performance.now()
  while ((load.answers.get(503) ?? 0) + (load.answers.get(507) ?? 0) === 0 && performance.now() - start < 60_000)
    await sleep(20)
  await sleep(milliseconds)
}

async function fullUnderNodes(directory: string): Promise<readonly string[]> {
  const small = ['max_wal_size=48MB', 'min_wal_size=32MB', 'wal_recycle=off', 'shared_buffers=16MB']
  const inside = path.join(directory, 'postgres')
  mkdirSync(inside)
  return withNodes({ directory: inside, settings: small }, async ({ server, nodes }) => {
    const load = startStatementLoad({ targets: () => nodes, writers: 16 })
    await sleep(1_000)
    const ballast = fill(directory, 20 * 1024 * 1024)
    await refusedFor(load, 4_000)
    const before = load.acknowledged.size
    ballast.remove()
    // A server that could not even write its log is down; whoever made room starts it again.
    const hadDied = await server.resume().then(
      () => server.log.some((line) => line.includes('PANIC')),
      () => true,
    )
    const back = await firstAfter(load, performance.now())
    await sleep(2_000)
    await load.end()
    console.log(
      `disk full, PostgreSQL${hadDied ? ' (which died of it)' : ''}: ${before} acknowledged before, ${load.acknowledged.size - before} after there was room, the first ${back} ms after; ${shownAnswers(load.answers)}`,
    )
    const problems = await problemsOf(load, nodes[0]!, [200, 503, 507])
    if (!load.answers.has(503) && !load.answers.has(507)) problems.push('the disk was never full')
    return problems
  })
}

async function fullUnderSqlite(directory: string): Promise<readonly string[]> {
  return withProgram({ dataDirectory: path.join(directory, 'data') }, async (program) => {
    const load = startStatementLoad({ targets: () => [program], writers: 16 })
    await sleep(1_000)
    const ballast = fill(directory, 8 * 1024 * 1024)
    await refusedFor(load, 4_000)
    const before = load.acknowledged.size
    ballast.remove()
    const back = await firstAfter(load, performance.now())
    await sleep(2_000)
    await load.end()
    console.log(
      `disk full, SQLite: ${before} acknowledged before, ${load.acknowledged.size - before} after there was room, the first ${back} ms after; ${shownAnswers(load.answers)}`,
    )
    const problems = await problemsOf(load, program, [200, 503, 507])
    if (!load.answers.has(503) && !load.answers.has(507)) problems.push('the disk was never full')
    await program.stop()
    const database = new Sqlite(path.join(program.dataDirectory, 'claviger.db'))
    const integrity = database.pragma('integrity_check', { simple: true })
    database.close()
    if (integrity !== 'ok') problems.push(`integrity: ${String(integrity)}`)
    return problems
  })
}

async function withProgram(
  settings: Parameters<typeof startProgram>[0],
  prove: (program: StartedProgram) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const program = await startProgram(settings)
  const isGone = removeAtExit(() => program.process.kill('SIGKILL'))
  try {
    return await keepingOutput(
      () => prove(program),
      () => ({ 'program.log': program.output().stdout + program.output().stderr }),
    )
  } finally {
    await program.kill()
    // Which removes what it left behind.
    await program.stop()
    isGone()
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// The clock is set back

/** Of programs that are started with this environment. */
function movableClock(directory: string): { readonly env: Readonly<Record<string, string>>; setBack(): void } {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : []
  const candidates = folders.map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`)
  const library = candidates.find((candidate) => existsSync(candidate))
  if (library === undefined) throw new Error('libfaketime is not installed')
  const file = path.join(directory, 'clock')
  writeFileSync(file, '+0s')
  return {
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    setBack: () => writeFileSync(file, '-3600s'),
  }
}

/**
 * The database's clock is what the program asks it for. Not with libfaketime: inside epoll_wait that shows the true time, also to
 * the signal handler in which PostgreSQL looks which timeouts are due, so that with the clock an hour behind each alarm makes all
 * of them due: a lock_timeout of 10 s then ends at the first alarm, which is deadlock_timeout, after 1 s.
 */
const movableDatabaseClock = `
create schema moved;
create table moved.clock (back interval not null);
insert into moved.clock values ('0');
create function moved.clock_timestamp() returns timestamptz language sql volatile
  as 'select pg_catalog.clock_timestamp() - back from moved.clock';
alter database postgres set search_path = public, moved, pg_catalog`

async function underMovedClock(nodes: readonly StartedProgram[], setBack: () => Promise<void>): Promise<string[]> {
  const load = startStatementLoad({ targets: () => nodes, writers: 16 })
  await sleep(3_000)
  const before = load.acknowledged.size
  await setBack()
  await sleep(5_000)
  await load.end()
  const shown = await fetch(`${nodes[0]!.url}/xapi/about`)
  await shown.arrayBuffer()
  const behind = Math.round((Date.now() - Date.parse(shown.headers.get('date') ?? '')) / 60_000)
  console.log(
    `clock set back: ${before} acknowledged before, ${load.acknowledged.size - before} after; the node's clock is ${behind} minutes behind; ${shownAnswers(load.answers)}`,
  )
  const problems = await problemsOf(load, nodes[0]!, [200])
  if (load.acknowledged.size === before) problems.push('nothing was stored afterwards')
  if (behind !== 60) problems.push(`the node's clock is ${behind} minutes behind, not 60`)
  return problems
}

function clockUnderNodes(): Promise<readonly string[]> {
  return inDirectory(async (directory) => {
    const clock = movableClock(directory)
    const prepare = (url: string): Promise<void> => run(url, movableDatabaseClock)
    return withNodes({ env: clock.env, prepare }, async ({ nodes, ask, logProblems }) => {
      const problems = await underMovedClock(nodes, async () => {
        clock.setBack()
        await ask(`update moved.clock set back = interval '1 hour'`)
      })
      const [now] = await ask<{ behind: number }>(
        `select extract(epoch from pg_catalog.clock_timestamp() - moved_clock.at)::integer as behind
         from (select clock_timestamp() as at) as moved_clock`,
      )
      if (now?.behind !== 3600) problems.push(`the database's clock is ${now?.behind} s behind, not 3600`)
      return [...problems, ...logProblems().map((line) => `the database logged ${line}`)]
    })
  })
}

function clockUnderSqlite(): Promise<readonly string[]> {
  return inDirectory((directory) => {
    const clock = movableClock(directory)
    return withProgram({ env: clock.env }, (program) => underMovedClock([program], async () => clock.setBack()))
  })
}

async function inDirectory(prove: (directory: string) => Promise<readonly string[]>): Promise<readonly string[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'claviger-clock-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  const isGone = removeAtExit(remove)
  try {
    return await prove(directory)
  } finally {
    remove()
    isGone()
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// A node is killed

/** That is in the middle of an erasure: another one ends it. */
async function lease({ nodes, ask, restart }: StartedNodes): Promise<readonly string[]> {
  const [first, second] = [nodes[0]!, nodes[1]!]
  const count = 20_000
  const person = { mbox: 'mailto:ann@example.org' }
  for (let from = 0; from < count; from += 500) {
    const statements = Array.from({ length: 500 }, (_, index) => ({
      actor: person,
      verb: { id: 'urn:v' },
      object: { id: `urn:o:${from + index}` },
    }))
    const response = await fetch(`${first.url}/xapi/statements`, {
      method: 'POST',
      headers: { ...first.headers, 'content-type': 'application/json' },
      body: JSON.stringify(statements),
    })
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    await response.arrayBuffer()
  }
  const erasing = first.command('erase', '--mbox', 'ann@example.org', '--yes', '--json')
  erasing.catch(() => undefined)
  const jobs = () => ask<{ counts: string; receipt: string | null }>('select counts, receipt from erasure')
  const removed = async (): Promise<number> => {
    const [job] = await jobs()
    return (JSON.parse(job?.counts ?? '{}') as { statements?: number }).statements ?? 0
  }
  const isDone = async (): Promise<boolean> => (await jobs()).some(({ receipt }) => receipt !== null)
  for (const start = performance.now(); (await removed()) < count / 10;) {
    if (await isDone()) return ['the erasure was over before the kill']
    if (performance.now() - start > 60_000) return ['the erasure does not get on']
    await sleep(5)
  }
  await first.kill()
  const atKill = await removed()
  const start = performance.now()
  while (!(await isDone()) && performance.now() - start < 300_000) await sleep(50)
  const took = ((performance.now() - start) / 1000).toFixed(1)
  const problems: string[] = []
  if (!(await isDone())) problems.push(`nobody finished the erasure within ${took} s`)
  if ((await removed()) !== count) problems.push(`the receipt counts ${await removed()} statements, not ${count}`)
  const left = await ask<{ count: number }>('select count(*)::integer from statement')
  if (left[0]?.count !== 0) problems.push(`${left[0]?.count} statements are left`)
  const read = await fetch(`${second.url}/xapi/statements?agent=${encodeURIComponent(JSON.stringify(person))}`, {
    headers: second.headers,
  })
  const { statements } = (await read.json()) as { statements: readonly unknown[] }
  if (statements.length > 0) problems.push('the person is still found')
  console.log(
    `lease: killed when ${atKill} of ${count} statements were gone; another node had finished ${took} s later`,
  )
  await restart(0)
  return problems
}

/** Under load, again and again: what was acknowledged is there. */
async function kill({ nodes, restart }: StartedNodes): Promise<readonly string[]> {
  const kills = Number(options.kills)
  const load = startStatementLoad({ targets: () => nodes, writers: 16 })
  for (let round = 0; round < kills; round++) {
    await sleep(300 + 1_500 * Math.random())
    await restart(round % nodes.length)
  }
  await sleep(1_000)
  await load.end()
  console.log(`kill: ${kills} kills, ${load.acknowledged.size} statements acknowledged; ${shownAnswers(load.answers)}`)
  return problemsOf(load, nodes[0]!, [200, 0])
}

// ---------------------------------------------------------------------------------------------------------------------

const proofs: Readonly<Record<string, Proof>> = {
  stopped: () => withNodes({}, stopped),
  'full-postgres': () => onSmallDisk(300, (directory) => fullUnderNodes(directory)),
  'full-sqlite': () => onSmallDisk(100, fullUnderSqlite),
  'clock-postgres': clockUnderNodes,
  'clock-sqlite': clockUnderSqlite,
  lease: () => withNodes({}, lease),
  kill: () => withNodes({}, kill),
}

await runProofs('outages.ts', proofs, options.only)
