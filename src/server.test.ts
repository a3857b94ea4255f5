// A real socket: the port that came true, refusals before any face, and a stop that loses nothing.

import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { HttpApp } from './app.ts'
import { loadConfig } from './config.ts'
import type { Config } from './config.ts'
import type { Core, Log } from './core/core.ts'
import { listen } from './server.ts'
import type { Listening, Served } from './server.ts'

const silent: Log = { info() {}, warn() {}, error() {} }
const config: Config = { ...loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_HOST: '127.0.0.1' }) }

function appOf(fetch: HttpApp['fetch'], onClose = async (): Promise<void> => {}): Served {
  const app: HttpApp = { fetch, request: () => Promise.reject(new Error('not used')) }
  return { app, core: {} as Core, faces: [], log: silent, close: onClose }
}

async function serve(fetch: HttpApp['fetch'], onClose?: () => Promise<void>): Promise<Listening> {
  return listen(config, async () => appOf(fetch, onClose))
}

describe('listen', () => {
  it('says which port it got, before the app is opened', async () => {
    let seen: Config | undefined
    const listening = await listen(config, async (bound) => {
      seen = bound
      return appOf(async () => new Response('here'))
    })
    expect(listening.port).toBeGreaterThan(0)
    expect(seen).toMatchObject({ port: listening.port, baseUrl: `http://127.0.0.1:${listening.port}` })
    expect(await (await fetch(listening.url)).text()).toBe('here')
    await listening.stop()
  })

  it('lets requests wait until the app is open', async () => {
    let url = ''
    let answer: Promise<Response> | undefined
    const listening = await listen(config, async (bound) => {
      url = `http://127.0.0.1:${bound.port}`
      answer = fetch(url)
      await new Promise((resolve) => setTimeout(resolve, 50))
      return appOf(async () => new Response('opened'))
    })
    expect(await (await answer!).text()).toBe('opened')
    await listening.stop()
  })

  it('rejects and leaves nothing open when the app cannot be opened', async () => {
    let port = 0
    const failing = listen(config, async (bound) => {
      port = bound.port
      throw new Error('no data')
    })
    await expect(failing).rejects.toThrow('no data')
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow()
  })

  it('rejects when the port is taken', async () => {
    const first = await serve(async () => new Response())
    await expect(
      listen({ ...config, port: first.port }, () => Promise.reject(new Error('opened'))),
    ).rejects.toMatchObject({
      cause: expect.objectContaining({ code: 'EADDRINUSE' }) as unknown,
      settings: 'CLAVIGER',
    })
    const metrics = { listen: { port: first.port, host: '127.0.0.1' } }
    await expect(listen({ ...config, metrics }, () => Promise.reject(new Error('opened')))).rejects.toMatchObject({
      where: metrics.listen,
      settings: 'CLAVIGER_METRICS',
    })
    await first.stop()
  })

  it('hands the app Node’s message, so that it knows the peer', async () => {
    const listening = await serve(
      async (_, delivery) => new Response(delivery?.incoming?.socket.remoteAddress ?? 'nobody'),
    )
    expect(await (await fetch(listening.url)).text()).toBe('127.0.0.1')
    await listening.stop()
  })

  it.each([
    ['a Host header that is none', 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n'],
    ['a backslash in the path', 'GET /a\\b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['what is not HTTP', 'hello\r\n\r\n'],
  ])('answers %s with 400', async (_, bytes) => {
    const listening = await serve(async () => new Response('reached'))
    const answer = await raw(listening.port, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    await listening.stop()
  })

  it('answers what is in flight before it stops, closes the app after that, and only once', async () => {
    const events: string[] = []
    let finish: () => void = () => {}
    const held = new Promise<void>((resolve) => (finish = resolve))
    let arrived: () => void = () => {}
    const arrival = new Promise<void>((resolve) => (arrived = resolve))
    const listening = await serve(
      async () => {
        arrived()
        await held
        events.push('answered')
        return new Response('done')
      },
      async () => void events.push('closed'),
    )
    const answer = fetch(listening.url)
    await arrival
    const stopped = Promise.all([listening.stop(), listening.stop()])
    await expect(fetch(listening.url)).rejects.toThrow()
    finish()
    expect(await (await answer).text()).toBe('done')
    await stopped
    expect(events).toEqual(['answered', 'closed'])
  })

  it('does not wait for ever', async () => {
    const listening = await serve(() => new Promise<Response>(() => {}))
    const answer = new Promise<string>((resolve) => {
      request(listening.url, () => resolve('answered'))
        .on('error', () => resolve('cut'))
        .end()
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await listening.stop(0.1)
    expect(await answer).toBe('cut')
  })
})

function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => (text += chunk.toString()))
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}
