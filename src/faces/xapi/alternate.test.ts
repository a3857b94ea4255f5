// The alternate request syntax: the request it stands for is answered as ever, and what is not quite it is refused unstored.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Answer, Client, SendOptions, Stage } from '../../../test/support/xapi.ts'
import type { AskedRequest } from '../face.ts'
import { askedInForm } from './alternate.ts'

let stage: Stage
let client: Client
let authorization: string

beforeAll(async () => {
  stage = await openStage({ bodyBytes: 400_000 })
  const { credential, key, secret } = await stage.as('xapi')
  client = clientOf(stage.app, { credential, key, secret }, '1.0.3')
  authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
})
afterAll(() => stage.close())

const formType = 'application/x-www-form-urlencoded'

function encode(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map((pair) => pair.map((text) => encodeURIComponent(text)).join('='))
    .join('&')
}

function send(query: string, fields: Readonly<Record<string, string>> | string, options: SendOptions = {}) {
  const body = typeof fields === 'string' ? fields : encode(fields)
  return client.send('POST', `statements?${query}`, {
    body,
    ...options,
    headers: { 'content-type': formType, ...options.headers },
  })
}

/** All that a browser without CORS can send: no header of its own. */
const bare = { authorization: null, 'x-experience-api-version': null, 'content-type': null }

async function refused(sending: () => Promise<Answer>): Promise<Answer> {
  const before = await client.idsOf('limit=0')
  const answer = await sending()
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(await client.idsOf('limit=0')).toEqual(before)
  return answer
}

function rulesOf({ status, json }: Answer): unknown {
  return [status, json.failures.map(({ pointer, rule }: { pointer: string; rule: string }) => `${pointer} ${rule}`)]
}

describe('XAPI-00336 what a form stands for', () => {
  it('PUT and GET of a statement, everything in the form and nothing in a header', async () => {
    const { id, ...one } = statement({
      verb: { id: 'http://example.org/verbs/did', display: { de: 'übte & lernte 100%+' } },
    })
    const common = { Authorization: authorization, 'X-Experience-API-Version': '1.0.2' }
    const stored = await send(
      'method=PUT',
      {
        statementId: id,
        content: JSON.stringify(one),
        'Content-Type': 'application/json',
        'Content-Length': '7',
        ...common,
      },
      { headers: bare },
    )
    expect([stored.status, stored.text]).toEqual([204, ''])
    expect(stored.headers.get('x-experience-api-version')).toBe('1.0.3')
    const found = await send(
      'method=GET',
      { statementId: id, ...common },
      { headers: { ...bare, 'content-type': 'text/plain' } },
    )
    expect([found.status, found.json]).toEqual([200, expect.objectContaining({ id, ...one })])
    expect(found.headers.get('x-experience-api-consistent-through')).not.toBeNull()
  })

  it('POST answers the ids, GET lists with every parameter, spaces written as +', async () => {
    const batch = [statement(), statement()]
    const posted = await send('method=POST', { content: JSON.stringify(batch) })
    expect([posted.status, posted.json]).toEqual([200, batch.map(({ id }) => id)])
    const listed = await send(
      'method=GET',
      `limit=1&ascending=false&agent=${encode({ a: JSON.stringify(batch[0]!['actor']) }).slice(2)}`,
    )
    expect(listed.json.statements.map((one: { id: string }) => one.id)).toEqual([batch[1]!.id])
    // Continued in the ordinary way.
    expect((await client.get(listed.json.more)).json.statements[0].id).toBe(batch[0]!.id)
    const spaced = statement({ verb: { id: 'http://example.org/verbs/did', display: { en: 'did so' } } })
    await send('method=POST', `content=${encodeURIComponent(JSON.stringify(spaced)).replaceAll('%20', '+')}`)
    expect((await client.get(`statements?statementId=${spaced.id}`)).json).toMatchObject(spaced)
  })

  it('a method in lower case', async () => {
    const one = statement()
    expect((await send('method=put', { statementId: one.id, content: JSON.stringify(one) })).status).toBe(204)
    expect((await send('method=get', '')).json.statements[0].id).toBe(one.id)
  })

  it('HEAD has the status and headers of the GET, and no body', async () => {
    const one = statement()
    await client.post(one)
    const head = await send('method=HEAD', { statementId: one.id })
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('last-modified')).not.toBeNull()
    expect(head.headers.get('content-length')).toBeNull()
  })

  it('Accept-Language in the form, or in a header as ever', async () => {
    const one = statement()
    await client.post(one)
    const query = { statementId: one.id, format: 'canonical' }
    const inForm = await send('method=GET', { ...query, 'Accept-Language': 'de' })
    const inHeader = await send('method=GET', query, { headers: { 'accept-language': 'de' } })
    expect([inForm.json.verb.display, inHeader.json.verb.display]).toEqual([{ de: 'tat' }, { de: 'tat' }])
  })

  it('the version of the form goes before that of the header', async () => {
    const bad = await refused(() =>
      send('method=PUT', { statementId: 'x', 'X-Experience-API-Version': '0.8', content: '{}' }),
    )
    expect(rulesOf(bad)).toEqual([400, ['X-Experience-API-Version: XAPI-00331']])
    const one = statement()
    const fields = { content: JSON.stringify(one), 'X-Experience-API-Version': '1.0.1' }
    expect((await send('method=POST', fields, { headers: { 'x-experience-api-version': '2.0.0' } })).status).toBe(200)
  })

  it('a + is a space wherever it stands, and costs nothing by the million', async () => {
    const text = `content=${'+'.repeat(350_000)}${encodeURIComponent(JSON.stringify(statement()))}+`
    expect((await send('method=POST', text)).status).toBe(200)
  })

  it('about, without credentials or version', async () => {
    const answer = await client.send('POST', 'about?method=GET', { headers: bare })
    expect([answer.status, answer.json.version]).toEqual([200, expect.arrayContaining(['1.0.3'])])
  })

  it('on a lent mount', async () => {
    const one = statement()
    const path = `/api/organizations/${stage.organisationId}/lrs/statements?method=POST`
    const body = encode({
      content: JSON.stringify(one),
      Authorization: authorization,
      'X-Experience-API-Version': '1.0.3',
    })
    const answer = await client.send('POST', path, { body, headers: bare })
    expect([answer.status, answer.json]).toEqual([200, [one.id]])
  })

  it('rules of the content keep their pointers into it', async () => {
    const answer = await refused(() =>
      send('method=POST', { content: JSON.stringify([statement(), statement({ verb: {} })]) }),
    )
    expect(rulesOf(answer)).toEqual([400, ['/1/verb XAPI-00044']])
  })
})

