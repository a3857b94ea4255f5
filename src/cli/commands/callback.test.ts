// The commands, asking the endpoint that one of them serves: for real, over TLS.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../config.ts'
import type { ApplicationId, OrganisationId } from '../../core/ids.ts'
import { callerIn } from '../context.ts'
import type { CommandContext } from '../context.ts'
import { makeExampleCertificate } from '../example-certificate.ts'
import { firstStart } from '../first-start.ts'
import { openData } from '../open-data.ts'
import type { OpenData } from '../open-data.ts'
import { run } from '../run.ts'
import { serveExample } from './callback-example.ts'
import type { ExampleOptions } from './callback-example.ts'

const directory = mkdtempSync(join(tmpdir(), 'claviger-callback-'))
const certificate = makeExampleCertificate(['localhost'])
writeFileSync(join(directory, 'ca.pem'), certificate.ca)
const config = loadConfig({
  CLAVIGER_DATA: directory,
  CLAVIGER_BOOTSTRAP_KEY: 'first',
  CLAVIGER_BOOTSTRAP_SECRET: 'first-secret-0123456789',
  CLAVIGER_OUTBOUND_ALLOW: 'localhost',
  CLAVIGER_OUTBOUND_CA_FILE: join(directory, 'ca.pem'),
})

let opened: OpenData
let id: ApplicationId
/** What the endpoint said of what it was asked. */
let said: string[]

beforeAll(async () => {
  opened = await openData(config, { threads: 'inline' })
  await firstStart(opened, config)
  id = (await opened.core.applications.create(operator(), { name: 'Courses' })).id
})
beforeEach(async () => {
  said = []
  await opened.core.callbacks.reset(operator(), id)
})
afterAll(async () => {
  await opened.app.close()
  rmSync(directory, { recursive: true })
})

function operator() {
  return callerIn(opened, 1 as OrganisationId)
}

async function cli(argv: readonly string[], more: Partial<CommandContext> = {}) {
  const ended = { out: '', err: '' }
  const streams = { out: (text: string) => void (ended.out += text), err: (text: string) => void (ended.err += text) }
  const code = await run(argv, { config, streams, open: () => Promise.resolve(opened), ...more })
  return { code, ...ended }
}

async function serve(options: Partial<ExampleOptions> = {}): Promise<string> {
  const example = await serveExample({
    ...{ port: 0, users: [], permissions: 'default', behaviour: 'verdict', delayMs: 0, certificate },
    say: (line) => void said.push(line),
    ...options,
  })
  onTestFinished(() => example.close())
  return `https://localhost:${example.port}/`
}

const eventCount = async (): Promise<number> =>
  (await opened.core.audit.list(operator(), { limit: 1000 })).events.length

describe('an endpoint', () => {
  it('is set, shown, tried, forgotten and reset', async () => {
    const url = await serve({ users: ['ann:pass:word'], permissions: 'root' })
    const set = await cli(['callback', 'set', id, url, '--home-page', 'https://lms.example.org', '--mbox'])
    expect(set).toMatchObject({ code: 0, err: '' })
    expect(set.out).toContain('accounts of https://lms.example.org, or the address that their name is')
    const shown = await cli(['callback', 'show', id, '--json'])
    expect(JSON.parse(shown.out)).toEqual({ url, homePage: 'https://lms.example.org', usesMbox: true })
    const ann = await cli(['callback', 'test', id, 'ann', '--password', 'pass:word'])
    expect(ann.code).toBe(0)
    expect(ann.out).toContain('verified, for everything in the application')
    expect(ann.out).toContain('<resp><auth>verified</auth><permissions>root</permissions></resp>')
    const bob = await cli(['callback', 'test', id, 'bob', '--password-stdin', '--json'], { stdin: 'x\n' })
    expect(bob.code).toBe(1)
    expect(JSON.parse(bob.out)).toMatchObject({ user: 'bob', verdict: { kind: 'unverified' }, answer: { status: 200 } })
    expect(said).toEqual([
      expect.stringMatching(/ GET \/ about ann: verified, root$/),
      expect.stringMatching(/ GET \/ about bob: unverified$/),
    ])
    expect((await cli(['callback', 'forget', id])).code).toBe(0)
    expect((await cli(['callback', 'set', id, url, '--no-home-page', '--no-mbox'])).out).toContain(`/lrs/${id}`)
    expect((await cli(['callback', 'reset', id])).code).toBe(0)
    expect((await cli(['callback', 'show', id])).out).toContain('has no callback')
  })

  it.each([
    ['error', /the status 500/],
    ['garbage', /no verdict, so unverified: The answer is no XML/],
  ] as const)('that answers %s has given no verdict', async (behaviour, words) => {
    await cli(['callback', 'set', id, await serve({ behaviour })])
    const { code, out } = await cli(['callback', 'test', id, 'ann', '--password', 'x'])
    expect(code).toBe(1)
    expect(out).toMatch(words)
  })

  it('is named where a user is asked about as if there were a key', async () => {
    const hint = `A user of an application’s callback? claviger callback test ${id} ann`
    expect((await cli(['ask', 'ann', 'GET', '/xapi/statements'])).err).not.toContain(hint)
    await cli(['callback', 'set', id, 'https://localhost:1/'])
    const { code, err } = await cli(['ask', 'ann', 'GET', '/xapi/statements'])
    expect([code, err]).toEqual([1, expect.stringContaining('no credential has the id or key ann')])
    expect(err).toContain(hint)
  })

  it('that is not there is out of reach', async () => {
    await cli(['callback', 'set', id, 'https://localhost:1/'])
    const { code, out } = await cli(['callback', 'test', id, 'ann', '--password', 'hidden'])
    expect(code).toBe(1)
    expect(out).toMatch(/out of reach.*localhost port 1 is not reached \(ECONNREFUSED\)/)
    expect(out).not.toContain('hidden')
  })
})

describe('wrong input', () => {
  it.each([
    [['set', 'ID', 'http://lms.example.org'], 'the URL must begin with https://'],
    [['set', 'ID', 'https://10.0.0.1/'], '10.0.0.1 is no public address'],
    [['set', 'ID', 'https://a.example.org', '--home-page', 'x'], '--home-page "x": The homePage of an account'],
    [['set', 'NOBODY1234', 'https://a.example.org'], 'there is no application NOBODY1234'],
    [['set', 'ID', 'https://a.example.org', '-o', '77'], 'there is no organisation 77'],
    [['test', 'ID', 'ann', '--password', 'x'], 'has no callback'],
    [['test', 'ID', 'ann'], 'give one of --password and --password-stdin'],
    [['forget', 'ID'], 'has no callback'],
    [['serve-example', '--behave', 'well'], '--behave is one of verdict, error, garbage, silence'],
    [['serve-example', '--port', '70000'], '--port must be a whole number'],
  ])('%j', async (words, message) => {
    const before = await eventCount()
    const argv = ['callback', ...words.map((word) => (word === 'ID' ? id : word))]
    const { code, out, err } = await cli(argv, { directory })
    expect(code).not.toBe(0)
    expect(out).toBe('')
    expect(err).toContain(message)
    expect(await eventCount()).toBe(before)
  })
})
