// The ids of statements that were erased for a person and must not come back, as keyed hashes with one salt per Lrs.

import { createHmac, randomBytes } from 'node:crypto'
import { listOf } from './sql.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Sql } from './sql.ts'

const saltBytes = 32
const hashBytes = 16

/** As `erased_statement` has it. */
export function erasedHash(salt: Uint8Array, id: Uint8Array): Buffer {
  return createHmac('sha256', salt).update(id).digest().subarray(0, hashBytes)
}

/** True when the Lrs had none before, and whoever stores must look for them from now on. */
export async function addErased(sql: Sql, lrsId: LrsId, ids: readonly Uint8Array[]): Promise<boolean> {
  if (ids.length === 0) return false
  const known = await findSalt(sql, lrsId)
  const salt = known ?? randomBytes(saltBytes)
  if (known === undefined) {
    await sql.run(
      `insert into erased_lrs (lrs_id, salt, last_seq) values ($1, $2, 0)
       on conflict (lrs_id) do update set salt = excluded.salt`,
      [lrsId, salt],
    )
  }
  await sql.run(
    `insert into erased_statement (lrs_id, hash)
     select cast($1 as integer), hash from ${sql.dialect.list('$2', { hash: 'bytes' })} as listed
     where true on conflict (lrs_id, hash) do nothing`,
    [lrsId, listOf(ids.map((id) => [erasedHash(salt, id)]))],
  )
  return known === undefined
}

export async function isErased(sql: Sql, lrsId: LrsId, id: string): Promise<boolean> {
  const salt = await findSalt(sql, lrsId)
  if (salt === undefined) return false
  const hash = erasedHash(salt, Buffer.from(id.replaceAll('-', ''), 'hex'))
  const found = await sql.all('select 1 as one from erased_statement where lrs_id = $1 and hash = $2', [lrsId, hash])
  return found.length > 0
}

async function findSalt(sql: Sql, lrsId: LrsId): Promise<Buffer | undefined> {
  const [row] = await sql.all<{ readonly salt: Buffer | null }>('select salt from erased_lrs where lrs_id = $1', [
    lrsId,
  ])
  return row?.salt ?? undefined
}
