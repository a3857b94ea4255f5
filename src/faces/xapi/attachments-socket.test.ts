// Attachments over a real socket: slow, given up midway, refused midway; answers that nobody reads to the end.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  boundary,
  dataPart,
  describing,
  multipartBody,
  partsOf,
  statementsPart,
} from '../../../test/support/multipart.ts'
import { openCore, presetRights } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { statement } from '../../../test/support/xapi.ts'
import { enabledFaces, routeFaces } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { listen } from '../../server.ts'
import type { Listening } from '../../server.ts'

let opened: OpenCore
let listening: Listening
let authorization: string
const log = { info() {}, warn() {}, error() {} }
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

beforeAll(async () => {
  const limits = { batch: 100, bodyBytes: 100_000, documentBytes: 1, xapiRatePerMinute: undefined }
  opened = await openCore({ limits: { ...limits, attachmentBytes: 30_000_000 } })
  const { core } = opened
  const { key, secret } = await core.credentials.create(opened.operator, { name: 'x', rights: presetRights('xapi') })
  authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const faces = enabledFaces({ faces: { watershed: false }, xapiDowngrade: 'as-stored' })
  const app = routeFaces(core, faces, { trustedProxies: [], log })
  const config = loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_HOST: '127.0.0.1' })
  listening = await listen(config, async () => ({ app, core, faces: [], log, close: opened.close }))
})
afterAll(async () => {
  agent.destroy()
  await listening.stop(1)
})

function open(method: string, query = '', through?: Agent): ClientRequest {
  const headers = {
    authorization,
    'x-experience-api-version': '2.0.0',
    ...(method === 'POST' && { 'content-type': `multipart/mixed; boundary=${boundary}` }),
  }
  const sent = request(`${listening.url}/xapi/statements${query}`, {
    method,
    headers,
    ...(through && { agent: through }),
  })
  return sent.on('error', () => {})
}

async function answerOf(
  sent: ClientRequest,
): Promise<{ status: number | undefined; type: string | null; body: Buffer }> {
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  const pieces: Buffer[] = []
  for await (const piece of message) pieces.push(piece as Buffer)
  return { status: message.statusCode, type: message.headers['content-type'] ?? null, body: Buffer.concat(pieces) }
}

async function get(query: string): Promise<{ status: number | undefined; type: string | null; body: Buffer }> {
  const sent = open('GET', query)
  sent.end()
  return answerOf(sent)
}

/** Until it is true: what the other side does on its own takes as long as it takes. */
async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 5))
}

const arriving = () => readdirSync(`${opened.directory}/blobs/arriving`)
const isStored = async (id: string) => (await get(`?statementId=${id}`)).status === 200

describe('attachments over a socket', () => {
  it('arrive in pieces and come back whole', async () => {
    const content = randomBytes(3_000_000)
    const sent = statement({ attachments: [describing(content)] })
    const body = multipartBody([statementsPart(sent), dataPart(content)])
    const post = open('POST')
    for (let from = 0; from < body.length; from += 99_991) post.write(body.subarray(from, from + 99_991))
    post.end()
    expect((await answerOf(post)).status).toBe(200)
    const { type, body: answer } = await get(`?statementId=${sent.id}&attachments=true`)
    const [, data] = partsOf(type, answer)
    expect(data?.content.equals(content)).toBe(true)
    expect(arriving()).toEqual([])
  })

  it('leave nothing behind when their sender goes away midway', async () => {
    const content = randomBytes(1_000_000)
    const sent = statement({ attachments: [describing(content)] })
    const post = open('POST')
    post.write(multipartBody([statementsPart(sent), dataPart(content)]).subarray(0, 500_000))
    await eventually(() => arriving().length === 1)
    post.destroy()
    await eventually(() => arriving().length === 0)
    expect(await isStored(sent.id)).toBe(false)
  })

  it('are not waited for when the statements are refused, and the connection can go on or is closed', async () => {
    const content = randomBytes(2_000_000)
    const bad = statement({ verb: {}, attachments: [describing(content)] })
    const post = open('POST', '', agent)
    post.write(multipartBody([statementsPart(bad), dataPart(content)]).subarray(0, 10_000))
    expect((await answerOf(post)).status).toBe(400)
    post.destroy()
    const next = open('GET', '', agent)
    next.end()
    expect((await answerOf(next)).status).toBe(200)
    expect(arriving()).toEqual([])
  })

  it('are refused as soon as they are too large', async () => {
    const content = Buffer.alloc(31_000_000)
    const sent = statement({ attachments: [describing(content)] })
    const post = open('POST')
    const answer = answerOf(post)
    post.write(multipartBody([statementsPart(sent), dataPart(content)]).subarray(0, -20))
    expect((await answer).status).toBe(413)
    post.destroy()
    expect(await isStored(sent.id)).toBe(false)
    await eventually(() => arriving().length === 0)
  })

  it('are stored while as many slow ones are on their way as like', async () => {
    const slow = Array.from({ length: 50 }, () => {
      const content = randomBytes(2000)
      const sent = statement({ attachments: [describing(content)] })
      const body = multipartBody([statementsPart(sent), dataPart(content)])
      const post = open('POST')
      post.write(body.subarray(0, -1500))
      return { post, rest: body.subarray(-1500), answer: answerOf(post) }
    })
    await eventually(() => arriving().length === slow.length)
    const quick = statement({ attachments: [describing('quick')] })
    const post = open('POST')
    post.end(multipartBody([statementsPart(quick), dataPart('quick')]))
    expect((await answerOf(post)).status).toBe(200)
    for (const { post: one, rest } of slow) one.end(rest)
    const statuses = await Promise.all(slow.map(async ({ answer }) => (await answer).status))
    expect(statuses).toEqual(slow.map(() => 200))
  })

  it('are read no further when the one who asked has gone', async () => {
    // More than sockets hold by themselves.
    const content = Buffer.alloc(30_000_000)
    const sent = statement({ attachments: [describing(content)] })
    const post = open('POST')
    post.end(multipartBody([statementsPart(sent), dataPart(content)]))
    expect((await answerOf(post)).status).toBe(200)
    const { blobs } = opened.storage
    let isGivenUp = false
    let read = 0
    const original = blobs.open.bind(blobs)
    blobs.open = async (...args) => {
      const blob = await original(...args)
      if (blob === undefined) return blob
      async function* counted(bytes: AsyncIterable<Uint8Array>) {
        for await (const piece of bytes) {
          read += piece.length
          yield piece
        }
      }
      const cancel = () => {
        isGivenUp = true
        blob.cancel()
      }
      return { length: blob.length, bytes: counted(blob.bytes), cancel }
    }
    try {
      const one = open('GET', `?statementId=${sent.id}&attachments=true`)
      one.end()
      const [message] = (await once(one, 'response')) as [IncomingMessage]
      await once(message, 'readable')
      one.destroy()
      await eventually(() => isGivenUp)
      expect(read).toBeLessThan(content.length)
    } finally {
      blobs.open = original
    }
  })
})

