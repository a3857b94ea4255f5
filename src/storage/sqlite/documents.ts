// The main side of the document port: the clock, and bytes made fit to cross to another thread. The rows are read and written
// in the engine.

import type { Clock, DocumentAccess, DocumentChange, DocumentKey, DocumentOutcome } from '../../core/storage.ts'
import type { DocumentScope, DocumentStore, StoredDocument } from '../../core/storage.ts'
import type { EngineClient } from './engine-client.ts'
import type { ListedIds } from './document-reader.ts'
import type { LrsId } from '../../core/ids.ts'

export class Documents implements DocumentStore {
  readonly #write: EngineClient['call']
  readonly #read: EngineClient['call']
  readonly #clock: Clock

  constructor(calls: { readonly write: EngineClient['call']; readonly read: EngineClient['call'] }, clock: Clock) {
    this.#write = calls.write
    this.#read = calls.read
    this.#clock = clock
  }

  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): Promise<StoredDocument | undefined> {
    return this.#read('documents.find', [lrsId, key, access]) as Promise<StoredDocument | undefined>
  }

  change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: Parameters<DocumentStore['change']>[4],
  ): Promise<DocumentOutcome> {
    const timed = { ...options, now: Math.floor(this.#clock.now() * 1000) }
    return this.#write('documents.change', [lrsId, key, access, portable(change), timed]) as Promise<DocumentOutcome>
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
