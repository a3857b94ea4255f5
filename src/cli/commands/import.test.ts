// claviger import: what it says of an import, of one that was stopped, and of what it cannot read; the same for every product.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../../config.ts'
import type { CommandContext } from '../context.ts'
import { firstStart } from '../first-start.ts'
import { openData } from '../open-data.ts'
import type { OpenData } from '../open-data.ts'
import { run } from '../run.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-importing-'))
const config = loadConfig({
  CLAVIGER_DATA: join(directory, 'data'),
  CLAVIGER_BOOTSTRAP_KEY: 'k',
  CLAVIGER_BOOTSTRAP_SECRET: 'secret-0123456789',
})
let opened: OpenData
beforeAll(async () => {
  writeExport()
  opened = await openData(config, { threads: 'inline' })
  await firstStart(opened, config)
})
afterAll(async () => {
  await opened.app.close()
  rmSync(directory, { recursive: true })
})

async function typed(line: string, more: Partial<CommandContext> = {}) {
  const ended = { out: '', err: '' }
  const streams = { out: (text: string) => void (ended.out += text), err: (text: string) => void (ended.err += text) }
  const code = await run(line.split(' '), { config, streams, directory, open: () => Promise.resolve(opened), ...more })
  return { code, ...ended }
}
const asJson = async (line: string) => JSON.parse((await typed(`${line} --json`)).out)

const oid = (number: number) => ({ $oid: `59c2371616bc715f83c3450${number}` })
const organisation = { _id: oid(1), name: 'Campus' }
const store = { _id: oid(2), organisation: oid(1), title: 'Courses' }
const client = {
  _id: oid(3),
  organisation: oid(1),
  lrs_id: oid(2),
  title: 'Moodle',
  scopes: ['xapi/all'],
  api: { basic_key: 'moodle', basic_secret: 'never-to-be-seen' },
}
const row = (number: number) => ({
  ...{ organisation: oid(1), lrs_id: oid(2), client: oid(3) },
  statement: {
    id: `10000000-0000-4000-8000-00000000000${number}`,
    actor: { mbox: 'mailto:ann@example.org' },
    verb: { id: 'urn:v' },
    object: { id: 'urn:o' },
    stored: `2020-01-01T00:00:0${number}.000Z`,
  },
})

function writeExport(): void {
  const path = join(directory, 'export')
  mkdirSync(path)
  const put = (name: string, ...rows: readonly unknown[]) =>
    writeFileSync(
      join(path, `${name}.json`),
      rows.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'),
    )
  put('organisations', organisation)
  put('lrs', store)
  put('client', client)
  put('statements', row(1), '{"cut', row(2), row(1))
}

it('says what it would read, and stores nothing', async () => {
  const { code, out, err } = await typed('import learninglocker export --dry-run')
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('warning: clients without an authority') })
  expect(out).toMatch(/^Nothing was stored: this is what would be read\.\n\n +read +without fault +rejected\n/)
  expect(out).toMatch(/\nstatements +4 +3 +1\n/)
  expect(out).toContain(`What was rejected, and why: ${join(directory, 'claviger-import-dry-run.rejects.jsonl')}`)
  expect(JSON.stringify(await asJson('organisation list'))).not.toContain('Campus')
  expect((await typed('import list')).out).toBe('Nothing was ever imported.\n')
})

it('goes on with what was stopped, says what became of everything, and can say so again', async () => {
  const stopping = new AbortController()
  stopping.abort(new Error('gone'))
  const stopped = await typed('import learninglocker export -q', { untilStopped: () => stopping.signal })
  expect(stopped).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^Stopped before the end.*the same command goes on/),
  })
  expect((await typed('import list')).out).toMatch(/learninglocker .*export +\S+ +not finished\n$/)
  const [{ id }] = (await asJson('import list')).imports
  expect(await typed(`import report ${id}`)).toMatchObject({ code: 1, err: expect.stringContaining('is not finished') })

  const passed: string[] = []
  const letOthersPass = () => void passed.push('now')
  const done = await typed('import learninglocker export --rejects no.jsonl', { letOthersPass })
  expect(done.code).toBe(0)
  expect(passed).toEqual(['now'])
  expect(done.out).toMatch(/^Imported in \d+ s, going on with what was interrupted\.\n\n/)
  expect(done.out).toMatch(/\nstatements +4 +2 +1 +1\n/)
  expect(done.out).toMatch(/\norganisation +name +Lrs +statements there now\n2 +Campus +2 +2\n/)
  expect(done.out + done.err).not.toContain('never-to-be-seen')
  const rejects = readFileSync(join(directory, 'no.jsonl'), 'utf8').trim().split('\n')
  expect(rejects.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({
      file: 'statements.json',
      line: 2,
      kind: 'statements',
      reason: 'This is not valid JSON: it ends too early.',
      record: '{"cut',
    }),
  ])
  expect(statSync(join(directory, 'no.jsonl')).mode & 0o077).toBe(0)
  const [record] = (await asJson('import list')).imports
  const again = await typed(`import report ${record.id}`)
  expect(again).toMatchObject({ code: 0, out: done.out })
})

it('finds everything there the second time', async () => {
  const report = await asJson('import learninglocker export')
  expect(report).toMatchObject({
    ...{
      isFinished: true,
      isResumed: false,
      kinds: { clients: { there: 1, stored: 0 }, statements: { stored: 0, there: 3, rejected: 1 } },
    },
    lrs: [{ organisationId: 2, name: 'Campus', lrsId: 2, statements: 2 }],
  })
})

it('can be abandoned where it was stopped', async () => {
  const untilStopped = () => AbortSignal.abort(new Error('gone'))
  await typed('import learninglocker export -q', { untilStopped })
  const [{ id }] = (await asJson('import list')).imports
  expect(await typed(`import abandon ${id}`)).toMatchObject({
    code: 0,
    out: `Import ${id} is abandoned. What it stored stays.\n`,
  })
  expect(await typed(`import abandon ${id}`)).toMatchObject({ code: 1, err: `error: Import ${id} is finished.\n` })
  expect((await typed(`import report ${id}`)).out).toBe(`Import ${id} was abandoned.\n`)
  expect((await typed('import list')).out).toMatch(new RegExp(`${id} .*export +\\S+ +abandoned \\S+`))
})

it.each([
  ['import learninglocker', "missing required argument 'directory'", 1],
  ['import learninglocker nowhere', 'nowhere cannot be read (ENOENT)', 1],
  ['import learninglocker data', 'has none of the files that mongoexport writes', 1],
  ['import learninglocker export --rejects nowhere/no.jsonl', 'cannot be written to', 1],
  ['import report 000000000000000000000000', 'There is no import', 1],
])('%s: %s', async (line, words, code) => {
  const { err, ...ended } = await typed(line)
  expect(err).toContain(words)
  expect(ended.code === 0).toBe(code === 0)
  expect(existsSync(join(directory, 'nowhere'))).toBe(false)
})
