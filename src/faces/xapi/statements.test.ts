// The Statement Resource over HTTP: every status, every header, and that what is refused is not stored.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, openStage, reference, statement, voiding } from '../../../test/support/xapi.ts'
import type { Answer, Client, SendOptions, Stage } from '../../../test/support/xapi.ts'
import { DomainError } from '../../core/errors.ts'

let stage: Stage
let reader: Client

beforeAll(async () => {
  stage = await openStage({ batch: 20, bodyBytes: 50_000 })
  reader = await stage.as('xapi')
})
afterAll(() => stage.close())

/** Time order is what most lists are about, and the store keeps it whatever the clock does. */
async function storeAll(client: Client, ...statements: { id: string }[]): Promise<string[]> {
  for (const one of statements) expect((await client.post(one)).status).toBe(200)
  return statements.map(({ id }) => id)
}

/** Sends what must be refused and proves that nothing came of it. */
async function refused(send: () => Promise<Answer>): Promise<Answer> {
  const before = await reader.idsOf('limit=0')
  const answer = await send()
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(await reader.idsOf('limit=0')).toEqual(before)
  return answer
}

function expectShape(answer: Answer, status: number, code: string): void {
  expect([answer.status, answer.json]).toEqual([
    status,
    expect.objectContaining({
      code,
      message: expect.any(String),
      failures: expect.any(Array),
      requestId: answer.headers.get('x-request-id'),
    }),
  ])
  expect(answer.headers.get('content-type')).toBe('application/json')
}

describe('POST', () => {
  it('stores one statement and answers its id in an array', async () => {
    const one = statement()
    const answer = await reader.post(one)
    expect([answer.status, answer.json]).toEqual([200, [one.id]])
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect((await reader.get(`statements?statementId=${one.id}`)).json).toMatchObject(one)
  })

  it('gives an id, a stored time, a timestamp, an authority and a version where there are none', async () => {
    const [id] = (await reader.post({ ...statement(), id: undefined })).json
    expect((await reader.get(`statements?statementId=${id}`)).json).toMatchObject({
      id,
      stored: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      timestamp: expect.stringMatching(/Z$/),
      authority: { objectType: 'Agent', account: { homePage: expect.any(String), name: expect.any(String) } },
      version: '2.0.0',
    })
  })

  it('stores a batch in order and answers the ids in order', async () => {
    const batch = [statement(), statement(), statement()]
    const answer = await reader.post(batch)
    expect(answer.json).toEqual(batch.map(({ id }) => id))
    expect((await reader.idsOf('limit=3')).slice(0, 3)).toEqual(batch.map(({ id }) => id).toReversed())
  })

  it('stores a batch as a whole or not at all', async () => {
    const answer = await refused(() => reader.post([statement(), statement({ actor: undefined }), statement()]))
    expectShape(answer, 400, 'invalid')
    expect(answer.json.failures).toEqual([expect.objectContaining({ pointer: '/1', rule: 'XAPI-00003' })])
  })

  it('lists every failure of every statement with its place', async () => {
    const answer = await refused(() => reader.post([statement({ verb: {} }), statement({ actor: { mbox: 'nobody' } })]))
    expect(answer.json.failures.map(({ pointer }: { pointer: string }) => pointer)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\/0\/verb/), expect.stringMatching(/^\/1\/actor/)]),
    )
  })

  it('accepts an empty batch', async () => {
    const answer = await reader.post([])
    expect([answer.status, answer.json]).toEqual([200, []])
  })

  it('accepts an equal statement again without storing it twice', async () => {
    const one = statement()
    await reader.post(one)
    expect((await reader.post(one)).status).toBe(200)
    expect((await reader.idsOf('limit=0')).filter((id) => id === one.id)).toHaveLength(1)
  })

  it('refuses a different statement with the same id by 409, together with the rest of its batch', async () => {
    const one = statement()
    await reader.post(one)
    const answer = await refused(() => reader.post([statement(), statement({ id: one.id, result: { success: true } })]))
    expectShape(answer, 409, 'conflict')
    expect(answer.json.message).toContain(one.id)
  })

  it('refuses more statements than one request may carry', async () => {
    const batch = Array.from({ length: 21 }, () => statement())
    expectShape(await refused(() => reader.post(batch)), 413, 'too_large')
  })

  it('refuses parameters', async () => {
    const answer = await refused(() =>
      reader.send('POST', 'statements?statementId=' + randomUUID(), { body: statement() }),
    )
    expectShape(answer, 400, 'invalid')
    expect(answer.json.failures[0]).toMatchObject({ pointer: '?statementId', rule: 'XAPI-00324' })
  })
})

