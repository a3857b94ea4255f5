// SCORM Cloud's own client for API v2 performs every operation that is served, with Basic and with tokens, against the started
// program.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endpoints } from '../../src/faces/scormcloud-v2/index.ts'
import { startProgram } from '../support/program.ts'
import type { StartedProgram } from '../support/program.ts'
import { Refused, connect, model } from './scormcloud-v2-client.ts'
import type { Api, Caller, Login, Reply } from './scormcloud-v2-client.ts'

let program: StartedProgram
let management: Login
/** Every operation of the library that was called. */
const called = new Set<string>()

beforeAll(async () => {
  program = await startProgram({ env: { CLAVIGER_OUTBOUND_ALLOW: 'http://127.0.0.1' } })
  const made = await program.command('application-management', 'create', '--name', 'Management', '--json')
  const { key, secret } = JSON.parse(made.stdout)
  management = { key, secret }
})
afterAll(() => program.stop())

const noting =
  (call: Caller): Caller =>
  (api, operation, ...args) => {
    called.add(operation)
    return call(api, operation, ...args)
  }
const refusal = async (attempt: Promise<unknown>): Promise<[number, unknown]> => {
  try {
    await attempt
  } catch (error) {
    if (error instanceof Refused) return [error.status, JSON.parse(error.text)]
    throw error
  }
  throw new Error('was not refused')
}

/** An application with its first secret key, made with the library. */
async function newApplication(name: string): Promise<{ id: string; login: Login }> {
  const call = noting(connect(program.url, { management }))
  const { data: application } = await call(
    'ApplicationManagementApi',
    'createApplication',
    model('ApplicationRequestSchema', { name }),
  )
  const { data: made } = await call(
    'ApplicationManagementApi',
    'createCredential',
    application.id,
    model('CredentialRequestSchema', { name: 'First', active: true }),
  )
  return { id: application.id, login: { key: application.id, secret: made.credential } }
}

const expiry = () => new Date(Date.now() + 120_000)
async function tokenOf(login: Login, ...scopes: readonly string[]): Promise<string> {
  const call = noting(connect(program.url, { application: login }))
  const permissions = model('PermissionsSchema', { scopes })
  const request = model('TokenRequestSchema', { permissions, expiry: expiry() })
  return (await call('ApplicationManagementApi', 'createToken', request)).data.result
}

const xapiHeaders = ({ key, secret }: Login) => ({
  authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
  'content-type': 'application/json',
  'x-experience-api-version': '1.0.3',
})
async function store(lrs: string, as: Login): Promise<string> {
  const statement = {
    actor: { mbox: 'mailto:a@example.org' },
    verb: { id: 'https://example.org/did' },
    object: { id: 'https://example.org/it' },
  }
  const init = { method: 'POST', headers: xapiHeaders(as), body: JSON.stringify(statement) }
  const response = await fetch(`${program.url}/lrs/${lrs}/statements`, init)
  expect(response.status).toBe(200)
  const [id] = (await response.json()) as string[]
  return id ?? ''
}
async function find(lrs: string, as: Login, id: string): Promise<number> {
  const url = `${program.url}/lrs/${lrs}/statements?statementId=${id}`
  return (await fetch(url, { headers: xapiHeaders(as) })).status
}

/** As which the same operations are performed. */
const ways = [
  ['Basic', async (login: Login, kind: 'application' | 'management') => ({ [kind]: login })],
  ['a token', async (login: Login) => ({ token: await tokenOf(login, 'admin') })],
  [
    'a token of single words',
    async (login: Login, kind: 'application' | 'management') => {
      const things = kind === 'management' ? ['appmgmt'] : ['appmgmt', 'xapicredential', 'xapipipe']
      const words = things.flatMap((thing) => ['read', 'write', 'delete'].map((verb) => `${verb}:${thing}`))
      const plain = kind === 'management' ? [] : ['read:ping', 'read:about']
      return { token: await tokenOf(login, ...plain, ...words) }
    },
  ],
] as const

