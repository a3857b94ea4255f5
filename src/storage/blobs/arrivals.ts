// Bytes on their way in: each a file of its own in one folder, until it is known what they are. So however many arrive at once
// and however slowly, none of them is in memory, and what turns out wrong has never been anywhere else.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { onDisk } from './on-disk.ts'
import { arrivingLivesMs } from './place.ts'
import type { Clock } from '../../core/storage.ts'

export interface ArrivalsOptions {
  /** Created when missing. */
  readonly folder: string
  readonly clock: Clock
  /** The files will stay, by another name: then they are synced. */
  readonly willStay: boolean
  /** Other processes receive there, too. */
  readonly isShared: boolean
}

export class Arrivals {
  readonly #options: ArrivalsOptions
  #isPrepared = false

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /** Before the first one arrives. Idempotent. */
  prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    const { folder, isShared } = this.#options
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // Of a process that was killed: nobody else's, unless others are at work there.
    this.#removeLeft(isShared ? arrivingLivesMs : 0)
  }

  /** The file's path. What the bytes throw is thrown as it is, and no file stays. */
  async receive(bytes: AsyncIterable<Uint8Array>): Promise<string> {
    this.prepare()
    const path = join(this.#options.folder, randomUUID())
    const file = await onDisk(open(path, 'wx', 0o600))
    try {
      try {
        await this.#fill(file, bytes)
      } finally {
        await file.close()
      }
      return path
    } catch (error) {
      await this.discard(path)
      throw error
    }
  }

  async discard(path: string): Promise<void> {
    await unlink(path).catch(() => {})
  }

  sweep(): void {
    this.prepare()
    this.#removeLeft(arrivingLivesMs)
  }

  async #fill(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    // The next piece is not asked for before this one is written: that is the backpressure.
    for await (const piece of bytes) await onDisk(writeAll(file, piece))
    if (!this.#options.willStay) return
    const now = this.#options.clock.now() / 1000
    await onDisk(file.utimes(now, now))
    await onDisk(file.sync())
  }

  #removeLeft(minAgeMs: number): void {
    // By the clock that gave them their time: the file system's.
    const before = Date.now() - minAgeMs
    for (const name of readdirSync(this.#options.folder)) {
      const path = join(this.#options.folder, name)
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats !== undefined && (minAgeMs === 0 || stats.ctimeMs <= before)) rmSync(path, { force: true })
    }
  }
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  let written = 0
  while (written < piece.byteLength) written += (await file.write(piece, written)).bytesWritten
}
