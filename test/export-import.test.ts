// What claviger export takes along, claviger import claviger puts back on the other engine: all of it, to the byte.
// scripts/export-import.ts does the same with the program, much more of it, and back.

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createCore } from '../src/core/core.ts'
import type { Core } from '../src/core/core.ts'
import { runExport } from '../src/exporting/export.ts'
import type { ExportSettings } from '../src/exporting/export.ts'
import { clavigerImporter } from '../src/importing/claviger/importer.ts'
import { openCore } from './support/core.ts'
import type { OpenCore } from './support/core.ts'
import type { ImportStage } from '../src/importing/import.ts'
import { runOn } from './support/import-run.ts'
import {
  canonical,
  differences,
  fillWorld,
  mergeLong,
  operator,
  tellWorld,
  worldOptions,
} from './support/portable-world.ts'
import type { World } from './support/portable-world.ts'
import { createPlace } from './support/store.ts'
import type { Place } from './support/store.ts'

const passphrase = 'a passphrase of several words'
const later = { now: () => Date.parse('2026-01-03T00:00:00Z') }

let source: OpenCore
let world: World
let root: string
let whole: string
let told: ReadonlyMap<string, unknown>
const others: { readonly core: Core; readonly place: Place }[] = []

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'claviger-export-'))
  source = await openCore({ limits: worldOptions.limits, baseUrl: worldOptions.baseUrl })
  world = await fillWorld(source.core, 20)
  source.clock.pass(later.now() - source.clock.now())
  whole = join(root, 'whole')
  told = await tellWorld(source.core, world, 12)
  await exported(whole, { passphrase, withCsv: true })
}, 60_000)
afterAll(async () => {
  for (const { core, place } of others) {
    await core.close()
    await place.remove()
  }
  await source.close()
  rmSync(root, { recursive: true, force: true })
})

async function exported(to: string, part: Partial<ExportSettings> = {}) {
  const { items } = await source.core.organisations.list(operator, { offset: 0, limit: 100 })
  const settings = { isGzip: false, withCsv: false, signal: new AbortController().signal, onStage: () => {} }
  const organisationIds = items.map(({ id }) => id)
  return runExport({ core: source.core, operator, to, organisationIds, ...settings, ...part })
}

/** Empty, on the other engine unless named. */
async function openOther(engine: 'sqlite' | 'postgres' = inject('engine') === 'sqlite' ? 'postgres' : 'sqlite') {
  const place = await createPlace(engine)
  const storage = await place.open({ clock: later })
  const core = await createCore({ ...worldOptions, storage, clock: later, masterKey: Buffer.alloc(32, 3) })
  others.push({ core, place })
  return core
}

const importer = (directory: string, given: string | undefined = passphrase, withoutSecrets = false) =>
  clavigerImporter({ directory, passphrase: given, withoutSecrets })
/** But for what keys see. */
async function differing(core: Core): Promise<readonly string[]> {
  const found = await tellWorld(core, { ...world, pairs: [] })
  return differences(new Map([...told].filter(([name]) => !name.startsWith('key '))), found)
}

/** As anybody can who changes it: the sums are no signature. */
function signAgain(directory: string): void {
  const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
  const sums = join(directory, 'SHA256SUMS')
  const names = readFileSync(sums, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(66))
  const text = names.map((name) => `${sha256(readFileSync(join(directory, name)))}  ${name}\n`).join('')
  writeFileSync(sums, text)
  const manifest = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'))
  manifest.files.sumsSha256 = sha256(text)
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest))
}

const messageOf = (attempt: Promise<unknown>) => attempt.then(String, (error: Error) => error.message)

async function organisationsIn(core: Core): Promise<number> {
  return (await core.organisations.list(operator, { offset: 0, limit: 1 })).total
}

