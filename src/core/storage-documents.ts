// The port of storage.ts: documents, each a State, an Agent Profile or an Activity Profile.

import type { CredentialId, LrsId } from './ids.ts'
import type { Reach } from './rights.ts'

/** What a document belongs to. `agent` is the canonical text of core/xapi/term.ts, `registration` a lower-case UUID. */
export type DocumentScope =
  | { readonly kind: 'state'; readonly activityId: string; readonly agent: string; readonly registration?: string }
  | { readonly kind: 'agent-profile'; readonly agent: string }
  | { readonly kind: 'activity-profile'; readonly activityId: string }

export type DocumentKey = DocumentScope & {
  /** stateId or profileId. */
  readonly id: string
}

/**
 * Who asks. Each owner has documents of its own; owner 0 has the shared ones. Reach any sees the shared document, or where
 * there is none its own; it writes where it finds one, else shared. Reach mine sees and writes its own only.
 */
export interface DocumentAccess {
  readonly owner: CredentialId
  readonly reach: Reach
}

/** Inline text or bytes, or what the blob store holds under `sha2`. */
export type DocumentContent =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly sha2: string; readonly length: number }

export interface StoredDocument {
  readonly content: DocumentContent
  readonly contentType: string
  /** Lower-case hex SHA-1 of the content: the entity tag without its quotes. */
  readonly etag: string
  /** Microseconds. Strictly later than before whenever the document changes. */
  readonly updatedAt: number
}

/** RFC 9110 section 13.1. `any` is `*`; tags without quotes and weakness. Checked inside the write. */
export interface Preconditions {
  readonly ifMatch?: 'any' | readonly string[]
  readonly ifNoneMatch?: 'any' | readonly string[]
  /** Refuse to replace an existing document without either of the two: `conflict`. */
  readonly mustBeConditional?: boolean
}

export type DocumentChange =
  | { readonly kind: 'replace'; readonly content: DocumentContent; readonly contentType: string; readonly etag: string }
  /**
   * POST: creates, or merges one level deep when the stored and the sent document are JSON objects of type
   * application/json; else nothing changes.
   */
  | { readonly kind: 'merge'; readonly content: DocumentContent; readonly contentType: string; readonly etag: string }
  /** Leaves none that the access sees: of reach any, its own behind a shared one goes, too. */
  | { readonly kind: 'delete' }

export type DocumentOutcome =
  | { readonly kind: 'done'; readonly etag: string | undefined }
  /** A precondition did not hold: 412. */
  | { readonly kind: 'precondition_failed' }
  /** There is one, and the change was not conditional: 409. */
  | { readonly kind: 'exists' }
  /**
   * A merge of what is not application/json, or no JSON object: the first of the two that holds; `stored` says whether it is the
   * stored document that is not.
   */
  | { readonly kind: 'not_mergeable'; readonly stored: boolean; readonly lacks: 'type' | 'object' }
  /** The merged document would be longer than `mostBytes`. */
  | { readonly kind: 'too_large' }
  /** The scope holds as many documents of this owner as it may. */
  | { readonly kind: 'full' }

export interface DocumentStore {
  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): Promise<StoredDocument | undefined>
  /** Synced when it resolves. Concurrent changes of one document happen one after the other; none is lost. */
  change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: { readonly preconditions: Preconditions; readonly mostBytes: number },
  ): Promise<DocumentOutcome>
  /**
   * Ids of visible documents in a scope, by id, each once; changed after `since` (microseconds, exclusive) when given. A state
   * scope without registration covers those with any registration and with none; with one, that one only. At most 10,000
   * documents per scope (all registrations together) and owner exist, with a million characters of ids (`full`).
   */
  listIds(
    lrsId: LrsId,
    scope: DocumentScope,
    access: DocumentAccess,
    since?: number,
  ): Promise<{
    readonly ids: readonly string[]
    /** Of the latest change among them; undefined when there are none. */
    readonly updatedAt: number | undefined
  }>
  /** Deletes all documents of the scope that the access sees or would see without these; as many as there were. */
  deleteAll(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess): Promise<number>
}
