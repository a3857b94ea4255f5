// Whose the files are while a store is copied: neither of two stores ever looks after the other's.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { answersOf, fillStore } from '../../../test/support/full-store.ts'
import type { FullStore } from '../../../test/support/full-store.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { createPlace } from '../../../test/support/store.ts'
import type { Place } from '../../../test/support/store.ts'
import { systemClock } from '../../core/core.ts'
import type { Storage } from '../../core/storage.ts'
import { BlobDirectory } from '../blobs/directory.ts'
import { openPostgres } from '../postgres/index.ts'
import { openSqlite } from '../sqlite/index.ts'
import { backUpDirectory, openBackup } from './backup.ts'
import { blobFiles } from './blob-files.ts'
import { copyStore } from './copy.ts'
import type { CopyReport } from './copy.ts'
import { makeDatabase, openDatabase } from './postgres-side.ts'
import type { Side } from './side.ts'
import { makeDirectory, openDirectory } from './sqlite-side.ts'

const checkKey = (): void => {}
let root: string
let source: Place
let full: FullStore
let url: string
let drop: () => Promise<void>
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'claviger-place-'))
  source = await createPlace('sqlite')
  full = await fillStore(source, 5)
  ;({ url, drop } = await createDatabase(inject('postgresUrl')))
}, 60_000)
afterEach(async () => {
  await source.remove()
  await drop()
  rmSync(root, { recursive: true })
})

const sourceBlobs = (): string => join(source.directory, 'blobs')
const filesIn = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 60)
const serve = (path: string): Promise<Storage> =>
  openPostgres({ url, connections: 3, openPlace: async () => new BlobDirectory({ path, clock: systemClock }) })
const serveSource = (): Promise<Storage> => openSqlite({ directory: source.directory, threads: 'inline' })

async function copy(from: Side, to: Side, more: object = {}): Promise<CopyReport> {
  try {
    return await copyStore(from, to, { checkKey, ...more })
  } finally {
    await from.close()
    await to.close()
  }
}
const refusedCopy = { code: 'conflict', message: expect.stringContaining('--to-blobs') }
const refusedStart = { code: 'unavailable', message: expect.stringContaining('of another store') }

describe('a backup restored on trial with the settings of production', () => {
  it('is refused with nothing written, on either engine', async () => {
    const backup = join(root, 'backup')
    await backUpDirectory({ directory: source.directory }, backup, { version: '1', checkKey })
    const before = filesIn(sourceBlobs())
    const trials: readonly (() => Side | Promise<Side>)[] = [
      () => makeDatabase({ url, blobs: blobFiles(sourceBlobs()) }),
      () => makeDirectory(join(root, 'trial'), blobFiles(sourceBlobs())),
    ]
    for (const make of trials) {
      const { source: from } = await openBackup(backup)
      await expect(copy(from, await make())).rejects.toMatchObject(refusedCopy)
      const trial = await make()
      expect(await trial.read((rows) => rows.listFilled())).toEqual([])
      expect(await trial.read((rows) => rows.findValue('copy'))).toBeUndefined()
      await trial.close()
    }
    await expect(serve(sourceBlobs())).rejects.toMatchObject(refusedStart)
    await (await serveSource()).close()
    expect(filesIn(sourceBlobs())).toEqual(before)
  })
})

describe('a copy', () => {
  it('with files of its own leaves the source’s to it', async () => {
    const path = join(root, 'blobs')
    const report = await copy(openDirectory(source.directory), await makeDatabase({ url, blobs: blobFiles(path) }))
    expect(report.tookOver).toBe(false)
    await (await serveSource()).close()
    await (await serve(path)).close()
    await expect(serve(sourceBlobs())).rejects.toMatchObject(refusedStart)
  })

  it('from the store that owns the place takes the files over when it is finished, not before', async () => {
    const files = filesIn(sourceBlobs())
    const target = () => makeDatabase({ url, blobs: blobFiles(sourceBlobs()) })
    const ahead = await copy(openDirectory(source.directory), await target(), { isAhead: true })
    expect(ahead.tookOver).toBe(false)
    const before = await answersOf(await serveSource(), full)
    const report = await copy(openDirectory(source.directory), await target())
    expect(report).toMatchObject({ isFinished: true, tookOver: true })
    await expect(serveSource()).rejects.toMatchObject(refusedStart)
    expect(filesIn(sourceBlobs())).toEqual(files)
    expect(await answersOf(await serve(sourceBlobs()), full)).toEqual(before)
    // And back again.
    const back = join(root, 'back')
    const there = await copy(
      await openDatabase({ url, blobs: blobFiles(sourceBlobs()) }),
      makeDirectory(back, blobFiles(sourceBlobs())),
    )
    expect(there.tookOver).toBe(true)
    await expect(serve(sourceBlobs())).rejects.toMatchObject(refusedStart)
  }, 60_000)

  it('that was cut off after it took the files goes on to the end', async () => {
    const blobs = blobFiles(sourceBlobs())
    const real = await makeDatabase({ url, blobs })
    let isTaken = false
    const cut: Side = {
      name: real.name,
      identity: real.identity,
      blobs: {
        ...blobs,
        async setOwner(...args) {
          await blobs.setOwner(...args)
          isTaken = true
        },
      },
      read: (work) => real.read(work),
      change: (work) => (isTaken ? Promise.reject(new Error('killed')) : real.change(work)),
      close: () => real.close(),
    }
    await expect(copy(openDirectory(source.directory), cut)).rejects.toThrow('killed')
    expect(isTaken).toBe(true)
    await expect(serveSource()).rejects.toMatchObject(refusedStart)
    await expect(serve(sourceBlobs())).rejects.toMatchObject({ message: expect.stringContaining('unfinished copy') })
    const report = await copy(openDirectory(source.directory), await makeDatabase({ url, blobs }))
    expect(report).toMatchObject({ isFinished: true, isResumed: true })
    await (await serve(sourceBlobs())).close()
  }, 60_000)
})
