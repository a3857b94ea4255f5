// What every face gets from http.ts: headers in, addresses, bodies, errors out.

import { EventEmitter } from 'node:events'
import type { Context } from 'hono'
import { describe, expect, it } from 'vitest'
import type { Core } from '../core/core.ts'
import { DomainError, invalid } from '../core/errors.ts'
import type { Principal } from '../core/principal.ts'
import {
  addressReader,
  faceApp,
  HttpError,
  mediaTypeOf,
  newRequestId,
  parseAuthorization,
  readText,
  parseMediaType,
} from './http.ts'
import { ByteBudget } from './load.ts'
import type { FaceEnv } from './face.ts'
import type { RequestContext } from './http.ts'

/** A body that the test delivers piece by piece, as Node's message does. */
function readFrom(budget: ByteBudget, { limit, declared }: { limit: number; declared?: number }) {
  const incoming = new EventEmitter()
  const header = (name: string) => (name === 'Content-Length' ? declared?.toString() : undefined)
  const context = { req: { header }, env: { incoming } } as unknown as Context<FaceEnv>
  return { incoming, budget, text: readText(context, limit, budget) }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('parseAuthorization', () => {
  it.each([
    ['Basic', `Basic ${base64('key:secret')}`, { kind: 'basic', key: 'key', secret: 'secret' }],
    ['a scheme in any case', `bAsIc ${base64('key:secret')}`, { kind: 'basic', key: 'key', secret: 'secret' }],
    ['a secret with colons', `Basic ${base64('key:a:b:')}`, { kind: 'basic', key: 'key', secret: 'a:b:' }],
    ['an empty secret', `Basic ${base64('key:')}`, { kind: 'basic', key: 'key', secret: '' }],
    ['UTF-8', `Basic ${base64('schlüssel:geheimnis')}`, { kind: 'basic', key: 'schlüssel', secret: 'geheimnis' }],
    [
      'ISO 8859-1',
      `Basic ${Buffer.from('fée:x', 'latin1').toString('base64')}`,
      { kind: 'basic', key: 'fée', secret: 'x' },
    ],
    ['Bearer', 'Bearer a.b-c_d', { kind: 'bearer', token: 'a.b-c_d' }],
  ])('reads %s', (_, header, expected) => {
    expect(parseAuthorization(header)).toEqual(expected)
  })

  it('tells an absent header from a malformed one', () => {
    expect(parseAuthorization(undefined)).toBeUndefined()
  })

  it.each([
    ['a colon behind the scheme', `Basic: ${base64('key:secret')}`],
    ['no colon inside', `Basic ${base64('keysecret')}`],
    ['malformed base64', 'Basic %%%'],
    ['nothing behind the scheme', 'Basic '],
    ['the scheme alone', 'Basic'],
    ['another scheme', 'Digest username="a"'],
    ['two tokens', 'Bearer a b'],
  ])('refuses %s', (_, header) => {
    expect(() => parseAuthorization(header)).toThrow(expect.objectContaining({ code: 'unauthenticated' }))
  })
})

describe('addressReader', () => {
  const behind = addressReader(['10.0.0.0/8', '2001:db8::1'])

  it.each([
    ['the peer when nothing is forwarded', '192.0.2.1', undefined, '192.0.2.1'],
    ['the peer when it is not trusted, whatever it claims', '192.0.2.1', '198.51.100.1', '192.0.2.1'],
    ['what a trusted proxy says', '10.1.1.1', '198.51.100.1', '198.51.100.1'],
    ['the last hop that is not ours', '10.1.1.1', '203.0.113.9, 198.51.100.1, 10.2.2.2', '198.51.100.1'],
    ['an IPv4 address inside IPv6', '::ffff:10.1.1.1', '198.51.100.1', '198.51.100.1'],
    ['an address with a port', '10.1.1.1', '198.51.100.1:4711', '198.51.100.1'],
    ['an IPv6 address with a port', '2001:db8::1', '[2001:db8::9]:80', '2001:db8::9'],
    ['the proxy when it forwards rubbish', '10.1.1.1', 'unknown', '10.1.1.1'],
    ['our proxy when only ours are listed', '10.1.1.1', '10.2.2.2', '10.2.2.2'],
  ])('is %s', (_, peer, forwarded, expected) => {
    expect(behind(peer, forwarded).address).toBe(expected)
  })

  it('trusts nobody by default', () => {
    expect(addressReader([])('127.0.0.1', '198.51.100.1')).toEqual({ address: '127.0.0.1', isTrusted: false })
  })

  it('has no address for a peer without one', () => {
    expect(behind(undefined, '198.51.100.1')).toEqual({ address: undefined, isTrusted: false })
  })
})

describe('newRequestId', () => {
  it('takes one from a trusted proxy only', () => {
    expect(newRequestId('abc-1', true)).toBe('abc-1')
    expect(newRequestId('abc-1', false)).not.toBe('abc-1')
    expect(newRequestId('abc\n1', true)).not.toContain('\n')
  })
})

// A face with one route per thing to try, and a core that only counts.
function tryFace() {
  const counted: object[] = []
  const logged: object[] = []
  const core = { usage: { count: (_: Principal, fields: object) => void counted.push(fields) } } as unknown as Core
  const app = faceApp(core, {
    name: 'try',
    presentError: (error, { requestId }) => ({
      status: error instanceof HttpError ? error.status : error.code === 'too_large' ? 413 : 400,
      body: { code: error.code, message: error.message, failures: error.detail.failures, requestId },
    }),
  })
  app.post('/try/text', async (c) => c.text(await readText(c, 10)))
  app.post('/try/media', (c) => c.json(mediaTypeOf(c)))
  app.get('/try/defect', () => {
    throw new Error('secret internals')
  })
  app.get('/try/failures', () => {
    const failure = { pointer: '', rule: 'claviger/test', message: 'wrong' }
    throw invalid(
      'all wrong',
      Array.from({ length: 4000 }, () => failure),
    )
  })
  app.get('/try/busy', () => {
    throw new DomainError('unavailable', 'later', { detail: { retryAfterSeconds: 1.2 } })
  })
  app.get('/try/known', (c) => {
    c.set('principal', {} as Principal)
    c.set('statements', 3)
    return c.text('ok')
  })
  app.get('/try/known-defect', (c) => {
    c.set('principal', {} as Principal)
    throw new Error('oh')
  })
  app.delete('/try/known', (c) => c.text('gone'))
  const context: RequestContext = {
    requestId: 'r1',
    address: undefined,
    log: { info() {}, warn() {}, error: (fields) => void logged.push(fields) },
  }
  return {
    counted,
    logged,
    send: (
      method: string,
      path: string,
      body?: string | Uint8Array<ArrayBuffer>,
      headers: Record<string, string> = {},
    ) => app.request(path, { method, headers, ...(body !== undefined && { body }) }, context),
  }
}

const jsonOf = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>

describe('readText', () => {
  it.each([
    ['a body up to the limit', '1234567890', 200, '1234567890'],
    ['a BOM, dropped', '\uFEFFabc', 200, 'abc'],
    ['no body', undefined, 200, ''],
  ])('reads %s', async (_, body, status, text) => {
    const answer = await tryFace().send('POST', '/try/text', body)
    expect([answer.status, await answer.text()]).toEqual([status, text])
  })

  it('refuses a body beyond the limit, declared or not', async () => {
    const declared = await tryFace().send('POST', '/try/text', 'x', { 'content-length': '11' })
    const sent = await tryFace().send('POST', '/try/text', '12345678901')
    expect([declared.status, sent.status]).toEqual([413, 413])
  })

  it('copies what arrives: not every chunk is kept until the end', async () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(1000)
    const chunk = Buffer.alloc(1)
    const reading = readFrom(new ByteBudget(1_000_000), { limit: 30_000 })
    reading.incoming.emit('data', Buffer.from('a'))
    for (const letter of letters.slice(1)) {
      // One piece of memory for all of them: whoever keeps the pieces ends up with the last letter 26,000 times.
      chunk.write(letter)
      reading.incoming.emit('data', chunk)
      expect(reading.budget.held).toBeLessThanOrEqual(30_000)
    }
    reading.incoming.emit('end')
    expect(await reading.text).toBe(letters)
    expect(reading.budget.held).toBe(0)
  })

  it('holds at most twice of what has come, whatever was declared', async () => {
    const { incoming, budget, text } = readFrom(new ByteBudget(10_000_000), { limit: 4_000_000, declared: 4_000_000 })
    const chunk = Buffer.alloc(1000, 0x20)
    for (let sent = 1; sent <= 4000; sent++) {
      incoming.emit('data', chunk)
      expect(budget.held).toBeLessThanOrEqual(Math.max(2 * sent * 1000, 64 * 1024))
      expect(budget.held).toBeLessThanOrEqual(4_000_000)
    }
    incoming.emit('end')
    expect((await text).length).toBe(4_000_000)
  })

  it('refuses with a time to come back when all bodies together are too much, and recovers', async () => {
    const budget = new ByteBudget(1_000_000)
    const slow = Array.from({ length: 7 }, () => readFrom(budget, { limit: 200_000 }))
    for (const { incoming } of slow) incoming.emit('data', Buffer.alloc(100_000))
    const late = readFrom(budget, { limit: 200_000 })
    late.incoming.emit('data', Buffer.alloc(100_000))
    await expect(late.text).rejects.toMatchObject({ code: 'unavailable', detail: { retryAfterSeconds: 1 } })
    // A small one, as most are, still finds room.
    const small = readFrom(budget, { limit: 200_000 })
    small.incoming.emit('data', Buffer.from('small'))
    small.incoming.emit('end')
    expect(await small.text).toBe('small')
    expect(budget.held).toBe(700_000)
    for (const { incoming } of slow.slice(0, 3)) incoming.emit('end')
    for (const { incoming } of slow.slice(3)) incoming.emit('close')
    await Promise.allSettled(slow.map(({ text }) => text))
    expect(budget.held).toBe(0)
  })

  it('refuses a body that comes in absurdly small chunks, long before its end', async () => {
    const { incoming, budget, text } = readFrom(new ByteBudget(1_000_000), { limit: 400_000 })
    const chunk = Buffer.from(' ')
    let sent = 0
    while (incoming.listenerCount('data') > 0 && sent < 400_000) {
      incoming.emit('data', chunk)
      sent += 1
    }
    await expect(text).rejects.toMatchObject({ code: 'too_large' })
    expect([sent, budget.held]).toEqual([200_001, 0])
  })

  it('gives back what a body took that was refused', async () => {
    const { incoming, budget, text } = readFrom(new ByteBudget(1000), { limit: 10 })
    for (const letter of '12345678901') incoming.emit('data', Buffer.from(letter))
    await expect(text).rejects.toMatchObject({ code: 'too_large' })
    expect([budget.held, incoming.listenerCount('data')]).toEqual([0, 0])
  })

  it('counts bytes, not characters', async () => {
    expect((await tryFace().send('POST', '/try/text', 'ääääää')).status).toBe(413)
  })

  it('refuses what is not UTF-8', async () => {
    const answer = await tryFace().send('POST', '/try/text', new Uint8Array([0x22, 0xc3, 0x28, 0x22]))
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([400, 'invalid'])
  })

  it('refuses a compressed body with a reason', async () => {
    const answer = await tryFace().send('POST', '/try/text', 'x', { 'content-encoding': 'gzip' })
    expect([answer.status, (await jsonOf(answer)).message]).toEqual([415, expect.stringContaining('gzip')])
  })
})

