// SCORM Cloud's first API as its clients use it, against the started program: npm's scormcloud-api-wrapper, unmodified, and a
// signer of our own that shares nothing with the server. What the official libraries in PHP, Java and Python do is run by hand.

import ScormCloud from 'scormcloud-api-wrapper'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type StartedProgram, startProgram } from '../support/program.ts'
import { type Parameter, signCall } from '../support/v1-signer.ts'

interface Application {
  readonly id: string
  readonly secret: string
}

let program: StartedProgram
let application: Application
beforeAll(async () => {
  program = await startProgram()
  application = await makeApplication('Courses')
})
afterAll(() => program.stop())

async function makeApplication(name: string): Promise<Application> {
  const run = async (...argv: string[]): Promise<Record<string, string>> => {
    const { code, stdout, stderr } = await program.command('application', ...argv, '--json')
    if (code !== 0) throw new Error(stdout + stderr)
    return JSON.parse(stdout) as Record<string, string>
  }
  const { id = '' } = await run('create', name)
  const { secret = '' } = await run('key', 'add', id)
  return { id, secret }
}

const valueIn = (text: string, element: string): string =>
  new RegExp(`<${element}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${element}>`).exec(text)?.[1] ?? ''

async function statusOf(path: string, { key, secret }: { key: string; secret: string }): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const headers = { authorization, 'X-Experience-API-Version': '1.0.3' }
  return (await fetch(`${program.url}/lrs/${application.id}/${path}`, { headers })).status
}

describe('a signer of our own', () => {
  type Send = (query: URLSearchParams) => Promise<Response>
  const form = 'application/x-www-form-urlencoded'
  const ways: readonly [string, Send][] = [
    ['GET, as Python and Ruby', (query) => fetch(`${program.url}/api?${query}`)],
    [
      'POST with all in the query, as PHP',
      (query) =>
        fetch(`${program.url}/EngineWebServices//api?${query}`, {
          method: 'POST',
          body: '',
          headers: { 'Content-Type': form },
        }),
    ],
    [
      'POST with all in the body and a digest in capitals, as Java',
      (query) => {
        query.set('sig', query.get('sig')!.toUpperCase())
        return fetch(`${program.url}/EngineWebServices/api`, { method: 'POST', body: query })
      },
    ],
  ]

  it.each(ways)('performs every call: %s', async (_, send) => {
    const call = async (method: string, ...parameters: readonly Parameter[]): Promise<string> => {
      const { id: key, secret } = application
      const time = Date.now()
      const named: Parameter[] = [['method', `rustici.${method}`], ['origin', 'acme.demo.1.0'], ...parameters]
      const response = await send(signCall({ key, secret, time }, named))
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/xml; charset=utf-8')
      const text = await response.text()
      expect(text).toMatch(/^<\?xml version="1\.0" encoding="utf-8" \?><rsp stat="ok">.*<\/rsp>$/)
      return text
    }
    expect(await call('debug.ping')).toContain('<pong/>')
    expect(await call('debug.authPing')).toContain('<pong/>')
    expect(valueIn((await call('debug.getTime')).replace(' tz="UTC"', ''), 'currenttime')).toMatch(/^\d{14}$/)

    const made = await call('lrsaccount.createActivityProvider')
    const key = valueIn(made, 'accountKey')
    const login = { key, secret: valueIn(made, 'accountSecret') }
    expect(await call('lrsaccount.listActivityProviders')).toContain(
      made.slice(made.indexOf('<id>'), made.indexOf('</activityProvider>')),
    )
    expect(await statusOf('statements', login)).toBe(200)

    const label = 'Forum & Ünïcode'
    const edited = await call(
      'lrsaccount.editActivityProvider',
      ['accountkey', key],
      ['label', label],
      ['permissionslevel', 'WRITE_ONLY'],
    )
    expect([valueIn(edited, 'accountLabel'), valueIn(edited, 'permissionsLevel')]).toEqual([label, 'WRITE_ONLY'])
    expect(await statusOf('statements', login)).toBe(403)
    await call('lrsaccount.editActivityProvider', ['accountkey', key], ['isactive', ''])
    expect(await statusOf('sandbox/statements', login)).toBe(401)

    const url = 'https://lms.example.com/cb?x=1&y=2'
    await call('lrsaccount.setAppLrsAuthCallbackUrl', ['lrsAuthCallbackUrl', url])
    expect(await call('lrsaccount.getAppLrsAuthCallbackUrl')).toContain('cb?x=1&amp;y=2</lrsAuthCallbackUrl>')
    await call('lrsaccount.resetAppLrsAuthCallbackUrl')
    expect(await call('lrsaccount.getAppLrsAuthCallbackUrl')).toContain('<lrsAuthCallbackUrl/>')

    expect(await call('lrsaccount.deleteActivityProvider', ['accountkey', key])).toContain('<success/>')
    expect(await call('lrsaccount.listActivityProviders')).not.toContain(key)
  })
})

