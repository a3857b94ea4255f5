// A PostgreSQL database as one side of a copy. Read in one snapshot, whatever goes on in it meanwhile; written to in
// transactions that go on where nobody else has.

import { columnsOf, countRows, deleteRow, findFilled, orReplace, quoted, selectBlobs, selectPage } from './rows.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Asked, Row, Value } from './rows.ts'
import type { Kind, Table } from './tables.ts'
import type { OwnedFiles, Changes, Side, Snapshot } from './side.ts'
import { DomainError } from '../../core/errors.ts'
import { Database } from '../postgres/database.ts'
import type { Transaction } from '../postgres/database.ts'
import { checkSchema, checkServer, migrate } from '../postgres/migrate.ts'
import { migrations } from '../migrations/index.ts'
import { startError } from '../postgres/start-error.ts'

export interface DatabasePlace {
  /** postgres://… */
  readonly url: string
  readonly blobs: OwnedFiles
  /** What the URL was given by, for who has to put it right; a setting unless given. */
  readonly named?: string
}

/** A database that nodes may be running on, to read from. */
export function openDatabase(place: DatabasePlace): Promise<Side> {
  return opened(place, (database) => checkSchema(database, migrations, place.named))
}

/** A database to write to; its tables are made when they are not there. */
export function makeDatabase(place: DatabasePlace): Promise<Side> {
  return opened(place, (database) => migrate(database, migrations))
}

/** The rows of a large table are not counted within what bounds requests. */
const statementTimeoutMs = 3_600_000

async function opened(place: DatabasePlace, prepare: (database: Database) => Promise<void>): Promise<Side> {
  const database = new Database({ url: place.url, connections: 3, statementTimeoutMs })
  try {
    await checkServer(database)
    await prepare(database)
    await refuseNewer(database)
    return new PostgresSide(database, place, await identityOf(database))
  } catch (error) {
    await database.close()
    throw startError(error, place.url, place.named)
  }
}

/** Nodes may run on what the next version has added to; a copy by them would not have it. */
async function refuseNewer(database: Database): Promise<void> {
  const [row] = await database.query<{ readonly schema: number }>('select max(number) as schema from schema_migration')
  const { schema = 0 } = row ?? {}
  if (schema <= migrations.length) return
  const message = `The database has schema ${schema}, of a newer version than this one: copy with that version, so that nothing is missing.`
  throw new DomainError('unavailable', message)
}

/** Of the tables in the database of the server, whichever name and user lead there; a physical copy of it is another server. */
async function identityOf(database: Database): Promise<string> {
  const [row] = await database.query<{ readonly identity: string }>(
    `select concat_ws(' ', pg_postmaster_start_time(), (select oid from pg_database where datname = current_database()),
      to_regclass('schema_migration')::oid) as identity`,
  )
  return row?.identity ?? ''
}

class PostgresSide implements Side {
  readonly name: string
  readonly identity: string
  readonly blobs: OwnedFiles
  readonly #database: Database

  constructor(database: Database, { url, blobs }: DatabasePlace, identity: string) {
    const { host, pathname } = new URL(url)
    // Neither user nor password.
    this.name = `postgres://${host}${pathname}`
    this.identity = identity
    this.blobs = blobs
    this.#database = database
  }

  read<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#database.transact('read', async (transaction) => {
      await mayWait(transaction)
      return work(new PostgresRows(transaction))
    })
  }

  change(work: (changes: Changes) => Promise<void>): Promise<void> {
    return this.#database.transact('write', async (transaction) => {
      await mayWait(transaction)
      // Whoever else copies into this database waits here, and then finds that it is not its own copy any more.
      await transaction.query(`select pg_advisory_xact_lock(hashtext('claviger copy'))`)
      return work(new PostgresRows(transaction))
    })
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

/** The snapshot waits while the other side is written to. */
async function mayWait({ query }: Transaction): Promise<void> {
  await query('set local idle_in_transaction_session_timeout = 0')
}

const arrayOf: Readonly<Record<Kind, string>> = { integer: 'bigint[]', text: 'text[]', bytes: 'bytea[]' }

class PostgresRows implements Snapshot, Changes {
  readonly #transaction: Transaction

  constructor(transaction: Transaction) {
    this.#transaction = transaction
  }

