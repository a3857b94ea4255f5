// The main side of the document port: the clock, bytes made fit to cross to another thread, and merges of large documents, for
// which the writer and all who write would wait. The rows are read and written in the engine.

import type { Clock, DocumentAccess, DocumentChange, DocumentKey, DocumentOutcome } from '../../core/storage.ts'
import type { DocumentScope, DocumentStore, StoredDocument } from '../../core/storage.ts'
import { DomainError } from '../../core/errors.ts'
import { inSlices } from '../../core/slices.ts'
import { mergedOf } from './document-merge.ts'
import type { Options, WriterOutcome } from './document-writer.ts'
import type { Write } from './document-merge.ts'
import type { EngineClient } from './engine-client.ts'
import type { ListedIds } from './document-reader.ts'
import type { LrsId } from '../../core/ids.ts'

/** Of a large merge, whose document somebody else replaced or deleted each time. */
const mostTries = 10

export class Documents implements DocumentStore {
  readonly #write: EngineClient['call']
  readonly #read: EngineClient['call']
  readonly #clock: Clock
  /** The last large merge of each Lrs. */
  readonly #merging = new Map<LrsId, Promise<unknown>>()
  /** By Lrs: what is changed from now on is later than this, in microseconds, whatever the clock says. */
  readonly #floors = new Map<LrsId, number>()

  constructor(calls: { readonly write: EngineClient['call']; readonly read: EngineClient['call'] }, clock: Clock) {
    this.#write = calls.write
    this.#read = calls.read
    this.#clock = clock
  }

  find(lrsId: LrsId, key: DocumentKey, access: DocumentAccess): Promise<StoredDocument | undefined> {
    return this.#read('documents.find', [lrsId, key, access]) as Promise<StoredDocument | undefined>
  }

  async change(...args: Parameters<DocumentStore['change']>): Promise<DocumentOutcome> {
    const [lrsId, key, access, change, options] = args
    const outcome = await this.#change(lrsId, key, access, change, options)
    if (change.kind === 'merge' && outcome.kind === 'large') {
      return this.#inTurn(lrsId, () => this.#mergeLarge(lrsId, key, access, change, options))
    }
    return settled(outcome)
  }

  #change(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: Omit<Options, 'now'>,
  ): Promise<WriterOutcome> {
    const now = Math.max(Math.floor(this.#clock.now() * 1000), (this.#floors.get(lrsId) ?? 0) + 1)
    const timed = { ...options, now }
    return this.#write('documents.change', [lrsId, key, access, portable(change), timed]) as Promise<WriterOutcome>
  }

  /** Merges what is there now, and writes the outcome where that is there still. */
  async #mergeLarge(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: Write,
    options: Parameters<DocumentStore['change']>[4],
  ): Promise<DocumentOutcome> {
    for (let tries = 0; tries < mostTries; tries++) {
      const stored = await this.find(lrsId, key, access)
      const outcome = stored
        ? await this.#mergeInto(stored, lrsId, key, access, change, options)
        : await this.#change(lrsId, key, access, change, options)
      if (outcome.kind !== 'moved' && outcome.kind !== 'large') return outcome
    }
    const detail = { retryAfterSeconds: 1 }
    const message = 'The document is replaced faster than one as large can be merged into it; nothing was changed'
    throw new DomainError('unavailable', message, { detail })
  }

  async #mergeInto(
    stored: StoredDocument,
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: Write,
    options: Parameters<DocumentStore['change']>[4],
  ): Promise<WriterOutcome> {
    const { contentType, etag, content } = stored
    const bytes = content.kind === 'inline' ? content.bytes : undefined
    const draft = await inSlices(mergedOf({ contentType, bytes }, change, options.mostBytes))
    if (!('content' in draft)) return draft
    return this.#change(
      lrsId,
      key,
      access,
      { ...draft, kind: 'replace' },
      { ...options, madeFrom: { contentType, etag } },
    )
  }

  /** One large merge of an Lrs at a time: each holds both documents several times over, and two of one document would collide. */
  #inTurn<T>(lrsId: LrsId, work: () => Promise<T>): Promise<T> {
    const mine = (this.#merging.get(lrsId) ?? Promise.resolve()).then(work, work)
    this.#merging.set(lrsId, mine)
    const forget = (): void => {
      if (this.#merging.get(lrsId) === mine) this.#merging.delete(lrsId)
    }
    mine.then(forget, forget)
    return mine
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

function settled(outcome: WriterOutcome): DocumentOutcome {
  if (outcome.kind !== 'large' && outcome.kind !== 'moved') return outcome
  throw new DomainError('internal', `The writer answered ${outcome.kind} to what was no merge`)
}

/** A view is cloned with all of the buffer behind it, which may be a pool of others' bytes. */
function portable(change: DocumentChange): DocumentChange {
  if (change.kind === 'delete' || change.content.kind === 'blob') return change
  const { bytes } = change.content
  if (bytes.byteLength === bytes.buffer.byteLength) return change
  return { ...change, content: { kind: 'inline', bytes: new Uint8Array(bytes) } }
}
