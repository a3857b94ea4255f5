import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  boundary,
  dataPart,
  describing,
  hashOf,
  multipartBody,
  partsOf,
  statementsPart,
} from '../../../test/support/multipart.ts'
import type { GotPart, SentPart } from '../../../test/support/multipart.ts'
import { sign, signer } from '../../../test/support/signing.ts'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'
import { signatureUsage } from '../../core/xapi/attachment.ts'
import { maxSignatureLength } from '../../core/xapi/signature.ts'

let stage: Stage
let client: Client

beforeAll(async () => {
  stage = await openStage({ bodyBytes: 200_000 })
  client = await stage.as('xapi')
})
afterAll(() => stage.close())

const type = `multipart/mixed; boundary=${boundary}`

function post(parts: readonly SentPart[], as = client): Promise<Answer> {
  return as.send('POST', 'statements', { body: multipartBody(parts), headers: { 'content-type': type } })
}

/** The parts of an answer, bytes and all. */
async function getParts(query: string, as = client): Promise<GotPart[]> {
  const authorization = `Basic ${Buffer.from(`${as.key}:${as.secret}`).toString('base64')}`
  const headers = { authorization, 'x-experience-api-version': '2.0.0' }
  const response = await stage.app.request(query.startsWith('/') ? query : `/xapi/statements?${query}`, { headers })
  expect(response.status).toBe(200)
  return partsOf(response.headers.get('content-type'), new Uint8Array(await response.arrayBuffer()))
}

const jsonOf = (part: GotPart | undefined) => JSON.parse(part?.content.toString() ?? 'null')

/** Refused so, and nothing of it is stored. */
async function expectRefused(parts: readonly SentPart[], rule: string, pointer?: string, status = 400): Promise<void> {
  const before = await client.idsOf()
  const { status: got, json } = await post(parts)
  expect([got, json]).toEqual([status, expect.anything()])
  expect(json.failures).toEqual(
    expect.arrayContaining([expect.objectContaining({ rule, ...(pointer !== undefined && { pointer }) })]),
  )
  expect(await client.idsOf()).toEqual(before)
}

