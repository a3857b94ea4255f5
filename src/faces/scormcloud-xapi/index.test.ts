// SCORM Cloud's xAPI paths: which key reaches which Lrs on which path, and what strangers are told.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Application, Login, World } from '../../../test/support/scormcloud.ts'
import { presetRights } from '../../../test/support/core.ts'
import { headerOf, sign } from '../../../test/support/oauth.ts'
import { answerOf, statement } from '../../../test/support/xapi.ts'
import type { Answer } from '../../../test/support/xapi.ts'
import { locatePath } from '../../app.ts'
import type { LrsId, OrganisationId } from '../../core/ids.ts'
import type { Access } from '../face.ts'
import { xapiFace } from '../xapi/index.ts'
import { scormcloudXapi, xapiMounts } from './index.ts'

let world: World
let other: Application
let foreign: Application
beforeAll(async () => {
  world = await openWorld()
  other = await world.addApplication('Other')
  foreign = await world.addApplication('Foreign', world.neighbour)
})
afterAll(() => world.close())

const roots = ['/lrs', '/tc', '/RusticiEngine/lrs']
const notHere = 'Credentials invalid for this endpoint.'

let sent = 0
/** Each from an address of its own: who fails too often is told so, and nothing else. */
async function send(method: string, path: string, as?: Login, body?: unknown, more: object = {}): Promise<Answer> {
  const headers: Record<string, string> = { 'X-Experience-API-Version': '1.0.3', ...more }
  if (as) headers['Authorization'] = `Basic ${Buffer.from(`${as.key}:${as.secret}`).toString('base64')}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
  sent += 1
  return answerOf(await world.app.request(path, init, { peer: `10.1.${sent >> 8}.${sent & 255}` }))
}

function key(lrsIds: readonly LrsId[], organisation?: OrganisationId): Promise<Login> {
  const input = { name: 'Test', rights: presetRights('xapi'), lrsIds }
  return world.core.credentials.create(world.operator(organisation), input)
}

/** What is stored there, as its own path has it. */
async function idsIn(lrsId: LrsId): Promise<readonly string[]> {
  const { json } = await send('GET', '/xapi/statements', await key([lrsId]))
  return json.statements.map(({ id }: { id: string }) => id)
}

describe.each(roots)('%s', (root) => {
  it('leads to the live Lrs of the application, and to its sandbox', async () => {
    const { id, liveLrsId, sandboxLrsId } = world.application.record
    const as = await key([liveLrsId, sandboxLrsId])
    const [live, sandbox] = [statement(), statement()]
    expect((await send('POST', `${root}/${id}/statements`, as, live)).status).toBe(200)
    expect((await send('POST', `${root}/${id}/sandbox/statements`, as, sandbox)).status).toBe(200)
    expect(await idsIn(liveLrsId)).toContain(live.id)
    expect(await idsIn(liveLrsId)).not.toContain(sandbox.id)
    expect(await idsIn(sandboxLrsId)).toContain(sandbox.id)
  })

  it('any run of slashes is one', async () => {
    const { id, sandboxLrsId } = world.application.record
    const as = await key([sandboxLrsId])
    const path = `/${root}//${id}//sandbox///statements/`
    expect((await send('GET', path, as)).status).toBe(200)
  })

  it('about is told to everybody, whichever application', async () => {
    for (const path of [world.application.record.id, `${world.application.record.id}/sandbox`, 'NOSUCHAPP0']) {
      expect((await send('GET', `${root}/${path}/about`)).json).toMatchObject({ version: expect.any(Array) })
    }
  })

  it('what is no resource is a 404 in plain text', async () => {
    const as = await key([world.application.record.liveLrsId])
    for (const rest of ['', '/sandbox', '/sandbox/nothing', '/nothing/sandbox/statements', '/Statements']) {
      const { status, text, headers } = await send('GET', `${root}/${world.application.record.id}${rest}`, as)
      expect([rest, status, headers.get('content-type')]).toEqual([rest, 404, 'text/plain; charset=utf-8'])
      expect(text).toMatch(/^xAPI has no resource at this path/)
    }
  })

  it('a preflight needs no key', async () => {
    const { status, headers } = await send('OPTIONS', `${root}/${world.application.record.id}/sandbox/statements`)
    expect([status, headers.get('Allow')]).toEqual([204, 'GET, HEAD, POST, PUT, OPTIONS'])
  })
})

