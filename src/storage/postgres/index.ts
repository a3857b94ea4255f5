// Opens the PostgreSQL adapter of the storage port: any number of processes over one database, each without state that the
// others would have to know. Knows nothing of HTTP or of the use cases.

import { Blobs } from '../blobs/store.ts'
import { claimPlace, newStoreId, storeId } from '../blobs/owner.ts'
import { Database } from './database.ts'
import { DomainError } from '../../core/errors.ts'
import { DirectoryChanges } from './directory-changes.ts'
import { Documents } from './documents.ts'
import { ExportReader } from '../exports.ts'
import { NodeHolds } from './blob-holds.ts'
import { Erasures } from './erasures.ts'
import { erasureSql } from './erasure-sql.ts'
import { Statements } from './statements.ts'
import {
  directory,
  erasures,
  imports,
  launches,
  platform,
  signInReads,
  singleReads,
  writes,
} from '../directory/index.ts'
import { checkSchema, checkServer, migrate } from './migrate.ts'
import { copyMark, refuseUnfinished } from '../copy/unfinished.ts'
import { migrations } from '../migrations/index.ts'
import { findRisks } from './durability.ts'
import { importsOf } from './imports.ts'
import { lockClass } from './locks.ts'
import { newReadGate } from './shares.ts'
import { Nodes } from './nodes.ts'
import { startError } from './start-error.ts'
import type { Gate } from '../../core/gate.ts'
import type {
  Clock,
  DirectoryListener,
  DirectoryStore,
  DocumentStore,
  ErasureStore,
  ExportStore,
  ImportStore,
  LaunchStore,
  NodeStore,
  PlatformStore,
  Sealed,
  StatementStore,
  Storage,
} from '../../core/storage.ts'
import type { DatabaseOptions } from './database.ts'
import type { Concerns, Db } from '../directory/index.ts'
import type { ChangesOptions } from './directory-changes.ts'
import type { BlobPlace } from '../blobs/place.ts'
import type { BlobRows } from '../blobs/store.ts'

export interface PostgresOptions extends DatabaseOptions, Pick<ChangesOptions, 'onCutOff' | 'onBack'> {
  /** False: a database that is not at this program's schema is refused. True unless given. */
  readonly mayMigrate?: boolean
  /** Told, once it is open, of each setting of the server with which what is acknowledged may not be on disk. */
  readonly onRisk?: (risk: string) => void
  /** For tests: false finds out what other nodes change by asking only. */
  readonly listens?: boolean
  /** For tests; unless given the clock of the database counts, which all nodes share. */
  readonly clock?: Clock
  /** Where bytes are kept, for every node the same. Called once the database is there. */
  readonly openPlace: () => Promise<BlobPlace>
  /** Throws when the store with this check value is sealed with another master key; then nothing was changed in it. */
  readonly checkKey?: (check: Sealed) => void
}

export async function openPostgres(options: PostgresOptions): Promise<Storage> {
  const database = new Database(options)
  const { listens = true, onCutOff, onBack } = options
  const changes = new DirectoryChanges({ connect: () => database.newClient(), listens, onCutOff, onBack })
  try {
    await prepare(database, options)
    await changes.open()
    if (options.onRisk) (await findRisks(database)).forEach(options.onRisk)
  } catch (error) {
    await database.close()
    throw startError(error, options.url)
  }
  try {
    return new PostgresStorage({ database, changes, place: await openOwnPlace(database, options) }, options)
  } catch (error) {
    await changes.close()
    await database.close()
    throw error
  }
}

async function prepare(database: Database, options: PostgresOptions): Promise<void> {
  await checkServer(database)
  await checkKey(database, options)
  await (options.mayMigrate === false ? checkSchema(database, migrations) : migratePatiently(options))
  const findValue = 'select value from platform_value where name = $1'
  const [mark] = await database.query<{ readonly value: string }>(findValue, [copyMark])
  refuseUnfinished(mark?.value)
}

