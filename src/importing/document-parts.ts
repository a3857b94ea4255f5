// Documents on their way into the store: bytes taken in, checked, gathered by Lrs, stored in parts. Knows nothing of where they come
// from.

import { createHash } from 'node:crypto'
import { isDomainError } from '../core/errors.ts'
import type { DocumentOrigin, ImportBlobs } from '../core/importing.ts'
import type { LrsId } from '../core/ids.ts'
import type { DocumentContent, DocumentImportOutcome, ImportedDocument } from '../core/storage.ts'
import { isJsonType } from '../core/xapi/document.ts'
import { Gatherings } from './gatherings.ts'
import type { Destination, PartsSettings } from './parts.ts'
import type { Place } from './rejects.ts'

export interface DocumentInput extends Omit<DocumentOrigin, 'content'> {
  /** Whole, or where it is to be had. */
  readonly content: Uint8Array | { open(): AsyncIterable<Uint8Array> }
  /** Its number in the order of the source, among all documents of the import. */
  readonly number: number
  readonly place: Place
}

/** As a request that stores one: core/documents.ts. */
const inlineBytes = 64 * 1024
/** JSON of any length is kept where it can be merged; of a length that no server takes, elsewhere. */
const inlineJsonBytes = 64 * 1024 * 1024
const sizes = { mostInPart: 100, leastInPart: 100, mostSizeInPart: 4 * 1024 * 1024, mostSize: 32 * 1024 * 1024 }

export class DocumentParts {
  readonly #settings: PartsSettings
  readonly #gatherings: Gatherings<DocumentInput[]>

  constructor(settings: PartsSettings) {
    this.#settings = settings
    const { positions, queue } = settings
    this.#gatherings = new Gatherings<DocumentInput[]>({
      ...{ kind: 'documents', positions, queue, ...sizes },
      newBasket: () => [],
      store: ({ lrsId }, documents, isAgain) => this.#store(lrsId, documents, isAgain),
    })
  }

  /** Resolves when there is room for more. What a rule refuses is counted and written to the rejects. */
  async add(to: Destination, input: DocumentInput): Promise<void> {
    const { core, tally, isDryRun } = this.#settings
    try {
      // The bytes may be elsewhere still; everything else is judged now.
      const content: DocumentContent = { kind: 'inline', bytes: new Uint8Array() }
      core.imports.prepareDocument({ ...input, content })
    } catch (error) {
      if (!isDomainError(error)) throw error
      this.#reject(input.place, error)
      return
    }
    if (isDryRun) {
      tally.count('documents', 'checked')
      return
    }
    const size = input.content instanceof Uint8Array ? input.content.byteLength : 0
    await this.#gatherings.add(to, input.number, size, (documents) => void documents.push(input))
  }

  /** All that was added is stored when it resolves. */
  flush(): Promise<void> {
    return this.#gatherings.flush()
  }

  async #store(lrsId: LrsId, documents: readonly DocumentInput[], isAgain: boolean): Promise<void> {
    const { core, operator } = this.#settings
    await core.imports.withBlobs(operator, lrsId, async (blobs) => {
      const ready: Ready[] = []
      for (const input of documents) {
        const document = await this.#takeIn(blobs, input)
        if (document !== undefined) ready.push({ document, input })
      }
      await blobs.confirm()
      await this.#storeRows(lrsId, ready, isAgain)
    })
  }

  async #storeRows(lrsId: LrsId, ready: readonly Ready[], isAgain: boolean): Promise<void> {
    const { core, operator, importId, positions } = this.#settings
    const last = ready.at(-1)?.input.number ?? 0
    const position = isAgain ? undefined : positions.behind(lrsId, 'documents', last)
    const outcomes = await core.imports.storeDocuments(operator, {
      ...{ importId, lrsId, documents: ready.map(({ document }) => document) },
      ...(position !== undefined && { progress: { ...position } }),
    })
    if (position !== undefined) positions.advance(lrsId, position)
    for (const [index, { input }] of ready.entries()) this.#account(input, outcomes[index]!, isAgain)
  }

  #account({ place }: DocumentInput, outcome: DocumentImportOutcome, isAgain: boolean): void {
    const { positions, rejects } = this.#settings
    if (outcome === 'full') rejects.write(place, 'There are as many documents in this scope as may be.', 'documents')
    if (!isAgain) positions.counts.documents[outcome === 'full' ? 'refused' : outcome]++
  }

  async #takeIn(blobs: ImportBlobs, input: DocumentInput): Promise<ImportedDocument | undefined> {
    try {
      const { content, etag } = await receive(
        blobs,
        input.content,
        isJsonType(input.contentType) ? inlineJsonBytes : inlineBytes,
      )
      return this.#settings.core.imports.prepareDocument({ etag, ...input, content })
    } catch (error) {
      if (isDomainError(error) && error.code !== 'invalid' && error.code !== 'too_large') throw error
      // A file that is not there, or cannot be read, too.
      this.#reject(input.place, error)
      return undefined
    }
  }

  #reject(place: Place, error: unknown): void {
    this.#settings.tally.count('documents', 'rejected')
    this.#settings.rejects.write(place, error, 'documents')
  }
}

interface Ready {
  readonly document: ImportedDocument
  readonly input: DocumentInput
}

/** What is short goes into the row, what is long where attachments are. */
async function receive(
  blobs: ImportBlobs,
  source: DocumentInput['content'],
  mostInline: number,
): Promise<{ readonly content: DocumentContent; readonly etag: string }> {
  const sha1 = createHash('sha1')
  const pieces = (source instanceof Uint8Array ? whole(source) : source.open())[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let length = 0
  while (length <= mostInline) {
    const next = await pieces.next()
    if (next.done) {
      const bytes = new Uint8Array(Buffer.concat(head))
      return { content: { kind: 'inline', bytes }, etag: sha1.update(bytes).digest('hex') }
    }
    head.push(next.value)
    length += next.value.byteLength
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      for (const piece of head) {
        sha1.update(piece)
        yield piece
      }
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
        sha1.update(next.value)
        yield next.value
      }
    } finally {
      await pieces.return?.()
    }
  }
  const blob = await blobs.put(all())
  return { content: { kind: 'blob', ...blob }, etag: sha1.digest('hex') }
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
