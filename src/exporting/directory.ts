// The directory an export is written into: new or empty, unfinished until its manifest is there, every file with its SHA-256.
// Knows nothing of what stands in the files.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, open, readdir, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createGzip } from 'node:zlib'
import type { Gzip } from 'node:zlib'
import { DomainError, invalid } from '../core/errors.ts'
import { manifestFile, sumsFile, unfinishedFile } from './format.ts'

/** Gathered before it is written. */
const pieceBytes = 256 * 1024

export class ExportDirectory {
  readonly path: string
  #sums: OpenFile | undefined
  #count = 0
  #bytes = 0

  private constructor(path: string) {
    this.path = path
  }

  /** Refuses what holds anything. */
  static async create(path: string): Promise<ExportDirectory> {
    const directory = new ExportDirectory(path)
    await refused(path, async () => {
      await mkdir(path, { recursive: true, mode: 0o700 })
      const names = await readdir(path)
      if (names.includes(manifestFile)) throw invalid(`There is an export in ${path} already. Name a new directory.`)
      if (names.includes(unfinishedFile)) {
        throw invalid(
          `An export into ${path} was interrupted, and is worth nothing. Delete it, or name a new directory.`,
        )
      }
      if (names.length > 0) throw invalid(`${path} is not empty. Name a new directory, for this export alone.`)
      await (await open(join(path, unfinishedFile), 'wx', 0o600)).close()
      directory.#sums = await OpenFile.create(join(path, sumsFile))
    })
    return directory
  }

  /** A file of lines, or of anything, to be written piece by piece. */
  async create(name: string): Promise<ExportFile> {
    return refused(this.path, async () => {
      await mkdir(dirname(join(this.path, name)), { recursive: true, mode: 0o700 })
      const file = await OpenFile.create(join(this.path, name))
      return new ExportFile(file, name.endsWith('.gz'), (sha256, bytes) => this.#enter(name, sha256, bytes))
    })
  }

  has(name: string): Promise<boolean> {
    return access(join(this.path, name)).then(
      () => true,
      () => false,
    )
  }

  /** All of it is there: what `sums` says goes into the manifest. */
  async finish(manifest: (files: Files) => object): Promise<void> {
    await refused(this.path, async () => {
      const sumsSha256 = (await this.#sums?.close()) ?? ''
      const file = await OpenFile.create(join(this.path, manifestFile))
      const described = manifest({ count: this.#count, bytes: this.#bytes, sumsSha256 })
      await file.write(Buffer.from(`${JSON.stringify(described, undefined, 2)}\n`))
      await file.close()
      await rm(join(this.path, unfinishedFile))
    })
  }

  /** What is there stays, and is worth nothing. */
  async abandon(): Promise<void> {
    await this.#sums?.abandon()
  }

  async #enter(name: string, sha256: string, bytes: number): Promise<void> {
    this.#count++
    this.#bytes += bytes
    await this.#sums?.write(Buffer.from(`${sha256}  ${name}\n`))
  }
}

export interface Files {
  readonly count: number
  readonly bytes: number
  readonly sumsSha256: string
}

/** Waits where writing is slower than what is written comes. */
export class ExportFile {
  readonly #file: OpenFile
  readonly #gzip: Gzip | undefined
  readonly #written: Promise<void> | undefined
  readonly #onEnd: (sha256: string, bytes: number) => Promise<void>
  #gathered: Buffer[] = []
  #length = 0

  constructor(file: OpenFile, isGzip: boolean, onEnd: (sha256: string, bytes: number) => Promise<void>) {
    this.#file = file
    this.#onEnd = onEnd
    this.#gzip = isGzip ? createGzip() : undefined
    this.#written = this.#gzip && drain(this.#gzip, file)
    // Whoever writes next is told.
    this.#written?.catch(() => {})
  }

  async write(piece: string | Uint8Array): Promise<void> {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece)
    this.#gathered.push(bytes)
    this.#length += bytes.length
    if (this.#length >= pieceBytes) await this.#flush()
  }

  async close(): Promise<void> {
    await this.#flush()
    this.#gzip?.end()
    await this.#written
    await this.#onEnd(await this.#file.close(), this.#file.bytes)
  }

  /** Of what came to nothing. */
  async abandon(): Promise<void> {
    this.#gzip?.destroy()
    await this.#file.abandon()
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#gathered)
    this.#gathered = []
    this.#length = 0
    if (bytes.length === 0) return
    if (this.#gzip === undefined) return refused('', () => this.#file.write(bytes))
    if (!this.#gzip.write(bytes)) await Promise.race([once(this.#gzip, 'drain'), this.#written])
  }
}

async function drain(gzip: Gzip, file: OpenFile): Promise<void> {
  for await (const piece of gzip) await refused('', () => file.write(piece as Buffer))
}

class OpenFile {
  bytes = 0
  readonly #handle: FileHandle
  readonly #hash = createHash('sha256')

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Only its owner may read it. */
  static async create(path: string): Promise<OpenFile> {
    return new OpenFile(await open(path, 'wx', 0o600))
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    this.bytes += bytes.byteLength
    await this.#handle.writeFile(bytes)
  }

  /** On disk; its SHA-256. */
  async close(): Promise<string> {
    await this.#handle.datasync()
    await this.#handle.close()
    return this.#hash.digest('hex')
  }

  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => {})
  }
}

/** A disk that is full, or a directory that may not be written, is the caller's to mend. */
async function refused<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (cause instanceof DomainError || typeof code !== 'string') throw cause
    const where = path === '' ? 'The export' : path
    throw new DomainError('invalid', `${where} cannot be written (${code}).`, { cause })
  }
}
