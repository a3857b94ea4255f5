// What operators see of a real server: readiness, metrics on their own port, draining, clients that are too slow.

import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createApp } from './app.ts'
import { loadConfig } from './config.ts'
import type { Config } from './config.ts'
import { DomainError } from './core/errors.ts'
import { findPreset } from './core/presets.ts'
import type { Storage } from './core/storage.ts'
import { listen } from './server.ts'
import type { Listening } from './server.ts'
import { SlowClients } from './slow-clients.ts'
import { openSqlite } from './storage/sqlite/index.ts'

const log = { info() {}, warn: vi.fn<(fields: object, message: string) => void>(), error() {} }
let directory: string
let storage: Storage
let listening: Listening | undefined
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'claviger-operations-'))
  storage = await openSqlite({ directory, threads: 'inline' })
  log.warn.mockClear()
})
afterEach(async () => {
  await listening?.stop(0.1)
  listening = undefined
  await storage.close()
  rmSync(directory, { recursive: true, force: true })
})

function configOf(settings: Record<string, string> = {}): Config {
  const config = loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_METRICS_PORT: '0', ...settings })
  return { ...config, dataDirectory: directory, masterKey: Buffer.alloc(32, 7) }
}

async function start(settings: Record<string, string> = {}, given = storage): Promise<Listening> {
  listening = await listen(configOf(settings), (bound) => createApp(bound, { storage: given, log }))
  return listening
}

/** A key that may do everything with statements, in an organisation whose name must be told to nobody. */
async function keyIn({ app: { core } }: Listening): Promise<Record<string, string>> {
  const { organisation } = await core.organisations.create({ operator: 'test' }, { name: 'Acme Secret Ltd' })
  const operator = core.signIn.operator(organisation.id, 'test')
  const { rights } = findPreset('everything')!
  const { key, secret } = await core.credentials.create(operator, { name: 'a secret name', key: 'the-key', rights })
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  return { authorization, 'x-experience-api-version': '1.0.3', 'content-type': 'application/json' }
}

const statement = (mbox: string, text = ''): string =>
  JSON.stringify({
    actor: { mbox: `mailto:${mbox}` },
    verb: { id: 'http://example.com/did' },
    object: { id: 'http://example.com/it', definition: { description: { en: text } } },
  })

async function metric(name: string, at = listening!): Promise<number | undefined> {
  const text = await (await fetch(at.metricsUrl!)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length))
}

