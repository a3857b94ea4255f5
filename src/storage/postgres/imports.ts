// The import half of the port: what is under way is the directory's; statements go the way of all others, under the lock of their
// Lrs; documents under those of their scopes, in one order, so that no two imports wait for each other.

import { erasureSql } from './erasure-sql.ts'
import { importDocuments } from '../documents/importing.ts'
import { ListedPart } from '../statements/listed-part.ts'
import { lockScope } from './document-writer.ts'
import { notePart, requireOpen } from '../directory/import.ts'
import { scopeHash } from '../documents/scope.ts'
import type { Database } from './database.ts'
import type { DocumentImportOutcome, ImportedDocument, ImportStore } from '../../core/storage.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Statements } from './statements.ts'

interface Parts {
  readonly database: Database
  readonly jobs: ImportStore
  readonly statements: Statements
}

export function importsOf({ database, jobs, statements }: Parts): ImportStore {
  return {
    ...jobs,
    newPart: () => new ListedPart(),
    storeStatements: (id, lrsId, { statements: part, ...rest }) =>
      statements.import(id, lrsId, { part: part as ListedPart, ...rest }),
    storeDocuments: (id, lrsId, { documents, progress }): Promise<readonly DocumentImportOutcome[]> =>
      database.transact('write', async (transaction) => {
        await requireOpen(transaction.kysely, { id })
        for (const lock of locksOf(lrsId, documents)) await transaction.query(lock)
        const outcomes = await importDocuments(erasureSql(transaction), lrsId, documents)
        await notePart(transaction.kysely, { id, lrsId, low: null, progress }, 'documents', outcomes)
        return outcomes
      }),
  }
}

function locksOf(lrsId: LrsId, documents: readonly ImportedDocument[]): readonly string[] {
  const scopes = new Map(documents.map(({ key }) => [scopeHash(key).toString('hex'), key]))
  return [...new Set([...scopes.values()].map((scope) => lockScope(lrsId, scope)))].toSorted()
}
