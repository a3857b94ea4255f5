// `npm run build && npx tsx scripts/export-import.ts [--statements 2000] [--only sqlite,postgres]`: an installation with something of
// everything is exported by the program, imported by the program into an empty one on the other
// engine, and from there back into an empty one on the first; every resource of each is compared with the first one, through core and
// through xAPI with every key. Fails on any difference. Says how long each step took, and how much memory the importing program had.

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { createCore } from '../src/core/core.ts'
import type { Core } from '../src/core/core.ts'
import { BlobDirectory } from '../src/storage/blobs/directory.ts'
import { openPostgres } from '../src/storage/postgres/index.ts'
import { openSqlite } from '../src/storage/sqlite/index.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { canonical, differences, fillWorld, tellWorld, worldOptions } from '../test/support/portable-world.ts'
import type { World } from '../test/support/portable-world.ts'

const { values: options } = parseArgs({
  options: { statements: { type: 'string', default: '2000' }, only: { type: 'string', default: 'sqlite,postgres' } },
})

type Engine = 'sqlite' | 'postgres'
const engines: readonly Engine[] = ['sqlite', 'postgres']
const root = mkdtempSync(join(tmpdir(), 'claviger-export-import-'))
const passphrase = join(root, 'passphrase')
const program = new URL('../dist/cli/main.js', import.meta.url).pathname
const server = await startPostgres()
let databases = 0

interface Installation {
  readonly env: Readonly<Record<string, string>>
  /** The store, opened in this process; nobody else has it open meanwhile. */
  open(): Promise<Core>
}

async function empty(engine: Engine, name: string): Promise<Installation> {
  const directory = join(root, name)
  const masterKey = Buffer.alloc(32, name.charCodeAt(0))
  const database = engine === 'postgres' ? await createDatabase() : undefined
  const env = {
    CLAVIGER_DATA: directory,
    CLAVIGER_MASTER_KEY: masterKey.toString('base64'),
    CLAVIGER_BASE_URL: worldOptions.baseUrl,
    ...(database && { CLAVIGER_DATABASE_URL: database }),
  }
  const clock = { now: () => Date.now() }
  const openPlace = async () => new BlobDirectory({ path: join(directory, 'blobs'), clock, isShared: true })
  return {
    env,
    async open() {
      const storage = database
        ? await openPostgres({ url: database, connections: 5, openPlace })
        : await openSqlite({ directory, threads: 'workers' })
      return createCore({ ...worldOptions, storage, masterKey })
    },
  }
}

/** Its address. */
async function createDatabase(): Promise<string> {
  const url = new URL(server.url)
  const client = new pg.Client(server.url)
  await client.connect()
  url.pathname = `/moved_${++databases}`
  await client.query(`create database moved_${databases}`)
  await client.end()
  return url.href
}

/** Runs a command of the program; what it printed, how long it took, and the most memory it had, in megabytes. */
async function command(env: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<string> {
  const begun = performance.now()
  const child = spawn(process.execPath, [program, ...words, '--quiet'], { env: { ...process.env, ...env } })
  let most = 0
  const watch = setInterval(() => {
    try {
      const [, kilobytes = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      most = Math.max(most, Number(kilobytes) / 1024)
    } catch {
      // Gone, or no Linux.
    }
  }, 50)
  let text = ''
  child.stdout.on('data', (piece) => void (text += String(piece)))
  child.stderr.on('data', (piece) => void (text += String(piece)))
  const exit = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearInterval(watch)
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  process.stdout.write(`${words.slice(0, 2).join(' ')}: ${seconds} s, ${Math.round(most)} MB\n`)
  if (exit !== 0) throw new Error(`${words.join(' ')} ended with ${exit}:\n${text}`)
  return text
}

async function withCore<T>(installation: Installation, work: (core: Core) => Promise<T>): Promise<T> {
  const core = await installation.open()
  try {
    return await work(core)
  } finally {
    await core.close()
  }
}

/** There, and back. */
async function prove(first: Engine): Promise<void> {
  const second = engines.find((engine) => engine !== first)!
  process.stdout.write(`\n${first} to ${second} and back\n`)
  const origin = await empty(first, `a-${first}`)
  const world = await withCore(origin, (core) => fillWorld(core, Number(options.statements)))
  const told = await withCore(origin, (core) => tellWorld(core, world, 1))
  process.stdout.write(`${told.size} answers, ${world.pairs.length} keys\n`)
  let [source, number] = [origin, 0]
  for (const engine of [second, first]) {
    const to = join(root, `export-${first}-${++number}`)
    await command(source.env, 'export', '--to', to, '--passphrase-file', passphrase, '--gzip', '--csv')
    const target = await empty(engine, `${number === 1 ? 'b' : 'c'}-${first}`)
    process.stdout.write(await command(target.env, 'import', 'claviger', to, '--new', '--passphrase-file', passphrase))
    await compare(told, target, world)
    source = target
  }
}

async function compare(told: ReadonlyMap<string, unknown>, target: Installation, world: World): Promise<void> {
  const found = await withCore(target, (core) => tellWorld(core, world, 1))
  const names = differences(told, found)
  for (const name of names.slice(0, 10)) {
    process.stdout.write(`${name}\n  ${canonical(told.get(name))}\n  ${canonical(found.get(name))}\n`)
  }
  if (names.length > 0) throw new Error(`${names.length} of ${told.size} answers differ.`)
  process.stdout.write(`all ${found.size} answers are the same\n`)
}

try {
  writeFileSync(passphrase, 'a passphrase of several words\n', { mode: 0o600 })
  for (const first of engines) if (options.only.split(',').includes(first)) await prove(first)
} finally {
  await server.stop()
  rmSync(root, { recursive: true, force: true })
}