describe('PUT', () => {
  it('stores under the parameter’s id and answers 204 without a body', async () => {
    const { id, ...one } = statement()
    const answer = await reader.put(id, one)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await reader.get(`statements?statementId=${id}`)).json).toMatchObject({ ...one, id })
  })

  it('accepts an equal statement again, refuses a different one', async () => {
    const { id, ...one } = statement()
    await reader.put(id, one)
    expect((await reader.put(id.toUpperCase(), one)).status).toBe(204)
    expectShape(await refused(() => reader.put(id, { ...one, result: { success: true } })), 409, 'conflict')
    expect((await reader.get(`statements?statementId=${id}`)).json.result).toBeUndefined()
  })

  it.each([
    ['no statementId', 'statements', statement()],
    ['a statementId that is no UUID', 'statements?statementId=abc', statement({ id: undefined })],
    ['another id in the body', `statements?statementId=${randomUUID()}`, statement()],
    ['an array', `statements?statementId=${randomUUID()}`, [statement({ id: undefined })]],
    ['another parameter', `statements?statementId=${randomUUID()}&x=1`, statement({ id: undefined })],
    ['the parameter in another case', `statements?StatementId=${randomUUID()}`, statement({ id: undefined })],
    [
      'the parameter twice',
      'statements?statementId=' + [randomUUID(), randomUUID()].join('&statementId='),
      statement({ id: undefined }),
    ],
  ])('refuses %s', async (_, path, body) => {
    const answer = await refused(() => reader.send('PUT', path, { body }))
    expectShape(answer, 400, 'invalid')
    expect(answer.json.failures).not.toHaveLength(0)
  })
})

describe('bodies', () => {
  const post = (options: SendOptions) => refused(() => reader.send('POST', 'statements', options))

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'are accepted as %s',
    async (type) => {
      expect((await reader.post(statement(), { 'content-type': type })).status).toBe(200)
    },
  )

  it.each([
    ['text/plain', 400],
    ['application/x-www-form-urlencoded', 400],
    ['multipart/form-data; boundary=x', 400],
    ['application/json; charset=iso-8859-1', 400],
    ['multipart/mixed; boundary=x', 400],
  ])('are refused as %s by %i, with a reason', async (type, status) => {
    const answer = await post({ body: statement(), headers: { 'content-type': type } })
    expect(answer.status).toBe(status)
    expect(answer.json.message).toMatch(/Content-Type|charset|multipart/)
  })

  it('are refused naming what was sent, bounded and printable', async () => {
    const sent = async (type: string): Promise<string> =>
      (await post({ body: statement(), headers: { 'content-type': type } })).json.message
    expect(await sent('text/plain')).toBe(
      'Content-Type: Expected application/json or multipart/mixed; got "text/plain".',
    )
    const long = await sent(`text/\u00e4${'x'.repeat(500)}`)
    expect(long).toMatch(/got "text\/\?x+…"\.$/)
    expect(long.length).toBeLessThan(200)
  })

  it('are refused without a Content-Type', async () => {
    const body = new TextEncoder().encode(JSON.stringify(statement()))
    expectShape(await post({ body, headers: { 'content-type': null } }), 400, 'invalid')
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{"actor":'],
    ['a number', '7'],
    ['a member twice', JSON.stringify(statement()).replace('{', '{"verb":{"id":"http://example.org/x"},')],
    ['null', 'null'],
  ])('are refused when they hold %s', async (_, body) => {
    expectShape(await post({ body }), 400, 'invalid')
  })

  it('are refused when they are not UTF-8', async () => {
    const body = Buffer.from(
      JSON.stringify(statement({ verb: { id: 'http://example.org/v', display: { fr: 'é' } } })),
      'latin1',
    )
    expectShape(await post({ body: new Uint8Array(body) }), 400, 'invalid')
  })

  it('name the statement that is too long as it would be stored', async () => {
    const roomy = await openStage()
    const client = await roomy.as('xapi')
    const { id, ...rest } = statement()
    const long = JSON.stringify({ id, ...rest }).replace(
      /}$/,
      `,"result":{"extensions":{"a:x":[${'1e20,'.repeat(191_000)}0]}}}`,
    )
    const { status, json } = await client.post(`[${JSON.stringify(statement())},${long}]`)
    expect([status, json.decidedBy, json.failures]).toEqual([
      413,
      'limit statement',
      [expect.objectContaining({ pointer: '/1', rule: 'XAPI-00328', statement: { index: 1, id } })],
    ])
    await roomy.close()
  })

  it('are refused when they are larger than allowed, by the server or by the credential', async () => {
    const large = statement({ context: { extensions: { 'http://example.org/x': 'x'.repeat(60_000) } } })
    expectShape(await post({ body: large }), 413, 'too_large')
    const small = await stage.as('xapi', { limits: { bodyBytes: 100 } })
    expectShape(await refused(() => small.post(statement())), 413, 'too_large')
  })
})