describe('an export, imported on the other engine', () => {
  let core: Core
  beforeAll(async () => void (core = await openOther()))

  it('is looked at by a dry run, which writes nothing', async () => {
    const { report } = await runOn(core, importer(whole), { isDryRun: true })
    expect(await organisationsIn(core)).toBe(0)
    expect(report.kinds.statements?.rejected).toBe(0)
    expect(report.kinds.statements?.checked).toBeGreaterThan(60)
    expect(report.kinds.organisations).toMatchObject({ checked: 3, rejected: 0 })
  })

  it('is all there, through core and through xAPI with every key', async () => {
    const { report, rejected } = await runOn(core, importer(whole))
    expect(rejected).toEqual([])
    expect(report).toMatchObject({
      isFinished: true,
      kinds: { organisations: { stored: 3 }, clients: { rejected: 0 } },
    })
    const found = await tellWorld(core, world, 12)
    const names = differences(told, found)
    expect(names.slice(0, 5).map((name) => [name, canonical(told.get(name)), canonical(found.get(name))])).toEqual([])
    expect(found.size).toBeGreaterThan(400)
  }, 60_000)

  it('is found there when it is imported again', async () => {
    const { report, rejected } = await runOn(core, importer(whole))
    expect(rejected).toEqual([])
    const { attachments: _put, ...kinds } = report.kinds
    for (const counts of Object.values(kinds)) expect(counts).toMatchObject({ stored: 0, rejected: 0 })
    expect(await differing(core)).toEqual([])
  })

  it('goes on: keys are made, statements stored, ids given behind those that came', async () => {
    const [organisationId] = world.organisationIds
    const caller = core.signIn.operator(organisationId!, 'test')
    const highest = Math.max(...[...told.keys()].map((name) => Number(/^credential (\d+)$/.exec(name)?.[1] ?? 0)))
    const { credential } = await core.credentials.create(caller, { name: 'New', rights: { xapi: {}, management: [] } })
    expect(credential.id).toBeGreaterThan(highest)
    expect((await core.lrs.create(caller, { name: 'New' })).id).toBeGreaterThan(Math.max(...world.lrsIds))
    const merged = await mergeLong(core, world)
    expect(merged.map(([status]) => status)).toEqual([204, 204])
    expect(merged).toEqual(await mergeLong(source.core, world))
    expect((await core.audit.verify(caller, { isRecorded: false })).brokenAt).toBeUndefined()
  })
})

