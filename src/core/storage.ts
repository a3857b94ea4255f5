// The storage port. Its doc comments are the specification of the contract tests in test/contract.
// Tenancy: every method that touches tenant data takes the tenant first (an organisation for the directory, an Lrs for
// xAPI data) and behaves as if no other tenant existed. What concerns no single tenant lives on `PlatformStore`.
// Durability: a resolved write is synced to disk; a rejected one left nothing behind.
// Errors: `DomainError` only. `not_found` also for another tenant's object; `conflict` for a duplicate; `unavailable`
// when the store is out of reach, full or closing. Driver errors are mapped in one function of the adapter.
// This is the port's one door: everybody imports from here. Its halves lie beside it, one for each member of `Storage` and named
// after it (`launches`: storage-launches.ts), and storage-credentials.ts with the keys that the directory is about.

import type { Oid, OrganisationId } from './ids.ts'
import type { BlobStore } from './storage-blobs.ts'
import type { DirectoryStore } from './storage-directory.ts'
import type { DocumentStore } from './storage-documents.ts'
import type { ErasureStore } from './storage-erasures.ts'
import type { ExportStore } from './storage-exports.ts'
import type { ImportStore } from './storage-imports.ts'
import type { LaunchStore } from './storage-launches.ts'
import type { NodeStore } from './storage-nodes.ts'
import type { PlatformStore } from './storage-platform.ts'
import type { StatementStore } from './storage-statements.ts'

// Without `type` where there are values, too.
export type * from './storage-blobs.ts'
export * from './storage-credentials.ts'
export type * from './storage-directory.ts'
export type * from './storage-documents.ts'
export * from './storage-erasures.ts'
export type * from './storage-exports.ts'
export type * from './storage-imports.ts'
export * from './storage-launches.ts'
export type * from './storage-nodes.ts'
export type * from './storage-platform.ts'
export * from './storage-statements.ts'

/** Wall clock. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
}

/** Sources of fresh identifiers and keys; a double in tests. */
export interface Ids {
  oid(): Oid
  uuid(): string
  /** Those of one time lie beside each other in an index (RFC 9562 section 5.7). */
  orderedUuid(): string
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string
}

export interface Storage {
  readonly platform: PlatformStore
  readonly directory: DirectoryStore
  readonly launches: LaunchStore
  readonly statements: StatementStore
  readonly documents: DocumentStore
  readonly blobs: BlobStore
  readonly erasures: ErasureStore
  readonly exports: ExportStore
  readonly imports: ImportStore
  readonly nodes: NodeStore
  /**
   * Calls `listener` after a committed change to anything that decides who may sign in or what they may do (organisation,
   * Lrs, credential, secret, session), on this node before the write's promise resolves, on every other that is in touch
   * (`NodeStore.isInTouch`) within a second. Not for a session that begins or is swept after its end: neither changes what
   * anybody else may. Undefined: anything may have changed. Returns the unsubscriber.
   */
  onDirectoryChange(listener: DirectoryListener): () => void
  /** What waits for a part of the store, or uses it, by a name for it; now, and without asking anybody. For operators. */
  load(): Readonly<Record<string, number>>
  /** Finishes what was accepted, refuses the rest as `unavailable`, syncs, closes. Idempotent. */
  close(): Promise<void>
}

export type DirectoryListener = (organisationId: OrganisationId | undefined) => void

// ---------------------------------------------------------------------------------------------------------------------
// Shared by all

/** JSON-safe value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Ciphertext made by `Vault.seal`. Opaque to storage. */
export type Sealed = string

/** Offset paging, as three of the imitated APIs page. `limit` at least 0. */
export interface Slice {
  readonly offset: number
  readonly limit: number
}

/** Of a list by oid, from its beginning or behind one. */
export interface OidOrder {
  readonly isDescending: boolean
  readonly after?: Oid
}

export interface Listed<T> {
  readonly items: readonly T[]
  /** Matches altogether, whatever the slice. */
  readonly total: number
}
