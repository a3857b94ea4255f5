// A database as SQL LRS makes one (yetanalytics/lrsql, src/db/{sqlite,postgres}/…/ddl.sql, with every migration up to 2025), to be filled
// and imported from. Tables alone: no index, no foreign key.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import pg from 'pg'
import { inject } from 'vitest'
import { createDatabase } from './postgres.ts'

export type LrsqlEngine = 'sqlite' | 'postgres'

export interface LrsqlDatabase {
  /** As it is typed. */
  readonly place: string
  /** Its id, by which the default authority names it. */
  credential(credential: {
    readonly key: string
    readonly secret: string
    readonly scopes: readonly string[]
    readonly label?: string
    readonly account?: string
  }): Promise<string>
  statement(payload: object | string, options?: { readonly isVoided?: boolean }): Promise<void>
  attachment(statementId: string, sha2: string, contents: Buffer): Promise<void>
  document(table: string, columns: Readonly<Record<string, string | Buffer | null>>): Promise<void>
  actor(ifi: string, payload: object): Promise<void>
  change(sql: string): Promise<void>
  drop(): Promise<void>
}

const types = {
  sqlite: { uuid: 'text', json: 'blob', flag: 'integer', time: 'timestamp', bytes: 'blob' },
  postgres: { uuid: 'uuid', json: 'json', flag: 'boolean', time: 'timestamptz', bytes: 'bytea' },
} as const

function tablesFor({
  uuid,
  json,
  flag,
  time,
  bytes,
}: Record<keyof (typeof types)['sqlite'], string>): readonly string[] {
  const row = `id ${uuid} not null primary key`
  const content = `last_modified ${time} not null, content_type text not null, content_length integer not null, contents ${bytes} not null`
  return [
    `xapi_statement (${row}, statement_id ${uuid} not null unique, registration ${uuid}, verb_iri text not null,
      is_voided ${flag} not null, payload ${json} not null, timestamp ${time}, stored ${time}, reaction_id ${uuid}, trigger_id ${uuid})`,
    `actor (${row}, actor_ifi text not null, actor_type text not null, payload ${json} not null)`,
    `attachment (${row}, statement_id ${uuid} not null, attachment_sha text not null, content_type text not null,
      content_length integer not null, contents ${bytes} not null)`,
    `state_document (${row}, state_id text not null, activity_iri text not null, agent_ifi text not null, registration ${uuid}, ${content})`,
    `agent_profile_document (${row}, profile_id text not null, agent_ifi text not null, ${content})`,
    `activity_profile_document (${row}, profile_id text not null, activity_iri text not null, ${content})`,
    `admin_account (${row}, username text not null, passhash text, oidc_issuer text)`,
    `lrs_credential (${row}, api_key text not null, secret_key text not null, account_id ${uuid} not null, label text, is_seed ${flag})`,
    `credential_to_scope (${row}, api_key text not null, secret_key text not null, scope text)`,
  ]
}

type Value = string | number | boolean | Buffer | null

interface Connection {
  readonly place: string
  run(sql: string, values?: readonly Value[]): Promise<void>
  drop(): Promise<void>
}

/** The time in its first 48 bits, as its generator makes them: later ones are greater. */
function timeOrderedUuids(): () => string {
  let at = Date.UTC(2024, 0, 1)
  return () =>
    (at++)
      .toString(16)
      .padStart(12, '0')
      .replace(/^(.{8})(.{4})$/, '$1-$2') + '-8fff-8fff-0123456789ab'
}

export async function createLrsql(engine: LrsqlEngine): Promise<LrsqlDatabase> {
  const { place, run, drop } = engine === 'sqlite' ? openFile() : await openPostgres()
  for (const table of tablesFor(types[engine])) await run(`create table ${table}`)
  const next = timeOrderedUuids()
  const insert = async (table: string, columns: Readonly<Record<string, Value>>): Promise<string> => {
    const id = next()
    const row = Object.entries({ id, ...columns })
    const names = row.map(([name]) => name).join(', ')
    await run(
      `insert into ${table} (${names}) values (${row.map(() => '?').join(', ')})`,
      row.map(([, value]) => value),
    )
    return id
  }
  const flag = (is: boolean) => (engine === 'sqlite' ? Number(is) : is)
  const json = (value: object | string) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return engine === 'sqlite' ? Buffer.from(text) : text
  }
  return {
    place,
    drop,
    change: (sql) => run(sql),
    async credential({ key, secret, scopes, label, account = '00000000-0000-4000-8000-00000000aaaa' }) {
      const pair = { api_key: key, secret_key: secret }
      const id = await insert('lrs_credential', { ...pair, account_id: account, label: label ?? null, is_seed: null })
      for (const scope of scopes) await insert('credential_to_scope', { ...pair, scope })
      return id
    },
    async statement(payload, { isVoided = false } = {}) {
      const { id = next(), verb = { id: 'x:y' } } = typeof payload === 'string' ? {} : (payload as Record<string, any>)
      const columns = { statement_id: id, verb_iri: verb.id, is_voided: flag(isVoided), payload: json(payload) }
      await insert('xapi_statement', columns)
    },
    async attachment(statementId, sha2, contents) {
      const described = { content_type: 'text/plain', content_length: contents.length, contents }
      await insert('attachment', { statement_id: statementId, attachment_sha: sha2, ...described })
    },
    async document(table, columns) {
      const { contents } = columns
      await insert(table, { ...columns, content_length: contents?.length ?? 0 })
    },
    async actor(ifi, payload) {
      await insert('actor', { actor_ifi: ifi, actor_type: 'Agent', payload: json(payload) })
    },
  }
}

function openFile(): Connection {
  const directory = mkdtempSync(join(tmpdir(), 'claviger-lrsql-'))
  const place = join(directory, 'lrsql.sqlite.db')
  const database = new Sqlite(place)
  database.pragma('synchronous = off')
  return {
    place,
    run: async (sql, values = []) => void database.prepare(sql).run(...values),
    async drop() {
      database.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function openPostgres(): Promise<Connection> {
  const { url, drop } = await createDatabase(inject('postgresUrl'))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // The database is a copy of one of ours, and the names must mean its tables.
  await client.query('drop schema public cascade')
  await client.query('create schema public')
  return {
    place: url,
    run: async (sql, values = []) => {
      let place = 0
      await client.query(
        sql.replaceAll('?', () => `$${++place}`),
        [...values],
      )
    },
    async drop() {
      await client.end()
      await drop()
    },
  }
}
