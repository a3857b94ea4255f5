// The connections to one PostgreSQL: their settings, transactions and what is done when one collides, and Kysely over them.
// Knows no table.

import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { DomainError } from '../../core/errors.ts'
import { hash } from 'node:crypto'
import { isCompiled } from '../directory/compiled.ts'
import { isCollision, isLostConnection, isOutdatedPlan, toDomainError } from './driver-error.ts'
import type { Schema } from '../schema.ts'

export interface DatabaseOptions {
  /** postgres://user:password@host:port/name?sslmode=… as libpq has it. */
  readonly url: string
  /** Connections of this process; 10 unless given. */
  readonly connections?: number
  /** After which the server gives up a statement; 30 s unless given. */
  readonly statementTimeoutMs?: number
  /** What a pooled connection that broke while idle says. */
  readonly onError?: (error: unknown) => void
  /** Somebody waited in vain for a connection: all are at work. */
  readonly onFull?: () => void
}

/** A connection inside a transaction. */
export interface Transaction {
  /** `text` is a statement with $1, $2 …; a name makes it prepared once per connection. */
  query<Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<readonly Row[]>
  /** The last statement, in one message with the commit. */
  commitWith(text: string, values: readonly unknown[], name?: string): Promise<void>
  readonly kysely: Kysely<Schema>
}

/** How a transaction begins where each message counts: all of it is one. */
export interface Opening {
  /** Statements: locks and settings. */
  readonly statements: string
  /** What is asked under them. It must only read: where beginning fails it may be asked without a transaction, for nobody. */
  readonly question: { readonly text: string; readonly values: readonly unknown[]; readonly name: string }
}

/** `read`: several statements see one snapshot. */
export type TransactionKind = 'read' | 'write'

const begin: Readonly<Record<TransactionKind, string>> = {
  read: 'begin transaction isolation level repeatable read, read only',
  // Locks put writers in a row; under them each statement must see what was committed just before.
  write: 'begin transaction isolation level read committed, read write',
}

/** Collisions are rare, as locks are taken in order: more than this many in a row is somebody else's doing. */
const mostTries = 5

// What is asked here are ranges of indexes, whatever is known of the tables. A plan made while a table is small, and kept, would
// read all of it until it is analysed again, which after a bulk load is minutes.
const planning = `set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off;
  set jit = off`

// Whatever the server's default: a single statement that calls a function must let it see what is committed meanwhile (ADR 0016).
const isolation = `set default_transaction_isolation = 'read committed'`

// bigint: stored times and milliseconds are below 2^53, only hashed terms are not.
const int8 = 20
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === int8 && format !== 'binary' ? parseBigint : (pg.types.getTypeParser(oid, format) as never),
}

