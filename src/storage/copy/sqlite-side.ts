// A data directory as one side of a copy. It is this process's alone meanwhile: the directory's lock sees to it, so whatever is
// read is of one moment.

import Database from 'better-sqlite3'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { columnsOf, countRows, deleteRow, findFilled, orReplace, quoted, selectBlobs, selectPage } from './rows.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Asked, Row, Value } from './rows.ts'
import { announced } from './tables.ts'
import { isBackup, refuseBackup } from './backup-directory.ts'
import { copyMark } from './unfinished.ts'
import type { Table } from './tables.ts'
import { blobFiles } from './blob-files.ts'
import type { OwnedFiles, Changes, Side, Snapshot } from './side.ts'
import { checkpointPages, open } from '../sqlite/handle.ts'
import type { Handle } from '../sqlite/handle.ts'
import { DomainError } from '../../core/errors.ts'
import { storeId } from '../blobs/owner.ts'
import { lockDirectory } from '../sqlite/lock.ts'
import { migrate } from '../sqlite/migrate.ts'
import { migrations } from '../migrations/index.ts'
import { toDomainError } from '../sqlite/driver-error.ts'

/** The database of a data directory or of a backup. */
export const databaseFile = 'claviger.db'

/** A data directory that nobody uses, to read from; one of an older version is brought up to date, as by any command. */
export function openDirectory(directory: string, blobs?: OwnedFiles): Side {
  const folder = resolve(directory)
  if (!existsSync(join(folder, databaseFile))) {
    throw new DomainError('not_found', `There is no database in ${folder}.`)
  }
  if (isBackup(folder)) return openBackupDirectory(folder, blobs)
  return new SqliteSide(folder, openLocked(folder), blobs ?? blobFiles(join(folder, 'blobs')))
}

