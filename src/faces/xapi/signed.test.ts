// Requests signed with OAuth 1.0a, by a library that knows nothing of this server, on every path that xAPI is mounted at.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { baseUrl, openCore, presetRights } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { createPlace } from '../../../test/support/store.ts'
import { hashOfBody, headerOf, sign } from '../../../test/support/oauth.ts'
import type { Signer, Signing, ToSign } from '../../../test/support/oauth.ts'
import { boundary, dataPart, describing, multipartBody, statementsPart } from '../../../test/support/multipart.ts'
import { answerOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'
import { enabledFaces, routeFaces } from '../../app.ts'
import type { Core } from '../../core/core.ts'
import type { NewCredentialInput } from '../../core/credential.ts'
import type { CredentialRecord } from '../../core/storage.ts'

let stage: Stage
let reader: Client
/** Notes of nonces that were asked to be kept. */
let kept: string[] = []
beforeAll(async () => {
  stage = await openStage()
  const { platform } = stage.storage
  const remember = platform.remember.bind(platform)
  vi.spyOn(platform, 'remember').mockImplementation((notes, now) => {
    kept.push(...notes.map(({ name }) => name))
    return remember(notes, now)
  })
  reader = await stage.as('xapi')
})
afterAll(() => stage.close())

type Signature = Signer & { readonly credential: CredentialRecord }

function keyThatSigns(input: Partial<NewCredentialInput> = {}): Promise<Signature> {
  const caller = stage.core.signIn.operator(stage.organisationId, 'test')
  return stage.core.credentials.create(caller, { name: 'Signs', rights: presetRights('xapi'), oauth: {}, ...input })
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream
}

let requests = 0
/** From an address of its own: who fails too often is told so, and nothing else. */
async function send({ method, path, headers = {}, body }: Sent): Promise<Answer> {
  requests += 1
  const all = { 'X-Experience-API-Version': '1.0.3', ...headers }
  const init = { method, headers: all, ...(body !== undefined && { body, duplex: 'half' as const }) }
  return answerOf(await stage.app.request(path, init, { peer: `10.2.${requests >> 8}.${requests & 255}` }))
}

const atNow = (signing: Signing = {}): Signing => ({ now: stage.clock.now(), ...signing })
const outside = (path: string): string => `${baseUrl}${path}`

/** Signed in the header, as most clients do. */
function sendSigned(signer: Signer, sent: Sent, { form, ...signing }: Signing & Pick<ToSign, 'form' | 'body'> = {}) {
  const { body, ...rest } = signing
  const toSign = {
    method: sent.method,
    url: outside(sent.path),
    ...(form && { form }),
    ...(body !== undefined && { body }),
  }
  const authorization = headerOf(sign(signer, toSign, atNow(rest)), rest.realm)
  return send({ ...sent, headers: { Authorization: authorization, ...sent.headers } })
}

const json = { 'Content-Type': 'application/json' }
const post = (body: unknown = statement()): Sent => {
  return { method: 'POST', path: '/xapi/statements', headers: json, body: JSON.stringify(body) }
}
const isStored = async (id: string): Promise<boolean> =>
  (await reader.get(`/xapi/statements?statementId=${id}`)).status === 200

describe('a request that is signed', () => {
  const agent = encodeURIComponent(JSON.stringify({ mbox: 'mailto:zoë+a@example.org' }))
  const activity = encodeURIComponent('http://example.org/a?c=d&e=é+f')
  const documents = [
    `activities/state?activityId=${activity}&agent=${agent}&stateId=a%2Bb`,
    `activities/profile?activityId=${activity}&profileId=%F0%9F%98%80`,
    `agents/profile?agent=${agent}&profileId=p!*'()`,
  ]

  it.each(['/xapi', '/api/organizations/1/lrs', 'application', 'sandbox'])(
    'S1.8 is let in on every resource: %s',
    async (at) => {
      const operator = stage.core.signIn.operator(stage.organisationId, 'test')
      const application = await stage.core.applications.create(operator, { name: 'Signed' })
      const paths: Readonly<Record<string, string>> = {
        application: `/lrs/${application.id}`,
        sandbox: `/tc/${application.id}/sandbox`,
      }
      const isOfApplication = at in paths
      const mount = paths[at] ?? at
      const lrsIds = [application.liveLrsId, application.sandboxLrsId]
      const signer = await keyThatSigns(isOfApplication ? { lrsIds } : {})
      const id = randomUUID()
      const cases: readonly (readonly [string, string, number, string?])[] = [
        ['POST', 'statements', 200, JSON.stringify(statement())],
        ['PUT', `statements?statementId=${id}`, 204, JSON.stringify(statement({ id }))],
        ['GET', `statements?statementId=${id}`, 200],
        ['HEAD', `statements?statementId=${id}`, 200],
        ['GET', `statements?agent=${agent}&limit=2&ascending=true&verb=`, 400],
        ['GET', `statements?agent=${agent}&limit=2&ascending=true`, 200],
        ['GET', `activities?activityId=${activity}`, 200],
        ['GET', `agents?agent=${agent}`, 200],
        ['POST', 'extensions/validate', 200, JSON.stringify(statement())],
        ['GET', 'about', 200],
        ...documents.flatMap((path) => [
          ['PUT', path, 204, '{"a":1}'] as const,
          ['GET', path, 200] as const,
          ['HEAD', path, 200] as const,
          ['POST', path, 204, '{"b":2}'] as const,
          ['DELETE', path, 204] as const,
        ]),
      ]
      const answered = []
      for (const [method, rest, , body] of cases) {
        const headers = body === undefined ? {} : { ...json, 'If-None-Match': '*' }
        const sent = { method, path: `${mount}/${rest}`, headers: method === 'POST' ? json : headers }
        const { status } = await sendSigned(signer, { ...sent, ...(body !== undefined && { body }) })
        answered.push([method, rest, status])
      }
      expect(answered).toEqual(cases.map(([method, rest, status]) => [method, rest, status]))
    },
  )

  it('stores in the name of its key, with its rights', async () => {
    const signer = await keyThatSigns({ rights: presetRights('isolated') })
    const sent = statement()
    expect((await sendSigned(signer, post(sent))).json).toEqual([sent.id])
    const { json: found } = await reader.get(`/xapi/statements?statementId=${sent.id}`)
    expect(found.authority.account.name).toBe(signer.credential.oid)
    const weak = await keyThatSigns({ rights: presetRights('read-only') })
    expect((await sendSigned(weak, post())).status).toBe(403)
  })

  it('may be so in the query, which no resource sees', async () => {
    const signer = await keyThatSigns()
    const sent = statement()
    expect((await sendSigned(signer, post(sent))).status).toBe(200)
    const path = `/xapi/statements?statementId=${sent.id}&format=exact`
    const { params } = sign(signer, { method: 'GET', url: outside(path) }, atNow())
    const answer = await send({ method: 'GET', path: `${path}&${new URLSearchParams(params).toString()}` })
    expect([answer.status, answer.json.id]).toEqual([200, sent.id])
    // And not in the link to the next page either.
    await sendSigned(signer, post())
    const list = '/xapi/statements?limit=1'
    const { params: others } = sign(signer, { method: 'GET', url: outside(list) }, atNow())
    const page = await send({ method: 'GET', path: `${list}&${new URLSearchParams(others).toString()}` })
    expect(page.json.more).toMatch(/^\/xapi\/statements\?limit=1&cursor=[^&]+$/)
    expect((await sendSigned(signer, { method: 'GET', path: page.json.more })).status).toBe(200)
  })

  it('is signed for CLAVIGER_BASE_URL, whatever Host and X-Forwarded-* say', async () => {
    const signer = await keyThatSigns()
    const path = '/xapi/statements'
    const statuses = []
    for (const origin of [baseUrl, 'http://localhost', 'http://lrs.example.org', 'https://lrs.example.org:8443']) {
      const authorization = headerOf(sign(signer, { method: 'GET', url: origin + path }, atNow()))
      const { host, protocol } = new URL(origin)
      const headers = {
        Authorization: authorization,
        Host: host,
        'X-Forwarded-Host': host,
        'X-Forwarded-Proto': protocol,
      }
      statuses.push((await send({ method: 'GET', path, headers })).status)
    }
    expect(statuses).toEqual([200, 401, 401, 401])
  })

  it('is one of many at once, from one address', async () => {
    const signer = await keyThatSigns()
    const path = '/xapi/statements?limit=1'
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const Authorization = headerOf(sign(signer, { method: 'GET', url: outside(path) }, atNow()))
        const headers = { Authorization, 'X-Experience-API-Version': '1.0.3' }
        return (await stage.app.request(path, { headers }, { peer: '10.9.9.9' })).status
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  it('is signed as it was sent, slashes and all', async () => {
    const signer = await keyThatSigns()
    expect((await sendSigned(signer, { method: 'GET', path: '/xapi//statements/' })).status).toBe(200)
  })

  it('signs with SHA-256, too, and with the private key to the public one registered', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
    const inPem = (key: typeof privateKey): string => key.export({ type: 'pkcs8', format: 'pem' }) as string
    const rsa = await keyThatSigns({ oauth: { publicKey: pem } })
    const hmac = await keyThatSigns()
    const get = { method: 'GET', path: '/xapi/statements?limit=1' }
    const by = async (signer: Signer, signing: Signing) => (await sendSigned(signer, get, signing)).status
    expect({
      'HMAC-SHA256': await by(hmac, { method: 'HMAC-SHA256' }),
      'RSA-SHA1': await by(rsa, { method: 'RSA-SHA1', privateKey: inPem(privateKey) }),
      'RSA-SHA1 by another key': await by(rsa, { method: 'RSA-SHA1', privateKey: inPem(other.privateKey) }),
      'RSA-SHA1 where none is registered': await by(hmac, { method: 'RSA-SHA1', privateKey: inPem(privateKey) }),
      'the secret of a key that has registered one': await by(rsa, {}),
      PLAINTEXT: await by(hmac, { method: 'PLAINTEXT' }),
    }).toEqual({
      'HMAC-SHA256': 200,
      'RSA-SHA1': 200,
      'RSA-SHA1 by another key': 401,
      'RSA-SHA1 where none is registered': 401,
      'the secret of a key that has registered one': 200,
      PLAINTEXT: 400,
    })
  })
})

describe('who is refused', () => {
  it('who signs for a key that does not sign, and who shows a secret that only signs', async () => {
    const shows = await stage.as('xapi')
    expect((await sendSigned(shows, post())).status).toBe(401)
    const signs = await keyThatSigns()
    const basic = `Basic ${Buffer.from(`${signs.key}:${signs.secret}`).toString('base64')}`
    const sent = post()
    expect((await send({ ...sent, headers: { ...json, Authorization: basic } })).status).toBe(401)
    expect((await sendSigned(signs, post())).status).toBe(200)
  })

  it('an unknown key and a wrong secret are one answer, with what was to be signed', async () => {
    const signer = await keyThatSigns()
    const unknown = await sendSigned({ key: signer.key.replaceAll(/./g, 'x'), secret: signer.secret }, post())
    const wrong = await sendSigned({ key: signer.key, secret: 'wrong' }, post())
    const withoutFacts = ({ json: { message } }: Answer) => message.replace(/(key|nonce)%3D\w+/g, '$1')
    expect([unknown.status, wrong.status]).toEqual([401, 401])
    expect(withoutFacts(unknown)).toBe(withoutFacts(wrong))
    expect(wrong.json.message).toMatch(
      /^The signature does not fit.*What was to be signed: POST&https%3A%2F%2Flrs\.example\.org%2Fxapi%2Fstatements&oauth_consumer_key/,
    )
    expect(wrong.headers.get('WWW-Authenticate')).toBe('OAuth realm="Claviger"')
    expect(wrong.text + unknown.text).not.toContain(signer.secret)
  })

  it('a nonce of a stranger is not remembered', async () => {
    const signer = await keyThatSigns()
    kept = []
    await sendSigned({ key: signer.key, secret: 'wrong' }, post())
    await sendSigned({ key: 'nobody', secret: 'wrong' }, post())
    await sendSigned(signer, post(), { now: stage.clock.now() - 301_000 })
    expect(kept).toEqual([])
    await sendSigned(signer, post())
    expect(kept).toEqual([expect.stringMatching(/^nonce [\w-]{43}$/)])
  })

  it('a key of another organisation on a path that names one', async () => {
    const signer = await keyThatSigns()
    const organisation = await stage.addOrganisation()
    const path = `/api/organizations/${organisation}/lrs/statements`
    expect((await sendSigned(signer, { method: 'GET', path })).status).toBe(401)
  })

  it('a key that ended, or was switched off', async () => {
    const operator = stage.core.signIn.operator(stage.organisationId, 'test')
    const off = await keyThatSigns()
    expect((await sendSigned(off, post())).status).toBe(200)
    await stage.core.credentials.update(operator, off.credential.id, { isEnabled: false })
    const ended = await keyThatSigns({ expiresAt: stage.clock.now() + 1000 })
    stage.clock.pass(1000)
    for (const signer of [off, ended]) {
      const { status, json: body } = await sendSigned(signer, post())
      expect([status, body.message]).toEqual([401, 'The credentials were not accepted.'])
    }
  })

  it('whose clock is more than five minutes off', async () => {
    const signer = await keyThatSigns()
    const statuses = []
    for (const seconds of [-301, -300, 0, 300, 301]) {
      const { status } = await sendSigned(signer, post(), { now: stage.clock.now() + seconds * 1000 })
      statuses.push([seconds, status])
    }
    expect(statuses).toEqual([
      [-301, 401],
      [-300, 200],
      [0, 200],
      [300, 200],
      [301, 401],
    ])
    const { json: body } = await sendSigned(signer, post(), { now: stage.clock.now() - 301_000 })
    expect(body.message).toBe(
      'oauth_timestamp is 301 seconds behind this server’s clock; 300 are accepted. Set the clock of the client.',
    )
  })

  it('who presents a signature beside other credentials', async () => {
    const signer = await keyThatSigns()
    const other = await stage.as('xapi')
    const path = '/xapi/statements?limit=1'
    const { params } = sign(signer, { method: 'GET', url: outside(path) }, atNow())
    const answer = await other.get(`${path}&${new URLSearchParams(params).toString()}`)
    expect(answer.status).toBe(400)
  })

  it('hostile keys, nonces and parameters with 400 or 401, and never more', async () => {
    const signer = await keyThatSigns()
    for (const protocol of [
      { oauth_consumer_key: 'a\0b' },
      { oauth_consumer_key: '\u{10FFFF}'.repeat(1000) },
      { oauth_consumer_key: '__proto__' },
      { oauth_nonce: 'a\0b' },
      { oauth_timestamp: '9'.repeat(12) },
      { oauth_timestamp: '0' },
      { oauth_signature_method: '__proto__' },
      { oauth_version: '' },
    ]) {
      const { status } = await sendSigned(signer, post(), { protocol })
      expect([400, 401]).toContain(status)
    }
    expect(stage.logged).toEqual([])
  })
})

describe('a replay', () => {
  it('is refused, and stores nothing', async () => {
    const signer = await keyThatSigns()
    const first = post()
    const authorization = headerOf(sign(signer, { method: 'POST', url: outside(first.path) }, atNow()))
    const headers = { ...json, Authorization: authorization }
    expect((await send({ ...first, headers })).status).toBe(200)
    // A body that is no form is not signed: another one with the same signature is what a replay would be for.
    const second = statement()
    const { status, json: body } = await send({ ...post(second), headers })
    expect([status, body.message]).toEqual([401, expect.stringMatching(/^This request was sent before/)])
    expect(await isStored(second.id)).toBe(false)
    stage.clock.pass(299_000)
    expect((await send({ ...post(second), headers })).status).toBe(401)
    stage.clock.pass(2_000)
    expect((await send({ ...post(second), headers })).json.message).toMatch(/^oauth_timestamp is 301 seconds behind/)
    expect(await isStored(second.id)).toBe(false)
  })

  it('is counted for its key, as a wrong signature is', async () => {
    const signer = await keyThatSigns()
    const { path } = post()
    const authorization = headerOf(sign(signer, { method: 'POST', url: outside(path) }, atNow()))
    for (let times = 0; times < 3; times++)
      await send({ ...post(), headers: { ...json, Authorization: authorization } })
    await sendSigned({ ...signer, secret: 'wrong' }, post())
    const operator = stage.core.signIn.operator(stage.organisationId, 'test')
    const usage = await stage.core.usage.list(operator, signer.credential.id)
    expect(Object.assign({}, ...usage.map(({ refusals }) => refusals))).toEqual({ replayed: 2, wrong_signature: 1 })
    expect(usage.reduce((sum, { statements }) => sum + statements, 0)).toBe(1)
  })

  it('of many at once, one is let in', async () => {
    const signer = await keyThatSigns()
    const { path } = post()
    const authorization = headerOf(sign(signer, { method: 'POST', url: outside(path) }, atNow()))
    const all = await Promise.all(
      Array.from({ length: 8 }, () => send({ ...post(), headers: { ...json, Authorization: authorization } })),
    )
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 401)])
  })

  it('the same nonce at another time, or of another key, is none', async () => {
    const [one, two] = [await keyThatSigns(), await keyThatSigns()]
    const nonce = 'the same'
    const now = stage.clock.now()
    const statuses = []
    for (const [signer, at] of [
      [one, now],
      [one, now + 1000],
      [two, now],
      [one, now],
    ] as const) {
      statuses.push((await sendSigned(signer, post(), { nonce, now: at })).status)
    }
    expect(statuses).toEqual([200, 200, 200, 401])
  })
})

