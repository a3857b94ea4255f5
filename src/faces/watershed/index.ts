// Watershed's face: its route table, its xAPI path, and what the command line may ask about it.

import type { Hono } from 'hono'
import type { AccessRequest } from '../../core/access.ts'
import type { Core } from '../../core/core.ts'
import type { ManagementAction } from '../../core/rights.ts'
import { currentSecret } from '../../core/secret.ts'
import type { Json } from '../../core/storage.ts'
import type { Face, FaceEnv, ShownCredential, XapiMount } from '../face.ts'
import { HttpError, answerError, faceApp } from '../http.ts'
import type { FaceAppOptions } from '../http.ts'
import { organisationOf, signIn } from './auth.ts'
import type { Call } from './auth.ts'
import { corsHeaders, presentError, presentTokenError, presentXapiError } from './errors.ts'
import { createProvider, deleteProvider, editProvider, listProviders, readOneProvider } from './providers.ts'
import { createSession, deleteSession, listSessions, readOneSession } from './sessions.ts'
import { switches } from './switches.ts'
import { createToken } from './tokens.ts'
import { presentProvider } from './wire.ts'
import { hasLrsAccess, presets } from './words.ts'

const root = '/api/organizations/:orgId'

interface Endpoint {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/organizations/{orgId}`. */
  readonly path: string
  readonly action: ManagementAction
  readonly answer: (call: Call) => Promise<Response>
}

const one = '/activity-providers/:id'
export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/activity-providers', action: 'read', answer: listProviders },
  { method: 'POST', path: '/activity-providers', action: 'write', answer: createProvider },
  { method: 'GET', path: one, action: 'read', answer: readOneProvider },
  { method: 'PUT', path: one, action: 'write', answer: editProvider },
  { method: 'DELETE', path: one, action: 'delete', answer: deleteProvider },
  { method: 'GET', path: `${one}/sessions`, action: 'read', answer: listSessions },
  { method: 'POST', path: `${one}/sessions`, action: 'write', answer: createSession },
  { method: 'GET', path: `${one}/sessions/:sessionId`, action: 'read', answer: readOneSession },
  { method: 'DELETE', path: `${one}/sessions/:sessionId`, action: 'delete', answer: deleteSession },
]
export const tokenPath = '/oauth2/token'

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'watershed', presentError })
  for (const { method, path, answer } of endpoints) {
    app.on(method, root + path, async (c) => withCors(await answer(await signIn(c, core))))
  }
  app.post(root + tokenPath, async (c) => {
    try {
      return withCors(await createToken(c, core))
    } catch (error) {
      const triedBasic = /^basic /i.test(c.req.header('Authorization') ?? '')
      const present: FaceAppOptions['presentError'] = (why, context) => presentTokenError(why, context, triedBasic)
      return answerError(c, error, { name: 'watershed', presentError: present })
    }
  })
  return app
}

function withCors(response: Response): Response {
  for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value)
  return response
}

const xapiMount: XapiMount = {
  name: 'watershed',
  prefix: `${root}/lrs`,
  within: ({ orgId }) => organisationOf(orgId),
  lrs: (principal) => {
    if (hasLrsAccess(principal.rights)) return principal.defaultLrsId
    throw new HttpError('forbidden', 401, 'these credentials have no LRS access')
  },
  presentError: presentXapiError,
}

function accessFor(method: string, path: string): AccessRequest | undefined {
  const asked = path.split('/')
  const endpoint = endpoints.find((offered) => {
    const wanted = (root + offered.path).split('/')
    const fits = (segment: string, index: number): boolean => segment.startsWith(':') || segment === asked[index]
    return offered.method === method && wanted.length === asked.length && wanted.every(fits)
  })
  return endpoint && { kind: 'manage', area: 'credentials', action: endpoint.action }
}

function showCredential({ organisation, credential, secrets }: ShownCredential): Json {
  const now = Date.now()
  const current = currentSecret(
    secrets.map(({ record }) => record),
    now,
  )
  const secret = secrets.find(({ record }) => record.id === current?.id)?.clear
  return presentProvider({ organisation, credential, secret, now })
}

export const watershed: Face = {
  name: 'watershed',
  mounts: [{ path: `${root}/activity-providers` }, { path: `${root}/oauth2` }],
  routes,
  xapiMounts: [xapiMount],
  switches,
  presets,
  accessFor,
  showCredential,
}
