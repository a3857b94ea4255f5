import { takeLastStepBack } from '../../../test/support/schema-before.ts'
import { createHash, randomUUID } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { batch, saying, statement, term } from '../../../test/contract/samples.ts'
import { answersOf, fillStore } from '../../../test/support/full-store.ts'
import type { FullStore } from '../../../test/support/full-store.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import { createPlace } from '../../../test/support/store.ts'
import type { Place } from '../../../test/support/store.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Storage } from '../../core/storage.ts'
import { openPostgres } from '../postgres/index.ts'
import { BlobDirectory } from '../blobs/directory.ts'
import { systemClock } from '../../core/core.ts'
import { openSqlite } from '../sqlite/index.ts'
import { migrations } from '../migrations/index.ts'
import { backUpDatabase, backUpDirectory, openBackup, readBackup } from './backup.ts'
import type { Manifest } from './backup.ts'
import { blobFiles } from './blob-files.ts'
import { copyStore, digestsOf } from './copy.ts'
import type { CopyReport } from './copy.ts'
import { makeDatabase, openDatabase } from './postgres-side.ts'
import type { BlobFiles, Side } from './side.ts'
import { makeDirectory, openDirectory } from './sqlite-side.ts'

const root = mkdtempSync(join(tmpdir(), 'claviger-backup-'))
let source: Place
let full: FullStore
beforeAll(async () => {
  source = await createPlace('sqlite')
  full = await fillStore(source, 40)
})
afterAll(async () => {
  await source.remove()
  rmSync(root, { recursive: true })
})

let made = 0
const newPath = (): string => join(root, String(++made))
const options = { version: '1.2.3', checkKey: () => {} }

