// The main side of the document port: the clock, and bytes made fit to cross to another thread. The rows are read and written in
// the engine; merges of large documents, for which the writer and all who write would wait, are made outside of it.

import { LargeMerges } from '../documents/large-merges.ts'
import type { ChangeOptions, ChangeOutcome } from '../documents/change.ts'
import type { Clock, DocumentAccess, DocumentChange, DocumentKey, DocumentOutcome } from '../../core/storage.ts'
import type { DocumentScope, DocumentStore, StoredDocument } from '../../core/storage.ts'
import type { EngineClient } from './engine-client.ts'
import type { ListedIds } from './document-reader.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Options } from './document-writer.ts'

export class Documents implements DocumentStore {
  readonly #write: EngineClient['call']
  readonly #read: EngineClient['call']
  readonly #clock: Clock
  readonly #merges: LargeMerges
  /** By Lrs: what is changed from now on is later than this, in microseconds, whatever the clock says. */
  readonly #floors = new Map<LrsId, number>()

  constructor(calls: { readonly write: EngineClient['call']; readonly read: EngineClient['call'] }, clock: Clock) {
    this.#write = calls.write
    this.#read = calls.read
    this.#clock = clock
    this.#merges = new LargeMerges({
      find: (...args) => this.find(...args),
      change: (...args) => this.#change(...args),
      canInsist: false,
    })
  }

  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): Promise<StoredDocument | undefined> {
    return this.#read('documents.find', [lrsId, key, access]) as Promise<StoredDocument | undefined>
  }

  change(...args: Parameters<DocumentStore['change']>): Promise<DocumentOutcome> {
    return this.#merges.change(...args)
  }

  #change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: ChangeOptions,
  ): Promise<ChangeOutcome> {
    const now = Math.max(Math.floor(this.#clock.now() * 1000), (this.#floors.get(lrsId) ?? 0) + 1)
    const timed: Options = { ...options, now }
    return this.#write('documents.change', [lrsId, key, access, portable(change), timed]) as Promise<ChangeOutcome>
  }

  /** Of the latest change in the Lrs, in microseconds; 0 where there is no document. */
  latest(lrsId: LrsId): Promise<number> {
    return this.#read('documents.latest', [lrsId]) as Promise<number>
  }

  /** What is changed from now on is later than `through`. */
  keepAfter(lrsId: LrsId, through: number): void {
    this.#floors.set(lrsId, Math.max(through, this.#floors.get(lrsId) ?? 0))
  }

  listIds(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess, since?: number): Promise<ListedIds> {
    return this.#read('documents.listIds', [lrsId, scope, access, since]) as Promise<ListedIds>
  }

  deleteAll(lrsId: LrsId, scope: DocumentScope, access: DocumentAccess): Promise<number> {
    return this.#write('documents.deleteAll', [lrsId, scope, access]) as Promise<number>
  }
}

/** A view is cloned with all of the buffer behind it, which may be a pool of others' bytes. */
function portable(change: DocumentChange): DocumentChange {
  if (change.kind === 'delete' || change.content.kind === 'blob') return change
  const { bytes } = change.content
  if (bytes.byteLength === bytes.buffer.byteLength) return change
  return { ...change, content: { kind: 'inline', bytes: new Uint8Array(bytes) } }
}
