// The blob store as files: `<lrs>/<first two hex digits>/<sha2>` below one directory that this process alone writes to.
// Which rows refer to a blob is asked of the store that has them; knows nothing of HTTP, of statements or of documents.

import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, rename, stat, unlink, utimes } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DomainError, invalid, lostBytes } from '../../core/errors.ts'
import type { LrsId } from '../../core/ids.ts'
import type { BlobHold, BlobStore, Clock } from '../../core/storage.ts'
import { toDomainError } from '../sqlite/driver-error.ts'

export interface BlobDirectoryOptions {
  /** Created when missing. */
  readonly path: string
  readonly clock: Clock
  /** Those of the blobs that a row of the Lrs refers to. */
  findReferenced(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]>
}

type PutOptions = Parameters<BlobStore['put']>[2]
type Stored = Awaited<ReturnType<BlobStore['put']>>
type Opened = NonNullable<Awaited<ReturnType<BlobStore['open']>>>
type Swept = Awaited<ReturnType<BlobStore['sweep']>>
type Removed = Awaited<ReturnType<BlobStore['removeUnused']>>

/** Which function makes a hash of so many hex digits. */
const algorithms: Readonly<Record<number, string>> = { 56: 'sha224', 64: 'sha256', 96: 'sha384', 128: 'sha512' }

const chunkBytes = 64 * 1024
/** Blobs whose rows are looked up in one query. */
const mostLookedUp = 500
const blobName = /^[0-9a-f]{56,128}$/

interface Blob {
  readonly lrsId: LrsId
  readonly sha2: string
  readonly path: string
}

export class BlobDirectory implements BlobStore {
  readonly #options: BlobDirectoryOptions
  /** Bytes on their way in. On the same file system as what they become, so that a rename is all it takes. */
  readonly #arriving: string
  /** Directories whose own entries are known to be on disk. */
  readonly #directories = new Map<string, Promise<void>>()
  /** The last thing done to a blob's file, by path: what follows waits for it. */
  readonly #turns = new Map<string, Promise<unknown>>()
  /** What requests under way have put, by path, and whether it was there already. No clock says that as surely. */
  readonly #holds = new Map<BlobHold, Map<string, { wasThere: boolean }>>()
  /** Would have been removed, had nobody held them: looked at again when they are let go. By path. */
  readonly #unwanted = new Map<string, Blob>()
  #isClosed = false

