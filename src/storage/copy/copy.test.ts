import { rmSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { filter, idsOf, query, statement, store, term } from '../../../test/contract/samples.ts'
import { answersOf, fillStore } from '../../../test/support/full-store.ts'
import type { FullStore } from '../../../test/support/full-store.ts'
import { createDatabase } from '../../../test/support/postgres.ts'
import type { TestDatabase } from '../../../test/support/postgres.ts'
import { createPlace } from '../../../test/support/store.ts'
import type { Place } from '../../../test/support/store.ts'
import { openPostgres } from '../postgres/index.ts'
import { systemClock } from '../../core/core.ts'
import { openSqlite } from '../sqlite/index.ts'
import { BlobDirectory } from '../blobs/directory.ts'
import { blobFiles } from './blob-files.ts'
import { compareStores, copyStore, digestsOf } from './copy.ts'
import type { CopyReport } from './copy.ts'
import { makeDatabase, openDatabase } from './postgres-side.ts'
import type { DatabasePlace } from './postgres-side.ts'
import type { Side } from './side.ts'
import { makeDirectory, openDirectory } from './sqlite-side.ts'
import { tables } from './tables.ts'

const root = mkdtempSync(join(tmpdir(), 'claviger-copy-'))
const databases: TestDatabase[] = []
let source: Place
let full: FullStore
beforeAll(async () => {
  source = await createPlace('sqlite')
  full = await fillStore(source)
})
afterAll(async () => {
  for (const database of databases) await database.drop()
  await source.remove()
  rmSync(root, { recursive: true })
})

let made = 0
const newDirectory = (): string => join(root, `directory-${++made}`)
async function newDatabase(): Promise<DatabasePlace & { readonly path: string }> {
  const database = await createDatabase(inject('postgresUrl'))
  databases.push(database)
  const path = join(newDirectory(), 'blobs')
  return { url: database.url, path, blobs: blobFiles(path) }
}

const checkKey = (): void => {}

async function withSides<T>(
  sides: readonly (Side | Promise<Side>)[],
  work: (...sides: Side[]) => Promise<T>,
): Promise<T> {
  const opened: Side[] = []
  try {
    for (const side of sides) opened.push(await side)
    return await work(...opened)
  } finally {
    for (const side of opened) await side.close()
  }
}

const copy = (from: Side | Promise<Side>, to: Side | Promise<Side>, more: object = {}): Promise<CopyReport> =>
  withSides([from, to], (one, other) => copyStore(one!, other!, { checkKey, ...more }))
const digests = (side: Side | Promise<Side>) => withSides([side], (one) => one!.read(digestsOf))
const answers = async (directory: string): Promise<unknown> =>
  answersOf(await openSqlite({ directory, threads: 'inline' }), full)

/** Fails after so many changes, as if the process were gone. */
function mortal(side: Side, changes: number): Side {
  let left = changes
  return {
    name: side.name,
    identity: side.identity,
    blobs: side.blobs,
    read: (work) => side.read(work),
    change: (work) => (left-- > 0 ? side.change(work) : Promise.reject(new Error('killed'))),
    close: () => side.close(),
  }
}

const openServed = ({ url, path }: { readonly url: string; readonly path: string }) =>
  openPostgres({ url, openPlace: async () => new BlobDirectory({ path, clock: systemClock }) })

describe('a copy to PostgreSQL and back', () => {
  let database: Awaited<ReturnType<typeof newDatabase>>
  let back: string
  let there: CopyReport
  beforeAll(async () => {
    database = await newDatabase()
    back = newDirectory()
    there = await copy(openDirectory(source.directory), makeDatabase(database))
    await copy(openDatabase(database), makeDirectory(back))
  }, 60_000)

  it('has every row of every table, of which the source has some in each', async () => {
    expect(there.isFinished).toBe(true)
    expect(there.tables.filter(({ rows }) => rows === 0)).toEqual([])
    expect(there.tables.map(({ table }) => table)).toEqual(tables.map(({ name }) => name))
    expect(await digests(openDatabase(database))).toEqual(there.tables)
    expect(await digests(openDirectory(back))).toEqual(there.tables)
    expect(await digests(openDirectory(source.directory))).toEqual(there.tables)
  })

  it('has every blob', async () => {
    expect(there.blobs).toMatchObject({ blobs: 3, lost: [], missing: [] })
    const files = (directory: string) =>
      readdirSync(join(directory, 'blobs'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.length > 60)
        .toSorted()
    expect(files(back)).toEqual(files(source.directory))
  })

  it('answers the same; every key signs in; the audit chains hold', async () => {
    const before = await answers(source.directory)
    expect(JSON.stringify(before)).toContain('urn:target')
    expect((before as { readonly count: number }).count).toBeGreaterThan(50)
    expect(await answers(back)).toEqual(before)
    expect(await answersOf(await openServed(database), full)).toEqual(before)
  })

  it('gives no number that was ever given', async () => {
    const numbers = (side: Side | Promise<Side>) =>
      withSides([side], (one) =>
        one!.read(async (snapshot) => {
          const found: Record<string, number> = {}
          for (const table of tables) if (table.identity) found[table.name] = await snapshot.lastIdentity(table)
          return found
        }),
      )
    const given = await numbers(openDirectory(source.directory))
    expect(given).toMatchObject({ organisation: 2, owner: 7 })
    expect(await numbers(openDatabase(database))).toEqual(given)
    expect(await numbers(openDirectory(back))).toEqual(given)
  })

  it('is told from one that differs in a single value, without changing anything', async () => {
    const compare = (directory: string) =>
      withSides([openDatabase(database), openDirectory(directory)], (one, other) =>
        compareStores(one!, other!, { checkKey }),
      )
    const same = await compare(back)
    expect(same.tables.filter(({ differs }) => differs)).toEqual([])
    expect(same.blobs).toMatchObject({ blobs: 3, lost: [], missing: [] })
    const other = newDirectory()
    await copy(openDirectory(back), makeDirectory(other))
    await withSides([makeDirectory(other)], (side) =>
      side!.change(async (changes) => {
        const table = tables.find(({ name }) => name === 'posting')!
        const [row] = await side!.read((snapshot) => snapshot.listRows(table, undefined, 1))
        await changes.remove(table, [row!])
      }),
    )
    rmSync(join(other, 'blobs'), { recursive: true })
    const differing = await compare(other)
    expect(differing.tables.filter(({ differs }) => differs).map(({ table }) => table)).toEqual(['posting'])
    expect(differing.blobs.missing).toHaveLength(3)
  })
})

it('goes on storing where the source had stopped, on either engine', async () => {
  const database = await newDatabase()
  const back = newDirectory()
  await copy(openDirectory(source.directory), makeDatabase(database))
  await copy(openDatabase(database), makeDirectory(back))
  const known = term('urn:v')
  for (const storage of [await openServed(database), await openSqlite({ directory: back, threads: 'inline' })]) {
    const earlier = await idsOf(storage, full.lrsId, { filters: [filter('urn:v')] })
    expect(earlier.length).toBeGreaterThan(2)
    const { consistentThrough } = await storage.statements.list(full.lrsId, query({ limit: 1 }))
    const added = statement({ terms: [known, term('urn:new'), term('urn:newer')] })
    const [seq] = await store(storage, full.lrsId, [added])
    expect(seq).toBeGreaterThan(consistentThrough)
    expect(await idsOf(storage, full.lrsId, { filters: [filter('urn:v')] })).toEqual([added.id, ...earlier])
    expect(await idsOf(storage, full.lrsId, { filters: [filter('urn:newer')] })).toEqual([added.id])
    await storage.close()
  }
})

it('stops where another process copies into the same database, which ends well', async () => {
  const database = await newDatabase()
  const other = newDirectory()
  await copy(openDirectory(source.directory), makeDirectory(other))
  const results = await Promise.allSettled(
    [source.directory, other].map((directory) => copy(openDirectory(directory), makeDatabase(database))),
  )
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))
  expect(failed).toEqual([expect.stringMatching(/Another process is copying|is not empty/)])
  expect(await digests(openDatabase(database))).toEqual(await digests(openDirectory(source.directory)))
})

