// A file of JSON values, one a line, or in one array, or over several lines each; gzip or not. Gives their texts, never more of them at
// once than a piece of the file holds. Knows nothing of what they say.

import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DomainError, isDomainError } from '../core/errors.ts'

/** One value as it stands in the file. */
export interface RawValue {
  /** From 1. */
  readonly number: number
  /** In which it begins, from 1. */
  readonly line: number
  /** Undefined where `problem` says why there is none. */
  readonly text: string | undefined
  readonly problem?: string
}

/** Nothing longer is looked at: core refuses a statement long before. */
export const maxValueBytes = 16 * 1024 * 1024
const pieceBytes = 512 * 1024

export class ValueFile {
  readonly path: string
  readonly #size: number
  readonly #isGzip: boolean
  #bytesRead: () => number = () => 0

  private constructor(path: string, size: number, isGzip: boolean) {
    this.path = path
    this.#size = size
    this.#isGzip = isGzip
  }

  /** Throws `invalid` where it cannot be read. */
  static async open(path: string): Promise<ValueFile> {
    try {
      const file = await open(path)
      try {
        const { size } = await file.stat()
        const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
        return new ValueFile(path, size, bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b)
      } finally {
        await file.close()
      }
    } catch (error) {
      throw unreadable(path, error)
    }
  }

  /** How much of it was read, from 0 to 1. */
  get part(): number {
    return this.#size === 0 ? 1 : Math.min(1, this.#bytesRead() / this.#size)
  }

  /** The bytes, uncompressed. A piece is good until the next one is asked for. Throws `invalid` where the file is damaged. */
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      yield* this.#isGzip ? this.#unzipped() : this.#plain()
    } catch (error) {
      throw isDomainError(error) ? error : unreadable(this.path, error)
    }
  }

  /** Into one place again and again: a stream leaves gigabytes to be collected. */
  async *#plain(): AsyncGenerator<Buffer> {
    const file = await open(this.path)
    const piece = Buffer.allocUnsafe(pieceBytes)
    let read = 0
    this.#bytesRead = () => read
    try {
      for (;;) {
        const { bytesRead } = await file.read(piece, 0, pieceBytes, null)
        if (bytesRead === 0) return
        read += bytesRead
        yield piece.subarray(0, bytesRead)
      }
    } finally {
      await file.close()
    }
  }

  async *#unzipped(): AsyncGenerator<Buffer> {
    const file = createReadStream(this.path, { highWaterMark: pieceBytes })
    this.#bytesRead = () => file.bytesRead
    try {
      yield* pipeline(file, createGunzip({ chunkSize: pieceBytes }), () => {}) as AsyncIterable<Buffer>
    } finally {
      file.destroy()
    }
  }

  /** The values whose number is greater than `after`, as many at once as a piece of the file has. */
  async *values(after = 0): AsyncGenerator<readonly RawValue[]> {
    let splitter: Splitter | undefined
    for await (const piece of this.pieces()) {
      splitter ??= splitterFor(piece, after)
      const values = splitter.take(piece)
      if (values.length > 0) yield values
    }
    const rest = splitter?.end() ?? []
    if (rest.length > 0) yield rest
  }
}

function unreadable(path: string, error: unknown): DomainError {
  const { code, message } = error as NodeJS.ErrnoException
  return new DomainError('invalid', `${basename(path)} cannot be read (${code ?? message}): ${path}`)
}

interface Splitter {
  take(piece: Buffer): readonly RawValue[]
  end(): readonly RawValue[]
}