/** Before a migration, of which there may be none yet. */
async function checkKey(database: Database, options: PostgresOptions): Promise<void> {
  const made = await database.query<{ readonly name: string | null }>(`select to_regclass('platform_value') as name`)
  if (made[0]?.name == null) return
  const find = `select value from platform_value where name = 'key-check'`
  const [row] = await database.query<{ readonly value: Sealed }>(find)
  if (row !== undefined) options.checkKey?.(row.value)
}

/** The place of bytes, once it is known to be this store's. */
async function openOwnPlace(database: Database, { openPlace, url }: PostgresOptions): Promise<BlobPlace> {
  const place = await openPlace()
  try {
    const { host, pathname } = new URL(url)
    return await claimPlace(place, { ...(await findStore(database)), name: `postgres://${host}${pathname}` })
  } catch (error) {
    place.close()
    throw error
  }
}

/** With the id it has, or gets now from the first node. Whatever is stored belongs to an organisation. */
async function findStore(database: Database): Promise<{ readonly id: string; readonly hasData: boolean }> {
  const select = `select value as id, exists (select 1 from organisation) as "hasData" from platform_value where name = $1`
  const find = () => database.query<{ readonly id: string; readonly hasData: boolean }>(select, [storeId])
  const [found] = await find()
  if (found !== undefined) return found
  const insert = 'insert into platform_value (name, value) values ($1, $2) on conflict (name) do nothing'
  await database.query(insert, [storeId, newStoreId()])
  const [made] = await find()
  if (made === undefined) throw new Error('the store has no id')
  return made
}

/** On a connection for which statements, and waiting for a node that migrates, take as long as they take. */
async function migratePatiently(options: PostgresOptions): Promise<void> {
  const database = new Database({ ...options, connections: 1, statementTimeoutMs: 24 * 3_600_000 })
  try {
    await migrate(database, migrations)
  } finally {
    await database.close()
  }
}

const wallClock: Clock = { now: () => Date.now() }

/** What a write begins with where it must not meet others, which the rows it changes do not see to. */
const openings: ReadonlyMap<string, string> = new Map([
  ['platform.createOrganisation', `select pg_advisory_xact_lock_shared(${lockClass.masterKey}, 0)`],
  ['platform.rewrapKeys', `select pg_advisory_xact_lock(${lockClass.masterKey}, 0)`],
])

type Operation = (db: Db, ...args: unknown[]) => Promise<unknown>

/** Of the halves that are not made of `directory`: what may read much, or for long. */
const reads: ReadonlySet<string> = new Set([
  'statements.find',
  'statements.list',
  'statements.follow',
  'statements.listDescriptions',
  'documents.find',
  'documents.listIds',
  'erasures.count',
  'erasures.findAlike',
  'erasures.isErased',
  'exports.listStatements',
  'exports.listDocuments',
])

/** Answered at once. */
const asksNothing: ReadonlySet<string> = new Set(['imports.newPart'])

interface Parts {
  readonly database: Database
  readonly changes: DirectoryChanges
  readonly place: BlobPlace
}

function exportsOf(database: Database): ExportStore {
  const read = <T>(work: (reader: ExportReader) => Promise<T>): Promise<T> =>
    database.transact('read', (transaction) => work(new ExportReader(erasureSql(transaction))))
  return {
    listStatements: (...args) => read((reader) => reader.listStatements(...args)),
    listDocuments: (...args) => read((reader) => reader.listDocuments(...args)),
  }
}

