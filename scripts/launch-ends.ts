// `npm run build && npx tsx scripts/launch-ends.ts [--tries 100] [--ends revoked,superseded,terminated,disabled,parent,idle,absolute]
// [--only nodes,sqlite]`: however a launch ends, its key stops within a second on every node, and what it stored is all there. Two
// nodes over one PostgreSQL, then one program on SQLite. Idle and absolute take seven minutes.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { entranceSeconds } from '../src/core/launch-ticket.ts'
import { type Launched, Launcher } from './launched.ts'
import { keepingOutput, runProofs, withNodes } from './proofs.ts'
import { startProgram, type StartedProgram } from './started-program.ts'
import { listProblems, type Target } from './statement-load.ts'

const { values: options } = parseArgs({
  options: {
    tries: { type: 'string', default: '100' },
    ends: { type: 'string', default: 'revoked,superseded,terminated,disabled,parent,idle,absolute' },
    only: { type: 'string', default: 'nodes,sqlite' },
  },
})
const longestMs = 1000
/** A key that is taken so long after its end is one that does not end. */
const patienceMs = 5000
const idleSeconds = 60
const absoluteSeconds = 300

/** A launch is made and ended at the first node; its key is used at all of them. */
class Proving {
  readonly nodes: readonly StartedProgram[]
  readonly launcher: Launcher
  readonly problems: string[] = []
  /** What launches stored, and were told so. */
  readonly acknowledged = new Set<string>()
  /** One of each way to end, to be launched again: is what it saved still there? */
  readonly saved: Launched[] = []

  constructor(nodes: readonly StartedProgram[]) {
    this.nodes = nodes
    this.launcher = new Launcher(nodes[0]!)
  }

  /** At each node as often as it is answered, until it is refused or given up: when the last accepted request was sent. */
  async storeUntilRefused(
    launched: Launched,
    { isUsed, isGivenUp, pauseMs = 0 }: { isUsed?(): void; isGivenUp(): boolean; pauseMs?: number },
  ): Promise<number> {
    const last = await Promise.all(
      this.nodes.map(async (node) => {
        for (let acceptedAt = 0; ; await sleep(pauseMs)) {
          if (isGivenUp()) return acceptedAt
          const sentAt = Date.now()
          const { status, id } = await this.store(node, launched)
          if (status !== 200) {
            if (status !== 401) this.problems.push(`a key at its end was answered ${status}`)
            return acceptedAt
          }
          this.acknowledged.add(id)
          if (acceptedAt === 0) isUsed?.()
          acceptedAt = sentAt
        }
      }),
    )
    return Math.max(...last)
  }

  async store(node: Target, launched: Launched): Promise<{ readonly status: number; readonly id: string }> {
    return this.launcher.store(node, launched)
  }

  /** The acknowledged are there, once each; a new launch takes up what an ended one saved. */
  async checkStored(): Promise<void> {
    this.problems.push(...(await listProblems(this.nodes[0]!, this.acknowledged)))
    for (const launched of this.saved) {
      const again = await this.launcher.launch(launched.content, launched)
      const found = await this.launcher.findBookmark(this.nodes.at(-1)!, again)
      if (found !== launched.id) this.problems.push(`the bookmark of ${launched.id} is ${found}`)
    }
    console.log(`  ${this.acknowledged.size} statements and ${this.saved.length} bookmarks: looked for, all of them`)
  }
}

/** A launch, and what ends it: resolved once that is answered. */
interface Ending {
  readonly launched: Launched
  end(): Promise<void>
}

const endings: Readonly<Record<string, (proving: Proving) => Promise<Ending>>> = {
  revoked: async ({ launcher }) => {
    const launched = await launcher.launch()
    return { launched, end: () => launcher.revoke(launched) }
  },
  superseded: async ({ launcher }) => {
    const launched = await launcher.launch()
    return { launched, end: async () => void (await launcher.launch(launched.content, launched)) }
  },
  terminated: async ({ launcher, nodes, acknowledged }) => {
    const launched = await launcher.launch()
    const end = async (): Promise<void> => {
      const { status, id } = await launcher.store(nodes[0]!, launched, 'http://adlnet.gov/expapi/verbs/terminated')
      if (status !== 200) throw new Error(`terminated: ${status}`)
      acknowledged.add(id)
    }
    return { launched, end }
  },
  disabled: async ({ launcher }) => {
    const client = await launcher.createClient()
    return { launched: await launcher.launch(undefined, { by: client }), end: () => client.disable() }
  },
  parent: async ({ launcher }) => {
    const client = await launcher.createClient()
    return { launched: await launcher.launch(undefined, { by: client }), end: () => client.delete() }
  },
}

