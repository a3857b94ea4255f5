// A whole Learning Locker with every variant of facts 4, brought in from each form of file, interrupted, brought in again.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { BSON } from 'bson'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { runOn } from '../../../test/support/import-run.ts'
import type { Rejected } from '../../../test/support/import-run.ts'
import {
  clientOf,
  documentCount,
  goneClientOid,
  organisationCount,
  organisationOid,
  stateOf,
  statementOf,
  storeOid,
  writeSet,
} from '../../../test/support/learninglocker-set.ts'
import type { SetStatement } from '../../../test/support/learninglocker-set.ts'
import { DomainError } from '../../core/errors.ts'
import type { CredentialId, LrsId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { CredentialRecord, Storage } from '../../core/storage.ts'
import { scopesOf } from '../../faces/learninglocker/words.ts'
import { abandonImport, runImport } from '../import.ts'
import type { ImportReport } from '../import.ts'
import { learningLockerImporter } from './learninglocker.ts'

const size = { statements: 520, clients: 60 }
const rows = Array.from({ length: size.statements }, (_, number) => statementOf(number, size))
const clients = Array.from({ length: size.clients }, (_, number) => clientOf(number))
const stored = rows.filter(({ fate }) => fate === 'stored')
const documents = Array.from({ length: documentCount }, (_, number) => stateOf(number))

const root = mkdtempSync(join(tmpdir(), 'claviger-ll-'))
const set = join(root, 'set')
const source = { directory: set, attachments: join(set, 'storage') }
beforeAll(() => writeSet(set, size))
afterAll(() => rmSync(root, { recursive: true }))

const of = (fate: string, all: readonly { readonly fate: string }[]): number =>
  all.filter((one) => one.fate === fate).length
const counts = (storedThere: readonly [number, number], rejected: number) => {
  const [isNew, there] = storedThere
  return { read: isNew + there + rejected, stored: isNew, there, rejected, checked: 0 }
}
const rejectedClients = of('rejected', clients)
const rejectedDocuments = 3 * of('rejected', documents)
/** Attachments: one good, one damaged. */
const expected = {
  organisations: counts([organisationCount, 0], 0),
  lrs: counts([12, 0], 0),
  clients: counts([clients.length - rejectedClients, 0], rejectedClients),
  statements: counts([stored.length, of('there', rows)], of('rejected', rows)),
  documents: counts([3 * documentCount - rejectedDocuments, 0], rejectedDocuments),
  attachments: counts([1, 0], 1),
}

interface Imported {
  readonly world: OpenCore
  /** By oid. */
  readonly callers: ReadonlyMap<string, Caller>
  readonly lrs: ReadonlyMap<string, LrsId>
  readonly credentials: ReadonlyMap<string, CredentialRecord>
}

async function lookInto(world: OpenCore): Promise<Imported> {
  const { core } = world
  const callers = new Map<string, Caller>()
  const lrs = new Map<string, LrsId>()
  const credentials = new Map<string, CredentialRecord>()
  for (const { id, oid } of (await core.organisations.list({ operator: 'test' }, { offset: 0, limit: 100 })).items) {
    const caller = core.signIn.operator(id, 'test')
    callers.set(oid, caller)
    for (const one of await core.lrs.list(caller)) lrs.set(`${oid} ${one.oid}`, one.id)
    for (const one of (await core.credentials.list(caller, {}, { offset: 0, limit: 1000 })).items)
      credentials.set(one.oid, one)
  }
  return { world, callers, lrs, credentials }
}

describe('everything', () => {
  let imported: Imported
  let report: ImportReport
  let rejected: readonly Rejected[]
  beforeAll(async () => {
    const world = await openCore()
    ;({ report, rejected } = await runOn(world.core, learningLockerImporter(source)))
    imported = await lookInto(world)
  })
  afterAll(() => imported.world.close())

  it('is counted, and the counts reconcile', () => {
    expect(report).toMatchObject({ isDryRun: false, isResumed: false, isFinished: true })
    expect(report.kinds).toEqual(expected)
    expect(report.lrs.reduce((sum, one) => sum + one.statements, 0)).toBe(stored.length)
    const told = Object.values(expected).reduce((sum, one) => sum + one.rejected, 0)
    expect(rejected).toHaveLength(told)
    expect(rejected.every(({ reason }) => reason !== '')).toBe(true)
    const named = rejected.filter(({ id }) => id !== undefined)
    expect(named.length).toBeGreaterThan(5)
    for (const { id, line, record } of named) {
      expect(line).toBeGreaterThan(0)
      expect(JSON.stringify(record)).toContain(id)
    }
  })

  it('says of what it was asked to think twice', () => {
    expect(report.warnings.map((warning) => warning.split(':')[0]).toSorted()).toEqual([
      'clients whose store is not there sign in, and may do nothing, as before',
      'clients without an authority',
      'several clients have one key',
      'stores that another organisation uses, too',
      'what clients stored that are gone belongs to disabled keys, “Deleted client <id>”',
    ])
  })

  it('keeps organisations and stores with their ids', async () => {
    for (let number = 0; number < organisationCount; number++) {
      const caller = imported.callers.get(organisationOid(number))!
      const record = await imported.world.core.organisations.get(caller)
      const expiresAt = number === 2 ? Date.UTC(2099, 0, 1) : null
      expect(record).toMatchObject({ name: `Organisation ${number}`, expiresAt, createdAt: Date.UTC(2019, 0, 1) })
      const first = imported.lrs.get(`${organisationOid(number)} ${storeOid(number)}`)
      expect(record.defaultLrsId).toBe(first)
    }
    const [caller] = [imported.callers.get(organisationOid(3))!]
    const titles = (await imported.world.core.lrs.list(caller)).map(({ name, description }) => [name, description])
    expect(titles.slice(0, 3)).toEqual([
      ['Store 3', 'What number 3 is for'],
      ['Store 7', null],
      ['Store 11', null],
    ])
  })

  it.each(clients.map((client) => [client.number, client] as const))('keeps client %i', async (_, client) => {
    const { core } = imported.world
    const record = imported.credentials.get(client.oid)
    if (client.fate === 'rejected') {
      // What it stored is there, so somebody has to have it.
      expect(record === undefined || !record.isEnabled).toBe(true)
      return
    }
    const store = client.store === undefined ? undefined : storeOid(client.store)
    const isShared = client.store !== undefined && client.store % organisationCount !== client.organisation
    const home = isShared ? expect.any(Number) : imported.lrs.get(`${organisationOid(client.organisation)} ${store}`)
    expect(record).toMatchObject({
      ...{
        name: client.title ?? '',
        key: client.key,
        isEnabled: client.fate === 'works',
        createdAt: Date.UTC(2019, 0, 1) + client.number,
      },
      ...{ lrsIds: store === undefined ? [] : [home], authority: client.authority ?? null },
    })
    expect(scopesOf(record!)).toEqual(client.scopes)
    const { key, secret } = client
    const signIn = core.signIn.basic({ key, secret, within: undefined })
    if (client.fate === 'works') expect((await signIn).credentialId).toBe(record!.id)
    else await expect(signIn).rejects.toBeInstanceOf(DomainError)
  })

  const lrsOf = ({ organisation, store }: SetStatement): LrsId | undefined => {
    const own = imported.lrs.get(`${organisationOid(organisation)} ${storeOid(store)}`)
    return (
      own ??
      [...imported.lrs].find(([name]) => name.startsWith(organisationOid(organisation)) && !name.includes(' 5a02'))?.[1]
    )
  }

  const special = stored.filter(({ number }) => number < 30 || number > 497)
  it.each(special.map((one) => [one.number, one] as const))('keeps statement %i', async (_, one) => {
    const { storage } = imported.world
    const found = await storage.statements.find(lrsOf(one)!, one.id, { isVoided: one.isVoided })
    const statement = JSON.parse(found.statement?.body ?? 'null') as Record<string, unknown>
    const { authority } = statement
    expect(statement).toEqual('authority' in one.statement ? one.statement : { ...one.statement, authority })
    const client = one.client === undefined ? undefined : imported.credentials.get(clientOf(one.client).oid)
    if (client !== undefined) expect(found.statement?.owner).toBe(client.id)
  })

  it('gives what clients that are gone stored to keys that nobody can use', () => {
    const gone = [...imported.credentials.values()].filter(({ name }) => /^(Deleted|No) client/.test(name))
    expect(gone.length).toBeGreaterThan(1)
    expect(gone.some(({ oid }) => oid === goneClientOid(6))).toBe(true)
    for (const one of gone)
      expect(one).toMatchObject({ isEnabled: false, secrets: [], rights: { xapi: {}, management: [] } })
  })

  it.each(documents.slice(0, 12).map((one) => [one.number, one] as const))(
    'keeps state %i and its ETag',
    async (number, one) => {
      const { storage } = imported.world
      const lrsId = imported.lrs.get(`${organisationOid(one.store % organisationCount)} ${storeOid(one.store)}`)!
      const registration =
        number % 2 === 0 ? { registration: `6f1b3c52-90aa-4d11-9f00-${number.toString(16).padStart(12, '0')}` } : {}
      const key = {
        kind: 'state',
        id: one.stateId,
        activityId: one.activityId,
        agent: `mbox ${(one.agent as { mbox: string }).mbox}`,
        ...registration,
      } as const
      const found = await storage.documents.find(lrsId, key, { owner: 0 as CredentialId, reach: 'any' })
      if (one.fate === 'rejected') return expect(found).toBeUndefined()
      expect(found).toMatchObject({
        etag: one.etag,
        contentType: one.contentType,
        updatedAt: (Date.UTC(2019, 0, 1) + number) * 1000,
      })
      const bytes = found?.content.kind === 'inline' ? Buffer.from(found.content.bytes).toString() : undefined
      if (one.contentType === 'application/json') expect(JSON.parse(bytes ?? '')).toEqual(JSON.parse(one.content))
      else if (bytes !== undefined) expect(bytes).toBe(one.content)
      else expect(found?.content).toMatchObject({ kind: 'blob', length: one.content.length })
    },
  )

  it('finds all of it there the second time', async () => {
    const again = await runOn(imported.world.core, learningLockerImporter(source))
    expect(again.report).toMatchObject({ isResumed: false, isFinished: true })
    const there = ({ stored: isNew, there, rejected: no }: (typeof expected)['lrs']) => counts([0, isNew + there], no)
    const { attachments, ...others } = expected
    const wanted = Object.fromEntries(Object.entries(others).map(([kind, one]) => [kind, there(one)]))
    expect(again.report.kinds).toEqual({ ...wanted, attachments })
    expect(again.rejected.map(({ reason }) => reason)).toEqual(rejected.map(({ reason }) => reason))
    expect(await lookInto(imported.world)).toEqual({ ...imported, world: imported.world })
  })
})

describe('a dry run', () => {
  it('reads all of it and writes nothing', async () => {
    const [world, again] = await Promise.all([openCore(), openCore()])
    try {
      const before = await lookInto(world)
      const { report, rejected } = await runOn(world.core, learningLockerImporter(source), { isDryRun: true })
      const isChecked = ({ read, rejected: no }: (typeof expected)['lrs']) => ({
        read,
        stored: 0,
        there: 0,
        rejected: no,
        checked: read - no,
      })
      // A conflict, and damaged bytes, only the store finds.
      const statements = isChecked({ ...expected.statements, rejected: expected.statements.rejected - 1 })
      const { documents: kept, attachments: bytes } = expected
      expect(report.kinds).toEqual({
        ...{ organisations: isChecked(expected.organisations), lrs: isChecked(expected.lrs), statements },
        ...{
          clients: isChecked(expected.clients),
          documents: isChecked(kept),
          attachments: isChecked({ ...bytes, rejected: 0 }),
        },
      })
      expect(rejected).toHaveLength(statements.rejected + kept.rejected + rejectedClients)
      const gone = (warnings: readonly string[]) => warnings.filter((one) => one.includes('that are gone'))
      expect(gone(report.warnings)).toEqual(
        gone((await runOn(again.core, learningLockerImporter(source))).report.warnings),
      )
      expect(await lookInto(world)).toEqual(before)
      expect(await world.core.imports.list({ operator: 'test' })).toEqual([])
    } finally {
      await Promise.all([world.close(), again.close()])
    }
  })
})

it('a dry run that rejects nothing writes no file', async () => {
  const directory = mkdtempSync(join(root, 'good-'))
  const organisation = { _id: { $oid: organisationOid(0) }, name: 'One' }
  writeFileSync(join(directory, 'organisations.json'), JSON.stringify(organisation))
  const world = await openCore()
  const path = join(directory, 'rejects')
  const settings = { core: world.core, operator: { operator: 'test' }, isDryRun: true, onStage: () => {} }
  const { signal } = new AbortController()
  const importer = learningLockerImporter({ directory })
  const report = await runImport(importer, { ...settings, signal, rejectsPath: () => path })
  expect([report.rejects, readdirSync(directory)]).toEqual([undefined, ['organisations.json']])
  await world.close()
})

describe('interrupted', () => {
  /** Fails, after it was stored, each time so many parts were; as where the process is killed before it hears of it. */
  function failing(storage: Storage, state: { left: number }): Storage {
    const cut = async <T>(storing: Promise<T>): Promise<T> => {
      const result = await storing
      if (state.left-- > 0) return result
      throw new DomainError('unavailable', 'killed')
    }
    const { imports } = storage
    return {
      ...storage,
      load: () => storage.load(),
      close: () => storage.close(),
      onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
      imports: {
        begin: (one) => imports.begin(one),
        find: (id) => imports.find(id),
        list: () => imports.list(),
        save: (id, progress) => imports.save(id, progress),
        finish: (id, end) => imports.finish(id, end),
        newPart: () => imports.newPart(),
        storeStatements: (id, lrsId, part) => cut(imports.storeStatements(id, lrsId, part)),
        storeDocuments: (id, lrsId, part) => cut(imports.storeDocuments(id, lrsId, part)),
      },
    }
  }

  it('again and again, it goes on, and counts exactly', async () => {
    const state = { left: 0 }
    const world = await openCore({ wrap: (storage) => failing(storage, state) })
    try {
      let ended
      let cuts = 0
      for (let round = 0; ended === undefined && round < 100; round++) {
        state.left = 3 + 2 * round
        try {
          ended = await runOn(world.core, learningLockerImporter(source))
        } catch (error) {
          expect(error).toMatchObject({ message: 'killed' })
          cuts++
        }
      }
      expect(cuts).toBeGreaterThan(3)
      expect(ended?.report).toMatchObject({ isResumed: true, isFinished: true, kinds: expected })
      // Each Lrs with what it holds, also where nothing came into it after the last interruption.
      const totals = ended?.report.lrs.reduce((sum, { statements }) => sum + statements, 0)
      expect(totals).toBe(expected.statements.stored)
      const places = ended?.rejected.map((one) => JSON.stringify(one))
      expect(new Set(places).size).toBe(places?.length)
      expect(ended?.rejected).toHaveLength(Object.values(expected).reduce((sum, one) => sum + one.rejected, 0))
    } finally {
      await world.close()
    }
  })

  it('by whoever began it, it says that it is not done, and goes on, if need be with other rejects', async () => {
    const world = await openCore()
    try {
      const stopping = new AbortController()
      const first = await runOn(world.core, learningLockerImporter(source), {
        signal: stopping.signal,
        onStage: ({ title }) => void (title === 'statements.json' && stopping.abort()),
      })
      expect(first.report).toMatchObject({ isFinished: false })
      expect(first.rejected).not.toEqual([])
      // Then it is told in the report of whoever goes on.
      const rejects = `other of ${first.report.id}`
      await runOn(world.core, learningLockerImporter(source), { rejects, signal: AbortSignal.abort() })
      const second = await runOn(world.core, learningLockerImporter(source), { rejects })
      expect(second.report).toMatchObject({ isResumed: true, isFinished: true, kinds: expected })
      const told = second.report.warnings.filter((one) => one.includes('is another file'))
      expect(told).toEqual([expect.stringMatching(/^What was rejected before \(\d+\) is not in .*other of/)])
      const all = Object.values(expected).reduce((sum, one) => sum + one.rejected, 0)
      expect(second.rejected).toHaveLength(all - Number(/\((\d+)\)/.exec(told[0]!)?.[1]))
      expect(second.rejected).not.toEqual([])
    } finally {
      await world.close()
    }
  })

  it('to its end while the next command waits for it, that is told so', async () => {
    const world = await openCore()
    try {
      let second: Promise<unknown> | undefined
      await runOn(world.core, learningLockerImporter(source), {
        onStage: ({ title }) => {
          if (title === 'statements.json')
            second ??= runOn(world.core, learningLockerImporter(source)).catch((error) => error)
        },
      })
      expect(await second).toMatchObject({ code: 'conflict', message: expect.stringContaining('import report') })
    } finally {
      await world.close()
    }
  })

  it('it does not go on with another file, but can be abandoned', async () => {
    const copy = join(root, 'changed')
    mkdirSync(copy)
    for (const name of readdirSync(set))
      if (name.includes('.json')) writeFileSync(join(copy, name), readFileSync(join(set, name)))
    const importer = learningLockerImporter({ directory: copy })
    const world = await openCore()
    try {
      const stopping = new AbortController()
      const onStage = ({ title }: { readonly title: string }) => void (title === 'statements.json' && stopping.abort())
      await runOn(world.core, importer, { signal: stopping.signal, onStage })
      writeFileSync(join(copy, 'states.json'), '')
      await expect(runOn(world.core, importer)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(/^states\.json is another file/),
      })
      const parts = { core: world.core, operator: { operator: 'test' } }
      const [record] = await world.core.imports.list(parts.operator)
      await abandonImport(parts, record!.id)
      await expect(abandonImport(parts, record!.id)).rejects.toMatchObject({ code: 'conflict' })
      const { report } = await runOn(world.core, importer)
      expect(report).toMatchObject({
        isResumed: false,
        isFinished: true,
        kinds: { organisations: { stored: 0, there: 4 } },
      })
    } finally {
      await world.close()
    }
  })
})

