// What the database file says is wrong with itself, and which blobs it misses, asked from a thread and a connection of its own: on a large file the
// answer takes long, and nobody else waits for it. Reads only.

import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import type { BucketOptions } from '../blobs/bucket.ts'
import { checkBlobs } from '../blobs/check.ts'
import type { BlobCheck, BlobRowsToCheck } from '../blobs/check.ts'
import { findFile } from '../blobs/directory.ts'
import { listReferenced } from '../blobs/references.ts'
import { startThread } from './engine-client.ts'
import type { Integrity } from '../integrity.ts'

interface Task {
  /** The data directory. */
  readonly directoryToCheck: string
  /** Where the blobs are, when not there. */
  readonly bucket: BucketOptions | undefined
}

export function checkIntegrity(directory: string, bucket?: BucketOptions): Promise<Integrity> {
  const task: Task = { directoryToCheck: directory, bucket }
  const worker = startThread(new URL('./integrity.ts', import.meta.url), task)
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the check ended with ${code} and no answer`)))
  })
}

async function check({ directoryToCheck: directory, bucket }: Task): Promise<Integrity> {
  let faults: readonly string[] = []
  try {
    const handle = new Database(join(directory, 'claviger.db'), { readonly: true, fileMustExist: true })
    try {
      const rows = handle.pragma('quick_check(20)') as readonly { readonly quick_check: string }[]
      faults = rows.map((row) => row.quick_check).filter((text) => text !== 'ok')
      if (faults.length === 0) faults = findMiscounted(handle)
      return { faults, blobs: await checkBlobsOf(handle, directory, bucket) }
    } finally {
      handle.close()
    }
  } catch (error) {
    return { faults: [...faults, error instanceof Error ? error.message : String(error)], blobs: undefined }
  }
}

function findMiscounted(handle: Database.Database): readonly string[] {
  return handle
    .prepare<[], string>(
      `select 'Lrs ' || id || ' has ' || found || ' statements, and ' || told || ' by its count' from (
         select id, (select count(*) from statement where lrs_id = lrs.id) as found,
           coalesce((select statements from lrs_state where lrs_id = lrs.id), 0) as told from lrs)
       where found <> told limit 20`,
    )
    .pluck()
    .all()
}

async function checkBlobsOf(
  handle: Database.Database,
  directory: string,
  bucket: BucketOptions | undefined,
): Promise<BlobCheck> {
  const rows = rowsToCheck(handle)
  if (bucket === undefined) {
    const path = join(directory, 'blobs')
    return checkBlobs(rows, { find: (blob) => findFile(path, blob) })
  }
  const { BlobBucket } = await import('../blobs/bucket.ts')
  const place = new BlobBucket(bucket)
  try {
    return await checkBlobs(rows, place)
  } finally {
    place.close()
  }
}

/** The driver takes parameters by their place when they are question marks. */
export function rowsToCheck(handle: Database.Database): BlobRowsToCheck {
  return {
    query: (sql, values) => handle.prepare<unknown[], object>(sql.replaceAll(/\$\d/g, '?')).all(...values),
    findReferenced: (lrsId, sha2s) => listReferenced(handle, lrsId, sha2s),
  }
}

if (!isMainThread && typeof (workerData as Partial<Task> | null)?.directoryToCheck === 'string') {
  void check(workerData as Task).then((integrity) => parentPort?.postMessage(integrity))
}
