// Communication 1.1, 2.8, 3 and 4: HEAD, about, versions, errors, authentication.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../support/xapi.ts'
import type { Client, Stage } from '../support/xapi.ts'

let stage: Stage
let client: Client

beforeAll(async () => {
  stage = await openStage({ bodyBytes: 50_000 })
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

const agent = encodeURIComponent('{"mbox":"mailto:a@example.org"}')
const activityId = encodeURIComponent('http://example.org/activities/one')

/** Every resource, with what its GET needs. */
const resources = [
  'statements',
  `activities/state?activityId=${activityId}&agent=${agent}`,
  `agents/profile?agent=${agent}`,
  `activities/profile?activityId=${activityId}`,
  `agents?agent=${agent}`,
  `activities?activityId=${activityId}`,
  'about',
]

describe('resources', () => {
  it.each(resources)('XAPI-00140 XAPI-00139 XAPI-00165 there is %s', async (path) => {
    const { status, headers } = await client.get(path)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json'])
  })

  it.each(resources)('XAPI-00126 XAPI-00125 HEAD of %s answers as GET does, without the body', async (path) => {
    const [head, get] = [await client.send('HEAD', path), await client.get(path)]
    expect([head.status, head.text]).toEqual([get.status, ''])
    const names = [...get.headers.keys()].filter((name) => !['date', 'x-request-id', 'content-length'].includes(name))
    for (const name of names) expect(head.headers.has(name)).toBe(true)
  })

  it('XAPI-00125 HEAD of a statement has its length and its Last-Modified', async () => {
    const one = statement()
    await client.post(one)
    const path = `statements?statementId=${one.id}`
    const [head, get] = [await client.send('HEAD', path), await client.get(path)]
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(get.text)))
    expect(head.headers.get('last-modified')).toBe(get.headers.get('last-modified'))
  })

  it('XAPI2-03 a statement has Last-Modified, its stored time to the second', async () => {
    const one = statement()
    await client.post(one)
    const { json, headers } = await client.get(`statements?statementId=${one.id}`)
    expect(Date.parse(headers.get('last-modified')!)).toBe(Math.floor(Date.parse(json.stored) / 1000) * 1000)
  })

  it('XAPI-00323 an unknown path is 404, an unknown method 405 with what is allowed', async () => {
    expect((await client.get('nothing')).status).toBe(404)
    const { status, headers } = await client.send('DELETE', 'statements')
    expect([status, headers.get('allow')]).toEqual([405, expect.stringContaining('POST')])
  })
})

describe('about', () => {
  const about = (headers: Record<string, string | null> = {}) => client.send('GET', 'about', { headers })

  it('XAPI-00315 XAPI-00319 XAPI-00318 XAPI-00317 XAPI2-08 answers the versions as an array of texts', async () => {
    const { status, json } = await about()
    expect([status, json.version]).toEqual([200, expect.arrayContaining(['1.0.3', '2.0.0'])])
  })

  it('XAPI-00316 names no version that does not exist', async () => {
    for (const version of (await about()).json.version) expect(version).toMatch(/^(1\.0\.[0-3]|2\.0\.0)$/)
  })

  it.each([
    ['without a version header', { 'x-experience-api-version': null }],
    ['with a version not spoken here', { 'x-experience-api-version': '0.95' }],
    ['without credentials', { authorization: null }],
  ])('XAPI-00321 is answered %s', async (_, headers) => {
    expect((await about(headers)).status).toBe(200)
  })
})

