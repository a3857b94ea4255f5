// Learning Locker's face: its route table, its xAPI path, and what the command line may ask about it.

import type { Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import { currentSecret } from '../../core/secret.ts'
import type { Json } from '../../core/storage.ts'
import type { Face, FaceEnv, ShownCredential } from '../face.ts'
import { faceApp } from '../http.ts'
import { accessTo } from './access.ts'
import { signIn } from './auth.ts'
import { demandJsonType } from './body.ts'
import { presentClient, surroundingsOf } from './client-document.ts'
import { connectionEndpoints } from './connection.ts'
import type { Endpoint, OpenEndpoint } from './endpoint.ts'
import { presentError } from './errors.ts'
import { indexEndpoints } from './indexes.ts'
import { clientInfo } from './info.ts'
import { restEndpoints } from './rest.ts'
import { statementEndpoints } from './statement.ts'
import { createToken, noToken } from './tokens.ts'
import { presets } from './words.ts'
import { xapiMounts } from './xapi.ts'

export const endpoints: readonly (Endpoint | OpenEndpoint)[] = [
  ...restEndpoints,
  ...statementEndpoints,
  ...connectionEndpoints,
  ...indexEndpoints,
  { method: 'GET', path: '/api/auth/client/info', answer: clientInfo },
  { method: 'POST', path: '/api/oauth2/token', answer: createToken },
  { method: 'GET', path: '/api/oauth2/token', isNothing: true, answer: noToken },
]

/** As recorded, on every answer (facts 2.2). */
const headers = { 'Cache-Control': 'no-cache, no-store, must-revalidate', Pragma: 'no-cache', Expires: '0' }

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'learninglocker', presentError, headers })
  for (const endpoint of endpoints) {
    app.on(endpoint.method, endpoint.path, async (c) => {
      if (endpoint.needs === undefined) return endpoint.answer({ c, core })
      if (endpoint.takesJson === true) demandJsonType(c)
      return endpoint.answer(await signIn(c, core, endpoint.needs))
    })
  }
  return app
}

const models = ['client', 'lrs', 'organisation', 'statement']
const roots = ['/api/v2', '/api/connection', '/api/indexes']
// Other models of the product are answered in its shape, too; of `/api/v2` that is another face's.
const paths = [
  ...roots.flatMap((root) => models.map((model) => `${root}/${model}`)),
  ...models.map((model) => `/api/v2/${model}/count`),
  ...roots.slice(1),
]
const exactPaths = ['/api/oauth2/token', '/api/auth/client/info']

function showCredential({ organisation, lrs, baseUrl, credential, secrets }: ShownCredential): Json {
  const now = Date.now()
  const current = currentSecret(credential.secrets, now)
  const secret = secrets.find(({ record }) => record.id === current?.id)?.clear
  const document = presentClient(credential, () => secret, surroundingsOf(organisation, lrs, { baseUrl, now }))
  // With its times as text.
  return JSON.parse(JSON.stringify(document)) as Json
}

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
  accessFor: (asked) => accessTo(endpoints, asked),
  showCredential,
}
