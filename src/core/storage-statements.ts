// The port of storage.ts: statements, with what they say of activities and agents, and their claims to attachments.

import type { CredentialId, LrsId, Seq } from './ids.ts'
import type { Reach } from './rights.ts'

export const termKinds = ['agent', 'verb', 'activity', 'registration'] as const
export type TermKind = (typeof termKinds)[number]

/**
 * One value a statement can be found by. `value` is the identifier in the canonical text of core/xapi/term.ts (an agent's
 * identifier, an IRI, a lower-case UUID).
 */
export interface Term {
  readonly kind: TermKind
  readonly value: string
  /** Only the related_agents / related_activities filters reach it. A value that is both is listed once, as not related. */
  readonly isRelated: boolean
}

/** A validated statement, ready to store. */
export interface PreparedStatement {
  /** Lower-case UUID. */
  readonly id: string
  /** Microseconds since the Unix epoch; undefined when the client sent none, then the stored time counts. */
  readonly timestamp: number | undefined
  /**
   * The statement as JSON text without the closing brace. The store appends `,"timestamp":"…"` when `timestamp` is
   * undefined, then `,"stored":"…"}`, both the stored time with six digits of a second and `Z`.
   */
  readonly openBody: string
  readonly terms: readonly Term[]
  /** Lower-case UUID of the statement its object refers to. */
  readonly refersTo: string | undefined
  /** True for a voiding statement; `refersTo` is then its target. */
  readonly isVoiding: boolean
  /** What it says about activities and agents, as far as its author may `define`; each (kind, value, text) once. */
  readonly descriptions: readonly Description[]
  /** Attachments whose bytes came along and are in the blob store already; each sha2 once. */
  readonly attachments: readonly AttachmentClaim[]
}

/**
 * Something said of an activity or an agent, kept beside the statements so that `activities` and `agents` need not read them.
 * `text` is compact JSON: the definition object of an activity, the name (a JSON string) of an agent.
 */
export interface Description {
  readonly kind: 'activity' | 'agent'
  /** As in `Term.value`. */
  readonly value: string
  readonly text: string
}

/** A statement's right to bytes of the blob store: only what its sender sent. */
export interface AttachmentClaim {
  /** Lower-case hex. */
  readonly sha2: string
  /** As the statement describes it. */
  readonly contentType: string
}

/** The statements of one request, stored all or none. */
export interface StatementBatch {
  readonly lrsId: LrsId
  /** Owner of what is stored. */
  readonly owner: CredentialId
  /** Reach of `statements/read`: decides whether an equal statement of another owner may be acknowledged as already there. */
  readonly readReach: Reach | undefined
  /** Reach of `statements/void`: decides what a voiding statement takes effect on. */
  readonly voidReach: Reach | undefined
  /** Reach of `define`: what an owner with reach any describes goes before what others describe. */
  readonly defineReach: Reach | undefined
  /** No two with one id. */
  readonly statements: readonly PreparedStatement[]
}

export type BatchOutcome =
  | {
      readonly kind: 'stored'
      /** Per statement, in order: its stored time, and whether an equal one was already there. */
      readonly statements: readonly { readonly seq: Seq; readonly wasThere: boolean }[]
    }
  /** Another statement has the id (index into `statements`). Nothing of the batch was stored. */
  | { readonly kind: 'conflict'; readonly index: number }

/** One filter of a list query. */
export interface TermFilter {
  readonly kind: TermKind
  readonly value: string
  /** Also match postings that only the related filters reach. */
  readonly includeRelated: boolean
}

export interface StatementQuery {
  /** A statement must match all. */
  readonly filters: readonly TermFilter[]
  /** Reach mine: only this owner's statements, and no posting inherited from another owner's. */
  readonly owner?: CredentialId
  /** Stored after this; microseconds. */
  readonly since?: number
  /** Stored at or before this; microseconds. */
  readonly until?: number
  readonly isAscending: boolean
  /** At least 1. */
  readonly limit: number
  /** Continue behind this stored time, in the query's direction. */
  readonly cursor?: Seq
  /** Fill `StoredStatement.attachments`. */
  readonly withAttachments?: boolean
  /** Voided ones, too; `StoredStatement.isVoided` tells which they are. */
  readonly withVoided?: boolean
}

export interface StatementPage {
  /** Bodies in stored order; newest first unless ascending. Voided statements are left out, unless asked for. */
  readonly rows: readonly StoredStatement[]
  /**
   * Where to continue; undefined when the end was reached. May be set with fewer rows than the limit (seek budget, 16 million
   * characters a page). With `owner` it is derived from that owner's stored times only.
   */
  readonly next: Seq | undefined
  /** Every statement stored at or before this (microseconds) is visible to this read and to every later one. */
  readonly consistentThrough: number
}

