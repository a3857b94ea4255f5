// Which face a path belongs to: exact prefixes, tolerances, refusals at start.

import type { IncomingMessage } from 'node:http'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { routeFaces } from './app.ts'
import type { Delivery, HttpApp } from './app.ts'
import type { Core, Log } from './core/core.ts'
import type { Face, FaceEnv, Mount } from './faces/face.ts'
import { pathOf } from './faces/http.ts'

/** As Node's server would deliver a request line. */
function deliveryOf(url: string): Delivery {
  return { peer: '127.0.0.1', incoming: { url } as IncomingMessage }
}

const silent: Log = { info() {}, warn() {}, error() {} }

/** A face that answers its own name, the path it saw and what it knows of the caller. */
function faceNamed(name: string, mounts: readonly Mount[], paths = mounts.map(({ path }) => path)): Face {
  const routes = (): Hono<FaceEnv> => {
    const app = new Hono<FaceEnv>({ getPath: pathOf })
    for (const path of paths) {
      app.all(path, (c) => c.json({ name, path: c.req.path, params: c.req.param(), address: c.env.address ?? null }))
      app.all(`${path}/known`, (c) => c.json({ name, path: c.req.path }))
    }
    app.notFound((c) => c.json({ name, unknown: c.req.path }, 404))
    return app
  }
  return { name, mounts, routes }
}

function route(faces: readonly Face[], trustedProxies: readonly string[] = []): HttpApp {
  return routeFaces({} as Core, faces, { trustedProxies, log: silent })
}

