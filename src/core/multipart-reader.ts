// Multipart bodies (RFC 2046 section 5.1) read as they arrive: one part after the other, no more held than one chunk. Strict:
// a line that begins like a delimiter and is none, a header without a name or given twice, a missing end are refused.
// Knows nothing of xAPI. Our own, because what npm offers (Dicer of @fastify/busboy) drops malformed headers in silence and
// takes any line that begins with the boundary for a delimiter: two readers of one body must not see different parts.

import { DomainError, invalid, isDomainError } from './errors.ts'

export interface Part {
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  /**
   * The content; what is not read is skipped. `length`: how long it is said to be. There, and nowhere else, the line end before
   * the next boundary may be missing: tincanjs, xapiwrapper and @xapi/xapi forget it between two attachments.
   */
  bytes(length?: number): AsyncIterable<Uint8Array>
}

/** All headers of one part. */
const mostHeaderBytes = 16 * 1024
/** Before the first part and behind the last one; nobody reads either. */
const mostIgnoredBytes = 64 * 1024
/** White space behind a boundary, on its line. */
const mostPadding = 1024

const carriageReturn = 0x0d
const lineFeed = 0x0a
const dash = 0x2d
const lineEnd = Buffer.from('\r\n')
const headerEnd = Buffer.from('\r\n\r\n')

/** The boundary a Content-Type names; undefined when it names none, or one that RFC 2046 does not allow. */
export function boundaryOf(contentType: string): string | undefined {
  const parameter = /;[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[ \t]*(?=;|$)/gy
  parameter.lastIndex = Math.max(contentType.indexOf(';'), 0)
  for (let match = parameter.exec(contentType); match !== null; match = parameter.exec(contentType)) {
    if (match[1]?.toLowerCase() !== 'boundary') continue
    const boundary = match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? ''
    return /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary) ? boundary : undefined
  }
  return undefined
}

/**
 * The parts in order. Throws `invalid` for a body that is not well-formed or ends too early. Reads what a part holds only as
 * its `bytes` are read, so that whoever is slow to take them slows the sender.
 */
export async function* readParts(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const reader = new Reader(source, boundary)
  try {
    await reader.skipPreamble()
    while (await reader.startsPart()) {
      const headers = parseHeaders(await reader.readHeaders())
      yield { headers, bytes: (length) => reader.readBytes(length) }
      await reader.skipRest()
    }
    await reader.skipEpilogue()
  } finally {
    await reader.stop()
  }
}

class Reader {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #delimiter: Buffer
  /** Has arrived and was not taken. Begins with a line end, so that a delimiter at the very start is like any other. */
  #pending: Buffer = lineEnd
  #isAtPartEnd = false

  constructor(source: AsyncIterable<Uint8Array>, boundary: string) {
    this.#source = source[Symbol.asyncIterator]()
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  }

  async skipPreamble(): Promise<void> {
    let skipped = 0
    for await (const chunk of this.readBytes()) {
      skipped += chunk.length
      if (skipped > mostIgnoredBytes) throw malformed('no part begins in its first 64 KiB')
    }
  }

  /** Behind a delimiter: whether another part follows, or this was the last. */
  async startsPart(): Promise<boolean> {
    await this.#have(2)
    if (this.#pending[0] === dash && this.#pending[1] === dash) {
      this.#take(2)
      return false
    }
    // RFC 2046: mail gateways may have padded the line.
    for (let padding = 0; this.#pending[0] === 0x20 || this.#pending[0] === 0x09; padding += 1) {
      if (padding === mostPadding) throw malformed('more than 1 KiB of white space follows a boundary')
      this.#take(1)
      await this.#have(2)
    }
    if (this.#pending[0] !== carriageReturn || this.#pending[1] !== lineFeed) {
      throw malformed('a line begins with the boundary and goes on')
    }
    this.#isAtPartEnd = false
    return true
  }

