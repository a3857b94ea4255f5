// The words of the protocol as values, and an application's own endpoint asked for real: over TLS, with a certificate of an
// authority made for the test.

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { makeApplication } from '../../../test/support/application.ts'
import type { MadeApplication } from '../../../test/support/application.ts'
import { openCore } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { exampleCertificate, serveHttps } from '../../../test/support/https.ts'
import type { Answer, RunningServer } from '../../../test/support/https.ts'
import type { Outbound, OutboundError } from '../../core/outbound.ts'
import { OutboundClient } from '../../outbound/client.ts'
import { parseException } from '../../outbound/policy.ts'
import { callbackProtocol } from './callback-protocol.ts'

const read = (body: string | Uint8Array, status = 200) =>
  callbackProtocol.read({ status, headers: new Map(), body: typeof body === 'string' ? Buffer.from(body) : body })
const resp = (auth: string, permissions = '<permissions>default</permissions>') =>
  `<resp><auth>${auth}</auth>${permissions}</resp>`

const bomb = `<!DOCTYPE resp [<!ENTITY a "aaaaaaaaaa">${['b', 'c', 'd', 'e', 'f', 'g', 'h']
  .map((name, index) => `<!ENTITY ${name} "${`&${'abcdefg'[index]};`.repeat(10)}">`)
  .join('')}]><resp><auth>verified</auth><permissions>&h;</permissions></resp>`

describe('what is asked', () => {
  it('S1.12 is the bare base64 of user and password in a header, without a body', () => {
    const { method, headers, body } = callbackProtocol.ask('jim.raynor', 'hunter2')
    expect([method, body]).toEqual(['GET', undefined])
    expect(headers).toMatchObject({ CloudLrsAuthorization: 'amltLnJheW5vcjpodW50ZXIy' })
    const umlauts = callbackProtocol.ask('jürgen', 'pä:ss').headers!.CloudLrsAuthorization!
    expect(Buffer.from(umlauts, 'base64').toString()).toBe('jürgen:pä:ss')
  })
})

