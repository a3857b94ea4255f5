// Reads the directory of an export: its manifest, whether every file is as it was written, lines, bytes. Opens no file but those that
// format.ts names.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { z } from 'zod'
import { DomainError, invalid } from '../../core/errors.ts'
import { maxId } from '../../core/ids.ts'
import { formatName, formatVersion, manifestFile, sumsFile, unfinishedFile } from '../../exporting/format.ts'
import type { Manifest } from '../../exporting/format.ts'

/** A document of some megabytes as base64, a statement of as many. */
const longestLine = 128 * 1024 * 1024
const newline = 0x0a

const id = z.int().min(1).max(maxId)
const count = z.int().min(0)
const manifestSchema = z.object({
  format: z.literal(formatName),
  version: z.int(),
  id: z.string().max(100),
  begunAt: z.string().max(100),
  finishedAt: z.string().max(100),
  since: z.string().nullable(),
  isGzip: z.boolean(),
  sealing: z
    .object({
      kdf: z.literal('scrypt'),
      ...{ n: count, r: count, p: count },
      salt: z.string().max(1000),
      cipher: z.literal('aes-256-gcm'),
      check: z.string().max(1000),
    })
    .nullable(),
  organisations: z.array(
    z.object({
      ...{ id, oid: z.string(), name: z.string() },
      ...{ credentials: count, applications: count, pipes: count, auditEvents: count, auditHead: z.string() },
    }),
  ),
  lrs: z.array(
    z.object({
      ...{ id, organisationId: id, name: z.string(), through: z.int(), throughTime: z.string() },
      ...{ statements: count, voided: count, documents: count, blobs: count, blobBytes: count, lostBlobs: count },
    }),
  ),
  files: z.object({ count, bytes: count, sumsSha256: z.string() }),
  warnings: z.array(z.string()),
})

/** Throws `invalid` where there is no whole export. */
export async function readManifest(directory: string): Promise<Manifest> {
  const text = await readFile(join(directory, manifestFile), 'utf8').catch(async (cause: unknown) => {
    const isUnfinished = await stat(join(directory, unfinishedFile)).then(
      () => true,
      () => false,
    )
    const message = isUnfinished
      ? `The export in ${directory} was interrupted: it has no ${manifestFile}. Export again, into a new directory.`
      : `${directory} is no export: there is no ${manifestFile} that can be read in it.`
    throw new DomainError('invalid', message, { cause })
  })
  const value = parse(text, manifestFile)
  const { format, version } = value as { readonly format?: unknown; readonly version?: unknown }
  if (format === formatName && typeof version === 'number' && version > formatVersion) {
    throw invalid(
      `The export has format version ${version}; this program knows ${formatVersion}. Import it with a newer one.`,
    )
  }
  const read = manifestSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw invalid(`${manifestFile} is damaged: /${issue?.path.join('/')} ${issue?.message}.`)
}

/** Reads all of it and throws `invalid` for the first file that is another one by now. `onRead`: bytes so far, of all. */
export async function checkFiles(
  directory: string,
  { files }: Manifest,
  onRead: (bytes: number) => Promise<void>,
): Promise<void> {
  const sums = createHash('sha256')
  let [bytes, seen] = [0, 0]
  for await (const line of linesOf(join(directory, sumsFile), sumsFile)) {
    sums.update(`${line.text}\n`)
    const [, sha256, name] = /^([0-9a-f]{64}) {2}((?:organisations|lrs)\/\d+\/[\w./-]+)$/.exec(line.text) ?? []
    if (name === undefined || name.includes('..')) throw damaged(sumsFile)
    const hash = createHash('sha256')
    for await (const piece of bytesOf(join(directory, name), name)) {
      hash.update(piece)
      bytes += piece.length
      await onRead(bytes)
    }
    if (hash.digest('hex') !== sha256) throw damaged(name)
    seen++
  }
  if (sums.digest('hex') !== files.sumsSha256 || seen !== files.count) throw damaged(sumsFile)
}

export interface Line {
  /** From 1. */
  readonly number: number
  readonly text: string
  /** Of the file as it lies there, about. */
  readonly bytesRead: number
}

/** Of a file as it lies there, or of what was compressed. */
export async function* linesOf(path: string, name: string): AsyncGenerator<Line> {
  let [number, bytesRead, length] = [0, 0, 0]
  let pieces: Buffer[] = []
  const raw = createReadStream(path)
  raw.on('data', (piece) => void (bytesRead += piece.length))
  const stream = path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  raw.on('error', (error) => void stream.destroy(error))
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      let from = 0
      for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, from)) {
        pieces.push(piece.subarray(from, end))
        yield { number: ++number, text: Buffer.concat(pieces).toString(), bytesRead }
        pieces = []
        length = 0
        from = end + 1
      }
      if (from === piece.length) continue
      pieces.push(Buffer.from(piece.subarray(from)))
      length += piece.length - from
      if (length > longestLine) throw invalid(`A line of ${name} is longer than ${longestLine} bytes.`)
    }
  } catch (cause) {
    throw unreadable(name, cause)
  } finally {
    stream.destroy()
    raw.destroy()
  }
  if (length > 0) yield { number: ++number, text: Buffer.concat(pieces).toString(), bytesRead }
}

export async function* bytesOf(path: string, name: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path) as AsyncIterable<Buffer>
  } catch (cause) {
    throw unreadable(name, cause)
  }
}

export function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw new DomainError('invalid', `${name} is damaged: it is no JSON.`, { cause })
  }
}

export function damaged(name: string): DomainError {
  return invalid(`${name} is not as it was exported: it was changed, or is damaged. Nothing was imported from it.`)
}

function unreadable(name: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (cause instanceof DomainError || typeof code !== 'string') return cause
  return new DomainError('invalid', `${name} of the export cannot be read (${code}).`, { cause })
}