describe('GET by id', () => {
  it('answers the stored text with Last-Modified, the stored time to the second', async () => {
    const one = statement()
    await reader.post(one)
    const answer = await reader.get(`statements?statementId=${one.id}`)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json')
    const modified = new Date(answer.headers.get('last-modified')!).getTime()
    expect(modified).toBe(Math.floor(new Date(answer.json.stored).getTime() / 1000) * 1000)
  })

  it('finds an id in any case', async () => {
    const one = statement()
    await reader.post(one)
    expect((await reader.get(`statements?statementId=${one.id.toUpperCase()}`)).json.id).toBe(one.id)
  })

  it('answers 404 for an unknown id, and for one that is not voided when asked as voided', async () => {
    expectShape(await reader.get(`statements?statementId=${randomUUID()}`), 404, 'not_found')
    const one = statement()
    await reader.post(one)
    expectShape(await reader.get(`statements?voidedStatementId=${one.id}`), 404, 'not_found')
  })

  it('hides a voided statement and shows it as voided', async () => {
    const one = statement()
    const void1 = voiding(one.id)
    await storeAll(reader, one, void1)
    expectShape(await reader.get(`statements?statementId=${one.id}`), 404, 'not_found')
    expect((await reader.get(`statements?voidedStatementId=${one.id}`)).json.id).toBe(one.id)
    expect((await reader.get(`statements?statementId=${void1.id}`)).status).toBe(200)
    const ids = await reader.idsOf('limit=2')
    expect(ids).toContain(void1.id)
    expect(ids).not.toContain(one.id)
  })

  it('voids a target that comes later', async () => {
    const one = statement()
    await storeAll(reader, voiding(one.id), one)
    expect((await reader.get(`statements?statementId=${one.id}`)).status).toBe(404)
  })

  it.each(['limit=1', 'ascending=true', 'agent={"mbox":"mailto:a@example.org"}', `voidedStatementId=${randomUUID()}`])(
    'refuses an id together with %s',
    async (other) => {
      const answer = await reader.get(`statements?statementId=${randomUUID()}&${encodeURI(other)}`)
      expectShape(answer, 400, 'invalid')
    },
  )

  it('is JSON with attachments=false', async () => {
    const one = statement()
    await reader.post(one)
    expect((await reader.get(`statements?statementId=${one.id}&attachments=false`)).status).toBe(200)
  })
})

