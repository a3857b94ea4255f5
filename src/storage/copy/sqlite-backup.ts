// The database of a data directory as of one moment, copied beside those who write to it: in a thread and over a connection of
// its own, so that nobody waits. What the copy comes to is read from the copy.

import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { DomainError } from '../../core/errors.ts'
import { announced } from './tables.ts'
import { databaseFile, SqliteRows } from './sqlite-side.ts'
import { digestsOf } from './copy.ts'
import type { CopyProgress, TableReport } from './copy.ts'
import { startThread } from '../sqlite/engine-client.ts'
import { toDomainError } from '../sqlite/driver-error.ts'

interface Task {
  /** The data directory. */
  readonly directoryToBackUp: string
  /** The directory that the copy goes to. */
  readonly to: string
}

type Said = { readonly progress: CopyProgress } | { readonly tables: readonly TableReport[] }

/** A copy that is there already is replaced. */
export function copyDatabaseFile(
  directory: string,
  to: string,
  { onProgress, signal }: { onProgress(progress: CopyProgress): void; readonly signal?: AbortSignal | undefined },
): Promise<readonly TableReport[]> {
  if (signal?.aborted) return Promise.reject(interrupted())
  const task: Task = { directoryToBackUp: directory, to }
  const worker = startThread(new URL('./sqlite-backup.ts', import.meta.url), task)
  return new Promise<readonly TableReport[]>((resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(interrupted())
      void worker.terminate()
    })
    worker.on('message', (said: Said) => {
      if ('progress' in said) onProgress(said.progress)
      else resolve(said.tables)
    })
    worker.once('error', (error) => reject(toDomainError(error)))
    worker.once('exit', (code) => reject(new Error(`the backup's thread ended with ${code} and no answer`)))
  })
}

export function interrupted(): DomainError {
  return new DomainError('unavailable', 'The backup was interrupted: there is none. The next one removes what it left.')
}

async function run(
  { directoryToBackUp, to }: Task,
  onProgress: (progress: CopyProgress) => void,
): Promise<readonly TableReport[]> {
  const path = join(to, databaseFile)
  for (const ending of ['', '-journal', '-wal', '-shm']) rmSync(path + ending, { force: true })
  // An empty file is as good as none, and is its owner's only.
  closeSync(openSync(path, 'wx', 0o600))
  // One transaction that reads: what is written meanwhile goes to the log, which is cut when this is done.
  const source = new Database(join(directoryToBackUp, databaseFile), { readonly: true, fileMustExist: true })
  try {
    source.prepare('vacuum into ?').run(path)
  } finally {
    source.close()
  }
  const copy = new Database(path)
  try {
    const rows = new SqliteRows(copy)
    // The server may have announced any time up to now without writing it down.
    await rows.setValue(announced, String(Math.max(await rows.announcedTime(), Date.now() * 1000)))
    return await digestsOf(rows, onProgress)
  } finally {
    copy.close()
  }
}

if (!isMainThread && typeof (workerData as Partial<Task> | null)?.directoryToBackUp === 'string') {
  const tables = await run(workerData as Task, (progress) => parentPort?.postMessage({ progress } satisfies Said))
  parentPort?.postMessage({ tables } satisfies Said)
}
