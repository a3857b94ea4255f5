// The Statement Resource over a real socket: bodies that arrive in pieces, too large or not to their end; many at once.

import { once } from 'node:events'
import { request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStage, statement } from '../../../test/support/xapi.ts'
import type { Client, Stage } from '../../../test/support/xapi.ts'
import { loadConfig } from '../../config.ts'
import { listen } from '../../server.ts'
import type { Listening } from '../../server.ts'

let stage: Stage
let client: Client
let listening: Listening

beforeAll(async () => {
  stage = await openStage({ bodyBytes: 100_000 })
  client = await stage.as('xapi')
  const log = { info() {}, warn() {}, error() {} }
  const config = loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_HOST: '127.0.0.1' })
  listening = await listen(config, async () => ({
    app: stage.app,
    core: stage.core,
    faces: [],
    log,
    close: stage.close,
  }))
})
afterAll(() => listening.stop())

const headers = (): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${client.key}:${client.secret}`).toString('base64')}`,
  'x-experience-api-version': '2.0.0',
  'content-type': 'application/json',
})

function open(method: string, path: string, more: Record<string, string> = {}): ClientRequest {
  return request(`${listening.url}${path}`, { method, headers: { ...headers(), ...more } })
}

async function answerOf(
  sent: ClientRequest,
): Promise<{ status: number | undefined; text: string; message: IncomingMessage }> {
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of message) text += String(chunk)
  return { status: message.statusCode, text, message }
}

describe('over a socket', () => {
  it('a body in pieces, without a declared length, is read to its end', async () => {
    const one = statement({ verb: { id: 'http://example.org/v', display: { de: 'größte Übung' } } })
    const bytes = Buffer.from(JSON.stringify(one))
    const sent = open('POST', '/xapi/statements')
    for (let start = 0; start < bytes.length; start += 7) sent.write(bytes.subarray(start, start + 7))
    sent.end()
    expect(await answerOf(sent)).toMatchObject({ status: 200, text: JSON.stringify([one.id]) })
    expect((await client.get(`statements?statementId=${one.id}`)).json.verb).toEqual(one['verb'])
  })

  it('a body that grows beyond the limit is refused by 413 before its end', async () => {
    const before = await client.idsOf()
    const sent = open('POST', '/xapi/statements')
    sent.on('error', () => {})
    sent.write(`{"a":"${'x'.repeat(150_000)}`)
    const { status, text } = await answerOf(sent)
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([413, 'too_large'])
    sent.destroy()
    expect(await client.idsOf()).toEqual(before)
  })

  it('a path with dot segments reaches nobody, whatever they would resolve to', async () => {
    for (const path of ['/xapi/../xapi/about', '/xapi/%2e%2e/xapi/about', '/xapi/./about']) {
      const socket = connect(listening.port, '127.0.0.1')
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      expect(text).toMatch(/^HTTP\/1\.1 400 /)
      expect(text).toContain('claviger/dot-segments')
    }
  })

  it('a body that is declared too large is refused without being waited for', async () => {
    const sent = open('POST', '/xapi/statements', { 'content-length': '100001' })
    sent.on('error', () => {})
    sent.flushHeaders()
    expect((await answerOf(sent)).status).toBe(413)
    sent.destroy()
  })

  it('a client that waits for 100 Continue gets it', async () => {
    const one = statement()
    const sent = open('POST', '/xapi/statements', { expect: '100-continue' })
    sent.flushHeaders()
    await once(sent, 'continue')
    sent.end(JSON.stringify(one))
    expect((await answerOf(sent)).status).toBe(200)
  })

  it('a client that goes away in the middle leaves nothing behind, and the server well', async () => {
    const before = await client.idsOf()
    const sent = open('POST', '/xapi/statements', { 'content-length': '5000' })
    sent.on('error', () => {})
    sent.write(JSON.stringify(statement()).slice(0, 50))
    await new Promise((resolve) => setTimeout(resolve, 30))
    sent.destroy()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await client.idsOf()).toEqual(before)
    const next = open('POST', '/xapi/statements')
    next.end(JSON.stringify(statement()))
    expect((await answerOf(next)).status).toBe(200)
  })

  it('several requests on one connection are answered in order', async () => {
    const lines = Object.entries({ ...headers(), host: 'x' }).map(([name, value]) => `${name}: ${value}`)
    const get = (path: string, close = false) =>
      [`GET ${path} HTTP/1.1`, ...lines, ...(close ? ['connection: close'] : []), '', ''].join('\r\n')
    const socket = connect(listening.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.write(get('/xapi/about') + get('/xapi/statements?x=1') + get('/xapi/nothing', true))
    await once(socket, 'close')
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '400', '404'])
  })

  it('HEAD has the length of GET and no body', async () => {
    const head = open('HEAD', '/xapi/about')
    head.end()
    const got = open('GET', '/xapi/about')
    got.end()
    const [one, other] = [await answerOf(head), await answerOf(got)]
    expect([one.status, one.text]).toEqual([200, ''])
    expect(one.message.headers['content-length']).toBe(String(Buffer.byteLength(other.text)))
  })

  it('many at once are each stored once', async () => {
    const before = new Set(await client.idsOf())
    const statements = Array.from({ length: 200 }, () => statement())
    const answers = await Promise.all(
      statements.map((one) => {
        const sent = open('POST', '/xapi/statements')
        sent.end(JSON.stringify(one))
        return answerOf(sent)
      }),
    )
    expect(answers.map(({ text }) => text)).toEqual(statements.map(({ id }) => JSON.stringify([id])))
    const after = (await client.idsOf()).filter((id) => !before.has(id))
    expect(after.toSorted()).toEqual(statements.map(({ id }) => id).toSorted())
  })

  it('one of many with one id wins, the rest learn of it', async () => {
    const id = statement().id
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const sent = open('POST', '/xapi/statements')
        sent.end(JSON.stringify(statement({ id, result: { response: `${index}` } })))
        return answerOf(sent)
      }),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19)
  })
})
