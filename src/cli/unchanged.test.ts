// What a command leaves as it was, byte by byte: a backup, and a database whose master key is missing or wrong.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { takeLastStepBack } from '../../test/support/schema-before.ts'
import { loadConfig } from '../config.ts'
import { firstStart } from './first-start.ts'
import { openData } from './open-data.ts'
import { runAlone } from './run-alone.ts'
import { serve } from './serve.ts'

const root = mkdtempSync(join(tmpdir(), 'claviger-unchanged-'))
const data = join(root, 'data')
const someKey = { CLAVIGER_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }
beforeAll(async () => {
  const config = loadConfig({ CLAVIGER_DATA: data })
  const opened = await openData(config, { threads: 'inline' })
  await firstStart(opened, config)
  await opened.app.close()
})
afterAll(() => rmSync(root, { recursive: true }))

async function typed(line: string, environment: Readonly<Record<string, string>>) {
  const ended = { out: '', err: '' }
  const streams = { out: (text: string) => void (ended.out += text), err: (text: string) => void (ended.err += text) }
  const code = await runAlone({ argv: line.split(' '), directory: root }, loadConfig(environment), streams)
  return { code, ...ended }
}

/** All but the lock. */
function contentOf(directory: string): readonly (readonly [string, string])[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()
  return names
    .filter((name) => !name.startsWith('owner.lock'))
    .map((name) => {
      const path = join(directory, name)
      return [name, statSync(path).isDirectory() ? '' : readFileSync(path, 'base64')]
    })
}

describe('a backup', () => {
  const backup = join(root, 'backup')
  beforeAll(async () => {
    expect(await typed(`backup --to ${backup} --with-master-key -q`, { CLAVIGER_DATA: data })).toMatchObject({
      code: 0,
    })
  })

  it.each(['credential list', 'doctor', 'audit list', 'master-key rotate', 'backup --to other'])(
    'is refused by %s',
    async (line) => {
      const before = contentOf(backup)
      const ended = await typed(line, { CLAVIGER_DATA: backup })
      expect(ended.code).toBe(1)
      expect(ended.out + ended.err).toContain('is a backup')
      expect(contentOf(backup)).toEqual(before)
      expect(existsSync(join(backup, 'owner.lock'))).toBe(false)
    },
  )

  it('is refused by serve, by a node that would put its files there, and as the target of a restore', async () => {
    const before = contentOf(backup)
    await expect(serve(loadConfig({ CLAVIGER_DATA: backup }))).rejects.toThrow('is a backup')
    const node = { CLAVIGER_DATA: backup, CLAVIGER_DATABASE_URL: 'postgres://127.0.0.1:1/none', ...someKey }
    expect(await typed('credential list', node)).toMatchObject({ code: 1, err: expect.stringContaining('is a backup') })
    const copied = await typed(`copy --from ${data} --to ${backup}`, { CLAVIGER_DATA: data })
    expect(copied).toMatchObject({ code: 1, err: expect.stringContaining('is a backup') })
    expect(contentOf(backup)).toEqual(before)
  })

  it('is restored after all that, and served from without its backup.json', async () => {
    const restored = { CLAVIGER_DATA: join(root, 'restored') }
    expect(await typed(`restore --from ${backup} -q`, restored)).toMatchObject({ code: 0, err: '' })
    cpSync(backup, join(root, 'served'), { recursive: true })
    rmSync(join(root, 'served', 'backup.json'))
    expect(await typed('credential list', { CLAVIGER_DATA: join(root, 'served') })).toMatchObject({ code: 0 })
  })
})

it('a directory that another process has open, which may be a server that starts', async () => {
  const opened = await openData(loadConfig({ CLAVIGER_DATA: data }), { threads: 'inline' })
  const { code, err } = await typed('credential list', { CLAVIGER_DATA: data })
  await opened.app.close()
  expect([code, err]).toEqual([1, expect.stringContaining('A server may be starting: try again.')])
  expect(err).toMatch(/^error: Another process is using the data directory [^\n]+\n$/)
})

describe.each([
  ['missing', {}],
  ['another', someKey],
])('a master key that is %s', (what, key) => {
  it('leaves the database as it was, also one that an older version made', async () => {
    const directory = join(root, `keyless-${what}`)
    cpSync(data, directory, { recursive: true })
    renameSync(join(directory, 'master.key'), join(root, `away-${what}`))
    const file = new Sqlite(join(directory, 'claviger.db'))
    // No log, a step of the schema to take, no id: everything that an opening would write.
    file.pragma('journal_mode = delete')
    file.exec(`${takeLastStepBack}; delete from platform_value where name = 'store'`)
    file.close()
    rmSync(join(directory, 'blobs', 'store'))
    const before = contentOf(directory)
    const ended = await typed('credential list', { CLAVIGER_DATA: directory, ...key })
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was changed') })
    expect(contentOf(directory)).toEqual(before)
    renameSync(join(root, `away-${what}`), join(directory, 'master.key'))
    expect(await typed('credential list', { CLAVIGER_DATA: directory })).toMatchObject({ code: 0, err: '' })
    // With a log, as a running server leaves it.
    renameSync(join(directory, 'master.key'), join(root, `away-${what}`))
    const logged = contentOf(directory)
    expect(await typed('doctor', { CLAVIGER_DATA: directory, ...key })).toMatchObject({ code: 1 })
    expect(contentOf(directory)).toEqual(logged)
  })
})

it('a dry run of an import that would make the store makes nothing', async () => {
  const exported = join(root, 'exported')
  const place = join(root, 'not-yet')
  const left = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('claviger-dry-run-'))
  const before = left()
  expect(await typed(`export --to ${exported} -o 1`, { CLAVIGER_DATA: data })).toMatchObject({
    code: 0,
  })
  const line = `import claviger ${exported} --new --without-secrets -q`
  const tried = await typed(`${line} --dry-run`, { CLAVIGER_DATA: place })
  expect(tried).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was stored') })
  expect([existsSync(place), left()]).toEqual([false, before])
  expect(await typed(line, { CLAVIGER_DATA: place })).toMatchObject({ code: 0 })
  expect(existsSync(place)).toBe(true)
})
