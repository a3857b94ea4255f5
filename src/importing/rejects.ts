// The file of what was not taken: a line of JSON for each thing, with where it stood and why. Knows nothing of what it was.

import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { DomainError, inWords, isDomainError } from '../core/errors.ts'

/** Where something stood. */
export interface Place {
  /** Or a table, or an address. */
  readonly file: string
  /** Or a row; in a .bson file the number of the document. */
  readonly line: number
  readonly id?: string | undefined
  /** As it was found; asked for only where it is rejected. */
  record(): unknown
}

export class Rejects {
  readonly path: string
  #file: FileHandle | undefined
  #unwritten: string[] = []
  #length = 0
  #end = 0

  constructor(path: string) {
    this.path = path
  }

  /** Lines of this run and of those it goes on with. */
  get length(): number {
    return this.#length
  }

  /** Goes on behind what was there at the last checkpoint: what was written after it is written again. */
  async open({ bytes, lines }: { readonly bytes: number; readonly lines: number }): Promise<void> {
    this.#end = bytes
    this.#length = lines
    if (bytes > 0) await (await this.#opened()).truncate(bytes)
  }

  write({ file, line, id, record }: Place, why: unknown, kind: string): void {
    const reasons = { reason: reasonOf(why), ...(failuresOf(why) && { failures: failuresOf(why) }) }
    this.#unwritten.push(
      JSON.stringify({ file, line, kind, ...(id !== undefined && { id }), ...reasons, record: record() }),
    )
    this.#length++
  }

  /** How long it is then. */
  async flush(): Promise<{ readonly bytes: number; readonly lines: number }> {
    const text = this.#unwritten.map((line) => `${line}\n`).join('')
    this.#unwritten = []
    if (text !== '') {
      const bytes = Buffer.from(text)
      const file = await this.#opened()
      await file.write(bytes, 0, bytes.length, this.#end)
      await file.datasync()
      this.#end += bytes.length
    }
    return { bytes: this.#end, lines: this.#length }
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#file?.close()
    this.#file = undefined
  }

  /** Only its owner may read it: what is rejected may be a key with its secret. */
  async #opened(): Promise<FileHandle> {
    if (this.#file) return this.#file
    try {
      this.#file = await open(this.path, this.#end === 0 ? 'w' : 'r+', 0o600)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new DomainError(
        'invalid',
        `What is rejected cannot be written to ${this.path} (${code}); --rejects names another file.`,
      )
    }
    return this.#file
  }
}

export function reasonOf(why: unknown): string {
  if (typeof why === 'string') return why
  if (isDomainError(why)) return why.detail.failures?.map(inWords).join(' ') || why.message
  return why instanceof Error ? why.message : String(why)
}

function failuresOf(why: unknown): readonly unknown[] | undefined {
  const failures = isDomainError(why) ? why.detail.failures : undefined
  return failures && failures.length > 0 ? failures.map(({ pointer, rule }) => ({ pointer, rule })) : undefined
}
