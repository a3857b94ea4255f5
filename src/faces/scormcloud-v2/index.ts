// SCORM Cloud's second API: its route table, and what becomes of everything else below /api/v2.

import type { Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import type { ManagementAction, ManagementArea } from '../../core/rights.ts'
import { currentSecret } from '../../core/secret.ts'
import type { Json } from '../../core/storage.ts'
import type { Access, AskedRequest, Face, FaceEnv, ShownCredential } from '../face.ts'
import { faceApp, paramsIn } from '../http.ts'
import { accessOf, refuseMethod, refusePath, refuseService } from './access.ts'
import {
  createApplication,
  deleteApplication,
  getApplicationInfo,
  getApplicationList,
  getApplications,
  updateApplication,
} from './applications.ts'
import { signIn } from './auth.ts'
import type { Admission, Call } from './auth.ts'
import {
  deleteApplicationConfigurationSetting,
  getApplicationConfiguration,
  setApplicationConfiguration,
} from './configuration.ts'
import { notOffered, presentError } from './errors.ts'
import { getAbout, pingAppId } from './ping.ts'
import { scopesFor } from './scopes.ts'
import type { Thing } from './scopes.ts'
import { createCredential, deleteCredential, getCredentials, presentSecret, updateCredential } from './secret-keys.ts'
import {
  createStatementPipe,
  deleteStatementPipe,
  getStatementPipe,
  getStatementPipes,
  setStatementPipe,
} from './statement-pipes.ts'
import { createToken, getAppToken } from './tokens.ts'
import { presets } from './words.ts'
import {
  createXapiCredential,
  deleteXapiCredential,
  getXapiCredential,
  getXapiCredentials,
  presentXapiCredential,
  setXapiCredential,
} from './xapi-credentials.ts'

const root = '/api/v2'

export interface Endpoint extends Admission {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v2`. */
  readonly path: string
  readonly answer: (call: Call) => Promise<Response>
  /** What core asks of whoever signed in; absent: nothing more. */
  readonly needs?: { readonly area: ManagementArea; readonly action: ManagementAction }
}

interface Group extends Pick<Endpoint, 'keys'> {
  readonly at: string
  /** Of the scopes. */
  readonly thing: Thing
  readonly area: ManagementArea
}

/** Operations on one thing: what they read, write or delete decides which scopes will do. */
function group({ at, keys, thing, area }: Group) {
  return (
    method: Endpoint['method'],
    path: string,
    action: ManagementAction,
    answer: Endpoint['answer'],
  ): Endpoint => ({ method, path: at + path, keys, scopes: scopesFor(action, thing), needs: { area, action }, answer })
}

const application = ['application'] as const
const management = ['management'] as const
/** Applications of the realm and their secret keys. */
const realm = group({ at: '/appManagement', keys: management, thing: 'appmgmt', area: 'applications' })
/** Settings of the application that asks. Reverting one is `write`, as the vendor has it. */
const own = group({ at: '/appManagement', keys: application, thing: 'appmgmt', area: 'settings' })
/** xAPI credentials of the application that asks. */
const xapi = group({ at: '/xapi', keys: application, thing: 'xapicredential', area: 'credentials' })
/** Statement pipes of the application that asks. */
const pipes = group({ at: '/xapi/statementPipes', keys: application, thing: 'xapipipe', area: 'forwarding' })

const child = '/applications/:childAppId'
const secretKeys = '/:childAppId/credentials'
const credential = '/credentials/:xapiCredentialId'
const either = ['application', 'management'] as const

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/ping', keys: application, scopes: ['read:ping', 'read', 'admin'], answer: pingAppId },
  { method: 'GET', path: '/about', keys: application, scopes: ['read:about', 'read', 'admin'], answer: getAbout },
  { method: 'POST', path: '/oauth/authenticate/application/token', keys: either, scopes: [], answer: getAppToken },
  { method: 'POST', path: '/appManagement/token', keys: either, scopes: [], answer: createToken },

  own('GET', '/configuration', 'read', getApplicationConfiguration),
  own('POST', '/configuration', 'write', setApplicationConfiguration),
  own('DELETE', '/configuration/:settingId', 'write', deleteApplicationConfigurationSetting),

  // Before the secret keys, whose path begins with an id: nobody's id is `applications`.
  realm('GET', '/applicationList', 'read', getApplications),
  realm('GET', '/applications', 'read', getApplicationList),
  realm('POST', '/applications', 'write', createApplication),
  realm('GET', child, 'read', getApplicationInfo),
  realm('PUT', child, 'write', updateApplication),
  realm('DELETE', child, 'delete', deleteApplication),
  realm('GET', secretKeys, 'read', getCredentials),
  realm('POST', secretKeys, 'write', createCredential),
  realm('PUT', `${secretKeys}/:credentialId`, 'write', updateCredential),
  realm('DELETE', `${secretKeys}/:credentialId`, 'delete', deleteCredential),

  xapi('GET', '/credentials', 'read', getXapiCredentials),
  xapi('POST', '/credentials', 'write', createXapiCredential),
  xapi('GET', credential, 'read', getXapiCredential),
  xapi('PUT', credential, 'write', setXapiCredential),
  xapi('DELETE', credential, 'delete', deleteXapiCredential),

  pipes('GET', '', 'read', getStatementPipes),
  pipes('POST', '', 'write', createStatementPipe),
  pipes('GET', '/:id', 'read', getStatementPipe),
  pipes('PUT', '/:id', 'write', setStatementPipe),
  pipes('DELETE', '/:id', 'delete', deleteStatementPipe),
]

/** Services of the vendor's API that somebody may ask for and that are not offered. */
export const otherServices = [
  'contentConnectors',
  'courses',
  'dispatch',
  'invitations',
  'learner',
  'registrations',
  'reporting',
  'zoomi',
] as const

function routes(core: Core): Hono<FaceEnv> {
  const app = faceApp(core, { name: 'scormcloud-v2', presentError })
  for (const { method, path, answer, ...admission } of endpoints) {
    app.on(method, root + path, async (c) => answer(await signIn(c, core, admission)))
  }
  for (const service of otherServices) {
    const refuse = (): never => {
      throw notOffered(service)
    }
    app.all(`${root}/${service}`, refuse)
    app.all(`${root}/${service}/*`, refuse)
  }
  return app
}

function accessFor(asked: AskedRequest): Access {
  if (asked.method === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  const method = asked.method === 'HEAD' ? 'GET' : asked.method
  const service = otherServices.find((name) => `${asked.path}/`.startsWith(`${root}/${name}/`))
  if (service !== undefined) return refuseService(service)
  const here = endpoints.flatMap((endpoint) => {
    const params = paramsIn(root + endpoint.path, asked.path)
    return params ? [{ endpoint, params }] : []
  })
  const found = here.find(({ endpoint }) => endpoint.method === method)
  if (found) return accessOf({ asked, params: found.params, ...found.endpoint })
  return here.length > 0 ? refuseMethod(asked.method) : refusePath
}

/** A client's as an xAPI credential; of an application, or of its management, the secret keys. */
function showCredential({ credential, secrets }: ShownCredential): Json {
  const now = Date.now()
  const clear = new Map(secrets.map(({ record, clear: value }) => [record.id, value]))
  if (credential.kind !== 'client') {
    return { credentials: credential.secrets.map((record) => presentSecret(record, clear.get(record.id), now)) }
  }
  const current = currentSecret(credential.secrets, now)
  return presentXapiCredential(credential, current && clear.get(current.id), now)
}

export const scormcloudV2: Face = {
  name: 'scormcloud-v2',
  // Last, for whoever looks at the first: what the vendor has there and nobody else of us owns.
  mounts: [
    ...['appManagement', 'xapi', 'oauth', 'ping', 'about'].map((path) => ({
      path: `${root}/${path}`,
      toleratesSlashes: true,
    })),
    // Python, PHP and Java ask for /api/v2//path.
    { path: root, isFallback: true, isBase: true, toleratesSlashes: true },
  ],
  routes,
  presets,
  accessFor,
  showCredential,
}
