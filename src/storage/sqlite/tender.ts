// Entry point of the tender's thread: copies the log back into the file whenever it is asked to. The writer goes on meanwhile, and
// nobody who reads or writes waits for it.

import { open } from './handle.ts'
import { tenderStates } from './tender-states.ts'
import { workerData } from 'node:worker_threads'
import type { Handle } from './handle.ts'
import type { TenderSetup } from './tender-states.ts'

const { path, state } = workerData as TenderSetup
try {
  const handle = open(path)
  // It copies pages and asks nothing.
  handle.pragma('cache_size = -256')
  handle.pragma('wal_autocheckpoint = 0')
  for (let now = tend(handle); now !== tenderStates.closing; now = tend(handle)) Atomics.wait(state, 0, now)
  handle.close()
} finally {
  Atomics.store(state, 0, tenderStates.closed)
  Atomics.notify(state, 0)
}

/** The state it leaves. */
function tend(handle: Handle): number {
  if (Atomics.load(state, 0) === tenderStates.asked) {
    try {
      handle.pragma('wal_checkpoint(passive)')
    } catch {
      // The writer copies the rest, and everything where nothing was copied: it knows what a sick disk means.
    }
    Atomics.compareExchange(state, 0, tenderStates.asked, tenderStates.done)
  }
  return Atomics.load(state, 0)
}
