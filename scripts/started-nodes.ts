// Several started programs over one PostgreSQL that syncs as a real one does, for the proofs that concern more than one node.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { type PostgresServer, type ServerSettings, startPostgres } from '../test/support/postgres.ts'
import { removeAtExit } from './leftovers.ts'
import { startProgram, type StartedProgram } from './started-program.ts'

export interface StartedNodes {
  readonly server: PostgresServer
  /** Those that are running; another in the place of one that was restarted. */
  readonly nodes: readonly StartedProgram[]
  /** kill -9, and another in its place. */
  restart(index: number): Promise<void>
  /** One question to the database, beside the nodes. */
  ask<Row extends object>(sql: string): Promise<readonly Row[]>
  /** What the server has logged that nobody would want to read in production. */
  logProblems(): readonly string[]
  end(): Promise<void>
}

export interface NodesOptions extends ServerSettings {
  readonly nodes?: number
  readonly env?: Readonly<Record<string, string>>
  /** What is done in the empty database before there are nodes. */
  readonly prepare?: (url: string) => Promise<void>
}

export async function startNodes({
  nodes: count = 2,
  env = {},
  prepare,
  ...settings
}: NodesOptions = {}): Promise<StartedNodes> {
  const directory = settings.directory ?? mkdtempSync(path.join(tmpdir(), 'claviger-nodes-'))
  const nodes: StartedProgram[] = []
  // The server ends with this process by itself.
  const isGone = removeAtExit(() => {
    for (const node of nodes) node.process.kill('SIGKILL')
    for (const place of [directory, ...nodes.map(({ dataDirectory }) => dataDirectory)]) {
      rmSync(place, { recursive: true, force: true })
    }
  })
  const server = await startPostgres({ isDurable: true, ...settings, directory })
  const end = async (): Promise<void> => {
    await Promise.allSettled(nodes.map(stopSurely))
    await server.stop()
    isGone()
  }
  const shared = {
    CLAVIGER_DATABASE_URL: server.url,
    CLAVIGER_MASTER_KEY: randomBytes(32).toString('base64'),
    CLAVIGER_BASE_URL: 'http://lrs.example.org',
    CLAVIGER_TRUSTED_PROXIES: '127.0.0.1',
    ...env,
  }
  const start = () => startProgram({ env: shared })
  try {
    await prepare?.(server.url)
    // One after the other: the first makes the first credential.
    for (let index = 0; index < count; index++) nodes.push(await start())
  } catch (error) {
    await end()
    throw error
  }
  return {
    server,
    nodes,
    async restart(index) {
      await nodes[index]?.kill()
      // Which removes what it left behind.
      await nodes[index]?.stop()
      nodes[index] = await start()
    },
    ask: (sql) => ask(server.url, sql),
    logProblems: () => problemsIn(server.log),
    end,
  }
}

/** One that does not stop when it is told to must not keep the others. */
async function stopSurely(node: StartedProgram): Promise<void> {
  const timer = setTimeout(() => node.process.kill('SIGKILL'), 60_000)
  await node.stop().finally(() => clearTimeout(timer))
}

async function ask<Row extends object>(url: string, sql: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Each with the statement it is about, which the server logs behind it. */
function problemsIn(log: readonly string[]): readonly string[] {
  const lines = log.join('').split('\n')
  return lines.flatMap((line, index) => {
    // Connections are cut by proofs too.
    if (!/deadlock|PANIC|ERROR|FATAL(?!.*administrator command)/i.test(line)) return []
    const statement = lines.slice(index + 1, index + 4).find((next) => next.includes('STATEMENT:'))
    return [`${line} ${statement?.replace(/^.*STATEMENT:\s*/, '').slice(0, 150) ?? ''}`]
  })
}