describe('scormcloud-api-wrapper', () => {
  const connect = (path: string, secret = application.secret): ScormCloud => {
    const client = new ScormCloud(application.id, secret)
    client.serviceUrl = `${program.url}${path}`
    return client
  }
  const outcome = (start: (done: (error: unknown, data: any) => void) => void): Promise<any> =>
    new Promise((resolve) => start((_error, data) => resolve(data)))
  /** Its own way to sign, send and read, for methods it has no name for. */
  const call = (method: string, parameters: Record<string, string> = {}): Promise<any> => {
    const client = connect('/EngineWebServices/')
    const url = new URL(`api?method=rustici.lrsaccount.${method}`, client.serviceUrl)
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return outcome((done) => client._request(url, done))
  }

  it.each(['/', '/EngineWebServices/', '//EngineWebServices//'])('authPing at %s', async (path) => {
    expect(await outcome((done) => connect(path).authPing(done))).toBe(true)
  })

  it('reads what it is refused with, and what is not offered', async () => {
    const wrong = await outcome((done) => connect('/', 'wrong').authPing(done))
    expect(wrong).toEqual({
      error: { code: 104, message: expect.stringMatching(/^The signature attached to the call does not match/) },
    })
    const list = await outcome((done) => connect('/').getCourseList({}, done))
    expect(list.error).toMatchObject({ code: 202 })
  })

  it('performs every call of the LRS Account Service with its own signature', async () => {
    const { activityProvider: made } = (await call('createActivityProvider')).rsp
    expect(made).toEqual({
      id: made.accountKey,
      accountLabel: 'Unnamed Account',
      accountKey: expect.stringMatching(/^[\w-]{19}$/),
      accountSecret: expect.stringMatching(/^[\w-]{19}$/),
      accountAuthType: 'basic',
      accountEnabled: 'true',
    })
    const { accountKey: accountkey } = made
    const change = { accountkey, isactive: 'true', authtype: 'basic', allowedendpoints: application.id }
    const edited = (await call('editActivityProvider', { ...change, permissionslevel: 'READ_ANY', label: 'Ü & <x>' }))
      .rsp
    const shown = { ...made, accountLabel: 'Ü & <x>', allowedEndpoints: application.id, permissionsLevel: 'READ_ANY' }
    expect(edited.activityProvider).toEqual(shown)
    expect((await call('listActivityProviders')).rsp.activityProviderList.activityProvider).toEqual(shown)
    expect((await call('deleteActivityProvider', { accountkey })).rsp).toEqual({ stat: 'ok', success: '' })
    expect((await call('deleteActivityProvider', { accountkey })).error).toMatchObject({ code: 205 })
    const lrsAuthCallbackUrl = 'https://lms.example.com/cb?x=1&y=2'
    expect((await call('setAppLrsAuthCallbackUrl', { lrsAuthCallbackUrl })).rsp).toEqual({ stat: 'ok', success: '' })
    expect((await call('getAppLrsAuthCallbackUrl')).rsp).toEqual({ stat: 'ok', lrsAuthCallbackUrl })
    expect((await call('resetAppLrsAuthCallbackUrl')).rsp).toEqual({ stat: 'ok', success: '' })
    expect((await call('getAppLrsAuthCallbackUrl')).rsp).toEqual({ stat: 'ok', lrsAuthCallbackUrl: '' })
  })
})

it('two hundred calls at once are all answered', async () => {
  const { id: key, secret } = application
  const send = async (number: number): Promise<string> => {
    const named: Parameter[] = [
      ['method', 'rustici.debug.authPing'],
      ['number', String(number)],
    ]
    return (await fetch(`${program.url}/api?${signCall({ key, secret, time: Date.now() }, named)}`)).text()
  }
  const answers = await Promise.all(Array.from({ length: 200 }, (_, number) => send(number)))
  expect(answers.filter((text) => !text.includes('<pong/>'))).toEqual([])
})
