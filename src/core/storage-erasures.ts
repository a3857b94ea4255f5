// The port of storage.ts: removing for good, step by step, while others store.

import type { NewAuditEvent } from './audit.ts'
import type { LrsId, Oid, OrganisationId, Seq } from './ids.ts'
import type { Alike } from './person.ts'
import type { Json, Listed, Sealed, Slice } from './storage.ts'

/** What is removed from an Lrs. */
export type ErasureTarget =
  /**
   * A person, by the canonical texts of all their identifiers: every statement that mentions one of them (where any filter on
   * agents reaches), or only those that have one as actor or object; documents whose agent they are; launches of them; what is said of them.
   */
  | { readonly kind: 'person'; readonly agents: readonly string[]; readonly onlyDirect: boolean }
  /** Statements stored at or before this; microseconds. */
  | { readonly kind: 'retention'; readonly through: number }
  /** The one statement with this stored time, and nothing else. */
  | { readonly kind: 'statement'; readonly seq: Seq }
  /** The same, and documents changed, launches made at or before `changedThrough`, or `through` where that is absent. */
  | { readonly kind: 'empty'; readonly through: number; readonly changedThrough?: number }

export const erasureCounts = [
  'statements',
  /** Of those, the ones that mention the person, but neither as actor nor as object. */
  'elsewhere',
  /** Statements of others that had inherited something of what is gone. */
  'inherited',
  'attachments',
  'documents',
  /** With their sessions. */
  'launches',
  'descriptions',
  'terms',
  'blobs',
  /** Blobs that a request under way had sent again. They go with its end, unless it stores what refers to them. */
  'blobsLeft',
] as const
export type ErasureCounts = Readonly<Record<(typeof erasureCounts)[number], number>>

export interface NewErasure {
  readonly id: Oid
  /** What the core needs to go on with it; names nobody. */
  readonly plan: Json
  /** Whom it is about, dropped with the receipt. */
  readonly sealed: Sealed | null
  readonly startedAt: number
}

export interface ErasureRecord extends NewErasure {
  readonly organisationId: OrganisationId
  /** So far. */
  readonly counts: ErasureCounts
  readonly receipt: Json | null
}

/** Where an erasure stands in an Lrs. Losing it costs time, nothing else: without one it begins anew. */
export interface ErasurePosition {
  readonly phase: string
  readonly at: readonly number[]
}

export interface ErasureStep {
  /** Undefined at the end. */
  readonly next: ErasurePosition | undefined
}

/** Behind which dictionary value or, those done, behind which agent of documents to go on. */
export type AlikePosition = { readonly term: number } | { readonly agent: string }

export interface AlikePart {
  readonly found: readonly Alike[]
  readonly next: AlikePosition | undefined
}

/**
 * Rules the store keeps:
 * - A statement goes in one transaction with its postings, what it alone refers to or waits to void, its attachments' rows
 *   and every dictionary value that nothing else has; its dictionary ids never come to mean something else.
 * - What a statement that stays had inherited from one that goes is taken from it, transitively. It stays voided.
 * - The id of a statement that goes for a person is kept as a keyed hash. Stored again, it is acknowledged as there, to
 *   everybody alike, and not stored. The other kinds keep none: there the statement may come again.
 * - Stored times are never given twice, also where the latest statement goes.
 * - No step shows more than was visible before it. Any may be the last before a crash: the next one goes on.
 * - What is stored meanwhile: a `person` goes with all that is stored before the step that ends it (then they are somebody
 *   new, and what comes is stored); the other kinds end at `through`, or with the one statement.
 */
export interface ErasureStore {
  /** What `step` would remove, in parts until `next` is undefined: their sum. Counts no terms and nothing inherited. */
  count(
    lrsId: LrsId,
    target: ErasureTarget,
    after?: ErasurePosition,
  ): Promise<{ readonly counts: Partial<ErasureCounts>; readonly next: ErasurePosition | undefined }>
  /**
   * Identifiers in the Lrs, of statements and documents, that are none of `agents` and may be the same person's (`likenessTo`
   * of core/person.ts), in parts until `next` is undefined. One that has both may be told twice.
   */
  findAlike(lrsId: LrsId, agents: readonly string[], after?: AlikePosition): Promise<AlikePart>
  /** Whether a statement with this id went for a person: stored again, it is acknowledged and not stored. */
  isErased(lrsId: LrsId, id: string): Promise<boolean>
  /**
   * What `empty` ends at, in microseconds: no statement and no document of the Lrs is later, also where the clock was set back
   * since; what is stored or changed from now on is.
   */
  latest(lrsId: LrsId): Promise<{ readonly through: number; readonly changedThrough: number }>
  /** `conflict` when the id is taken. */
  create(organisationId: OrganisationId, erasure: NewErasure, event: NewAuditEvent): Promise<ErasureRecord>
  /** Removes a bounded part, in one transaction with its counts. `not_found` for the erasure, one with a receipt, the Lrs. */
  step(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    target: ErasureTarget,
    after?: ErasurePosition,
  ): Promise<ErasureStep>
  /** Adds what `BlobStore.removeUnused` did for it, after the last step. `not_found` as `step`. */
  countBlobs(
    organisationId: OrganisationId,
    id: Oid,
    lrsId: LrsId,
    blobs: { readonly removed: number; readonly left: number },
  ): Promise<void>
  /**
   * Overwrites, in the files of the whole store, what was deleted earlier and lies on in unused space; a bounded part per
   * call, until `next` is undefined. A copy made afterwards, byte by byte, has nothing of what no row holds. `unsupported` where
   * the store's files are such that it cannot.
   */
  scrub(after?: number): Promise<{ readonly next: number | undefined }>
  /** The end of it: drops `sealed`. `not_found` also where there is a receipt. */
  finish(organisationId: OrganisationId, id: Oid, receipt: Json, event: NewAuditEvent): Promise<void>
  find(organisationId: OrganisationId, id: Oid): Promise<ErasureRecord | undefined>
  /** Latest first. */
  list(organisationId: OrganisationId, slice: Slice): Promise<Listed<ErasureRecord>>
}