describe.each(ways)('with %s', (_way, credentialsOf) => {
  let own: { id: string; login: Login }
  let call: Caller
  let manage: (operation: string, ...args: readonly unknown[]) => Promise<Reply>

  beforeAll(async () => {
    own = await newApplication('Client test')
    call = noting(connect(program.url, await credentialsOf(own.login, 'application')))
    const manager = noting(connect(program.url, await credentialsOf(management, 'management')))
    manage = (operation, ...args) => manager('ApplicationManagementApi', operation, ...args)
  })

  it('ping and about', async () => {
    const { data } = await call('PingApi', 'pingAppId')
    expect(Math.abs(Date.parse(data.currentTime) - Date.now())).toBeLessThan(60_000)
    expect((await call('AboutApi', 'getAbout')).data).toMatchObject({ distribution: 'Claviger' })
  })

  it('applications', async () => {
    const { data: made } = await manage(
      'createApplication',
      model('ApplicationRequestSchema', { name: 'Ünïcode & more' }),
    )
    expect(made).toMatchObject({ id: expect.stringMatching(/^[A-Z0-9]{10}$/), name: 'Ünïcode & more' })
    const { data: all } = await manage('getApplicationList')
    expect(all.applications.map((it: { id: string }) => it.id)).toContain(made.id)
    await manage(
      'updateApplication',
      made.id,
      model('UpdateApplicationSchema', { name: 'Renamed', allowDelete: false }),
    )
    const { data: info } = await manage('getApplicationInfo', made.id, {
      includeCourseCount: true,
      includeRegistrationCount: true,
    })
    expect(info).toMatchObject({ name: 'Renamed', allowDelete: false, courseCount: 0, registrationCount: 0 })
    expect(info.createDate).toBeInstanceOf(Date)
    expect(info.updateDate.getTime()).toBeGreaterThanOrEqual(info.createDate.getTime())
    const { data: listed, headers } = await manage('getApplications', {
      since: new Date(Date.now() - 60_000),
      until: new Date(Date.now() + 60_000),
      datetimeFilter: 'created',
      filter: made.id,
      filterBy: 'app_id',
      orderBy: 'created_desc',
      includeTotalCount: true,
    })
    expect([listed.applications.map((it: { id: string }) => it.id), headers['x-total-count']]).toEqual([[made.id], '1'])
    expect(await refusal(manage('deleteApplication', made.id))).toEqual([400, { message: expect.any(String) }])
    await manage('updateApplication', made.id, model('UpdateApplicationSchema', { allowDelete: true }))
    expect((await manage('deleteApplication', made.id)).status).toBe(204)
    expect((await refusal(manage('getApplicationInfo', made.id, {})))[0]).toBe(404)
  })

  it('secret keys', async () => {
    const request = model('CredentialRequestSchema', { name: 'Second', active: true })
    const { data: made } = await manage('createCredential', own.id, request)
    const second = noting(connect(program.url, { application: { key: own.id, secret: made.credential } }))
    expect((await second('PingApi', 'pingAppId')).status).toBe(200)
    await manage('updateCredential', own.id, made.id, model('CredentialRequestSchema', { active: false }))
    const { data: listed } = await manage('getCredentials', own.id)
    expect(listed.credentials.map((it: { name: string; status: string }) => [it.name, it.status])).toEqual([
      ['First', 'enabled'],
      ['Second', 'disabled'],
    ])
    expect((await refusal(second('PingApi', 'pingAppId')))[0]).toBe(401)
    expect((await manage('deleteCredential', own.id, made.id)).status).toBe(204)
    expect((await refusal(manage('deleteCredential', own.id, made.id)))[0]).toBe(404)
  })

  it('settings', async () => {
    const am: Api = 'ApplicationManagementApi'
    const sent = (value: string) =>
      model('SettingsPostSchema', { settings: [{ settingId: 'PlayerLaunchType', value, explicit: true }] })
    const part = { learningStandard: 'SCORM_12', singleSco: true }
    await call(am, 'setApplicationConfiguration', sent('NEW_WINDOW'), {})
    await call(am, 'setApplicationConfiguration', sent('FRAMESET'), part)
    const item = async (opts: object) => {
      const { data } = await call(am, 'getApplicationConfiguration', opts)
      return data.settingItems.find((it: { id: string }) => it.id === 'PlayerLaunchType')
    }
    expect(await item({})).toMatchObject({ effectiveValue: 'NEW_WINDOW', effectiveValueSource: 'application' })
    expect(await item({ ...part, includeMetadata: true })).toMatchObject({
      effectiveValue: 'FRAMESET',
      effectiveValueSource: 'learningStandardForApplication',
      metadata: {
        dataType: 'Enum',
        validValues: expect.arrayContaining([expect.objectContaining({ value: 'NEW_WINDOW' })]),
      },
    })
    await call(am, 'deleteApplicationConfigurationSetting', 'PlayerLaunchType', part)
    await call(am, 'deleteApplicationConfigurationSetting', 'PlayerLaunchType', {})
    expect(await item(part)).toMatchObject({ effectiveValueSource: 'default' })
  })

  it('xAPI credentials, which work on the application’s LRS', async () => {
    const schema = (secret: string, level: string) =>
      model('XapiCredentialPostSchema', {
        ...{ name: 'Course', info: 'by a test', secret, isEnabled: true },
        auth: { xapiCredentialAuthType: 'BASICAUTH' },
        permissionsLevel: { xapiCredentialPermissionsLevel: level },
      })
    const { data: made } = await call('XapiApi', 'createXapiCredential', schema('a-secret-long-enough', 'DEFAULT'))
    const { data: found } = await call('XapiApi', 'getXapiCredential', made.result)
    expect(found).toMatchObject({ id: made.result, secret: 'a-secret-long-enough', info: 'by a test', isEnabled: true })
    expect(found.permissionsLevel.xapiCredentialPermissionsLevel).toBe('DEFAULT')
    await store(`${own.id}/sandbox`, { key: made.result, secret: 'a-secret-long-enough' })
    const chosen = `chosen-${own.id}`
    expect((await call('XapiApi', 'setXapiCredential', chosen, schema('another-secret-as-long', 'ROOT'))).status).toBe(
      204,
    )
    await call('XapiApi', 'setXapiCredential', chosen, schema('another-secret-as-long', 'READONLY'))
    const { data: listed, headers } = await call('XapiApi', 'getXapiCredentials', {
      filter: 'chosen',
      filterBy: 'credential_id',
      includeTotalCount: true,
    })
    expect(listed.xapiCredentials.map((it: { id: string }) => it.id)).toEqual([chosen])
    expect(headers['x-total-count']).toBe('1')
    expect((await call('XapiApi', 'deleteXapiCredential', chosen)).status).toBe(204)
    expect((await refusal(call('XapiApi', 'getXapiCredential', chosen)))[0]).toBe(404)
    // There is a statement in its sandbox now.
    expect(await refusal(manage('deleteApplication', own.id))).toEqual([
      409,
      { message: expect.stringContaining('sandbox: 1 statement') },
    ])
  })

  it('pages, by the library’s own more', async () => {
    const secret = 'a-secret-long-enough'
    const body = model('XapiCredentialPostSchema', {
      ...{ name: 'Many', secret, isEnabled: true },
      auth: { xapiCredentialAuthType: 'BASICAUTH' },
      permissionsLevel: { xapiCredentialPermissionsLevel: 'USER' },
    })
    for (let n = 0; n < 101; n++) await call('XapiApi', 'setXapiCredential', `many-${own.id}-${n}`, body)
    const first = await call('XapiApi', 'getXapiCredentials', { filter: 'many-' })
    const second = await call('XapiApi', 'getXapiCredentials', { more: first.data.more })
    expect([first.data.xapiCredentials.length, second.data.xapiCredentials.length]).toEqual([100, 1])
    expect(second.data.more).toBeUndefined()
  })

  it('statement pipes, which forward', async () => {
    const other = await newApplication('Target')
    const secret = 'a-secret-long-enough'
    const root = model('XapiCredentialPostSchema', {
      ...{ name: 'Pipe', secret, isEnabled: true },
      auth: { xapiCredentialAuthType: 'BASICAUTH' },
      permissionsLevel: { xapiCredentialPermissionsLevel: 'ROOT' },
    })
    const there = await noting(connect(program.url, { application: other.login }))(
      'XapiApi',
      'createXapiCredential',
      root,
    )
    const here = await call('XapiApi', 'createXapiCredential', root)
    const target = { url: `${program.url}/lrs/${other.id}`, userName: there.data.result, password: secret }
    const post = model('XapiStatementPipePostSchema', { target })
    const { data: made } = await call('XapiApi', 'createStatementPipe', post)
    const { data: found } = await call('XapiApi', 'getStatementPipe', made.result)
    expect(found).toMatchObject({ id: made.result, target: { userName: target.userName } })
    const id = await store(own.id, { key: here.data.result, secret })
    await expect.poll(() => find(other.id, { key: there.data.result, secret }, id), { timeout: 30_000 }).toBe(200)
    const { data: listed } = await call('XapiApi', 'getStatementPipes')
    expect(listed.xapiStatementPipes.map((it: { id: string }) => it.id)).toEqual([made.result])
    const put = model('XapiStatementPipePutSchema', { target: { ...target, url: `${target.url}/sandbox` } })
    expect((await call('XapiApi', 'setStatementPipe', made.result, put)).data.result).toBe(made.result)
    expect((await call('XapiApi', 'deleteStatementPipe', made.result)).status).toBe(204)
    expect((await refusal(call('XapiApi', 'getStatementPipe', made.result)))[0]).toBe(404)
  })
})