describe.each([
  [
    'PostgreSQL',
    async () => {
      const database = await newDatabase()
      const openPlace = (): never => {
        throw new Error('opened')
      }
      return { make: () => makeDatabase(database), serve: () => openPostgres({ url: database.url, openPlace }) }
    },
  ],
  [
    'SQLite',
    async () => {
      const directory = newDirectory()
      return { make: async () => makeDirectory(directory), serve: () => openSqlite({ directory, threads: 'inline' }) }
    },
  ],
] as const)('a copy into %s', (_, newTarget) => {
  it('goes on wherever it was cut off', async () => {
    const target = await newTarget()
    let runs = 0
    let report: CopyReport | undefined
    while (report === undefined) {
      runs++
      report = await copy(
        openDirectory(source.directory),
        target.make().then((side) => mortal(side, 3 * runs)),
      ).catch((error: unknown) => {
        expect(String(error)).toMatch(/killed|store failed/)
        return undefined
      })
    }
    expect(runs).toBeGreaterThan(3)
    expect(report).toMatchObject({ isFinished: true, isResumed: true })
    expect(await digests(target.make())).toEqual(await digests(openDirectory(source.directory)))
  }, 60_000)

  it('made ahead is brought up to date with a source that went on', async () => {
    const moving = newDirectory()
    await copy(openDirectory(source.directory), makeDirectory(moving))
    const target = await newTarget()
    const ahead = await copy(openDirectory(moving), target.make(), { isAhead: true })
    expect(ahead).toMatchObject({ isFinished: false, isResumed: false })
    await expect(target.serve()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('unfinished copy'),
    })
    const storage = await openSqlite({ directory: moving, threads: 'inline' })
    const principalStore = await storage.platform.listOrganisations({ offset: 0, limit: 10 })
    const [first] = principalStore.items
    await storage.directory.updateOrganisation(first!.id, { name: 'Renamed', at: 1 }, event)
    const { items } = await storage.directory.listCredentials(first!.id, {}, { offset: 0, limit: 10 })
    await storage.directory.deleteCredential(first!.id, items[1]!.id, event)
    await storage.close()
    const after = await copy(openDirectory(moving), target.make())
    expect(after).toMatchObject({ isFinished: true, isResumed: true })
    expect(after.tables.filter(({ differs }) => differs)).toEqual([])
    expect(await digests(target.make())).toEqual(await digests(openDirectory(moving)))
  }, 60_000)

  it('refuses a store that is not empty, with nothing written', async () => {
    const target = await newTarget()
    await copy(openDirectory(source.directory), target.make())
    const before = await digests(target.make())
    await expect(copy(openDirectory(source.directory), target.make())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is not empty (platform_value, organisation'),
    })
    expect(await digests(target.make())).toEqual(before)
  })

  it('refuses an unfinished copy of another store, and a key that does not fit, with nothing written', async () => {
    const target = await newTarget()
    const wrong = () => {
      throw new Error('another key')
    }
    await expect(copy(openDirectory(source.directory), target.make(), { checkKey: wrong })).rejects.toThrow()
    await withSides([target.make()], async (side) =>
      expect(await side!.read((snapshot) => snapshot.findValue('copy'))).toBeUndefined(),
    )
    await copy(openDirectory(source.directory), target.make(), { isAhead: true })
    const before = await digests(target.make())
    const other = await createPlace('sqlite')
    await fillStore(other, 1)
    await expect(copy(openDirectory(other.directory), target.make())).rejects.toMatchObject({
      message: expect.stringContaining('unfinished copy of another store'),
    })
    expect(await digests(target.make())).toEqual(before)
    await other.remove()
  })

  it('says which blobs the source has lost, and copies the rest', async () => {
    const damaged = newDirectory()
    await copy(openDirectory(source.directory), makeDirectory(damaged))
    const [cut, gone] = blobPaths(damaged)
    writeFileSync(cut!, readFileSync(cut!).subarray(1))
    rmSync(gone!)
    const { blobs } = await copy(openDirectory(damaged), (await newTarget()).make())
    expect(blobs.lost).toHaveLength(2)
    expect(blobs.blobs).toBe(3)
  })
})

