// What the database file says is wrong with itself, asked from a thread and a connection of its own: on a large file the
// answer takes long, and nobody else waits for it. Reads only.

import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { startThread } from './engine-client.ts'

interface Task {
  readonly databaseToCheck: string
}

/** Empty when the file is sound. */
export function checkIntegrity(directory: string): Promise<readonly string[]> {
  const task: Task = { databaseToCheck: join(directory, 'claviger.db') }
  const worker = startThread(new URL('./integrity.ts', import.meta.url), task)
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`the check ended with ${code} and no answer`)))
  })
}

function faultsOf(path: string): readonly string[] {
  try {
    const handle = new Database(path, { readonly: true, fileMustExist: true })
    try {
      const rows = handle.pragma('quick_check(20)') as readonly { readonly quick_check: string }[]
      return rows.map((row) => row.quick_check).filter((text) => text !== 'ok')
    } finally {
      handle.close()
    }
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

if (!isMainThread && typeof (workerData as Partial<Task> | null)?.databaseToCheck === 'string') {
  parentPort?.postMessage(faultsOf((workerData as Task).databaseToCheck))
}
