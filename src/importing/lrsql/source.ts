// The tables of SQL LRS (src/db/{sqlite,postgres}/…/ddl.sql), part by part in the order of their keys, which are time-ordered UUIDs:
// what is stored while it is read comes behind. Knows which columns later versions added. Knows nothing of where what it reads goes.

import { DomainError } from '../../core/errors.ts'
import { openRows } from './rows.ts'
import type { Row, Rows } from './rows.ts'

export interface SourceCredential {
  /** UUID. */
  readonly id: string
  readonly accountId: string
  readonly key: string
  readonly secret: string
  /** Absent in versions before March 2025, and where nobody gave one. */
  readonly label: string | undefined
  readonly scopes: readonly string[]
}

export interface SourceStatement {
  /** Of the row: behind it goes on what is read next. */
  readonly position: string
  readonly isVoided: boolean
  /** JSON. */
  readonly text: string
}

export interface SourceAttachment {
  readonly position: string
  /** Lower-case UUID. */
  readonly statementId: string
  readonly sha2: string
}

export const documentTables = ['state_document', 'agent_profile_document', 'activity_profile_document'] as const
export type DocumentTable = (typeof documentTables)[number]

export interface SourceDocument {
  readonly position: string
  /** stateId or profileId. */
  readonly id: string
  readonly activityId: string | undefined
  /** `mbox::mailto:…`. */
  readonly agentIfi: string | undefined
  readonly registration: string | undefined
  /** ISO 8601. */
  readonly updated: string
  readonly contentType: string
  readonly content: Uint8Array
}

/** Before every key. */
export const beginning = '00000000-0000-0000-0000-000000000000'

/** Of statements and of documents: as many as make a part of about this size in memory. */
const partBytes = 4 * 1024 * 1024
const mostRows = 500
/** Of the first part, when nobody knows how long they are. */
const firstRows = 20
/** Of one attachment; they are read whole. */
const mostBytes = 128 * 1024 * 1024

export class LrsqlSource {
  readonly #rows: Rows
  /** Of each table: rows of the next part. */
  readonly #limits = new Map<string, number>()

  constructor(rows: Rows) {
    this.#rows = rows
  }

  /** Throws `invalid` where it is no database of SQL LRS. */
  static async open(place: string, directory: string): Promise<LrsqlSource> {
    const rows = await openRows(place, directory)
    try {
      await rows.list('select id, statement_id, is_voided, payload from xapi_statement limit 0')
      await rows.list('select id, api_key, secret_key, account_id from lrs_credential limit 0')
    } catch {
      await rows.close()
      const message = `${rows.name} is no database of SQL LRS: it has no tables xapi_statement and lrs_credential as that has them.`
      throw new DomainError('invalid', message)
    }
    return new LrsqlSource(rows)
  }

  get name(): string {
    return this.#rows.name
  }

  close(): Promise<void> {
    return this.#rows.close()
  }

