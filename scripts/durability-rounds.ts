// kill -9 under load, round after round, and what must hold after each: every acknowledged statement and credential is
// there, no batch is there in part, SQLite's integrity check is clean, the audit chain verifies.
// Killing a process proves nothing about syncing (the system keeps its pages): that is durability-syscalls.ts.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import { benchStatement } from '../bench/statement.ts'
import { entry, startProgram, type StartedProgram } from './started-program.ts'

export interface RoundsOptions {
  readonly rounds: number
  readonly connections: number
  /** Called after each round. */
  readonly tell?: (round: RoundReport) => void
}

export interface RoundReport {
  readonly round: number
  readonly killedAfterMs: number
  readonly acknowledged: number
  /** Stored, but the answer did not arrive any more; allowed. */
  readonly unacknowledged: number
  readonly credentials: number
  readonly problems: readonly string[]
}

const marker = 'https://claviger.example.org/durability/batch'
const batchSizes = [1, 1, 1, 5, 50] as const

interface Acknowledged {
  readonly statements: Map<string, string>
  readonly keys: Set<string>
}

export async function runRounds({ rounds, connections, tell }: RoundsOptions): Promise<RoundReport[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'claviger-kill-'))
  const dataDirectory = path.join(directory, 'data')
  const reports: RoundReport[] = []
  const all: Acknowledged = { statements: new Map(), keys: new Set() }
  let program = await startProgram({ dataDirectory })
  try {
    for (let round = 1; round <= rounds; round++) {
      const killAfterMs = 150 + Math.floor(Math.random() * 850)
      const load = startLoad(program, connections)
      await load.warm
      await sleep(killAfterMs)
      const killed = program.kill()
      const acknowledged = await load.end()
      await killed
      const problems = await integrityProblems(dataDirectory, path.join(directory, 'copy'))
      program = await startProgram({ dataDirectory })
      for (const [id, batch] of acknowledged.statements) all.statements.set(id, batch)
      for (const key of acknowledged.keys) all.keys.add(key)
      const present = await listStatements(program, round === rounds ? undefined : load.startedAt)
      problems.push(...statementProblems(round === rounds ? all : acknowledged, present))
      problems.push(...(await credentialProblems(program, all.keys)), ...(await auditProblems(dataDirectory)))
      const report = {
        round,
        killedAfterMs: killAfterMs,
        acknowledged: acknowledged.statements.size,
        unacknowledged: present.size - (round === rounds ? all : acknowledged).statements.size,
        credentials: acknowledged.keys.size,
        problems,
      }
      reports.push(report)
      tell?.(report)
    }
    return reports
  } finally {
    await program.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

interface Load {
  readonly startedAt: Date
  /** Resolves with the first acknowledged statement. */
  readonly warm: Promise<void>
  /** Stops asking; what was acknowledged. */
  end(): Promise<Acknowledged>
}

function startLoad(program: StartedProgram, connections: number): Load {
  const acknowledged: Acknowledged = { statements: new Map(), keys: new Set() }
  let isEnding = false
  let warmed = (): void => undefined
  const warm = new Promise<void>((resolve) => (warmed = resolve))
  const headers = { ...program.headers, 'content-type': 'application/json' }

  const lane = async (number: number): Promise<void> => {
    for (let turn = 0; !isEnding; turn++) {
      const size = batchSizes[(turn + number) % batchSizes.length] ?? 1
      const batch = `${randomUUID()}/${size}`
      const body = Array.from({ length: size }, (_, index) => marked(batch, number * 100_000 + turn * 50 + index))
      const isPut = size === 1 && turn % 2 === 0
      const url = `${program.url}/xapi/statements${isPut ? `?statementId=${body[0]?.id}` : ''}`
      const request = { method: isPut ? 'PUT' : 'POST', headers, body: JSON.stringify(isPut ? body[0] : body) }
      const response = await fetch(url, request)
      // The status line is the acknowledgement: what it says must survive even if the rest never arrives.
      if (response.status !== 200 && response.status !== 204)
        throw new Error(`${response.status} ${await response.text()}`)
      for (const { id } of body) acknowledged.statements.set(id, batch)
      warmed()
      await response.arrayBuffer().catch(() => undefined)
    }
  }
  const credentialLane = async (): Promise<void> => {
    while (!isEnding) {
      const key = randomUUID()
      const body = JSON.stringify({ name: 'Made under load', key, lrsAccess: 'isolated' })
      const response = await fetch(providers(program), { method: 'POST', headers, body })
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      acknowledged.keys.add(key)
      await response.arrayBuffer().catch(() => undefined)
      await sleep(40)
    }
  }
  const untilKilled = (lane: Promise<void>): Promise<void> =>
    lane.catch((error: unknown) => {
      // fetch fails with a TypeError when the server is gone; anything else is an answer it should not have given.
      if (!(error instanceof TypeError)) throw error
    })
  const lanes = Promise.all([
    ...Array.from({ length: connections }, (_, number) => untilKilled(lane(number))),
    untilKilled(credentialLane()),
  ])
  return {
    startedAt: new Date(Date.now() - 1000),
    warm: Promise.race([warm, lanes.then(() => undefined)]),
    end: async () => {
      isEnding = true
      await lanes
      return acknowledged
    },
  }
}

function marked(batch: string, number: number) {
  const statement = benchStatement(number)
  return { id: randomUUID(), ...statement, context: { ...statement.context, extensions: { [marker]: batch } } }
}

function providers(program: StartedProgram): string {
  return `${program.url}/api/organizations/1/activity-providers`
}

/** On a copy: opening the files themselves would repair what the program is to repair. */
async function integrityProblems(dataDirectory: string, copy: string): Promise<string[]> {
  await rm(copy, { recursive: true, force: true })
  await cp(dataDirectory, copy, { recursive: true, filter: (source) => !source.endsWith('.sock') })
  const names = (await readdir(copy, { recursive: true })).filter((name) => /\.(db|sqlite3?)$/.test(name))
  if (names.length === 0) return [`no database file in ${dataDirectory}`]
  const problems: string[] = []
  for (const name of names) {
    const database = new Database(path.join(copy, name))
    const rows = database.pragma('integrity_check') as { integrity_check: string }[]
    database.close()
    for (const row of rows) if (row.integrity_check !== 'ok') problems.push(`${name}: ${row.integrity_check}`)
  }
  await rm(copy, { recursive: true, force: true })
  return problems
}

interface Page {
  readonly statements: readonly {
    readonly id: string
    readonly context?: { readonly extensions?: Record<string, string> }
  }[]
  readonly more?: string
}

/** Marker of every statement stored after `since`, by id. */
async function listStatements(program: StartedProgram, since: Date | undefined): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let next = `/xapi/statements?ascending=true&limit=0${since === undefined ? '' : `&since=${since.toISOString()}`}`
  while (next !== '') {
    const response = await fetch(new URL(next, program.url), { headers: program.headers })
    if (response.status !== 200) throw new Error(`list: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as Page
    for (const { id, context } of page.statements) {
      const batch = context?.extensions?.[marker]
      if (batch !== undefined) found.set(id, batch)
    }
    next = page.more ?? ''
  }
  return found
}

function statementProblems(acknowledged: Acknowledged, present: ReadonlyMap<string, string>): string[] {
  const problems: string[] = []
  for (const [id, batch] of acknowledged.statements) {
    if (!present.has(id)) problems.push(`acknowledged, but missing: ${id} of ${batch}`)
    else if (present.get(id) !== batch) problems.push(`${id}: stored as ${present.get(id)}, sent as ${batch}`)
  }
  const perBatch = new Map<string, number>()
  for (const batch of present.values()) perBatch.set(batch, (perBatch.get(batch) ?? 0) + 1)
  for (const [batch, count] of perBatch) {
    if (count !== Number(batch.split('/')[1])) problems.push(`batch ${batch}: ${count} of its statements are there`)
  }
  return problems
}

async function credentialProblems(program: StartedProgram, keys: ReadonlySet<string>): Promise<string[]> {
  const present = new Set<string>()
  for (let offset = 0, count = 1; offset < count; offset += 1000) {
    const url = `${providers(program)}?_limit=1000&_offset=${offset}`
    const response = await fetch(url, { headers: program.headers })
    if (response.status !== 200) throw new Error(`credentials: ${response.status} ${await response.text()}`)
    const page = (await response.json()) as { count: number; results: { key: string }[] }
    count = page.count
    for (const { key } of page.results) present.add(key)
  }
  return [...keys].filter((key) => !present.has(key)).map((key) => `acknowledged, but missing: credential ${key}`)
}

async function auditProblems(dataDirectory: string): Promise<string[]> {
  try {
    await promisify(execFile)(process.execPath, [entry, 'audit', 'verify'], {
      env: { ...process.env, CLAVIGER_DATA: dataDirectory },
    })
    return []
  } catch (error) {
    return [`audit verify: ${error instanceof Error ? error.message : String(error)}`]
  }
}
