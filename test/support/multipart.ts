// Multipart bodies made and taken apart by hand, without the code under test.

import { createHash } from 'node:crypto'

export const hashOf = (bytes: Uint8Array | string, algorithm = 'sha256'): string =>
  createHash(algorithm).update(bytes).digest('hex')

export interface SentPart {
  readonly headers: Readonly<Record<string, string>>
  readonly content: Uint8Array | string
}

/** The first part of a submission. */
export function statementsPart(statements: unknown): SentPart {
  return { headers: { 'Content-Type': 'application/json' }, content: JSON.stringify(statements) }
}

/** The part with an attachment's data; `headers` replace the usual ones, undefined removes. */
export function dataPart(content: Uint8Array | string, headers: Record<string, string | undefined> = {}): SentPart {
  const all = {
    'Content-Type': 'text/plain',
    'Content-Transfer-Encoding': 'binary',
    'X-Experience-API-Hash': hashOf(content),
    ...headers,
  }
  const kept = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { headers: Object.fromEntries(kept), content }
}

export const boundary = '-------314159265358979323846'

export function multipartBody(parts: readonly SentPart[]): Buffer {
  const pieces = parts.flatMap(({ headers, content }) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    return [Buffer.from(`--${boundary}\r\n${lines.join('')}\r\n`), Buffer.from(content), Buffer.from('\r\n')]
  })
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
}

export interface GotPart {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly content: Buffer
}

/** The parts of an answer; throws unless it is multipart/mixed, well-formed to the last byte. */
export function partsOf(contentType: string | null, body: Uint8Array): GotPart[] {
  const found = /^multipart\/mixed; boundary=([\w-]+)$/.exec(contentType ?? '')?.[1]
  if (found === undefined) throw new Error(`not multipart/mixed: ${contentType}`)
  const text = Buffer.from(body).toString('latin1')
  const pieces = `\r\n${text}`.split(`\r\n--${found}`)
  if (pieces[0] !== '' || pieces.at(-1) !== '--\r\n') throw new Error('not well-formed')
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf('\r\n\r\n')
    const lines = piece.slice(2, end).split('\r\n')
    const headers = lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 2),
    ])
    return {
      headers: Object.fromEntries(headers) as Record<string, string>,
      content: Buffer.from(piece.slice(end + 4), 'latin1'),
    }
  })
}

/** An attachment as a statement describes it, without fileUrl; members replace the defaults. */
export function describing(
  content: Uint8Array | string,
  members: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    usageType: 'http://example.org/attachments/file',
    display: { en: 'A file' },
    contentType: 'text/plain',
    length: Buffer.byteLength(content),
    sha2: hashOf(content),
    ...members,
  }
}