describe('what is answered', () => {
  it.each([
    ['the seed’s example', '<resp>\n   <auth>verified</auth>\n   <permissions>default</permissions>\n</resp>', 'own'],
    ['root', resp('verified', '<permissions>root</permissions>'), 'everything'],
    ['read only', resp('verified', '<permissions>read_only</permissions>'), 'reading'],
    [
      'whitespace',
      '\r\n <resp >\t<auth>\n verified </auth><permissions> root\n</permissions></resp>\n\n',
      'everything',
    ],
    ['a declaration', `<?xml version="1.0" encoding="utf-8"?>${resp('verified')}`, 'own'],
    ['a byte order mark', `\ufeff<?xml version="1.0"?>${resp('verified')}`, 'own'],
    ['CDATA', '<resp><auth><![CDATA[verified]]></auth></resp>', 'own'],
    [
      'other order, other elements',
      `<resp><x/><permissions>root</permissions><auth>verified</auth></resp>`,
      'everything',
    ],
    ['no permissions', resp('verified', ''), 'own'],
    ['empty permissions', resp('verified', '<permissions/>'), 'own'],
    ['unknown permissions', resp('verified', '<permissions>admin</permissions>'), 'own'],
    ['two permissions', resp('verified', '<permissions>root</permissions><permissions>root</permissions>'), 'own'],
    ['permissions in other case', resp('verified', '<permissions>ROOT</permissions>'), 'own'],
  ])('S1.13 %s: verified', (_, body, permission) => {
    expect(read(body)).toEqual({ kind: 'verified', permission })
  })

  it.each([
    ['the word', resp('unverified'), 200],
    ['with permissions of any kind', resp(' unverified ', '<permissions>root</permissions>'), 200],
    ['the status 401', 'no', 401],
    ['the status 403', resp('verified'), 403],
  ])('S1.13 %s: unverified', (_, body, status) => {
    expect(read(body, status)).toEqual({ kind: 'unverified' })
  })

  it.each([502, 503, 504])('the status %d: nobody answered', (status) => {
    expect(read(resp('verified'), status)).toMatchObject({ kind: 'unreachable' })
  })

  it.each([
    ['another word', resp('yes')],
    ['the word in other case', resp('Verified')],
    ['no auth', '<resp><permissions>root</permissions></resp>'],
    ['two of it', `<resp><auth>verified</auth><auth>unverified</auth></resp>`],
    ['an element inside it', '<resp><auth><b>verified</b></auth></resp>'],
    ['another root', '<rsp><auth>verified</auth></rsp>'],
    ['a deeper one', `<x>${resp('verified')}</x>`],
    ['a namespace', '<a:resp xmlns:a="b"><auth>verified</auth></a:resp>'],
    ['two roots', resp('verified') + resp('verified')],
    ['no end', '<resp><auth>verified</auth>'],
    ['nothing', ''],
    ['text', 'verified'],
    ['JSON', '{"auth":"verified"}'],
    ['HTML', '<!DOCTYPE html><html><body>Log in</body></html>'],
    ['an entity bomb', bomb],
    ['an external entity', '<!DOCTYPE resp SYSTEM "file:///etc/passwd"><resp><auth>verified</auth></resp>'],
    ['an unknown entity', '<resp><auth>verified</auth><permissions>&root;</permissions></resp>'],
    ['depth', '<a>'.repeat(21_000)],
    ['UTF-16', Buffer.from(resp('verified'), 'utf16le')],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00])],
  ])('%s: unreadable', (_, body) => {
    expect(read(body)).toMatchObject({ kind: 'unreadable', because: expect.stringMatching(/^The answer|^<auth>/) })
  })

  it.each([201, 204, 301, 302, 307, 400, 404, 500])('the status %d: unreadable, whatever stands there', (status) => {
    expect(read(resp('verified', '<permissions>root</permissions>'), status)).toMatchObject({ kind: 'unreadable' })
  })
})

