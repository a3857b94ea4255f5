// Content that rows refer to and the blob store has lost: answered as damage, whole, and logged; never passed over. What is
// erased meanwhile is none.

import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { blobFiles, cutBlobs, loseBlobs } from '../../../test/support/damage.ts'
import {
  boundary,
  dataPart,
  describing,
  hashOf,
  multipartBody,
  statementsPart,
} from '../../../test/support/multipart.ts'
import { openStage, statement } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'
import { loadConfig } from '../../config.ts'
import { listen } from '../../server.ts'

let stage: Stage
let client: Client
beforeEach(async () => {
  stage = await openStage()
  client = await stage.as('xapi')
})
afterEach(() => stage.close())

const stateQuery = new URLSearchParams({
  activityId: 'https://example.org/course',
  agent: JSON.stringify({ mbox: 'mailto:ann@example.org' }),
  stateId: 'big',
}).toString()
const profileQuery = 'activityId=https://example.org/course&profileId=big'
const mounts = () => ['/xapi', `/api/organizations/${stage.organisationId}/lrs`]
const documentPaths = () =>
  mounts().flatMap((mount) => [
    `${mount}/activities/state?${stateQuery}`,
    `${mount}/activities/profile?${profileQuery}`,
  ])
const content = Buffer.alloc(100_000, 'abc')

async function storeDocuments(): Promise<void> {
  for (const path of documentPaths()) {
    const headers = { 'content-type': 'video/mp4', 'if-none-match': '*' }
    await client.send('PUT', path, { body: content, headers })
    expect((await client.get(path)).headers.get('content-length')).toBe('100000')
  }
}

describe('a long document', () => {
  it.each([
    ['missing', loseBlobs],
    ['cut', cutBlobs],
  ])('whose file is %s is answered 500, without a header of the document, and logged', async (_, damage) => {
    await storeDocuments()
    const [sha2] = blobFiles(stage.directory).keys()
    damage(stage.directory)
    for (const path of documentPaths()) {
      stage.logged.length = 0
      const got = await client.get(path)
      expect([got.status, got.headers.get('Content-Type')]).toEqual([500, 'application/json'])
      expect(got.json.message).toEqual(expect.any(String))
      for (const name of ['ETag', 'Last-Modified', 'Content-Security-Policy']) expect(got.headers.has(name)).toBe(false)
      expect(Number(got.headers.get('Content-Length') ?? got.text.length)).toBe(got.text.length)
      expect(stage.logged).toMatchObject([
        { err: { lrsId: 1, sha2s: [sha2] }, requestId: got.headers.get('X-Request-Id') },
      ])
      const head = await client.send('HEAD', path)
      expect([head.status, head.headers.get('ETag')]).toEqual([500, null])
    }
  })

  it('that is replaced while it is read is answered 503, to be asked for again', async () => {
    await storeDocuments()
    stage.storage.blobs.open = async () => undefined
    const { status, headers } = await client.get(`activities/state?${stateQuery}`)
    expect([status, headers.get('Retry-After'), headers.get('ETag')]).toEqual([503, '1', null])
  })

  it('that is lost does not keep a client waiting', async () => {
    await storeDocuments()
    loseBlobs(stage.directory)
    const answered = await overSocket(`/xapi/activities/state?${stateQuery}`)
    expect(answered).toMatchObject({ status: 500, isWhole: true })
    expect(JSON.parse(answered.text).code).toBe('internal')
  })
})

describe('attachments', () => {
  let id: string
  const contents = ['one', 'other']
  beforeEach(async () => {
    const sent = statement({ attachments: contents.map((text) => describing(text)) })
    id = sent.id
    const body = multipartBody([statementsPart(sent), ...contents.map((text) => dataPart(text))])
    const headers = { 'content-type': `multipart/mixed; boundary=${boundary}` }
    expect((await client.send('POST', 'statements', { body, headers })).status).toBe(200)
  })
  const withData = () =>
    mounts().flatMap((mount) => [
      `${mount}/statements?attachments=true`,
      `${mount}/statements?statementId=${id}&attachments=true`,
    ])

  it('that are lost are answered 500 and logged; the statements without them are not', async () => {
    loseBlobs(stage.directory)
    for (const path of withData()) {
      for (const method of ['GET', 'HEAD']) {
        stage.logged.length = 0
        const { status, headers } = await client.send(method, path)
        expect([status, headers.get('Content-Type')]).toEqual([500, 'application/json'])
        const sha2s = expect.arrayContaining(contents.map((text) => hashOf(text)))
        expect(stage.logged).toMatchObject([{ err: { lrsId: 1, sha2s }, requestId: headers.get('X-Request-Id') }])
      }
      expect((await client.get(path.replace('attachments=true', ''))).status).toBe(200)
    }
  })

  it('that are erased once the page is read are left out, which is no failure', async () => {
    const { blobs } = stage.storage
    const original = blobs.open.bind(blobs)
    blobs.open = async (lrsId, sha2) => (sha2 === hashOf('one') ? undefined : original(lrsId, sha2))
    const { status, text } = await client.get(`statements?statementId=${id}&attachments=true`)
    expect([status, text.includes('\r\nother\r\n'), stage.logged]).toEqual([200, true, []])
    expect(text.includes('\r\none\r\n')).toBe(false)
  })

  it('that get lost while they are sent break the answer off, and are logged', async () => {
    stage.storage.blobs.listLost = async () => []
    loseBlobs(stage.directory)
    const answered = await overSocket(`/xapi/statements?statementId=${id}&attachments=true`)
    expect(answered).toMatchObject({ status: 200, isWhole: false })
    expect(stage.logged).toMatchObject([{ err: { lrsId: 1, sha2s: [hashOf('one')] }, requestId: expect.any(String) }])
  })
})

interface Answered {
  readonly status: number | undefined
  readonly text: string
  /** False when the connection ended before the body did. */
  readonly isWhole: boolean
}

async function overSocket(path: string): Promise<Answered> {
  const { app, core } = stage
  const log = { info() {}, warn() {}, error() {} }
  const config = loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_HOST: '127.0.0.1' })
  const listening = await listen(config, async () => ({ app, core, faces: [], log, close: async () => {} }))
  try {
    const authorization = `Basic ${Buffer.from(`${client.key}:${client.secret}`).toString('base64')}`
    const headers = { authorization, 'x-experience-api-version': '2.0.0' }
    const sent = request(listening.url + path, { headers, agent: false }).end()
    const [message] = (await once(sent, 'response')) as [IncomingMessage]
    message.on('error', () => {})
    let text = ''
    message.on('data', (chunk: Buffer) => void (text += chunk.toString()))
    await once(message, 'close').catch(() => {})
    return { status: message.statusCode, text, isWhole: message.complete }
  } finally {
    await listening.stop(1)
  }
}
