// Bytes as files: `<lrs>/<first two hex digits>/<sha2>` below one directory, on a disk of this process' own or on a file system
// that several nodes share.

import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Arrivals } from './arrivals.ts'
import { ifThere, onDisk, syncDirectory } from './on-disk.ts'
import { toDomainError } from '../sqlite/driver-error.ts'
import { inParts, isAnywhere, isBlobName, mostTogether, ownerMarker } from './place.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Clock } from '../../core/storage.ts'
import type { Arrived, Blob, BlobPlace, Found, Names, Opened } from './place.ts'

export interface BlobDirectoryOptions {
  /** Created when missing. */
  readonly path: string
  readonly clock: Clock
  /** Other processes write there, too: what they are receiving is theirs. */
  readonly isShared?: boolean
}

const chunkBytes = 64 * 1024

export class BlobDirectory implements BlobPlace {
  readonly #path: string
  readonly #clock: Clock
  /** On the same file system as what becomes of them, so that a rename is all it takes. */
  readonly #arrivals: Arrivals
  /** Directories whose own entries are known to be on disk. */
  readonly #directories = new Map<string, Promise<void>>()

  constructor({ path, clock, isShared = false }: BlobDirectoryOptions) {
    this.#path = path
    this.#clock = clock
    this.#arrivals = new Arrivals({ folder: join(path, 'arriving'), clock, willStay: true, isShared })
  }

  get name(): string {
    return `The directory ${this.#path}`
  }

  prepare(): void {
    this.#arrivals.prepare()
  }

  async receive(bytes: AsyncIterable<Uint8Array>): Promise<Arrived> {
    const arriving = await this.#arrivals.receive(bytes)
    return {
      settle: (blob) => onDisk(this.#settle(arriving, this.#pathOf(blob))),
      discard: () => this.#arrivals.discard(arriving),
    }
  }

  async open(blob: Blob): Promise<Opened | undefined> {
    const file = await ifThere(open(this.#pathOf(blob), 'r'))
    if (file === undefined) return undefined
    const { size } = await onDisk(file.stat())
    // Nobody touches a blob’s file but to unlink it, and then it can be read to its end.
    return { length: size, bytes: read(file), cancel: () => void file.close().catch(() => {}) }
  }

  async find(blob: Blob): Promise<Found | undefined> {
    return findFile(this.#path, blob)
  }

  /** A folder at a time. */
  async list(
    lrsId: LrsId,
    after = '',
  ): Promise<{ readonly sha2s: readonly string[]; readonly next: string | undefined }> {
    const ofLrs = join(this.#path, String(lrsId))
    const prefixes = await listNames(ofLrs, isPrefix)
    const next = prefixes.toSorted().find((prefix) => prefix > after)
    return { sha2s: next === undefined ? [] : await listNames(join(ofLrs, next), isBlobName), next }
  }

  async *listOld(before: number): AsyncGenerator<Names> {
    for (const lrs of await listNames(this.#path, (name) => /^\d+$/.test(name))) {
      const lrsId = Number(lrs) as LrsId
      for (const prefix of await listNames(join(this.#path, lrs), isPrefix)) {
        for (const part of inParts(await listNames(join(this.#path, lrs, prefix), isBlobName), mostTogether)) {
          const old: string[] = []
          for (const sha2 of part) {
            const found = await this.find({ lrsId, sha2 })
            if (found !== undefined && found.putAt <= before) old.push(sha2)
          }
          if (old.length > 0) yield { lrsId, sha2s: old }
        }
      }
    }
  }

  async remove(lrsId: LrsId, sha2s: readonly string[]): Promise<void> {
    const paths = sha2s.map((sha2) => this.#pathOf({ lrsId, sha2 }))
    for (const path of paths) await ifThere(unlink(path))
    // A sweep may find them again after a crash; whoever was promised their removal may not.
    for (const folder of new Set(paths.map(dirname))) await ifThere(syncDirectory(folder))
  }

  async sweepArriving(): Promise<void> {
    this.#arrivals.sweep()
  }

  async isEmpty(): Promise<boolean> {
    return !(await isAnywhere(this.listOld(Infinity)))
  }

  async findOwner(): Promise<string | undefined> {
    return (await ifThere(readFile(join(this.#path, ownerMarker), 'utf8')))?.trim()
  }

  async setOwner(id: string, before: string | undefined): Promise<void> {
    await onDisk(mkdir(this.#path, { recursive: true, mode: 0o700 }))
    const marker = join(this.#path, ownerMarker)
    // Whole before it has its name.
    const made = `${marker}.${randomUUID()}`
    try {
      await onDisk(writeSynced(made, `${id}\n`))
      await (before === undefined ? nameFirst(made, marker) : onDisk(rename(made, marker)))
    } finally {
      await unlink(made).catch(() => {})
    }
    await onDisk(syncDirectory(this.#path))
    await onDisk(syncDirectory(dirname(this.#path)))
  }

  close(): void {}

  /** True when it was there already. Then it becomes young, and no sweep takes it for a day. */
  async #settle(arriving: string, path: string): Promise<boolean> {
    await this.#makeDirectory(dirname(path))
    const now = this.#clock.now() / 1000
    const wasThere = (await ifThere(utimes(path, now, now).then(() => true))) ?? false
    await (wasThere ? unlink(arriving) : rename(arriving, path))
    // Also of what was there: who put it may have died, or failed, before this.
    await syncDirectory(dirname(path))
    return wasThere
  }

  /** Makes it and syncs every entry on the way, once. */
  #makeDirectory(folder: string): Promise<void> {
    const known = this.#directories.get(folder)
    if (known !== undefined) return known
    const made = (async () => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncDirectory(dirname(folder))
      await syncDirectory(this.#path)
      await syncDirectory(dirname(this.#path))
    })()
    this.#directories.set(folder, made)
    made.catch(() => this.#directories.delete(folder))
    return made
  }

  #pathOf({ lrsId, sha2 }: Blob): string {
    return join(this.#path, blobPath(lrsId, sha2))
  }
}

/** A link, unlike a rename, leaves what is there. */
async function nameFirst(made: string, marker: string): Promise<void> {
  try {
    await link(made, marker)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST') return
    // Some file systems have no links; then whoever reads it afterwards sees who was last.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw toDomainError(error)
    if ((await ifThere(stat(marker))) === undefined) await onDisk(rename(made, marker))
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Writes nothing there. */
export async function findFile(directory: string, { lrsId, sha2 }: Blob): Promise<Found | undefined> {
  const stats = await ifThere(stat(join(directory, blobPath(lrsId, sha2))))
  return stats?.isFile() ? { length: stats.size, putAt: stats.mtimeMs } : undefined
}

/** Below the directory of all. */
export function blobPath(lrsId: LrsId, sha2: string): string {
  return join(String(lrsId), sha2.slice(0, 2), sha2)
}

function isPrefix(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name)
}

/** None of a folder that is not there: an Lrs that never had a blob. */
async function listNames(folder: string, isOne: (name: string) => boolean): Promise<readonly string[]> {
  return ((await ifThere(readdir(folder))) ?? []).filter(isOne)
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
