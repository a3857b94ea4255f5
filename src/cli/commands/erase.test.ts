// claviger erase and lrs empty: what may be given together, what is said of what was typed, and what a count and a receipt tell.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../config.ts'
import type { LrsId } from '../../core/ids.ts'
import type { CommandContext } from '../context.ts'
import { firstStart } from '../first-start.ts'
import { openData } from '../open-data.ts'
import type { OpenData } from '../open-data.ts'
import { run } from '../run.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-erase-'))
const [key, secret] = ['first', 'first-secret-0123456789']
const settings = { CLAVIGER_DATA: directory, CLAVIGER_BOOTSTRAP_KEY: key, CLAVIGER_BOOTSTRAP_SECRET: secret }
const config = loadConfig(settings)
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
const asJson = async (line: string) => JSON.parse((await typed(`${line} --json`)).out)
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

async function tell(...actors: readonly object[]): Promise<void> {
  const { core } = opened
  const principal = await core.signIn.basic({ key, secret, within: undefined })
  const text = JSON.stringify(actors.map((actor) => ({ actor, verb: { id: 'urn:v' }, object: { id: 'urn:a' } })))
  await core.statements.store(principal, 1 as LrsId, { text, version: '1.0' })
}

const receipts = async (): Promise<number> => (await asJson('erase --list')).total

describe('wrong input', () => {
  it.each([
    ['erase', 'say who (--mbox'],
    ['erase --yes', 'say who (--mbox'],
    ['erase --mbox a@b.example --list', '--list goes without the others'],
    ['erase --mbox a@b.example --list --yes', '--list goes without the others'],
    ['erase --list --yes', '--list goes without the others'],
    ['erase --list --lrs 1', '--list goes without the others'],
    ['erase --resume --yes', '--resume goes without the others'],
    ['erase --resume --mbox a@b.example', '--resume goes without the others'],
    ['erase --mbox a@b.example --receipt ff --yes', '--receipt goes without the others, but for those that say who'],
    ['erase --receipt ff --lrs 1', '--receipt goes without the others'],
    ['erase --mbox ann', '--mbox takes an e-mail address, such as ann@example.org, not "ann"'],
    [
      'erase --mbox a@b.example --mbox mailto:ann',
      '--mbox takes an e-mail address, such as ann@example.org, not "mailto:ann"',
    ],
    ['erase --mbox-sha1sum 12', '--mbox-sha1sum takes a SHA-1 hash of 40 hex digits, not "12"'],
    ['erase --openid ann', '--openid takes a URL, such as https://ann.example.org/, not "ann"'],
    ['erase --account ann', '--account takes name@homePage, such as 4711@https://lms.example.org, not "ann"'],
    [
      'erase --account ann@https://a<b',
      '--account takes name@homePage, such as 4711@https://lms.example.org, not "ann@https://a<b"',
    ],
    ['erase --actor {', '--actor takes an xAPI Agent as JSON'],
    ['erase --actor {"mbox":"ann"}', '--actor {"mbox":"ann"}, at mbox: '],
    ['erase --actor {"name":"ann"}', '--actor {"name":"ann"}: An Agent has exactly one of mbox'],
  ])('%s', async (line, words) => {
    for (const json of ['', ' --json']) {
      const { code, out, err } = await typed(line + json)
      expect([code, out]).toEqual([2, ''])
      const said: string = json === '' ? err : JSON.parse(err).error.message
      expect(said).toContain(words)
      expect(err).not.toMatch(/\/0/)
      expect(said.trimEnd()).not.toContain('\n')
    }
    expect(await receipts()).toBe(0)
  })

  it('all of it at once', async () => {
    const { code, err } = await typed('erase --mbox ann --mbox a@b.example --openid bob')
    expect([code, err]).toEqual([
      2,
      'error: 2 things are wrong:\n' +
        '  --mbox takes an e-mail address, such as ann@example.org, not "ann"\n' +
        '  --openid takes a URL, such as https://ann.example.org/, not "bob"\n',
    ])
  })
})

describe('an Lrs without anything', () => {
  it('is counted as such, kind by kind', async () => {
    const { id } = await asJson('lrs create Empty')
    const { out } = await typed(`lrs empty ${id}`)
    expect(out).toMatch(
      /^Lrs +statements +attachments +documents +launches +names and definitions\n\d+ +0 +0 +0 +0 +0\n/,
    )
    const counts = { statements: 0, attachments: 0, documents: 0, launches: 0, descriptions: 0 }
    expect(await asJson(`lrs empty ${id}`)).toMatchObject({ dryRun: true, lrs: [{ lrsId: id, counts }] })
  })
})

