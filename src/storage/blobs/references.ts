// Which blobs rows refer to: the attachments of statements, and documents too long for a row.

import type Database from 'better-sqlite3'
import type { LrsId } from '../../core/ids.ts'

/** Those of `sha2s` that a row of the Lrs refers to. */
export function listReferenced(handle: Database.Database, lrsId: LrsId, sha2s: readonly string[]): readonly string[] {
  const rows = handle
    .prepare<[string, LrsId, LrsId], string>(
      `select value from json_each(?)
        where exists (select 1 from attachment where lrs_id = ? and sha2 = value)
           or exists (select 1 from document where lrs_id = ? and sha2 = value)`,
    )
    .pluck()
  return rows.all(JSON.stringify(sha2s), lrsId, lrsId)
}