describe('GET a list', () => {
  let own: Client

  // Each test its own organisation: lists hold exactly what it stored.
  beforeEach(async () => {
    const organisationId = await stage.addOrganisation()
    own = await stage.as('xapi', {}, organisationId)
  })

  it('is empty where nothing is', async () => {
    const answer = await own.get('statements')
    expect([answer.status, answer.json]).toEqual([200, { statements: [], more: '' }])
  })

  it('is newest first, or oldest first when asked', async () => {
    const ids = await storeAll(own, statement(), statement(), statement())
    expect(await own.idsOf()).toEqual(ids.toReversed())
    expect(await own.idsOf('ascending=true')).toEqual(ids)
  })

  it('holds every statement once, whatever the page size, with the parameters kept in "more"', async () => {
    const statements = Array.from({ length: 7 }, (_, index) =>
      statement({ verb: { id: `http://example.org/${index % 2 ? 'odd' : 'even'}` } }),
    )
    const ids = await storeAll(own, ...statements)
    expect(await own.idsOf('limit=2')).toEqual(ids.toReversed())
    expect(await own.idsOf('limit=3&ascending=true')).toEqual(ids)
    const even = ids.filter((_, index) => index % 2 === 0)
    const query = `limit=1&verb=${encodeURIComponent('http://example.org/even')}&format=ids`
    expect(await own.idsOf(query)).toEqual(even.toReversed())
    const first = await own.get(`statements?${query}`)
    expect(first.json.more).toMatch(/^\/xapi\/statements\?/)
    const params = new URL(first.json.more, 'http://x').searchParams
    expect(Object.fromEntries(params)).toMatchObject({ limit: '1', verb: 'http://example.org/even', format: 'ids' })
  })

  it('does not promise more where nothing is left', async () => {
    await storeAll(own, statement(), statement())
    expect((await own.get('statements?limit=2')).json.more).toBe('')
    expect((await own.get('statements?limit=0')).json.more).toBe('')
  })

  it('continues where it was although more was stored meanwhile', async () => {
    const ids = await storeAll(own, statement(), statement(), statement())
    const first = await own.get('statements?limit=1')
    await storeAll(own, statement())
    const rest = await own.get(first.json.more)
    expect(rest.json.statements[0].id).toBe(ids[1])
  })

  it('filters by agent, verb, activity and registration', async () => {
    const registration = randomUUID()
    const marked = statement({
      actor: { account: { homePage: 'http://example.org', name: 'one' } },
      verb: { id: 'http://example.org/marked' },
      object: { id: 'http://example.org/marked-activity' },
      context: { registration },
    })
    await storeAll(own, statement(), marked, statement())
    for (const query of [
      `agent=${encodeURIComponent(JSON.stringify(marked['actor']))}`,
      'verb=http://example.org/marked',
      'activity=http://example.org/marked-activity',
      `registration=${registration.toUpperCase()}`,
    ]) {
      expect([query, await own.idsOf(query)]).toEqual([query, [marked.id]])
    }
    expect(await own.idsOf('verb=http://example.org/nobody-did')).toEqual([])
  })

  it('reaches related agents and activities only when asked', async () => {
    const one = statement({
      context: {
        instructor: { mbox: 'mailto:teacher@example.org' },
        contextActivities: { parent: [{ id: 'http://example.org/course' }] },
      },
    })
    await storeAll(own, one)
    const agent = `agent=${encodeURIComponent('{"mbox":"mailto:teacher@example.org"}')}`
    expect(await own.idsOf(agent)).toEqual([])
    expect(await own.idsOf(`${agent}&related_agents=true`)).toEqual([one.id])
    expect(await own.idsOf('activity=http://example.org/course')).toEqual([])
    expect(await own.idsOf('activity=http://example.org/course&related_activities=true')).toEqual([one.id])
  })

  it('bounds by stored time: after since, up to until', async () => {
    const ids = await storeAll(own, statement(), statement(), statement())
    const { statements } = (await own.get('statements?ascending=true')).json
    const middle = encodeURIComponent(statements[1].stored)
    expect(await own.idsOf(`since=${middle}`)).toEqual([ids[2]])
    expect(await own.idsOf(`until=${middle}`)).toEqual([ids[1], ids[0]])
  })

  // XAPI-00162
  it('finds what refers to a match, and not the voided match itself', async () => {
    const verb = { id: 'http://example.org/referred' }
    const target = statement({ verb })
    const referrer = statement({ object: reference(target.id) })
    const voider = voiding(target.id)
    await storeAll(own, target, referrer, voider)
    expect(await own.idsOf('verb=http://example.org/referred')).toEqual([voider.id, referrer.id])
    expect((await own.get('statements?verb=http://example.org/referred&limit=1')).json.statements[0].id).toBe(voider.id)
  })

  it.each([
    ['an unknown parameter', 'x=1'],
    ['a known one in another case', 'Agent={}'],
    ['a limit that is none', 'limit=many'],
    ['a malformed agent', 'agent=x'],
    ['a verb that is no IRI', 'verb=did'],
    ['a cursor that is none', 'cursor=-1'],
    ['an unknown format', 'format=xml'],
  ])('refuses %s', async (_, query) => {
    const answer = await own.get(`statements?${query}`)
    expectShape(answer, 400, 'invalid')
    expect(answer.json.failures[0].pointer).toBe(`?${query.split('=')[0]}`)
  })
})

describe('formats', () => {
  const definition = { name: { en: 'One', de: 'Eins' } }

  it('exact is what was stored, ids only identifiers, canonical one language', async () => {
    const one = statement({
      actor: { mbox: 'mailto:learner@example.org', name: 'Learner' },
      object: { id: 'http://example.org/activities/formats', definition },
    })
    await reader.post(one)
    const get = async (format: string, language = 'de, en;q=0.5'): Promise<Record<string, unknown>> =>
      (await reader.get(`statements?statementId=${one.id}&format=${format}`, { 'accept-language': language })).json
    expect(await get('exact')).toMatchObject({ actor: one['actor'], object: one['object'], verb: one['verb'] })
    expect(await get('ids')).toMatchObject({
      actor: { mbox: 'mailto:learner@example.org' },
      object: { id: 'http://example.org/activities/formats' },
      verb: { id: 'http://example.org/verbs/did' },
    })
    expect(JSON.stringify(await get('ids'))).not.toMatch(/Learner|Eins|tat/)
    expect(await get('canonical')).toMatchObject({
      object: { definition: { name: { de: 'Eins' } } },
      verb: { display: { de: 'tat' } },
      actor: { name: 'Learner' },
    })
    expect(JSON.stringify(await get('canonical'))).not.toContain('One')
    expect(await get('canonical', 'de;q=0.2, en')).toMatchObject({ object: { definition: { name: { en: 'One' } } } })
  })
})

