// Rows of an SQL LRS database, on either of the two engines people have it on, read and never written. Knows nothing of what is in them.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import Sqlite from 'better-sqlite3'
import pg from 'pg'
import { DomainError } from '../../core/errors.ts'

export type Row = Readonly<Record<string, unknown>>

export interface Rows {
  /** Without what lets anybody in. */
  readonly name: string
  /** Values stand where `?` does. */
  list(sql: string, values?: readonly (string | number)[]): Promise<readonly Row[]>
  /** About how many rows a table has, without looking at all of them; 0 where that is not known. */
  estimate(table: string): Promise<number>
  close(): Promise<void>
}

/** A file, or the address of a PostgreSQL database. Throws `invalid` where there is none. */
export function openRows(place: string, directory: string): Promise<Rows> {
  return /^postgres(ql)?:\/\//.test(place) ? openPostgres(place) : openFile(resolve(directory, place))
}

async function openFile(path: string): Promise<Rows> {
  if (!existsSync(path)) throw new DomainError('invalid', `There is no file ${path}.`)
  try {
    const database = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: 5_000 })
    // Nothing is read before, so that a file of another kind is told here.
    database.prepare('select count(*) from sqlite_master').get()
    return {
      name: path,
      list: async (sql, values = []) => database.prepare(sql).all(...values) as Row[],
      estimate: async (table) => Number(database.prepare(`select max(rowid) from ${table}`).pluck().get() ?? 0),
      close: async () => void database.close(),
    }
  } catch (error) {
    throw new DomainError('invalid', `${path} cannot be read as an SQLite database (${messageOf(error)}).`)
  }
}

/** JSON, and times with their microseconds, as text. */
const asText: ReadonlySet<number> = new Set([
  pg.types.builtins.JSON,
  pg.types.builtins.JSONB,
  pg.types.builtins.TIMESTAMP,
  pg.types.builtins.TIMESTAMPTZ,
])
const types: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') =>
    asText.has(id) ? String : (pg.types.getTypeParser(id, format) as unknown)) as typeof pg.types.getTypeParser,
}

async function openPostgres(url: string): Promise<Rows> {
  const name = withoutLogin(url)
  const client = new pg.Client({
    connectionString: url,
    types,
    connectionTimeoutMillis: 15_000,
    application_name: 'claviger',
  })
  // A connection that is lost fails the next query.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(`set default_transaction_read_only = on; set time zone 'UTC'`)
  } catch (error) {
    await client.end().catch(() => {})
    throw new DomainError('invalid', `The database ${name} cannot be read (${messageOf(error)}).`)
  }
  // One after the other: a connection answers one question at a time.
  let last: Promise<unknown> = Promise.resolve()
  const ask = (text: string, values: readonly (string | number)[]): Promise<readonly Row[]> => {
    const answer = last.then(async () => (await client.query<Row>(text, [...values])).rows)
    last = answer.catch(() => {})
    return answer
  }
  return {
    name,
    list: (sql, values = []) => {
      let place = 0
      return ask(
        sql.replaceAll('?', () => `$${++place}`),
        values,
      )
    },
    estimate: async (table) => {
      const [row] = await ask('select reltuples::bigint as rows from pg_class where oid = to_regclass($1)', [table])
      return Math.max(0, Number(row?.['rows'] ?? 0))
    },
    close: () => client.end(),
  }
}

function withoutLogin(url: string): string {
  if (!URL.canParse(url)) throw new DomainError('invalid', 'This is no address of a database.')
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}

/** The first line says what is wrong, and no driver repeats the address there. */
function messageOf(error: unknown): string {
  const { message = String(error), code } = error as { readonly message?: string; readonly code?: string }
  return message.split('\n')[0] || String(code)
}
