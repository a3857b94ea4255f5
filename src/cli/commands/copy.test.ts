// What copy, backup and restore answer when they are typed; what they do is in src/storage/copy.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../../config.ts'
import { firstStart } from '../first-start.ts'
import { newProgress } from '../progress.ts'
import { openData } from '../open-data.ts'
import { runAlone } from '../run-alone.ts'

const root = mkdtempSync(join(tmpdir(), 'claviger-copying-'))
const at = (name: string): string => join(root, name)
const environment = {
  CLAVIGER_DATA: at('data'),
  CLAVIGER_BOOTSTRAP_KEY: 'k',
  CLAVIGER_BOOTSTRAP_SECRET: 'secret-0123456789',
}
beforeAll(async () => {
  const config = loadConfig(environment)
  const opened = await openData(config, { threads: 'inline' })
  await firstStart(opened, config)
  await opened.app.close()
})
afterAll(() => rmSync(root, { recursive: true }))

async function typed(line: string, more: Readonly<Record<string, string>> = {}) {
  const ended = { out: '', err: '' }
  const streams = { out: (text: string) => void (ended.out += text), err: (text: string) => void (ended.err += text) }
  const argv = line.split(' ').filter((word) => word !== '')
  const code = await runAlone({ argv, directory: root }, loadConfig({ ...environment, ...more }), streams)
  return { code, ...ended }
}
const wrongKey = { CLAVIGER_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') }

describe('copy', () => {
  it('says what was copied and what comes next, and puts the key there when asked to', async () => {
    const plain = await typed(`copy --from ${at('data')} --to ${at('plain')}`)
    expect(plain).toMatchObject({ code: 0, err: '' })
    expect(plain.out).toMatch(
      /^Copied and compared: \d+ rows of \d+ tables and 0 files\.\nServe from it with CLAVIGER_DATA=/,
    )
    expect(plain.out).toContain('with the same master key')
    expect(existsSync(at('plain/master.key'))).toBe(false)
    const keyed = await typed(`copy --from ${at('data')} --to ${at('keyed')} --with-master-key -q`)
    expect(keyed).toMatchObject({ code: 0, err: '' })
    expect(readFileSync(at('keyed/master.key'), 'utf8')).toBe(readFileSync(at('data/master.key'), 'utf8'))
    const listed = await typed('credential list', { CLAVIGER_DATA: at('keyed') })
    expect(listed.out).toContain('First credential')
  })

  it('compares, and says with its exit code whether they are the same', async () => {
    await typed(`copy --from ${at('data')} --to ${at('compared')} --with-master-key -q`)
    const same = await typed(`copy --from ${at('data')} --to ${at('compared')} --verify-only`)
    expect(same).toMatchObject({ code: 0, out: expect.stringMatching(/organisation +1 +1 +the same/) })
    await typed('credential create --name Other', { CLAVIGER_DATA: at('compared') })
    const other = await typed(`copy --from ${at('data')} --to ${at('compared')} --verify-only --json`)
    expect(other).toMatchObject({ code: 1, err: '' })
    expect(JSON.parse(other.out)).toMatchObject({ isSame: false })
  })

  it('ahead leaves what nobody can open', async () => {
    const ahead = await typed(`copy --from ${at('data')} --to ${at('ahead')} --ahead --with-master-key -q`)
    expect(ahead).toMatchObject({ code: 0, out: expect.stringContaining('Nobody is served from it yet') })
    const opened = await typed('credential list', { CLAVIGER_DATA: at('ahead') })
    expect(opened).toMatchObject({ code: 1, err: expect.stringContaining('unfinished copy') })
    expect(await typed(`copy --from ${at('data')} --to ${at('ahead')} -q`)).toMatchObject({ code: 0 })
    expect(await typed('credential list', { CLAVIGER_DATA: at('ahead') })).toMatchObject({ code: 0 })
  })

  it.each([
    ['copy --to x', 'required option', 2, {}],
    ['copy --from DATA --to x --verify-only --ahead', '--verify-only goes without', 2, {}],
    ['copy --from DATA --to postgres://h/d --with-master-key', '--with-master-key is for a data directory', 2, {}],
    ['copy --from DATA --to database', 'no database', 1, {}],
    ['copy --from DATA --to x', 'The master key given by the setting is not the one', 1, wrongKey],
    ['copy --from nowhere --to x', 'the master key is missing', 1, {}],
    ['copy --from nowhere --to x', 'There is no database in', 1, wrongKey],
    ['copy --from KEYLESS --to postgres://h/d', 'Where do the data of attachments', 1, {}],
    ['restore --from DATA --to x', 'is not a backup', 1, {}],
    ['copy --from DATA --to postgress://u@h/db', '--to must be a URL such as postgres://', 1, {}],
    ['copy --from mysql://h/db --to x', '--from must be a URL such as postgres://', 1, {}],
    ['copy --from DATA --to postgres://h/db --to-blobs s3://b', '--to-blobs must be a directory', 1, {}],
    ['restore --from DATA --to mysql://h/db', '--to must be a URL such as postgres://', 1, {}],
    ['copy --from DATA --to DATA', 'both the same store', 1, {}],
    ['copy --from DATA --to DATA --verify-only', 'both the same store', 1, {}],
    ['copy --from postgres://u:p@localhost/d --to postgresql://u@127.0.0.1:5432/d', 'both the same store', 1, {}],
    ['copy --from DATA --to DATA/copy/of', 'lie in each other', 1, {}],
    ['copy --from DATA --to ROOT', 'lie in each other', 1, {}],
  ])('%s: %s', async (line, words, code, more) => {
    const { err, ...ended } = await typed(
      line
        .replaceAll('DATA', at('data'))
        .replace('ROOT', root)
        .replace('KEYLESS', at('other'))
        .replace(' x', ` ${at('x')}`),
      more,
    )
    expect(err).toContain(words)
    expect(ended.code).toBe(code)
    expect([existsSync(at('x')), existsSync(at('data/copy'))]).toEqual([false, false])
  })

  it('leaves another key alone', async () => {
    mkdirSync(at('taken'))
    writeFileSync(at('taken/master.key'), Buffer.alloc(32, 3).toString('base64'))
    const { code, err } = await typed(`copy --from ${at('data')} --to ${at('taken')} --with-master-key -q`)
    expect([code, err]).toEqual([1, expect.stringContaining('holds another key')])
    expect(readdirSync(at('taken'))).toEqual(['master.key'])
  })
})

describe('backup and restore', () => {
  it('say what is in it, where the key is, and what to do again', async () => {
    const backup = await typed('backup --to backups -q')
    expect(backup).toMatchObject({ code: 0, err: '' })
    expect(backup.out).toContain(`Backed up to ${at('backups')}: 1 organisation, 1 credential, 0 statements`)
    expect(backup.out).toContain('The master key is not in it')
    const again = await typed('backup --to backups -q')
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is there already') })
    const keyless = await typed(`restore --from ${at('backups')} -q`, { CLAVIGER_DATA: at('empty') })
    expect(keyless).toMatchObject({ code: 1, err: expect.stringContaining('the master key is missing') })
    expect(existsSync(at('empty'))).toBe(false)
  })

  it('make one directory only: a parent that is missing was mistyped, or is not mounted', async () => {
    const refused = await typed('backup --to not/there/backup -q')
    expect(refused).toMatchObject({
      code: 1,
      err: `error: There is no directory ${at('not/there')} to make a backup in.\n`,
    })
    expect(existsSync(at('not'))).toBe(false)
  })

  it('bring back the key that is in the backup', async () => {
    expect(await typed('backup --to keyed-backup --with-master-key --json')).toMatchObject({ code: 0, err: '' })
    const restored = await typed(`restore --from ${at('keyed-backup')} -q`, { CLAVIGER_DATA: at('restored') })
    expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('erased since then are back') })
    const listed = await typed('credential list', { CLAVIGER_DATA: at('restored') })
    expect(listed.out).toContain('First credential')
    const refused = await typed(`restore --from ${at('keyed-backup')} -q`, { CLAVIGER_DATA: at('restored') })
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is not empty') })
  })
})

describe('progress', () => {
  const shown = (isTerminal: boolean, isQuiet = false): string => {
    let text = ''
    const streams = { out: () => {}, err: (words: string) => void (text += words) }
    const progress = newProgress({ streams, isTerminal }, { isQuiet })
    for (let done = 0; done <= 100; done += 50) {
      progress.show({ phase: 'rows', table: 'statement', done, total: 100 })
    }
    progress.show({ phase: 'blobs', done: 7, total: undefined })
    progress.end()
    return text
  }

  it('is a bar where somebody looks', () => {
    expect(shown(true)).toContain('copying statement')
    expect(shown(true)).toContain('100 % of 100')
    expect(shown(true)).toContain('files of attachments and long documents: 7')
  })

  it('is a line every few seconds elsewhere', () => {
    expect(shown(false)).toBe('')
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 2_000))
    try {
      expect(shown(false)).toBe('copying statement: 100 of 100\n')
      expect(shown(false, true)).toBe('')
    } finally {
      clock.mockRestore()
    }
  })
})