describe('tokens', () => {
  it('of either issuer do what their scope says and end when they are meant to', async () => {
    const { login } = await newApplication('Tokens')
    const basic = noting(connect(program.url, { application: login }))
    const { data } = await basic('AuthenticationApi', 'getAppToken', 'read:ping write:course', { expiration: 60 })
    expect(data).toMatchObject({ expiresIn: 60, tokenType: 'bearer' })
    for (const token of [data.accessToken, await tokenOf(login, 'read:ping')]) {
      const call = noting(connect(program.url, { token }))
      expect((await call('PingApi', 'pingAppId')).status).toBe(200)
      const [status, body] = await refusal(call('AboutApi', 'getAbout'))
      expect([status, body]).toEqual([401, { error: 'Authorization Required.', message: expect.any(String) }])
    }
  })

  it('are refused where they ask for too much, or for nothing', async () => {
    const { login } = await newApplication('Tokens')
    const call = noting(connect(program.url, { application: login }))
    const request = (members: object) =>
      call('ApplicationManagementApi', 'createToken', model('TokenRequestSchema', members))
    const permissions = { scopes: ['read:ping'] }
    for (const members of [
      { permissions, expiry: new Date(Date.now() - 1000) },
      { permissions: { scopes: ['read:everything'] }, expiry: expiry() },
      { permissions: { scopes: ['read:ping'], applicationName: 'another' }, expiry: expiry() },
      { expiry: expiry() },
    ]) {
      expect(await refusal(request(members))).toEqual([400, { message: expect.any(String) }])
    }
    expect((await refusal(call('AuthenticationApi', 'getAppToken', 'read:everything', {})))[0]).toBe(400)
  })
})

it('a service that is not offered says so', async () => {
  const { login } = await newApplication('Courses')
  const call = connect(program.url, { application: login })
  expect(await refusal(call('CourseApi', 'getCourses', {}))).toEqual([
    501,
    { message: 'The service courses is not offered here' },
  ])
})

it('keys of the wrong kind, or none, are refused as the library expects', async () => {
  const { login } = await newApplication('Kinds')
  for (const as of [{}, { management: login }, { application: { ...login, secret: 'wrong' }, management: login }]) {
    const call = connect(program.url, as)
    const [status, body] = await refusal(call('ApplicationManagementApi', 'getApplicationList'))
    expect([status, body]).toMatchObject([401, { error: 'Authorization Required.' }])
  }
})

it('every operation that is served was performed', () => {
  expect(endpoints.map(({ answer }) => answer.name).filter((name) => !called.has(name))).toEqual([])
})