describe('routeFaces', () => {
  const app = route([
    faceNamed('one', [{ path: '/api/things' }, { path: '/api/orgs/:orgId/lrs', toleratesSlashes: true }]),
    faceNamed('two', [{ path: '/Api/other', toleratesCase: true }]),
  ])

  it.each([
    ['a prefix', '/api/things', { name: 'one', path: '/api/things' }],
    ['a route below it', '/api/things/known', { path: '/api/things/known' }],
    ['a trailing slash', '/api/things/known/', { path: '/api/things/known' }],
    ['a parameter', '/api/orgs/7/lrs', { params: { orgId: '7' } }],
    ['runs of slashes where tolerated', '//api//orgs/7/lrs///known', { path: '/api/orgs/7/lrs/known' }],
    ['another case where tolerated', '/API/OTHER/known', { name: 'two', path: '/Api/other/known' }],
    ['an escaped path', '/api/%74hings', { name: 'one', path: '/api/things' }],
  ])('hands over %s', async (_, path, expected) => {
    const answer = await app.request(path)
    expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining(expected)])
  })

  it('leaves an unknown path below a prefix to its face', async () => {
    expect(await (await app.request('/api/things/nothing')).json()).toEqual({
      name: 'one',
      unknown: '/api/things/nothing',
    })
  })

  describe('an exact mount', () => {
    const exact: readonly Mount[] = [{ path: '/api', isExact: true, toleratesSlashes: true }]
    const beside = route([faceNamed('exact', exact), faceNamed('below', [{ path: '/api/things' }])])

    it.each([
      ['/api', 'exact'],
      ['//api///', 'exact'],
      ['/api/things', 'below'],
    ])('%s is of %s', async (path, name) => {
      expect(await (await beside.request(path)).json()).toMatchObject({ name })
    })

    it.each(['/api/known', '/api/thing', '/apix'])('%s is nobody’s', async (path) => {
      expect((await beside.request(path)).status).toBe(404)
    })

    it('belongs to one face all the same', () => {
      expect(() => route([faceNamed('exact', exact), faceNamed('same', [{ path: '/api' }])])).toThrow(/both claim/)
      const below: Mount = { path: '/api/v9', isExact: true }
      expect(() => route([faceNamed('above', [{ path: '/api' }]), faceNamed('below', [below])])).toThrow(/both claim/)
    })
  })

  const noSuchPath = { pointer: '', rule: 'claviger/not-found', message: expect.any(String) as string }

  it.each(['//', '/api', '/api/thing', '/api/thingsx', '/API/things', '/api//things', '/api/orgs/lrs', '/%E0%A4%A'])(
    'answers %s natively: it is nobody’s',
    async (path) => {
      const answer = await app.request(path)
      expect([answer.status, await answer.json()]).toEqual([
        404,
        { code: 'not_found', message: expect.any(String), failures: [noSuchPath], requestId: expect.any(String) },
      ])
      expect(answer.headers.get('x-request-id')).toBeTruthy()
    },
  )

  it.each([
    '/api/things/../other',
    '/api/things/%2e%2e/other',
    '/api/things/%2E./other',
    '/api/things/./known',
    '/api/things/..',
    '/api/things/known/%2e',
    '/api/things/..%2fknown',
    '/api/things/known%5c..',
    '/api/things/..?a=b',
    'http://localhost/api/other/../things',
  ])('refuses %s, which a proxy in front may read in another way', async (sent) => {
    const answer = await app.request('/api/things', {}, deliveryOf(sent))
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { code: 'invalid', failures: [{ rule: 'claviger/dot-segments' }] },
    ])
  })

  it.each(['/api/things/known?a=/../', '/api/things/..x', '/api/things/x..', '/api/things/...', '/api/things/.x'])(
    'takes %s: no segment of it is all dots but three',
    async (sent) => {
      expect((await app.request(sent, {}, deliveryOf(sent))).status).not.toBe(400)
    },
  )

  it('refuses more query parameters than anybody needs, before a face reads them', async () => {
    const query = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=1`).join('&')
    expect((await app.request(`/api/things?${query(100)}`)).status).toBe(200)
    const answer = await app.request(`/api/things?${query(101)}`)
    const text = await answer.text()
    expect(answer.status).toBe(400)
    expect(text).toContain('claviger/too-many-parameters')
    expect(text.length).toBeLessThan(1000)
  })

  it('shows a face the client’s address through trusted proxies only', async () => {
    const init = { headers: { 'x-forwarded-for': '198.51.100.1' } }
    const things = [faceNamed('one', [{ path: '/api/things' }])]
    const address = async (trusted: string[]): Promise<unknown> =>
      (await route(things, trusted).request('/api/things', init, { peer: '127.0.0.1' })).json()
    expect(await address([])).toMatchObject({ address: '127.0.0.1' })
    expect(await address(['127.0.0.1'])).toMatchObject({ address: '198.51.100.1' })
  })

  it('answers internal, not nothing, when a face throws what is no Error', async () => {
    const face: Face = {
      name: 'odd',
      mounts: [{ path: '/odd' }],
      routes: () => {
        const odd = new Hono<FaceEnv>()
        odd.all('/odd', () => {
          // oxlint-disable-next-line only-throw-error -- the trap itself: Hono lets non-errors through
          throw 'text'
        })
        return odd
      },
    }
    const answer = await route([face]).request('/odd')
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([500, 'internal'])
  })

  it.each([
    ['the same prefix', '/api/a', '/api/a'],
    ['a prefix of the other', '/api', '/api/a/b'],
    ['a parameter where the other has a word', '/api/:x/lrs', '/api/a/lrs'],
  ])('refuses two faces that claim %s', (_, one, other) => {
    expect(() => route([faceNamed('one', [{ path: one }]), faceNamed('two', [{ path: other }])])).toThrow(/both claim/)
  })

  it('refuses prefixes that differ in case when one tolerates it', () => {
    const faces = [faceNamed('one', [{ path: '/api/a', toleratesCase: true }]), faceNamed('two', [{ path: '/API/A' }])]
    expect(() => route(faces)).toThrow(/both claim/)
  })

  it('lets siblings below a parameter be', () => {
    expect(() =>
      route([faceNamed('one', [{ path: '/o/:id/a' }]), faceNamed('two', [{ path: '/o/:id/b' }])]),
    ).not.toThrow()
  })

  it('prefers the longer prefix of one face', async () => {
    const nested = route([faceNamed('one', [{ path: '/lrs/:app' }, { path: '/lrs/:app/sandbox' }])])
    expect(await (await nested.request('/lrs/A/sandbox')).json()).toMatchObject({ path: '/lrs/A/sandbox' })
  })

  it('gives a fallback only what no longer prefix of any face claims', async () => {
    const things = route([
      faceNamed('behind', [{ path: '/api/orgs/:id/keys' }, { path: '/api/orgs', isFallback: true }]),
      faceNamed('before', [{ path: '/api/orgs/:id/lrs' }]),
    ])
    const nameAt = async (path: string): Promise<unknown> =>
      ((await (await things.request(path)).json()) as { name: unknown }).name
    expect(await nameAt('/api/orgs/1/lrs')).toBe('before')
    expect(await nameAt('/api/orgs/1/keys')).toBe('behind')
    expect(await nameAt('/api/orgs/1/other')).toBe('behind')
    expect(await nameAt('/api/orgs')).toBe('behind')
    const clash = [faceNamed('one', [{ path: '/api', isFallback: true }]), faceNamed('two', [{ path: '/api' }])]
    expect(() => route(clash)).toThrow(/both claim/)
  })

  it('logs each request where that is asked for: who and what, no query', async () => {
    const lines: object[] = []
    const log: Log = { ...silent, debug: (fields) => void lines.push(fields) }
    const face = faceNamed('one', [{ path: '/api/things' }])
    for (const logsRequests of [true, false]) {
      const logged = routeFaces({} as Core, [face], { trustedProxies: [], log, logsRequests })
      await logged.request('/api/things?secret=do-not-show', { headers: { Authorization: 'Basic do-not-show' } })
      await logged.request('/healthz')
    }
    expect(lines).toEqual([
      expect.objectContaining({ method: 'GET', path: '/api/things', status: 200, ms: expect.any(Number) }),
      expect.objectContaining({ path: '/healthz', status: 200 }),
    ])
    expect(JSON.stringify(lines)).not.toContain('do-not-show')
  })

  it('refuses a face that routes outside its mounts', () => {
    expect(() => route([faceNamed('one', [{ path: '/api/a' }], ['/api/b'])])).toThrow(/outside its mounts/)
  })
})