describe('versions', () => {
  it.each([
    ['1.0', '1.0.3'],
    ['1.0.0', '1.0.3'],
    ['1.0.3', '1.0.3'],
    ['2.0', '2.0.0'],
    ['2.0.0', '2.0.0'],
  ])('%s is answered as %s, on success and on errors', async (sent, answered) => {
    const client = clientOf(stage.app, reader, sent)
    const answers = [
      await client.get('statements?limit=1'),
      await client.get('statements?x=1'),
      await client.post(statement()),
      await client.post({}),
      await client.put(randomUUID(), statement({ id: undefined })),
      await client.send('DELETE', 'statements'),
      await client.get('nothing'),
    ]
    expect(answers.map(({ headers }) => headers.get('x-experience-api-version'))).toEqual(answers.map(() => answered))
  })

  it.each([
    [null, '2.0.0'],
    ['', '2.0.0'],
    ['0.9', '2.0.0'],
    ['1.1.0', '1.0.3'],
    ['3.0', '2.0.0'],
    ['x', '2.0.0'],
  ])('%s is refused by 400 with the header', async (sent, answered) => {
    const headers = { 'x-experience-api-version': sent }
    for (const method of ['GET', 'POST']) {
      const options = { headers, ...(method === 'POST' && { body: statement() }) }
      const answer = await refused(() => reader.send(method, 'statements', options))
      expectShape(answer, 400, 'invalid')
      expect(answer.headers.get('x-experience-api-version')).toBe(answered)
    }
  })

  it('names the latest version a caller may speak when it sent none', async () => {
    const old = await stage.as('xapi', { limits: { xapiVersions: ['1.0'] } })
    const answer = await old.send('GET', 'statements', { headers: { 'x-experience-api-version': null } })
    expect([answer.status, answer.headers.get('x-experience-api-version')]).toEqual([400, '1.0.3'])
    expectShape(await old.get('statements'), 403, 'forbidden')
  })

  it('applies the rules of the version asked for', async () => {
    const context = { contextAgents: [{ objectType: 'contextAgent', agent: { mbox: 'mailto:a@example.org' } }] }
    const old = clientOf(stage.app, reader, '1.0.3')
    expect((await reader.post(statement({ context }))).status).toBe(200)
    expectShape(await refused(() => old.post(statement({ context }))), 400, 'invalid')
  })
})

describe('X-Experience-API-Consistent-Through', () => {
  const header = 'x-experience-api-consistent-through'

  it('is on every GET and HEAD of statements, whatever the answer', async () => {
    const nobody = clientOf(stage.app, { ...reader, secret: 'wrong' })
    const mute = await stage.as('write-only')
    const answers = [
      await reader.get('statements?limit=1'),
      await reader.get(`statements?statementId=${randomUUID()}`),
      await reader.get('statements?x=1'),
      await reader.get('statements?attachments=true'),
      await reader.send('HEAD', 'statements'),
      await reader.send('GET', 'statements', { headers: { 'x-experience-api-version': null } }),
      await nobody.get('statements'),
      await mute.get('statements'),
    ]
    for (const { status, headers } of answers) {
      expect([status, headers.get(header)]).toEqual([status, expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)])
    }
    expect(nobody).toBeDefined()
  })

  it('covers what was acknowledged before', async () => {
    const one = statement()
    await reader.post(one)
    const { json, headers } = await reader.get(`statements?statementId=${one.id}`)
    expect(headers.get(header)! >= json.stored).toBe(true)
  })

  it('betrays nothing to whom it does not know', async () => {
    const nobody = clientOf(stage.app, { ...reader, secret: 'wrong' })
    expect((await nobody.get('statements')).headers.get(header)).toBe('1970-01-01T00:00:00.000Z')
  })
})

describe('HEAD', () => {
  it('answers as GET does, without the body', async () => {
    const one = statement()
    await reader.post(one)
    for (const path of [`statements?statementId=${one.id}`, 'statements?limit=1', 'statements?x=1', 'about']) {
      const got = await reader.get(path)
      const head = await reader.send('HEAD', path)
      expect([path, head.status, head.text]).toEqual([path, got.status, ''])
      expect(head.headers.get('last-modified')).toBe(got.headers.get('last-modified'))
      expect(head.headers.get('content-type')).toBe(got.headers.get('content-type'))
      if (got.status === 200) expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(got.text)))
    }
  })
})