describe('XAPI-00336 what is refused', () => {
  const content = () => JSON.stringify(statement())

  it('credentials that are wrong or missing', async () => {
    expect(
      (await refused(() => send('method=POST', { content: content() }, { headers: { authorization: null } }))).status,
    ).toBe(401)
    const wrong = { content: content(), Authorization: `Basic ${Buffer.from('a:b').toString('base64')}` }
    expect((await refused(() => send('method=POST', wrong, { headers: { authorization: null } }))).status).toBe(401)
    // What the header's key is admitted for is not done in the name of the form's.
    const two = await refused(() => send('method=POST', wrong))
    expect(rulesOf(two)).toEqual([400, ['Authorization: claviger/two-credentials']])
    expect((await send('method=GET', { Authorization: authorization })).status).toBe(200)
  })

  it.each<[string, string, () => Record<string, string> | string, Record<string, string>, string]>([
    ['a further query parameter', 'method=POST&limit=1', () => ({ content: content() }), {}, '?limit XAPI-00336'],
    ['two methods', 'method=POST&method=PUT', () => ({ content: content() }), {}, '?method XAPI-00336'],
    ['an unknown method', 'method=PATCH', () => ({ content: content() }), {}, '?method XAPI-00336'],
    ['a method of none', 'method=', () => ({ content: content() }), {}, '?method XAPI-00336'],
    ['no content', 'method=PUT', () => ({ statementId: 'x' }), {}, ' XAPI-00336'],
    ['nothing at all', 'method=PUT', () => '', {}, ' XAPI-00336'],
    ['JSON that claims to be a form', 'method=POST', () => JSON.stringify({ content: 'a=b' }), {}, ' XAPI-00336'],
    ['JSON', 'method=POST', content, { 'content-type': 'application/json' }, 'Content-Type: XAPI-00336'],
    [
      'another charset',
      'method=POST',
      () => ({ content: content() }),
      { 'content-type': `${formType}; charset=latin1` },
      'Content-Type: claviger/utf-8',
    ],
    ['bytes that are no UTF-8', 'method=POST', () => 'content=%FF', {}, ' claviger/utf-8'],
    ['half an escape', 'method=POST', () => 'content=%4', {}, ' claviger/utf-8'],
    ['a field without a value', 'method=POST', () => `content`, {}, ' XAPI-00336'],
    ['the content twice', 'method=POST', () => `content=1&content=2`, {}, ' claviger/repeated-parameter'],
    ['a header twice', 'method=GET', () => 'if-match=1&If-Match=2', {}, 'If-Match: claviger/repeated-parameter'],
    ['a parameter twice', 'method=GET', () => 'limit=1&limit=1', {}, '?limit claviger/repeated-parameter'],
    [
      'a hundred and one fields',
      'method=GET',
      () => Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&'),
      {},
      ' claviger/too-many-parameters',
    ],
    ['a long parameter', 'method=GET', () => ({ verb: 'x'.repeat(70_000) }), {}, ' claviger/field-length'],
    ['long headers', 'method=GET', () => ({ 'If-Match': ' '.repeat(17_000) }), {}, ' claviger/field-length'],
    [
      'headers that are long together',
      'method=GET',
      () => ({ 'If-Match': 'x'.repeat(9_000), 'If-None-Match': 'x'.repeat(9_000) }),
      {},
      ' claviger/field-length',
    ],
    ['an unknown parameter', 'method=GET', () => ({ limits: '1' }), {}, '?limits XAPI-00324'],
    [
      '2.0 by the header',
      'method=POST',
      () => ({ content: content() }),
      { 'x-experience-api-version': '2.0.0' },
      '?method claviger/alternate-syntax',
    ],
    [
      '2.0 by the form',
      'method=POST',
      () => ({ content: content(), 'X-Experience-API-Version': '2.0.0' }),
      {},
      '?method claviger/alternate-syntax',
    ],
    [
      '2.0 with JSON',
      'method=POST',
      content,
      { 'x-experience-api-version': '2.0.0', 'content-type': 'application/json' },
      '?method claviger/alternate-syntax',
    ],
  ])('%s', async (_, query, fields, headers, failure) => {
    expect(rulesOf(await refused(() => send(query, fields(), { headers })))).toEqual([400, [failure]])
  })

  it.each(['PUT', 'GET', 'DELETE'])('%s that carries another method', async (carrier) => {
    const answer = await refused(() =>
      client.send(carrier, 'statements?method=POST', carrier === 'GET' ? {} : { body: encode({ content: content() }) }),
    )
    expect(rulesOf(answer)).toEqual([400, ['?method XAPI-00336']])
  })

  it('a form that is too large: a little before anybody signed in, the limit of the body after', async () => {
    const unsigned = { content: 'x'.repeat(300_000), Authorization: authorization }
    expect((await refused(() => send('method=POST', unsigned, { headers: { authorization: null } }))).status).toBe(413)
    const large = statement({ result: { response: 'x'.repeat(300_000) } })
    expect((await send('method=POST', { content: JSON.stringify(large) })).status).toBe(200)
    const larger = statement({ result: { response: 'x'.repeat(401_000) } })
    expect((await refused(() => send('method=POST', { content: JSON.stringify(larger) }))).status).toBe(413)
  })

  it('a form of another site’s page that relies on what the browser remembers', async () => {
    const fields = { content: content(), 'X-Experience-API-Version': '1.0.3' }
    const page = {
      origin: 'https://evil.example.org',
      'sec-fetch-site': 'cross-site',
      'x-experience-api-version': null,
    }
    const answer = await refused(() => send('method=POST', fields, { headers: page }))
    expect(rulesOf(answer)).toEqual([400, ['Authorization: claviger/ambient-credentials']])
    // Whoever knows the credentials may well be a page elsewhere.
    const known = { ...fields, Authorization: authorization }
    expect((await send('method=POST', known, { headers: { ...page, authorization: null } })).status).toBe(200)
  })
})