describe('a replay elsewhere', () => {
  it.each(['after a restart', 'on another node'])('is refused %s', async (where) => {
    if (where === 'on another node' && inject('engine') === 'sqlite') return
    const place = await createPlace()
    const open = async (): Promise<{ readonly core: Core; ask(): Promise<number>; readonly opened: OpenCore }> => {
      const opened = await openCore({ place, clock: stage.clock })
      const log = { info() {}, warn() {}, error() {} }
      const app = routeFaces(opened.core, enabledFaces({ faces: {} }), { trustedProxies: [], log })
      const ask = async () => (await app.request(path, { headers })).status
      return { core: opened.core, ask, opened }
    }
    const one = await open()
    const caller = one.core.signIn.operator(one.opened.organisationId, 'test')
    const path = '/xapi/statements?limit=1'
    const input = { name: 'Signs', rights: presetRights('xapi'), oauth: {} }
    const signer = await one.core.credentials.create(caller, input)
    const authorization = headerOf(sign(signer, { method: 'GET', url: outside(path) }, atNow()))
    const headers = { Authorization: authorization, 'X-Experience-API-Version': '1.0.3' }
    expect(await one.ask()).toBe(200)
    if (where === 'after a restart') await one.core.close()
    const two = await open()
    expect(await two.ask()).toBe(401)
    if (where === 'on another node') expect(await one.ask()).toBe(401)
    await Promise.all([one.core.close(), two.core.close()])
    await place.remove()
  })
})