describe('mediaTypeOf', () => {
  it.each([
    ['application/json', { type: 'application/json', isUtf8: true }],
    ['application/json; charset = utf8', { type: 'application/json', isUtf8: true }],
    ['application/json; charset=', { type: 'application/json', isUtf8: true }],
    ['Application/JSON; Charset="UTF-8"', { type: 'application/json', isUtf8: true }],
    ['application/json; a=b; charset=latin1', { type: 'application/json', isUtf8: false }],
  ])('reads %s', async (header, expected) => {
    const answer = await tryFace().send('POST', '/try/media', '', { 'content-type': header })
    expect(await answer.json()).toEqual(expected)
  })

  // A pattern that tries every way to share the blanks among its parts would be at it for hours.
  it('looks at each character once', () => {
    const blanks = ' '.repeat(1_000_000)
    expect(parseMediaType(`a/b;charset=${blanks}x y`)).toEqual({ type: 'a/b', isUtf8: false })
    expect(parseMediaType(`a/b;${blanks}charset${blanks}=${blanks}"utf-8"${blanks}`).isUtf8).toBe(true)
  })
})

describe('faceApp', () => {
  it('lists no more failures than a hostile request may buy, whoever collected them', async () => {
    const { failures } = await jsonOf(await tryFace().send('GET', '/try/failures'))
    expect(failures).toHaveLength(101)
    expect((failures as { rule: string }[]).at(-1)?.rule).toBe('claviger/too-many-failures')
  })

  it('answers a defect as internal, without what it was, and logs it once', async () => {
    const face = tryFace()
    const answer = await face.send('GET', '/try/defect')
    const text = await answer.text()
    expect(text).not.toContain('secret internals')
    expect(JSON.parse(text)).toMatchObject({ code: 'internal', requestId: 'r1' })
    expect(face.logged).toEqual([
      expect.objectContaining({
        requestId: 'r1',
        face: 'try',
        err: expect.objectContaining({ message: 'secret internals' }),
      }),
    ])
  })

  it('says when to come back, in whole seconds', async () => {
    const answer = await tryFace().send('GET', '/try/busy')
    expect(answer.headers.get('retry-after')).toBe('2')
  })

  it('answers an unknown path in the face’s shape, a known one with another method 405 and Allow', async () => {
    const face = tryFace()
    expect((await jsonOf(await face.send('GET', '/try/nothing'))).code).toBe('not_found')
    const answer = await face.send('PUT', '/try/known')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, DELETE, OPTIONS'])
  })

  it('puts request id, security and CORS headers on every answer', async () => {
    const face = tryFace()
    for (const path of ['/try/known', '/try/defect', '/try/nothing']) {
      const { headers } = await face.send('GET', path)
      expect(headers.get('x-request-id')).toBe('r1')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('access-control-allow-origin')).toBe('*')
    }
  })

  it('answers a preflight without credentials', async () => {
    const answer = await tryFace().send('OPTIONS', '/try/known', undefined, {
      'access-control-request-headers': 'authorization,x-experience-api-version',
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization,x-experience-api-version')
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT')
  })

  it('counts each request of a principal once, refused ones with the reason, and nobody’s never', async () => {
    const face = tryFace()
    await face.send('GET', '/try/known')
    await face.send('GET', '/try/known-defect')
    await face.send('GET', '/try/defect')
    expect(face.counted).toEqual([{ statements: 3 }, { statements: 0, refusal: 'internal' }])
  })
})
