// What commands answer, in this process on a data directory of its own: wrong input first.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../config.ts'
import type { CommandContext } from './context.ts'
import { callerIn } from './context.ts'
import { firstStart } from './first-start.ts'
import { openData } from './open-data.ts'
import type { OpenData } from './open-data.ts'
import { run } from './run.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-run-'))
const config = loadConfig({
  CLAVIGER_DATA: directory,
  CLAVIGER_BOOTSTRAP_KEY: 'first',
  CLAVIGER_BOOTSTRAP_SECRET: 'first-secret-0123456789',
})
let opened: OpenData
beforeAll(async () => {
  opened = await openData(config, { threads: 'inline' })
  await firstStart(opened, config)
})
afterAll(async () => {
  await opened.app.close()
  rmSync(directory, { recursive: true })
})

async function cli(argv: readonly string[], more: Partial<CommandContext> = {}) {
  const ended = { out: '', err: '' }
  const streams = { out: (text: string) => void (ended.out += text), err: (text: string) => void (ended.err += text) }
  const code = await run(argv, { config, streams, open: () => Promise.resolve(opened), ...more })
  return { code, ...ended }
}

/** A command line as one would type it; no word here has a space. */
const typed = (line: string, more: Partial<CommandContext> = {}) => cli(line.split(' '), more)

const eventCount = async (): Promise<number> =>
  (await opened.core.audit.list(callerIn(opened, 1 as never), { limit: 1000 })).events.length

it('names --organisation where it is taken', async () => {
  expect((await typed('lrs list --help')).out).toContain('--organisation <id>')
  for (const line of ['compare --help', 'config --help', 'master-key rotate --help']) {
    const { out } = await typed(line)
    expect(out).toContain('--json')
    expect(out).not.toContain('--organisation')
  }
})

it('asked about what needs a vendor’s scope, names the preset that has it, and that allows it', async () => {
  const { id } = JSON.parse((await typed('credential create --name Reads --preset read-only --json')).out)
  const refused = await typed(`ask ${id} GET /api/v2/client --json`)
  const command = `claviger credential set ${id} --preset learninglocker/all`
  expect([refused.code, JSON.parse(refused.out).remedy]).toEqual([1, command])
  expect((await typed(command.replace('claviger ', ''))).code).toBe(0)
  expect((await typed(`ask ${id} GET /api/v2/client`)).code).toBe(0)
  expect((await typed(`credential revoke ${id}`)).code).toBe(0)
})

describe('wrong input', () => {
  it.each([
    ['credential create --name A --pin-actor mailto:ann', '--pin-actor "mailto:ann": An mbox is mailto: and an e-mail'],
    ['credential create --name A --pin-activity course', '--pin-activity "course": A pinned activity is an absolute'],
    ['credential create --name A --limit-address x', '--limit-address "x": '],
    ['credential create --name A --key a:b', '--key "a:b": A key must not contain a colon'],
    ['credential create --name A --manage all@lrs/77', '--manage "all@lrs/77": The organisation has no Lrs 77.'],
    ['credential create --name A --manage data@application/X/Y', 'application/ID or lrs/ID'],
    ['credential create --name A --manage data@applications', 'Management of data reaches into Lrs'],
    ['credential create --name A --expires 2030-02-31', '--expires 2030-02-31: there is no such day'],
    ['credential create --name A --secret seven77', '--secret must have at least 8 characters'],
    ['ask first GET xapi/statements', 'the path begins with /: /xapi/statements'],
    ['callback serve-example --port 0 --user ann', '--user takes a name and a password, such as ann:PASSWORD'],
    ['callback serve-example --port 0 --user :x', '--user takes a name and a password, such as ann:PASSWORD'],
    [
      'credential create --name A --preset isolatd',
      'the preset isolatd is not known; did you mean isolated? There are:',
    ],
    ['organisation create Acme --oid XYZ', '--oid "XYZ": An oid is 24 lower-case hex digits.'],
    ['organisation show abc', '<id> takes an id, a whole number, not "abc"'],
    ['lrs show abc', '<id> must be a whole number'],
    ['serve now', 'serve takes no arguments; settings are environment variables'],
    [
      'serve --port 9000',
      'serve takes no options; settings are environment variables: CLAVIGER_PORT=9000 claviger serve',
    ],
    ['serve --base-url=https://a.example --x', 'CLAVIGER_BASE_URL=https://a.example claviger serve'],
  ])('%s', async (line, words) => {
    const before = await eventCount()
    const { code, out, err } = await typed(line)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(words)
    expect(err).toMatch(/^error: [^\n]+\n$/)
    expect(err).not.toMatch(/\/(pins|rights|limits)|\^|seven77/)
    expect(await eventCount()).toBe(before)
  })

  it.each([
    [['credential', 'create', '--name', ''], '--name must not be empty'],
    [['credential', 'create', '--name', 'A', '--key', '  '], '--key must not be empty'],
    [['organisation', 'create', ' '], '<name> must not be empty'],
  ])('%j', async (argv, words) => {
    expect(await cli(argv)).toEqual({ code: 2, out: '', err: `error: ${words}\n` })
  })

  it('several things at once, a line each', async () => {
    const { code, err } = await typed('credential create --name A --key a:b --pin-activity course')
    expect(code).toBe(2)
    expect(err).toMatch(/^error: 2 things are wrong:\n {2}--key "a:b": .*\n {2}--pin-activity "course": .*\n$/)
  })

  it('a short secret on standard input', async () => {
    const ended = await typed('credential create --name A --secret-stdin', { stdin: 'seven77\n' })
    expect(ended).toEqual({
      code: 2,
      out: '',
      err: 'error: the secret on standard input must have at least 8 characters\n',
    })
  })

  it.each(['credentail list --json', 'credential list --json --x', 'credential create --json', '--json'])(
    'as JSON: %s',
    async (line) => {
      const { code, out, err } = await typed(line)
      expect([code, out]).toEqual([2, ''])
      expect(JSON.parse(err)).toEqual({ error: { code: 'usage', message: expect.any(String), failures: [] } })
    },
  )

  it.each([
    ['organisation show 43', 'there is no organisation 43 (<id>); claviger organisation list shows them'],
    ['lrs list -o 43', 'there is no organisation 43 (--organisation); claviger organisation list shows them'],
    ['doctor -o 43', 'there is no organisation 43 (--organisation)'],
    ['lrs show 43', 'there is no Lrs 43; claviger lrs list shows them'],
    ['lrs create Again --id 1', '--id 1: '],
    ['credential create --name A --key first', 'The key "first" is already in use'],
  ])('what is not there, or taken: %s', async (line, words) => {
    const { code, err } = await typed(line)
    expect(code).toBe(1)
    expect(err).toContain(`error: ${words}`)
  })
})

