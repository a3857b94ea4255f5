import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Socket } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { exampleCertificate, serveHttps } from '../../test/support/https.ts'
import type { Answer } from '../../test/support/https.ts'
import { OutboundError } from '../core/outbound.ts'
import type { OutboundAnswer, OutboundRequest } from '../core/outbound.ts'
import { OutboundClient } from './client.ts'
import type { OutboundOptions, Resolve } from './client.ts'
import { parseException } from './policy.ts'

function newClient({ allow = [], ...options }: OutboundOptions & { readonly allow?: readonly string[] } = {}) {
  const exceptions = allow.map((item) => parseException(item)!)
  const client = new OutboundClient({ exceptions, ca: exampleCertificate.ca, ...options })
  onTestFinished(() => client.close())
  return client
}

async function serve(answer: Answer) {
  const server = await serveHttps(answer)
  onTestFinished(() => server.close())
  return server
}

type Asked = Pick<OutboundRequest, 'url'> & Partial<OutboundRequest>

function ask(client: OutboundClient, request: Asked): Promise<OutboundAnswer> {
  return client.request({ method: 'GET', timeoutMs: 5000, mostBytes: 1000, ...request })
}

async function failureOf(client: OutboundClient, request: Asked): Promise<OutboundError> {
  const error: unknown = await ask(client, request).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(OutboundError)
  return error as OutboundError
}

/** Every attempt to connect anywhere, with the addresses it could reach; none gets through. */
function watchConnects() {
  const tried: (readonly string[])[] = []
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...given: unknown[]) {
    const options = [given[0]].flat()[0] as { host?: string; lookup?: Function }
    options.lookup?.(options.host, { all: true }, (_: unknown, found: readonly { readonly address: string }[]) => {
      tried.push(found.map(({ address }) => address))
    })
    queueMicrotask(() => this.destroy(Object.assign(new Error('watched'), { code: 'ECONNREFUSED' })))
    return this
  })
  return tried
}

afterEach(() => void vi.restoreAllMocks())

describe('what is refused', () => {
  test.each([
    'https://127.0.0.1/',
    'https://0177.1/',
    'https://2130706433/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::ffff:7f00:1]/',
    'https://[fd00::1]/',
    'https://user:pass@example.org/',
    'http://example.org/',
    'https://example.org:22/',
  ])('%s: no connect is tried', async (url) => {
    const tried = watchConnects()
    const resolve = vi.fn<Resolve>(async () => ['93.184.216.34'])
    const error = await failureOf(newClient({ resolve }), { url })
    expect(error.kind).toBe('refused-address')
    expect(tried).toEqual([])
  })

  test.each([
    ['loopback', ['127.0.0.1']],
    ['metadata', ['169.254.169.254']],
    ['mapped', ['::ffff:10.0.0.1']],
    ['a public one and a private one', ['93.184.216.34', '10.0.0.1']],
    ['a private one behind many', ['93.184.216.34', '93.184.216.35', '2606:2800:220:1::1', 'fd00::1']],
  ])('a name that leads to %s: no connect is tried', async (_, addresses) => {
    const tried = watchConnects()
    const error = await failureOf(newClient({ resolve: async () => addresses }), { url: 'https://name.example.org/' })
    expect(error.kind).toBe('refused-address')
    expect(error.message).toContain(addresses.at(-1))
    expect(tried).toEqual([])
  })

  test('a name that changes between check and use: what was checked is connected to', async () => {
    const tried = watchConnects()
    const answers = [['93.184.216.34'], ['127.0.0.1']]
    const resolve = vi.fn<Resolve>(async () => answers.shift()!)
    const client = newClient({ resolve })
    expect((await failureOf(client, { url: 'https://name.example.org/' })).kind).toBe('connect')
    expect(resolve).toHaveBeenCalledTimes(1)
    expect(tried).toEqual([['93.184.216.34']])
    expect((await failureOf(client, { url: 'https://name.example.org/' })).kind).toBe('refused-address')
    expect(tried).toHaveLength(1)
  })

  test('a kept connection is not used again once its name leads elsewhere', async () => {
    const { asked, port } = await serve((_, response) => response.end('yes'))
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    const client = newClient({ allow: ['127.0.0.1'], resolve: async () => answers.shift()! })
    await ask(client, { url: `https://localhost:${port}/` })
    expect((await failureOf(client, { url: `https://localhost:${port}/` })).kind).toBe('refused-address')
    expect(asked).toHaveLength(1)
  })

  test('a stranger’s name is not looked up in this machine’s own files', async () => {
    const tried = watchConnects()
    const error = await failureOf(newClient(), { url: 'https://localhost/' })
    expect(['dns', 'refused-address']).toContain(error.kind)
    expect(tried).toEqual([])
  })

  test('headers that would begin another', async () => {
    const client = newClient({ allow: ['localhost'] })
    const { url, asked } = await serve((_, response) => response.end())
    const error = await failureOf(client, { url, headers: { 'X-A': 'a\r\nX-B: b' } })
    expect(error.kind).toBe('protocol')
    expect(error.message).not.toContain('X-B')
    expect(asked).toHaveLength(0)
  })
})