describe('the body', () => {
  it('may be signed by its hash: statements, documents long and short, attachments', async () => {
    const signer = await keyThatSigns()
    const [good, bad] = [statement(), statement()]
    const state = (id: string): string =>
      `/xapi/activities/state?activityId=http%3A%2F%2Fexample.org%2Fa&agent=${encodeURIComponent('{"mbox":"mailto:a@example.org"}')}&stateId=${id}`
    const long = 'x'.repeat(200_000)
    const text = { 'Content-Type': 'text/plain' }
    const file = 'the bytes of a file'
    const withFile = (of: object, content = file) => {
      const parts = [statementsPart({ ...of, attachments: [describing(content)] }), dataPart(content)]
      const bytes = new Uint8Array(multipartBody(parts))
      return { headers: { 'Content-Type': `multipart/mixed; boundary=${boundary}` }, body: bytes }
    }
    const attached = withFile(statement())
    const cases: readonly (readonly [string, Sent, string | Uint8Array])[] = [
      ['a statement', post(good), JSON.stringify(good)],
      ['another statement', post(bad), JSON.stringify(statement())],
      ['a document', { method: 'PUT', path: state('short'), headers: text, body: 'short' }, 'short'],
      ['another document', { method: 'PUT', path: state('short2'), headers: text, body: 'short' }, 'shorT'],
      ['a long document', { method: 'PUT', path: state('long'), headers: text, body: long }, long],
      [
        'another long document',
        { method: 'PUT', path: state('long2'), headers: text, body: long },
        `${long.slice(1)}y`,
      ],
      ['attachments', { method: 'POST', path: '/xapi/statements', ...attached }, attached.body],
      [
        'other attachments',
        { method: 'POST', path: '/xapi/statements', ...withFile(bad) },
        withFile(bad, 'other bytes').body,
      ],
      ['none', { method: 'GET', path: '/xapi/statements?limit=1' }, ''],
      ['none, with the hash of something', { method: 'GET', path: '/xapi/statements?limit=1' }, 'x'],
    ]
    const statuses: Record<string, number> = {}
    for (const [name, sent, body] of cases) statuses[name] = (await sendSigned(signer, sent, { body })).status
    expect(statuses).toEqual({
      'a statement': 200,
      'another statement': 401,
      'a document': 204,
      'another document': 401,
      'a long document': 204,
      'another long document': 401,
      attachments: 200,
      'other attachments': 401,
      none: 200,
      'none, with the hash of something': 401,
    })
    expect([await isStored(good.id), await isStored(bad.id)]).toEqual([true, false])
    expect((await reader.get(state('short2'))).status).toBe(404)
    expect((await reader.get(state('long2'))).status).toBe(404)
    expect(hashOfBody('')).toBe('2jmj7l5rSw0yVb/vlWAYkK/YBwk=')
  })

  it('that is a form is signed itself, also where it is a document', async () => {
    const signer = await keyThatSigns()
    const agent = encodeURIComponent('{"mbox":"mailto:a@example.org"}')
    const path = `/xapi/activities/state?activityId=http%3A%2F%2Fexample.org%2Ff&agent=${agent}&stateId=`
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const form = { a: ['1', '2'], 'b c': 'ü +' }
    const put = (id: string, body: string) =>
      sendSigned(signer, { method: 'PUT', path: path + id, headers, body }, { form })
    const body = 'a=2&b+c=%C3%BC+%2B&a=1'
    expect((await put('good', body)).status).toBe(204)
    expect((await reader.get(`${path}good`)).text).toBe(body)
    for (const other of ['a=2&b+c=%C3%BC+%2B&a=3', 'a=2&b+c=%C3%BC+%2B', `${body}&d=`, '']) {
      expect((await put('bad', other)).status).toBe(401)
    }
    expect((await put('bad', 'a=1&'.repeat(1001))).status).toBe(400)
    expect((await put('bad', `a=${'x'.repeat(256 * 1024)}`)).status).toBe(413)
    expect((await reader.get(`${path}bad`)).status).toBe(404)
  })
})