describe('what an export is', () => {
  const lines = (name: string) =>
    readFileSync(join(whole, name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')

  it('has the text of each statement as it is stored', async () => {
    const [lrsId] = world.lrsIds
    const texts = lines(`lrs/${lrsId}/statements.jsonl`).map((line) => {
      return line.slice(line.indexOf('"statement":') + '"statement":'.length, -1)
    })
    const stored: string[] = []
    const span = { after: 0, through: Number.MAX_SAFE_INTEGER }
    for await (const rows of source.core.exports.statements(operator, lrsId!, span)) {
      stored.push(...rows.map(({ body }) => body))
    }
    expect(texts).toEqual(stored)
  })

  it('holds no secret that is not sealed', async () => {
    const all = readdirSync(whole, { recursive: true, encoding: 'utf8' })
    const text = all
      .filter((name) => /\.(json|jsonl|csv)$/.test(name))
      .map((name) => readFileSync(join(whole, name), 'utf8'))
      .join('')
    for (const { secret } of world.pairs) expect(text.includes(secret)).toBe(false)
    for (const secret of ['p:p', 'pass\\nword', passphrase]) expect(text.includes(secret)).toBe(false)
  })

  it('has a table for analysts, in which nothing is a formula', () => {
    const [lrsId] = world.lrsIds
    const table = readFileSync(join(whole, `lrs/${lrsId}/statements.csv`), 'utf8')
    expect(table.split('\r\n')[0]).toMatch(
      /^id,stored,timestamp,actor_kind,actor_id,actor_name,verb,.*,voided,lrs,organisation$/,
    )
    expect(table).toContain(",'=1+1,")
    expect(table).toContain(`,'+ann,`)
    expect(table).toContain(`,-0.5,1,0,2,true,,PT1S,"'@a,""b""\n",`)
    expect(table).toContain(",'=cmd() again,")
    expect(table).not.toMatch(/(^|,|")[=@]/m)
  })

  it('is recorded in the audit log, and says what has gone', async () => {
    const [organisationId] = world.organisationIds
    const events = await source.events(organisationId)
    expect(events.some(({ action }) => action === 'organisation.export')).toBe(true)
    const [line = ''] = lines(`organisations/${organisationId}/organisation.json`)
    expect((JSON.parse(line) as { gone: number[] }).gone).toHaveLength(1)
  })

  it('may be compressed, of one Lrs, since a time, without secrets', async () => {
    const to = join(root, 'one')
    const [organisationId, archive] = [world.organisationIds[0]!, world.lrsIds[1]!]
    const since = Date.parse('2019-05-06T07:08:09.122Z') * 1000
    const part = { organisationIds: [organisationId], onlyLrs: archive, since, isGzip: true }
    const manifest = await exported(to, part)
    expect(manifest).toMatchObject({ sealing: null, isGzip: true, lrs: [{ id: archive, statements: 5, voided: 1 }] })
    const core = await openOther('sqlite')
    const { report, rejected } = await runOn(core, importer(to, undefined))
    expect(rejected).toEqual([])
    expect(report.kinds).toMatchObject({ lrs: { stored: 1 }, statements: { stored: 5 }, clients: { rejected: 0 } })
    const caller = core.signIn.operator(organisationId, 'test')
    const { items } = await core.credentials.listRevealed(caller, {}, { offset: 0, limit: 100 })
    expect(items.length).toBeGreaterThan(1)
    for (const { credential, secrets } of items) {
      expect(secrets).toEqual([])
      expect(credential.lrsIds).toEqual([archive])
    }
    const bounds = items.flatMap(({ credential }) => credential.rights.management.map(({ bound }) => bound))
    expect(bounds).toEqual([{ kind: 'lrs', id: archive }])
  })
})

describe('an export is refused', () => {
  it('into what holds anything', async () => {
    const to = join(root, 'taken')
    expect(await messageOf(exported(whole))).toContain('There is an export in')
    const controller = new AbortController()
    controller.abort(new Error('stopped'))
    expect(await messageOf(exported(to, { signal: controller.signal }))).toBe('stopped')
    expect(existsSync(join(to, 'manifest.json'))).toBe(false)
    expect(await messageOf(exported(to))).toContain('was interrupted')
    expect(await messageOf(importer(to))).toContain('was interrupted')
    expect(await messageOf(exported(root))).toContain('is not empty')
  })

  it('with a passphrase that anybody guesses', async () => {
    expect(await messageOf(exported(join(root, 'weak'), { passphrase: 'short' }))).toContain('at least 12 characters')
    expect(existsSync(join(root, 'weak'))).toBe(false)
  })
})

describe('an import of an export is refused, and nothing is written', () => {
  let core: Core
  beforeAll(async () => void (core = await openOther('sqlite')))

  it.each([
    ['without its passphrase', undefined, 'give the passphrase'],
    ['with another one', 'not the passphrase', 'This is not the passphrase'],
  ])('%s', async (_, given, message) => {
    const attempt = clavigerImporter({ directory: whole, passphrase: given, withoutSecrets: false })
    expect(await messageOf(attempt)).toContain(message)
  })

  it('from a directory that is none', async () => {
    expect(await messageOf(importer(join(root, 'nowhere')))).toContain('is no export')
  })

  it('where a file was changed', async () => {
    const path = join(whole, `lrs/${world.lrsIds[0]}/statements.jsonl`)
    const before = readFileSync(path)
    writeFileSync(path, Buffer.concat([before, Buffer.from('\n')]))
    expect(await messageOf(runOn(core, importer(whole)))).toContain('is not as it was exported')
    writeFileSync(path, before)
    expect(await organisationsIn(core)).toBe(0)
  })

  it('where what it brings is taken', async () => {
    const made = await core.organisations.create(operator, { name: 'Somebody', id: world.organisationIds[0]! })
    const message = await messageOf(runOn(core, importer(whole)))
    expect(message).toContain('Nothing was imported')
    expect(message).toContain(`The organisation ${made.organisation.id} here is another one`)
    expect(await organisationsIn(core)).toBe(1)
  })

  it('but of a key that is refused nobody gets the id, for its statements are there', async () => {
    const directory = join(root, 'refused')
    cpSync(whole, directory, { recursive: true })
    const [organisationId] = world.organisationIds
    const path = join(directory, `organisations/${organisationId}/credentials.jsonl`)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const first = JSON.parse(lines[0]!) as { id: number; lrsIds: number[] }
    lines[0] = JSON.stringify({ ...first, lrsIds: [999_999] })
    writeFileSync(path, `${lines.join('\n')}\n`)
    signAgain(directory)
    const other = await openOther('sqlite')
    const { report } = await runOn(other, importer(directory))
    expect(report.kinds.clients).toMatchObject({ rejected: 1 })
    const caller = other.signIn.operator(organisationId!, 'test')
    const wanted = { name: 'Next', rights: { xapi: {}, management: [] }, id: first.id as never }
    await expect(other.credentials.create(caller, wanted)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('where a key with its secret is another organisation’s', async () => {
    const other = await openOther('sqlite')
    const made = await other.organisations.create(operator, {
      name: 'Somebody',
      id: 900 as never,
      lrs: { id: 900 as never },
    })
    const caller = other.signIn.operator(made.organisation.id, 'test')
    const pair = world.pairs[0]!
    await other.credentials.create(caller, {
      name: 'Copy',
      rights: { xapi: {}, management: [] },
      ...pair,
      id: 900 as never,
    })
    expect(await messageOf(runOn(other, importer(whole)))).toContain(`The key ${pair.key} with its secret belongs`)
    expect(await organisationsIn(other)).toBe(1)
  })
})

describe('an export that names an organisation that is here', () => {
  type Lines = Readonly<Record<string, (value: any) => unknown>>
  /** What somebody made of it; a member for each file, with what becomes of its first line. */
  function tampered(name: string, changes: Lines): string {
    const directory = join(root, name)
    cpSync(join(root, 'second'), directory, { recursive: true })
    for (const [file, change] of Object.entries(changes)) {
      const path = join(directory, file)
      const [line = '{}', ...rest] = readFileSync(path, 'utf8').trimEnd().split('\n')
      const made = [change(JSON.parse(line))].flat().map((one) => JSON.stringify(one))
      writeFileSync(path, `${[...made, ...rest].join('\n')}\n`)
    }
    signAgain(directory)
    return directory
  }
  const run = async (core: Core, directory: string, intoExisting: readonly number[] = [], isDryRun = false) => {
    const source = { directory, passphrase, withoutSecrets: false, intoExisting: intoExisting as never }
    return (await runOn(core, clavigerImporter(source), { isDryRun })).report
  }
  async function tell(core: Core) {
    const { items } = await core.organisations.list(operator, { offset: 0, limit: 100 })
    return Promise.all(
      items.map(async (organisation) => {
        const caller = core.signIn.operator(organisation.id, 'test')
        const { items: keys } = await core.credentials.list(caller, {}, { offset: 0, limit: 100 })
        const events = await core.audit.list(caller, { limit: 100 })
        return { organisation, keys, lrs: await core.lrs.list(caller), events }
      }),
    )
  }

  let core: Core
  let id: number
  let files: string
  beforeAll(async () => {
    id = world.organisationIds[1]!
    files = `organisations/${id}`
    await exported(join(root, 'second'), { passphrase, organisationIds: [id as never] })
    core = await openOther('sqlite')
  })

  it('makes it, and brings it up to date from the same place', async () => {
    const forged = tampered('forged', {
      [`${files}/organisation.json`]: (one) => {
        return { ...one, organisation: { ...one.organisation, words: { importedFrom: ['f'.repeat(32)], kept: 1 } } }
      },
    })
    expect((await run(core, forged)).existing).toEqual([])
    // An export says nothing of whose imports may come later.
    const words = (await tell(core))[0]!.organisation.words
    expect(words).toEqual({ kept: 1, importedFrom: [expect.not.stringMatching(/^f+$/)] })
    expect((await run(core, forged)).existing).toMatchObject([{ organisationId: id, name: 'Second', keys: 0 }])
  })

  it('is refused from anywhere else, and nothing is written, unless the operator lets it', async () => {
    const rights = {
      xapi: {},
      management: [{ area: 'credentials', actions: ['read'], bound: { kind: 'organisation' } }],
    }
    const directory = tampered('strange', {
      [`${files}/credentials.jsonl`]: (one) => [
        one,
        { ...one, id: 70_000, oid: 'd'.repeat(24), key: 'of-a-stranger', rights, secrets: [] },
      ],
    })
    const before = await tell(core)
    for (const isDryRun of [true, false]) {
      for (const into of [[], [id + 1]]) {
        const message = await messageOf(run(core, directory, into, isDryRun))
        expect(message).toContain('Nothing was imported')
        expect(message).toContain(`${id} “Second” (oid ${before[0]!.organisation.oid})`)
        expect(message).toContain(`--into-existing ${id}`)
      }
    }
    expect(await tell(core)).toEqual(before)
    const told = [{ organisationId: id, oid: before[0]!.organisation.oid, name: 'Second', keys: 1 }]
    expect((await run(core, directory, [id], true)).existing).toEqual(told)
    expect(await tell(core)).toEqual(before)
    const report = await run(core, directory, [id])
    expect(report).toMatchObject({ existing: told, kinds: { clients: { stored: 1, rejected: 0 } } })
    expect((await run(core, directory)).existing).toEqual([{ ...told[0], keys: 0 }])
  })

  it('is refused where an Lrs of it is of an organisation that is not in it', async () => {
    const stray = tampered('stray', {})
    const path = join(stray, 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8'))
    writeFileSync(
      path,
      JSON.stringify({ ...manifest, lrs: [...manifest.lrs, { ...manifest.lrs[0], organisationId: 1 }] }),
    )
    const before = await tell(core)
    expect(await messageOf(run(core, stray, [id]))).toContain('is of organisation 1, which is not in it')
    expect(await tell(core)).toEqual(before)
  })

  it('tells of keys that came though it was cut off, and goes on where it was let', async () => {
    const directory = tampered('cut', {
      [`${files}/credentials.jsonl`]: (one) => [
        one,
        { ...one, id: 70_001, oid: 'e'.repeat(24), key: 'another', secrets: [] },
      ],
    })
    const controller = new AbortController()
    const onStage = ({ title }: ImportStage): void => void (title.startsWith('statements') && controller.abort())
    const let1 = { directory, passphrase, withoutSecrets: false, intoExisting: [id as never] }
    await runOn(core, clavigerImporter(let1), { signal: controller.signal, onStage })
    const report = await run(core, directory)
    expect(report).toMatchObject({ isResumed: true, isFinished: true, existing: [{ organisationId: id, keys: 1 }] })
  })
})

describe('an import that is cut off', () => {
  it('goes on, and ends with the same', async () => {
    const core = await openOther('sqlite')
    const [organisationId, , , application] = [...world.organisationIds.slice(1), ...world.lrsIds]
    const titles = [
      `keys of organisation ${organisationId}`,
      `documents of Lrs ${world.lrsIds[0]}`,
      `statements of Lrs ${application}`,
    ]
    for (const title of titles) {
      const controller = new AbortController()
      let isSeen = false
      const onStage = (stage: ImportStage): void => {
        if (stage.title !== title) return
        isSeen = true
        controller.abort(new Error('stopped'))
      }
      const { report } = await runOn(core, importer(whole), { signal: controller.signal, onStage })
      expect({ title, isSeen, isFinished: report.isFinished }).toEqual({ title, isSeen: true, isFinished: false })
    }
    const { report, rejected } = await runOn(core, importer(whole))
    expect(rejected).toEqual([])
    expect(report).toMatchObject({ isFinished: true, isResumed: true, existing: [] })
    expect(await differing(core)).toEqual([])
  })
})
