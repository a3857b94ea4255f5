// Opens the PostgreSQL adapter of the storage port: any number of processes over one database, each without state that the
// others would have to know. Knows nothing of HTTP or of the use cases.

import { Database } from './database.ts'
import { DomainError } from '../../core/errors.ts'
import { Documents } from './documents.ts'
import { Erasures } from './erasures.ts'
import { Statements } from './statements.ts'
import { directory, erasures, platform, writes } from '../directory/index.ts'
import { checkSchema, checkServer, migrate } from './migrate.ts'
import { migrations } from '../migrations/index.ts'
import { startError } from './start-error.ts'
import type { BlobStore, Clock, DirectoryStore, ErasureStore, PlatformStore, Storage } from '../../core/storage.ts'
import type { DatabaseOptions } from './database.ts'
import type { Db } from '../directory/index.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'

export interface PostgresOptions extends DatabaseOptions {
  /** False: a database that is not at this program's schema is refused. True unless given. */
  readonly mayMigrate?: boolean
  /** For tests; unless given the clock of the database counts, which all nodes share. */
  readonly clock?: Clock
  /** Where bytes are kept; asks which of them rows refer to. */
  readonly openBlobs: (rows: BlobRows) => BlobStore & { close(): Promise<void> }
}

/** What a blob store asks of the store that has the rows. */
export interface BlobRows {
  findReferenced(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]>
}

export async function openPostgres(options: PostgresOptions): Promise<Storage> {
  const database = new Database(options)
  try {
    await prepare(database, options)
    return new PostgresStorage(database, options)
  } catch (error) {
    await database.close()
    throw startError(error, options.url)
  }
}

async function prepare(database: Database, { mayMigrate = true }: PostgresOptions): Promise<void> {
  await checkServer(database)
  await (mayMigrate ? migrate(database, migrations) : checkSchema(database, migrations))
}

type Listener = (organisationId: OrganisationId) => void

class PostgresStorage implements Storage {
  readonly platform: PlatformStore
  readonly directory: DirectoryStore
  readonly statements: Statements
  readonly documents: Documents
  readonly blobs: ReturnType<PostgresOptions['openBlobs']>
  readonly erasures: ErasureStore
  readonly #database: Database
  readonly #listeners = new Set<Listener>()
  readonly #open = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(database: Database, { clock, openBlobs }: PostgresOptions) {
    this.#database = database
    this.platform = this.#half('platform', platform) as unknown as PlatformStore
    this.directory = this.#half('directory', directory) as unknown as DirectoryStore
    this.statements = new Statements(database, clock)
    this.documents = new Documents(database, clock)
    this.blobs = openBlobs({ findReferenced: (lrsId, sha2s) => this.documents.findReferenced(lrsId, sha2s) })
    this.erasures = new Erasures(database, this.#half('erasures', erasures) as unknown as ErasureStore)
  }

  #half(name: string, operations: object): Record<string, unknown> {
    const entries = Object.entries(operations as Record<string, (db: Db, ...args: unknown[]) => Promise<unknown>>)
    return Object.fromEntries(
      entries.map(([operation, run]) => [operation, this.#operation(`${name}.${operation}`, run)]),
    )
  }

  #operation(method: string, run: (db: Db, ...args: unknown[]) => Promise<unknown>) {
    const concerns = writes.get(method)
    return async (...args: unknown[]): Promise<unknown> => {
      if (this.#closing !== undefined) throw new DomainError('unavailable', 'The store is closing.')
      const kind = concerns === undefined ? 'read' : 'write'
      const answer = this.#database.transact(kind, ({ kysely }) => run(kysely, ...args))
      this.#open.add(answer)
      try {
        const result = await answer
        for (const organisationId of concerns?.(args, result) ?? []) this.#tell(organisationId)
        return result
      } finally {
        this.#open.delete(answer)
      }
    }
  }

  #tell(organisationId: OrganisationId): void {
    for (const listener of this.#listeners) listener(organisationId)
  }

  onDirectoryChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  load(): Readonly<Record<string, number>> {
    return this.#database.load()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.blobs.close()
    await Promise.allSettled(this.#open)
    await this.#database.close()
  }
}