describe('other forms of files', () => {
  /** What mongodump would have written of the same documents. */
  function asBson(name: string): Buffer {
    const bytes = readFileSync(join(set, name))
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    const texts = text.startsWith('[')
      ? (JSON.parse(text) as object[]).map((one) => JSON.stringify(one))
      : text.trim().split('\n')
    return Buffer.concat(
      texts.flatMap((one) => {
        try {
          return [BSON.serialize(BSON.EJSON.parse(one) as object)]
        } catch {
          // A line that is damaged.
          return []
        }
      }),
    )
  }

  it('BSON, gzip or not', async () => {
    const dump = join(root, 'dump')
    mkdirSync(dump)
    for (const name of readdirSync(set).filter((one) => one.includes('.json'))) {
      const isZipped = name.startsWith('statements')
      const bytes = asBson(name)
      writeFileSync(
        join(dump, name.replace(/\.json.*/, isZipped ? '.bson.gz' : '.bson')),
        isZipped ? gzipSync(bytes) : bytes,
      )
    }
    writeFileSync(join(dump, 'statements.metadata.json'), '{}')
    const world = await openCore()
    try {
      const { report } = await runOn(world.core, learningLockerImporter({ ...source, directory: dump }))
      // One line was cut off. Of the one that is not UTF-8 a reader of JSON had made something that is.
      const { statements } = expected
      const taken = {
        ...statements,
        read: statements.read - 1,
        rejected: statements.rejected - 2,
        stored: statements.stored + 1,
      }
      expect(report.kinds).toEqual({ ...expected, statements: taken })
    } finally {
      await world.close()
    }
  })
})

