// Opens the SQLite adapter of the storage port. Owns the data directory's lock and the choice between a writer and a reader
// worker, or the same engine in this thread. Knows nothing of HTTP or of the use cases.

import { BlobDirectory } from '../blobs/directory.ts'
import { Blobs } from '../blobs/store.ts'
import { claimPlace, newStoreId, refuseTaken, storeId } from '../blobs/owner.ts'
import { Documents } from './documents.ts'
import { DomainError, isDomainError } from '../../core/errors.ts'
import { MemoryHolds } from '../blobs/holds.ts'
import { InlineClient, WorkerClient } from './engine-client.ts'
import { Reader } from './reader.ts'
import { Statements } from './statements.ts'
import { Writer } from './writer.ts'
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { copyMark, refuseUnfinished } from '../copy/unfinished.ts'
import { peek } from './peek.ts'
import { refuseBackup } from '../copy/backup-directory.ts'
import { directory, erasures, imports, launches, platform, writes } from '../directory/index.ts'
import { join, resolve } from 'node:path'
import { erasuresOf } from './erasures.ts'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrate.ts'
import { migrations } from '../migrations/index.ts'
import { OnlyNode } from './only-node.ts'
import { openReader, openWriter } from './connection.ts'
import { open } from './handle.ts'
import { Holds } from './holds.ts'
import { importsOf, readHolds } from './imports.ts'
import { readAnnounced, saveAnnounced } from './announced-time.ts'
import { toDomainError } from './driver-error.ts'
import type {
  Clock,
  DirectoryListener,
  DirectoryStore,
  ErasureStore,
  ImportStore,
  ExportStore,
  LaunchStore,
  PlatformStore,
  Sealed,
  Storage,
} from '../../core/storage.ts'
import type { Store } from '../blobs/owner.ts'
import type { BlobPlace } from '../blobs/place.ts'
import type { BlobRows } from '../blobs/store.ts'
import type { Handle } from './handle.ts'
import type { EngineClient } from './engine-client.ts'
import type { OrganisationId } from '../../core/ids.ts'

/**
 * `workers`: a writer worker and a reader worker. `inline`: the same engine in this thread, for the CLI and quick tests. `writer`: a
 * worker that writes, for what stores much and reads little, in less memory.
 */
export type Threads = 'workers' | 'writer' | 'inline'

export interface SqliteOptions {
  /** Holds `claviger.db`; created when missing. One process at a time. */
  readonly directory: string
  readonly threads: Threads
  readonly clock?: Clock
  /** Where bytes are kept; the directory's own `blobs` unless given. Called once the directory is known to be this process' own. */
  readonly openPlace?: () => Promise<BlobPlace>
  /** Throws when the store with this check value is sealed with another master key; then nothing was changed in it. */
  readonly checkKey?: (check: Sealed) => void
  /**
   * Called once when a part of the store has ended unasked (a defect, no memory): from then on calls are refused for ever, and
   * the process should end. What was committed is on disk; the next start finds it.
   */
  readonly onFailure?: (cause: unknown) => void
}

const wallClock: Clock = { now: () => Date.now() }

export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  const { directory, clock = wallClock } = options
  const folder = resolve(directory)
  const path = join(folder, 'claviger.db')
  refuseBackup(folder)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const unlock = lockDirectory(folder)
    try {
      const check = peek(path)
      if (check !== undefined) options.checkKey?.(check)
      const unclaimed = await (options.openPlace?.() ?? new BlobDirectory({ path: join(folder, 'blobs'), clock }))
      const prepared = await prepare(path, unclaimed)
      return new SqliteStorage({ path, lanes: openLanes(path, options), clock, ...prepared, unlock })
    } catch (error) {
      unlock()
      throw error
    }
  } catch (cause) {
    if (isDomainError(cause)) throw cause
    throw new DomainError(toDomainError(cause).code, `The data directory ${folder} cannot be used.`, { cause })
  }
}

interface Prepared {
  /** Of stored times, as the last process left it. */
  readonly floor: number
  readonly holds: Holds
  readonly place: BlobPlace
}

/** Migrates, before any thread opens the file. */
async function prepare(path: string, unclaimed: BlobPlace): Promise<Prepared> {
  try {
    // Not even the file of a store that would have no place.
    if (!existsSync(path)) await refuseTaken(unclaimed, path)
    // Nobody but the owner reads the file; SQLite gives its log the same mode.
    closeSync(openSync(path, 'a', 0o600))
    const handle = open(path)
    try {
      migrate(handle, migrations)
      const findValue = handle.prepare<[string], string>('select value from platform_value where name = ?').pluck()
      refuseUnfinished(findValue.get(copyMark))
      const holds = new Holds(readHolds(handle))
      return { floor: readAnnounced(handle), holds, place: await claimPlace(unclaimed, storeIn(handle)) }
    } finally {
      handle.close()
    }
  } catch (error) {
    unclaimed.close()
    throw error
  }
}