function parseBigint(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

export class Database {
  /** At most, of this process. */
  readonly connections: number
  readonly #pool: pg.Pool
  readonly #url: string
  readonly #onFull: () => void
  #inUse = 0
  /** Of which nobody knows where they stand. */
  readonly #unusable = new WeakSet<pg.PoolClient>()
  readonly #kyselys = new WeakMap<pg.PoolClient, Kysely<Schema>>()

  constructor({
    url,
    connections = 10,
    statementTimeoutMs = 30_000,
    onError = () => {},
    onFull = () => {},
  }: DatabaseOptions) {
    this.connections = connections
    this.#url = url
    this.#onFull = onFull
    this.#pool = new pg.Pool({
      connectionString: url,
      max: connections,
      application_name: 'claviger',
      connectionTimeoutMillis: 5_000,
      // No request waits longer for a lock or a statement; what takes longer is cut into steps.
      statement_timeout: statementTimeoutMs,
      // For who is cut off from the server, and does not hear of it.
      query_timeout: statementTimeoutMs + 5_000,
      lock_timeout: Math.min(10_000, statementTimeoutMs),
      idle_in_transaction_session_timeout: 60_000,
      keepAlive: true,
      // What does not wait for the answer before it is sent at once.
      pipeline: true,
      types,
    })
    this.#pool.on('error', onError)
    // Where this fails, what comes next does, too, and says so.
    this.#pool.on('connect', (client) => void client.query(`${planning}; ${isolation}`).catch(() => {}))
  }

  /** A connection beside the others, not connected yet, that gives up what is not answered within a second. */
  newClient(): pg.Client {
    return new pg.Client({
      connectionString: this.#url,
      application_name: 'claviger listener',
      connectionTimeoutMillis: 2_000,
      query_timeout: 1_000,
      keepAlive: true,
      types,
    })
  }

  /** What is one statement needs no transaction around it. */
  async ask<T>(read: (kysely: Kysely<Schema>) => Promise<T>): Promise<T> {
    return this.#onConnection((client) => read(this.#kyselyOn(client)))
  }

  /** One statement of its own. */
  async query<Row extends object>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<readonly Row[]> {
    return this.#onConnection((client) => ask<Row>(client, text, values, name))
  }

  /**
   * Commits what `work` did, or undoes all of it. Work that collided with other transactions is done again from the beginning.
   * `opening`: statements that go in one message with the beginning, where each message counts.
   */
  transact<T>(kind: TransactionKind, work: (transaction: Transaction) => Promise<T>, opening?: string): Promise<T> {
    const first = opening === undefined ? begin[kind] : `${begin[kind]}; ${opening}`
    return this.#transact(async (client, transaction) => {
      await client.query(first)
      return work(transaction)
    })
  }

  /** As `transact('write', …)`; `work` gets the rows that the opening asked for. */
  transactUpon<Row extends object, T>(
    { statements, question: { text, values, name } }: Opening,
    work: (transaction: Transaction, rows: readonly Row[]) => Promise<T>,
  ): Promise<T> {
    return this.#transact(async (client, transaction) => {
      const begun = client.query(`${begin.write}; ${statements}`)
      const asked = ask<Row>(client, text, values, name)
      // Of several failures the first to come is the cause.
      const [, rows] = await Promise.all([begun, asked])
      return work(transaction, rows)
    })
  }

  async #transact<T>(run: (client: pg.PoolClient, transaction: Transaction) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#onConnection((client) => this.#transactOnce(client, run), true)
      } catch (error) {
        if (!isCollision(error) || tries >= mostTries) throw toDomainError(error)
      }
    }
  }

  async #transactOnce<T>(
    client: pg.PoolClient,
    run: (client: pg.PoolClient, transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    let isCommitted = false
    try {
      const result = await run(client, {
        query: (text, values = [], name) => ask(client, text, values, name),
        commitWith: async (text, values, name) => {
          // The server commits nothing after a statement that failed.
          await Promise.all([ask(client, text, values, name), client.query('commit')])
          isCommitted = true
        },
        kysely: this.#kyselyOn(client),
      })
      if (!isCommitted) await client.query('commit')
      return result
    } catch (error) {
      // Where nothing is answered, this would not be either, and take as long again.
      if (isLostConnection(error)) this.#unusable.add(client)
      else await client.query('rollback').catch(() => this.#unusable.add(client))
      throw error
    }
  }

  /** `isRaw`: the caller maps errors. */
  async #onConnection<T>(use: (client: pg.PoolClient) => Promise<T>, isRaw = false): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#onOne(use)
      } catch (error) {
        // Each connection has its own, and what was asked for was not begun.
        if (isOutdatedPlan(error) && tries < this.connections) continue
        throw isRaw ? error : toDomainError(error)
      }
    }
  }

  /** A connection that failed to answer, or whose plans are outdated, is not used again. */
  async #onOne<T>(use: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient
    try {
      client = await this.#pool.connect()
    } catch (cause) {
      // Those that are being opened are not in use: then the server is what does not answer.
      if (this.#inUse < this.connections) throw unreachable(cause)
      this.#onFull()
      throw full(cause)
    }
    this.#inUse += 1
    let failure: unknown
    // Without a listener the loss of a connection in use ends the process.
    const onLost = (error: Error): void => void (failure = error)
    client.on('error', onLost)
    try {
      return await use(client)
    } catch (error) {
      failure ??= isBroken(error) || isOutdatedPlan(error) ? error : undefined
      throw error
    } finally {
      this.#inUse -= 1
      client.off('error', onLost)
      client.release(failure !== undefined || this.#unusable.has(client))
    }
  }

  /** Kysely whose one connection is this one: what it does is part of the transaction there. */
  #kyselyOn(client: pg.PoolClient): Kysely<Schema> {
    const known = this.#kyselys.get(client)
    if (known !== undefined) return known
    const query = (text: string, values: unknown[]) =>
      client.query({ text, values, ...(isCompiled(text) && { name: hash('md5', text) }) })
    const over = { query, release: () => {} } as unknown as pg.PoolClient
    const pool = { connect: () => Promise.resolve(over), end: () => Promise.resolve() }
    const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) })
    this.#kyselys.set(client, kysely)
    return kysely
  }

  /** As the port has it. */
  load(): Readonly<Record<string, number>> {
    const { totalCount, idleCount, waitingCount } = this.#pool
    return { connections: totalCount, connections_idle: idleCount, connection_waits: waitingCount }
  }

  /** Resolves when every connection is closed; work under way is finished first. */
  async close(): Promise<void> {
    await this.#pool.end()
  }
}

async function ask<Row extends object>(
  client: pg.PoolClient,
  text: string,
  values: readonly unknown[],
  name: string | undefined,
): Promise<readonly Row[]> {
  const { rows } = await client.query<Row>({ text, values: [...values], ...(name !== undefined && { name }) })
  return rows
}

/** Anything but an answer of the server: where the connection stands then, nobody knows. */
function isBroken(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) && !(error instanceof DomainError)
}

function unreachable(cause: unknown): DomainError {
  return new DomainError('unavailable', 'The database cannot be reached.', { cause, detail: { retryAfterSeconds: 5 } })
}

function full(cause: unknown): DomainError {
  const message = 'All connections to the database are in use.'
  return new DomainError('unavailable', message, { cause, detail: { retryAfterSeconds: 5 } })
}
