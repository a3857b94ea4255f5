// Statement pipes over HTTP: shapes, statuses, whose they are, and what a source of ours or elsewhere becomes.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWorld } from '../../../test/support/scormcloud.ts'
import type { Answer, Login, World } from '../../../test/support/scormcloud.ts'
import type { PipeId } from '../../core/ids.ts'
import { presetRights } from '../../../test/support/core.ts'

let world: World
beforeEach(async () => void (world = await openWorld()))
afterEach(() => world.close())

const path = '/xapi/statementPipes'
const target = { url: 'https://lrs.example.net/xapi', userName: 'ann', password: 'pass:word' }

const ask = (method: string, at: string, json?: unknown, as: Login = world.application.login): Promise<Answer> =>
  world.v2(method, at, { as, ...(json !== undefined && { json }) })
const create = async (json: unknown = { target }): Promise<string> => (await ask('POST', path, json)).json.result
const token = async (scope: string) => {
  const answer = await world.v2('POST', '/oauth/authenticate/application/token', {
    as: world.application.login,
    body: `scope=${encodeURIComponent(scope)}`,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })
  return answer.json.access_token as string
}
const recordOf = (id: string) => world.storage.directory.findPipe(world.organisation, id as PipeId)

it('is made, shown, listed, changed and deleted', async () => {
  const made = await ask('POST', path, { target })
  expect(made).toMatchObject({ status: 200, json: { result: expect.stringMatching(/^[0-9a-f-]{36}$/) } })
  const id = made.json.result as string
  const shown = {
    id,
    source: { url: `${world.core.baseUrl}/lrs/${world.application.record.id}/statements` },
    target,
    attempts: 0,
  }
  expect(await ask('GET', `${path}/${id}`)).toMatchObject({ status: 200, json: shown })
  expect((await ask('GET', path)).json).toEqual({ xapiStatementPipes: [shown] })
  expect(await recordOf(id)).toMatchObject({ lrsId: world.application.record.liveLrsId, pausedBecause: null })
  const changed = await ask('PUT', `${path}/${id}`, { target: { ...target, password: 'other' } })
  expect(changed).toMatchObject({ status: 200, json: { result: id } })
  expect((await ask('GET', `${path}/${id}`)).json.target.password).toBe('other')
  expect(await ask('DELETE', `${path}/${id}`)).toMatchObject({ status: 204, text: '' })
  expect((await ask('GET', `${path}/${id}`)).status).toBe(404)
  expect((await ask('DELETE', `${path}/${id}`)).status).toBe(404)
  expect((await ask('PUT', `${path}/${id}`, { target })).status).toBe(404)
  expect((await ask('GET', path)).json).toEqual({ xapiStatementPipes: [] })
  expect(await world.events()).toEqual(['pipe.create', 'pipe.update', 'pipe.delete'].map((one) => `${one} ${id}`))
})

it('user name and password stay with the server they were given for', async () => {
  const source = { url: 'https://source.example.net/lrs/statements', userName: 'a', password: 'b' }
  const id = await create({ source, target })
  const put = async (json: unknown) => {
    expect((await ask('PUT', `${path}/${id}`, json)).status).toBe(200)
    return (await ask('GET', `${path}/${id}`)).json
  }
  const moved = {
    target: { url: 'https://lrs.example.net/other' },
    source: { url: 'https://source.example.net/statements' },
  }
  expect(await put(moved)).toMatchObject({
    target: { ...target, ...moved.target },
    source: { ...source, ...moved.source },
  })
  const elsewhere = {
    target: { url: 'https://evil.example.net/xapi' },
    source: { url: 'https://evil.example.net/statements' },
  }
  expect(await put(elsewhere)).toMatchObject(elsewhere)
  expect((await ask('GET', `${path}/${id}`)).text).not.toMatch(/userName|password/)
  const own = { url: `${world.core.baseUrl}/lrs/${world.application.record.id}/statements` }
  expect(await put({ source: own })).toMatchObject({ source: own })
})

