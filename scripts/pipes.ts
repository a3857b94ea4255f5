// `npm run build && npx tsx scripts/pipes.ts [--seconds 60] [--writers 8] [--only server,nodes]`: two pipes under load, each to a
// target of its own that is killed -9 and started again, as is the server that forwards, or one of two over PostgreSQL. In the end
// each target has every statement of the source, once, in the source's order.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { temporaryDirectory } from '../test/support/program.ts'
import { removeAtExit } from './leftovers.ts'
import { keepingOutput, type Proof, runProofs, withNodes } from './proofs.ts'
import { startProgram, type StartedProgram } from './started-program.ts'
import { listStatements, shownAnswers, startStatementLoad, type Target } from './statement-load.ts'
import { rmSync } from 'node:fs'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    writers: { type: 'string', default: '8' },
    only: { type: 'string', default: 'server,nodes' },
  },
})

/** Targets are on this machine. */
const allowed = { CLAVIGER_OUTBOUND_ALLOW: 'http://127.0.0.1' }
/** After the load, for what is still on its way: a pipe may be waiting for minutes for its next attempt. */
const patienceMs = 600_000

/** A program that comes back on its own port, with what it has stored. */
interface Lasting {
  readonly target: Target
  readonly now: StartedProgram
  readonly kills: number
  restart(pauseMs: number): Promise<void>
  end(): Promise<void>
}

async function startLasting(env: Readonly<Record<string, string>> = {}): Promise<Lasting> {
  const dataDirectory = temporaryDirectory()
  let now = await startProgram({ dataDirectory, env })
  const port = new URL(now.url).port
  const isGone = removeAtExit(() => {
    now.process.kill('SIGKILL')
    rmSync(dataDirectory, { recursive: true, force: true })
  })
  let kills = 0
  return {
    get target() {
      return now
    },
    get now() {
      return now
    },
    get kills() {
      return kills
    },
    async restart(pauseMs) {
      await now.kill()
      kills++
      await sleep(pauseMs)
      now = await startProgram({ dataDirectory, env: { ...env, CLAVIGER_PORT: port } })
    },
    async end() {
      await now.stop()
      rmSync(dataDirectory, { recursive: true, force: true })
      isGone()
    },
  }
}

async function createPipe(from: StartedProgram, { now }: Lasting): Promise<void> {
  const { authorization = '' } = now.headers as { authorization?: string }
  const [user = '', password = ''] = Buffer.from(authorization.slice('Basic '.length), 'base64').toString().split(':')
  const words = ['--lrs', '1', '--to', `${now.url}/xapi`, '--user', user, '--password', password]
  const { code, stdout, stderr } = await from.command('pipe', 'create', ...words)
  if (code !== 0) throw new Error(`pipe create: ${stdout}${stderr}`)
}

/** Again and again until `end`: one of these is killed, and comes back. */
function startKilling(victims: readonly (() => Promise<void>)[], everyMs: number): { end(): Promise<void> } {
  let isOver = false
  const killing = (async () => {
    for (let turn = 0; !isOver; turn++) {
      await sleep(everyMs * (0.5 + Math.random()))
      if (!isOver) await victims[turn % victims.length]?.()
    }
  })()
  return {
    async end() {
      isOver = true
      await killing
    },
  }
}

/** Waits until the target has as many, then compares. */
async function compare(name: string, source: readonly string[], { target, kills }: Lasting): Promise<string[]> {
  const until = performance.now() + patienceMs
  let ids: readonly string[] = []
  while (ids.length < source.length && performance.now() < until) {
    await sleep(1_000)
    ids = (await listStatements(target)).statements.map(({ id }) => id)
  }
  const problems: string[] = []
  const unique = new Set(ids)
  const missing = source.filter((id) => !unique.has(id))
  if (missing.length > 0) problems.push(`${name}: ${missing.length} statements are missing, as ${missing[0]}`)
  if (unique.size < ids.length) problems.push(`${name}: ${ids.length - unique.size} are there twice`)
  const wrong = ids.findIndex((id, index) => id !== source[index])
  if (wrong >= 0) problems.push(`${name}: ${ids[wrong]} is not the ${wrong + 1}th of the source`)
  console.log(`${name}: ${ids.length} of ${source.length} statements, ${unique.size} different; killed ${kills} times`)
  return problems
}

/** `source`: whoever of those that forward is alive. */
async function loadAndCompare(
  sources: () => readonly Target[],
  targets: readonly Lasting[],
  killSource: () => Promise<void>,
): Promise<readonly string[]> {
  const load = startStatementLoad({ targets: sources, writers: Number(options.writers) })
  const restarts = targets.map((target) => () => target.restart(500 + 2_000 * Math.random()))
  const killing = [startKilling(restarts, 2_000), startKilling([killSource], 9_000)]
  await sleep(Number(options.seconds) * 1000)
  await Promise.all(killing.map((one) => one.end()))
  await load.end()
  const source = (await listStatements(sources()[0]!)).statements.map(({ id }) => id)
  const problems: string[] = [...load.problems]
  const known = new Set(source)
  const missing = [...load.acknowledged].filter((id) => !known.has(id)).length
  if (missing > 0) problems.push(`${missing} acknowledged statements are missing in the source`)
  console.log(`${load.acknowledged.size} statements acknowledged; ${shownAnswers(load.answers)}`)
  for (const [index, target] of targets.entries()) {
    problems.push(...(await compare(`target ${index + 1}`, source, target)))
  }
  return problems
}

const server: Proof = async () => {
  const started = await Promise.all([startLasting(allowed), startLasting(), startLasting()])
  const [source, ...targets] = started
  const outputs = () =>
    Object.fromEntries(started.map(({ now }, index) => [`program-${index}.log`, Object.values(now.output()).join('')]))
  try {
    return await keepingOutput(async () => {
      for (const target of targets) await createPipe(source.now, target)
      const problems = await loadAndCompare(
        () => [source.target],
        targets,
        () => source.restart(500),
      )
      console.log(`server: killed ${source.kills} times`)
      return problems
    }, outputs)
  } finally {
    await Promise.all(started.map((one) => one.end()))
  }
}

const nodes: Proof = async () => {
  const targets = await Promise.all([startLasting(), startLasting()])
  try {
    return await withNodes({ nodes: 2, env: allowed }, async (started) => {
      for (const target of targets) await createPipe(started.nodes[0]!, target)
      let kills = 0
      const problems = await loadAndCompare(
        () => started.nodes,
        targets,
        async () => started.restart(kills++ % 2),
      )
      console.log(`nodes: killed ${kills} times`)
      return problems
    })
  } finally {
    await Promise.all(targets.map((one) => one.end()))
  }
}

await runProofs('pipes.ts', { server, nodes }, options.only)