describe('attachments sent along', () => {
  const one = 'here is a simple attachment'
  const other = randomBytes(70_000)

  it('come back in the order in which the statement lists them', async () => {
    const contents = ['a', 'b', 'c', 'd', 'e', 'f']
    const sent = statement({ attachments: contents.map((content) => describing(content)) })
    expect(
      (await post([statementsPart(sent), ...contents.toReversed().map((content) => dataPart(content))])).status,
    ).toBe(200)
    const [, ...data] = await getParts(`statementId=${sent.id}&attachments=true`)
    expect(data.map(({ content }) => content.toString())).toEqual(contents)
  })

  it('may lack the line end between them, as clients forget it', async () => {
    const sent = statement({ attachments: [describing(one), describing(other)] })
    const body = multipartBody([statementsPart(sent), dataPart(one), dataPart(other)])
    const lineEnd = body.indexOf(`\r\n--${boundary}`, body.indexOf(one))
    const broken = Buffer.concat([body.subarray(0, lineEnd), body.subarray(lineEnd + 2)])
    const answer = await client.send('POST', 'statements', { body: broken, headers: { 'content-type': type } })
    expect([answer.status, answer.json]).toEqual([200, [sent.id]])
    const [, ...data] = await getParts(`statementId=${sent.id}&attachments=true`)
    expect(data.map(({ content }) => content)).toEqual([Buffer.from(one), other])
  })

  it('come back with attachments=true, each once, for one statement and for lists', async () => {
    const first = statement({ attachments: [describing(one), describing(other, { contentType: 'image/jpeg' })] })
    const second = statement({ attachments: [describing(one)] })
    const answer = await post([statementsPart([first, second]), dataPart(other), dataPart(one)])
    expect([answer.status, answer.json]).toEqual([200, [first.id, second.id]])
    const [exact, ...data] = await getParts(`statementId=${first.id}&attachments=true`)
    expect(exact?.headers).toEqual({ 'content-type': 'application/json' })
    expect(jsonOf(exact).attachments).toEqual(first['attachments'])
    expect(data).toHaveLength(2)
    expect(data).toEqual(
      expect.arrayContaining([
        {
          headers: {
            'content-type': 'text/plain',
            'content-transfer-encoding': 'binary',
            'x-experience-api-hash': hashOf(one),
          },
          content: Buffer.from(one),
        },
        {
          headers: {
            'content-type': 'image/jpeg',
            'content-transfer-encoding': 'binary',
            'x-experience-api-hash': hashOf(other),
          },
          content: other,
        },
      ]),
    )
    const [list, ...all] = await getParts('attachments=true&limit=2')
    expect(jsonOf(list).statements.map(({ id }: { id: string }) => id)).toEqual([second.id, first.id])
    expect(all.map(({ headers }) => headers['x-experience-api-hash']).toSorted()).toEqual(
      [hashOf(one), hashOf(other)].toSorted(),
    )
  })

  it('name their hash as the statement spells it', async () => {
    const sha2 = hashOf('spelled').toUpperCase()
    const sent = statement({ attachments: [describing('spelled', { sha2 })] })
    await post([statementsPart(sent), dataPart('spelled')])
    const [, part] = await getParts(`statementId=${sent.id}&attachments=true`)
    expect(part?.headers['x-experience-api-hash']).toBe(sha2)
  })

  it('are left out without attachments=true', async () => {
    const sent = statement({ attachments: [describing(one)] })
    await post([statementsPart(sent), dataPart(one)])
    for (const query of ['', '&attachments=false']) {
      const { headers, json } = await client.get(`statements?statementId=${sent.id}${query}`)
      expect([headers.get('content-type'), json.id]).toEqual(['application/json', sent.id])
    }
  })

  it('answer multipart where there are none, keep more and Consistent-Through, and have no body for HEAD', async () => {
    await client.post([statement(), statement()])
    const [list, ...data] = await getParts('attachments=true&limit=1')
    const { more } = jsonOf(list)
    expect([data, more]).toEqual([[], expect.stringContaining('attachments=true')])
    expect(await getParts(more)).toHaveLength(1)
    const { headers, text, status } = await client.send('HEAD', 'statements?attachments=true')
    expect([status, text, headers.get('content-type')]).toEqual([
      200,
      '',
      expect.stringMatching(/^multipart\/mixed; boundary=/),
    ])
    expect(headers.get('x-experience-api-consistent-through')).toMatch(/^\d{4}-/)
  })

  it('come with the PUT of one statement', async () => {
    const sent = statement({ attachments: [describing(one)] })
    const body = multipartBody([statementsPart(sent), dataPart(one)])
    const { status } = await client.send('PUT', `statements?statementId=${sent.id}`, {
      body,
      headers: { 'content-type': type },
    })
    expect(status).toBe(204)
    expect((await getParts(`statementId=${sent.id}&attachments=true`))[1]?.content.toString()).toBe(one)
  })

  it('may be of a SubStatement, empty, by another SHA-2, beside fileUrl, and described twice', async () => {
    const sent = statement({
      object: { objectType: 'SubStatement', ...statement({ id: undefined, attachments: [describing('inside')] }) },
      attachments: [
        describing(''),
        describing('long', { sha2: hashOf('long', 'sha512').toUpperCase() }),
        describing(one, { fileUrl: 'http://example.org/file' }),
        describing(one, { contentType: 'text/html' }),
        describing('elsewhere', { fileUrl: 'http://example.org/other' }),
      ],
    })
    const parts = [
      statementsPart(sent),
      dataPart('inside'),
      dataPart(''),
      dataPart('long', { 'X-Experience-API-Hash': hashOf('long', 'sha512') }),
      dataPart(one),
    ]
    expect((await post(parts)).status).toBe(200)
    const [, ...data] = await getParts(`statementId=${sent.id}&attachments=true`)
    expect(data.map(({ content }) => content.toString()).toSorted()).toEqual([
      '',
      'here is a simple attachment',
      'inside',
      'long',
    ])
  })

  it('may have another length than described: the public suite sends such, and the hash says more', async () => {
    const sent = statement({ attachments: [describing(one, { length: 5 })] })
    expect((await post([statementsPart(sent), dataPart(one)])).status).toBe(200)
  })

  it('may be absent where all have fileUrl, as in a request of JSON', async () => {
    const sent = statement({ attachments: [describing(one, { fileUrl: 'http://example.org/file' })] })
    expect((await post([statementsPart(sent)])).status).toBe(200)
    expect((await client.post(statement({ attachments: sent['attachments'] }))).status).toBe(200)
    expect(await getParts(`statementId=${sent.id}&attachments=true`)).toHaveLength(1)
  })
})

