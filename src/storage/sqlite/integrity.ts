// What the database file says is wrong with itself, and which blobs it misses, asked from a thread and a connection of its own: on a large file the
// answer takes long, and nobody else waits for it. Reads only.

import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { checkBlobs } from '../blobs/check.ts'
import type { BlobCheck } from '../blobs/check.ts'
import { startThread } from './engine-client.ts'

interface Task {
  /** The data directory. */
  readonly directoryToCheck: string
}

export interface Integrity {
  /** Of the database file; empty when it is sound. */
  readonly faults: readonly string[]
  /** Undefined when the database is too damaged to say what it refers to. */
  readonly blobs: BlobCheck | undefined
}

export function checkIntegrity(directory: string): Promise<Integrity> {
  const task: Task = { directoryToCheck: directory }
  const worker = startThread(new URL('./integrity.ts', import.meta.url), task)
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the check ended with ${code} and no answer`)))
  })
}

function check(directory: string): Integrity {
  let faults: readonly string[] = []
  try {
    const handle = new Database(join(directory, 'claviger.db'), { readonly: true, fileMustExist: true })
    try {
      const rows = handle.pragma('quick_check(20)') as readonly { readonly quick_check: string }[]
      faults = rows.map((row) => row.quick_check).filter((text) => text !== 'ok')
      return { faults, blobs: checkBlobs(handle, join(directory, 'blobs')) }
    } finally {
      handle.close()
    }
  } catch (error) {
    return { faults: [...faults, error instanceof Error ? error.message : String(error)], blobs: undefined }
  }
}

if (!isMainThread && typeof (workerData as Partial<Task> | null)?.directoryToCheck === 'string') {
  parentPort?.postMessage(check((workerData as Task).directoryToCheck))
}
