// The book of blob holds for nodes that share a database: each hold a row that expires by the database's clock, so that those of a
// killed node end by themselves. Taking hold and marking for removal go by the blob's advisory lock.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { DomainError } from '../../core/errors.ts'
import { isBeingRemoved, mostWaitMs, removalLivesMs } from '../blobs/holds.ts'
import { lockClass } from './locks.ts'
import type { LrsId } from '../../core/ids.ts'
import type { BlobHolds, Removal } from '../blobs/holds.ts'
import type { Blob } from '../blobs/place.ts'
import type { Database, Transaction } from './database.ts'

const holdLivesSeconds = 300
/** Several times within the life of a hold: one that fails is not the end of it. */
const renewEveryMs = 60_000
/** Renewed so lately, a hold outlives any transaction that writes rows, however often it is tried again. */
const isSureMs = 120_000
/** Between two looks whether a removal is over. */
const lookEveryMs = 50

interface HoldRow {
  readonly lrs_id: number
  readonly sha2: string
  readonly is_wanted: boolean
}

/** What one request holds. */
interface Held {
  blobs: number
  /** When the last statement began that put the expiry of all of them off; on the scale of `performance.now()`. */
  renewedAt: number
}

export class NodeHolds implements BlobHolds {
  readonly #database: Database
  readonly #node = randomUUID()
  readonly #held = new Map<string, Held>()
  readonly #renewing: NodeJS.Timeout

  constructor(database: Database) {
    this.#database = database
    this.#renewing = setInterval(() => void this.renew().catch(() => {}), renewEveryMs).unref()
  }

  async take(blob: Blob, holder: string): Promise<void> {
    const giveUpAt = performance.now() + mostWaitMs
    for (let startedAt = performance.now(); !(await this.#tryTake(blob, holder)); startedAt = performance.now()) {
      if (startedAt > giveUpAt) throw isBeingRemoved()
      await pause(lookEveryMs)
    }
  }

  async noteThere({ lrsId, sha2 }: Blob, holder: string): Promise<void> {
    await this.#database.query(
      'update blob_hold set was_there = true where lrs_id = $1 and sha2 = $2 and holder = $3',
      [lrsId, sha2, holder],
    )
  }