describe('the alternate request syntax', () => {
  const formType = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const formOf = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString()
  const path = '/xapi/statements?method=PUT'
  const fieldsOf = (sent: { id: string }): Record<string, string> => ({
    statementId: sent.id,
    'X-Experience-API-Version': '1.0.3',
    'Content-Type': 'application/json',
    content: JSON.stringify({ result: { response: 'ü + ✓ & =' }, ...sent }),
  })

  type How = (signer: Signer, fields: Record<string, string>) => Sent
  const ways: Readonly<Record<string, How>> = {
    'in the header': (signer, fields) => {
      const authorization = headerOf(sign(signer, { method: 'POST', url: outside(path), form: fields }, atNow()))
      return { method: 'POST', path, headers: { ...formType, Authorization: authorization }, body: formOf(fields) }
    },
    'in the header that the form brings': (signer, fields) => {
      const authorization = headerOf(sign(signer, { method: 'POST', url: outside(path), form: fields }, atNow()))
      return { method: 'POST', path, headers: formType, body: formOf({ Authorization: authorization, ...fields }) }
    },
    'in fields of the form': (signer, fields) => {
      const { params } = sign(signer, { method: 'POST', url: outside(path), form: fields }, atNow())
      return { method: 'POST', path, headers: formType, body: formOf({ ...fields, ...params }) }
    },
  }

  describe.each(Object.entries(ways))('signed %s', (_, how) => {
    it('is let in, from a web page, too', async () => {
      const signer = await keyThatSigns()
      const sent = statement()
      const { headers, ...rest } = how(signer, fieldsOf(sent))
      const fromPage = { Origin: 'https://elsewhere.example', 'Sec-Fetch-Site': 'cross-site' }
      expect((await send({ ...rest, headers: { ...headers, ...fromPage } })).status).toBe(204)
      expect(await isStored(sent.id)).toBe(true)
      expect((await send(how(signer, { statementId: sent.id }))).status).toBe(400)
    })

    it('is refused where a field is another, one more or one less, and when it comes again', async () => {
      const signer = await keyThatSigns()
      const sent = statement()
      const fields = fieldsOf(sent)
      const signed = how(signer, fields)
      const others = [
        ...Object.keys(fields).map((name) => (form: URLSearchParams) => form.set(name, `${form.get(name) ?? ''} `)),
        ...Object.keys(fields).map((name) => (form: URLSearchParams) => form.delete(name)),
        (form: URLSearchParams) => form.append('registration', randomUUID()),
      ]
      for (const change of others) {
        const form = new URLSearchParams(signed.body as string)
        change(form)
        expect((await send({ ...signed, body: form.toString() })).status).toBeGreaterThanOrEqual(400)
        expect(await isStored(sent.id)).toBe(false)
      }
      expect((await send(signed)).status).toBe(204)
      expect((await send(signed)).status).toBe(401)
    })
  })

  it('sends no more than a form of strangers may be', async () => {
    const signer = await keyThatSigns()
    const sent = statement({ result: { response: 'x'.repeat(300_000) } })
    for (const how of Object.values(ways)) {
      expect((await send(how(signer, fieldsOf(sent)))).status).toBe(413)
    }
    expect(await isStored(sent.id)).toBe(false)
  })
})

