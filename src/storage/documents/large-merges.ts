// Merges of large documents, for which nobody else who writes should wait: made outside of the write, in slices, and written
// where what they were made from is there still. No SQL.

import type { ChangeOptions, ChangeOutcome } from './change.ts'
import type { DocumentAccess, DocumentChange, DocumentKey, DocumentOutcome } from '../../core/storage.ts'
import type { DocumentStore, StoredDocument } from '../../core/storage.ts'
import { DomainError } from '../../core/errors.ts'
import { inSlices } from '../../core/slices.ts'
import { mergedOf } from './merge.ts'
import { Turns } from './turns.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Write } from './merge.ts'

/** Of a merge whose document somebody else replaced or deleted each time; and before the others are made to wait, where they can. */
const mostTries = 10
const triesBeforeOthersWait = 3

/** The writes it is made of. */
interface Steps {
  readonly find: DocumentStore['find']
  /** Answers `large` to a merge that it leaves to this. */
  readonly change: (
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: DocumentChange,
    options: ChangeOptions,
  ) => Promise<ChangeOutcome>
  /** Changes take `mayBeLarge`: only those wait that change documents of the same scope. */
  readonly canInsist: boolean
}

export class LargeMerges {
  readonly #steps: Steps
  readonly #turns = new Turns<LrsId>()

  constructor(steps: Steps) {
    this.#steps = steps
  }

  /** `change` of the port, whatever its size. */
  async change(...args: Parameters<DocumentStore['change']>): Promise<DocumentOutcome> {
    const [lrsId, key, access, change, options] = args
    const outcome = await this.#steps.change(lrsId, key, access, change, options)
    if (change.kind === 'merge' && outcome.kind === 'large') {
      // Each holds both documents several times over, and two of one document would collide.
      return this.#turns.take(lrsId, () => this.#merge(lrsId, key, access, change, options))
    }
    return settled(outcome)
  }

  /** Merges into what is there now, and writes the outcome where that is there still. */
  async #merge(
    lrsId: LrsId,
    key: DocumentKey,
    access: DocumentAccess,
    change: Write,
    options: Parameters<DocumentStore['change']>[4],
  ): Promise<DocumentOutcome> {
    const { canInsist } = this.#steps
    for (let tries = 0; tries < (canInsist ? triesBeforeOthersWait : mostTries); tries++) {
      const stored = await this.#steps.find(lrsId, key, access)
      const outcome = stored
        ? await this.#mergeInto(stored, lrsId, key, access, change, options)
        : await this.#steps.change(lrsId, key, access, change, options)
      if (outcome.kind !== 'moved' && outcome.kind !== 'large') return outcome
    }
    if (canInsist) {
      return settled(await this.#steps.change(lrsId, key, access, change, { ...options, mayBeLarge: true }))
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
  ): Promise<ChangeOutcome> {
    const { contentType, etag, content } = stored
    const bytes = content.kind === 'inline' ? content.bytes : undefined
    const draft = await inSlices(mergedOf({ contentType, bytes }, change, options.mostBytes))
    if (!('content' in draft)) return draft
    const madeFrom = { contentType, etag }
    return this.#steps.change(lrsId, key, access, { ...draft, kind: 'replace' }, { ...options, madeFrom })
  }
}

function settled(outcome: ChangeOutcome): DocumentOutcome {
  if (outcome.kind !== 'large' && outcome.kind !== 'moved') return outcome
  throw new DomainError('internal', `The writer answered ${outcome.kind} to what was no merge`)
}