describe('what is answered', () => {
  test('status, headers and body, whatever the status; a redirect is an answer', async () => {
    const { url, asked } = await serve((_, response) => {
      response.writeHead(302, { Location: 'https://127.0.0.1/', 'X-Many': ['a', 'b'] }).end('moved')
    })
    const answer = await ask(newClient({ allow: ['localhost'] }), {
      url: `${url}/a%20b?c=d#e`,
      headers: { 'X-Sent': 'yes', Host: 'evil.example.org', 'Accept-Encoding': 'gzip' },
    })
    expect(answer.status).toBe(302)
    expect(answer.headers.get('x-many')).toBe('a, b')
    expect(Buffer.from(answer.body).toString()).toBe('moved')
    expect(asked).toHaveLength(1)
    expect(asked[0]!.url).toBe('/a%20b?c=d')
    expect(asked[0]!.headers).toMatchObject({ 'x-sent': 'yes', 'accept-encoding': 'identity', host: url.slice(8) })
  })

  test('bodies: text, bytes, and what arrives by and by', async () => {
    const { url } = await serve((request, response) => request.pipe(response))
    const client = newClient({ allow: ['localhost'] })
    const pieces = async function* () {
      yield Buffer.from('one ')
      yield Buffer.from('two')
    }
    const bodies = ['täxt', new Uint8Array([1, 2, 3]), pieces()]
    const answers: string[] = []
    for (const body of bodies) {
      answers.push(Buffer.from((await ask(client, { method: 'POST', url, body })).body).toString('hex'))
    }
    expect(answers).toEqual(['täxt', '\u0001\u0002\u0003', 'one two'].map((text) => Buffer.from(text).toString('hex')))
  })

  test('a body that fails ends the request', async () => {
    const { url } = await serve((request, response) => request.pipe(response))
    const pieces = async function* () {
      yield Buffer.from('one ')
      throw new Error('lost')
    }
    const error = await failureOf(newClient({ allow: ['localhost'] }), { method: 'POST', url, body: pieces() })
    expect(error.kind).toBe('connect')
  })

  test('an early answer ends the reading of what is sent', async () => {
    const { url } = await serve((_, response) => response.writeHead(413).end())
    let hasEnded = false
    const pieces = async function* () {
      try {
        for (;;) yield Buffer.alloc(1000)
      } finally {
        hasEnded = true
      }
    }
    const answer = await ask(newClient({ allow: ['localhost'] }), { method: 'POST', url, body: pieces() })
    expect(answer.status).toBe(413)
    await vi.waitFor(() => expect(hasEnded).toBe(true))
  })

  test('a connection is used again', async () => {
    const ports = new Set<number | undefined>()
    const { url } = await serve((request, response) => {
      ports.add(request.socket.remotePort)
      response.end()
    })
    const client = newClient({ allow: ['localhost'] })
    for (let times = 0; times < 3; times++) await ask(client, { url })
    expect(ports.size).toBe(1)
  })

  test('one that was closed meanwhile is no failure, unless the request may have done something', async () => {
    const used = new Set<unknown>()
    const { url, asked } = await serve((request, response) => {
      if (used.has(request.socket)) return void request.socket.destroy()
      used.add(request.socket)
      response.end('yes')
    })
    const client = newClient({ allow: ['localhost'] })
    await ask(client, { url })
    expect((await ask(client, { url })).status).toBe(200)
    expect(asked).toHaveLength(3)
    expect((await failureOf(client, { url, method: 'POST', body: 'a' })).kind).toBe('connect')
    expect(asked).toHaveLength(4)
  })
})