export interface StoredStatement {
  readonly seq: Seq
  readonly owner: CredentialId
  /** Complete JSON text, as `format=exact` serves it. */
  readonly body: string
  /** What of its attachments is in the blob store; absent unless asked for. */
  readonly attachments?: readonly AttachmentClaim[]
  /** Absent unless voided ones were asked for, too. */
  readonly isVoided?: boolean
}

/** A description as it stands in an Lrs. */
export interface KnownDescription {
  readonly text: string
  /** An owner of it had `define` with reach any. */
  readonly isShared: boolean
  /**
   * Microseconds: the earliest timestamp of a statement that says so; where it is shared, of an owner that shares it, so that
   * others do not move it. Does not depend on the order of arrival.
   */
  readonly firstAt: number
}

/**
 * Rules the store keeps, in the same transaction as the insert:
 * - An id that exists: same owner or `readReach` any, one that says the same (core/xapi/equality.ts), and no timestamp sent or the same one → acknowledged as
 *   there, and the claims it brings are added, whoever sends it; anything else → `conflict`. Also within a batch of concurrent
 *   requests.
 * - A statement that refers to another inherits the other's postings, transitively, whichever of the two came first. A
 *   posting inherited through a statement of another owner is foreign: a query with `owner` never reads it. Bounds, beyond
 *   which nothing more is inherited:
 *   - 256 inherited postings per statement, out of the first thousand or so of its target.
 *   - Per target and owner, 1,000 referring statements inherit what the target gets after they came; any number inherits
 *     what it has when they come.
 *   - Of each owner's statements, 2,000 are reached by one arriving statement, directly or not, and 5,000 by what one owner
 *     stores in one transaction, which may join many calls; of an Lrs' statements 30,000 in one transaction. A statement of
 *     several hundred postings, or one that gains more than 15, counts as more than one.
 *   - What one owner stores in one transaction inherits 50,000 postings on arrival.
 * - A voiding statement takes effect on its target, whichever came first, unless the target is itself voiding, or
 *   `voidReach` is mine and the target is another owner's. Then it is stored without effect.
 */
export interface StatementStore {
  /**
   * Stores batches of one Lrs in order, each all or none, and resolves when all are synced. The outcome at each index is that
   * of the batch at the index. The adapter may join concurrent calls into one transaction (group commit). Rejected as
   * `unavailable` when it is not known whether they were stored: the connection may be lost while they are committed.
   */
  store(batches: readonly StatementBatch[]): Promise<readonly BatchOutcome[]>
  /** One statement by id, as voided (`isVoided` true) or not; only of `owner` when given. */
  find(
    lrsId: LrsId,
    id: string,
    options: { readonly isVoided: boolean; readonly owner?: CredentialId; readonly withAttachments?: boolean },
  ): Promise<{ readonly statement: StoredStatement | undefined; readonly consistentThrough: number }>
  list(lrsId: LrsId, query: StatementQuery): Promise<StatementPage>
  /**
   * For whoever passes on what an Lrs holds: its statements in stored order, voided ones, too, with their attachments. Those stored
   * after `after` and at or before `consistentThrough`, so that none will ever come in between. At most `limit`, and one or as many as
   * `mostText` characters hold; none: there is nothing more up to there.
   */
  follow(
    lrsId: LrsId,
    part: { readonly after: number; readonly limit: number; readonly mostText: number },
  ): Promise<{ readonly rows: readonly StoredStatement[]; readonly consistentThrough: number }>
  /** The highest stored time in each of these Lrs, in the order asked; 0 for none. Cheap: for whoever asks again and again. */
  listLatest(lrsIds: readonly LrsId[]): Promise<readonly number[]>
  /** How many there are: voided ones, and those that void, too. Exact, and cheap however many. */
  countStatements(lrsId: LrsId): Promise<number>
  /** As `StatementPage.consistentThrough`, without reading anything else. */
  consistentThrough(lrsId: LrsId): Promise<number>
  /**
   * What statements say of one activity or agent, each text once: shared ones first, then the latest `firstAt` first, then
   * by text; with `owner` only what that owner said. At most 1,000, and one or as many as a million characters hold. Per
   * owner and value at least the 1,000 with the latest `firstAt` are kept; what is dropped is forgotten.
   */
  listDescriptions(
    lrsId: LrsId,
    about: Pick<Description, 'kind' | 'value'>,
    owner?: CredentialId,
  ): Promise<readonly KnownDescription[]>
}
