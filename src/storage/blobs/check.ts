// Whether the files are there that rows refer to: asked of a connection that only reads, a bounded part at a time.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import type { LrsId } from '../../core/ids.ts'
import { blobPath } from './directory.ts'
import { listReferenced } from './references.ts'

export interface BlobCheck {
  /** Blobs that rows refer to. */
  readonly checked: number
  readonly damaged: number
  /** The first few of the damaged ones. */
  readonly examples: readonly { readonly lrsId: number; readonly sha2: string; readonly fault: string }[]
}

interface Claim {
  readonly lrsId: LrsId
  readonly sha2: string
  /** Null of attachments, whose rows do not tell. */
  readonly length: number | null
}

const mostExamples = 5
/** Rows read in one snapshot: a longer one would keep the log of a running server from being folded in. */
const slice = 1000

/** `directory` holds the blobs. A server may run meanwhile, and store and erase. */
export function checkBlobs(handle: Database.Database, directory: string): BlobCheck {
  const examples: BlobCheck['examples'][number][] = []
  let checked = 0
  let damaged = 0
  for (const table of ['document', 'attachment'] as const) {
    for (const claim of listClaims(handle, table)) {
      const fault = faultOf(directory, claim)
      if (fault !== undefined && !isStill(handle, directory, claim)) continue
      checked += 1
      if (fault === undefined) continue
      damaged += 1
      const { lrsId, sha2 } = claim
      if (examples.length < mostExamples) examples.push({ lrsId, sha2, fault })
    }
  }
  return { checked, damaged, examples }
}

/** Each blob once. Those of attachments that are documents, too, were checked as such. */
function* listClaims(handle: Database.Database, table: 'document' | 'attachment'): Generator<Claim> {
  const query = handle.prepare<[number, string, number], Claim>(
    table === 'document'
      ? `select lrs_id as lrsId, sha2, max(length) as length from document
          where sha2 is not null and (lrs_id, sha2) > (?, ?)
          group by lrs_id, sha2 order by lrs_id, sha2 limit ?`
      : `select lrs_id as lrsId, sha2, null as length from attachment
          where (lrs_id, sha2) > (?, ?)
            and not exists (select 1 from document d where d.lrs_id = attachment.lrs_id and d.sha2 = attachment.sha2)
          group by lrs_id, sha2 order by lrs_id, sha2 limit ?`,
  )
  let last: Pick<Claim, 'lrsId' | 'sha2'> = { lrsId: 0 as LrsId, sha2: '' }
  while (true) {
    const claims = query.all(last.lrsId, last.sha2, slice)
    yield* claims
    const end = claims.at(-1)
    if (end === undefined) return
    last = end
  }
}

function faultOf(directory: string, { lrsId, sha2, length }: Claim): string | undefined {
  try {
    const stats = statSync(join(directory, blobPath(lrsId, sha2)), { throwIfNoEntry: false })
    if (stats === undefined) return 'missing'
    if (!stats.isFile()) return 'no file'
    return length === null || stats.size === length ? undefined : `${stats.size} bytes instead of ${length}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Rows go before files, and files come before rows: damaged before and after a row was seen is damaged. */
function isStill(handle: Database.Database, directory: string, claim: Claim): boolean {
  return listReferenced(handle, claim.lrsId, [claim.sha2]).length > 0 && faultOf(directory, claim) !== undefined
}