describe('an equal statement that comes again with the data', () => {
  const content = 'sent the second time'
  const sent = () => statement({ attachments: [describing(content, { fileUrl: 'http://example.org/file' })] })
  const dataOf = async (id: string) => (await getParts(`statementId=${id}&attachments=true`))[1]?.content.toString()

  it('brings it, and who sends none later does not take it away', async () => {
    const one = sent()
    expect((await client.post(one)).status).toBe(200)
    expect(await dataOf(one.id)).toBeUndefined()
    expect((await post([statementsPart(one), dataPart(content)])).status).toBe(200)
    expect(await dataOf(one.id)).toBe(content)
    expect((await client.post(one)).status).toBe(200)
    expect(await dataOf(one.id)).toBe(content)
  })

  it('brings none when it is of another, who may not know of it', async () => {
    const one = sent()
    expect((await client.post(one)).status).toBe(200)
    const beta = await stage.as('xapi', {
      rights: { xapi: { 'statements/write': 'any', 'statements/read': 'mine' }, management: [] },
    })
    expect((await post([statementsPart(one), dataPart(content)], beta)).status).toBe(409)
    expect(await dataOf(one.id)).toBeUndefined()
  })
})

describe('a multipart submission is refused', () => {
  const content = 'the data'
  const good = () => statement({ attachments: [describing(content)] })

  it.each([
    ['XAPI-00132', 'without X-Experience-API-Hash', { 'X-Experience-API-Hash': undefined }, 'X-Experience-API-Hash:'],
    [
      'XAPI-00132',
      'with a hash of no attachment',
      { 'X-Experience-API-Hash': hashOf('other') },
      'X-Experience-API-Hash:',
    ],
    ['XAPI-00132', 'with a hash that is none', { 'X-Experience-API-Hash': '../../x' }, 'X-Experience-API-Hash:'],
    ['XAPI-00135', 'in base64', { 'Content-Transfer-Encoding': 'base64' }, 'Content-Transfer-Encoding:'],
    [
      'XAPI-00135',
      'without Content-Transfer-Encoding',
      { 'Content-Transfer-Encoding': undefined },
      'Content-Transfer-Encoding:',
    ],
  ])('%s with a part %s', async (rule, _, headers, pointer) => {
    await expectRefused([statementsPart(good()), dataPart(content, headers)], rule, pointer)
  })

  it('XAPI-00128 XAPI-00132 with a part too many', async () => {
    await expectRefused([statementsPart(good()), dataPart(content), dataPart('excess')], 'XAPI-00132')
  })

  it('with a part twice', async () => {
    await expectRefused([statementsPart(good()), dataPart(content), dataPart(content)], 'claviger/repeated-part')
  })

  it('XAPI-00129 with a part too few', async () => {
    const two = statement({ attachments: [describing(content), describing('missing')] })
    await expectRefused([statementsPart(two), dataPart(content)], 'XAPI-00129', '/attachments/1')
    await expectRefused([statementsPart([good(), two]), dataPart(content)], 'XAPI-00129', '/1/attachments/1')
    await expectRefused([statementsPart([good()])], 'XAPI-00129', '/0/attachments/0')
    const { status, json } = await client.post(two)
    expect([status, json.failures.map(({ rule }: { rule: string }) => rule)]).toEqual([
      400,
      ['XAPI-00129', 'XAPI-00129'],
    ])
  })

  it('XAPI-00129 with a part whose data is known from elsewhere', async () => {
    await post([statementsPart(good()), dataPart(content)])
    await expectRefused([statementsPart(good())], 'XAPI-00129', '/attachments/0')
  })

  it('with data that has another hash', async () => {
    const wrong = dataPart('not the data', { 'X-Experience-API-Hash': hashOf(content) })
    await expectRefused([statementsPart([good(), good()]), wrong], 'claviger/attachment-hash', '/1/attachments/0/sha2')
  })

  it('and names a statement by the id it was sent with, not by one made here', async () => {
    const { id, ...anonymous } = good()
    const wrong = dataPart('not the data', { 'X-Experience-API-Hash': hashOf(content) })
    const { json } = await post([statementsPart([anonymous, { id, ...anonymous }]), wrong])
    const lie = json.failures.map((failure: { statement: unknown }) => failure.statement)
    expect(lie).toEqual([{ index: 0 }, { index: 1, id }])
  })

  it('XAPI-00133 with statements in two parts', async () => {
    await expectRefused([statementsPart(good()), statementsPart(good()), dataPart(content)], 'XAPI-00132')
  })

  it('XAPI-00134 unless the first part is JSON', async () => {
    const first = { headers: { 'Content-Type': 'text/plain' }, content: JSON.stringify(good()) }
    await expectRefused([first, dataPart(content)], 'XAPI-00134')
    await expectRefused([dataPart(content)], 'XAPI-00134')
    await expectRefused([], 'XAPI-00133')
  })

  it('XAPI-00130 XAPI-00131 without its boundary, in the header or in the body', async () => {
    const body = multipartBody([statementsPart(good()), dataPart(content)])
    const send = (contentType: string, bytes: Uint8Array) =>
      client.send('POST', 'statements', { body: bytes, headers: { 'content-type': contentType } })
    for (const header of ['multipart/mixed', 'multipart/mixed;', 'multipart/mixed; boundary=']) {
      const { status, json } = await send(header, body)
      expect([status, json.failures[0].rule]).toEqual([400, 'XAPI-00130'])
    }
    for (const bytes of [body.subarray(0, -10), body.subarray(boundary.length + 4), Buffer.alloc(0)]) {
      expect((await send(type, bytes)).status).toBe(400)
    }
    const { status, json } = await send(`multipart/form-data; boundary=${boundary}`, body)
    expect([status, json.failures[0].rule]).toEqual([400, 'XAPI-00127'])
  })

  it('for a rule of the statements or a right, before any data is read', async () => {
    const reader = await stage.as('xapi', { rights: { xapi: { 'statements/read': 'any' }, management: [] } })
    let asked = 0
    const body = () =>
      new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            asked += 1
            if (asked === 1)
              controller.enqueue(
                multipartBody([statementsPart({ ...good(), verb: {} })]).subarray(0, -(boundary.length + 6)),
              )
            else if (asked < 1000)
              controller.enqueue(asked === 2 ? Buffer.from(`--${boundary}\r\n`) : Buffer.alloc(1000, 'x'))
            else controller.close()
          },
        },
        { highWaterMark: 0 },
      )
    for (const [key, status] of [
      [client, 400],
      [reader, 403],
    ] as const) {
      asked = 0
      const authorization = `Basic ${Buffer.from(`${key.key}:${key.secret}`).toString('base64')}`
      const headers = { authorization, 'x-experience-api-version': '2.0.0', 'content-type': type }
      const init = { method: 'POST', headers, body: body(), duplex: 'half' } as RequestInit
      expect((await stage.app.request('/xapi/statements', init)).status).toBe(status)
      expect(asked).toBeLessThan(5)
    }
  })

  it('for a statement or data beyond the limits', async () => {
    const long = statement({ attachments: [describing(content)], result: { response: 'x'.repeat(200_001) } })
    expect((await post([statementsPart(long), dataPart(content)])).status).toBe(413)
    const limited = await stage.as('xapi', { limits: { bodyBytes: 50_000 } })
    const before = await limited.idsOf()
    for (const contents of [[randomBytes(50_001)], [randomBytes(30_000), randomBytes(30_000)]]) {
      const sent = statement({ attachments: contents.map((bytes) => describing(bytes)) })
      const { status, json } = await post([statementsPart(sent), ...contents.map((bytes) => dataPart(bytes))], limited)
      expect([status, json.decidedBy]).toEqual([413, 'limit bodyBytes'])
    }
    expect(await limited.idsOf()).toEqual(before)
  })

  it('with a Content-Encoding', async () => {
    const body = multipartBody([statementsPart(good()), dataPart(content)])
    const headers = { 'content-type': type, 'content-encoding': 'gzip' }
    expect((await client.send('POST', 'statements', { body, headers })).status).toBe(415)
  })
})

