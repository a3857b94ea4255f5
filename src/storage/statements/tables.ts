// What storing asks of the rows it meets and does to them, whatever engine has them. Synchronous: SQLite answers itself, and of
// PostgreSQL's rows what can matter was read beforehand. Everything happens inside one transaction; what is done in it is seen
// by what is asked after.

import type { AttachmentClaim, PreparedStatement, TermKind } from '../../core/storage.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { PostingTerm } from '../posting.ts'
import type { TimedBatch } from './storing.ts'

/** A statement as storing needs it: who it is and where it stands, not its body. */
export interface Node {
  readonly lrsId: LrsId
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly isVoiding: boolean
}

export interface Existing {
  readonly seq: number
  readonly owner: CredentialId
  readonly timestamp: number
  readonly body: string
}

/** A statement that refers or is referred to; terms as printed. */
export interface Linked {
  readonly seq: number
  readonly id: Buffer
  readonly owner: CredentialId
  readonly is_voiding: number
  readonly terms: string
  readonly inherited: string
}

export interface NewRow extends Node {
  readonly timestamp: number
  readonly isVoided: boolean
  readonly terms: readonly PostingTerm[]
  readonly body: string
}

export interface ReferenceTables {
  findTarget(lrsId: LrsId, id: Buffer): Linked | undefined
  findSource(lrsId: LrsId, seq: number): Linked | undefined
  /** Whether as many statements of the owner as may refer to the target. */
  isFull(lrsId: LrsId, targetId: Buffer, owner: CredentialId): boolean
  /** The next owner of statements that refer to the target. */
  nextReferring(lrsId: LrsId, targetId: Buffer, after: number): CredentialId | undefined
  /** The first of the owner's that refer to the target. */
  listReferrers(lrsId: LrsId, targetId: Buffer, owner: CredentialId, most: number): readonly number[]
  refer(lrsId: LrsId, targetId: Buffer, owner: CredentialId, seq: number): void
  saveInherited(lrsId: LrsId, seq: number, printed: string): void
  isVoidWaiting(lrsId: LrsId, id: Buffer, owner: CredentialId): boolean
  /** For reach any under owner 0. */
  waitToVoid(lrsId: LrsId, targetId: Buffer, owner: number): void
  setVoided(lrsId: LrsId, seq: number): void
  post(lrsId: LrsId, terms: readonly PostingTerm[], seq: number): void
}

export interface StatementTables extends ReferenceTables {
  find(lrsId: LrsId, id: Buffer): Existing | undefined
  /** Whether it went for a person and must not come back. */
  isErased(lrsId: LrsId, id: Buffer): boolean
  /** The highest stored time that was ever given. */
  lastSeq(lrsId: LrsId): number
  /** Whether a statement has this stored time. */
  isTaken(lrsId: LrsId, seq: number): boolean
  /** The term of a value, direct and own; a new one where the Lrs had none. */
  termOf(lrsId: LrsId, kind: TermKind, value: string): PostingTerm
  insert(row: NewRow): void
  /** Nothing where the statement has it already. */
  claim(lrsId: LrsId, seq: number, attachment: AttachmentClaim): void
  describe(batch: TimedBatch, statement: PreparedStatement, seq: number): void
}