describe('who is refused', () => {
  let path: string
  let before: readonly string[]
  beforeEach(async () => {
    path = `/lrs/${world.application.record.id}`
    before = await idsIn(world.application.record.liveLrsId)
  })
  const nothingStored = async () => expect(await idsIn(world.application.record.liveLrsId)).toEqual(before)

  it('who sends no credentials', async () => {
    const { status, text, headers } = await send('POST', `${path}/statements`, undefined, statement())
    expect([status, text]).toEqual([401, 'Missing authentication header'])
    expect(headers.get('WWW-Authenticate')).toMatch(/^Basic /)
    await nothingStored()
  })

  it.each<[string, (organisation: Application) => Promise<Login>]>([
    ['an unknown key', async () => ({ key: 'nobody', secret: 'nothing' })],
    ['a wrong secret', async ({ record }) => ({ ...(await key([record.liveLrsId])), secret: 'wrong' })],
    ['a key of another organisation', () => key([foreign.record.liveLrsId], world.neighbour)],
    ['the key of another organisation’s application', async () => foreign.login],
  ])('%s, without a word why', async (_, login) => {
    const as = await login(world.application)
    for (const rest of ['', '/sandbox']) {
      const { status, text } = await send('POST', `${path}${rest}/statements`, as, statement())
      expect([status, text]).toEqual([401, notHere])
    }
    await nothingStored()
  })

  it.each<[string, () => LrsId, '' | '/sandbox']>([
    ['a live key on the sandbox path', () => world.application.record.liveLrsId, '/sandbox'],
    ['a sandbox key on the live path', () => world.application.record.sandboxLrsId, ''],
    ['a key of another application', () => other.record.liveLrsId, ''],
    ['another application’s sandbox key', () => other.record.sandboxLrsId, '/sandbox'],
  ])('%s, with the reason', async (_, lrsId, rest) => {
    const as = await key([lrsId()])
    for (const [method, body] of [
      ['POST', statement()],
      ['GET', undefined],
    ] as const) {
      const { status, text } = await send(method, `${path}${rest}/statements`, as, body)
      expect(status).toBe(401)
      expect(text).toMatch(
        /^Credentials invalid for this endpoint\. This key does not reach the Lrs of this path\. Add [A-Z0-9]{10}(_sandbox)? to its allowed endpoints/,
      )
    }
    await nothingStored()
  })

  it('the key of the application itself, with the way out', async () => {
    const { status, text } = await send('POST', `${path}/statements`, world.application.login, statement())
    expect(status).toBe(401)
    expect(text).toMatch(/^Credentials invalid for this endpoint\. The key of an application manages it/)
    const management = await send('POST', `${path}/statements`, world.management, statement())
    expect(management.status).toBe(401)
    await nothingStored()
  })

  it('an application nobody has, whoever asks', async () => {
    const as = await key([world.application.record.liveLrsId])
    for (const id of [
      'NOSUCHAPP0',
      'sandbox',
      'a'.repeat(500),
      '%00',
      '..%E2%82',
      '__proto__',
      `${world.application.record.id}X`,
    ]) {
      const { status, text } = await send('POST', `/lrs/${id}/statements`, as, statement())
      expect([id, status, text]).toEqual([id, 401, notHere])
      expect((await send('POST', `/lrs/${id}/statements`, undefined, statement())).text).toMatch(/^Missing/)
    }
    await nothingStored()
  })

  it('everybody, while xAPI is switched off, and a missing right, by 403', async () => {
    const { record } = await world.addApplication('Closed')
    const as = await key([record.liveLrsId, record.sandboxLrsId])
    await world.core.settings.put(world.operator(), record.id, { level: '', values: {}, isOpen: false })
    for (const rest of ['', '/sandbox']) {
      const { status, text } = await send('POST', `/lrs/${record.id}${rest}/statements`, as, statement())
      expect([status, text]).toEqual([403, expect.stringMatching(/^This Lrs answers no xAPI: .*xAPI is switched off/)])
    }
    await world.core.settings.put(world.operator(), record.id, { level: '', values: {}, isOpen: true })
    expect((await send('POST', `/lrs/${record.id}/statements`, as, statement())).status).toBe(200)
    const rights = presetRights('read-only')
    const input = { name: 'Reader', rights, lrsIds: [record.liveLrsId] }
    const reader = await world.core.credentials.create(world.operator(), input)
    const { status, text } = await send('POST', `/lrs/${record.id}/statements`, reader, statement())
    expect([status, text]).toEqual([403, expect.stringMatching(/^This key lacks the right statements\/write/)])
  })

  it('a broken statement, with the place of each mistake on a line', async () => {
    const as = await key([world.application.record.liveLrsId])
    const { status, text } = await send('POST', `${path}/statements`, as, { ...statement(), actor: 1, verb: 2 })
    expect(status).toBe(400)
    expect(text.split('\n').map((line) => line.split(':')[0])).toEqual(['/actor', '/verb'])
    await nothingStored()
  })
})