describe('who sees an attachment', () => {
  it('is who sees a statement whose sender sent it', async () => {
    const content = 'of alpha alone'
    const alpha = await stage.as('xapi', {
      rights: { xapi: { 'statements/write': 'any', 'statements/read': 'mine' }, management: [] },
    })
    const beta = await stage.as('xapi', { rights: alpha.credential.rights })
    const sent = statement({ attachments: [describing(content)] })
    await post([statementsPart(sent), dataPart(content)], alpha)
    // Knowing the hash is no claim, with fileUrl or without.
    const knowing = statement({ attachments: [describing(content, { fileUrl: 'http://example.org/file' })] })
    expect((await beta.post(knowing)).status).toBe(200)
    expect((await post([statementsPart(statement({ attachments: [describing(content)] }))], beta)).status).toBe(400)
    expect(await getParts('attachments=true', beta)).toHaveLength(1)
    expect(await getParts(`statementId=${knowing.id}&attachments=true`, client)).toHaveLength(1)
    expect(await getParts('attachments=true', alpha)).toHaveLength(2)
    // Sent by both, it is there once and for both.
    const own = statement({ attachments: [describing(content)] })
    expect((await post([statementsPart(own), dataPart(content)], beta)).status).toBe(200)
    expect((await getParts('attachments=true', beta))[1]?.content.toString()).toBe(content)
  })
})

