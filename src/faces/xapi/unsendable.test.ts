// A header that cannot be sent is our trouble, answered as such: not Node's bare 500, and nothing of why.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Hono } from 'hono'
import { loadConfig } from '../../config.ts'
import { routeFaces } from '../../app.ts'
import type { Core, Log } from '../../core/core.ts'
import { listen } from '../../server.ts'
import type { Listening } from '../../server.ts'
import type { Face, FaceEnv } from '../face.ts'
import { answerError, pathOf, respond } from '../http.ts'
import { presentError } from './errors.ts'

const logged: object[] = []
const log: Log = { info() {}, warn() {}, error: (fields) => void logged.push(fields) }
const bad = { 'X-Said': 'inner ☃ text', 'X-Fine': 'fine' }
let listening: Listening

function routes(): Hono<FaceEnv> {
  const app = new Hono<FaceEnv>({ getPath: pathOf })
  app.get('/try/respond', (c) => {
    try {
      return respond('x', { headers: bad })
    } catch (error) {
      return answerError(c, error, { name: 'try', presentError }, bad)
    }
  })
  return app
}

beforeAll(async () => {
  const face: Face = {
    name: 'try',
    mounts: [{ path: '/try' }],
    routes,
    accessFor: () => ({ kind: 'public', reason: '' }),
  }
  const core = {} as Core
  const app = routeFaces(core, [face], { trustedProxies: [], log })
  const config = loadConfig({ CLAVIGER_PORT: '0', CLAVIGER_HOST: '127.0.0.1' })
  listening = await listen(config, async () => ({ app, core, faces: [], log, close: async () => {} }))
})
afterAll(() => listening.stop(1))

it('is answered by 500 in our shape, and logged once', async () => {
  const answer = await fetch(`${listening.url}/try/respond`)
  const text = await answer.text()
  expect([answer.status, answer.headers.get('X-Fine'), answer.headers.get('X-Said')]).toEqual([500, 'fine', null])
  expect(JSON.parse(text)).toMatchObject({ code: 'internal', requestId: expect.stringMatching(/^[\w-]{36}$/) })
  expect(text).not.toContain('X-Said')
  expect(logged).toHaveLength(1)
})