describe('tampering', () => {
  it('S1.8 where a parameter stands: what asks for one statement does not ask for all', async () => {
    const signer = await keyThatSigns()
    const signed = sign(signer, { method: 'GET', url: outside('/xapi/statements?limit=1') }, atNow())
    const headers = { Authorization: `${headerOf(signed)}, limit="1"` }
    expect((await send({ method: 'GET', path: '/xapi/statements', headers })).status).toBe(400)
    const untouched = { Authorization: headerOf(signed) }
    expect((await send({ method: 'GET', path: '/xapi/statements?limit=1', headers: untouched })).status).toBe(200)
  })

  it('S1.8 with any one thing is refused, and stores nothing', async () => {
    const signer = await keyThatSigns()
    const sent = statement()
    const query = { statementId: sent.id }
    const body = JSON.stringify(sent)
    const url = (params: object): string =>
      `/xapi/statements?${new URLSearchParams(params as Record<string, string>).toString()}`
    const { params } = sign(signer, { method: 'PUT', url: outside(url(query)), body }, atNow())
    const as = (change: Partial<Sent>, of: Readonly<Record<string, string>> = params, more: object = {}) =>
      send({
        ...{ method: 'PUT', path: url(query), body, ...change },
        headers: { ...json, Authorization: headerOf({ params: of, base: '' }), ...more },
      })
    const oneOf = fc.constantFrom(...Object.keys(params))
    const changed = fc.oneof(
      fc.record({
        kind: fc.constant('change' as const),
        name: oneOf,
        at: fc.nat(),
        by: fc.constantFrom('A', '7', 'é'),
      }),
      fc.record({ kind: fc.constant('drop' as const), name: oneOf }),
      fc.record({ kind: fc.constant('add' as const), name: fc.stringMatching(/^[a-z_]{1,8}$/), value: fc.string() }),
      fc.record({ kind: fc.constant('method' as const), method: fc.constantFrom('POST', 'GET', 'DELETE', 'HEAD') }),
      fc.record({
        kind: fc.constant('path' as const),
        path: fc.constantFrom('/xapi//statements', '/xapi/statements/', '/api/organizations/1/lrs/statements'),
      }),
      fc.record({ kind: fc.constant('query' as const), value: fc.uuid() }),
      fc.record({ kind: fc.constant('body' as const), value: fc.constantFrom(`${body} `, JSON.stringify([sent])) }),
    )
    await fc.assert(
      fc.asyncProperty(changed, async (change) => {
        const answer = await (() => {
          switch (change.kind) {
            case 'change': {
              const value = params[change.name] ?? ''
              const at = change.at % value.length
              // What is the same in the end was not tampered with.
              fc.pre(value[at] !== change.by)
              return as({}, { ...params, [change.name]: value.slice(0, at) + change.by + value.slice(at + 1) })
            }
            case 'drop': {
              const { [change.name]: _, ...rest } = params
              return as({}, rest)
            }
            case 'add':
              return as({ path: url({ ...query, [change.name]: change.value }) })
            case 'method':
              return as(
                change.method === 'GET' || change.method === 'HEAD'
                  ? { method: change.method, body: undefined as never }
                  : { method: change.method },
              )
            case 'path':
              return as({ path: url(query).replace('/xapi/statements', change.path) })
            case 'query':
              return as({
                path: url({ statementId: change.value }),
                body: JSON.stringify({ ...sent, id: change.value }),
              })
            case 'body':
              return as({ body: change.value })
          }
        })()
        expect([400, 401, 405]).toContain(answer.status)
      }),
      { numRuns: 120 },
    )
    expect(await isStored(sent.id)).toBe(false)
  })
})

