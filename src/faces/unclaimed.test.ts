import { describe, expect, it } from 'vitest'
import { answerUnclaimed } from './unclaimed.ts'
import { watershed } from './watershed/index.ts'
import { xapiFace } from './xapi/index.ts'

const faces = [xapiFace(watershed.xapiMounts), watershed]
const ask = (path: string, init: RequestInit = {}): Response | undefined =>
  answerUnclaimed(new Request(`http://localhost${path}`, init), path, faces)

describe('the front page', () => {
  it('names the endpoints as JSON', async () => {
    const answer = ask('/')
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

  it('is a page for a browser, which may load nothing', async () => {
    const answer = ask('/', { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
    expect(answer?.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(answer?.headers.get('content-security-policy')).toContain("default-src 'none'")
    const text = await answer?.text()
    expect(text).toContain('<code>/xapi/</code>')
    expect(answer?.headers.get('content-length')).toBe(String(Buffer.byteLength(text ?? '')))
  })
})

describe('the sign of life', () => {
  it.each(['GET', 'HEAD'])('answers %s', async (method) => {
    const answer = ask('/healthz', { method })
    expect([answer?.status, await answer?.text()]).toEqual([200, method === 'GET' ? 'ok\n' : ''])
  })
})

describe('everything else', () => {
  it.each([
    ['POST', '/'],
    ['DELETE', '/healthz'],
    ['GET', '/healthz/x'],
    ['GET', '/index.html'],
  ])('is nothing: %s %s', (method, path) => {
    expect(ask(path, { method })).toBeUndefined()
  })
})
