// xAPI as one implementation, mounted natively and wherever another face lends its path and its error shape.

import { Hono } from 'hono'
import { homeOf } from '../../core/access.ts'
import type { Core } from '../../core/core.ts'
import { DomainError } from '../../core/errors.ts'
import type { DocumentKind } from '../../core/xapi/document-query.ts'
import { supportedVersions } from '../../core/xapi/version.ts'
import type { Access, AskedRequest, Face, FaceEnv, XapiMount, XapiPlace } from '../face.ts'
import { isPreflight, methodNotAllowed, noteRoute, pathOf, preflight, refusedBefore } from '../http.ts'
import {
  aboutAccess,
  activitiesAccess,
  agentsAccess,
  documentsAccess,
  noAccess,
  statementsAccess,
  validateAccess,
} from './access.ts'
import type { AccessOf } from './access.ts'
import { activities } from './activities.ts'
import { agents } from './agents.ts'
import { askedInForm, isAlternate, unpack } from './alternate.ts'
import { answerJson, newCall, run } from './call.ts'
import type { Call, Downgrade, Service } from './call.ts'
import { documentMethods, documents } from './documents.ts'
import { presentError } from './errors.ts'
import { SpokenVersions } from './spoken.ts'
import { statements } from './statements.ts'
import { validate, validateExtension, validatePath } from './validate.ts'

/** `/xapi`: the Lrs is the credential's home, errors have our own shape. */
const nativeMount: XapiMount = {
  name: 'native',
  prefix: '/xapi',
  place: () => home,
  presentError,
}
const home: XapiPlace = { lrs: homeOf }

interface Resource {
  /** Beside OPTIONS. */
  readonly methods: readonly string[]
  readonly answer: (call: Call) => Promise<Response>
  /** What a request to it would meet. */
  readonly access: AccessOf
}

function documentResource(kind: DocumentKind): Resource {
  return { methods: documentMethods, answer: documents(kind), access: documentsAccess(kind) }
}

const resources: Readonly<Record<string, Resource>> = {
  '/statements': { methods: ['GET', 'HEAD', 'POST', 'PUT'], answer: statements, access: statementsAccess },
  '/about': { methods: ['GET', 'HEAD'], answer: about, access: aboutAccess },
  [validatePath]: { methods: ['POST'], answer: validate, access: validateAccess },
  '/activities': { methods: ['GET', 'HEAD'], answer: activities, access: activitiesAccess },
  '/activities/state': documentResource('state'),
  '/activities/profile': documentResource('activity-profile'),
  '/agents': { methods: ['GET', 'HEAD'], answer: agents, access: agentsAccess },
  '/agents/profile': documentResource('agent-profile'),
}

export interface XapiOptions {
  /** What 1.0.x readers get of 2.0 statements. */
  readonly downgrade?: Downgrade
}

export function xapiFace(lent: readonly XapiMount[] = [], { downgrade = 'as-stored' }: XapiOptions = {}): Face {
  // The longer prefix is the more specific one: of two that a path lies below, it is meant.
  const mounts = [nativeMount, ...lent].toSorted((one, other) => depthOf(other) - depthOf(one))
  return {
    name: 'xapi',
    // Clients join endpoint and resource with and without a slash of their own (TinCanJS, xAPIWrapper).
    mounts: mounts.map(({ prefix, toleratesCase = false }) => ({
      path: prefix,
      toleratesSlashes: true,
      toleratesCase,
    })),
    routes: (core) => routes({ core, spoken: new SpokenVersions(), downgrade }, mounts),
    accessFor: (asked, core) => accessFor(mounts, asked, core),
  }
}

function depthOf({ prefix }: XapiMount): number {
  return prefix.split('/').length
}

// One handler per path and no middleware: Hono then calls it directly.
function routes(service: Service, mounts: readonly XapiMount[]): Hono<FaceEnv> {
  const app = new Hono<FaceEnv>({ getPath: pathOf })
  for (const mount of mounts) {
    for (const [path, resource] of Object.entries(resources)) {
      const route = mount.prefix + path
      app.all(route, (c) => {
        noteRoute(c, route)
        return serve(newCall(c, service, mount), resource)
      })
    }
  }
  app.notFound((c) => {
    const mount = mounts.find(({ prefix }) => patternOf(prefix).test(c.req.path)) ?? nativeMount
    return isPreflight(c) ? preflight(c) : run(newCall(c, service, mount), unknownPath)
  })
  return app
}

function serve(call: Call, resource: Resource): Response | Promise<Response> {
  if (isPreflight(call.c)) return preflight(call.c, resource.methods)
  const refused = refusedBefore(call.c)
  if (refused) return run(call, () => Promise.reject(refused))
  return run(call, isAlternate(call.params) ? alternately(resource) : offered(resource))
}

function offered({ methods, answer }: Resource): Resource['answer'] {
  return (call) => {
    if (methods.includes(call.method)) return answer(call)
    return Promise.reject(methodNotAllowed(call.method, [...methods, 'OPTIONS']))
  }
}

/** In the alternate request syntax; no handler knows. */
function alternately(resource: Resource): Resource['answer'] {
  return async (call) => {
    const meant = await unpack(call)
    const response = await offered(resource)(meant)
    if (meant.method !== 'HEAD') return response
    await response.body?.cancel()
    // On the wire it is a POST, whose answer says how long its own body is.
    response.headers.delete('Content-Length')
    return new Response(null, { status: response.status, headers: response.headers })
  }
}

// Communication 2.8: needs neither credentials nor a version.
async function about(call: Call): Promise<Response> {
  const path = call.c.req.path.replace(/\/about$/, validatePath)
  const extensions = { [validateExtension]: { method: 'POST', path } }
  return answerJson(call, JSON.stringify({ version: supportedVersions, extensions }))
}

async function unknownPath(): Promise<Response> {
  const known = Object.keys(resources).join(', ')
  throw new DomainError(
    'not_found',
    `xAPI has no resource at this path; these are: ${known}. Names are case-sensitive.`,
  )
}

function accessFor(mounts: readonly XapiMount[], sent: AskedRequest, core: Core): Access | Promise<Access> {
  if (sent.method === 'OPTIONS') return { kind: 'public', reason: 'A browser asks beforehand without any key.' }
  const asked = isAlternate(sent.query) ? askedInForm(sent) : sent
  for (const mount of mounts) {
    const match = patternOf(mount.prefix).exec(asked.path)
    if (!match) continue
    const names = [...mount.prefix.matchAll(/:([^/]+)/g)].map(([, name = '']) => name)
    const params = Object.fromEntries(names.map((name, index) => [name, match[index + 1] ?? '']))
    const access = resources[match.at(-1) ?? '']?.access ?? noAccess
    return access(withoutIgnored(asked, mount), () => mount.place(core, params))
  }
  return noAccess(asked, () => home)
}

function withoutIgnored(asked: AskedRequest, { ignoredParams = [] }: XapiMount): AskedRequest {
  const query = new URLSearchParams(asked.query)
  for (const name of ignoredParams) query.delete(name)
  return { ...asked, query }
}

/** Matches the prefix; captures its parameters and what follows it. */
function patternOf(prefix: string): RegExp {
  return new RegExp(`^${prefix.replaceAll(/:[^/]+/g, '([^/]+)')}((?:/.*)?)$`)
}
