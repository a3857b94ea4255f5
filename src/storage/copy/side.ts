// What a copy needs of a store, whatever the engine: its rows in the order of their keys, some values beside them, and, of the
// one that is filled, changes that commit together.

import type { Row } from './rows.ts'
import type { Markable } from '../blobs/owner.ts'
import type { Blob, BlobPlace } from '../blobs/place.ts'
import type { Table } from './tables.ts'

export interface Snapshot {
  /** Those behind `after`, or the first ones. */
  listRows(table: Table, after: Row | undefined, limit: number): Promise<readonly Row[]>
  countRows(table: Table): Promise<number>
  /** Those that rows refer to. */
  listBlobs(after: Blob | undefined, limit: number): Promise<readonly Blob[]>
  findValue(name: string): Promise<string | undefined>
  /** The tables that hold anything a copy would have. */
  listFilled(): Promise<readonly string[]>
  /** The highest number the table's identity ever gave; 0: none. */
  lastIdentity(table: Table): Promise<number>
  /** The highest time that was told as Consistent-Through, as far as it was written down; microseconds. */
  announcedTime(): Promise<number>
}

export interface Changes extends Pick<Snapshot, 'findValue' | 'listFilled'> {
  insert(table: Table, rows: readonly Row[]): Promise<void>
  /** Inserts, or replaces what has the same key. */
  put(table: Table, rows: readonly Row[]): Promise<void>
  remove(table: Table, rows: readonly Row[]): Promise<void>
  /** Undefined removes it. */
  setValue(name: string, value: string | undefined): Promise<void>
  /** Never lowers. */
  raiseIdentity(table: Table, last: number): Promise<void>
  /** What this engine keeps beside the rows, to be found in them. */
  derive(): Promise<void>
  /** Never lowers. */
  raiseAnnouncedTime(microseconds: number): Promise<void>
}

export interface Side {
  /** For people. */
  readonly name: string
  /** The same for the same store, however it was named. */
  readonly identity: string
  readonly blobs: OwnedFiles
  /** All that `work` reads is of one moment. */
  read<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T>
  /** All or nothing of it. May call `work` again where it collided with somebody else's. */
  change(work: (changes: Changes) => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** Where the bytes are that rows refer to. */
export type BlobFiles = Pick<BlobPlace, 'open' | 'receive'>

/** … and whose they are. */
export type OwnedFiles = BlobFiles & Markable
