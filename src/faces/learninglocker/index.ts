// Learning Locker's face: its route table, its xAPI path, and what the command line may ask about it.

import type { Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import type { Face, FaceEnv } from '../face.ts'
import { faceApp } from '../http.ts'
import { signIn } from './auth.ts'
import type { Asking, Call, Needs } from './auth.ts'
import { presentError } from './errors.ts'
import { clientInfo } from './info.ts'
import { createToken, noToken } from './tokens.ts'
import { presets } from './words.ts'
import { xapiMounts } from './xapi.ts'

interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute, in the case of the mount. */
  readonly path: string
}

/** For a client that signed in. */
export interface Endpoint extends Route {
  readonly needs: Needs
  readonly answer: (call: Call) => Promise<Response>
}

/** For whoever asks: signs in by a way of its own, if at all. */
export interface OpenEndpoint extends Route {
  readonly needs?: undefined
  readonly answer: (asking: Asking) => Promise<Response>
}

export const endpoints: readonly (Endpoint | OpenEndpoint)[] = [
  { method: 'GET', path: '/api/auth/client/info', answer: clientInfo },
  { method: 'POST', path: '/api/oauth2/token', answer: createToken },
  { method: 'GET', path: '/api/oauth2/token', answer: noToken },
]

/** As recorded, on every answer (facts 2.2). */
const headers = { 'Cache-Control': 'no-cache, no-store, must-revalidate', Pragma: 'no-cache', Expires: '0' }

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'learninglocker', presentError, headers })
  for (const endpoint of endpoints) {
    app.on(endpoint.method, endpoint.path, async (c) => {
      if (endpoint.needs === undefined) return endpoint.answer({ c, core })
      return endpoint.answer(await signIn(c, core, endpoint.needs))
    })
  }
  return app
}

const models = ['client', 'lrs', 'organisation', 'statement']
const paths = [...models.map((model) => `/api/v2/${model}`), '/api/connection', '/api/indexes']
const exactPaths = ['/api/oauth2/token', '/api/auth/client/info']

export const learninglocker: Face = {
  name: 'learninglocker',
  // Express, which the product is made with, knows no case and no slash at the end (facts 2.1).
  mounts: [
    ...paths.map((path) => ({ path, toleratesCase: true })),
    ...exactPaths.map((path) => ({ path, isExact: true, toleratesCase: true })),
  ],
  routes,
  xapiMounts,
  presets,
}
