// itslearning's face: launches that it signed, into content; for authors, into the choice of content; and what it deletes. Everybody
// else is refused, with one page. Its REST API, SOAP services and plug-ins are not here (README.md).

import type { Context, Hono } from 'hono'
import type { Core } from '../../core/core.ts'
import { isDomainError } from '../../core/errors.ts'
import { findBrowser, newBrowser } from '../browser-cookie.ts'
import type { Face, FaceEnv } from '../face.ts'
import { faceApp, logOf, refuseLookAhead, requestIdOf, respond } from '../http.ts'
import { admit } from './admission.ts'
import { choose, openChosen, showChoice, toChoice } from './choosing.ts'
import { presentError } from './errors.ts'
import { isAuthors, verify } from './incoming.ts'
import { open } from './into-content.ts'
import { masterOf, placeOf } from './opening.ts'
import { itslearningPlatform } from './platform.ts'
import { LaunchRefused } from './refusal.ts'
import { verifyDeletion, verifyLaunch } from './verification.ts'

const root = '/launch/itslearning'
const platformRoot = `${root}/:platform`
const authorPath = `${platformRoot}/author/:sealed`

type Handler = (c: Context<FaceEnv>, core: Core) => Promise<Response>

export const endpoints: readonly {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly answer: Handler
}[] = [
  { method: 'GET', path: `${platformRoot}/view`, answer: view },
  { method: 'GET', path: `${platformRoot}/add`, answer: add },
  { method: 'GET', path: `${platformRoot}/delete`, answer: remove },
  { method: 'GET', path: authorPath, answer: showChoice },
  { method: 'POST', path: authorPath, answer: choose },
  { method: 'GET', path: `${authorPath}/open`, answer: openChosen },
]

function routes(core: Core): Hono<FaceEnv> {
  const headers = { 'Referrer-Policy': 'no-referrer' }
  const app = faceApp(core, { name: 'itslearning', presentError, cors: false, headers })
  for (const { method, path, answer } of endpoints) {
    app.on(method, path, async (c) => {
      try {
        refuseLookAhead(c)
        return await answer(c, core)
      } catch (error) {
        throw logged(c, error)
      }
    })
  }
  return app
}

/** People see one page, whatever the reason is; here it is, with what finds it. */
function logged(c: Context<FaceEnv>, error: unknown): unknown {
  if (!isDomainError(error) || error.code === 'internal') return error
  const rule = error instanceof LaunchRefused ? error.rule : error.code
  const fields = {
    requestId: requestIdOf(c),
    platform: c.req.param('platform')?.slice(0, 63),
    rule,
    reason: error.message,
  }
  logOf(c)?.info(fields, 'launch refused')
  return error
}

/** Somebody opens an instance. */
async function view(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const verified = await verify(c, core, { page: 'view', by: verifyLaunch })
  const { what: launch } = verified
  const content = await admit(core, verified, { page: 'view', launch })
  if (content === undefined) return toChoice(c, core, verified)
  if (await isAuthors(core, verified)) throw new LaunchRefused('replay', 'It was used before, to choose content.')
  const browser = findBrowser(c, core.baseUrl) ?? newBrowser()
  return open(core, { ...verified, launch, content, browser })
}

/** Somebody has made an instance, and is asked what it shall be. */
async function add(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const verified = await verify(c, core, { page: 'add', by: verifyLaunch })
  await admit(core, verified, { page: 'add', launch: verified.what })
  return toChoice(c, core, verified)
}

/**
 * An instance is gone; for the library that is told days later, and again until it is answered. Nobody is let in, so it may come as often
 * as it likes. What learners did stays.
 */
async function remove(c: Context<FaceEnv>, core: Core): Promise<Response> {
  const { platform, what } = await verify(c, core, { page: 'delete', by: verifyDeletion })
  for (const place of [placeOf(what), ...(what.isLast ? [masterOf(what)] : [])]) {
    const placed = await core.placements.find(platform, place)
    if (placed !== undefined) await core.placements.put(platform, place, null)
  }
  return respond('OK', { headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
}

export const itslearning: Face = {
  name: 'itslearning',
  mounts: [{ path: root }],
  routes,
  platform: itslearningPlatform,
  accessFor: () => ({
    kind: 'refused',
    decidedBy: 'signature',
    reason: 'No key is asked for here: a launch is signed by its platform. claviger launch diagnose looks at one.',
  }),
}
