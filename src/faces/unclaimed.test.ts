import { describe, expect, it } from 'vitest'
import type { Face } from './face.ts'
import { answerOperations, answerStarting, answerUnclaimed } from './unclaimed.ts'
import type { Operations } from './unclaimed.ts'
import { watershed } from './watershed/index.ts'
import { xapiFace } from './xapi/index.ts'

const faces = [xapiFace(watershed.xapiMounts), watershed]
const ask = async (path: string, init: RequestInit = {}, operations?: Operations): Promise<Response | undefined> =>
  answerUnclaimed(new Request(`http://localhost${path}`, init), path, { faces, operations })

describe('the front page', () => {
  it('names the endpoints as JSON', async () => {
    const answer = await ask('/')
    expect(answer?.headers.get('content-type')).toBe('application/json')
    expect(await answer?.json()).toEqual({
      name: 'Claviger',
      endpoints: {
        xAPI: '/xapi/',
        'watershed activity-providers': '/api/organizations/{orgId}/activity-providers',
        'watershed oauth2': '/api/organizations/{orgId}/oauth2',
        'watershed xAPI': '/api/organizations/{orgId}/lrs/',
      },
    })
  })

  it('names what clients are configured with, where that is not each of the mounts', async () => {
    const one: Face = { ...watershed, name: 'one', mounts: [{ path: '/v9/keys' }, { path: '/v9', isBase: true }] }
    const answer = answerUnclaimed(new Request('http://localhost/'), '/', { faces: [{ ...one, xapiMounts: [] }] })
    expect(await (await answer)?.json()).toEqual({ name: 'Claviger', endpoints: { 'one API': '/v9' } })
  })

  it('is a page for a browser, which may load nothing', async () => {
    const answer = await ask('/', { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
    expect(answer?.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer?.headers.get('content-security-policy')).toContain("default-src 'none'")
    const text = await answer?.text()
    expect(text).toContain('<code>/xapi/</code>')
    expect(answer?.headers.get('content-length')).toBe(String(Buffer.byteLength(text ?? '')))
  })
})

describe('the sign of life', () => {
  it.each(['GET', 'HEAD'])('answers %s', async (method) => {
    const answer = await ask('/healthz', { method })
    expect([answer?.status, await answer?.text()]).toEqual([200, method === 'GET' ? 'ok\n' : ''])
  })
})

describe('everything else', () => {
  it.each([
    ['POST', '/'],
    ['DELETE', '/healthz'],
    ['GET', '/healthz/x'],
    ['GET', '/index.html'],
    ['GET', '/metrics'],
  ])('is nothing: %s %s', async (method, path) => {
    expect(await ask(path, { method })).toBeUndefined()
  })
})

const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'a 1\n' }
const ready = async () => ({ isReady: true, checks: { storage: 'ok' as const }, isDraining: false })

describe('the sign of readiness', () => {
  it('says ready', async () => {
    const answer = await ask('/readyz', {}, { look: ready })
    expect([answer?.status, await answer?.json()]).toEqual([200, { ready: true }])
  })

  it('says what is not', async () => {
    const look: Operations['look'] = async () => ({
      isReady: false,
      checks: { storage: 'slow', blobs: 'ok' },
      isDraining: true,
    })
    const answer = await ask('/readyz', {}, { look })
    expect([answer?.status, await answer?.json()]).toEqual([
      503,
      { ready: false, reasons: ['draining', 'storage slow'] },
    ])
  })

  it('says that it starts, and that it lives, before there is anything to ask', async () => {
    const early = (path: string) => answerStarting(new Request(`http://localhost${path}`), path)
    expect([early('/readyz')?.status, await early('/readyz')?.json()]).toEqual([
      503,
      { ready: false, reasons: ['starting'] },
    ])
    expect([early('/healthz')?.status, early('/xapi/about')]).toEqual([200, undefined])
  })
})

describe('the metrics', () => {
  const token = 'a-token-of-enough-length'
  const asked = (headers: Record<string, string>) => ask('/metrics', { headers }, { look: ready, metrics, token })

  it('are nobody’s on the main port without a token', async () => {
    expect(await ask('/metrics', {}, { look: ready, metrics })).toBeUndefined()
  })

  it('are for who sends the token, and nobody else', async () => {
    const answer = await asked({ Authorization: `Bearer ${token}` })
    expect([answer?.status, answer?.headers.get('content-type'), await answer?.text()]).toEqual([
      200,
      metrics.contentType,
      'a 1\n',
    ])
    for (const headers of [{}, { Authorization: 'Bearer other' }, { Authorization: token }] as Record<
      string,
      string
    >[]) {
      const refused = await asked(headers)
      expect([refused?.status, await refused?.text()]).toEqual([401, expect.not.stringContaining('a 1')])
    }
  })

  it('are, on a port of their own, for who reaches it; beside them only health', async () => {
    const at = async (path: string) =>
      (await answerOperations(new Request(`http://localhost${path}`), path, { look: ready, metrics }))?.status
    expect([await at('/metrics'), await at('/healthz'), await at('/readyz'), await at('/')]).toEqual([
      200,
      200,
      200,
      undefined,
    ])
  })
})