/** A data directory to write to; made when it is not there. */
export function makeDirectory(directory: string, blobs?: OwnedFiles): Side {
  const folder = resolve(directory)
  refuseBackup(folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return new SqliteSide(folder, openLocked(folder), blobs ?? blobFiles(join(folder, 'blobs')))
}

/** A directory that the caller has locked. */
export function makeInside(folder: string): Side {
  return new SqliteSide(folder, openFile(folder), blobFiles(join(folder, 'blobs')))
}

interface OpenFile {
  readonly handle: Handle
  close(): void
}

function openLocked(folder: string): OpenFile {
  const unlock = lock(folder)
  try {
    const file = openFile(folder)
    return {
      handle: file.handle,
      close() {
        file.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw toDomainError(error)
  }
}

function lock(folder: string): () => void {
  try {
    return lockDirectory(folder)
  } catch (cause) {
    const way = 'stop the server, or the command, that has it. A backup of it can be made, and copied from, meanwhile'
    throw new DomainError('unavailable', `Another process is using the data directory ${folder}: ${way}.`, { cause })
  }
}

function openFile(folder: string): OpenFile {
  const path = join(folder, databaseFile)
  closeSync(openSync(path, 'a', 0o600))
  const handle = openUpToDate(path)
  // Tables refer to each other in a circle; the copy keeps the order that it can, and what it read was whole.
  handle.pragma('foreign_keys = 0')
  handle.pragma(`wal_autocheckpoint = ${checkpointPages}`)
  handle.pragma('secure_delete = 1')
  return { handle, close: () => void handle.close() }
}

function openUpToDate(path: string): Handle {
  const handle = open(path)
  try {
    migrate(handle, migrations)
    return handle
  } catch (error) {
    handle.close()
    throw error
  }
}

/** A backup, which nobody writes to: one that an older version made is read from a copy that is brought up to date. */
export function openBackupDirectory(directory: string, blobs?: OwnedFiles): Side {
  const folder = resolve(directory)
  return new SqliteSide(folder, openBackupFile(join(folder, databaseFile)), blobs ?? blobFiles(join(folder, 'blobs')))
}

function openBackupFile(path: string): OpenFile {
  const handle = new Database(path, { readonly: true, fileMustExist: true })
  const applied = handle.prepare<[], number>('select count(*) from schema_migration').pluck().get() ?? 0
  if (applied === migrations.length) return { handle, close: () => void handle.close() }
  const workshop = mkdtempSync(join(tmpdir(), 'claviger-restore-'))
  try {
    const copy = join(workshop, databaseFile)
    handle.prepare('vacuum into ?').run(copy)
    handle.close()
    const upgraded = openUpToDate(copy)
    return {
      handle: upgraded,
      close() {
        upgraded.close()
        rmSync(workshop, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(workshop, { recursive: true, force: true })
    throw error
  }
}

/** One file without a log, which can be read where nobody can write. */
export function finishBackupFile(folder: string): void {
  const handle = new Database(join(folder, databaseFile), { fileMustExist: true })
  try {
    // Whoever makes a data directory of it has a store of its own.
    handle.prepare('delete from platform_value where name in (?, ?)').run(copyMark, storeId)
    handle.pragma('journal_mode = delete')
  } finally {
    handle.close()
  }
}

class SqliteSide implements Side {
  readonly name: string
  readonly identity: string
  readonly blobs: OwnedFiles
  readonly #file: OpenFile
  readonly #rows: SqliteRows

  constructor(name: string, file: OpenFile, blobs: OwnedFiles) {
    this.name = name
    this.identity = realpathSync(name)
    this.blobs = blobs
    this.#file = file
    this.#rows = new SqliteRows(file.handle)
  }

  read<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return work(this.#rows)
  }

  async change(work: (changes: Changes) => Promise<void>): Promise<void> {
    const { handle } = this.#file
    handle.exec('begin immediate')
    try {
      await work(this.#rows)
      handle.exec('commit')
    } catch (error) {
      if (handle.inTransaction) handle.exec('rollback')
      throw toDomainError(error)
    }
  }

  async close(): Promise<void> {
    this.#file.close()
  }
}

/** What is read and written on a connection; also what a backup's thread reads. */
export class SqliteRows implements Snapshot, Changes {
  readonly #handle: Handle

  constructor(handle: Handle) {
    this.#handle = handle
  }

  #all<Found>({ text, values }: Asked): readonly Found[] {
    return this.#handle.prepare<Value[], Found>(text).all(...values)
  }

  async listRows(table: Table, after: Row | undefined, limit: number): Promise<readonly Row[]> {
    const { text, values } = selectPage(table, after, limit, mark)
    // Hashed terms have 63 bits.
    const statement = this.#handle.prepare<Value[], Row>(text).safeIntegers(true)
    return statement.all(...values)
  }

  async countRows(table: Table): Promise<number> {
    const [row] = this.#all<{ readonly count: number }>(countRows(table, mark))
    return row?.count ?? 0
  }

  async listBlobs(...[after, limit]: Parameters<Snapshot['listBlobs']>) {
    const rows = this.#all<{ readonly lrs_id: LrsId; readonly sha2: string }>(selectBlobs(after, limit, mark))
    return rows.map(({ lrs_id: lrsId, sha2 }) => ({ lrsId, sha2 }))
  }

  async findValue(name: string): Promise<string | undefined> {
    const text = 'select value from platform_value where name = ?'
    return this.#handle.prepare<[string], string>(text).pluck().get(name)
  }

  async listFilled(): Promise<readonly string[]> {
    return this.#all<{ readonly name: string }>(findFilled(mark)).map(({ name }) => name)
  }

  async lastIdentity({ name }: Table): Promise<number> {
    const text = 'select seq from sqlite_sequence where name = ?'
    return this.#handle.prepare<[string], number>(text).pluck().get(name) ?? 0
  }

  async announcedTime(): Promise<number> {
    return Number((await this.findValue(announced)) ?? 0)
  }

  async insert(table: Table, rows: readonly Row[]): Promise<void> {
    this.#write(table, rows, '')
  }

  async put(table: Table, rows: readonly Row[]): Promise<void> {
    this.#write(table, rows, orReplace(table, table.key))
  }

  #write(table: Table, rows: readonly Row[], ending: string): void {
    const columns = columnsOf(table)
    const marks = columns.map(() => '?').join(', ')
    const statement = this.#handle.prepare<Value[]>(
      `insert into "${table.name}" (${quoted(columns)}) values (${marks})${ending}`,
    )
    for (const row of rows) statement.run(...columns.map((column) => row[column] ?? null))
  }

  async remove(table: Table, rows: readonly Row[]): Promise<void> {
    const statement = this.#handle.prepare<Value[]>(deleteRow(table, mark))
    for (const row of rows) statement.run(...table.key.map((column) => row[column] ?? null))
  }

  async setValue(name: string, value: string | undefined): Promise<void> {
    if (value === undefined) {
      this.#handle.prepare('delete from platform_value where name = ?').run(name)
      return
    }
    const text =
      'insert into platform_value (name, value) values (?, ?) on conflict (name) do update set value = excluded.value'
    this.#handle.prepare(text).run(name, value)
  }

  async raiseIdentity({ name }: Table, last: number): Promise<void> {
    const { changes } = this.#handle
      .prepare('update sqlite_sequence set seq = max(seq, ?) where name = ?')
      .run(last, name)
    if (changes === 0) this.#handle.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(name, last)
  }

  /** The counts; anything else that SQLite's one writer needs, it asks the tables. */
  async derive(): Promise<void> {
    this.#handle.exec(`delete from lrs_state;
      insert into lrs_state (lrs_id, statements) select lrs_id, count(*) from statement group by lrs_id`)
  }

  async raiseAnnouncedTime(microseconds: number): Promise<void> {
    await this.setValue(announced, String(Math.max(await this.announcedTime(), microseconds)))
  }
}

function mark(): string {
  return '?'
}
