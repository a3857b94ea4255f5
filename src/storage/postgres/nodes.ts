// Leases and sums that the nodes of one database share. By the clock of the database, whatever those of the nodes say.

import type { CountDelta, NodeStore, SharedCount } from '../../core/storage.ts'
import type { Database } from './database.ts'
import type { DirectoryChanges } from './directory-changes.ts'

const ms = (parameter: string): string => `${parameter}::float8 * interval '1 millisecond'`

// A clock that was set back leaves leases that end further away than any may: those of who is gone must not last for hours.
const isFree = `(lease.holder is null or lease.ends_at <= clock_timestamp()
  or lease.ends_at > clock_timestamp() + 2 * ${ms('$3')})`
const isDue = `(lease.done_at <= clock_timestamp() - ${ms('$4')} or lease.done_at > clock_timestamp() + ${ms('$4')})`

// A name nobody had before is entered as done: due at once where it need not wait. Not the statement's own time, which may be
// from before a wait for the row.
const enterLease = `
insert into lease (name, holder, ends_at, done_at)
values ($1, case when $4::float8 <= 0 then $2 end, clock_timestamp() + ${ms('$3')}, clock_timestamp())
on conflict (name) do update set holder = $2, ends_at = clock_timestamp() + ${ms('$3')}
where (lease.holder = $2 and lease.ends_at > clock_timestamp()) or (${isFree} and ${isDue})
returning holder`

const leaveLease = `
update lease set holder = null, ends_at = null, done_at = case when $3 then clock_timestamp() else done_at end
where name = $1 and holder = $2`

// By name, so that two nodes wait for each other in one order only.
const addCounts = `
insert into shared_count as sum (name, count, ends_at)
select name, delta, clock_timestamp() + ${ms('window_ms')}
from unnest($1::text[], $2::bigint[], $3::float8[]) as given (name, delta, window_ms) order by name
on conflict (name) do update set
  count = excluded.count + case when sum.ends_at <= clock_timestamp() then 0 else greatest(0, sum.count) end,
  ends_at = case when sum.ends_at <= clock_timestamp() then excluded.ends_at else sum.ends_at end
returning name, greatest(0, count) as count, extract(epoch from ends_at - clock_timestamp())::float8 * 1000 as "leftMs"`

const forgetCounts = `
delete from shared_count where name in
  (select name from shared_count where ends_at < clock_timestamp() order by ends_at limit 1000 for update skip locked)`

/** One call in so many also removes sums that are over. */
const forgetEvery = 30

export class Nodes implements NodeStore {
  readonly isShared = true
  readonly #database: Database
  readonly #changes: DirectoryChanges
  #calls = 0

  constructor(database: Database, changes: DirectoryChanges) {
    this.#database = database
    this.#changes = changes
  }

  isInTouch(): boolean {
    return this.#changes.isInTouch()
  }

  async takeLease(...[name, holder, { ttlMs, everyMs = 0 }]: Parameters<NodeStore['takeLease']>): Promise<boolean> {
    const [row] = await this.#database.query<{ holder: string | null }>(enterLease, [name, holder, ttlMs, everyMs])
    return row?.holder === holder
  }

  async releaseLease(name: string, holder: string, isDone: boolean): Promise<void> {
    await this.#database.query(leaveLease, [name, holder, isDone])
  }

  async addCounts(counts: readonly CountDelta[]): Promise<readonly SharedCount[]> {
    if (counts.length === 0) return []
    if (++this.#calls % forgetEvery === 0) await this.#database.query(forgetCounts)
    const columns = [counts.map((it) => it.name), counts.map((it) => it.delta), counts.map((it) => it.windowMs)]
    const rows = await this.#database.transact('write', ({ query }) =>
      query<SharedCount & { readonly name: string }>(addCounts, columns),
    )
    const byName = new Map(rows.map(({ name, count, leftMs }) => [name, { count, leftMs }]))
    return counts.map(({ name, windowMs }) => byName.get(name) ?? { count: 0, leftMs: windowMs })
  }
}