describe('metrics', () => {
  it('count requests by pattern, and name no organisation, key or id', async () => {
    const started = await start()
    const headers = await keyIn(started)
    const stored = await fetch(`${started.url}/xapi/statements`, {
      method: 'POST',
      headers,
      body: statement('who@example.com'),
    })
    const [id] = (await stored.json()) as [string]
    await fetch(`${started.url}/xapi/statements?statementId=${id}`, { headers })
    await fetch(`${started.url}/xapi/nothing/${id}`, { headers })
    await fetch(`${started.url}/xapi/statements`, {
      headers: { 'x-experience-api-version': '1.0.3', authorization: 'Basic eDp5' },
    })
    await fetch(`${started.url}/api/organizations/77/activity-providers/5`)
    await fetch(`${started.url}/${id}`)
    const text = await (await fetch(started.metricsUrl!)).text()
    for (const line of [
      'claviger_request_duration_seconds_count{face="xapi",route="/xapi/statements",method="POST",status="200"} 1',
      'claviger_request_duration_seconds_count{face="xapi",route="/xapi/statements",method="GET",status="200"} 1',
      'claviger_request_duration_seconds_count{face="xapi",route="/xapi/*",method="GET",status="404"} 1',
      'claviger_request_duration_seconds_count{face="watershed",route="/api/organizations/:orgId/activity-providers/:id",method="GET",status="401"} 1',
      'claviger_request_duration_seconds_count{face="none",route="none",method="GET",status="404"} 1',
      'claviger_refusals_total{face="xapi",reason="unauthenticated"} 1',
      'claviger_statements_acknowledged_total 1',
      'claviger_ready 1',
      'claviger_commit_statements_count 1',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toMatch(
      /claviger_storage_call_duration_seconds_count\{operation="statements.store",outcome="done"\} 1/,
    )
    for (const secret of ['Acme', 'secret name', 'the-key', id, '77']) expect(text).not.toContain(`"${secret}`)
    expect(text).not.toContain(id)
  })

  it('are not on the main port without a token, and there for who has it', async () => {
    const started = await start()
    expect((await fetch(`${started.url}/metrics`)).status).toBe(404)
    await started.stop()
    storage = await openSqlite({ directory, threads: 'inline' })
    const token = 'a-token-of-some-length'
    const again = await start({ CLAVIGER_METRICS_TOKEN: token })
    expect((await fetch(`${again.url}/metrics`)).status).toBe(401)
    expect((await fetch(again.metricsUrl!)).status).toBe(401)
    const answer = await fetch(`${again.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('claviger_ready 1')])
  })
})

describe('readiness', () => {
  it('is yes, and no while it drains, when requests are answered as before', async () => {
    const { url, drain } = await start()
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    drain()
    const answer = await fetch(`${url}/readyz`)
    expect([answer.status, await answer.json()]).toEqual([503, { ready: false, reasons: ['draining'] }])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    expect((await fetch(`${url}/xapi/about`)).status).toBe(200)
  })

  it('is no when the storage does not answer; life goes on', async () => {
    let isBroken = false
    const findKeyCheck: Storage['platform']['findKeyCheck'] = () =>
      isBroken ? Promise.reject(new DomainError('unavailable', 'gone')) : storage.platform.findKeyCheck()
    const broken = Object.assign(Object.create(storage) as Storage, {
      platform: { ...storage.platform, findKeyCheck },
      load: () => ({}),
      onDirectoryChange: () => () => {},
      close: () => storage.close(),
    })
    const { url } = await start({}, broken)
    isBroken = true
    const answer = await fetch(`${url}/readyz`)
    expect([answer.status, await answer.json()]).toEqual([503, { ready: false, reasons: ['storage failed'] }])
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  it('is no, and life is there, while the storage is being opened', async () => {
    let seen: unknown[] = []
    listening = await listen(configOf(), async (bound) => {
      const url = `http://127.0.0.1:${bound.port}`
      const [ready, life] = await Promise.all([fetch(`${url}/readyz`), fetch(`${url}/healthz`)])
      seen = [ready.status, await ready.json(), life.status]
      return createApp(bound, { storage, log })
    })
    expect(seen).toEqual([503, { ready: false, reasons: ['starting'] }, 200])
    expect((await fetch(`${listening.url}/readyz`)).status).toBe(200)
  })
})

describe('large answers', () => {
  it('that nobody takes are bounded together, and room again when their clients go', async () => {
    const started = await start({ CLAVIGER_MAX_ANSWERS: '64m', CLAVIGER_MAX_BODY: '4m' })
    const headers = await keyIn(started)
    const long = 'x'.repeat(3_500_000)
    for (let index = 0; index < 4; index++) {
      const body = statement(`${index}@example.com`, long)
      expect((await fetch(`${started.url}/xapi/statements`, { method: 'POST', headers, body })).status).toBe(200)
    }
    // 14 MB a page, 48 of 64 MB for large ones: three fit.
    const clients = await Promise.all(Array.from({ length: 4 }, () => askAndReadNothing(started.port, headers)))
    await vi.waitFor(async () => expect(await metric('claviger_answer_bytes')).toBeGreaterThan(40_000_000), 10_000)
    const refused = await fetch(`${started.url}/xapi/statements`, { headers })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    const body = statement('after@example.com')
    expect((await fetch(`${started.url}/xapi/statements`, { method: 'POST', headers, body })).status).toBe(200)
    for (const client of clients) client.destroy()
    await vi.waitFor(async () => expect(await metric('claviger_answer_bytes')).toBe(0), 10_000)
    const taken = await fetch(`${started.url}/xapi/statements`, { headers })
    expect([taken.status, (await taken.text()).length]).toEqual([200, expect.any(Number)])
    await vi.waitFor(async () => expect(await metric('claviger_answer_bytes')).toBe(0), 10_000)
    await vi.waitFor(async () => expect(await metric('claviger_requests_in_flight')).toBe(0), 10_000)
  })

  it('that nobody takes make room for those who read', { timeout: 40_000 }, async () => {
    const started = await start({ CLAVIGER_MAX_ANSWERS: '64m', CLAVIGER_MAX_BODY: '4m' })
    const headers = await keyIn(started)
    const long = 'x'.repeat(3_500_000)
    for (let index = 0; index < 4; index++) {
      const body = statement(`${index}@example.com`, long)
      expect((await fetch(`${started.url}/xapi/statements`, { method: 'POST', headers, body })).status).toBe(200)
    }
    const clients = await Promise.all(Array.from({ length: 3 }, () => askAndReadNothing(started.port, headers)))
    await vi.waitFor(async () => expect(await metric('claviger_answer_bytes')).toBeGreaterThan(40_000_000), 10_000)
    const read = async (): Promise<number> => {
      const answer = await fetch(`${started.url}/xapi/statements?limit=1`, { headers })
      await answer.arrayBuffer()
      return answer.status
    }
    await vi.waitFor(async () => expect(await read()).toBe(200), { timeout: 20_000, interval: 250 })
    for (const client of clients) client.destroy()
    await vi.waitFor(async () => expect(await metric('claviger_answer_bytes')).toBe(0), 10_000)
  })
})

async function askAndReadNothing(port: number, headers: Record<string, string>): Promise<Socket> {
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.pause()
  socket.write(`GET /xapi/statements HTTP/1.1\r\n${lines.join('')}\r\n`)
  return socket
}

describe('slow clients', () => {
  it('are counted while they send, and their place is free when they go', async () => {
    const started = await start()
    const headers = await keyIn(started)
    const sending = request(`${started.url}/xapi/statements`, {
      method: 'POST',
      headers: { ...headers, 'content-length': 1000 },
    })
    sending.on('error', () => {})
    sending.write('{')
    await vi.waitFor(async () => expect(await metric('claviger_bodies_receiving')).toBe(1), 10_000)
    expect(await metric('claviger_body_bytes')).toBe(1)
    sending.destroy()
    await vi.waitFor(async () => expect(await metric('claviger_bodies_receiving')).toBe(0), 10_000)
    expect([await metric('claviger_body_bytes'), await metric('claviger_requests_in_flight')]).toEqual([0, 0])
  })

  const message = (over: object) => ({ complete: true, readableLength: 0, ...over })
  function watched(incoming: object, socket: Record<string, unknown>, outgoing: object = {}) {
    const cut: string[] = []
    const clients = new SlowClients({ leastRate: 1000, graceMs: 10_000, onCut: (what) => cut.push(what) })
    const calls = {
      destroy: vi.fn<() => void>(),
      destroySoon: vi.fn<() => void>(),
      write: vi.fn<(text: string) => void>(),
      writable: true,
      bytesRead: 0,
      bytesWritten: 0,
      writableLength: 0,
    }
    const connection = Object.assign(calls, socket)
    const answer = { headersSent: false, once() {}, ...outgoing }
    clients.watch(message({ ...incoming, socket: connection }) as never, answer as never)
    clients.close()
    return { clients, cut, connection, now: performance.now() }
  }

  it('are cut off when they send less than they must, after a grace, with 408', () => {
    const { clients, cut, connection, now } = watched({ complete: false }, {})
    connection.bytesRead = 20_000
    clients.look(now + 29_000)
    expect(cut).toEqual([])
    clients.look(now + 31_000)
    expect(cut).toEqual(['body'])
    expect(connection.write.mock.calls[0]?.[0]).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('are not blamed for what has come and waits for us', () => {
    const { clients, cut, now } = watched({ complete: false, readableLength: 5 }, {})
    clients.look(now + 1_000_000)
    expect(cut).toEqual([])
  })

  it('are cut off when they take less than they must; an answer gets the time its length takes', () => {
    const { clients, cut, connection, now } = watched({}, { writableLength: 50_000 }, { headersSent: true })
    clients.look(now)
    clients.look(now + 59_000)
    expect(cut).toEqual([])
    clients.look(now + 61_000)
    expect(cut).toEqual(['answer'])
    expect(connection.destroy).toHaveBeenCalled()
  })

  it('are not blamed while nothing waits for them', () => {
    const { clients, cut, now } = watched({}, { writableLength: 0 }, { headersSent: true })
    clients.look(now)
    clients.look(now + 1_000_000)
    expect(cut).toEqual([])
  })
})

describe('the log', () => {
  it('says once that X-Forwarded-For comes from who is not trusted', async () => {
    const { url } = await start()
    for (let index = 0; index < 3; index++)
      await fetch(`${url}/xapi/about`, { headers: { 'x-forwarded-for': '192.0.2.1' } })
    const lines = log.warn.mock.calls.filter(([, text]) => String(text).includes('X-Forwarded-For'))
    expect(lines).toEqual([[{ peer: '127.0.0.1' }, expect.any(String)]])
  })
})
