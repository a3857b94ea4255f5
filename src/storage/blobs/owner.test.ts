// A place of bytes is one store's: in a directory and in a bucket, and on both engines the two ways in which a second store came to it.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { createTenant } from '../../../test/contract/samples.ts'
import { startBucket } from '../../../test/support/bucket.ts'
import type { BucketUnderTest } from '../../../test/support/bucket.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { systemClock } from '../../core/core.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Storage } from '../../core/storage.ts'
import { openPostgres } from '../postgres/index.ts'
import { openSqlite } from '../sqlite/index.ts'
import { openBucket } from './bucket.ts'
import { BlobDirectory } from './directory.ts'
import { claimPlace } from './owner.ts'
import type { BlobPlace } from './place.ts'

const lrsId = 7 as LrsId
let folder: string
let bucket: BucketUnderTest
let opened: { close(): Promise<void> | void }[]
let dropped: (() => Promise<void>)[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-owner-'))
  bucket = await startBucket()
  opened = []
  dropped = []
})
afterEach(async () => {
  for (const one of opened) await one.close()
  for (const drop of dropped) await drop()
  await bucket.stop()
  rmSync(folder, { recursive: true })
})

const places: Readonly<Record<string, () => Promise<BlobPlace>>> = {
  directory: async () => new BlobDirectory({ path: join(folder, 'data', 'blobs'), clock: systemClock, isShared: true }),
  bucket: () =>
    openBucket({ ...bucket.settings, prefix: 'nodes/', arrivals: join(folder, 'data', 'arriving'), isShared: true }),
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
const put = async (storage: Storage, text: string): Promise<string> =>
  (await storage.blobs.put(lrsId, bytes(text), { mostBytes: 1000 })).sha2
const isThere = async (storage: Storage, sha2: string): Promise<boolean> => {
  const blob = await storage.blobs.open(lrsId, sha2)
  blob?.cancel()
  return blob !== undefined
}
const refused = (words: string) => ({ code: 'unavailable', message: expect.stringContaining(words) })

describe.each(Object.entries(places))('a %s', (kind, openPlace) => {
  async function newNode(): Promise<{ start(): Promise<Storage> }> {
    const { url, drop } = await createDatabase(inject('postgresUrl'))
    dropped.push(drop)
    return {
      async start() {
        const storage = await openPostgres({ url, connections: 3, openPlace })
        opened.unshift(storage)
        return storage
      },
    }
  }
  async function startSqlite(directory = join(folder, 'data')): Promise<Storage> {
    const storage = await openSqlite({ directory, threads: 'inline', openPlace })
    opened.unshift(storage)
    return storage
  }

  it('of nodes is refused to a node without CLAVIGER_DATABASE_URL, which leaves nothing there', async () => {
    const production = await (await newNode()).start()
    await createTenant(production)
    const sha2 = await put(production, 'a certificate')
    mkdirSync(join(folder, 'data', 'arriving'), { recursive: true })
    writeFileSync(join(folder, 'data', 'arriving', 'half'), '')
    await expect(startSqlite()).rejects.toMatchObject(refused('Is CLAVIGER_DATABASE_URL missing or wrong'))
    expect(existsSync(join(folder, 'data', 'claviger.db'))).toBe(false)
    expect(existsSync(join(folder, 'data', 'arriving', 'half'))).toBe(true)
    expect(await isThere(production, sha2)).toBe(true)
  })

  it('is refused to a node of another database, empty or full', async () => {
    const production = await (await newNode()).start()
    const trial = await newNode()
    await expect(trial.start()).rejects.toMatchObject(refused('of another store'))
    const sha2 = await put(production, 'a certificate')
    await expect(trial.start()).rejects.toMatchObject(refused('of another store'))
    expect(await isThere(production, sha2)).toBe(true)
  })

  it('is taken by all nodes of one database that start together, whenever they start', async () => {
    const one = await newNode()
    await Promise.all([one.start(), one.start(), one.start()])
    await expect(Promise.all([one.start(), one.start()])).resolves.toHaveLength(2)
    const place = await openPlace()
    opened.push(place)
    expect(await place.findOwner()).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('without a marker is adopted by a store with data, and refused to one that is new', async () => {
    const place = await openPlace()
    opened.push(place)
    const directory = join(folder, 'old')
    const old = await openSqlite({ directory, threads: 'inline', openPlace })
    await createTenant(old)
    const sha2 = await put(old, 'a certificate')
    await old.close()
    // As a version before there were markers left it.
    const file = new Sqlite(join(directory, 'claviger.db'))
    file.exec(`delete from platform_value where name = 'store'`)
    file.close()
    if (kind === 'directory') rmSync(join(folder, 'data', 'blobs', 'store'))
    else await bucket.remove('nodes/store')
    expect(await place.findOwner()).toBeUndefined()
    await expect((await newNode()).start()).rejects.toMatchObject(refused('is new'))
    await expect(startSqlite()).rejects.toMatchObject(refused('is new'))
    expect(await place.findOwner()).toBeUndefined()
    const again = await startSqlite(directory)
    expect(await isThere(again, sha2)).toBe(true)
    await expect((await newNode()).start()).rejects.toMatchObject(refused('of another store'))
  })

  it('that has become another’s is not swept any more', async () => {
    const storage = await startSqlite()
    const sha2 = await put(storage, 'left over')
    const place = await openPlace()
    opened.push(place)
    await place.setOwner('another', await place.findOwner())
    await expect(storage.blobs.sweep(-60_000)).rejects.toMatchObject(refused('of another store'))
    await expect(storage.blobs.removeUnused(lrsId)).rejects.toMatchObject(refused('of another store'))
    expect(await isThere(storage, sha2)).toBe(true)
  })

  it('is one’s of two that take it at the same moment', async () => {
    const claims = await Promise.allSettled(
      ['one', 'other'].map(async (id) => {
        const place = await openPlace()
        opened.push(place)
        return claimPlace(place, { id, name: id, hasData: false })
      }),
    )
    const place = await openPlace()
    opened.push(place)
    const owner = await place.findOwner()
    expect(['one', 'other']).toContain(owner)
    // A bucket under test knows no conditions: there both may have seen themselves.
    if (kind === 'directory') expect(claims.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })
})

it('a store that was killed between its id and the marker takes the place at the next start', async () => {
  const directory = join(folder, 'data')
  const killed = openSqlite({
    directory,
    threads: 'inline',
    openPlace: async () => {
      const place = new BlobDirectory({ path: join(directory, 'blobs'), clock: systemClock })
      place.setOwner = () => Promise.reject(new Error('killed'))
      return place
    },
  })
  await expect(killed).rejects.toThrow()
  expect(readdirSync(directory)).toContain('claviger.db')
  await (await openSqlite({ directory, threads: 'inline' })).close()
  await (await openSqlite({ directory, threads: 'inline' })).close()
  expect(readdirSync(join(directory, 'blobs')).toSorted()).toEqual(['arriving', 'store'])
})