  /** About how many rows of statements and documents there are; 0 where that is not known. */
  async estimate(): Promise<number> {
    const tables = ['xapi_statement', ...documentTables]
    const counts = await Promise.all(tables.map((table) => this.#rows.estimate(table)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async *credentials(): AsyncGenerator<SourceCredential> {
    for (let after = beginning; ;) {
      const rows = await this.#rows.list('select * from lrs_credential where id > ? order by id limit 500', [after])
      if (rows.length === 0) return
      const keys = [...new Set(rows.map((row) => textOf(row, 'api_key')))]
      const scopes = await this.#in('select api_key, secret_key, scope from credential_to_scope where api_key', keys)
      for (const row of rows) yield credentialOf(row, scopes)
      after = textOf(rows.at(-1), 'id')
    }
  }

  statements(after: string): Promise<readonly SourceStatement[]> {
    const sql = 'select id, is_voided, payload from xapi_statement where id > ? order by id limit ?'
    return this.#part('xapi_statement', sql, after, (row) => ({
      position: textOf(row, 'id'),
      // A number in the one engine, a boolean in the other.
      isVoided: Boolean(row['is_voided']),
      text: textOf(row, 'payload'),
    }))
  }

  /** The latest ones. */
  async latest(count: number): Promise<readonly string[]> {
    const rows = await this.#rows.list('select payload from xapi_statement order by id desc limit ?', [count])
    return rows.map((row) => textOf(row, 'payload'))
  }

  /** Those of these statements that are there and are not voided. Ids are UUIDs. */
  async standing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#in('select statement_id, is_voided from xapi_statement where statement_id', ids)
    return new Set(rows.filter((row) => !row['is_voided']).map((row) => textOf(row, 'statement_id').toLowerCase()))
  }

  async attachmentsOf(statementIds: readonly string[]): Promise<readonly SourceAttachment[]> {
    const sql = 'select id, statement_id, attachment_sha from attachment where statement_id'
    const rows = await this.#in(sql, statementIds)
    return rows.map((row) => ({
      position: textOf(row, 'id'),
      statementId: textOf(row, 'statement_id').toLowerCase(),
      sha2: textOf(row, 'attachment_sha').toLowerCase(),
    }))
  }

  /** Throws `too_large` rather than take in more than memory should hold. */
  async contentOf({ position }: SourceAttachment): Promise<Uint8Array> {
    const [size] = await this.#rows.list('select length(contents) as bytes from attachment where id = ?', [position])
    if (Number(size?.['bytes']) > mostBytes) {
      throw new DomainError('too_large', `An attachment has more than ${mostBytes} bytes.`)
    }
    const [row] = await this.#rows.list('select contents from attachment where id = ?', [position])
    return bytesOf(row)
  }

  documents(table: DocumentTable, after: string): Promise<readonly SourceDocument[]> {
    return this.#part(table, `select * from ${table} where id > ? order by id limit ?`, after, (row) => ({
      position: textOf(row, 'id'),
      id: textOf(row, table === 'state_document' ? 'state_id' : 'profile_id'),
      activityId: optional(row, 'activity_iri'),
      agentIfi: optional(row, 'agent_ifi'),
      registration: optional(row, 'registration'),
      updated: timeOf(textOf(row, 'last_modified')),
      contentType: textOf(row, 'content_type'),
      content: bytesOf(row),
    }))
  }

  /** The Agent of this identifier as a statement had it; undefined where none did. */
  async findActor(ifi: string): Promise<string | undefined> {
    const [row] = await this.#rows.list(`select payload from actor where actor_ifi = ? and actor_type = 'Agent'`, [ifi])
    return row && textOf(row, 'payload')
  }

  async #part<T>(table: string, sql: string, after: string, read: (row: Row) => T): Promise<readonly T[]> {
    const limit = this.#limits.get(table) ?? firstRows
    const rows = await this.#rows.list(sql, [after, limit])
    if (rows.length === 0) return []
    const bytes = rows.reduce((sum, row) => sum + sizeOf(row), 0)
    const fitting = Math.floor((rows.length * partBytes) / Math.max(bytes, 1))
    this.#limits.set(table, Math.min(Math.max(fitting, 1), limit * 4, mostRows))
    return rows.map(read)
  }

  async #in(sql: string, values: readonly string[]): Promise<readonly Row[]> {
    if (values.length === 0) return []
    return this.#rows.list(`${sql} in (${values.map(() => '?').join(', ')})`, values)
  }
}

function credentialOf(row: Row, scopes: readonly Row[]): SourceCredential {
  const [key, secret] = [textOf(row, 'api_key'), textOf(row, 'secret_key')]
  const own = scopes.filter((scope) => textOf(scope, 'api_key') === key && textOf(scope, 'secret_key') === secret)
  return {
    ...{ id: textOf(row, 'id').toLowerCase(), accountId: textOf(row, 'account_id').toLowerCase(), key, secret },
    label: optional(row, 'label'),
    scopes: [...new Set(own.flatMap((scope) => optional(scope, 'scope') ?? []))],
  }
}

/** SQLite keeps JSON as bytes. */
function textOf(row: Row | undefined, column: string): string {
  const value = row?.[column]
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value ?? '')
}

function optional(row: Row, column: string): string | undefined {
  const value = row[column]
  return value === null || value === undefined || value === '' ? undefined : textOf(row, column)
}

function bytesOf(row: Row | undefined): Uint8Array {
  const value = row?.['contents']
  if (value instanceof Uint8Array) return value
  return Buffer.from(typeof value === 'string' ? value : '')
}

function sizeOf(row: Row): number {
  const sizes = Object.values(row).map((value) => {
    return value instanceof Uint8Array || typeof value === 'string' ? value.length : 8
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** `2024-01-02 03:04:05.123456+00` of the one engine, `2024-01-02T03:04:05.123456789Z` of the other; old ones without a zone. */
function timeOf(text: string): string {
  const written = text.replace(' ', 'T').replace(/\+00(:?00)?$/, 'Z')
  return /(Z|[+-]\d\d:?\d\d)$/.test(written) ? written : `${written}Z`
}