describe('who asks', () => {
  it.each([
    ['nothing', null],
    ['a wrong secret', `Basic ${Buffer.from('key:wrong').toString('base64')}`],
    ['a malformed header', 'Basic: abc'],
    ['an unknown scheme', 'Digest abc'],
    ['a token that is none', 'Bearer abc'],
  ])('%s is refused by 401 and a challenge', async (_, authorization) => {
    const headers = { authorization }
    const answer = await refused(() => reader.send('POST', 'statements', { body: statement(), headers }))
    expectShape(answer, 401, 'unauthenticated')
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
    expect(answer.headers.get('x-experience-api-version')).toBe('2.0.0')
  })

  it.each([
    ['write-only', 'GET', 'statements/read'],
    ['read-only', 'POST', 'statements/write'],
    ['none', 'GET', 'statements/read'],
    ['none', 'POST', 'statements/write'],
  ])('%s may not %s, and hears which right is missing', async (preset, method, right) => {
    const client = await stage.as(preset)
    const answer = await refused(() =>
      client.send(method, 'statements', method === 'POST' ? { body: statement() } : {}),
    )
    expectShape(answer, 403, 'forbidden')
    expect(answer.json.decidedBy).toBe(right)
  })

  it('voiding takes a right of its own', async () => {
    const one = statement()
    await reader.post(one)
    const writer = await stage.as('write-only')
    const answer = await refused(() => writer.post(voiding(one.id)))
    expectShape(answer, 403, 'forbidden')
    expect(answer.json.decidedBy).toBe('statements/void')
  })

  it('only who may set the authority does', async () => {
    const authority = { mbox: 'mailto:somebody@example.org' }
    const global = await stage.as('global')
    const [kept, replaced] = [statement({ authority }), statement({ authority })]
    await global.post(kept)
    await reader.post(replaced)
    expect((await reader.get(`statements?statementId=${kept.id}`)).json.authority).toMatchObject(authority)
    expect((await reader.get(`statements?statementId=${replaced.id}`)).json.authority).not.toMatchObject(authority)
  })

  it('is told when to come back after too many requests', async () => {
    const client = await stage.as('xapi', { limits: { ratePerMinute: 2 } })
    await client.get('statements?limit=1')
    await client.get('statements?limit=1')
    const answer = await refused(() => client.post(statement()))
    expectShape(answer, 429, 'rate_limited')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(answer.json.decidedBy).toBe('limit ratePerMinute')
  })

  it('is refused from an address or an origin that is not allowed', async () => {
    const client = await stage.as('xapi', {
      limits: { addresses: ['192.0.2.0/24'], origins: ['https://lms.example.org'] },
    })
    const send = (peer: string, origin: string | null) =>
      client.send('GET', 'statements?limit=1', { headers: { origin }, delivery: { peer } })
    expect((await send('192.0.2.7', 'https://lms.example.org')).status).toBe(200)
    expect((await send('192.0.2.7', null)).status).toBe(200)
    expectShape(await send('192.0.3.7', null), 403, 'forbidden')
    expectShape(await send('192.0.2.7', 'https://evil.example.org'), 403, 'forbidden')
  })

  it('requests are counted, refused ones by reason', async () => {
    const client = await stage.as('xapi', { name: 'Counted' })
    await client.post([statement(), statement()])
    await client.post({})
    await client.get('statements?limit=1')
    // Not there yet is no refusal.
    const agent = encodeURIComponent('{"mbox":"mailto:learner@example.org"}')
    const absent = await client.get(`activities/state?activityId=urn:course&agent=${agent}&stateId=bookmark`)
    expect(absent.status).toBe(404)
    const operator = stage.core.signIn.operator(stage.organisationId, 'test')
    const totals = await stage.core.usage.list(operator, client.credential.id)
    expect(totals).toEqual([expect.objectContaining({ requests: 4, statements: 2, refusals: { invalid: 1 } })])
  })
})