  constructor(options: BlobDirectoryOptions) {
    this.#options = options
    this.#arriving = join(options.path, 'arriving')
    mkdirSync(this.#arriving, { recursive: true, mode: 0o700 })
    // Of a process that was killed.
    for (const name of readdirSync(this.#arriving)) rmSync(join(this.#arriving, name), { force: true })
  }

  hold(): BlobHold {
    const hold: BlobHold = { release: () => this.#release(hold) }
    this.#holds.set(hold, new Map())
    return hold
  }

  async put(lrsId: LrsId, bytes: AsyncIterable<Uint8Array>, { sha2, mostBytes, hold }: PutOptions): Promise<Stored> {
    const algorithm = sha2 === undefined ? 'sha256' : algorithmOf(sha2)
    if (algorithm === undefined) throw invalid('A blob is named by the hex digits of its SHA-2 hash')
    const arriving = join(this.#arriving, randomUUID())
    try {
      const { digest, length } = await this.#receive(arriving, bytes, { algorithm, mostBytes })
      if (sha2 !== undefined && digest !== sha2) throw invalid(`The content has the hash ${digest}, not ${sha2}`)
      const path = this.#pathOf(lrsId, digest)
      await onDisk(this.#makeDirectory(dirname(path)))
      const held = { wasThere: false }
      // Before its turn: who removes the file first looks whether it is held, and this settles after that.
      if (hold !== undefined) this.#holds.get(hold)?.set(path, held)
      held.wasThere = await onDisk(this.#inTurn(path, () => this.#settle(arriving, path)))
      return { sha2: digest, length }
    } catch (error) {
      await unlink(arriving).catch(() => {})
      throw error
    }
  }

  async open(lrsId: LrsId, sha2: string): Promise<Opened | undefined> {
    if (algorithmOf(sha2) === undefined) return undefined
    const path = this.#pathOf(lrsId, sha2)
    const opened = await openFile(path)
    if (opened !== undefined || !(await this.#isReferenced(lrsId, sha2))) return opened
    // Between the two looks it may have come.
    const come = await openFile(path)
    if (come !== undefined) return come
    throw lostBytes('The content is missing on the server: no retry helps, and the request id finds it in the log', {
      lrsId,
      sha2s: [sha2],
    })
  }

  async listLost(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]> {
    const absent = await this.#listAbsent(lrsId, sha2s)
    if (absent.length === 0) return []
    // Rows go before files, and files come before rows: absent before and after a row was seen is lost.
    return this.#listAbsent(lrsId, await this.#options.findReferenced(lrsId, absent))
  }

  async sweep(minAgeMs: number): Promise<Swept> {
    const before = this.#options.clock.now() - minAgeMs
    let removed = 0
    let bytes = 0
    try {
      for await (const { lrsId, sha2s } of this.#listBlobs()) {
        const swept = await this.#sweepSome(lrsId, sha2s, before)
        removed += swept.removed
        bytes += swept.bytes
      }
    } catch (error) {
      // The next process sweeps the rest.
      if (!this.#isClosed) throw error
    }
    return { removed, bytes }
  }

  async removeUnused(lrsId: LrsId, after = ''): Promise<Removed> {
    const ofLrs = join(this.#options.path, String(lrsId))
    const prefixes = await this.#listNames(ofLrs, /^[0-9a-f]{2}$/)
    const next = prefixes.toSorted().find((prefix) => prefix > after)
    if (next === undefined) return { removed: 0, left: 0, next }
    const folder = join(ofLrs, next)
    let removed = 0
    let left = 0
    for (const sha2s of batches(await this.#listNames(folder, blobName))) {
      const referenced = new Set(await this.#options.findReferenced(lrsId, sha2s))
      for (const sha2 of sha2s.filter((one) => !referenced.has(one))) {
        const blob = { lrsId, sha2, path: this.#pathOf(lrsId, sha2) }
        if ((await onDisk(this.#inTurn(blob.path, () => this.#unlinkUnused(blob, Infinity)))) !== undefined) removed++
        else if (this.#wasHeldBefore(blob)) left++
      }
    }
    // Gone for good: a sweep may find it again after a crash, whoever was promised its removal may not.
    if (removed > 0) await onDisk(syncDirectory(folder))
    return { removed, left, next }
  }

  /** Refuses what is new and what still arrives; what has arrived finds its place. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#turns.values())
  }

  #release(hold: BlobHold): void {
    const paths = this.#holds.get(hold)?.keys() ?? []
    this.#holds.delete(hold)
    for (const path of paths) {
      const blob = this.#unwanted.get(path)
      if (blob === undefined || this.#isHeld(path)) continue
      this.#unwanted.delete(path)
      // Whatever keeps it from being removed now, a sweep comes by.
      this.#inTurn(path, () => this.#unlinkUnused(blob, Infinity)).catch(() => {})
    }
  }

  #isHeld(path: string): boolean {
    for (const held of this.#holds.values()) if (held.has(path)) return true
    return false
  }

  /** Held, and there before whoever holds it came; then it goes when they are done, unless a row refers to it by then. */
  #wasHeldBefore(blob: Blob): boolean {
    if (!this.#isHeld(blob.path)) return false
    this.#unwanted.set(blob.path, blob)
    return [...this.#holds.values()].some((held) => held.get(blob.path)?.wasThere)
  }

  async #isReferenced(lrsId: LrsId, sha2: string): Promise<boolean> {
    return (await this.#options.findReferenced(lrsId, [sha2])).length > 0
  }

  async #listAbsent(lrsId: LrsId, sha2s: readonly string[]): Promise<readonly string[]> {
    const absent: string[] = []
    for (const sha2 of sha2s) {
      if ((await this.#findOld(this.#pathOf(lrsId, sha2), Infinity)) === undefined) absent.push(sha2)
    }
    return absent
  }

  async #receive(
    path: string,
    bytes: AsyncIterable<Uint8Array>,
    { algorithm, mostBytes }: { readonly algorithm: string; readonly mostBytes: number },
  ): Promise<{ readonly digest: string; readonly length: number }> {
    this.#refuseIfClosed()
    const hash = createHash(algorithm)
    let length = 0
    const file = await onDisk(open(path, 'wx', 0o600))
    try {
      for await (const chunk of bytes) {
        this.#refuseIfClosed()
        length += chunk.byteLength
        if (length > mostBytes) throw new DomainError('too_large', `More than ${mostBytes} bytes`)
        hash.update(chunk)
        // The next chunk is not asked for before this one is written: that is the backpressure.
        await onDisk(writeAll(file, chunk))
      }
      const now = this.#options.clock.now() / 1000
      await onDisk(file.utimes(now, now))
      await onDisk(file.sync())
    } finally {
      await file.close()
    }
    this.#refuseIfClosed()
    return { digest: hash.digest('hex'), length }
  }

  /** Gives what has arrived its place; true when it was there already. Then it becomes young, and no sweep takes it for a day. */
  async #settle(arriving: string, path: string): Promise<boolean> {
    const now = this.#options.clock.now() / 1000
    const wasThere = await utimes(path, now, now).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'ENOENT') return false
        throw error
      },
    )
    await (wasThere ? unlink(arriving) : rename(arriving, path))
    // Also of what was there: who put it may have died, or failed, before this.
    await syncDirectory(dirname(path))
    return wasThere
  }

  /** All there are, so many at a time as one query takes. */
  async *#listBlobs(): AsyncGenerator<{ readonly lrsId: LrsId; readonly sha2s: readonly string[] }> {
    for (const lrs of await this.#listNames(this.#options.path, /^\d+$/)) {
      const folder = join(this.#options.path, lrs)
      for (const prefix of await this.#listNames(folder, /^[0-9a-f]{2}$/)) {
        for (const sha2s of batches(await this.#listNames(join(folder, prefix), blobName))) {
          if (this.#isClosed) return
          yield { lrsId: Number(lrs) as LrsId, sha2s }
        }
      }
    }
  }

  async #sweepSome(lrsId: LrsId, sha2s: readonly string[], before: number): Promise<Swept> {
    const old: string[] = []
    for (const sha2 of sha2s) {
      if ((await this.#findOld(this.#pathOf(lrsId, sha2), before)) !== undefined) old.push(sha2)
    }
    if (old.length === 0) return { removed: 0, bytes: 0 }
    const referenced = new Set(await this.#options.findReferenced(lrsId, old))
    let removed = 0
    let bytes = 0
    for (const sha2 of old) {
      if (referenced.has(sha2)) continue
      const blob = { lrsId, sha2, path: this.#pathOf(lrsId, sha2) }
      const size = await onDisk(this.#inTurn(blob.path, () => this.#unlinkUnused(blob, before)))
      if (size === undefined) continue
      removed += 1
      bytes += size
    }
    return { removed, bytes }
  }

  /**
   * In the blob's turn, so that nobody puts it meanwhile. Who has put it holds it until their row is there: neither held nor
   * referred to, in this order, it is nobody's, also where it was referred to since somebody last looked.
   */
  async #unlinkUnused({ lrsId, sha2, path }: Blob, before: number): Promise<number | undefined> {
    const size = await this.#findOld(path, before)
    if (size === undefined || this.#isHeld(path) || (await this.#isReferenced(lrsId, sha2))) return undefined
    await unlink(path)
    return size
  }

  /** Its size, if it is there and from before then. */
  async #findOld(path: string, before: number): Promise<number | undefined> {
    try {
      const { size, mtimeMs } = await stat(path)
      return mtimeMs <= before ? size : undefined
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw toDomainError(error)
    }
  }

  async #listNames(folder: string, pattern: RegExp): Promise<readonly string[]> {
    try {
      return (await readdir(folder)).filter((name) => pattern.test(name))
    } catch (error) {
      // An Lrs that never had a blob.
      if (codeOf(error) === 'ENOENT') return []
      throw toDomainError(error)
    }
  }

  #pathOf(lrsId: LrsId, sha2: string): string {
    return join(this.#options.path, blobPath(lrsId, sha2))
  }

  /** Makes it and syncs every entry on the way, once. */
  #makeDirectory(folder: string): Promise<void> {
    const known = this.#directories.get(folder)
    if (known !== undefined) return known
    const made = (async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncDirectory(dirname(folder))
      await syncDirectory(this.#options.path)
      await syncDirectory(dirname(this.#options.path))
    })()
    this.#directories.set(folder, made)
    made.catch(() => this.#directories.delete(folder))
    return made
  }

  #inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(path) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#turns.set(path, mine)
    const forget = (): void => {
      if (this.#turns.get(path) === mine) this.#turns.delete(path)
    }
    mine.then(forget, forget)
    return mine
  }

  #refuseIfClosed(): void {
    if (this.#isClosed) throw new DomainError('unavailable', 'The store is closing.')
  }
}

function* batches(sha2s: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < sha2s.length; from += mostLookedUp) yield sha2s.slice(from, from + mostLookedUp)
}

/** Below the directory of all. */
export function blobPath(lrsId: LrsId, sha2: string): string {
  return join(String(lrsId), sha2.slice(0, 2), sha2)
}

/** Undefined for anything but the lower-case hex digits of a hash: nothing else ever becomes part of a path. */
function algorithmOf(sha2: string): string | undefined {
  return /^[0-9a-f]+$/.test(sha2) ? algorithms[sha2.length] : undefined
}

async function openFile(path: string): Promise<Opened | undefined> {
  try {
    const file = await open(path, 'r')
    const { size } = await file.stat()
    // Nobody touches a blob’s file but to unlink it, and then it can be read to its end.
    return { length: size, bytes: read(file), cancel: () => void file.close().catch(() => {}) }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw toDomainError(error)
  }
}

async function* read(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    while (true) {
      // A buffer of its own for each chunk: whoever sends it may hold on to it.
      const { bytesRead, buffer } = await onDisk(file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes))
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close().catch(() => {})
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0
  while (written < chunk.byteLength) written += (await file.write(chunk, written)).bytesWritten
}

async function syncDirectory(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toDomainError(error)
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