describe('a key that stands in a header', () => {
  const large = `content=${'x'.repeat(2_000_000)}`

  async function statusesAs(limits: object, count: number): Promise<number[]> {
    const limited = clientOf(stage.app, await stage.as('xapi', { limits }), '1.0.3')
    const options = { body: encode({ limit: '1' }), headers: { 'content-type': formType } }
    const answers: number[] = []
    for (let n = 0; n < count; n++) answers.push((await limited.send('POST', 'statements?method=GET', options)).status)
    return answers
  }

  it('is admitted once', async () => {
    expect(await statusesAs({ ratePerMinute: 2, burst: 0 }, 3)).toEqual([200, 200, 429])
  })

  it.each([
    [{ addresses: ['192.0.2.1'] }, 'limit addresses'],
    [{ origins: ['https://lms.example.org'] }, 'limit origins'],
    [{ xapiVersions: ['2.0'] }, 'limit xapiVersions'],
  ] as const)('is admitted before its form is read: %j', async (limits, decidedBy) => {
    const limited = clientOf(stage.app, await stage.as('xapi', { limits }), '1.0.3')
    const headers = { 'content-type': formType, origin: 'https://other.example.org' }
    const answer = await limited.send('POST', 'statements?method=POST', { body: large, headers })
    expect([answer.status, answer.json.decidedBy]).toEqual([403, decidedBy])
  })
})

describe('what it would meet', () => {
  const asked = (method: string, query: string, body?: string): AskedRequest => ({
    method,
    path: '/xapi/statements',
    query: new URLSearchParams(query),
    version: '1.0.3',
    body,
  })

  it('is asked of the request that the form describes', () => {
    const form = encode({ statementId: 'x', content: '{}', 'X-Experience-API-Version': '1.0.1' })
    const meant = askedInForm(asked('POST', 'method=PUT', form))
    expect({ ...meant, query: meant.query.toString() }).toEqual({
      ...asked('PUT', '', '{}'),
      query: 'statementId=x',
      version: '1.0.1',
    })
    expect(askedInForm(asked('POST', 'method=GET')).method).toBe('GET')
  })

  it('is refused as it would be', () => {
    expect(() => askedInForm(asked('PUT', 'method=PUT', 'content=1'))).toThrow(/Only a POST/)
    expect(() => askedInForm(asked('POST', 'method=PUT', 'statementId=1'))).toThrow(/"content"/)
    expect(() => askedInForm({ ...asked('POST', 'method=GET'), version: '2.0.0' })).toThrow(/2\.0 has no/)
  })
})
