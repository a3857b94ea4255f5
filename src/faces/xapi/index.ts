// xAPI as one implementation, mounted natively and wherever another face lends its path and its error shape.

import { Hono } from 'hono'
import type { AccessRequest } from '../../core/access.ts'
import type { Core } from '../../core/core.ts'
import { DomainError } from '../../core/errors.ts'
import { supportedVersions } from '../../core/xapi/version.ts'
import type { Face, FaceEnv, XapiMount } from '../face.ts'
import { isPreflight, methodNotAllowed, pathOf, preflight } from '../http.ts'
import { answerJson, newCall, run } from './call.ts'
import type { Call } from './call.ts'
import { notOffered, presentError } from './errors.ts'
import { statements } from './statements.ts'

/** `/xapi`: the Lrs is the credential's home, errors have our own shape. */
const nativeMount: XapiMount = {
  name: 'native',
  prefix: '/xapi',
  lrs: (principal) => principal.lrsIds[0]!,
  presentError,
}

type Resource = (call: Call) => Promise<Response>

const resources: Readonly<Record<string, Resource>> = {
  '/statements': statements,
  '/about': about,
  '/activities': notYet,
  '/activities/state': notYet,
  '/activities/profile': notYet,
  '/agents': notYet,
  '/agents/profile': notYet,
}

export function xapiFace(lent: readonly XapiMount[] = []): Face {
  const mounts = [nativeMount, ...lent]
  return {
    name: 'xapi',
    // Clients join endpoint and resource with and without a slash of their own (TinCanJS, xAPIWrapper).
    mounts: mounts.map(({ prefix }) => ({ path: prefix, toleratesSlashes: true })),
    routes: (core) => routes(core, mounts),
    accessFor: (method, path) => accessFor(mounts, method, path),
  }
}

// One handler per path and no middleware: Hono then calls it directly.
function routes(core: Core, mounts: readonly XapiMount[]): Hono<FaceEnv> {
  const app = new Hono<FaceEnv>({ getPath: pathOf })
  for (const mount of mounts) {
    for (const [path, resource] of Object.entries(resources)) {
      app.all(mount.prefix + path, (c) => (isPreflight(c) ? preflight(c) : run(newCall(c, core, mount), resource)))
    }
  }
  app.notFound((c) => {
    const mount = mounts.find(({ prefix }) => patternOf(prefix).test(c.req.path)) ?? nativeMount
    return isPreflight(c) ? preflight(c) : run(newCall(c, core, mount), unknownPath)
  })
  return app
}

// Communication 2.8: needs neither credentials nor a version.
async function about(call: Call): Promise<Response> {
  if (call.method !== 'GET' && call.method !== 'HEAD') throw methodNotAllowed(call.method, ['GET', 'HEAD', 'OPTIONS'])
  return answerJson(call, JSON.stringify({ version: supportedVersions }))
}

async function notYet(): Promise<Response> {
  throw notOffered('This resource of xAPI is not offered yet; statements and about are')
}

async function unknownPath(): Promise<Response> {
  throw new DomainError('not_found', 'xAPI has no resource at this path')
}

function accessFor(mounts: readonly XapiMount[], method: string, path: string): AccessRequest | undefined {
  const rest = mounts.map(({ prefix }) => patternOf(prefix).exec(path)?.[1]).find((text) => text !== undefined)
  if (rest?.replaceAll('/', '') !== 'statements') return undefined
  const verb = method.toUpperCase()
  if (verb === 'GET' || verb === 'HEAD') return { kind: 'xapi', right: 'statements/read' }
  if (verb === 'POST' || verb === 'PUT') return { kind: 'xapi', right: 'statements/write' }
  return undefined
}

/** Matches the prefix and captures what follows it. */
function patternOf(prefix: string): RegExp {
  return new RegExp(`^${prefix.replaceAll(/:[^/]+/g, '[^/]+')}((?:/.*)?)$`)
}