describe('looking', () => {
  it.each(['--version', '-V', 'version'])('%s', async (word) => {
    expect(await typed(word)).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), err: '' })
  })

  it('lrs show names the keys that reach it', async () => {
    expect((await typed('lrs show 1')).out).toMatch(
      /organisation +1 \(Default\), whose default it is\n[^]*\n {2}1 +First credential +first +home\n/,
    )
    await typed('lrs create Empty --id 8')
    expect((await typed('lrs show 8')).out).toContain('No key reaches it.')
    expect(JSON.parse((await typed('lrs show 1 --json')).out)).toMatchObject({
      id: 1,
      isDefault: true,
      credentialIds: [1],
    })
  })

  it('doctor leaves no trace, and looks at one organisation when told', async () => {
    await typed('organisation create Other --id 5')
    const before = await eventCount()
    const all = await typed('doctor')
    expect(all.out).toContain('audit log of organisation 5')
    expect(all.out).toMatch(/\n0 problems, \d+ warnings?\n$/)
    expect((await typed('doctor -o 1')).out).not.toContain('organisation 5')
    expect(await eventCount()).toBe(before)
  })

  it('empty lists say so', async () => {
    expect((await typed('credential list -o 5')).out).toBe('none\n')
    expect((await typed('usage -o 5')).out).toBe('No key was used yet.\n')
    expect((await typed('usage 1')).out).toBe('Credential 1 (First credential) was never used.\n')
  })
})

describe('enabling', () => {
  it('says what still keeps the key from working', async () => {
    const made = await typed('credential create -o 1 --name Late --key late --expires 1s --json')
    const { id } = JSON.parse(made.out) as { id: number }
    await opened.core.credentials.update(callerIn(opened, 1 as never), id as never, { expiresAt: 1 })
    await typed('credential disable late')
    const { code, out, err } = await typed('credential enable late')
    expect([code, out]).toEqual([0, `Credential ${id} (Late) is enabled.\n`])
    expect(err).toContain('it is still refused: it expired 1970-01-01')
    expect(err).toContain(`claviger credential set ${id} --no-expires`)
  })
})

describe('a preset', () => {
  it.each(['scormcloud-v1/READ_ANY', 'scormcloud-v1/read-any', 'ScormCloud-V1/ReadAny'])(
    'is found as %s',
    async (preset) => {
      const { code, out } = await typed(`credential create -o 1 --name Words --preset ${preset} --json`)
      expect([code, JSON.parse(out)]).toMatchObject([0, { words: { 'scormcloud-v1': expect.anything() } }])
    },
  )
})

describe('the audit log', () => {
  it('is listed newest first, by key, also of one that is gone', async () => {
    const key = 'passing'
    await typed(`credential create -o 1 --name Passing --key ${key}`)
    await typed(`session create ${key}`)
    await typed('credential create -o 1 --name Other --key other')
    await typed(`credential revoke ${key}`)
    const actions = async (line: string): Promise<string[]> =>
      (JSON.parse((await typed(`audit list -o 1 --json ${line}`)).out) as { events: { action: string }[] }).events.map(
        ({ action }) => action,
      )
    expect(await actions(`--key ${key}`)).toEqual(['credential.create', 'session.create', 'credential.delete'])
    expect(await actions(`--key ${key} --newest --limit 2`)).toEqual(['credential.delete', 'session.create'])
    expect((await actions('--newest --limit 1'))[0]).toBe('credential.delete')
    expect(await actions(`--key nobody`)).toEqual([])
    expect((await typed('audit list -o 1 --key nobody')).out).toBe('none\n')
  })

  it('is cut for eyes only', async () => {
    expect((await typed('audit list -o 1', { isTerminal: true })).out).toContain('…')
    expect((await typed('audit list -o 1')).out).not.toContain('…')
  })

  it('tells of a new master key in every organisation', async () => {
    const { out } = await typed('master-key rotate')
    expect(out).toContain('2 organisations')
    for (const id of [1, 5]) {
      expect((await typed(`audit list -o ${id} --newest --limit 1`)).out).toMatch(/command line +master-key\.rotate/)
    }
    expect((await typed('audit verify')).code).toBe(0)
  })
})
