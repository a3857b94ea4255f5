// The port of storage.ts: what was stored elsewhere before, brought here with the stored times it had, while others store.

import type { CredentialId, LrsId, Oid } from './ids.ts'
import type { Reach } from './rights.ts'
import type { DocumentContent, DocumentKey } from './storage-documents.ts'
import type { AttachmentClaim, PreparedStatement } from './storage-statements.ts'
import type { Json } from './storage.ts'

export interface NewImport {
  readonly id: Oid
  /** What is imported, for finding it again: `some-product /path` or an address. No secret. */
  readonly source: string
  /** Unix milliseconds. */
  readonly startedAt: number
  /** How far it is, as the importer says it; opaque. */
  readonly progress: Json
}

/** What became of what was handed over: `refused` are a conflict, what was erased, and what there is no room for. */
export interface ImportCounts {
  readonly stored: number
  readonly there: number
  readonly refused: number
}

/** How far an import is in one Lrs, as of what is committed there. */
export interface ImportedLrs {
  readonly lrsId: LrsId
  readonly progress: Json
  readonly counts: { readonly statements: ImportCounts; readonly documents: ImportCounts }
}

export interface ImportRecord extends NewImport {
  /** Of each Lrs it has written to; empty once it is finished. */
  readonly lrs: readonly ImportedLrs[]
  readonly report: Json | null
  /** Null while it is under way, or may be resumed. */
  readonly finishedAt: number | null
}

export interface ImportedStatement extends PreparedStatement {
  /** Never absent: where the statement had none, its stored time. */
  readonly timestamp: number
  readonly owner: CredentialId
  /** Microseconds; what it is listed by is this, or as little before it as makes it unique. */
  readonly storedAt: number
  /** As it stood in the statement; kept so. */
  readonly storedText: string
  /** Whatever voids it, or nothing that is here. */
  readonly isVoided: boolean
  /** As of a batch, but for its own author. A voiding statement with none takes no effect. */
  readonly voidReach: Reach | undefined
  readonly defineReach: Reach | undefined
}

/**
 * `there`: an equal one was; then the claims it brings are added, and it is voided if this one is. `conflict`: another
 * statement has its id. `erased`: it went for a person, and stays away. All but `stored` leave it out.
 */
export type ImportOutcome = 'stored' | 'there' | 'conflict' | 'erased'

export interface ImportedDocument {
  readonly key: DocumentKey
  /** 0: the shared one. */
  readonly owner: CredentialId
  readonly content: DocumentContent
  readonly contentType: string
  readonly etag: string
  /** Microseconds. */
  readonly updatedAt: number
}

/**
 * Statements on their way into one Lrs, held as the store takes them: many wait for long, and as objects they would cost more to
 * keep than to store.
 */
export interface StatementPart {
  readonly length: number
  add(statement: ImportedStatement): void
  /** As it was added. */
  openBody(at: number): string
  /** In place of the claims it was added with. */
  claim(at: number, attachments: readonly AttachmentClaim[]): void
  /** A part of its own: those from `start`, without `end`. */
  slice(start: number, end: number): StatementPart
}

/** `there`: one that was changed then or later stands there already. `full`: its scope has no room. */
export type DocumentImportOutcome = 'stored' | 'there' | 'full'

/**
 * Rules the store keeps:
 * - An import that has stored statements in an Lrs and is not finished holds its Consistent-Through before the earliest of
 *   them, on every node; live statements are stored and found meanwhile as ever. Nobody is told that what is still to come was
 *   there already; whoever follows the Lrs goes on when the import is finished.
 * - Two statements of one stored time are told apart by microseconds before it: a list until that time has both, one since that
 *   time neither.
 */
export interface ImportStore {
  /** The one of this source that is not finished, or this one. */
  begin(imported: NewImport): Promise<ImportRecord>
  find(id: Oid): Promise<ImportRecord | undefined>
  /** Latest first, at most 100. */
  list(): Promise<readonly ImportRecord[]>
  /** `not_found`, as all that follow, where there is none or it is finished. */
  save(id: Oid, progress: Json): Promise<void>
  newPart(): StatementPart
  /**
   * Stores them, at most 2,000, in one transaction with how far the import is in this Lrs, and counts what became of them there. In
   * their order. Without `progress` they were handed over before: nothing is counted again.
   */
  storeStatements(
    id: Oid,
    lrsId: LrsId,
    part: { readonly statements: StatementPart; readonly progress?: Json },
  ): Promise<readonly ImportOutcome[]>
  /** The same for documents, at most 500. */
  storeDocuments(
    id: Oid,
    lrsId: LrsId,
    part: { readonly documents: readonly ImportedDocument[]; readonly progress?: Json },
  ): Promise<readonly DocumentImportOutcome[]>
  /** Lets go of every Lrs it holds. */
  finish(id: Oid, end: { readonly at: number; readonly report: Json }): Promise<void>
}