describe('a count', () => {
  const account = { account: { homePage: 'https://lms.example.org', name: "O'Hara \u001b[2J" } }

  it('warns of who may be the same, with the option that means them', async () => {
    await tell({ mbox: 'mailto:q@b.example' }, account)
    const { out, err } = await typed('erase --mbox Q@b.example --mbox-sha1sum ' + sha1('mailto:q@b.example'))
    expect(out).toMatch(/\n1 +0 /)
    expect(err).toBe(
      'warning: Lrs 1 has mbox mailto:q@b.example, which has the hash and stays; if it is the same person: --mbox q@b.example\n',
    )
    const other = await typed('erase --mbox Q@b.example')
    expect(other.err).toContain('which differs in upper and lower case only and stays')
    const json = await asJson('erase --mbox Q@b.example')
    expect(json.alike).toEqual([{ lrsId: 1, agent: 'mbox mailto:q@b.example', likeness: 'other case' }])
    expect((await typed('erase --mbox q@b.example')).err).toBe('')
  })

  it('says nothing that steers a terminal, and quotes for a shell', async () => {
    const actor = { account: { ...account.account, name: account.account.name.toUpperCase() } }
    const { err } = await cli(['erase', '--actor', JSON.stringify(actor)])
    expect(err).toContain(`--actor '{"account":{"homePage":"https://lms.example.org","name":"O'\\''Hara \\u001b[2J"}}'`)
    expect(err.trimEnd()).not.toMatch(/[\u0000-\u001f]/)
  })
})

describe('an erasure', () => {
  it('says when it has begun, lets others pass from then on, and has a receipt with traces', async () => {
    await tell({ mbox: 'mailto:ann@b.example' })
    const passed: number[] = []
    const letOthersPass = (): void => void passed.push(Date.now())
    expect((await typed('erase --mbox ann@b.example', { letOthersPass })).err).toBe('')
    expect(passed).toEqual([])
    const { out, err } = await typed('erase --mbox ann@b.example --yes', { letOthersPass })
    const [, id] = /^Erasure ([0-9a-f]{24}) has begun/.exec(err) ?? []
    expect(passed).toHaveLength(1)
    const { traces, counts } = await asJson(`erase --receipt ${id}`)
    expect([traces.length, counts.statements]).toEqual([2, 1])
    for (const trace of traces) expect(out).toContain(trace)
    const quiet = await typed('erase --mbox ann@b.example --yes --json')
    expect([quiet.err, JSON.parse(quiet.out).kind]).toEqual(['', 'person'])
  })

  it('is recognised by who has an identifier', async () => {
    const { id } = await asJson('erase --mbox cyd@b.example --openid https://cyd.example.org/ --yes')
    const both = await typed(`erase --receipt ${id} --mbox cyd@B.example --openid https://cyd.example.org/`)
    expect(both).toMatchObject({ code: 0, out: expect.stringContaining(`Erasure ${id} is of this person.`) })
    const one = await typed(`erase --receipt ${id} --mbox cyd@b.example --mbox dan@b.example`)
    expect(one.code).toBe(1)
    expect(one.out).toContain('by some of these identifiers.')
    expect(one.out).toMatch(/mbox mailto:cyd@b\.example +erased\n +mbox mailto:dan@b\.example +not erased then\n/)
    const none = await typed(`erase --receipt ${id} --account cyd@https://b.example`)
    expect(none).toMatchObject({ code: 1, out: expect.stringContaining(`Erasure ${id} is not of this person.`) })
    expect((await typed(`erase --receipt ${id} --mbox cyd`)).err).toContain('--mbox takes an e-mail address')
    expect(await typed('erase --receipt ffff --mbox cyd@b.example')).toMatchObject({ code: 1, out: '' })
  })

  it('of everything is called the same in the list and in its receipt', async () => {
    const { id } = await asJson('lrs create Whole')
    expect((await typed(`lrs empty ${id} --yes`)).out).toContain('a whole Lrs')
    const { out } = await typed('erase --list')
    expect(out).toMatch(/ a whole Lrs /)
    expect(out).toMatch(/ a person /)
  })
})