describe('pins', () => {
  const learner = { mbox: 'mailto:pinned@example.org' }
  const other = { mbox: 'mailto:unpinned@example.org' }

  it('refuse writes outside by 403 naming the pin, the whole batch with them', async () => {
    const registration = randomUUID()
    const pinned = await stage.as('xapi', {
      pins: {
        actor: [learner],
        registration: { id: registration, mode: 'required' },
        activity: 'http://example.org/course',
      },
    })
    const inside = {
      actor: learner,
      object: { id: 'http://example.org/course/1' },
      context: { registration: registration.toUpperCase() },
    }
    expect((await pinned.post(statement(inside))).status).toBe(200)
    for (const [pin, outside] of [
      ['actor', { actor: other }],
      ['registration', { context: { registration: randomUUID() } }],
      ['registration', { context: undefined }],
      ['activity', { object: { id: 'http://example.org/course2' } }],
    ] as const) {
      const answer = await refused(() => pinned.post([statement(inside), statement({ ...inside, ...outside })]))
      expectShape(answer, 403, 'forbidden')
      expect(answer.json.decidedBy).toBe(`pin ${pin}`)
      expect(answer.json.message).toContain(pin)
    }
  })

  it('filter lists, in full although most is hidden, and answer 404 by id', async () => {
    const organisationId = await stage.addOrganisation()
    const writer = await stage.as('xapi', {}, organisationId)
    const account = { account: { homePage: 'http://example.org', name: 'pinned' } }
    const visible: string[] = []
    let hidden = ''
    for (let index = 0; index < 12; index += 1) {
      const isVisible = [1, 2, 3, 7, 10].includes(index)
      const one = statement({ actor: isVisible ? account : other })
      await writer.post(one)
      if (isVisible) visible.unshift(one.id)
      else hidden = one.id
    }
    const pinned = await stage.as('xapi', { pins: { actor: [{ accountName: 'pinned' }] } }, organisationId)
    expect(await pinned.idsOf()).toEqual(visible)
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      expect(await pinned.idsOf(`limit=${limit}`)).toEqual(visible)
      expect(await pinned.idsOf(`limit=${limit}&ascending=true`)).toEqual(visible.toReversed())
    }
    expect((await pinned.get('statements?limit=3')).json.statements).toHaveLength(3)
    expectShape(await pinned.get(`statements?statementId=${hidden}`), 404, 'not_found')
    expect((await pinned.get(`statements?statementId=${visible[0]}`)).status).toBe(200)
    // Nor through what refers to it, which is inside.
    await writer.post(statement({ actor: account, object: reference(hidden) }))
    expect(await pinned.idsOf(`agent=${encodeURIComponent(JSON.stringify(other))}`)).not.toContain(hidden)
  })

  it('use the index for one mailbox and one registration', async () => {
    const organisationId = await stage.addOrganisation()
    const writer = await stage.as('xapi', {}, organisationId)
    const registration = randomUUID()
    const inside = statement({ actor: learner, context: { registration } })
    await storeAll(
      writer,
      statement({ actor: learner }),
      inside,
      statement({ actor: other, context: { registration } }),
    )
    const pins = { actor: [learner], registration: { id: registration, mode: 'required' as const } }
    const pinned = await stage.as('xapi', { pins }, organisationId)
    expect(await pinned.idsOf()).toEqual([inside.id])
  })
})

