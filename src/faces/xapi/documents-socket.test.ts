// Documents over a real socket: content that streams in and out, grows too long, or ends too early.

import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openCore, presetRights } from '../../../test/support/core.ts'
import type { OpenCore } from '../../../test/support/core.ts'
import { enabledFaces, routeFaces } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { listen } from '../../server.ts'
import type { Listening } from '../../server.ts'

const log = { info() {}, warn() {}, error() {} }
const mostBytes = 3_000_000
let opened: OpenCore
let listening: Listening
let authorization: string

beforeAll(async () => {
  const limits = { batch: 10, bodyBytes: 10_000, documentBytes: mostBytes, xapiRatePerMinute: undefined }
  opened = await openCore({ limits, log })
  const { key, secret } = await opened.core.credentials.create(opened.operator, {
    name: 'x',
    rights: presetRights('xapi'),
  })
  authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  const { core } = opened
  const app = routeFaces(core, enabledFaces({ faces: { watershed: false } }), { trustedProxies: [], log })
  const config = loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_HOST: '127.0.0.1' })
  listening = await listen(config, async () => ({ app, core, faces: [], log, close: opened.close }))
})
// undici opens a connection anew after it aborted one, and sends nothing on it: not worth waiting for.
afterAll(() => listening.stop(1))
beforeEach(async () => void (await (await send('DELETE')).text()))

const path = `/xapi/activities/profile?activityId=https://example.org/a&profileId=one`

function open(method: string, more: Record<string, string> = {}): ClientRequest {
  const headers = { authorization, 'x-experience-api-version': '2.0.0', 'content-type': 'video/mp4', ...more }
  return request(`${listening.url}${path}`, { method, headers })
}

function send(method: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization, 'x-experience-api-version': '2.0.0', 'content-type': 'video/mp4' }
  return fetch(`${listening.url}${path}`, { method, headers, ...init })
}

async function statusOf(sent: ClientRequest): Promise<number | undefined> {
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  message.resume()
  return message.statusCode
}

/** Content on its way in that nobody will ever refer to. */
const arriving = (): string[] => readdirSync(join(opened.directory, 'blobs', 'arriving'))

describe('over a socket', () => {
  const piece = Buffer.alloc(50_000, 'abcdefg')

  it('content in pieces, without a declared length, is kept whole', async () => {
    const sent = open('PUT')
    for (let count = 0; count < 20; count++) sent.write(piece)
    sent.end()
    expect(await statusOf(sent)).toBe(204)
    const answer = await send('GET')
    expect(answer.headers.get('Content-Length')).toBe('1000000')
    const whole = Buffer.concat(Array.from({ length: 20 }, () => piece))
    expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), whole)).toBe(0)
  })

  it('content that grows beyond the limit is refused by 413 before its end, and nothing of it stays', async () => {
    const sent = open('PUT')
    sent.on('error', () => {})
    for (let count = 0; count * piece.length <= mostBytes; count++) sent.write(piece)
    expect(await statusOf(sent)).toBe(413)
    sent.destroy()
    expect((await send('GET')).status).toBe(404)
    expect(arriving()).toEqual([])
  })

  it('content that is declared too long is refused before any of it', async () => {
    const sent = open('PUT', { 'content-length': String(mostBytes + 1) })
    sent.on('error', () => {})
    sent.write('x')
    expect(await statusOf(sent)).toBe(413)
    sent.destroy()
  })

  it('content that ends too early changes nothing, and nothing of it stays', async () => {
    await (await send('PUT', { body: 'before' })).text()
    const sent = open('PUT', { 'content-length': '1000000', 'if-match': '*' })
    sent.on('error', () => {})
    sent.write(piece)
    sent.write(piece)
    await vi.waitFor(() => expect(arriving()).toHaveLength(1))
    sent.destroy()
    await vi.waitFor(() => expect(arriving()).toEqual([]))
    expect(await (await send('GET')).text()).toBe('before')
  })

  it('a reader that leaves early hinders nobody', async () => {
    const body = Buffer.alloc(mostBytes, 7)
    expect((await send('PUT', { body })).status).toBe(204)
    const controller = new AbortController()
    const answer = await send('GET', { signal: controller.signal })
    await answer.body?.getReader().read()
    controller.abort()
    const again = await (await send('GET')).arrayBuffer()
    expect(Buffer.compare(Buffer.from(again), body)).toBe(0)
  })
})

describe('what is decided before the content is there', () => {
  const piece = Buffer.alloc(50_000, 'abcdefg')

  it.each([
    ['long, as announced', { 'content-length': '1000000' }],
    ['of any length', {}],
    ['JSON of any length', { 'content-type': 'application/json' }],
  ])('a precondition that does not hold is refused at once: %s', async (_, headers) => {
    await (await send('PUT', { body: 'before' })).text()
    const sent = open('PUT', { ...headers, 'if-none-match': '*' })
    sent.on('error', () => {})
    sent.write('x')
    expect(await statusOf(sent)).toBe(412)
    sent.destroy()
    expect(await (await send('GET')).text()).toBe('before')
  })

  it('and one that held may still fail at the end', async () => {
    const sent = open('PUT', { 'content-length': '100000', 'if-none-match': '*' })
    sent.write(piece)
    sent.write(Buffer.alloc(20_000, 'x'))
    await vi.waitFor(() => expect(arriving()).toHaveLength(1))
    await (
      await send('PUT', {
        body: 'meanwhile',
        headers: { authorization, 'x-experience-api-version': '2.0.0', 'if-none-match': '*' },
      })
    ).text()
    sent.end(Buffer.alloc(30_000, 'x'))
    expect(await statusOf(sent)).toBe(412)
    expect(await (await send('GET')).text()).toBe('meanwhile')
  })

  it.each(['video/mp4', 'application/json'])('a key that is disabled while %s arrives stores nothing', async (type) => {
    const { core, operator } = opened
    const issued = await opened.issue('xapi')
    const theirs = `Basic ${Buffer.from(`${issued.key}:${issued.secret}`).toString('base64')}`
    const sent = open('PUT', { authorization: theirs, 'content-type': type, 'if-none-match': '*' })
    const found = vi.spyOn(opened.storage.documents, 'find')
    sent.write(`"${'x'.repeat(4000)}`)
    // Admitted, and its precondition looked at.
    await vi.waitFor(() => expect(found).toHaveBeenCalled())
    found.mockRestore()
    await core.credentials.disable(operator, issued.credential.id)
    sent.end(`${'x'.repeat(4000)}"`)
    expect(await statusOf(sent)).toBe(401)
    expect((await send('GET')).status).toBe(404)
    expect(arriving()).toEqual([])
  })
})
