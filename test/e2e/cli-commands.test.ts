// Every command, beside a running server and without one: the same words, the same effects.

import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runAlone } from '../../src/cli/run-alone.ts'
import { askServer, socketPath } from '../../src/cli/socket.ts'
import type { CommandRequest, Streams } from '../../src/cli/socket.ts'
import { loadConfig } from '../../src/config.ts'
import { runProgram, startProgram, temporaryDirectory } from '../support/program.ts'
import type { Ended, StartedProgram } from '../support/program.ts'

const env = {
  CLAVIGER_BASE_URL: 'https://lrs.example.org',
  CLAVIGER_BOOTSTRAP_KEY: 'first',
  CLAVIGER_BOOTSTRAP_SECRET: 'first-secret-0123456789',
}

interface Step {
  readonly argv: readonly string[]
  readonly stdin?: string
  readonly code?: number
  /** Of both streams together. */
  readonly contains?: readonly string[]
  readonly excludes?: readonly string[]
}

const statement = JSON.stringify({
  actor: { mbox: 'mailto:ben@example.org' },
  verb: { id: 'http://adlnet.gov/expapi/verbs/experienced' },
  object: { id: 'https://example.org/a' },
})
const course = ['--key', 'course', '--secret', 'course-secret-0123456789']

/** In this order; each builds on those before. */
const steps: readonly Step[] = [
  { argv: ['version'], contains: ['0.1.0'] },
  { argv: [], code: 2, contains: ['Usage: claviger', 'Examples:'] },
  { argv: ['--help'], contains: ['Exit codes:'] },
  { argv: ['help', 'credential'], contains: ['rotate'] },
  { argv: ['credential', 'create', '--help'], contains: ['isolated', 'Examples:'] },
  { argv: ['credentail'], code: 2, contains: ['Did you mean credential?'] },
  { argv: ['credential', 'list', '--jsno'], code: 2, contains: ['Did you mean --json?'] },
  { argv: ['serve', '--json'], code: 2, contains: ['environment'] },
  { argv: ['config'], contains: ['https://lrs.example.org', '(secret)'], excludes: ['first-secret'] },
  { argv: ['config', '--json'], contains: ['"CLAVIGER_BASE_URL"'], excludes: ['first-secret'] },

  { argv: ['organisation', 'list'], contains: ['Default'] },
  { argv: ['organisation', 'show'], contains: ['Lrs 1', 'watershed.create-status', '200'] },
  { argv: ['organisation', 'set', 'watershed.create-status', '201'], contains: ['201'] },
  { argv: ['organisation', 'set', 'watershed.create-status', '204'], code: 2, contains: ['200'] },
  { argv: ['organisation', 'set', 'watershed.create-statsu', '201'], code: 2, contains: ['did you mean'] },
  { argv: ['organisation', 'set', 'watershed.create-status', '--json'], contains: ['"value": 200'] },
  { argv: ['lrs', 'create', 'Sandbox', '--id', '7'], contains: ['Lrs 7 (Sandbox)'] },
  { argv: ['lrs', 'create', 'Again', '--id', '7'], code: 1, contains: ['error:'] },
  { argv: ['lrs', 'list'], contains: ['Sandbox', '(default)'] },
  { argv: ['lrs', 'update', '7', '--description', 'For trials'], contains: ['Lrs 7 (Sandbox) updated'] },
  { argv: ['lrs', 'update', '7'], code: 2, contains: ['--help'] },
  { argv: ['lrs', 'delete', '1'], code: 1, contains: ['default'] },
  { argv: ['lrs', 'delete', '7'], contains: ['no key reaches it', '0 statements'] },
  { argv: ['lrs', 'list'], excludes: ['Sandbox'] },
  { argv: ['lrs', 'list', '--deleted'], contains: ['Sandbox (deleted)'] },
  { argv: ['lrs', 'restore', '7'], contains: ['is back'] },
  { argv: ['lrs', 'restore', '7'], code: 1, contains: ['not deleted'] },
  { argv: ['organisation', 'update', '--expires', '2001-01-01'], code: 2, contains: ['in the past'] },
  { argv: ['organisation', 'update', '--expires', '2100-01-01'], contains: ['2100-01-01T00:00:00.000Z'] },
  { argv: ['organisation', 'update', '--no-expires'], contains: ['never'] },

  {
    argv: ['credential', 'create', '--name', 'Course', ...course],
    contains: ['It may\n', 'It may not\n', 'store statements', "read other keys' statements", '(as given)'],
    excludes: ['warning', 'course-secret'],
  },
  { argv: ['credential', 'create', '--name', 'Course', ...course], code: 1, contains: ['error:'] },
  {
    argv: [
      'credential',
      'create',
      '--name',
      'Reports',
      '--key',
      'reports',
      '--preset',
      'read-only',
      '--expires',
      '30d',
      '--secret-stdin',
    ],
    stdin: 'reports-secret-0123456789\n',
    contains: ['(as given)', 'expires'],
    excludes: ['reports-secret'],
  },
  { argv: ['credential', 'create', '--name', 'X', '--secret-stdin'], code: 2, contains: ['standard input'] },
  {
    argv: ['credential', 'create', '--name', 'X', '--preset', 'isolatd'],
    code: 2,
    contains: ['did you mean isolated?'],
  },
  {
    argv: ['credential', 'create', '--name', 'X', '--right', 'statements/wrte'],
    code: 2,
    contains: ['statements/write'],
  },
  { argv: ['credential', 'create'], code: 2, contains: ['--name'] },
  {
    argv: [
      'credential',
      'create',
      '--name',
      'Portal',
      '--key',
      'portal',
      '--preset',
      'watershed/isolated',
      '--manage',
      'credentials',
      '--json',
    ],
    contains: ['"mayNot"', 'warning: It administers'],
  },
  {
    argv: [
      'credential',
      'create',
      '--name',
      'Kiosk',
      '--key',
      'kiosk',
      '--right',
      'statements/write',
      '--lrs',
      '7',
      '--pin-actor',
      'mailto:ann@example.org',
      '--limit-address',
      '10.0.0.0/8',
      '--limit-rate',
      '60',
    ],
    contains: ['mailto:ann@example.org', '10.0.0.0/8', '60 requests a minute', '\nOnly\n'],
  },
  { argv: ['credential', 'list'], contains: ['Course', 'Kiosk', 'read-only'], excludes: ['-secret-'] },
  { argv: ['credential', 'list', '--json'], contains: ['"pins"'], excludes: ['-secret-', 'sealed'] },
  { argv: ['credential', 'show', 'course'], contains: ['It may\n'], excludes: ['course-secret'] },
  { argv: ['credential', 'show', '2', '--json'], contains: ['"key": "course"'], excludes: ['course-secret', 'sealed'] },
  { argv: ['credential', 'show', '2', '--as', 'watershed'], contains: ['"lrsAccess": "isolated"', 'course-secret'] },
  { argv: ['credential', 'show', '2', '--as', 'watershd'], code: 2, contains: ['did you mean watershed?'] },
  { argv: ['credential', 'show', 'nobody'], code: 1, contains: ['credential list'] },
  { argv: ['credential', 'show', 'nobody', '--json'], code: 1, contains: ['"error"'] },

  {
    argv: [
      'session',
      'create',
      'course',
      '--expires',
      '30m',
      '--right',
      'statements/write',
      '--pin-actor',
      'mailto:ann@example.org',
    ],
    contains: ['Session', 'It may\n  - store statements'],
  },
  { argv: ['session', 'create', 'reports', '--right', 'statements/write'], code: 1, contains: ['error:'] },

  {
    argv: ['try', 'course'],
    contains: ['stores:              yes', 'its own back:  yes', 'another key’s: no, as it should.'],
  },
  { argv: ['try', 'reports'], contains: ['stores:              no.', 'its own back:  yes', 'another key’s: yes'] },
  {
    argv: ['try', 'kiosk'],
    contains: ['stores:              yes', 'its own back:  no.', 'another key’s: no, as it should.', 'Not judged'],
  },
  { argv: ['try', 'course', '--json'], contains: ['"allowed": true', '"allowed": false'] },
  { argv: ['ask', 'course', 'GET', '/xapi/statements'], contains: ['Allowed', 'statements/read', 'mine'] },
  {
    argv: ['ask', 'reports', 'post', '/xapi/statements'],
    code: 1,
    contains: ['Not allowed', 'statements/write', 'What would allow it'],
  },
  {
    argv: ['ask', 'course', 'GET', '/api/organizations/1/activity-providers'],
    code: 1,
    contains: ['manage/credentials/write', 'claviger credential set 2 --manage credentials'],
  },
  {
    argv: ['ask', 'portal', 'GET', '/api/organizations/1/activity-providers', '--json'],
    contains: ['"allowed": true'],
  },
  {
    argv: ['ask', 'course', 'GET', '/api/organizations/9/lrs/statements'],
    code: 1,
    contains: ['another organisation'],
  },
  { argv: ['ask', 'kiosk', 'POST', '/xapi/statements'], contains: ['Allowed', '--from', '--statement-stdin'] },
  { argv: ['ask', 'kiosk', 'POST', '/xapi/statements', '--from', '192.0.2.1'], code: 1, contains: ['limit addresses'] },
  {
    argv: ['ask', 'kiosk', 'POST', '/xapi/statements', '--statement-stdin'],
    stdin: statement,
    code: 1,
    contains: ['pin actor'],
  },
  { argv: ['ask', 'course', 'GET', '/nowhere'], code: 1, contains: ['nothing at this path'] },
  { argv: ['ask', 'course', 'GET', '/xapi/about'], contains: ['Allowed', 'public'] },
  {
    argv: ['ask', 'reports', 'POST', '/xapi/statements', '--statement-stdin'],
    stdin: statement,
    code: 1,
    contains: ['claviger credential set 3 --right statements/write'],
  },
  {
    argv: ['credential', 'set', 'reports', '--right', 'statements/write:mine', '--no-expires'],
    contains: ['no → mine'],
  },
  { argv: ['credential', 'set', 'reports'], code: 2, contains: ['say what to change'] },
  { argv: ['session', 'list', 'course'], contains: ['live', 'mailto:ann@example.org'] },
  { argv: ['session', 'revoke', 'course', '1'], contains: ['is gone'] },

  { argv: ['credential', 'disable', 'course'], contains: ['disabled'] },
  { argv: ['ask', 'course', 'GET', '/xapi/statements'], code: 1, contains: ['disabled', 'credential enable 2'] },
  { argv: ['try', 'course'], code: 1, contains: ['disabled'] },
  { argv: ['credential', 'enable', 'course'], contains: ['enabled'] },
  {
    argv: ['credential', 'rotate', 'course', '--overlap', '24h', '--secret', 'course-secret-second-012'],
    contains: ['(as given)', '24h'],
    excludes: ['course-secret'],
  },
  { argv: ['credential', 'rotate', 'course', '--overlap', 'a day'], code: 2, contains: ['--overlap'] },
  { argv: ['credential', 'revoke', 'reports'], contains: ['gone'] },
  { argv: ['credential', 'revoke', 'reports'], code: 1, contains: ['no credential'] },

  { argv: ['usage', 'kiosk'], contains: ['(Kiosk) was never used'] },
  { argv: ['usage', '--json'] },
  { argv: ['audit', 'list'], contains: ['credential.create', 'command line'], excludes: ['course-secret'] },
  { argv: ['audit', 'list', '--limit', '1', '--json'], contains: ['"next": 1'] },
  { argv: ['audit', 'verify'], contains: ['unbroken'] },
  { argv: ['doctor'], contains: ['intact', '0 problems'] },
  { argv: ['doctor', '--json'], contains: ['"problems": 0'] },
  { argv: ['master-key', 'rotate'], contains: ['new master key', '1 organisation are'] },
  { argv: ['try', 'course'], contains: ['stores:              yes'] },

  { argv: ['erase'], code: 2, contains: ['say who', '--mbox'] },
  { argv: ['erase', '--mbox', 'ben'], code: 2, contains: ['--mbox takes', 'not "ben"'] },
  { argv: ['erase', '--account', 'ben'], code: 2, contains: ['name@homePage'] },
  { argv: ['erase', '--actor', '{'], code: 2, contains: ['JSON'] },
  { argv: ['erase', '--mbox', 'ann@example.org', '--list'], code: 2, contains: ['--list goes without'] },
  { argv: ['erase', '--mbox', 'ann@example.org', '--lrs', '8'], code: 1, contains: ['no Lrs 8'] },
  { argv: ['erase', '--list'], contains: ['Nothing was ever erased'] },
  {
    argv: ['erase', '--mbox', 'ann@example.org', '--account', 'ann@example.org@https://lms.example.org'],
    contains: ['statements', 'Nothing was changed', 'warning: credential 5 (Kiosk) names the person'],
  },
  { argv: ['erase', '--mbox', 'ann@example.org', '--json'], contains: ['"dryRun": true', '"credentialsNaming"'] },
  { argv: ['erase', '--list'], contains: ['Nothing was ever erased'] },
  {
    argv: ['erase', '--mbox', 'ann@example.org', '--lrs', '7', '--yes'],
    contains: ['has begun', 'a person', 'traces', 'SHA-256', '--receipt'],
  },
  { argv: ['erase', '--mbox', 'ann@example.org', '--yes', '--json'], contains: ['"traces"'], excludes: ['ann@'] },
  { argv: ['erase', '--list'], contains: ['person'], excludes: ['ann@', 'not done'] },
  { argv: ['erase', '--receipt', 'ffff'], code: 1, contains: ['no erasure ffff'] },
  { argv: ['erase', '--resume'], contains: ['Nothing was interrupted'] },
  { argv: ['lrs', 'retention', '7'], contains: ['for ever'] },
  { argv: ['lrs', 'retention', '7', '--dry-run'], code: 2, contains: ['--days'] },
  { argv: ['lrs', 'retention', '7', '--days', '0'], code: 2, contains: ['--days'] },
  { argv: ['lrs', 'retention', '7', '--days', '30', '--off'], code: 2, contains: ['--off'] },
  { argv: ['lrs', 'retention', '7', '--days', '30', '--dry-run'], contains: ['0 statements', 'Nothing was changed'] },
  { argv: ['lrs', 'retention', '7', '--days', '30'], contains: ['for 30 days'] },
  { argv: ['lrs', 'show', '7'], contains: ['for 30 days'] },
  { argv: ['lrs', 'retention', '7', '--off', '--json'], contains: ['"id": 7'], excludes: ['retentionDays'] },
  { argv: ['lrs', 'empty', '7'], contains: ['Nothing was changed'] },
  { argv: ['lrs', 'empty', '7', '--yes'], contains: ['a whole Lrs'] },
  { argv: ['lrs', 'empty', '8'], code: 1, contains: ['no Lrs 8'] },
  {
    argv: ['audit', 'list', '--newest', '--limit', '8'],
    contains: ['erasure.start', 'erasure.finish', 'lrs.retention'],
    excludes: ['ann@'],
  },

  { argv: ['application', '--help'], contains: ['allow-delete', 'key', 'settings'] },
  { argv: ['application', 'create', '--help'], contains: ['Example:', '--id'] },
  { argv: ['application', 'key', 'add', '--help'], contains: ['Examples:', '--secret-stdin'] },
  {
    argv: ['application', 'create', 'Safety courses', '--id', 'SAFETY0001'],
    contains: ['Application SAFETY0001 (Safety courses) created', 'Next: claviger application key add SAFETY0001'],
  },
  { argv: ['application', 'create', 'Again', '--id', 'SAFETY0001'], code: 1, contains: ['--id SAFETY0001: '] },
  { argv: ['application', 'create', 'Again', '--id', 'safety'], code: 2, contains: ['ten of A to Z'] },
  { argv: ['application', 'list'], contains: ['SAFETY0001', 'Safety courses', 'live Lrs'] },
  {
    argv: ['application', 'key', 'add', 'SAFETY0001', '--name', 'LMS'],
    contains: ['secret key', 'The secret is not shown again.', 'Next: claviger application show SAFETY0001'],
  },
  {
    argv: ['application', 'key', 'add', 'SAFETY0001', '--secret-stdin', '--json'],
    stdin: 'safety-secret-0123456789\n',
    contains: ['"applicationId": "SAFETY0001"'],
    excludes: ['safety-secret'],
  },
  { argv: ['application', 'key', 'list', 'SAFETY0001'], contains: ['LMS', 'enabled'], excludes: ['safety-secret'] },
  {
    argv: ['application', 'key', 'disable', 'SAFETY0001', 'none'],
    code: 1,
    contains: ['application SAFETY0001 has no key none; claviger application key list SAFETY0001 shows'],
  },
  { argv: ['application', 'show', 'SAFETY0001'], contains: ['answers xAPI', '/lrs/SAFETY0001/'], excludes: ['sealed'] },
  { argv: ['application', 'show', 'SAFETY0002'], code: 1, contains: ['claviger application list shows them'] },
  { argv: ['application', 'rename', 'SAFETY0001', 'Safety'], contains: ['is called Safety now'] },
  { argv: ['application', 'settings', 'SAFETY0001'], contains: ['Nothing is set'] },
  {
    argv: ['credential', 'create', '--name', 'Desk', '--manage', 'credentials@application/SAFETY0001'],
    contains: ['in application SAFETY0001', 'warning: It administers'],
  },
  { argv: ['credential', 'create', '--name', 'Signs', '--oauth', '--lrs', '7'], contains: ['Signs'] },
  { argv: ['credential', 'list', '--application', 'SAFETY0001'], contains: ['Safety'], excludes: ['Signs'] },
  { argv: ['lrs', 'list'], contains: ['of application', 'SAFETY0001 sandbox'] },
  { argv: ['application-management', 'create'], contains: ['management id', 'warning: whoever has it'] },
  { argv: ['application-management', 'create', '--help'], contains: ['Example:'] },
  { argv: ['application-management', 'list'], contains: ['Application management', 'active'] },
  { argv: ['application', 'allow-delete', 'SAFETY0001', 'no'], contains: ['may be deleted by nobody'] },
  { argv: ['application', 'delete', 'SAFETY0001'], code: 1, contains: ['must not be deleted'] },
  { argv: ['application', 'allow-delete', 'SAFETY0001'], contains: ['may be deleted'] },
  { argv: ['application', 'delete', 'SAFETY0001'], contains: ['is gone'] },
  { argv: ['audit', 'list', '--newest', '--limit', '4'], contains: ['application.delete', 'application.update'] },

  { argv: ['organisation', 'create', 'Acme', '--id', '42', '--lrs-id', '99'], contains: ['Organisation 42 (Acme)'] },
  { argv: ['credential', 'create', '--name', 'Which'], code: 2, contains: ['--organisation', '42 (Acme)'] },
  { argv: ['credential', 'create', '--name', 'Theirs', '-o', '42', '--key', 'course'], contains: ['organisation 42'] },
  { argv: ['credential', 'show', 'course'], code: 2, contains: ['several', 'id:2'] },
  { argv: ['credential', 'show', 'course', '--organisation', '42'], contains: ['Theirs'] },
  { argv: ['credential', 'show', '2', '--organisation', '42'], code: 1 },
  { argv: ['lrs', 'list', '--organisation', 'Acme'], code: 2, contains: ['takes an id'] },
  { argv: ['lrs', 'list', '--organisation', '43'], code: 1, contains: ['error:'] },
]