async function using<T>(side: Side | Promise<Side>, work: (side: Side) => Promise<T>): Promise<T> {
  const opened = await side
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
async function restoreBackup(from: string, target: Side, given: typeof options): Promise<CopyReport> {
  const { source: backup } = await openBackup(from)
  return using(backup, (one) => copyStore(one, target, given))
}
const digests = (side: Side) => using(side, (one) => one.read(digestsOf))

interface Running {
  readonly storage: Storage
  backUp(to: string, blobs?: (real: BlobFiles) => BlobFiles): Promise<Manifest>
  end(): Promise<void>
}

/** A copy of the full store that is served from. */
const engines = {
  async SQLite(): Promise<Running> {
    const directory = newPath()
    await using(openDirectory(source.directory), (from) =>
      using(makeDirectory(directory), (to) => copyStore(from, to, options)),
    )
    const storage = await openSqlite({ directory, threads: 'workers' })
    return {
      storage,
      backUp: (to, wrap = (real) => real) =>
        backUpDirectory({ directory, blobs: wrap(blobFiles(join(directory, 'blobs'))) }, to, options),
      end: () => storage.close(),
    }
  },
  async PostgreSQL(): Promise<Running> {
    const database = await createDatabase(inject('postgresUrl'))
    const path = join(newPath(), 'blobs')
    const place = { url: database.url, blobs: blobFiles(path) }
    await using(openDirectory(source.directory), (from) =>
      using(makeDatabase(place), (to) => copyStore(from, to, options)),
    )
    const storage = await openPostgres({
      url: database.url,
      openPlace: async () => new BlobDirectory({ path, clock: systemClock }),
    })
    return {
      storage,
      backUp: (to, wrap = (real) => real) =>
        using(openDatabase({ ...place, blobs: { ...place.blobs, ...wrap(place.blobs) } }), (from) =>
          backUpDatabase(from, to, options),
        ),
      async end() {
        await storage.close()
        await database.drop()
      },
    }
  },
}

/** Stores statements with an attachment each until told to stop; resolves to the ids of those acknowledged so far, then to all. */
function keepStoring(storage: Storage, lrsId: LrsId) {
  const acknowledged: string[] = []
  let isOver = false
  const one = async (): Promise<void> => {
    while (!isOver) {
      const id = randomUUID()
      const text = `attached to ${id}`
      const sha2 = createHash('sha256').update(text).digest('hex')
      const hold = storage.blobs.hold()
      await storage.blobs.put(lrsId, once(text), { sha2, mostBytes: 1000, hold })
      const prepared = statement({
        id,
        openBody: saying(id, text),
        terms: [term(`urn:verb:${acknowledged.length % 7}`)],
        attachments: [{ sha2, contentType: 'text/plain' }],
      })
      const [outcome] = await storage.statements.store([batch(lrsId, [prepared])])
      hold.release()
      if (outcome?.kind !== 'stored') throw new Error('not stored')
      acknowledged.push(id)
    }
  }
  const workers = Promise.all(Array.from({ length: 4 }, one))
  return {
    acknowledged,
    async until(count: number) {
      while (acknowledged.length < count) {
        await Promise.race([workers, new Promise((resolve) => setTimeout(resolve, 5))])
      }
    },
    async stop() {
      isOver = true
      await workers
    },
  }
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** What must not be in a database file, whatever was going on when it was copied. */
function faultsOf(directory: string): unknown {
  const file = new Sqlite(join(directory, 'claviger.db'), { readonly: true })
  try {
    const count = (sql: string) => file.prepare<[], number>(sql).pluck().get()
    const blobs = file.prepare<[], { lrs_id: number; sha2: string }>('select lrs_id, sha2 from attachment').all()
    return {
      integrity: file.pragma('integrity_check', { simple: true }),
      foreignKeys: file.pragma('foreign_key_check'),
      postingsWithoutStatement: count(
        'select count(*) from posting p where not exists (select 1 from statement s where s.lrs_id = p.lrs_id and s.seq = p.seq)',
      ),
      attachmentsWithoutStatement: count(
        'select count(*) from attachment a where not exists (select 1 from statement s where s.lrs_id = a.lrs_id and s.seq = a.seq)',
      ),
      attachmentsWithoutBytes: blobs.filter(
        ({ lrs_id, sha2 }) => !existsSync(join(directory, 'blobs', String(lrs_id), sha2.slice(0, 2), sha2)),
      ),
    }
  } finally {
    file.close()
  }
}
const noFaults = {
  integrity: 'ok',
  foreignKeys: [],
  postingsWithoutStatement: 0,
  attachmentsWithoutStatement: 0,
  attachmentsWithoutBytes: [],
}

const idsIn = (directory: string): Set<string> => {
  const file = new Sqlite(join(directory, 'claviger.db'), { readonly: true })
  const bodies = file.prepare<[], string>('select body from statement').pluck().all()
  file.close()
  return new Set(bodies.map((body) => (JSON.parse(body) as { id: string }).id))
}

describe.each(Object.entries(engines))('a backup on %s', (_, start) => {
  it('made while statements are stored has all that was acknowledged before, and nothing halves', async () => {
    const running = await start()
    const storing = keepStoring(running.storage, full.lrsId)
    await storing.until(100)
    const before = [...storing.acknowledged]
    const to = newPath()
    const manifest = await running.backUp(to)
    await storing.stop()
    await running.end()
    const there = idsIn(to)
    expect(before.filter((id) => !there.has(id))).toEqual([])
    expect(faultsOf(to)).toEqual(noFaults)
    expect(await readBackup(to)).toEqual(manifest)
    expect(manifest).toMatchObject({ format: 1, version: '1.2.3', hasMasterKey: false, blobs: { lost: [] } })
    expect(manifest.tables.find(({ table }) => table === 'statement')?.rows).toBe(there.size)

    const restored = newPath()
    const report = await using(makeDirectory(restored), (target) => restoreBackup(to, target, options))
    expect(report).toMatchObject({ isFinished: true, blobs: { blobs: manifest.blobs.count, lost: [] } })
    expect(report.tables).toEqual(manifest.tables)
    expect(faultsOf(restored)).toEqual(noFaults)
    await expect(
      openSqlite({ directory: restored, threads: 'inline' }).then((storage) => answersOf(storage, full)),
    ).resolves.toBeDefined()
  }, 120_000)

  it('has neither rows nor bytes of what was erased while it was made', async () => {
    const running = await start()
    const { storage } = running
    const text = 'x'.repeat(1000)
    const sha2 = createHash('sha256').update(text).digest('hex')
    await storage.blobs.put(full.lrsId, once(text), { sha2, mostBytes: 1000 })
    const prepared = statement({ attachments: [{ sha2, contentType: 'text/plain' }] })
    await storage.statements.store([batch(full.lrsId, [prepared])])
    // Its bytes are there when the rows are copied, and gone when it is their turn, with its rows.
    let isErased = false
    const wrap = (real: BlobFiles): BlobFiles => ({
      receive: (bytes) => real.receive(bytes),
      async open(blob) {
        if (!isErased) {
          isErased = true
          const [organisation] = (await storage.platform.listOrganisations({ offset: 0, limit: 1 })).items
          const target = { kind: 'empty', through: Number.MAX_SAFE_INTEGER } as const
          const erasure = { id: 'f'.repeat(24) as never, plan: {}, sealed: null, startedAt: 1 }
          await storage.erasures.create(organisation!.id, erasure, event)
          let next: Awaited<ReturnType<typeof storage.erasures.step>>['next']
          do ({ next } = await storage.erasures.step(organisation!.id, erasure.id, full.lrsId, target, next))
          while (next !== undefined)
          let after: string | undefined
          do ({ next: after } = await storage.blobs.removeUnused(full.lrsId, after))
          while (after !== undefined)
        }
        return real.open(blob)
      },
    })
    const to = newPath()
    const manifest = await running.backUp(to, wrap)
    await running.end()
    expect(manifest.blobs).toMatchObject({ lost: [] })
    expect(idsIn(to).has(prepared.id)).toBe(false)
    const names = existsSync(join(to, 'blobs')) ? readdirSync(join(to, 'blobs'), { recursive: true }) : []
    expect(names.filter((name) => String(name).includes(sha2))).toEqual([])
    expect(faultsOf(to)).toEqual(noFaults)
  }, 60_000)

  it('names what the store has lost, and is made all the same', async () => {
    const running = await start()
    const to = newPath()
    const manifest = await running.backUp(to, (real) => ({ ...real, open: async () => undefined }))
    await running.end()
    expect(manifest.blobs.lost).toHaveLength(3)
    const report = await using(makeDirectory(newPath()), (target) => restoreBackup(to, target, options))
    expect(report).toMatchObject({ isFinished: true, blobs: { lost: manifest.blobs.lost } })
  }, 60_000)
})

const contentOf = (directory: string): readonly (readonly [string, string])[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const path = join(directory, name)
      return [name, statSync(path).isDirectory() ? '' : readFileSync(path, 'base64')]
    })

describe('a backup', () => {
  const make = async (more: object = {}): Promise<string> => {
    const to = newPath()
    await backUpDirectory({ directory: source.directory }, to, { ...options, ...more })
    return to
  }

  it('is for its owner only, and has the master key when asked to', async () => {
    const without = await make()
    expect(readdirSync(without).toSorted()).toEqual(['backup.json', 'blobs', 'claviger.db'])
    const to = await make({ masterKey: 'a key' })
    expect(readFileSync(join(to, 'master.key'), 'utf8')).toBe('a key\n')
    for (const name of ['', 'backup.json', 'blobs', 'claviger.db', 'master.key']) {
      expect(statSync(join(to, name)).mode & 0o077, name).toBe(0)
    }
  })

  it('is opened by nobody for writing, and a data directory without its backup.json', async () => {
    const to = await make()
    const before = await answersOf(await openSqlite({ directory: source.directory, threads: 'inline' }), full)
    const content = contentOf(to)
    await expect(openSqlite({ directory: to, threads: 'inline' })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is a backup'),
    })
    expect(() => makeDirectory(to)).toThrow('is a backup')
    expect(contentOf(to)).toEqual(content)
    rmSync(join(to, 'backup.json'))
    expect(await answersOf(await openSqlite({ directory: to, threads: 'inline' }), full)).toEqual(before)
    await expect(readBackup(to)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('is copied from as from any directory, and stays as it is', async () => {
    const to = await make()
    await using(openDirectory(to), (from) =>
      using(makeDirectory(newPath()), (other) => copyStore(from, other, options)),
    )
    await expect(readBackup(to)).resolves.toMatchObject({ format: 1 })
    expect(readdirSync(to).toSorted()).toEqual(['backup.json', 'blobs', 'claviger.db'])
  })

  it('can be read where nobody can write', async () => {
    const to = await make()
    for (const name of ['claviger.db', 'backup.json', '']) chmodSync(join(to, name), name === '' ? 0o500 : 0o400)
    const report = await using(makeDirectory(newPath()), (target) => restoreBackup(to, target, options))
    expect(report.isFinished).toBe(true)
    expect(readdirSync(to).toSorted()).toEqual(['backup.json', 'blobs', 'claviger.db'])
    chmodSync(to, 0o700)
  })

  it('goes into no directory that holds anything, nor into its place of work with something strange in it', async () => {
    const filled = newPath()
    mkdirSync(filled)
    writeFileSync(join(filled, 'file'), '')
    await expect(backUpDirectory({ directory: source.directory }, filled, options)).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(readdirSync(filled)).toEqual(['file'])
    const to = newPath()
    mkdirSync(`${to}.partial`)
    writeFileSync(join(`${to}.partial`, 'letters.txt'), 'dear')
    await expect(backUpDirectory({ directory: source.directory }, to, options)).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(readFileSync(join(`${to}.partial`, 'letters.txt'), 'utf8')).toBe('dear')
    expect(existsSync(to)).toBe(false)
    rmSync(join(`${to}.partial`, 'letters.txt'))
    // What a killed one left is in nobody's way.
    writeFileSync(join(`${to}.partial`, 'claviger.db'), 'half')
    await backUpDirectory({ directory: source.directory }, to, options)
    expect(existsSync(`${to}.partial`)).toBe(false)
  })

  it('that is damaged, unfinished or none is refused, and nothing is written', async () => {
    const to = await make()
    const bytes = readFileSync(join(to, 'claviger.db'))
    bytes[bytes.length - 100]! ^= 1
    writeFileSync(join(to, 'claviger.db'), bytes)
    const target = newPath()
    const restoring = (from: string) => using(makeDirectory(target), (side) => restoreBackup(from, side, options))
    await expect(restoring(to)).rejects.toMatchObject({ code: 'invalid' })
    await expect(restoring(source.directory)).rejects.toMatchObject({ code: 'not_found' })
    const newer = await make()
    const manifest = JSON.parse(readFileSync(join(newer, 'backup.json'), 'utf8')) as Manifest
    writeFileSync(join(newer, 'backup.json'), JSON.stringify({ ...manifest, schema: migrations.length + 1 }))
    await expect(restoring(newer)).rejects.toMatchObject({ message: expect.stringContaining('newer') })
    expect((await digests(makeDirectory(target))).filter(({ rows }) => rows > 0)).toEqual([])
  })

  it('of an older version is restored, and stays as it is', async () => {
    const to = await make()
    // The last migration, as if it had not been.
    const path = join(to, 'claviger.db')
    const file = new Sqlite(path)
    file.exec(takeLastStepBack)
    file.close()
    const content = readFileSync(path)
    const manifest = JSON.parse(readFileSync(join(to, 'backup.json'), 'utf8')) as Manifest
    const database = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
    writeFileSync(join(to, 'backup.json'), JSON.stringify({ ...manifest, schema: migrations.length - 1, database }))
    const report = await using(makeDirectory(newPath()), (target) => restoreBackup(to, target, options))
    expect(report).toMatchObject({ isFinished: true, blobs: { blobs: 3, lost: [] } })
    expect(readFileSync(path).equals(content)).toBe(true)
  })
})

const event = {
  at: 1_700_000_000_000,
  actor: { kind: 'system', name: 'test' },
  action: 'test',
  target: { noun: 'test', id: null },
  detail: null,
} as const
