// Whether the bytes are there that rows refer to: asked of a connection that only reads, a bounded part at a time, and of the place
// where they lie.

import { inParts } from './place.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Blob, BlobPlace } from './place.ts'

export interface BlobCheck {
  /** Blobs that rows refer to. */
  readonly checked: number
  readonly damaged: number
  /** The first few of the damaged ones. */
  readonly examples: readonly { readonly lrsId: number; readonly sha2: string; readonly fault: string }[]
}

/** How the rows are asked, whatever the engine: statements with $1, $2 …, each once and in order. */
export interface BlobRowsToCheck {
  query(sql: string, values: readonly unknown[]): Promise<readonly object[]> | readonly object[]
  findReferenced(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]> | readonly string[]
}

interface Claim extends Blob {
  /** Null of attachments, whose rows do not tell. */
  readonly length: number | null
}

const mostExamples = 5
/** Rows read in one snapshot: a longer one would keep the log of a running server from being folded in. */
const slice = 1000
/** Asked of the place side by side. */
const mostAsked = 16

/** A server may run meanwhile, and store and erase. */
export async function checkBlobs(rows: BlobRowsToCheck, place: Pick<BlobPlace, 'find'>): Promise<BlobCheck> {
  const examples: BlobCheck['examples'][number][] = []
  let checked = 0
  let damaged = 0
  const check = async (claim: Claim): Promise<void> => {
    const fault = await faultOf(place, claim)
    if (fault !== undefined && !(await isStill(rows, place, claim))) return
    checked += 1
    if (fault === undefined) return
    damaged += 1
    const { lrsId, sha2 } = claim
    if (examples.length < mostExamples) examples.push({ lrsId, sha2, fault })
  }
  for (const table of ['document', 'attachment'] as const) {
    for await (const claims of listClaims(rows, table)) {
      for (const some of inParts(claims, mostAsked)) await Promise.all(some.map(check))
    }
  }
  return { checked, damaged, examples }
}

const queries = {
  document: `select lrs_id as "lrsId", sha2, max(length) as length from document
    where sha2 is not null and (lrs_id, sha2) > ($1, $2)
    group by lrs_id, sha2 order by lrs_id, sha2 limit $3`,
  attachment: `select lrs_id as "lrsId", sha2, null as length from attachment
    where (lrs_id, sha2) > ($1, $2)
      and not exists (select 1 from document d where d.lrs_id = attachment.lrs_id and d.sha2 = attachment.sha2)
    group by lrs_id, sha2 order by lrs_id, sha2 limit $3`,
} as const

/** Each blob once. Those of attachments that are documents, too, were checked as such. */
async function* listClaims(rows: BlobRowsToCheck, table: keyof typeof queries): AsyncGenerator<readonly Claim[]> {
  let last: Blob = { lrsId: 0 as LrsId, sha2: '' }
  while (true) {
    const claims = (await rows.query(queries[table], [last.lrsId, last.sha2, slice])) as readonly Claim[]
    yield claims
    const end = claims.at(-1)
    if (end === undefined) return
    last = end
  }
}

async function faultOf(place: Pick<BlobPlace, 'find'>, claim: Claim): Promise<string | undefined> {
  try {
    const found = await place.find(claim)
    if (found === undefined) return 'missing'
    const { length } = claim
    return length === null || found.length === length ? undefined : `${found.length} bytes instead of ${length}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Rows go before bytes, and bytes come before rows: damaged before and after a row was seen is damaged. */
async function isStill(rows: BlobRowsToCheck, place: Pick<BlobPlace, 'find'>, claim: Claim): Promise<boolean> {
  if ((await rows.findReferenced(claim.lrsId, [claim.sha2])).length === 0) return false
  return (await faultOf(place, claim)) !== undefined
}
