// SCORM Cloud's second API: its route table, and what becomes of everything else below /api/v2.

import type { Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import type { ManagementAction, ManagementArea } from '../../core/rights.ts'
import type { Face, FaceEnv } from '../face.ts'
import { faceApp } from '../http.ts'
import { signIn } from './auth.ts'
import type { Admission, Call } from './auth.ts'
import { notOffered, presentError } from './errors.ts'
import { getAbout, pingAppId } from './ping.ts'

const root = '/api/v2'

export interface Endpoint extends Admission {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below `/api/v2`. */
  readonly path: string
  readonly answer: (call: Call) => Promise<Response>
  /** What core asks of whoever signed in; absent: nothing more. */
  readonly needs?: { readonly area: ManagementArea; readonly action: ManagementAction }
}

const application = ['application'] as const

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/ping', keys: application, scopes: ['read:ping', 'read', 'admin'], answer: pingAppId },
  { method: 'GET', path: '/about', keys: application, scopes: ['read:about', 'read', 'admin'], answer: getAbout },
]

/** Services of the vendor's API that somebody may ask for and that are not offered. */
export const otherServices = [
  'content-connectors',
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

export const scormcloudV2: Face = {
  name: 'scormcloud-v2',
  // Last, for whoever looks at the first: what the vendor has there and nobody else of us owns.
  mounts: [
    ...['appManagement', 'xapi', 'oauth', 'ping', 'about'].map((path) => ({
      path: `${root}/${path}`,
      toleratesSlashes: true,
    })),
    // Python, PHP and Java ask for /api/v2//path.
    { path: root, isFallback: true, toleratesSlashes: true },
  ],
  routes,
}