it('an application that is gone is one that never was', async () => {
  const { record } = await world.addApplication('Short-lived')
  const as = await key([record.liveLrsId])
  expect((await send('GET', `/lrs/${record.id}/statements`, as)).status).toBe(200)
  await world.core.applications.remove(world.operator(), record.id)
  expect((await send('GET', `/lrs/${record.id}/statements`, as)).text).toBe(notHere)
})

describe('S1.8 a key that either API made one that signs', () => {
  async function ofV1({ login }: Application): Promise<Login> {
    const { inside } = await world.v1('lrsaccount.createActivityProvider', {}, login)
    const [, key = ''] = /<accountKey><!\[CDATA\[(.*?)\]\]>/.exec(inside) ?? []
    const [, secret = ''] = /<accountSecret><!\[CDATA\[(.*?)\]\]>/.exec(inside) ?? []
    await world.v1('lrsaccount.editActivityProvider', { accountkey: key, authtype: 'oauth' }, login)
    return { key, secret }
  }
  async function ofV2({ login }: Application): Promise<Login> {
    const auth = { xapiCredentialAuthType: 'OAUTH' }
    const permissionsLevel = { xapiCredentialPermissionsLevel: 'ROOT' }
    const made = { name: 'Signs', secret: 'a secret of 20 bytes', isEnabled: true, auth, permissionsLevel }
    const { json } = await world.v2('POST', '/xapi/credentials', { as: login, json: made })
    return { key: json.result, secret: made.secret }
  }

  it.each([
    ['v1', ofV1],
    ['v2', ofV2],
  ] as const)('%s: is let in by its signature, and by nothing else', async (_, make) => {
    const signer = await make(world.application)
    const signed = (path: string, by: Login = signer): Promise<Answer> => {
      const url = `https://lrs.example.org${path}`
      const authorization = headerOf(sign(by, { method: 'GET', url }, { now: world.clock.now() }))
      return send('GET', path, undefined, undefined, { Authorization: authorization })
    }
    const path = `/lrs/${world.application.record.id}/statements`
    expect((await signed(path)).status).toBe(200)
    expect((await signed(path.replace('/statements', '/sandbox/statements'))).status).toBe(200)
    expect((await send('GET', path, signer)).text).toBe(notHere)
    const wrong = await signed(path, { ...signer, secret: 'another' })
    expect([wrong.status, wrong.headers.get('WWW-Authenticate')]).toEqual([401, 'OAuth realm="Claviger"'])
    expect(wrong.text).toMatch(
      /^Credentials invalid for this endpoint\. The signature does not fit.*GET&https%3A%2F%2F/,
    )
    const elsewhere = await signed(`/lrs/${other.record.id}/statements`)
    expect([elsewhere.status, elsewhere.text]).toEqual([
      401,
      expect.stringContaining('does not reach the Lrs of this path'),
    ])
    const abroad = await signed(`/lrs/${foreign.record.id}/statements`)
    expect([abroad.status, abroad.text]).toEqual([401, expect.stringContaining('The signature does not fit')])
  })
})

describe('what the command line asks', () => {
  const access = (path: string): Promise<Access> => {
    const asked = { method: 'GET', path, query: new URLSearchParams(), version: '1.0.3' }
    const faces = [xapiFace(scormcloudXapi.xapiMounts)]
    const located = locatePath(faces, path)!
    return Promise.resolve(located.face.accessFor!({ ...asked, path: located.path }, world.core))
  }

  it.each(roots)('%s is decided by the key, in the organisation of the application', async (root) => {
    const { id, organisationId, liveLrsId, sandboxLrsId } = world.application.record
    for (const [rest, lrsId] of [
      ['', liveLrsId],
      ['/sandbox', sandboxLrsId],
    ] as const) {
      const found = await access(`${root}//${id}${rest}/statements/`)
      if (found.kind !== 'key') throw new Error(`not decided by a key: ${found.kind}`)
      expect(found.within).toBe(organisationId)
      const principal = await world.core.signIn.basic(await key([lrsId]))
      expect(await found.judge(world.core, principal)).toMatchObject({ allowed: true, lrsId })
      const stranger = await world.core.signIn.basic(await key([other.record.liveLrsId]))
      await expect(found.judge(world.core, stranger)).rejects.toMatchObject({ detail: { decidedBy: 'lrs' } })
    }
    expect(await access(`${root}/NOSUCHAPP0/statements`)).toMatchObject({ kind: 'refused', decidedBy: 'path' })
    expect(await access(`${root}/${id}/sandbox/nothing`)).toMatchObject({ kind: 'refused', decidedBy: 'path' })
  })
})

it('a name is used once', () => {
  expect(new Set(xapiMounts.map(({ name }) => name)).size).toBe(6)
})
