// Where a pipe takes its statements from, oldest first: an Lrs of ours, which is its own queue, or a store elsewhere. Says with each
// batch how far the pipe has come once that is delivered.

import { DomainError, isDomainError } from './errors.ts'
import type { LrsId } from './ids.ts'
import type { PipePosition, PipeProgress } from './pipe-progress.ts'
import type { Later, OutgoingPart, OutgoingStatement, ReadStatement, Refused, RemoteLrs } from './remote-lrs.ts'
import type { AttachmentClaim, BlobStore, Storage, StoredStatement } from './storage.ts'
import type { XapiVersion } from './xapi/version.ts'

export interface Batch {
  readonly kind: 'batch'
  /** May be none, where there was nothing that is still to be sent. */
  readonly statements: readonly OutgoingStatement[]
  /** What is so once they are delivered. */
  readonly position: PipePosition
  readonly lastStored: string | undefined
  /** Nothing is left for now. */
  readonly isEnd: boolean
  /** To be called when they are: the next batch is another one then. */
  done?(): void
}

export interface PipeSource {
  /** At most `most` statements, all of one version. */
  next(progress: PipeProgress, most: number, signal: AbortSignal): Promise<Batch | Later | Refused>
}

/** Characters of the statements of one request, and bytes that go along; a longer one goes alone. */
const mostText = 1024 * 1024
const mostBytes = 8 * 1024 * 1024

/** Before a remote store’s last word: what it stored at the same moment may have become visible later. */
const overlapMs = 1_000
const mostRecent = 500

export class LrsSource implements PipeSource {
  readonly #storage: Storage
  readonly #lrsId: LrsId

  constructor(storage: Storage, lrsId: LrsId) {
    this.#storage = storage
    this.#lrsId = lrsId
  }

  async next({ at = 0 }: PipeProgress, most: number): Promise<Batch | Refused> {
    const part = { after: at, limit: most, mostText }
    const { rows, consistentThrough } = await this.#storage.statements.follow(this.#lrsId, part)
    if (rows.length === 0) {
      // Up to there nothing will ever come: also where what was there is erased.
      const position = { at: Math.max(at, consistentThrough) }
      return { kind: 'batch', statements: [], position, lastStored: undefined, isEnd: true }
    }
    try {
      return await this.#batchOf(rows, at)
    } catch (error) {
      if (!isDomainError(error) || error.code !== 'internal') throw error
      return { kind: 'refused', reason: error.message }
    }
  }

