// Tells this node what other nodes have changed in the directory: at once, as the database notifies, and a few times a second by
// asking for it, for notifications get lost with their connection. Knows when it can do neither. Has one connection of its own.

import { setTimeout } from 'node:timers/promises'
import { DomainError } from '../../core/errors.ts'
import type { DirectoryListener } from '../../core/storage.ts'
import type { OrganisationId } from '../../core/ids.ts'
import type pg from 'pg'
import type { Transaction } from './database.ts'

export interface ChangesOptions {
  /** A connection, not connected yet. */
  readonly connect: () => pg.Client
  /** The connection is lost, or there is still none; it is tried again at once. */
  readonly onCutOff?: ((error: unknown) => void) | undefined
  /** After that: there is one again. */
  readonly onBack?: (() => void) | undefined
  /** For tests: false asks only. */
  readonly listens?: boolean
}

/** The transaction that changed something. */
type ChangedBy = bigint

const channel = 'claviger_directory'
const askEveryMs = 200
/** What others committed is known if that was before the last question that was answered, and that is younger than this. */
const trustedMs = 900
const reconnectMs = 100
/** A notification has at most 8,000 bytes. */
const mostNamed = 500

const noteChange = `
insert into directory_change (organisation_id, changed_by)
select id, pg_current_xact_id() from unnest($1::integer[]) as id order by id
on conflict (organisation_id) do update set changed_by = excluded.changed_by`
const notify = `select pg_current_xact_id()::text as by, pg_notify('${channel}', pg_current_xact_id() || ' ' || $1)`

// Whatever this snapshot does not see is by a transaction from its xmin on: the next question asks from there.
const readChanges = `
select change.organisation_id as id, change.changed_by::text as by, pg_snapshot_xmin(seen)::text as xmin
from pg_current_snapshot() as seen left join directory_change as change on change.changed_by >= $1::text::xid8`

interface Change {
  readonly id: OrganisationId | null
  readonly by: string | null
  readonly xmin: string
}

export class DirectoryChanges {
  readonly #options: ChangesOptions
  readonly #listeners = new Set<DirectoryListener>()
  /** Told already, of those that asking may bring up again. */
  readonly #told = new Map<OrganisationId, ChangedBy>()
  readonly #closing = new AbortController()
  #following: Promise<void> = Promise.resolve()
  /** Undefined: ask anew, and trust nothing from before. */
  #from: string | undefined
  #knownAt = -Infinity

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** Resolves when in touch for the first time; from then on comes back by itself. */
  async open(): Promise<void> {
    const client = await this.#connect()
    try {
      await this.#ask(client)
    } catch (error) {
      void client.end().catch(() => {})
      throw error
    }
    this.#following = this.#follow(client)
  }

  isInTouch(): boolean {
    return performance.now() - this.#knownAt < trustedMs
  }

  onChange(listener: DirectoryListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** In the transaction that makes the change, after everything else. Answers what `tell` wants once it is committed. */
  async note({ query }: Transaction, ids: readonly OrganisationId[]): Promise<ChangedBy> {
    await query(noteChange, [[...new Set(ids)]])
    const [row] = await query<{ readonly by: string }>(notify, [ids.length > mostNamed ? 'all' : ids.join(' ')])
    return BigInt(row?.by ?? 0)
  }

  /** What was committed here, or told by others: once each. */
  tell(ids: readonly OrganisationId[], by: ChangedBy): void {
    for (const id of ids) {
      if (this.#told.get(id) === by) continue
      this.#told.set(id, by)
      this.#tellAll(id)
    }
  }

  async close(): Promise<void> {
    this.#knownAt = -Infinity
    this.#closing.abort()
    await this.#following
  }

  async #follow(first: pg.Client): Promise<void> {
    let client: pg.Client | undefined = first
    while (!this.#closing.signal.aborted) {
      try {
        client ??= await this.#connectAgain()
        await this.#askRegularly(client)
      } catch (error) {
        if (!this.#closing.signal.aborted) this.#options.onCutOff?.(error)
      }
      // What hangs is cut off, not waited for.
      void client?.end().catch(() => {})
      client = undefined
      this.#from = undefined
      await pause(reconnectMs, this.#closing.signal)
    }
  }

  async #connectAgain(): Promise<pg.Client> {
    const client = await this.#connect()
    this.#options.onBack?.()
    return client
  }

  async #connect(): Promise<pg.Client> {
    const client = this.#options.connect()
    client.on('error', () => {})
    await client.connect()
    client.on('notification', ({ payload = '' }) => this.#hear(payload))
    if (this.#options.listens !== false) await client.query(`listen ${channel}`)
    return client
  }

  /** Throws when the connection has ended. */
  async #askRegularly(client: pg.Client): Promise<never> {
    const ended = new AbortController()
    let reason: unknown = new DomainError('unavailable', 'The connection has ended.')
    client.once('error', (error) => (reason = error))
    client.once('end', () => ended.abort())
    const signal = AbortSignal.any([ended.signal, this.#closing.signal])
    for (;;) {
      await this.#ask(client)
      await pause(askEveryMs, signal)
      if (signal.aborted) throw reason
    }
  }

  async #ask(client: pg.Client): Promise<void> {
    const askedAt = performance.now()
    const from = this.#from
    const { rows } = await client.query<Change>(readChanges, [from ?? null])
    for (const { id, by } of rows) if (id !== null && by !== null) this.tell([id], BigInt(by))
    this.#from = rows[0]?.xmin
    const xmin = BigInt(this.#from ?? 0)
    for (const [id, by] of this.#told) if (by < xmin) this.#told.delete(id)
    // Told before anything is trusted again.
    if (from === undefined) this.#tellAll(undefined)
    this.#knownAt = askedAt
  }

  #hear(payload: string): void {
    const [by = '', ...ids] = payload.split(' ')
    if (ids[0] === 'all') this.#tellAll(undefined)
    else this.tell(ids.map(Number) as OrganisationId[], BigInt(by))
  }

  #tellAll(id: OrganisationId | undefined): void {
    for (const listener of this.#listeners) listener(id)
  }
}

/** Ends early without an error. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => {})
}
