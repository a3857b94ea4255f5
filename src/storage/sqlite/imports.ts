// The import half of the port: what is under way is the directory's, what it stores the engine's.

import { PackedPart } from './packed-part.ts'
import type { DocumentImportOutcome, ImportStore } from '../../core/storage.ts'
import type { EngineClient } from './engine-client.ts'
import type { Handle } from './handle.ts'
import type { Hold, Holds } from './holds.ts'
import type { Statements } from './statements.ts'

interface Parts {
  readonly write: EngineClient['call']
  readonly jobs: ImportStore
  readonly statements: Statements
  readonly holds: Holds
}

export function importsOf({ write, jobs, statements, holds }: Parts): ImportStore {
  return {
    ...jobs,
    newPart: () => new PackedPart(),
    storeStatements: (id, lrsId, { statements: part, ...rest }) =>
      statements.import(id, lrsId, { part: part as PackedPart, ...rest }),
    storeDocuments(id, lrsId, { documents, progress }) {
      const part = { id, lrsId, low: null, progress }
      return write('imports.storeDocuments', [part, documents]) as Promise<readonly DocumentImportOutcome[]>
    },
    async finish(id, end) {
      await jobs.finish(id, end)
      holds.release(id)
    },
  }
}

/** Of imports that the process before left unfinished. */
export function readHolds(handle: Handle): readonly Hold[] {
  return handle
    .prepare<[], Hold>('select import_id as id, lrs_id as lrsId, low from import_lrs where low is not null')
    .all()
}