  #all<Found extends object>({ text, values }: Asked): Promise<readonly Found[]> {
    return this.#transaction.query<Found>(text, values)
  }

  listRows(table: Table, after: Row | undefined, limit: number): Promise<readonly Row[]> {
    return this.#all<Row>(selectPage(table, after, limit, mark))
  }

  async countRows(table: Table): Promise<number> {
    const [row] = await this.#all<{ readonly count: number }>(countRows(table, mark))
    return row?.count ?? 0
  }

  async listBlobs(...[after, limit]: Parameters<Snapshot['listBlobs']>) {
    const asked = selectBlobs(after, limit, mark)
    const rows = await this.#all<{ readonly lrs_id: LrsId; readonly sha2: string }>(asked)
    return rows.map(({ lrs_id: lrsId, sha2 }) => ({ lrsId, sha2 }))
  }

  async findValue(name: string): Promise<string | undefined> {
    const text = 'select value from platform_value where name = $1'
    const [row] = await this.#all<{ readonly value: string }>({ text, values: [name] })
    return row?.value
  }

  async listFilled(): Promise<readonly string[]> {
    return (await this.#all<{ readonly name: string }>(findFilled(mark))).map(({ name }) => name)
  }

  async lastIdentity({ name, identity = '' }: Table): Promise<number> {
    const text = 'select pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass) as last'
    const [row] = await this.#all<{ readonly last: number | null }>({ text, values: [`"${name}"`, identity] })
    return row?.last ?? 0
  }

  /** No stored time is later either, whatever was erased since. */
  async announcedTime(): Promise<number> {
    const text = `select greatest((select announced from clock_floor), (select max(last_seq) from lrs_state)) as announced`
    const [row] = await this.#all<{ readonly announced: number | null }>({ text, values: [] })
    return row?.announced ?? 0
  }

  insert(table: Table, rows: readonly Row[]): Promise<void> {
    return this.#write(table, rows, '')
  }

  put(table: Table, rows: readonly Row[]): Promise<void> {
    return this.#write(table, rows, orReplace(table, table.postgresConflict ?? table.key))
  }

  async #write(table: Table, rows: readonly Row[], ending: string): Promise<void> {
    const columns = columnsOf(table)
    const arrays = Object.values(table.columns).map((kind, index) => `$${index + 1}::${arrayOf[kind]}`)
    const values = columns.map((column) => rows.map((row) => row[column] ?? null))
    await this.#transaction.query(
      `insert into "${table.name}" (${quoted(columns)}) select * from unnest(${arrays.join(', ')})${ending}`,
      values,
    )
  }

  async remove(table: Table, rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      const values: Value[] = table.key.map((column) => row[column] ?? null)
      await this.#transaction.query(deleteRow(table, mark), values)
    }
  }

  async setValue(name: string, value: string | undefined): Promise<void> {
    if (value === undefined) await this.#transaction.query('delete from platform_value where name = $1', [name])
    else {
      const text = `insert into platform_value (name, value) values ($1, $2)
        on conflict (name) do update set value = excluded.value`
      await this.#transaction.query(text, [name, value])
    }
  }

  async raiseIdentity(table: Table, last: number): Promise<void> {
    const { name, identity = '' } = table
    if (last <= (await this.lastIdentity(table))) return
    await this.#transaction.query('select setval(pg_get_serial_sequence($1, $2), $3)', [`"${name}"`, identity, last])
  }

  async derive(): Promise<void> {
    await this.#transaction.query(`
      insert into lrs_state (lrs_id, last_term, last_seq, epoch, statements)
      select id, coalesce((select max(term.id) from term where term.lrs_id = lrs.id), 0),
        greatest((select max(seq) from statement where statement.lrs_id = lrs.id),
          (select last_seq from erased_lrs where erased_lrs.lrs_id = lrs.id), 0), 1,
        (select count(*) from statement where statement.lrs_id = lrs.id)
        from lrs
      on conflict (lrs_id) do update set last_term = excluded.last_term, last_seq = excluded.last_seq,
        epoch = lrs_state.epoch + 1, statements = excluded.statements`)
  }

  async raiseAnnouncedTime(microseconds: number): Promise<void> {
    await this.#transaction.query('update clock_floor set announced = greatest(announced, $1)', [microseconds])
  }
}

function mark(number: number): string {
  return `$${number}`
}
