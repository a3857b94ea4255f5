// What is wrong with the rows, and which blobs they miss, asked in parts over a connection of its own, while others store and
// erase: each part is one statement and so one snapshot. Whether the server's files are sound is the server's to say
// (checksums, pg_amcheck); what it says of itself is asked. Reads only.

import { findRisks } from './durability.ts'
import { Database } from './database.ts'
import { checkBlobs } from '../blobs/check.ts'
import { Documents } from './documents.ts'
import type { BlobRowsToCheck } from '../blobs/check.ts'
import type { BlobPlace } from '../blobs/place.ts'
import type { Integrity, OnChecked } from '../integrity.ts'

export interface IntegrityOptions {
  readonly url: string
  /** Where the blobs are. */
  readonly place: Pick<BlobPlace, 'find'>
  readonly onChecked?: OnChecked | undefined
}

/** Rows of one part: a second at most, also where nothing is in memory. */
const slice = 5_000
const mostFaults = 20
/** The statements of one Lrs are counted in one. */
const statementTimeoutMs = 3_600_000

interface Part {
  readonly rows: number
  readonly last: readonly string[] | null
  /** Some of those at fault. */
  readonly examples: readonly string[]
}

interface RowCheck {
  readonly table: string
  /** Its primary key, and what else a look needs. */
  readonly key: readonly string[]
  readonly reads?: readonly string[]
  /** Over `part`, rows of the table: what is said of those at fault. */
  readonly faults: string
}

const checks: readonly RowCheck[] = [
  {
    table: 'statement',
    key: ['lrs_id', 'seq'],
    reads: ['id', 'terms'],
    faults: `select format('statement %s of Lrs %s is not found by all that it has', encode(part.id, 'hex'), part.lrs_id)
      from part left join inheritance i on i.lrs_id = part.lrs_id and i.seq = part.seq
      where exists (
        select 1 from unnest(string_to_array(concat_ws(',', nullif(part.terms, ''), nullif(i.terms, '')), ',')::bigint[]) as has (term)
        where not exists (select 1 from posting p
          where p.lrs_id = part.lrs_id and p.term = has.term and p.seq = part.seq))`,
  },
  {
    table: 'posting',
    key: ['lrs_id', 'term', 'seq'],
    faults: `select format('the index of Lrs %s has a statement of %s that is not there', part.lrs_id, part.seq)
      from part where not exists (select 1 from statement s where s.lrs_id = part.lrs_id and s.seq = part.seq)`,
  },
  {
    table: 'attachment',
    key: ['lrs_id', 'seq', 'sha2'],
    faults: `select format('attachment %s of Lrs %s belongs to no statement', part.sha2, part.lrs_id)
      from part where not exists (select 1 from statement s where s.lrs_id = part.lrs_id and s.seq = part.seq)`,
  },
]

const about = `select coalesce(sum(greatest(reltuples, 0)), 0)::bigint as rows from pg_class
  where oid in (select to_regclass(name) from unnest($1::text[]) as name)`

const ofServer = `select format('the server found %s damaged pages', checksum_failures) as fault
    from pg_stat_database where datname = current_database() and checksum_failures > 0
  union all select format('index %s is not valid: reindex it', indexrelid::regclass)
    from pg_index join pg_class c on c.oid = indrelid where not indisvalid and relnamespace = current_schema()::regnamespace`

export async function checkIntegrity({ url, place, onChecked }: IntegrityOptions): Promise<Integrity> {
  const database = new Database({ url, connections: 2, statementTimeoutMs })
  const faults: string[] = []
  try {
    const told = await database.query<{ readonly fault: string }>(ofServer)
    faults.push(...told.map(({ fault }) => fault))
    faults.push(...(await checkRows(database, onChecked)))
    faults.push(...(await findMiscounted(database)))
    const documents = new Documents(database)
    const rows: BlobRowsToCheck = {
      query: (text, values) => database.query(text, values),
      findReferenced: (...args) => documents.findReferenced(...args),
    }
    return { faults, risks: await findRisks(database), blobs: await checkBlobs(rows, place) }
  } catch (error) {
    return { faults: [...faults, error instanceof Error ? error.message : String(error)], blobs: undefined }
  } finally {
    await database.close()
  }
}

/** One after the other, and each of one moment. */
async function findMiscounted(database: Database): Promise<readonly string[]> {
  const faults: string[] = []
  for (const { id } of await database.query<{ readonly id: number }>('select id from lrs order by id')) {
    const [row] = await database.query<{ readonly found: number; readonly told: number }>(countOf, [id])
    if (row === undefined || row.found === row.told || faults.length >= mostFaults) continue
    faults.push(`Lrs ${id} has ${row.found} statements, and ${row.told} by its count`)
  }
  return faults
}

const countOf = `select (select count(*) from statement where lrs_id = $1) as found,
  coalesce((select statements from lrs_state where lrs_id = $1), 0) as told`

async function checkRows(database: Database, onChecked: OnChecked | undefined): Promise<readonly string[]> {
  const [all] = await database.query<{ readonly rows: number }>(about, [checks.map(({ table }) => table)])
  const faults: string[] = []
  let rows = 0
  for (const check of checks) {
    const before = faults.length
    for await (const part of listParts(database, check)) {
      rows += part.rows
      faults.push(...part.examples.slice(0, Math.max(0, before + mostFaults - faults.length)))
      onChecked?.(rows, Math.max(rows, all?.rows ?? 0))
    }
  }
  return faults
}

async function* listParts(database: Database, check: RowCheck): AsyncGenerator<Part> {
  const text = partOf(check)
  let last: readonly string[] = check.key.map((column) => (column === 'sha2' ? '' : '-1'))
  for (;;) {
    const [part] = await database.query<Part>(text, [...last, slice])
    if (part === undefined || part.last === null) return
    yield part
    last = part.last
  }
}

function partOf({ table, key, reads = [], faults }: RowCheck): string {
  const keys = key.join(', ')
  const places = key.map((_, index) => `$${index + 1}`).join(', ')
  const last = key.map((column) => `${column}::text`).join(', ')
  const backwards = key.map((column) => `${column} desc`).join(', ')
  return `with part as materialized (
      select ${[...key, ...reads].join(', ')} from ${table}
      where (${keys}) > (${places}) order by ${keys} limit $${key.length + 1})
    select (select count(*) from part) as rows,
      (select array[${last}] from part order by ${backwards} limit 1) as last,
      array(select * from (${faults}) as fault limit ${mostFaults}) as examples`
}