  async #batchOf(rows: readonly StoredStatement[], before: number): Promise<Batch> {
    const statements: OutgoingStatement[] = []
    let [bytes, at] = [0, before]
    let lastStored: string | undefined
    for (const row of rows) {
      const { id, version, stored } = JSON.parse(row.body) as { id: string; version?: string; stored: string }
      const family = familyOf(version)
      const parts = await this.#partsOf(row.attachments ?? [])
      bytes += parts?.reduce((sum, { length }) => sum + length, 0) ?? 0
      const isFull = statements.length > 0 && (family !== statements[0]?.version || bytes > mostBytes)
      if (isFull) break
      if (parts !== undefined) statements.push({ id, text: row.body, version: family, parts })
      at = row.seq
      lastStored = stored
    }
    return { kind: 'batch', statements, position: { at }, lastStored, isEnd: false }
  }

  /** Undefined when the statement was erased since it was read. Throws `internal` where bytes are lost. */
  async #partsOf(claims: readonly AttachmentClaim[]): Promise<readonly OutgoingPart[] | undefined> {
    const { blobs } = this.#storage
    const parts: OutgoingPart[] = []
    for (const { sha2, contentType } of claims) {
      const blob = await blobs.open(this.#lrsId, sha2)
      if (blob === undefined) return undefined
      blob.cancel()
      parts.push({ sha2, contentType, length: blob.length, bytes: () => readBlob(blobs, this.#lrsId, sha2) })
    }
    return parts
  }
}

async function* readBlob(blobs: BlobStore, lrsId: LrsId, sha2: string): AsyncGenerator<Uint8Array> {
  const blob = await blobs.open(lrsId, sha2)
  if (blob === undefined) throw new DomainError('unavailable', 'A statement was erased while it was sent.')
  try {
    yield* blob.bytes
  } finally {
    blob.cancel()
  }
}

export class RemoteSource implements PipeSource {
  readonly #remote: RemoteLrs
  /** Of a page: not delivered yet. */
  #waiting: readonly ReadStatement[] = []
  #afterPage: PipePosition = {}
  #hasBegunAnew = false

  constructor(remote: RemoteLrs) {
    this.#remote = remote
  }

  async next(progress: PipeProgress, most: number, signal: AbortSignal): Promise<Batch | Later | Refused> {
    const { since, more, recent = [] } = progress
    if (this.#waiting.length === 0) {
      const page = await this.#remote.read({ since, more, limit: most }, signal)
      // A page that is not there any more: its store keeps such addresses for a while only.
      if (page.kind === 'refused' && more !== undefined && !this.#hasBegunAnew) {
        this.#hasBegunAnew = true
        return anew(since, recent)
      }
      if (page.kind !== 'page') return page
      // A pipe leaves nothing out.
      const [nameless] = page.nameless
      if (nameless) return { kind: 'refused', reason: `a page has what is no statement: ${nameless.reason}` }
      const last = page.statements.at(-1)?.stored
      const isNew = (one: ReadStatement): boolean => !recent.includes(one.id)
      this.#waiting = page.statements.filter(isNew)
      this.#afterPage = {
        since: last === undefined ? since : overlapping(last, page.consistentThrough),
        // One that leads to itself would be asked for ever.
        more: page.more === more ? undefined : page.more,
        recent: [...recent, ...this.#waiting.map(({ id }) => id)].slice(-mostRecent),
      }
      if (this.#waiting.length === 0) {
        const isEnd = this.#afterPage.more === undefined
        return { kind: 'batch', statements: [], position: this.#afterPage, lastStored: undefined, isEnd }
      }
    }
    return this.#take(progress, most, signal)
  }

  /** The position within a page is held in memory only: read again, what was delivered is known to the target. */
  async #take(
    { since, more, recent }: PipeProgress,
    most: number,
    signal: AbortSignal,
  ): Promise<Batch | Later | Refused> {
    const statements: OutgoingStatement[] = []
    let [text, bytes] = [0, 0]
    let last: ReadStatement | undefined
    for (const one of this.#waiting.slice(0, most)) {
      if (last !== undefined && one.version !== last.version) break
      text += one.text.length
      if (last !== undefined && text > mostText) break
      const read = one.sha2s.length === 0 ? noParts : await this.#remote.readParts(one, signal)
      if (read.kind !== 'parts') return read
      bytes += read.parts.reduce((sum, { length }) => sum + length, 0)
      if (last !== undefined && bytes > mostBytes) break
      statements.push({ id: one.id, text: one.text, version: one.version, parts: read.parts })
      last = one
    }
    const isPageDone = statements.length === this.#waiting.length
    const position = isPageDone ? this.#afterPage : { since, more, recent }
    const done = (): void => void (this.#waiting = this.#waiting.slice(statements.length))
    return { kind: 'batch', statements, position, lastStored: last?.stored, isEnd: false, done }
  }
}

const noParts = { kind: 'parts', parts: [] } as const

function anew(since: string | undefined, recent: readonly string[]): Batch {
  const position = { since, recent }
  return { kind: 'batch', statements: [], position, lastStored: undefined, isEnd: false }
}

function overlapping(last: string, consistentThrough: string | undefined): string {
  const certain = consistentThrough === undefined ? Number.NaN : Date.parse(consistentThrough)
  const at = Number.isNaN(certain) ? Date.parse(last) : Math.min(Date.parse(last), certain)
  return new Date(Math.max(0, at - overlapMs)).toISOString()
}

export function familyOf(version: string | undefined): XapiVersion {
  return version?.startsWith('2.') === true ? '2.0' : '1.0'
}
