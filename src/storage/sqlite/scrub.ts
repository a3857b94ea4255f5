// Overwrites what deleted rows left in unused space of the database file. `secure_delete` clears a row where it lies when it
// is deleted, but rows move: when SQLite spreads the rows of a page over two, copies stay behind in the room that became
// free, and no setting clears those. VACUUM would, at the price of stopping every writer while the whole file is written
// anew. So the unused parts of pages are zeroed in place: they mean nothing to SQLite, whatever they hold.
// Format: https://www.sqlite.org/fileformat2.html, sections 1.5 (free pages) and 1.6 (b-tree pages).

import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { DomainError } from '../../core/errors.ts'
import type { Handle } from './handle.ts'

/** Read and looked through in one go: some milliseconds. */
const pagesAtOnce = 2_048
/** Waiting for readers to leave the log, then somebody else is served first. */
const waitMs = 100

/** First bytes of b-tree pages: inner and leaf, of indexes and of tables. */
const headerLengths: Readonly<Record<number, number>> = { 2: 12, 5: 12, 10: 8, 13: 8 }
/** In the file from here on, the first byte of other pages could be one of those: there it is part of a page number. */
const mostPages = 2 ** 25 - 1

export class Scrubber {
  readonly #handle: Handle
  /** Never closed before the database is: closing any descriptor of a file drops all locks the process has on it. */
  #file: number | undefined

  constructor(handle: Handle) {
    this.#handle = handle
  }

  /**
   * Pages behind `after`; outside of any transaction. In one turn of the only thread that writes: first the log is copied into
   * the file and cut, so that every page stands in the file as it is; then they are cleared there; then SQLite forgets what it
   * holds of them, or it would write the remains again.
   */
  scrub(after: number): { readonly next: number | undefined } {
    if (!this.#cutLog()) return { next: after }
    const file = (this.#file ??= openSync(this.#handle.name, 'r+'))
    const pageSize = this.#handle.pragma('page_size', { simple: true }) as number
    const pages = Math.floor(fstatSync(file).size / pageSize)
    this.#requirePlainFormat(pages)
    const count = Math.min(pagesAtOnce, pages - after)
    if (count <= 0) return { next: undefined }
    if (this.#clear(file, { first: after + 1, count, pageSize })) {
      fdatasyncSync(file)
      this.#handle.pragma('shrink_memory')
    }
    return { next: after + count < pages ? after + count : undefined }
  }

  #cutLog(): boolean {
    this.#handle.pragma(`busy_timeout = ${waitMs}`)
    try {
      const [state] = this.#handle.pragma('wal_checkpoint(truncate)') as readonly { readonly busy: number }[]
      return state?.busy === 0
    } finally {
      this.#handle.pragma('busy_timeout = 5000')
    }
  }

  /** Files that we did not make: with pages for moving pages about, or larger than page types can be told apart in. */
  #requirePlainFormat(pages: number): void {
    const autoVacuum = this.#handle.pragma('auto_vacuum', { simple: true })
    if (autoVacuum === 0 && pages <= mostPages) return
    throw new DomainError('unsupported', 'Unused space of this database file can only be cleared by VACUUM.')
  }

  #clear(file: number, { first, count, pageSize }: Pages): boolean {
    const bytes = Buffer.alloc(count * pageSize)
    if (readSync(file, bytes, 0, bytes.length, (first - 1) * pageSize) < bytes.length) {
      throw new DomainError('unavailable', 'The database file could not be read.')
    }
    // Read anew each time: what was free a moment ago may hold rows now.
    const freePages = listFreePages(file, pageSize)
    let hasChanged = false
    for (let index = 0; index < count; index++) {
      const page = bytes.subarray(index * pageSize, (index + 1) * pageSize)
      const number = first + index
      const freeFrom = freePages.get(number)
      const parts = freeFrom === undefined ? unusedParts(page, number === 1 ? 100 : 0) : [[freeFrom, pageSize] as const]
      for (const [from, to] of parts) {
        const part = page.subarray(from, to)
        if (part.every((byte) => byte === 0)) continue
        part.fill(0)
        writeSync(file, part, 0, part.length, (number - 1) * pageSize + from)
        hasChanged = true
      }
    }
    return hasChanged
  }

  /** After the database was closed. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

interface Pages {
  readonly first: number
  readonly count: number
  readonly pageSize: number
}

/** Between the pointers and the rows of a b-tree page, and in what was freed among the rows; nothing for other pages. */
export function unusedParts(page: Buffer, header: number): (readonly [from: number, to: number])[] {
  const headerLength = headerLengths[page[header] ?? 0]
  if (headerLength === undefined) return []
  const rowsFrom = page.readUInt16BE(header + 5) || 65_536
  const pointersTo = header + headerLength + 2 * page.readUInt16BE(header + 3)
  // Not as the format has it: hands off.
  if (pointersTo > rowsFrom || rowsFrom > page.length) return []
  const parts: (readonly [number, number])[] = [[pointersTo, rowsFrom]]
  let block = page.readUInt16BE(header + 1)
  let before = rowsFrom
  while (block !== 0) {
    if (block < before || block + 4 > page.length) return []
    const length = page.readUInt16BE(block + 2)
    if (length < 4 || block + length > page.length) return []
    parts.push([block + 4, block + length])
    before = block + length
    block = page.readUInt16BE(block)
  }
  return parts
}

/** Free pages, each with the place from which on it holds nothing: some of them list the others. */
function listFreePages(file: number, pageSize: number): ReadonlyMap<number, number> {
  const free = new Map<number, number>()
  const page = Buffer.alloc(pageSize)
  readSync(file, page, 0, pageSize, 0)
  let trunk = page.readUInt32BE(32)
  while (trunk !== 0 && !free.has(trunk)) {
    if (readSync(file, page, 0, pageSize, (trunk - 1) * pageSize) < pageSize) break
    const count = Math.min(page.readUInt32BE(4), pageSize / 4 - 2)
    free.set(trunk, 8 + 4 * count)
    for (let at = 0; at < count; at++) free.set(page.readUInt32BE(8 + 4 * at), 0)
    trunk = page.readUInt32BE(0)
  }
  return free
}
