// The port of storage.ts: all that an Lrs holds, part by part, whoever owns it.

import type { CredentialId, LrsId } from './ids.ts'
import type { Reach } from './rights.ts'
import type { DocumentKey, StoredDocument } from './storage-documents.ts'
import type { AttachmentClaim, StoredStatement } from './storage-statements.ts'

export interface ExportedStatement extends StoredStatement {
  readonly isVoided: boolean
  /**
   * Of a voiding one: what lets it have the effect it has, told from its target. Any or mine where that is voided, as far as it takes, or
   * where it waits for that; undefined where it has none.
   */
  readonly voidReach: Reach | undefined
  readonly attachments: readonly AttachmentClaim[]
}

export interface ExportedDocument extends StoredDocument {
  readonly key: DocumentKey
  /** 0: shared. */
  readonly owner: CredentialId
}

/** Behind which document to go on. */
export interface DocumentPosition {
  /** Lower-case hex. */
  readonly scope: string
  readonly owner: CredentialId
  readonly registration: string
  readonly id: string
}

/** Who asks has to ask again until a part is empty, or has no `next`. Each part sees a snapshot of its own. */
export interface ExportStore {
  /**
   * Statements in stored order, or the other way round, voided ones, too: those stored after `after` and at or before `through`. At
   * most `limit` (of 1,000), and one or as many as `mostText` bytes hold; none: there are no more. A `through` that
   * `StatementStore.consistentThrough` gave before misses none.
   */
  listStatements(
    lrsId: LrsId,
    part: {
      readonly after: number
      readonly through: number
      readonly isAscending: boolean
      readonly limit: number
      readonly mostText: number
    },
  ): Promise<readonly ExportedStatement[]>
  /** Documents of all owners, each once, in an order of the store's; a bounded part, and `next` until there are no more. */
  listDocuments(
    lrsId: LrsId,
    part: { readonly after?: DocumentPosition | undefined; readonly limit: number; readonly mostBytes: number },
  ): Promise<{ readonly documents: readonly ExportedDocument[]; readonly next: DocumentPosition | undefined }>
}