it('shows how far it has come and when it tries again', async () => {
  const id = await create()
  const { version } = (await recordOf(id))!
  const progress = {
    ...{ at: 5, delivered: 3, alreadyThere: 0, failures: 2, retryAt: 1_767_000_000_000 },
    ...{ lastStored: '2026-01-02T03:04:05.678901Z', more: '/more/1' },
  }
  await world.storage.directory.savePipeProgress(world.organisation, id as PipeId, version, {
    progress,
    pausedBecause: null,
  })
  expect((await ask('GET', `${path}/${id}`)).json).toMatchObject({
    attempts: 2,
    lastForwardedStatementDate: '2026-01-02T03:04:05.678Z',
    moreUrl: '/more/1',
    visibleAfter: '2025-12-29T09:20:00.000Z',
  })
  // The same again: it goes on where it stands.
  const { json } = await ask('GET', `${path}/${id}`)
  await ask('PUT', `${path}/${id}`, json)
  expect((await recordOf(id))?.progress).toMatchObject({ at: 5, failures: 0 })
  await ask('PUT', `${path}/${id}`, { target: { ...target, url: 'https://other.example.net/xapi' } })
  expect((await recordOf(id))?.progress).toEqual({ delivered: 0, alreadyThere: 0, failures: 0 })
})

describe('a source', () => {
  it('elsewhere ends in /statements and is polled there', async () => {
    const source = { url: 'https://source.example.net/lrs/statements', userName: 'a', password: 'b' }
    const id = await create({ source, target })
    expect((await ask('GET', `${path}/${id}`)).json).toMatchObject({ source, target })
    expect((await recordOf(id))?.lrsId).toBeNull()
  })

  it.each(['lrs', 'tc', 'RusticiEngine/lrs'])('under our own /%s is read directly, live or sandbox', async (root) => {
    const { id: appId, liveLrsId, sandboxLrsId } = world.application.record
    const { key, secret } = await world.core.credentials.create(world.operator(), {
      ...{ name: 'reader', rights: presetRights('xapi'), lrsIds: [liveLrsId, sandboxLrsId] },
    })
    for (const [rest, lrsId] of [
      ['', liveLrsId],
      ['/sandbox', sandboxLrsId],
    ] as const) {
      const url = `${world.core.baseUrl}/${root}/${appId}${rest}/statements`
      const source = { url, userName: key, password: secret }
      const id = await create({ source, target })
      expect(await recordOf(id)).toMatchObject({ lrsId })
      expect((await ask('GET', `${path}/${id}`)).json.source).toEqual(source)
      const wrong = await ask('POST', path, { source: { ...source, password: 'wrong' }, target })
      expect(wrong).toMatchObject({ status: 400, json: { message: expect.stringContaining('/source') } })
      await ask('DELETE', `${path}/${id}`)
    }
  })

  it('that is echoed as it is shown stays, also where its key is gone', async () => {
    const { id: appId, liveLrsId, sandboxLrsId } = world.application.record
    const { credential, key, secret } = await world.core.credentials.create(world.operator(), {
      ...{ name: 'reader', rights: presetRights('xapi'), lrsIds: [liveLrsId, sandboxLrsId] },
    })
    const source = { url: `${world.core.baseUrl}/tc/${appId}/statements`, userName: key, password: secret }
    const id = await create({ source, target })
    await world.core.credentials.remove(world.operator(), credential.id)
    const { json } = await ask('GET', `${path}/${id}`)
    expect((await ask('PUT', `${path}/${id}`, json)).status).toBe(200)
    expect((await ask('GET', `${path}/${id}`)).json.source).toEqual(source)
    expect((await ask('PUT', `${path}/${id}`, { source: { password: 'wrong' } })).status).toBe(400)
  })

  it('of another application, or one that nobody may read with what was given, is 400', async () => {
    const other = await world.addApplication('Other')
    const own = `${world.core.baseUrl}/lrs/${world.application.record.id}/statements`
    await world.events()
    const sources = [
      { url: `${world.core.baseUrl}/lrs/${other.record.id}/statements` },
      { url: own, userName: world.application.login.key, password: world.application.login.secret },
      { url: own.replace(/\/statements$/, '') },
      { url: 'https://source.example.net/xapi/' },
      { url: 'https://a:b@source.example.net/statements' },
      { url: 'ftp://source.example.net/statements' },
      { url: 'not a url/statements' },
      { url: 7 },
    ]
    for (const source of sources) expect((await ask('POST', path, { source, target })).status).toBe(400)
    expect(await world.events()).toEqual([])
  })
})