describe('an endpoint of HTTPS', () => {
  let world: OpenCore
  let made: MadeApplication
  let server: RunningServer
  let answer: Answer

  /** Instead of the eight seconds that callbacks have. */
  let timeoutMs: number
  const hasty = (client: OutboundClient): Outbound => ({
    problemWith: (url) => client.problemWith(url),
    request: (request) => client.request({ ...request, timeoutMs }),
  })

  async function openWorld(allow: readonly string[], resolve?: () => Promise<readonly string[]>) {
    const exceptions = allow.map((item) => parseException(item)!)
    const client = new OutboundClient({ exceptions, ca: exampleCertificate.ca, ...(resolve && { resolve }) })
    onTestFinished(() => client.close())
    const opened = await openCore({ outbound: hasty(client), callbackProtocol })
    onTestFinished(() => opened.close())
    return opened
  }

  beforeEach(async () => {
    timeoutMs = 20_000
    answer = (_, response) => response.end(resp('verified'))
    server = await serveHttps((request, response) => answer(request, response))
    world = await openWorld(['localhost'])
    made = await makeApplication(world.core, world.operator)
    await world.core.callbacks.set(made.principal, made.id, { url: `${server.url}/cb?app=x` })
  })
  afterEach(() => server.close())

  async function signIn(user: string, password = 'hunter2') {
    const { core } = world
    const application = (await core.applications.find(made.id))!
    const presented = { key: user, secret: password }
    const within = application.organisationId
    return core.signIn.basic({ ...presented, within, elsewhere: core.callbacks.elsewhere(application, presented) })
  }
  const refused = (...of: Parameters<typeof signIn>) =>
    expect(signIn(...of)).rejects.toMatchObject({ code: 'unauthenticated' })

  it('S1.12 is asked as the seed says, and once', async () => {
    expect(await signIn('jim.raynor')).toMatchObject({ key: 'jim.raynor', signedInBy: 'callback' })
    await signIn('jim.raynor')
    const [request] = server.asked
    expect(server.asked).toHaveLength(1)
    expect([request!.method, request!.url]).toEqual(['GET', '/cb?app=x'])
    expect(request!.headers).toMatchObject({ cloudlrsauthorization: 'amltLnJheW5vcjpodW50ZXIy' })
    expect(request!.headers).not.toHaveProperty('authorization')
  })

  it.each<[string, number, Answer]>([
    ['unverified', 1, (_, response) => response.end(resp('unverified'))],
    ['a status 500', 1, (_, response) => response.writeHead(500).end(resp('verified'))],
    ['a redirect', 1, (_, response) => response.writeHead(302, { Location: server.url }).end(resp('verified'))],
    ['garbage', 1, (_, response) => response.end(Buffer.alloc(2000, 0xfe))],
    ['an entity bomb', 1, (_, response) => response.end(bomb)],
    ['10 MB', 1, (_, response) => response.end(Buffer.alloc(10_000_000, ' '))],
    ['10 MB around a verdict', 1, (_, response) => response.end(resp('verified') + ' '.repeat(10_000_000))],
    ['silence', 0, () => {}],
    [
      'a slow drip',
      0,
      (_, response) => {
        const timer = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(timer))
      },
    ],
    ['a connection that breaks', 0, (_, response) => void response.destroy()],
  ])('%s: refused, and asked once', async (name, asksForOther, bad) => {
    answer = bad
    if (name === 'silence' || name === 'a slow drip') timeoutMs = 200
    await refused('ann')
    timeoutMs = 20_000
    await refused('ann')
    expect(server.asked).toHaveLength(1)
    // An outage is of the user, not of the password: then the endpoint is not asked about another.
    answer = (_request, response) => response.end(resp('unverified'))
    await refused('ann', 'another')
    expect(server.asked).toHaveLength(1 + asksForOther)
    answer = (_request, response) => response.end(resp('verified'))
    world.clock.pass(60_000)
    expect((await signIn('ann')).key).toBe('ann')
  })

  it('a name that is not found is an outage', async () => {
    let looked = 0
    world = await openWorld([], () => {
      looked += 1
      return Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
    })
    made = await makeApplication(world.core, world.operator)
    await world.core.callbacks.set(made.principal, made.id, { url: 'https://gone.example.org/' })
    await refused('ann')
    await refused('ann', 'another')
    expect(looked).toBe(1)
  })

  it('an address that must not be reached is refused when it is set, and a name that leads to one when it is asked', async () => {
    world = await openWorld([], async () => ['127.0.0.1'])
    made = await makeApplication(world.core, world.operator)
    const { callbacks } = world.core
    for (const url of [
      'https://127.0.0.1/',
      'https://169.254.169.254/',
      'https://[::1]/',
      'https://[::ffff:7f00:1]/',
      server.url,
    ]) {
      await expect(callbacks.set(made.principal, made.id, { url })).rejects.toMatchObject({ code: 'invalid' })
    }
    await callbacks.set(made.principal, made.id, { url: server.url.replace('localhost', 'inside.example.org') })
    await refused('ann')
    expect(server.asked).toEqual([])
    const trial = await callbacks.test(made.principal, made.id, { user: 'ann', password: 'x' })
    expect(trial.verdict).toMatchObject({ kind: 'unreachable' })
  })

  it('a certificate that nobody vouches for is an outage, and the error names no password', async () => {
    const client = new OutboundClient({ exceptions: [parseException('localhost')!] })
    onTestFinished(() => client.close())
    const { message } = await client
      .request({ ...callbackProtocol.ask('ann', 'hunter2'), url: server.url, timeoutMs, mostBytes: 1 })
      .then(
        () => new Error('answered'),
        (error: unknown) => error as OutboundError,
      )
    expect(message).toMatch(/no TLS with a valid certificate/)
    expect(message).not.toMatch(/hunter2|YW5u/)
  })
})