describe('other methods, paths and mounts', () => {
  it.each([
    ['DELETE', 'statements', 'GET, HEAD, POST, PUT, OPTIONS'],
    ['PATCH', 'statements', 'GET, HEAD, POST, PUT, OPTIONS'],
    ['POST', 'about', 'GET, HEAD, OPTIONS'],
  ])('%s %s is refused by 405 with Allow', async (method, path, allow) => {
    const answer = await refused(() => reader.send(method, path))
    expectShape(answer, 405, 'unsupported')
    expect(answer.headers.get('allow')).toBe(allow)
  })

  it.each(['/xapi', '/xapi/', '/xapi/nothing', '/xapi/statements/more', '/xapi/Statements'])(
    '%s is 404',
    async (path) => {
      expectShape(await reader.get(path), 404, 'not_found')
    },
  )

  it.each(['/xapi/statements/', '//xapi//statements'])('%s is /xapi/statements', async (path) => {
    expect((await reader.get(`${path}?limit=1`)).status).toBe(200)
  })

  it('about needs neither credentials nor a version', async () => {
    const answer = await reader.send('GET', 'about', {
      headers: { authorization: null, 'x-experience-api-version': null },
    })
    expect([answer.status, answer.json.version]).toEqual([200, ['1.0.0', '1.0.1', '1.0.2', '1.0.3', '2.0.0']])
    expect(answer.headers.get('x-experience-api-version')).toBe('2.0.0')
  })

  it('a preflight is answered without credentials', async () => {
    const answer = await reader.send('OPTIONS', 'statements', {
      headers: { authorization: null, 'x-experience-api-version': null, origin: 'https://content.example.org' },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT')
    expect(answer.headers.get('access-control-allow-headers')).toContain('X-Experience-API-Version')
  })

  it.each([
    ['statements', 'GET, HEAD, POST, PUT, OPTIONS'],
    ['about', 'GET, HEAD, OPTIONS'],
    ['extensions/validate', 'POST, OPTIONS'],
    ['agents', 'GET, HEAD, OPTIONS'],
    ['activities', 'GET, HEAD, OPTIONS'],
    ['activities/state', 'GET, HEAD, PUT, POST, DELETE, OPTIONS'],
    ['agents/profile', 'GET, HEAD, PUT, POST, DELETE, OPTIONS'],
  ])('OPTIONS of %s says what it offers', async (path, allow) => {
    expect((await reader.send('OPTIONS', path)).headers.get('allow')).toBe(allow)
  })

  it('a preflight allows whatever headers a page names, and by itself those of documents', async () => {
    const headers = 'If-Match, If-None-Match, Content-Type, Accept-Language, X-Experience-API-Version, Authorization'
    const asked = {
      origin: 'https://content.example.org',
      'access-control-request-headers': 'x-experience-api-hash,etag',
    }
    const allowed = async (sent: Record<string, string>) =>
      (await reader.send('OPTIONS', 'activities/state', { headers: sent })).headers.get('access-control-allow-headers')
    expect(await allowed(asked)).toBe('x-experience-api-hash,etag')
    for (const name of headers.split(', ')) expect(await allowed({})).toContain(name)
  })

  it('every answer lets a browser read what it needs', async () => {
    for (const answer of [await reader.get('statements?limit=1'), await reader.get('statements?x=1')]) {
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
      for (const name of [
        'ETag',
        'Last-Modified',
        'X-Experience-API-Version',
        'X-Experience-API-Consistent-Through',
        'Location',
        'Retry-After',
        'WWW-Authenticate',
      ]) {
        expect(answer.headers.get('access-control-expose-headers')).toContain(name)
      }
    }
  })

  it('a lent mount leads to the default Lrs, with the lender’s errors and its own "more"', async () => {
    const root = `/api/organizations/${stage.organisationId}/lrs`
    const ids = await storeAll(reader, statement(), statement())
    const first = await reader.get(`${root}/statements?limit=1`)
    expect(first.json.statements[0].id).toBe(ids[1])
    expect(first.json.more.startsWith(`${root}/statements?`)).toBe(true)
    expect((await reader.get(first.json.more)).json.statements[0].id).toBe(ids[0])
    const error = await reader.get(`${root}/statements?x=1`)
    expect([error.status, error.json]).toEqual([400, { message: expect.any(String), status: 400 }])
    expect(error.headers.get('x-experience-api-version')).toBe('2.0.0')
    expect((await reader.get(`${root}/agents/profile`)).json).toEqual({
      message: expect.stringContaining('?agent'),
      status: 400,
    })
    expect((await reader.get(`${root}/nothing`)).json).toMatchObject({ status: 404 })
  })

  it('a lent mount of another organisation is 401', async () => {
    const id = await stage.addOrganisation()
    for (const path of [`/api/organizations/${id}/lrs`, '/api/organizations/999999/lrs']) {
      expect((await reader.get(`${path}/statements`)).status).toBe(401)
    }
  })
})

describe('trouble', () => {
  it('a full store is 503 with Retry-After, a defect 500 without its text, logged once', async () => {
    let thrown = new Error('not yet')
    const troubled = await openStage({
      wrapStorage: (storage) => ({
        ...storage,
        onDirectoryChange: (listener) => storage.onDirectoryChange(listener),
        close: () => storage.close(),
        statements: {
          find: (...args) => storage.statements.find(...args),
          list: (...args) => storage.statements.list(...args),
          consistentThrough: (...args) => storage.statements.consistentThrough(...args),
          listDescriptions: (...args) => storage.statements.listDescriptions(...args),
          follow: (...args) => storage.statements.follow(...args),
          listLatest: (...args) => storage.statements.listLatest(...args),
          countStatements: (...args) => storage.statements.countStatements(...args),
          store: () => Promise.reject(thrown),
        },
      }),
    })
    const client = await troubled.as('xapi')
    thrown = new Error('SELECT secrets')
    const defect = await client.post(statement())
    expectShape(defect, 500, 'internal')
    expect(defect.text).not.toContain('SELECT')
    expect(troubled.logged).toEqual([expect.objectContaining({ requestId: defect.json.requestId, err: thrown })])
    thrown = new DomainError('unavailable', 'full', { detail: { retryAfterSeconds: 3 } })
    const busy = await client.post(statement())
    expectShape(busy, 503, 'unavailable')
    expect(busy.headers.get('retry-after')).toBe('3')
    await troubled.close()
  })
})