it('refuses a database that a newer version has added to, though nodes of this one may run on it', async () => {
  const database = await createDatabase(inject('postgresUrl'))
  databases.push(database)
  await database.change(`insert into schema_migration select max(number) + 1, 'newer', 'x', 0, 1 from schema_migration`)
  const blobs = blobFiles(newDirectory())
  for (const open of [openDatabase, makeDatabase]) {
    await expect(open({ url: database.url, blobs })).rejects.toMatchObject({
      message: expect.stringContaining('of a newer version'),
    })
  }
  const storage = await openServed({ url: database.url, path: newDirectory() })
  await storage.close()
})

it('refuses a database as a copy of itself, also by another name of its server', async () => {
  const { url, blobs } = await newDatabase()
  const other = new URL(url)
  other.hostname = other.hostname === 'localhost' ? '127.0.0.1' : 'localhost'
  await copy(openDirectory(source.directory), makeDatabase({ url, blobs }))
  const sides = () => [openDatabase({ url, blobs }), makeDatabase({ url: other.href, blobs })] as const
  await expect(copy(...sides())).rejects.toThrow('both the same store')
  const compared = withSides(sides(), (one, two) => compareStores(one!, two!, { checkKey }))
  await expect(compared).rejects.toThrow('both the same store')
})

it('names the option that a URL was given by', async () => {
  const { url, blobs } = await newDatabase()
  const nowhere = new URL(url)
  nowhere.pathname = '/not_there'
  const opening = openDatabase({ url: nowhere.href, blobs, named: '--from' })
  await expect(opening).rejects.toThrow('or is --from right?')
})

it('refuses a directory that somebody uses', async () => {
  const storage = await openSqlite({ directory: source.directory, threads: 'inline' })
  await expect(
    copy(
      Promise.resolve().then(() => openDirectory(source.directory)),
      makeDirectory(newDirectory()),
    ),
  ).rejects.toThrow('Another process is using the data directory')
  await storage.close()
})

const event = {
  at: 1_700_000_000_000,
  actor: { kind: 'system', name: 'test' },
  action: 'test',
  target: { noun: 'test', id: null },
  detail: null,
} as const

function blobPaths(directory: string): readonly string[] {
  return readdirSync(join(directory, 'blobs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.length > 60)
    .map((name) => join(directory, 'blobs', name))
}