describe('what cannot be imported', () => {
  let world: OpenCore
  beforeAll(async () => void (world = await openCore()))
  afterAll(() => world.close())
  const importing = (files: Readonly<Record<string, string | Buffer>>) => {
    const directory = mkdtempSync(join(root, 'wrong-'))
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
    return runOn(world.core, learningLockerImporter({ directory }))
  }

  it.each([
    [{}, 'none of the files that mongoexport writes'],
    [{ 'statements.metadata.json': '{}', 'notes.txt': '' }, 'none of the files that mongoexport writes'],
    [{ 'lrs.json': '', 'lrs.bson': '' }, 'has lrs.bson and lrs.json: leave one of them'],
  ])('%j', async (files, message) => {
    await expect(importing(files)).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(message) })
  })

  it('a directory that is not there', async () => {
    const importer = learningLockerImporter({ directory: join(root, 'absent') })
    const message = expect.stringContaining('ENOENT')
    await expect(runOn(world.core, importer)).rejects.toMatchObject({ code: 'invalid', message })
  })

  describe('a client that comes after what it stored', () => {
    /** Statements of a client, imported without it; and what imports it then. */
    async function importLater(start: string) {
      const directory = mkdtempSync(join(root, 'later-'))
      const [organisation, store, client, twin] = ['a', 'b', 'c', 'd'].map((one) => ({
        $oid: `5${one}${start}`.padEnd(24, '0'),
      })) as [object, object, { $oid: string }, object]
      const put = (name: string, ...all: readonly object[]) =>
        writeFileSync(join(directory, name), all.map((one) => JSON.stringify(one)).join('\n'))
      const { statement } = statementOf(0, size)
      put('organisations.json', { _id: organisation, name: 'One' })
      put('lrs.json', { _id: store, organisation })
      const id = `20000000-0000-4000-8000-0000000000${start}`
      put('statements.json', { organisation, lrs_id: store, client, statement: { ...statement, id } })
      const other = { _id: twin, organisation, api: { basic_key: 'later', basic_secret: `of-its-twin-${start}` } }
      put('client.json', other)
      const first = await runOn(world.core, learningLockerImporter({ directory }))
      const find = async () => (await lookInto(world)).credentials.get(client.$oid)!
      const secret = `a-secret-of-${start}`
      const row = { _id: client, organisation, lrs_id: store, title: 'Later', scopes: ['statements/read/mine'] }
      const authority = JSON.stringify({ mbox: 'mailto:later@example.org' })
      const importClient = (more: object = {}) => {
        put('client.json', other, { ...row, authority, api: { basic_key: 'later', basic_secret: secret }, ...more })
        return runOn(world.core, learningLockerImporter({ directory }))
      }
      const caller = world.core.signIn.operator((await find()).organisationId, 'test')
      const change = (input: object) =>
        find().then(({ id: known }) => world.core.credentials.update(caller, known, input))
      return { first, find, secret, importClient, change, id }
    }

    it('takes the place of the disabled key that owns it, though another client has its key', async () => {
      const { first, find, secret, importClient, id } = await importLater('60')
      expect(first.report.warnings).toContainEqual(expect.stringContaining('Deleted client'))
      const before = await find()
      expect(before).toMatchObject({ name: `Deleted client ${before.oid}`, isEnabled: false, secrets: [] })
      const broken = await importClient({ api: { basic_key: 'a:b', basic_secret: secret } })
      expect(broken.report.kinds).toMatchObject({ clients: { stored: 0, there: 1, rejected: 1 } })
      expect(await find()).toEqual(before)

      const { report } = await importClient()
      expect(report.kinds).toMatchObject({ clients: { stored: 1, there: 1, rejected: 0 }, statements: { there: 1 } })
      const after = await find()
      expect(after).toMatchObject({ id: before.id, name: 'Later', key: 'later', isEnabled: true })
      expect(after.authority).toEqual({ mbox: 'mailto:later@example.org' })
      expect([after.lrsIds.length, scopesOf(after)]).toEqual([1, ['statements/read/mine']])
      const signedIn = await world.core.signIn.basic({ key: 'later', secret, within: undefined })
      expect(signedIn.credentialId).toBe(before.id)
      const found = await world.storage.statements.find(after.lrsIds[0]!, id, { isVoided: false })
      expect(found.statement?.owner).toBe(before.id)
      const again = await importClient()
      expect(again.report.kinds).toMatchObject({ clients: { stored: 0, there: 2, rejected: 0 } })
      expect(await find()).toEqual(after)
    })

    it('is left as it is here when it is changed there, and it is said what differs', async () => {
      const { importClient, find, secret } = await importLater('66')
      await importClient()
      const before = await find()
      const same = await importClient()
      expect(same.report.kinds.clients).not.toHaveProperty('differs')
      const api = { basic_key: 'later', basic_secret: 'another-secret-there' }
      const changed = { title: 'Renamed', isTrusted: false, scopes: ['all'], api }
      for (const { report, text } of [
        await importClient(changed),
        await importClient({ ...changed, authority: '{}' }),
      ]) {
        expect(report.kinds.clients).toMatchObject({ stored: 0, there: 2, differs: 1 })
        expect(report.warnings.filter((one) => one.includes('DISABLED') || one.includes('as there,'))).toEqual([
          `DISABLED THERE, ACTIVE HERE; claviger credential disable ends that: Later (${before.oid})`,
          `clients that are not as there, and stay as they are here: Later (${before.oid}): disabled there, active here, name, secret, rights`,
        ])
        expect(JSON.stringify(report) + text).not.toMatch(new RegExp(`${secret}|another-secret`))
      }
      expect(await find()).toEqual(before)
    })

    it('disabled there, it is so here', async () => {
      const { find, importClient } = await importLater('65')
      await importClient({ isTrusted: false })
      expect(await find()).toMatchObject({ name: 'Later', isEnabled: false, secrets: [expect.anything()] })
    })

    it.each([
      ['61', { secret: 'given-here-by-somebody' }],
      ['62', { name: 'Ours now' }],
      ['63', { isEnabled: true }],
      ['64', { rights: { xapi: { 'state/read': 'any' }, management: [] } }],
    ])('is rejected where somebody has changed that key: %s', async (start, change) => {
      const later = await importLater(start)
      await later.change(change)
      const before = await later.find()
      const { report, rejected } = await later.importClient()
      expect(report.kinds).toMatchObject({ clients: { stored: 0, there: 1, rejected: 1 } })
      expect(rejected).toMatchObject([{ kind: 'clients', reason: expect.stringContaining('was changed here since') }])
      expect(await later.find()).toEqual(before)
    })
  })

  it('takes no link for a file of the folder, and nothing in a record for text that is none', async () => {
    const directory = join(root, 'hostile')
    const evil = { toString: 1, valueOf: 1 }
    const put = (name: string, ...all: readonly object[]) =>
      writeFileSync(join(directory, name), all.map((one) => JSON.stringify(one)).join('\n'))
    const oid = (start: string) => start.padEnd(24, '0')
    const [organisation, store, client] = ['6a', '6b', '6c'].map((start) => ({ $oid: oid(start) }))
    const [states, attachments] = ['state', 'statements'].map((face) =>
      join(directory, 'storage', face, oid('6b'), face === 'state' ? 'states' : 'attachments'),
    ) as [string, string]
    for (const path of [states, attachments]) mkdirSync(path, { recursive: true })
    writeFileSync(join(root, 'elsewhere'), 'not of the export')
    const sha2 = createHash('sha256').update('not of the export').digest('hex')
    symlinkSync(join(root, 'elsewhere'), join(states, `${oid('6d')}.bin`))
    symlinkSync(join(root, 'elsewhere'), join(attachments, `${sha2}.bin`))
    put('organisations.json', { _id: organisation, name: 'One' })
    put('lrs.json', { _id: store, organisation })
    put('client.json', { _id: client, organisation, lrs_id: store, title: 'One', scopes: [evil, 'all'] })
    const row = { organisation, lrs_id: store, client }
    const { statement } = statementOf(0, size)
    const usageType = 'urn:u'
    const described = { usageType, display: { en: 'A' }, contentType: 'text/plain', length: 17, sha2 }
    put(
      'statements.json',
      { ...row, statement: { ...statement, id: '10000000-0000-4000-8000-000000000001', attachments: [described] } },
      { ...row, statement: { ...statement, id: '10000000-0000-4000-8000-000000000002', stored: { $date: evil } } },
    )
    const state = {
      organisation,
      lrs: store,
      activityId: 'urn:a',
      agent: { mbox: 'mailto:a@example.org' },
      content: null,
    }
    put(
      'states.json',
      { ...state, _id: { $oid: oid('6d') }, stateId: 'linked', contentType: 'text/plain', extension: 'bin' },
      { ...state, _id: { $oid: oid('6e') }, stateId: 'evil', contentType: 'text/plain', extension: evil },
    )
    const importer = learningLockerImporter({ directory, attachments: join(directory, 'storage') })
    const { report } = await runOn(world.core, importer)
    expect(report.kinds).toMatchObject({
      clients: { stored: 1 },
      statements: { stored: 1, rejected: 1 },
      documents: { stored: 0, rejected: 2 },
    })
    expect(report.kinds.attachments).toBeUndefined()
  })

  it.each(['storage', '.', 'storage/statements', 'elsewhere'])('looks for attachments below %s', async (folder) => {
    const directory = mkdtempSync(join(root, 'attached-'))
    const put = (name: string, one: object) => writeFileSync(join(directory, name), JSON.stringify(one))
    const start = { storage: '71', '.': '72', 'storage/statements': '73', elsewhere: '74' }[folder]
    const [organisation, store] = ['a', 'b'].map((one) => ({ $oid: `5${one}${start}`.padEnd(24, '0') })) as [
      object,
      { readonly $oid: string },
    ]
    put('organisations.json', { _id: organisation, name: 'One' })
    put('lrs.json', { _id: store, organisation })
    const sha2 = createHash('sha256').update('kept').digest('hex')
    const described = { usageType: 'urn:u', display: { en: 'A' }, contentType: 'text/plain', length: 4, sha2 }
    const statement = { ...statementOf(0, size).statement, attachments: [described] }
    put('statements.json', { organisation, lrs_id: store, statement })
    const kept = join(directory, 'storage', 'statements', store.$oid, 'attachments')
    mkdirSync(kept, { recursive: true })
    writeFileSync(join(kept, `${sha2}.txt`), 'kept')
    const attachments = join(directory, folder)
    const { report } = await runOn(world.core, learningLockerImporter({ directory, attachments }))
    const lacking = `attachments without a file in the folder of attachments: ${join(attachments, 'statements', store.$oid, 'attachments', sha2)}.*`
    expect(report.kinds.attachments?.stored).toBe(folder === 'elsewhere' ? undefined : 1)
    expect(report.warnings.filter((one) => one.startsWith('attach'))).toEqual(folder === 'elsewhere' ? [lacking] : [])
  })

  it('says of each thing what is wrong with it, and takes the rest', async () => {
    const organisation = { _id: { $oid: organisationOid(0) }, name: 'One \u001b[2J\u0000' }
    const store = { _id: { $oid: storeOid(0) }, organisation: { $oid: organisationOid(0) } }
    const client = {
      _id: { $oid: clientOf(0).oid },
      organisation: { $oid: organisationOid(0) },
      lrs_id: { $oid: storeOid(0) },
    }
    const lines = (...all: readonly unknown[]) =>
      all.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n')
    const row = (statement: unknown, more: object = {}) => ({
      lrs_id: { $oid: storeOid(0) },
      client: client._id,
      statement,
      ...more,
    })
    const good = statementOf(0, size).statement
    const { report, rejected } = await importing({
      'organisations.json': lines(organisation, organisation, { name: 'nobody' }, '[1]', 'null', '{'),
      'lrs.json': lines(
        store,
        { _id: { $oid: storeOid(1) } },
        { ...store, _id: { $oid: storeOid(2) }, organisation: { $oid: organisationOid(3) } },
      ),
      'client.json': lines(
        client,
        { ...client, _id: 'x' },
        { ...client, _id: { $oid: clientOf(1).oid }, api: { basic_key: 'a:b', basic_secret: 'c' } },
      ),
      'statements.json': lines(
        ...[
          row(good),
          row(null),
          row([]),
          row({}),
          row({ ...good, id: 7 }),
          row(good, { lrs_id: null }),
          '{"a":1,"a":2}',
          '{"statement":1e999}',
        ],
        row({ ...good, attachments: [null, 7] }),
        // Without one, the Lrs says which organisation; a client that is gone; a number that no double holds.
        JSON.stringify(
          row({ ...good, id: '00000000-0000-4000-8000-000000000001', result: { extensions: { 'urn:n': 77 } } }),
        ).replace('77', '9007199254740993'),
      ),
      'states.json': lines(
        { _id: { $oid: storeOid(5) }, lrs: store._id },
        { _id: 7, lrs: store._id },
        { lrs: store._id, stateId: 'a' },
      ),
    })
    const told = (kind: string) => rejected.filter((one) => one.kind === kind).map(({ reason }) => reason)
    expect(report.kinds).toMatchObject({
      organisations: { read: 6, stored: 1, rejected: 5 },
      lrs: { read: 3, stored: 1, rejected: 2 },
      clients: { read: 3, stored: 1, rejected: 2 },
      statements: { read: 10, stored: 2, rejected: 8 },
      documents: { read: 3, stored: 0, rejected: 3 },
    })
    expect(told('organisations')).toEqual([
      `Another one has the _id ${organisationOid(0)}.`,
      'Its _id is no ObjectId.',
      'It is no document: no object of JSON.',
      'It is no document: no object of JSON.',
      'This is not valid JSON at position 1.',
    ])
    expect(told('lrs')[1]).toContain(`organisation ${organisationOid(3)} is not among those imported`)
    expect(told('clients')[1]).toContain('must not contain a colon')
    expect(told('statements').every((reason) => reason.length > 10)).toBe(true)
    expect(report.warnings).toContain(
      'numbers beyond 2^53 are rounded, as in all JSON that JavaScript reads: 9007199254740993',
    )
  })
})