it('names the member of a user name that is refused as the vendor does', async () => {
  const { json } = await ask('POST', path, { target: { ...target, userName: 'a:b' } })
  expect(json.message).toContain('/target/userName: ')
})

it.each<[string, unknown]>([
  ['no target', {}],
  ['no address', { target: {} }],
  ['an address with a query', { target: { url: 'https://lrs.example.net/?key=1' } }],
  ['an address that ends in /statements', { target: { url: 'https://lrs.example.net/xapi/statements' } }],
  ['a user name with a colon', { target: { ...target, userName: 'a:b' } }],
  ['U+0000', { target: { ...target, password: 'a\0b' } }],
  ['half a surrogate pair', { target: { ...target, url: 'https://lrs.example.net/\ud800' } }],
  ['a long address', { target: { url: `https://lrs.example.net/${'x'.repeat(300)}` } }],
  ['no object', []],
])('is refused with %s, and nothing is written', async (_, json) => {
  const { status, json: said } = await ask('POST', path, json)
  expect([status, said]).toEqual([400, { message: expect.any(String) }])
  expect(await world.events()).toEqual([])
})

it('is refused where source and target are one Lrs', async () => {
  const url = `${world.core.baseUrl}/lrs/${world.application.record.id}`
  const answer = await ask('POST', path, { target: { ...target, url } })
  expect(answer).toMatchObject({ status: 400, json: { message: expect.stringContaining('same place') } })
  expect((await ask('POST', path, { target: { ...target, url: `${url}/sandbox` } })).status).toBe(200)
})

describe('whose it is', () => {
  it('another application, another realm, application management and nobody do not see it', async () => {
    const id = await create()
    const other = await world.addApplication('Other')
    const stranger = await world.addApplication('Stranger', world.neighbour)
    for (const as of [other.login, stranger.login]) {
      expect((await ask('GET', path, undefined, as)).json).toEqual({ xapiStatementPipes: [] })
      for (const method of ['GET', 'DELETE']) {
        expect((await ask(method, `${path}/${id}`, undefined, as)).status).toBe(404)
      }
      expect((await ask('PUT', `${path}/${id}`, { target }, as)).status).toBe(404)
    }
    expect((await ask('GET', path, undefined, world.management)).status).toBe(401)
    expect((await world.v2('GET', path)).status).toBe(401)
    expect((await ask('GET', `${path}/${id}`)).status).toBe(200)
  })

  it('a token does what its scopes say; who may only read sees no password', async () => {
    const id = await create()
    const tokens = {
      'read:xapipipe': [200, 401, 401],
      'write:xapipipe': [401, 200, 401],
      'delete:xapipipe': [401, 401, 204],
      'read:xapicredential write:appmgmt': [401, 401, 401],
    } as const
    for (const [scope, [get, post, remove]] of Object.entries(tokens)) {
      const as = await token(scope)
      const shown = await world.v2('GET', `${path}/${id}`, { as })
      expect([scope, shown.status]).toEqual([scope, get])
      if (get === 200) expect(shown.json.target).toEqual({ url: target.url, userName: target.userName })
      expect((await world.v2('POST', path, { as, json: { target } })).status).toBe(post)
      expect((await world.v2('DELETE', `${path}/${id}`, { as })).status).toBe(remove)
    }
  })

  it('there are a hundred at most', async () => {
    for (let count = 0; count < 100; count++) await create()
    expect(await ask('POST', path, { target })).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining('100') },
    })
  })
})