  /** The header lines, and the empty one behind them. */
  async readHeaders(): Promise<string> {
    const mostPending = mostHeaderBytes + headerEnd.length
    let from = 0
    for (let end = -1; ; from = Math.max(this.#pending.length - headerEnd.length + 1, 0), await this.#more()) {
      end = this.#pending.indexOf(headerEnd, from)
      if (end > mostHeaderBytes || (end < 0 && this.#pending.length >= mostPending)) break
      if (end < 0) continue
      const text = this.#pending.toString('latin1', lineEnd.length, end)
      this.#take(end + lineEnd.length)
      await this.#beginContent()
      return text
    }
    throw malformed('the headers of a part are longer than 16 KiB')
  }

  /** The empty line is the beginning of a delimiter where a part has no content at all. */
  async #beginContent(): Promise<void> {
    const length = this.#delimiter.length
    while (this.#pending.length < length && this.#delimiter.subarray(0, this.#pending.length).equals(this.#pending)) {
      await this.#more()
    }
    this.#isAtPartEnd = this.#pending.subarray(0, length).equals(this.#delimiter)
    this.#take(this.#isAtPartEnd ? length : lineEnd.length)
  }

  /** What comes before the next delimiter, and the delimiter. Nothing when that was passed already. */
  async *readBytes(length = -1): AsyncGenerator<Uint8Array> {
    let untilSaidEnd = length < 0 ? Infinity : length
    while (!this.#isAtPartEnd) {
      const end = this.#pending.indexOf(this.#delimiter)
      if (untilSaidEnd <= (end < 0 ? this.#pending.length : end)) {
        const last = await this.#takeUnbroken(untilSaidEnd)
        if (last.length > 0) yield last
        untilSaidEnd = Infinity
        continue
      }
      if (end >= 0) {
        const last = this.#take(end)
        this.#take(this.#delimiter.length)
        this.#isAtPartEnd = true
        if (last.length > 0) yield last
        return
      }
      // All but what may turn out to be the beginning of a delimiter.
      const sure = this.#pending.length - this.#delimiter.length + 1
      if (sure > 0) {
        untilSaidEnd -= sure
        yield this.#take(sure)
      }
      if (!this.#isAtPartEnd) await this.#more()
    }
  }

  /** What is left of a part that ends after `length` bytes with a boundary right behind them; else nothing. */
  async #takeUnbroken(length: number): Promise<Buffer> {
    const boundary = this.#delimiter.subarray(lineEnd.length)
    await this.#have(length + boundary.length)
    const delimiter = this.#pending.indexOf(this.#delimiter)
    // A whole delimiter goes before: where it ends the part must not depend on how much of it had arrived.
    const isWhole = delimiter >= 0 && delimiter < length
    if (isWhole || !this.#pending.subarray(length, length + boundary.length).equals(boundary)) return this.#take(0)
    const last = this.#take(length)
    this.#take(boundary.length)
    this.#isAtPartEnd = true
    return last
  }

  /** Whether it was read in part or not at all. */
  async skipRest(): Promise<void> {
    for await (const _ of this.readBytes()) continue
  }

  async skipEpilogue(): Promise<void> {
    let skipped = this.#pending.length
    while (skipped <= mostIgnoredBytes) {
      const next = await this.#next()
      if (next.done) return
      skipped += next.value.length
    }
    throw malformed('more than 64 KiB follow its last part')
  }

  async stop(): Promise<void> {
    await this.#source.return?.()
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length)
    this.#pending = this.#pending.subarray(length)
    return taken
  }

  async #have(length: number): Promise<void> {
    while (this.#pending.length < length) await this.#more()
  }

  async #more(): Promise<void> {
    const next = await this.#next()
    if (next.done) throw malformed('it ends before the boundary that closes it')
    const { buffer, byteOffset, byteLength } = next.value
    const chunk = Buffer.from(buffer, byteOffset, byteLength)
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#source.next()
    } catch (cause) {
      if (isDomainError(cause)) throw cause
      throw new DomainError('invalid', 'The request ended before its body did', { cause })
    }
  }
}

function parseHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  if (text === '') return headers
  // RFC 5322 section 2.2.3: a line that begins with white space continues the one before.
  for (const line of text.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)[ \t]*:([^\r\n\0]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw malformed('a header line of a part is no header')
    const key = name.toLowerCase()
    if (headers.has(key)) throw malformed(`a part has the header ${key.slice(0, 40)} twice`)
    headers.set(key, value.trim())
  }
  return headers
}

function malformed(what: string): DomainError {
  const message = `This is not a well-formed multipart body: ${what}.`
  return invalid(message, [{ pointer: '', rule: 'claviger/multipart', message }])
}
