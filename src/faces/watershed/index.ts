// Watershed's face: its route table, its xAPI path, and what the command line may ask about it.

import type { Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import type { LrsId } from '../../core/ids.ts'
import type { Principal } from '../../core/principal.ts'
import { currentSecret } from '../../core/secret.ts'
import type { Json } from '../../core/storage.ts'
import type { Access, AskedRequest, Face, FaceEnv, ShownCredential, XapiMount } from '../face.ts'
import { HttpError, answerError, faceApp, paramsIn } from '../http.ts'
import type { FaceAppOptions } from '../http.ts'
import {
  accessOf,
  creating,
  creatingSession,
  deleting,
  deletingSession,
  editing,
  listing,
  listingSessions,
  makingToken,
  reading,
  readingSession,
  refuseMethod,
  refusePath,
} from './access.ts'
import type { Operation } from './access.ts'
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
  readonly answer: (call: Call) => Promise<Response>
  /** What it would meet. */
  readonly judge: Operation
}

const one = '/activity-providers/:id'
export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/activity-providers', answer: listProviders, judge: listing },
  { method: 'POST', path: '/activity-providers', answer: createProvider, judge: creating },
  { method: 'GET', path: one, answer: readOneProvider, judge: reading },
  { method: 'PUT', path: one, answer: editProvider, judge: editing },
  { method: 'DELETE', path: one, answer: deleteProvider, judge: deleting },
  { method: 'GET', path: `${one}/sessions`, answer: listSessions, judge: listingSessions },
  { method: 'POST', path: `${one}/sessions`, answer: createSession, judge: creatingSession },
  { method: 'GET', path: `${one}/sessions/:sessionId`, answer: readOneSession, judge: readingSession },
  { method: 'DELETE', path: `${one}/sessions/:sessionId`, answer: deleteSession, judge: deletingSession },
]
export const tokenPath = '/oauth2/token'

function routes(core: Core): Hono<FaceEnv> {
  const presentAt = (path: string) => (path.endsWith(tokenPath) ? presentTokenError : undefined)
  const app = faceApp(core, { name: 'watershed', presentError, presentAt })
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
  place: (_, { orgId }) => ({ within: organisationOf(orgId), lrs: defaultLrs }),
  presentError: presentXapiError,
}

function defaultLrs({ rights, defaultLrsId }: Principal): LrsId {
  if (hasLrsAccess(rights)) return defaultLrsId
  throw new HttpError('forbidden', 401, 'these credentials have no LRS access')
}

function accessFor(asked: AskedRequest): Access {
  if (asked.method === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  const method = asked.method === 'HEAD' ? 'GET' : asked.method
  const known = [...endpoints, { method: 'POST', path: tokenPath, judge: makingToken }]
  const here = known.flatMap((endpoint) => {
    const params = paramsIn(root + endpoint.path, asked.path)
    return params ? [{ endpoint, params }] : []
  })
  const found = here.find(({ endpoint }) => endpoint.method === method)
  if (found) return accessOf(asked, found.params, found.endpoint.judge)
  return here.length > 0 ? refuseMethod(asked.method) : refusePath
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
  // Last, for whoever looks at the first: what Watershed has there and we have not is a 404 in its shape.
  mounts: [
    { path: `${root}/activity-providers` },
    { path: `${root}/oauth2` },
    { path: '/api/organizations', isFallback: true },
  ],
  routes,
  xapiMounts: [xapiMount],
  switches,
  presets,
  accessFor,
  showCredential,
}