/** By how the file begins: `[` is an array, a line with nothing but `{` an object written over several lines. */
function splitterFor(piece: Buffer, after: number): Splitter {
  const start = piece
    .subarray(0, 1024)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()
  return start.startsWith('[') || /^\{\s*\n/.test(start) ? new Brackets(after) : new Lines(after)
}

const lineEnd = 0x0a

class Lines implements Splitter {
  readonly #after: number
  #rest: Buffer[] = []
  #restBytes = 0
  #number = 0

  constructor(after: number) {
    this.#after = after
  }

  take(piece: Buffer): readonly RawValue[] {
    const values: RawValue[] = []
    let from = 0
    for (let end = piece.indexOf(lineEnd); end !== -1; end = piece.indexOf(lineEnd, from)) {
      this.#finish(piece.subarray(from, end), values)
      from = end + 1
    }
    this.#keep(piece.subarray(from))
    return values
  }

  end(): readonly RawValue[] {
    const values: RawValue[] = []
    this.#finish(Buffer.alloc(0), values)
    return values
  }

  // What is too long is not kept.
  #keep(bytes: Buffer): void {
    this.#restBytes += bytes.length
    if (this.#restBytes <= maxValueBytes) this.#rest.push(Buffer.from(bytes))
    else this.#rest = []
  }

  /** Every line counts, also one that is empty: numbers are those of an editor. */
  #finish(last: Buffer, values: RawValue[]): void {
    this.#number++
    const bytes = this.#restBytes + last.length
    const isSkipped = this.#number <= this.#after
    const line =
      isSkipped || bytes > maxValueBytes ? last : this.#restBytes === 0 ? last : Buffer.concat([...this.#rest, last])
    this.#rest = []
    this.#restBytes = 0
    if (isSkipped) return
    const value = valueOf(line, bytes, { number: this.#number, line: this.#number })
    if (value.text === undefined || value.text.trim() !== '') values.push(value)
  }
}

/** Objects one after the other, in an array or not: from each brace of the outermost level to the one that closes it. */
class Brackets implements Splitter {
  readonly #after: number
  #rest: Buffer[] = []
  #restBytes = 0
  #number = 0
  #line = 1
  #startLine = 1
  #depth = 0
  #isInString = false
  #isEscaped = false

  constructor(after: number) {
    this.#after = after
  }

  take(piece: Buffer): readonly RawValue[] {
    const values: RawValue[] = []
    let from = this.#depth > 0 ? 0 : -1
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!
      if (byte === lineEnd) this.#line++
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === 0x5c) this.#isEscaped = true
        else if (byte === 0x22) this.#isInString = false
      } else if (byte === 0x22) this.#isInString = this.#depth > 0
      else if (byte === 0x7b && this.#depth++ === 0) {
        from = at
        this.#startLine = this.#line
      } else if (byte === 0x7d && this.#depth > 0 && --this.#depth === 0) {
        this.#finish(piece.subarray(from, at + 1), values)
        from = -1
      }
    }
    if (from >= 0) this.#keep(piece.subarray(from))
    return values
  }

  end(): readonly RawValue[] {
    if (this.#depth === 0) return []
    const number = this.#number + 1
    return [
      {
        number,
        line: this.#startLine,
        text: undefined,
        problem: 'The file ends in the middle of it, or a brace before is missing.',
      },
    ]
  }

  #keep(bytes: Buffer): void {
    this.#restBytes += bytes.length
    if (this.#restBytes <= maxValueBytes) this.#rest.push(Buffer.from(bytes))
    else this.#rest = []
  }

  #finish(last: Buffer, values: RawValue[]): void {
    this.#number++
    const bytes = this.#restBytes + last.length
    const isKept = this.#number > this.#after && bytes <= maxValueBytes
    const whole = isKept && this.#restBytes > 0 ? Buffer.concat([...this.#rest, last]) : last
    this.#rest = []
    this.#restBytes = 0
    if (this.#number > this.#after) values.push(valueOf(whole, bytes, { number: this.#number, line: this.#startLine }))
  }
}

function valueOf(bytes: Buffer, length: number, place: Pick<RawValue, 'number' | 'line'>): RawValue {
  if (length > maxValueBytes) return { ...place, text: undefined, problem: `It is longer than ${maxValueBytes} bytes.` }
  if (!isUtf8(bytes)) return { ...place, text: undefined, problem: 'It is not UTF-8.' }
  const text = bytes.toString('utf8')
  return { ...place, text: text.codePointAt(0) === 0xfeff ? text.slice(1) : text }
}