describe('versions', () => {
  const versionOf = async (sent: string | null, path = 'statements') => {
    const { status, headers } = await client.send('GET', path, { headers: { 'x-experience-api-version': sent } })
    return [status, headers.get('x-experience-api-version')]
  }

  it.each(resources.filter((path) => path !== 'about'))('XAPI-00321 XAPI-00331 %s needs one', async (path) => {
    const [status, version] = await versionOf(null, path)
    expect([status, version]).toEqual([400, expect.stringMatching(/^(1\.0\.3|2\.0\.0)$/)])
  })

  it.each(['0.9', '0.95', '1.1.0', '3.0', 'latest', ''])(
    'XAPI-00331 %j is refused, and the answer names one',
    async (sent) => {
      const [status, version] = await versionOf(sent)
      expect([status, version]).toEqual([400, expect.stringMatching(/^(1\.0\.3|2\.0\.0)$/)])
    },
  )

  it.each([
    ['1.0', '1.0.3'],
    ['1.0.0', '1.0.3'],
    ['1.0.3', '1.0.3'],
    ['1.0.17', '1.0.3'],
    ['2.0', '2.0.0'],
    ['2.0.0', '2.0.0'],
  ])('XAPI-00333 XAPI2-01 %s is answered as %s, errors too', async (sent, answered) => {
    expect(await versionOf(sent)).toEqual([200, answered])
    expect(await versionOf(sent, 'statements?foo=bar')).toEqual([400, answered])
    expect(await versionOf(sent, 'nothing')).toEqual([404, answered])
  })

  it.each([
    ['1.0.3', '1.0.0'],
    ['2.0.0', '2.0.0'],
  ])('XAPI-00332 a statement without version that comes by %s is of %s', async (sent, version) => {
    const one = statement()
    await client.post(one, { 'x-experience-api-version': sent })
    expect((await client.get(`statements?statementId=${one.id}`)).json.version).toBe(version)
  })

  it('XAPI-00330 a 1.0 statement is not turned into one of 2.0', async () => {
    const one = statement({ version: '1.0.1', timestamp: '2015-11-18T12:17:00+05:30' })
    await client.post(one, { 'x-experience-api-version': '1.0.3' })
    expect((await client.get(`statements?statementId=${one.id}`)).json).toMatchObject(one)
  })
})

describe('errors', () => {
  it('XAPI-00327 XAPI-00323 whoever lacks the right gets 403, and nothing is stored', async () => {
    const reader = await stage.as('read-only')
    const one = statement()
    expect((await reader.post(one)).status).toBe(403)
    expect((await reader.put(one.id, one)).status).toBe(403)
    expect((await client.get(`statements?statementId=${one.id}`)).status).toBe(404)
  })

  it('XAPI-00328 what is too large gets 413, and nothing is stored', async () => {
    const one = statement({ context: { extensions: { 'http://example.org/x': 'x'.repeat(60_000) } } })
    expect((await client.post(one)).status).toBe(413)
    expect((await client.get(`statements?statementId=${one.id}`)).status).toBe(404)
  })

  it('XAPI-00329 a failure of the server itself is 500, and says nothing of the inside', async () => {
    const broken = await openStage({
      wrapStorage: (storage) => ({
        ...storage,
        statements: Object.assign(Object.create(storage.statements), {
          list: () => Promise.reject(new Error('disk /dev/sda1 on fire')),
        }),
        close: () => storage.close(),
        onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
      }),
    })
    const { status, text } = await (await broken.as('xapi')).get('statements')
    expect(status).toBe(500)
    expect(text).not.toContain('sda1')
    expect(JSON.stringify(broken.logged.map((fields) => String((fields as { err?: unknown }).err)))).toContain('sda1')
    await broken.close()
  })
})

describe('authentication', () => {
  const withHeader = (authorization: string | null) =>
    client.send('GET', `statements?statementId=${randomUUID()}`, { headers: { authorization } })
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

  it('XAPI-00335 HTTP Basic is accepted', async () => {
    expect((await withHeader(basic(`${client.key}:${client.secret}`))).status).toBe(404)
  })

  it.each([
    ['none', () => null],
    ['a wrong secret', () => basic(`${client.key}:wrong`)],
    ['an unknown key', () => basic(`nobody:${client.secret}`)],
    ['no colon', () => basic(client.key)],
    ['no base64', () => 'Basic :::'],
    ['another scheme', () => 'Digest username="a"'],
  ])('XAPI-00334 is 401 with %s, on reading and on writing', async (_, header) => {
    expect((await withHeader(header())).status).toBe(401)
    const one = statement()
    const { status, headers } = await client.send('POST', 'statements', {
      body: one,
      headers: { authorization: header() },
    })
    expect([status, headers.has('www-authenticate')]).toEqual([401, true])
    expect((await client.get(`statements?statementId=${one.id}`)).status).toBe(404)
  })
})

describe('any number of versions of one credential', () => {
  it('XAPI2-01 a 2.0 request of a 1.0 client is answered as 2.0.0', async () => {
    const old = clientOf(stage.app, client, '1.0.3')
    const { headers } = await old.get('statements', { 'x-experience-api-version': '2.0.0' })
    expect(headers.get('x-experience-api-version')).toBe('2.0.0')
  })
})
