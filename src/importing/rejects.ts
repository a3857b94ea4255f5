// The file of what was not taken: a line of JSON for each thing, with where it stood and why. Knows nothing of what it was.

import { open, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { DomainError, inWords, isDomainError } from '../core/errors.ts'

/** Where something stood. */
export interface Place {
  /** Or a table, or an address. */
  readonly file: string
  /** Or a row; in a .bson file the number of the document. */
  readonly line: number
  readonly id?: string | undefined
  /** As it was found; asked for only where it is rejected, and of the place: it may be a method. */
  record(): unknown
}

/** Characters. */
const mostUnwritten = 4 * 1024 * 1024

export class Rejects {
  readonly path: string
  #file: FileHandle | undefined
  #isPlain = true
  #unwritten: string[] = []
  #unwrittenLength = 0
  /** One after the other: each begins where the one before it ended. */
  #flushing: Promise<unknown> = Promise.resolve()
  #length = 0
  #end = 0

  constructor(path: string) {
    this.path = path
  }

  /** Lines of this run and of those it goes on with. */
  get length(): number {
    return this.#length
  }

  /**
   * Goes on behind what was there at the last checkpoint: what was written after it is written again. True: there is no such file, and
   * it begins a new one.
   */
  async open({ bytes, lines }: { readonly bytes: number; readonly lines: number }): Promise<boolean> {
    const isAnew = bytes > 0 && (await isAbsent(this.path))
    this.#end = isAnew ? 0 : bytes
    this.#length = isAnew ? 0 : lines
    // Made at once: where that fails, the one before it is not given up.
    if (isAnew) await this.#opened()
    else if (bytes > 0) await this.#cut(bytes)
    return isAnew
  }

  async #cut(bytes: number): Promise<void> {
    const file = await this.#opened()
    const { size } = await file.stat()
    // What was written to it so far ended a line.
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, bytes - 1)
    if (size >= bytes && String(buffer) === '\n') return file.truncate(bytes)
    await file.close()
    throw this.#refusal('it is another file')
  }

  write(place: Place, why: unknown, kind: string): void {
    const { file, line, id } = place
    const reasons = { reason: reasonOf(why), ...(failuresOf(why) && { failures: failuresOf(why) }) }
    const told = { file, line, kind, ...(id !== undefined && { id }), ...reasons }
    const text = lineOf(told, place)
    this.#unwritten.push(text)
    this.#unwrittenLength += text.length
    this.#length++
  }

  /** So many wait to be written that memory should not hold more. */
  get isFull(): boolean {
    return this.#unwrittenLength >= mostUnwritten
  }

  /** How long it is then. */
  flush(): Promise<{ readonly bytes: number; readonly lines: number }> {
    const turn = this.#flushing.then(() => this.#flush())
    this.#flushing = turn.catch(() => {})
    return turn
  }

  async #flush(): Promise<{ readonly bytes: number; readonly lines: number }> {
    const lines = this.#length
    const text = this.#unwritten.map((line) => `${line}\n`).join('')
    this.#unwritten = []
    this.#unwrittenLength = 0
    if (text !== '') {
      const bytes = Buffer.from(text)
      const file = await this.#opened()
      try {
        await file.write(bytes, 0, bytes.length, this.#end)
        if (this.#isPlain) await file.datasync()
      } catch (error) {
        throw this.#refusal(String((error as NodeJS.ErrnoException).code))
      }
      this.#end += bytes.length
    }
    return { bytes: this.#end, lines }
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
      throw this.#refusal(String((error as NodeJS.ErrnoException).code))
    }
    // It may have been there, for others to read. /dev/null is everybody's.
    this.#isPlain = (await this.#file.stat()).isFile()
    if (this.#isPlain) await this.#file.chmod(0o600)
    return this.#file
  }

  #refusal(why: string): DomainError {
    const message =
      this.#end === 0
        ? `What is rejected cannot be written to ${this.path} (${why}); --rejects names another file.`
        : `What this import has rejected so far is not in ${this.path} (${why}): go on in the directory where it was begun, or name that file with --rejects.`
    return new DomainError('invalid', message)
  }
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await stat(path)
    return false
  } catch (error) {
    // What else there may be in the way is told when it is opened.
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

/** What is nested so deeply that nobody can write it down comes without itself. */
function lineOf(told: object, place: Place): string {
  try {
    return JSON.stringify({ ...told, record: place.record() })
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return JSON.stringify({ ...told, record: null })
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