/** With the id it has, or gets now. Whatever is stored belongs to an organisation. */
function storeIn(handle: Handle): Store {
  const insert = 'insert into platform_value (name, value) values (?, ?) on conflict (name) do nothing'
  const select = `select value as id, exists (select 1 from organisation) as has_data from platform_value where name = ?`
  const find = handle.prepare<[string], { readonly id: string; readonly has_data: number }>(select)
  if (find.get(storeId) === undefined) handle.prepare(insert).run(storeId, newStoreId())
  const { id, has_data: hasData } = find.get(storeId)!
  return { id, name: handle.name, hasData: hasData === 1 }
}

interface Lanes {
  readonly writer: EngineClient
  readonly reader: EngineClient
}

function openLanes(path: string, { threads, onFailure }: SqliteOptions): Lanes {
  let hasFailed = false
  const fail = (cause: unknown): void => {
    if (!hasFailed) onFailure?.(cause)
    hasFailed = true
  }
  return {
    writer:
      threads === 'inline'
        ? new InlineClient(new Writer(openWriter(path)), fail)
        : new WorkerClient({ role: 'writer', path }, fail),
    reader:
      threads === 'workers'
        ? new WorkerClient({ role: 'reader', path }, fail)
        : new InlineClient(new Reader(openReader(path)), fail),
  }
}

interface Parts {
  readonly path: string
  readonly lanes: Lanes
  readonly clock: Clock
  readonly floor: number
  readonly holds: Holds
  readonly place: BlobPlace
  readonly unlock: () => void
}

class SqliteStorage implements Storage {
  readonly platform: PlatformStore
  readonly directory: DirectoryStore
  readonly launches: LaunchStore
  readonly statements: Statements
  readonly documents: Documents
  readonly blobs: Blobs
  readonly erasures: ErasureStore
  readonly imports: ImportStore
  readonly exports: ExportStore
  readonly nodes = new OnlyNode()
  readonly #parts: Parts
  readonly #listeners = new Set<DirectoryListener>()
  readonly #open = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    const { lanes, clock, floor, holds, place } = parts
    const calls = { write: this.#guard(lanes.writer), read: this.#guard(lanes.reader) }
    this.statements = new Statements(calls, clock, { floor, holds })
    this.documents = new Documents(calls, clock)
    const readReferences = this.#guard(lanes.reader)
    const rows: BlobRows = {
      findReferenced: (...args) => readReferences('blobs.listReferenced', args) as Promise<readonly string[]>,
      holds: new MemoryHolds(),
    }
    this.blobs = new Blobs({ place, rows, clock })
    this.exports = {
      listStatements: (...args) =>
        calls.read('exports.listStatements', args) as ReturnType<ExportStore['listStatements']>,
      listDocuments: (...args) => calls.read('exports.listDocuments', args) as ReturnType<ExportStore['listDocuments']>,
    }
    this.platform = this.#half('platform', platform) as unknown as PlatformStore
    this.directory = this.#half('directory', directory) as unknown as DirectoryStore
    this.launches = this.#half('launches', launches) as unknown as LaunchStore
    const jobs = this.#half('erasures', erasures) as unknown as ErasureStore
    const tell = (organisationId: OrganisationId): void => this.#tell(organisationId)
    this.erasures = erasuresOf({ ...calls, jobs, statements: this.statements, documents: this.documents, tell })
    const imported = this.#half('imports', imports) as unknown as ImportStore
    this.imports = importsOf({ ...calls, jobs: imported, statements: this.statements, holds })
  }

  /** Refuses once closing has begun, and remembers what closing has to wait for. */
  #guard(client: EngineClient): EngineClient['call'] {
    return (method, args) => {
      if (this.#closing !== undefined) {
        return Promise.reject(new DomainError('unavailable', 'The store is closing.'))
      }
      const answer = client.call(method, args)
      this.#open.add(answer)
      const forget = () => this.#open.delete(answer)
      answer.then(forget, forget)
      return answer
    }
  }

  #half(name: string, operations: object): Record<string, unknown> {
    const { lanes } = this.#parts
    const write = this.#guard(lanes.writer)
    const read = this.#guard(lanes.reader)
    const entries = Object.keys(operations).map((operation) => {
      const method = `${name}.${operation}`
      const concerns = writes.get(method)
      if (concerns === undefined) return [operation, (...args: unknown[]) => read(method, args)]
      const change = async (...args: unknown[]) => {
        const result = await write(method, args)
        for (const organisationId of concerns(args, result)) this.#tell(organisationId)
        return result
      }
      return [operation, change]
    })
    return Object.fromEntries(entries) as Record<string, unknown>
  }

  #tell(organisationId: OrganisationId): void {
    for (const listener of this.#listeners) listener(organisationId)
  }

  onDirectoryChange(listener: DirectoryListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  load(): Readonly<Record<string, number>> {
    const { writer, reader } = this.#parts.lanes
    return { writer_calls: writer.waiting, reader_calls: reader.waiting }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { path, lanes, unlock } = this.#parts
    await this.blobs.close()
    await Promise.allSettled(this.#open)
    try {
      await lanes.reader.close()
      await lanes.writer.close()
      saveAnnounced(path, this.statements.highestAnnounced)
    } catch (error) {
      throw toDomainError(error)
    } finally {
      unlock()
    }
  }
}