  async confirm(holder: string): Promise<void> {
    const held = this.#held.get(holder)
    if (held === undefined || performance.now() - held.renewedAt < isSureMs) return
    const startedAt = performance.now()
    if ((await this.#putOff([holder])).length < held.blobs) throw isLost()
    held.renewedAt = startedAt
  }

  leave(holder: string): void {
    this.#held.delete(holder)
  }

  async drop(blobs: readonly Blob[], holder: string): Promise<readonly Blob[]> {
    this.#held.delete(holder)
    const rows = await this.#database.query<HoldRow>(
      `delete from blob_hold h using unnest($1::integer[], $2::text[]) as mine (lrs_id, sha2)
        where h.lrs_id = mine.lrs_id and h.sha2 = mine.sha2 and h.holder = $3
        returning h.lrs_id, h.sha2, h.is_wanted`,
      [blobs.map(({ lrsId }) => lrsId), blobs.map(({ sha2 }) => sha2), holder],
    )
    return wantedOf(rows)
  }

  async beginRemoval(lrsId: LrsId, sha2s: readonly string[], isWanted: boolean): Promise<Removal> {
    const remover = randomUUID()
    const until = performance.now() + removalLivesMs / 2
    const { free, held } = await this.#database.transact('write', async (transaction) => {
      await lockBlobs(transaction, lrsId, sha2s)
      const holds = await listHolds(transaction, lrsId, sha2s, isWanted)
      const held = new Set(holds.map(({ sha2 }) => sha2))
      const free = await mark(transaction, { lrsId, sha2s: sha2s.filter((sha2) => !held.has(sha2)), remover })
      return { free, held: [...new Set(holds.filter((one) => one.was_there).map(({ sha2 }) => sha2))] }
    })
    const end = async (): Promise<void> => {
      if (free.length === 0) return
      await this.#database.query(
        'delete from blob_removal where lrs_id = $1 and sha2 = any($2::text[]) and remover = $3',
        [lrsId, free, remover],
      )
    }
    return { free, held, until, end, leave: () => {} }
  }

  async dropExpired(): Promise<readonly Blob[]> {
    await this.#database.query('delete from blob_removal where expires_at <= clock_timestamp()')
    const rows = await this.#database.query<HoldRow>(
      'delete from blob_hold where expires_at <= clock_timestamp() returning lrs_id, sha2, is_wanted',
    )
    return wantedOf(rows)
  }

  /** Puts the expiry of everything off that this process holds; not of what it has left, or could not let go. */
  async renew(): Promise<void> {
    if (this.#held.size === 0) return
    const before = new Map([...this.#held].map(([holder, { blobs }]) => [holder, blobs]))
    const startedAt = performance.now()
    const renewed = new Map<string, number>()
    for (const { holder } of await this.#putOff([...before.keys()])) renewed.set(holder, (renewed.get(holder) ?? 0) + 1)
    for (const [holder, blobs] of before) {
      const held = this.#held.get(holder)
      // One that has expired stays expired: `confirm` says so.
      if (held !== undefined && (renewed.get(holder) ?? 0) >= blobs) held.renewedAt = startedAt
    }
  }

  close(): void {
    clearInterval(this.#renewing)
  }

  /** False while it is being removed. */
  async #tryTake({ lrsId, sha2 }: Blob, holder: string): Promise<boolean> {
    const startedAt = performance.now()
    const rows = await this.#database.transact('write', async (transaction) => {
      await lockBlobs(transaction, lrsId, [sha2])
      return transaction.query(
        `insert into blob_hold (lrs_id, sha2, holder, node, expires_at)
          select $1, $2, $3, $4, clock_timestamp() + $5 * interval '1 second'
          where not exists (
            select 1 from blob_removal where lrs_id = $1 and sha2 = $2 and expires_at > clock_timestamp())
          on conflict (lrs_id, sha2, holder) do update set expires_at = excluded.expires_at
          returning 1 as taken`,
        [lrsId, sha2, holder, this.#node, holdLivesSeconds],
        'hold-blob',
      )
    })
    if (rows.length === 0) return false
    const held = this.#held.get(holder)
    // The others of the request were renewed earlier, or at most as lately.
    if (held === undefined) this.#held.set(holder, { blobs: 1, renewedAt: startedAt })
    else held.blobs += 1
    return true
  }

  /** Not of what has expired: somebody may have taken it for dead. */
  #putOff(holders: readonly string[]): Promise<readonly { readonly holder: string }[]> {
    return this.#database.query(
      `update blob_hold set expires_at = clock_timestamp() + $2 * interval '1 second'
        where node = $1 and holder = any($3::uuid[]) and expires_at > clock_timestamp() returning holder`,
      [this.#node, holdLivesSeconds, holders],
    )
  }
}

/** In one order, so that nobody waits for who waits for them. */
async function lockBlobs(transaction: Transaction, lrsId: LrsId, sha2s: readonly string[]): Promise<void> {
  await transaction.query(
    `select pg_advisory_xact_lock($1, key) from (
      select distinct hashtext($2 || '/' || sha2) as key from unnest($3::text[]) as sha2 order by key) as keys`,
    [lockClass.blob, String(lrsId), sha2s],
    'lock-blobs',
  )
}

/** Those that count. What has expired goes; a renewal that is just being written is waited for, and counts. */
async function listHolds(
  { query }: Transaction,
  lrsId: LrsId,
  sha2s: readonly string[],
  isWanted: boolean,
): Promise<readonly { readonly sha2: string; readonly was_there: boolean }[]> {
  await query(
    'delete from blob_hold where lrs_id = $1 and sha2 = any($2::text[]) and expires_at <= clock_timestamp()',
    [lrsId, sha2s],
  )
  const those = 'lrs_id = $1 and sha2 = any($2::text[])'
  return query(
    isWanted
      ? `update blob_hold set is_wanted = true where ${those} returning sha2, was_there`
      : `select sha2, was_there from blob_hold where ${those}`,
    [lrsId, sha2s],
  )
}

/** Those that nobody else is removing. */
async function mark(
  { query }: Transaction,
  { lrsId, sha2s, remover }: { readonly lrsId: LrsId; readonly sha2s: readonly string[]; readonly remover: string },
): Promise<readonly string[]> {
  if (sha2s.length === 0) return []
  const rows = await query<{ readonly sha2: string }>(
    `insert into blob_removal (lrs_id, sha2, remover, expires_at)
      select $1, sha2, $3, clock_timestamp() + $4 * interval '1 millisecond' from unnest($2::text[]) as sha2
      on conflict (lrs_id, sha2) do update set remover = excluded.remover, expires_at = excluded.expires_at
        where blob_removal.expires_at <= clock_timestamp()
      returning sha2`,
    [lrsId, sha2s, remover, removalLivesMs],
  )
  return rows.map(({ sha2 }) => sha2)
}

function wantedOf(rows: readonly HoldRow[]): readonly Blob[] {
  return rows.filter((row) => row.is_wanted).map(({ lrs_id, sha2 }) => ({ lrsId: lrs_id as LrsId, sha2 }))
}

function isLost(): DomainError {
  return new DomainError('unavailable', 'This server was cut off for too long while it received data: send it again.', {
    detail: { retryAfterSeconds: 1 },
  })
}