describe('what changes while the body arrives', () => {
  /** Ends when it is told so. */
  function slowBody(text: string): { readonly stream: ReadableStream; end(): void } {
    let finish = (): void => {}
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(text.slice(0, 10)))
        finish = () => {
          controller.enqueue(Buffer.from(text.slice(10)))
          controller.close()
        }
      },
    })
    return { stream, end: () => finish() }
  }
  const until = async (isSo: () => boolean): Promise<void> => {
    await vi.waitFor(() => expect(isSo()).toBe(true))
  }

  it('is judged again without a second nonce', async () => {
    const operator = stage.core.signIn.operator(stage.organisationId, 'test')
    const outcomes = []
    for (const change of [{ words: { a: 1 } }, { isEnabled: false }, { rights: presetRights('isolated') }]) {
      const signer = await keyThatSigns()
      const sent = statement()
      const { stream, end } = slowBody(JSON.stringify(sent))
      kept = []
      const answer = sendSigned(signer, { ...post(sent), body: stream })
      await until(() => kept.length > 0)
      await stage.core.credentials.update(operator, signer.credential.id, change)
      // Later than any request may come.
      stage.clock.pass(3_600_000)
      end()
      outcomes.push([(await answer).status, await isStored(sent.id), kept.length])
    }
    expect(outcomes).toEqual([
      [200, true, 1],
      [401, false, 1],
      [503, false, 1],
    ])
  })
  it('counts where xAPI was switched off in its application', async () => {
    const operator = stage.core.signIn.operator(stage.organisationId, 'test')
    const { id, liveLrsId } = await stage.core.applications.create(operator, { name: 'Closes' })
    const signer = await keyThatSigns({ lrsIds: [liveLrsId] })
    const put = (isOpen: boolean) => stage.core.settings.put(operator, id, { level: '', values: {}, isOpen })
    const sent = { ...post(), path: `/lrs/${id}/statements` }
    const { stream, end } = slowBody(String(sent.body))
    kept = []
    const answer = sendSigned(signer, { ...sent, body: stream })
    await until(() => kept.length > 0)
    await put(false)
    end()
    expect((await answer).status).toBe(503)
    await put(true)
    const { json: list } = await sendSigned(signer, { method: 'GET', path: sent.path })
    expect(list.statements).toEqual([])
  })
})
