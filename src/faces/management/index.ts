// Our own API for managing: its route table, and what the command line may ask about it.

import type { Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import type { Access, AskedRequest, Face, FaceEnv } from '../face.ts'
import { faceApp, paramsIn } from '../http.ts'
import { accessOf, ending, launching, listing, looking, reading, refuseMethod, refusePath } from './access.ts'
import type { Operation } from './access.ts'
import { signIn } from './auth.ts'
import type { Call } from './auth.ts'
import { presentError } from './errors.ts'
import { createLaunch, endLaunch, launchesPath, listLaunches, readOneLaunch } from './launches.ts'

interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly answer: (call: Call) => Promise<Response>
  /** What it would meet. */
  readonly judge: Operation
}

const root = '/management/v1'
const one = `${launchesPath}/:id`
export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: root, answer: listPaths, judge: looking },
  { method: 'POST', path: launchesPath, answer: createLaunch, judge: launching },
  { method: 'GET', path: launchesPath, answer: listLaunches, judge: listing },
  { method: 'GET', path: one, answer: readOneLaunch, judge: reading },
  { method: 'DELETE', path: one, answer: endLaunch, judge: ending },
]

/** For who starts at the address that a start of the server prints. */
function listPaths({ c, core }: Call): Promise<Response> {
  return Promise.resolve(c.json({ launches: core.baseUrl + launchesPath }))
}

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'management', presentError })
  for (const { method, path, answer } of endpoints) {
    app.on(method, path, async (c) => answer(await signIn(c, core)))
  }
  return app
}

function accessFor(asked: AskedRequest): Access {
  if (asked.method === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  const method = asked.method === 'HEAD' ? 'GET' : asked.method
  const here = endpoints.flatMap((endpoint) => {
    const params = paramsIn(endpoint.path, asked.path)
    return params ? [{ endpoint, params }] : []
  })
  const found = here.find(({ endpoint }) => endpoint.method === method)
  if (found) return accessOf(asked, found.params, found.endpoint.judge)
  return here.length > 0 ? refuseMethod(asked.method) : refusePath
}

export const management: Face = {
  name: 'management',
  mounts: [{ path: root, isBase: true }],
  routes,
  accessFor,
}