class PostgresStorage implements Storage {
  readonly platform: PlatformStore
  readonly directory: DirectoryStore
  readonly launches: LaunchStore
  readonly statements: StatementStore
  readonly documents: DocumentStore
  readonly blobs: Blobs
  readonly erasures: ErasureStore
  readonly exports: ExportStore
  readonly imports: ImportStore
  readonly nodes: NodeStore
  readonly #database: Database
  readonly #changes: DirectoryChanges
  readonly #reads: Gate
  readonly #open = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor({ database, changes, place }: Parts, { clock }: PostgresOptions) {
    this.#database = database
    this.#changes = changes
    this.#reads = newReadGate(database.connections)
    this.platform = this.#half('platform', platform) as unknown as PlatformStore
    this.directory = this.#half('directory', directory) as unknown as DirectoryStore
    this.launches = this.#half('launches', launches) as unknown as LaunchStore
    const statements = new Statements(database, clock)
    const documents = new Documents(database, clock)
    this.statements = this.#whileOpen('statements', statements)
    this.documents = this.#whileOpen('documents', documents)
    const rows: BlobRows = {
      findReferenced: (lrsId, sha2s) => documents.findReferenced(lrsId, sha2s),
      holds: new NodeHolds(database),
    }
    this.blobs = new Blobs({ place, rows, clock: clock ?? wallClock })
    const jobs = this.#half('erasures', erasures) as unknown as ErasureStore
    this.erasures = this.#whileOpen('erasures', new Erasures({ database, changes, jobs, statements, documents }))
    const imported = this.#half('imports', imports) as unknown as ImportStore
    this.imports = this.#whileOpen('imports', importsOf({ database, jobs: imported, statements }))
    this.exports = this.#whileOpen('exports', exportsOf(database))
    this.nodes = new Nodes(database, changes)
  }

  #half(name: string, operations: object): Record<string, unknown> {
    const entries = Object.entries(operations as Record<string, Operation>)
    return Object.fromEntries(
      entries.map(([operation, run]) => [operation, this.#operation(`${name}.${operation}`, run)]),
    )
  }

  #operation(method: string, run: Operation) {
    return (...args: unknown[]): Promise<unknown> => this.#accept(() => this.#run(method, run, args))
  }

  /** The same store, but that reads are in their share, and nothing new is accepted once everything is closing. */
  #whileOpen<Store extends object>(half: string, store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function' || asksNothing.has(`${half}.${String(name)}`)) return member
        const call = (...args: unknown[]) => member.apply(target, args) as Promise<unknown>
        if (!reads.has(`${half}.${String(name)}`)) return (...args: unknown[]) => this.#accept(() => call(...args))
        return (...args: unknown[]) => this.#accept(() => this.#reads.pass(() => call(...args)))
      },
    })
  }

  async #accept(work: () => Promise<unknown>): Promise<unknown> {
    if (this.#closing !== undefined) throw new DomainError('unavailable', 'The store is closing.')
    const answer = work()
    this.#open.add(answer)
    try {
      return await answer
    } finally {
      this.#open.delete(answer)
    }
  }

  #run(method: string, run: Operation, args: readonly unknown[]): Promise<unknown> {
    const concerns = writes.get(method)
    if (concerns !== undefined) return this.#write(run, args, { concerns, opening: openings.get(method) })
    const read = (): Promise<unknown> =>
      singleReads.has(method)
        ? this.#database.ask((kysely) => run(kysely, ...args))
        : this.#database.transact('read', ({ kysely }) => run(kysely, ...args))
    return signInReads.has(method) ? read() : this.#reads.pass(read)
  }

  // Where nobody knows whether it was committed, this node finds out as the others do.
  async #write(
    run: Operation,
    args: readonly unknown[],
    { concerns, opening }: { readonly concerns: Concerns; readonly opening: string | undefined },
  ): Promise<unknown> {
    const { result, ids, by } = await this.#database.transact(
      'write',
      async (transaction) => {
        const made = await run(transaction.kysely, ...args)
        const concerned = concerns(args, made)
        const noted = concerned.length === 0 ? 0n : await this.#changes.note(transaction, concerned)
        return { result: made, ids: concerned, by: noted }
      },
      opening,
    )
    this.#changes.tell(ids, by)
    return result
  }

  load(): Readonly<Record<string, number>> {
    return this.#database.load()
  }

  onDirectoryChange(listener: DirectoryListener): () => void {
    return this.#changes.onChange(listener)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.blobs.close()
    await Promise.allSettled(this.#open)
    await this.#changes.close()
    await this.#database.close()
  }
}