describe('a key that is changed while its upload is under way', () => {
  const content = randomBytes(200_000)
  type Issued = Awaited<ReturnType<typeof opened.issue>>

  /** Half of it arrives, the key is changed, then comes the rest. */
  async function interrupted(change: (issued: Issued) => Promise<unknown>, parts = true) {
    const issued = await opened.issue('xapi')
    const sent = statement({ attachments: [describing(content, { fileUrl: 'https://example.org/file' })] })
    const headers = {
      authorization: `Basic ${Buffer.from(`${issued.key}:${issued.secret}`).toString('base64')}`,
      'x-experience-api-version': '2.0.0',
      'content-type': parts ? `multipart/mixed; boundary=${boundary}` : 'application/json',
    }
    const post = request(`${listening.url}/xapi/statements`, { method: 'POST', headers }).on('error', () => {})
    const body = parts
      ? multipartBody([statementsPart(sent), dataPart(content)])
      : Buffer.from(JSON.stringify(sent) + ' '.repeat(50_000))
    const signedIn = opened.core.signIn.changes
    const answer = answerOf(post)
    post.write(body.subarray(0, body.length >> 1))
    if (parts) await eventually(() => arriving().length === 1)
    else await admittedOnce()
    await change(issued)
    expect(opened.core.signIn.changes).toBeGreaterThan(signedIn)
    post.end(body.subarray(body.length >> 1))
    const { status } = await answer
    expect(await isStored(sent.id)).toBe(status === 200)
    expect(arriving()).toEqual([])
    return status
  }

  /** Until the request that was just begun has signed in and been admitted. */
  async function admittedOnce(): Promise<void> {
    const { limits } = opened.core
    const original = limits.bodyLimit.bind(limits)
    let isAdmitted = false
    limits.bodyLimit = (principal) => {
      isAdmitted = true
      return original(principal)
    }
    await eventually(() => isAdmitted)
    limits.bodyLimit = original
  }

  const changes: readonly [string, number, (issued: Issued) => Promise<unknown>][] = [
    ['disabled', 401, ({ credential }) => opened.core.credentials.disable(opened.operator, credential.id)],
    ['deleted', 401, ({ credential }) => opened.core.credentials.remove(opened.operator, credential.id)],
    [
      'given another secret',
      401,
      ({ credential }) => opened.core.credentials.rotate(opened.operator, credential.id, { overlapSeconds: 0 }),
    ],
    [
      'given other rights',
      503,
      ({ credential }) =>
        opened.core.credentials.update(opened.operator, credential.id, { rights: presetRights('isolated') }),
    ],
    ['left as it was, and another one made', 200, () => opened.issue('xapi')],
  ]

  it.each(changes)('%s: %i with attachments', async (_, status, change) => {
    expect(await interrupted(change)).toBe(status)
  })

  it.each(changes)('%s: %i with statements alone', async (_, status, change) => {
    expect(await interrupted(change, false)).toBe(status)
  })
})