describe('a signed statement', () => {
  const signature = (jws: string, members: Record<string, unknown> = {}) =>
    describing(jws, { usageType: signatureUsage, contentType: 'application/octet-stream', ...members })

  it.each(['RS256', 'RS384', 'RS512'])('XAPI-00117 is stored, signed with %s', async (alg) => {
    const signed = statement()
    const jws = await sign(signed, { alg, x5c: [signer] })
    const answer = await post([statementsPart({ ...signed, attachments: [signature(jws)] }), dataPart(jws)])
    expect([answer.status, answer.json]).toEqual([200, [signed.id]])
    expect((await getParts(`statementId=${signed.id}&attachments=true`))[1]?.content.toString()).toBe(jws)
  })

  it('is stored without a certificate, and by a client of 1.0.3', async () => {
    const signed = statement()
    const jws = await sign(signed)
    const old = clientOf(stage.app, client, '1.0.3')
    expect(
      (await post([statementsPart({ ...signed, attachments: [signature(jws)] }), dataPart(jws)], old)).status,
    ).toBe(200)
  })

  it('XAPI-00116 is the one that was signed', async () => {
    const jws = await sign(statement())
    const other = { ...statement(), attachments: [signature(jws)] }
    await expectRefused([statementsPart(other), dataPart(jws)], 'XAPI-00116', '/attachments/0')
    await expectRefused([statementsPart([statement(), other]), dataPart(jws)], 'XAPI-00116', '/1/attachments/0')
    const broken = await sign("{'id':'x'}")
    await expectRefused(
      [statementsPart({ ...statement(), attachments: [signature(broken)] }), dataPart(broken)],
      'XAPI-00116',
    )
  })

  it('XAPI-00117 is signed with no other algorithm, and by the key of its certificate', async () => {
    const signed = statement()
    const jws = await sign(signed, { alg: 'HS256' })
    await expectRefused(
      [statementsPart({ ...signed, attachments: [signature(jws)] }), dataPart(jws)],
      'XAPI-00117',
      '/attachments/0',
    )
  })

  it('XAPI-00115 has its signature along, as a JWS of type application/octet-stream', async () => {
    const signed = statement()
    const jws = await sign(signed)
    const remote = signature(jws, { fileUrl: 'http://example.org/signature' })
    await expectRefused([statementsPart({ ...signed, attachments: [remote] })], 'XAPI-00115', '/attachments/0')
    const typed = signature(jws, { contentType: 'text/plain' })
    await expectRefused(
      [statementsPart({ ...signed, attachments: [typed] }), dataPart(jws)],
      'XAPI-00115',
      '/attachments/0/contentType',
    )
    await expectRefused(
      [statementsPart({ ...signed, attachments: [signature('no JWS')] }), dataPart('no JWS')],
      'XAPI-00115',
    )
    const { status, json } = await client.post({ ...signed, attachments: [remote] })
    expect([status, json.failures[0].rule]).toEqual([400, 'XAPI-00115'])
  })

  it('has a small signature', async () => {
    const huge = 'x'.repeat(maxSignatureLength + 1)
    const { status, json } = await post([
      statementsPart({ ...statement(), attachments: [signature(huge)] }),
      dataPart(huge),
    ])
    expect([status, json.code]).toEqual([413, 'too_large'])
  })
})