async function endMany(proving: Proving, name: string): Promise<void> {
  const waits: number[] = []
  await inLanes(Number(options.tries), 4, async () => {
    const { launched, end } = await endings[name]!(proving)
    await proving.launcher.saveBookmark(proving.nodes[0]!, launched)
    let toBeUsed = proving.nodes.length
    let used = (): void => undefined
    const isUsed = new Promise<void>((resolve) => (used = resolve))
    let endedAt = Infinity
    const storing = proving.storeUntilRefused(launched, {
      isUsed: () => {
        if (--toBeUsed === 0) used()
      },
      isGivenUp: () => Date.now() > endedAt + patienceMs,
    })
    await Promise.race([isUsed, storing])
    if (toBeUsed > 0) proving.problems.push(`${name}: a new key was not taken everywhere`)
    await end()
    endedAt = Date.now()
    const waited = Math.max(0, (await storing) - endedAt)
    waits.push(waited)
    if (waited >= longestMs) proving.problems.push(`${name}: the key was taken for ${waited} ms`)
    // Who deleted the parent has nobody to launch with.
    if (name !== 'disabled' && name !== 'parent') proving.saved.push(launched)
  })
  const sorted = waits.toSorted((one, other) => one - other)
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0
  console.log(
    `  ${name}: ${waits.length} keys, taken after that was answered for ${at(0.5)} ms median, ${at(0.99)} ms for 99 %, ${at(1)} ms at most`,
  )
}

/** Used again and again it lasts, whichever node it is used at; left alone it ends, to the second. Seven minutes. */
async function endIdle(proving: Proving): Promise<void> {
  const { launcher, nodes, problems, acknowledged } = proving
  const content = await launcher.createContent({ idleSeconds })
  const keys = await Promise.all(Array.from({ length: 20 }, () => launcher.launch(content)))
  const storeAll = async (node: Target, expected: number, when: string): Promise<void> => {
    for (const launched of keys) {
      const { status, id } = await launcher.store(node, launched)
      if (status === 200) acknowledged.add(id)
      if (status !== expected) problems.push(`idle: ${status} in place of ${expected} ${when}`)
    }
  }
  for (const launched of keys) await launcher.saveBookmark(nodes[0]!, launched)
  await storeAll(nodes[0]!, 200, 'at the beginning')
  // A new key waits so long to be used; after that it lasts as it is used. The first node hears nothing of that.
  const usedSeconds = entranceSeconds + idleSeconds / 3
  for (let after = 0; after < usedSeconds; after += idleSeconds / 3) {
    await sleep((idleSeconds * 1000) / 3)
    await storeAll(nodes.at(-1)!, 200, `after ${after} s`)
  }
  await storeAll(nodes[0]!, 200, 'at the node that had heard nothing')
  await sleep(idleSeconds * 1000 + longestMs)
  for (const node of nodes) await storeAll(node, 401, 'a second after the end')
  proving.saved.push(...keys)
  console.log(`  idle: ${keys.length} keys, used for ${usedSeconds} s, then left alone for ${idleSeconds + 1} s`)
}

/** Used all the time, it ends all the same. */
async function endAbsolute(proving: Proving): Promise<void> {
  const { launcher, problems } = proving
  const content = await launcher.createContent({ absoluteSeconds })
  const over = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const launched = await launcher.launch(content)
      await launcher.saveBookmark(proving.nodes[0]!, launched)
      const isGivenUp = (): boolean => Date.now() > launched.expiresAt + patienceMs
      const last = await proving.storeUntilRefused(launched, { isGivenUp, pauseMs: 200 })
      proving.saved.push(launched)
      return last - launched.expiresAt
    }),
  )
  const [earliest, latest] = [Math.min(...over), Math.max(...over)]
  console.log(`  absolute: ${over.length} keys, taken last between ${-earliest} and ${-latest} ms before their end`)
  if (latest >= longestMs) problems.push(`absolute: a key was taken for ${latest} ms`)
  if (earliest < -5000) problems.push(`absolute: a key ended ${-earliest} ms early`)
}

async function prove(nodes: readonly StartedProgram[]): Promise<readonly string[]> {
  const proving = new Proving(nodes)
  const ends = options.ends.split(',')
  const waiting = [
    ...(ends.includes('absolute') ? [endAbsolute(proving)] : []),
    ...(ends.includes('idle') ? [endIdle(proving)] : []),
  ]
  const failing = Promise.all(waiting)
  failing.catch(() => undefined)
  for (const name of Object.keys(endings).filter((name) => ends.includes(name))) await endMany(proving, name)
  await failing
  await proving.checkStored()
  return proving.problems
}

/** `count` calls, `lanes` at a time. */
async function inLanes(count: number, lanes: number, work: () => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next++ < count) await work()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

async function proveAlone(): Promise<readonly string[]> {
  console.log('one program on SQLite')
  const program = await startProgram({ env: { CLAVIGER_TRUSTED_PROXIES: '127.0.0.1' } })
  try {
    return await keepingOutput(
      () => prove([program]),
      () => ({ 'program.log': program.output().stdout + program.output().stderr }),
    )
  } finally {
    await program.stop()
  }
}

await runProofs(
  'launch-ends.ts',
  {
    nodes: () =>
      withNodes({ nodes: 2 }, async (started) => {
        console.log('two nodes over one PostgreSQL')
        const problems = await prove(started.nodes)
        return [...problems, ...started.logProblems().map((line) => `the database logged ${line}`)]
      }),
    sqlite: proveAlone,
  },
  options.only,
)
