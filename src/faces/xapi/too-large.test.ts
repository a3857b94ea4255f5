// Every 413 of xAPI says which limit it is, and how that is raised: the server's by its setting, the key's own by its name.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundary, dataPart, describing, multipartBody, statementsPart } from '../../../test/support/multipart.ts'
import { clientOf, openStage, statement } from '../../../test/support/xapi.ts'
import type { Answer, Client, Stage } from '../../../test/support/xapi.ts'
import { signatureUsage } from '../../core/xapi/attachment.ts'
import { maxSignatureLength } from '../../core/xapi/signature.ts'
import { maxStatementLength } from '../../core/xapi/prepare.ts'

const bodyBytes = 5_000_000
const documentBytes = 5_100_000
let stage: Stage
beforeAll(async () => void (stage = await openStage({ batch: 3, bodyBytes, documentBytes })))
afterAll(() => stage.close())

const long = (bytes: number) => 'x'.repeat(bytes)
const path = 'activities/profile?activityId=urn:course&profileId=one'
const put = (client: Client, type: string, body: string) =>
  client.send('PUT', path, { body, headers: { 'content-type': type, 'if-none-match': '*' } })
const attach = (client: Client, sent: object, contents: readonly string[]) =>
  client.send('POST', 'statements', {
    body: multipartBody([statementsPart(sent), ...contents.map((text) => dataPart(text))]),
    headers: { 'content-type': `multipart/mixed; boundary=${boundary}` },
  })

const requests: readonly [
  what: string,
  server: string,
  own: string,
  send: (client: Client, most: number) => Promise<Answer>,
][] = [
  ['a body', 'CLAVIGER_MAX_BODY', 'bodyBytes', (client, most) => client.post(`"${long(most)}"`)],
  [
    'a JSON document',
    'CLAVIGER_MAX_BODY',
    'bodyBytes',
    (client, most) => put(client, 'application/json', `"${long(most)}"`),
  ],
  [
    'a document',
    'CLAVIGER_MAX_DOCUMENT',
    'bodyBytes',
    (client, most) => put(client, 'text/plain', long(Math.max(most, most === bodyBytes ? documentBytes : 0) + 1)),
  ],
  ['statements', 'CLAVIGER_MAX_BATCH', 'batch', (client) => client.post(Array.from({ length: 4 }, () => statement()))],
  [
    'the statements of a multipart body',
    'CLAVIGER_MAX_BODY',
    'bodyBytes',
    (client, most) => attach(client, statement({ result: { response: long(most) } }), []),
  ],
  ['a form', 'CLAVIGER_MAX_BODY', 'bodyBytes', (client, most) => inForm(client, most)],
]

function inForm(client: Client, most: number): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = `content=${long(3 * most + 300_000)}`
  return clientOf(stage.app, client, '1.0.3').send('POST', 'statements?method=POST', { body, headers })
}

describe.each(requests)('%s beyond', (_, setting, own, send) => {
  const expectRefused = ({ status, json }: Answer, decidedBy: string, remedy: string) => {
    expect([status, json.code, json.decidedBy]).toEqual([413, 'too_large', decidedBy])
    expect(json.message).toMatch(/\d/)
    expect(json.message.endsWith(`. ${remedy}`), json.message).toBe(true)
  }

  it(`the server's limit names ${setting}`, async () => {
    const answer = await send(await stage.as('xapi'), bodyBytes)
    expectRefused(answer, `limit ${setting}`, `Raise ${setting} on the server.`)
  })

  it(`the key's own limit names ${own}`, async () => {
    const answer = await send(await stage.as('xapi', { limits: { bodyBytes: 20_000, batch: 2 } }), 20_000)
    expectRefused(answer, `limit ${own}`, `Change the limit "${own}" of this key.`)
  })
})

describe('what no setting raises', () => {
  it.each([
    [
      'limit statement',
      async (client: Client) => client.post(statement({ result: { response: long(maxStatementLength) } })),
    ],
    [
      'limit signature',
      async (client: Client) => {
        const content = long(maxSignatureLength + 1)
        const signature = describing(content, { usageType: signatureUsage, contentType: 'application/octet-stream' })
        return attach(client, statement({ attachments: [signature] }), [content])
      },
    ],
    [
      'limit form',
      async (client: Client) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: null }
        return client.send('POST', 'statements?method=POST', { body: `content=${long(300_000)}`, headers })
      },
    ],
  ])('is named: %s', async (decidedBy, send) => {
    const { status, json } = await send(await stage.as('xapi'))
    expect([status, json.decidedBy]).toEqual([413, decidedBy])
  })
})

it('a document that grows too long as it is merged names the limit, too', async () => {
  const client = await stage.as('xapi', { limits: { bodyBytes: 1000 } })
  const post = (name: string) =>
    client.send('POST', 'activities/profile?activityId=urn:merged&profileId=one', { body: { [name]: long(600) } })
  expect((await post('a')).status).toBe(204)
  const { status, json } = await post('b')
  expect([status, json.decidedBy]).toEqual([413, 'limit bodyBytes'])
})