describe('what goes wrong', () => {
  const allow = ['localhost', '127.0.0.1']

  test('an answer that is too long, said before or not', async () => {
    const announced = await serve((_, response) => response.writeHead(200, { 'Content-Length': '10000000' }).write('a'))
    const chunked = await serve((_, response) => {
      const more = (): void => void (response.write(Buffer.alloc(500)) && setImmediate(more))
      more()
    })
    for (const { url } of [announced, chunked]) {
      expect((await failureOf(newClient({ allow }), { url })).kind).toBe('too-large')
    }
  })

  test('headers that are too long', async () => {
    const { url } = await serve((_, response) => response.writeHead(200, { 'X-Long': 'a'.repeat(30_000) }).end())
    expect((await failureOf(newClient({ allow }), { url })).kind).toBe('too-large')
  })

  test('compression that nobody asked for', async () => {
    const { url } = await serve((_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x'))
    expect((await failureOf(newClient({ allow }), { url })).kind).toBe('protocol')
  })

  test.each<[string, Answer]>([
    ['silence', () => {}],
    [
      'a slow drip',
      (_, response) => {
        const timer = setInterval(() => response.write('a'), 10)
        response.on('close', () => clearInterval(timer))
      },
    ],
  ])('%s: the whole exchange has one time', async (_, answer) => {
    const { url } = await serve(answer)
    const error = await failureOf(newClient({ allow }), { url: `${url}/?secret`, timeoutMs: 100 })
    expect(error.kind).toBe('timeout')
    expect(error.message).not.toContain('secret')
  })

  test('a name that is never found', async () => {
    const resolve = () => new Promise<never>(() => {})
    expect((await failureOf(newClient({ resolve }), { url: 'https://a.example.org/', timeoutMs: 50 })).kind).toBe(
      'timeout',
    )
    const failing = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
    expect(await failureOf(newClient({ resolve: failing }), { url: 'https://a.example.org/' })).toMatchObject({
      kind: 'dns',
      message: 'The name a.example.org was not found by DNS, and CLAVIGER_OUTBOUND_ALLOW does not list it (ENOTFOUND).',
    })
    expect((await failureOf(newClient({ resolve: async () => [] }), { url: 'https://a.example.org/' })).kind).toBe(
      'dns',
    )
  })

  test('whoever asked gives up', async () => {
    const { url, asked } = await serve(() => {})
    const given = new AbortController()
    const failure = failureOf(newClient({ allow }), { url, signal: given.signal })
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    given.abort()
    expect((await failure).kind).toBe('aborted')
    expect((await failureOf(newClient({ allow }), { url, signal: given.signal })).kind).toBe('aborted')
  })

  test('more than can be under way and wait: the next is told at once', async () => {
    const client = newClient({ resolve: () => new Promise<never>(() => {}) })
    const given = new AbortController()
    const url = 'https://a.example.org/'
    const all = Array.from({ length: 256 + 512 }, () => failureOf(client, { url, signal: given.signal }))
    expect((await failureOf(client, { url })).kind).toBe('busy')
    given.abort()
    const kinds = (await Promise.all(all)).map(({ kind }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['aborted']))
  })

  test('a certificate of nobody known, or for another name', async () => {
    const { url, port } = await serve((_, response) => response.end())
    expect((await failureOf(new OutboundClient({ exceptions: [parseException('localhost')!] }), { url })).kind).toBe(
      'tls',
    )
    const resolve = async () => ['127.0.0.1']
    const other = newClient({ allow: ['127.0.0.1'], resolve })
    expect((await failureOf(other, { url: `https://other.example.org:${port}` })).kind).toBe('tls')
    expect((await ask(other, { url: `https://127.0.0.1:${port}` })).status).toBe(200)
  })

  test('no HTTP, no TLS, nobody there, and a connection that breaks', async () => {
    const garbage = createServer((socket) => socket.end('hello\r\n\r\n')).listen(0, '127.0.0.1')
    await once(garbage, 'listening')
    onTestFinished(() => void garbage.close())
    const { port } = garbage.address() as AddressInfo
    const plain = newClient({ allow: ['http://127.0.0.1'] })
    expect((await failureOf(plain, { url: `http://127.0.0.1:${port}` })).kind).toBe('protocol')
    expect((await failureOf(plain, { url: `https://127.0.0.1:${port}` })).kind).toBe('tls')
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('a')
      setImmediate(() => response.destroy())
    })
    expect((await failureOf(plain, { url: broken.url.replace('localhost', '127.0.0.1') })).kind).toBe('connect')
    await broken.close().catch(() => {})
    expect((await failureOf(plain, { url: broken.url.replace('localhost', '127.0.0.1') })).kind).toBe('connect')
  })

  test('another protocol: neither an answer, nor waited for beyond its time', async () => {
    const switching = createServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', () => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n')
        })
    }).listen(0, '127.0.0.1')
    await once(switching, 'listening')
    onTestFinished(() => void switching.close())
    const { port } = switching.address() as AddressInfo
    const client = newClient({ allow: ['http://127.0.0.1'] })
    expect((await failureOf(client, { url: `http://127.0.0.1:${port}`, timeoutMs: 500 })).kind).toBe('protocol')
  })
})
