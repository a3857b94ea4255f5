// Where the program stores while it is measured: a SQLite file, or a fresh database each time on a PostgreSQL that syncs, which
// the bench starts itself or is given. Knows what either costs on disk.

import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import pg from 'pg'
import { startPostgres } from '../test/support/postgres.ts'
import { startProgram, type StartedProgram } from '../scripts/started-program.ts'

export interface BenchStore {
  /** Of PostgreSQL's server; undefined: SQLite. */
  readonly serverUrl: string | undefined
  /** On an empty store. */
  startProgram(dataDirectory: string): Promise<MeasuredProgram>
  /** URL of an empty database. */
  createDatabase(): Promise<string>
  end(): Promise<void>
}

export interface MeasuredProgram extends StartedProgram {
  /** What the store takes now. */
  bytesOnDisk(): Promise<number>
}

/** `which`: nothing for SQLite, `postgres`, or the URL of a server whose user may create databases. */
export async function openBenchStore(which: string | undefined): Promise<BenchStore> {
  if (which === undefined || which === 'sqlite') {
    return {
      serverUrl: undefined,
      startProgram: async (dataDirectory) => ({
        ...(await startProgram({ dataDirectory })),
        bytesOnDisk: () => bytesBelow(dataDirectory),
      }),
      createDatabase: () => Promise.reject(new Error('SQLite has no databases to create')),
      end: async () => {},
    }
  }
  const server = which === 'postgres' ? await startPostgres({ isDurable: true }) : undefined
  const serverUrl = server?.url ?? which
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  const names: string[] = []
  const create = async (): Promise<{ readonly name: string; readonly url: string }> => {
    const name = `claviger_bench_${process.pid}_${names.length}`
    await client.query(`create database ${name}`)
    names.push(name)
    const url = new URL(serverUrl)
    url.pathname = `/${name}`
    return { name, url: url.href }
  }
  return {
    serverUrl,
    async startProgram(dataDirectory) {
      const { name, url } = await create()
      const key = randomBytes(32).toString('base64')
      const env = { CLAVIGER_DATABASE_URL: url, CLAVIGER_MASTER_KEY: key }
      const program = await startProgram({ dataDirectory, env })
      const size = async (): Promise<number> => {
        const { rows } = await client.query<{ size: string }>('select pg_database_size($1) as size', [name])
        return Number(rows[0]?.size)
      }
      // The server's own catalogs are 8 MB in every database.
      const empty = await size()
      return { ...program, bytesOnDisk: async () => (await size()) - empty }
    },
    createDatabase: async () => (await create()).url,
    async end() {
      for (const name of names) await client.query(`drop database ${name} with (force)`)
      await client.end()
      await server?.stop()
    },
  }
}

async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