/** What differs between two runs that did the same. */
function comparable({ code, stdout, stderr }: Ended, dataDirectory: string): object {
  const plain = (text: string): string =>
    text
      .replaceAll(dataDirectory, '<data>')
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '<time>')
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
      .replaceAll(/(?<![0-9a-zA-Z])([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{24})\b/g, '<hex>')
      .replaceAll(/\b[A-Z0-9]{10}\b/g, '<application>')
      .replaceAll(/\b1[78]\d{11}\b/g, '<milliseconds>')
      .replaceAll(/\b1[78]\d{14}\b/g, '<microseconds>')
      .replaceAll(/"[0-9a-f-]*…/g, '"…')
      .replaceAll(/("value": "|CLAVIGER_PORT +)\d+/g, '$1<port>')
      // Columns are as wide as what was replaced in them.
      .replaceAll(/ +/g, ' ')
  return { code, stdout: plain(stdout), stderr: plain(stderr) }
}

describe('every command', () => {
  let program: StartedProgram
  const directories = { server: temporaryDirectory(), alone: temporaryDirectory() }
  const results: { server: Ended; alone: Ended }[] = []

  /** Every tenth command, and all that read standard input, go the whole way: as a process of their own. */
  const isWhole = ({ stdin }: CommandRequest, index: number): boolean => stdin !== undefined || index % 10 === 0

  async function runInServer(request: CommandRequest, index: number): Promise<Ended> {
    if (isWhole(request, index)) return runProgram(request.argv, { dataDirectory: directories.server, env, ...request })
    return collect(async (streams) => (await askServer(socketPath(directories.server), request, streams)) ?? -1)
  }

  async function runHere(request: CommandRequest, index: number): Promise<Ended> {
    if (isWhole(request, index)) return runProgram(request.argv, { dataDirectory: directories.alone, env, ...request })
    const config = loadConfig({
      ...env,
      CLAVIGER_PORT: '0',
      CLAVIGER_DATA: directories.alone,
      CLAVIGER_LOG_LEVEL: 'warn',
    })
    return collect((streams) => runAlone(request, config, streams))
  }

  async function collect(action: (streams: Streams) => Promise<number>): Promise<Ended> {
    const ended = { stdout: '', stderr: '' }
    const streams = {
      out: (text: string) => void (ended.stdout += text),
      err: (text: string) => void (ended.stderr += text),
    }
    return { code: await action(streams), signal: null, ...ended }
  }

  beforeAll(async () => {
    program = await startProgram({ dataDirectory: directories.server, env })
    await (await startProgram({ dataDirectory: directories.alone, env })).stop()
    for (const [index, { argv, stdin }] of steps.entries()) {
      const request = { argv: [...argv], ...(stdin !== undefined && { stdin }) }
      const both = await Promise.all([runInServer(request, index), runHere(request, index)])
      results.push({ server: both[0], alone: both[1] })
    }
  }, 300_000)
  afterAll(async () => {
    await program.stop()
    for (const directory of Object.values(directories)) rmSync(directory, { recursive: true, force: true })
  })

  it.each(steps.map((step, index) => ({ ...step, index, name: step.argv.join(' ') || '(nothing)' })))(
    '$name',
    ({ index, code = 0, contains = [], excludes = [] }) => {
      const { server, alone } = results[index]!
      const text = server.stdout + server.stderr
      expect(server.code, text).toBe(code)
      for (const part of contains) expect(text).toContain(part)
      for (const part of excludes) expect(text).not.toContain(part)
      expect(text).not.toMatch(/\n {4}at /)
      expect(comparable(alone, directories.alone)).toEqual(comparable(server, directories.server))
    },
  )

  it('acts on the running server at once', async () => {
    const ask = async (): Promise<number> => {
      const authorization = `Basic ${Buffer.from('portal:portal-secret-0123456789').toString('base64')}`
      const headers = { authorization, 'x-experience-api-version': '1.0.3' }
      return (await fetch(`${program.url}/xapi/statements`, { headers })).status
    }
    await program.command('credential', 'rotate', 'portal', '--secret', 'portal-secret-0123456789')
    expect(await ask()).toBe(200)
    await program.command('credential', 'disable', 'portal')
    expect(await ask()).toBe(401)
    await program.command('credential', 'enable', 'portal')
    expect(await ask()).toBe(200)
  })
})

describe('without a database', () => {
  it('makes none', async () => {
    const dataDirectory = temporaryDirectory()
    const ended = await runProgram(['credential', 'list'], { dataDirectory })
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^error: there is no database in .*\n$/)
    expect((await runProgram(['audit', 'verify'], { dataDirectory })).code).toBe(1)
    rmSync(dataDirectory, { recursive: true })
  })
})
